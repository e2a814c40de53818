// What a futex word may be part of in musl: mutexes, semaphores and threads, decoded from bytes. Pure. Little-endian, LP64.
// Its private condition variables and barriers wait on a word of the stack that names nothing.
// Sources: musl 1.2 src/thread/pthread_mutex_timedlock.c, sem_timedwait.c, pthread_join.c, src/internal/pthread_impl.h.
import type { FutexCall } from './futexLayouts';
import { FUTEX_PRIVATE_FLAG, FUTEX_TID_MASK, FUTEX_WAIT, FUTEX_WAITERS, futexCommand } from './futexLayouts';
import type { Around } from './glibcSync';

const maxTid = 0x400000;
const isPrivate = ({ operation }: FutexCall): boolean => (operation & FUTEX_PRIVATE_FLAG) !== 0;
/** musl passes a relative limit, and never a bit set. */
const isWait = ({ operation }: FutexCall): boolean => futexCommand(operation) === FUTEX_WAIT;

export interface MuslMutex { readonly type: 'normal' | 'recursive' | 'errorcheck'; readonly robust: boolean; readonly shared: boolean; /** null: a normal mutex keeps none. */ readonly owner: number | null; readonly waiters: number }
const types = ['normal', 'recursive', 'errorcheck'] as const;
/** A normal mutex is locked by EBUSY instead of a TID. */
const EBUSY = 16;

/** The mutex whose _m_lock (the second word) is waited on: _m_type, _m_lock, _m_waiters. */
export function decodeMuslMutex(around: Around, call: FutexCall): MuslMutex | undefined {
  if (!isWait(call) || (call.value & FUTEX_WAITERS) === 0 || call.value === 0xffffffff) return undefined;
  const bytes = around.bytes(4, 8);
  if (!bytes) return undefined;
  const [kind, lock, waiters] = [bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readInt32LE(8)];
  // 4 robust, 8 priority-inheriting (which the kernel queues), 128 process-shared.
  if (lock !== call.value || (kind & ~0x87) !== 0 || waiters < 1 || waiters > maxTid || ((kind & 128) !== 0) === isPrivate(call)) return undefined;
  const type = types[kind & 3];
  const owner = lock & FUTEX_TID_MASK;
  if (type === undefined || owner === 0 || owner >= maxTid) return undefined;
  const robust = (kind & 4) !== 0;
  const anonymous = type === 'normal' && !robust;
  if (anonymous && owner !== EBUSY) return undefined;
  return { type, robust, shared: (kind & 128) !== 0, owner: anonymous ? null : owner, waiters };
}

/** sem_t: value, waiters, private. -1 (since 1.2.4: 0x80000000) means 0 with waiters. */
export function decodeMuslSemaphore(around: Around, call: FutexCall): { readonly waiters: number; readonly shared: boolean } | undefined {
  if (!isWait(call) || (call.value !== 0xffffffff && call.value !== 0x80000000)) return undefined;
  const bytes = around.bytes(0, 12);
  if (bytes?.readUInt32LE(0) !== call.value) return undefined;
  const waiters = bytes.readUInt32LE(4);
  // A read-write lock held for writing looks the same but for the third word, where it says whether it is shared.
  return waiters >= 1 && waiters < maxTid && bytes.readUInt32LE(8) === (isPrivate(call) ? 128 : 0) ? { waiters, shared: !isPrivate(call) } : undefined;
}

const joinable = 2, exiting = 1;
/** TID of the thread whose detach_state is waited on: the descriptor begins with its own address and has tid and detach_state at 48 and 56. */
export function decodeMuslJoin(around: Around, call: FutexCall, address: bigint): number | undefined {
  if (!isWait(call) || !isPrivate(call) || (call.value !== joinable && call.value !== exiting)) return undefined;
  const bytes = around.bytes(56, 4);
  if (bytes?.readBigUInt64LE(0) !== address - 56n) return undefined;
  const tid = bytes.readInt32LE(48);
  return tid > 0 && tid < maxTid ? tid : undefined;
}
