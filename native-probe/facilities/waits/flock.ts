// The readers of flock(2): the waiter goes on when every conflicting open file description has released its lock.
import type { KernelLock } from '../../kernel/fileLocks';
import { readLink, splitDeleted, statOf, textOf } from '../../kernel/procfs';
import type { Thread } from '../../kernel/threads';
import { isStopped } from '../../kernel/threads';
import type { Clause } from '../../model';
import type { ScannedProcess } from '../../processes';
import { flockId } from '../flockLock';
import { clauseOf } from './clauses';
import type { BlockedCall, WaitReading } from './reader';
import { intArgument } from './reader';
import type { WaitScene } from './scene';
import { threadsOf } from './wakers';

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;

/** A thread whose system call line can be read. */
export function readFlock({ scene, process, thread, call }: BlockedCall): WaitReading | undefined {
  const fd = intArgument(call, 0);
  const operation = intArgument(call, 1) & ~LOCK_NB;
  if (operation !== LOCK_SH && operation !== LOCK_EX) return undefined;
  // The thread's own table: the process's is empty when its first thread has ended.
  const descriptor = `/proc/${process.pid}/task/${thread.tid}/fd/${fd}`;
  const link = readLink(descriptor).value;
  const stat = statOf(descriptor).value;
  if (link === undefined || !stat) return undefined;
  // Another thread may have closed the descriptor meanwhile, and a network file system may hold its locks elsewhere: the kernel's own
  // list decides. A stopped thread has left it, and asks again when it is continued.
  const queued = scene.flocks.locks.some(lock => lock.blocked && lock.pid === process.pid && lock.inode === String(stat.ino));
  if (!queued && !isStopped(thread)) return undefined;
  const path = textOf(splitDeleted(link).path);
  return waitFor({ scene, process, thread }, { fd, objectId: flockId(stat.dev, stat.ino), path, exclusive: operation === LOCK_EX, queued, gaps: [] }, [
    `thread ${thread.tid} is in flock(${fd}, ${operation === LOCK_EX ? 'LOCK_EX' : 'LOCK_SH'}) on ${path}`,
    queued ? `/proc/locks lists pid ${process.pid} as waiting for it` : 'it will ask for the lock again when it is continued',
  ]);
}

/** A wait that /proc/locks alone tells of; `gap` says so. */
export function readListedFlock(who: { scene: WaitScene; process: ScannedProcess; thread: Thread }, lock: KernelLock, gap: string): WaitReading | undefined {
  const file = [...who.scene.flocks.files.values()].find(each => each.file === lock.file);
  return file && waitFor(who, { objectId: file.objectId, path: file.path, exclusive: lock.type === 'write', queued: true, gaps: [gap] }, [`/proc/locks lists pid ${who.process.pid} as waiting for a ${lock.type} lock`]);
}

/** `fd`: absent where the call cannot be read. */
interface Wanted { readonly fd?: number; readonly objectId: string; readonly path: string | null; readonly exclusive: boolean; readonly queued: boolean; readonly gaps: readonly string[] }

function waitFor(who: { scene: WaitScene; process: ScannedProcess; thread: Thread }, { fd, objectId, path, exclusive, queued, gaps: known }: Wanted, evidence: readonly string[]): WaitReading {
  const { scene } = who;
  const file = scene.flocks.files.get(objectId);
  scene.addObject(scene.flocks.objects.find(object => object.id === objectId) ?? { id: objectId, kind: 'flock-lock', ...(path === null ? {} : { name: path }), persistence: 'process', state: { path, ranges: [] } });
  // Its own description never stands in its way: a thread that shows one has its lock already, and was stopped on the way back from the call.
  const own = (holders: readonly { readonly pid: number; readonly fd: number }[]): boolean => fd !== undefined && holders.some(holder => holder.pid === who.process.pid && holder.fd === fd);
  const conflicting = (file?.descriptions ?? []).filter(description => (exclusive || description.type === 'write') && !own(description.holders));
  const gaps = [...known, ...file?.gaps ?? []];
  const clauses: Clause[] = conflicting.map(({ holders }) => {
    const threads = threadsOf(holders);
    const unseen = scene.ends.unseenHolders(objectId, threads.map(({ pid }) => pid));
    return clauseOf(who, 'flock', { alternatives: [{ objectId, event: 'unlock', threads }], gaps: unseen === undefined ? gaps : [...gaps, unseen] }, 'locks');
  });
  // /proc/locks names who took a lock, not who has its descriptor now: a reason to suspect, with the gap that says so.
  const takers = (file?.unseenTakers ?? []).filter(taker => exclusive || taker.type === 'write');
  if (gaps.length > 0) for (const { pid } of takers) clauses.push(clauseOf(who, 'flock', { alternatives: [{ objectId, event: 'unlock', threads: [{ pid }] }], gaps }, 'locks'));
  // Nobody found although the kernel lets it wait: the lock is changing hands, or its holder is out of sight.
  if (clauses.length === 0 && queued) clauses.push({ alternatives: [], ...(gaps.length > 0 ? { gaps } : { external: 'the holder changed while it was looked for' }) });
  const held = conflicting.map(({ type, holders }) => `${holders.map(holder => `descriptor ${holder.fd} of pid ${holder.pid}`).join(' and ')} ${holders.length > 1 ? 'are one open file description that holds' : 'holds'} a ${type === 'write' ? 'LOCK_EX' : 'LOCK_SH'} lock (fdinfo)`);
  const taken = takers.map(({ type, pid }) => `pid ${pid} took a ${type === 'write' ? 'LOCK_EX' : 'LOCK_SH'} lock (/proc/locks)`);
  return { operation: 'flock', objectId, evidence: [...evidence, ...held, ...taken], clauses };
}
