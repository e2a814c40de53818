// Splits stuck threads into groups, each with the smallest set that explains it: the threads in a ring, or the one that is
// stopped or waits for the dead; and those who merely wait behind it. Flat arrays throughout, O(V + E). Pure.
import type { Fixpoint } from './fixpoint';
import { stoppedFlag } from './waitGraph';
import type { WaitGraph } from './waitGraph';

/** Group g: members nodes[begins[g]] … nodes[ends[g] - 1], of which those before coreEnds[g] are its core. */
export interface StuckGroups {
  /** The core in the order of the chain, then everyone behind it, the nearest first. */
  readonly nodes: Int32Array;
  readonly begins: Int32Array;
  readonly coreEnds: Int32Array;
  readonly ends: Int32Array;
  /** The clause that keeps each node; -1 for a stopped thread. */
  readonly because: Int32Array;
}

/** What looking for shorter rings may cost for all groups together, in edges: an explanation is no less true for being longer. */
const searchedEdges = 200_000;
/** From so many threads of a ring a shorter one is looked for. */
const searchedStarts = 8;

/**
 * Each node keeps one reason: its unsatisfied clause with the fewest threads. In that thinner graph the strongly connected sets
 * that nothing leaves are the cores; everybody else belongs to the core reached first. Where a thread waits for several things
 * at once, a shorter ring is looked for, within limits.
 * @param stuck per node: 1, it belongs to a group
 * @param stopsCount a stop keeps a thread, whatever else it waits for
 */
export function stuckGroups(graph: WaitGraph, answer: Fixpoint, stuck: Uint8Array, stopsCount: boolean): StuckGroups {
  const reasons = new Reasons(graph, answer, stuck, stopsCount);
  let components = componentsOf(reasons);
  if (reasons.choice && shortenRings(reasons, components)) components = componentsOf(reasons);
  const { occurrenceStart, occurrences, nodeOfClause } = graph;
  const { because } = reasons;
  const nodes = new Int32Array(components.nodes.length);
  const taken = new Uint8Array(graph.nodeCount);
  const begins: number[] = [], coreEnds: number[] = [], ends: number[] = [];
  const chains = new ChainOrder(reasons, components);
  let end = 0;
  for (let id = 0; id < components.count; id++) {
    if (!isCore(reasons, components, id)) continue;
    begins.push(end);
    end = chains.write(id, nodes, end);
    coreEnds.push(end);
    // Everybody behind the core, breadth first over the reasons turned round, each node once.
    let at = begins[begins.length - 1] ?? 0;
    for (let i = at; i < end; i++) taken[nodes[i] ?? 0] = 1;
    for (; at < end; at++) {
      const node = nodes[at] ?? 0;
      const last = occurrenceStart[node + 1] ?? 0;
      for (let occurrence = occurrenceStart[node] ?? 0; occurrence < last; occurrence++) {
        const clause = occurrences[occurrence] ?? 0;
        const waiter = nodeOfClause[clause] ?? 0;
        if (stuck[waiter] !== 1 || taken[waiter] === 1 || because[waiter] !== clause) continue;
        taken[waiter] = 1;
        nodes[end++] = waiter;
      }
    }
    ends.push(end);
  }
  return { nodes, begins: Int32Array.from(begins), coreEnds: Int32Array.from(coreEnds), ends: Int32Array.from(ends), because };
}

/** The thinner graph: for each stuck node the one clause that keeps it. */
class Reasons {
  readonly because: Int32Array;
  /** Whom the reason names: [from, to) in the graph's members, of which those not stuck are skipped. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** Some thread has more than one reason. */
  readonly choice: boolean;

  constructor(readonly graph: WaitGraph, readonly answer: Fixpoint, readonly stuck: Uint8Array, stopsCount: boolean) {
    const { nodeCount, nodeFlags, clauseStart, clauseMemberStart } = graph;
    this.because = new Int32Array(nodeCount).fill(-1);
    this.from = new Int32Array(nodeCount);
    this.to = new Int32Array(nodeCount);
    let choice = false;
    for (let node = 0; node < nodeCount; node++) {
      if (stuck[node] !== 1 || (stopsCount && ((nodeFlags[node] ?? 0) & stoppedFlag) !== 0)) continue;
      let fewest = -1;
      const end = clauseStart[node + 1] ?? 0;
      for (let clause = clauseStart[node] ?? 0; clause < end; clause++) {
        if ((answer.left[clause] ?? 0) <= 0) continue;
        const size = (clauseMemberStart[clause + 1] ?? 0) - (clauseMemberStart[clause] ?? 0);
        if (fewest !== -1) choice = true;
        if (fewest === -1 || size < fewest) { fewest = size; this.choose(node, clause); }
      }
    }
    this.choice = choice;
  }

  choose(node: number, clause: number): void {
    this.because[node] = clause;
    this.from[node] = this.graph.clauseMemberStart[clause] ?? 0;
    this.to[node] = this.graph.clauseMemberStart[clause + 1] ?? 0;
  }
}

/** Component x: nodes[starts[x]] … nodes[starts[x + 1] - 1]. `spare`: three arrays of all nodes that are needed no more. */
interface Components { readonly count: number; readonly nodes: Int32Array; readonly starts: Int32Array; readonly componentOf: Int32Array; readonly spare: readonly [Int32Array, Int32Array, Int32Array] }

/** Tarjan's strongly connected components among the stuck nodes, without recursion. */
function componentsOf({ graph, stuck, from, to }: Reasons): Components {
  const { nodeCount, members } = graph;
  const index = new Int32Array(nodeCount).fill(-1);
  const low = new Int32Array(nodeCount);
  const componentOf = new Int32Array(nodeCount).fill(-1);
  const next = new Int32Array(nodeCount);
  const open = new Int32Array(nodeCount);
  const path = new Int32Array(nodeCount);
  const nodes = new Int32Array(nodeCount);
  const starts = new Int32Array(nodeCount + 1);
  let counter = 0, count = 0, written = 0, opened = 0, depth = 0;
  for (let root = 0; root < nodeCount; root++) {
    if (stuck[root] !== 1 || index[root] !== -1) continue;
    index[root] = low[root] = counter++;
    next[root] = from[root] ?? 0;
    open[opened++] = root;
    path[depth++] = root;
    while (depth > 0) {
      const node = path[depth - 1] ?? 0;
      const at = next[node] ?? 0;
      if (at < (to[node] ?? 0)) {
        next[node] = at + 1;
        const target = members[at] ?? 0;
        if (stuck[target] !== 1) continue;
        const seen = index[target] ?? 0;
        if (seen === -1) {
          index[target] = low[target] = counter++;
          next[target] = from[target] ?? 0;
          open[opened++] = target;
          path[depth++] = target;
        } else if (componentOf[target] === -1 && seen < (low[node] ?? 0)) low[node] = seen;
        continue;
      }
      depth--;
      const lowest = low[node] ?? 0;
      if (depth > 0) {
        const parent = path[depth - 1] ?? 0;
        if (lowest < (low[parent] ?? 0)) low[parent] = lowest;
      }
      if (lowest !== index[node]) continue;
      for (let member = -1; member !== node;) {
        member = open[--opened] ?? 0;
        componentOf[member] = count;
        nodes[written++] = member;
      }
      starts[++count] = written;
    }
  }
  return { count, nodes: nodes.subarray(0, written), starts, componentOf, spare: [next, path, index] };
}

/** Whether nothing leads out of a component. */
function isCore({ graph, stuck, from, to }: Reasons, { nodes, starts, componentOf }: Components, id: number): boolean {
  for (let i = starts[id] ?? 0; i < (starts[id + 1] ?? 0); i++) {
    const node = nodes[i] ?? 0;
    for (let at = from[node] ?? 0; at < (to[node] ?? 0); at++) {
      const target = graph.members[at] ?? 0;
      if (stuck[target] === 1 && componentOf[target] !== id) return false;
    }
  }
  return true;
}

/** Cores in the order in which one waits for the next. */
class ChainOrder {
  readonly #next: Int32Array;
  readonly #path: Int32Array;
  readonly #entered: Int32Array;

  constructor(readonly reasons: Reasons, readonly components: Components) {
    [this.#next, this.#path, this.#entered] = components.spare;
    this.#entered.fill(0);
  }

  /** Writes a component's nodes, depth first from its lowest TID; returns where it ended. "Any thread of" nodes come in between. */
  write(id: number, ordered: Int32Array, begin: number): number {
    const { graph: { waits, members }, from, to } = this.reasons;
    const { nodes, starts, componentOf } = this.components;
    let start = nodes[starts[id] ?? 0] ?? 0;
    for (let i = (starts[id] ?? 0) + 1; i < (starts[id + 1] ?? 0); i++) {
      const node = nodes[i] ?? 0;
      if ((waits[node]?.tid ?? Infinity) < (waits[start]?.tid ?? Infinity)) start = node;
    }
    let length = begin;
    let depth = 0;
    for (let entering = start; ;) {
      if (entering !== -1) {
        this.#next[entering] = from[entering] ?? 0;
        this.#entered[entering] = 1;
        ordered[length++] = entering;
        this.#path[depth++] = entering;
        entering = -1;
      }
      if (depth === 0) return length;
      const node = this.#path[depth - 1] ?? 0;
      const at = this.#next[node] ?? 0;
      if (at >= (to[node] ?? 0)) { depth--; continue; }
      this.#next[node] = at + 1;
      const target = members[at] ?? 0;
      if (componentOf[target] === id && this.#entered[target] !== 1) entering = target;
    }
  }
}

/** Looks for rings shorter than the cores, and gives their threads the reasons that make them; whether there were any. */
function shortenRings(reasons: Reasons, components: Components): boolean {
  const { graph, answer, stuck } = reasons;
  const { nodes, starts } = components;
  const cameFrom = new Int32Array(graph.nodeCount);
  const through = new Int32Array(graph.nodeCount);
  const depth = new Int32Array(graph.nodeCount);
  const seen = new Int32Array(graph.nodeCount);
  const queue = new Int32Array(graph.nodeCount);
  const settled = new Uint8Array(graph.nodeCount);
  let search = 0;
  let budget = searchedEdges;
  let any = false;

  /** Breadth first over clauses that name one stuck thread; the last node of a ring through `start` of fewer than `size` nodes, or -1. No ring found already is crossed. */
  const ringFrom = (start: number, size: number): number => {
    search++;
    seen[start] = search;
    depth[start] = 1;
    queue[0] = start;
    let length = 1;
    for (let taken = 0; taken < length && budget > 0; taken++) {
      const node = queue[taken] ?? 0;
      const far = depth[node] ?? 0;
      if (far >= size) return -1;
      for (let clause = graph.clauseStart[node] ?? 0; clause < (graph.clauseStart[node + 1] ?? 0); clause++) {
        budget--;
        const at = graph.clauseMemberStart[clause] ?? 0;
        if ((answer.left[clause] ?? 0) <= 0 || (graph.clauseMemberStart[clause + 1] ?? 0) - at !== 1) continue;
        const target = graph.members[at] ?? 0;
        if (target === start) { through[start] = clause; return node; }
        if (stuck[target] !== 1 || reasons.because[target] === -1 || seen[target] === search || settled[target] === 1) continue;
        seen[target] = search;
        depth[target] = far + 1;
        cameFrom[target] = node;
        through[target] = clause;
        queue[length++] = target;
      }
    }
    return -1;
  };

  for (let id = 0; id < components.count && budget > 0; id++) {
    let size = (starts[id + 1] ?? 0) - (starts[id] ?? 0);
    if (size < 3 || !isCore(reasons, components, id)) continue;
    // Each node of the best ring and the clause that makes it wait for the next.
    let ring: { readonly node: number; readonly clause: number }[] = [];
    const last = Math.min(starts[id + 1] ?? 0, (starts[id] ?? 0) + searchedStarts);
    for (let i = starts[id] ?? 0; i < last && size > 1; i++) {
      const start = nodes[i] ?? 0;
      if (settled[start] === 1) continue;
      const end = ringFrom(start, size);
      if (end === -1) continue;
      ring = [];
      // `through` is the clause that led to a node: the reason of the one before.
      for (let node = end, target = start; ; node = cameFrom[node] ?? 0) {
        ring.push({ node, clause: through[target] ?? 0 });
        target = node;
        if (node === start) break;
      }
      size = ring.length;
    }
    for (const { node, clause } of ring) {
      settled[node] = 1;
      if (reasons.because[node] === clause) continue;
      reasons.choose(node, clause);
      any = true;
    }
  }
  return any;
}
