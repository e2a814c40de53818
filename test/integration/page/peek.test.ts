// Contents in the inspector at the page of a real VS Code, over a real shared memory object that the test makes.
import * as assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { preparedWorkbench } from '../../workbench/page';
import type { WorkbenchPage } from '../../workbench/page';
import { onPage } from '../../workbench/suitePage';

describe('contents in the inspector', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  const name = `ipc-inspector-peek-${process.pid}`;
  const file = `/dev/shm/${name}`;
  let workbench: WorkbenchPage;

  before(() => { writeFileSync(file, 'what a program keeps here'); });
  onPage(prepared, opened => { workbench = opened; });
  after(() => { rmSync(file, { force: true }); });

  it('are shown on request, as bytes and text, and stay as they are', async () => {
    await workbench.showContainer('IPC');
    await workbench.inlineAction(workbench.rows(await workbench.view('IPC Objects'), name), 'Inspect');
    const inspector = workbench.webview();
    await inspector.getByRole('heading', { level: 2, name: 'Contents' }).waitFor();
    const before = statSync(file);
    await inspector.locator('vscode-button', { hasText: 'Peek' }).click();
    await inspector.getByText('|what a program k|').waitFor();
    assert.match(await inspector.locator('section:has(#heading-contents)').innerText(), /00000000 {2}77 68 61 74 20 61 20 70 {2}72 6f 67 72 61 6d 20 6b/);
    const after = statSync(file);
    assert.deepEqual([after.atimeMs, after.mtimeMs, after.size], [before.atimeMs, before.mtimeMs, before.size]);
    assert.equal(readFileSync(file, 'utf8'), 'what a program keeps here');
  });
});
