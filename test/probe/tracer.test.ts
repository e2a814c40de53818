// Who traces a process: TracerPid is a thread's number, the snapshot names the process. And what its debugger can be asked about others.
import { strict as assert } from 'node:assert';
import type { Snapshot } from '../../native-probe/model';
import { skip } from '../skip';
import { fixture, hasCompiler, ipcProbe, Program, until } from './harness';

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

  it('has its own copy of a variable that another process of the same executable waits on, and its own address of what they share', async () => {
    const program = Program.start(fixture('copies'));
    const words = (await program.line()).split(' ');
    const [tracee = 0, forked = 0, anew = 0, elsewhere = 0, sharing = 0] = words.map(Number);
    const [drawer = '', shelf = ''] = words.slice(5);
    let snapshot: Snapshot | undefined;
    const waitOf = (pid: number) => snapshot?.waits.find(it => it.pid === pid);
    await until(() => {
      snapshot = JSON.parse(ipcProbe(['waits', '--json', '--pid', [tracee, forked, anew, elsewhere, sharing].filter(pid => pid > 0).join()]).stdout) as Snapshot;
      return [forked, anew, sharing].every(pid => waitOf(pid)?.objectId !== undefined) && (elsewhere === 0 || waitOf(elsewhere)?.objectId !== undefined);
    }, 'all wait');
    const handlesOf = (pid: number) => snapshot?.handles.filter(it => it.objectId === waitOf(pid)?.objectId && it.via === 'mapping');
    assert.deepEqual(handlesOf(forked)?.map(({ pid, address, copies }) => ({ pid, address, copies })), [{ pid: forked, address: drawer, copies: [{ pid: tracee, address: drawer }] }]);
    // Loaded somewhere else, the same place of the same file.
    assert.deepEqual(handlesOf(anew)?.map(({ pid, copies }) => ({ pid, copies })), [{ pid: anew, copies: [{ pid: tracee, address: drawer }] }]);
    if (elsewhere > 0) assert.deepEqual(handlesOf(elsewhere)?.map(({ copies }) => copies), [undefined], 'device and inode mean less in another mount namespace');
    assert.deepEqual(handlesOf(sharing)?.find(({ pid }) => pid === tracee)?.address, shelf);
  });
});
