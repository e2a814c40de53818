// Which processes share one address space (CLONE_VM without CLONE_THREAD: vfork, some sandboxes and run-times). kcmp(2).
import { syscall } from './libc';
import { standInFor } from './standIns';

/** KCMP_VM (include/uapi/linux/kcmp.h). */
const KCMP_VM = 1;

/** Compares the address spaces of two processes: 0 the same, -1 and 1 a total order, or the errno (ESRCH, EPERM, ENOSYS). */
export function compareAddressSpaces(a: number, b: number): -1 | 0 | 1 | string {
  const { value, errno } = syscall('kcmp', standInFor(a), standInFor(b), KCMP_VM, 0, 0);
  if (value === 0) return 0;
  if (value === 1) return -1;
  // 3: unequal and not ordered, which no kernel answers for memory.
  return value === -1 ? errno : 1;
}
