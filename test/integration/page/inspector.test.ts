// The inspector in a real VS Code, over a real segment that the test makes and removes with other programs (util-linux).
import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { preparedWorkbench, WorkbenchPage } from '../../workbench/page';

describe('the inspector', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  let workbench: WorkbenchPage;
  let shmid: string;
  let present = false;

  before(async () => {
    shmid = /\d+/.exec(execFileSync('ipcmk', ['--shmem', '81920', '--mode', '0640'], { encoding: 'utf8' }))?.[0] ?? '';
    present = true;
    workbench = await WorkbenchPage.open(prepared);
  });
  afterEach(async function () {
    await workbench.keepOnFailure(this.currentTest, prepared);
  });
  after(async () => {
    if (present) execFileSync('ipcrm', ['--shmem-id', shmid]);
    await workbench?.close();
  });

  it('opens from the tree and shows the segment as the kernel has it', async () => {
    await workbench.showContainer('IPC');
    const row = workbench.rows(await workbench.view('IPC Objects'), `shmid ${shmid}`);
    await workbench.inlineAction(row, 'Inspect');
    const inspector = workbench.webview();
    await inspector.getByRole('heading', { level: 1, name: `shmid ${shmid}` }).waitFor();
    const text = await inspector.locator('main').innerText();
    assert.match(text, /System V shared memory segment/);
    assert.match(text, /shm_segsz\s+81,920 bytes\s+80 KiB/);
    assert.match(text, /Mode\s+0640/);
    assert.match(text, /shm_nattch\s+0/);
    await workbench.page.locator('.tabs-container .tab').filter({ hasText: `shmid ${shmid}` }).waitFor();
  });

  it('reveals the open panel instead of opening a second', async () => {
    const row = workbench.rows(await workbench.view('IPC Objects'), `shmid ${shmid}`);
    await workbench.inlineAction(row, 'Inspect');
    await workbench.webview().getByRole('heading', { level: 1, name: `shmid ${shmid}` }).waitFor();
    assert.equal(await workbench.page.locator('.tabs-container .tab').filter({ hasText: `shmid ${shmid}` }).count(), 1);
  });

  it('is there again after the window was reloaded', async () => {
    await workbench.reload();
    await workbench.webview().getByText('81,920 bytes').waitFor({ timeout: 60_000 });
  });

  it('says that the object is gone and keeps its last values', async () => {
    execFileSync('ipcrm', ['--shmem-id', shmid]);
    present = false;
    const inspector = workbench.webview();
    await inspector.getByText('This object is gone.').first().waitFor();
    assert.match(await inspector.locator('main').innerText(), /81,920 bytes/);
    await workbench.page.locator('.tabs-container .tab').filter({ hasText: `shmid ${shmid} (gone)` }).waitFor();
  });

  it('says so too when the window is reloaded after that', async () => {
    await workbench.reload();
    await workbench.webview().getByText('This object is gone.').first().waitFor({ timeout: 60_000 });
  });
});
