// The list of robust mutexes that a thread holds, whose head every glibc thread registers (set_robust_list(2)). The head lies
// in the thread's descriptor, 16 bytes behind its TID: the proof that it is a thread of glibc, and where its descriptor is.
import type { ProcessMemory } from './processMemory';
import type { Result } from './procfs';
import { syscall } from './libc';

/** Address of a thread's list head; 0 when it registered none. Needs the right to read the process. */
export function robustListHead(tid: number): Result<bigint> {
  const head = Buffer.alloc(8);
  const length = Buffer.alloc(8);
  const { value, errno } = syscall('get_robust_list', tid, head, length);
  return value === -1 ? { errno } : { value: length.readBigUInt64LE(0) === headBytes ? head.readBigUInt64LE(0) : 0n };
}

/** sizeof(struct robust_list_head): next, futex_offset, list_op_pending. */
const headBytes = 24n;
/** Nobody holds more; the kernel itself follows 2048 (ROBUST_LIST_LIMIT). */
const mostHeld = 256;

/** Addresses of the futex words of the robust mutexes a thread holds, newest first. Whatever does not look like such a list ends it. */
export function heldRobustMutexes(memory: ProcessMemory, head: bigint): bigint[] {
  const bytes = memory.read(head, Number(headBytes), head).value;
  if (!bytes) return [];
  const offset = bytes.readBigInt64LE(8);
  const held: bigint[] = [];
  // Bit 0 of a link says that the mutex inherits priority.
  for (let entry = bytes.readBigUInt64LE(0) & ~1n; entry !== head && entry !== 0n && held.length < mostHeld;) {
    const word = entry + offset;
    if (word < 4096n || word >= 1n << 47n) break;
    held.push(word);
    const next = memory.read(entry, 8).value;
    if (!next) break;
    entry = next.readBigUInt64LE(0) & ~1n;
  }
  return held;
}
