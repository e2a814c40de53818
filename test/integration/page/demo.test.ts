// The demo as a person starts it from launch.json: what its README promises is what the views show. Its deadlocks: waits.test.ts.
import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { preparedWorkbench } from '../../workbench/page';
import type { WorkbenchPage } from '../../workbench/page';
import { onPage } from '../../workbench/suitePage';

describe('the demo', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  let workbench: WorkbenchPage;
  const stop = () => execFileSync(process.execPath, [join(prepared.demo, 'stop.js')], { encoding: 'utf8' });

  onPage(prepared, opened => { workbench = opened; }, { debugging: true });
  before(() => workbench.showContainer('Run and Debug'));
  // The debugger's own views appear when a session starts; a tree has only the rows that are in sight.
  async function onlyView(title: string): Promise<Locator> {
    const view = await workbench.view(title);
    for (const other of ['Variables', 'Watch', 'Call Stack', 'Loaded Scripts', 'Breakpoints', 'IPC of the Debuggee', 'Waits']) if (other !== title) await workbench.fold(other);
    return view;
  }
  afterEach(() => { stop(); });

  it('is a family whose objects the debuggee view shows, and leaves a stale segment behind', async () => {
    await workbench.startDebugging('Family');
    const debuggee = await onlyView('IPC of the Debuggee');
    for (const object of [/msqid \d+/, /shmid \d+/, /semid \d+/, /-alarms/, /-picture/, /-gate/]) await workbench.findRow(debuggee, object);
    await workbench.stopDebugging();
    assert.match(execFileSync(process.execPath, ['dist/probe.js', 'stale'], { encoding: 'utf8' }), /0x1d[0-9a-f]{4}04/);
    assert.match(stop(), /^removed segment \d+$/m);
  });

  it('leaves no object behind when it is stopped', () => {
    assert.equal(stop(), '');
  });
});
