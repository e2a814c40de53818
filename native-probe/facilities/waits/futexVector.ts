// The reader of futex_waitv(2): a wait for any of several words. Nothing of the C library uses it (Wine and games do), so that
// none of the words is more than a futex.
import { FUTEX_CLOCK_REALTIME, FUTEX_WAIT_BITSET } from '../../kernel/futexLayouts';
import type { Alternative } from '../../model';
import { mapsPlace, noteMapped, placeOf } from '../mutex';
import { anybody, readTimeout } from './futexWait';
import type { BlockedCall, WaitReading } from './reader';
import { intArgument } from './reader';

/** FUTEX_WAITV_MAX. */
const mostWords = 128;
const entryBytes = 24;
const CLOCK_REALTIME = 0;

export interface FutexVectorEntry { readonly value: bigint; readonly address: bigint; readonly flags: number }

/** struct futex_waitv[]: val, uaddr, flags, reserved. */
export function parseFutexVector(bytes: Buffer): FutexVectorEntry[] {
  const entries: FutexVectorEntry[] = [];
  for (let at = 0; at + entryBytes <= bytes.length; at += entryBytes) {
    entries.push({ value: bytes.readBigUInt64LE(at), address: bytes.readBigUInt64LE(at + 8), flags: bytes.readUInt32LE(at + 16) });
  }
  return entries;
}

export function readFutexVector({ scene, process, thread, call }: BlockedCall): WaitReading | undefined {
  const array = call.arguments[0] ?? 0n;
  const count = intArgument(call, 1);
  if (count < 1 || count > mostWords) return undefined;
  const memory = scene.memory(process.pid);
  const bytes = memory.read(array, count * entryBytes, array).value;
  if (!bytes) return undefined;
  const evidence = [`thread ${thread.tid} is in futex_waitv over ${count} ${count === 1 ? 'word' : 'words'}`];
  const alternatives: Alternative[] = [];
  for (const { address } of parseFutexVector(bytes)) {
    const mapping = scene.mappingAt(process.pid, address);
    if (!mapping) continue;
    const place = placeOf(scene, process, mapping, address);
    scene.addObject({ id: place.id, kind: 'futex', name: place.name, persistence: 'memory', state: { address: place.address } });
    noteMapped(scene, process, place);
    const threads = place.shared ? [...scene.byPid.values()].filter(each => mapsPlace(each, place, process) === true).map(({ pid }) => ({ pid })) : [{ pid: process.pid }];
    alternatives.push({ objectId: place.id, event: 'FUTEX_WAKE', threads });
  }
  const limit = call.arguments[3] ?? 0n;
  // Always a point in time, by the clock named last.
  const clock = intArgument(call, 4) === CLOCK_REALTIME ? FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME : FUTEX_WAIT_BITSET;
  const only = alternatives.length === 1 ? alternatives[0]?.objectId : undefined;
  return {
    operation: 'futex_waitv', ...(only === undefined ? {} : { objectId: only }), ...(limit === 0n ? {} : { timeout: readTimeout(memory, limit, clock) }),
    evidence, clauses: [{ alternatives, external: anybody }],
  };
}
