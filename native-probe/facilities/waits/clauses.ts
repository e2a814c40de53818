// From wakers to the clause of a wait: what interrupts the call, and what no descriptor table shows, is added here once for all calls.
import type { Alternative, Clause, ThreadRef } from '../../model';
import { readText } from '../../kernel/procfs';
import { signalName } from '../../kernel/signals';
import { syscallName } from '../../kernel/syscalls';
import type { ScannedProcess } from '../../processes';
import type { BlockedCall } from './reader';
import type { WaitScene } from './scene';
import type { Wakers } from './wakers';

type Blocked = Pick<BlockedCall, 'scene' | 'process' | 'thread'>;

/** More alternatives than this are joined: a reader of 100,000 of them learns nothing more. */
const mostAlternatives = 200;

/**
 * One clause: any of the wakers, or a signal that ends the call with EINTR. `by`: what shows the wakers, namely descriptors, descriptors of
 * what is locked (whoever has one can unlock it), or neither.
 */
export function clauseOf(blocked: Blocked, operation: string, wakers: Wakers, by: 'descriptors' | 'locks' | 'neither' = 'descriptors'): Clause {
  const { scene } = blocked;
  const signals = interruptions(blocked, operation, wakers);
  const handlers = handlersOf(blocked, operation, wakers);
  const alternatives = joined([...wakers.alternatives, ...signals.alternatives, ...handlers.alternatives]);
  const gaps = [...new Set([...wakers.gaps, ...signals.gaps, ...handlers.gaps, ...by === 'neither' ? [] : scene.doubts.copies, ...by === 'descriptors' ? scene.doubts.rings : []])];
  // Nobody in sight is no proof that there is nobody.
  const external = wakers.external ?? (alternatives.length === 0 && gaps.length === 0 ? 'nobody is seen who could end it' : undefined);
  return { alternatives, ...(external === undefined ? {} : { external }), ...(gaps.length > 0 ? { gaps } : {}) };
}

function joined(alternatives: readonly Alternative[]): readonly Alternative[] {
  if (alternatives.length <= mostAlternatives) return alternatives;
  const threads = new Map(alternatives.flatMap(alternative => alternative.threads).map(thread => [`${thread.pid}/${thread.tid ?? ''}`, thread]));
  return [{ event: `one of ${alternatives.length} events`, threads: [...threads.values()] }];
}

const SIGALRM = 14, SIGCHLD = 17, SIGIO = 29;
/** Signals that the kernel sends, at a time nobody can see. */
const untimely: readonly number[] = [SIGALRM, SIGIO];
/** Handlers that only the thread's own doing calls (faults), and those of glibc's own (32, 33: never sent in a deadlock). */
const ownDoing = new Set([4, 5, 6, 7, 8, 11, 13, 31, 32, 33]);

/**
 * Handlers that end a call with EINTR. SIGALRM, SIGIO and timers come from the kernel, at a time nobody can see: a gap. SIGCHLD comes from
 * the children: they are alternatives. Other signals are taken not to come; but where a process waits only for itself (a self-pipe),
 * its handlers are what it waits for.
 */
function interruptions({ scene, process, thread }: Blocked, operation: string, wakers: Wakers): { alternatives: Alternative[]; gaps: string[] } {
  const caught = scene.status(process.pid, thread.tid)?.caughtSignals ?? 0n;
  if (caught === 0n) return { alternatives: [], gaps: [] };
  const has = (signal: number): boolean => (caught & (1n << BigInt(signal - 1))) !== 0n;
  const gap = (field: string, reason: string): string => scene.context.gaps.add({ pid: process.pid, facility: 'waits', field: `${field},${operation}` }, `pid ${process.pid} (${process.comm}) ${reason}: the signal may end its ${operation} with EINTR`);
  const alternatives: Alternative[] = [];
  const gaps: string[] = [];
  const unforeseen = untimely.filter(has);
  if (unforeseen.length > 0) gaps.push(gap('signals', `catches ${unforeseen.map(signalName).join(', ')}`));
  if (hasTimer(scene, process.pid)) gaps.push(gap('timers', 'has a timer that sends a signal'));
  const children = has(SIGCHLD) ? livingChildren(scene, process) : [];
  if (children.length > 0) alternatives.push({ event: 'SIGCHLD', threads: children });
  const selfish = wakers.external === undefined && wakers.alternatives.every(each => each.threads.every(({ pid }) => pid === process.pid));
  if (selfish) {
    const others = Array.from({ length: 64 }, (_, index) => index + 1).filter(signal => has(signal) && !ownDoing.has(signal) && !untimely.includes(signal));
    if (others.length > 0) gaps.push(gap('handlers', `waits for itself alone and catches ${others.map(signalName).join(', ')}`));
  }
  return { alternatives, gaps };
}

/** Calls that a handler interrupts and does not end: no wait of theirs tells of it. */
const restarted: ReadonlySet<string | undefined> = new Set(['futex', 'futex_waitv', 'restart_syscall']);

/**
 * Wakers that are blocked in futex(2), and may be signalled at a time nobody can see: their handler runs all the same, and may write, close,
 * unlock or end the process (signal-safety(7)). As above, a child that can end is somebody who can act, the kernel is a gap. Of a process
 * any of whose threads would do, one in another call tells of its handlers by its own wait.
 */
function handlersOf({ scene, process }: Blocked, operation: string, { alternatives, external }: Wakers): { alternatives: Alternative[]; gaps: string[] } {
  const found: { alternatives: Alternative[]; gaps: string[] } = { alternatives: [], gaps: [] };
  if (external !== undefined) return found;
  const inFutex = new Set(alternatives.flatMap(({ threads }) => threads).filter(({ pid, tid }) => {
    const those = scene.threads(pid).filter(thread => tid === undefined || thread.tid === tid);
    return those.length > 0 && those.every(({ syscall }) => syscall !== undefined && restarted.has(syscallName(syscall.number)));
  }).map(({ pid }) => pid));
  for (const pid of inFutex) {
    const waker = scene.byPid.get(pid);
    if (!waker || pid === process.pid) continue;
    const caught = scene.status(pid, pid)?.caughtSignals ?? 0n;
    if (caught === 0n) continue;
    const has = (signal: number): boolean => (caught & (1n << BigInt(signal - 1))) !== 0n;
    const names = untimely.filter(has).map(signalName);
    const why = names.length > 0 ? `catches ${names.join(', ')}` : hasTimer(scene, pid) ? 'has a timer that sends a signal' : undefined;
    if (why !== undefined) found.gaps.push(scene.context.gaps.add({ pid, facility: 'waits', field: `handlers,${operation}` }, `pid ${pid} (${waker.comm}) ${why}: whatever it waits for, its handler may do what another's ${operation} waits for`));
    const children = has(SIGCHLD) ? livingChildren(scene, waker) : [];
    if (children.length > 0) found.alternatives.push({ event: `SIGCHLD to pid ${pid}`, threads: children });
  }
  return found;
}

/** A dead one has sent its SIGCHLD already. */
const livingChildren = (scene: WaitScene, process: ScannedProcess): ThreadRef[] => childrenOf(scene, process).filter(({ pid }) => scene.threads(pid).length > 0).map(({ pid }) => ({ pid }));

/** timer_create(2) with a signal, as /proc/PID/timers shows it (CONFIG_CHECKPOINT_RESTORE). */
function hasTimer(scene: WaitScene, pid: number): boolean {
  const known = scene.timers.get(pid) ?? /^notify: (?:signal|thread)\//m.test(readText(`/proc/${pid}/timers`).value ?? '');
  scene.timers.set(pid, known);
  return known;
}

/** The children of all its threads that are still there, zombies too. */
export function childrenOf(scene: WaitScene, { pid }: Pick<ScannedProcess, 'pid'>): readonly ScannedProcess[] {
  return scene.children.get(pid) ?? [];
}
