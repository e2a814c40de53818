// The descendants of a program, remembered: a child whose parent has ended belongs to init or a subreaper (prctl(2)), and no
// longer shows whose it was. Pure but for its memory.
import type { Process } from '../../native-probe/model';
import type { ProcessRef } from './debuggeePids';
import { grouped } from '../snapshotIndex';

/** So many descendants of a program are looked at: a build server may have thousands. */
export const mostDescendants = 256;

export interface Descendants {
  /** Those nearest to the program first, then those that have lost it. */
  readonly pids: readonly number[];
  /** How many more there are. */
  readonly omitted: number;
}

export class Lineage {
  /** Start times of all that belong to the program, by PID: its own processes, and whoever was seen below them. */
  private members = new Map<number, string>();

  /**
   * Takes notice of the processes that live now.
   * @param roots the program's own processes; they are no descendants, but stay members when they are no longer named
   */
  update(processes: readonly Process[], roots: readonly ProcessRef[]): Descendants {
    const alive = new Map(processes.map(it => [it.pid, it]));
    const own = new Set(roots.map(it => it.pid));
    const before = [...roots.map(it => [it.pid, it.startTime] as const), ...this.members];
    const members = new Map<number, string>();
    const children = grouped(processes, it => it.ppid);
    const found: number[] = [];
    // Level by level from the program itself, then from those that were seen below it and have other parents now.
    const descend = (from: readonly number[]): void => {
      for (let level = from; level.length > 0;) {
        const next = level.flatMap(pid => children.get(pid) ?? []).filter(it => !members.has(it.pid));
        for (const child of next) {
          members.set(child.pid, child.startTime);
          if (!own.has(child.pid)) found.push(child.pid);
        }
        level = next.map(it => it.pid);
      }
    };
    const join = (pid: number, startTime: string): boolean => {
      if (members.has(pid) || alive.get(pid)?.startTime !== startTime) return false;
      members.set(pid, startTime);
      return true;
    };
    descend(before.filter(([pid, startTime]) => own.has(pid) && join(pid, startTime)).map(([pid]) => pid));
    for (const [pid, startTime] of before) {
      if (!join(pid, startTime)) continue;
      found.push(pid);
      descend([pid]);
    }
    this.members = members;
    return { pids: found.slice(0, mostDescendants), omitted: Math.max(0, found.length - mostDescendants) };
  }
}
