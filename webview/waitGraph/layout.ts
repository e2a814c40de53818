// Where nodes stand and how edges run. dagre (layered, after Sugiyama) places each connected part; the parts are packed into rows.
// What has a place keeps it: a refresh moves nothing that is still there. Pure.
import { graphlib, layout as dagre } from '@dagrejs/dagre';

export interface Point { readonly x: number; readonly y: number }
export interface Size { readonly width: number; readonly height: number }
export interface LayoutNode extends Size { readonly id: string; /** The gravest parts come first. */ readonly grave: boolean }
export interface LayoutEdge { readonly id: string; readonly from: string; readonly to: string; /** Of its label; 0 without one. */ readonly width: number }
export interface LayoutInput { readonly nodes: readonly LayoutNode[]; readonly edges: readonly LayoutEdge[]; readonly rings: readonly (readonly string[])[]; /** Width by height of the space there is. */ readonly aspect: number }
/** Nodes by their centres, edges by the points they run through. */
export interface Layout { readonly places: ReadonlyMap<string, Point>; readonly routes: ReadonlyMap<string, Route> }
/** `label`: the middle of the room for its label. */
export interface Route { readonly points: readonly Point[]; readonly label: Point }

const between = { nodes: 40, ranks: 40, parts: 56 } as const;
/** A part of more nodes is ranked and ordered by quicker rules: 300 densely joined nodes take 0.4 s of a processor instead of 1.5. */
const large = 120;

/** A layout from nothing. */
export function arranged(input: LayoutInput): Layout {
  const parts = connected(input).map(part => placedPart(part, input.rings));
  return packed(parts, input.aspect);
}

/**
 * A layout that leaves every node where it was. New nodes go to the free place that is nearest to where a fresh layout has them
 * beside their neighbours. Without anything to keep, or when most is new, it is a fresh one.
 */
export function continued(before: Layout, input: LayoutInput): Layout {
  const kept = input.nodes.filter(({ id }) => before.places.has(id));
  const fresh = input.nodes.filter(({ id }) => !before.places.has(id));
  if (kept.length === 0 || fresh.length > kept.length) return arranged(input);
  const places = new Map<string, Point>(kept.map(({ id }) => [id, before.places.get(id) ?? { x: 0, y: 0 }]));
  if (fresh.length > 0) {
    const ideal = arranged(input).places;
    const neighbours = neighboursOf(input.edges);
    const sizes = new Map(input.nodes.map(node => [node.id, node]));
    const waiting = new Map(fresh.map(node => [node.id, node]));
    // The ones that hang on something placed first, and then on those.
    while (waiting.size > 0) {
      const node = [...waiting.values()].find(({ id }) => neighbours.get(id)?.some(other => places.has(other))) ?? [...waiting.values()][0];
      if (!node) break;
      waiting.delete(node.id);
      const beside = (neighbours.get(node.id) ?? []).filter(other => places.has(other));
      places.set(node.id, freePlace(wished(node.id, beside, ideal, places), node, places, sizes));
    }
  }
  const routes = new Map<string, Route>();
  for (const edge of input.edges) {
    const known = before.routes.get(edge.id);
    if (known && before.places.has(edge.from) && before.places.has(edge.to)) routes.set(edge.id, known);
    else routes.set(edge.id, straight(edge, places, input));
  }
  return { places, routes };
}

/** Where a node would stand, had the fresh layout its neighbours where they are; below everything when it has none. */
function wished(id: string, beside: readonly string[], ideal: ReadonlyMap<string, Point>, places: ReadonlyMap<string, Point>): Point {
  const at = ideal.get(id) ?? { x: 0, y: 0 };
  if (beside.length === 0) return { x: Math.min(...[...places.values()].map(({ x }) => x)), y: Math.max(...[...places.values()].map(({ y }) => y)) + between.parts * 2 };
  const shift = beside.map(other => {
    const [is, was] = [places.get(other), ideal.get(other)];
    return { x: (is?.x ?? 0) - (was?.x ?? 0), y: (is?.y ?? 0) - (was?.y ?? 0) };
  });
  return { x: at.x + mean(shift.map(({ x }) => x)), y: at.y + mean(shift.map(({ y }) => y)) };
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0) / Math.max(1, numbers.length);

/** The nearest place to a wish where the node overlaps none: to the sides first, then further down and up. */
function freePlace(wish: Point, size: Size, places: ReadonlyMap<string, Point>, sizes: ReadonlyMap<string, Size>): Point {
  const free = ({ x, y }: Point): boolean => {
    for (const [id, at] of places) {
      const other = sizes.get(id);
      if (other && Math.abs(at.x - x) < (other.width + size.width) / 2 + 16 && Math.abs(at.y - y) < (other.height + size.height) / 2 + 16) return false;
    }
    return true;
  };
  for (let ring = 0; ring < 60; ring++) {
    for (let row = 0; row <= ring; row++) {
      const column = ring - row;
      for (const [dx, dy] of [[column, row], [-column, row], [column, -row], [-column, -row]] as const) {
        const place = { x: wish.x + dx * 60, y: wish.y + dy * 50 };
        if (free(place)) return place;
      }
    }
  }
  return wish;
}

/** From border to border, bent so that it leaves and arrives upright where one stands above the other. */
function straight({ from, to }: LayoutEdge, places: ReadonlyMap<string, Point>, { nodes }: LayoutInput): Route {
  const [a, b] = [places.get(from) ?? { x: 0, y: 0 }, places.get(to) ?? { x: 0, y: 0 }];
  const [sizeA, sizeB] = [nodes.find(({ id }) => id === from), nodes.find(({ id }) => id === to)];
  const start = border(a, sizeA, b);
  const end = border(b, sizeB, a);
  const middle = { x: (start.x + end.x) / 2 + (start.y > end.y ? 24 : 0), y: (start.y + end.y) / 2 };
  return { points: [start, middle, end], label: middle };
}

function border(at: Point, size: Size | undefined, towards: Point): Point {
  const [dx, dy] = [towards.x - at.x, towards.y - at.y];
  if (!size || (dx === 0 && dy === 0)) return at;
  const scale = Math.min(size.width / 2 / Math.abs(dx || 1e-9), size.height / 2 / Math.abs(dy || 1e-9));
  return { x: at.x + dx * scale, y: at.y + dy * scale };
}

interface Part { readonly nodes: readonly LayoutNode[]; readonly edges: readonly LayoutEdge[] }
interface PlacedPart extends Size { readonly layout: Layout; readonly grave: boolean }

function neighboursOf(edges: readonly LayoutEdge[]): ReadonlyMap<string, readonly string[]> {
  const neighbours = new Map<string, string[]>();
  for (const { from, to } of edges) {
    for (const [a, b] of [[from, to], [to, from]] as const) {
      const known = neighbours.get(a);
      if (known) known.push(b);
      else neighbours.set(a, [b]);
    }
  }
  return neighbours;
}

/** The connected parts, in the order of their first nodes. */
function connected({ nodes, edges }: LayoutInput): Part[] {
  const neighbours = neighboursOf(edges);
  const partOf = new Map<string, number>();
  let parts = 0;
  for (const { id } of nodes) {
    if (partOf.has(id)) continue;
    const queue = new Set([id]);
    for (const each of queue) {
      partOf.set(each, parts);
      for (const next of neighbours.get(each) ?? []) if (!partOf.has(next)) queue.add(next);
    }
    parts++;
  }
  const result = Array.from({ length: parts }, () => ({ nodes: [] as LayoutNode[], edges: [] as LayoutEdge[] }));
  for (const node of nodes) result[partOf.get(node.id) ?? 0]?.nodes.push(node);
  for (const edge of edges) result[partOf.get(edge.from) ?? 0]?.edges.push(edge);
  return result;
}

function placedPart({ nodes, edges }: Part, rings: readonly (readonly string[])[]): PlacedPart {
  const graph = new graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'TB', nodesep: between.nodes, edgesep: 24, ranksep: between.ranks, marginx: 0, marginy: 0, ...nodes.length > large ? { ranker: 'tight-tree', acyclicer: 'greedy' } : { ranker: 'network-simplex' } });
  for (const { id, width, height } of nodes) graph.setNode(id, { width, height });
  const back = ringsBack(nodes, edges, rings);
  for (const { id, from, to, width } of edges) {
    const turned = back.has(id);
    graph.setEdge(turned ? to : from, turned ? from : to, { width, height: width === 0 ? 0 : 16, labelpos: 'c' }, id);
  }
  dagre(graph, { disableOptimalOrderHeuristic: nodes.length > large });
  const places = new Map<string, Point>(nodes.map(({ id }) => {
    const { x = 0, y = 0 } = graph.node(id) as Partial<Point>;
    return [id, { x, y }];
  }));
  const routes = new Map<string, Route>(edges.map(({ id, from, to }) => {
    const turned = back.has(id);
    const { points = [], x, y } = graph.edge(turned ? to : from, turned ? from : to, id) as { points?: readonly Point[]; x?: number; y?: number };
    const plain = points.map(point => ({ x: point.x, y: point.y }));
    const middle = plain[plain.length >> 1] ?? { x: 0, y: 0 };
    return [id, { points: turned ? plain.reverse() : plain, label: x === undefined || y === undefined ? middle : { x, y } }];
  }));
  const { width = 0, height = 0 } = graph.graph() as Partial<Size>;
  return { width, height, layout: { places, routes }, grave: nodes.some(({ grave }) => grave) };
}

/**
 * The edges that go up: of each ring those of its second half, so that it stands as a ring and not as a line with one long way back.
 * On top is the member that most others lead to.
 */
function ringsBack(nodes: readonly LayoutNode[], edges: readonly LayoutEdge[], rings: readonly (readonly string[])[]): ReadonlySet<string> {
  const here = new Set(nodes.map(({ id }) => id));
  const back = new Set<string>();
  for (const ring of rings) {
    if (!ring.every(id => here.has(id))) continue;
    const members = new Set(ring);
    const arriving = ring.map(id => edges.filter(({ from, to }) => to === id && !members.has(from)).length);
    const top = arriving.indexOf(Math.max(...arriving));
    ring.forEach((_, step) => {
      if (step < Math.floor(ring.length / 2)) return;
      const [from, to] = [ring[(top + step) % ring.length], ring[(top + step + 1) % ring.length]];
      for (const edge of edges) if (edge.from === from && edge.to === to) back.add(edge.id);
    });
  }
  return back;
}

/** Parts side by side in rows, the grave ones first, then the large ones; in rows as long as shows them largest. */
function packed(parts: readonly PlacedPart[], aspect: number): Layout {
  const sorted = [...parts].sort((a, b) => Number(b.grave) - Number(a.grave) || b.layout.places.size - a.layout.places.size);
  const widest = Math.max(0, ...sorted.map(({ width }) => width));
  const total = sorted.reduce((sum, { width }) => sum + width + between.parts, 0);
  let best: Rows | undefined;
  for (let tried = 0; tried <= 24; tried++) {
    const rows = inRows(sorted, widest + (total - widest) * (tried / 24) ** 2);
    // Not every size of window is worth another order: a drawing is as large as its larger side allows.
    if (!best || Math.max(rows.width, rows.height * aspect) < Math.max(best.width, best.height * aspect)) best = rows;
  }
  const places = new Map<string, Point>();
  const routes = new Map<string, Route>();
  for (const [{ layout }, left, top] of best?.corners ?? []) {
    const moved = ({ x, y }: Point): Point => ({ x: x + left, y: y + top });
    for (const [id, at] of layout.places) places.set(id, moved(at));
    for (const [id, { points, label }] of layout.routes) routes.set(id, { points: points.map(moved), label: moved(label) });
  }
  return { places, routes };
}

interface Rows extends Size { readonly corners: readonly (readonly [part: PlacedPart, left: number, top: number])[] }

function inRows(parts: readonly PlacedPart[], limit: number): Rows {
  const corners: [PlacedPart, number, number][] = [];
  let [left, top, row, width] = [0, 0, 0, 0];
  for (const part of parts) {
    if (left > 0 && left + part.width > limit) [left, top, row] = [0, top + row + between.parts, 0];
    corners.push([part, left, top]);
    left += part.width + between.parts;
    width = Math.max(width, left - between.parts);
    row = Math.max(row, part.height);
  }
  return { width, height: top + row, corners };
}
