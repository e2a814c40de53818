// Waits at the page of a real VS Code: the demo's deadlock over a mutex and a flock lock, debugged for real.
import * as assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import { skip } from '../../skip';
import { preparedWorkbench, WorkbenchPage } from '../../workbench/page';

describe('Waits', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  let workbench: WorkbenchPage;

  before(async () => {
    workbench = await WorkbenchPage.open(prepared);
  });
  afterEach(async function () {
    await workbench.keepOnFailure(this.currentTest, prepared);
    await workbench.stopDebugging();
  });
  after(() => workbench?.close());

  async function waits(): Promise<Locator> {
    await workbench.showContainer('Run and Debug');
    for (const title of ['Variables', 'Watch', 'Call Stack', 'Loaded Scripts', 'Breakpoints', 'IPC of the Debuggee']) await workbench.fold(title);
    return workbench.view('Waits');
  }
  async function explainsTheDeadlock(): Promise<void> {
    const view = await waits();
    const finding = workbench.rows(view, /^\s*(Suspected d|D)eadlock/).first();
    await finding.waitFor();
    const chain = await workbench.rows(view, /waits for .*, held by /).allInnerTexts();
    assert.equal(chain.length, 2, chain.join('\n'));
    assert.ok(chain.some(it => /waits for flock lock ledger(-c)?\.lock, held by/.test(it)), chain.join('\n'));
    assert.ok(chain.some(it => /waits for mutex .*, held by/.test(it)), chain.join('\n'));
    await workbench.rows(view, /flock on ledger/).first().waitFor();
  }

  it('is empty while nothing is debugged', async () => {
    await (await waits()).getByText('Start debugging, or follow a process').waitFor();
  });

  // Any of a Node process's idle threads could give up its file lock, as far as anybody can see. A mutex has one owner: the ring is certain.
  it('explains under the built-in JavaScript debugger the deadlock over two mutexes, and who waits behind it', async () => {
    await workbench.startDebugging('Deadlock');
    const view = await waits();
    await workbench.rows(view, /^\s*Deadlock/).first().waitFor();
    const chain = await workbench.rows(view, /waits for mutex .*, held by /).allInnerTexts();
    for (const [waiter, holder] of [['clerk', 'auditor'], ['auditor', 'clerk']] as const) {
      assert.ok(chain.some(it => it.trimStart().startsWith(`${waiter} `) && it.includes(`held by ${holder} `)), chain.join('\n'));
    }
    await workbench.expand(workbench.rows(view, /messenger.*flock on ledger\.lock/s));
    await workbench.rows(view, /unlock/).first().waitFor();
  });

  it('explains the deadlock of two C programs under lldb-dap', async function () {
    for (const type of ['lldb-dap', 'cc']) {
      const state = prepared.adapters[type];
      if (state !== 'ready') skip(this, state ?? `${type} is not known here`);
    }
    await workbench.startDebugging('Deadlock (C)');
    await explainsTheDeadlock();
  });
});
