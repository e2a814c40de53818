// `ipc-probe serve`: handshake, deltas, cancelling, and what it does with messages that are none.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { createMessageConnection, CancellationTokenSource, ResponseError, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { applyDelta, keyOf } from '../../native-probe/analysis/diff';
import type { Snapshot } from '../../native-probe/model';
import type { EndRunResult, InitializeResult, JoinRunResult, SnapshotResult } from '../../native-probe/protocol';
import { fixture, hasCompiler, isRoot, probePath, Program, snapshotOf } from './harness';
import { skip } from '../skip';

const serving = new Set<ChildProcessWithoutNullStreams>();
/** `alone`: in a network namespace of its own, where the kernel tells of no process events. */
function start({ alone = false } = {}): { child: ChildProcessWithoutNullStreams; connection: MessageConnection; exited: Promise<number | null>; errors: () => string } {
  const child = alone ? spawn('unshare', ['--net', process.execPath, probePath(), 'serve']) : spawn(process.execPath, [probePath(), 'serve']);
  serving.add(child);
  let text = '';
  child.stderr.on('data', (data: Buffer) => { text += data.toString(); });
  child.stdin.on('error', () => undefined); // it may close while we still write
  const exited = new Promise<number | null>(done => { child.once('exit', status => { serving.delete(child); done(status); }); });
  const connection = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
  connection.onError(() => undefined);
  connection.listen();
  return { child, connection, exited, errors: () => text };
}
const initialize = (connection: MessageConnection, protocolVersion = 1): Promise<InitializeResult> => connection.sendRequest('initialize', { protocolVersion, client: 'test' });
const code = async (request: Promise<unknown>): Promise<number> => {
  try { await request; } catch (error) { if (error instanceof ResponseError) return error.code; throw error; }
  return assert.fail('the request succeeded');
};

describe('ipc-probe serve', () => {
  afterEach(() => { for (const child of serving) child.kill('SIGKILL'); });

  it('greets with its version, its host and its rights, and ends with its input', async () => {
    const { connection, child, exited } = start();
    const result = await initialize(connection);
    assert.equal(result.protocolVersion, 1);
    assert.equal(result.host.uid, process.geteuid?.());
    assert.ok(Array.isArray(result.capabilities));
    child.stdin.end();
    assert.equal(await exited, 0);
  });

  it('refuses another version of the protocol, and every request before the greeting', async () => {
    const { connection } = start();
    assert.equal(await code(connection.sendRequest('snapshot', {})), -32002);
    assert.equal(await code(initialize(connection, 2)), -32010);
    assert.equal(await code(connection.sendRequest('snapshot', {})), -32002);
  });

  it('reads descriptors from within their directory, tells what the command tells that reads them from outside, and is back at the root', async () => {
    const many = spawn('sleep', ['60'], { stdio: Array.from({ length: 40 }, () => 'pipe' as const) });
    try {
      const { connection, child } = start();
      await initialize(connection);
      const question = { kinds: ['unix-socket'], pids: [many.pid] };
      const its = ({ handles }: Snapshot): string[] => handles.filter(({ pid }) => pid === many.pid).map(handle => keyOf.handles(handle)).sort();
      const told = its((await connection.sendRequest<{ snapshot: Snapshot }>('snapshot', question)).snapshot);
      assert.equal(told.length, 40);
      assert.deepEqual(told, its(snapshotOf(['--kind', 'unix-socket', '--pid', String(many.pid)])));
      assert.equal(readlinkSync(`/proc/${child.pid}/cwd`), '/');
    } finally {
      many.kill();
    }
  });

  it('refuses unknown methods and parameters that are not of their shape, and lives on', async () => {
    const { connection } = start();
    await initialize(connection);
    assert.equal(await code(connection.sendRequest('format-disk', {})), -32601);
    for (const [method, params] of [
      ['snapshot', { kinds: ['nonsense'] }], ['snapshot', { pids: [-1] }], ['snapshot', { pids: ['1; rm'] }], ['snapshot', { surprise: 1 }], ['remove', {}], ['remove', { ids: ['../x'] }],
      ['remove', { ids: [], backupDirectory: 'relative' }], ['restore', { file: 'x\0y' }], ['restore', { file: '/x'.repeat(5000) }],
    ] as const) assert.equal(await code(connection.sendRequest(method, params)), -32602, `${method} ${JSON.stringify(params).slice(0, 60)}`);
    const { serial } = await connection.sendRequest<SnapshotResult>('snapshot', {});
    assert.equal(typeof serial, 'number');
  });

  it('answers a second question with what changed, and the delta leads to the same snapshot', async function () {
    if (!hasCompiler()) skip(this, 'needs a C compiler (cc)');
    const { connection } = start();
    await initialize(connection);
    const question = { kinds: ['sysv-shared-memory'] };
    const first = await connection.sendRequest<SnapshotResult>('snapshot', question);
    assert.ok('snapshot' in first);
    const program = Program.start(fixture('ipc'));
    await program.line();
    program.tell('shmget 0 4096 600');
    const shmid = await program.line();
    const second = await connection.sendRequest<SnapshotResult>('snapshot', { ...question, since: first.serial });
    assert.ok('delta' in second);
    assert.deepEqual(second.delta.objects.put.map(({ id }) => id.endsWith(`:${shmid}`)), [true]);
    const whole = await connection.sendRequest<SnapshotResult>('snapshot', { ...question, since: first.serial });
    assert.ok('snapshot' in whole, 'an unknown serial is answered with the whole');
    const applied = applyDelta(first.snapshot, second.delta);
    assert.deepEqual(applied.objects.map(keyOf.objects).sort(), whole.snapshot.objects.map(keyOf.objects).sort());
    program.tell(`shmrm ${shmid}`);
    await program.line();
    await program.stop();
  });

  it('cancels a snapshot that is no longer wanted', async () => {
    const { connection } = start();
    await initialize(connection);
    const source = new CancellationTokenSource();
    const requests = [connection.sendRequest('snapshot', {}, source.token), connection.sendRequest('snapshot', {}, source.token)];
    source.cancel();
    const codes = await Promise.all(requests.map(request => request.then(() => 0, (error: unknown) => error instanceof ResponseError ? error.code : 1)));
    assert.equal(codes[1], -32800, 'one that had not begun never begins');
    assert.ok('serial' in await connection.sendRequest<SnapshotResult>('snapshot', {}));
  });

  it('ends with a reason when a message is announced too large, has no header, or never ends its header', async () => {
    for (const bytes of ['Content-Length: 999999999\r\n\r\n', 'Content-Type: x\r\n\r\n', 'x'.repeat(10_000)]) {
      const { child, exited, errors } = start();
      child.stdin.write(bytes);
      assert.equal(await exited, 65, bytes.slice(0, 30));
      assert.match(errors(), /closing the connection/);
    }
  });

  it('survives a message that is no JSON', async () => {
    const { child, connection } = start();
    await initialize(connection);
    child.stdin.write('Content-Length: 5\r\n\r\n{nope');
    assert.ok('serial' in await connection.sendRequest<SnapshotResult>('snapshot', {}));
  });

  it('goes when it is killed, and its client learns of it', async () => {
    const { child, connection, exited } = start();
    await initialize(connection);
    const closed = new Promise<void>(done => { connection.onClose(done); });
    child.kill('SIGKILL');
    await Promise.all([exited, closed]);
  });

  it('watches a run from its begin to its end, and tells what its processes left behind and others did not', async function () {
    if (!hasCompiler()) skip(this, 'no C compiler');
    const { connection } = start();
    await initialize(connection);
    const [ipc, other] = [Program.start(fixture('ipc')), Program.start(fixture('ipc'))];
    const ask = async (program: Program, line: string): Promise<string> => { program.tell(line); return program.line(); };
    await Promise.all([ipc.line(), other.line()]);
    await connection.sendRequest('beginRun', { run: 'a' });
    assert.deepEqual((await connection.sendRequest<JoinRunResult>('joinRun', { run: 'a', pids: [ipc.pid] })).living, [ipc.pid]);
    const [left, kept, removed, foreign] = [await ask(ipc, 'shmget 0 4096 600'), await ask(other, 'shmget 0 4096 600'), await ask(ipc, 'shmget 0 4096 600'), await ask(other, 'msgget 0 600')];
    try {
      await ask(ipc, `shmrm ${removed}`);
      await ipc.stop();
      while ((await connection.sendRequest<JoinRunResult>('joinRun', { run: 'a', pids: [] })).living.length > 0) await new Promise(next => setTimeout(next, 20));
      const { leaks, snapshot, means } = await connection.sendRequest<EndRunResult>('endRun', { run: 'a' });
      const certain = leaks.filter(({ certainty }) => certainty === 'certain').map(({ objectId }) => objectId);
      assert.deepEqual(certain.map(id => id.split(':').at(-1)), [left]);
      assert.deepEqual(snapshot.objects.map(({ id }) => id).sort(), leaks.map(({ objectId }) => objectId).sort(), 'nothing but what leaked');
      assert.ok(means.some(({ what, used }) => what === 'samples' && used));
    } finally {
      for (const line of [`shmrm ${left}`, `shmrm ${kept}`, `msgrm ${foreign}`]) await ask(other, line);
      await other.stop();
    }
    assert.equal(await code(connection.sendRequest('endRun', { run: 'a' })), -32602, 'it has ended');
    assert.equal(await code(connection.sendRequest('joinRun', { run: 'a', pids: [1] })), -32602);
    assert.equal(await code(connection.sendRequest('beginRun', { run: '' })), -32602);
  });

  it('takes for the run\'s a process that had ended before it was told, and nobody who was there before', async function () {
    if (!hasCompiler()) skip(this, 'no C compiler');
    if (!isRoot) skip(this, 'needs root: a network namespace');
    const { connection } = start({ alone: true });
    await initialize(connection);
    const ask = async (program: Program, line: string): Promise<string> => { program.tell(line); return program.line(); };
    const begun = async (): Promise<Program> => { const program = Program.start(fixture('ipc')); await program.line(); return program; };
    const older = await begun();
    await connection.sendRequest('beginRun', { run: 'b' });
    const short = await begun();
    const [left, foreign] = [await ask(short, 'shmget 0 4096 600'), await ask(older, 'shmget 0 4096 600')];
    try {
      await Promise.all([short.stop(), older.stop()]);
      assert.deepEqual((await connection.sendRequest<JoinRunResult>('joinRun', { run: 'b', pids: [short.pid, older.pid], bornSince: true })).living, []);
      const { leaks, means } = await connection.sendRequest<EndRunResult>('endRun', { run: 'b' });
      assert.equal(means.find(({ what }) => what === 'process-events')?.used, false);
      assert.deepEqual(leaks.filter(({ certainty }) => certainty === 'certain').map(({ objectId }) => objectId.split(':').at(-1)), [left]);
    } finally {
      const cleaner = await begun();
      for (const id of [left, foreign]) await ask(cleaner, `shmrm ${id}`);
      await cleaner.stop();
    }
  });
});
