// Snapshots of some processes at a cost in proportion to them: between two full passes only they, whoever shares an object
// with them, and processes that are new are looked at again. A full pass follows when it is due, and before anything is
// called a deadlock: the holders a verdict rests on must be complete.
import type { Gap, Snapshot } from './model';
import { focus } from './analysis/focus';
import type { Gaps } from './gaps';
import { numericEntries } from './kernel/procfs';
import { scanProcess, scanProcesses } from './processes';
import type { ScannedProcess } from './processes';
import { Recollection } from './recollection';
import type { SnapshotOptions } from './snapshot';
import { takeSnapshot } from './snapshot';

/** A full pass is due after so long, or after so many times its own duration, whichever is longer: it then costs at most a tenth of the time. */
const fullEveryMs = 5000, fullEveryDurations = 10;

interface FullPass {
  readonly question: string;
  /** What debuggers had told by then. */
  readonly told: string;
  readonly endedAt: number;
  readonly durationMs: number;
  /** PIDs that were there: everybody else is new. */
  readonly pids: ReadonlySet<number>;
  /** Objects that were there: what is not among them is new and may concern anybody. */
  readonly objects: ReadonlySet<string>;
  /** Of those, who and what concerned the focus. */
  readonly neighbours: ReadonlySet<number>;
  readonly concerned: ReadonlySet<string>;
  /** Processes that could not be read: that they were not tried again does not make them readable. */
  readonly gaps: readonly Gap[];
}

/** Remembers the last full pass for each set of processes asked for. */
export class FocusedSnapshots {
  private readonly passes = new Map<string, FullPass>();
  private readonly recollection = new Recollection();

  async take(options: SnapshotOptions): Promise<Snapshot> {
    const { pids } = options;
    if (pids === undefined) return takeSnapshot({ ...options, recollection: this.recollection });
    const question = JSON.stringify([pids, options.kinds ?? null, options.waits ?? false]);
    const last = this.passes.get(question);
    // What a debugger has just told may be a wait on anything: on what nobody knew to concern the focus before.
    if (last && last.told === toldOf(options) && performance.now() - last.endedAt < Math.max(fullEveryMs, last.durationMs * fullEveryDurations)) {
      const quick = await this.quick(options, pids, last);
      // Whom it concerns may have changed behind our back: what is about to be said must rest on everybody.
      if (quick.findings.length === 0) return quick;
    }
    return this.full(options, pids, question);
  }

  private async full(options: SnapshotOptions, pids: readonly number[], question: string): Promise<Snapshot> {
    const begin = performance.now();
    const whole = await takeSnapshot({ ...options, pids: undefined, waitsOf: pids, recollection: this.recollection });
    const focused = focus(whole, pids);
    const now = performance.now();
    this.passes.delete(question);
    this.passes.set(question, {
      question, told: toldOf(options), endedAt: now, durationMs: now - begin, pids: new Set(whole.processes.map(({ pid }) => pid)), objects: new Set(whole.objects.map(({ id }) => id)),
      neighbours: new Set(focused.processes.map(({ pid }) => pid)), concerned: new Set(focused.objects.map(({ id }) => id)),
      gaps: focused.gaps.filter(({ scope }) => scope.facility === 'processes' || scope.field === 'descriptors'),
    });
    for (const oldest of this.passes.keys()) { if (this.passes.size <= 4) break; this.passes.delete(oldest); }
    return focused;
  }

  private async quick(options: SnapshotOptions, pids: readonly number[], last: FullPass): Promise<Snapshot> {
    const chosen = new Set([...pids, ...last.neighbours]);
    const snapshot = await takeSnapshot({
      ...options,
      recollection: this.recollection,
      scan: (gaps, pause, recollection) => scanSome(gaps, pause, recollection, pid => chosen.has(pid) || !last.pids.has(pid)),
      concerns: id => last.concerned.has(id) || !last.objects.has(id),
    });
    const seen = new Set(snapshot.gaps.map(({ id }) => id));
    return { ...snapshot, gaps: [...snapshot.gaps, ...last.gaps.filter(({ id, scope }) => !seen.has(id) && (scope.pid === undefined || !chosen.has(scope.pid)))] };
  }
}

const toldOf = ({ told = [] }: SnapshotOptions): string => told.map(({ pid, read }) => `${pid} ${read}`).join();

/** Only some of the processes. */
async function scanSome(gaps: Gaps, pause: () => Promise<void>, recollection: Recollection, wanted: (pid: number) => boolean): Promise<ScannedProcess[]> {
  const pids = numericEntries('/proc');
  if (pids.value === undefined) return scanProcesses(gaps, pause, recollection); // says what is wrong
  const processes: ScannedProcess[] = [];
  for (const pid of pids.value.sort((a, b) => a - b)) {
    if (!wanted(pid)) continue;
    const scanned = scanProcess(pid, gaps, recollection);
    if (scanned) processes.push(scanned);
    await pause();
  }
  return processes;
}
