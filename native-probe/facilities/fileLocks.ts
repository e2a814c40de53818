// File locks of all kinds: flock(2), record and OFD locks (fcntl_locking(2)), leases (fcntl(2)). /proc/locks says what is held and
// asked for; fdinfo says by which descriptors, kcmp(2) which of these are one open file description. Read once for all four kinds.
import type { ScanContext } from '../context';
import { initialPidNamespace } from '../context';
import { facility } from '../facilityTable';
import { asRoot, errnoInWords } from '../gaps';
import type { FlockLock, Handle, Known, Lease, LockRange, OfdLock, RecordLock } from '../model';
import type { KernelLock } from '../kernel/fileLocks';
import { parseLocks, withoutRepetitions } from '../kernel/fileLocks';
import { Mounts } from '../kernel/mounts';
import type { ComparisonBudget } from '../kernel/openFileDescriptions';
import { compareOpenFiles, groupByOpenFile } from '../kernel/openFileDescriptions';
import { deviceNumber, readText, splitDeleted, statOf, textOf } from '../kernel/procfs';
import type { ScannedProcess } from '../processes';
import { pathOf } from './deletedNames';
import { findHolders } from './lockHolders';
import type { HolderSearch, LockedDescriptor, UnreadableProcess } from './lockHolders';
import { resourcesOf } from '../kernel/standIns';

type FileLock = FlockLock | RecordLock | OfdLock | Lease;
export type FileLockKind = FileLock['kind'];
const kindOf: Readonly<Record<string, FileLockKind>> = { FLOCK: 'flock-lock', POSIX: 'record-lock', OFDLCK: 'ofd-lock', LEASE: 'lease' };
export const fileLockKinds: readonly FileLockKind[] = Object.values(kindOf);

/**
 * Who holds locks on a file: an open file description, which any process that has it can unlock, or for record locks a process.
 * `fd` is unknown where the descriptors of a record lock's owner may not be read.
 */
export interface LockHolder {
  readonly processes: readonly { readonly pid: number; readonly fd?: number }[];
  readonly ranges: readonly LockRange[];
}

/** What is known of the locks of one kind on one file. */
export interface LockedFile {
  readonly objectId: string;
  readonly kind: FileLockKind;
  /** The kernel's own name of the file, as in {@link KernelLock}. */
  readonly file: string;
  /** Display text; null: unknown. */
  readonly path: Known<string>;
  readonly holders: readonly LockHolder[];
  /** Who took a lock of which no holder is in sight, and cannot be read: most likely its holder. */
  readonly unseenTakers: readonly LockHolder[];
  /** Gaps that stand where more holders may be. */
  readonly gaps: readonly string[];
}

export interface FileLocks {
  readonly objects: readonly FileLock[];
  readonly handles: readonly Handle[];
  /** By the id of the object. */
  readonly files: ReadonlyMap<string, LockedFile>;
  /** The lines of /proc/locks of these kinds, waiters too. */
  readonly locks: readonly KernelLock[];
}

/** Id of the locks of a kind on a file; `device` as stat(2) gives it. */
export function fileLockId(kind: FileLockKind, device: number, inode: number | string): string {
  return `${kind}:${device}:${inode}`;
}

const ofPass = new WeakMap<ScanContext, Promise<FileLocks>>();

/**
 * The file locks of the machine, read once a pass. `again`: read everything anew instead of trusting the pass, as the second
 * look before "deadlocked" is said must.
 */
export function readFileLocks(context: ScanContext, { again = false }: { again?: boolean } = {}): Promise<FileLocks> {
  if (again) return read(context, true);
  const known = ofPass.get(context) ?? read(context, false);
  ofPass.set(context, known);
  return known;
}

/** The collector: locks as objects, with who holds them. */
export async function collectFileLocks(context: ScanContext): Promise<{ objects: readonly FileLock[]; handles: readonly Handle[] }> {
  const { objects, handles } = await readFileLocks(context);
  return { objects, handles };
}

async function read(context: ScanContext, again: boolean): Promise<FileLocks> {
  const text = readText('/proc/locks');
  if (text.value === undefined) {
    for (const kind of fileLockKinds) context.gaps.failed({ facility: kind }, 'cannot read /proc/locks', text.errno);
    return { objects: [], handles: [], files: new Map(), locks: [] };
  }
  if (context.host.pidNamespace !== initialPidNamespace) {
    for (const kind of fileLockKinds) context.gaps.add({ facility: kind, field: 'pid-namespace' }, `in PID namespace ${context.host.pidNamespace} the kernel hides the locks of processes outside it, and the holders of OFD locks are invisible when they are`, { remedy: 'run the probe on the host, outside the container' });
  }
  const locks = withoutRepetitions(parseLocks(text.value)).filter(lock => kindOf[lock.kind] !== undefined);
  // In a focused pass locks that concern nobody in focus are left alone, unless somebody there has begun to wait for one.
  const byPid = new Map(context.processes.map(process => [process.pid, process]));
  const waitedFor = new Set(locks.filter(lock => lock.blocked && byPid.has(lock.pid)).map(keyOf));
  const concerned = (lock: KernelLock): boolean => again || context.concerns(ownId(kindOf[lock.kind] ?? 'record-lock', lock));
  const held = locks.filter(lock => !lock.blocked && (concerned(lock) || waitedFor.has(keyOf(lock))));
  const objects: FileLock[] = [];
  const handles: Handle[] = [];
  const files = new Map<string, LockedFile>();
  if (held.length === 0) return { objects, handles, files, locks };

  const everybody = again || context.complete || !held.every(concerned);
  const search = await findHolders(context, held, { again, everybody });
  const scene: Scene = { context, search, everybody, byPid, mounts: Mounts.ofPass(context.processes) };
  const waiting = groupBy(locks.filter(lock => lock.blocked), keyOf);
  let descriptors = byFile(search.found);
  let complete = false;
  for (const [key, own] of groupBy(held, keyOf)) {
    let all = descriptors.get(key) ?? [];
    // More locks than were found, and nobody hides: they are among what was left out.
    if (!complete && own[0]?.kind !== 'POSIX' && search.unreadable.length === 0 && holdersOf(own, all).found < own.length) {
      complete = true;
      descriptors = byFile([...search.found, ...await search.rest()]);
      all = descriptors.get(key) ?? [];
    }
    const { object, file } = describe(scene, own, waiting.get(key) ?? [], all);
    objects.push(object);
    files.set(file.objectId, file);
    for (const handle of handlesOf(file)) handles.push(handle);
    await context.pause();
  }
  if (everybody) noteUnreadable(context, search.unreadable, new Set(held.map(lock => lock.kind)));
  return { objects, handles, files, locks };
}

interface Scene { readonly context: ScanContext; readonly search: HolderSearch; readonly everybody: boolean; readonly byPid: ReadonlyMap<number, ScannedProcess>; readonly mounts: Mounts }
/** A descriptor with the locks on one file and of one kind. */
interface Holding { readonly pid: number; readonly fd: number; readonly descriptor: LockedDescriptor; readonly locks: readonly KernelLock[] }

const keyOf = (lock: KernelLock): string => `${lock.kind} ${lock.file}`;

function byFile(descriptors: readonly LockedDescriptor[]): Map<string, Holding[]> {
  const files = new Map<string, Holding[]>();
  for (const descriptor of descriptors) {
    for (const [key, locks] of groupBy(descriptor.locks, keyOf)) {
      const list = files.get(key);
      const holding = { pid: descriptor.pid, fd: descriptor.fd, descriptor, locks };
      if (list) list.push(holding); else files.set(key, [holding]);
    }
  }
  return files;
}

/** What the kernel lists of a file and what its descriptors show, as one object and its holders. */
function describe(scene: Scene, held: readonly KernelLock[], waiting: readonly KernelLock[], own: readonly Holding[]): { object: FileLock; file: LockedFile } {
  const { context, search } = scene;
  const [first] = held;
  const kind = kindOf[first?.kind ?? ''] ?? 'record-lock';
  const objectId = idOfFile(scene, kind, held, own);
  const path = own[0] === undefined ? null : textOf(pathOfHolder(scene, own[0].descriptor, first?.inode ?? ''));
  const range = (lock: KernelLock): LockRange => rangeOf(lock, held, waiting, own);
  const gaps: string[] = [];
  let holders: LockHolder[];
  if (kind === 'record-lock') {
    holders = recordHolders(held, own, search.pids);
    const stranger = holders.find(({ processes }) => processes.length === 0)?.ranges[0];
    if (stranger && scene.everybody) gaps.push(context.gaps.add({ facility: kind, objectId, field: 'holders' }, `pid ${stranger.pid}, which took a record lock on ${path ?? 'this file'}, is not there, and no descriptor shows the lock: it just ended, or is a client of a network file system`));
  } else {
    const grouped = holdersOf(held, own);
    holders = grouped.groups.map(members => ({ processes: members.map(({ pid, fd }) => ({ pid, fd })), ranges: unique(members.flatMap(member => member.locks)).map(range) }));
    gaps.push(...unseenSharers(scene, kind, objectId, path, held, own));
    if (grouped.untold !== undefined) gaps.push(context.gaps.add({ facility: kind, objectId, field: 'open-file-descriptions' }, `cannot tell the open file descriptions of different processes apart by kcmp${grouped.untold}`, { remedy: asRoot }));
    else if (grouped.found < held.length && scene.everybody) gaps.push(context.gaps.add({ facility: kind, objectId, field: 'holders' }, `/proc/locks shows ${held.length} ${wordsFor(kind, held.length)} on ${path ?? `inode ${first?.inode ?? '?'}`}, but only ${grouped.found} could be found in descriptors: the others are in processes that cannot be read, or in flight`, { remedy: asRoot }));
  }
  if (path === null) context.gaps.add({ facility: kind, objectId, field: 'path' }, 'the path of this file is known only from a descriptor of a holder, and none could be read', { remedy: asRoot });
  const ranges = held.map(range);
  if (ranges.some(({ type }) => type === null)) context.gaps.add({ facility: kind, objectId, field: 'type' }, 'whether this lease is for reading or for writing: while it is broken, the kernel tells only what it shall become');
  const state = { path, ranges, ...(waiting.length === 0 ? {} : { waiting: waiting.map(range) }) };
  return {
    object: { id: objectId, kind, persistence: 'process', ...(path === null ? {} : { name: path }), state },
    file: { objectId, kind, file: first?.file ?? '', path, holders, unseenTakers: kind === 'record-lock' ? [] : unseenTakers(search, held, own, range), gaps },
  };
}

/** Path of the file, Latin-1, without the mark of a deleted one. */
function pathOfHolder({ context, byPid }: Scene, { pid, path }: LockedDescriptor, inode: string): string {
  const process = byPid.get(pid);
  return process ? pathOf(context, process, path, inode).path : splitDeleted(path).path;
}

/** By the lines of /proc/locks alone, which name the process that took a lock and not who has its descriptor now. OFD locks name nobody. */
function unseenTakers({ unreadable }: HolderSearch, held: readonly KernelLock[], own: readonly Holding[], range: (lock: KernelLock) => LockRange): LockHolder[] {
  const closed = new Set(unreadable.map(({ pid }) => pid));
  const shown = new Set(own.flatMap(({ locks }) => locks.map(lock => lock.pid)));
  return [...groupBy(held.filter(({ pid }) => closed.has(pid) && !shown.has(pid)), lock => lock.pid)].map(([pid, locks]) => ({ processes: [{ pid }], ranges: locks.map(range) }));
}

/**
 * The processes that /proc/locks names, and whoever shares their descriptor table (CLONE_FILES): fdinfo shows a record lock to
 * those alone (fs/locks.c, __show_fd_locks), not to a forked child.
 */
function recordHolders(held: readonly KernelLock[], own: readonly Holding[], pids: ReadonlySet<number>): LockHolder[] {
  return [...groupBy(held, lock => lock.pid).values()].map(locks => {
    const pid = locks[0]?.pid ?? 0;
    const descriptors = new Map<number, number | undefined>(pids.has(pid) ? [[pid, undefined]] : []);
    for (const holding of own) if (descriptors.get(holding.pid) === undefined && holding.locks.some(lock => lock.pid === pid)) descriptors.set(holding.pid, holding.fd);
    return { processes: [...descriptors].map(([holder, fd]) => ({ pid: holder, ...(fd === undefined ? {} : { fd }) })), ranges: locks.map(lock => rangeOf(lock, held, [], own)) };
  });
}

/** For one file: at 7 µs each, a third of a second. */
const comparisons = 50_000;
const alive = (ref: { pid: number; fd: number }): boolean => compareOpenFiles(ref, ref) === 0;

/**
 * Descriptors by open file description, and how many of the held locks they account for. Where kcmp does not tell they are merged into one
 * description that any of them could release: the weaker claim, and a gap.
 */
function holdersOf(held: readonly KernelLock[], own: readonly Holding[]): { groups: Holding[][]; found: number; untold?: string } {
  if (own.length === 0) return { groups: [], found: 0 };
  const budget: ComparisonBudget = { left: comparisons, exhausted: false };
  const groups: Holding[][] = groupByOpenFile(own, budget);
  const untold = budget.denied !== undefined ? `: ${errnoInWords(budget.denied)}` : budget.exhausted ? `: more than ${comparisons} comparisons` : undefined;
  if (untold !== undefined) return { groups: [[...own]], found: held.length, untold };
  // What was closed while it was compared stands alone there, and holds nothing any more.
  const living = groups.length === 1 ? groups : groups.filter(group => group.length > 1 || group.every(alive));
  return { groups: living, found: living.reduce((sum, [first]) => sum + (first?.locks.length ?? 0), 0) };
}

function rangeOf(lock: KernelLock, held: readonly KernelLock[], waiting: readonly KernelLock[], own: readonly Holding[]): LockRange {
  const { start, end, pid } = lock;
  if (!lock.breaking || lock.type === 'write') return { type: lock.type === 'unlock' ? null : lock.type, start, end, pid };
  if (lock.type === 'read') return { type: 'write', start, end, pid, breaking: 'read' };
  return { type: typeBeforeUnlock(lock, held, waiting, own), start, end, pid, breaking: 'unlock' };
}

/** The type of a lease that shall be given up, as far as it follows from the rules of fcntl(2), F_SETLEASE. */
function typeBeforeUnlock(lock: KernelLock, held: readonly KernelLock[], waiting: readonly KernelLock[], own: readonly Holding[]): Known<'read' | 'write'> {
  // A write lease is alone on its file; opening for reading breaks only a write lease; a read lease needs a descriptor that cannot write.
  if (held.length > 1) return 'read';
  if (waiting.some(({ type }) => type === 'read')) return 'write';
  return own.some(({ pid, descriptor }) => pid === lock.pid && descriptor.writable) ? 'write' : null;
}

function handlesOf(file: LockedFile): Handle[] {
  const { objectId } = file;
  return file.holders.flatMap(({ processes, ranges }) => processes.flatMap(({ pid, fd }) => ranges.map(({ type, start, end }): Handle =>
    ({ objectId, pid, ...(fd === undefined ? {} : { fd }), via: 'lock', lock: { type, start, end } }))));
}

/**
 * The gaps left by processes that may share a description and cannot be read. A lock goes when everybody has closed the description
 * or somebody unlocks it, so a sharer out of sight matters only when it is part of the same program: when nobody in sight took
 * the lock, or when it runs under the same name as a holder (a fork with other rights). OFD locks do not tell who took them.
 */
function unseenSharers({ context, search }: Scene, kind: FileLockKind, objectId: string, path: Known<string>, held: readonly KernelLock[], holders: readonly Holding[]): string[] {
  const { unreadable } = search;
  if (unreadable.length === 0) return [];
  const pids = new Set(holders.map(holder => holder.pid));
  const names = new Set(context.processes.filter(process => pids.has(process.pid)).map(process => process.comm));
  const namesakes = unreadable.filter(process => names.has(process.comm));
  const where = path ?? 'this file';
  const label = facility(kind).label;
  const gaps: string[] = [];
  if (held.some(lock => lock.pid !== -1 && !pids.has(lock.pid))) gaps.push(context.gaps.add({ facility: kind, objectId, field: 'taker' }, `a ${label} on ${where} was taken by a process that is not among its visible holders; a process that cannot be read may release it`, { remedy: asRoot }));
  if (namesakes.length > 0) gaps.push(context.gaps.failed({ facility: kind, objectId, field: 'sharers' }, `${namesakes.slice(0, 3).map(({ pid, comm }) => `${comm} (${pid})`).join(', ')} may share the open file description that holds a ${label} on ${where}: its descriptors cannot be read`, 'EACCES', asRoot));
  return gaps;
}

/** One gap a kind for all processes that may hold locks unseen. Record locks name their process. */
function noteUnreadable(context: ScanContext, unreadable: readonly UnreadableProcess[], present: ReadonlySet<string>): void {
  if (unreadable.length === 0) return;
  const names = unreadable.slice(0, 3).map(({ pid, comm }) => `${comm} (${pid})`).join(', ');
  const count = unreadable.length === 1 ? 'the descriptors of one process' : `the descriptors of ${unreadable.length} processes`;
  for (const [word, kind] of Object.entries(kindOf)) {
    if (kind === 'record-lock' || !present.has(word)) continue;
    context.gaps.failed({ facility: kind, field: 'descriptors' }, `cannot read ${count} (${names}${unreadable.length > 3 ? ', …' : ''}): which ${wordsFor(kind, 2)} they hold is unknown`, 'EACCES', asRoot);
  }
}

/**
 * File systems whose stat(2) tells another device than /proc/locks and maps: that of a subvolume or layer. Only on these is
 * stat needed to name a file as others do, and none of them is a network's.
 */
const ownDeviceNumbers: ReadonlySet<string> = new Set(['btrfs', 'bcachefs', 'overlay']);

/** The id wants the device as stat(2) tells it: the file system's own, but for a few. */
function idOfFile(scene: Scene, kind: FileLockKind, held: readonly KernelLock[], own: readonly Holding[]): string {
  for (const { pid, fd, descriptor } of own) {
    if (!ownDeviceNumbers.has(fileSystemOf(scene, descriptor) ?? '')) break;
    const stat = statOf(`${resourcesOf(pid)}/fd/${fd}`).value;
    if (stat && String(stat.ino) === held[0]?.inode) return fileLockId(kind, stat.dev, stat.ino);
  }
  return ownId(kind, held[0]);
}

/** The id by the file system's own device. */
function ownId(kind: FileLockKind, lock: KernelLock | undefined): string {
  return fileLockId(kind, deviceNumber(lock?.major ?? 0, lock?.minor ?? 0), lock?.inode ?? '0');
}

/** Type of the file system that a descriptor's file is on; undefined where it is mounted nowhere. */
function fileSystemOf({ byPid, mounts }: Scene, { pid, mount }: LockedDescriptor): string | undefined {
  const process = byPid.get(pid);
  return process && mount !== undefined ? mounts.byId(mount, process)?.mount.type : undefined;
}

const wordsFor = (kind: FileLockKind, count: number): string => count === 1 ? facility(kind).label : facility(kind).plural;

function unique(locks: readonly KernelLock[]): KernelLock[] {
  return [...new Map(locks.map(lock => [`${lock.type} ${lock.start} ${lock.end} ${lock.pid}`, lock])).values()];
}

function groupBy<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item); else groups.set(key(item), [item]);
  }
  return groups;
}
