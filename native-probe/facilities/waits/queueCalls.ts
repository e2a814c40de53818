// The readers of mq_send(3) and mq_receive(3): blocked on a full or empty POSIX message queue, whose descriptors tell who may help.
import { clauseOf } from './clauses';
import type { WaitReader } from './reader';
import { intArgument } from './reader';
import { evidenceOf } from './streams';
import { wakersOf } from './wakers';
import { describeEnd, limitAt, limited } from './words';

const CLOCK_REALTIME = 0;

export const readPosixQueueCall = (direction: 'send' | 'receive'): WaitReader => blocked => {
  const { scene, process, thread, call } = blocked;
  const fd = intArgument(call, 0);
  const handle = scene.ends.ofThread(process, thread.tid, fd);
  const queue = handle && scene.ends.objects.get(handle.objectId);
  if (!handle || queue?.kind !== 'posix-message-queue') return undefined;
  const timeout = limitAt(blocked, call.arguments[4] ?? 0n, { clock: CLOCK_REALTIME });
  const operation = `mq_${timeout === undefined ? '' : 'timed'}${direction}`;
  const wakers = wakersOf(scene, process.pid, handle, { input: direction === 'receive', output: direction === 'send', hangup: false });
  return {
    operation, objectId: queue.id, ...limited(timeout),
    evidence: [`thread ${thread.tid} is in ${operation}(${fd}) on ${describeEnd(scene, queue.id)}`, ...evidenceOf(blocked, wakers)],
    clauses: [clauseOf(blocked, operation, wakers)],
  };
};
