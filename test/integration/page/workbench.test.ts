// The page of a workbench with the extension installed from its VSIX, as a person sees it first.
import * as assert from 'node:assert/strict';
import { preparedWorkbench } from '../../workbench/page';
import type { WorkbenchPage } from '../../workbench/page';
import { onPage } from '../../workbench/suitePage';

describe('the workbench with the VSIX installed', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  let workbench: WorkbenchPage;

  onPage(prepared, opened => { workbench = opened; });

  it('has an IPC container in the activity bar with the view of objects', async () => {
    await workbench.showContainer('IPC');
    assert.ok(await (await workbench.view('IPC Objects')).isVisible());
  });

  it('offers the demo for debugging', async () => {
    await workbench.command('Debug: Select and Start Debugging');
    await workbench.quickPickRows().filter({ hasText: 'Family' }).first().waitFor();
    const rows = await workbench.quickPickRows().allInnerTexts();
    assert.ok(rows.some(row => row.startsWith('Deadlock')), rows.join('\n'));
    await workbench.page.keyboard.press('Escape');
  });
});
