import { strict as assert } from 'node:assert';
import type { Snapshot, Wait } from '../../native-probe/model';
import { indexOf } from '../../extension/snapshotIndex';
import type { TreeNode } from '../../extension/views/treeNode';
import { confirmedFindings, waitNodes } from '../../extension/views/waits';
import { aGap, aProcess, aSnapshot } from './snapshots';

function below(node: TreeNode): readonly TreeNode[] {
  return node.expansion === 'none' ? [] : node.children?.() ?? [];
}
/** What is seen without expanding anything: two blanks a level, label and description. */
function seen(nodes: readonly TreeNode[], depth = 0): string {
  return nodes.map(node => `${'  '.repeat(depth)}${node.label}${node.description ? ` | ${node.description}` : ''}\n${node.expansion === 'expanded' ? seen(below(node), depth + 1) : ''}`).join('');
}
function all(nodes: readonly TreeNode[]): TreeNode[] {
  return nodes.flatMap(node => [node, ...all(below(node))]);
}
function at(nodes: readonly TreeNode[], path: readonly string[]): TreeNode | undefined {
  const [id, ...rest] = path;
  const node = nodes.find(it => it.id === id);
  return node && rest.length > 0 ? at(below(node), rest) : node;
}

const lock: Snapshot['objects'][number] = { id: 'flock-lock:1:2', kind: 'flock-lock', name: '/tmp/lock', persistence: 'process', state: { path: '/tmp/lock', ranges: [] } };
const mutex: Snapshot['objects'][number] = { id: 'futex:1:3+0', kind: 'mutex', persistence: 'memory', state: { address: '0x10', type: 'normal', owner: 100, robust: false, pi: false, shared: true } };
const clause = (objectId: string, ...pids: number[]) => [{ alternatives: pids.map(pid => ({ objectId, event: 'unlock', threads: [{ pid, tid: pid }] })) }];
const aWait = (pid: number, operation: string, clauses: Wait['clauses'], more: Partial<Wait> = {}): Wait => ({ pid, tid: pid, threadComm: `program-${pid}`, operation, verdict: 'waiting', evidence: [`${operation} was read`], clauses, ...more });
const deadlocked = aSnapshot({
  processes: [aProcess(100, { comm: 'left' }), aProcess(200, { comm: 'right' })], objects: [lock, mutex],
  waits: [
    aWait(200, 'pthread_mutex_lock', clause(mutex.id, 100), { objectId: mutex.id, verdict: 'deadlocked', threadComm: 'right' }),
    aWait(100, 'flock', clause(lock.id, 200), { objectId: lock.id, verdict: 'deadlocked', threadComm: 'left' }),
  ],
  findings: [{ verdict: 'deadlocked', threads: [{ pid: 100, tid: 100 }, { pid: 200, tid: 200 }], chain: [{ pid: 100, tid: 100, objectId: lock.id }, { pid: 200, tid: 200, objectId: mutex.id }], gaps: [], explanation: 'left and right wait for each other' }],
});
const roots = (snapshot: Snapshot, idle = false): TreeNode[] => waitNodes(indexOf(snapshot), { idle });

describe('the views of waits', () => {
  it('put the finding first, with its chain in words', () => {
    assert.equal(seen(roots(deadlocked)), `Deadlock | 2 threads: left and right wait for each other
  left (PID 100) | waits for flock lock lock, held by right (PID 200)
  right (PID 200) | waits for mutex 0x10, held by left (PID 100)
`);
  });

  it('are empty when nothing waits', () => {
    assert.deepEqual(roots(aSnapshot()), []);
  });

  it('lead from a step to the object, and to the step of the one who has it', () => {
    const [finding] = roots(deadlocked);
    const [step] = finding ? below(finding) : [];
    const [object, holder] = step ? below(step) : [];
    assert.deepEqual(object?.command, { id: 'ipcInspector.openInspector', title: 'Inspect', argument: lock.id });
    assert.deepEqual([holder?.label, holder?.description, holder?.command?.id], ['right (PID 200)', 'unlock · flock lock lock', 'ipcInspector.showChain']);
    assert.equal(at(roots(deadlocked), holder?.goesTo ?? [])?.label, 'right (PID 200)');
    assert.deepEqual(step?.marks, ['object', 'named', 'process', 'thread', 'graph']);
  });

  it('show who is stuck behind a deadlock below it, and nowhere else', () => {
    const more = { ...deadlocked, processes: [...deadlocked.processes, aProcess(300)], waits: [...deadlocked.waits, aWait(300, 'flock', clause(lock.id, 200), { objectId: lock.id, verdict: 'deadlocked' })], findings: deadlocked.findings.map(it => ({ ...it, threads: [...it.threads, { pid: 300, tid: 300 }] })) };
    assert.equal(seen(roots(more)).split('\n').slice(3).join('\n'), `  1 more thread is stuck behind them
    program-300 (PID 300) | flock on flock lock lock
`);
  });

  it('show the thread that blocks most before the others, with the count, and everybody behind it by object', () => {
    const snapshot = aSnapshot({
      objects: [lock, mutex], processes: [1, 2, 3, 4, 5].map(pid => aProcess(pid)),
      waits: [
        aWait(5, 'pthread_mutex_lock', clause('futex:2:2+0', 4), { objectId: 'futex:2:2+0' }),
        aWait(2, 'flock', clause(lock.id, 1), { objectId: lock.id }), aWait(3, 'pthread_mutex_lock', clause(mutex.id, 2), { objectId: mutex.id, timeout: '3 s' }),
        aWait(4, 'nanosleep', [{ alternatives: [], external: 'the clock' }], { timeout: '9 s' }),
      ],
    });
    assert.equal(seen(roots(snapshot)), `program-1 (PID 1) | blocks 2 threads · waits for nobody
  flock lock lock | 1 thread waits · for program-1 (PID 1) · 0 locks held · /tmp/lock
    program-2 (PID 2) | flock
  mutex 0x10 | 1 thread waits · for program-2 (PID 2) · normal · owned by thread 100
    program-3 (PID 3) | pthread_mutex_lock · timeout 3 s
program-4 (PID 4) | blocks 1 thread · itself in nanosleep · timeout 9 s
  futex:2:2+0 | 1 thread waits · for program-4 (PID 4)
    program-5 (PID 5) | pthread_mutex_lock · futex:2:2+0
`);
  });

  const crowd = aSnapshot({ processes: [aProcess(1)], waits: Array.from({ length: 500 }, (_, i) => aWait(1, i % 5 === 0 ? 'nanosleep' : 'epoll_wait', [{ alternatives: [], external: 'a timer' }], { tid: i + 1 })) });

  it('fold idle threads into one node with their number', () => {
    const [only, ...rest] = roots(crowd);
    assert.deepEqual([only?.label, only?.description, only?.expansion, rest.length], ['500 idle threads', 'epoll_wait 400, nanosleep 100', 'collapsed', 0]);
    assert.deepEqual(only?.marks, ['idle']);
    assert.equal(all(roots(crowd)).filter(it => it.pid === 1).length, 500);
  });

  it('list idle threads by operation beside the others when asked', () => {
    assert.deepEqual(roots(crowd, true).map(it => [it.label, it.description, it.expansion]), [['epoll_wait', '400 threads wait', 'collapsed'], ['nanosleep', '100 threads wait', 'collapsed']]);
  });

  it('show a suspicion weaker than a certainty: below it, folded, without its colour, and with what could prove it wrong', () => {
    const gap = aGap('g', 'pid 9 could not be read', {}, 'run the probe as root');
    const suspicion = { ...deadlocked.findings[0] ?? assert.fail(), verdict: 'suspected' as const, gaps: ['g'], threads: [{ pid: 300, tid: 300 }], chain: [{ pid: 300, tid: 300, objectId: lock.id }] };
    const snapshot = { ...deadlocked, gaps: [gap], findings: [suspicion, ...deadlocked.findings], waits: [...deadlocked.waits, aWait(300, 'flock', [{ alternatives: [], gaps: ['g'] }], { objectId: lock.id, verdict: 'suspected' })] };
    const [certain, weak] = roots(snapshot);
    assert.deepEqual([certain?.label, certain?.icon, certain?.color, certain?.expansion], ['Deadlock', 'error', 'list.errorForeground', 'expanded']);
    assert.deepEqual([weak?.label, weak?.icon, weak?.color, weak?.expansion], ['Suspected deadlock', 'question', 'descriptionForeground', 'collapsed']);
    assert.deepEqual(weak && below(weak).map(it => [it.label, it.description]), [
      ['PID 300', 'waits for flock lock lock, held by somebody who could not be seen'].map((it, i) => i === 0 ? 'program-300 (PID 300)' : it), ['Unless: pid 9 could not be read', 'run the probe as root'],
    ]);
    assert.match(weak?.tooltip?.() ?? '', /Not certain/);
  });

  it('fold many suspicions into one node', () => {
    const findings = Array.from({ length: 6 }, (_, i) => ({ verdict: 'suspected' as const, threads: [{ pid: i, tid: i }], chain: [{ pid: i, tid: i }], gaps: [], explanation: '' }));
    const [only, ...rest] = roots(aSnapshot({ findings }));
    assert.deepEqual([only?.label, only?.expansion, rest.length, only && below(only).length], ['6 suspected deadlocks', 'collapsed', 0, 6]);
  });

  it('tell waiting behind a stopped thread apart from a deadlock, in words', () => {
    const snapshot = { ...deadlocked, waits: [aWait(100, 'flock', clause(lock.id, 200), { objectId: lock.id, verdict: 'behind-stopped', threadComm: 'left' }), aWait(200, 'tracing stop', [], { stopped: true })], findings: deadlocked.findings.map(it => ({ ...it, verdict: 'behind-stopped' as const, threads: [{ pid: 100, tid: 100 }], chain: [{ pid: 100, tid: 100, objectId: lock.id }, { pid: 200, tid: 200 }] })) };
    const [finding] = roots(snapshot);
    assert.equal(finding?.label, 'Waiting behind a stopped thread');
    assert.equal(finding?.icon, 'debug-pause');
    assert.match(finding?.tooltip?.() ?? '', /No deadlock/);
    assert.deepEqual(finding && below(finding).map(it => it.description), ['waits for flock lock lock, held by program-200 (PID 200)', 'is stopped, and waits for nobody']);
    assert.equal(confirmedFindings(indexOf(snapshot)), 0);
  });

  it('say of threads that were stopped while they ran that they wait for nobody', () => {
    assert.equal(seen(roots(aSnapshot({ processes: [aProcess(1)], waits: [aWait(1, 'tracing stop', [], { stopped: true })] }))), '1 thread is stopped | by a debugger or a signal, not by a wait\n');
  });

  it('count in the badge what is certain', () => {
    const [finding] = deadlocked.findings;
    const findings = (['deadlocked', 'orphaned', 'suspected', 'behind-stopped', 'deadlocked-until-timeout'] as const).map(verdict => ({ ...finding ?? assert.fail(), verdict }));
    assert.equal(confirmedFindings(indexOf(aSnapshot({ findings }))), 2);
    assert.equal(confirmedFindings(undefined), 0);
  });

  it('word clauses: all of, any of, at least k of, external because', () => {
    const wait = aWait(1, 'semop', [
      { alternatives: [{ event: 'unlock', threads: [{ pid: 2 }] }, { event: 'unlock', threads: [{ pid: 3 }] }] },
      { alternatives: [2, 3, 4].map(pid => ({ event: 'arrival', threads: [{ pid }] })), atLeast: 2 },
      { alternatives: [], external: 'anybody may post' },
    ], { verdict: 'waiting', evidence: [] });
    const nodes = all(roots(aSnapshot({ processes: [aProcess(1)], waits: [wait] })));
    const labels = nodes.map(it => `${it.label}${it.description ? ` | ${it.description}` : ''}`);
    for (const words of ['all of 3 must happen', 'any of 2 must happen', 'at least 2 of 3 must happen', 'external | because of anybody may post']) assert.ok(labels.includes(words), `${words} in\n${labels.join('\n')}`);
    const tooltip = nodes.find(it => it.id.endsWith('wait:1.1'))?.tooltip?.() ?? '';
    assert.match(tooltip, /It goes on when all of these have come about&#58;/);
    assert.match(tooltip, /at least 2 of 3 must happen: arrival by PID 2/);
  });

  it('say that nobody alive can help where that is so', () => {
    const wait = aWait(1, 'pthread_mutex_lock', [{ alternatives: [] }], { objectId: mutex.id, verdict: 'orphaned' });
    const snapshot = aSnapshot({ objects: [mutex], processes: [aProcess(1)], waits: [wait], findings: [{ verdict: 'orphaned', threads: [{ pid: 1, tid: 1 }], chain: [{ pid: 1, tid: 1, objectId: mutex.id }], gaps: [], explanation: 'gone' }] });
    const nodes = all(roots(snapshot));
    assert.ok(nodes.some(it => it.label === 'Nobody alive can bring it about'));
    assert.ok(nodes.some(it => it.description === 'waits for mutex 0x10'));
  });

  it('give every node an id of its own, the same for the next snapshot, and lead only to nodes that are there', () => {
    for (const snapshot of [deadlocked, crowd]) {
      for (const idle of [false, true]) {
        const nodes = all(roots(snapshot, idle));
        assert.equal(new Set(nodes.map(it => it.id)).size, nodes.length);
        assert.deepEqual(all(roots({ ...snapshot, waits: [...snapshot.waits].reverse() }, idle)).map(it => it.id), nodes.map(it => it.id));
        for (const { goesTo } of nodes) if (goesTo) assert.ok(at(roots(snapshot, idle), goesTo), goesTo.join(' → '));
      }
    }
  });

  it('make the roots of 20,000 waits in a moment', function () {
    this.timeout(20_000);
    const index = indexOf(aSnapshot({ processes: [aProcess(1)], waits: Array.from({ length: 20_000 }, (_, i) => aWait(i + 10, i % 2 ? 'flock' : 'epoll_wait', i % 2 ? clause(`l${i % 100}`, 1) : [{ alternatives: [], external: 'x' }], { objectId: `l${i % 100}` })) }));
    const before = performance.now();
    waitNodes(index);
    assert.ok(performance.now() - before < 2_000);
  });
});
