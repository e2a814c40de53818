// Where the kernel denies everything to the extension's probe, the debugger stands in, at the page of a VS Code whose server is an ordinary
// user's: the programs are root's, and so is lldb-dap, which that user may start by sudo.
import * as assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { skip } from '../../skip';
import { preparedWorkbench, WorkbenchPage } from '../../workbench/page';
import type { OrdinaryWorkbench } from '../../workbench/page';

const source = `#include <pthread.h>
#include <stdio.h>
static pthread_mutex_t orders_lock = PTHREAD_MUTEX_INITIALIZER, ledger_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
static void *clerk(void *arg) {
  pthread_mutex_lock(&orders_lock);
  pthread_barrier_wait(&both);
  pthread_mutex_lock(&ledger_lock); // line 8
  return arg;
}
static void *auditor(void *arg) {
  pthread_mutex_lock(&ledger_lock);
  pthread_barrier_wait(&both);
  pthread_mutex_lock(&orders_lock); // line 14
  return arg;
}
int main(void) {
  pthread_t threads[2];
  pthread_barrier_init(&both, NULL, 2);
  pthread_create(&threads[0], NULL, clerk, NULL);
  pthread_setname_np(threads[0], "clerk");
  pthread_create(&threads[1], NULL, auditor, NULL);
  pthread_setname_np(threads[1], "auditor");
  puts("ready");
  fflush(stdout);
  pthread_join(threads[0], NULL);
  return 0;
}
`;

describe('A debugger that may more than the probe', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  const actors: ChildProcess[] = [];
  let ordinary: OrdinaryWorkbench, workbench: WorkbenchPage, folder = '';

  /** Starts the program as root; its PID when it holds what it is to hold, or soon will. */
  async function started(name: string): Promise<number> {
    const actor = spawn(join(folder, name), [], { stdio: ['ignore', 'pipe', 'inherit'] });
    actors.push(actor);
    await once(actor.stdout, 'data');
    return actor.pid ?? assert.fail('it has not started');
  }
  /** Blocks in the end: it does not run any more. */
  function blocked(pid: number, threads: number): void {
    const waiting = (): number => execFileSync('ps', ['-L', '-o', 'wchan=', '-p', String(pid)], { encoding: 'utf8' }).split('\n').filter(it => it.includes('futex')).length;
    for (const end = Date.now() + 10_000; waiting() < threads;) assert.ok(Date.now() < end, 'it does not block');
  }

  before(async function () {
    if ('why' in prepared.ordinary) skip(this, prepared.ordinary.why);
    for (const type of ['lldb-dap', 'cc']) {
      const state = prepared.adapters[type];
      if (state !== 'ready') skip(this, state ?? `${type} is not known here`);
    }
    if (process.arch !== 'x64') skip(this, 'registers are understood on x86_64 only');
    ordinary = prepared.ordinary;
    folder = mkdtempSync(join(tmpdir(), 'ipc-inspector-denied-'));
    writeFileSync(join(folder, 'books.c'), source);
    execFileSync('cc', ['-g', '-O0', '-pthread', '-D_GNU_SOURCE', '-o', join(folder, 'books'), join(folder, 'books.c')]);
    const pid = await started('books');
    blocked(pid, 3);
    mkdirSync(join(ordinary.home, '.vscode'), { recursive: true });
    writeFileSync(join(ordinary.home, '.vscode', 'launch.json'), JSON.stringify({
      version: '0.2.0', configurations: [{ name: 'Books', type: 'lldb-dap', request: 'attach', pid, internalConsoleOptions: 'neverOpen' }],
    }));
    workbench = await WorkbenchPage.open({ ...prepared, address: ordinary.address });
  });
  afterEach(async function () {
    await workbench?.keepOnFailure(this.currentTest, prepared);
    await workbench?.stopDebugging();
  });
  after(async () => {
    await workbench?.close();
    for (const actor of actors) {
      actor.kill('SIGKILL');
      if (actor.exitCode === null && actor.signalCode === null) await once(actor, 'exit');
    }
    if (ordinary && existsSync(join(ordinary.home, '.vscode'))) rmSync(join(ordinary.home, '.vscode'), { recursive: true });
    if (folder !== '') rmSync(folder, { recursive: true });
  });

  async function waits(): Promise<Locator> {
    await workbench.showContainer('Run and Debug');
    for (const title of ['Variables', 'Watch', 'Loaded Scripts', 'Breakpoints', 'IPC of the Debuggee']) await workbench.fold(title);
    return workbench.view('Waits');
  }
  const picture = (name: string): Promise<void> => workbench.screenshot(join(prepared.artifacts, `denied-${name}.png`));

  it('makes the deadlock of two threads certain when it has stopped their process, and says that it is the debugger\'s word', async () => {
    await workbench.startDebugging('Books');
    const view = await waits();
    await workbench.widenSideBar(900);
    // Without the debugger's word it is not known what its threads are blocked in, and that is said.
    await workbench.rows(view, /could not be read/).first().waitFor();
    await picture('running');
    assert.equal(await workbench.rows(view, /^\s*(?:Deadlock|Suspected)/).count(), 0);
    await workbench.command('IPC Inspector: Pause to See the Lines');
    const clerk = workbench.rows(view, /^\s*clerk .*waits for mutex ledger_lock, held by auditor .*at books\.c:8/s).first();
    await clerk.waitFor();
    await workbench.rows(view, /^\s*auditor .*waits for mutex orders_lock, held by clerk .*at books\.c:14/s).first().waitFor();
    assert.match(await workbench.rows(view, /^\s*Deadlock/).first().getAttribute('aria-label') ?? '', /Thread clerk .* waits for mutex ledger_lock held by thread auditor/);
    await clerk.hover();
    await workbench.page.locator('.monaco-hover:visible').filter({ hasText: 'according to the debugger: the kernel denies them to the probe' }).first().waitFor();
    await picture('stopped');
    await workbench.command('Debug: Continue');
    await workbench.rows(view, /^\s*Deadlock/).first().waitFor({ state: 'detached' });
  });

  it('works in an editor without language models: the extension is active, and has registered no tools', async () => {
    await workbench.command('IPC Inspector Tests: Language Model Tools');
    const said = await workbench.notification(/tools that answer/);
    assert.match(await said.innerText(), /Hidden from it; tools that answer: 0 of 4/);
    const view = await waits();
    assert.equal(await view.isVisible(), true);
  });
});
