// The memory view and the file system ipc-memory: at the page of a real VS Code, over a real shared memory object that the test makes.
import * as assert from 'node:assert/strict';
import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { preparedWorkbench } from '../../workbench/page';
import type { WorkbenchPage } from '../../workbench/page';
import { onPage } from '../../workbench/suitePage';

describe('the memory view', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  const name = `ipc-inspector-memory-${process.pid}`;
  const file = `/dev/shm/${name}`;
  const folder = mkdtempSync(join(tmpdir(), 'ipc-inspector-memory-'));
  const size = 1 << 30;
  let workbench: WorkbenchPage;

  const write = (text: string | Buffer, at: number): void => {
    const fd = openSync(file, 'r+');
    if (typeof text === 'string') writeSync(fd, text, at);
    else writeSync(fd, text, 0, text.length, at);
    closeSync(fd);
  };

  before(() => {
    closeSync(openSync(file, 'w'));
    const fd = openSync(file, 'r+');
    ftruncateSync(fd, size);
    closeSync(fd);
    write('what a program keeps here', 0);
    write('far away', size / 2);
  });
  onPage(prepared, opened => { workbench = opened; });
  after(() => {
    rmSync(file, { force: true });
    rmSync(folder, { recursive: true, force: true });
  });

  it('opens from the inspector, goes far, finds, follows what changes, and allocates nothing', async () => {
    const blocks = statSync(file).blocks;
    await workbench.showContainer('IPC');
    await workbench.inlineAction(await workbench.findRow(await workbench.view('IPC Objects'), name), 'Inspect');
    await workbench.webview().locator('vscode-button', { hasText: 'Open Memory View' }).click();
    await workbench.page.locator('.tabs-container .tab').filter({ hasText: 'Memory:' }).waitFor();
    const view = workbench.webview();
    await view.getByRole('grid').waitFor();
    await view.locator('.row', { hasText: '00000000' }).filter({ hasText: /77\s*68\s*61\s*74/ }).waitFor();
    await view.getByRole('textbox', { name: 'Search' }).fill('far away');
    await workbench.page.keyboard.press('Enter');
    await view.getByText('match 1 of 1').waitFor();
    assert.match(await view.locator('footer').innerText(), /0x20000000 \(536,870,912\)/);
    write('FAR', size / 2);
    await view.locator('.changed').first().waitFor();
    await workbench.keepPictures('page-memory', prepared);
    await view.getByRole('textbox', { name: 'Search' }).focus();
    // Ctrl+G is the workbench's: it leads into the view.
    await workbench.page.keyboard.press('Control+g');
    await view.getByRole('textbox', { name: 'Go to offset' }).fill('0x3ffff000');
    await workbench.page.keyboard.press('Enter');
    await view.getByText('page never written: zeros that take no memory').waitFor();
    assert.equal(statSync(file).blocks, blocks);
  });

  it('saves a range that is selected', async () => {
    const view = workbench.webview();
    await view.getByRole('textbox', { name: 'Go to offset' }).fill('0');
    await workbench.page.keyboard.press('Enter');
    for (let step = 0; step < 24; step++) await workbench.page.keyboard.press('Shift+ArrowRight');
    await view.getByText('25 bytes selected, 0x0 to 0x18').waitFor();
    await view.getByRole('button', { name: 'Save a Range to a File…' }).click();
    const target = join(folder, 'saved.bin');
    // The dialog offers a name once it has looked at the folder: what is typed before is lost.
    const input = workbench.page.locator('.quick-input-widget .quick-input-box input');
    for (const end = Date.now() + 20_000; !(await input.inputValue()).endsWith(`${name}.bin`);) {
      if (Date.now() > end) throw new Error(`the dialog offers ${await input.inputValue()}`);
      await workbench.page.waitForTimeout(100);
    }
    await input.fill(target);
    // It first looks at the folder that was typed, and takes no answer meanwhile.
    for (const end = Date.now() + 20_000; await input.isVisible();) {
      if (Date.now() > end) throw new Error('the dialog does not take the name');
      await workbench.page.locator('.quick-input-widget .monaco-button', { hasText: 'OK' }).first().click({ timeout: 2000 }).catch(() => undefined); // it may just have closed
      await input.waitFor({ state: 'hidden', timeout: 1500 }).catch(() => undefined);
    }
    await workbench.notification('saved to saved.bin');
    assert.equal(readFileSync(target, 'utf8'), 'what a program keeps here');
    assert.ok(existsSync(target) && statSync(target).size === 25);
  });

  it('closed, hidden or reloaded in the middle of a search throws nothing, is where it was, and says when the object shrinks and goes', async () => {
    const thrown: string[] = [];
    workbench.page.on('console', message => { if (/rejected promise|is disposed|unhandled/i.test(message.text())) thrown.push(message.text()); });
    // So much that a search takes its time; it ends with its asker, or all of these would end late.
    write(Buffer.alloc(1 << 28, 0x7a), 1 << 26);
    const search = async (): Promise<void> => {
      await workbench.webview().getByRole('textbox', { name: 'Search' }).fill('nowhere');
      await workbench.page.keyboard.press('Enter');
      await workbench.webview().getByRole('progressbar').waitFor();
    };
    const shown = (): Promise<void> => workbench.webview().locator('.row').filter({ hasText: /77\s*68\s*61\s*74/ }).first().waitFor({ timeout: 60_000 });
    await search();
    await workbench.command('View: Close All Editors');
    await workbench.inlineAction(await workbench.findRow(await workbench.view('IPC Objects'), name), 'Inspect');
    await workbench.webview().locator('vscode-button', { hasText: 'Open Memory View' }).click();
    await workbench.page.locator('.tabs-container .tab').filter({ hasText: 'Memory:' }).waitFor();
    await shown();
    await search();
    await workbench.command('View: Open Previous Editor'); // the inspector
    await workbench.webview().getByRole('heading', { level: 1, name }).waitFor();
    await workbench.command('View: Close Editor');
    await shown();
    await search();
    await workbench.reload();
    assert.deepEqual(thrown, []);
    const view = workbench.webview();
    await view.locator('.row').filter({ hasText: /77\s*68\s*61\s*74/ }).first().waitFor({ timeout: 60_000 });
    const fd = openSync(file, 'r+');
    ftruncateSync(fd, 4);
    closeSync(fd);
    await view.getByText('It has shrunk from 1 GiB').waitFor();
    // An editor shows it as a file that cannot be written.
    await view.getByRole('button', { name: 'Open as File' }).click();
    await workbench.page.locator('.monaco-editor .view-line', { hasText: 'what' }).waitFor();
    await workbench.page.locator('.tabs-container .tab').filter({ hasText: `${name}.bin` }).waitFor();
    rmSync(file);
    await workbench.page.locator('.tabs-container .tab').filter({ hasText: 'Memory:' }).click();
    await workbench.webview().getByText(/This object is gone|it is gone, or only processes/).waitFor();
  });
});
