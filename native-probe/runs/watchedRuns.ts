// The runs that a client of the server watches, by the client's names for them.
import type { EndRunResult, JoinRunParams, JoinRunResult } from '../protocol';
import { InvalidRequest } from '../requests';
import { RunWatch } from './runWatch';

/** A client that forgets to end its runs must not make the probe watch ever more. */
const mostRuns = 16;

export class WatchedRuns {
  private readonly runs = new Map<string, RunWatch>();

  async begin(run: string, isCancelled: () => boolean): Promise<Record<string, never>> {
    if (this.runs.has(run)) throw new InvalidRequest(`beginRun: ${run} is watched already`);
    if (this.runs.size >= mostRuns) throw new InvalidRequest(`beginRun: ${mostRuns} runs are watched already: end one first`);
    this.runs.set(run, await RunWatch.begin({ own: false, isCancelled }));
    return {};
  }

  join({ run, pids, bornSince }: JoinRunParams): JoinRunResult {
    const watch = this.watched(run);
    for (const pid of pids) watch.add(pid, { bornSince: bornSince ?? false });
    return { living: watch.living };
  }

  async end(run: string, isCancelled: () => boolean): Promise<EndRunResult> {
    const watch = this.watched(run);
    this.runs.delete(run);
    try {
      const { snapshot, ...told } = await watch.end(0, isCancelled);
      const ids = new Set(told.leaks.map(({ objectId }) => objectId));
      return { ...told, snapshot: { ...snapshot, processes: [], handles: [], waits: [], findings: [], objects: snapshot.objects.filter(({ id }) => ids.has(id)) } };
    } finally {
      watch.close();
    }
  }

  close(): void {
    for (const watch of this.runs.values()) watch.close();
    this.runs.clear();
  }

  private watched(run: string): RunWatch {
    const watch = this.runs.get(run);
    if (!watch) throw new InvalidRequest(`${run} is not watched: begin it first`);
    return watch;
  }
}
