// The inspector in a real VS Code, over a real segment that the test makes and removes with other programs (util-linux).
import * as assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { skip } from '../../skip';
import { preparedWorkbench } from '../../workbench/page';
import type { WorkbenchPage } from '../../workbench/page';
import { onPage } from '../../workbench/suitePage';

describe('the inspector', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  let workbench: WorkbenchPage;
  let shmid: string;
  let present = false;

  before(() => {
    shmid = /\d+/.exec(execFileSync('ipcmk', ['--shmem', '81920', '--mode', '0640'], { encoding: 'utf8' }))?.[0] ?? '';
    present = true;
  });
  onPage(prepared, opened => { workbench = opened; });
  after(() => {
    if (present) execFileSync('ipcrm', ['--shmem-id', shmid]);
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
    await workbench.command('View: Close All Editors');
  });

  it('shows beside each semaphore what exits would give back (SEM_UNDO), and by whom', async function () {
    if (process.geteuid?.() !== 0) skip(this, 'the VS Code of this test is not root’s: undo lists take CAP_BPF and CAP_PERFMON');
    if (spawnSync('perl', ['-e', '1']).status !== 0) skip(this, 'no perl, whose semop this uses');
    const script = '$id = semget(0, 4, 0600); sub take { semop($id, pack("s!3", $_[0], $_[1], 0x1000)) or die $! } take(0, 5); take(0, -2); take(2, 7); $| = 1; print "$id\\n"; <STDIN>; semctl($id, 0, 0, 0)';
    const holder = spawn('perl', ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      const [line] = await once(holder.stdout, 'data') as [Buffer];
      const semid = line.toString().trim();
      await workbench.inlineAction(await workbench.findRow(await workbench.view('IPC Objects'), `semid ${semid}`), 'Inspect');
      const inspector = workbench.webview();
      await inspector.getByRole('heading', { level: 1, name: `semid ${semid}` }).waitFor();
      const rows = inspector.locator('section:has(#heading-sems) tbody tr');
      await rows.nth(3).waitFor();
      const atExit = inspector.locator('section:has(#heading-sems) th[scope=col]').filter({ hasText: 'At exit' });
      const last = async (row: number): Promise<string> => (await rows.nth(row).locator('td').last().innerText()).trim();
      assert.deepEqual([await last(0), await last(1), await last(2), await last(3)], ['−3', '', '−7', '']);
      assert.match((await inspector.locator('section:has(#heading-handles) tbody').innerText()).replace(/\s+/g, ' '), new RegExp(`perl \\(${holder.pid}\\) undo at exit \\(SEM_UNDO\\).*−3 to semaphore 0.*−7 to semaphore 2`));
      await workbench.keepPictures('page-inspector-undo', prepared, ['light', 'hc-dark', 'hc-light', 'dark']);
      for (const width of [1400, 1000]) {
        await workbench.page.setViewportSize({ width, height: 900 });
        const [column, table] = await Promise.all([atExit.boundingBox(), inspector.locator('.scroll:has(#heading-sems), section:has(#heading-sems)').last().boundingBox()]);
        assert.ok(column && table && column.x + column.width <= table.x + table.width + 1, `the column is in sight in a window of ${width} pixels`);
        await workbench.keepPictures(`page-inspector-undo-${width}`, prepared);
      }
    } finally {
      holder.stdin.end();
      await once(holder, 'exit');
    }
  });
});
