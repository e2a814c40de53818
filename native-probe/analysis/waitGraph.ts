// The wait-for graph in flat arrays: waits, their clauses, the alternatives of these, and who can bring each about. A mixture of
// AND (all clauses), OR (any thread of an alternative) and thresholds (at least k alternatives). Built in O(V + E), without an
// object for a node or an edge. Pure.
import type { Clause, ThreadRef, Wait } from '../model';
import { ThreadTable } from './threadTable';

/**
 * Nodes 0 … waits-1 are the waits; then come "any thread of process P" nodes, one for each process that a clause names without a
 * TID, so that a thousand waiters for a thousand threads cost two thousand edges. All lists are ranges: those of x are at
 * start[x] … start[x + 1] - 1.
 */
export interface WaitGraph {
  readonly waits: readonly Wait[];
  readonly nodeCount: number;
  /** {@link limitedFlag}, {@link stoppedFlag}. */
  readonly nodeFlags: Uint8Array;
  /** Clauses of node n: clauseStart[n] … clauseStart[n + 1] - 1. */
  readonly clauseStart: Int32Array;
  /** {@link externalFlag}, {@link gapFlag}, {@link orphanFlag}. */
  readonly clauseFlags: Uint8Array;
  /** How many alternatives must still come about, not counting those that a free thread already can bring about. */
  readonly clauseNeed: Int32Array;
  readonly nodeOfClause: Int32Array;
  /** Nodes that can bring clause c about, alternative after alternative: clauseMemberStart[c] … in `members`. */
  readonly clauseMemberStart: Int32Array;
  readonly members: Int32Array;
  /** Clauses that name node n, once for each time: occurrenceStart[n] … in `occurrences`. */
  readonly occurrenceStart: Int32Array;
  readonly occurrences: Int32Array;
  /** The alternative of each occurrence; absent where no clause needs two, because then the first to come is enough. */
  readonly occurrenceAlternatives?: Int32Array;
  readonly alternativeCount: number;
  /** All flags that some node or clause has: what nobody has makes no difference. */
  readonly allNodeFlags: number;
  readonly allClauseFlags: number;
  /** Waits by thread. */
  readonly nodeOfThread: ThreadTable;
}

/** Of nodes: the wait has a time limit; something stopped the thread. */
export const limitedFlag = 1;
export const stoppedFlag = 2;
/** Of clauses: something else may satisfy it; a gap stands for somebody; nobody alive can. */
export const externalFlag = 1;
export const gapFlag = 2;
export const orphanFlag = 4;

/** Numbers without a known end. */
class Numbers {
  #array: Int32Array;
  length = 0;
  constructor(expected: number) { this.#array = new Int32Array(expected + 16); }
  push(value: number): void {
    if (this.length === this.#array.length) {
      const larger = new Int32Array(2 * this.length);
      larger.set(this.#array);
      this.#array = larger;
    }
    this.#array[this.length++] = value;
  }
  taken(): Int32Array { return this.#array.subarray(0, this.length); }
}

/** Gathers clauses, alternatives and members in the order of the nodes. */
class GraphBuilder {
  readonly clauseStart: Numbers;
  readonly clauseFlags: Numbers;
  readonly clauseNeed: Numbers;
  readonly nodeOfClause: Numbers;
  readonly clauseMemberStart: Numbers;
  readonly members: Numbers;
  readonly alternativeOfMember: Numbers;
  readonly nodeOfThread: ThreadTable;
  readonly processMembers: number[][] = [];
  /** By PID; -1 for a process that is free to act. */
  readonly #processNodes = new Map<number, number>();
  alternatives = 0;
  thresholds = false;

  constructor(readonly waits: readonly Wait[], readonly threads: ReadonlyMap<number, readonly number[]>) {
    const expected = waits.length;
    this.clauseStart = new Numbers(expected);
    this.clauseFlags = new Numbers(expected);
    this.clauseNeed = new Numbers(expected);
    this.nodeOfClause = new Numbers(expected);
    this.clauseMemberStart = new Numbers(expected);
    this.members = new Numbers(expected);
    this.alternativeOfMember = new Numbers(expected);
    const pids = new Int32Array(expected);
    const tids = new Int32Array(expected);
    for (let node = 0; node < expected; node++) {
      const wait = waits[node];
      pids[node] = wait?.pid ?? 0;
      tids[node] = wait?.tid ?? 0;
    }
    this.nodeOfThread = new ThreadTable(pids, tids);
  }

  add(node: number, clause: Clause): void {
    let possible = 0;
    let certain = 0;
    this.nodeOfClause.push(node);
    this.clauseMemberStart.push(this.members.length);
    for (const { threads } of clause.alternatives) {
      if (threads.length === 0) continue;
      possible++;
      if (!this.#addMembers(threads)) certain++;
    }
    // Fewer alternatives than needed: the missing ones are parties nobody saw, and they are taken to come about.
    const need = Math.min(clause.atLeast ?? 1, possible) - certain;
    if (need > 1) this.thresholds = true;
    this.clauseNeed.push(need);
    this.clauseFlags.push(flagsOf(clause, possible));
  }

  /** The members of one alternative; false, and nothing added, when one of them is free to act. */
  #addMembers(threads: readonly ThreadRef[]): boolean {
    const { members, alternativeOfMember } = this;
    const begin = members.length;
    for (const thread of threads) {
      const node = this.#nodeOf(thread);
      if (node === -1) {
        members.length = begin;
        alternativeOfMember.length = begin;
        return false;
      }
      members.push(node);
      alternativeOfMember.push(this.alternatives);
    }
    this.alternatives++;
    return true;
  }

  /** The node of a reference, or -1 for a thread that is free to act. */
  #nodeOf({ pid, tid }: ThreadRef): number {
    if (tid !== undefined) return this.nodeOfThread.get(pid, tid);
    const known = this.#processNodes.get(pid);
    if (known !== undefined) return known;
    const nodes = (this.threads.get(pid) ?? []).map(each => this.nodeOfThread.get(pid, each));
    const free = nodes.length === 0 || nodes.includes(-1);
    const node = free ? -1 : this.waits.length + this.processMembers.length;
    if (!free) this.processMembers.push(nodes);
    this.#processNodes.set(pid, node);
    return node;
  }

  /** "Any thread of this process": one clause, one alternative. */
  addProcess(node: number, its: readonly number[]): void {
    this.clauseStart.push(this.nodeOfClause.length);
    this.nodeOfClause.push(node);
    this.clauseMemberStart.push(this.members.length);
    this.clauseNeed.push(1);
    this.clauseFlags.push(0);
    for (const each of its) {
      this.members.push(each);
      this.alternativeOfMember.push(this.alternatives);
    }
    this.alternatives++;
  }
}

/**
 * Builds the graph. `threads`: the TIDs of each process that was looked at completely; a process that is missing there, or
 * has a thread that waits for nothing understood, can always act.
 */
export function compileWaitGraph(waits: readonly Wait[], threads: ReadonlyMap<number, readonly number[]>): WaitGraph {
  const builder = new GraphBuilder(waits, threads);
  for (let node = 0; node < waits.length; node++) {
    builder.clauseStart.push(builder.nodeOfClause.length);
    for (const clause of waits[node]?.clauses ?? []) builder.add(node, clause);
  }
  builder.processMembers.forEach((its, index) => { builder.addProcess(waits.length + index, its); });
  builder.clauseStart.push(builder.nodeOfClause.length);
  builder.clauseMemberStart.push(builder.members.length);

  const nodeCount = waits.length + builder.processMembers.length;
  const nodeFlags = new Uint8Array(nodeCount);
  let allNodeFlags = 0;
  for (let node = 0; node < waits.length; node++) {
    const wait = waits[node];
    const flags = (wait?.timeout === undefined ? 0 : limitedFlag) | (wait?.stopped === true ? stoppedFlag : 0);
    nodeFlags[node] = flags;
    allNodeFlags |= flags;
  }
  const clauseFlags = Uint8Array.from(builder.clauseFlags.taken());
  let allClauseFlags = 0;
  for (const flags of clauseFlags) allClauseFlags |= flags;

  const { nodeOfThread, alternatives: alternativeCount } = builder;
  const clauseStart = builder.clauseStart.taken(), clauseNeed = builder.clauseNeed.taken(), nodeOfClause = builder.nodeOfClause.taken();
  const clauseMemberStart = builder.clauseMemberStart.taken(), members = builder.members.taken();
  const occurrences = occurrencesOf(nodeCount, clauseMemberStart, members, builder.thresholds ? builder.alternativeOfMember.taken() : undefined);
  return { waits, nodeCount, nodeFlags, clauseStart, clauseFlags, clauseNeed, nodeOfClause, clauseMemberStart, members, ...occurrences, alternativeCount, allNodeFlags, allClauseFlags, nodeOfThread };
}

function flagsOf(clause: Clause, possible: number): number {
  const gaps = clause.gaps !== undefined && clause.gaps.length > 0;
  const external = clause.external !== undefined;
  return (external ? externalFlag : 0) | (gaps ? gapFlag : 0) | (possible === 0 && !gaps && !external ? orphanFlag : 0);
}

/** Turns "members of a clause" round into "clauses of a member" by a counting sort. */
function occurrencesOf(nodeCount: number, clauseMemberStart: Int32Array, members: Int32Array, alternatives: Int32Array | undefined): Pick<WaitGraph, 'occurrenceStart' | 'occurrences' | 'occurrenceAlternatives'> {
  const occurrenceStart = new Int32Array(nodeCount + 1);
  for (const node of members) occurrenceStart[node + 1] = (occurrenceStart[node + 1] ?? 0) + 1;
  for (let node = 0; node < nodeCount; node++) occurrenceStart[node + 1] = (occurrenceStart[node + 1] ?? 0) + (occurrenceStart[node] ?? 0);
  const next = occurrenceStart.slice();
  const occurrences = new Int32Array(members.length);
  const occurrenceAlternatives = alternatives && new Int32Array(members.length);
  for (let clause = 0; clause + 1 < clauseMemberStart.length; clause++) {
    const end = clauseMemberStart[clause + 1] ?? 0;
    for (let at = clauseMemberStart[clause] ?? 0; at < end; at++) {
      const node = members[at] ?? 0;
      const place = next[node] ?? 0;
      occurrences[place] = clause;
      if (alternatives && occurrenceAlternatives) occurrenceAlternatives[place] = alternatives[at] ?? 0;
      next[node] = place + 1;
    }
  }
  return { occurrenceStart, occurrences, ...occurrenceAlternatives && { occurrenceAlternatives } };
}
