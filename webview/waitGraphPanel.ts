// The wait graph's webview. Talks to extension/panels/waitGraph/waitGraphPanel.ts by the messages of waitGraphProtocol.ts.
import './waitGraph.css';
import type { Described } from './patch';
import { h, patch } from './patch';
import { fill, visible } from './text';
import { Drawing, sizeOf, svgElement } from './waitGraph/drawing';
import { blocksWords, graphList, nodeLabel } from './waitGraph/graphList';
import type { Layout, LayoutInput } from './waitGraph/layout';
import { arranged, continued } from './waitGraph/layout';
import { exportedSvg } from './waitGraph/svgExport';
import type { Box } from './waitGraph/viewport';
import { Viewport } from './waitGraph/viewport';
import type { Direction } from './waitGraph/walking';
import { step } from './waitGraph/walking';
import type { FromWaitGraph, GraphAction, GraphEdge, GraphNode, GraphState, GraphStrings, GraphView, ToWaitGraph } from './waitGraphProtocol';

interface VsCodeApi {
  postMessage(message: FromWaitGraph): void;
  setState(state: GraphState): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

type Content = Exclude<ToWaitGraph, { readonly type: 'strings' }>;

const api = acquireVsCodeApi();
let strings: GraphStrings | undefined;
let state: GraphState | undefined;
let content: Content | undefined;
let layout: Layout = { places: new Map(), routes: new Map() };
let topology = '';
/** Told by somebody here to show something else: the graph may be another one, and is laid out anew. */
let asked = true;
let selected: string | undefined;
let out: ReadonlyMap<string, readonly GraphEdge[]> = new Map();
let into: ReadonlyMap<string, readonly GraphEdge[]> = new Map();
let nodes: ReadonlyMap<string, GraphNode> = new Map();

const toolbar = document.createElement('div');
const notices = document.createElement('div');
const stage = document.createElement('div');
const aside = document.createElement('aside');
const list = document.createElement('div');
const main = document.createElement('main');
const status = document.createElement('div');
const help = document.createElement('p');
toolbar.className = 'toolbar';
notices.className = 'notices';
stage.className = 'stage';
aside.className = 'details';
list.className = 'list';
status.className = help.className = 'visually-hidden';
help.id = 'help';
status.setAttribute('role', 'status');
toolbar.setAttribute('role', 'toolbar');
const svg = svgElement('svg', { class: 'graph', role: 'application', 'aria-describedby': 'help' });
const world = svgElement('g');
svg.append(world);
stage.append(svg);
main.append(notices, stage, list, aside);

const viewport = new Viewport(svg, world, scale => { svg.classList.toggle('far', scale < 0.45); tellZoom(scale); });
const drawing = new Drawing(world, { select, act: id => { const [first] = nodes.get(id)?.actions ?? []; if (first) act(first, id); } });

const view = (): GraphView | undefined => content?.type === 'view' ? content.view : undefined;

function grouped(edges: readonly GraphEdge[], end: 'from' | 'to'): ReadonlyMap<string, readonly GraphEdge[]> {
  const groups = new Map<string, GraphEdge[]>();
  for (const edge of edges) {
    const known = groups.get(edge[end]);
    if (known) known.push(edge);
    else groups.set(edge[end], [edge]);
  }
  return groups;
}

/** The space that the drawing takes. */
function box(ids: Iterable<string> = layout.places.keys()): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  const include = (x: number, y: number): void => { [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)]; };
  const whole = ids === undefined || !Array.isArray(ids);
  for (const id of ids) {
    const at = layout.places.get(id);
    const node = nodes.get(id);
    if (!at || !node) continue;
    const { width, height } = sizeOf(node);
    include(at.x - width / 2, at.y - height / 2);
    include(at.x + width / 2, at.y + height / 2);
  }
  if (whole) for (const { points } of layout.routes.values()) for (const { x, y } of points) include(x, y);
  return Number.isFinite(left) ? { left, top, right, bottom } : { left: 0, top: 0, right: 0, bottom: 0 };
}

function layOut({ nodes: all, edges, rings }: GraphView, fresh: boolean): void {
  const input: LayoutInput = {
    nodes: all.map(node => ({ id: node.id, ...sizeOf(node), grave: node.tone !== undefined })),
    edges: edges.map(edge => ({ id: edge.id, from: edge.from, to: edge.to, width: drawing.labelWidth(edge) })),
    rings, aspect: (svg.clientWidth || 800) / (svg.clientHeight || 600),
  };
  performance.mark('layout-start');
  layout = fresh ? arranged(input) : continued(layout, input);
  performance.measure('layout', 'layout-start');
}

function showGraph(next: GraphView, words: GraphStrings): void {
  nodes = new Map(next.nodes.map(node => [node.id, node]));
  out = grouped(next.edges, 'from');
  into = grouped(next.edges, 'to');
  const form = JSON.stringify([next.nodes.map(({ id }) => id).sort(), next.edges.map(({ id }) => id).sort()]);
  const was = layout.places.size;
  if (form !== topology) {
    layOut(next, asked);
    if (topology !== '' && !asked) announce(fill(words.changed, String(next.nodes.length)));
  }
  topology = form;
  if (selected !== undefined && !nodes.has(selected)) selected = undefined;
  const hadFocus = document.activeElement instanceof SVGGElement;
  drawing.update(next.nodes, next.edges, layout, node => nodeLabel(node, out.get(node.id) ?? [], into.get(node.id) ?? [], nodes, words));
  drawing.setCurrent(selected ?? next.nodes[0]?.id, selected !== undefined);
  if (hadFocus && !(document.activeElement instanceof SVGGElement)) svg.querySelector<SVGGElement>('.node[tabindex="0"]')?.focus({ preventScroll: true });
  svg.setAttribute('aria-label', fill(words.graphLabel, String(next.nodes.length)));
  // Nothing jumps while somebody looks: only what grew out of sight is brought back, and only while nobody chose what to see.
  if (asked || was === 0 || (viewport.followsDrawing && !viewport.shows(box()))) viewport.begin(box());
  asked = false;
}

function render(): void {
  if (!strings || !content || !state) return;
  const next = view();
  const isList = state.form === 'list';
  const something = next !== undefined && next.nodes.length > 0;
  main.className = isList ? 'as-list' : 'as-graph';
  stage.hidden = isList || !something;
  list.hidden = !isList && something;
  aside.hidden = isList || !something;
  if (next && !isList) showGraph(next, strings);
  patch(list, something && isList ? graphList(next, strings, node => { const [first] = node.actions; if (first) act(first, node.id); }) : [nothing(content, strings)]);
  patch(notices, noticesOf(content, strings));
  renderToolbar(strings, state, next);
  renderDetails(strings, next);
}

function button(key: string, icon: string, text: string, onClick: () => void, more: Readonly<Record<string, string | undefined>> = {}): Described {
  return h('button', { key, type: 'button', class: 'tool', title: text, 'aria-label': text, onClick, ...more }, h('span', { class: `codicon codicon-${icon}`, 'aria-hidden': 'true' }));
}

function renderToolbar(words: GraphStrings, { form }: GraphState, next: GraphView | undefined): void {
  toolbar.setAttribute('aria-label', words.toolbar);
  const isGraph = form === 'graph';
  const drawn = isGraph && next !== undefined && next.nodes.length > 0;
  const off = drawn ? undefined : '';
  const focus = next?.focus;
  const chains = next?.chains ?? [];
  const known = focus === undefined || chains.some(({ key }) => key === focus.key);
  const idle = next?.idle.threads ?? 0;
  const idleWords = idle === 0 ? words.idleNone : fill(next?.idle.shown ? words.idleHide : words.idleShow, String(idle));
  patch(toolbar, [
    h('div', { key: 'form', class: 'group', role: 'group', 'aria-label': words.view },
      h('button', { key: 'graph', type: 'button', class: 'tool text', title: words.graph, 'aria-label': words.graph, 'aria-pressed': String(isGraph), onClick: () => setForm('graph') }, h('span', { class: 'codicon codicon-type-hierarchy', 'aria-hidden': 'true' }), h('span', { class: 'word' }, words.graph)),
      h('button', { key: 'list', type: 'button', class: 'tool text', title: words.list, 'aria-label': words.list, 'aria-pressed': String(!isGraph), onClick: () => setForm('list') }, h('span', { class: 'codicon codicon-list-tree', 'aria-hidden': 'true' }), h('span', { class: 'word' }, words.list))),
    h('select', { key: 'chains', class: 'chains', 'aria-label': words.show, title: words.show },
      h('option', { key: '', value: '' }, words.everything),
      ...(known || !focus ? [] : [h('option', { key: focus.key, value: focus.key }, visible(focus.title))]),
      ...chains.map(chain => h('option', { key: chain.key, value: chain.key }, visible(chain.title)))),
    h('button', {
      key: 'idle', type: 'button', class: 'tool', title: idleWords, 'aria-label': idleWords, 'aria-pressed': String(next?.idle.shown ?? false), disabled: idle === 0 ? '' : undefined,
      onClick: () => { asked = true; api.postMessage({ type: 'idle', shown: !next?.idle.shown }); },
    }, h('span', { class: `codicon codicon-${next?.idle.shown ? 'eye' : 'eye-closed'}`, 'aria-hidden': 'true' }), String(idle)),
    h('div', { key: 'zoom', class: 'group end' },
      button('out', 'zoom-out', words.zoomOut, () => viewport.zoom(1 / 1.25), { disabled: off }),
      h('output', { key: 'scale', class: 'scale', 'aria-hidden': 'true' }, zoomWords),
      button('in', 'zoom-in', words.zoomIn, () => viewport.zoom(1.25), { disabled: off }),
      button('fit', 'screen-full', words.fit, () => viewport.fit(box()), { disabled: off }),
      button('arrange', 'type-hierarchy-sub', words.arrange, arrange, { disabled: off }),
      button('export', 'export', words.exportSvg, exportGraph, { disabled: off })),
  ]);
  const select = toolbar.querySelector('select');
  if (select && document.activeElement !== select) select.value = focus?.key ?? '';
}

let zoomWords = '100 %';
function tellZoom(scale: number): void {
  zoomWords = `${Math.round(scale * 100)} %`;
  const output = toolbar.querySelector('output');
  if (output) output.textContent = zoomWords;
}

function noticesOf(now: Content, words: GraphStrings): Described[] {
  const next = now.type === 'view' ? now.view : undefined;
  const notice = (key: string, icon: string, text: string, action?: Described): Described => h('p', { key, class: 'notice' }, h('span', { class: `codicon codicon-${icon}`, 'aria-hidden': 'true' }), h('span', {}, text), ...(action ? [' ', action] : []));
  const link = (text: string, onClick: () => void): Described => h('button', { type: 'button', class: 'link', onClick }, text);
  return [
    ...(now.problem === undefined ? [] : [notice('problem', 'warning', fill(words.problem, visible(now.problem)))]),
    ...(next && next.threads.shown < next.threads.all ? [notice('capped', 'info', fill(words.capped, String(next.threads.shown), String(next.threads.all)))] : []),
    ...(next && next.unseen > 0 ? [h('p', { key: 'unseen', class: 'notice' }, h('span', { class: 'codicon codicon-warning', 'aria-hidden': 'true' }), link(next.unseen === 1 ? words.unseenOne : fill(words.unseen, String(next.unseen)), () => api.postMessage({ type: 'unseen' })))] : []),
  ];
}

function nothing(now: Content, words: GraphStrings): Described {
  const text = (...lines: readonly (Described | string)[]): Described => h('div', { key: 'nothing', class: 'nothing' }, ...lines);
  if (now.type === 'nothing') {
    if (now.why === 'pending') return text(h('span', { class: 'codicon codicon-loading codicon-modifier-spin', 'aria-hidden': 'true' }), h('p', {}, words.pending));
    return text(h('span', { class: 'codicon codicon-debug-disconnect', 'aria-hidden': 'true' }), h('p', {}, words.noFocus), h('button', { type: 'button', class: 'link', onClick: () => api.postMessage({ type: 'machine' }) }, words.machine));
  }
  if (now.view.focus) return text(h('span', { class: 'codicon codicon-pass', 'aria-hidden': 'true' }), h('p', {}, words.gone), h('button', { type: 'button', class: 'link', onClick: () => choose(undefined) }, words.everything));
  const { threads } = now.view.idle;
  return text(h('span', { class: 'codicon codicon-pass', 'aria-hidden': 'true' }), h('p', {}, words.empty), ...(threads === 0 ? [] : [h('p', { class: 'aside' }, fill(words.emptyIdle, String(threads)))]));
}

const actionIcons: Readonly<Record<GraphAction, string>> = { source: 'go-to-file', inspect: 'search', process: 'server-process', chain: 'filter', unfold: 'unfold', fold: 'fold' };

function renderDetails(words: GraphStrings, next: GraphView | undefined): void {
  const node = selected === undefined ? undefined : nodes.get(selected);
  patch(aside, node ? [
    h('h2', { key: 'title', class: node.tone === undefined ? undefined : `tone ${node.tone}` }, h('bdi', {}, visible(node.title))),
    h('p', { key: 'subtitle', class: 'aside' }, h('bdi', {}, visible(node.subtitle))),
    ...(node.actions.length === 0 ? [] : [h('div', { key: 'actions', class: 'actions', role: 'group', 'aria-label': words.actions }, ...node.actions.map(action =>
      h('button', { key: action, type: 'button', class: 'action', onClick: () => act(action, node.id) }, h('span', { class: `codicon codicon-${actionIcons[action]}`, 'aria-hidden': 'true' }), words[action])))]),
    ...(node.blocks === undefined || node.blocks === 0 ? [] : [h('p', { key: 'blocks', class: 'line' }, blocksWords(node.blocks, words))]),
    ...node.lines.map((line, at) => h('p', { key: `line ${at}`, class: 'line' }, h('bdi', {}, visible(line)))),
  ] : [
    ...(next?.chains ?? []).slice(0, 5).map(chain => h('div', { key: chain.key, class: `chain tone ${chain.tone}` }, h('h2', {}, words[chain.tone]), h('p', { class: 'line' }, h('bdi', {}, visible(chain.explanation))))),
    h('section', { key: 'legend', class: 'legend', 'aria-label': words.legend }, h('h2', {}, words.legend), h('dl', {},
      ...([['waits', words.legendWaits], ['could', words.legendCould], ['one-of', words.legendOneOf], ['dashed', words.legendDashed], ['cycle', words.legendCycle], ['suspected', words.legendSuspected]] as const)
        .flatMap(([name, text]) => [h('dt', { key: `${name} line`, class: `sample ${name}`, 'aria-hidden': 'true' }), h('dd', { key: name }, text)]))),
    h('p', { key: 'help', class: 'line aside' }, words.help),
  ]);
  aside.setAttribute('aria-label', node ? fill(words.selected, visible(node.title)) : words.legend);
}

function select(id: string): void {
  if (selected === id || !strings) return;
  selected = id;
  drawing.setCurrent(id, true);
  renderDetails(strings, view());
}

function focusNode(id: string): void {
  select(id);
  drawing.element(id)?.focus({ preventScroll: true });
  viewport.reveal(box([id]));
}

function act(action: GraphAction, node: string): void {
  if (action === 'chain' || action === 'unfold' || action === 'fold') asked = true;
  api.postMessage({ type: 'act', action, node });
}

function choose(key: string | undefined): void {
  asked = true;
  api.postMessage(key === undefined ? { type: 'focus' } : { type: 'focus', key });
}

function setForm(form: GraphState['form']): void {
  if (!state || state.form === form) return;
  keep({ ...state, form });
  asked = form === 'graph' && layout.places.size === 0;
  api.postMessage({ type: 'form', form });
  render();
}

function keep(next: GraphState): void {
  state = next;
  api.setState(next);
}

function arrange(): void {
  const next = view();
  if (!next || !strings) return;
  layOut(next, true);
  showGraph(next, strings);
  viewport.fit(box());
  announce(strings.laidOut);
}

function exportGraph(): void {
  if (strings) api.postMessage({ type: 'export', svg: exportedSvg([drawing.edgesLayer, drawing.nodesLayer], box(), fill(strings.graphLabel, String(nodes.size))) });
}

const arrows: Readonly<Record<string, Direction>> = { ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right' };

/** Reading order: from top to bottom, from left to right. */
function inOrder(): string[] {
  return [...layout.places].filter(([id]) => nodes.has(id)).sort(([, a], [, b]) => a.y - b.y || a.x - b.x).map(([id]) => id);
}

function onKey(event: KeyboardEvent): void {
  if (event.altKey || (event.ctrlKey && !event.key.startsWith('Arrow')) || event.metaKey) return;
  const at = selected ?? [...nodes.keys()][0];
  if (at === undefined) return;
  const direction = arrows[event.key];
  const order = (to: (position: number, all: readonly string[]) => number): string | undefined => { const all = inOrder(); return all[Math.min(all.length - 1, Math.max(0, to(all.indexOf(at), all)))]; };
  let next: string | undefined;
  if (direction && event.ctrlKey) viewport.pan(direction === 'left' ? 60 : direction === 'right' ? -60 : 0, direction === 'up' ? 60 : direction === 'down' ? -60 : 0);
  else if (direction) next = selected === undefined ? at : step(at, direction, layout.places, id => [...(out.get(id) ?? []).map(({ to }) => to), ...(into.get(id) ?? []).map(({ from }) => from)]) ?? at;
  else {
    switch (event.key) {
      case 'PageDown': next = order(position => position + 1); break;
      case 'PageUp': next = order(position => position - 1); break;
      case 'Home': next = order(() => 0); break;
      case 'End': next = order((_, all) => all.length - 1); break;
      case 'Enter': case ' ': { const [first] = nodes.get(at)?.actions ?? []; if (first) act(first, at); break; }
      case '+': case '=': viewport.zoom(1.25); break;
      case '-': viewport.zoom(1 / 1.25); break;
      case '0': viewport.fit(box()); break;
      case 'Escape':
        if (selected === undefined || !strings) return;
        selected = undefined;
        drawing.setCurrent(at, false);
        renderDetails(strings, view());
        break;
      default: return;
    }
  }
  event.preventDefault();
  if (next !== undefined) focusNode(next);
}

let waiting: ReturnType<typeof setTimeout> | undefined;
let lastSaid = 0;
/** Says it politely, and no more often than every five seconds. */
function announce(text: string): void {
  clearTimeout(waiting);
  waiting = setTimeout(() => { lastSaid = Date.now(); status.textContent = text; }, Math.max(0, lastSaid + 5000 - Date.now()));
}

function receive(message: ToWaitGraph): void {
  switch (message.type) {
    case 'strings':
      ({ strings } = message);
      document.documentElement.lang = message.language;
      help.textContent = strings.help;
      keep(message.state);
      render();
      break;
    case 'nothing': content = message; topology = ''; layout = { places: new Map(), routes: new Map() }; asked = true; render(); break;
    case 'view':
      // Another chain than before, chosen outside of this page.
      if (view()?.focus?.key !== message.view.focus?.key) asked = true;
      content = message;
      if (state && (state.idle !== message.view.idle.shown || state.focus !== message.view.focus?.key)) keep({ version: 1, scope: state.scope, form: state.form, idle: message.view.idle.shown, ...(message.view.focus ? { focus: message.view.focus.key } : {}) });
      render();
      break;
    default: message satisfies never;
  }
}

document.body.append(toolbar, main, status, help);
toolbar.addEventListener('change', event => { if (event.target instanceof HTMLSelectElement) choose(event.target.value === '' ? undefined : event.target.value); });
svg.addEventListener('keydown', onKey);
new ResizeObserver(() => { if (viewport.followsDrawing && layout.places.size > 0) viewport.begin(box()); }).observe(svg);
window.addEventListener('message', (event: MessageEvent<ToWaitGraph>) => receive(event.data));
api.postMessage({ type: 'ready' });
