// The wait-for graph and its least fixpoint: who CAN go on, given what is assumed of timeouts, stops, gaps and orphans.
// A mixture of AND (all clauses), OR (any thread of an alternative) and thresholds (at least k alternatives) in O(V + E).
import type { Clause, ThreadRef, Wait } from '../model';

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

/**
 * The graph in flat arrays. Nodes 0 … waits-1 are the waits; then come "any thread of process P" nodes, one for each
 * process that a clause names without a TID, so that a thousand waiters for a thousand threads cost two thousand edges.
 */
export interface WaitGraph {
  readonly waits: readonly Wait[];
  readonly nodeCount: number;
  /** Clauses of node n: clauseStart[n] … clauseStart[n + 1] - 1. */
  readonly clauseStart: Int32Array;
  readonly clauseFlags: Uint8Array;
  /** How many alternatives must still come about, not counting those that a free thread already can bring about. */
  readonly clauseNeed: Int32Array;
  /** Alternatives of clause c: alternativeStart[c] … */
  readonly alternativeStart: Int32Array;
  /** Nodes that can bring alternative a about: memberStart[a] … in `members`. */
  readonly memberStart: Int32Array;
  readonly members: Int32Array;
  /** Alternatives that contain node n: occurrenceStart[n] … in `occurrences`. */
  readonly occurrenceStart: Int32Array;
  readonly occurrences: Int32Array;
  readonly clauseOfAlternative: Int32Array;
  readonly nodeOfClause: Int32Array;
}

export const externalFlag = 1;
export const gapFlag = 2;
export const orphanFlag = 4;

/** PIDs and TIDs are below 2²² (PID_MAX_LIMIT), so that both fit one exact number. */
const threadKey = (pid: number, tid: number): number => pid * 0x400000 + tid;

/**
 * Builds the graph. `threads`: the TIDs of each process that was looked at completely; a process that is missing there, or
 * has a thread that waits for nothing understood, can always act.
 */
export function compileWaitGraph(waits: readonly Wait[], threads: ReadonlyMap<number, readonly number[]>): WaitGraph {
  const indexOf = new Map<number, number>();
  waits.forEach((wait, index) => indexOf.set(threadKey(wait.pid, wait.tid), index));
  const processNodes = new Map<number, number>();
  const processMembers: number[][] = [];

  /** The node of a reference, or undefined for a thread that is free to act. */
  const nodeOf = ({ pid, tid }: ThreadRef): number | undefined => {
    if (tid !== undefined) return indexOf.get(threadKey(pid, tid));
    const known = processNodes.get(pid);
    if (known !== undefined) return known < 0 ? undefined : known;
    const tids = threads.get(pid) ?? [];
    const nodes = tids.map(each => indexOf.get(threadKey(pid, each)));
    const blocked = nodes.filter(node => node !== undefined);
    const free = blocked.length === 0 || blocked.length < nodes.length;
    processNodes.set(pid, free ? -1 : waits.length + processMembers.length);
    if (free) return undefined;
    processMembers.push(blocked);
    return waits.length + processMembers.length - 1;
  };

  const clauseStart: number[] = [];
  const clauseFlags: number[] = [];
  const clauseNeed: number[] = [];
  const alternativeStart: number[] = [];
  const memberStart: number[] = [];
  const members: number[] = [];
  const clauseOfAlternative: number[] = [];
  const nodeOfClause: number[] = [];

  waits.forEach((wait, index) => {
    clauseStart.push(nodeOfClause.length);
    for (const clause of wait.clauses) {
      const id = nodeOfClause.length;
      nodeOfClause.push(index);
      alternativeStart.push(memberStart.length);
      let possible = 0;
      let certain = 0;
      for (const alternative of clause.alternatives) {
        if (alternative.threads.length === 0) continue;
        possible++;
        const begin = members.length;
        let free = false;
        for (const thread of alternative.threads) {
          const node = nodeOf(thread);
          if (node === undefined) { free = true; break; }
          members.push(node);
        }
        if (free) {
          certain++;
          members.length = begin;
          continue;
        }
        memberStart.push(begin);
        clauseOfAlternative.push(id);
      }
      // Fewer alternatives than needed: the missing ones are parties nobody saw, and they are taken to come about.
      clauseNeed.push(Math.min(clause.atLeast ?? 1, possible) - certain);
      clauseFlags.push(flagsOf(clause, possible));
    }
  });
  for (const nodes of processMembers) {
    const id = nodeOfClause.length;
    clauseStart.push(id);
    nodeOfClause.push(clauseStart.length - 1);
    alternativeStart.push(memberStart.length);
    clauseNeed.push(1);
    clauseFlags.push(0);
    memberStart.push(members.length);
    clauseOfAlternative.push(id);
    for (const node of nodes) members.push(node);
  }
  const nodeCount = clauseStart.length;
  clauseStart.push(nodeOfClause.length);
  alternativeStart.push(memberStart.length);
  memberStart.push(members.length);

  const { starts, items } = occurrencesOf(nodeCount, memberStart, members);
  return {
    waits, nodeCount, clauseStart: Int32Array.from(clauseStart), clauseFlags: Uint8Array.from(clauseFlags), clauseNeed: Int32Array.from(clauseNeed),
    alternativeStart: Int32Array.from(alternativeStart), memberStart: Int32Array.from(memberStart), members: Int32Array.from(members),
    occurrenceStart: starts, occurrences: items, clauseOfAlternative: Int32Array.from(clauseOfAlternative), nodeOfClause: Int32Array.from(nodeOfClause),
  };
}

function flagsOf(clause: Clause, possible: number): number {
  const gaps = (clause.gaps?.length ?? 0) > 0;
  const external = clause.external !== undefined;
  return (external ? externalFlag : 0) | (gaps ? gapFlag : 0) | (possible === 0 && !gaps && !external ? orphanFlag : 0);
}

/** Turns "nodes of an alternative" round into "alternatives of a node" by a counting sort. */
function occurrencesOf(nodeCount: number, memberStart: readonly number[], members: readonly number[]): { starts: Int32Array; items: Int32Array } {
  const starts = new Int32Array(nodeCount + 1);
  for (const node of members) starts[node + 1] = (starts[node + 1] ?? 0) + 1;
  for (let node = 0; node < nodeCount; node++) starts[node + 1] = (starts[node + 1] ?? 0) + (starts[node] ?? 0);
  const next = starts.slice();
  const items = new Int32Array(members.length);
  for (let alternative = 0; alternative + 1 < memberStart.length; alternative++) {
    const end = memberStart[alternative + 1] ?? 0;
    for (let at = memberStart[alternative] ?? 0; at < end; at++) {
      const node = members[at] ?? 0;
      const place = next[node] ?? 0;
      items[place] = alternative;
      next[node] = place + 1;
    }
  }
  return { starts, items };
}

/** The fixpoint's answer. All arrays hold 1 for yes. */
export interface Fixpoint {
  /** Per node: it can go on. The others are D, the stuck ones. */
  readonly can: Uint8Array;
  /** Per clause. */
  readonly satisfied: Uint8Array;
  /** Per alternative: somebody who can go on can bring it about. */
  readonly came: Uint8Array;
}

/** The least fixpoint of CAN under an assumption. O(V + E). */
export function fixpoint(graph: WaitGraph, assumption: Assumption): Fixpoint {
  const { nodeCount, clauseStart, clauseFlags, occurrenceStart, occurrences, clauseOfAlternative, nodeOfClause } = graph;
  const can = new Uint8Array(nodeCount);
  const satisfied = new Uint8Array(clauseFlags.length);
  const came = new Uint8Array(clauseOfAlternative.length);
  const need = graph.clauseNeed.slice();
  const unsatisfied = new Int32Array(nodeCount);
  const worklist = new Int32Array(nodeCount);
  let length = 0;
  const goesOn = (node: number): void => { can[node] = 1; worklist[length++] = node; };

  for (let node = 0; node < nodeCount; node++) {
    const wait = graph.waits[node];
    const limited = wait !== undefined && wait.timeout !== undefined && assumption.timeoutsFire;
    let open = wait?.stopped === true && !assumption.stoppedGoOn ? 1 : 0;
    for (let clause = clauseStart[node] ?? 0; clause < (clauseStart[node + 1] ?? 0); clause++) {
      const flags = clauseFlags[clause] ?? 0;
      const orphaned = (flags & orphanFlag) !== 0 && !assumption.orphansAct;
      if (limited || (flags & externalFlag) !== 0 || ((flags & gapFlag) !== 0 && assumption.gapsAct) || ((need[clause] ?? 0) <= 0 && !orphaned)) satisfied[clause] = 1;
      else open++;
    }
    unsatisfied[node] = open;
    if (open === 0) goesOn(node);
  }
  for (let taken = 0; taken < length; taken++) {
    const node = worklist[taken] ?? 0;
    for (let at = occurrenceStart[node] ?? 0; at < (occurrenceStart[node + 1] ?? 0); at++) {
      const alternative = occurrences[at] ?? 0;
      if (came[alternative] === 1) continue;
      came[alternative] = 1;
      const clause = clauseOfAlternative[alternative] ?? 0;
      if (satisfied[clause] === 1) continue;
      const left = (need[clause] ?? 0) - 1;
      need[clause] = left;
      if (left > 0) continue;
      satisfied[clause] = 1;
      const waiter = nodeOfClause[clause] ?? 0;
      const open = (unsatisfied[waiter] ?? 0) - 1;
      unsatisfied[waiter] = open;
      if (open === 0) goesOn(waiter);
    }
  }
  return { can, satisfied, came };
}
