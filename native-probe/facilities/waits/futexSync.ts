// glibc's semaphores, condition variables, read-write locks and barriers. Only a read-write lock that is held for writing has
// an owner; for everything else whoever maps the memory may act, and that is a closed circle or a gap (mappers.ts).
import { decodeBarrier, decodeConditionVariable, decodeRwlock, decodeSemaphore } from '../../kernel/glibcSync';
import { signalNames } from '../../kernel/signals';
import type { Alternative, Clause, ThreadRef } from '../../model';
import { devShmId } from '../devShm';
import type { FutexPlace } from '../mutex';
import { splitDeleted } from '../../kernel/procfs';
import type { FutexWait } from './futexWait';
import { anyMapper, holdings, isGlibcCall, isLibraryCall, ownerClause, placeBefore, seenTwice, timedName } from './futexWait';
import { observedWaiters } from './mappers';
import type { WaitReading } from './reader';
import type { WaitScene } from './scene';

/** Whether as many threads wait as the structure says: what else proves that it is one. */
function counted({ blocked: { scene, process }, place, address }: FutexWait, words: readonly bigint[], waiters: number): boolean {
  return words.reduce((sum, word) => sum + observedWaiters(scene, process, place, address + word), 0) === waiters;
}

export function readSemaphore(wait: FutexWait): WaitReading | undefined {
  const semaphore = seenTwice(wait, () => decodeSemaphore(wait.around, wait.call, wait.address));
  if (!semaphore || !counted(wait, [0n], semaphore.waiters) || !isLibraryCall(wait)) return undefined;
  return semaphoreReading(wait, semaphore, 'glibc');
}

/** A wait for a semaphore to be posted, whichever library made it. */
export function semaphoreReading(wait: FutexWait, { waiters, shared }: { readonly waiters: number; readonly shared: boolean }, library: string): WaitReading {
  const { blocked: { scene }, evidence, timeout } = wait;
  const named = namedSemaphore(wait);
  const place = named ?? wait.place;
  const kind = named ? 'posix-semaphore' : 'posix-unnamed-semaphore';
  evidence.push(`the bytes there are those of a ${named ? 'named ' : shared ? 'process-shared ' : ''}semaphore of ${library}: value 0, ${inWords(waiters, 'waiter')}`);
  if (named) {
    scene.addObject(scene.found.objects.find(object => object.id === named.id) ?? { id: named.id, kind: 'posix-semaphore', name: named.name, persistence: 'kernel', state: { value: 0, waiters } });
  } else scene.addObject({ id: place.id, kind: 'posix-unnamed-semaphore', name: place.name, persistence: 'memory', state: { address: place.address, value: 0, waiters, shared } });
  const clause = anyMapper(wait, place, kind, 'sem_post');
  const gaps = [...clause.gaps ?? [], ...postingHandlers(scene, clause.alternatives[0].threads)];
  return { operation: timedName(wait, ['sem_wait', 'sem_timedwait', 'sem_clockwait']), objectId: place.id, ...timeout, evidence, clauses: [{ ...clause, ...pausing(wait), ...(gaps.length > 0 ? { gaps } : {}) }] };
}

/** A limited wait that nobody needs to end is how programs pause; "deadlocked until timeout" is said of locks alone. */
function pausing({ call: { timed } }: FutexWait): { external?: string } {
  return timed ? { external: 'a limited wait to be woken may be no more than a pause: it ends by itself' } : {};
}

/** The identity that the facility gives a semaphore of sem_open: its file in /dev/shm holds one sem_t. */
function namedSemaphore({ place, mapping, address }: FutexWait): FutexPlace | undefined {
  const name = /^\/dev\/shm\/(sem\.[^/]+)$/.exec(splitDeleted(mapping.path).path)?.[1];
  if (name === undefined || !place.shared || address - mapping.start + mapping.offset !== 0n) return undefined;
  return { ...place, id: devShmId(name, { dev: mapping.device, ino: mapping.inode }) };
}

/** Signals that the kernel raises for faults, and glibc's own two (32, 33): their handlers post nothing. */
const notForPosting = [4, 5, 6, 7, 8, 11, 31, 32, 33].reduce((mask, number) => mask | (1n << BigInt(number - 1)), 0n);

/** sem_post(3) is the one of these calls that a signal handler may make. */
function postingHandlers(scene: WaitScene, threads: readonly ThreadRef[]): string[] {
  const gaps: string[] = [];
  for (const { pid } of threads) {
    const caught = (scene.status(pid, pid)?.caughtSignals ?? 0n) & ~notForPosting;
    if (caught === 0n) continue;
    const names = signalNames(caught);
    gaps.push(scene.context.gaps.add({ pid, facility: 'waits', field: 'signals,sem_post' }, `pid ${pid} (${scene.byPid.get(pid)?.comm ?? '?'}) catches ${names.slice(0, 4).join(', ')}${names.length > 4 ? ', …' : ''}: a handler may call sem_post`));
  }
  return gaps;
}

export function readConditionVariable(wait: FutexWait): WaitReading | undefined {
  const { blocked: { scene }, evidence, timeout } = wait;
  const found = seenTwice(wait, () => decodeConditionVariable(wait.around, wait.call));
  if (!found || !counted(wait, [0n, BigInt(found.other - found.offset)], found.waiters) || !isLibraryCall(wait)) return undefined;
  const place = placeBefore(wait, found.offset);
  evidence.push(`the bytes there are those of a ${found.shared ? 'process-shared ' : ''}condition variable of glibc with ${inWords(found.waiters, 'waiter')}`);
  scene.addObject({ id: place.id, kind: 'condition-variable', name: place.name, persistence: 'memory', state: { address: place.address, waiters: found.waiters, shared: found.shared } });
  // With an attribute for CLOCK_MONOTONIC pthread_cond_timedwait counts by that clock, too.
  const operation = timedName(wait, ['pthread_cond_wait', found.monotonic ? 'pthread_cond_clockwait' : 'pthread_cond_timedwait', found.monotonic ? 'pthread_cond_timedwait' : 'pthread_cond_clockwait']);
  return { operation, objectId: place.id, ...timeout, evidence, clauses: [{ ...anyMapper(wait, place, 'condition-variable', 'pthread_cond_signal'), ...pausing(wait) }] };
}

export function readRwlock(wait: FutexWait): WaitReading | undefined {
  const { blocked: { scene }, evidence, timeout } = wait;
  const found = seenTwice(wait, () => decodeRwlock(wait.around, wait.call));
  if (!found || !isLibraryCall(wait)) return undefined;
  const { offset, wants, writer, readers, shared } = found;
  const place = placeBefore(wait, offset);
  const length = evidence.length;
  evidence.push(`the bytes there are those of a ${shared ? 'process-shared ' : ''}read-write lock of glibc, ${writer > 0 ? `held for writing by TID ${writer}` : readers > 0 ? `held for reading ${readers === 1 ? 'once' : `${readers} times`}` : 'changing hands'}`);
  // Who reads is written nowhere: whoever maps it may be the one. The circle stays closed, it is only wide.
  const clause = writer > 0 ? ownerClause(wait, place, writer, true) : anyMapper(wait, place, 'rwlock', 'pthread_rwlock_unlock');
  const stands = clause && (clause.alternatives.length > 0 || (clause.gaps ?? []).length > 0 || seenTwice(wait, () => decodeRwlock(wait.around, wait.call))?.writer === writer);
  if (!clause || !stands) {
    evidence.length = length;
    return undefined;
  }
  scene.addObject({ id: place.id, kind: 'rwlock', name: place.name, persistence: 'memory', state: { address: place.address, readers, ...(writer > 0 ? { writer } : {}), shared } });
  if (writer > 0) holdings(wait, place, clause);
  const name = wants === 'read' ? 'rdlock' : 'wrlock';
  return { operation: timedName(wait, [`pthread_rwlock_${name}`, `pthread_rwlock_timed${name}`, `pthread_rwlock_clock${name}`]), objectId: place.id, ...timeout, evidence, clauses: [clause] };
}

/** With more threads that could arrive, the second clause of a barrier would cost more than it tells. */
const mostParties = 256;

export function readBarrier(wait: FutexWait): WaitReading | undefined {
  const { blocked: { scene }, evidence, timeout } = wait;
  const found = seenTwice(wait, () => decodeBarrier(wait.around, wait.call));
  // Arrived, but not yet asleep, or already awake: then it is about to change.
  if (!found || !counted(wait, [0n], found.waiting) || !isGlibcCall(wait)) return undefined;
  const { count, waiting, shared } = found;
  const place = placeBefore(wait, 4);
  evidence.push(`the bytes there are those of a ${shared ? 'process-shared ' : ''}barrier of glibc: ${waiting} of ${count} have arrived`);
  scene.addObject({ id: place.id, kind: 'barrier', name: place.name, persistence: 'memory', state: { address: place.address, count, waiting, shared } });
  // At least one more must come. That is certain; who it will be is not, and anybody who can run may start a thread that arrives.
  const clause = anyMapper(wait, place, 'barrier', 'pthread_barrier_wait');
  const absent = absentParties(wait, place, clause.alternatives[0].threads, count - waiting);
  return { operation: 'pthread_barrier_wait', objectId: place.id, ...timeout, evidence, clauses: absent ? [clause, absent] : [clause] };
}

/** The candidates for the parties that have not arrived, each a thread of its own, where more than one must come: a gap, because they may also be threads yet to be started. */
function absentParties({ blocked: { scene, process, call }, address }: FutexWait, place: FutexPlace, mappers: readonly ThreadRef[], needed: number): Clause | undefined {
  if (needed < 2) return undefined;
  const candidates: Alternative[] = [];
  for (const { pid } of mappers) {
    for (const { tid, syscall } of scene.threads(pid)) {
      // Those who wait here have arrived. Elsewhere the same memory may lie at another address: then the call's shape tells.
      const arrived = pid === process.pid ? syscall?.arguments[0] === address && syscall.number === call.number : syscall?.number === call.number && (syscall.arguments[0] ?? 0n) % 4096n === address % 4096n;
      if (!arrived) candidates.push({ objectId: place.id, event: 'pthread_barrier_wait', threads: [{ pid, tid }] });
      if (candidates.length > mostParties) return undefined;
    }
  }
  if (candidates.length < needed) return undefined;
  const gap = scene.context.gaps.add({ facility: 'barrier', objectId: place.id, field: 'parties' }, `which threads are the ${needed} parties that barrier ${place.name} still waits for is written nowhere: they may be any that map it, or be yet to start`);
  return { alternatives: candidates, atLeast: needed, gaps: [gap] };
}

const inWords = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
