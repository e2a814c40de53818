// Where the resources of a process are read once its first thread has ended (pthread_exit(3) in main): /proc/PID is a zombie's then,
// without descriptors, mappings and namespaces, while the other threads go on with all of them. A thread has a directory of its own
// in /proc, although it is not listed there, with everything that a process's has (fs/proc/base.c, proc_pid_lookup).
import { numericEntries, parseStat, readText } from './procfs';
import type { ProcStat } from './procfs';

/** By PID: a thread of it that lives, as the last scan found it. */
const standIns = new Map<number, number>();

/** The number below /proc, and for system calls that take a thread, that leads to the resources of a process: nearly always its own. */
export function standInFor(pid: number): number {
  return standIns.size === 0 ? pid : standIns.get(pid) ?? pid;
}

/** The directory below /proc in which the resources of a process are. */
export function resourcesOf(pid: number): string {
  return `/proc/${standInFor(pid)}`;
}

/** Looks for a living thread of a process whose first thread is a zombie, and remembers it; undefined where none lives: the process has ended. */
export function findStandIn(pid: number): ProcStat | undefined {
  standIns.delete(pid);
  for (const tid of numericEntries(`/proc/${pid}/task`).value ?? []) {
    if (tid === pid) continue;
    const stat = readText(`/proc/${pid}/task/${tid}/stat`);
    const thread = stat.value === undefined ? undefined : parseStat(stat.value);
    if (!thread || thread.state === 'Z' || thread.state === 'X') continue;
    standIns.set(pid, tid);
    return thread;
  }
  return undefined;
}

/** The first thread lives, or the process has gone: its own number leads to all there is. */
export function noStandIn(pid: number): void {
  if (standIns.size > 0) standIns.delete(pid);
}
