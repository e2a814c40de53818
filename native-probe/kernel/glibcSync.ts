// What else a futex word may be part of: glibc's semaphores, condition variables, read-write locks, barriers and FILE locks,
// decoded from bytes. Pure. Little-endian, LP64. Each decoder wants everything to fit that the structure implies; the
// caller still has to compare the number of waiters with those it sees.
// Sources: glibc nptl/internaltypes.h, sysdeps/nptl/bits/thread-shared-types.h, struct_rwlock.h, nptl/pthread_*.c.
import type { FutexCall } from './futexLayouts';
import { FUTEX_PRIVATE_FLAG, FUTEX_WAIT, FUTEX_WAIT_BITSET, futexCommand } from './futexLayouts';

/** Where the structure would begin, counted back from the word waited on, and its bytes there. */
export interface Around {
  /** Bytes from `before` bytes before the word up to `after` bytes behind its start; undefined: cannot be read. */
  readonly bytes: (before: number, after: number) => Buffer | undefined;
}

const isPrivate = ({ operation }: FutexCall): boolean => (operation & FUTEX_PRIVATE_FLAG) !== 0;
/** glibc waits so, cancellable or not, in everything that can have a time limit (nptl/futex-internal.c). */
const isBitset = ({ operation }: FutexCall): boolean => futexCommand(operation) === FUTEX_WAIT_BITSET;
/** And so where there is none: mutexes, barriers, once (sysdeps/nptl/futex-internal.h, futex_wait_simple). */
const isSimple = ({ operation, timed }: FutexCall): boolean => futexCommand(operation) === FUTEX_WAIT && !timed;
/** LLL_SHARED: how sem_t and pthread_barrier_t say that they are process-shared. */
const sharedMark = 128;
/** More threads than PID_MAX_LIMIT cannot wait for anything. */
const mostWaiters = 0x400000;

export interface Semaphore { readonly waiters: number; readonly shared: boolean }

/** sem_t: value, nwaiters, private. The thread waits for the value to leave 0. */
export function decodeSemaphore(around: Around, call: FutexCall, address: bigint): Semaphore | undefined {
  // The kernel's word is the low half of a 64-bit atomic.
  if (!isBitset(call) || call.value !== 0 || address % 8n !== 0n) return undefined;
  const bytes = around.bytes(0, 12);
  if (bytes?.readUInt32LE(0) !== 0) return undefined;
  const waiters = bytes.readUInt32LE(4);
  if (waiters < 1 || waiters > mostWaiters || bytes.readUInt32LE(8) !== (isPrivate(call) ? 0 : sharedMark)) return undefined;
  return { waiters, shared: !isPrivate(call) };
}

export interface ConditionVariable {
  /** Bytes from the start of the structure to the word waited on. */
  readonly offset: number;
  readonly waiters: number;
  readonly shared: boolean;
  /** pthread_condattr_setclock(CLOCK_MONOTONIC). */
  readonly monotonic: boolean;
  /** Offset of the other group's word: some of the waiters may wait there. */
  readonly other: number;
}

interface ConditionLayout { readonly signals: readonly [number, number]; readonly refs?: readonly [number, number]; readonly sizes: readonly [number, number]; readonly originalSize: number; readonly wrefs: number }
/** Up to 2.40, and since the fix of lost wake-ups (bug 25847), which distributions carried back: the version tells nothing. */
const conditionLayouts: readonly ConditionLayout[] = [
  { signals: [40, 44], refs: [16, 20], sizes: [24, 28], originalSize: 32, wrefs: 36 },
  { signals: [32, 36], sizes: [16, 20], originalSize: 24, wrefs: 28 },
];
const conditionBytes = 48;

/** pthread_cond_t, in whichever layout fits. */
export function decodeConditionVariable(around: Around, call: FutexCall): ConditionVariable | undefined {
  if (!isBitset(call)) return undefined;
  for (const layout of conditionLayouts) {
    for (const group of [0, 1] as const) {
      const offset = layout.signals[group];
      const bytes = around.bytes(offset, conditionBytes - offset);
      const found = bytes && conditionAt(bytes, layout, call);
      if (found) return { ...found, offset, other: layout.signals[1 - group] ?? 0 };
    }
  }
  return undefined;
}

function conditionAt(bytes: Buffer, layout: ConditionLayout, call: FutexCall): Omit<ConditionVariable, 'offset' | 'other'> | undefined {
  // __wrefs: bit 0 process-shared, bit 1 CLOCK_MONOTONIC, bit 2 somebody destroys it, then the number of waiters.
  const wrefs = bytes.readUInt32LE(layout.wrefs);
  const waiters = wrefs >>> 3;
  const shared = (wrefs & 1) !== 0;
  if (waiters < 1 || waiters > mostWaiters || (wrefs & 4) !== 0 || shared === isPrivate(call)) return undefined;
  const sequence = bytes.readBigUInt64LE(0) >> 1n;
  const start = bytes.readBigUInt64LE(8) >> 1n;
  const original = bytes.readUInt32LE(layout.originalSize);
  // Its two low bits are a lock, held for moments only. As many as wait must have come since it was made.
  if ((original & 3) !== 0 || start > sequence || sequence < BigInt(waiters) || BigInt(original >>> 2) > sequence - start) return undefined;
  // Waiters that timed out make a size negative for a while.
  if (layout.sizes.some(at => Math.abs(bytes.readInt32LE(at)) > mostWaiters)) return undefined;
  if (layout.refs) {
    // Until 2.40 each waiter also holds a reference to its group, and nobody waits while there are signals to take.
    const references = layout.refs.reduce((sum, at) => sum + (bytes.readUInt32LE(at) >>> 1), 0);
    if (references !== waiters || call.value !== 0) return undefined;
  } else if ((bytes.readBigUInt64LE(40)) !== 0n) return undefined;
  return { waiters, shared, monotonic: (wrefs & 2) !== 0 };
}

export interface Rwlock {
  readonly offset: number;
  /** What the waiting thread wants. */
  readonly wants: 'read' | 'write';
  /** TID in its PID namespace; 0: nobody holds it for writing. */
  readonly writer: number;
  /** How many hold it for reading; where a writer holds it, nobody does. */
  readonly readers: number;
  readonly shared: boolean;
}
export const rwlockBytes = 56;
/** __readers: bits of nptl/pthread_rwlock_common.c. Above them the number of readers, of which those who wait count too while a writer holds it. */
const writePhase = 1, writeLocked = 2, readersWait = 4;

/** pthread_rwlock_t since 2.25. */
export function decodeRwlock(around: Around, call: FutexCall): Rwlock | undefined {
  if (!isBitset(call)) return undefined;
  for (const offset of [8, 12, 0]) {
    const bytes = around.bytes(offset, rwlockBytes - offset);
    const found = bytes && rwlockAt(bytes, offset, call);
    if (found) return found;
  }
  return undefined;
}

function rwlockAt(bytes: Buffer, offset: number, call: FutexCall): Rwlock | undefined {
  const word = (at: number): number => bytes.readUInt32LE(at);
  const [state, phaseFutex, writersFutex, shared, flags] = [word(0), word(8), word(12), word(28), word(48)];
  const writer = bytes.readInt32LE(24);
  const readers = state >>> 3;
  if (shared !== (isPrivate(call) ? 0 : 1) || flags > 2 || writer < 0 || writer >= mostWaiters || readers > mostWaiters || phaseFutex > 3 || writersFutex > 3) return undefined;
  // Padding and lock elision, which no longer exists or is off.
  if ([16, 20, 32, 36, 40, 44, 52].some(at => word(at) !== 0)) return undefined;
  const inWritePhase = (state & writePhase) !== 0;
  if ((state & writeLocked) === 0) return undefined;
  const base = { offset, writer, readers: inWritePhase ? 0 : readers, shared: shared === 1 };
  // Waits with the "somebody waits" bit (2) in the futex: a writer behind another writer; a reader for the end of the write phase (1);
  // the first writer for the readers to leave (0); a reader that lets a preferred writer go first, on the state itself.
  if (offset === 12) return call.value === 3 ? { ...base, wants: 'write' } : undefined;
  if (offset === 8 && inWritePhase) return call.value === 3 && readers > 0 ? { ...base, wants: 'read' } : undefined;
  if (offset === 8) return call.value === 2 && readers > 0 && writer === 0 ? { ...base, wants: 'write' } : undefined;
  return !inWritePhase && (state & readersWait) !== 0 && readers > 0 && call.value === state && writer === 0 ? { ...base, wants: 'read' } : undefined;
}

export interface Barrier { readonly count: number; readonly waiting: number; readonly shared: boolean }

/** pthread_barrier_t: in, current_round, count, shared, out; the word is current_round. */
export function decodeBarrier(around: Around, call: FutexCall): Barrier | undefined {
  if (!isSimple(call)) return undefined;
  const bytes = around.bytes(4, 16);
  if (!bytes) return undefined;
  const [arrived, round, count, shared, left] = [0, 4, 8, 12, 16].map(at => bytes.readUInt32LE(at));
  if (arrived === undefined || round === undefined || count === undefined || left === undefined) return undefined;
  if (round !== call.value || count < 2 || count > mostWaiters || round % count !== 0 || shared !== (isPrivate(call) ? 0 : sharedMark)) return undefined;
  const waiting = arrived - round;
  return waiting >= 1 && waiting < count && left <= round ? { count, waiting, shared: shared === sharedMark } : undefined;
}

/** pthread_once_t while its routine runs: 1, and the number of forks above (nptl/pthread_once.c). */
export function isOnce(call: FutexCall): boolean {
  return isSimple(call) && isPrivate(call) && (call.value & 3) === 1;
}

/** The guard of a static variable that another thread initialises: begun (byte 1), somebody waits (byte 2) (libstdc++ guard.cc, Itanium C++ ABI). */
export function isStaticGuard(call: FutexCall): boolean {
  return isSimple(call) && !isPrivate(call) && call.value === 0x10100;
}

/** _IO_lock_t of a FILE: lock, cnt, owner. The owner is a pthread_t: the address of the thread's descriptor. */
export function decodeFileLock(around: Around, call: FutexCall): bigint | undefined {
  if (!isSimple(call) || !isPrivate(call) || call.value !== 2) return undefined;
  const bytes = around.bytes(0, 16);
  if (bytes?.readUInt32LE(0) !== 2) return undefined;
  const [count, owner] = [bytes.readInt32LE(4), bytes.readBigUInt64LE(8)];
  return count >= 1 && owner !== 0n && owner % 16n === 0n ? owner : undefined;
}

/** Code before the program counter that is the end of glibc's syscall(2) function on x86_64 (mov 8(%rsp),%r9; syscall): not one of its own locks, but somebody else's. */
export function isSyscallFunction(code: Buffer): boolean {
  return code.length === 7 && code.equals(syscallFunctionEnd);
}
const syscallFunctionEnd = Buffer.from('4c8b4c24080f05', 'hex');
