// The kernel's threads joined to those of debuggers that count their own: a real debugpy over a real Python program.
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SessionKnowledge } from '../../extension/debugger/sessionKnowledge';
import { skip } from '../skip';
import { DebugAdapter } from './debugAdapter';
import { scratchDirectory, until } from './harness';

const python = '/usr/bin/python3';

describe('threads of a debugger that counts its own', function () {
  this.timeout(60_000);
  let debugged: DebugAdapter | undefined;
  afterEach(async () => {
    await debugged?.end(true);
    debugged = undefined;
  });

  it('are the kernel\'s in Python, with the line where each is', async function () {
    if (spawnSync(python, ['-c', 'import debugpy']).status !== 0) skip(this, 'debugpy is not installed');
    const program = join(scratchDirectory(), 'waits.py');
    const started = join(scratchDirectory(), 'started');
    writeFileSync(program, `import os, threading, time
lock = threading.Lock()
def worker():
    with lock: # line 4
        pass
lock.acquire()
thread = threading.Thread(target=worker, name='worker')
thread.start()
with open(${JSON.stringify(started)}, 'w') as file: file.write(f'{os.getpid()} {thread.native_id}\\n')
while True:
    time.sleep(0.02) # lines 10 and 11
`);
    debugged = new DebugAdapter('debugpy', python, ['-m', 'debugpy.adapter']);
    await debugged.begin('launch', { program, console: 'internalConsole', python });
    let told = '';
    await until(() => { told = readdirSync(scratchDirectory()).includes('started') ? readFileSync(started, 'utf8') : ''; return told.endsWith('\n'); }, 'the program has started its thread');
    const [pid = 0, worker = 0] = told.split(' ').map(Number);
    const knowledge = new SessionKnowledge(debugged, () => undefined);
    knowledge.runs(pid, false);
    await debugged.pause();
    knowledge.stop();
    knowledge.want({ threads: [{ pid, tid: pid }, { pid, tid: worker }], addresses: [], denied: new Set() });
    await until(() => knowledge.placeOf(worker) !== undefined && knowledge.placeOf(pid) !== undefined, 'both threads have places');
    assert.deepEqual([knowledge.placeOf(worker)?.path, knowledge.placeOf(worker)?.line, knowledge.placeOf(worker)?.function], [program, 4, 'worker']);
    assert.ok([10, 11].includes(knowledge.placeOf(pid)?.line ?? 0), String(knowledge.placeOf(pid)?.line));
  });
});
