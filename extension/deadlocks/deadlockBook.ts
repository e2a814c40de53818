// Which deadlocks have been told already, so that each is told once, and again only when it was gone in between. Pure.
import type { Finding, Snapshot } from '../../native-probe/model';
import { indexOf } from '../snapshotIndex';
import type { SnapshotIndex } from '../snapshotIndex';
import { isConfirmed } from '../words/waitWords';

/** Of the longest told ones no more is kept in mind than this. */
const mostTold = 1_000;
/** A thread that was missed in one look and is seen again this soon (ms) was only looked at in an unlucky moment. */
const blink = 1_500;

interface Told {
  readonly members: readonly { readonly pid: number; readonly startTime: string | undefined; readonly tid: number; readonly objectId: string | undefined }[];
  missingSince?: number;
}

/** The threads and objects of a chain: what makes it the same deadlock, whoever gets stuck behind it later. */
export function coreOf({ chain }: Pick<Finding, 'chain'>, index: SnapshotIndex): string {
  return chain.map(({ pid, tid, objectId }) => `${pid}.${index.processes.get(pid)?.startTime ?? ''}/${tid} ${objectId ?? ''}`).sort().join('\n');
}

export class DeadlockBook {
  private readonly told = new Map<string, Told>();

  /** The certain deadlocks with one of these processes in them that have not been told, or that came back; they count as told from now on. */
  news(snapshot: Snapshot, pids: ReadonlySet<number>, now: number): Finding[] {
    const index = indexOf(snapshot);
    this.forgetDissolved(index, now);
    return snapshot.findings.filter(finding => {
      if (!isConfirmed(finding) || !finding.threads.some(({ pid }) => pids.has(pid))) return false;
      const core = coreOf(finding, index);
      if (this.told.has(core)) return false;
      const members = finding.chain.map(({ pid, tid }) => ({ pid, startTime: index.processes.get(pid)?.startTime, tid, objectId: index.waitOf(pid, tid)?.objectId }));
      this.told.set(core, { members });
      const [oldest] = this.told.keys();
      if (this.told.size > mostTold && oldest !== undefined) this.told.delete(oldest);
      return true;
    });
  }

  /**
   * Forgets what was seen to be over: a member does something else, or was not blocked for longer than a blink. A finding that is
   * missing although all members still wait (stopped, or not proved this time) is not over; neither is one out of sight.
   */
  private forgetDissolved(index: SnapshotIndex, now: number): void {
    for (const [core, entry] of this.told) {
      const states = entry.members.map(({ pid, startTime, tid, objectId }) => {
        const process = index.processes.get(pid);
        if (!process) return 'out of sight';
        if (process.startTime !== startTime) return 'over';
        const wait = index.waitOf(pid, tid);
        return wait === undefined ? 'missing' : wait.objectId === objectId ? 'waiting' : 'over';
      });
      if (states.includes('over')) this.told.delete(core);
      else if (states.includes('missing')) entry.missingSince ??= now;
      else if (!states.includes('out of sight') && entry.missingSince !== undefined) {
        if (now - entry.missingSince > blink) this.told.delete(core);
        else delete entry.missingSince;
      }
    }
  }
}
