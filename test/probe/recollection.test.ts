// A server reads everything anew, but makes nothing twice of what reads the same. What it says must be what is said without memory.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { applyDelta, keyOf } from '../../native-probe/analysis/diff';
import type { Snapshot } from '../../native-probe/model';
import type { SnapshotResult, StaleResult } from '../../native-probe/protocol';
import { fixture, hasCompiler, probePath, Program, until } from './harness';
import { skip } from '../skip';

describe('a server that has looked before', function () {
  before(function () { if (!hasCompiler()) skip(this, 'needs a C compiler (cc)'); });
  afterEach(() => Program.stopAll());

  it('says after every change what a first look says', async function () {
    this.timeout(180_000); // forty passes over whatever runs here
    const child = spawn(process.execPath, [probePath(), 'serve'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const connection = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
    connection.listen();
    const program = Program.start(fixture('changes'));
    try {
      await connection.sendRequest('initialize', { protocolVersion: 1, client: 'test' });
      const [, set = '', queue = ''] = /^ready (\d+) (\d+)$/.exec(await program.line()) ?? assert.fail('the program did not start');
      let snapshot: Snapshot | undefined, serial: number | undefined;
      const look = async (): Promise<Snapshot> => {
        const answer = await connection.sendRequest<SnapshotResult>('snapshot', serial === undefined ? {} : { since: serial });
        serial = answer.serial;
        return snapshot = 'snapshot' in answer ? answer.snapshot : snapshot ? applyDelta(snapshot, answer.delta) : assert.fail('a delta of nothing');
      };
      /** What concerns the program: its handles, their objects, and the objects that nobody has. */
      const of = ({ objects, handles }: Snapshot): unknown => {
        const own = handles.filter(({ pid }) => pid === program.pid);
        const ids = new Set(own.map(({ objectId }) => objectId));
        const its = objects.filter(({ id, kind }) => (ids.has(id) && kind !== 'signal') || (kind === 'sysv-semaphore-set' && id.endsWith(`:${set}`)) || (kind === 'sysv-message-queue' && id.endsWith(`:${queue}`)));
        return [its.map(it => [it.id, it]), own.map(it => [keyOf.handles(it), it])].map(list => Object.fromEntries(list) as unknown);
      };
      // What is asked for staleness is looked at without any memory.
      const same = async (what: string): Promise<void> => { assert.deepEqual(of(await look()), of((await connection.sendRequest<StaleResult>('stale', { ids: [] })).snapshot), what); };

      await same('at first');
      // From here on only times tell that an object changed; of this second they would not.
      const madeAt = Date.now();
      await until(() => Date.now() - madeAt > 3000, 'the objects are no longer new');
      await same('at rest');
      await same('at rest, as remembered');
      for (const change of ['wait', 'write end', 'read end', 'socket', 'pipe', 'close', 'count', 'bytes', 'read', 'set value', 'set value', 'limit', 'limit', 'post', 'post', 'set value', 'send']) {
        program.tell(change);
        assert.equal(await program.line(), 'done', change);
        await same(change);
      }
    } finally {
      connection.dispose();
      child.stdin.end();
      program.end();
      await program.exited;
    }
  });
});
