// The wait graph's model: from a snapshot to nodes and edges, before anybody draws them.
import { strict as assert } from 'node:assert';
import type { Snapshot, Wait } from '../../native-probe/model';
import type { GraphView } from '../../webview/waitGraphProtocol';
import { findingKey, threadKey } from '../../extension/panels/waitGraph/chosenWaits';
import type { GraphChoice } from '../../extension/panels/waitGraph/chosenWaits';
import { graphStrings } from '../../extension/panels/waitGraph/graphWords';
import { mostNodes, waitGraphView } from '../../extension/panels/waitGraph/waitGraphView';
import type { SeenSnapshot } from '../../extension/debugger/seenSnapshot';
import type { ThreadPlace } from '../../extension/debugger/sessionKnowledge';
import { indexOf } from '../../extension/snapshotIndex';
import { aGap, aProcess, aSnapshot } from './snapshots';
import { aLock, aMutex, aWait, by, chains, everything, theDemo } from './waitSnapshots';

const choice: GraphChoice = { idle: false, everybody: false, unfolded: new Set(), most: mostNodes };
const viewOf = (snapshot: Snapshot, more: Partial<GraphChoice> = {}): GraphView => waitGraphView(indexOf(snapshot), { ...choice, ...more }).view;
const node = (view: GraphView, title: string) => view.nodes.find(it => it.title === title) ?? assert.fail(`no ${title} among ${view.nodes.map(it => it.title).join(', ')}`);
const aPlace: ThreadPlace = { sessionId: 's', threadId: 1, frameId: 1, function: 'lock', path: '/home/me/clerk.js', line: 7, column: 1 };
/** `clerk -waits-> Mutex`, in the order of the edges. */
const drawn = (view: GraphView): string[] => view.edges.map(({ from, to, kind, tone }) => `${view.nodes.find(it => it.id === from)?.title} -${kind}${tone ? `!${tone}` : ''}-> ${view.nodes.find(it => it.id === to)?.title}`);

describe('the wait graph', () => {
  it('is empty when nothing waits', () => {
    const view = viewOf(aSnapshot());
    assert.deepEqual([view.nodes, view.edges, view.chains, view.threads], [[], [], [], { shown: 0, all: 0 }]);
  });

  it('draws one wait as a thread, what it waits on, and who has that', () => {
    const lock = aLock(1);
    const view = viewOf(aSnapshot({ objects: [lock], processes: [aProcess(1), aProcess(2)], waits: [aWait(1, 'flock', by(lock.id, 'unlock', { pid: 2, tid: 2 }), { objectId: lock.id })] }));
    assert.deepEqual(drawn(view), ['program-1 -waits-> lock-1', 'lock-1 -held-> program-2']);
    assert.equal(node(view, 'program-2').subtitle, 'PID 2 · not blocked');
    assert.equal(node(view, 'program-2').blocks, 1);
  });

  it('emphasises the circle of a deadlock, and nobody who only waits behind it', () => {
    const view = viewOf(theDemo());
    assert.deepEqual(drawn(view), [
      'clerk -waits!deadlocked-> Mutex', 'Mutex -held!deadlocked-> auditor', 'auditor -waits!deadlocked-> Mutex', 'Mutex -held!deadlocked-> clerk',
      'messenger -waits-> ledger.lock', 'ledger.lock -held-> Any thread of auditor', 'Any thread of auditor -one-of-> auditor',
    ]);
    assert.deepEqual(view.rings.map(ring => ring.map(id => view.nodes.find(it => it.id === id)?.title)), [['clerk', 'Mutex', 'auditor', 'Mutex']]);
    assert.deepEqual(view.nodes.filter(it => it.tone).map(it => it.title), ['clerk', 'Mutex', 'auditor', 'Mutex']);
    assert.deepEqual(view.idle, { threads: 9, shown: false });
  });

  it('shows idle threads when they are wanted', () => {
    const view = viewOf(theDemo(), { idle: true });
    assert.equal(view.idle.shown, true);
    assert.ok(view.nodes.some(it => it.kind === 'outside'));
    assert.equal(view.threads.all, 12);
  });

  it('tells each verdict by its own tone, and draws what is outside or was not seen as such', () => {
    const view = viewOf(everything());
    assert.deepEqual(['clerk', 'heir', 'left', 'behind', 'debugged', 'producer', 'backup'].map(title => node(view, title).tone), ['deadlocked', 'orphaned', 'deadlocked-until-timeout', 'behind-stopped', 'behind-stopped', 'suspected', undefined]);
    const edges = drawn(view);
    for (const edge of ['Mutex -held!orphaned-> Nobody alive', 'work -could!suspected-> consumer', 'work -unseen-> Not seen', 'pipe 4711 -outside-> Outside', 'consumer -held!suspected-> producer']) assert.ok(edges.includes(edge), `${edge} in\n${edges.join('\n')}`);
    assert.match(node(view, 'Not seen').lines.join('\n'), /any process that maps .* could post it[\s\S]*What would help: nothing: semaphores have no owner/);
  });

  it('draws many that wait alike as one, and one by one when they are unfolded', () => {
    const crowd = node(viewOf(everything()), '40 threads');
    assert.deepEqual([crowd.kind, crowd.actions], ['alike', ['unfold']]);
    const view = viewOf(everything(), { unfolded: new Set([crowd.id]) });
    assert.equal(view.nodes.filter(it => it.title === 'worker').length, 40);
    assert.deepEqual(node(view, 'worker').actions, ['process', 'chain', 'fold']);
  });

  it('shows one chain alone, with those behind it, and says when it is no more', () => {
    const snapshot = everything();
    const index = indexOf(snapshot);
    const titles = (focus: string): string[] => viewOf(snapshot, { focus }).nodes.map(it => it.title).sort();
    const [deadlock] = snapshot.findings;
    assert.ok(deadlock);
    assert.deepEqual(titles(findingKey(deadlock, index)), ['Any thread of auditor', 'Mutex', 'Mutex', 'auditor', 'clerk', 'ledger.lock', 'messenger']);
    assert.deepEqual(titles(threadKey({ pid: 330, tid: 330 }, index)), ['behind', 'debugged', 'futex:1:77+0']);
    // A thread that waits for nobody: those who wait for it, directly or not.
    assert.deepEqual(titles(threadKey({ pid: 510, tid: 510 }, index)), ['40 threads', 'Outside', 'backup', 'pipe 4711', 'queue.lock', 'tail']);
    const other = { ...snapshot, processes: snapshot.processes.map(it => it.pid === 100 ? { ...it, startTime: '1' } : it) };
    assert.deepEqual(viewOf(other, { focus: findingKey(deadlock, index) }).focus?.gone, true, 'a later process of the same PID is another');
    assert.equal(viewOf(aSnapshot(), { focus: threadKey({ pid: 330, tid: 330 }, index) }).focus?.gone, true);
    assert.equal(viewOf(snapshot, { focus: 'nonsense' }).focus?.gone, true);
  });

  it('takes any thread of a process to be its blocked main thread where that is all it has blocked', () => {
    const [lock, mutex] = [aLock(1), aMutex(0, 1)];
    const view = viewOf(aSnapshot({
      objects: [lock, mutex], processes: [aProcess(1), aProcess(2)],
      waits: [aWait(1, 'flock', by(lock.id, 'unlock', { pid: 2 }), { objectId: lock.id }), aWait(2, 'pthread_mutex_lock', by(mutex.id, 'unlock', { pid: 3, tid: 3 }), { objectId: mutex.id })],
    }));
    assert.ok(drawn(view).includes('lock-1 -held-> program-2'));
    assert.equal(node(view, 'PID 3').subtitle, 'PID 3 · not in the snapshot');
  });

  it('says of a thread that could not be read that nobody knows what it does', () => {
    const lock = aLock(1);
    const view = viewOf(aSnapshot({
      objects: [lock], processes: [aProcess(1), aProcess(2)], waits: [aWait(1, 'flock', by(lock.id, 'unlock', { pid: 2, tid: 2 }), { objectId: lock.id })],
      gaps: [{ ...aGap('g', 'cannot read it', { pid: 2, facility: 'waits', field: 'syscall' }), errno: 'EPERM' }],
    }));
    assert.equal(node(view, 'program-2').subtitle, 'PID 2 · what it does could not be seen');
    assert.equal(view.unseen, 1);
  });

  it('folds the pool of a program that is suspected with it, but not when that finding is chosen', () => {
    const lock = aLock(1);
    const pool = [11, 12].map(tid => aWait(1, 'pthread_cond_wait', by('futex:1.1@0x1', 'pthread_cond_signal', { pid: 1 }), { tid, verdict: 'suspected', objectId: 'futex:1.1@0x1' }));
    const snapshot = aSnapshot({
      objects: [lock], processes: [aProcess(1), aProcess(2)],
      waits: [aWait(1, 'flock', by(lock.id, 'unlock', { pid: 2, tid: 2 }), { objectId: lock.id, verdict: 'suspected' }), ...pool],
      findings: [{ verdict: 'suspected', threads: [{ pid: 1, tid: 1 }, ...pool], chain: [{ pid: 1, tid: 1, objectId: lock.id }, ...pool.map(({ pid, tid, objectId }) => ({ pid, tid, objectId }))], gaps: [], explanation: 'x' }],
    });
    assert.deepEqual([viewOf(snapshot).threads.shown, viewOf(snapshot).idle.threads], [1, 2]);
    const [finding] = snapshot.findings;
    assert.ok(finding);
    assert.equal(viewOf(snapshot, { focus: findingKey(finding, indexOf(snapshot)) }).threads.shown, 3);
  });

  it('draws no more than a bounded number of 10,000 waits, says how many, and takes a moment', function () {
    this.timeout(20_000);
    const many = chains(10_000);
    const before = performance.now();
    const view = viewOf(many);
    assert.ok(performance.now() - before < 3_000);
    assert.ok(view.nodes.length >= mostNodes && view.nodes.length < mostNodes + 10, String(view.nodes.length));
    assert.equal(view.threads.all, 9_000);
    assert.ok(view.threads.shown > 100 && view.threads.shown < 200);
    const one = aLock(1);
    const alike: Wait[] = Array.from({ length: 10_000 }, (_, n) => aWait(n + 10, 'flock', by(one.id, 'unlock', { pid: 2, tid: 2 }), { objectId: one.id }));
    const folded = viewOf(aSnapshot({ objects: [one], processes: [aProcess(2)], waits: alike }));
    assert.deepEqual([folded.nodes.length, folded.threads], [3, { shown: 10_000, all: 10_000 }]);
    const poll = aWait(1, 'poll', [{ alternatives: Array.from({ length: 200 }, (_, n) => ({ objectId: `pipe:${n}`, event: 'data', threads: [{ pid: n + 10 }] })) }], { verdict: 'suspected' });
    assert.ok(viewOf(aSnapshot({ processes: [aProcess(1)], waits: [poll], findings: [{ verdict: 'suspected', threads: [{ pid: 1, tid: 1 }], chain: [{ pid: 1, tid: 1 }], gaps: [], explanation: '' }] }), { idle: true }).nodes.length < 20);
  });

  it('ends in time when every thread of a process waits for any of its threads', function () {
    this.timeout(20_000);
    const waits = Array.from({ length: 3_000 }, (_, n) => aWait(1, 'flock', by(`flock-lock:1:${n}`, 'unlock', { pid: 1 }), { tid: n + 1, objectId: `flock-lock:1:${n}` }));
    const snapshot = aSnapshot({ processes: [aProcess(1)], waits });
    const before = performance.now();
    viewOf(snapshot);
    viewOf(snapshot, { focus: threadKey({ pid: 1, tid: 5 }, indexOf(snapshot)) });
    assert.ok(performance.now() - before < 3_000);
  });

  it('gives ids that stay the same over snapshots, whatever their order', () => {
    const snapshot = everything();
    const turned = { ...snapshot, waits: [...snapshot.waits].reverse(), processes: [...snapshot.processes].reverse() };
    assert.deepEqual(viewOf(turned).nodes.map(it => it.id).sort(), viewOf(snapshot).nodes.map(it => it.id).sort());
    for (const edge of viewOf(snapshot).edges) assert.ok([edge.from, edge.to].every(id => viewOf(snapshot).nodes.some(it => it.id === id)));
  });

  it('makes hostile names visible', () => {
    const hostile = '<img src=x onerror=alert(1)>\u202E\u0000';
    const view = viewOf(theDemo({ names: [hostile, hostile, hostile] }));
    for (const { title, subtitle, lines } of view.nodes) assert.doesNotMatch([title, subtitle, ...lines].join(''), /[\p{Cc}\p{Cf}]/u);
  });

  it('tells a source line where somebody knows it, and leads there first', () => {
    const seen: SeenSnapshot = { ...theDemo(), placeOf: ({ pid }) => pid === 100 ? aPlace : undefined };
    const view = viewOf(seen);
    assert.deepEqual([node(view, 'clerk').subtitle, node(view, 'clerk').actions], ['PID 100 · pthread_mutex_lock at clerk.js:7', ['source', 'process', 'chain']]);
  });

  it('has a sentence for every place that needs one', () => {
    for (const [name, words] of Object.entries(graphStrings())) assert.ok(words.length > 0, name);
  });
});
