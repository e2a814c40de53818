import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { CancellationTokenSource } from 'vscode-jsonrpc/node';
import { ProbeClient, ProbeUnavailable, tellOnce } from '../../extension/probeClient';
import type { ProbeClientOptions, ProbeState } from '../../extension/probeClient';

const fakeProbe = path.join(import.meta.dirname, '..', 'fixtures', 'fakeProbe.cjs');

describe('the probe client', () => {
  const children: ChildProcessWithoutNullStreams[] = [];
  let client: ProbeClient;
  let lines: string[];
  let states: ProbeState['kind'][];

  /** @param behaviours of one start after the other; the last one stays */
  function create(behaviours: readonly string[], options: Partial<ProbeClientOptions> = {}): ProbeClient {
    let starts = 0;
    lines = [];
    states = [];
    client = new ProbeClient({
      start: () => {
        const child = spawn(process.execPath, [fakeProbe, behaviours[Math.min(starts++, behaviours.length - 1)] ?? ''], { stdio: 'pipe' });
        children.push(child);
        return child;
      },
      log: { info: it => lines.push(it), warn: it => lines.push(it), error: it => lines.push(it) },
      backOff: [1, 1], ...options,
    });
    client.onDidChangeState(state => states.push(state.kind));
    return client;
  }
  const reached = (kind: ProbeState['kind']): Promise<ProbeState> => new Promise(resolve => {
    const subscription = client.onDidChangeState(state => { if (state.kind === kind) { subscription.dispose(); resolve(state); } });
  });

  afterEach(async () => {
    client.dispose();
    // Disposing ends every probe: nothing is left behind.
    await Promise.all(children.splice(0).filter(child => child.exitCode === null && child.signalCode === null).map(child => once(child, 'exit')));
  });

  it('starts the probe with the first request, shakes hands, and answers', async () => {
    create(['answers']);
    assert.equal(client.state.kind, 'idle');
    assert.deepEqual(await client.request('snapshot', { pids: [1] }), { echo: { pids: [1] } });
    assert.deepEqual(states, ['starting', 'ready']);
    assert.equal(children.length, 1);
  });

  it('starts one probe for many requests at once', async () => {
    create(['answers']);
    await Promise.all([client.request('snapshot', {}), client.request('snapshot', {}), client.request('snapshot', {})]);
    assert.equal(children.length, 1);
  });

  it('starts the probe again when it is killed, and then answers', async () => {
    create(['answers']);
    await client.request('snapshot', {});
    const ready = reached('ready');
    children[0]?.kill('SIGKILL');
    await ready;
    assert.deepEqual(await client.request('snapshot', {}), { echo: {} });
    assert.deepEqual(states, ['starting', 'ready', 'waiting', 'starting', 'ready']);
    assert.ok(lines.some(it => it.includes('SIGKILL')));
  });

  it('ends a request that the probe does not survive, instead of leaving it pending', async () => {
    create(['dies-when-asked']);
    await assert.rejects(client.request('snapshot', {}), ProbeUnavailable);
  });

  it('gives up after the last restart, until it is told to try again', async () => {
    create(['dies-at-once', 'dies-at-once', 'dies-at-once', 'answers']);
    const failed = reached('failed');
    await assert.rejects(client.request('snapshot', {}), ProbeUnavailable);
    await failed;
    assert.equal(children.length, 3);
    await assert.rejects(client.request('snapshot', {}), ProbeUnavailable);
    assert.ok(lines.some(it => it.includes('cannot load a library')), 'standard error is in the log');
    const ready = reached('ready');
    client.retry();
    await ready;
    assert.deepEqual(await client.request('snapshot', {}), { echo: {} });
  });

  it('does not speak to a probe of another version', async () => {
    create(['other-version']);
    await assert.rejects(client.request('snapshot', {}), /version 99 .* version 1/);
  });

  it('ends a probe that talks nonsense', async () => {
    create(['babbles', 'answers']);
    const ready = reached('ready');
    await assert.rejects(client.request('snapshot', {}), ProbeUnavailable);
    await ready;
    assert.deepEqual(await client.request('snapshot', {}), { echo: {} });
  });

  it('does not wait longer than the time-out', async () => {
    create(['never-answers'], { timeouts: { snapshot: 20 } });
    await assert.rejects(client.request('snapshot', {}), ProbeUnavailable);
  });

  it('passes a cancellation on', async () => {
    const cancel = new CancellationTokenSource();
    let tell = (): void => undefined;
    const asked = new Promise<void>(resolve => { tell = resolve; });
    create(['waits-for-cancel'], { log: { info: it => { if (it.includes('was asked')) tell(); }, warn: () => undefined, error: () => undefined } });
    const answer = client.request('snapshot', {}, cancel.token);
    await asked;
    cancel.cancel();
    assert.deepEqual(await answer, { cancelled: true });
  });

  it('does not send what was cancelled before', async () => {
    create(['waits-for-cancel']);
    const cancel = new CancellationTokenSource();
    const answer = client.request('snapshot', {}, cancel.token);
    cancel.cancel();
    await assert.rejects(answer, /cancelled/);
  });

  it('says that a program is missing', async () => {
    create([], { start: () => { const child = spawn('/does/not/exist', { stdio: 'pipe' }); return child; } });
    await assert.rejects(client.request('snapshot', {}), /cannot be started.*ENOENT/);
  });

  it('tells the user once for a row of failures', async () => {
    create(['dies-at-once', 'dies-at-once', 'dies-at-once', 'answers']);
    const told: string[] = [];
    tellOnce(client, reason => told.push(reason), 0);
    const failed = reached('failed');
    await assert.rejects(client.request('snapshot', {}));
    await failed;
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /exit status 7/);
  });

  it('asks nothing after it was disposed', async () => {
    create(['answers']);
    client.dispose();
    await assert.rejects(client.request('snapshot', {}), ProbeUnavailable);
    assert.equal(children.length, 0);
  });
});
