// How a run's leaks are told: the notification, the node in the debuggee's view, and what can be removed.
import { strict as assert } from 'node:assert';
import { leakMessage, removableLeaks } from '../../extension/words/leakWords';
import type { LeakReport } from '../../extension/words/leakWords';
import { leftBehindNodes } from '../../extension/views/leftBehind';
import type { IpcObject } from '../../native-probe/model';
import { aQueue, aSegment, aSemaphore, aSnapshot } from './snapshots';

const fifo: IpcObject = { id: 'fifo:1:2', kind: 'fifo', name: '/tmp/f', persistence: 'process', state: { path: '/tmp/f', unread: null, capacity: null } };
function report(objects: readonly IpcObject[], more: Partial<LeakReport> = {}): LeakReport {
  return {
    name: 'Server', doubts: [], snapshot: aSnapshot({ objects }), means: [{ what: 'samples', used: true, detail: '3 looks' }, { what: 'process-events', used: false, detail: 'not available (EPERM)' }],
    run: { startedAt: '2026-01-01T00:00:00.000Z', endedAt: '2026-01-01T00:00:01.000Z', processes: [], stillRunning: [] },
    leaks: objects.map(({ id }) => ({ objectId: id, what: 'left-behind', certainty: 'certain', evidence: ['pid 5 (server) of the run made it'] })), ...more,
  };
}

describe('the report of what a debug session left behind', () => {
  it('counts in the notification what is certain, and says apart what is only possible', () => {
    assert.equal(leakMessage(report([aSegment(1)])), 'Server left 1 IPC object behind.');
    const two = report([aSegment(1), aSegment(2)]);
    assert.equal(leakMessage(two), 'Server left 2 IPC objects behind.');
    assert.equal(leakMessage({ ...two, leaks: two.leaks.map((leak, i) => i === 0 ? leak : { ...leak, certainty: 'possible' }) }), 'Server left 1 IPC object behind. 1 more possibly.');
    assert.doesNotMatch(leakMessage(report([aSegment(1)], { name: '[x](command:y)\n\u202e' })), /\]\(|\n|\u202e/);
  });

  it('offers to remove what outlives its processes and is of the run, not names in the file system, nor a queue that only is fuller', () => {
    const queue = aQueue(3);
    const mixed = report([aSegment(1), fifo, queue]);
    assert.deepEqual(removableLeaks({ ...mixed, leaks: mixed.leaks.map(leak => leak.objectId === queue.id ? { ...leak, what: 'grew' } : leak) }), [aSegment(1).id]);
  });

  it('is one node with the objects, their evidence, and why something may be missing', () => {
    assert.deepEqual(leftBehindNodes(undefined), []);
    const [root] = leftBehindNodes(report([aSemaphore('/ready'), fifo], { doubts: ['The probe was started again.'] }));
    assert.equal(root?.label, 'Left behind by Server');
    assert.match(root.description ?? '', /^2 objects · /);
    assert.deepEqual(root.children?.().map(it => [it.label, it.objectId]), [['POSIX named semaphore /ready', 'posix-semaphore:20:%2Fready'], ['FIFO f', 'fifo:1:2'], ['The probe was started again.', undefined]]);
    assert.deepEqual(root.children?.()[0]?.children?.().map(it => it.label), ['pid 5 (server) of the run made it']);
    assert.match(root.tooltip?.() ?? '', /not used/);
    assert.ok(!root.children?.()[1]?.marks?.includes('removable'));
  });

  it('gives each of ten thousand objects a node with an id of its own', () => {
    const big = report(Array.from({ length: 10_000 }, (_, i) => aSegment(i)));
    const [root] = leftBehindNodes(big);
    const children = root?.children?.() ?? [];
    assert.equal(new Set(children.map(({ id }) => id)).size, 10_000);
  });
});
