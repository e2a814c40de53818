// What a futex word may be part of: glibc's pthread_mutex_t, decoded from bytes. Pure. Little-endian, LP64.
// Sources: glibc sysdeps/nptl/bits/struct_mutex.h, nptl/pthreadP.h; linux/futex.h.

/** FUTEX_* commands and flags (linux/futex.h). */
export const FUTEX_WAIT = 0;
export const FUTEX_LOCK_PI = 6;
export const FUTEX_WAIT_BITSET = 9;
export const FUTEX_LOCK_PI2 = 13;
export const FUTEX_PRIVATE_FLAG = 0x80;
export const FUTEX_CLOCK_REALTIME = 0x100;
export const FUTEX_WAITERS = 0x80000000;
export const FUTEX_OWNER_DIED = 0x40000000;
export const FUTEX_TID_MASK = 0x3fffffff;

/** PID_MAX_LIMIT: no TID is larger. */
const maxTid = 0x400000;

/** sizeof(pthread_mutex_t) on x86_64; aarch64 has 8 bytes more that say nothing. */
export const mutexBytes = 40;

/** __kind (nptl/pthreadP.h). */
const kindType = 3;
const kindRobust = 0x10;
const kindPriorityInherit = 0x20;
const kindPriorityProtect = 0x40;
const kindShared = 0x80;
const kindLegal = 0x3ff;

const mutexTypes = ['normal', 'recursive', 'errorcheck', 'adaptive'] as const;

export interface GlibcMutex {
  readonly type: typeof mutexTypes[number];
  readonly robust: boolean;
  readonly pi: boolean;
  readonly shared: boolean;
  /** TID in the owner's PID namespace. */
  readonly owner: number;
  /**
   * Nothing is odd about it: one user, empty list pointers. Asked for before its owner is called dead, because then the owner
   * does not vouch for the bytes being a mutex.
   */
  readonly pristine: boolean;
}

/** A thread's futex call, its arguments masked to 32 bits. */
export interface FutexCall { readonly operation: number; readonly value: number; readonly timed: boolean }

export const futexCommand = (operation: number): number => operation & 0x7f;
export const isPriorityInheriting = (operation: number): boolean => futexCommand(operation) === FUTEX_LOCK_PI || futexCommand(operation) === FUTEX_LOCK_PI2;

/**
 * Bytes at a futex word as a locked glibc mutex on which `call` makes sense; undefined when any of the conditions fails. The
 * caller still has to prove that the owner is a thread of a process that maps the word.
 */
export function decodeGlibcMutex(bytes: Buffer, call: FutexCall): GlibcMutex | undefined {
  if (bytes.length < mutexBytes) return undefined;
  const word = bytes.readUInt32LE(0);
  const owner = bytes.readInt32LE(8);
  const count = bytes.readUInt32LE(4);
  const users = bytes.readUInt32LE(12);
  const kind = bytes.readUInt32LE(16);
  if ((kind & ~kindLegal) !== 0 || users < 1 || users > maxTid) return undefined;
  const command = futexCommand(call.operation);
  const [robust, pi, protect, shared] = [kindRobust, kindPriorityInherit, kindPriorityProtect, kindShared].map(bit => (kind & bit) !== 0);
  if (robust === undefined || pi === undefined || shared === undefined || (protect && (pi || robust))) return undefined;
  const type = mutexTypes[(kind & kindType) as 0 | 1 | 2 | 3];
  // __count counts the locks of a recursive mutex; robust and priority-inheriting ones of other types set it to 1 as well.
  if (type === 'recursive' ? count < 1 : count > (robust || pi ? 1 : 0)) return undefined;
  const pristine = users === 1 && (robust || bytes.subarray(24, mutexBytes).every(byte => byte === 0));
  const isPrivate = (call.operation & FUTEX_PRIVATE_FLAG) !== 0;
  const tid = word & FUTEX_TID_MASK;

  if (pi) {
    // The kernel writes the word: it is the truth about the owner. Robust ones always use the shared operation.
    if (!isPriorityInheriting(call.operation) || (word & FUTEX_OWNER_DIED) !== 0 || tid === 0 || tid >= maxTid) return undefined;
    if (isPrivate === (shared || robust)) return undefined;
    return { type, robust, pi, shared, owner: tid, pristine };
  }
  // glibc waits without a limit by FUTEX_WAIT and with one by FUTEX_WAIT_BITSET; Rust's mutex, also 2 when contended, always by the latter.
  if (command !== (call.timed ? FUTEX_WAIT_BITSET : FUTEX_WAIT) || word !== call.value) return undefined;
  if (robust) {
    if (isPrivate || word !== ((tid | FUTEX_WAITERS) >>> 0) || tid === 0 || tid >= maxTid) return undefined;
    // __owner is written after the word is won; when it tells another TID, the lock is changing hands.
    return owner === tid ? { type, robust, pi, shared, owner, pristine } : undefined;
  }
  // 2: locked with waiters. Priority-protected mutexes keep the ceiling in the upper 13 bits.
  if ((protect ? word & 0x7ffff : word) !== 2 || isPrivate === shared || owner <= 0 || owner >= maxTid) return undefined;
  return { type, robust, pi, shared, owner, pristine };
}

/** A robust mutex that its owner's list names, waited for or not, from its first 20 bytes; undefined when they do not say so. */
export function decodeHeldRobust(bytes: Buffer): { readonly type: GlibcMutex['type']; readonly owner: number; readonly pi: boolean } | undefined {
  if (bytes.length < 20) return undefined;
  const owner = bytes.readUInt32LE(0) & FUTEX_TID_MASK;
  const kind = bytes.readUInt32LE(16);
  if ((kind & ~kindLegal) !== 0 || (kind & kindRobust) === 0 || owner === 0 || owner >= maxTid || bytes.readInt32LE(8) !== owner) return undefined;
  return { type: mutexTypes[(kind & kindType) as 0 | 1 | 2 | 3], owner, pi: (kind & kindPriorityInherit) !== 0 };
}

/** The TID in a PI futex word; undefined when nobody owns it or its owner died. */
export function priorityInheritingOwner(word: number): number | undefined {
  const tid = word & FUTEX_TID_MASK;
  return (word & FUTEX_OWNER_DIED) !== 0 || tid === 0 || tid >= maxTid ? undefined : tid;
}

/** The number of a system call that was interrupted by a stop and restarted, from the code before the program counter (x86_64: mov $N,%eax; syscall). */
export function restartedCall(code: Buffer): number | undefined {
  return code.length === 7 && code[0] === 0xb8 && code[5] === 0x0f && code[6] === 0x05 ? code.readUInt32LE(1) : undefined;
}

/** Whether the two bytes before the program counter are x86-64's `syscall`, not i386's `int $0x80` (whose numbers mean other calls). */
export function isNativeCall(code: Buffer): boolean {
  return code.length === 2 && code[0] === 0x0f && code[1] === 0x05;
}
