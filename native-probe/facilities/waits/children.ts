// The readers of waitpid(2), waitid(2) and vfork(2): blocked until a child, or a thread that is traced, changes its state.
import type { Alternative } from '../../model';
import { syscall } from '../../kernel/libc';
import { isGone, processOfThread, readText } from '../../kernel/procfs';
import type { ScannedProcess } from '../../processes';
import { childrenOf, clauseOf } from './clauses';
import type { BlockedCall, WaitReader, WaitReading } from './reader';
import { intArgument } from './reader';
import type { Wakers } from './wakers';
import { outside } from './wakers';

const __WALL = 0x40000000;
const P_ALL = 0, P_PID = 1, P_PGID = 2, P_PIDFD = 3;

/** wait4(2), by which libc makes wait, waitpid and wait3. */
export const readWait4: WaitReader = blocked => {
  const pid = intArgument(blocked.call, 0) | 0;
  const options = intArgument(blocked.call, 2);
  return pid > 0 ? answer(blocked, 'waitpid', `child ${pid}`, options, child => child.ownPid === pid)
    : pid === -1 ? answer(blocked, 'waitpid', 'any child', options, () => true)
      : answer(blocked, 'waitpid', `children of process group ${pid === 0 ? 'its own' : -pid}`, options, undefined);
};

export const readWaitid: WaitReader = blocked => {
  const { scene, process, thread, call } = blocked;
  const [type, id, options] = [intArgument(call, 0), intArgument(call, 1) | 0, intArgument(call, 3)];
  switch (type) {
    case P_ALL: return answer(blocked, 'waitid', 'any child', options, () => true);
    case P_PID: return answer(blocked, 'waitid', `child ${id}`, options, child => child.ownPid === id);
    case P_PGID: return answer(blocked, 'waitid', `children of process group ${id}`, options, undefined);
    case P_PIDFD: {
      const handle = scene.ends.ofThread(process, thread.tid, id);
      const object = handle && scene.ends.objects.get(handle.objectId);
      return object?.kind === 'pidfd' ? answer(blocked, 'waitid', `the child of pidfd ${id}`, options, child => child.process.pid === object.state.pid) : undefined;
    }
    default: return undefined;
  }
};

/** `ownPid`: as its parent's PID namespace numbers it. */
interface Waitable { readonly process: ScannedProcess; readonly ownPid: number | undefined }

/** `chosen`: which children are waited for; undefined for a process group, where all of them are taken. */
function answer(blocked: BlockedCall, operation: string, what: string, options: number, chosen: ((child: Waitable) => boolean) | undefined): WaitReading {
  const { scene, process, thread } = blocked;
  const level = process.nsPids?.length ?? 1;
  const waitable = [...childrenOf(scene, process), ...[...scene.byPid.values()].filter(each => each.tracerPid === process.pid && each.ppid !== process.pid)]
    .map((child): Waitable => ({ process: child, ownPid: level === 1 ? child.pid : child.nsPids?.[level - 1] }));
  const children = chosen ? waitable.filter(chosen) : waitable;
  const evidence = [`thread ${thread.tid} is in ${operation} for ${what}`, ...children.slice(0, 8).map(({ process: { pid, comm, tracerPid } }) => `pid ${pid} (${comm}) is its ${tracerPid === process.pid ? 'tracee' : 'child'}`)];
  return { operation, evidence, clauses: [clauseOf(blocked, operation, wakersAmong(blocked, options, children, chosen === undefined), 'neither')] };
}

function wakersAmong({ scene, process }: BlockedCall, options: number, children: readonly Waitable[], byGroup: boolean): Wakers {
  // With tracees that are single threads of other processes nobody else sees their tracer.
  if (children.length === 0) return outside((options & __WALL) !== 0 ? 'a thread that it traces' : 'a child that is not seen');
  const alternatives: Alternative[] = children.map(({ process: { pid } }) => ({ event: 'a change of state', threads: [{ pid }] }));
  // Another thread may make a child, or (by group) one may change to that group.
  if (scene.threads(process.pid).length > 1) alternatives.push({ event: 'another child', threads: [{ pid: process.pid }] });
  // Whoever dies leaves its children to a subreaper (prctl(2)): only a child out of the group could do so unseen.
  return byGroup && children.some(child => scene.threads(child.process.pid).length === 0) ? { alternatives, external: 'a child of another process group', gaps: [] } : { alternatives, gaps: [] };
}

const CLONE_VFORK = 0x4000n;
const KCMP_VM = 1;

/** vfork(2), and clone(2) and clone3(2) as posix_spawn(3) makes them: until the child executes a program or ends. */
export const readVfork = (name: 'vfork' | 'clone' | 'clone3'): WaitReader => blocked => {
  const { scene, process, thread, call } = blocked;
  const first = call.arguments[0] ?? 0n;
  const flags = name === 'vfork' ? CLONE_VFORK : name === 'clone' ? first : scene.memory(process.pid).read(first, 8).value?.readBigUInt64LE(0) ?? 0n;
  if ((flags & CLONE_VFORK) === 0n) return undefined;
  const children = childrenOf(scene, process).filter(child => sharesMemory(process.pid, child.pid));
  if (children.length === 0) return undefined;
  const wakers: Wakers = { alternatives: children.map(({ pid }) => ({ event: 'execve or the end', threads: [{ pid }] })), gaps: [] };
  const operation = name === 'vfork' ? 'vfork' : 'posix_spawn';
  return {
    operation, evidence: [`thread ${thread.tid} is in ${name} with CLONE_VFORK`, ...children.slice(0, 8).map(({ pid, comm }) => `pid ${pid} (${comm}) still shares its memory`)],
    // Not interruptible but by a signal that kills.
    clauses: [wakers.alternatives.length > 0 ? { alternatives: wakers.alternatives } : { alternatives: [], external: 'a child that is not seen' }],
  };
};

/** A vfork child runs in its parent's memory. Where the kernel does not say, it may. */
function sharesMemory(parent: number, child: number): boolean {
  const { value, errno } = syscall('kcmp', parent, child, KCMP_VM, 0, 0);
  return value === 0 || (value < 0 && !isGone(errno));
}

/** A tracee that is stopped waits for its tracer to continue it (ptrace(2)). */
export function tracerOf(pid: number, tid: number): number | undefined {
  const tracer = /^TracerPid:\t(\d+)$/m.exec(readText(`/proc/${pid}/task/${tid}/status`).value ?? '')?.[1];
  return tracer === undefined || tracer === '0' ? undefined : processOfThread(Number(tracer));
}
