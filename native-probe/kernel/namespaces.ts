// Entering another IPC namespace for the length of some synchronous reads (setns(2)).
import { closeSync, openSync } from 'node:fs';
import { syscall } from './libc';
import type { Result } from './procfs';
import { errnoOf } from './procfs';

const CLONE_NEWIPC = 0x08000000;

/**
 * Runs `work` in the IPC namespace of a process. `work` must be synchronous: libuv's threads stay outside, and nothing
 * else may run in between. Needs CAP_SYS_ADMIN there and here.
 */
export function inIpcNamespaceOf<T>(pid: number, work: () => T): Result<T> {
  let own: number | undefined, other: number | undefined;
  try {
    own = openSync('/proc/thread-self/ns/ipc', 'r');
    other = openSync(`/proc/${pid}/ns/ipc`, 'r');
    const entered = syscall('setns', other, CLONE_NEWIPC);
    if (entered.value === -1) return { errno: entered.errno };
    try {
      return { value: work() };
    } finally {
      const back = syscall('setns', own, CLONE_NEWIPC);
      // Everything read after this would be another namespace's: better no probe than one that lies.
      if (back.value === -1) { process.stderr.write(`cannot return to the own IPC namespace: ${back.errno}\n`); process.exit(70); }
    }
  } catch (error) {
    return { errno: errnoOf(error) };
  } finally {
    if (own !== undefined) closeSync(own);
    if (other !== undefined) closeSync(other);
  }
}
