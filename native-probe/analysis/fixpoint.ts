// The least fixpoint over a wait-for graph: who CAN go on, given what is assumed of timeouts, stops, gaps and orphans. Pure.
import type { WaitGraph } from './waitGraph';
import { externalFlag, gapFlag, limitedFlag, orphanFlag, stoppedFlag } from './waitGraph';

/** What is assumed while the fixpoint is taken. `true` is the generous side, the one that makes fewer threads stuck. */
export interface Assumption {
  /** Limited waits end by themselves. */
  readonly timeoutsFire: boolean;
  /** A stop (SIGSTOP, a debugger) ends some day; the wait beneath it still counts. */
  readonly stoppedGoOn: boolean;
  /** Where a gap stands, somebody unseen acts. */
  readonly gapsAct: boolean;
  /** Clauses that nobody alive could satisfy are satisfied all the same. */
  readonly orphansAct: boolean;
}

/** The fixpoint's answer. */
export interface Fixpoint {
  /** Per node: 1, it can go on. The others are D, the stuck ones. */
  readonly can: Uint8Array;
  /** Per clause: so many alternatives more must come about; 0 or less, it is satisfied. */
  readonly left: Int32Array;
}

/** The least fixpoint of CAN under an assumption. O(V + E). */
export function fixpoint(graph: WaitGraph, assumption: Assumption): Fixpoint {
  const { nodeCount, nodeFlags, clauseStart, clauseFlags, occurrenceStart, occurrences, occurrenceAlternatives, nodeOfClause } = graph;
  const can = new Uint8Array(nodeCount);
  const left = graph.clauseNeed.slice();
  const open = new Int32Array(nodeCount);
  const worklist = new Int32Array(nodeCount);
  let length = 0;

  const ends = assumption.timeoutsFire ? limitedFlag : 0;
  const holds = assumption.stoppedGoOn ? 0 : stoppedFlag;
  const acts = externalFlag | (assumption.gapsAct ? gapFlag : 0);
  const blocks = assumption.orphansAct ? 0 : orphanFlag;
  for (let node = 0; node < nodeCount; node++) {
    const flags = nodeFlags[node] ?? 0;
    const limited = (flags & ends) !== 0;
    const end = clauseStart[node + 1] ?? 0;
    let unsatisfied = (flags & holds) === 0 ? 0 : 1;
    for (let clause = clauseStart[node] ?? 0; clause < end; clause++) {
      const own = clauseFlags[clause] ?? 0;
      if (limited || (own & acts) !== 0) left[clause] = 0;
      // Nobody is in it who could ever count it down.
      else if ((own & blocks) !== 0) left[clause] = 1;
      if ((left[clause] ?? 0) > 0) unsatisfied++;
    }
    open[node] = unsatisfied;
    if (unsatisfied === 0) { can[node] = 1; worklist[length++] = node; }
  }
  // Whether an alternative has come about: asked only where a clause needs two, and must not count one twice.
  const came = occurrenceAlternatives && new Uint8Array(graph.alternativeCount);
  for (let taken = 0; taken < length; taken++) {
    const node = worklist[taken] ?? 0;
    const end = occurrenceStart[node + 1] ?? 0;
    for (let at = occurrenceStart[node] ?? 0; at < end; at++) {
      const clause = occurrences[at] ?? 0;
      const before = left[clause] ?? 0;
      if (before <= 0) continue;
      if (came && occurrenceAlternatives) {
        const alternative = occurrenceAlternatives[at] ?? 0;
        if (came[alternative] === 1) continue;
        came[alternative] = 1;
      }
      left[clause] = before - 1;
      if (before > 1) continue;
      const waiter = nodeOfClause[clause] ?? 0;
      const rest = (open[waiter] ?? 0) - 1;
      open[waiter] = rest;
      if (rest === 0) { can[waiter] = 1; worklist[length++] = waiter; }
    }
  }
  return { can, left };
}
