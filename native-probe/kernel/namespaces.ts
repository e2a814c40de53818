// Entering another IPC, network or UTS namespace for the length of some synchronous work (setns(2)).
import { closeSync, fstatSync, openSync } from 'node:fs';
import { hostname } from 'node:os';
import { syscall } from './libc';
import type { Result } from './procfs';
import { displayText } from './text';
import { errnoOf, isGone, numericEntries, readLink } from './procfs';
import { resourcesOf } from './standIns';

/** Their names in /proc/PID/ns, what setns(2) calls them, and how people do. */
const kinds = { ipc: { flag: 0x08000000, words: 'IPC' }, net: { flag: 0x40000000, words: 'network' }, uts: { flag: 0x04000000, words: 'UTS' } } as const;

/**
 * Runs `work` in a namespace of a process. `work` must be synchronous: libuv's threads stay outside, and nothing
 * else may run in between. Needs CAP_SYS_ADMIN there and here. While inside, the namespace cannot vanish: we are in it.
 * `expected`: its number; ESRCH when the process is in another one by now, or its PID is another process.
 */
function inNamespaceOf<T>(kind: keyof typeof kinds, pid: number, work: () => T, expected?: string): Result<T> {
  const { flag, words } = kinds[kind];
  let own: number | undefined, other: number | undefined;
  try {
    own = openSync(`/proc/thread-self/ns/${kind}`, 'r');
    other = openSync(`${resourcesOf(pid)}/ns/${kind}`, 'r');
    if (expected !== undefined && String(fstatSync(other).ino) !== expected) return { errno: 'ESRCH' };
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
export function inIpcNamespaceOf<T>(pid: number, work: () => T, expected?: string): Result<T> {
  return inNamespaceOf('ipc', pid, work, expected);
}

/** Runs synchronous `work` in the network namespace of a process: enough to make a netlink socket, which then stays there. */
export function inNetNamespaceOf<T>(pid: number, work: () => T): Result<T> {
  return inNamespaceOf('net', pid, work);
}

/** The host name that a process sees, where it lives in another UTS namespace and that has another name; undefined too where it may not be entered. */
export function foreignHostname(pid: number): string | undefined {
  const [own, its] = ['/proc/thread-self', resourcesOf(pid)].map(directory => readLink(`${directory}/ns/uts`).value);
  if (its === undefined || its === own) return undefined;
  const name = inNamespaceOf('uts', pid, hostname).value;
  return name === undefined || name === '' || name === hostname() ? undefined : displayText(Buffer.from(name));
}

/**
 * Runs synchronous `work` in an IPC namespace by way of any of some processes that were in it. ESRCH when none of them is
 * any more: then the namespace has most likely gone with them.
 */
export function inIpcNamespace<T>(namespace: string, pids: Iterable<number>, work: () => T): Result<T> {
  let refused: Result<T> | undefined;
  for (const pid of pids) {
    const entered = inIpcNamespaceOf(pid, work, namespace);
    if (entered.errno === undefined) return entered;
    if (!isGone(entered.errno)) refused ??= entered;
  }
  return refused ?? { errno: 'ESRCH' };
}

/** Processes that are in an IPC namespace now. */
export function* inhabitantsOf(namespace: string): Generator<number> {
  for (const pid of numericEntries('/proc').value ?? []) if (readLink(`${resourcesOf(pid)}/ns/ipc`).value === `ipc:[${namespace}]`) yield pid;
}

/** Runs synchronous `work` in the IPC namespace of that number: directly when it is the own one, else by entering it. */
export function inIpcNamespaceNumbered<T>(namespace: string, work: () => T): Result<T> {
  if (readLink('/proc/thread-self/ns/ipc').value === `ipc:[${namespace}]`) return { value: work() };
  return inIpcNamespace(namespace, inhabitantsOf(namespace), work);
}
