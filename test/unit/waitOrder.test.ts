import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type { Clause, Gap, IpcObject, ThreadRef, Wait } from '../../native-probe/model';
import { gapsAmongWaits, isIdle, orderWaits } from '../../native-probe/analysis/waitOrder';
import type { WaitOrder } from '../../native-probe/analysis/waitOrder';
import { formatWaits } from '../../native-probe/waitsTable';
import { aProcess, aSnapshot } from './snapshots';

const by = (...threads: ThreadRef[]): Clause => ({ alternatives: threads.map(thread => ({ event: 'unlock', threads: [thread] })) });
const outside = (external: string): Clause => ({ alternatives: [], external });
function aWait(pid: number, tid: number, operation: string, clauses: readonly Clause[], more: Partial<Wait> = {}): Wait {
  return { pid, tid, threadComm: `t${tid}`, operation, verdict: 'waiting', evidence: [], clauses, ...more };
}
const order = (...waits: Wait[]): WaitOrder => orderWaits({ waits, findings: [], objects: [] });
const blockers = ({ blockers: all }: WaitOrder): string[] => all.map(({ thread, blocks }) => `${thread.pid} blocks ${blocks}`);
const tids = (waits: readonly Wait[]): number[] => waits.map(it => it.tid);

describe('the order of waits', () => {
  it('puts first who blocks most, directly or not, and waits for nobody', () => {
    const all = order(
      aWait(2, 2, 'pthread_mutex_lock', [by({ pid: 1, tid: 1 })], { objectId: 'm1' }),
      aWait(3, 3, 'flock', [by({ pid: 2 })], { objectId: 'f' }),
      aWait(4, 4, 'flock', [by({ pid: 2 })], { objectId: 'f' }),
      aWait(6, 6, 'flock', [by({ pid: 5 })], { objectId: 'g' }),
    );
    assert.deepEqual(blockers(all), ['1 blocks 3', '5 blocks 1']);
    assert.deepEqual(all.blockers[0]?.groups.map(group => [group.objectId, tids(group.waits)]), [['m1', [2]], ['f', [3, 4]]]);
  });

  it('calls nobody a blocker who waits himself, and ends on rings', () => {
    const all = order(aWait(1, 1, 'flock', [by({ pid: 2 })], { objectId: 'a' }), aWait(2, 2, 'flock', [by({ pid: 1 })], { objectId: 'b' }));
    assert.deepEqual(all.blockers, []);
    assert.deepEqual(all.others.map(it => it.key), ['a', 'b']);
  });

  it('shows every wait once, although several may end it', () => {
    const all = order(aWait(3, 3, 'read', [by({ pid: 1 }, { pid: 2 })], { objectId: 'pipe' }));
    assert.deepEqual(blockers(all), ['1 blocks 1']);
  });

  it('counts who could be unblocked by many as waiting for nobody in particular', () => {
    const all = order(aWait(1, 1, 'semop', [by(...Array.from({ length: 17 }, (_, i) => ({ pid: 100 + i })))], { objectId: 's' }));
    assert.deepEqual(all.blockers, []);
    assert.deepEqual(all.others.map(it => [it.key, it.waits.length]), [['s', 1]]);
  });

  it('folds everyday waits, and none of those that hold somebody up', () => {
    const idle = ['poll', 'ppoll', 'select', 'pselect', 'epoll_wait', 'epoll_pwait2', 'accept', 'accept4', 'nanosleep', 'clock_nanosleep', 'sigwait', 'pause', 'futex', 'futex_waitv', 'pthread_cond_wait', 'pthread_cond_timedwait'];
    for (const operation of idle) assert.ok(isIdle(aWait(1, 1, operation, [by({ pid: 2 })]), undefined), operation);
    for (const operation of ['pthread_mutex_lock', 'pthread_rwlock_wrlock', 'flock', 'fcntl', 'write', 'sendmsg', 'msgsnd', 'mq_send', 'connect', 'open', 'semop']) {
      assert.ok(!isIdle(aWait(1, 1, operation, [outside('anybody')]), undefined), operation);
    }
    assert.ok(isIdle(aWait(1, 1, 'read', [by({ pid: 2 })]), 'pseudoterminal'));
    assert.ok(!isIdle(aWait(1, 1, 'read', [by({ pid: 2 })]), 'pipe'));
    assert.ok(isIdle(aWait(1, 1, 'recv', [outside('the network')]), 'inet-socket'));
    assert.ok(isIdle(aWait(1, 1, 'sem_wait', [by({ pid: 1 })]), 'posix-unnamed-semaphore'));
    assert.ok(!isIdle(aWait(1, 1, 'sem_wait', [by({ pid: 2 })]), 'posix-semaphore'));
  });

  it('folds no event loop that has part in a deadlock', () => {
    assert.ok(!isIdle(aWait(1, 1, 'poll', [by({ pid: 2 })], { verdict: 'deadlocked' }), undefined));
  });

  it('shows an idle thread as the blocker that it is, with what it is in, and not among the idle', () => {
    const sleeper = aWait(1, 1, 'nanosleep', [outside('the clock')], { timeout: '9 s' });
    const all = order(sleeper, aWait(2, 2, 'flock', [by({ pid: 1 })], { objectId: 'f' }), aWait(3, 3, 'epoll_wait', [outside('a timer')]));
    assert.equal(all.blockers[0]?.own, sleeper);
    assert.deepEqual(all.idle.map(it => [it.operation, tids(it.waits)]), [['epoll_wait', [3]]]);
  });

  it('takes a wait for the end of a working or idle process as idle, and of a stuck one as stuck', () => {
    const stuck = order(aWait(1, 1, 'waitpid', [by({ pid: 2 })]), aWait(2, 2, 'flock', [by({ pid: 3 })], { objectId: 'f' }));
    assert.deepEqual(blockers(stuck), ['3 blocks 2']);
    const calm = order(aWait(1, 1, 'waitpid', [by({ pid: 2 })]), aWait(2, 2, 'epoll_wait', [outside('a client')]));
    assert.deepEqual([calm.blockers, calm.idle.map(it => it.operation)], [[], ['epoll_wait', 'waitpid']]);
  });

  it('takes a wait for input as worth a look among a few processes; on a whole machine only when the other is stuck', () => {
    const reader = aWait(1, 1, 'read', [by({ pid: 2 })], { objectId: 'pipe' });
    assert.deepEqual(blockers(order(reader)), ['2 blocks 1']);
    assert.deepEqual(orderWaits({ waits: [reader], findings: [], objects: [] }, true).idle.map(it => it.operation), ['read']);
    const stuck = orderWaits({ waits: [reader, aWait(2, 2, 'flock', [by({ pid: 3 })], { objectId: 'f' })], findings: [], objects: [] }, true);
    assert.deepEqual([blockers(stuck), stuck.idle], [['3 blocks 2'], []]);
  });

  it('keeps those out that a finding tells of, and groups who waits for one of them', () => {
    const waits = [aWait(1, 1, 'flock', [by({ pid: 2 })], { verdict: 'deadlocked' }), aWait(2, 2, 'flock', [by({ pid: 1 })], { verdict: 'deadlocked' }), aWait(3, 3, 'waitpid', [{ ...by({ pid: 1 }), gaps: ['g'] }])];
    const all = orderWaits({ waits, objects: [], findings: [{ verdict: 'deadlocked', threads: [{ pid: 1, tid: 1 }, { pid: 2, tid: 2 }], chain: [], gaps: [], explanation: '' }] });
    assert.deepEqual([all.blockers, all.others.map(it => it.key), all.idle], [[], ['operation:waitpid'], []]);
  });

  it('tells threads apart that were stopped while they ran', () => {
    assert.deepEqual(tids(order(aWait(1, 1, 'tracing stop', [], { stopped: true }), aWait(1, 2, 'flock', [by({ pid: 9 })], { stopped: true })).stopped), [1]);
  });

  it('loses and doubles no wait, whoever waits for whom', () => {
    const ref = fc.record({ pid: fc.integer({ min: 1, max: 6 }) });
    const wait = fc.record({ pid: fc.integer({ min: 1, max: 6 }), operation: fc.constantFrom('flock', 'epoll_wait', 'waitpid', 'read', 'tracing stop'), clauses: fc.array(fc.array(ref, { maxLength: 3 }).map(refs => by(...refs)), { maxLength: 2 }), stopped: fc.boolean(), objectId: fc.constantFrom(undefined, 'a', 'b') });
    fc.assert(fc.property(fc.uniqueArray(wait, { selector: it => it.pid, maxLength: 6 }), drawn => {
      const waits = drawn.map(({ pid, operation, clauses, stopped, objectId }) => aWait(pid, pid, operation, clauses, { stopped, ...(objectId === undefined ? {} : { objectId }) }));
      const all = order(...waits);
      const shown = [...all.blockers.flatMap(({ own, groups }) => [...own ? [own] : [], ...groups.flatMap(it => it.waits)]), ...all.others.flatMap(it => it.waits), ...all.idle.flatMap(it => it.waits), ...all.stopped];
      assert.deepEqual(tids(shown).sort(), tids(waits).sort());
    }));
  });

  it('orders 5,000 waits behind one thread, and 500 that each wait for 16 of each other, in a moment', function () {
    this.timeout(20_000);
    const many = Array.from({ length: 5_000 }, (_, i) => aWait(10 + i, 10 + i, 'flock', [by({ pid: i % 100 === 0 ? 1 : 10 + i - 1 })], { objectId: `o${i % 50}` }));
    const tangled = Array.from({ length: 500 }, (_, i) => aWait(10_000 + i, 10_000 + i, 'read', [by(...Array.from({ length: 16 }, (_unused, k) => ({ pid: 10_000 + (i * 7 + k * 31) % 1000 })))], { objectId: `p${i}` }));
    const before = performance.now();
    assert.deepEqual(blockers(order(...many)), ['1 blocks 5000']);
    order(...tangled);
    assert.ok(performance.now() - before < 4_000);
  });
});

describe('the table of waits', () => {
  const lock: IpcObject = { id: 'flock-lock:1:2', kind: 'flock-lock', name: '/tmp/lock', persistence: 'process', state: { path: '/tmp/lock', ranges: [] } };

  it('is a tree: the finding with its chain, then who blocks whom, then how many are idle', () => {
    const waits = [
      aWait(1, 1, 'flock', [by({ pid: 2 })], { objectId: lock.id, verdict: 'deadlocked' }), aWait(2, 2, 'flock', [by({ pid: 1 })], { objectId: lock.id, verdict: 'deadlocked', timeout: '3 s' }),
      aWait(3, 3, 'flock', [by({ pid: 1 })], { objectId: lock.id, verdict: 'deadlocked' }),
      aWait(5, 5, 'flock', [by({ pid: 4 })], { objectId: lock.id }), aWait(6, 6, 'poll', [outside('x')]), aWait(7, 8, 'poll', [outside('x')]),
      aWait(9, 9, 'semop', [{ ...by({ pid: 9 }), external: 'anybody' }]),
    ];
    const text = formatWaits(aSnapshot({
      objects: [lock], waits, processes: [1, 2, 3, 4, 5, 6, 7, 9].map(pid => aProcess(pid)),
      findings: [{ verdict: 'deadlocked', threads: [{ pid: 1, tid: 1 }, { pid: 2, tid: 2 }, { pid: 3, tid: 3 }], chain: [{ pid: 1, tid: 1, objectId: lock.id }, { pid: 2, tid: 2, objectId: lock.id }], gaps: [], explanation: 'They wait for each other.' }],
    }));
    assert.equal(text, `DEADLOCKED: 3 threads. They wait for each other.
├─ program-1 1: flock → a flock lock on /tmp/lock, until program-2 2 acts
├─ program-2 2: flock with time limit 3 s → a flock lock on /tmp/lock, until program-1 1 acts
└─ 1 thread behind them:
   └─ program-3 3: flock → a flock lock on /tmp/lock, until program-1 1 acts

program-4 4 blocks 1 thread and waits for nobody:
└─ a flock lock on /tmp/lock: 1 thread
   └─ program-5 5: flock, until program-4 4 acts

Waiting for nobody in particular:
└─ semop: 1 thread
   └─ program-9 9, until program-9 9 acts, or anybody

2 idle threads: poll 2 (--json lists them).
`);
  });

  it('names what could not be read, alike things once, and leaves doubts about single waits to those', () => {
    const denied = (pid: number): Gap => ({ id: `g${pid}`, scope: { facility: 'waits', pid, field: 'syscall' }, reason: `cannot read pid ${pid}`, errno: 'EACCES', remedy: 'run the probe as root' });
    const doubt: Gap = { id: 'd', scope: { facility: 'waits', pid: 9, field: 'signals,read' }, reason: 'pid 9 catches SIGALRM' };
    const waits = [aWait(9, 9, 'poll', [{ alternatives: [], external: 'x', gaps: ['d'] }])];
    const snapshot = aSnapshot({ gaps: [denied(1), denied(2), denied(3), doubt], waits });
    assert.deepEqual(gapsAmongWaits(snapshot).map(it => it.id), ['g1', 'g2', 'g3']);
    assert.match(formatWaits(snapshot), /^Not seen: cannot read pid 1 \(and 2 more like this\); run the probe as root\.$/m);
    assert.doesNotMatch(formatWaits(snapshot), /SIGALRM/);
  });

  it('says so when there is nothing', () => {
    assert.equal(formatWaits(aSnapshot()), 'No deadlock found.\n');
  });
});
