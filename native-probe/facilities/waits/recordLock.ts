// The reader of fcntl(2) F_SETLKW and F_OFD_SETLKW: the waiter goes on when every conflicting record lock of others is released, by whichever
// of the two calls they were taken.
import type { Clause } from '../../model';
import { parseCommon, readFdinfo } from '../../kernel/fdinfo';
import type { KernelLock, LockedRange } from '../../kernel/fileLocks';
import { conflicts } from '../../kernel/fileLocks';
import { isStopped } from '../../kernel/threads';
import type { LockHolder } from '../fileLocks';
import { clauseOf } from './clauses';
import type { BlockedCall, WaitReader } from './reader';
import { intArgument } from './reader';
import { outside, threadsOf } from './wakers';
import { describeEnd } from './words';

const F_SETLKW = 7, F_OFD_SETLKW = 38;
const F_RDLCK = 0, F_WRLCK = 1, SEEK_SET = 0;
const flockBytes = 32;
const lastOffset = (1n << 63n) - 1n;

export interface LockRequest { readonly type: 'read' | 'write'; /** Absent where it counts from the file's offset or end. */ readonly range?: { readonly start: string; readonly end: string } }

/** struct flock of 64-bit systems: short l_type, l_whence; off_t l_start, l_len; pid_t l_pid. Undefined when it asks for no lock. */
export function decodeFlock(bytes: Buffer): LockRequest | undefined {
  if (bytes.length < flockBytes) return undefined;
  const type = bytes.readInt16LE(0);
  if (type !== F_RDLCK && type !== F_WRLCK) return undefined;
  const base = { type: type === F_WRLCK ? 'write' as const : 'read' as const };
  if (bytes.readInt16LE(2) !== SEEK_SET) return base;
  let [start, length] = [bytes.readBigInt64LE(8), bytes.readBigInt64LE(16)];
  if (length < 0n) [start, length] = [start + length, -length];
  if (start < 0n) return undefined;
  const end = length === 0n ? lastOffset : start + length - 1n;
  return { ...base, range: { start: String(start), end: end >= lastOffset ? 'EOF' : String(end) } };
}

export const readFcntl: WaitReader = blocked => {
  const { scene, process, thread, call } = blocked;
  const [fd, command] = [intArgument(call, 0), intArgument(call, 1)];
  if (command !== F_SETLKW && command !== F_OFD_SETLKW) return undefined;
  const ofDescription = command === F_OFD_SETLKW;
  const bytes = scene.memory(process.pid).read(call.arguments[2] ?? 0n, flockBytes).value;
  const request = bytes && decodeFlock(bytes);
  const { inode } = parseCommon(readFdinfo(process.pid, fd).value ?? '');
  if (!request || inode === undefined) return undefined;
  // The kernel's own list decides whether it waits, and for which file system's file of that number.
  const asked = scene.locks.locks.filter(lock => lock.blocked && lock.inode === inode && lock.type === request.type && (ofDescription ? lock.kind === 'OFDLCK' : lock.kind === 'POSIX' && lock.pid === process.pid)
    && (request.range === undefined || (lock.start === request.range.start && lock.end === request.range.end)));
  const [line] = asked;
  const files = new Set(asked.map(lock => lock.file));
  if (line ? files.size > 1 || (request.range === undefined && asked.length > 1) : !isStopped(thread) || request.range === undefined) return undefined;
  const range: LockedRange = { type: request.type, start: request.range?.start ?? line?.start ?? '0', end: request.range?.end ?? line?.end ?? 'EOF' };
  return answer(blocked, { fd, ofDescription, range, line, inode, gaps: [] });
};

/** A wait that /proc/locks alone tells of; `gap` says so. */
export function readListedRecordLock(who: Blocked, line: KernelLock, gap: string): ReturnType<WaitReader> {
  return answer(who, { ofDescription: false, range: line, line, inode: line.inode, gaps: [gap] });
}

type Blocked = Pick<BlockedCall, 'scene' | 'process' | 'thread'>;
/** `fd`: absent where the call cannot be read. `gaps`: what is open about the wait itself. */
interface Asked { readonly fd?: number; readonly ofDescription: boolean; readonly range: LockedRange; readonly line: KernelLock | undefined; readonly inode: string; readonly gaps: readonly string[] }

function answer(blocked: Blocked, { fd, ofDescription, range, line, inode, gaps: open }: Asked): ReturnType<WaitReader> {
  const { scene, process, thread } = blocked;
  const own = (kind: string, holder: LockHolder): boolean => kind === 'record-lock'
    ? !ofDescription && holder.processes.some(each => each.pid === process.pid)
    : ofDescription && holder.processes.some(each => each.pid === process.pid && each.fd === fd);
  const files = [...scene.locks.files.values()].filter(file => (file.kind === 'record-lock' || file.kind === 'ofd-lock') && (line ? file.file === line.file : file.file.endsWith(`:${inode}`)));
  const against = files.flatMap(file => file.holders.filter(holder => !own(file.kind, holder) && holder.ranges.some(held => conflicts(range, held))).map(holder => ({ file, holder })))
    // In the same order whenever they are read.
    .sort((a, b) => (a.holder.processes[0]?.pid ?? 0) - (b.holder.processes[0]?.pid ?? 0) || (a.holder.processes[0]?.fd ?? 0) - (b.holder.processes[0]?.fd ?? 0));
  const gaps = [...new Set([...open, ...files.flatMap(file => file.gaps)])];
  const clauses: Clause[] = against.map(({ file, holder }) => {
    const threads = threadsOf(holder.processes);
    // A record lock is its process's own; the description of an OFD lock may be inherited.
    const unseen = file.kind === 'ofd-lock' ? scene.ends.unseenHolders(file.objectId, threads.map(({ pid }) => pid)) : undefined;
    return clauseOf(blocked, 'fcntl', { alternatives: [{ objectId: file.objectId, event: 'unlock', threads }], gaps: unseen === undefined ? gaps : [...gaps, unseen] }, file.kind === 'ofd-lock' ? 'locks' : 'neither');
  });
  // Nobody found although the kernel lets it wait: the lock is changing hands, or its holder is out of sight.
  if (clauses.length === 0 && line) clauses.push(gaps.length > 0 ? clauseOf(blocked, 'fcntl', { alternatives: [], gaps }) : clauseOf(blocked, 'fcntl', outside('the holder changed while it was looked for')));
  const kind = ofDescription ? 'ofd-lock' : 'record-lock';
  const objectId = against.find(({ file }) => file.kind === kind)?.file.objectId ?? against[0]?.file.objectId ?? files[0]?.objectId;
  const wanted = `${range.type ?? 'write'} lock on bytes ${range.start}–${range.end}${objectId === undefined ? '' : ` of ${describeEnd(scene, objectId)}`}`;
  return {
    operation: 'fcntl', ...(objectId === undefined ? {} : { objectId }), clauses,
    evidence: [
      ...fd === undefined ? [] : [`thread ${thread.tid} is in fcntl(${fd}, ${ofDescription ? 'F_OFD_SETLKW' : 'F_SETLKW'}) for a ${wanted}`],
      fd === undefined ? `/proc/locks lists pid ${process.pid} as waiting for a ${wanted}` : line ? '/proc/locks lists it as waiting' : 'it will ask for the lock again when it is continued',
      ...against.map(({ file, holder }) => `${file.kind === 'record-lock' ? '' : 'an open file description of '}${threadsOf(holder.processes).map(({ pid }) => `pid ${pid}`).join(' and ')} holds ${holder.ranges.filter(held => conflicts(range, held)).slice(0, 4).map(held => `bytes ${held.start}–${held.end} for ${held.type === 'write' ? 'writing' : 'reading'}`).join(', ')}`),
    ],
  };
}
