// The inspector in a real browser, under the real Content-Security-Policy, fed with what the extension would send.
import assert from 'node:assert/strict';
import type { Handle, IpcObject } from '../../native-probe/model';
import type { FromInspector, InspectorView, ToInspector } from '../../webview/protocol';
import type { Peeked } from '../../extension/panels/contentsSection';
import { inspect } from '../../extension/panels/inspected';
import { inspectorStrings, inspectorView, stateOf } from '../../extension/panels/inspectorView';
import { handlesOf, objects, process, snapshot, waitOn } from './samples';
import type { WebviewPage } from './webviewPage';
import { WebviewHarness } from './webviewPage';

type Inspector = WebviewPage<ToInspector, FromInspector>;
type Parts = Parameters<typeof snapshot>[1];

const strings: ToInspector = { type: 'strings', language: 'en', strings: inspectorStrings() };

function viewOf(object: IpcObject, parts: Parts = {}, options: { readonly all?: boolean; readonly gone?: string } = {}): InspectorView {
  const inspected = inspect(snapshot(object, parts), object.id);
  assert(inspected);
  return inspectorView(inspected, { showsAll: () => options.all ?? false }, options.gone);
}

describe('inspector', function () {
  this.timeout(60_000);
  let harness: WebviewHarness;
  let inspector: Inspector;
  const main = (): Promise<string> => inspector.page.locator('main').innerText();
  const show = (view: InspectorView): Promise<void> => inspector.tell({ type: 'view', view });

  before(async () => { harness = await WebviewHarness.start('inspectorPanel'); });
  after(() => harness.stop());
  beforeEach(async () => {
    inspector = await harness.open<ToInspector, FromInspector>();
    await inspector.tell(strings);
  });
  afterEach(async () => {
    const refused = await inspector.refused();
    await inspector.page.close();
    assert.deepEqual(refused, [], 'the policy refused nothing and the page threw nothing');
  });

  it('says that it is ready, once', async () => {
    assert.deepEqual(await inspector.heard(), [{ type: 'ready' }]);
  });

  it('shows what exits would do to a semaphore set: beside each semaphore, and who would do it', async () => {
    const object = objects['sysv-semaphore-set'];
    const undo = (pid: number, adjustment: number, more: object = {}): Handle => ({ objectId: object.id, pid, via: 'undo', undo: [{ num: 0, adjustment }], ...more });
    await show(viewOf(object, { processes: [process(812, 'producer'), process(813, 'consumer')], handles: [undo(812, 1, { sharedWith: [813] }), undo(813, 1, { sharedWith: [812] }), undo(813, -3, { tid: 8131 })] }));
    const cells = async (table: string): Promise<string[]> => (await inspector.page.locator(`#heading-${table} ~ * tbody tr`).allInnerTexts()).map(row => row.replace(/\s+/g, ' ').trim());
    assert.match((await cells('sems'))[0] ?? '', / −2$/, 'a shared list counts once');
    const text = (await main()).replace(/\s+/g, ' ');
    assert.match(text, /producer.*undo at exit \(SEM_UNDO\).*\+1 to semaphore 0, when PID 813 has exited too/);
    assert.match(text, /thread 8131, −3 to semaphore 0/);
    await show(viewOf(object, { gaps: [{ id: 'g', scope: { facility: 'sysv-semaphore-set', field: 'undo' }, reason: 'cannot read who would give back', errno: 'EPERM', remedy: 'run the probe as root' }] }));
    assert.match(await inspector.page.locator('#heading-sems ~ * tbody tr').first().locator('td').last().innerText(), /^unknown\s+cannot read who would give back/);
    assert.match(await main(), /No user is known; who would change it at exit \(SEM_UNDO\) could not be read/);
  });

  for (const object of Object.values(objects)) {
    it(`shows every state field of a ${object.kind} and its identity`, async () => {
      const view = viewOf(object, { handles: handlesOf(object.id) });
      await show(view);
      const text = await main();
      assert(text.includes(object.id) && text.includes(view.label));
      for (const section of view.sections) {
        assert.equal(await inspector.page.locator(`h2#heading-${section.key}`).count(), 1, section.key);
        if (section.type === 'fields') for (const field of section.fields) assert(text.includes(field.gloss), `${section.key}.${field.key}`);
      }
      const stated = view.sections.flatMap(section => section.type === 'fields' && section.key === 'state' ? section.fields.map(field => field.key) : section.key);
      for (const key of Object.keys(object.state)) assert(stated.includes(key) || (key === 'lrpid' && !('rtime' in object.state)), `${object.kind} shows ${key}`);
    });
  }

  it('writes bytes exactly and in powers of 1,024, also past 2⁵³', async () => {
    await show(viewOf(objects['sysv-shared-memory']));
    assert.match(await main(), /67,108,864 bytes\s*64 MiB/);
    await show(viewOf(objects['posix-shared-memory']));
    assert.match(await main(), /9,007,199,254,740,993 bytes\s*8,192 TiB|9,007,199,254,740,993 bytes\s*8 PiB/);
  });

  it('writes times absolutely and relatively', async () => {
    await show(viewOf(objects['sysv-shared-memory']));
    const time = inspector.page.locator('time').first();
    assert.equal(await time.getAttribute('datetime'), '2026-02-28T10:00:00.000Z');
    assert.match(await time.innerText(), /Feb 28, 2026, 10:00:00 AM/);
    assert.match(await time.locator('xpath=following-sibling::*').innerText(), /ago|in /);
  });

  it('tells owner and permissions in words of the facility', async () => {
    await show(viewOf(objects['posix-message-queue']));
    const owner = await inspector.page.locator('section:has(#heading-owner)').innerText();
    assert.match(owner, /The owner may\s+receive messages, send messages/);
    assert.match(owner, /The group may\s+receive messages/);
    assert.match(owner, /Others may\s+nothing/);
  });

  it('shows null as unknown with the reason and the remedy, and what is absent not at all', async () => {
    const object: IpcObject = { ...objects['sysv-shared-memory'], state: { ...objects['sysv-shared-memory'].state, rss: null, dtime: undefined } };
    await show(viewOf(object, { gaps: [{ id: 'g1', scope: { objectId: object.id, field: 'rss' }, reason: 'cannot read the resident size', errno: 'EACCES', remedy: 'run the probe as root' }] }));
    const field = await inspector.page.locator('.field', { hasText: 'Resident in memory' }).innerText();
    assert.match(field, /unknown\s+cannot read the resident size \(EACCES\); run the probe as root/);
    assert.doesNotMatch(await main(), /shm_dtime/);
    assert.match(await main(), /Not seen[\s\S]*cannot read the resident size/);
  });

  it('does not take a process that got a PID later for the one the kernel remembers', async () => {
    const object: IpcObject = { ...objects['sysv-message-queue'], state: { ...objects['sysv-message-queue'].state, lrpid: 813, rtime: '2026-02-28T09:05:00.000Z' } };
    await show(viewOf(object));
    // 812 started before the last msgsnd, 813 after the last msgrcv.
    assert.match(await inspector.page.locator('.field', { hasText: 'msg_lspid' }).innerText(), /producer \(812\)$/);
    assert.match(await inspector.page.locator('.field', { hasText: 'msg_lrpid' }).innerText(), /813 no longer running; consumer has its PID now/);
  });

  it('treats hostile names as text', async () => {
    const names = ['<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>', '/a\u202Egnp.exe\u2066\u200B', '\u0000\u001b[31m\u0007\n', '[link](command:evil) `$(zap)` &amp;', 'x'.repeat(4096), '{0} {1} %s', '\uD800'];
    for (const name of names) {
      const object: IpcObject = { ...objects['posix-semaphore'], name };
      await show(viewOf(object, { handles: [{ objectId: object.id, pid: 812, via: 'mapping' }], processes: [process(812, name)], gaps: [{ id: 'g', scope: { objectId: object.id }, reason: name, remedy: name }] }));
      const shown = await inspector.page.locator('h1').textContent();
      // Everywhere: names also stand in fields, rows, notes, labels and tooltips.
      const everything = await inspector.page.evaluate(() => [document.querySelector('main')?.textContent, ...[...document.querySelectorAll('main *')].flatMap(element => [...element.attributes].map(attribute => attribute.value))].join(' '));
      assert.doesNotMatch(everything, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      assert(shown?.startsWith([...name].find(() => true) === '<' ? '<img' : ''));
      assert.equal(await inspector.page.locator('main img, main script').count(), 0);
      assert.equal(await inspector.page.evaluate(() => 'hacked' in window), false);
      const overflow = await inspector.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert(overflow <= 0, `no sideways scrolling for ${JSON.stringify(name).slice(0, 40)}`);
    }
  });

  it('names the other end of a socket, leads to it, and tells who has it', async () => {
    const object = objects['unix-socket'];
    const peer: IpcObject = { ...object, id: 'unix-socket:502', state: { ...object.state, path: undefined, peer: object.id } };
    const whole = snapshot(object, { handles: [{ objectId: object.id, pid: 812, via: 'descriptor', fd: 3, access: 'read-write' }, { objectId: peer.id, pid: 813, via: 'descriptor', fd: 9, access: 'read-write' }] });
    const inspected = inspect({ ...whole, objects: [object, peer] }, object.id);
    assert(inspected);
    await show(inspectorView(inspected, { showsAll: () => false }));
    const rows = inspector.page.locator('section:has(#heading-otherEnd) tbody tr');
    assert.equal(await rows.count(), 1);
    assert.match(await rows.first().innerText(), /consumer \(813\)\s+descriptor\s+read and write\s+fd 9/);
    await inspector.heard();
    await inspector.page.getByRole('button', { name: 'UNIX domain socket 502', exact: true }).click();
    assert.deepEqual(await inspector.heard(), [{ type: 'inspect', id: 'unix-socket:502' }]);
  });

  it('looks at contents when asked, and shows bytes in a region that scrolls by keyboard', async () => {
    const object = objects['posix-shared-memory'];
    const inspected = inspect(snapshot(object), object.id);
    assert(inspected);
    const view = (peeked?: Peeked): InspectorView => inspectorView(inspected, { showsAll: () => false }, undefined, peeked);
    await show(view());
    await inspector.heard();
    await inspector.page.locator('vscode-button', { hasText: 'Peek' }).click();
    assert.deepEqual(await inspector.heard(), [{ type: 'peek', offset: '0' }]);
    await show(view({ busy: true }));
    assert.equal(await inspector.page.locator('vscode-button[disabled]', { hasText: 'Peek' }).count(), 1);
    const content = { offset: '0', length: 16, truncated: true, base64: Buffer.from('<b>\u202e bytes\u0000\u0001').toString('base64') };
    await show(view({ busy: false, at: '2026-03-01T12:00:01.000Z', contents: { form: 'bytes', size: '9007199254740993', content } }));
    const section = inspector.page.locator('section:has(#heading-contents)');
    assert.match(await section.innerText(), /Bytes 0 to 15 of .*9007199254740993 bytes[\s\S]*00000000 {2}3c 62 3e e2 80 ae 20 62 {2}79 74 65 73 00 01/);
    assert.equal(await section.locator('.scroll[tabindex="0"][role=region]').count(), 1);
    assert.equal(await section.locator('vscode-button[disabled]').count(), 0);
    await section.locator('vscode-button', { hasText: 'Bytes after' }).click();
    assert.deepEqual(await inspector.heard(), [{ type: 'peek', offset: '16' }]);
  });

  it('shows messages as text, hexadecimal numbers or JSON, however large and hostile they are', async () => {
    const object = objects['sysv-message-queue'];
    const inspected = inspect(snapshot(object), object.id);
    assert(inspected);
    const bodies = [Buffer.from('{"job":7,"name":"<b>x</b>"}\0'), Buffer.from(Array.from({ length: 65536 }, (_, at) => at * 7 & 0xff)), Buffer.from('\u202e<script>window.hacked=1</script>\u0000\u001b[2J'), Buffer.from('x'.repeat(100_000))];
    const contents = { form: 'messages' as const, total: '4', messages: bodies.map((body, index) => ({ index, type: String(index + 1), size: String(body.length), content: { offset: '0', length: body.length, truncated: false, base64: body.toString('base64') } })) };
    const shownAs = async (format: Peeked['format']): Promise<string[]> => {
      await show(inspectorView(inspected, { showsAll: () => false }, undefined, { busy: false, at: '2026-03-01T12:00:01.000Z', contents, format }));
      return inspector.page.locator('section:has(#heading-messages) tbody tr').allInnerTexts();
    };
    const asText = await shownAs(undefined);
    assert.match(asText[0] ?? '', /^0\s+1\s+28 bytes\s+\{"job":7,"name":"<b>x<\/b>"\}\\u\{0\}/);
    assert.match(asText[2] ?? '', /\\u\{202e\}<script>window\.hacked=1<\/script>\\u\{0\}\\u\{1b\}\[2J/);
    assert.match(asText[3] ?? '', /x…|x …/);
    assert.ok(asText.every(row => row.length < 12_000), 'bounded');
    assert.equal(await inspector.page.evaluate(() => 'hacked' in window), false);
    assert.match((await shownAs('hex'))[1] ?? '', /00000000 {2}00 07 0e 15 1c 23 2a 31/);
    const json = await shownAs('json');
    assert.match(json[0] ?? '', /"job": 7,\n {2}"name": "<b>x<\/b>"/);
    assert.match(json[1] ?? '', /no JSON/);
    await inspector.heard();
    await inspector.page.getByRole('group', { name: 'Show as' }).getByRole('button', { name: 'Hexadecimal' }).click();
    assert.deepEqual(await inspector.heard(), [{ type: 'format', format: 'hex' }]);
    assert.equal(await inspector.page.getByRole('button', { name: 'JSON', exact: true }).getAttribute('aria-pressed'), 'true');
    assert(await inspector.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), 'no sideways scrolling');
  });

  it('draws how full a pipe or a queue is, and a bar for each semaphore; 32,000 semaphores are bounded', async () => {
    const part = (): Promise<string[]> => inspector.page.locator('.meter').evaluateAll(all => all.map(it => (it as HTMLElement).style.getPropertyValue('--part')));
    await show(viewOf({ ...objects.pipe, state: { unread: '61440', capacity: '65536' } }));
    assert.deepEqual(await part(), ['93.8']);
    assert.equal(await inspector.page.locator('.meter.full').count(), 1);
    await show(viewOf(objects['sysv-semaphore-set']));
    assert.deepEqual(await part(), ['0', '44.4', '100']);
    const sems = Array.from({ length: 32_000 }, (_, index) => ({ val: index % 100, ncnt: 0, zcnt: 0, pid: 0 }));
    const object: IpcObject = { ...objects['sysv-semaphore-set'], state: { ...objects['sysv-semaphore-set'].state, nsems: 32_000, sems } };
    await show(viewOf(object));
    assert.equal(await inspector.page.locator('section:has(#heading-sems) tbody tr').count(), 100);
    const all = viewOf(object, {}, { all: true });
    const took = await inspector.page.evaluate(view => {
      const started = performance.now();
      window.dispatchEvent(new MessageEvent('message', { data: { type: 'view', view } }));
      return performance.now() - started;
    }, all);
    assert.equal(await inspector.page.locator('section:has(#heading-sems) tbody tr').count(), 10_000);
    assert(took < 6000, `${Math.round(took)} ms`);
    assert.match(await inspector.page.locator('section:has(#heading-sems)').innerText(), /10,000 of 32,000/);
  });

  it('draws locks on their file: who holds which bytes, who waits for which, and what reaches to the end', async () => {
    const object = objects['record-lock'];
    await show(viewOf(object, { handles: [{ objectId: object.id, pid: 812, via: 'lock', lock: { type: 'read', start: '0', end: '99' } }] }));
    const drawn = inspector.page.locator('section:has(#heading-drawing) .range');
    assert.deepEqual(await drawn.evaluateAll(all => all.map(it => it.getAttribute('aria-label'))), [
      'producer (812) holds a lock (shared) on bytes 0 to 99', 'consumer (813) holds a lock (exclusive) on bytes 200 to the end of the file', 'consumer (813) waits for a lock (exclusive) on bytes 0 to 9',
    ]);
    const boxes = await drawn.evaluateAll(all => all.map(it => { const box = it.getBoundingClientRect(); return [box.left, box.right]; }));
    const [first, second, third] = boxes;
    assert(first && second && third);
    assert.ok(first[0] === third[0] && (third[1] ?? 0) < (first[1] ?? 0), 'bytes 0 to 9 lie at the start of bytes 0 to 99');
    assert.ok((second[0] ?? 0) > (first[1] ?? 0), 'nothing is held between 100 and 199');
    assert.equal(await inspector.page.locator('.range.open').count(), 1);
    assert.equal(await inspector.page.locator('.range.waiting').count(), 1);
    const many: IpcObject = { ...object, state: { path: '/x', ranges: Array.from({ length: 5000 }, (_, index) => ({ type: 'write' as const, start: String(index * 2), end: String(index * 2), pid: 812 })) } };
    await show(viewOf(many));
    assert.equal(await drawn.count(), 40);
    assert.match(await inspector.page.locator('section:has(#heading-drawing)').innerText(), /The first 40 of 5000 are drawn/);
    await inspector.page.setViewportSize({ width: 300, height: 700 });
    assert(await inspector.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
  });

  it('says the gist of every kind in a line', async () => {
    for (const object of Object.values(objects)) {
      const view = viewOf(object, { waits: [waitOn(object.id)] });
      await show(view);
      assert.match(await inspector.page.locator('.brief').innerText(), /1 thread waits on it$/, object.kind);
    }
  });

  it('says that a pipe has nobody at an end', async () => {
    const object = objects.pipe;
    await show(viewOf(object, { handles: [{ objectId: object.id, pid: 812, via: 'descriptor', fd: 4, access: 'write', end: 'write' }] }));
    assert.match(await main(), /Read end: no process has it\./);
    assert.doesNotMatch(await main(), /Write end: no process/);
  });

  it('shows an override character as its escape', async () => {
    await show(viewOf({ ...objects['posix-semaphore'], name: '/a\u202Eb' }));
    assert.equal(await inspector.page.locator('h1').textContent(), '/a\\u{202e}b');
  });

  it('says that no process has it when that is known, and does not when some could not be seen', async () => {
    const object = objects['posix-semaphore'];
    await show(viewOf(object));
    assert.match(await main(), /No process has it\./);
    await show(viewOf(object, { gaps: [{ id: 'g', scope: { pid: 812, facility: 'processes' }, reason: 'cannot read the mappings of pid 812', errno: 'EACCES' }] }));
    assert.doesNotMatch(await main(), /No process has it\./);
    assert.match(await main(), /some could not/);
  });

  it('counts the attachments that are in processes nobody could look into', async () => {
    const object = objects['sysv-shared-memory'];
    await show(viewOf(object, { handles: handlesOf(object.id) }));
    assert.match(await main(), /1 of its 2 attachments are in processes that could not be seen\./);
    await show(viewOf({ ...object, state: { ...object.state, nattch: 0 } }));
    assert.match(await main(), /No process has it attached: shm_nattch is 0\./);
  });

  it('shows one handle as one row with process, way, access and place', async () => {
    const object = objects['posix-semaphore'];
    await show(viewOf(object, { handles: [{ objectId: object.id, pid: 812, via: 'descriptor', fd: 4, access: 'read-write' }] }));
    const rows = inspector.page.locator('section:has(#heading-handles) tbody tr');
    assert.equal(await rows.count(), 1);
    assert.match(await rows.first().innerText(), /producer \(812\)\s+descriptor\s+read and write\s+fd 4/);
    assert.equal(await rows.first().locator('th[scope=row]').count(), 1);
  });

  it('shows the first hundred of 10,000 handles, and all when asked, without a pause a person notices', async () => {
    const object = objects['posix-shared-memory'];
    const parts: Parts = { handles: Array.from({ length: 10_000 }, (_, index) => ({ objectId: object.id, pid: 1000 + index, via: 'mapping' as const, address: `0x${index.toString(16)}` as const })), processes: Array.from({ length: 10_000 }, (_, index) => process(1000 + index, `worker ${index}`)) };
    await show(viewOf(object, parts));
    const rows = inspector.page.locator('section:has(#heading-handles) tbody tr');
    assert.equal(await rows.count(), 100);
    await inspector.heard();
    await inspector.page.getByText('Show all 10,000').click();
    assert.deepEqual(await inspector.heard(), [{ type: 'showAll', table: 'handles', all: true }]);
    const all = viewOf(object, parts, { all: true });
    const painted = await inspector.page.evaluate(async view => {
      const started = performance.now();
      window.dispatchEvent(new MessageEvent('message', { data: { type: 'view', view } }));
      await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
      return performance.now() - started;
    }, all);
    assert.equal(await rows.count(), 10_000);
    assert(painted < 4000, `${Math.round(painted)} ms`);
    const again = await inspector.page.evaluate(view => {
      const started = performance.now();
      window.dispatchEvent(new MessageEvent('message', { data: { type: 'view', view } }));
      return performance.now() - started;
    }, all);
    assert(again < 1000, `an update took ${Math.round(again)} ms`);
  });

  it('keeps focus, selection and scroll position over updates', async () => {
    const object = objects['sysv-message-queue'];
    const handles = Array.from({ length: 60 }, (_, index) => ({ objectId: object.id, pid: 1000 + index, via: 'last-operation' as const, operation: 'msgsnd' }));
    const processes = handles.map(handle => process(handle.pid, 'worker'));
    await show(viewOf(object, { handles, processes }));
    const link = inspector.page.getByRole('button', { name: 'worker (1040)', exact: true });
    await link.focus();
    await inspector.page.evaluate(() => window.scrollTo(0, 500));
    const top = (await link.boundingBox())?.y;
    // A process before it goes, one after it comes, a number changes.
    await show(viewOf({ ...object, state: { ...object.state, qnum: '13' } }, { handles: [...handles.slice(0, 59), { objectId: object.id, pid: 5000, via: 'last-operation', operation: 'msgsnd' }], processes }));
    assert.match(await main(), /Messages\s*msg_qnum\s*13/);
    assert(await link.evaluate(element => element === document.activeElement));
    assert.equal(await inspector.page.evaluate(() => window.scrollY), 500);
    assert.equal((await link.boundingBox())?.y, top);
    await show(viewOf(object, { handles: handles.slice(1), processes }));
    assert(await link.evaluate(element => element === document.activeElement), 'focus stays when an earlier row goes');
  });

  it('announces what changed politely', async () => {
    const object = objects['posix-semaphore'];
    await show(viewOf(object));
    await show(viewOf({ ...object, state: { value: 1, waiters: 1 } }));
    const status = inspector.page.getByRole('status');
    await inspector.page.waitForFunction(() => document.querySelector('[role=status]')?.textContent !== '');
    assert.equal(await status.textContent(), 'Changed: Value, Waiting threads.');
    assert.equal(await status.getAttribute('aria-live'), 'polite');
  });

  it('marks an object that is gone, keeps its last values and offers no removal', async () => {
    const object = objects['posix-shared-memory'];
    await show(viewOf(object));
    assert.equal(await inspector.page.locator('vscode-button', { hasText: 'Remove' }).count(), 1);
    await show(viewOf(object, {}, { gone: '2026-03-01T12:00:05.000Z' }));
    assert.match(await main(), /This object is gone\..*Mar 1, 2026, 12:00:05 PM/);
    assert.match(await main(), /9,007,199,254,740,993 bytes/);
    assert.equal(await inspector.page.locator('vscode-button', { hasText: 'Remove' }).count(), 0);
    assert.equal(await inspector.page.locator('.last-known').count(), 1);
    await show(viewOf(object));
    assert.doesNotMatch(await main(), /gone/);
  });

  it('says after a reload that the object went meanwhile', async () => {
    await inspector.tell({ type: 'vanished', state: stateOf(viewOf(objects['posix-semaphore'])) });
    assert.match(await main(), /\/gate[\s\S]*This object is gone\./);
  });

  it('says that it waits for the first snapshot, and why the last one failed', async () => {
    await inspector.tell({ type: 'pending', state: stateOf(viewOf(objects['posix-semaphore'])), problem: 'the probe ended with status 1' });
    assert.match(await main(), /Waiting for the first snapshot/);
    assert.match(await main(), /the probe ended with status 1/);
  });

  it('keeps as state what a restored panel needs', async () => {
    const view = viewOf(objects['posix-semaphore']);
    await show(view);
    assert.deepEqual(await inspector.state(), stateOf(view));
  });

  it('sends actions to the host', async () => {
    const object = objects['sysv-shared-memory'];
    await show(viewOf(object, { handles: handlesOf(object.id) }));
    await inspector.heard();
    for (const name of ['Copy ID', 'Copy as JSON', 'Remove…']) await inspector.page.locator('vscode-button', { hasText: name }).click();
    await inspector.page.getByRole('button', { name: 'consumer (813)', exact: true }).last().click();
    await inspector.page.getByRole('button', { name: `Copy ${object.id}` }).click();
    assert.deepEqual(await inspector.heard(), [{ type: 'copyId' }, { type: 'copyJson' }, { type: 'remove' }, { type: 'follow', pid: 813 }, { type: 'copy', text: object.id }]);
  });

  it('can be used by keyboard alone, in reading order', async () => {
    const object = objects['posix-semaphore'];
    await show(viewOf(object, { handles: handlesOf(object.id) }));
    await inspector.heard();
    await inspector.page.keyboard.press('Tab');
    await inspector.page.keyboard.press('Enter');
    await inspector.page.keyboard.press('Tab');
    await inspector.page.keyboard.press('Tab');
    await inspector.page.keyboard.press('Enter');
    assert.deepEqual(await inspector.heard(), [{ type: 'copyId' }, { type: 'remove' }]);
    const order = await inspector.page.evaluate(() => [...document.querySelectorAll('[tabindex]:not([tabindex="0"]):not([tabindex="-1"])')].length);
    assert.equal(order, 0, 'no positive tabindex');
  });

  it('names who waits on it, the verdict, the evidence and who could end it', async () => {
    const object = objects['flock-lock'];
    await show(viewOf(object, { handles: [{ objectId: object.id, pid: 812, via: 'lock', fd: 3 }], waits: [waitOn(object.id)] }));
    const waits = await inspector.page.locator('section:has(#heading-waits)').innerText();
    assert.match(waits, /wait for each other/);
    assert.match(waits, /consumer \(813\) thread 8131 waits in flock/);
    assert.match(waits, /deadlocked/i);
    assert.match(waits, /Goes on after: unlock by producer \(812\) thread 8121/);
    assert.match(waits, /syscall 73 on fd 4/);
  });

  it('tells many unreadable processes in one note', async () => {
    const object = objects['posix-semaphore'];
    const gaps = Array.from({ length: 300 }, (_, index) => ({ id: `g${index}`, scope: { pid: index + 2, facility: 'processes' as const }, reason: `cannot read the mappings of pid ${index + 2}`, errno: 'EACCES', remedy: 'run the probe as root' }));
    await show(viewOf(object, { gaps }));
    assert.equal(await inspector.page.locator('section:has(#heading-gaps) li').count(), 1);
    assert.match(await inspector.page.locator('section:has(#heading-gaps)').innerText(), /300 processes could not be looked into/);
  });

  it('fits a narrow panel without sideways scrolling', async () => {
    await inspector.page.setViewportSize({ width: 280, height: 600 });
    for (const object of Object.values(objects)) {
      await show(viewOf(object, { handles: handlesOf(object.id), waits: [waitOn(object.id)] }));
      assert(await inspector.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), object.kind);
    }
  });

  for (const [theme, gone] of [['dark', undefined], ['light', undefined], ['hc', undefined], ['dark', '2026-03-01T12:00:05.000Z'], ['light', '2026-03-01T12:00:05.000Z']] as const) {
    it(`has readable contrast in the ${theme} theme${gone ? ' when it is gone' : ''}`, async () => {
      const object = objects['sysv-shared-memory'];
      await inspector.theme(theme);
      await show(viewOf({ ...object, state: { ...object.state, rss: null } }, { handles: handlesOf(object.id), waits: [waitOn(object.id)] }, { gone }));
      const poor = await inspector.page.evaluate(() => {
        // The canvas paints the colours over each other as the screen does.
        const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        const painted = (colours: readonly string[]): readonly number[] => {
          if (!context) return [0, 0, 0];
          for (const colour of colours) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
          return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
        };
        const luminance = (colours: readonly string[]): number => {
          const [r = 0, g = 0, b = 0] = painted(colours).map(value => value / 255).map(value => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const found: string[] = [];
        for (const element of document.querySelectorAll<HTMLElement>('main *')) {
          if (![...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.textContent?.trim()) || element.closest('vscode-button, .visually-hidden')) continue;
          const backgrounds: string[] = [];
          for (let at: HTMLElement | null = element; at; at = at.parentElement) backgrounds.unshift(getComputedStyle(at).backgroundColor);
          const [light = 0, dark = 0] = [luminance(backgrounds), luminance([...backgrounds, getComputedStyle(element).color])].sort((a, b) => b - a);
          const ratio = (light + 0.05) / (dark + 0.05);
          if (ratio < (element.className === 'unknown' ? 3 : 4.5)) found.push(`${element.tagName}.${element.className} ${ratio.toFixed(1)}`);
        }
        return [...new Set(found)];
      });
      assert.deepEqual(poor, []);
    });
  }
});
