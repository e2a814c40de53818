// What can be known of musl's locks. Its normal mutexes keep no owner, and its condition variables, barriers and private
// read-write locks name nobody: those are futexes of unknown kind.
import { decodeMuslJoin, decodeMuslMutex, decodeMuslSemaphore } from '../../kernel/muslSync';
import type { FutexWait } from './futexWait';
import { anyMapper, holdings, isLibraryCall, ownerClause, placeBefore, seenTwice, timedName } from './futexWait';
import { observedWaiters } from './mappers';
import type { WaitReading } from './reader';
import { semaphoreReading } from './futexSync';

export function readMuslMutex(wait: FutexWait): WaitReading | undefined {
  const { blocked: { scene }, evidence, timeout } = wait;
  const mutex = seenTwice(wait, () => decodeMuslMutex(wait.around, wait.call));
  if (!mutex || !isLibraryCall(wait) || !countedMusl(wait, mutex.waiters)) return undefined;
  const { type, robust, shared, owner } = mutex;
  const place = placeBefore(wait, 4);
  const length = evidence.length;
  evidence.push(`the bytes there are those of a locked ${type} mutex of musl, ${owner === null ? 'which does not say who holds it' : `owner TID ${owner}`}`);
  const clause = owner === null ? anyMapper(wait, place, 'mutex', 'pthread_mutex_unlock') : ownerClause(wait, place, owner, false);
  if (!clause) {
    evidence.length = length;
    return undefined;
  }
  if (owner === null) scene.context.gaps.add({ facility: 'mutex', objectId: place.id, field: 'owner' }, `mutex ${place.name} is a normal one of musl, which keeps no owner`);
  else holdings(wait, place, clause);
  scene.addObject({ id: place.id, kind: 'mutex', name: place.name, persistence: 'memory', state: { address: place.address, type, owner, robust, pi: false, shared } });
  return { operation: timedName(wait, ['pthread_mutex_lock', 'pthread_mutex_timedlock', 'pthread_mutex_timedlock']), objectId: place.id, ...timeout, evidence, clauses: [clause] };
}

export function readMuslSemaphore(wait: FutexWait): WaitReading | undefined {
  const semaphore = seenTwice(wait, () => decodeMuslSemaphore(wait.around, wait.call));
  return semaphore && isLibraryCall(wait) && countedMusl(wait, semaphore.waiters) ? semaphoreReading(wait, semaphore, 'musl') : undefined;
}

function countedMusl({ blocked: { scene, process }, place, address }: FutexWait, waiters: number): boolean {
  return observedWaiters(scene, process, place, address) === waiters;
}

export function readMuslJoin(wait: FutexWait): WaitReading | undefined {
  const { blocked: { scene, process, thread }, place, address, evidence, timeout } = wait;
  const tid = place.shared ? undefined : seenTwice(wait, () => decodeMuslJoin(wait.around, wait.call, address));
  const target = tid === undefined ? undefined : scene.threads(process.pid).find(each => each.tid !== thread.tid && scene.ownTid(process, each.tid) === tid);
  if (!target || !isLibraryCall(wait)) return undefined;
  evidence.push(`the word is the state in the descriptor of thread ${target.tid} (${target.comm}) of musl, which changes when it ends`);
  return { operation: timedName(wait, ['pthread_join', 'pthread_timedjoin_np', 'pthread_timedjoin_np']), ...timeout, evidence, clauses: [{ alternatives: [{ event: 'exit', threads: [{ pid: process.pid, tid: target.tid }] }] }] };
}
