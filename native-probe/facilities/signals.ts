// Signals of a process (signal(7)): pending, blocked, ignored and caught, from the status that the pass reads of every process
// anyway. Threads, each with signals of its own, only of the processes that were asked for.
import type { ScanContext } from '../context';
import type { Handle, Signals, SignalState } from '../model';
import type { ScannedProcess } from '../processes';
import { isGone, numericEntries, parseSignalMasks, readText } from '../kernel/procfs';
import type { SignalMasks } from '../kernel/procfs';
import { parseSignalMask } from '../kernel/signals';

type ThreadSignals = NonNullable<SignalState['threads']>[number];

/** Id of the signals of a process: a PID alone may be somebody else's tomorrow. */
export function signalsId(process: { readonly pid: number; readonly startTime: string }): string {
  return `signal:${process.pid}.${process.startTime}`;
}

/** One object a process. Kernel threads and zombies take no signals. */
export async function collectSignals(context: ScanContext): Promise<{ objects: Signals[]; handles: Handle[] }> {
  const objects: Signals[] = [];
  const handles: Handle[] = [];
  const names = new MaskNames();
  const asked = new Set(context.pids ?? []);
  for (const process of context.processes) {
    if (process.kernelThread || hasEnded(process)) continue;
    if (process.signals === null) {
      context.gaps.add({ pid: process.pid, facility: 'signal' }, `cannot read the signals of pid ${process.pid} (${process.comm}) in its status`);
      continue;
    }
    const threads = asked.has(process.pid) ? await readThreads(context, process, names) : [];
    const { object, handle } = threads.length > 1 ? madeOf(process, process.signals, threads, names) : ofProcess(process, process.signals, names);
    objects.push(object);
    handles.push(handle);
    await context.pause();
  }
  return { objects, handles };
}

interface Made { readonly object: Signals; readonly handle: Handle }

/** A process whose status reads the same as before is the same object, and so are its signals. */
const made = new WeakMap<ScannedProcess, Made>();

function ofProcess(process: ScannedProcess, masks: SignalMasks, names: MaskNames): Made {
  let its = made.get(process);
  if (!its) made.set(process, its = madeOf(process, masks, [], names));
  return its;
}

function madeOf(process: ScannedProcess, masks: SignalMasks, threads: readonly ThreadSignals[], names: MaskNames): Made {
  const object = describe(process, masks, threads, names);
  return { object, handle: { objectId: object.id, pid: process.pid, via: 'owner' } };
}

function hasEnded({ state }: ScannedProcess): boolean {
  return state === 'X' || state === 'Z';
}

function describe(process: ScannedProcess, masks: SignalMasks, threads: readonly ThreadSignals[], names: MaskNames): Signals {
  return {
    id: signalsId(process), kind: 'signal', name: process.comm, persistence: 'process',
    state: {
      // The same signal may wait for the main thread and for the process.
      pending: names.of(union(masks.threadPending, masks.processPending)), blocked: names.of(masks.blocked), ignored: names.of(masks.ignored), caught: names.of(masks.caught),
      queued: masks.queued, limit: masks.limit, ...(threads.length > 1 ? { threads } : {}),
    },
  };
}

async function readThreads(context: ScanContext, process: ScannedProcess, names: MaskNames): Promise<ThreadSignals[]> {
  const tids = numericEntries(`/proc/${process.pid}/task`);
  if (tids.value === undefined) {
    if (!isGone(tids.errno)) context.gaps.failed({ pid: process.pid, facility: 'signal', field: 'threads' }, `cannot list the threads of pid ${process.pid} (${process.comm})`, tids.errno);
    return [];
  }
  const threads: ThreadSignals[] = [];
  if (tids.value.length < 2) return threads;
  for (const tid of tids.value) {
    const masks = parseSignalMasks(readText(`/proc/${process.pid}/task/${tid}/status`).value ?? '');
    if (masks) threads.push({ tid, pending: names.of(masks.threadPending), blocked: names.of(masks.blocked) }); // else it just ended
    await context.pause();
  }
  return threads;
}

function union(a: string, b: string): string {
  return a === b ? a : (BigInt(`0x${a}`) | BigInt(`0x${b}`)).toString(16);
}

/** Names of masks: thousands of processes have the same few. */
class MaskNames {
  readonly #known = new Map<string, readonly string[]>();
  of(mask: string): readonly string[] {
    let names = this.#known.get(mask);
    if (!names) this.#known.set(mask, names = parseSignalMask(mask) ?? []);
    return names;
  }
}
