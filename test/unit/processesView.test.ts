// The view Processes, both ends below an object, namespaces, kinds that are not listed, and what could not be seen.
import { strict as assert } from 'node:assert';
import type { Handle, IpcObject, Snapshot } from '../../native-probe/model';
import { processJson, processText } from '../../extension/processCopy';
import { indexOf } from '../../extension/snapshotIndex';
import { unseenReport } from '../../extension/unseen/unseenReport';
import { debuggeeNodes } from '../../extension/views/debuggee';
import { ipcObjectNodes } from '../../extension/views/ipcObjects';
import { processesNodes } from '../../extension/views/processes';
import type { TreeNode } from '../../extension/views/treeNode';
import { aGap, aProcess, aSegment, aSnapshot, attached, ipcns } from './snapshots';

function drawn(nodes: readonly TreeNode[], depth = 0): string {
  return nodes.map(node => `${'  '.repeat(depth)}${node.label}${node.description ? ` | ${node.description}` : ''}\n${node.expansion === 'none' ? '' : drawn(node.children?.() ?? [], depth + 1)}`).join('');
}
function all(nodes: readonly TreeNode[]): TreeNode[] {
  return nodes.flatMap(node => [node, ...(node.expansion === 'none' ? [] : all(node.children?.() ?? []))]);
}

const pipe: IpcObject = { id: 'pipe:4711', kind: 'pipe', persistence: 'process', state: { unread: null, capacity: null } };
const near: IpcObject = { id: 'unix-socket:1', kind: 'unix-socket', namespace: '1', persistence: 'process', state: { type: 'stream', state: 'connected', peer: 'unix-socket:2', rqueue: '5', wqueue: '0' } };
const far: IpcObject = { ...near, id: 'unix-socket:2', state: { ...near.state, path: '/run/bus', peer: 'unix-socket:1', rqueue: '0' } };
const signals = (pid: number): IpcObject => ({ id: `signal:${pid}.${pid * 100}`, kind: 'signal', persistence: 'process', state: { pending: [], blocked: [], ignored: [], caught: [], queued: '0', limit: '1' } });
const has = (object: IpcObject, pid: number, fd: number, more: Partial<Handle> = {}): Handle => ({ objectId: object.id, pid, via: 'descriptor', fd, ...more });
const minor = new Set(['signal', 'epoll'] as const);

const some = aSnapshot({
  processes: [aProcess(10, { comm: 'producer', container: 'shop' }), aProcess(20, { comm: 'consumer' }), aProcess(30, { comm: 'idler' })],
  objects: [pipe, near, far, ...[10, 20, 30].map(signals)],
  handles: [
    has(pipe, 10, 4, { access: 'write', end: 'write' }), has(pipe, 20, 0, { access: 'read', end: 'read' }), has(near, 10, 5, { access: 'read-write' }), has(far, 20, 6, { access: 'read-write' }),
    ...[10, 20, 30].map(pid => ({ objectId: signals(pid).id, pid, via: 'owner' as const })),
  ],
});
const processes = (snapshot: Snapshot, more: { all?: boolean } = {}): TreeNode[] => processesNodes(indexOf(snapshot), { minor, ...more });

describe('the view Processes', () => {
  it('goes from process to facility to object to the other processes, at either end', () => {
    const [producer] = processes(some);
    assert.ok(producer);
    assert.equal(drawn([producer]), `producer | PID 10 · uid 1000 · shop · 3 objects
  pipes | 1
    pipe 4711 | fd 4 write
      consumer | PID 20 · fd 0 read
  UNIX domain sockets | 1
    socket 1 | fd 5 read-write — stream · 5 bytes to be read · other end: consumer (20)
      Other end: UNIX domain socket /run/bus | stream · other end: producer (10)
        consumer | PID 20 · fd 6 read-write
  signals of processes | 1
    PID 10 | owner — 0 caught, 0 ignored, 0 blocked
`);
  });

  it('leaves out processes without IPC, says how many, and lists them when asked', () => {
    assert.deepEqual(processes(some).map(it => it.label), ['producer', 'consumer', '1 process without IPC is not listed']);
    assert.deepEqual(processes(some, { all: true }).map(it => it.label), ['producer', 'consumer', 'idler']);
  });

  it('never lists kernel threads or the probe, and lists zombies when asked', () => {
    const { exe: _exe, ...thread } = aProcess(2, { comm: 'kthreadd', cmdline: [] });
    const { exe: _exe2, ...zombie } = aProcess(3, { comm: 'defunct', cmdline: [], state: 'Z' });
    const snapshot = aSnapshot({ processes: [thread, zombie, aProcess(99_999, { comm: 'ipc-probe' })] });
    assert.deepEqual(processes(snapshot, { all: true }).map(it => it.label), ['defunct']);
  });

  it('does not count a process that could not be read as one without IPC', () => {
    const gap = aGap('g', 'cannot read the descriptors of pid 30', { pid: 30, facility: 'processes', field: 'fd' }, 'run the probe as root');
    const tree = drawn(processes({ ...some, gaps: [gap] }));
    assert.doesNotMatch(tree, /without IPC/);
    assert.match(tree, /1 process could not be read \| run the probe as root\n {2}idler \| PID 30 · cannot read the descriptors of pid 30/);
    assert.match(drawn(processes({ ...some, gaps: [gap] }, { all: true })), /idler \| PID 30 · uid 1000 · 1 object · could not be read/);
  });

  it('gives every node an id that no other has', () => {
    const ids = all(processes(some, { all: true })).map(it => it.id);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('makes the nodes of 2,000 processes with 50,000 handles in well under half a second', () => {
    const objects = Array.from({ length: 10_000 }, (_, i): IpcObject => ({ ...pipe, id: `pipe:${i}` }));
    const big = aSnapshot({
      processes: Array.from({ length: 2_000 }, (_, i) => aProcess(i + 1)), objects,
      handles: Array.from({ length: 50_000 }, (_, i) => has(objects[i % 10_000] ?? pipe, (i % 2_000) + 1, i)),
    });
    const index = indexOf(big);
    const before = performance.now();
    assert.equal(processesNodes(index, { minor }).length, 2_000);
    assert.ok(performance.now() - before < 500, `${performance.now() - before} ms`);
  });

  it('is copied as text and as JSON with both ends', () => {
    assert.equal(processText(10, indexOf(some)), `producer · PID 10 · uid 1000 · shop · program-10
  pipe pipe 4711 · fd 4 write
    consumer (20) · fd 0 read
  UNIX domain socket socket 1 · fd 5 read-write · stream · 5 bytes to be read · other end: consumer (20)
    other end: consumer (20) · fd 6 read-write
  signals of a process PID 10 · owner · 0 caught, 0 ignored, 0 blocked`);
    const json = JSON.parse(processJson(10, indexOf(some)) ?? '') as Snapshot;
    assert.deepEqual(json.objects.map(it => it.id), ['pipe:4711', 'unix-socket:1', 'signal:10.1000', 'unix-socket:2']);
    assert.deepEqual(json.processes.map(it => it.pid), [10, 20]);
    assert.equal(processText(11, indexOf(some)), undefined);
  });
});

describe('the debuggee among many kinds', () => {
  it('has what it shares first, and what only its run-time uses in a group at the end', () => {
    const own: IpcObject = { ...pipe, id: 'pipe:1' };
    const segment = aSegment(3);
    const snapshot = { ...some, objects: [...some.objects, own, segment], handles: [...some.handles, has(own, 10, 7, { access: 'read' }), has(own, 10, 8, { access: 'write' }), attached(segment, 10)] };
    const [root] = debuggeeNodes(indexOf(snapshot), [10], [10], minor);
    assert.deepEqual(root?.children?.().map(it => it.label), ['shmid 3', 'pipe 4711', 'socket 1', '2 further objects']);
    assert.deepEqual(root?.children?.().at(-1)?.children?.().map(it => it.label), ['pipe 1', 'PID 10']);
  });

  it('shows a child only for what it shares or what has a name', () => {
    assert.deepEqual(debuggeeNodes(indexOf(some), [10], [10, 20, 30], minor).map(it => it.label), ['producer', 'consumer']);
  });
});

describe('both ends in IPC Objects', () => {
  const below = (snapshot: Snapshot, id: string): string => drawn(all(ipcObjectNodes(indexOf(snapshot))).find(it => it.id === id)?.children?.() ?? []);

  it('has readers and writers of a pipe, and says when there is nobody', () => {
    assert.equal(below(some, pipe.id), 'Read end | 1 process\n  consumer | PID 20 · fd 0 read\nWrite end | 1 process\n  producer | PID 10 · fd 4 write\n');
    const alone = { ...some, handles: some.handles.filter(it => it.pid !== 20) };
    assert.match(below(alone, pipe.id), /^Read end \| nobody\n/);
    assert.match(below({ ...alone, gaps: [aGap('g', 'no', { pid: 1, facility: 'processes' })] }, pipe.id), /^Read end \| nobody who could be read\n/);
  });

  it('has the socket at the other end, also one that could not be seen', () => {
    assert.match(below(some, near.id), /Other end: UNIX domain socket \/run\/bus/);
    assert.match(below({ ...some, objects: [pipe, near] }, near.id), /Other end \| unix-socket:2, which could not be seen/);
  });

  it('leads from a pidfd to its process', () => {
    const pidfd: IpcObject = { id: 'pidfd:9', kind: 'pidfd', persistence: 'process', state: { pid: 20 } };
    assert.match(below({ ...some, objects: [pidfd], handles: [has(pidfd, 10, 3)] }, pidfd.id), /consumer \| PID 20 · the process it is about/);
  });
});

describe('IPC Objects of many kinds', () => {
  it('counts minor kinds and lists them when asked', () => {
    const roots = ipcObjectNodes(indexOf(some), { hidden: minor });
    assert.equal(roots.at(-1)?.label, '3 objects are not listed');
    assert.equal(roots.at(-1)?.description, 'signals of processes 3');
    assert.equal(roots.at(-1)?.command?.id, 'ipcInspector.showAllKinds');
    assert.match(drawn(ipcObjectNodes(indexOf(some))), /signals of processes \| 3/);
  });

  it('puts what outlives its processes first and open, and folds the rest', () => {
    const roots = ipcObjectNodes(indexOf({ ...some, objects: [...some.objects, aSegment(1)] }));
    assert.deepEqual(roots.map(it => [it.label, it.expansion]), [['Shared Memory', 'expanded'], ['Byte Streams', 'collapsed'], ['Signals', 'collapsed']]);
  });

  it('groups by namespace only when there is more than the own one, the own one first, by container where it is known', () => {
    const inside = aSegment(7, { id: 'sysv-shared-memory:5:7', namespace: '5' });
    const elsewhere = aSegment(7, { id: 'sysv-shared-memory:6:7', namespace: '6' });
    const one = aSnapshot({ objects: [aSegment(1)], processes: [aProcess(1)] });
    assert.doesNotMatch(drawn(ipcObjectNodes(indexOf(one))), /namespace/);
    const several = aSnapshot({
      objects: [inside, elsewhere, aSegment(1)], handles: [attached(inside, 50)],
      processes: [aProcess(1), aProcess(50, { container: 'docker-web', namespaces: { ipc: '5', pid: '5', net: '5', mnt: '5' } }), aProcess(60, { namespaces: { ipc: '6', pid: '1', net: '1', mnt: '1' } })],
    });
    const kind = ipcObjectNodes(indexOf(several))[0]?.children?.()[0];
    assert.deepEqual(kind?.children?.().map(it => [it.label, it.description]), [
      ['host (this machine)', `1 · IPC namespace ${ipcns} · 1 process`],
      ['docker-web', '1 · IPC namespace 5 · 1 process'],
      ['IPC namespace 6', '1 · program-60 (60) · 1 process'],
    ]);
  });

  it('marks a kind as incomplete when some of it could not be listed, even where nothing is listed of another', () => {
    const gap = aGap('g', 'cannot enter IPC namespace 5', { facility: 'sysv-shared-memory', namespace: '5' });
    assert.match(drawn(ipcObjectNodes(indexOf(aSnapshot({ objects: [aSegment(1)], gaps: [gap] })))), /segments \| 1 · incomplete/);
  });

  it('does not warn of what no snapshot reads', () => {
    assert.deepEqual(ipcObjectNodes(indexOf(aSnapshot({ gaps: [aGap('g', 'how full pipes are …', { facility: 'pipe', field: 'unread,capacity' })] }))), []);
  });
});

describe('the report on what cannot be seen', () => {
  it('groups by cause, with the remedy once and every process named', () => {
    const gaps = [1, 2, 3].map(pid => ({ ...aGap(`g${pid}`, `cannot read the descriptors of pid ${pid}`, { pid, facility: 'processes', field: 'fd' }, 'run the probe as root'), errno: 'EACCES' }));
    const report = unseenReport(aSnapshot({ processes: [aProcess(1, { comm: 'init' })], gaps: [...gaps, aGap('n', 'cannot enter IPC namespace 5', { facility: 'sysv-shared-memory', namespace: '5' }, 'run the probe as root')] }));
    assert.match(report, /3 processes could not be read \(EACCES\)\n {2}What would help: run the probe as root\n.*\n {4}1 {2}init\n {4}2 {2}\?\n/);
    assert.match(report, /cannot enter IPC namespace 5\n {2}What would help/);
    assert.equal(report.match(/What would help/g)?.length, 2);
  });

  it('says that nothing was refused when that is so, and is one line a thing for hostile names', () => {
    assert.match(unseenReport(aSnapshot()), /Nothing was refused/);
    const report = unseenReport(aSnapshot({ processes: [aProcess(1, { comm: 'a\n\u202eb' })], gaps: [aGap('g', 'x\u0007\ny', { pid: 1, facility: 'processes' }), aGap('h', 'z\u2028', {})] }));
    assert.doesNotMatch(report, /[\u202e\u2028]|\p{Cc}(?<!\n)/u);
    assert.match(report, /a\\u\{a\}\\u\{202e\}b/);
  });
});
