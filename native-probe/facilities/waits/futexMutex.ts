// glibc's mutexes, whose owner stands in the memory, and priority-inheriting words, whose owner the kernel keeps.
import type { GlibcMutex } from '../../kernel/futexLayouts';
import { decodeGlibcMutex, mutexBytes, priorityInheritingOwner } from '../../kernel/futexLayouts';
import type { FutexWait } from './futexWait';
import { holdings, isLibraryCall, ownerClause, timedName } from './futexWait';
import type { WaitReading } from './reader';

export function readMutex(wait: FutexWait): WaitReading | undefined {
  const { blocked: { scene }, place, evidence, timeout } = wait;
  const found = readTwice(wait);
  if (!found || !isLibraryCall(wait)) return undefined;
  // glibc sets the process-shared bit in every robust mutex (nptl/pthread_mutex_init.c): there only the mapping tells.
  const mutex = found.robust ? { ...found, shared: place.shared } : found;
  const { type, robust, pi, shared, owner } = mutex;
  const before = evidence.length;
  evidence.push(`the bytes there are those of a locked ${describe(mutex)}mutex of glibc, owner TID ${owner}`);
  const clause = ownerClause(wait, place, owner, mutex.pristine);
  // An owner who unlocked and ended while it was looked for would look dead, but no longer stands in the mutex.
  const stands = clause && (clause.alternatives.length > 0 || readTwice(wait)?.owner === owner);
  if (!clause || !stands) {
    evidence.length = before;
    return undefined;
  }
  scene.addObject({ id: place.id, kind: 'mutex', name: place.name, persistence: 'memory', state: { address: place.address, type, owner, robust, pi, shared } });
  holdings(wait, place, clause);
  return { operation: timedName(wait, ['pthread_mutex_lock', 'pthread_mutex_timedlock', 'pthread_mutex_clocklock']), objectId: place.id, ...timeout, evidence, clauses: [clause] };
}

/** The mutex at the word, if its bytes are the same on two reads and the thread is still in the same call in between. */
function readTwice({ blocked: { scene, process, thread, call: line }, around, call }: FutexWait): GlibcMutex | undefined {
  const first = around.bytes(0, mutexBytes);
  const mutex = first && decodeGlibcMutex(first, call);
  if (!mutex || scene.threadNow(process.pid, thread.tid)?.syscall?.text !== line.text) return undefined;
  const second = around.bytes(0, mutexBytes);
  // Only what the verdict rests on: other waiters may come and go, which changes nothing of it.
  return second?.subarray(0, 12).equals(first.subarray(0, 12)) && second.readUInt32LE(16) === first.readUInt32LE(16) ? mutex : undefined;
}

function describe({ type, robust, pi, shared }: GlibcMutex): string {
  return [type === 'normal' ? '' : type, robust ? 'robust' : '', pi ? 'priority-inheriting' : '', shared ? 'process-shared' : ''].filter(Boolean).map(word => `${word} `).join('');
}

/** The kernel itself keeps the owner of a priority-inheriting word, whatever it is part of. */
export function readPriorityInheriting(wait: FutexWait, word: number): WaitReading | undefined {
  const { blocked: { scene }, place, evidence, timeout } = wait;
  const owner = priorityInheritingOwner(word);
  const clause = owner === undefined ? undefined : ownerClause(wait, place, owner, false);
  if (!clause) return undefined;
  evidence.push(`the word names TID ${owner ?? 0} as its owner`);
  scene.addObject({ id: place.id, kind: 'futex', name: place.name, persistence: 'memory', state: { address: place.address } });
  holdings(wait, place, clause);
  return { operation: 'futex', objectId: place.id, ...timeout, evidence, clauses: [clause] };
}
