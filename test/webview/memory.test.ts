// The memory view in a real browser, under the real Content-Security-Policy, over sparse memory that the test plays (memoryHost.ts).
import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import { memoryStrings } from '../../extension/panels/memoryStrings';
import type { FromMemory, MemoryState, ToMemory } from '../../webview/memoryProtocol';
import type { FakeMemory } from './memoryHost';
import { playHost } from './memoryHost';
import type { WebviewPage } from './webviewPage';
import { WebviewHarness } from './webviewPage';

const state: MemoryState = { version: 1, id: 'sysv-shared-memory:4026531839:7', name: 'shmid 7', icon: 'circuit-board', label: 'System V shared memory segment' };
const gigabyte = 2 ** 30;

describe('memory view', function () {
  this.timeout(60_000);
  let harness: WebviewHarness;
  let view: WebviewPage<ToMemory, FromMemory>;
  const grid = (): Locator => view.page.getByRole('grid');
  const rows = (): Locator => view.page.locator('.scroller .row:not([hidden])');
  const status = (): Promise<string> => view.page.locator('footer').innerText();
  const open = async (memory: FakeMemory, given: Partial<MemoryState> = {}, interval = 0): Promise<void> => {
    await playHost(view.page, memory);
    await view.tell({ type: 'strings', language: 'en', strings: memoryStrings(), interval, administrator: true, littleEndian: true, state: { ...state, ...given } });
  };
  const change = (to: Partial<FakeMemory>): Promise<void> => view.page.evaluate(part => { Object.assign(window.memory, part); }, to);
  const refresh = (): Promise<void> => view.tell({ type: 'focus', what: 'refresh' });
  const text = (at: Locator): Promise<string> => at.innerText();
  /** A row as it looks: offset, bytes, text. */
  const row = (offset: string): Promise<string> => view.page.locator('.scroller .row:not([hidden])').filter({ has: view.page.getByRole('rowheader', { name: offset, exact: true }) }).evaluate(it => [it.querySelector('.offset')?.textContent, ...[...it.querySelectorAll('[role=gridcell]')].map(cell => cell.textContent), it.querySelector('.text')?.textContent].join(' '));
  /** The grid shows bytes: nothing of it waits. */
  const settled = (): Promise<unknown> => view.page.waitForFunction(() => document.querySelector('.scroller .row:not([hidden])') !== null && document.querySelector('.waiting, .older') === null);
  const goTo = async (offset: string): Promise<void> => {
    await view.page.getByRole('textbox', { name: 'Go to offset' }).fill(offset);
    await view.page.keyboard.press('Enter');
    await settled();
  };

  before(async () => { harness = await WebviewHarness.start('memoryPanel'); });
  after(() => harness.stop());
  beforeEach(async () => { view = await harness.open<ToMemory, FromMemory>({ width: 1300, height: 760 }); });
  afterEach(async () => {
    const refused = await view.refused();
    await view.page.close();
    assert.deepEqual(refused, [], 'the policy refused nothing and the page threw nothing');
  });

  it('shows offset, bytes and text; tells absent pages from zeros that were written', async () => {
    await open({ size: gigabyte, regions: [{ start: 0, end: 4096, text: 'Hello\u0000\u0001' }] });
    await settled();
    assert.equal(await row('00000000'), '00000000 48 65 6c 6c 6f 00 01 48 65 6c 6c 6f 00 01 48 65 Hello..Hello..He');
    assert.match(await text(view.page.locator('.sizes')), /1 GiB \(1,073,741,824 bytes\) · allocated/);
    await goTo('0x1000');
    assert.equal(await row('00001000'), `00001000 ${'·· '.repeat(16)}${'·'.repeat(16)}`);
    assert.match(await status(), /page never written: zeros that take no memory/);
    assert.match(await status(), /in memory 4 KiB[\s\S]*never written 1,?0?2?4?\.?0?0? ?[MG]iB/);
  });

  it('reads only what is in sight, wherever that is in 64 GiB', async () => {
    await open({ size: 2 ** 36, regions: [{ start: 2 ** 35, end: 2 ** 35 + 4096, text: 'far' }] });
    await settled();
    await goTo(String(2 ** 35));
    assert.match(await row('800000000'), /farfarfarfarfarf$/);
    await grid().focus();
    await view.page.keyboard.press('Control+End');
    await settled();
    assert.match(await row('ffffffff0'), /^ffffffff0 ··/);
    const { reads, bytes } = await view.page.evaluate(() => window.asked);
    assert.ok(reads <= 8 && bytes <= 8 * 8192, `${reads} reads of ${bytes} bytes`);
  });

  it('scrolls smoothly: by exact rows with the wheel, in proportion with the thumb, at little cost a step', async () => {
    await open({ size: 2 ** 36, regions: [{ start: 0, end: 65536 }] });
    await settled();
    const before = await view.page.evaluate(() => window.asked.bytes);
    const measured = await view.page.evaluate(async () => {
      const scroller = document.querySelector<HTMLElement>('.scroller');
      if (!scroller) throw new Error('no scroller');
      const costs: number[] = [];
      for (let step = 0; step < 120; step++) {
        scroller.scrollTop += 60;
        const started = performance.now();
        scroller.dispatchEvent(new Event('scroll'));
        costs.push(performance.now() - started);
        if (step % 10 === 9) await new Promise(resolve => requestAnimationFrame(resolve));
      }
      const height = document.querySelector<HTMLElement>('.row:not(.head)')?.offsetHeight ?? 1;
      const first = [...document.querySelectorAll<HTMLElement>('.row[data-row]')].map(row => Number(row.dataset['row'])).sort((a, b) => a - b)[0] ?? -1;
      costs.sort((a, b) => a - b);
      return { median: costs[60] ?? 0, worst: costs.at(-5) ?? 0, first, expected: Math.floor(120 * 60 / height), elements: document.querySelectorAll('*').length };
    });
    assert.equal(measured.first, measured.expected, 'exact steps');
    assert.ok(measured.median < 16, `a step took ${measured.median.toFixed(1)} ms`);
    assert.ok(measured.elements < 4000, `${measured.elements} elements`);
    await settled();
    assert.ok(await view.page.evaluate(() => window.asked.bytes) - before < 1 << 18);
    // The thumb: half way is the middle of 64 GiB.
    await view.page.evaluate(() => { const scroller = document.querySelector('.scroller'); if (scroller) scroller.scrollTop = (scroller.scrollHeight - scroller.clientHeight) / 2; });
    await view.page.waitForFunction(() => Number(document.querySelector<HTMLElement>('.row[data-row]')?.dataset['row']) > 2 ** 30);
    const row = await view.page.evaluate(() => Number(document.querySelector<HTMLElement>('.row[data-row]')?.dataset['row']));
    assert.ok(Math.abs(row / 2 ** 31 - 1) < 0.01, `row ${row}`);
  });

  it('marks what changed since the refresh before, and says how much', async () => {
    await open({ size: 8192, regions: [{ start: 0, end: 4096, text: 'counter=1 ' }] });
    await settled();
    assert.equal(await view.page.locator('.changed').count(), 0);
    await change({ regions: [{ start: 0, end: 4096, text: 'counter=2 ' }] });
    await refresh();
    await view.page.locator('.changed').first().waitFor();
    assert.match(await status(), /409 bytes in sight changed/);
    await refresh();
    await view.page.waitForFunction(() => document.querySelector('.changed') === null);
  });

  it('looks again by itself while it is visible, and not when that is switched off', async () => {
    await open({ size: 8192, regions: [{ start: 0, end: 4096, text: 'a' }] }, {}, 500);
    await settled();
    await change({ regions: [{ start: 0, end: 4096, text: 'b' }] });
    await view.page.locator('.changed').first().waitFor();
    await view.page.getByRole('checkbox', { name: 'Live' }).uncheck();
    await settled();
    const reads = await view.page.evaluate(() => window.asked.reads);
    await view.page.evaluate(() => new Promise(resolve => setTimeout(resolve, 1200)));
    assert.equal(await view.page.evaluate(() => window.asked.reads), reads);
  });

  it('can be used by keyboard alone: moves, selects, copies', async () => {
    await open({ size: 8192, regions: [{ start: 0, end: 8192, text: '0123456789abcdef' }] });
    await settled();
    await grid().focus();
    for (const key of ['ArrowDown', 'ArrowRight', 'ArrowRight', 'Shift+ArrowRight', 'Shift+ArrowRight']) await view.page.keyboard.press(key);
    assert.match(await status(), /0x14 \(20\)[\s\S]*3 bytes selected, 0x12 to 0x14/);
    await view.page.evaluate(() => window.asked.log.splice(0));
    await view.page.keyboard.press('Control+c');
    await view.page.waitForFunction(() => window.asked.log.some(it => it.type === 'copy'));
    assert.deepEqual(await view.page.evaluate(() => window.asked.log.find(it => it.type === 'copy')), { type: 'copy', text: '32 33 34' });
    await view.page.keyboard.press('End');
    assert.match(await status(), /0x1f \(31\)/);
    await view.page.keyboard.press('PageDown');
    await view.page.keyboard.press('Control+Home');
    assert.match(await status(), /0x0 \(0\)/);
    await view.page.keyboard.press('ArrowUp');
    assert.match(await status(), /0x0 \(0\)/);
    await view.page.keyboard.press('Control+End');
    assert.match(await status(), /0x1fff \(8,191\)/);
  });

  it('selects by mouse, and copies text from the text column', async () => {
    await open({ size: 8192, regions: [{ start: 0, end: 8192, text: '0123456789abcdef' }] });
    await settled();
    const second = rows().nth(1).locator('.text .b');
    await second.nth(3).hover();
    await view.page.mouse.down();
    await second.nth(6).hover();
    await view.page.mouse.up();
    assert.match(await status(), /4 bytes selected, 0x13 to 0x16/);
    await view.page.keyboard.press('Control+c');
    await view.page.waitForFunction(() => window.asked.log.some(it => it.type === 'copy'));
    assert.deepEqual(await view.page.evaluate(() => window.asked.log.find(it => it.type === 'copy')), { type: 'copy', text: '3456' });
  });

  it('says to a screen reader which byte the cursor is on, and its state', async () => {
    await open({ size: gigabyte, regions: [{ start: 0, end: 4096, text: 'Az' }] });
    await settled();
    await grid().focus();
    await view.page.keyboard.press('ArrowRight');
    const active = async (): Promise<string | null> => view.page.evaluate(() => document.getElementById(document.querySelector('[role=grid]')?.getAttribute('aria-activedescendant') ?? '')?.getAttribute('aria-label') ?? null);
    await view.page.waitForFunction(() => document.getElementById('active-cell')?.getAttribute('aria-label')?.startsWith('offset 0x1'));
    assert.equal(await active(), 'offset 0x1: 7a, decimal 122 z, in memory');
    await change({ regions: [{ start: 0, end: 4096, text: 'AZ' }] });
    await refresh();
    await view.page.locator('.changed').first().waitFor();
    assert.equal(await active(), 'offset 0x1: 5a, decimal 90 Z, in memory, changed');
    const problems = await view.page.evaluate(() => [
      ...[...document.querySelectorAll('[role=gridcell]')].filter(cell => cell.parentElement?.getAttribute('role') !== 'row').map(() => 'a cell without a row'),
      ...[...document.querySelectorAll('button, input, select, textarea')].filter(it => !it.hasAttribute('aria-label') && (it.textContent ?? '').trim() === '' && it.closest('label') === null && !(it as HTMLElement).hidden).map(it => it.outerHTML),
      ...[...document.querySelectorAll('[tabindex]')].filter(it => !['0', '-1'].includes(it.getAttribute('tabindex') ?? '')).map(() => 'a positive tabindex'),
    ]);
    assert.deepEqual(problems, []);
    assert.equal(await grid().getAttribute('aria-rowcount'), String(gigabyte / 16));
  });

  it('goes to an offset, and says what is none or lies beyond', async () => {
    await open({ size: gigabyte, regions: [] });
    await settled();
    await goTo('0x20000000');
    assert.match(await status(), /0x20000000 \(536,870,912\)/);
    for (const [typed, words] of [['nonsense', /Not an offset/], ['0x40000000', /It ends before that: it has 1 GiB/]] as const) {
      await view.page.getByRole('textbox', { name: 'Go to offset' }).fill(typed);
      await view.page.keyboard.press('Enter');
      assert.match(await text(view.page.locator('.goto-box')), words);
      assert.equal(await view.page.getByRole('textbox', { name: 'Go to offset' }).getAttribute('aria-invalid'), 'true');
    }
    assert.match(await status(), /0x20000000 /);
  });

  it('searches text and bytes with progress, goes from match to match, and can be cancelled', async () => {
    await open({ size: 4 * gigabyte, regions: [{ start: 4096, end: 8192, text: 'needle in hay ' }, { start: 3 * gigabyte, end: 3 * gigabyte + 4096, text: 'NEEDLE' }] });
    await settled();
    const input = view.page.getByRole('textbox', { name: 'Search' });
    await input.fill('needle in');
    await view.page.keyboard.press('Enter');
    await view.page.getByText('match 1 of 292').waitFor();
    assert.match(await status(), /0x1000 \(4,096\)[\s\S]*9 bytes selected/);
    await input.focus();
    await view.page.keyboard.press('Enter');
    assert.match(await text(view.page.locator('.search')), /match 2 of 292/);
    await view.page.getByRole('button', { name: 'Previous match' }).click();
    await view.page.getByRole('button', { name: 'Previous match' }).click();
    assert.match(await text(view.page.locator('.search')), /match 292 of 292/);
    assert.ok(await view.page.locator('.hit').count() > 0 && await view.page.locator('.hit.here').count() > 0);
    await view.page.getByRole('combobox', { name: 'Search' }).selectOption('hex');
    await input.fill('4e 45 45 44');
    await view.page.keyboard.press('Enter');
    await view.page.getByText(/match 1 of 683/).waitFor();
    await input.fill('4e 4');
    await view.page.keyboard.press('Enter');
    assert.match(await text(view.page.locator('.search')), /Not bytes/);
    await change({ delay: 400 });
    await input.fill('4e 45');
    await view.page.keyboard.press('Enter');
    await view.page.getByRole('progressbar').waitFor();
    await view.page.getByRole('button', { name: 'Cancel the search' }).click();
    assert.match(await text(view.page.locator('.search')), /no match · stopped/);
    assert.ok(await view.page.evaluate(() => window.asked.log.some(it => it.type === 'cancel')));
  });

  it('shows the numbers at the cursor in either order, and lays a structure over the bytes', async () => {
    await open({ size: 8192, regions: [{ start: 0, end: 4096, text: '\u0001\u0000\u0000\u0000name\u0000\u0000\u0000\u0000' }] });
    await settled();
    assert.match(await text(view.page.locator('table.values')), /u32\s+1\s+16777216/);
    const declarations = view.page.getByRole('textbox', { name: 'Declarations in C' });
    await declarations.fill('struct head {\n  uint32_t count;\n  char name[8];\n};\n');
    const fields = view.page.locator('table.fields');
    await fields.waitFor();
    assert.match((await text(fields)).replace(/\s+/g, ' '), /count uint32_t \+0 1 name char\[8\] \+4 "name"/);
    await view.page.getByRole('combobox', { name: 'Byte order' }).selectOption('big');
    assert.match((await text(fields)).replace(/\s+/g, ' '), /count uint32_t \+0 16777216/);
    await fields.getByRole('button', { name: 'name', exact: true }).click();
    assert.match(await status(), /8 bytes selected, 0x4 to 0xb/);
    assert.match((await text(fields)).replace(/\s+/g, ' '), /count uint32_t \+0 16777216/, 'the structure stays where it is');
    await declarations.fill('struct head {\n  uint32_t count\n};');
    const error = view.page.getByRole('button', { name: 'Line 3, column 1: expected ; before }' });
    await error.click();
    assert.deepEqual(await declarations.evaluate((it: HTMLTextAreaElement) => [it.selectionStart, it.getAttribute('aria-invalid')]), [31, 'true']);
    assert.equal(await fields.count(), 0, 'nothing stands there that the text does not say');
    assert.match(JSON.stringify(await view.state()), /struct head/);
  });

  it('shows only what was seen, and offers what would help', async () => {
    await open({ size: gigabyte, complete: false, regions: [{ start: 4096, end: 8192, text: 'seen' }] });
    await settled();
    assert.equal(await row('00000000'), `00000000 ${'?? '.repeat(16)}${'?'.repeat(16)}`);
    assert.match(await text(view.page.locator('.banners')), /Only pages that a process which may be read has touched are shown/);
    assert.match(await text(view.page.locator('table.values')), /u8\s+–/);
    await view.page.getByRole('button', { name: 'Look as Administrator…' }).click();
    assert.ok(await view.page.evaluate(() => window.asked.log.some(it => it.type === 'administrator')));
  });

  it('says that it cannot look and why, that the object is gone, and keeps nothing stale', async () => {
    await open({ size: gigabyte, regions: [{ start: 0, end: 4096, text: 'secret' }] });
    await settled();
    await change({ unavailable: { reason: 'no process that can be read <b>maps</b> it\u202e: permission denied (EACCES)', errno: 'EACCES', remedy: 'run the probe as root' } });
    await refresh();
    await view.page.getByText(/It cannot be looked at because no process that can be read <b>maps<\/b> it\\u\{202e\}/).waitFor();
    assert.equal(await view.page.locator('main').isVisible(), false);
    await change({ gone: true });
    await refresh();
    await view.page.getByText('This object is gone.').waitFor();
    for (const part of ['footer', '.tools', 'main']) assert.equal(await view.page.locator(part).isVisible(), false, `${part}: there is nothing to find or to say of it`);
    assert.doesNotMatch(await view.page.evaluate(() => document.body.innerText), /secret/);
    await change({ gone: false, unavailable: undefined });
    await view.page.evaluate(() => { delete window.memory.unavailable; });
    await refresh();
    await settled();
    assert.match(await row('00000000'), /secret/, 'and it is back when it can be seen again');
  });

  it('says that it shrank, and shows nothing beyond the end', async () => {
    await open({ size: 65536, regions: [{ start: 0, end: 65536, text: 'x' }] });
    await settled();
    await view.page.getByRole('grid').focus();
    await view.page.keyboard.press('Control+End');
    await settled();
    await change({ size: 20, regions: [{ start: 0, end: 20, text: 'y' }] });
    await refresh();
    await view.page.getByText('It has shrunk from 64 KiB (65,536 bytes) to 20 bytes.').waitFor();
    await settled();
    assert.match(await status(), /0x13 \(19\)/);
    assert.equal(await rows().count(), 2);
    await change({ size: 0, regions: [] });
    await refresh();
    await view.page.getByText(/It has shrunk from 20 bytes to 0 bytes/).waitFor();
    assert.equal(await rows().count(), 0);
  });

  it('outlives a probe that fails or never answers, and goes on when it is back', async () => {
    await open({ size: 8192, regions: [{ start: 0, end: 4096, text: 'ok' }] });
    await settled();
    await change({ failing: 'The probe ended with exit status 1.' });
    await refresh();
    await view.page.getByText('The last look failed, what is shown is older: The probe ended with exit status 1.').waitFor();
    assert.ok(await view.page.locator('.older').count() > 0, 'what is older is shown as such');
    await view.page.evaluate(() => { delete window.memory.failing; });
    await refresh();
    await settled();
    assert.equal(await view.page.locator('.banner').count(), 0);
  });

  it('begins where it was left when it is shown again', async () => {
    await open({ size: gigabyte, regions: [] }, { cursor: String(gigabyte / 2), declarations: 'struct a { int x; };', structure: 'struct a', bytesPerRow: 8 });
    await settled();
    assert.match(await status(), /0x20000000 /);
    assert.equal(await rows().first().locator('[role=gridcell]').count(), 8);
    assert.equal(await view.page.getByRole('combobox', { name: 'Structure' }).inputValue(), 'struct a');
    assert.equal((await view.state() as MemoryState).cursor, String(gigabyte / 2));
  });

  it('treats hostile names, bytes and declarations as text', async () => {
    const name = '<img src=x onerror="window.hacked=1">\u202e\u0000';
    await open({ size: 8192, regions: [{ start: 0, end: 4096, text: '<script>window.hacked=1</script>' }] }, { name, declarations: `struct a { char x[40]; };${'<img src=x onerror=window.hacked=1>'.repeat(3000)}` });
    await settled();
    assert.equal(await view.page.locator('h1').textContent(), '<img src=x onerror="window.hacked=1">\\u{202e}\\u{0}');
    assert.equal(await view.page.evaluate(() => 'hacked' in window || document.querySelector('img') !== null), false);
    await view.page.getByRole('button', { name: /^Line 1, column/ }).waitFor();
  });

  it('fits narrow and wide panels', async () => {
    await open({ size: 2 ** 36, regions: [{ start: 0, end: 65536 }] });
    await settled();
    for (const [width, columns] of [[420, 8], [900, 16], [2000, 32]] as const) {
      await view.page.setViewportSize({ width, height: 700 });
      await view.page.waitForFunction(count => document.querySelector('.scroller .row')?.querySelectorAll('[role=gridcell]').length === count, columns);
      assert.ok(await view.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), `${width}`);
    }
    // A low window: the page scrolls, and the bytes keep their room.
    await view.page.setViewportSize({ width: 200, height: 350 });
    await view.page.waitForFunction(() => (document.querySelector('.scroller')?.clientHeight ?? 0) > 150);
    await view.page.locator('.scroller').scrollIntoViewIfNeeded();
    assert.ok(await view.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
    assert.equal(await rows().first().isVisible(), true);
  });
});
