// Who traces a process: TracerPid is a thread's number, the snapshot names the process.
import { strict as assert } from 'node:assert';
import type { Snapshot } from '../../native-probe/model';
import { skip } from '../skip';
import { fixture, hasCompiler, ipcProbe, Program } from './harness';

describe('a tracee', function () {
  before(function () { if (!hasCompiler()) skip(this, 'needs a C compiler (cc)'); });
  afterEach(() => Program.stopAll());

  it('names the process that traces it, also when another thread of that does', async () => {
    const program = Program.start(fixture('tracer'));
    const [pid = 0, tid = 0, child = 0] = (await program.line()).split(' ').map(Number);
    assert.notEqual(tid, pid);
    const { stdout } = ipcProbe(['waits', '--json', '--pid', String(child)]);
    const snapshot = JSON.parse(stdout) as Snapshot;
    assert.equal(snapshot.processes.find(it => it.pid === child)?.tracerPid, pid);
    const wait = snapshot.waits.find(it => it.pid === child);
    assert.deepEqual(wait?.clauses.flatMap(clause => clause.alternatives.flatMap(it => it.threads.map(thread => thread.pid))), [pid]);
    assert.deepEqual(snapshot.findings.filter(it => it.verdict === 'deadlocked' || it.verdict === 'orphaned'), []);
  });
});
