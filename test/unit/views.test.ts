import { strict as assert } from 'node:assert';
import type { Handle, IpcObject, Snapshot } from '../../native-probe/model';
import { indexOf } from '../../extension/snapshotIndex';
import { endNodes } from '../../extension/views/endNodes';
import { debuggeeNodes } from '../../extension/views/debuggee';
import { ipcObjectNodes } from '../../extension/views/ipcObjects';
import type { TreeNode } from '../../extension/views/treeNode';
import { waitNodes } from '../../extension/views/waits';
import { aGap, aProcess, aQueue, aSegment, aSemaphore, aSnapshot, attached, ipcns } from './snapshots';

/** What can be expanded below a node. */
function below(node: TreeNode): readonly TreeNode[] {
  return node.expansion === 'none' ? [] : node.children?.() ?? [];
}
/** The tree as text: two blanks a level, label and description. */
function drawn(nodes: readonly TreeNode[], depth = 0): string {
  return nodes.map(node => `${'  '.repeat(depth)}${node.label}${node.description ? ` | ${node.description}` : ''}\n${drawn(below(node), depth + 1)}`).join('');
}
function all(nodes: readonly TreeNode[]): TreeNode[] {
  return nodes.flatMap(node => [node, ...all(below(node))]);
}
const objects = (snapshot: Snapshot, filter = ''): TreeNode[] => ipcObjectNodes(indexOf(snapshot), { filter });

const segment = aSegment(7, {}, { nattch: 1 });
const queue = aQueue(3, '2', '40');
const semaphore = aSemaphore('/ready');
const someSnapshot = aSnapshot({
  objects: [segment, queue, semaphore],
  processes: [aProcess(100), aProcess(200)],
  handles: [attached(segment, 100), { objectId: queue.id, pid: 200, via: 'last-operation', operation: 'msgsnd' }, { objectId: semaphore.id, pid: 100, via: 'mapping', address: '0x1000', access: 'read-write' }, { objectId: semaphore.id, pid: 200, via: 'mapping', address: '0x2000', access: 'read-write' }],
});

describe('the view IPC Objects', () => {
  it('goes from category to kind to object to the processes and what they do with it', () => {
    assert.equal(drawn(objects(someSnapshot)), `Message Queues | 1
  System V message queues | 1
    msqid 3 | IPC_PRIVATE · 2 messages · 40 bytes · uid 0
      program-200 | PID 200 · last msgsnd
Shared Memory | 1
  System V shared memory segments | 1
    shmid 7 | 0x1234 · 4 KiB · 1 attached · uid 1000
      program-100 | PID 100 · attached at 0x7f0000000000 read-write
Synchronization | 1
  POSIX named semaphores | 1
    /ready | value 1 · uid 1000
      program-100 | PID 100 · mapped at 0x1000 read-write
      program-200 | PID 200 · mapped at 0x2000 read-write
`);
  });

  it('is empty when there is nothing', () => {
    assert.deepEqual(objects(aSnapshot()), []);
  });

  it('shows what could not be seen instead of nothing, with the reason and what would help', () => {
    const tree = drawn(objects(aSnapshot({ gaps: [aGap('g', 'cannot read the descriptors of pid 8', {}, 'run the probe as root')] })));
    assert.equal(tree, '1 thing could not be seen\n  cannot read the descriptors of pid 8 | run the probe as root\n');
  });

  it('says unknown of what is unknown, never 0', () => {
    const tree = drawn(objects(aSnapshot({ objects: [aSemaphore('/x', null)], gaps: [aGap('g', 'no', { objectId: aSemaphore('/x').id })] })));
    assert.match(tree, /\/x \| value unknown/);
    assert.doesNotMatch(tree, /value 0/);
  });

  it('filters by every word in names, keys, ids, owners, PIDs and process names', () => {
    const labels = (filter: string): string[] => all(objects(someSnapshot, filter)).filter(it => it.objectId).map(it => it.label);
    assert.deepEqual(labels('ready'), ['/ready']);
    assert.deepEqual(labels('0x1234'), ['shmid 7']);
    assert.deepEqual(labels('PROGRAM-200'), ['msqid 3', '/ready']);
    assert.deepEqual(labels('program-200 queue'), ['msqid 3']);
    assert.deepEqual(labels('no such thing'), []);
  });

  it('tells with a filter how many there are without', () => {
    const many = aSnapshot({ objects: [aSegment(1), aSegment(2, { key: '0x777' })] });
    assert.match(drawn(objects(many, '777')), /segments \| 1 of 2/);
  });

  it('gives every node an id that no other has, and the same one for the next snapshot', () => {
    const ids = all(objects(someSnapshot)).map(it => it.id);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(all(objects({ ...someSnapshot, objects: [...someSnapshot.objects].reverse() })).map(it => it.id), ids);
  });

  it('makes the nodes of 10,000 objects in well under a tenth of a second', () => {
    const big = aSnapshot({ objects: Array.from({ length: 10_000 }, (_, i) => aSegment(i)), processes: [aProcess(1)], handles: Array.from({ length: 10_000 }, (_, i) => attached(aSegment(i), 1)) });
    const index = indexOf(big);
    const before = performance.now();
    const roots = ipcObjectNodes(index);
    assert.ok(performance.now() - before < 100);
    assert.equal(roots[0]?.children?.()[0]?.expansion, 'collapsed');
    assert.equal(roots[0]?.children?.()[0]?.children?.().length, 10_000);
  });

  it('keeps the order of objects that are called alike in two namespaces', () => {
    const twins = [aSegment(5), aSegment(5, { id: 'sysv-shared-memory:99:5', namespace: '99' })];
    const ids = (those: typeof twins): string[] => all(objects(aSnapshot({ objects: those }))).flatMap(it => it.objectId ?? []);
    assert.deepEqual(ids([...twins].reverse()), ids(twins));
  });

  it('orders by number, not by digits', () => {
    assert.deepEqual(all(objects(aSnapshot({ objects: [aSegment(10), aSegment(9)] }))).filter(it => it.objectId).map(it => it.label), ['shmid 9', 'shmid 10']);
  });
});

describe('undo values (SEM_UNDO)', () => {
  const set: IpcObject = { id: `sysv-semaphore-set:${ipcns}:5`, kind: 'sysv-semaphore-set', namespace: ipcns, persistence: 'kernel', key: '0x5', state: { nsems: 9, ctime: '2026-01-01T00:00:00.000Z', sems: null } };
  const shown = (handle: Partial<Handle>): string | undefined => endNodes('x', set, indexOf(aSnapshot({ objects: [set], processes: [aProcess(100)], handles: [{ objectId: set.id, pid: 100, via: 'undo', ...handle }] })))[0]?.description;

  it('stand beside the process that would give them back', () => {
    assert.equal(shown({ undo: [{ num: 0, adjustment: 1 }, { num: 3, adjustment: -2 }] }), 'PID 100 · at exit: +1 to semaphore 0, −2 to semaphore 3 (SEM_UNDO)');
    assert.equal(shown({ tid: 102, undo: [{ num: 0, adjustment: 1 }] }), 'PID 100 · at the exit of thread 102: +1 to semaphore 0 (SEM_UNDO)');
  });
  it('are cut where there are many, and nothing and sharing are said', () => {
    assert.equal(shown({ undo: Array.from({ length: 9 }, (_, num) => ({ num, adjustment: 1 })) }), 'PID 100 · at exit: +1 to semaphore 0, +1 to semaphore 1, +1 to semaphore 2, 6 more (SEM_UNDO)');
    assert.equal(shown({ undo: [] }), 'PID 100 · at exit: nothing to give back (SEM_UNDO)');
    assert.equal(shown({ undo: [{ num: 0, adjustment: 1 }], sharedWith: [7] }), 'PID 100 · at exit: +1 to semaphore 0, when PID 7 has exited too (SEM_UNDO)');
    assert.equal(shown({ undo: [{ num: 0, adjustment: 1 }], sharedWith: [7, 8] }), 'PID 100 · at exit: +1 to semaphore 0, when the 2 processes that share it have exited too (SEM_UNDO)');
  });
});

describe('hostile names', () => {
  const hostile = 'evil\u202e\u0000\n[x](command:y)<b>$(bug)**`&lt;' + 'A'.repeat(4096);
  const snapshot = aSnapshot({
    objects: [aSemaphore(`/${hostile}`)], processes: [aProcess(5, { comm: hostile, cmdline: [hostile], exe: hostile, container: hostile })],
    handles: [{ objectId: aSemaphore(`/${hostile}`).id, pid: 5, via: 'mapping', address: '0x1' }], gaps: [aGap('g', hostile, {}, hostile)],
    findings: [{ verdict: 'deadlocked', threads: [{ pid: 5, tid: 5 }], chain: [{ pid: 5, tid: 5, objectId: hostile }], gaps: [], explanation: hostile }],
    waits: [{ pid: 5, tid: 5, threadComm: hostile, operation: hostile, objectId: hostile, verdict: 'deadlocked', evidence: [hostile], clauses: [{ alternatives: [{ event: hostile, threads: [] }], external: hostile }] }],
  });
  const nodes = [...all(objects(snapshot)), ...all(waitNodes(indexOf(snapshot))), ...all(debuggeeNodes(indexOf(snapshot), [5]))];

  it('are one short line of visible characters in labels and descriptions', () => {
    for (const node of nodes) {
      for (const text of [node.label, node.description ?? '']) {
        assert.doesNotMatch(text, /\p{Cc}|\p{Cf}/u);
        assert.ok(text.length < 1000, `${text.length} characters`);
      }
    }
  });

  it('are no markup in tooltips', () => {
    for (const tooltip of nodes.map(it => it.tooltip?.() ?? '')) {
      assert.doesNotMatch(tooltip, /<b>|\]\(|\$\(bug\)|`|\u202e/);
      assert.doesNotMatch(tooltip, /[^&]&lt;/);
    }
  });
});

describe('the view IPC of the Debuggee', () => {
  it('shows what the debuggee does with each object, and who else has it', () => {
    assert.equal(drawn(debuggeeNodes(indexOf(someSnapshot), [100])), `program-100 | PID 100 · sleeping · 2 objects
  /ready | mapped at 0x1000 read-write — value 1 · uid 1000
    program-200 | PID 200 · mapped at 0x2000 read-write
  shmid 7 | attached at 0x7f0000000000 read-write — 0x1234 · 4 KiB · 1 attached · uid 1000
`);
  });

  it('offers nothing to expand where nobody else has the object', () => {
    const [root] = debuggeeNodes(indexOf(someSnapshot), [100]);
    assert.deepEqual(root?.children?.().map(it => it.expansion), ['collapsed', 'none']);
  });

  it('says of a process that is not in the snapshot that it has ended or cannot be seen', () => {
    assert.equal(drawn(debuggeeNodes(indexOf(aSnapshot()), [4])), 'PID 4 | has ended, or cannot be seen\n');
  });

  it('shows the children that have an object, and not those that have none', () => {
    const tree = debuggeeNodes(indexOf({ ...someSnapshot, processes: [...someSnapshot.processes, aProcess(300), aProcess(400)] }), [300], [300, 100, 400]);
    assert.deepEqual(tree.map(it => it.label), ['program-300', 'program-100']);
  });

  it('keeps ids apart when two followed processes share an object', () => {
    const ids = all(debuggeeNodes(indexOf(someSnapshot), [100, 200])).map(it => it.id);
    assert.equal(new Set(ids).size, ids.length);
  });
});
