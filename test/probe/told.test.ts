// Where the kernel denies memory and system calls (as Yama does, here by a library that is preloaded into the probe), a debugger that has
// stopped the program stands in: a real lldb-dap, asked by the extension's own code, tells a real probe.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { questionsOf } from '../../extension/debugger/seenSnapshot';
import { SessionKnowledge } from '../../extension/debugger/sessionKnowledge';
import { accordingToDebugger } from '../../native-probe/told';
import type { Snapshot } from '../../native-probe/model';
import type { SnapshotResult, ToldProcess } from '../../native-probe/protocol';
import { skip } from '../skip';
import { DebugAdapter, findLldbDap } from './debugAdapter';
import { fixture, hasCompiler, probePath, Program, scratchDirectory, until } from './harness';

describe('a debugger that stands in for what the kernel denies', function () {
  this.timeout(60_000);
  let probe: ChildProcessWithoutNullStreams;
  let connection: MessageConnection;
  let debugged: DebugAdapter | undefined;
  const adapter = findLldbDap();

  before(function () {
    if (!hasCompiler()) skip(this, 'there is no C compiler');
    if (process.arch !== 'x64') skip(this, 'registers are understood on x86_64 only');
    if (adapter === undefined) skip(this, 'lldb-dap is not installed');
    probe = spawn(process.execPath, [probePath(), 'serve'], { env: { ...process.env, LD_PRELOAD: fixture('denied', ['-shared', '-fPIC']) } });
    connection = createMessageConnection(new StreamMessageReader(probe.stdout), new StreamMessageWriter(probe.stdin));
    connection.listen();
    return connection.sendRequest('initialize', { protocolVersion: 1, client: 'test' });
  });
  afterEach(async () => {
    await debugged?.end();
    debugged = undefined;
    await Program.stopAll();
  });
  after(async () => {
    if (probe === undefined) return;
    const ended = new Promise(done => probe.once('exit', done));
    probe.stdin.end();
    await ended;
    connection.dispose();
  });

  async function look(pid: number, told: readonly ToldProcess[] = []): Promise<Snapshot> {
    const result: SnapshotResult = await connection.sendRequest('snapshot', { pids: [pid], waits: true, ...(told.length === 0 ? {} : { told }) });
    return 'snapshot' in result ? result.snapshot : assert.fail('a delta that was not asked for');
  }
  async function attached(name: string): Promise<{ pid: number; knowledge: SessionKnowledge; lldb: DebugAdapter }> {
    const directory = join(scratchDirectory(), `told-${name}`);
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    const [pid = 0] = (await Program.start(fixture('waits'), [name, directory]).line()).split(' ').map(Number);
    debugged = new DebugAdapter('lldb-dap', adapter ?? assert.fail());
    await debugged.begin('attach', { pid });
    // It stops for being attached to, and goes on: a pause in between would be lost.
    await until(() => !/\) t /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')), 'the program goes on');
    return { pid, lldb: debugged, knowledge: new SessionKnowledge(debugged, () => undefined) };
  }

  for (const [name, verdict] of [['private', 'deadlocked'], ['recursive', 'deadlocked'], ['self', 'deadlocked']] as const) {
    it(`makes the verdict on ${name} mutexes as certain as it is with all rights`, async () => {
      const { pid, knowledge, lldb } = await attached(name);
      const alone = await look(pid);
      assert.deepEqual(alone.findings, []);
      assert.ok(alone.gaps.some(({ scope, errno }) => scope.pid === pid && scope.field === 'syscall' && errno === 'EPERM'), JSON.stringify(alone.gaps));

      await lldb.pause();
      knowledge.stop();
      knowledge.want(questionsOf(await look(pid)));
      await until(() => knowledge.toldProcess !== undefined, 'the debugger has told');
      const told = knowledge.toldProcess ?? assert.fail();
      const together = await look(pid, [told]);
      assert.deepEqual(together.findings.map(it => it.verdict), [verdict], JSON.stringify(together.waits));
      const stuck = together.waits.filter(it => it.verdict === verdict && it.operation.startsWith('pthread_mutex'));
      assert.ok(stuck.length > 0);
      for (const wait of stuck) assert.ok(wait.evidence.includes(accordingToDebugger), wait.evidence.join('\n'));
      assert.match(together.findings[0]?.explanation ?? '', /mutex waits\+0x[0-9a-f]+ held by/);

      // What was told of a stop is not believed of a process that runs.
      await lldb.customRequest('continue', { threadId: pid });
      assert.deepEqual((await look(pid, [told])).findings, []);
      knowledge.goOn();
      assert.equal(knowledge.toldProcess, undefined);
    });
  }

  it('is not believed about memory that other processes can change', async () => {
    const { pid, knowledge, lldb } = await attached('self-shared');
    await lldb.pause();
    knowledge.stop();
    knowledge.want(questionsOf(await look(pid)));
    await until(() => knowledge.toldProcess !== undefined, 'the debugger has told');
    assert.deepEqual((await look(pid, [knowledge.toldProcess ?? assert.fail()])).findings, []);
  });

  it('cannot tell the probe more than its request may hold', async () => {
    const refused = async (told: unknown): Promise<void> => { await assert.rejects(connection.sendRequest('snapshot', { pids: [1], waits: true, told }), /snapshot: told/); };
    const thread = { tid: 5, number: 202, arguments: Array(6).fill('0x0'), stackPointer: '0x1', programCounter: '0x2' };
    await refused([{ pid: 5, threads: [{ ...thread, arguments: ['0x0'] }], memory: [] }]);
    await refused([{ pid: 5, threads: [{ ...thread, number: -1 }], memory: [] }]);
    await refused([{ pid: 5, threads: [thread], memory: [{ address: '12', base64: '' }] }]);
    await refused([{ pid: 5, threads: [thread], memory: [{ address: '0x12', base64: 'A'.repeat(4096) }] }]);
    await refused(Array(17).fill({ pid: 5, threads: [], memory: [] }));
    await refused([{ pid: 5, threads: [], memory: [], more: 1 }]);
  });
});
