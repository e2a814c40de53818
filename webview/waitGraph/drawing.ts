// The drawing itself: SVG elements of our own, kept by id over updates, so that focus and places survive. Text becomes text nodes.
import type { GraphEdge, GraphNode } from '../waitGraphProtocol';
import { iconPaths } from './icons';
import type { Layout, Point, Route, Size } from './layout';
import { visible } from '../text';

const namespace = 'http://www.w3.org/2000/svg';

/** An element in the SVG namespace. */
export function svgElement<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Readonly<Record<string, string | number>> = {}): SVGElementTagNameMap[K] {
  const element = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

const small = new Set<GraphNode['kind']>(['outside', 'unseen', 'nobody', 'more']);

/** How large a node is drawn. It hangs on its kind alone: what it says never moves its neighbours. */
export function sizeOf({ kind }: GraphNode): Size {
  return small.has(kind) ? { width: 176, height: 42 } : { width: 240, height: 46 };
}

const corner: Readonly<Record<GraphNode['kind'], number>> = { thread: 23, process: 23, threads: 23, alike: 23, object: 3, outside: 21, unseen: 3, nobody: 3, more: 3 };

export interface NodeEvents { readonly select: (id: string) => void; readonly act: (id: string) => void }

interface DrawnNode { readonly group: SVGGElement; node?: GraphNode; label?: string }
interface DrawnEdge { readonly group: SVGGElement; key?: string }

export class Drawing {
  readonly edgesLayer = svgElement('g', { class: 'edges' });
  readonly nodesLayer = svgElement('g', { class: 'nodes' });
  private readonly nodes = new Map<string, DrawnNode>();
  private readonly edges = new Map<string, DrawnEdge>();
  private readonly measure = textMeasure();

  constructor(world: SVGGElement, private readonly events: NodeEvents) {
    world.append(this.edgesLayer, this.nodesLayer);
  }

  /** Room that an edge's label takes; 0 without one. */
  labelWidth({ label }: GraphEdge): number {
    return label === undefined ? 0 : Math.ceil(this.measure(visible(label), 'edge')) + 10;
  }

  /** Draws what there is now. `labelOf`: what a screen reader says of a node. */
  update(nodes: readonly GraphNode[], edges: readonly GraphEdge[], { places, routes }: Layout, labelOf: (node: GraphNode) => string): void {
    this.keep(this.nodes, nodes);
    this.keep(this.edges, edges);
    for (const node of nodes) this.drawNode(node, places.get(node.id) ?? { x: 0, y: 0 }, labelOf(node));
    for (const edge of edges) this.drawEdge(edge, routes.get(edge.id) ?? { points: [], label: { x: 0, y: 0 } });
  }

  /** The element of a node, to focus it. */
  element(id: string): SVGGElement | undefined {
    return this.nodes.get(id)?.group;
  }

  /** The one node that Tab leads to; it is the selected one when `selected`. */
  setCurrent(id: string | undefined, selected: boolean): void {
    for (const [each, { group }] of this.nodes) {
      group.setAttribute('tabindex', each === id ? '0' : '-1');
      if (each === id && selected) group.setAttribute('aria-current', 'true');
      else group.removeAttribute('aria-current');
    }
    for (const { group } of this.edges.values()) group.classList.toggle('touching', selected && (group.dataset.from === id || group.dataset.to === id));
  }

  private keep(drawn: Map<string, { readonly group: SVGGElement }>, wanted: readonly { readonly id: string }[]): void {
    const ids = new Set(wanted.map(({ id }) => id));
    for (const [id, { group }] of drawn) {
      if (ids.has(id)) continue;
      group.remove();
      drawn.delete(id);
    }
  }

  private drawNode(node: GraphNode, { x, y }: Point, label: string): void {
    let drawn = this.nodes.get(node.id);
    if (!drawn) {
      const group = svgElement('g', { role: 'button', tabindex: -1 });
      group.addEventListener('click', () => { this.events.select(node.id); });
      group.addEventListener('dblclick', () => { this.events.act(node.id); });
      group.addEventListener('focus', () => { this.events.select(node.id); });
      drawn = { group };
      this.nodes.set(node.id, drawn);
      this.nodesLayer.append(group);
    }
    const { width, height } = sizeOf(node);
    drawn.group.setAttribute('transform', `translate(${x - width / 2} ${y - height / 2})`);
    if (drawn.label !== label) drawn.group.setAttribute('aria-label', drawn.label = label);
    if (JSON.stringify(drawn.node) === JSON.stringify(node)) return;
    const changed = drawn.node !== undefined && (drawn.node.title !== node.title || drawn.node.subtitle !== node.subtitle || drawn.node.tone !== node.tone);
    drawn.node = node;
    drawn.group.setAttribute('class', `node ${node.kind}${node.tone === undefined ? '' : ` tone ${node.tone}`}${changed ? ' changed' : ''}`);
    const face = this.faceOf(node);
    // The label says it all, and unabridged. Blanks between the texts, which are not drawn, keep what is written apart in words.
    for (const element of face) element.setAttribute('aria-hidden', 'true');
    drawn.group.classList.toggle('shortened', face.some(element => element instanceof SVGTextElement && element.classList.contains('cut')));
    drawn.group.replaceChildren(...face.flatMap(element => [element, ' ']));
  }

  private faceOf(node: GraphNode): SVGElement[] {
    const { width, height } = sizeOf(node);
    const radius = corner[node.kind];
    const title = svgElement('title');
    title.textContent = `${visible(node.title)}\n${visible(node.subtitle)}`;
    const icon = svgElement('g', { class: 'icon', transform: `translate(13 ${height / 2 - 8})` });
    for (const d of iconPaths(node.icon)) icon.append(svgElement('path', { d }));
    const badge = node.blocks === undefined || node.blocks === 0 ? [] : this.badge(node.blocks, width);
    return [
      title,
      svgElement('rect', { class: 'ring', x: -4, y: -4, width: width + 8, height: height + 8, rx: radius + 4 }),
      // A pile: many threads drawn as one.
      ...(node.kind === 'alike' || node.kind === 'threads' ? [svgElement('rect', { class: 'shape pile', x: 5, y: 4, width, height, rx: radius })] : []),
      svgElement('rect', { class: 'shape', x: 0, y: 0, width, height, rx: radius }),
      icon,
      this.text('title', node.title, 37, height / 2 - 4, width - 37 - 14),
      this.text('subtitle', node.subtitle, 37, height / 2 + 12, width - 37 - 14, node.kind === 'object'),
      ...badge,
    ];
  }

  private badge(blocks: number, width: number): SVGElement[] {
    const words = String(blocks);
    const size = 16 + (words.length - 1) * 6;
    const text = svgElement('text', { class: 'badge-text', x: width - 12, y: 4, 'text-anchor': 'middle' });
    text.textContent = words;
    return [svgElement('rect', { class: 'badge', x: width - 12 - size / 2, y: -8, width: size, height: 16, rx: 8 }), text];
  }

  private text(name: 'title' | 'subtitle', words: string, x: number, y: number, room: number, bothEnds = false): SVGTextElement {
    const element = svgElement('text', { class: name, x, y });
    const whole = visible(words), short = this.shortened(whole, name, room, bothEnds);
    element.textContent = short;
    if (short !== whole) element.classList.add('cut');
    return element;
  }

  /** Loses its end; with `bothEnds` its middle: the places of two mutexes often differ at their ends alone. */
  private shortened(words: string, font: 'title' | 'subtitle', room: number, bothEnds: boolean): string {
    if (this.measure(words, font) <= room) return words;
    const characters = [...words];
    const kept = (count: number): string => {
      const behind = bothEnds ? Math.floor(count / 2) : 0;
      return `${characters.slice(0, count - behind).join('').trimEnd()}…${behind === 0 ? '' : characters.slice(-behind).join('').trimStart()}`;
    };
    let [low, high] = [0, characters.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.measure(kept(middle), font) <= room) low = middle;
      else high = middle - 1;
    }
    return kept(low);
  }

  private drawEdge(edge: GraphEdge, { points, label: at }: Route): void {
    let drawn = this.edges.get(edge.id);
    if (!drawn) {
      drawn = { group: svgElement('g', { 'aria-hidden': 'true' }) };
      drawn.group.dataset.from = edge.from;
      drawn.group.dataset.to = edge.to;
      this.edges.set(edge.id, drawn);
      this.edgesLayer.append(drawn.group);
    }
    const key = JSON.stringify([edge.kind, edge.tone, edge.label, points, at]);
    if (drawn.key === key) return;
    drawn.key = key;
    const { group } = drawn;
    group.setAttribute('class', `edge ${edge.kind}${edge.tone === undefined ? '' : ` tone ${edge.tone}`}`);
    const head = arrowHead(points, edge);
    const label = edge.label === undefined ? [] : [this.edgeLabel(visible(edge.label), at)];
    group.replaceChildren(svgElement('path', { class: 'line', d: curve(points) }), ...head, ...label);
  }

  private edgeLabel(words: string, { x, y }: Point): SVGTextElement {
    const text = svgElement('text', { class: 'edge-label', x, y: y + 4, 'text-anchor': 'middle' });
    text.textContent = words;
    return text;
  }
}

/** Through the middles of the points, bent at them: smooth, and never far from what the layout kept free. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) return '';
  const write = ({ x, y }: Point): string => `${x.toFixed(1)} ${y.toFixed(1)}`;
  let path = `M${write(first)}`;
  rest.forEach((point, at) => {
    const next = rest[at + 1];
    if (!next) path += `L${write(point)}`;
    else path += `Q${write(point)} ${write(rest[at + 2] ? { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 } : next)}`;
  });
  return path;
}

function arrowHead(points: readonly Point[], { kind }: GraphEdge): SVGElement[] {
  const end = points.at(-1);
  const before = points.at(-2);
  if (!end || !before || kind === 'one-of') return [];
  const angle = Math.atan2(end.y - before.y, end.x - before.x);
  const at = (distance: number, aside: number): string => `${(end.x - Math.cos(angle) * distance - Math.sin(angle) * aside).toFixed(1)} ${(end.y - Math.sin(angle) * distance + Math.cos(angle) * aside).toFixed(1)}`;
  const open = kind === 'could' || kind === 'outside' || kind === 'unseen' || kind === 'leads';
  return [svgElement('path', open ? { class: 'head open', d: `M${at(9, 5)}L${at(1, 0)}L${at(9, -5)}` } : { class: 'head', d: `M${at(0, 0)}L${at(10, 5)}L${at(10, -5)}Z` })];
}

/** How wide text becomes in the fonts of waitGraph.css. */
function textMeasure(): (words: string, font: 'title' | 'subtitle' | 'edge') => number {
  const context = document.createElement('canvas').getContext('2d');
  const known = new Map<string, number>();
  return (words, font) => {
    const family = getComputedStyle(document.body).fontFamily;
    const style = `${font === 'title' ? '600 13px' : '11px'} ${family}`;
    const key = `${style}\n${words}`;
    let width = known.get(key);
    if (width === undefined) {
      if (context) context.font = style;
      width = context?.measureText(words).width ?? words.length * 7;
      if (known.size > 5_000) known.clear();
      known.set(key, width);
    }
    return width;
  };
}
