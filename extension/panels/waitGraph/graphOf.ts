// From waits to a graph: threads and what they wait on are nodes, "waits on" and "could end it" are edges. Structure only: no words, no
// places. Alike waiters are one node, and what is too much is counted. Pure.
import type { Alternative, Clause, Finding, Gap, ThreadRef, Wait } from '../../../native-probe/model';
import type { GraphEdgeKind, GraphTone } from '../../../webview/waitGraphProtocol';
import { grouped } from '../../snapshotIndex';
import type { SnapshotIndex } from '../../snapshotIndex';
import type { ChosenWaits, GraphChoice } from './chosenWaits';
import { findingKey, threadKey } from './chosenWaits';

export type Part =
  | { readonly kind: 'thread'; readonly pid: number; readonly tid: number; readonly wait?: Wait; readonly foldable?: string }
  | { readonly kind: 'process'; readonly pid: number }
  | { readonly kind: 'threads'; readonly threads: readonly ThreadRef[] }
  | { readonly kind: 'alike'; readonly waits: readonly Wait[] }
  | { readonly kind: 'object'; readonly objectId: string }
  | { readonly kind: 'outside'; readonly reason: string }
  | { readonly kind: 'unseen'; readonly gaps: readonly Gap[] }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'more'; readonly ways: number };

export interface Edge { readonly from: string; readonly to: string; readonly kind: GraphEdgeKind; readonly label?: string }
export interface Chain { readonly key: string; readonly finding: Finding; readonly nodes: readonly string[]; readonly edges: readonly string[]; readonly ring: boolean }

export interface Graph {
  readonly parts: ReadonlyMap<string, Part>;
  /** By `FROM → TO`. */
  readonly edges: ReadonlyMap<string, Edge>;
  readonly chains: readonly Chain[];
  readonly tones: ReadonlyMap<string, GraphTone>;
  /** Blocked threads with a node, their own or one for all alike. */
  readonly shown: number;
}

/** More waiters than this that are alike are drawn as one. */
const fewAlike = 5;
/** More threads or ways than this that could end one wait are drawn as one. */
const fewWays = 5;

/** The graph of the chosen waits. */
export function graphOf(index: SnapshotIndex, chosen: ChosenWaits, choice: GraphChoice): Graph {
  const builder = new Builder(index, chosen);
  let shown = 0;
  for (const unit of unitsOf(chosen, choice.unfolded)) {
    if (builder.parts.size >= choice.most) break;
    builder.add(unit);
    shown += unit.waits.length;
  }
  builder.join();
  const chains = chosen.findings.flatMap(finding => builder.chain(finding));
  return { parts: builder.parts, edges: builder.edges, chains, tones: tonesOf(chains), shown };
}

/** What becomes one node. `foldable`: what its alike are folded under when asked. */
interface Unit { readonly id?: string; readonly waits: readonly Wait[]; readonly foldable?: string }

/** Each wait for itself, or many alike together; in the order in which they came. */
function unitsOf({ waits, findings }: ChosenWaits, unfolded: ReadonlySet<string>): Unit[] {
  const named = new Set(findings.flatMap(finding => finding.chain.map(({ pid, tid }) => `${pid}.${tid}`)));
  for (const wait of waits) for (const { alternatives } of wait.clauses) for (const { threads } of alternatives) for (const { pid, tid } of threads) if (tid !== undefined) named.add(`${pid}.${tid}`);
  const groups = grouped(waits, wait => named.has(`${wait.pid}.${wait.tid}`) || wait.objectId === undefined ? undefined : alikeId(wait));
  const units: Unit[] = [];
  const told = new Set<string>();
  for (const wait of waits) {
    const id = named.has(`${wait.pid}.${wait.tid}`) ? undefined : alikeId(wait);
    const group = id === undefined ? undefined : groups.get(id);
    if (id === undefined || !group || group.length <= fewAlike) units.push({ waits: [wait] });
    else if (unfolded.has(id)) units.push({ waits: [wait], foldable: id });
    else if (!told.has(id)) {
      told.add(id);
      units.push({ id, waits: group });
    }
  }
  return units;
}

function alikeId({ objectId, operation, verdict }: Wait): string {
  return `alike:${operation}:${verdict}:${objectId ?? ''}`;
}

class Builder {
  readonly parts = new Map<string, Part>();
  readonly edges = new Map<string, Edge>();
  /** Node of each blocked thread that is shown, by `PID.TID`. */
  private readonly nodeOf = new Map<string, string>();
  private readonly nodesOfPid = new Map<number, Set<string>>();

  /** Blocked threads of each process, shown or not. */
  private readonly waitsOf: ReadonlyMap<number, readonly Wait[]>;
  /** Processes of which a blocked thread is to be shown. */
  private readonly told: ReadonlySet<number>;

  constructor(private readonly index: SnapshotIndex, chosen: ChosenWaits) {
    this.waitsOf = grouped(index.snapshot.waits, wait => wait.pid);
    this.told = new Set(chosen.waits.map(wait => wait.pid));
  }

  /** A thread, or several alike, with what they wait on and who could end that. */
  add({ id, waits, foldable }: Unit): void {
    const [first] = waits;
    if (!first) return;
    const node = id ?? threadKey(first, this.index);
    this.parts.set(node, id === undefined ? { kind: 'thread', pid: first.pid, tid: first.tid, wait: first, ...(foldable === undefined ? {} : { foldable }) } : { kind: 'alike', waits });
    for (const wait of waits) {
      this.nodeOf.set(`${wait.pid}.${wait.tid}`, node);
      const its = this.nodesOfPid.get(wait.pid);
      if (its) its.add(node);
      else this.nodesOfPid.set(wait.pid, new Set([node]));
    }
    // Those that are alike wait on one object: they have the same ways out but for the ranges of locks, of which the first few tell enough.
    for (const wait of waits.slice(0, 50)) this.addWait(node, wait);
  }

  private addWait(node: string, wait: Wait): void {
    const on = wait.objectId === undefined ? undefined : this.object(wait.objectId);
    if (on !== undefined) this.edge(node, on, 'waits');
    for (const clause of wait.clauses) {
      const { alternatives, external, gaps = [] } = clause;
      const only = alternatives.length === 1 && external === undefined && gaps.length === 0;
      // What leads to somebody blocked comes first: the rest is only counted.
      const sorted = alternatives.length <= fewWays ? alternatives : [...alternatives].sort((a, b) => this.interest(b) - this.interest(a));
      for (const alternative of sorted.slice(0, fewWays)) this.addWay(node, on, wait, alternative, only);
      if (sorted.length > fewWays) this.to(on ?? node, `more:${on ?? node}`, { kind: 'more', ways: sorted.length - fewWays }, 'could');
      if (external !== undefined) this.to(on ?? node, `outside:${external}:${on ?? node}`, { kind: 'outside', reason: external }, 'outside');
      const unseen = gaps.flatMap(id => this.index.gap(id) ?? []);
      if (unseen.length > 0) this.to(on ?? node, `unseen:${on ?? node}`, { kind: 'unseen', gaps: unseen }, 'unseen');
      if (isHopeless(clause)) this.to(on ?? node, `nobody:${on ?? node}`, { kind: 'nobody' }, 'held');
    }
  }

  private interest({ threads }: Alternative): number {
    return threads.some(({ pid }) => this.told.has(pid)) ? 1 : 0;
  }

  private addWay(node: string, on: string | undefined, wait: Wait, { objectId, event, threads }: Alternative, only: boolean): void {
    let from = on ?? node;
    if (objectId !== undefined && objectId !== wait.objectId) {
      const what = this.object(objectId);
      this.edge(from, what, on === undefined ? 'waits' : 'leads');
      from = what;
    }
    const label = on === undefined && from === node ? wait.operation : event;
    const kind = only && threads.length === 1 ? 'held' : 'could';
    const pids = new Set(threads.map(({ pid }) => pid));
    const [first] = threads;
    if (threads.length <= fewWays) for (const thread of threads) this.toThread(from, thread, kind, label);
    else if (pids.size === 1 && first) this.toThread(from, { pid: first.pid }, 'could', label);
    else if (pids.size <= fewWays) for (const pid of pids) this.toThread(from, threads.find((it, _, all) => it.pid === pid && all.filter(other => other.pid === pid).length === 1) ?? { pid }, 'could', label);
    else this.to(from, `threads:${from}:${event}`, { kind: 'threads', threads }, 'could', label);
  }

  private object(objectId: string): string {
    const id = `object:${objectId}`;
    if (!this.parts.has(id)) this.parts.set(id, { kind: 'object', objectId });
    return id;
  }

  private toThread(from: string, thread: ThreadRef, kind: GraphEdgeKind, label: string): void {
    const { pid } = thread;
    // Any thread of a process that shows one, blocked in its main thread, is that one: they are one to people.
    const [sole, ...others] = this.waitsOf.get(pid) ?? [];
    const tid = thread.tid ?? (others.length === 0 && sole?.tid === pid ? pid : undefined);
    if (tid === undefined) this.to(from, threadKey(thread, this.index), { kind: 'process', pid }, kind, label);
    else {
      const wait = this.index.waitOf(pid, tid);
      this.to(from, this.nodeOf.get(`${pid}.${tid}`) ?? threadKey({ pid, tid }, this.index), { kind: 'thread', pid, tid, ...(wait ? { wait } : {}) }, kind, label);
    }
  }

  private to(from: string, id: string, part: Part, kind: GraphEdgeKind, label?: string): void {
    if (!this.parts.has(id)) this.parts.set(id, part);
    this.edge(from, id, kind, label);
  }

  private edge(from: string, to: string, kind: GraphEdgeKind, label?: string): void {
    const id = edgeId(from, to);
    const known = this.edges.get(id);
    // Several waits on one object may have different ways out: what one of them has for certain is an edge of certainty.
    if (!known || (known.kind === 'could' && kind === 'held')) this.edges.set(id, { from, to, kind, ...(label === undefined ? {} : { label }) });
  }

  /** "Any thread of a process" leads on to those of its threads that are blocked, "any of these threads" likewise. */
  join(): void {
    for (const [id, part] of this.parts) {
      if (part.kind === 'process') for (const node of this.nodesOfPid.get(part.pid) ?? []) this.edge(id, node, 'one-of');
      else if (part.kind === 'threads') {
        for (const { pid, tid } of part.threads) {
          const nodes = tid === undefined ? this.nodesOfPid.get(pid) ?? [] : [this.nodeOf.get(`${pid}.${tid}`)];
          for (const node of nodes) if (node !== undefined) this.edge(id, node, 'one-of');
        }
      }
    }
  }

  /** A finding's chain as a way through the graph; none when not all of it is shown. */
  chain(finding: Finding): Chain[] {
    const links = finding.chain.map(({ pid, tid }) => this.nodeOf.get(`${pid}.${tid}`) ?? threadKey({ pid, tid }, this.index)).filter(id => this.parts.has(id));
    const nodes: string[] = [];
    const edges: string[] = [];
    let closed = links.length === finding.chain.length;
    const step = (from: string, to: string | undefined): boolean => {
      const way = to === undefined ? undefined : this.way(from, to);
      nodes.push(from);
      if (!way) return false;
      nodes.push(...way.slice(1, -1));
      for (let at = 0; at + 1 < way.length; at++) edges.push(edgeId(way[at] ?? '', way[at + 1] ?? ''));
      return true;
    };
    links.forEach((from, at) => { closed = step(from, links[at + 1] ?? links[0]) && closed; });
    // The end of a chain that is no circle: what it waits on, and that nobody is left who had it.
    const last = links.at(-1);
    if (!closed && last !== undefined) {
      for (let from: string | undefined = last, seen = new Set<string>(); from !== undefined && !seen.has(from);) {
        seen.add(from);
        const next: Edge | undefined = [...this.edges.values()].find(edge => edge.from === from && (edge.to.startsWith('nobody:') || (edge.kind === 'waits' && this.edges.has(edgeId(edge.to, `nobody:${edge.to}`)))));
        if (!next) break;
        edges.push(edgeId(next.from, next.to));
        nodes.push(next.to);
        from = next.to;
      }
    }
    return nodes.length === 0 ? [] : [{ key: findingKey(finding, this.index), finding, nodes: [...new Set(nodes)], edges, ring: closed && new Set(nodes).size === nodes.length && nodes.length > 1 }];
  }

  /** The shortest way from a blocked thread to another that does not lead through a third. */
  private way(from: string, to: string): readonly string[] | undefined {
    const out = this.outgoing ??= grouped(this.edges.values(), edge => edge.from);
    const queue: (readonly string[])[] = [[from]];
    const seen = new Set<string>();
    for (const path of queue) {
      for (const edge of out.get(path.at(-1) ?? '') ?? []) {
        if (edge.to === to) return [...path, to];
        const kind = this.parts.get(edge.to)?.kind;
        if (seen.has(edge.to) || kind === 'thread' || kind === 'alike') continue;
        seen.add(edge.to);
        queue.push([...path, edge.to]);
      }
    }
    return undefined;
  }

  private outgoing: ReadonlyMap<string, readonly Edge[]> | undefined;
}

/** Nobody alive could satisfy it, and nothing that was not seen either. */
function isHopeless({ alternatives, external, gaps = [] }: Clause): boolean {
  return external === undefined && gaps.length === 0 && alternatives.every(({ threads }) => threads.length === 0);
}

/** Id of the edge between two nodes: there is one each way. */
export function edgeId(from: string, to: string): string {
  return `${from}\n${to}`;
}

/** The gravest verdict of the chains that lead through each node and edge. Chains come the gravest first. */
function tonesOf(chains: readonly Chain[]): ReadonlyMap<string, GraphTone> {
  const tones = new Map<string, GraphTone>();
  for (const { finding, nodes, edges } of chains) for (const id of [...nodes, ...edges]) if (!tones.has(id)) tones.set(id, finding.verdict);
  return tones;
}
