// IPC of the Debuggee with the debug adapters that leave something to find out: debugpy with a child process that is debugged too,
// delve, which tells no process, and several sessions at once. js-debug and lldb-dap are in debuggee.test.ts.
import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { skip } from '../../skip';
import { preparedWorkbench, WorkbenchPage } from '../../workbench/page';

describe('IPC of the Debuggee, adapter by adapter', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  const launch = join(prepared.demo, '.vscode', 'launch.json');
  const original = readFileSync(launch, 'utf8');
  const names = { python: `ipc-inspector-py-${process.pid}`, go: `ipc-inspector-go-${process.pid}` };
  let folder = '';
  let workbench: WorkbenchPage;

  before(async () => {
    folder = mkdtempSync(join(prepared.demo, 'adapters-'));
    // The parent makes the segment, its child attaches to it by name. Python's resource tracker removes it however they end.
    writeFileSync(join(folder, 'parent.py'), `import multiprocessing, time
from multiprocessing.shared_memory import SharedMemory

def child(name):
    memory = SharedMemory(name)
    time.sleep(120)
    memory.close()

if __name__ == '__main__':
    multiprocessing.set_start_method('fork')
    memory = SharedMemory('${names.python}', create=True, size=4096)
    process = multiprocessing.Process(target=child, args=(memory.name,), daemon=True)
    process.start()
    process.join()
`);
    writeFileSync(join(folder, 'main.go'), `package main

import (
	"os"
	"syscall"
	"time"
)

func main() {
	file, err := os.OpenFile("/dev/shm/${names.go}", os.O_RDWR|os.O_CREATE, 0600)
	if err != nil || file.Truncate(4096) != nil {
		panic("no segment")
	}
	memory, err := syscall.Mmap(int(file.Fd()), 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	for {
		memory[0]++
		time.Sleep(time.Second)
	}
}
`);
    const configurations = [
      { name: 'Python', type: 'debugpy', request: 'launch', program: join(folder, 'parent.py'), console: 'internalConsole', justMyCode: true, subProcess: true, internalConsoleOptions: 'neverOpen' },
      { name: 'Go', type: 'delve', request: 'launch', mode: 'exec', program: join(folder, 'main'), internalConsoleOptions: 'neverOpen' },
    ];
    const parsed = JSON.parse(original) as { configurations: object[] };
    writeFileSync(launch, JSON.stringify({ ...parsed, configurations: [...parsed.configurations, ...configurations], compounds: [{ name: 'Everything', configurations: ['Family', 'Go'] }] }));
    if (prepared.adapters.delve === 'ready') execFileSync('go', ['build', '-gcflags=-N -l', '-o', join(folder, 'main'), join(folder, 'main.go')], { env: { ...process.env, GO111MODULE: 'off', CGO_ENABLED: '0' } });
    workbench = await WorkbenchPage.open(prepared);
  });
  afterEach(async function () {
    await workbench.keepOnFailure(this.currentTest, prepared);
    await workbench.stopDebugging();
  });
  after(async () => {
    await workbench?.close();
    writeFileSync(launch, original);
    rmSync(folder, { recursive: true, force: true });
    for (const name of Object.values(names)) rmSync(`/dev/shm/${name}`, { force: true });
  });

  async function debuggee(): Promise<Locator> {
    await workbench.showContainer('Run and Debug');
    for (const title of ['Variables', 'Watch', 'Call Stack', 'Loaded Scripts', 'Breakpoints', 'Waits']) await workbench.fold(title);
    return workbench.view('IPC of the Debuggee');
  }
  function needs(context: Mocha.Context, type: string): void {
    const state = prepared.adapters[type];
    if (state !== 'ready') skip(context, state ?? `${type} is not known here`);
  }

  it('shows a Python program under debugpy, and the child that multiprocessing has made', async function () {
    needs(this, 'debugpy');
    await workbench.startDebugging('Python');
    const view = await debuggee();
    await workbench.rows(view, names.python).nth(1).waitFor();
    const processes = await workbench.rows(view, /python3.*PID \d+ · [a-z ]+ · \d+ objects?/s).allInnerTexts();
    assert.ok(processes.length >= 2, processes.join('\n'));
    for (const row of await workbench.rows(view, names.python).allInnerTexts()) assert.match(row, /mapped at 0x[0-9a-f]+ read-write.* — 4 KiB/s);
  });

  it('shows a Go program under delve, by who traces it', async function () {
    needs(this, 'delve');
    await workbench.startDebugging('Go');
    const view = await debuggee();
    await workbench.rows(view, names.go).first().waitFor();
    assert.match(await workbench.rows(view, /PID \d+/).first().innerText(), /main.*PID \d+ · [a-z ]+ · \d+ objects?/s);
    assert.match(await workbench.rows(view, names.go).first().innerText(), /mapped at 0x[0-9a-f]+ read-write.* — 4 KiB/s);
  });

  it('shows one of two sessions, and both when asked', async function () {
    needs(this, 'delve');
    await workbench.startDebugging('Everything');
    const view = await debuggee();
    const [go, node] = [workbench.rows(view, names.go).first(), workbench.rows(view, /-gate/).first()];
    await workbench.command('IPC Inspector: Show All Debug Sessions');
    await go.waitFor();
    await node.waitFor();
    await workbench.command('IPC Inspector: Show the Selected Debug Session Only');
    for (const end = Date.now() + 20_000; await go.count() + await node.count() !== 1;) {
      if (Date.now() > end) throw new Error(`both or none: ${(await workbench.rows(view).allInnerTexts()).join('\n')}`);
      await workbench.page.waitForTimeout(100);
    }
  });
});
