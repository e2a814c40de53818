// What changed between two stops, and how the debuggee's view says it.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { changesBetween } from '../../extension/sessions/stopChanges';
import { indexOf } from '../../extension/snapshotIndex';
import { debuggeeNodes } from '../../extension/views/debuggee';
import { markChanges } from '../../extension/views/stopMarks';
import type { TreeNode } from '../../extension/views/treeNode';
import type { Handle, IpcObject, Snapshot } from '../../native-probe/model';
import { aGap, aProcess, aQueue, aSegment, aSemaphore, aSnapshot, attached } from './snapshots';

const sent = (object: IpcObject, pid = 100): Handle => ({ objectId: object.id, pid, via: 'last-operation', operation: 'msgsnd' });
const maps = (object: IpcObject, pid = 100): Handle => ({ objectId: object.id, pid, via: 'mapping', address: '0x1000', access: 'read-write' });
const stop = (objects: readonly IpcObject[], handles: readonly Handle[], more: Partial<Snapshot> = {}): Snapshot => aSnapshot({ objects, handles, processes: [aProcess(100)], ...more });
function said(before: Snapshot, after: Snapshot): Record<string, string> {
  return Object.fromEntries([...changesBetween(before, after, [100]).byPid.get(100) ?? []].map(([id, { what, words }]) => [id, `${what}: ${words.join(', ')}`]));
}
function drawn(nodes: readonly TreeNode[], depth = 0): string {
  return nodes.map(node => `${'  '.repeat(depth)}${node.change ?? '-'} ${node.label} | ${node.description ?? ''}\n${node.expansion === 'none' ? '' : drawn(node.children?.() ?? [], depth + 1)}`).join('');
}
const [queue3, queue4] = [aQueue(1, '3', '24'), aQueue(1, '4', '32')];
const semaphore = aSemaphore('/ready', 0), segment = aSegment(7, {}, { nattch: 1 });

describe('between two stops', () => {
  it('a message more is a depth of one more, a post a value of one more', () => {
    assert.deepEqual(said(stop([queue3, semaphore], [sent(queue3), maps(semaphore)]), stop([queue4, aSemaphore('/ready', 1)], [sent(queue4), maps(semaphore)])), {
      [queue3.id]: 'changed: qnum 3 → 4, cbytes 24 → 32', [semaphore.id]: 'changed: value 0 → 1',
    });
  });

  it('what was opened is new, what was closed is gone, and what others still have is closed only', () => {
    assert.deepEqual(said(stop([], []), stop([segment], [attached(segment, 100)])), { [segment.id]: 'new: new' });
    assert.deepEqual(said(stop([segment], [attached(segment, 5)]), stop([segment], [attached(segment, 5), attached(segment, 100)])), { [segment.id]: 'new: opened now' });
    assert.deepEqual(said(stop([segment], [attached(segment, 100)]), stop([], [])), { [segment.id]: 'gone: closed or removed' });
    assert.deepEqual(said(stop([segment], [attached(segment, 100)]), stop([segment], [attached(segment, 5)])), { [segment.id]: 'gone: closed' });
    assert.deepEqual(said(stop([queue3], [sent(queue3)]), stop([], [])), { [queue3.id]: 'gone: removed, or last used by another process' });
  });

  it('an object that the process has once more says so', () => {
    assert.deepEqual(said(stop([segment], [attached(segment, 100)]), stop([aSegment(7, {}, { nattch: 2 })], [attached(segment, 100), attached(segment, 100, '0x1')])), { [segment.id]: 'changed: nattch 1 → 2, attached' });
  });

  it('nothing is said of what is unknown in either, of an unreadable process, or of another with its PID', () => {
    assert.deepEqual(said(stop([aSemaphore('/ready', null)], [maps(semaphore)]), stop([aSemaphore('/ready', 1)], [maps(semaphore)])), {});
    const denied = { gaps: [aGap('g', 'no', { pid: 100, facility: 'processes', field: 'fd,maps' })] };
    assert.deepEqual(said(stop([segment], [attached(segment, 100)]), stop([], [], denied)), {});
    assert.deepEqual(said(stop([], [], denied), stop([segment], [attached(segment, 100)])), {});
    const other = changesBetween(stop([segment], [attached(segment, 100)]), stop([], [], { processes: [aProcess(100, { startTime: '77' })] }), [100]);
    assert.deepEqual([other.byPid.size, [...other.newPids]], [0, [100]]);
  });

  it('nothing has changed where nothing has, whatever there is, and thousands of semaphores take a few words', () => {
    const object = fc.constantFrom(queue3, queue4, semaphore, segment, aSegment(8), aSemaphore('/x', null));
    fc.assert(fc.property(fc.uniqueArray(object, { selector: it => it.id }), objects => {
      const snapshot = stop(objects, objects.map(it => maps(it)));
      assert.equal(changesBetween(snapshot, structuredClone(snapshot), [100]).byPid.size, 0);
    }));
    const set = (val: number): IpcObject => ({ id: 'sysv-semaphore-set:1:1', kind: 'sysv-semaphore-set', persistence: 'kernel', state: { nsems: 32000, ctime: '', sems: Array.from({ length: 32000 }, () => ({ val, ncnt: 0, zcnt: 0, pid: 100 })) } });
    assert.deepEqual(said(stop([set(0)], [sent(set(0))]), stop([set(1)], [sent(set(1))])), { 'sysv-semaphore-set:1:1': 'changed: val[0] 0 → 1, val[1] 0 → 1, val[2] 0 → 1, val[3] 0 → 1, …' });
  });
});

describe('the marks in the view of the debuggee', () => {
  it('stand before the rest in words, and what is gone stands among what is there', () => {
    const [before, after] = [stop([queue3, segment, semaphore], [sent(queue3), attached(segment, 100), maps(semaphore)]), stop([queue4, semaphore, aSemaphore('/done')], [sent(queue4), maps(semaphore), maps(aSemaphore('/done'))])];
    const index = indexOf(after);
    const nodes = markChanges(debuggeeNodes(index, [100]), changesBetween(before, after, [100]), index);
    assert.equal(drawn(nodes), `- program-100 | PID 100 · sleeping · 3 objects · since the last stop: 1 new, 1 changed, 1 gone
  gone shmid 7 | closed or removed
  new /done | new · mapped at 0x1000 read-write — value 1 · uid 1000
  - /ready | mapped at 0x1000 read-write — value 0 · uid 1000
  changed msqid 1 | qnum 3 → 4, cbytes 24 → 32 · last msgsnd — IPC_PRIVATE · 4 messages · 32 bytes · uid 0
`);
    const ids = nodes.flatMap(node => (node.children?.() ?? []).map(({ id }) => id));
    assert.equal(new Set(ids).size, ids.length);
  });

  it('are none without changes', () => {
    const index = indexOf(stop([queue3], [sent(queue3)]));
    assert.deepEqual(markChanges(debuggeeNodes(index, [100]), undefined, index).map(({ change }) => change), [undefined]);
  });
});
