// Waits, and Waits and Deadlocks, at the page of a real VS Code: the demo's deadlocks debugged for real, and a thread behind a stopped one.
import * as assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { skip } from '../../skip';
import { preparedWorkbench } from '../../workbench/page';
import type { WorkbenchPage } from '../../workbench/page';
import { onPage } from '../../workbench/suitePage';

describe('Waits', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  let workbench: WorkbenchPage;

  onPage(prepared, opened => { workbench = opened; }, { debugging: true });

  async function waits(): Promise<Locator> {
    await workbench.showContainer('Run and Debug');
    for (const title of ['Variables', 'Watch', 'Call Stack', 'Loaded Scripts', 'Breakpoints', 'IPC of the Debuggee']) await workbench.fold(title);
    return workbench.view('Waits');
  }
  async function allWaits(): Promise<Locator> {
    await workbench.showContainer('IPC');
    await workbench.view('IPC Objects'); // drawn: only then can it be folded
    for (const title of ['IPC Objects', 'Processes']) await workbench.fold(title);
    return workbench.view('Waits and Deadlocks');
  }
  const told = (text: RegExp): Locator => workbench.page.locator('.notification-toast').filter({ hasText: text });
  const selected = (view: Locator): Locator => view.locator('.monaco-list-row.selected');

  it('is empty while nothing is debugged', async () => {
    await (await waits()).getByText('Start debugging, or follow a process').waitFor();
  });

  describe('under the built-in JavaScript debugger', () => {
    // Any of a Node process's idle threads could give up its file lock, as far as anybody can see. A mutex has one owner: the ring is certain.
    it('explains the deadlock over two mutexes, tells it once, and leads from who waits behind it to its chain', async () => {
      await workbench.startDebugging('Deadlock');
      // Hidden or not: it is told while no view of ours shows anything.
      await workbench.showContainer('Explorer');
      await workbench.notification(/Deadlock: .*waits for mutex/);
      await workbench.answerNotification(/Deadlock: .*waits for mutex/, 'Show Chain');
      const view = await workbench.view('Waits');
      const finding = workbench.rows(view, /^\s*Deadlock/).first();
      await finding.waitFor();
      await selected(view).filter({ hasText: /^\s*Deadlock/ }).waitFor();
      await waits();
      const chain = await workbench.rows(view, /waits for mutex .*, held by /).allInnerTexts();
      for (const [waiter, holder] of [['clerk', 'auditor'], ['auditor', 'clerk']] as const) {
        assert.ok(chain.some(it => it.trimStart().startsWith(`${waiter} `) && it.includes(`held by ${holder} `)), chain.join('\n'));
      }
      assert.match(await finding.getAttribute('aria-label') ?? '', /^Deadlock, 2 threads: /);

      const lock = workbench.rows(view, /flock lock ledger\.lock.*1 thread waits/s).first();
      await lock.waitFor();
      const messenger = workbench.rows(view, /^\s*messenger.*flock/s);
      await workbench.expand(messenger);
      await workbench.rows(view, /auditor.*unlock/s).first().click();
      await selected(view).filter({ hasText: /auditor .*waits for mutex/s }).waitFor();
      assert.equal(await told(/Deadlock: /).count(), 0, 'the notification is closed, and there is no second one');
    });

    it('shows it among all waits of the machine, counts it in a badge, and folds who is idle', async () => {
      await workbench.startDebugging('Deadlock');
      const view = await allWaits();
      await workbench.rows(view, /^\s*Deadlock.*(clerk|auditor)/s).first().waitFor();
      await workbench.page.locator('.part.activitybar .action-item').filter({ has: workbench.page.locator('a[aria-label^="IPC"]') }).locator('.badge-content').filter({ hasText: /\d/ }).first().waitFor();
      const idle = workbench.rows(view, /\d+ idle threads/).first();
      await idle.waitFor();
      assert.equal(await idle.getAttribute('aria-expanded'), 'false');
      await workbench.command('IPC Inspector: Show Idle Threads');
      await idle.waitFor({ state: 'detached' });
      await workbench.rows(view, /^\s*epoll_wait.*threads? waits?/s).first().waitFor();
      await workbench.command('IPC Inspector: Fold Idle Threads');
      await idle.waitFor();
    });

    it('opens from a step the object in the inspector, and the process in Processes', async () => {
      await workbench.startDebugging('Deadlock');
      const view = await waits();
      const step = workbench.rows(view, /^\s*clerk .*waits for mutex/s);
      await workbench.inlineAction(step, 'Inspect');
      await workbench.webview().locator('main').getByText(/mutex/i).first().waitFor();
      await workbench.command('View: Close All Editors');
      const name = /PID \d+/.exec(await step.first().innerText())?.[0] ?? assert.fail();
      await workbench.contextMenu(step, 'Reveal in Processes');
      const processes = await workbench.view('Processes');
      await selected(processes).filter({ hasText: `${name} ·` }).waitFor();
    });
  });

  it('explains the deadlock of two C programs under lldb-dap', async function () {
    for (const type of ['lldb-dap', 'cc']) {
      const state = prepared.adapters[type];
      if (state !== 'ready') skip(this, state ?? `${type} is not known here`);
    }
    await workbench.startDebugging('Deadlock (C)');
    const view = await waits();
    await workbench.rows(view, /^\s*(Suspected d|D)eadlock/).first().waitFor();
    const chain = await workbench.rows(view, /waits for .*, held by /).allInnerTexts();
    assert.equal(chain.length, 2, chain.join('\n'));
    assert.ok(chain.some(it => /waits for flock lock ledger-c\.lock, held by/.test(it)), chain.join('\n'));
    assert.ok(chain.some(it => /waits for mutex .*, held by/.test(it)), chain.join('\n'));
  });

  describe('under a native debugger', () => {
    let folder = '';
    let program: ChildProcess | undefined;
    let other: ChildProcess | undefined;
    const { adapters, demo } = prepared;
    const launch = join(demo, '.vscode', 'launch.json');
    const configurations = readFileSync(launch, 'utf8');
    before(function () {
      for (const type of ['lldb-dap', 'cc']) {
        const state = adapters[type];
        if (state !== 'ready') skip(this, state ?? `${type} is not known here`);
      }
      folder = mkdtempSync(join(demo, 'native-'));
      writeFileSync(join(folder, 'held.c'), `#include <pthread.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
static pthread_mutex_t orders = PTHREAD_MUTEX_INITIALIZER;
static void *wants(void *unused) { (void)unused; pthread_mutex_lock(&orders); return NULL; }
int main(int argc, char **argv) {
  pthread_t thread;
  if (argc != 2 || flock(open(argv[1], O_CREAT | O_RDWR, 0600), LOCK_EX) != 0) return 1;
  pthread_mutex_lock(&orders);
  pthread_create(&thread, NULL, wants, NULL);
  for (;;) pause();
}
`);
      execFileSync('cc', ['-g', '-pthread', '-o', join(folder, 'held'), join(folder, 'held.c')]);
      const parsed = JSON.parse(configurations) as { configurations: object[] };
      parsed.configurations.push({ name: 'Held', type: 'lldb-dap', request: 'launch', program: join(folder, 'held'), args: [join(folder, 'held.lock')], internalConsoleOptions: 'neverOpen' });
      writeFileSync(launch, JSON.stringify(parsed));
    });
    after(async () => {
      writeFileSync(launch, configurations);
      if (folder !== '') rmSync(folder, { recursive: true });
      // The child of the first ends with it.
      for (const process of [program, other]) {
        if (process?.pid === undefined || process.exitCode !== null || process.signalCode !== null) continue;
        process.kill('SIGKILL');
        await once(process, 'exit');
      }
    });

    it('keeps the waits of paused threads, calls none of them deadlocked, and looks again when they go on', async () => {
      await workbench.startDebugging('Held');
      const view = await waits();
      await workbench.rows(view, /held \(PID \d+\).*blocks 1 thread/s).first().waitFor();
      // Another program waits for what the debugged one holds.
      other?.kill('SIGKILL');
      other = spawn('flock', [join(folder, 'held.lock'), 'true'], { stdio: 'ignore' });
      const blocker = workbench.rows(view, /held \(PID \d+\).*blocks 2 threads/s).first();
      await blocker.waitFor();
      await workbench.command('Debug: Pause');
      const finding = workbench.rows(view, 'Waiting behind a stopped thread').first();
      await finding.waitFor();
      await workbench.rows(view, new RegExp(`flock \\(PID ${other.pid}\\).*waits for flock lock held.lock, held by held`, 's')).first().waitFor();
      // The thread in the program itself is paused, and still in its call.
      await workbench.rows(view, /held \(PID \d+, thread \d+\).*pthread_mutex_lock.*stopped/s).first().waitFor();
      assert.equal(await workbench.rows(view, /^\s*(Suspected d|D)eadlock/).count(), 0);
      await workbench.command('Debug: Continue');
      await finding.waitFor({ state: 'detached' });
      await blocker.waitFor();
      assert.equal(await told(/Deadlock|behind/).count(), 0);
    });

    it('attaches to who holds the lock, from a step of the chain, and shows how before it does', async () => {
      program = spawn(join(demo, 'build', 'deadlock'), [demo], { stdio: ['ignore', 'pipe', 'inherit'] });
      assert.ok(program.stdout);
      const [line] = await once(program.stdout, 'data') as [Buffer];
      const auditor = Number(/auditor (\d+)/.exec(line.toString())?.[1]);
      await workbench.command('IPC Inspector: Follow a Process…');
      await workbench.quickPickRows().filter({ hasText: 'deadlock' }).first().waitFor();
      await workbench.answerQuickInput(`PID ${program.pid},`);
      const view = await waits();
      const step = workbench.rows(view, new RegExp(`PID ${program.pid}\\).*waits for flock lock`, 's')).first();
      await workbench.contextMenu(step, 'Attach Debugger to…');
      const rows = workbench.quickPickRows();
      await rows.first().waitFor();
      assert.match(await rows.first().innerText(), new RegExp(`deadlock.*PID ${auditor} · holds an exclusive lock`, 's'));
      assert.match(await rows.nth(1).innerText(), new RegExp(`PID ${program.pid} · .*waits in flock`, 's'));
      await rows.first().click();
      const asked = await workbench.answerDialog('Attach');
      assert.match(asked, /LLDB \(lldb-dap\) stops the process/);
      assert.match(asked, /EINTR/);
      assert.match(asked, new RegExp(`"pid": ${auditor}`));
      await workbench.page.locator('.debug-toolbar').waitFor({ timeout: 60_000 });
      const tracer = (): string | undefined => /^TracerPid:\t(\d+)$/m.exec(readFileSync(`/proc/${auditor}/status`, 'utf8'))?.[1];
      for (const end = Date.now() + 20_000; tracer() === '0';) {
        if (Date.now() > end) throw new Error('nobody traces the holder');
        await workbench.page.waitForTimeout(100);
      }
      await workbench.stopDebugging();
      await workbench.command('IPC Inspector: Stop Following');
      assert.equal(tracer(), '0', 'the holder lives, and is let go');
    });
  });

  describe('of a process that is followed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ipc-inspector-waits-'));
    let holder: ChildProcess | undefined;
    let waiter: ChildProcess | undefined;
    after(async () => {
      for (const process of [waiter, holder]) {
        if (process?.exitCode !== null || process.signalCode !== null) continue;
        process.kill('SIGKILL');
        await once(process, 'exit');
      }
      rmSync(folder, { recursive: true });
    });

    it('tells waiting behind a stopped thread apart from a deadlock, and says who blocks when it goes on', async () => {
      const file = join(folder, 'stopped.lock');
      // Without a fork: who took the lock is who has it.
      holder = spawn('flock', ['--no-fork', file, 'bash', '-c', 'echo held; read'], { stdio: ['pipe', 'pipe', 'inherit'] });
      assert.ok(holder.stdout);
      await once(holder.stdout, 'data');
      holder.kill('SIGSTOP');
      waiter = spawn('flock', [file, 'true'], { stdio: 'ignore' });
      await workbench.command('IPC Inspector: Follow a Process…');
      await workbench.quickPickRows().filter({ hasText: 'flock' }).first().waitFor();
      await workbench.answerQuickInput(`PID ${waiter.pid},`);
      const view = await waits();
      const finding = workbench.rows(view, 'Waiting behind a stopped thread').first();
      await finding.waitFor();
      await workbench.rows(view, new RegExp(`PID ${holder.pid}\\).*stopped`, 's')).first().waitFor();
      assert.equal(await told(/Deadlock|behind/).count(), 0);
      holder.kill('SIGCONT');
      await finding.waitFor({ state: 'detached' });
      await workbench.rows(view, new RegExp(`bash \\(PID ${holder.pid}\\).*blocks 1 thread`, 's')).first().waitFor();
      await workbench.rows(view, new RegExp(`flock \\(PID ${waiter.pid}\\)`)).first().waitFor();
      holder.stdin?.end();
      await workbench.command('IPC Inspector: Stop Following');
    });
  });
});
