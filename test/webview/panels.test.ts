// What every panel and page must stand: four themes, half a window (200 % zoom), 200 pixels, a keyboard alone, a screen reader's tree.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import type { FromInspector, ToInspector } from '../../webview/protocol';
import type { FromMemory, ToMemory } from '../../webview/memoryProtocol';
import { inspect } from '../../extension/panels/inspected';
import { inspectorStrings, inspectorView } from '../../extension/panels/inspectorView';
import { memoryStrings } from '../../extension/panels/memoryStrings';
import { unseenPage } from '../../extension/unseen/unseenPage';
import { aGap, aProcess, aSnapshot } from '../unit/snapshots';
import { seriousFindings } from './accessibility';
import { playHost } from './memoryHost';
import { handlesOf, objects, snapshot, waitOn } from './samples';
import type { ThemeName } from './themes';
import { themeClasses, themes } from './themes';
import { WebviewHarness } from './webviewPage';

const artifacts = fileURLToPath(new URL('../../.vscode-test/artifacts/', import.meta.url));
const themeNames = ['dark', 'light', 'hc', 'hcLight'] satisfies ThemeName[];

interface Opened { readonly page: Page; theme(name: ThemeName): Promise<void>; refused(): Promise<string[]> }
interface Panel { readonly name: string; readonly bundle?: string; open(harness: WebviewHarness): Promise<Opened>; readonly states: Readonly<Record<string, (opened: Opened) => Promise<void>>> }

const tell = (opened: Opened, ...messages: readonly unknown[]): Promise<void> => opened.page.evaluate(all => { for (const data of all) window.dispatchEvent(new MessageEvent('message', { data })); }, messages);

const panels: readonly Panel[] = [
  {
    name: 'inspector', bundle: 'inspectorPanel',
    open: async harness => {
      const opened = await harness.open<ToInspector, FromInspector>();
      await opened.tell({ type: 'strings', language: 'en', strings: inspectorStrings() });
      return opened;
    },
    states: Object.fromEntries([...(['sysv-semaphore-set', 'record-lock', 'unix-socket', 'posix-message-queue'] as const).map(kind => [kind, async (opened: Opened) => {
      const object = objects[kind];
      const gaps = [{ id: 'g', scope: { objectId: object.id, field: 'rss' }, reason: 'cannot read the resident size', errno: 'EACCES', remedy: 'run the probe as root' }];
      const inspected = inspect(snapshot(object, { handles: handlesOf(object.id), waits: [waitOn(object.id)], gaps }), object.id);
      assert(inspected);
      await tell(opened, { type: 'view', view: inspectorView(inspected, { showsAll: () => false }) });
    }] as const), ['pending', async (opened: Opened) => tell(opened, { type: 'pending', state: { version: 1, id: 'x', name: 'x', icon: 'key', label: 'mutex' }, problem: 'the probe ended' })] as const]),
  },
  {
    name: 'memory view', bundle: 'memoryPanel',
    open: async harness => {
      const opened = await harness.open<ToMemory, FromMemory>();
      await playHost(opened.page, { size: 2 ** 30, regions: [{ start: 0, end: 5000, text: 'IPC ' }, { start: 2 ** 20, end: 2 ** 20 + 8192, state: 'swapped' }] });
      await opened.tell({ type: 'strings', language: 'en', strings: memoryStrings(), interval: 0, administrator: true, littleEndian: true, state: { version: 1, id: 'sysv-shared-memory:1:7', name: 'shmid 7', icon: 'circuit-board', label: 'System V shared memory segment' } });
      return opened;
    },
    states: {
      bytes: async opened => {
        await opened.page.evaluate(() => { window.memory.gone = false; });
        await tell(opened, { type: 'focus', what: 'refresh' });
        await opened.page.getByText('IPC').first().waitFor({ state: 'attached' });
      },
      gone: async opened => {
        await opened.page.evaluate(() => { window.memory.gone = true; });
        await tell(opened, { type: 'focus', what: 'refresh' });
      },
    },
  },
  {
    name: 'what can’t I see',
    open: async harness => {
      const opened = await harness.open<never, never>();
      const gaps = [
        ...Array.from({ length: 30 }, (_, n) => ({ ...aGap(`d${n}`, `cannot read the descriptors of pid ${n + 2} (a-program-with-a-long-name-${n})`, { pid: n + 2, facility: 'processes' as const, field: 'fd' }, 'run the probe as root'), errno: 'EACCES' })),
        { ...aGap('m', 'POSIX message queues that nobody has open cannot be listed', { facility: 'posix-message-queue', namespace: '1', field: 'list' }, 'mount one (mount -t mqueue none /dev/mqueue)'), errno: 'EPERM' },
      ];
      const page = unseenPage(aSnapshot({ gaps, processes: gaps.map((_, n) => aProcess(n + 2, { uid: 0 })) }), { language: 'en', nonce: 'bm9uY2U=', remoteName: undefined, moreRights: false, offered: new Set(['administrator', 'mount', 'log', 'refresh'] as const) });
      await opened.page.route('**/unseen', route => route.fulfill({ contentType: 'text/html; charset=utf-8', body: page }));
      await opened.page.goto(new URL('/unseen', opened.page.url()).href);
      return {
        ...opened,
        theme: name => opened.page.evaluate(([variables, className]) => {
          for (const [variable, value] of Object.entries(variables)) document.documentElement.style.setProperty(`--vscode-${variable}`, value);
          document.documentElement.style.setProperty('background', variables['editor-background'] ?? '');
          document.body.className = className;
        }, [themes[name], themeClasses[name]] as const),
      };
    },
    states: { gaps: async () => Promise.resolve() },
  },
];

/** What scrolls sideways although nobody made it to. */
const overflowing = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

for (const panel of panels) {
  describe(`the panel "${panel.name}"`, function () {
    this.timeout(60_000);
    let harness: WebviewHarness;
    let opened: Opened;

    before(async () => {
      harness = await WebviewHarness.start(panel.bundle ?? 'inspectorPanel');
      mkdirSync(artifacts, { recursive: true });
    });
    after(() => harness.stop());
    beforeEach(async () => {
      opened = await panel.open(harness);
      await opened.theme('dark');
    });
    afterEach(async () => {
      const refused = await opened.refused();
      await opened.page.close();
      assert.deepEqual(refused, []);
    });

    for (const theme of themeNames) {
      it(`has no serious finding of axe-core in the ${theme} theme, in any state`, async () => {
        await opened.theme(theme);
        for (const [state, enter] of Object.entries(panel.states)) {
          await enter(opened);
          await opened.page.screenshot({ path: join(artifacts, `panel-${panel.name.replace(/\W+/g, '-')}-${state}-${theme}.png`) });
          assert.deepEqual(await seriousFindings(opened.page), [], state);
        }
      });
    }

    it('fits half a window and 200 pixels without sideways scrolling', async () => {
      for (const width of [450, 200]) {
        await opened.page.setViewportSize({ width, height: 350 });
        for (const [state, enter] of Object.entries(panel.states)) {
          await enter(opened);
          assert.ok(await overflowing(opened.page) <= 0, `${state} at ${width} pixels: ${await overflowing(opened.page)} too wide`);
          await opened.page.screenshot({ path: join(artifacts, `panel-${panel.name.replace(/\W+/g, '-')}-${state}-${width}.png`) });
        }
      }
    });

    it('is reached as a whole by Tab, in reading order, and shows where the focus is', async () => {
      const [[, enter] = []] = Object.entries(panel.states);
      await enter?.(opened);
      const wanted = await opened.page.evaluate(() => {
        // Custom elements hold what takes the focus in their shadow.
        const all = [...document.querySelectorAll<HTMLElement>('a[href], button, input, select, summary, [tabindex="0"], vscode-button')];
        return all.filter(element => element.checkVisibility() && !element.hasAttribute('disabled') && element.tabIndex >= 0).length;
      });
      const visited = new Set<string>();
      for (let presses = 0; presses < wanted + 5; presses++) {
        await opened.page.keyboard.press('Tab');
        const focus = await opened.page.evaluate(() => {
          const element = document.activeElement;
          if (!element || element === document.body) return undefined;
          const inner = element.shadowRoot?.activeElement ?? element;
          const { outlineStyle, outlineWidth, borderTopColor, boxShadow } = getComputedStyle(inner);
          const all = [...document.querySelectorAll('*')];
          return { at: all.indexOf(element), seen: (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none' || element.shadowRoot !== null || borderTopColor === 'rgb(0, 120, 212)', html: element.outerHTML.slice(0, 120) };
        });
        if (!focus) break;
        assert.ok(focus.seen, `no focus is seen on ${focus.html}`);
        visited.add(String(focus.at));
      }
      assert.ok(visited.size >= wanted, `${visited.size} of ${wanted} were reached`);
      assert.equal(await opened.page.evaluate(() => document.querySelectorAll('[tabindex]:not([tabindex="0"]):not([tabindex="-1"])').length), 0, 'no positive tabindex');
    });

    it('moves nothing for those who want no motion', async () => {
      await opened.page.emulateMedia({ reducedMotion: 'reduce' });
      for (const enter of Object.values(panel.states)) await enter(opened);
      assert.deepEqual(await opened.page.evaluate(() => document.getAnimations().filter(animation => animation.playState === 'running').map(animation => animation instanceof CSSAnimation ? animation.animationName : animation.id)), []);
    });
  });
}
