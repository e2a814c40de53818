// The readers of semop(2), msgsnd(2) and msgrcv(2). Nobody owns a System V object: whoever has the right to it may act, which is a gap in
// every clause; the last operators are candidates, no more.
import type { Alternative, SysvMessageQueue, SysvSemaphoreSet, ThreadRef } from '../../model';
import { startedBefore } from '../sysvHandles';
import { sysvId } from '../sysv';
import type { SysvKind } from '../sysv';
import { clauseOf } from './clauses';
import type { BlockedCall, WaitReader } from './reader';
import { intArgument } from './reader';
import type { Wakers } from './wakers';
import { outside } from './wakers';
import { limitAt, limited } from './words';

/** struct sembuf: unsigned short sem_num, short sem_op, short sem_flg. */
const sembufBytes = 6;
/** SEMOPM's default limit is 500; more cannot be asked for in practice. */
const mostOperations = 10_000;

export interface SemaphoreOperation { readonly index: number; readonly change: number }

export function decodeSembufs(bytes: Buffer): SemaphoreOperation[] {
  const operations: SemaphoreOperation[] = [];
  for (let at = 0; at + sembufBytes <= bytes.length; at += sembufBytes) operations.push({ index: bytes.readUInt16LE(at), change: bytes.readInt16LE(at + 2) });
  return operations;
}

/** Plays the operations on the values as semop(2) does: those that cannot be done. The rest count as done, because all are done at once. */
export function blockedOperations(operations: readonly SemaphoreOperation[], values: readonly number[]): SemaphoreOperation[] {
  const now = [...values];
  return operations.filter(({ index, change }) => {
    const value = now[index];
    if (value === undefined) return false;
    if (change === 0) return value !== 0;
    if (value + change < 0) return true;
    now[index] = value + change;
    return false;
  });
}

function objectOf({ scene, process, call }: BlockedCall, kind: SysvKind): { id: string; number: number } {
  const number = intArgument(call, 0) | 0;
  return { id: sysvId(kind, process.namespaces.ipc ?? 'unknown', number), number: scene.ends.objects.size === 0 ? -1 : number };
}

/** Whoever did the last operation, if it lives, and it is not the waiter itself. */
function lastOperator(blocked: BlockedCall, pid: number | null, at: string | undefined): number | undefined {
  const process = pid === null ? undefined : blocked.scene.byPid.get(pid);
  return process && process.state !== 'Z' && startedBefore(blocked.scene.context.clock, process.startTime, at) ? process.pid : undefined;
}

export const readSemop = (name: 'semop' | 'semtimedop'): WaitReader => blocked => {
  const { scene, process, thread, call } = blocked;
  const { id, number } = objectOf(blocked, 'sysv-semaphore-set');
  const set = scene.ends.objects.get(id);
  const count = intArgument(call, 2);
  if (set?.kind !== 'sysv-semaphore-set' || count === 0 || count > mostOperations) return undefined;
  const bytes = scene.memory(process.pid).read(call.arguments[1] ?? 0n, count * sembufBytes).value;
  if (!bytes) return undefined;
  const operations = decodeSembufs(bytes);
  const timeout = name === 'semtimedop' ? limitAt(blocked, call.arguments[3] ?? 0n) : undefined;
  const operation = timeout === undefined ? 'semop' : 'semtimedop';
  const base = { operation, objectId: id, ...limited(timeout) };
  const evidence = [`thread ${thread.tid} is in ${operation}(${number}) with ${operations.slice(0, 8).map(({ index, change }) => `sem ${index} ${change < 0 ? change : change === 0 ? '= 0' : `+${change}`}`).join(', ')}${operations.length > 8 ? ', …' : ''}`];
  const { sems } = set.state;
  if (sems === null) return { ...base, evidence, clauses: [clauseOf(blocked, operation, outside('the values cannot be read'), 'neither')] };
  const blocking = blockedOperations(operations, sems.map(({ val }) => val));
  if (blocking.length === 0) return { ...base, evidence, clauses: [clauseOf(blocked, operation, outside('its values have just changed'), 'neither')] };
  return {
    ...base, evidence: [...evidence, ...blocking.slice(0, 8).map(({ index, change }) => `semaphore ${index} is ${sems[index]?.val ?? '?'}${change === 0 ? ', not 0' : ''}; its last operation was by pid ${sems[index]?.pid ?? 'unknown'}`)],
    clauses: blocking.map(each => clauseOf(blocked, operation, semaphoreWakers(blocked, set, number, each), 'neither')),
  };
};

/**
 * Who would give back what is waited for when it exits (SEM_UNDO): a candidate like the last operator, and one of whom it is certain that it
 * took it. Not the waiter itself, unless another of its threads has it: blocked as it is, it will not exit.
 */
function undoCandidates({ scene, process }: BlockedCall, set: SysvSemaphoreSet, { index, change }: SemaphoreOperation): { thread: ThreadRef; adjustment: number }[] {
  return scene.ends.undoHolders(set.id).flatMap(({ pid, tid, undo }) => {
    const adjustment = undo?.find(({ num }) => num === index)?.adjustment ?? 0;
    const helps = change === 0 ? adjustment < 0 : adjustment > 0;
    return helps && (pid !== process.pid || scene.threads(pid).length > 1) ? [{ thread: tid === undefined ? { pid } : { pid, tid }, adjustment }] : [];
  });
}

function semaphoreWakers(blocked: BlockedCall, set: SysvSemaphoreSet, semid: number, operation: SemaphoreOperation): Wakers {
  const { scene, process } = blocked;
  const { index, change } = operation;
  const event = change === 0 ? `semaphore ${index} of semid ${semid} to become 0` : `${-change} on semaphore ${index} of semid ${semid}`;
  const last = lastOperator(blocked, set.state.sems?.[index]?.pid ?? null, set.state.otime);
  // Who took it last is who will give it back, as locks are made of semaphores; a consumer that took from an empty queue is nobody's hope,
  // unless another of its threads has it.
  const candidate = last === process.pid && scene.threads(last).length < 2 ? undefined : last;
  const owing = undoCandidates(blocked, set, operation);
  const nameOf = (pid: number): string => `${scene.byPid.get(pid)?.comm ?? '?'} (${pid})`;
  const candidates = [
    ...candidate === undefined ? [] : [`${nameOf(candidate)}, which did the last operation on it`],
    ...owing.slice(0, 4).map(({ thread: { pid }, adjustment }) => `${nameOf(pid)}, whose exit would ${adjustment > 0 ? `give back ${adjustment}` : `take ${-adjustment}`} (SEM_UNDO)`),
    ...owing.length > 4 ? [`${owing.length - 4} more whose exit would change it`] : [],
  ];
  const known = candidates.length === 0 ? 'the candidate is nobody of whom the kernel knows' : candidates.length === 1 ? `the candidate is ${candidates.join('')}` : `the candidates are ${candidates.join('; ')}`;
  const gap = scene.context.gaps.add({ facility: 'waits', objectId: set.id, field: `owner,${index}` }, `semaphores have no owner: any process with rights on semid ${semid} can change semaphore ${index}; ${known}`);
  const alternatives: Alternative[] = candidate === undefined || owing.some(({ thread }) => thread.pid === candidate && thread.tid === undefined) ? [] : [{ objectId: set.id, event, threads: [{ pid: candidate }] }];
  for (const { thread } of owing) alternatives.push({ objectId: set.id, event: `${event} (given back at exit: SEM_UNDO)`, threads: [thread] });
  return { alternatives, gaps: [gap] };
}

/** A queue's call: who receives frees room, who sends fills it. */
export const readQueueCall = (operation: 'msgsnd' | 'msgrcv'): WaitReader => blocked => {
  const { scene, process, thread, call } = blocked;
  const { id, number } = objectOf(blocked, 'sysv-message-queue');
  const queue = scene.ends.objects.get(id);
  if (queue?.kind !== 'sysv-message-queue') return undefined;
  const type = BigInt.asIntN(64, call.arguments[3] ?? 0n);
  const kindOfMessage = operation === 'msgsnd' ? '' : type === 0n ? '' : type > 0n ? ` of type ${type}` : ` of a type up to ${-type}`;
  const event = operation === 'msgsnd' ? 'room' : `a message${kindOfMessage}`;
  const candidate = queueCandidate(blocked, queue, operation);
  const known = candidate === undefined ? 'nobody of whom the kernel knows' : `${scene.byPid.get(candidate)?.comm ?? '?'} (${candidate}), the last to ${operation === 'msgsnd' ? 'receive' : 'send'}`;
  const gap = scene.context.gaps.add({ facility: 'waits', objectId: id, field: `owner,${operation}` }, `message queues have no owner: any process with rights on msqid ${number} can ${operation === 'msgsnd' ? 'receive' : 'send'}; the candidate is ${known}`);
  const wakers: Wakers = { alternatives: candidate === undefined ? [] : [{ objectId: id, event, threads: [{ pid: candidate }] }], gaps: [gap] };
  const { qnum, cbytes, qbytes } = queue.state;
  return {
    operation, objectId: id,
    evidence: [`thread ${thread.tid} is in ${operation}(${number})${kindOfMessage === '' ? '' : ` for a message${kindOfMessage}`}`, `the queue holds ${qnum} messages, ${cbytes} of at most ${qbytes ?? 'an unknown number of'} bytes`, ...process.namespaces.ipc === null ? ['its IPC namespace is unknown'] : []],
    clauses: [clauseOf(blocked, operation, wakers, 'neither')],
  };
};

function queueCandidate(blocked: BlockedCall, { state }: SysvMessageQueue, operation: 'msgsnd' | 'msgrcv'): number | undefined {
  const [pid, at] = operation === 'msgsnd' ? [state.lrpid, state.rtime] : [state.lspid, state.stime];
  const found = lastOperator(blocked, pid, at);
  return found === blocked.process.pid && blocked.scene.threads(found).length < 2 ? undefined : found;
}
