// The graph in words: the same nodes and edges as nested lists, for a screen reader, for narrow panels, and to copy from.
import type { Described } from '../patch';
import { h } from '../patch';
import type { GraphEdge, GraphNode, GraphStrings, GraphView } from '../waitGraphProtocol';
import { fill, visible } from '../text';

/** What an edge says of its two ends. */
export function edgeWords({ kind, label }: GraphEdge, from: GraphNode | undefined, other: string, strings: GraphStrings): string {
  const suffix = label === undefined ? '' : ` (${visible(label)})`;
  switch (kind) {
    case 'waits': return fill(strings.waitsFor, other);
    // A thread waits for another (its end, its input); an object is held by one.
    case 'held': return fill(from?.kind === 'object' ? strings.heldBy : strings.waitsFor, other) + suffix;
    case 'could': return fill(strings.couldBy, other) + suffix;
    case 'leads': return fill(strings.leadsTo, other) + suffix;
    case 'one-of': return fill(strings.oneOf, other);
    case 'outside': case 'unseen': return fill(strings.couldBy, other);
    default: return kind satisfies never;
  }
}

/** A node in one line, as it is drawn: `clerk PID 12 · flock`. */
function nodeTitle({ title, subtitle }: GraphNode): string {
  return `${visible(title)} ${visible(subtitle)}`;
}

/** What a screen reader says of a node of the drawing. */
export function nodeLabel(node: GraphNode, out: readonly GraphEdge[], into: readonly GraphEdge[], nodes: ReadonlyMap<string, GraphNode>, strings: GraphStrings): string {
  const name = (id: string): string => visible(nodes.get(id)?.title ?? '');
  const few = (parts: readonly string[]): string[] => parts.length <= 5 ? [...parts] : [...parts.slice(0, 5), '…'];
  return [
    nodeTitle(node), ...(node.tone === undefined ? [] : [strings[node.tone]]), ...(node.blocks === undefined ? [] : [blocksWords(node.blocks, strings)]),
    ...few(out.map(edge => edgeWords(edge, node, name(edge.to), strings))), ...(into.length === 0 ? [] : [fill(strings.waitedBy, few(into.map(edge => name(edge.from))).join(', '))]),
  ].join('. ');
}

/** `blocks 3 threads`. */
export function blocksWords(blocks: number, strings: GraphStrings): string {
  return blocks === 1 ? strings.blocksOne : fill(strings.blocks, String(blocks));
}

/** The list. `act`: what a node's button does. */
export function graphList(view: GraphView, strings: GraphStrings, act: (node: GraphNode) => void): Described[] {
  const nodes = new Map(view.nodes.map(node => [node.id, node]));
  const out = new Map<string, GraphEdge[]>();
  for (const edge of view.edges) out.set(edge.from, [...out.get(edge.from) ?? [], edge]);
  const told = new Set<string>();
  const link = (node: GraphNode): Described => node.actions.length === 0 ? h('span', {}, h('bdi', {}, visible(node.title)), ' ', h('span', { class: 'aside' }, visible(node.subtitle))) : h('button', { type: 'button', class: `link ${node.tone === undefined ? '' : `tone ${node.tone}`}`, onClick: () => act(node) }, h('bdi', {}, visible(node.title)), ' ', h('span', { class: 'aside' }, visible(node.subtitle)));
  /** What an edge leads to; what that leads to in turn unless it is a thread, which has an item of its own. */
  const way = (edge: GraphEdge, above: ReadonlySet<string>): Described | undefined => {
    const node = nodes.get(edge.to);
    if (!node) return undefined;
    const [before = '', after = ''] = edgeWords(edge, nodes.get(edge.from), '\n', strings).split('\n');
    const below = node.kind === 'thread' || node.kind === 'alike' || above.has(node.id) ? [] : out.get(node.id) ?? [];
    const deeper = new Set([...above, node.id]);
    return h('li', { key: edge.id }, before, link(node), after, ...(below.length === 0 ? [] : [h('ul', {}, ...below.map(next => way(next, deeper)).filter(it => it !== undefined))]));
  };
  const item = (node: GraphNode): Described => {
    told.add(node.id);
    return h('li', { key: node.id }, link(node), h('ul', {}, ...(out.get(node.id) ?? []).map(edge => way(edge, new Set([node.id]))).filter(it => it !== undefined)));
  };
  const isWaiter = ({ kind, id }: GraphNode): boolean => (kind === 'thread' || kind === 'alike') && (out.get(id)?.length ?? 0) > 0;
  const chains = view.chains.flatMap((chain, at) => {
    const its = chain.nodes.flatMap(id => nodes.get(id) ?? []).filter(node => isWaiter(node) && !told.has(node.id));
    if (its.length === 0) return [];
    return [h('section', { key: chain.key, 'aria-labelledby': `chain-${at}` },
      h('h2', { id: `chain-${at}`, class: `tone ${chain.tone}` }, h('span', { class: 'codicon codicon-error', 'aria-hidden': 'true' }), strings[chain.tone]),
      h('p', { class: 'explanation' }, h('bdi', {}, visible(chain.explanation))), h('ul', { class: 'waits' }, ...its.map(item)))];
  });
  const others = view.nodes.filter(node => isWaiter(node) && !told.has(node.id));
  if (others.length === 0) return chains;
  return [...chains, h('section', { key: 'others', 'aria-labelledby': 'others' }, h('h2', { id: 'others' }, strings.otherWaits), h('ul', { class: 'waits' }, ...others.map(item)))];
}
