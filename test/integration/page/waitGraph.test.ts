// The wait graph at the page of a real VS Code: the demo's deadlock, debugged for real.
import * as assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { preparedWorkbench } from '../../workbench/page';
import type { WorkbenchPage } from '../../workbench/page';
import { onPage } from '../../workbench/suitePage';

describe('the wait graph', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  let workbench: WorkbenchPage;

  onPage(prepared, opened => { workbench = opened; });
  before(() => workbench.startDebugging('Deadlock'));

  const node = (title: string): Locator => workbench.webview().locator('.node').filter({ has: workbench.webview().locator('text.title').getByText(title, { exact: true }) });

  it('opens from the notification of the deadlock, and shows that chain alone', async () => {
    await workbench.answerNotification(/Deadlock: .*waits for mutex/, 'Show in Wait Graph');
    for (const title of ['clerk', 'auditor']) await node(title).waitFor();
    assert.equal(await workbench.webview().locator('.node.tone.deadlocked').count(), 4);
    assert.match(await workbench.webview().getByLabel('Show', { exact: true }).locator('option:checked').innerText(), /clerk.*auditor|auditor.*clerk/);
    await workbench.command('View: Close All Editors');
  });

  it('draws the circle of the deadlock and who waits behind it, from the finding in Waits', async () => {
    await workbench.showContainer('Run and Debug');
    for (const title of ['Variables', 'Watch', 'Call Stack', 'Loaded Scripts', 'Breakpoints', 'IPC of the Debuggee']) await workbench.fold(title);
    const waits = await workbench.view('Waits');
    const finding = workbench.rows(waits, /^\s*Deadlock/).first();
    await finding.waitFor();
    await workbench.page.mouse.move(900, 640); // a tooltip of the view's title may lie over its first row
    await workbench.inlineAction(finding, 'Show in Wait Graph');
    for (const title of ['clerk', 'auditor', 'messenger', 'ledger.lock']) await node(title).waitFor();
    const circle = await workbench.webview().locator('.node.tone.deadlocked text.title').allTextContents();
    assert.deepEqual(circle.filter(it => it === 'clerk' || it === 'auditor').sort(), ['auditor', 'clerk']);
    assert.equal(circle.length, 4);
    assert.equal(await workbench.webview().locator('.edge.tone.deadlocked').count(), 4);
    await workbench.keepPictures('page-wait-graph', prepared, ['light', 'hc-dark', 'hc-light', 'dark']);
  });

  it('is walked by arrow keys, and Enter leads to the object', async () => {
    await workbench.webview().locator('.node[tabindex="0"]').focus();
    await workbench.page.keyboard.press('Home');
    const focused = (): Promise<string | null> => workbench.webview().locator('.node:focus text.title').textContent();
    assert.equal(await focused(), 'messenger');
    await workbench.page.keyboard.press('ArrowDown');
    assert.equal(await focused(), 'ledger.lock');
    await workbench.page.keyboard.press('Enter');
    await workbench.webview().getByRole('heading', { level: 1, name: 'ledger.lock' }).waitFor();
    await workbench.command('View: Close Editor');
  });

  it('leads from a thread to its process', async () => {
    const name = /PID \d+/.exec(await node('clerk').getAttribute('aria-label') ?? '')?.[0] ?? assert.fail();
    await node('clerk').click();
    await workbench.webview().getByRole('button', { name: 'Reveal in Processes' }).click();
    await (await workbench.view('Processes')).locator('.monaco-list-row.selected').filter({ hasText: `${name} ·` }).waitFor();
  });

  it('is saved as a drawing of its own', async () => {
    const file = join(prepared.demo, 'graph.svg');
    rmSync(file, { force: true });
    await node('clerk').waitFor();
    await workbench.webview().getByRole('button', { name: 'Export as SVG…' }).click();
    await workbench.answerQuickInput(file);
    await workbench.notification('The wait graph is in graph.svg.');
    const svg = readFileSync(file, 'utf8');
    rmSync(file);
    assert.match(svg, /^<svg[\s\S]*messenger[\s\S]*<\/svg>$/);
    assert.doesNotMatch(svg, /var\(--/);
  });

  it('is there again after the window was reloaded, and says that nothing is debugged any more', async () => {
    await workbench.showContainer('Explorer'); // keys to the workbench, not to the panel
    await workbench.stopDebugging();
    await workbench.webview().getByText('Nothing is debugged or followed.').waitFor();
    await workbench.reload();
    await workbench.webview().getByText('Nothing is debugged or followed.').waitFor({ timeout: 60_000 });
    await workbench.webview().getByRole('button', { name: 'Show All Threads of the Machine' }).click();
    await workbench.page.locator('.tabs-container .tab').filter({ hasText: /^Wait Graph$/ }).first().waitFor();
    await workbench.command('View: Close All Editors');
  });
});
