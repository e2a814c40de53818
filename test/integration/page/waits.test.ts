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

  // The idle threads of a Node process could release its lock too, as far as anybody can see: whether that is a deadlock is
  // for the probe to judge. Who waits for what, and who has that, is shown either way.
  it('shows under the built-in JavaScript debugger what each of two processes waits for, and who has that', async () => {
    await workbench.startDebugging('Deadlock');
    const view = await waits();
    const flock = workbench.rows(view, /flock on ledger/).first();
    const mutex = workbench.rows(view, /pthread_mutex_lock on mutex/).first();
    await flock.waitFor();
    await mutex.waitFor();
    const pid = async (row: Locator): Promise<string> => /PID (\d+)/.exec(await row.innerText())?.[1] ?? assert.fail('no PID');
    const [waitsForLock, waitsForMutex] = [await pid(flock), await pid(mutex)];
    assert.notEqual(waitsForLock, waitsForMutex);
    await workbench.expand(mutex);
    await workbench.rows(view, new RegExp(`PID ${waitsForLock}\\).*mutex in System V segment`)).first().waitFor();
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
