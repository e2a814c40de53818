// Threads whose system call line is denied (Yama, another user), of processes that /proc/locks lists as waiting: the kernel's list alone,
// which everybody may read, tells of the wait. That is enough to suspect, and never to be sure.
import { readText } from '../../kernel/procfs';
import type { Thread } from '../../kernel/threads';
import type { ScannedProcess } from '../../processes';
import { readListedFlock } from './flock';
import type { WaitReading } from './reader';
import { readListedRecordLock } from './recordLock';
import type { WaitScene } from './scene';

/** Undefined when the list does not tell, or several threads could be meant. */
export function readLockFromList(scene: WaitScene, process: ScannedProcess, thread: Thread): WaitReading | undefined {
  const waiting = scene.locks.locks.filter(lock => lock.blocked && lock.pid === process.pid && (lock.kind === 'FLOCK' || lock.kind === 'POSIX'));
  const [lock] = waiting;
  if (!lock || waiting.length > 1) return undefined;
  const threads = scene.threads(process.pid);
  const sleepsOnLock = (tid: number): boolean => /lock/.test(readText(`/proc/${process.pid}/task/${tid}/wchan`).value ?? '');
  if (threads.length > 1 && threads.filter(each => sleepsOnLock(each.tid)).map(each => each.tid).join() !== String(thread.tid)) return undefined;
  const [field, words] = lock.kind === 'FLOCK' ? ['flock', 'a flock lock'] : ['record-lock', 'a record lock'];
  const gap = scene.context.gaps.add({ pid: process.pid, facility: 'waits', field }, `that pid ${process.pid} (${process.comm}) waits for ${words} is known from /proc/locks alone: its system call cannot be read`, { errno: thread.denied });
  return lock.kind === 'FLOCK' ? readListedFlock({ scene, process, thread }, lock, gap) : readListedRecordLock({ scene, process, thread }, lock, gap);
}
