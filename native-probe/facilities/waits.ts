// Blocked threads, what they wait for, and what follows from it. Every thread in question is read once; what the findings rest
// on is read a second time before anything is said.
import type { ScanContext } from '../context';
import { asRoot } from '../gaps';
import { judge } from '../analysis/deadlocks';
import type { Judgement } from '../analysis/deadlocks';
import type { KernelLock } from '../kernel/fileLocks';
import { isNativeCall, restartedCall } from '../kernel/futexLayouts';
import type { SyscallName } from '../kernel/syscalls';
import { syscallName } from '../kernel/syscalls';
import type { SyscallLine, Thread } from '../kernel/threads';
import { readThreadStatus } from '../kernel/threads';
import type { Clause, Finding, Handle, IpcObject, Wait } from '../model';
import { toProcess } from '../processes';
import type { ScannedProcess } from '../processes';
import { accordingToDebugger } from '../told';
import { readFlock } from './waits/flock';
import { readFutex } from './waits/futex';
import { readFutexVector } from './waits/futexVector';
import { readLockFromList } from './waits/lockList';
import type { WaitReader } from './waits/reader';
import type { Found } from './waits/scene';
import { WaitScene } from './waits/scene';
import { callReaders } from './waits/calls';
import { not64Bit } from './waits/compat';
import { tracerOf } from './waits/children';
import { doubtsOfDescriptors, noDoubts } from './waits/doubts';
import { readFileLocks } from './fileLocks';

export interface Waiting { readonly objects: readonly IpcObject[]; readonly handles: readonly Handle[]; readonly waits: readonly Wait[]; readonly findings: readonly Finding[] }

/** The processes at one time, and what the facilities found of them. */
export interface Look { readonly context: ScanContext; readonly found: Found }
/** Reads all of it anew. */
export type LookAgain = () => Promise<Look>;

/** One row an operation. A call without a row is not understood: its thread is taken to be able to go on. */
const readers: ReadonlyMap<SyscallName, WaitReader> = new Map<SyscallName, WaitReader>([
  ['futex', readFutex],
  ['futex_waitv', readFutexVector],
  ['flock', readFlock],
  ...callReaders,
]);

/** Everything one pass found. */
interface Pass {
  readonly waits: readonly Wait[];
  /** By PID/TID, see witnessOf. */
  readonly witnesses: ReadonlyMap<string, string>;
  readonly threads: ReadonlyMap<number, readonly number[]>;
  /** Ids of the gaps that the second look may close. */
  readonly hiddenLimits: ReadonlySet<string>;
  readonly objects: readonly IpcObject[];
  readonly handles: readonly Handle[];
}

const keyOf = ({ pid, tid }: { pid: number; tid: number }): string => `${pid}/${tid}`;

/**
 * When asked for, waits and findings. With `pids`, only their threads, those that they wait for, directly or not, and of those who
 * share something with them the threads that wait for them.
 * A finding was seen twice: between its two readings no member ran, and the holders were the same.
 */
export async function collectWaits(context: ScanContext, options: { readonly pids?: readonly number[] | undefined; readonly waits?: boolean | undefined }, found: Found, lookAgain: LookAgain): Promise<Waiting> {
  if (!options.waits) return { objects: [], handles: [], waits: [], findings: [] };
  const first = await readPass({ context, found }, options.pids ?? context.processes.map(process => process.pid), false, options.pids !== undefined);
  const processes = context.processes.map(toProcess);
  let judgement = judge({ ...first, objects: [...found.objects, ...first.objects], processes });
  if (judgement.findings.length > 0) judgement = await confirmed({ context, found }, await lookAgain(), first, judgement);
  return { objects: first.objects, handles: first.handles, waits: judgement.waits, findings: judgement.findings };
}

/** Looks again at everybody who is said to be stuck, and judges anew without those who moved and with what changed. */
async function confirmed({ context, found }: Look, again: Look, first: Pass, said: Judgement): Promise<Judgement> {
  const concerned = said.findings.flatMap(finding => [...finding.threads, ...finding.chain]);
  const second = await readPass(again, [...new Set(concerned.map(thread => thread.pid))], true);
  const inQuestion = new Set(concerned.map(keyOf));
  const now = new Map(second.waits.map(wait => [keyOf(wait), wait]));
  // After everything of the second look: so that all of it lies within the time in which every member stood still.
  const standsStill = ({ pid, tid }: Wait): boolean => {
    const thread = context.told.readThread(pid, tid);
    return thread !== undefined && witnessOf(pid, thread) === first.witnesses.get(`${pid}/${tid}`);
  };
  const waits: Wait[] = [];
  for (const wait of first.waits) {
    const key = keyOf(wait);
    const again = now.get(key);
    if (!inQuestion.has(key)) waits.push(wait);
    else if (again && standsStill(wait)) {
      waits.push(sameReasons(wait, again) ? withGapsOf(wait, again, first.hiddenLimits) : { ...wait, clauses: again.clauses.map(clause => ({ ...clause, external: 'the holders changed while they were looked at' })) });
    }
    // Otherwise it ran in between: this wait is over.
  }
  // A thread that was seen once may act: only what both readings show as blocked is.
  const threads = new Map([...first.threads].map(([pid, tids]) => [pid, [...new Set([...tids, ...second.threads.get(pid) ?? []])]]));
  return judge({ waits, threads, processes: context.processes.map(toProcess), objects: [...found.objects, ...first.objects] });
}

function sameReasons(a: Wait, b: Wait): boolean {
  // The evidence names the owner, which a clause without anybody alive does not.
  return a.operation === b.operation && a.objectId === b.objectId && JSON.stringify([a.clauses.map(withoutGaps), a.evidence]) === JSON.stringify([b.clauses.map(withoutGaps), b.evidence]);
}

const withoutGaps = ({ gaps: _gaps, ...clause }: Clause): Clause => clause;

/** What either look left open is open, but for the time limits that only the second one asks for. */
function withGapsOf(a: Wait, b: Wait, hiddenLimits: ReadonlySet<string>): Wait {
  const asked = a.clauses.some(clause => clause.gaps?.some(gap => hiddenLimits.has(gap)));
  return {
    ...a, ...(asked && b.timeout !== undefined ? { timeout: b.timeout } : {}),
    clauses: a.clauses.map((clause, index) => {
      const { gaps: before = [], ...rest } = clause;
      const gaps = [...new Set([...before.filter(gap => !hiddenLimits.has(gap)), ...b.clauses[index]?.gaps ?? []])];
      return gaps.length > 0 ? { ...rest, gaps } : rest;
    }),
  };
}

/** One pass over the threads of some processes and, as they turn up, of those who could unblock them. */
async function readPass({ context, found }: Look, pids: readonly number[], again: boolean, focused = false): Promise<Pass> {
  const locks = await readFileLocks(context, { again });
  const scene = new WaitScene(context, locks, found, { again, doubts: again ? await doubtsOfDescriptors(context, found) : noDoubts });
  try {
    const waits: Wait[] = [];
    const witnesses = new Map<string, string>();
    const threads = new Map<number, readonly number[]>();
    const queue = [...pids];
    const queued = new Set(queue);
    const readProcess = async (pid: number, wanted: (wait: Wait) => boolean): Promise<void> => {
      const process = scene.byPid.get(pid);
      if (!process || process.kernelThread) return;
      const alive = await scene.loadThreads(process.pid);
      threads.set(process.pid, alive.map(thread => thread.tid));
      for (const thread of alive) {
        // Before the reasons are read: what is equal here and at the end stood still for all that was read in between.
        const witness = witnessOf(process.pid, thread);
        const wait = readWait(scene, process, thread);
        if (!wait || witnesses.has(keyOf(wait)) || !wanted(wait)) continue;
        waits.push(wait);
        witnesses.set(keyOf(wait), witness);
        for (const clause of wait.clauses) for (const alternative of clause.alternatives) for (const { pid } of alternative.threads) {
          if (!queued.has(pid)) { queued.add(pid); queue.push(pid); }
        }
        await context.pause();
      }
    };
    let at = 0;
    const readQueued = async (): Promise<void> => {
      for (; at < queue.length; at++) await readProcess(queue[at] ?? 0, () => true);
    };
    await readQueued();
    // Last, and only for who waits for the chosen: a thread of theirs that waits for something else is taken to be free.
    if (focused) {
      const chosen = new Set(pids);
      for (const pid of neighboursOf(chosen, found, locks.locks)) if (!queued.has(pid)) await readProcess(pid, wait => dependsOn(wait, chosen));
      await readQueued();
    }
    noteDenied(scene);
    return { waits, witnesses, threads, hiddenLimits: scene.hiddenLimits, ...scene.collected() };
  } finally {
    scene.close();
  }
}

/** Processes that have something the chosen have too, and all that wait for file locks: those who wait have no handle on a lock. */
function neighboursOf(chosen: ReadonlySet<number>, { handles }: Found, locks: readonly KernelLock[]): number[] {
  const shared = new Set<string>();
  for (const { pid, objectId } of handles) if (chosen.has(pid)) shared.add(objectId);
  const near = new Set<number>();
  for (const { pid, objectId } of handles) if (shared.has(objectId) && !chosen.has(pid)) near.add(pid);
  for (const { blocked, pid } of locks) if (blocked && pid > 0 && !chosen.has(pid)) near.add(pid);
  return [...near];
}

/** How parents, shells and event loops wait day in, day out for whoever writes to them or ends: that is nobody's trouble. */
const everyday: ReadonlySet<string> = new Set([
  'waitpid', 'waitid', 'poll', 'ppoll', 'select', 'pselect', 'epoll_wait', 'epoll_pwait', 'read', 'readv', 'recv', 'recvfrom', 'recvmsg',
]);

/** Whether a wait is for these processes, and no everyday one. */
function dependsOn({ clauses, operation }: Wait, pids: ReadonlySet<number>): boolean {
  return !everyday.has(operation)
    && clauses.some(({ alternatives, external }) => external === undefined && alternatives.some(({ threads }) => threads.some(({ pid }) => pids.has(pid))));
}

/** What shows that a thread did not run between two looks: start time, system call line, context switches. */
function witnessOf(pid: number, thread: Thread): string {
  // Not from the scene's cache: the second look must see the counts of its own time.
  const switches = thread.denied !== undefined || (thread.syscall && understood(thread.syscall)) ? readThreadStatus(pid, thread.tid)?.switches ?? 'gone' : '';
  return [thread.startTime, thread.syscall?.text ?? '', switches].join(' | ');
}

const stoppedStates: Readonly<Record<string, string>> = { T: 'stopped', t: 'tracing stop' };

const understood = ({ number }: SyscallLine): boolean => {
  const name = syscallName(number);
  return name !== undefined && (readers.has(name) || name === 'restart_syscall');
};

/** A thread's wait; undefined for one that runs, or waits for something not understood. */
function readWait(scene: WaitScene, process: ScannedProcess, thread: Thread): Wait | undefined {
  const reading = thread.denied !== undefined ? readLockFromList(scene, process, thread)
    : thread.syscall && !not64Bit(scene, process, thread.syscall) && understood(thread.syscall) ? readCall(scene, process, thread, thread.syscall) : undefined;
  const stop = stoppedStates[thread.state];
  const base = { pid: process.pid, tid: thread.tid, threadComm: thread.comm, verdict: 'waiting' as const };
  const stopped = stop === undefined ? {} : { stopped: true };
  const stopEvidence = stop === undefined ? [] : [`thread ${thread.tid} is in state ${thread.state} (${stop})`];
  // Whatever it waits for, its tracer has to let it go.
  const tracer = thread.state === 't' ? tracerOf(process.pid, thread.tid) : undefined;
  const traced: Clause[] = tracer === undefined ? [] : [{ alternatives: [{ event: 'ptrace', threads: [{ pid: tracer }] }] }];
  const toldEvidence = thread.told ? [accordingToDebugger] : [];
  if (reading) return { ...base, ...reading, evidence: [...reading.evidence, ...toldEvidence, ...stopEvidence], clauses: [...reading.clauses, ...traced], ...stopped };
  return stop === undefined ? undefined : { ...base, operation: stop, evidence: stopEvidence, clauses: traced, ...stopped };
}

function readCall(scene: WaitScene, process: ScannedProcess, thread: Thread, line: SyscallLine): ReturnType<WaitReader> {
  const number = actualNumber(scene, process, line);
  const reader = number === undefined ? undefined : readers.get(syscallName(number) ?? 'restart_syscall');
  return reader?.({ scene, process, thread, call: line });
}

/** The number of the call that really waits: a 32-bit process's numbers mean other calls, and a restarted call hides its own. */
function actualNumber(scene: WaitScene, process: ScannedProcess, line: SyscallLine): number | undefined {
  const restarted = syscallName(line.number) === 'restart_syscall';
  // Elsewhere a restarted call cannot be looked up, and 32-bit processes have other registers altogether.
  if (scene.context.host.architecture !== 'x64') return restarted ? undefined : line.number;
  const length = restarted ? 7 : 2;
  const code = scene.memory(process.pid).read(line.programCounter - BigInt(length), length, line.programCounter);
  if (code.value === undefined) {
    if (code.errno === 'EACCES' || code.errno === 'EPERM') scene.denied.set(process.pid, code.errno);
    return undefined;
  }
  return restarted ? restartedCall(code.value) : isNativeCall(code.value) ? line.number : undefined;
}

/** One gap for all processes whose threads may not be looked at: which they are stands in the gaps of the processes. */
function noteDenied(scene: WaitScene): void {
  const byErrno = new Map<string, ScannedProcess[]>();
  for (const [pid, errno] of scene.denied) {
    const process = scene.byPid.get(pid);
    if (process) byErrno.set(errno, [...byErrno.get(errno) ?? [], process]);
  }
  for (const [errno, processes] of byErrno) {
    const { uid } = scene.context.host;
    const advice = uid === 0 ? asRoot : 'run the probe as root (Yama\'s ptrace_scope may deny it to everyone else)';
    // Who was asked for is named, whoever's it is.
    const own = processes.filter(process => process.uid === uid || scene.context.pids?.includes(process.pid) === true);
    for (const process of own) scene.context.gaps.failed({ pid: process.pid, facility: 'waits', field: 'syscall' }, `cannot read what the threads of pid ${process.pid} (${process.comm}) are blocked in`, errno, advice);
    const others = processes.length - own.length;
    if (others > 0) scene.context.gaps.failed({ facility: 'waits', field: 'syscall' }, `cannot read what the threads of ${others === 1 ? 'one process' : `${others} processes`} of other users are blocked in`, errno, asRoot);
  }
}
