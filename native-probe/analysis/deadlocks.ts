// Verdicts and findings: fixpoints under stronger and stronger assumptions, told apart by subtraction, and the smallest
// set of waits that explains each group. Linear in the graph: a million edges take about a second. Pure.
import type { ChainLink, Finding, IpcObject, Process, Wait, WaitVerdict } from '../model';
import type { ExplainedLink } from './explanation';
import { Narrator, spoken } from './explanation';
import type { Assumption } from './fixpoint';
import { fixpoint } from './fixpoint';
import type { StuckGroups } from './stuckGroups';
import { stuckGroups } from './stuckGroups';
import type { ThreadTable } from './threadTable';
import type { WaitGraph } from './waitGraph';
import { compileWaitGraph, gapFlag, limitedFlag, orphanFlag, stoppedFlag } from './waitGraph';

/** What is judged: the waits, and the TIDs of every process that was looked at completely. */
export interface WaitsInQuestion {
  readonly waits: readonly Wait[];
  /** A process missing here, or a thread of it without a wait, can always act. */
  readonly threads: ReadonlyMap<number, readonly number[]>;
  /** For the words of the explanations only. */
  readonly processes: readonly Process[];
  readonly objects: readonly IpcObject[];
}
export interface Judgement { readonly waits: readonly Wait[]; readonly findings: readonly Finding[] }

const generous: Assumption = { timeoutsFire: true, stoppedGoOn: true, gapsAct: true, orphansAct: true };
const stopsLast: Assumption = { ...generous, stoppedGoOn: false };

type Verdict = Exclude<WaitVerdict, 'waiting'>;
interface Step {
  readonly verdict: Verdict;
  readonly assumption: Assumption;
  /** What is subtracted. */
  readonly base?: Assumption;
  /** Flags of the graph without which the assumption is no stronger than one before, so that nothing new can come of it. */
  readonly nodes?: number;
  readonly clauses?: number;
}
/** In the order in which they are told: the first that fits a thread is its verdict. */
const steps: readonly Step[] = [
  { verdict: 'deadlocked', assumption: generous },
  { verdict: 'deadlocked-until-timeout', assumption: { ...generous, timeoutsFire: false }, base: generous, nodes: limitedFlag },
  { verdict: 'orphaned', assumption: { ...generous, orphansAct: false }, base: generous, clauses: orphanFlag },
  { verdict: 'behind-stopped', assumption: stopsLast, base: generous, nodes: stoppedFlag },
  { verdict: 'suspected', assumption: { ...generous, gapsAct: false }, base: generous, clauses: gapFlag },
  // Both a stop and a gap stand in the way: no circle is suspected, and the gaps are named.
  { verdict: 'behind-stopped', assumption: { ...stopsLast, gapsAct: false }, base: generous, nodes: stoppedFlag, clauses: gapFlag },
];

/** Verdicts by number; 0 is none yet. */
const waiting = 0;
/** A chain is cut after so many links: nobody follows it that far, and its threads are all named. */
const toldLinks = 10_000;
const noGaps: readonly string[] = [];

/** Gives every wait its verdict, and every group of stuck threads a finding. Any verdict the waits came with is ignored. */
export function judge(question: WaitsInQuestion): Judgement {
  const { waits } = question;
  if (waits.length === 0) return { waits: [], findings: [] };
  const graph = compileWaitGraph(waits, question.threads);
  const before = fixpoint(graph, generous);
  const verdicts = new Uint8Array(graph.nodeCount);
  const findings: Finding[] = [];
  let writer: FindingWriter | undefined;
  for (const [index, step] of steps.entries()) {
    const { assumption, base, nodes = 0, clauses = 0 } = step;
    if ((graph.allNodeFlags & nodes) !== nodes || (graph.allClauseFlags & clauses) !== clauses) continue;
    const answer = base ? fixpoint(graph, assumption) : before;
    const stuck = new Uint8Array(graph.nodeCount);
    let any = false;
    for (let node = 0; node < graph.nodeCount; node++) {
      if (answer.can[node] === 1 || (base && before.can[node] !== 1) || verdicts[node] !== waiting) continue;
      stuck[node] = 1;
      any = true;
    }
    if (!any) continue;
    writer ??= new FindingWriter(question, graph);
    writer.write(step, stuckGroups(graph, answer, stuck, !assumption.stoppedGoOn), verdicts, index + 1, findings);
  }
  const verdictOf = (node: number): WaitVerdict => steps[(verdicts[node] ?? 0) - 1]?.verdict ?? 'waiting';
  return { waits: waits.map((wait, node) => wait.verdict === verdictOf(node) ? wait : { ...wait, verdict: verdictOf(node) }), findings };
}

/** Turns groups into findings; what all findings of one judgement share is made once. */
class FindingWriter {
  readonly #narrator: Narrator;
  /** Nodes of waits by PID and TID; absent when they came in that order. */
  readonly #sorted: Int32Array | undefined;
  readonly #groupOf: Int32Array;

  constructor(readonly question: WaitsInQuestion, readonly graph: WaitGraph) {
    this.#narrator = new Narrator(question.processes, question.objects, (pid, tid) => question.waits[graph.nodeOfThread.get(pid, tid)]);
    this.#sorted = inThreadOrder(graph.nodeOfThread);
    this.#groupOf = new Int32Array(graph.nodeCount);
  }

  /** @param number the step's verdict by number, written for each member */
  write({ verdict, assumption }: Step, groups: StuckGroups, verdicts: Uint8Array, number: number, findings: Finding[]): void {
    const { waits } = this.question;
    const { nodes, begins, coreEnds, ends } = groups;
    const groupOf = this.#groupOf.fill(-1);
    const stopped = new Uint8Array(begins.length);
    const counts = new Int32Array(begins.length);
    for (let group = 0; group < begins.length; group++) {
      const begin = begins[group] ?? 0;
      const first = nodes[begin] ?? 0;
      // The core is one stopped thread: it blocks others and is not blocked itself.
      if (!assumption.stoppedGoOn && ((this.graph.nodeFlags[first] ?? 0) & stoppedFlag) !== 0) stopped[group] = 1;
      for (let at = begin + (stopped[group] ?? 0); at < (ends[group] ?? 0); at++) {
        const node = nodes[at] ?? 0;
        if (node >= waits.length) continue;
        groupOf[node] = group;
        counts[group] = (counts[group] ?? 0) + 1;
        verdicts[node] = number;
      }
    }
    const threads = this.#threadsOf(groupOf, counts);
    for (let group = 0; group < begins.length; group++) {
      const its = threads[group];
      if (its === undefined || its.length === 0) continue;
      const begin = begins[group] ?? 0;
      const { chain, rest, behind } = this.#chainOf(nodes, begin, coreEnds[group] ?? 0, ends[group] ?? 0, stopped[group] === 1);
      const unlessGaps = !assumption.gapsAct;
      const parts = this.#narrator.explain({ verdict, unlessGaps, length: chain.length + rest, behind, link: index => this.#explained(chain[index], groups.because) });
      findings.push({
        verdict, threads: its, chain: chain.map(node => this.#link(node, groups.because)),
        gaps: unlessGaps ? this.#gapsOf(chain, nodes.subarray(begin, ends[group])) : noGaps,
        explanation: spoken(parts), parts,
      });
    }
  }

  /** The waits of a group's chain, at most so many as are told; how many more it has, and how many wait behind it. */
  #chainOf(nodes: Int32Array, begin: number, coreEnd: number, end: number, stopped: boolean): { chain: number[]; rest: number; behind: number } {
    const { length } = this.question.waits;
    const chain: number[] = [];
    let core = 0, behind = 0;
    for (let at = begin; at < coreEnd; at++) {
      const node = nodes[at] ?? 0;
      if (node < length && ++core <= toldLinks) chain.push(node);
    }
    for (let at = coreEnd; at < end; at++) {
      const node = nodes[at] ?? 0;
      if (node >= length) continue;
      // Behind a stopped thread the chain starts at the one who waits for it: the stopped thread waits for nobody.
      if ((stopped || core === 0) && behind === 0) chain.unshift(node);
      behind++;
    }
    return { chain, rest: Math.max(core - toldLinks, 0), behind: stopped || core === 0 ? behind - 1 : behind };
  }

  #explained(node: number | undefined, because: Int32Array): ExplainedLink | undefined {
    const wait = node === undefined ? undefined : this.question.waits[node];
    if (node === undefined || !wait) return undefined;
    const clause = because[node] ?? -1;
    return clause < 0 ? { wait } : { wait, clause: wait.clauses[clause - (this.graph.clauseStart[node] ?? 0)] };
  }

  #link(node: number, because: Int32Array): ChainLink {
    const link = this.#explained(node, because);
    if (!link) throw new Error(`no wait ${node}`);
    const { wait: { pid, tid, objectId: own }, clause } = link;
    const objectId = clause?.alternatives[0]?.objectId ?? own;
    return objectId === undefined ? { pid, tid } : { pid, tid, objectId };
  }

  /** The members of all groups in the order of their threads, in one pass over all waits. */
  #threadsOf(groupOf: Int32Array, counts: Int32Array): { pid: number; tid: number }[][] {
    const { waits } = this.question;
    const threads = Array.from(counts, (): { pid: number; tid: number }[] => []);
    for (let at = 0; at < waits.length; at++) {
      const node = this.#sorted?.[at] ?? at;
      const group = groupOf[node] ?? -1;
      const wait = waits[node];
      if (group !== -1 && wait) threads[group]?.push({ pid: wait.pid, tid: wait.tid });
    }
    return threads;
  }

  /** The gaps in the chain; where it has none, those of everybody in the group. */
  #gapsOf(chain: readonly number[], members: Int32Array): string[] {
    const gaps = new Set<string>();
    for (const nodes of [chain, members]) {
      for (const node of nodes) for (const clause of this.question.waits[node]?.clauses ?? []) for (const gap of clause.gaps ?? []) gaps.add(gap);
      if (gaps.size > 0) break;
    }
    return [...gaps];
  }
}

/** The rows of a table by PID and TID; undefined where that is their order already. */
function inThreadOrder(table: ThreadTable): Int32Array | undefined {
  const { pids, tids } = table;
  let sorted = true;
  for (let row = 1; row < pids.length && sorted; row++) sorted = ((pids[row] ?? 0) - (pids[row - 1] ?? 0) || (tids[row] ?? 0) - (tids[row - 1] ?? 0)) > 0;
  if (sorted) return undefined;
  // Numbers in a typed array are sorted natively, and both fit into one (PIDs end at 2²²); the row comes back by the thread.
  const keys = Float64Array.from(pids, (pid, row) => pid * tidLimit + (tids[row] ?? 0));
  return Int32Array.from(keys.sort(), key => table.get(Math.floor(key / tidLimit), key % tidLimit));
}
const tidLimit = 2 ** 31;
