// The reader of flock(2): the waiter goes on when every conflicting open file description has released its lock.
import { readLink, splitDeleted, statOf, textOf } from '../../kernel/procfs';
import { isStopped } from '../../kernel/threads';
import type { Clause } from '../../model';
import { flockId } from '../flockLock';
import type { BlockedCall, WaitReading } from './reader';
import { intArgument } from './reader';
import { interruptingSignals } from './signals';

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;

export function readFlock(blocked: BlockedCall): WaitReading | undefined {
  const { scene, process, thread, call } = blocked;
  const fd = intArgument(call, 0);
  const operation = intArgument(call, 1) & ~LOCK_NB;
  if (operation !== LOCK_SH && operation !== LOCK_EX) return undefined;
  // The thread's own table: the process's is empty when its first thread has ended.
  const descriptor = `/proc/${process.pid}/task/${thread.tid}/fd/${fd}`;
  const link = readLink(descriptor).value;
  const stat = statOf(descriptor).value;
  if (link === undefined || !stat) return undefined;
  const table = scene.flocks;
  // Another thread may have closed the descriptor meanwhile, and a network file system may hold its locks elsewhere: the kernel's own
  // list decides. A stopped thread has left it, and asks again when it is continued.
  const queued = table.locks.some(lock => lock.blocked && lock.pid === process.pid && lock.inode === String(stat.ino));
  if (!queued && !isStopped(thread)) return undefined;

  const objectId = flockId(stat.dev, stat.ino);
  const path = textOf(splitDeleted(link).path);
  const file = table.files.get(objectId);
  scene.addObject(table.objects.find(object => object.id === objectId) ?? { id: objectId, kind: 'flock-lock', name: path, persistence: 'process', state: { path, ranges: [] } });
  const conflicting = (file?.descriptions ?? []).filter(description => operation === LOCK_EX || description.type === 'write');
  const evidence = [
    `thread ${thread.tid} is in flock(${fd}, ${operation === LOCK_EX ? 'LOCK_EX' : 'LOCK_SH'}) on ${path}`,
    queued ? `/proc/locks lists pid ${process.pid} as waiting for it` : 'it will ask for the lock again when it is continued',
    ...conflicting.map(description => `${description.holders.map(holder => `descriptor ${holder.fd} of pid ${holder.pid}`).join(' and ')} ${description.holders.length > 1 ? 'are one open file description that holds' : 'holds'} a ${description.type === 'write' ? 'LOCK_EX' : 'LOCK_SH'} lock (fdinfo)`),
  ];
  const signals = interruptingSignals(blocked, 'flock');
  const gaps = [...file?.gaps ?? [], ...signals === undefined ? [] : [signals]];
  const withGaps = gaps.length > 0 ? { gaps } : {};
  const clauses: Clause[] = conflicting.map(({ holders }) => ({
    alternatives: [{ objectId, event: 'unlock', threads: [...new Set(holders.map(holder => holder.pid))].map(pid => ({ pid })) }], ...withGaps,
  }));
  // Nobody found although the kernel lets it wait: the lock is changing hands, or its holder is out of sight.
  if (clauses.length === 0 && queued) clauses.push({ alternatives: [], ...(gaps.length > 0 ? { gaps } : { external: 'the holder changed while it was looked for' }) });
  return { operation: 'flock', objectId, evidence, clauses };
}
