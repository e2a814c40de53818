// Names and lines from a real debugger at the page of a real VS Code: a deadlock of two threads under lldb-dap, told by the names of
// its locks while it runs, and by its source lines when a person has paused it.
import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { skip } from '../../skip';
import { preparedWorkbench, WorkbenchPage } from '../../workbench/page';

const source = `#include <pthread.h>
#include <stdio.h>
struct book { int entries; pthread_mutex_t lock; };
static pthread_mutex_t orders_lock = PTHREAD_MUTEX_INITIALIZER;
static struct book ledger = { 3, PTHREAD_MUTEX_INITIALIZER };
static pthread_barrier_t both;
static void take(pthread_mutex_t *mutex) {
  pthread_mutex_lock(mutex); // line 8
}
static void *clerk(void *arg) {
  pthread_mutex_lock(&orders_lock);
  pthread_barrier_wait(&both);
  take(&ledger.lock);
  return arg;
}
static void *auditor(void *arg) {
  pthread_mutex_lock(&ledger.lock);
  pthread_barrier_wait(&both);
  pthread_mutex_lock(&orders_lock); // line 19
  return arg;
}
int main(void) {
  pthread_t threads[2];
  pthread_barrier_init(&both, NULL, 2);
  pthread_create(&threads[0], NULL, clerk, NULL);
  pthread_setname_np(threads[0], "clerk");
  pthread_create(&threads[1], NULL, auditor, NULL);
  pthread_setname_np(threads[1], "auditor");
  pthread_join(threads[0], NULL); // line 29
  return 0;
}
`;

describe('Names and lines from the debugger', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  let workbench: WorkbenchPage;
  let folder: string | undefined;
  let untouched: string | undefined;
  const launch = join(prepared.demo, '.vscode', 'launch.json');

  before(async function () {
    for (const type of ['lldb-dap', 'cc']) {
      const state = prepared.adapters[type];
      if (state !== 'ready') skip(this, state ?? `${type} is not known here`);
    }
    folder = mkdtempSync(join(prepared.demo, 'names-'));
    writeFileSync(join(folder, 'queue.c'), source);
    execFileSync('cc', ['-g', '-O0', '-pthread', '-D_GNU_SOURCE', '-o', join(folder, 'queue'), join(folder, 'queue.c')]);
    untouched = readFileSync(launch, 'utf8');
    const parsed = JSON.parse(untouched) as { configurations: object[] };
    parsed.configurations.push({ name: 'Names', type: 'lldb-dap', request: 'launch', program: join(folder, 'queue'), internalConsoleOptions: 'neverOpen' });
    writeFileSync(launch, JSON.stringify(parsed));
    workbench = await WorkbenchPage.open(prepared);
  });
  afterEach(async function () {
    await workbench?.keepOnFailure(this.currentTest, prepared);
    await workbench?.stopDebugging();
  });
  after(async () => {
    await workbench?.close();
    if (untouched !== undefined) writeFileSync(launch, untouched);
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  it('name the locks of a deadlock while it runs, tell its lines when it was paused, and lead there', async () => {
    await workbench.startDebugging('Names');
    await workbench.showContainer('Run and Debug');
    for (const title of ['Variables', 'Watch', 'Loaded Scripts', 'Breakpoints', 'IPC of the Debuggee']) await workbench.fold(title);
    const view = await workbench.view('Waits');
    await workbench.widenSideBar(900);
    const clerk = workbench.rows(view, /^\s*clerk .*waits for mutex ledger\.lock, held by auditor/s);
    await clerk.first().waitFor();
    assert.doesNotMatch(await clerk.first().innerText(), /queue\.c/, 'it runs: nobody knows where it is, and nobody has stopped it');
    await workbench.rows(view, /^\s*auditor .*waits for mutex orders_lock, held by clerk/s).first().waitFor();

    await workbench.command('IPC Inspector: Pause to See the Lines');
    await workbench.rows(view, /^\s*clerk .*waits for mutex ledger\.lock, held by auditor .*at queue\.c:8/s).first().waitFor();
    await workbench.rows(view, /^\s*auditor .*waits for mutex orders_lock, held by clerk .*at queue\.c:19/s).first().waitFor();
    const finding = await workbench.rows(view, /^\s*Deadlock/).first().getAttribute('aria-label') ?? '';
    assert.match(finding, /Thread clerk \(\d+\/\d+, at queue\.c:8\) waits for mutex ledger\.lock held by thread auditor \(\d+\/\d+, at queue\.c:19\)/);

    await workbench.inlineAction(workbench.rows(view, /^\s*auditor .*queue\.c:19/s), 'Go to Source');
    await workbench.page.locator('.tabs-container .tab').filter({ hasText: 'queue.c' }).first().waitFor();
    await workbench.page.locator('.part.statusbar').getByText(/Ln 19,/).waitFor();

    // The same way from the thread's node in the wait graph.
    await workbench.command('View: Close All Editors');
    await workbench.inlineAction(workbench.rows(view, /^\s*Deadlock/), 'Show in Wait Graph');
    const graph = workbench.webview();
    await graph.locator('.node').filter({ has: graph.locator('text.title').getByText('auditor', { exact: true }) }).first().click();
    await graph.getByRole('button', { name: 'Go to Source' }).click();
    await workbench.page.locator('.tabs-container .tab').filter({ hasText: 'queue.c' }).first().waitFor();
    await workbench.page.locator('.part.statusbar').getByText(/Ln 19,/).waitFor();

    await workbench.contextMenu(workbench.rows(view, /^\s*clerk .*queue\.c:8/s), 'Switch to Thread');
    const callStack = await workbench.view('Call Stack');
    // Its innermost frame is the selected one now, and its variables are those that are shown.
    await workbench.rows(callStack, /^\s*clerk/).and(workbench.page.locator('[aria-expanded="true"]')).waitFor();
    await workbench.rows(callStack, /^\s*take/).waitFor();
    await workbench.rows(callStack, /^\s*auditor/).and(workbench.page.locator('[aria-expanded="true"]')).waitFor({ state: 'detached' });
    assert.equal(await workbench.page.locator('.notification-toast').filter({ hasText: 'could not be selected' }).count(), 0);
  });
});
