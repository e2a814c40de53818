// The reader of futex(2): recognises what the C library built on the word, from the call and the bytes around it; every other
// futex is reported as such, with those who map it, and never closes a circle.
import { FUTEX_WAIT, FUTEX_WAIT_BITSET, futexCommand, isPriorityInheriting } from '../../kernel/futexLayouts';
import { noteMapped, placeOf } from '../mutex';
import type { BlockedCall, WaitReading } from './reader';
import { intArgument } from './reader';
import type { FutexReader, FutexWait } from './futexWait';
import { anybody, mappersKnown, readTimeout } from './futexWait';
import { readMutex, readPriorityInheriting } from './futexMutex';
import { readBarrier, readConditionVariable, readRwlock, readSemaphore } from './futexSync';
import { readFileLock, readJoin, readOnce, readStaticGuard } from './futexThread';
import { readMuslJoin, readMuslMutex, readMuslSemaphore } from './futexMusl';
import { noteHeldRobustMutexes } from './robustMutexes';

/** In the order of how much each asks to be true: the first that fits is it. */
const recognisers: readonly FutexReader[] = [
  readJoin, readFileLock, readMutex, readConditionVariable, readRwlock, readSemaphore, readBarrier, readStaticGuard,
  readMuslJoin, readMuslMutex, readMuslSemaphore, readOnce,
];

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
  const place = placeOf(scene, process, mapping, address);
  const timeoutAt = call.arguments[3] ?? 0n;
  const timed = timeoutAt !== 0n;
  const memory = scene.memory(process.pid);
  const wait: FutexWait = {
    blocked, address, place, mapping, call: { operation, value, timed },
    timeout: timed ? { timeout: readTimeout(memory, timeoutAt, operation) } : {},
    evidence: [`thread ${thread.tid} is in futex(${place.address}, 0x${operation.toString(16)}, ${value})`],
    around: { bytes: (before, after) => address - BigInt(before) < mapping.start ? undefined : memory.read(address - BigInt(before), before + after, address).value },
  };
  const word = memory.read(address, 4, address).value?.readUInt32LE(0);
  if (word === undefined || (!pi && word !== value)) {
    // FUTEX_REQUEUE leaves the old address in the line: whatever stands there, this thread does not wait for it.
    wait.evidence.push(word === undefined ? 'the word cannot be read' : `the word is ${word} by now: requeued, or about to wake`);
    return unknownFutex(wait);
  }
  for (const recognise of recognisers) {
    const reading = recognise(wait);
    if (!reading) continue;
    noteHeldRobustMutexes(blocked);
    return reading;
  }
  return (pi ? readPriorityInheriting(wait, word) : undefined) ?? unknownFutex(wait);
}

function unknownFutex(wait: FutexWait): WaitReading {
  const { blocked: { scene, process }, place, evidence, timeout } = wait;
  scene.addObject({ id: place.id, kind: 'futex', name: place.name, persistence: 'memory', state: { address: place.address } });
  noteMapped(scene, process, place);
  return { operation: 'futex', objectId: place.id, ...timeout, evidence, clauses: [{ alternatives: [{ objectId: place.id, event: 'FUTEX_WAKE', threads: mappersKnown(wait) }], external: anybody }] };
}
