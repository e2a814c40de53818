// The reader of open(2) and openat(2), which block at a FIFO without a partner and at a lease of somebody else: only the kernel function that
// the thread sleeps in (wchan) tells which.
import type { Clause } from '../../model';
import { readText, textOf } from '../../kernel/procfs';
import { clauseOf } from './clauses';
import type { BlockedCall, WaitReader, WaitReading } from './reader';
import { threadsOf } from './wakers';

export const readOpen = (name: 'open' | 'openat'): WaitReader => blocked => {
  const { process, thread, call } = blocked;
  const wchan = readText(`/proc/${process.pid}/task/${thread.tid}/wchan`).value ?? '';
  const path = pathAt(blocked, call.arguments[name === 'open' ? 0 : 1] ?? 0n);
  if (wchan === 'wait_for_partner') return openingFifo(blocked, path);
  return wchan === '__break_lease' ? breakingLease(blocked, path) : undefined;
};

/** PATH_MAX. */
const longestPath = 4096n;

/** The path that the argument points to, Latin-1; undefined when it cannot be read. */
function pathAt({ scene, process }: BlockedCall, address: bigint): string | undefined {
  const memory = scene.memory(process.pid);
  const page = 4096n;
  let path = '';
  // Piece by piece: what follows the string may not be there.
  for (let at = address; at < address + longestPath;) {
    const next = (at / page + 1n) * page;
    const piece = memory.read(at, Number(next - at)).value?.toString('latin1');
    if (piece === undefined) return undefined;
    const end = piece.indexOf('\0');
    if (end >= 0) return path + piece.slice(0, end);
    path += piece;
    at = next;
  }
  return undefined;
}

function openingFifo(blocked: BlockedCall, path: string | undefined): WaitReading {
  const { scene, thread } = blocked;
  const name = path === undefined ? undefined : textOf(path);
  const found = name === undefined ? [] : [...scene.ends.objects.values()].filter(object => object.kind === 'fifo' && object.name === name);
  return {
    operation: 'open', ...(found.length === 1 && found[0] ? { objectId: found[0].id } : {}),
    evidence: [`thread ${thread.tid} opens the FIFO ${name ?? 'whose path cannot be read'} and waits for somebody to open its other end`],
    clauses: [clauseOf(blocked, 'open', { alternatives: [], external: 'whoever opens the other end', gaps: [] })],
  };
}

/** The kernel takes a lease away after lease-break-time (proc(5)), whatever its holder does. */
function breakingLease(blocked: BlockedCall, path: string | undefined): WaitReading | undefined {
  const { scene, thread } = blocked;
  const name = path === undefined ? undefined : textOf(path);
  const broken = [...scene.locks.files.values()].filter(file => file.kind === 'lease' && file.holders.some(holder => holder.ranges.some(range => range.breaking !== undefined)));
  const named = broken.filter(file => file.path === name);
  // By the name it opens; a relative one only where a single lease is being broken.
  const file = named.length === 1 ? named[0] : name?.startsWith('/') === false && broken.length === 1 ? broken[0] : undefined;
  if (!file) return undefined;
  const seconds = readText('/proc/sys/fs/lease-break-time').value?.trim();
  const clauses: Clause[] = file.holders.map(holder => clauseOf(blocked, 'open', { alternatives: [{ objectId: file.objectId, event: 'unlock', threads: threadsOf(holder.processes) }], gaps: file.gaps }));
  return {
    operation: 'open', objectId: file.objectId, timeout: seconds !== undefined && /^\d+$/.test(seconds) ? `${seconds} s` : null, clauses,
    evidence: [`thread ${thread.tid} opens ${name ?? file.path ?? 'a file'}, on which somebody has a lease`, ...file.holders.map(holder => `${threadsOf(holder.processes).map(({ pid }) => `pid ${pid}`).join(' and ')} holds the lease`)],
  };
}
