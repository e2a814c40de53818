// "Get Started": the walkthrough in a real VS Code, whose pictures and steps are package.json's.
import * as assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { preparedWorkbench } from '../../workbench/page';
import type { WorkbenchPage } from '../../workbench/page';
import { onPage } from '../../workbench/suitePage';

describe('the walkthrough', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  let workbench: WorkbenchPage;

  onPage(prepared, opened => { workbench = opened; });

  it('opens with four steps and a picture, and leads to the views', async () => {
    await workbench.command('IPC Inspector: Get Started');
    const page = workbench.page.locator('.gettingStartedContainer');
    await page.getByText('Get Started with IPC Inspector').first().waitFor();
    const steps = page.locator('.getting-started-step');
    await steps.nth(3).waitFor();
    assert.deepEqual(await steps.locator('.step-title').allInnerTexts(), ['Browse the IPC objects', 'Follow a debug session', 'See who waits for whom', 'Clean up, and see more']);
    await steps.nth(2).click();
    await workbench.webview().locator('svg').getByText('ledger.lock').waitFor();
    mkdirSync(prepared.artifacts, { recursive: true });
    await workbench.screenshot(join(prepared.artifacts, 'walkthrough.png'));
    await page.getByText('Show Wait Graph', { exact: true }).click();
    await workbench.page.locator('.tabs-container .tab').filter({ hasText: /^Wait Graph$/ }).first().waitFor();
    await workbench.command('View: Close All Editors');
  });
});
