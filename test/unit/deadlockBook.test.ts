import { strict as assert } from 'node:assert';
import { DeadlockBook } from '../../extension/deadlocks/deadlockBook';
import type { Finding, Snapshot, Wait } from '../../native-probe/model';
import { aProcess, aSnapshot } from './snapshots';

const members = [{ pid: 1, tid: 1 }, { pid: 2, tid: 2 }];
const finding: Finding = { verdict: 'deadlocked', threads: members, chain: members.map(it => ({ ...it, objectId: `lock${it.pid}` })), gaps: [], explanation: 'stuck' };
const blocked = (pid: number, objectId = `lock${pid}`): Wait => ({ pid, tid: pid, threadComm: 'x', operation: 'flock', objectId, verdict: 'deadlocked', evidence: [], clauses: [] });
const processes = [aProcess(1), aProcess(2), aProcess(3)];
const stuck = (more: Partial<Snapshot> = {}, ...findings: Finding[]): Snapshot => aSnapshot({ processes, waits: [blocked(1), blocked(2)], findings: findings.length > 0 ? findings : [finding], ...more });
const running = (): Snapshot => aSnapshot({ processes });

describe('the book of told deadlocks', () => {
  let book: DeadlockBook;
  const told = (snapshot: Snapshot, now = 0, pids = [1]): number => book.news(snapshot, new Set(pids), now).length;
  beforeEach(() => { book = new DeadlockBook(); });

  it('tells a deadlock once', () => {
    assert.deepEqual([told(stuck()), told(stuck()), told(stuck(), 60_000)], [1, 0, 0]);
  });

  it('tells of an owner that is gone, and of nothing that is not certain', () => {
    assert.equal(told(stuck({}, { ...finding, verdict: 'orphaned' })), 1);
    for (const verdict of ['suspected', 'deadlocked-until-timeout', 'behind-stopped'] as const) {
      book = new DeadlockBook();
      assert.equal(told(stuck({}, { ...finding, verdict })), 0, verdict);
    }
  });

  it('tells nothing of other processes', () => {
    assert.equal(told(stuck(), 0, [3]), 0);
    assert.equal(told(stuck(), 0, []), 0);
  });

  it('takes it as the same when more threads get stuck behind it, or the chain is told from another end', () => {
    told(stuck());
    assert.equal(told(stuck({}, { ...finding, threads: [...members, { pid: 3, tid: 3 }], chain: [...finding.chain].reverse() })), 0);
  });

  it('takes other threads or other objects as another one', () => {
    told(stuck());
    assert.equal(told(stuck({}, finding, { ...finding, threads: [{ pid: 1, tid: 7 }], chain: [{ pid: 1, tid: 7, objectId: 'lock1' }] })), 1);
    assert.equal(told(stuck({}, finding, { ...finding, chain: members.map(it => ({ ...it, objectId: 'other' })) })), 1);
  });

  it('tells it again when it was gone and came back', () => {
    told(stuck(), 0);
    assert.equal(told(running(), 2_000), 0);
    assert.equal(told(stuck(), 4_000), 1);
  });

  it('tells it again when a member did something else in between', () => {
    told(stuck(), 0);
    told(stuck({ waits: [blocked(1, 'another'), blocked(2)], findings: [] }), 100);
    assert.equal(told(stuck(), 200), 1);
  });

  it('does not tell it again because one look missed a thread', () => {
    told(stuck(), 0);
    told(stuck({ waits: [blocked(2)], findings: [] }), 2_000);
    assert.equal(told(stuck(), 3_000), 0);
  });

  it('does not tell it again because it was not certain for a while: stopped by the debugger, or with something unseen', () => {
    told(stuck(), 0);
    told(stuck({}, { ...finding, verdict: 'behind-stopped' }), 10_000);
    told(stuck({ findings: [] }), 20_000);
    assert.equal(told(stuck(), 30_000), 0);
  });

  it('does not tell it again when another process was followed in between', () => {
    told(stuck(), 0);
    told(aSnapshot({ processes: [aProcess(3)] }), 10_000, [3]);
    assert.equal(told(stuck(), 20_000), 0);
  });

  it('takes later processes of the same PIDs as others', () => {
    told(stuck(), 0);
    assert.equal(told(stuck({ processes: [aProcess(1, { startTime: '999' }), aProcess(2)] }), 10), 1);
  });

  it('keeps a limited number in mind', () => {
    const many = Array.from({ length: 3_000 }, (_, i): Finding => ({ ...finding, chain: [{ pid: 1, tid: 1, objectId: `o${i}` }] }));
    assert.equal(told(stuck({}, ...many)), 3_000);
    assert.equal(told(stuck({}, ...many.slice(-500))), 0);
  });
});
