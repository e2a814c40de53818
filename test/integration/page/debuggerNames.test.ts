// Names and lines from real debuggers at the page of a real VS Code: deadlocks of two threads and of two processes under lldb-dap, told by
// the names of their locks, and by their source lines when a person has paused them; also of a forked child that no debugger has yet.
import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
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

/** Two programs of a compound, or one that forks: they lock in opposite order what lies in their shared memory. The forked child's ring goes over a private lock too. */
const shared = `/ipc-inspector-shop-${process.pid}`;
const shop = `#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
struct shop { pthread_mutex_t orders, stock; pthread_barrier_t both; volatile int ready; };
static struct shop *shop;
static pthread_mutex_t till = PTHREAD_MUTEX_INITIALIZER;
static void take(pthread_mutex_t *mutex) {
  pthread_mutex_lock(mutex); // line 13
}
static void open_shop(int creates, int fd) {
  if (creates && ftruncate(fd, 4096) != 0) exit(1);
  shop = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (!creates) { while (!shop->ready) usleep(1000); return; }
  pthread_mutexattr_t mutex; pthread_barrierattr_t barrier;
  pthread_mutexattr_init(&mutex); pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
  pthread_barrierattr_init(&barrier); pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(&shop->orders, &mutex); pthread_mutex_init(&shop->stock, &mutex);
  pthread_barrier_init(&shop->both, &barrier, 2);
  shop->ready = 1;
}
static void *helper(void *arg) {
  pthread_mutex_lock(&shop->stock);
  pthread_barrier_wait(&shop->both);
  pthread_mutex_lock(&till); // line 29
  return arg;
}
static void seller(void) {
  pthread_mutex_lock(&shop->orders);
  pthread_barrier_wait(&shop->both);
  take(&shop->stock); // line 35
}
static void buyer(void) {
  pthread_mutex_lock(&shop->stock);
  pthread_barrier_wait(&shop->both);
  pthread_mutex_lock(&shop->orders); // line 40
}
static void child(void) {
  pthread_t thread;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "child");
  pthread_mutex_lock(&till);
  pthread_create(&thread, NULL, helper, NULL);
  pthread_setname_np(thread, "helper");
  while (pthread_mutex_trylock(&shop->orders) == 0) pthread_mutex_unlock(&shop->orders);
  take(&shop->orders);
}
int main(int argc, char **argv) {
  alarm(100);
  if (argc < 2) return 1;
  if (strcmp(argv[1], "fork") == 0) {
    open_shop(1, memfd_create("shop", 0));
    if (fork() == 0) child(); else seller();
    return 0;
  }
  int creates = strcmp(argv[1], "seller") == 0, fd = -1;
  for (int i = 0; fd < 0 && i < 10000; i++, usleep(1000)) fd = shm_open("${shared}", creates ? O_CREAT | O_RDWR : O_RDWR, 0600);
  prctl(PR_SET_NAME, argv[1]);
  for (int size = creates ? 1 : 0; size == 0; usleep(1000)) size = lseek(fd, 0, SEEK_END) >= 4096;
  open_shop(creates, fd);
  if (creates) seller(); else buyer();
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
    writeFileSync(join(folder, 'shop.c'), shop);
    execFileSync('cc', ['-g', '-O0', '-pthread', '-D_GNU_SOURCE', '-o', join(folder, 'shop'), join(folder, 'shop.c'), '-lrt']);
    untouched = readFileSync(launch, 'utf8');
    const parsed = JSON.parse(untouched) as { configurations: object[] };
    const common = { type: 'lldb-dap', request: 'launch', program: join(folder, 'shop'), internalConsoleOptions: 'neverOpen' };
    const configurations = [...parsed.configurations, { ...common, name: 'Names', program: join(folder, 'queue') }, ...['seller', 'buyer', 'fork'].map(name => ({ ...common, name, args: [name] }))];
    writeFileSync(launch, JSON.stringify({ ...parsed, configurations, compounds: [{ name: 'Both', configurations: ['seller', 'buyer'], stopAll: true }] }));
    workbench = await WorkbenchPage.open(prepared);
  });
  afterEach(async function () {
    await workbench?.keepOnFailure(this.currentTest, prepared);
    await workbench?.stopDebugging();
    rmSync(`/dev/shm${shared}`, { force: true });
  });
  after(async () => {
    await workbench?.close();
    if (untouched !== undefined) writeFileSync(launch, untouched);
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  async function waits(): Promise<Locator> {
    await workbench.showContainer('Run and Debug');
    for (const title of ['Variables', 'Watch', 'Call Stack', 'Loaded Scripts', 'Breakpoints', 'IPC of the Debuggee']) await workbench.fold(title);
    return workbench.view('Waits');
  }

  /** By the menu of a thread that runs. A menu closes when a session that has just stopped takes the focus: it is opened again. */
  async function pause(view: Locator, thread: RegExp): Promise<void> {
    const entry = workbench.page.locator('.monaco-menu .action-item').filter({ hasText: 'Pause to See the Lines' }).first();
    const row = workbench.rows(view, thread).first();
    for (const end = Date.now() + 20_000; !/· stopped/.test(await row.innerText());) {
      if (Date.now() > end) throw new Error(`it does not stop: ${await row.innerText()}`);
      await row.click({ button: 'right', timeout: 5000 });
      await entry.hover({ timeout: 1500 }).then(() => workbench.page.keyboard.press('Enter')).catch(() => workbench.page.keyboard.press('Escape'));
      await workbench.rows(view, thread).filter({ hasText: '· stopped' }).first().waitFor({ timeout: 4000 }).catch(() => undefined);
    }
  }

  /** As the button in the view's title does; an attempt that failed may have done it already. */
  async function showAllSessions(view: Locator): Promise<void> {
    const all = view.locator('.pane-header').getByText('2 sessions');
    for (const end = Date.now() + 20_000; !await all.isVisible();) {
      if (Date.now() > end) throw new Error('the view does not show both sessions');
      await view.locator('.pane-header').hover();
      await view.locator('.pane-header .actions .action-label[aria-label^="Show All Debug Sessions"]').click({ timeout: 2000 }).catch(() => undefined);
      await all.waitFor({ timeout: 1500 }).catch(() => undefined);
    }
  }

  it('name the locks of a deadlock while it runs, tell its lines when it was paused, and lead there', async () => {
    await workbench.startDebugging('Names');
    const view = await waits();
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
    const callStack = workbench.pane('Call Stack'); // the command unfolds it
    // Its innermost frame is the selected one now, and its variables are those that are shown.
    await workbench.rows(callStack, /^\s*clerk/).and(workbench.page.locator('[aria-expanded="true"]')).waitFor();
    await workbench.rows(callStack, /^\s*take/).waitFor();
    await workbench.rows(callStack, /^\s*auditor/).and(workbench.page.locator('[aria-expanded="true"]')).waitFor({ state: 'detached' });
    assert.equal(await workbench.page.locator('.notification-toast').filter({ hasText: 'could not be selected' }).count(), 0);
  });

  it('explain a deadlock of two processes of a compound, each under its own debugger, with the names and lines of both', async () => {
    await workbench.startDebugging('Both');
    const view = await waits();
    await showAllSessions(view);
    await pause(view, /^\s*seller .*waits for mutex/s);
    await workbench.rows(view, /^\s*seller .*waits for mutex shop->stock .*held by buyer .*at shop\.c:13/s).first().waitFor();
    await pause(view, /^\s*buyer .*waits for mutex/s);
    await workbench.rows(view, /^\s*buyer .*waits for mutex shop->orders .*held by seller .*at shop\.c:40/s).first().waitFor();
    const finding = workbench.rows(view, /^\s*Deadlock/).first();
    assert.match(await finding.getAttribute('aria-label') ?? '', /(seller|buyer) \(\d+, at shop\.c:(13|40)\) waits for mutex shop->(stock|orders) \(in \/dev\/shm\/ipc-inspector-shop-\d+ at offset \d+\) held by (seller|buyer) \(\d+, at shop\.c:(13|40)\)/);
    await workbench.screenshot(join(prepared.artifacts, 'two-processes.png'));
  });

  it('name the locks of a forked child that no debugger has by its parent\'s, and tell its lines when one is attached', async () => {
    await workbench.startDebugging('fork');
    const view = await waits();
    // A copy of the parent's variable at the same place of the same executable: known while everything runs.
    await workbench.rows(view, /^\s*helper .*waits for mutex till, held by child/s).first().waitFor();
    await pause(view, /^\s*shop .*waits for mutex/s);
    await workbench.rows(view, /^\s*shop .*waits for mutex shop->stock .*held by helper .*at shop\.c:13/s).first().waitFor();
    // What the parent holds has a name too, by the parent's variables; its child has no line.
    const child = workbench.rows(view, /^\s*child .*waits for mutex shop->orders .*held by shop/s);
    await child.first().waitFor();
    assert.doesNotMatch(await child.first().innerText(), /shop\.c/);

    await workbench.contextMenu(child, 'Attach Debugger to…');
    await workbench.quickPickRows().filter({ hasText: /child.*waits in/s }).first().click();
    await workbench.answerDialog('Attach');
    await showAllSessions(view);
    await pause(view, /^\s*child .*waits for mutex shop->orders/s);
    await workbench.rows(view, /^\s*child .*waits for mutex shop->orders .*at shop\.c:13/s).first().waitFor();
    await workbench.rows(view, /^\s*helper .*waits for mutex till, .*at shop\.c:29/s).first().waitFor();
    const finding = await workbench.rows(view, /^\s*Deadlock/).first().getAttribute('aria-label') ?? '';
    for (const words of [/shop \(\d+, at shop\.c:13\)/, /child \(\d+, at shop\.c:13\)/, /helper \(\d+\/\d+, at shop\.c:29\)/, /mutex till/, /mutex shop->stock/, /mutex shop->orders/]) assert.match(finding, words);
    await workbench.screenshot(join(prepared.artifacts, 'forked-child.png'));
  });
});
