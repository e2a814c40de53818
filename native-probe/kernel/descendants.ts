// The children of processes (/proc/PID/task/TID/children, CONFIG_PROC_CHILDREN), and the orphans among our own descendants:
// a child subreaper (prctl(2)) becomes their parent, so that nobody of a run gets out of sight by a double fork.
import { syscall } from './libc';
import { numericEntries, readText } from './procfs';

const PR_SET_CHILD_SUBREAPER = 36, WNOHANG = 1;

/** From now on orphaned descendants become our children. Per process, not inherited by what we start. Errno when refused. */
export function becomeSubreaper(): string | undefined {
  const { value, errno } = syscall('prctl', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  return value === -1 ? errno : undefined;
}

/** The children of all threads of a process; none when it is gone. Undefined where the kernel does not tell. */
export function childrenOf(pid: number): number[] | undefined {
  const children: number[] = [];
  for (const tid of numericEntries(`/proc/${pid}/task`).value ?? []) {
    const text = readText(`/proc/${pid}/task/${tid}/children`);
    if (text.value === undefined && text.errno === 'ENOENT' && readText(`/proc/${pid}/task/${tid}/stat`).value !== undefined) return undefined;
    for (const word of (text.value ?? '').split(' ')) if (word !== '') children.push(Number(word));
  }
  return children;
}

/** Takes note of the end of one of our own children, so that no zombie stays; whether it had ended. */
export function reap(pid: number): boolean {
  const status = Buffer.alloc(4);
  return syscall('wait4', pid, status, WNOHANG, 0).value === pid;
}
