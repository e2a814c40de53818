// The fixpoint against a naive oracle on random AND-OR-threshold graphs, and the laws a verdict must obey.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type { Clause, Wait } from '../../native-probe/model';
import { judge } from '../../native-probe/analysis/deadlocks';
import type { Judgement } from '../../native-probe/analysis/deadlocks';
import { fixpoint } from '../../native-probe/analysis/fixpoint';
import { ThreadTable } from '../../native-probe/analysis/threadTable';
import { compileWaitGraph } from '../../native-probe/analysis/waitGraph';
import type { Assumption } from '../../native-probe/analysis/fixpoint';

interface Question { readonly waits: readonly Wait[]; readonly threads: ReadonlyMap<number, readonly number[]> }

const idOf = (pid: number, tid: number): string => `${pid}/${tid}`;

/** The definition, word for word, by going round until nothing changes. */
function oracle({ waits, threads }: Question, assume: Assumption): Set<string> {
  const waiting = new Set(waits.map(wait => idOf(wait.pid, wait.tid)));
  const can = new Set<string>();
  const threadCan = (pid: number, tid: number): boolean => !waiting.has(idOf(pid, tid)) || can.has(idOf(pid, tid));
  const refCan = (pid: number, tid: number | undefined): boolean => {
    if (tid !== undefined) return threadCan(pid, tid);
    const tids = threads.get(pid) ?? [];
    return tids.length === 0 || tids.some(each => threadCan(pid, each));
  };
  const satisfied = (clause: Clause): boolean => {
    if (clause.external !== undefined) return true;
    const possible = clause.alternatives.filter(alternative => alternative.threads.length > 0);
    if (clause.gaps?.length) { if (assume.gapsAct) return true; } else if (possible.length === 0) return assume.orphansAct;
    const came = possible.filter(alternative => alternative.threads.some(thread => refCan(thread.pid, thread.tid))).length;
    return came >= Math.min(clause.atLeast ?? 1, possible.length);
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const wait of waits) {
      if (can.has(idOf(wait.pid, wait.tid))) continue;
      if (wait.stopped && !assume.stoppedGoOn) continue;
      if (!(wait.timeout !== undefined && assume.timeoutsFire) && !wait.clauses.every(satisfied)) continue;
      can.add(idOf(wait.pid, wait.tid));
      changed = true;
    }
  }
  return can;
}

const ref = fc.record({ pid: fc.integer({ min: 1, max: 4 }), tid: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined, freq: 4 }) })
  .map(({ pid, tid }) => tid === undefined ? { pid } : { pid, tid: pid * 10 + tid });
const clause: fc.Arbitrary<Clause> = fc.record({
  alternatives: fc.array(fc.record({ event: fc.constant('unlock'), threads: fc.array(ref, { maxLength: 3 }) }), { maxLength: 3 }),
  external: fc.option(fc.constant('a person'), { nil: undefined, freq: 12 }),
  gaps: fc.option(fc.subarray(['g1', 'g2']), { nil: undefined, freq: 6 }),
  atLeast: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 3 }),
});
const question: fc.Arbitrary<Question> = fc.array(fc.record({
  thread: fc.record({ pid: fc.integer({ min: 1, max: 4 }), tid: fc.integer({ min: 0, max: 4 }) }),
  clauses: fc.array(clause, { maxLength: 3 }),
  timeout: fc.option(fc.constantFrom('5 s', null), { nil: undefined, freq: 8 }),
  stopped: fc.option(fc.constant(true), { nil: undefined, freq: 8 }),
}), { maxLength: 14 }).chain(list => {
  const unique = new Map(list.map(it => [it.thread.pid * 10 + it.thread.tid, it]));
  const waits = [...unique].map(([tid, it]): Wait => ({ pid: it.thread.pid, tid, threadComm: `t${tid}`, operation: 'futex', verdict: 'waiting', evidence: [], clauses: it.clauses, timeout: it.timeout, stopped: it.stopped }));
  // Processes with every thread blocked, with one more that runs, and ones never looked at.
  return fc.array(fc.constantFrom('blocked', 'running', 'unseen'), { minLength: 5, maxLength: 5 }).map(manner => {
    const threads = new Map<number, readonly number[]>();
    for (let pid = 1; pid <= 4; pid++) {
      const own = waits.filter(wait => wait.pid === pid).map(wait => wait.tid);
      if (manner[pid] !== 'unseen') threads.set(pid, manner[pid] === 'running' ? [...own, 999] : own);
    }
    return { waits, threads };
  });
});
const assumption: fc.Arbitrary<Assumption> = fc.record({ timeoutsFire: fc.boolean(), stoppedGoOn: fc.boolean(), gapsAct: fc.boolean(), orphansAct: fc.boolean() });

const judged = (it: Question): Judgement => judge({ ...it, processes: [], objects: [] });
const deadlocked = (it: Question): Set<string> => new Set(judged(it).waits.filter(wait => wait.verdict === 'deadlocked').map(wait => idOf(wait.pid, wait.tid)));
const subset = (inner: Set<string>, outer: Set<string>): boolean => [...inner].every(it => outer.has(it));
const changeClauses = (it: Question, change: (clause: Clause, index: number) => Clause): Question => {
  let index = 0;
  return { ...it, waits: it.waits.map(wait => ({ ...wait, clauses: wait.clauses.map(each => change(each, index++)) })) };
};

describe('the wait-for graph', () => {
  it('finds exactly the threads that a naive oracle finds, under every assumption', () => {
    fc.assert(fc.property(question, assumption, (it, assume) => {
      const { can } = fixpoint(compileWaitGraph(it.waits, it.threads), assume);
      const expected = oracle(it, assume);
      it.waits.forEach((wait, node) => assert.equal(can[node] === 1, expected.has(idOf(wait.pid, wait.tid)), idOf(wait.pid, wait.tid)));
    }), { numRuns: 2000 });
  });

  it('never gains a deadlock when a runnable waker is added', () => {
    fc.assert(fc.property(question, fc.nat(40), fc.boolean(), (it, which, asOwnAlternative) => {
      const waker = { pid: 77, tid: 770 };
      const more = changeClauses(it, (each, index) => {
        if (index !== which) return each;
        const [first, ...rest] = each.alternatives;
        return asOwnAlternative || !first ? { ...each, alternatives: [...each.alternatives, { event: 'unlock', threads: [waker] }] } : { ...each, alternatives: [{ ...first, threads: [...first.threads, waker] }, ...rest] };
      });
      assert(subset(deadlocked(more), deadlocked(it)));
    }), { numRuns: 1000 });
  });

  it('never gains a deadlock when something external may act', () => {
    fc.assert(fc.property(question, fc.nat(40), (it, which) => {
      assert(subset(deadlocked(changeClauses(it, (each, index) => index === which ? { ...each, external: 'a network peer' } : each)), deadlocked(it)));
    }), { numRuns: 1000 });
  });

  it('judges the same whatever the processes and threads are called', () => {
    fc.assert(fc.property(question, it => {
      const pid = (old: number): number => 5000 - old * 7;
      const tid = (old: number): number => 9000 - old * 3;
      const renamed: Question = {
        waits: it.waits.map(wait => ({ ...wait, pid: pid(wait.pid), tid: tid(wait.tid), clauses: wait.clauses.map(each => ({ ...each, alternatives: each.alternatives.map(one => ({ ...one, threads: one.threads.map(ref => ref.tid === undefined ? { pid: pid(ref.pid) } : { pid: pid(ref.pid), tid: tid(ref.tid) }) })) })) })),
        threads: new Map([...it.threads].map(([old, tids]) => [pid(old), tids.map(tid)])),
      };
      assert.deepEqual(judged(renamed).waits.map(wait => wait.verdict), judged(it).waits.map(wait => wait.verdict));
      assert.equal(judged(renamed).findings.length, judged(it).findings.length);
    }), { numRuns: 1000 });
  });

  it('finds a thread by both its numbers, and no other', () => {
    const id = fc.integer({ min: 1, max: 2 ** 22 });
    fc.assert(fc.property(fc.uniqueArray(fc.tuple(fc.oneof(fc.integer({ min: 1, max: 3 }), id), fc.oneof(fc.integer({ min: 1, max: 40 }), id)), { selector: String }), fc.tuple(id, id), (threads, other) => {
      const table = new ThreadTable(Int32Array.from(threads, ([pid]) => pid), Int32Array.from(threads, ([, tid]) => tid));
      threads.forEach(([pid, tid], row) => assert.equal(table.get(pid, tid), row));
      assert.equal(table.get(...other), threads.findIndex(thread => String(thread) === String(other)));
    }));
  });

  it('puts every stuck thread into exactly one finding of its verdict, and nobody else', () => {
    fc.assert(fc.property(question, it => {
      const { waits, findings } = judged(it);
      const told = findings.flatMap(finding => finding.threads.map(thread => `${finding.verdict} ${idOf(thread.pid, thread.tid)}`));
      const stuck = waits.filter(wait => wait.verdict !== 'waiting').map(wait => `${wait.verdict} ${idOf(wait.pid, wait.tid)}`);
      assert.deepEqual(told.sort(), stuck.sort());
      for (const finding of findings) {
        assert(finding.chain.length > 0);
        // Everybody in the chain is one of the stuck, or stopped.
        for (const link of finding.chain) assert(finding.threads.some(thread => thread.pid === link.pid && thread.tid === link.tid) || it.waits.some(wait => wait.tid === link.tid && wait.stopped), 'the chain is within the group');
        assert(finding.explanation.length > 0);
        if (finding.verdict === 'suspected') assert(finding.gaps.length > 0, 'a suspicion names its gaps');
      }
    }), { numRuns: 2000 });
  });
});
