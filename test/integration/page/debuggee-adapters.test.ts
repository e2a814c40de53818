// IPC of the Debuggee with the debug adapters that leave something to find out: debugpy with a child process that is debugged too,
// delve, which tells no process, and several sessions at once; and what their programs leave behind. js-debug and lldb-dap are in
// debuggee.test.ts, what a C program leaves is in stepping.test.ts.
import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { skip } from '../../skip';
import { preparedWorkbench } from '../../workbench/page';
import type { WorkbenchPage } from '../../workbench/page';
import { onPage } from '../../workbench/suitePage';

/** What `leave` as the argument leaves, and anything else cleans up behind itself. A child makes some of it. */
const leavers = {
  'leave.py': (name: string) => `import ctypes, multiprocessing, sys, _multiprocessing
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
leave = sys.argv[1] == 'leave'

def child():
    memory = SharedMemory('${name}', create=True, size=4096)
    memory.close()
    if leave: resource_tracker.unregister(memory._name, 'shared_memory')
    else: memory.unlink()

if __name__ == '__main__':
    multiprocessing.set_start_method('fork')
    process = multiprocessing.Process(target=child)
    process.start()
    process.join()
    tidy = multiprocessing.Semaphore(2)
    results = multiprocessing.Queue()
    results.put(1)
    results.get()
    semaphore = _multiprocessing.SemLock(1, 1, 1, '/${name}', False)
    libc = ctypes.CDLL(None)
    queue = libc.msgget(0, 0o1600)
    message = ctypes.create_string_buffer(ctypes.sizeof(ctypes.c_long) + 8)
    message[0] = 1
    libc.msgsnd(queue, message, 8, 0)
    if not leave:
        _multiprocessing.sem_unlink('/${name}')
        libc.msgctl(queue, 0, None)
`,
  'leave.js': (name: string) => `const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
fs.writeFileSync('/dev/shm/${name}', 'x');
const shmid = /\\d+$/m.exec(execFileSync('ipcmk', ['-M', '4096'], { encoding: 'utf8' }))[0];
if (process.argv[2] !== 'leave') {
  fs.unlinkSync('/dev/shm/${name}');
  execFileSync('ipcrm', ['-m', shmid]);
}
setTimeout(() => undefined, 1500);
`,
  'leave.go': (name: string) => `package main

import (
	"os"
	"syscall"
	"time"
)

func main() {
	defer time.Sleep(1500 * time.Millisecond)
	file, err := os.OpenFile("/dev/shm/${name}", os.O_RDWR|os.O_CREATE, 0600)
	if err != nil || file.Truncate(4096) != nil {
		panic("no segment")
	}
	id, _, failed := syscall.Syscall(syscall.SYS_SHMGET, 0, 4096, 01600)
	if failed != 0 {
		panic(failed)
	}
	if os.Args[1] != "leave" {
		os.Remove("/dev/shm/${name}")
		syscall.Syscall(syscall.SYS_SHMCTL, id, 0, 0)
	}
}
`,
};

describe('IPC of the Debuggee, adapter by adapter', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  const launch = join(prepared.demo, '.vscode', 'launch.json');
  const original = readFileSync(launch, 'utf8');
  const names = { python: `ipc-inspector-py-${process.pid}`, go: `ipc-inspector-go-${process.pid}` };
  const left = (file: string): string => `ipc-inspector-left-${file.split('.').at(-1) ?? ''}-${process.pid}`;
  let folder = '';
  let workbench: WorkbenchPage;

  before(() => {
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
    for (const [file, source] of Object.entries(leavers)) writeFileSync(join(folder, file), source(left(file)));
    const leaving = (name: string, rest: object): object[] => ['tidy', 'leave'].map(how => ({ request: 'launch', internalConsoleOptions: 'neverOpen', name: `${name}: ${how}`, args: [how], ...rest }));
    const configurations = [
      ...leaving('Python', { type: 'debugpy', program: join(folder, 'leave.py'), console: 'internalConsole', subProcess: true }),
      ...leaving('Node', { type: 'node', program: join(folder, 'leave.js') }),
      ...leaving('Go', { type: 'delve', mode: 'exec', program: join(folder, 'leave') }),
      { name: 'Python', type: 'debugpy', request: 'launch', program: join(folder, 'parent.py'), console: 'internalConsole', justMyCode: true, subProcess: true, internalConsoleOptions: 'neverOpen' },
      { name: 'Go', type: 'delve', request: 'launch', mode: 'exec', program: join(folder, 'main'), internalConsoleOptions: 'neverOpen' },
    ];
    const parsed = JSON.parse(original) as { configurations: object[] };
    writeFileSync(launch, JSON.stringify({ ...parsed, configurations: [...parsed.configurations, ...configurations], compounds: [{ name: 'Everything', configurations: ['Family', 'Go'] }] }));
    for (const name of prepared.adapters.delve === 'ready' ? ['main', 'leave'] : []) execFileSync('go', ['build', '-gcflags=-N -l', '-o', join(folder, name), join(folder, `${name}.go`)], { env: { ...process.env, GO111MODULE: 'off', CGO_ENABLED: '0' } });
  });
  onPage(prepared, opened => { workbench = opened; }, { debugging: true });
  after(() => {
    writeFileSync(launch, original);
    rmSync(folder, { recursive: true, force: true });
    for (const name of [...Object.values(names), ...Object.keys(leavers).flatMap(file => [left(file), `sem.${left(file)}`])]) rmSync(`/dev/shm/${name}`, { force: true });
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

  for (const [label, type, file, kinds] of [
    ['Python', 'debugpy', 'leave.py', ['POSIX shared memory object', 'POSIX named semaphore', 'System V message queue']],
    ['Node', 'node', 'leave.js', ['POSIX shared memory object', 'System V shared memory segment']],
    ['Go', 'delve', 'leave.go', ['POSIX shared memory object', 'System V shared memory segment']],
  ] as const) {
    it(`tells after a ${label} program exactly what it and its children have left, and nothing of one that cleans up`, async function () {
      needs(this, type);
      await workbench.launch(`${label}: tidy`);
      await workbench.sessionOver();
      await workbench.launch(`${label}: leave`);
      const told = new RegExp(`${label}: leave left ${kinds.length} IPC objects behind`);
      await workbench.notification(told);
      assert.equal(await workbench.page.locator('.notification-toast').filter({ hasText: `${label}: tidy` }).count(), 0);
      await workbench.answerNotification(told, 'Show');
      const view = await debuggee();
      await workbench.rows(view, new RegExp(`Left behind by ${label}: leave\\s*${kinds.length} objects`)).first().waitFor();
      for (const kind of kinds) await workbench.rows(view, new RegExp(`^\\s*${kind} `)).first().waitFor();
      for (const kind of kinds.filter(it => it.startsWith('POSIX'))) await workbench.rows(view, `${kind} /${left(file)}`).first().waitFor();
      await workbench.inlineAction(workbench.rows(view, /Left behind by/), 'Remove What Was Left Behind');
      assert.match(await workbench.answerDialog('Remove'), new RegExp(`Remove ${kinds.length} IPC objects\\?`));
      await workbench.rows(view, /Left behind by/).first().waitFor({ state: 'detached' });
      assert.ok(!existsSync(`/dev/shm/${left(file)}`));
    });
  }
});
