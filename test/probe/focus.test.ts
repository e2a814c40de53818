// A followed process between two full passes: what is new shows up at once, what others do elsewhere costs nothing.
import { strict as assert } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import type { Snapshot } from '../../native-probe/model';
import type { SnapshotResult } from '../../native-probe/protocol';
import { fixture, hasCompiler, ipcProbe, probePath, Program, scratchDirectory, until } from './harness';
import { skip } from '../skip';

describe('a focused snapshot', function () {
  before(function () { if (!hasCompiler()) skip(this, 'needs a C compiler (cc)'); });
  afterEach(() => Program.stopAll());

  it('shows who waits for the process, also for a lock, on which a waiter has no handle, and behind which stop', async function () {
    if (spawnSync('flock', ['--version']).status !== 0) skip(this, 'needs flock of util-linux');
    const file = join(scratchDirectory(), 'focus.lock');
    // Without a fork: who took the lock is who has it.
    const holder = Program.start('flock', ['--no-fork', file, 'sh', '-c', 'echo held; read line']);
    await holder.line();
    const waiter = Program.start('flock', [file, 'true']);
    await until(() => readFileSync(`/proc/${waiter.pid}/syscall`, 'utf8').startsWith('73 '), 'it waits');
    const look = (): Snapshot => JSON.parse(ipcProbe(['waits', '--json', '--pid', String(holder.pid)]).stdout) as Snapshot;
    assert.equal(look().waits.find(it => it.pid === waiter.pid)?.operation, 'flock');
    assert.deepEqual(look().findings, []);
    process.kill(holder.pid, 'SIGSTOP');
    assert.deepEqual(look().findings.map(({ verdict, threads }) => [verdict, threads.map(it => it.pid)]), [['behind-stopped', [waiter.pid]]]);
    process.kill(holder.pid, 'SIGCONT');
    assert.deepEqual(look().findings, []);
  });

  it('shows at once what the process makes, who joins it, and what is gone', async () => {
    const child = spawn(process.execPath, [probePath(), 'serve'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const connection = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
    connection.listen();
    try {
      await connection.sendRequest('initialize', { protocolVersion: 1, client: 'test' });
      const program = Program.start(fixture('ipc'));
      await program.line();
      const ask = async (who: Program, line: string): Promise<string> => { who.tell(line); return who.line(); };
      const look = async (): Promise<Snapshot> => {
        const answer = await connection.sendRequest<SnapshotResult>('snapshot', { pids: [program.pid] });
        return 'snapshot' in answer ? answer.snapshot : assert.fail('no whole snapshot');
      };
      const first = await look();
      assert.deepEqual(first.objects.filter(({ kind }) => kind.startsWith('sysv')), []);
      const shmid = await ask(program, 'shmget 0 4096 600');
      await ask(program, `shmat ${shmid} 0`);
      const second = await look();
      const segment = second.objects.find(({ id }) => id.endsWith(`:${shmid}`));
      assert.equal(segment?.kind, 'sysv-shared-memory', 'a new object, between two full passes');
      const other = Program.start(fixture('ipc'));
      await other.line();
      const address = await ask(other, `shmat ${shmid} 1`);
      const third = await look();
      assert.ok(third.handles.some(({ pid, objectId, address: at }) => pid === other.pid && objectId === segment.id && at === address), 'a new process that shares it');
      assert.ok(third.processes.some(({ pid }) => pid === other.pid));
      await other.stop();
      const fourth = await look();
      assert.ok(!fourth.processes.some(({ pid }) => pid === other.pid));
      assert.deepEqual(fourth.gaps.map(({ id }) => id).sort(), first.gaps.map(({ id }) => id).sort(), 'gaps of processes that were not looked at again stay');
      await ask(program, `shmrm ${shmid}`);
    } finally {
      connection.dispose();
      child.kill('SIGKILL');
    }
  });
});
