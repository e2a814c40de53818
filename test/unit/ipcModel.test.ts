import { strict as assert } from 'node:assert';
import type { Snapshot } from '../../native-probe/model';
import type { Requests, SnapshotParams, SnapshotResult, ToldProcess } from '../../native-probe/protocol';
import { applyDelta, diffSnapshots } from '../../native-probe/analysis/diff';
import { IpcModel } from '../../extension/ipcModel';
import type { ProbeState } from '../../extension/probeClient';
import { aGap, aProcess, aQueue, aSegment, aSnapshot, attached } from './snapshots';

/** A client whose answers the test writes. */
class FakeClient {
  readonly asked: SnapshotParams[] = [];
  answer: (params: SnapshotParams) => SnapshotResult | Promise<SnapshotResult> = () => ({ serial: 1, snapshot: aSnapshot() });
  tell: (state: ProbeState) => void = () => undefined;

  request = async (_method: string, params: Requests[keyof Requests]['params']): Promise<never> => {
    this.asked.push(params as SnapshotParams);
    return await this.answer(params as SnapshotParams) as never;
  };
  onDidChangeState = (listener: (state: ProbeState) => void) => {
    this.tell = listener;
    return { dispose: () => undefined };
  };
}

describe('the model', () => {
  let client: FakeClient;
  let model: IpcModel;
  let interval: number;
  const logged: string[] = [];
  const note = (it: string): void => { logged.push(it); };

  beforeEach(() => {
    client = new FakeClient();
    interval = 0;
    model = new IpcModel({ client, log: { info: note, warn: note, error: note }, interval: () => interval });
  });
  afterEach(() => model.dispose());
  const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

  it('tells the probe what debuggers know with questions about waits only, and asks again when that changed meanwhile', async () => {
    const [stopped, later] = [[{ pid: 7, stopped: 1, read: 2, threads: [], memory: [] }], []];
    let told: readonly ToldProcess[] = stopped;
    const telling = new IpcModel({ client, log: { info: note, warn: note, error: note }, interval: () => 0, told: () => told });
    try {
      await telling.subscribe({}).refresh();
      const waits = telling.subscribe({ waits: true, pids: [7] });
      await waits.refresh();
      assert.deepEqual(client.asked.map(it => it.told), [undefined, stopped]);
      // The program goes on while the probe looks: the answer to what was true before is not shown.
      const wrong = aSnapshot({ takenAt: 'before' });
      client.answer = params => {
        told = later;
        return { serial: 9, snapshot: params.told ? wrong : aSnapshot({ takenAt: 'after' }) };
      };
      await waits.refresh();
      assert.equal(waits.snapshot?.takenAt, 'after');
      assert.deepEqual(client.asked.slice(2).map(it => it.told), [stopped, undefined]);
    } finally {
      telling.dispose();
    }
  });

  it('asks nothing while nothing is visible', async () => {
    interval = 1;
    model.subscribe({});
    await settled();
    assert.deepEqual(client.asked, []);
  });

  it('asks when something becomes visible, at the interval while it is, and no more when it is hidden', async () => {
    interval = 1;
    const subscription = model.subscribe({});
    let answers = 0;
    const thrice = new Promise<void>(resolve => {
      client.answer = () => { if (++answers === 3) resolve(); return { serial: answers, snapshot: aSnapshot() }; };
    });
    subscription.setActive(true);
    await thrice;
    subscription.setActive(false);
    await settled();
    const asked = client.asked.length;
    await new Promise(resolve => setTimeout(resolve, 20));
    assert.equal(client.asked.length, asked);
  });

  it('never asks again before the answer has come', async () => {
    let answer: (result: SnapshotResult) => void = () => undefined;
    client.answer = () => new Promise(resolve => { answer = resolve; });
    const subscription = model.subscribe({});
    subscription.setActive(true);
    const first = subscription.refresh();
    const second = subscription.refresh();
    answer({ serial: 1, snapshot: aSnapshot() });
    await Promise.all([first, second]);
    assert.equal(client.asked.length, 1);
  });

  it('asks once for subscriptions with the same query', async () => {
    const [a, b] = [model.subscribe({ pids: [2, 1], waits: true }), model.subscribe({ waits: true, pids: [1, 2] })];
    a.setActive(true);
    b.setActive(true);
    await a.refresh();
    assert.equal(client.asked.length, 1);
    assert.equal(a.snapshot, b.snapshot);
  });

  it('applies a delta to what it has, and says nothing when nothing but the time has changed', async () => {
    const before = aSnapshot({ objects: [aSegment(1), aQueue(2)] });
    const after = aSnapshot({ objects: [aSegment(1, {}, { nattch: 3 })], takenAt: '2026-01-01T00:00:01.000Z' });
    const answers: SnapshotResult[] = [
      { serial: 1, snapshot: before },
      { serial: 2, since: 1, delta: diffSnapshots(before, after) },
      { serial: 3, since: 2, delta: diffSnapshots(after, { ...after, takenAt: '2026-01-01T00:00:02.000Z' }) },
    ];
    client.answer = () => answers.shift() ?? assert.fail();
    const subscription = model.subscribe({});
    let changes = 0;
    subscription.onDidChange(() => changes++);
    await subscription.refresh();
    await subscription.refresh();
    assert.deepEqual(subscription.snapshot, after);
    assert.equal(changes, 2);
    await subscription.refresh();
    assert.equal(changes, 2);
    assert.deepEqual(client.asked.map(it => it.since), [undefined, 1, 2]);
  });

  it('asks for a whole snapshot when the delta is to one that it does not have', async () => {
    const whole = aSnapshot({ objects: [aSegment(1)] });
    client.answer = params => client.asked.length === 2 ? { serial: 9, since: 8, delta: diffSnapshots(whole, whole) } : { serial: client.asked.length, snapshot: params.since === undefined ? whole : assert.fail() };
    const subscription = model.subscribe({});
    await subscription.refresh();
    await subscription.refresh();
    assert.deepEqual(client.asked.map(it => it.since), [undefined, 1, undefined]);
    assert.deepEqual(subscription.snapshot, whole);
  });

  it('takes no delta from a probe that was started again', async () => {
    const subscription = model.subscribe({});
    await subscription.refresh();
    client.tell({ kind: 'waiting', reason: 'killed', delay: 1 });
    await subscription.refresh();
    assert.deepEqual(client.asked.map(it => it.since), [undefined, undefined]);
  });

  it('refreshes what is visible when the probe is ready again', async () => {
    const subscription = model.subscribe({});
    subscription.setActive(true);
    await subscription.refresh();
    client.tell({ kind: 'ready', probe: { protocolVersion: 1, probeVersion: '0', host: aSnapshot().host, capabilities: [] } });
    await settled();
    assert.equal(client.asked.length, 2);
  });

  it('keeps the last snapshot and says why when a refresh fails, and says so once', async () => {
    const subscription = model.subscribe({});
    await subscription.refresh();
    let changes = 0;
    subscription.onDidChange(() => changes++);
    client.answer = () => { throw new Error('out of descriptors'); };
    await subscription.refresh();
    await subscription.refresh();
    assert.equal(subscription.error, 'out of descriptors');
    assert.ok(subscription.snapshot);
    assert.equal(changes, 1);
    client.answer = () => ({ serial: 2, snapshot: aSnapshot() });
    await subscription.refresh();
    assert.equal(subscription.error, undefined);
  });

  it('drops an answer that nobody waits for any more', async () => {
    let answer: (result: SnapshotResult) => void = () => undefined;
    client.answer = () => new Promise(resolve => { answer = resolve; });
    const subscription = model.subscribe({ pids: [1] });
    subscription.setActive(true);
    subscription.setQuery({ pids: [2] });
    answer({ serial: 1, snapshot: aSnapshot({ processes: [aProcess(2)] }) });
    await subscription.refresh();
    assert.deepEqual(client.asked.map(it => it.pids), [[1], [2]]);
    assert.deepEqual(subscription.snapshot?.processes.map(it => it.pid), [2]);
  });

  it('finds the newest snapshot that knows an object', async () => {
    const segment = aSegment(5);
    client.answer = params => ({ serial: 1, snapshot: params.waits ? aSnapshot({ takenAt: '2026-01-02T00:00:00.000Z', objects: [segment] }) : aSnapshot({ objects: [segment] }) });
    const [a, b] = [model.subscribe({}), model.subscribe({ waits: true })];
    await Promise.all([a.refresh(), b.refresh()]);
    assert.equal(model.snapshotWith(segment.id), b.snapshot);
    assert.equal(model.snapshotWith('sysv-shared-memory:0:0'), undefined);
  });
});

describe('a delta', () => {
  const segment = aSegment(1, {}, { nattch: 1 });
  const before: Snapshot = aSnapshot({ objects: [segment, aQueue(2)], processes: [aProcess(1), aProcess(2)], handles: [attached(segment, 1), attached(segment, 2)], gaps: [aGap('g', 'why')] });

  it('brings the older snapshot up to date in every relation', () => {
    const after = aSnapshot({ takenAt: '2027-01-01T00:00:00.000Z', objects: [aSegment(1, {}, { nattch: 2 }), aSegment(3)], processes: [aProcess(2, { state: 'T' })], handles: [attached(segment, 2), attached(segment, 2, '0x8000')] });
    assert.deepEqual(applyDelta(before, diffSnapshots(before, after)), after);
  });

  it('tells a process from a later one of the same PID', () => {
    const delta = diffSnapshots(before, { ...before, processes: [aProcess(1, { startTime: '999' }), aProcess(2)] });
    assert.deepEqual(delta.processes.gone, ['1.100']);
    assert.deepEqual(delta.processes.put.map(it => it.startTime), ['999']);
  });

  it('of two equal snapshots is empty and keeps every entry the same JavaScript object', () => {
    const copy = JSON.parse(JSON.stringify(before)) as Snapshot;
    const applied = applyDelta(before, diffSnapshots(before, copy));
    assert.equal(applied.objects, before.objects);
    assert.equal(applied.handles, before.handles);
  });
});
