// flock(2) locks: who holds which file. /proc/locks says that a lock is held; only the fdinfo of every process says by whom,
// and kcmp(2) which of these descriptors are one open file description.
import type { ScanContext } from '../context';
import { asRoot } from '../gaps';
import type { FlockLock, Handle } from '../model';
import type { KernelLock } from '../kernel/fileLocks';
import { parseDescriptorLocks, parseLocks, sameOpenFile } from '../kernel/fileLocks';
import { deviceNumber, isGone, numericEntries, parseStat, readLink, readText, splitDeleted, statOf, textOf } from '../kernel/procfs';

/** One open file description that holds a lock: any process that has it can release it. */
export interface HoldingDescription {
  readonly type: 'read' | 'write';
  readonly holders: readonly { readonly pid: number; readonly fd: number }[];
}

/** What is known of the locks on one file. */
export interface LockedFile {
  readonly objectId: string;
  /** The kernel's own name of the file, as in {@link KernelLock}. */
  readonly file: string;
  /** Display text; null: unknown. */
  readonly path: string | null;
  readonly descriptions: readonly HoldingDescription[];
  /** Gaps that stand where more holders may be. */
  readonly gaps: readonly string[];
}

export interface FlockLocks {
  readonly objects: readonly FlockLock[];
  readonly handles: readonly Handle[];
  readonly files: ReadonlyMap<string, LockedFile>;
  /** flock(2) lines of /proc/locks, waiters too. */
  readonly locks: readonly KernelLock[];
}

/** Id of the flock lock on a file; `device` as stat(2) gives it. */
export function flockId(device: number, inode: number | string): string {
  return `flock-lock:${device}:${inode}`;
}

interface Holder { readonly pid: number; readonly fd: number; readonly lock: KernelLock; readonly path: string }

/**
 * Every flock lock of the machine. `again`: read every descriptor table anew instead of trusting the pass, as the second look
 * before "deadlocked" is said must.
 */
export async function collectFlockLocks(context: ScanContext, { again = false }: { again?: boolean } = {}): Promise<FlockLocks> {
  const text = readText('/proc/locks');
  if (text.value === undefined) {
    context.gaps.failed({ facility: 'flock-lock' }, 'cannot read /proc/locks', text.errno);
    return { objects: [], handles: [], files: new Map(), locks: [] };
  }
  const locks = parseLocks(text.value).filter(lock => lock.kind === 'FLOCK');
  if (locks.length === 0) return { objects: [], handles: [], files: new Map(), locks };

  const { holders, unreadable } = await findHolders(context, again);
  if (unreadable.length > 0) {
    const names = unreadable.slice(0, 3).map(({ pid, comm }) => `${comm} (${pid})`).join(', ');
    const count = unreadable.length === 1 ? 'the descriptors of one process' : `the descriptors of ${unreadable.length} processes`;
    context.gaps.failed({ facility: 'flock-lock', field: 'descriptors' }, `cannot read ${count} (${names}${unreadable.length > 3 ? ', …' : ''}): which flock locks they hold is unknown`, 'EACCES', asRoot);
  }
  const objects: FlockLock[] = [];
  const handles: Handle[] = [];
  const files = new Map<string, LockedFile>();
  for (const [file, held] of groupBy(locks.filter(lock => !lock.blocked), lock => lock.file)) {
    const own = holders.get(file) ?? [];
    const objectId = idOfFile(held, own);
    const path = own[0] === undefined ? null : textOf(splitDeleted(own[0].path).path);
    const { descriptions, denied } = tellApart(own);
    const gaps = unseenSharers(context, objectId, path, held, own, unreadable);
    if (denied !== undefined) gaps.push(context.gaps.failed({ facility: 'flock-lock', objectId, field: 'open-file-descriptions' }, 'cannot tell the open file descriptions of different processes apart by kcmp', denied, asRoot));
    if (denied === undefined && descriptions.length < held.length) gaps.push(context.gaps.add({ facility: 'flock-lock', objectId, field: 'holders' }, `/proc/locks shows ${held.length} flock locks on ${path ?? `inode ${held[0]?.inode ?? '?'}`}, but only ${descriptions.length} could be found in descriptors: the others are in processes that cannot be read, or in flight`, { remedy: asRoot }));
    if (path === null) context.gaps.add({ facility: 'flock-lock', objectId, field: 'path' }, 'the path of this file is known only from a descriptor of a holder, and none could be read', { remedy: asRoot });
    objects.push({
      id: objectId, kind: 'flock-lock', persistence: 'process', ...(path === null ? {} : { name: path }),
      state: { path, ranges: held.map(({ type, pid }) => ({ type, start: '0', end: 'EOF', pid })) },
    });
    files.set(objectId, { objectId, file, path, descriptions, gaps });
    for (const { pid, fd, lock } of own) handles.push({ objectId, pid, fd, via: 'lock', lock: { type: lock.type, start: '0', end: 'EOF' } });
  }
  return { objects, handles, files, locks };
}

/**
 * The gaps left by processes that may share a description and cannot be read. A lock goes when everybody has closed the description
 * or somebody calls LOCK_UN, so a sharer out of sight matters only when it is part of the same program: when nobody in sight took
 * the lock, or when it runs under the same name as a holder (a fork with other rights).
 */
function unseenSharers(context: ScanContext, objectId: string, path: string | null, held: readonly KernelLock[], holders: readonly Holder[], unreadable: readonly { pid: number; comm: string }[]): string[] {
  if (unreadable.length === 0) return [];
  const pids = new Set(holders.map(holder => holder.pid));
  const names = new Set(context.processes.filter(process => pids.has(process.pid)).map(process => process.comm));
  const namesakes = unreadable.filter(process => names.has(process.comm));
  const where = path ?? 'this file';
  const gaps: string[] = [];
  if (held.some(lock => !pids.has(lock.pid))) gaps.push(context.gaps.add({ facility: 'flock-lock', objectId, field: 'taker' }, `a flock lock on ${where} was taken by a process that is not among its visible holders; a process that cannot be read may release it`, { remedy: asRoot }));
  if (namesakes.length > 0) gaps.push(context.gaps.failed({ facility: 'flock-lock', objectId, field: 'sharers' }, `${namesakes.slice(0, 3).map(({ pid, comm }) => `${comm} (${pid})`).join(', ')} may share the open file description that holds a flock lock on ${where}: its descriptors cannot be read`, 'EACCES', asRoot));
  return gaps;
}

/** The id wants the device as stat(2) tells it, which only a descriptor gives; without one, the file system's own. */
function idOfFile(held: readonly KernelLock[], holders: readonly Holder[]): string {
  for (const { pid, fd, lock } of holders) {
    const stat = statOf(`/proc/${pid}/fd/${fd}`).value;
    if (stat && String(stat.ino) === lock.inode) return flockId(stat.dev, stat.ino);
  }
  const [first] = held;
  return flockId(deviceNumber(first?.major ?? 0, first?.minor ?? 0), first?.inode ?? '0');
}

/** Every descriptor whose fdinfo shows a flock lock, by the kernel's name of the file. */
async function findHolders(context: ScanContext, again: boolean): Promise<{ holders: Map<string, Holder[]>; unreadable: { pid: number; comm: string }[] }> {
  const holders = new Map<string, Holder[]>();
  const unreadable: { pid: number; comm: string }[] = [];
  const scanned = new Map(context.processes.map(process => [process.pid, process]));
  // Listed anew: a process that was forked since the pass began may share a description.
  for (const pid of numericEntries('/proc').value ?? []) {
    const process = scanned.get(pid);
    if (process?.kernelThread) continue;
    const descriptors = again || !process || process.state === 'Z' ? openFiles(pid) : process.descriptors?.filter(each => each.target.startsWith('/')) ?? null;
    if (descriptors === null) {
      unreadable.push({ pid, comm: process?.comm ?? parseStat(readText(`/proc/${pid}/stat`).value ?? '')?.comm ?? 'a process that just ended' });
      continue;
    }
    for (const { fd, target } of descriptors) {
      const fdinfo = readText(`/proc/${pid}/fdinfo/${fd}`).value;
      if (fdinfo === undefined || !fdinfo.includes('\nlock:')) continue;
      for (const lock of parseDescriptorLocks(fdinfo)) {
        if (lock.kind !== 'FLOCK' || lock.blocked) continue;
        const list = holders.get(lock.file) ?? [];
        list.push({ pid, fd, lock, path: target });
        holders.set(lock.file, list);
      }
    }
    await context.pause();
  }
  return { holders, unreadable };
}

/** The descriptors that are paths; null when they may not be read. */
function openFiles(pid: number): { fd: number; target: string }[] | null {
  if (parseStat(readText(`/proc/${pid}/stat`).value ?? '')?.state === 'Z') {
    // A zombie has no descriptors. Where only the first thread has ended, the others still have all of them, although /proc/PID/fd is empty.
    return (numericEntries(`/proc/${pid}/task`).value?.length ?? 0) > 1 ? null : [];
  }
  const entries = numericEntries(`/proc/${pid}/fd`);
  if (entries.value === undefined) return isGone(entries.errno) ? [] : null;
  const files: { fd: number; target: string }[] = [];
  for (const fd of entries.value) {
    const target = readLink(`/proc/${pid}/fd/${fd}`);
    if (target.value?.startsWith('/')) files.push({ fd, target: target.value });
    else if (target.value === undefined && !isGone(target.errno)) return null;
  }
  return files;
}

/**
 * Groups the descriptors of one file by open file description. Where kcmp is denied they are merged into one description that
 * any of them could release: the weaker claim, and a gap.
 */
function tellApart(holders: readonly Holder[]): { descriptions: HoldingDescription[]; denied?: string } {
  const groups: { type: 'read' | 'write'; holders: { pid: number; fd: number }[] }[] = [];
  for (const { pid, fd, lock } of holders) {
    let home: (typeof groups)[number] | undefined;
    let gone = false;
    for (const group of groups) {
      const [first] = group.holders;
      if (!first) continue;
      const same = sameOpenFile(first.pid, first.fd, pid, fd);
      if (same === true) { home = group; break; }
      if (same === false) continue;
      if (same === 'ESRCH' || same === 'EBADF') { gone = true; break; }
      const type = holders.some(each => each.lock.type === 'write') ? 'write' : 'read';
      return { descriptions: [{ type, holders: holders.map(each => ({ pid: each.pid, fd: each.fd })) }], denied: same };
    }
    if (home) home.holders.push({ pid, fd });
    else if (!gone) groups.push({ type: lock.type, holders: [{ pid, fd }] });
  }
  return { descriptions: groups };
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item)) ?? [];
    group.push(item);
    groups.set(key(item), group);
  }
  return groups;
}
