// Verdicts and findings: four fixpoints under stronger and stronger assumptions, told apart by subtraction, and the smallest
// set of waits that explains each group. Pure.
import type { Finding, IpcObject, Process, Wait, WaitVerdict } from '../model';
import { explain } from './explanation';
import type { Assumption, Fixpoint, WaitGraph } from './waitGraph';
import { compileWaitGraph, fixpoint } from './waitGraph';

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
/** In the order in which they are told: the first that fits a thread is its verdict. `base`: what is subtracted. */
const steps: readonly { readonly verdict: Verdict; readonly assumption: Assumption; readonly base?: Assumption }[] = [
  { verdict: 'deadlocked', assumption: generous },
  { verdict: 'deadlocked-until-timeout', assumption: { ...generous, timeoutsFire: false }, base: generous },
  { verdict: 'orphaned', assumption: { ...generous, orphansAct: false }, base: generous },
  { verdict: 'behind-stopped', assumption: stopsLast, base: generous },
  { verdict: 'suspected', assumption: { ...generous, gapsAct: false }, base: generous },
  // Both a stop and a gap stand in the way: no circle is suspected, and the gaps are named.
  { verdict: 'behind-stopped', assumption: { ...stopsLast, gapsAct: false }, base: generous },
];

/** Gives every wait its verdict, and every group of stuck threads a finding. Any verdict the waits came with is ignored. */
export function judge(question: WaitsInQuestion): Judgement {
  const { waits } = question;
  if (waits.length === 0) return { waits: [], findings: [] };
  const graph = compileWaitGraph(waits, question.threads);
  const fixpoints = new Map<Assumption, Fixpoint>();
  const under = (assumption: Assumption): Fixpoint => {
    const known = fixpoints.get(assumption) ?? fixpoint(graph, assumption);
    fixpoints.set(assumption, known);
    return known;
  };
  const verdicts = new Array<WaitVerdict>(waits.length).fill('waiting');
  const findings: Finding[] = [];
  for (const { verdict, assumption, base } of steps) {
    const answer = under(assumption);
    const before = base && under(base);
    const stuck = new Uint8Array(graph.nodeCount);
    let any = false;
    for (let node = 0; node < graph.nodeCount; node++) {
      if (answer.can[node] === 1 || (before && before.can[node] !== 1) || (verdicts[node] ?? 'waiting') !== 'waiting') continue;
      stuck[node] = 1;
      any = true;
    }
    if (!any) continue;
    for (const group of groupsOf(graph, answer, stuck, !assumption.stoppedGoOn)) {
      const members = group.members.filter(node => node < waits.length && !(group.stopped && node === group.core[0]));
      if (members.length === 0) continue;
      for (const node of members) verdicts[node] = verdict;
      findings.push(findingOf(question, verdict, group, members, !assumption.gapsAct));
    }
  }
  return { waits: waits.map((wait, node) => wait.verdict === verdicts[node] ? wait : { ...wait, verdict: verdicts[node] ?? 'waiting' }), findings };
}

interface Group {
  /** The smallest set that explains itself, in the order of the chain. */
  readonly core: readonly number[];
  /** The core and everyone behind it. */
  readonly members: readonly number[];
  /** The core is one stopped thread: it blocks others and is not blocked itself. */
  readonly stopped: boolean;
  /** The clause that keeps each node; -1 for a stopped thread. */
  readonly because: Int32Array;
  readonly clauseStart: Int32Array;
}

/**
 * Splits the stuck nodes into groups. Each node keeps one reason: its unsatisfied clause with the fewest threads. In that
 * thinner graph the strongly connected sets that nothing leaves are the cores; everybody else belongs to the core reached first.
 */
function groupsOf(graph: WaitGraph, answer: Fixpoint, stuck: Uint8Array, stopsCount: boolean): Group[] {
  const because = new Int32Array(graph.nodeCount).fill(-1);
  for (let node = 0; node < graph.nodeCount; node++) {
    if (stuck[node] !== 1 || (stopsCount && graph.waits[node]?.stopped === true)) continue;
    let fewest = Infinity;
    for (let clause = graph.clauseStart[node] ?? 0; clause < (graph.clauseStart[node + 1] ?? 0); clause++) {
      if (answer.satisfied[clause] === 1) continue;
      const first = graph.memberStart[graph.alternativeStart[clause] ?? 0] ?? 0;
      const size = (graph.memberStart[graph.alternativeStart[clause + 1] ?? 0] ?? 0) - first;
      if (size < fewest) { fewest = size; because[node] = clause; }
    }
  }
  /** Where node's reason leads, among the stuck: [from, to) in members, of which those not stuck are skipped. */
  const from = (node: number): number => because[node] === -1 ? 0 : graph.memberStart[graph.alternativeStart[because[node] ?? 0] ?? 0] ?? 0;
  const to = (node: number): number => because[node] === -1 ? 0 : graph.memberStart[graph.alternativeStart[(because[node] ?? 0) + 1] ?? 0] ?? 0;

  const { component, componentCount } = components(graph, stuck, from, to);
  const leaves = new Uint8Array(componentCount);
  const cores: number[][] = Array.from({ length: componentCount }, () => []);
  for (let node = 0; node < graph.nodeCount; node++) {
    if (stuck[node] !== 1) continue;
    const own = component[node] ?? 0;
    cores[own]?.push(node);
    for (let at = from(node); at < to(node); at++) {
      const next = graph.members[at] ?? 0;
      if (stuck[next] === 1 && component[next] !== own) leaves[own] = 1;
    }
  }
  // Everybody behind a core, breadth first over the reasons turned round, each node once.
  const taken = new Uint8Array(graph.nodeCount);
  const groups: Group[] = [];
  for (let id = 0; id < componentCount; id++) {
    const core = cores[id];
    if (!core || leaves[id] === 1) continue;
    const members = [...core];
    for (const node of core) taken[node] = 1;
    for (let i = 0; i < members.length; i++) {
      const node = members[i] ?? 0;
      for (let at = graph.occurrenceStart[node] ?? 0; at < (graph.occurrenceStart[node + 1] ?? 0); at++) {
        const clause = graph.clauseOfAlternative[graph.occurrences[at] ?? 0] ?? 0;
        const waiter = graph.nodeOfClause[clause] ?? 0;
        if (stuck[waiter] !== 1 || taken[waiter] === 1 || because[waiter] !== clause) continue;
        taken[waiter] = 1;
        members.push(waiter);
      }
    }
    groups.push({ core: inChainOrder(graph, core, from, to), members, stopped: stopsCount && core.some(node => graph.waits[node]?.stopped === true), because, clauseStart: graph.clauseStart });
  }
  return groups;
}

/** Tarjan's strongly connected components among the stuck nodes, without recursion. */
function components(graph: WaitGraph, stuck: Uint8Array, from: (node: number) => number, to: (node: number) => number): { component: Int32Array; componentCount: number } {
  const index = new Int32Array(graph.nodeCount).fill(-1);
  const low = new Int32Array(graph.nodeCount);
  const component = new Int32Array(graph.nodeCount).fill(-1);
  const next = new Int32Array(graph.nodeCount);
  const open: number[] = [];
  const path: number[] = [];
  let counter = 0;
  let componentCount = 0;
  const enter = (node: number): void => {
    index[node] = low[node] = counter++;
    next[node] = from(node);
    open.push(node);
    path.push(node);
  };
  for (let root = 0; root < graph.nodeCount; root++) {
    if (stuck[root] !== 1 || index[root] !== -1) continue;
    enter(root);
    while (path.length > 0) {
      const node = path[path.length - 1] ?? 0;
      const at = next[node] ?? 0;
      if (at < to(node)) {
        next[node] = at + 1;
        const target = graph.members[at] ?? 0;
        if (stuck[target] !== 1) continue;
        if (index[target] === -1) enter(target);
        else if (component[target] === -1) low[node] = Math.min(low[node] ?? 0, index[target] ?? 0);
        continue;
      }
      path.pop();
      const parent = path[path.length - 1];
      if (parent !== undefined) low[parent] = Math.min(low[parent] ?? 0, low[node] ?? 0);
      if (low[node] !== index[node]) continue;
      for (let member = open.pop(); member !== undefined; member = member === node ? undefined : open.pop()) component[member] = componentCount;
      componentCount++;
    }
  }
  return { component, componentCount };
}

/** A core in the order in which one waits for the next, beginning with its lowest TID. */
function inChainOrder(graph: WaitGraph, core: readonly number[], from: (node: number) => number, to: (node: number) => number): number[] {
  const inside = new Set(core);
  const tidOf = (node: number): number => graph.waits[node]?.tid ?? Infinity;
  const ordered: number[] = [];
  const seen = new Set<number>();
  for (const start of [...core].sort((a, b) => tidOf(a) - tidOf(b))) {
    for (const pending = [start]; pending.length > 0;) {
      const node = pending.pop() ?? 0;
      if (seen.has(node)) continue;
      seen.add(node);
      ordered.push(node);
      for (let at = to(node) - 1; at >= from(node); at--) {
        const target = graph.members[at] ?? 0;
        if (inside.has(target) && !seen.has(target)) pending.push(target);
      }
    }
  }
  return ordered;
}

function findingOf(question: WaitsInQuestion, verdict: Verdict, group: Group, members: readonly number[], unlessGaps: boolean): Finding {
  const { waits } = question;
  const waitOf = (node: number): Wait => {
    const wait = waits[node];
    if (!wait) throw new Error(`no wait ${node}`);
    return wait;
  };
  const core = group.core.filter(node => node < waits.length);
  // Behind a stopped thread the chain starts at the one who waits for it: the stopped thread waits for nobody.
  const first = members[0];
  const chain = group.stopped && first !== undefined ? [first, ...core] : core;
  const clauseOf = (node: number): Wait['clauses'][number] | undefined => {
    const clause = group.because[node] ?? -1;
    return clause < 0 ? undefined : waitOf(node).clauses[clause - (group.clauseStart[node] ?? 0)];
  };
  const links = chain.map(node => ({ wait: waitOf(node), clause: clauseOf(node) }));
  const gapsOf = (nodes: readonly number[]): string[] => [...new Set(nodes.flatMap(node => waitOf(node).clauses.flatMap(clause => clause.gaps ?? [])))];
  const ownGaps = gapsOf(chain);
  const gaps = !unlessGaps ? [] : ownGaps.length > 0 ? ownGaps : gapsOf(members);
  const tidOrder = (a: Wait, b: Wait): number => a.pid - b.pid || a.tid - b.tid;
  return {
    verdict,
    threads: members.map(waitOf).sort(tidOrder).map(({ pid, tid }) => ({ pid, tid })),
    chain: links.map(({ wait: { pid, tid, objectId }, clause }) => ({ pid, tid, ...(clause?.alternatives[0]?.objectId ?? objectId) !== undefined && { objectId: clause?.alternatives[0]?.objectId ?? objectId } })),
    gaps,
    explanation: explain({ verdict, unlessGaps, links, behind: members.length - (group.stopped ? 1 : core.length), processes: question.processes, objects: question.objects }),
  };
}
