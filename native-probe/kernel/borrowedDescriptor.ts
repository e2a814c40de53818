// Borrowing another process's descriptor for some microseconds (pidfd_getfd(2)). It is not free: while it is held, end of
// file and EPIPE are delayed, flock and OFD locks outlive their owner, a closed descriptor still fires in epoll. So: one
// synchronous piece of work, closed in `finally`, and never in the pass of a snapshot.
import { closeSync } from 'node:fs';
import { syscall } from './libc';
import type { SyscallResult } from './libc';
import type { Result } from './procfs';
import { errnoOf, readLink } from './procfs';
import { standInFor } from './standIns';

/** PIDFD_THREAD (O_EXCL; since Linux 6.9): a thread's own, not its process's. */
const PIDFD_THREAD = 0o200;

function openPidfd(pid: number): SyscallResult {
  const number = standInFor(pid);
  return syscall('pidfd_open', number, number === pid ? 0 : PIDFD_THREAD);
}

/** Runs `work` with a copy of a descriptor. ESTALE when the number means something else by now. Needs ptrace attach rights (EPERM under Yama). */
export function withBorrowedDescriptor<T>(pid: number, fd: number, target: string, work: (fd: number) => T): Result<T> {
  const pidfd = openPidfd(pid);
  if (pidfd.value === -1) return { errno: pidfd.errno };
  let borrowed = -1;
  try {
    const got = syscall('pidfd_getfd', pidfd.value, fd, 0);
    if (got.value === -1) return { errno: got.errno };
    borrowed = got.value;
    if (readLink(`/proc/self/fd/${borrowed}`).value !== target) return { errno: 'ESTALE' };
    return { value: work(borrowed) };
  } catch (error) {
    return { errno: errnoOf(error) };
  } finally {
    if (borrowed !== -1) closeSync(borrowed);
    closeSync(pidfd.value);
  }
}
