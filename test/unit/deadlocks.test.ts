// Verdicts, groups and their words on small, hand-made waits.
import { strict as assert } from 'node:assert';
import type { Alternative, Clause, Finding, FlockLock, Mutex, Process, ThreadRef, Wait } from '../../native-probe/model';
import { judge } from '../../native-probe/analysis/deadlocks';

const mutex = (id: string): Mutex => ({ id, kind: 'mutex', persistence: 'memory', state: { address: id, type: 'normal', owner: null, robust: false, pi: false, shared: false } });
const lockOn = (id: string, name: string): FlockLock => ({ id, kind: 'flock-lock', name, persistence: 'process', state: { path: name, ranges: [] } });
const objects = [mutex('0x55aa40'), mutex('0x55aa80'), lockOn('flock-lock:1:2', '/var/lib/app.db')];
const process = (pid: number, comm: string): Process => ({ pid, comm, startTime: '1', ppid: 1, cmdline: [], uid: 0, namespaces: { ipc: null, pid: null, net: null, mnt: null }, state: 'S' });
const processes = [process(812, 'app'), process(930, 'backup'), process(940, 'late')];

const held = (objectId: string, ...threads: ThreadRef[]): Alternative => ({ objectId, event: 'unlock', threads });
const wait = (pid: number, tid: number, clauses: Clause[], more: Partial<Wait> = {}): Wait =>
  ({ pid, tid, threadComm: tid === pid ? processes.find(it => it.pid === pid)?.comm ?? '?' : `worker-${tid - pid}`, operation: 'pthread_mutex_lock', verdict: 'waiting', evidence: [], clauses, objectId: clauses[0]?.alternatives[0]?.objectId, ...more });
const judged = (waits: Wait[], threads: [number, number[]][] = []): { verdicts: string[]; findings: readonly Finding[] } => {
  const answer = judge({ waits, threads: new Map(threads), processes, objects });
  return { verdicts: answer.waits.map(it => it.verdict), findings: answer.findings };
};

const first = wait(812, 813, [{ alternatives: [held('0x55aa40', { pid: 812, tid: 812 })] }]);
const second = wait(812, 812, [{ alternatives: [held('flock-lock:1:2', { pid: 930 })] }], { operation: 'flock' });
const third = wait(930, 930, [{ alternatives: [held('0x55aa80', { pid: 812, tid: 813 })] }]);

describe('judging waits', () => {
  it('says nothing about no waits at all', () => {
    assert.deepEqual(judged([]), { verdicts: [], findings: [] });
  });

  it('explains a ring over two processes link by link, with who holds what', () => {
    const { verdicts, findings } = judged([first, second, third], [[812, [812, 813]], [930, [930]]]);
    assert.deepEqual(verdicts, ['deadlocked', 'deadlocked', 'deadlocked']);
    assert.equal(findings.length, 1);
    assert.deepEqual(findings[0]?.chain, [{ pid: 812, tid: 812, objectId: 'flock-lock:1:2' }, { pid: 930, tid: 930, objectId: '0x55aa80' }, { pid: 812, tid: 813, objectId: '0x55aa40' }]);
    assert.equal(findings[0]?.explanation,
      'app (812) waits for a flock lock on /var/lib/app.db held by backup (930). backup waits for mutex 0x55aa80 held by thread worker-1 (812/813). Thread worker-1 waits for mutex 0x55aa40 held by app. None of them can go on.');
  });

  it('does not call it a deadlock when one more thread of the holder runs', () => {
    assert.deepEqual(judged([first, second, third], [[812, [812, 813]], [930, [930, 931]]]), { verdicts: ['waiting', 'waiting', 'waiting'], findings: [] });
  });

  it('does not call it a deadlock when the holder was not looked at', () => {
    assert.deepEqual(judged([first, second, third], [[812, [812, 813]]]).findings, []);
  });

  it('finds a thread that locks its own mutex again', () => {
    const { findings } = judged([wait(930, 930, [{ alternatives: [held('0x55aa40', { pid: 930, tid: 930 })] }])]);
    assert.equal(findings[0]?.explanation, 'backup (930) waits for mutex 0x55aa40 held by backup. It can never go on.');
  });

  it('keeps a limited wait in the ring apart: deadlocked until the time limit', () => {
    const { verdicts, findings } = judged([first, second, { ...third, timeout: '5 s' }], [[812, [812, 813]], [930, [930]]]);
    assert.deepEqual(new Set(verdicts), new Set(['deadlocked-until-timeout']));
    assert.match(findings[0]?.explanation ?? '', /\(for at most 5 s\) held by/);
  });

  it('suspects where a gap stands for holders, and names the gap', () => {
    const gapped = { ...second, clauses: second.clauses.map(clause => ({ ...clause, gaps: ['gap:fdinfo'] })) };
    const { verdicts, findings } = judged([first, gapped, third], [[812, [812, 813]], [930, [930]]]);
    assert.deepEqual(new Set(verdicts), new Set(['suspected']));
    assert.deepEqual(findings[0]?.gaps, ['gap:fdinfo']);
  });

  it('never builds a finding on a clause of which nothing but a gap is known', () => {
    assert.deepEqual(judged([wait(930, 930, [{ alternatives: [], gaps: ['gap:holder'] }])]).findings, []);
  });

  it('calls a wait for an owner who is gone orphaned, together with those behind it', () => {
    const { verdicts, findings } = judged([wait(930, 930, [{ alternatives: [] }]), wait(940, 940, [{ alternatives: [held('flock-lock:1:2', { pid: 930, tid: 930 })] }])]);
    assert.deepEqual(verdicts, ['orphaned', 'orphaned']);
    assert.deepEqual(findings[0]?.chain.map(link => link.tid), [930]);
    assert.match(findings[0]?.explanation ?? '', /1 more thread waits behind them\. Nobody alive can release it\./);
  });

  it('calls a wait for a stopped holder behind-stopped, and not the holder', () => {
    const { verdicts, findings } = judged([wait(930, 930, [{ alternatives: [held('0x55aa40', { pid: 812, tid: 812 })] }]), wait(812, 812, [], { operation: 'stopped', stopped: true })]);
    assert.deepEqual(verdicts, ['behind-stopped', 'waiting']);
    assert.deepEqual(findings[0]?.threads, [{ pid: 930, tid: 930 }]);
    assert.equal(findings[0]?.explanation, 'backup (930) waits for mutex 0x55aa40 held by app (812). app is stopped. They go on only after the stopped thread is continued.');
  });

  it('does not suspect a circle where somebody stopped is waited for, but for a gap', () => {
    // A parent with a handler for SIGALRM in waitpid for a child that is stopped: no circle, and the signal may end it.
    const { verdicts, findings } = judged([wait(930, 930, [{ alternatives: [held('0x55aa40', { pid: 812, tid: 812 })], gaps: ['gap:SIGALRM'] }]), wait(812, 812, [], { operation: 'stopped', stopped: true })]);
    assert.deepEqual(verdicts, ['behind-stopped', 'waiting']);
    assert.deepEqual(findings[0]?.gaps, ['gap:SIGALRM']);
    assert.match(findings[0]?.explanation ?? '', /app is stopped\. They go on only after the stopped thread is continued, unless somebody who could not be seen acts/);
  });

  it('keeps the deadlock of threads that a debugger stopped afterwards', () => {
    const { verdicts } = judged([first, second, third].map(it => ({ ...it, stopped: true })), [[812, [812, 813]], [930, [930]]]);
    assert.deepEqual(new Set(verdicts), new Set(['deadlocked']));
  });

  it('says nothing of a stopped process that nobody waits for', () => {
    assert.deepEqual(judged([wait(812, 812, [], { stopped: true })]), { verdicts: ['waiting'], findings: [] });
  });

  it('counts the threads behind a deadlock without putting them into the chain', () => {
    const behind = wait(940, 940, [{ alternatives: [held('0x55aa40', { pid: 812, tid: 812 })] }]);
    const { findings } = judged([first, second, third, behind], [[812, [812, 813]], [930, [930]]]);
    assert.equal(findings.length, 1);
    assert.equal(findings[0]?.threads.length, 4);
    assert.equal(findings[0]?.chain.length, 3);
  });

  it('tells two rings that have nothing in common apart', () => {
    const ring = (a: number, b: number): Wait[] => [wait(a, a, [{ alternatives: [held(`m${b}`, { pid: b, tid: b })] }]), wait(b, b, [{ alternatives: [held(`m${a}`, { pid: a, tid: a })] }])];
    assert.deepEqual(judged([...ring(1, 2), ...ring(3, 4)]).findings.map(finding => finding.threads.map(thread => thread.tid)), [[1, 2], [3, 4]]);
  });

  it('chooses the short ring where a thread waits for several things at once', () => {
    const both = wait(1, 1, [{ alternatives: [held('x', { pid: 3, tid: 3 }, { pid: 2, tid: 2 })] }, { alternatives: [held('y', { pid: 2, tid: 2 })] }]);
    const waits = [both, wait(2, 2, [{ alternatives: [held('a', { pid: 1, tid: 1 })] }]), wait(3, 3, [{ alternatives: [held('a', { pid: 1, tid: 1 })] }])];
    assert.deepEqual(judged(waits).findings[0]?.chain.map(link => link.tid), [1, 2]);
  });

  it('cuts the words of a ring of a thousand threads, never its members', () => {
    const waits = Array.from({ length: 1000 }, (_, i) => wait(5000 + i, 5000 + i, [{ alternatives: [held('m', { pid: 5000 + (i + 1) % 1000, tid: 5000 + (i + 1) % 1000 })] }]));
    const { findings } = judged(waits);
    assert.equal(findings[0]?.threads.length, 1000);
    assert.equal(findings[0]?.chain.length, 1000);
    assert.match(findings[0]?.explanation ?? '', /goes on over 988 more threads/);
  });

  it('chooses a short ring over a long one where each names one thread', () => {
    // 1 → 2 → … → 9 → 1 by the first clause of each; 3 waits for 1 as well: the ring is 1, 2, 3.
    const waits = Array.from({ length: 9 }, (_, i) => wait(i + 1, i + 1, [
      { alternatives: [held('m', { pid: (i + 1) % 9 + 1, tid: (i + 1) % 9 + 1 })] },
      ...i === 2 ? [{ alternatives: [held('n', { pid: 1, tid: 1 })] }] : [],
    ]));
    const { findings } = judged(waits);
    assert.deepEqual(findings.map(finding => finding.chain.map(link => link.tid)), [[1, 2, 3]]);
    assert.equal(findings[0]?.threads.length, 9);
    assert.match(findings[0]?.explanation ?? '', /6 more threads wait behind them/);
  });

  it('cuts a chain of more threads than anybody follows, says so, and names all threads', () => {
    const size = 12_345;
    const { findings } = judged(Array.from({ length: size }, (_, i) => wait(5000 + i, 5000 + i, [{ alternatives: [held('m', { pid: 5000 + (i + 1) % size, tid: 5000 + (i + 1) % size })] }])));
    assert.equal(findings[0]?.threads.length, size);
    assert.equal(findings[0]?.chain.length, 10_000);
    assert.match(findings[0]?.explanation ?? '', /goes on over 12333 more threads/);
  });

  it('tells no more than a thousand findings link by link, and all of them', () => {
    const { findings } = judged(Array.from({ length: 2400 }, (_, i) => wait(5000 + i, 5000 + i, [{ alternatives: [held('m', { pid: 5000 + (i ^ 1), tid: 5000 + (i ^ 1) })] }])));
    assert.equal(findings.length, 1200);
    assert.match(findings[999]?.explanation ?? '', /waits for/);
    assert.equal(findings[1000]?.explanation, 'One of too many findings to tell each in words: see its chain of 2 threads. None of them can go on.');
    assert(findings.every(({ chain, threads }) => chain.length === 2 && threads.length === 2));
  });
});
