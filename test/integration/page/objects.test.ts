// IPC Objects at the page of a real VS Code, over real objects that other programs (util-linux, the shell) make.
import * as assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Locator } from 'playwright-core';
import { preparedWorkbench } from '../../workbench/page';
import type { WorkbenchPage } from '../../workbench/page';
import { onPage } from '../../workbench/suitePage';

describe('IPC Objects', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  const made: { flag: string; id: string }[] = [];
  const shmFile = `/dev/shm/ipc-inspector-test-${process.pid}`;
  let user: ChildProcess | undefined;
  let workbench: WorkbenchPage;
  let tree: Locator;

  function make(option: string, flag: string, ...more: string[]): string {
    const id = /\d+/.exec(execFileSync('ipcmk', [option, ...more], { encoding: 'utf8' }))?.[0] ?? assert.fail('ipcmk tells no id');
    made.push({ flag, id });
    return id;
  }
  const exists = (id: string): boolean => execFileSync('ipcs', ['-m'], { encoding: 'utf8' }).split('\n').some(line => line.split(/\s+/)[1] === id);
  const row = (text: string | RegExp): Locator => workbench.rows(tree, text);

  before(() => { writeFileSync(shmFile, Buffer.alloc(8192, 7)); });
  onPage(prepared, opened => { workbench = opened; });
  after(async () => {
    if (user?.exitCode === null) {
      user.kill('SIGKILL');
      await once(user, 'exit');
    }
    for (const { flag, id } of made) {
      try {
        execFileSync('ipcrm', [flag, id], { stdio: 'ignore' });
      } catch {
        // A test has removed it already.
      }
    }
    rmSync(shmFile, { force: true });
  });

  it('shows what other programs have made, by category and kind', async () => {
    const shmid = make('--shmem', '-m', '12288');
    const msqid = make('--queue', '-q');
    const semid = make('--semaphore', '-s', '3');
    await workbench.showContainer('IPC');
    tree = await workbench.view('IPC Objects');
    for (const text of ['Message Queues', 'System V message queues', `msqid ${msqid}`, 'Shared Memory', `shmid ${shmid}`, 'Synchronization', `semid ${semid}`]) await row(text).first().waitFor();
    assert.match(await row(`shmid ${shmid}`).first().innerText(), /12 KiB · 0 attached/);
    assert.match(await row(`semid ${semid}`).first().innerText(), /3 semaphores · \[0 0 0\]/);
    await row(shmFile.replace('/dev/shm', '')).first().waitFor();
  });

  it('shows a new object by itself, and keeps folded what is folded', async () => {
    const queues = row('System V message queues').first();
    await queues.locator('.monaco-tl-twistie').click();
    await queues.and(workbench.page.locator('[aria-expanded="false"]')).waitFor();
    const shmid = make('--shmem', '-m', '4096');
    await row(`shmid ${shmid}`).first().waitFor();
    assert.equal(await queues.getAttribute('aria-expanded'), 'false');
    await workbench.expand(queues);
  });

  it('shows the processes that have an object, and what they do with it', async () => {
    user = spawn('bash', ['-c', `exec 7<>${shmFile}; echo open; read`], { stdio: ['pipe', 'pipe', 'inherit'] });
    assert.ok(user.stdout);
    await once(user.stdout, 'data');
    const object = row(shmFile.replace('/dev/shm', '')).first();
    await object.and(workbench.page.locator('[aria-expanded]')).waitFor();
    await workbench.expand(object);
    await row(`PID ${user.pid} · fd 7 read-write`).first().waitFor();
  });

  it('does not remove what is in use, and says by whom', async () => {
    await workbench.inlineAction(row(shmFile.replace('/dev/shm', '')), 'Remove');
    const text = await workbench.answerDialog('OK');
    assert.match(text, /in use and is not removed/);
    assert.match(text, new RegExp(String(user?.pid)));
    assert.ok(existsSync(shmFile));
  });

  it('filters, says so, and shows all again', async () => {
    const shmid = made[0]?.id ?? '';
    await workbench.command('IPC Inspector: Filter IPC Objects…');
    await workbench.answerQuickInput(`shmid ${shmid}`);
    await row('Message Queues').first().waitFor({ state: 'detached' });
    await row(`shmid ${shmid}`).first().waitFor();
    await tree.getByText(`Filter: shmid ${shmid}`).waitFor();
    await workbench.command('IPC Inspector: Filter IPC Objects…');
    await workbench.answerQuickInput('there is no such thing');
    // What could not be seen is shown with every filter, and then there is no room for the welcome content.
    await tree.getByText('No IPC object matches the filter').or(row('could not be')).first().waitFor();
    await row('Message Queues').first().waitFor({ state: 'detached' });
    await workbench.command('IPC Inspector: Clear Filter');
    await row('Message Queues').first().waitFor();
  });

  it('removes a stale segment after asking, and brings it back with its contents', async () => {
    rmSync(shmFile);
    writeFileSync(shmFile, Buffer.from('kept'.repeat(4096)), { mode: 0o640 });
    user?.stdin?.end();
    if (user) await once(user, 'exit');
    const object = row(shmFile.replace('/dev/shm', ''));
    await object.first().and(workbench.page.locator(':not([aria-expanded])')).waitFor();
    await workbench.inlineAction(object, 'Remove');
    const text = await workbench.answerDialog('Remove');
    assert.match(text, /This loses 16 KiB \(16384 bytes\) of shared memory/);
    await workbench.notification(/Removed POSIX shared memory/);
    assert.equal(existsSync(shmFile), false);
    await object.first().waitFor({ state: 'detached' });
    await workbench.answerNotification(/Removed POSIX shared memory/, 'Undo');
    await workbench.notification(/is back/);
    assert.equal(readFileSync(shmFile, 'utf8'), 'kept'.repeat(4096));
    await object.first().waitFor();
  });

  it('leaves everything as it is when the user says no', async () => {
    const shmid = made[0]?.id ?? '';
    await workbench.inlineAction(row(`shmid ${shmid}`), 'Remove');
    await workbench.answerDialog('Cancel');
    assert.ok(exists(shmid));
  });

  it('removes several at once from a list that shows the evidence', async () => {
    const shmids = made.filter(it => it.flag === '-m').map(it => it.id);
    await workbench.command('IPC Inspector: Remove Stale Objects…');
    await workbench.quickPickRows().filter({ hasText: `shmid ${shmids[0]}` }).waitFor();
    // What else is stale on this machine is not the test's to remove: nothing is ticked to begin with.
    const ticked = workbench.quickPickRows().and(workbench.page.locator('[aria-checked="true"]'));
    while (await ticked.count() > 0) await ticked.first().locator('.monaco-checkbox').click();
    for (const shmid of shmids) {
      await workbench.tick(`shmid ${shmid}`);
    }
    await workbench.acceptPicks();
    const text = await workbench.answerDialog('Remove');
    assert.match(text, new RegExp(`Remove ${shmids.length} IPC objects`));
    await workbench.notification(`Removed ${shmids.length} IPC objects`);
    assert.deepEqual(shmids.filter(exists), []);
  });

  it('goes on after the probe was killed, with one message', async () => {
    // Also those of windows that earlier tests have closed: their extension hosts wait for a while to be connected again.
    const killed = probes();
    assert.ok(killed.length > 0, 'no probe runs');
    for (const pid of killed) process.kill(pid, 'SIGKILL');
    await workbench.notification(/probe has ended and is being restarted/);
    const shmid = make('--shmem', '-m', '4096');
    await row(`shmid ${shmid}`).first().waitFor();
    assert.equal(await workbench.page.locator('.notification-toast').filter({ hasText: 'probe has ended' }).count(), 1);
    assert.ok(probes().some(pid => !killed.includes(pid)));
  });

  it('follows a process that the user picks, until told to stop', async () => {
    writeFileSync(shmFile, 'x');
    user = spawn('bash', ['-c', `exec 8<>${shmFile}; echo open; read`], { stdio: ['pipe', 'pipe', 'inherit'] });
    assert.ok(user.stdout);
    await once(user.stdout, 'data');
    await workbench.command('IPC Inspector: Follow a Process…');
    await workbench.quickPickRows().filter({ hasText: 'bash' }).first().waitFor();
    await workbench.answerQuickInput(`PID ${user.pid},`);
    const debuggee = await workbench.view('IPC of the Debuggee');
    await workbench.rows(debuggee, `bash`).first().waitFor();
    assert.match(await workbench.rows(debuggee, shmFile.replace('/dev/shm', '')).first().innerText(), /fd 8 read-write/);
    await workbench.command('IPC Inspector: Stop Following');
    await debuggee.getByText('Start debugging to see').waitFor();
  });

  /** PIDs of the probes of this run's editor. */
  function probes(): number[] {
    return readdirSync('/proc').filter(it => /^\d+$/.test(it)).map(Number).filter(pid => {
      try {
        const [, script, verb] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return verb === 'serve' && script?.endsWith('/dist/probe.js') && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`IPC_INSPECTOR_RUN=${process.env.IPC_INSPECTOR_RUN ?? ''}`);
      } catch {
        return false; // It has ended in the meantime.
      }
    });
  }
});
