// Entering another IPC or network namespace for the length of some synchronous work (setns(2)).
import { closeSync, openSync } from 'node:fs';
import { syscall } from './libc';
import type { Result } from './procfs';
import { errnoOf } from './procfs';

/** Their names in /proc/PID/ns, what setns(2) calls them, and how people do. */
const kinds = { ipc: { flag: 0x08000000, words: 'IPC' }, net: { flag: 0x40000000, words: 'network' } } as const;

/**
 * Runs `work` in a namespace of a process. `work` must be synchronous: libuv's threads stay outside, and nothing
 * else may run in between. Needs CAP_SYS_ADMIN there and here.
 */
function inNamespaceOf<T>(kind: keyof typeof kinds, pid: number, work: () => T): Result<T> {
  const { flag, words } = kinds[kind];
  let own: number | undefined, other: number | undefined;
  try {
    own = openSync(`/proc/thread-self/ns/${kind}`, 'r');
    other = openSync(`/proc/${pid}/ns/${kind}`, 'r');
    const entered = syscall('setns', other, flag);
    if (entered.value === -1) return { errno: entered.errno };
    try {
      return { value: work() };
    } finally {
      const back = syscall('setns', own, flag);
      // Everything read after this would be another namespace's: better no probe than one that lies.
      if (back.value === -1) { process.stderr.write(`cannot return to the own ${words} namespace: ${back.errno}\n`); process.exit(70); }
    }
  } catch (error) {
    return { errno: errnoOf(error) };
  } finally {
    if (own !== undefined) closeSync(own);
    if (other !== undefined) closeSync(other);
  }
}

/** Runs synchronous `work` in the IPC namespace of a process. */
export function inIpcNamespaceOf<T>(pid: number, work: () => T): Result<T> {
  return inNamespaceOf('ipc', pid, work);
}

/** Runs synchronous `work` in the network namespace of a process: enough to make a netlink socket, which then stays there. */
export function inNetNamespaceOf<T>(pid: number, work: () => T): Result<T> {
  return inNamespaceOf('net', pid, work);
}
