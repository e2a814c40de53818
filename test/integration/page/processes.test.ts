// Processes at the page of a real VS Code, over two real processes that share a pipe.
import * as assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import type { Locator } from 'playwright-core';
import { preparedWorkbench } from '../../workbench/page';
import type { WorkbenchPage } from '../../workbench/page';
import { onPage } from '../../workbench/suitePage';

describe('Processes', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  let shell: ChildProcess;
  let writer = 0;
  let reader = 0;
  let workbench: WorkbenchPage;
  let tree: Locator;
  const row = (text: string | RegExp): Locator => workbench.rows(tree, text);

  before(async () => {
    // The reader echoes the one line that the writer sends when it runs: both are there then.
    shell = spawn('bash', ['-c', `'${process.execPath}' -e 'console.log("ready"); setInterval(() => {}, 1000)' | cat`], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    assert.ok(shell.pid && shell.stdout);
    await once(shell.stdout, 'data');
    const children = readFileSync(`/proc/${shell.pid}/task/${shell.pid}/children`, 'utf8').trim().split(' ').map(Number);
    const name = (pid: number): string => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
    reader = children.find(pid => name(pid) === 'cat') ?? assert.fail('no reader');
    writer = children.find(pid => pid !== reader) ?? assert.fail('no writer');
  });
  onPage(prepared, opened => { workbench = opened; });
  before(async () => {
    await workbench.showContainer('IPC');
    await workbench.view('IPC Objects');
    await workbench.fold('IPC Objects');
    tree = await workbench.view('Processes');
  });
  after(() => {
    if (shell?.pid) process.kill(-shell.pid, 'SIGKILL');
  });

  const find = async (pid: number): Promise<void> => {
    await workbench.command('IPC Inspector: Find Process…');
    await workbench.page.locator('.quick-input-widget .quick-input-box input').fill(`PID ${pid},`);
    await workbench.quickPickRows().filter({ hasText: `PID ${pid},` }).first().click();
    // Found is what has the focus: what comes next may take it away too early otherwise.
    await row(`PID ${pid} · `).and(workbench.page.locator('.focused.selected')).first().waitFor();
  };

  it('finds a process by its PID and goes over the facility and the object to the process at the other end', async () => {
    await find(reader);
    const pipes = row(/^\s*pipes/).first();
    await pipes.waitFor();
    await workbench.expand(pipes);
    const pipe = row(/pipe \d+.*fd 0 read/).first();
    await workbench.expand(pipe);
    await row(new RegExp(`PID ${writer} · fd 1 write`)).first().waitFor();
    await workbench.keepPictures('page-processes', prepared, ['light', 'hc-dark', 'hc-light', 'dark']);
  });

  it('shows a process with its user, and never a kernel thread', async () => {
    const user = process.getuid?.() === 0 ? 'root' : `uid ${process.getuid?.()}`;
    assert.match(await row(`PID ${reader} · `).first().innerText(), new RegExp(`cat.*PID ${reader} · ${user}.*objects`, 's'));
    assert.equal(await row('kthreadd').count(), 0);
  });

  it('attaches a debugger that suits the executable', async function () {
    await find(writer);
    // By keyboard: rows move when processes come and go, the focus stays.
    await workbench.page.keyboard.press('Shift+F10');
    await workbench.page.locator('.monaco-menu .action-item').filter({ hasText: 'Attach Debugger to' }).first().hover();
    await workbench.page.keyboard.press('Enter');
    await workbench.quickPickRows().first().waitFor();
    assert.match(await workbench.quickPickRows().first().innerText(), /Node\.js/);
    await workbench.pick('Node.js');
    const asked = await workbench.answerDialog('Attach');
    assert.match(asked, /sent SIGUSR1/);
    assert.match(asked, new RegExp(`"processId": "${writer}"`));
    await workbench.page.locator('.debug-toolbar').waitFor({ timeout: 60_000 });
    await workbench.stopDebugging();
    assert.ok(existsSync(`/proc/${writer}`), 'the process goes on when the debugger has left');
  });

  it('follows a process from its node', async () => {
    await workbench.showContainer('IPC');
    tree = await workbench.view('Processes');
    await find(reader);
    await workbench.inlineAction(row(`PID ${reader} · `), 'Follow This Process');
    const debuggee = await workbench.view('IPC of the Debuggee');
    await workbench.rows(debuggee, `PID ${reader}`).first().waitFor();
    await workbench.command('IPC Inspector: Stop Following');
  });

  it('hides and counts processes without IPC, lists them when asked, and finds one all the same', async () => {
    await workbench.showContainer('IPC');
    // It keeps nothing of what this test has inherited.
    const idle = spawn('bash', ['-c', 'for fd in /proc/$$/fd/*; do [ ${fd##*/} -gt 2 ] && eval "exec ${fd##*/}>&-"; done; exec sleep 600'], { stdio: 'ignore' });
    assert.ok(idle.pid);
    try {
      await find(idle.pid);
      await workbench.command('IPC Inspector: Hide Processes Without IPC');
      await row(`PID ${idle.pid} · `).first().waitFor({ state: 'detached' });
      await tree.click({ position: { x: 200, y: 5 } });
      await workbench.page.keyboard.press('End');
      const counted = row(/without IPC (?:is|are) not listed/).first();
      await counted.click();
      await counted.waitFor({ state: 'detached' });
    } finally {
      idle.kill('SIGKILL');
    }
    await workbench.command('IPC Inspector: Hide Processes Without IPC');
  });

  it('explains what cannot be seen in a read-only document', async () => {
    await workbench.command('IPC Inspector: Show Gaps as Text');
    const editor = workbench.page.locator('.editor-instance .view-lines').filter({ hasText: /What.IPC.Inspector.cannot.see/ });
    await editor.waitFor();
    await workbench.command('View: Close All Editors');
  });

  it('tells on a page what cannot be seen, of which machine, and leads from there to the text', async () => {
    await workbench.command('IPC Inspector: What Can’t I See?');
    const page = workbench.webview();
    await page.getByRole('heading', { level: 1, name: /What can.t I see/ }).waitFor();
    await page.getByRole('heading', { level: 2, name: /Not part of a snapshot/ }).waitFor();
    await page.getByRole('link', { name: 'Open as Text' }).click();
    await workbench.page.locator('.editor-instance .view-lines').filter({ hasText: /What.IPC.Inspector.cannot.see/ }).waitFor();
    await workbench.command('View: Close All Editors');
  });
});
