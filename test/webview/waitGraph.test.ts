// The wait graph in a real browser, under the real Content-Security-Policy, fed with what the extension would send.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Locator } from 'playwright-core';
import type { Snapshot } from '../../native-probe/model';
import { facilityTable } from '../../native-probe/facilityTable';
import type { FromWaitGraph, GraphState, GraphView, ToWaitGraph } from '../../webview/waitGraphProtocol';
import { graphStrings } from '../../extension/panels/waitGraph/graphWords';
import { mostNodes, waitGraphView } from '../../extension/panels/waitGraph/waitGraphView';
import { indexOf } from '../../extension/snapshotIndex';
import { aProcess } from '../unit/snapshots';
import { aLock, aWait, by, chains, everything, theDemo } from '../unit/waitSnapshots';
import { seriousFindings } from './accessibility';
import type { ThemeName } from './themes';
import type { WebviewPage } from './webviewPage';
import { WebviewHarness } from './webviewPage';

const artifacts = fileURLToPath(new URL('../../.vscode-test/artifacts/', import.meta.url));
const state: GraphState = { version: 1, scope: 'machine', idle: false, form: 'graph' };
const strings: ToWaitGraph = { type: 'strings', language: 'en', strings: graphStrings(), state };

function viewOf(snapshot: Snapshot, more: { readonly idle?: boolean; readonly focus?: string } = {}): GraphView {
  return waitGraphView(indexOf(snapshot), { idle: false, everybody: false, unfolded: new Set(), most: mostNodes, ...more }).view;
}

/** A label holds what is drawn, word by word, but where that is shortened ("…" stands for words that the label has), or a badge's bare number, which the label says in words. */
const excused = { 'label-content-name-mismatch': '.node.shortened, .node:has(> .badge)' };

describe('wait graph', function () {
  this.timeout(60_000);
  let harness: WebviewHarness;
  let graph: WebviewPage<ToWaitGraph, FromWaitGraph>;
  const show = (snapshot: Snapshot, more: Parameters<typeof viewOf>[1] = {}): Promise<void> => graph.tell({ type: 'view', view: viewOf(snapshot, more) });
  const node = (title: string): Locator => graph.page.locator('.node').filter({ has: graph.page.locator('text.title').getByText(title, { exact: true }) });
  const focused = (): Promise<string | undefined> => graph.page.evaluate(() => document.activeElement?.querySelector('text.title')?.textContent ?? undefined);
  /** Where each node stands on the screen. */
  const places = (): Promise<Record<string, string>> => graph.page.evaluate(() => Object.fromEntries([...document.querySelectorAll('.node')].map(each => {
    const { x, y } = (each.querySelector('.shape:not(.pile)') ?? each).getBoundingClientRect();
    return [each.getAttribute('aria-label')?.split('.')[0] ?? '', `${Math.round(x)} ${Math.round(y)}`];
  })));

  before(async () => { harness = await WebviewHarness.start('waitGraphPanel'); });
  after(() => harness.stop());
  beforeEach(async () => {
    graph = await harness.open<ToWaitGraph, FromWaitGraph>({ width: 1000, height: 640 });
    await graph.tell(strings);
  });
  afterEach(async () => {
    const refused = await graph.refused();
    await graph.page.close();
    assert.deepEqual(refused, [], 'the policy refused nothing and the page threw nothing');
  });

  it('says that it is ready, and keeps what a restored panel needs', async () => {
    assert.deepEqual(await graph.heard(), [{ type: 'ready' }]);
    assert.deepEqual(await graph.state(), state);
    await show(theDemo(), { idle: true });
    assert.deepEqual(await graph.state(), { ...state, idle: true });
  });

  it('draws every node once, the circle as a ring, and lets no two nodes overlap', async () => {
    await show(everything());
    const view = viewOf(everything());
    assert.equal(await graph.page.locator('.node').count(), view.nodes.length);
    assert.equal(await graph.page.locator('.edge').count(), view.edges.length);
    const boxes = await Promise.all([...(await graph.page.locator('.node > .shape:not(.pile)').all())].map(each => each.boundingBox()));
    for (const [i, a] of boxes.entries()) for (const b of boxes.slice(i + 1)) assert.ok(a && b && (a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y));
    const [auditor, clerk] = [await node('auditor').boundingBox(), await node('clerk').boundingBox()];
    const mutexes = await Promise.all((await node('Mutex').filter({ has: graph.page.locator('xpath=self::*[contains(@class, "deadlocked")]') }).all()).map(each => each.boundingBox()));
    assert.ok(auditor && clerk && mutexes.length === 2);
    for (const mutex of mutexes) assert.ok(mutex && mutex.y > auditor.y && mutex.y < clerk.y, 'the mutexes stand between the threads');
  });

  it('lays out 300 nodes in less than a second', async () => {
    const view = viewOf(chains(160));
    assert.equal(view.nodes.length, 300);
    // All in one part with edges across, which takes the longest.
    const across = view.nodes.flatMap(({ id }, at) => at % 3 === 0 ? [{ id: `${id}\nacross`, from: id, to: view.nodes[(at * 7 + 40) % 300]?.id ?? '', kind: 'could' as const, label: 'unlock' }] : []);
    const joined = { ...view, edges: [...view.edges, ...across] };
    let best = Infinity;
    for (const form of [view, joined, view, joined, view, joined]) {
      await graph.tell({ type: 'nothing', why: 'pending' }, { type: 'view', view: form });
      const took = await graph.page.evaluate(() => performance.getEntriesByName('layout').at(-1)?.duration ?? Infinity);
      if (form === joined) best = Math.min(best, took);
    }
    console.log(`      300 nodes, ${joined.edges.length} edges in one part: ${Math.round(best)} ms`);
    assert.ok(best < 1000, `${Math.round(best)} ms`);
    assert.match(await graph.page.locator('.notices').innerText(), /142 of 144 blocked threads are drawn/);
  });

  it('leaves everything where it is when only what is said changes, and new nodes find a free place', async () => {
    await show(theDemo());
    const before = await places();
    const demo = theDemo();
    await show({ ...demo, waits: demo.waits.map(wait => wait.pid === 300 ? { ...wait, timeout: '3 s' } : wait) });
    assert.match(await node('messenger').locator('.subtitle').innerHTML(), /flock · timeout 3 s/);
    assert.deepEqual(Object.values(await places()), Object.values(before));
    const lock = aLock(77);
    await show({ ...demo, objects: [...demo.objects, lock], processes: [...demo.processes, aProcess(900, { comm: 'newcomer' })], waits: [...demo.waits, aWait(900, 'flock', by(lock.id, 'unlock', { pid: 300, tid: 300 }), { objectId: lock.id, threadComm: 'newcomer' })] });
    const after = await graph.page.locator('.node').count();
    assert.equal(after, 9);
    const scale = await graph.page.locator('output').innerText();
    if (scale === '100 %') for (const [name, place] of Object.entries(before)) assert.equal((await places())[name], place, name);
    const transforms = await graph.page.evaluate(() => [...document.querySelectorAll('.node')].map(each => each.getAttribute('transform')));
    assert.equal(new Set(transforms).size, transforms.length);
    // Gone again: nothing else moves.
    await graph.page.evaluate(() => { (window as unknown as { kept: (string | null)[] }).kept = [...document.querySelectorAll('.node')].slice(0, 7).map(each => each.getAttribute('transform')); });
    await show(demo);
    assert.equal(await graph.page.evaluate(() => [...document.querySelectorAll('.node')].every((each, at) => each.getAttribute('transform') === (window as unknown as { kept: (string | null)[] }).kept[at])), true);
  });

  it('keeps the focus on a node over refreshes, and the zoom that somebody chose', async () => {
    await show(theDemo());
    await node('clerk').focus();
    await graph.page.keyboard.press('+');
    const zoom = await graph.page.locator('output').innerText();
    assert.equal(zoom, '125 %');
    await show(everything());
    assert.equal(await focused(), 'clerk');
    assert.equal(await graph.page.locator('output').innerText(), zoom);
  });

  it('is walked by arrow keys along the edges, and through by Page Down', async () => {
    await show(theDemo());
    await graph.page.locator('.node[tabindex="0"]').focus();
    await graph.page.keyboard.press('Home');
    const walked = [await focused()];
    for (let step = 0; step < 5; step++) {
      await graph.page.keyboard.press('ArrowDown');
      walked.push(await focused());
    }
    assert.deepEqual(walked, ['messenger', 'ledger.lock', 'Any thread of auditor', 'auditor', 'Mutex', 'clerk']);
    await graph.page.keyboard.press('ArrowUp');
    assert.equal(await focused(), 'Mutex');
    const all = new Set<string | undefined>();
    await graph.page.keyboard.press('Home');
    for (let step = 0; step < 7; step++) {
      all.add(await graph.page.evaluate(() => document.activeElement?.getAttribute('transform') ?? ''));
      await graph.page.keyboard.press('PageDown');
    }
    assert.equal(all.size, 7);
    assert.equal(await graph.page.locator('.node[tabindex="0"]').count(), 1, 'one place for Tab');
    assert.equal(await node('clerk').locator('.ring').evaluate(each => getComputedStyle(each).stroke) !== 'none', true, 'the focus is seen');
  });

  it('brings a focused node into sight', async () => {
    await show(chains(160));
    await graph.page.locator('.node[tabindex="0"]').focus();
    await graph.page.keyboard.press('End');
    const box = await graph.page.locator('.node:focus > .shape').boundingBox();
    const stage = await graph.page.locator('.stage').boundingBox();
    assert.ok(box && stage && box.x >= stage.x && box.y >= stage.y && box.x + box.width <= stage.x + stage.width && box.y + box.height <= stage.y + stage.height);
  });

  it('says in a node’s label what its edges say, with the verdict', async () => {
    await show(theDemo());
    assert.equal(await node('auditor').getAttribute('aria-label'), 'auditor PID 200 · pthread_mutex_lock. Deadlock. waits for Mutex. awaited by Mutex, Any thread of auditor');
    assert.match(await graph.page.locator('svg.graph').getAttribute('aria-label') ?? '', /7 nodes/);
  });

  it('zooms by wheel about the pointer, pans by drag, and fits', async () => {
    await show(theDemo());
    const before = await node('clerk').boundingBox();
    assert.ok(before);
    const at = { x: before.x + before.width / 2, y: before.y + before.height / 2 };
    await graph.page.mouse.move(at.x, at.y);
    await graph.page.keyboard.down('Control');
    await graph.page.mouse.wheel(0, -100);
    await graph.page.keyboard.up('Control');
    await graph.page.waitForFunction(() => document.querySelector('output')?.textContent !== '100 %');
    const zoomed = await node('clerk').boundingBox();
    assert.ok(zoomed && zoomed.width > before.width);
    assert.ok(Math.abs(zoomed.x + zoomed.width / 2 - at.x) < 3 && Math.abs(zoomed.y + zoomed.height / 2 - at.y) < 3, 'what is under the pointer stays there');
    await graph.page.mouse.move(40, 600);
    await graph.page.mouse.down();
    await graph.page.mouse.move(140, 560, { steps: 3 });
    await graph.page.mouse.up();
    const panned = await node('clerk').boundingBox();
    assert.ok(panned && Math.abs(panned.x - zoomed.x - 100) < 2 && Math.abs(panned.y - zoomed.y + 40) < 2);
    await graph.page.getByRole('button', { name: 'Fit', exact: true }).click();
    assert.equal(await graph.page.locator('output').innerText(), '100 %');
  });

  it('tells of a selected node what is known, and sends what is to be done with it', async () => {
    await show(everything());
    await graph.heard();
    await node('auditor').click();
    assert.match(await graph.page.locator('aside').innerText(), /auditor[\s\S]*None of these threads can ever go on[\s\S]*pthread_mutex_lock on mutex/);
    await graph.page.getByRole('button', { name: 'Reveal in Processes' }).click();
    await graph.page.getByRole('button', { name: 'Show This Chain' }).click();
    await node('ledger.lock').dblclick();
    await node('40 threads').click();
    await graph.page.getByRole('button', { name: 'Unfold' }).click();
    const view = viewOf(everything());
    const id = (title: string): string => view.nodes.find(it => it.title === title)?.id ?? '';
    assert.deepEqual(await graph.heard(), [
      { type: 'act', action: 'process', node: id('auditor') }, { type: 'act', action: 'chain', node: id('auditor') },
      { type: 'act', action: 'inspect', node: id('ledger.lock') }, { type: 'act', action: 'unfold', node: id('40 threads') },
    ]);
  });

  it('lets a chain be chosen, and says when it is no more', async () => {
    await show(everything());
    await graph.heard();
    const [chain] = viewOf(everything()).chains;
    assert.ok(chain);
    await graph.page.getByLabel('Show', { exact: true }).selectOption(chain.key);
    assert.deepEqual(await graph.heard(), [{ type: 'focus', key: chain.key }]);
    await show(everything(), { focus: chain.key });
    assert.equal(await graph.page.locator('.node').count(), 7);
    assert.deepEqual(await graph.state(), { ...state, focus: chain.key });
    await show({ ...theDemo(), findings: [], waits: [] }, { focus: chain.key });
    assert.match(await graph.page.locator('main').innerText(), /This chain is no more/);
    await graph.page.getByRole('button', { name: 'Everything' }).click();
    assert.deepEqual(await graph.heard(), [{ type: 'focus' }]);
  });

  it('shows the same as a list, in words, by keyboard alone', async () => {
    await show(everything());
    await graph.page.keyboard.press('Tab');
    await graph.page.keyboard.press('Tab');
    await graph.page.keyboard.press('Enter');
    const list = await graph.page.locator('.list').innerText();
    assert.match(list, /Deadlock\n+clerk \(100\) waits for mutex[\s\S]*clerk PID 100 · pthread_mutex_lock\s+waits for Mutex in System V segment 7 at offset 64\s+held by auditor PID 200 · pthread_mutex_lock \(unlock\)/);
    for (const { title } of viewOf(everything()).nodes) assert.ok(list.includes(title), title);
    assert.equal(await graph.page.locator('svg.graph').isVisible(), false);
    assert.deepEqual((await graph.heard()).slice(1), [{ type: 'form', form: 'list' }]);
    assert.deepEqual(await graph.state(), { ...state, form: 'list' });
  });

  it('is exported as a drawing that needs nothing else, with the colours of the theme', async () => {
    await graph.theme('light');
    await show(everything());
    await graph.heard();
    await graph.page.getByRole('button', { name: 'Export as SVG…' }).click();
    const [message] = await graph.heard();
    assert.ok(message?.type === 'export');
    const { svg } = message;
    assert.doesNotMatch(svg, /var\(|class=|style=|<script|href|onload|tabindex|aria-|data-/);
    assert.match(svg, /fill="rgb\(255, 255, 255\)"/);
    assert.match(svg, /stroke="rgb\(229, 20, 0\)"/);
    const shown = await graph.page.evaluate(text => {
      const { documentElement } = new DOMParser().parseFromString(text, 'image/svg+xml');
      return { error: documentElement.querySelector('parsererror')?.textContent ?? undefined, titles: documentElement.textContent ?? '', width: documentElement.getAttribute('width') };
    }, svg);
    assert.equal(shown.error, undefined);
    for (const title of ['messenger', 'ledger.lock', 'Nobody alive']) assert.ok(shown.titles.includes(title), title);
    assert.ok(Number(shown.width) > 500);
    // As a picture: no style sheet of ours reaches it.
    const picture = await harness.open<never, never>({ width: 1000, height: 800 });
    await picture.page.setContent(svg);
    mkdirSync(artifacts, { recursive: true });
    await picture.page.screenshot({ path: join(artifacts, 'wait-graph-exported.png') });
    await picture.page.close();
  });

  it('treats hostile names as text', async () => {
    for (const name of ['<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>', 'a\u202Egnp\u2066\u200B', '\u0000\u001b[31m\n', 'x'.repeat(4096), '\uD800', ']]>&amp;<!--']) {
      await show(theDemo({ names: [name, name, name] }));
      const everything = await graph.page.evaluate(() => [document.body.textContent, ...[...document.querySelectorAll('*')].flatMap(element => [...element.attributes].map(attribute => attribute.value))].join(' '));
      assert.doesNotMatch(everything.replace(/\n/g, ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      assert.equal(await graph.page.locator('main img, main script').count(), 0);
      assert.equal(await graph.page.evaluate(() => 'hacked' in window), false);
      await graph.heard();
      await graph.page.getByRole('button', { name: 'Export as SVG…' }).click();
      const [message] = await graph.heard();
      assert.ok(message?.type === 'export');
      assert.equal(await graph.page.evaluate(text => new DOMParser().parseFromString(text, 'image/svg+xml').querySelector('parsererror, script, img') === null, message.svg), true, name.slice(0, 20));
    }
  });

  it('says why there is nothing, and what can be done', async () => {
    const text = (): Promise<string> => graph.page.locator('body').innerText();
    await graph.tell({ type: 'nothing', why: 'pending', problem: 'the probe ended with status 1' });
    assert.match(await text(), /Looking at every thread…/);
    assert.match(await text(), /The last refresh failed, this may be out of date: the probe ended with status 1/);
    await graph.tell({ type: 'nothing', why: 'no-focus' });
    await graph.heard();
    await graph.page.getByRole('button', { name: 'Show All Threads of the Machine' }).click();
    assert.deepEqual(await graph.heard(), [{ type: 'machine' }]);
    await show({ ...theDemo(), findings: [], waits: theDemo().waits.filter(wait => wait.operation === 'epoll_wait') });
    assert.match(await text(), /Nobody waits for anybody\.\s+9 threads are idle/);
    await graph.page.getByRole('button', { name: 'Show 9 idle threads' }).click();
    assert.deepEqual(await graph.heard(), [{ type: 'idle', shown: true }]);
  });

  it('has a picture for every kind of object', async () => {
    const { iconNames } = await import('./iconNames');
    assert.deepEqual([...facilityTable.values()].map(({ icon }) => icon).filter(icon => !iconNames().has(icon)), []);
  });

  it('moves nothing for those who want no motion', async () => {
    await graph.page.emulateMedia({ reducedMotion: 'reduce' });
    await show(theDemo());
    const demo = theDemo();
    await show({ ...demo, waits: demo.waits.map(wait => wait.pid === 300 ? { ...wait, timeout: '3 s' } : wait) });
    assert.equal(await graph.page.evaluate(() => document.getAnimations().length), 0);
  });

  for (const width of [200, 320, 500]) {
    it(`fits a panel of ${width} pixels without sideways scrolling`, async () => {
      await graph.page.setViewportSize({ width, height: 600 });
      await show(everything());
      assert.ok(await graph.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
      const stage = await graph.page.locator('svg.graph').boundingBox();
      assert.ok(stage && stage.height > 150, `${stage?.height} pixels for the drawing`);
      await graph.page.getByRole('button', { name: 'List' }).click();
      assert.ok(await graph.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth && (document.querySelector('.list')?.scrollWidth ?? 0) <= (document.querySelector('.list')?.clientWidth ?? 0)));
    });
  }

  for (const theme of ['dark', 'light', 'hc', 'hcLight'] satisfies ThemeName[]) {
    it(`is accessible in the ${theme} theme, as graph, with a selection, and as list`, async () => {
      await graph.theme(theme);
      mkdirSync(artifacts, { recursive: true });
      await show(theDemo());
      await graph.page.screenshot({ path: join(artifacts, `wait-graph-demo-${theme}.png`) });
      await show(everything());
      await graph.page.locator('.node[tabindex="0"]').focus();
      await graph.page.keyboard.press('Home');
      await graph.page.screenshot({ path: join(artifacts, `wait-graph-${theme}.png`) });
      assert.deepEqual(await seriousFindings(graph.page, excused), []);
      await graph.page.getByRole('button', { name: 'List' }).click();
      await graph.page.screenshot({ path: join(artifacts, `wait-graph-list-${theme}.png`) });
      assert.deepEqual(await seriousFindings(graph.page, excused), []);
    });
  }
});
