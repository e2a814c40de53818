// A probe that serves, as the extension has one, asked by tests.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { Snapshot } from '../../native-probe/model';
import type { SnapshotResult, ToldProcess } from '../../native-probe/protocol';

/** A running `ipc-probe serve`. End it when done. */
export class ProbeServer {
  private constructor(private readonly child: ChildProcessWithoutNullStreams, readonly connection: MessageConnection) {}

  static async start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ProbeServer> {
    const child = spawn(command, args, { env: { ...process.env, ...env } });
    const connection = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
    connection.listen();
    await connection.sendRequest('initialize', { protocolVersion: 1, client: 'test' });
    return new ProbeServer(child, connection);
  }

  async look(pids: readonly number[], told: readonly (ToldProcess | undefined)[] = []): Promise<Snapshot> {
    const known = told.filter(it => it !== undefined);
    const result: SnapshotResult = await this.connection.sendRequest('snapshot', { pids, waits: true, ...(known.length === 0 ? {} : { told: known }) });
    return 'snapshot' in result ? result.snapshot : assert.fail('a delta that was not asked for');
  }

  async end(): Promise<void> {
    const ended = new Promise(done => this.child.once('exit', done));
    this.child.stdin.end();
    await ended;
    this.connection.dispose();
  }
}
