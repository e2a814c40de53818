// The reader of futex(2): glibc mutexes, whose owner stands in the memory, and every other futex, of which only the place is known.
import type { GlibcMutex } from '../../kernel/futexLayouts';
import { decodeGlibcMutex, FUTEX_CLOCK_REALTIME, FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_LOCK_PI, futexCommand, isPriorityInheriting, mutexBytes, priorityInheritingOwner } from '../../kernel/futexLayouts';
import { readThread } from '../../kernel/threads';
import type { Clause, Known } from '../../model';
import type { FutexPlace } from '../mutex';
import { findOwner, placeOf } from '../mutex';
import type { BlockedCall, WaitReading } from './reader';
import { intArgument } from './reader';

/** Said of a futex whose waker the memory does not name: the wait may end by somebody nobody can foresee. */
const anybody = 'any thread that maps a futex of unknown kind can wake it';

export function readFutex(blocked: BlockedCall): WaitReading | undefined {
  const { scene, process, thread, call } = blocked;
  const address = call.arguments[0] ?? 0n;
  const operation = intArgument(call, 1);
  const value = intArgument(call, 2);
  const command = futexCommand(operation);
  const pi = isPriorityInheriting(operation);
  if (command !== FUTEX_WAIT && command !== FUTEX_WAIT_BITSET && !pi) return undefined;
  const mapping = scene.mappingAt(process.pid, address);
  if (!mapping || address % 4n !== 0n) return undefined;
  const place = placeOf(process, mapping, address);
  const timeoutAt = call.arguments[3] ?? 0n;
  const timed = timeoutAt !== 0n;
  const timeout = timed ? { timeout: readTimeout(blocked, timeoutAt, operation) } : {};
  const evidence = [`thread ${thread.tid} is in futex(${place.address}, 0x${operation.toString(16)}, ${value})`];

  const word = scene.memory(process.pid).read(address, 4, address).value?.readUInt32LE(0);
  if (word === undefined || (!pi && word !== value)) {
    // FUTEX_REQUEUE leaves the old address in the line: whatever stands there, this thread does not wait for it.
    evidence.push(word === undefined ? 'the word cannot be read' : `the word is ${word} by now: requeued, or about to wake`);
    return unknownFutex(blocked, place, evidence, timeout);
  }
  const found = readTwice(blocked, address, { operation, value, timed });
  if (found) {
    // glibc sets the process-shared bit in every robust mutex (nptl/pthread_mutex_init.c): there only the mapping tells.
    const mutex = found.robust ? { ...found, shared: place.shared } : found;
    evidence.push(`the bytes there are those of a locked ${describe(mutex)}mutex of glibc, owner TID ${mutex.owner}`);
    const clause = ownerClause(blocked, place, mutex.owner, mutex.pristine, evidence);
    // An owner who unlocked and ended while it was looked for would look dead, but no longer stands in the mutex.
    const stands = clause && (clause.alternatives.length > 0 || readTwice(blocked, address, { operation, value, timed })?.owner === mutex.owner);
    if (clause && stands) {
      const { type, robust, pi: inherits, shared, owner } = mutex;
      scene.addObject({ id: place.id, kind: 'mutex', name: place.name, persistence: 'memory', state: { address: place.address, type, owner, robust, pi: inherits, shared } });
      holdings(blocked, place, clause);
      return { operation: timed ? (operation & FUTEX_CLOCK_REALTIME) !== 0 || command === FUTEX_LOCK_PI ? 'pthread_mutex_timedlock' : 'pthread_mutex_clocklock' : 'pthread_mutex_lock', objectId: place.id, ...timeout, evidence, clauses: [clause] };
    }
  }
  // The kernel itself keeps the owner of a priority-inheriting word, whatever it is part of.
  const owner = pi ? priorityInheritingOwner(word) : undefined;
  const clause = owner === undefined ? undefined : ownerClause(blocked, place, owner, false, evidence);
  if (clause) {
    evidence.push(`the word names TID ${owner ?? 0} as its owner`);
    scene.addObject({ id: place.id, kind: 'futex', name: place.name, persistence: 'memory', state: { address: place.address } });
    holdings(blocked, place, clause);
    return { operation: 'futex', objectId: place.id, ...timeout, evidence, clauses: [clause] };
  }
  return unknownFutex(blocked, place, evidence, timeout);
}

function unknownFutex({ scene, process }: BlockedCall, place: FutexPlace, evidence: readonly string[], timeout: { timeout?: Known<string> }): WaitReading {
  scene.addObject({ id: place.id, kind: 'futex', name: place.name, persistence: 'memory', state: { address: place.address } });
  scene.addHandle({ objectId: place.id, pid: process.pid, via: 'mapping', address: place.address });
  return { operation: 'futex', objectId: place.id, ...timeout, evidence, clauses: [{ alternatives: [], external: anybody }] };
}

/** The mutex at an address, if its bytes are the same on two reads and the thread is still in the same call in between. */
function readTwice({ scene, process, thread, call }: BlockedCall, address: bigint, what: { operation: number; value: number; timed: boolean }): GlibcMutex | undefined {
  const memory = scene.memory(process.pid);
  const first = memory.read(address, mutexBytes, address).value;
  const mutex = first && decodeGlibcMutex(first, what);
  if (!mutex || readThread(process.pid, thread.tid)?.syscall?.text !== call.text) return undefined;
  const second = memory.read(address, mutexBytes, address).value;
  // Only what the verdict rests on: other waiters may come and go, which changes nothing of it.
  return second?.subarray(0, 12).equals(first.subarray(0, 12)) && second.readUInt32LE(16) === first.readUInt32LE(16) ? mutex : undefined;
}

/** The clause "its owner unlocks it"; undefined when the TID that stands there convinces nobody. */
function ownerClause(blocked: BlockedCall, place: FutexPlace, owner: number, pristine: boolean, evidence: string[]): Clause | undefined {
  const { scene, process, call } = blocked;
  const found = findOwner(scene, process, place, owner);
  if (found === 'unknown') return undefined;
  if (found === 'gone') {
    // No live owner vouches for these bytes being a mutex, so the caller must: the call comes from the C library itself.
    const code = scene.mappingAt(process.pid, call.programCounter)?.path ?? '';
    if (!pristine || !/\/(?:libc|libpthread)[.-][^/]*$/.test(code)) return undefined;
    evidence.push(`no live thread that maps it has TID ${owner}: its owner is gone`);
    return { alternatives: [] };
  }
  return { alternatives: found.threads.length > 0 ? [{ objectId: place.id, event: 'unlock', threads: found.threads }] : [], ...(found.gaps.length > 0 ? { gaps: found.gaps } : {}) };
}

function holdings({ scene, process }: BlockedCall, place: FutexPlace, clause: Clause): void {
  scene.addHandle({ objectId: place.id, pid: process.pid, via: 'mapping', address: place.address });
  for (const { pid, tid } of clause.alternatives.flatMap(alternative => alternative.threads)) scene.addHandle({ objectId: place.id, pid, ...(tid === undefined ? {} : { tid }), via: 'owner' });
}

function describe({ type, robust, pi, shared }: GlibcMutex): string {
  return [type === 'normal' ? '' : type, robust ? 'robust' : '', pi ? 'priority-inheriting' : '', shared ? 'process-shared' : ''].filter(Boolean).map(word => `${word} `).join('');
}

/** The limit as futex(2) takes it: relative for FUTEX_WAIT, else a point in time. null when it cannot be read. */
function readTimeout({ scene, process }: BlockedCall, address: bigint, operation: number): Known<string> {
  const bytes = scene.memory(process.pid).read(address, 16, address).value;
  if (!bytes) return null;
  return timeoutText(bytes.readBigInt64LE(0), bytes.readBigInt64LE(8), operation);
}

/** A timespec in words; null when it is none. */
export function timeoutText(seconds: bigint, nanoseconds: bigint, operation: number): Known<string> {
  if (nanoseconds < 0n || nanoseconds >= 1_000_000_000n || seconds < 0n) return null;
  const fraction = String(nanoseconds).padStart(9, '0').replace(/0+$/, '');
  const decimal = fraction === '' ? `${seconds}` : `${seconds}.${fraction}`;
  if (futexCommand(operation) === FUTEX_WAIT) return `${decimal} s`;
  const realtime = (operation & FUTEX_CLOCK_REALTIME) !== 0 || futexCommand(operation) === FUTEX_LOCK_PI;
  if (!realtime) return `CLOCK_MONOTONIC ${decimal} s`;
  const milliseconds = seconds * 1000n + nanoseconds / 1_000_000n;
  // The last instant that Date can hold.
  return milliseconds > 8_640_000_000_000_000n ? `CLOCK_REALTIME ${decimal} s` : new Date(Number(milliseconds)).toISOString();
}
