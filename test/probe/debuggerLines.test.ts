// What real debuggers tell of real programs: the kernel's threads joined to those of debugpy, which counts its own, and names by lldb-dap.
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { questionsOf, seen } from '../../extension/debugger/seenSnapshot';
import { SessionKnowledge } from '../../extension/debugger/sessionKnowledge';
import type { Snapshot } from '../../native-probe/model';
import { skip } from '../skip';
import { DebugAdapter, findLldbDap } from './debugAdapter';
import { fixture, hasCompiler, ipcProbe, scratchDirectory, until } from './harness';

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

describe('names by a real lldb-dap', function () {
  this.timeout(60_000);
  const adapter = findLldbDap();
  let debugged: DebugAdapter | undefined;
  before(function () {
    if (!hasCompiler()) skip(this, 'there is no C compiler');
    if (adapter === undefined) skip(this, 'lldb-dap is not installed');
  });
  afterEach(async () => {
    await debugged?.end(true);
    debugged = undefined;
  });

  /** The chain's steps as they are explained once the program has stopped. */
  async function explained(flags: readonly string[], good: (explanation: string) => boolean): Promise<string> {
    debugged = new DebugAdapter('lldb-dap', adapter ?? assert.fail());
    await debugged.begin('launch', { program: fixture('names', flags) });
    let pid = 0;
    await until(async () => { pid = ((await debugged?.customRequest('threads')) as { threads: { id: number }[] }).threads[0]?.id ?? 0; return pid > 0; }, 'it has a thread');
    const look = (): Snapshot => JSON.parse(ipcProbe(['waits', '--json', '--pid', String(pid)]).stdout) as Snapshot;
    await until(() => look().findings.length > 0, 'it hangs');
    const knowledge = new SessionKnowledge(debugged, () => undefined);
    await debugged.pause();
    knowledge.stop();
    let explanation = '';
    await until(async () => {
      const snapshot = look();
      knowledge.want(questionsOf(snapshot));
      await until(() => !knowledge.busy, 'it has answered');
      explanation = seen(snapshot, { nameOf: knowledge.nameOf.bind(knowledge), placeOf: it => knowledge.placeOf(it.tid ?? it.pid) }).findings[0]?.explanation ?? '';
      return good(explanation);
    }, 'it is explained').catch((error: unknown) => { throw new Error(explanation, { cause: error }); });
    return explanation;
  }

  it('are those of the variables that lead to what has no symbol: locals of the callers, and static ones', async () => {
    const explanation = await explained([], text => /->/.test(text) && /names\.c:\d/.test(text) && !/mutex (?:0x|in )/.test(text));
    assert.match(explanation, /mutex (?:own|book)->lock held by/);
    assert.match(explanation, /mutex shop->orders \(in anonymous shared memory \d+ at offset 8\) held by/);
    assert.match(explanation, /clerk \(\d+\/\d+, at names\.c:14\)/);
  });

  it('are none in a stripped program, whose locks keep address and place', async () => {
    assert.match(await explained(['-s'], text => text !== ''), /mutex 0x[0-9a-f]+ held by.*mutex in anonymous shared memory \d+ at offset 8 held by|mutex in anonymous shared memory \d+ at offset 8 held by.*mutex 0x[0-9a-f]+ held by/);
  });
});
