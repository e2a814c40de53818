// IPC of the Debuggee at the page of a real VS Code, with real debug adapters over the demo's programs.
import * as assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { skip } from '../../skip';
import { preparedWorkbench } from '../../workbench/page';
import type { WorkbenchPage } from '../../workbench/page';
import { onPage } from '../../workbench/suitePage';

describe('IPC of the Debuggee', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  let workbench: WorkbenchPage;

  onPage(prepared, opened => { workbench = opened; }, { debugging: true });

  async function debuggee(): Promise<Locator> {
    await workbench.showContainer('Run and Debug');
    for (const title of ['Variables', 'Watch', 'Call Stack', 'Loaded Scripts', 'Breakpoints']) await workbench.fold(title);
    return workbench.view('IPC of the Debuggee');
  }
  async function showsFamily(): Promise<void> {
    const view = await debuggee();
    await workbench.rows(view, /-gate/).first().waitFor();
    assert.match(await workbench.rows(view, /-gate/).first().innerText(), /mapped at 0x[0-9a-f]+ read-write — value \d/);
    assert.match(await workbench.rows(view, /PID \d+/).first().innerText(), /PID \d+ · [a-z ]+ · \d+ objects/);
  }

  it('invites to debug or to follow a process while there is neither', async () => {
    await (await debuggee()).getByText('Start debugging to see').waitFor();
  });

  it('shows what a program under the built-in JavaScript debugger has, and is empty when it has ended', async () => {
    await workbench.startDebugging('Family');
    await showsFamily();
    await workbench.stopDebugging();
    await (await debuggee()).getByText('Start debugging to see').waitFor();
  });

  it('shows what a C program under lldb-dap has', async function () {
    needs(this, 'lldb-dap', 'cc');
    await workbench.startDebugging('Family (C)');
    const view = await debuggee();
    // The parent only waits; its children have the segment.
    await workbench.rows(view, /family.*PID \d+ · [a-z ]+ · \d objects/).first().waitFor();
    assert.match(await workbench.rows(view, 'shmid').first().innerText(), /attached at 0x[0-9a-f]+ read(-write)? — 0x[0-9a-f]+ · 4 KiB · 2 attached/);
  });

  it('shows what a process has that lldb-dap was attached to', async function () {
    needs(this, 'lldb-dap', 'cc');
    const folder = mkdtempSync(join(prepared.demo, 'attach-'));
    const name = `/ipc-inspector-attach-${process.pid}`;
    const launch = join(prepared.demo, '.vscode', 'launch.json');
    const before = readFileSync(launch, 'utf8');
    writeFileSync(join(folder, 'waits.c'), `#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void) {
  int fd = shm_open("${name}", O_CREAT | O_RDWR, 0600);
  if (fd < 0 || ftruncate(fd, 4096) != 0) return 1;
  puts("ready"); fflush(stdout);
  getchar();
  shm_unlink("${name}");
  return 0;
}
`);
    execFileSync('cc', ['-g', '-o', join(folder, 'waits'), join(folder, 'waits.c')]);
    const program = spawn(join(folder, 'waits'), { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await once(program.stdout, 'data');
      const parsed = JSON.parse(before) as { configurations: object[] };
      parsed.configurations.push({ name: 'Attach', type: 'lldb-dap', request: 'attach', pid: program.pid, program: join(folder, 'waits') });
      writeFileSync(launch, JSON.stringify(parsed));
      await workbench.startDebugging('Attach');
      const view = await debuggee();
      await workbench.rows(view, name).first().waitFor();
      assert.match(await workbench.rows(view, name).first().innerText(), /fd 3 read-write — 4 KiB/);
      await workbench.stopDebugging();
    } finally {
      writeFileSync(launch, before);
      program.stdin.end();
      if (program.exitCode === null) await once(program, 'exit');
      rmSync(folder, { recursive: true });
    }
  });

  describe('under an adapter that does what real ones do seldom', () => {
    const launch = join(prepared.demo, '.vscode', 'launch.json');
    let untouched = '', folder = '';
    let locks: ChildProcess[] = [];
    before(() => {
      untouched = readFileSync(launch, 'utf8');
      folder = mkdtempSync(join(prepared.demo, 'scripted-'));
      locks = [0, 1].map(() => spawn('flock', [join(folder, 'lock'), 'cat'], { stdio: ['pipe', 'ignore', 'inherit'] }));
      const process = { name: 'flock', systemProcessId: locks[0]?.pid, isLocalProcess: true, startMethod: 'attach' };
      const scripted: Record<string, object> = { Elsewhere: { process: { ...process, isLocalProcess: false } }, Doubtful: { process }, Silent: { process, silent: true }, Dying: { process, dies: true }, Failing: { fails: 'no such $(program)' } };
      const parsed = JSON.parse(untouched) as { configurations: object[] };
      parsed.configurations.push(...Object.entries(scripted).map(([name, how]) => ({ name, type: 'lldb-dap', request: name === 'Silent' || name === 'Dying' ? 'attach' : 'launch', program: '/', scripted: how, internalConsoleOptions: 'neverOpen' })));
      writeFileSync(launch, JSON.stringify(parsed));
    });
    after(async () => {
      writeFileSync(launch, untouched);
      for (const lock of locks) lock.stdin?.end();
      for (const lock of locks) if (lock.exitCode === null) await once(lock, 'exit');
      rmSync(folder, { recursive: true });
    });

    it('says of a program on another machine that it is there, and shows no process of this one that has its PID', async () => {
      await workbench.startDebugging('Elsewhere');
      const view = await debuggee();
      await view.getByText('Elsewhere · on another machine').waitFor();
      await view.getByText('runs on another machine').waitFor();
      assert.equal(await workbench.rows(view).count(), 0);
    });

    it('asks which process is meant where the told one is older than the session that says it has launched it', async () => {
      await workbench.startDebugging('Doubtful');
      const view = await debuggee();
      await view.getByText('The debugger does not tell which process it debugs, or several could be meant').waitFor();
      await view.getByText('Choose the Debugged Process…').click();
      await workbench.quickPickRows().filter({ hasText: new RegExp(`PID ${locks[0]?.pid ?? 0}\\b`) }).first().click();
      await workbench.rows(view, /flock lock .*lock/s).first().waitFor();
    });

    it('shows the process of one that answers nothing, and is empty after one that ends while it is asked, or whose launch fails', async () => {
      await workbench.startDebugging('Silent');
      const view = await debuggee();
      await workbench.rows(view, /flock lock .*lock/s).first().waitFor();
      await workbench.stopDebugging();
      await workbench.launch('Dying');
      await view.getByText('Start debugging to see').waitFor();
      await workbench.launch('Failing');
      await workbench.answerDialog('Cancel');
      await view.getByText('Start debugging to see').waitFor();
    });
  });

  function needs(context: Mocha.Context, ...types: string[]): void {
    for (const type of types) {
      const state = prepared.adapters[type];
      if (state !== 'ready') skip(context, state ?? `${type} is not known here`);
    }
  }
});
