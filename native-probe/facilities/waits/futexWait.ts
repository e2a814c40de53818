// One thread blocked in futex(2), as the recognisers of the C libraries' locks get it, and what they share.
import type { Around } from '../../kernel/glibcSync';
import { isSyscallFunction } from '../../kernel/glibcSync';
import type { FutexCall } from '../../kernel/futexLayouts';
import { FUTEX_CLOCK_REALTIME, FUTEX_LOCK_PI, FUTEX_WAIT, futexCommand } from '../../kernel/futexLayouts';
import type { ProcessMemory } from '../../kernel/processMemory';
import type { Mapping } from '../../kernel/procfs';
import type { Clause, IpcKind, Known, ThreadRef } from '../../model';
import type { FutexPlace } from '../mutex';
import { findOwner, mapsPlace, noteMapped, noteMapper, placeOf } from '../mutex';
import { whoMaps } from './mappers';
import type { BlockedCall, WaitReading } from './reader';

export interface FutexWait {
  readonly blocked: BlockedCall;
  /** The word waited on; the word held `call.value` when it was read. */
  readonly address: bigint;
  readonly place: FutexPlace;
  readonly mapping: Mapping;
  readonly call: FutexCall;
  readonly timeout: { readonly timeout?: Known<string> };
  /** Grows while it is recognised. */
  readonly evidence: string[];
  readonly around: Around;
}

/** Recognises one thing; undefined when it is not that. */
export type FutexReader = (wait: FutexWait) => WaitReading | undefined;

/** Said of a futex whose waker the memory does not name: the wait may end by somebody nobody can foresee. */
export const anybody = 'any thread that maps a futex of unknown kind can wake it';

/** Those who map the word, as far as they were scanned: enough to say who might wake it, not that nobody else can. */
export function mappersKnown({ blocked: { scene, process }, place }: FutexWait): ThreadRef[] {
  if (!place.shared) return [{ pid: process.pid }];
  return [...scene.byPid.values()].filter(each => mapsPlace(each, place, process) === true).map(({ pid }) => ({ pid }));
}

/** What was decoded, if it is the same on two reads and the thread is still in the same call in between. */
export function seenTwice<T>({ blocked: { scene, process, thread, call } }: FutexWait, decode: () => T | undefined): T | undefined {
  const first = decode();
  if (first === undefined || scene.threadNow(process.pid, thread.tid)?.syscall?.text !== call.text) return undefined;
  return textOf(decode()) === textOf(first) ? first : undefined;
}
const textOf = (value: unknown): string | undefined => JSON.stringify(value, (_key, each: unknown) => typeof each === 'bigint' ? String(each) : each);

/** The place `before` bytes in front of the word: where the structure begins, and what identifies it. */
export function placeBefore({ blocked: { scene, process }, mapping, address }: FutexWait, before: number): FutexPlace {
  return placeOf(scene, process, mapping, address - BigInt(before));
}

/** Whether the call comes from code that may be the C library's own: not from its syscall(2), by which Rust, libstdc++ and programs make futexes of their own. */
export function isLibraryCall({ blocked: { scene, process, call } }: FutexWait): boolean {
  // That function's code is known for x86_64 only; elsewhere the bytes alone decide.
  if (scene.context.host.architecture !== 'x64') return true;
  const code = scene.memory(process.pid).read(call.programCounter - 7n, 7, call.programCounter).value;
  return code !== undefined && !isSyscallFunction(code);
}

/** Whether the call comes from glibc's shared library. */
export function isGlibcCall({ blocked: { scene, process, call } }: FutexWait): boolean {
  const path = scene.mappingAt(process.pid, call.programCounter)?.path ?? '';
  return /\/(?:libc|libpthread)[.-][^/]*$/.test(path) && !path.includes('musl');
}

/** pthread_X_lock, pthread_X_timedlock or pthread_X_clocklock, by the limit. */
export function timedName({ call: { timed, operation } }: FutexWait, names: readonly [plain: string, realtime: string, otherClock: string]): string {
  if (!timed) return names[0];
  return (operation & FUTEX_CLOCK_REALTIME) !== 0 || futexCommand(operation) === FUTEX_LOCK_PI || futexCommand(operation) === FUTEX_WAIT ? names[1] : names[2];
}

/** The clause "somebody who maps it does that", for what has no owner. */
export function anyMapper({ blocked: { scene, process } }: FutexWait, place: FutexPlace, what: IpcKind, event: string): Clause & { readonly alternatives: readonly [Clause['alternatives'][number]] } {
  const { threads, gaps } = whoMaps(scene, process, place, what);
  noteMapped(scene, process, place);
  for (const { pid } of threads) {
    const other = pid === process.pid ? undefined : scene.byPid.get(pid);
    if (other) noteMapper(scene, other, place);
  }
  return { alternatives: [{ objectId: place.id, event, threads }], ...(gaps.length > 0 ? { gaps } : {}) };
}

/** The clause "its owner unlocks it"; undefined when the TID that stands there convinces nobody. `pristine`: the bytes vouch for themselves, so that a dead owner may be believed. */
export function ownerClause({ blocked, evidence }: FutexWait, place: FutexPlace, owner: number, pristine: boolean): Clause | undefined {
  const { scene, process, call } = blocked;
  const found = findOwner(scene, process, place, owner);
  if (found === 'unknown') return undefined;
  if (found === 'gone') {
    // No live owner vouches for these bytes being a lock, so the caller must: the call comes from the C library itself.
    const code = scene.mappingAt(process.pid, call.programCounter)?.path ?? '';
    if (!pristine || !/\/(?:libc|libpthread)[.-][^/]*$/.test(code)) return undefined;
    evidence.push(`no live thread that maps it has TID ${owner}: its owner is gone`);
    return { alternatives: [] };
  }
  return { alternatives: found.threads.length > 0 ? [{ objectId: place.id, event: 'unlock', threads: found.threads }] : [], ...(found.gaps.length > 0 ? { gaps: found.gaps } : {}) };
}

/** Records that the waiter maps it and the threads of a clause own it. */
export function holdings({ blocked: { scene, process } }: FutexWait, place: FutexPlace, clause: Clause): void {
  noteMapped(scene, process, place);
  for (const { pid, tid } of clause.alternatives.flatMap(alternative => alternative.threads)) scene.addHandle({ objectId: place.id, pid, ...(tid === undefined ? {} : { tid }), via: 'owner' });
}

/** The limit as futex(2) takes it: relative for FUTEX_WAIT, else a point in time. null when it cannot be read. */
export function readTimeout(memory: ProcessMemory, address: bigint, operation: number): Known<string> {
  const bytes = memory.read(address, 16, address).value;
  return bytes ? timeoutText(bytes.readBigInt64LE(0), bytes.readBigInt64LE(8), operation) : null;
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
