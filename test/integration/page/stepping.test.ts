// Stepping over IPC calls at the page of a real VS Code with lldb-dap: each line's effect is marked, and what the run leaves is told at its end.
import * as assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { skip } from '../../skip';
import { preparedWorkbench, WorkbenchPage } from '../../workbench/page';

const name = `/ipc-inspector-stepping-${process.pid}`;
/** Its own, so that what a failed attempt leaves is found again. */
const key = 0x49500000 + (process.pid & 0xfffff);
const source = `#include <fcntl.h>
#include <semaphore.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <unistd.h>
int main(int argc, char **argv) {
  struct { long type; char text[8]; } message = { 1, "hello" };
  int queue = msgget(${key}, IPC_CREAT | 0600);
  for (int i = 0; i < 3; i++) msgsnd(queue, &message, 8, 0);
  sem_t *ready = sem_open("${name}", O_CREAT, 0600, 0);
  int shared = -1; // first stop
  shared--;
  msgsnd(queue, &message, 8, 0);
  sem_post(ready);
  shared = shm_open("${name}", O_CREAT | O_RDWR, 0600);
  msgctl(queue, IPC_RMID, 0);
  close(shared);
  if (argc > 1 && strcmp(argv[1], "leave") == 0) return 0;
  shm_unlink("${name}");
  sem_unlink("${name}");
  return 0;
}
`;
const firstStop = source.split('\n').findIndex(line => line.includes('first stop')) + 1;

describe('Stepping, and what a run leaves behind', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  const launch = join(prepared.demo, '.vscode', 'launch.json');
  let workbench: WorkbenchPage | undefined, folder = '', configurations = '';

  before(async function () {
    for (const type of ['lldb-dap', 'cc']) if (prepared.adapters[type] !== 'ready') skip(this, prepared.adapters[type] ?? `${type} is not known here`);
    folder = mkdtempSync(join(prepared.demo, 'stepping-'));
    writeFileSync(join(folder, 'stepping.c'), source);
    execFileSync('cc', ['-g', '-O0', '-pthread', '-o', join(folder, 'stepping'), join(folder, 'stepping.c'), '-lrt']);
    configurations = readFileSync(launch, 'utf8');
    const parsed = JSON.parse(configurations) as { configurations: object[] };
    const common = { type: 'lldb-dap', request: 'launch', program: join(folder, 'stepping'), internalConsoleOptions: 'neverOpen' };
    parsed.configurations.push({ ...common, name: 'Stepping', initCommands: [`breakpoint set --file stepping.c --line ${firstStop}`] }, { ...common, name: 'Leaving', args: ['leave'] });
    writeFileSync(launch, JSON.stringify(parsed));
    workbench = await WorkbenchPage.open(prepared);
    await workbench.widenSideBar(620);
  });
  afterEach(async function () {
    await workbench?.keepOnFailure(this.currentTest, prepared);
    await workbench?.stopDebugging();
    clear();
  });
  after(async () => {
    await workbench?.close();
    if (configurations !== '') writeFileSync(launch, configurations);
    if (folder !== '') rmSync(folder, { recursive: true });
    clear();
  });
  /** What an attempt that failed half-way has left: the next one must begin without it. */
  function clear(): void {
    for (const file of [`/dev/shm${name}`, `/dev/shm/sem.${name.slice(1)}`]) rmSync(file, { force: true });
    spawnSync('ipcrm', ['-Q', String(key)], { stdio: 'ignore' });
  }

  const page = (): WorkbenchPage => workbench ?? assert.fail('no workbench');
  async function debuggee(): Promise<Locator> {
    await page().showContainer('Run and Debug');
    for (const title of ['Variables', 'Watch', 'Call Stack', 'Loaded Scripts', 'Breakpoints', 'Waits']) await page().fold(title);
    return page().view('IPC of the Debuggee');
  }
  /** The debugger has stopped there, and the editor shows it. */
  async function stoppedAt(line: number): Promise<void> {
    await page().page.locator('.part.statusbar').getByText(`Ln ${line},`).first().waitFor();
  }
  async function step(line: number, view?: Locator, expected?: RegExp): Promise<void> {
    await page().page.keyboard.press('F10');
    await stoppedAt(line);
    if (view && expected) await page().rows(view, expected).first().waitFor();
  }

  it('marks after each step what it changed: a message more, a post, a new object, and what is gone; a clean run leaves nothing', async () => {
    await page().startDebugging('Stepping');
    const view = await debuggee();
    await page().rows(view, /msqid \d+.*3 messages/s).first().waitFor();
    await page().rows(view, /stepping.*stopped by a tracer/s).first().waitFor();
    await stoppedAt(firstStop);
    await step(firstStop + 1);
    await step(firstStop + 2);
    await step(firstStop + 3, view, /msqid \d+\s*(?:C\s*)?qnum 3 → 4/);
    assert.equal(await page().rows(view, /-stepping-\d+\s.*value 0 → 1/s).count(), 0, 'not before it is stepped over');
    await step(firstStop + 4, view, /-stepping-\d+\s*(?:C\s*)?value 0 → 1/);
    assert.equal(await page().rows(view, /qnum 3 → 4/).count(), 0, 'what changed before the last stop is marked no more');
    await step(firstStop + 5, view, /-stepping-\d+\s*(?:N\s*)?new · fd \d+ read-write/);
    const label = await page().rows(view, /new · fd/).first().getAttribute('aria-label');
    assert.match(label ?? '', /new · fd/);
    await step(firstStop + 6, view, /msqid \d+\s*(?:G\s*)?removed, or last used by another process/);
    await page().screenshot(join(prepared.artifacts, 'stepping.png'));
    await page().page.keyboard.press('F5');
    await page().page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  });

  it('names at the end of a run exactly what it left, and offers to remove it', async () => {
    await page().launch('Leaving');
    const toast = await page().notification(/left 2 IPC objects behind/);
    assert.match(await toast.innerText(), /^Leaving left 2 IPC objects behind\./m);
    assert.equal(await page().page.locator('.notification-toast').filter({ hasText: /left .* behind/ }).count(), 1, 'none for the clean run before');
    await page().answerNotification(/left 2 IPC objects behind/, 'Show');
    const view = await debuggee();
    await page().rows(view, /Left behind by Leaving\s*2 objects · /).first().waitFor();
    await page().rows(view, `POSIX shared memory object ${name}`).first().waitFor();
    await page().rows(view, `POSIX named semaphore ${name}`).first().waitFor();
    const row = page().rows(view, `POSIX named semaphore ${name}`);
    await page().expand(row);
    await page().rows(view, /of the run (?:made it|mapped it|had it open)/).first().waitFor();
    await page().screenshot(join(prepared.artifacts, 'left-behind.png'));
    await page().inlineAction(page().rows(view, /Left behind by Leaving/), 'Remove What Was Left Behind');
    assert.match(await page().answerDialog('Remove'), /Remove 2 IPC objects\?/);
    await page().rows(view, /Left behind by/).first().waitFor({ state: 'detached' });
    assert.ok(!existsSync(`/dev/shm${name}`) && !existsSync(`/dev/shm/sem.${name.slice(1)}`));
  });
});
