// Every wait that glibc (and musl, where it says enough) builds on futexes, by real threads and processes: recognised with object,
// operation, limit and who can end it; deadlocks with exactly their members; and what only looks like one.
import { strict as assert } from 'node:assert';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Snapshot } from '../../native-probe/model';
import type { Actor, Stage } from './actors';
import { end, look, read, stageOf, standing, threadsOf, waitOf } from './actors';
import { canBecomeOrdinary, hasCompiler, isRoot, ordinaryUser, Program, scratchDirectory, until } from './harness';
import { skip } from '../skip';

interface Situation {
  readonly script: readonly string[];
  /** The actor in question; 0 unless told. */
  readonly who?: number;
  readonly operation: string;
  readonly kind?: string;
  /** Actors that alone can end it, or (in a list) processes of which any thread can. */
  readonly by?: number | readonly number[];
  readonly timed?: true;
  /** It is not closed: a gap or something external stands in it. `unlessRoot`: only for those who may not read all. */
  readonly open?: 'gap' | 'external' | 'gap-unless-root';
}

const situations: Readonly<Record<string, Situation>> = {
  'a private semaphore': { script: ['0 . sem:s0', '0 . pause'], operation: 'sem_wait', kind: 'posix-unnamed-semaphore', by: [0] },
  'a semaphore with a time limit': { script: ['0 . timedsem:s0'], operation: 'sem_timedwait', kind: 'posix-unnamed-semaphore', by: [0], timed: true, open: 'external' },
  'a semaphore with a time limit by another clock': { script: ['0 . clocksem:s0'], operation: 'sem_clockwait', kind: 'posix-unnamed-semaphore', by: [0], timed: true, open: 'external' },
  'a semaphore in anonymous shared memory': { script: ['0 . sem:a.s0', '1 . pause'], operation: 'sem_wait', kind: 'posix-unnamed-semaphore', by: [0, 1] },
  'a semaphore in a shared file': { script: ['0 . sem:f.s0', '1 . pause'], operation: 'sem_wait', kind: 'posix-unnamed-semaphore', by: [0, 1], open: 'gap' },
  'a semaphore in POSIX shared memory': { script: ['0 . sem:h.s0', '1 . pause'], operation: 'sem_wait', kind: 'posix-unnamed-semaphore', by: [0, 1], open: 'gap' },
  'a semaphore in unlinked POSIX shared memory': { script: ['0 . sem:u.s0', '1 . pause'], operation: 'sem_wait', kind: 'posix-unnamed-semaphore', by: [0, 1], open: 'gap-unless-root' },
  'a semaphore in a System V segment': { script: ['0 . sem:v.s0', '1 . pause'], operation: 'sem_wait', kind: 'posix-unnamed-semaphore', by: [0, 1], open: 'gap' },
  'a named semaphore': { script: ['0 . sem:n.s0', '1 . pause'], operation: 'sem_wait', kind: 'posix-semaphore', by: [0, 1], open: 'gap' },
  'an unlinked named semaphore': { script: ['0 . sem:x.s0', '1 . pause'], operation: 'sem_wait', kind: 'posix-semaphore', by: [0, 1], open: 'gap-unless-root' },
  'one of two waiters for a semaphore': { script: ['0 . sem:s0', '0 . sem:s0', '0 . pause'], who: 1, operation: 'sem_wait', kind: 'posix-unnamed-semaphore', by: [0] },
  'a condition variable': { script: ['0 . cond:c0,m0', '0 . pause'], operation: 'pthread_cond_wait', kind: 'condition-variable', by: [0] },
  'one of three waiters for a condition variable': { script: ['0 . cond:c0,m0', '0 . cond:c0,m0', '0 . cond:c0,m0'], who: 2, operation: 'pthread_cond_wait', kind: 'condition-variable', by: [0] },
  'a condition variable with a time limit': { script: ['0 . timedcond:c0,m0'], operation: 'pthread_cond_timedwait', kind: 'condition-variable', by: [0], timed: true, open: 'external' },
  'a condition variable that counts by CLOCK_MONOTONIC': { script: ['0 . timedcond:c1,m0'], operation: 'pthread_cond_timedwait', kind: 'condition-variable', by: [0], timed: true, open: 'external' },
  'a condition variable with a limit by another clock than its own': { script: ['0 . clockcond:c0,m0'], operation: 'pthread_cond_clockwait', kind: 'condition-variable', by: [0], timed: true, open: 'external' },
  'a process-shared condition variable': { script: ['0 . cond:a.c0,a.m0', '1 . cond:a.c0,a.m0', '2 . pause'], operation: 'pthread_cond_wait', kind: 'condition-variable', by: [0, 1, 2] },
  'a condition variable in a file': { script: ['0 . cond:f.c0,f.m0'], operation: 'pthread_cond_wait', kind: 'condition-variable', by: [0], open: 'gap' },
  'a read lock behind a writer': { script: ['0 . rd:r0', '0 wr:r0 . pause'], operation: 'pthread_rwlock_rdlock', kind: 'rwlock', by: 1 },
  'a write lock behind a writer': { script: ['0 . wr:r0', '0 wr:r0 . pause'], operation: 'pthread_rwlock_wrlock', kind: 'rwlock', by: 1 },
  'a write lock behind a reader': { script: ['0 . wr:r0', '0 rd:r0 . pause', '0 rd:r0 . pause'], operation: 'pthread_rwlock_wrlock', kind: 'rwlock', by: [0] },
  'a read lock behind a preferred writer': { script: ['0 . queued:r3 rd:r3', '0 rd:r3 . pause', '0 . wr:r3'], operation: 'pthread_rwlock_rdlock', kind: 'rwlock', by: [0] },
  'a write lock behind a writer that waits for readers': { script: ['0 . queued:r0 wr:r0', '0 rd:r0 . pause', '0 . wr:r0'], operation: 'pthread_rwlock_wrlock', kind: 'rwlock', by: [0] },
  'a read lock with a time limit': { script: ['0 . timedrd:r0', '0 wr:r0 . pause'], operation: 'pthread_rwlock_timedrdlock', kind: 'rwlock', by: 1, timed: true },
  'a write lock with a time limit': { script: ['0 . timedwr:r0', '0 wr:r0 . pause'], operation: 'pthread_rwlock_timedwrlock', kind: 'rwlock', by: 1, timed: true },
  'a write lock with a limit by another clock': { script: ['0 . clockwr:r0', '0 wr:r0 . pause'], operation: 'pthread_rwlock_clockwrlock', kind: 'rwlock', by: 1, timed: true },
  'a process-shared write lock held by another process': { script: ['0 . wr:a.r0', '1 wr:a.r0 . pause'], operation: 'pthread_rwlock_wrlock', kind: 'rwlock', by: 1 },
  'a write lock in a file, held for reading': { script: ['0 . wr:f.r0', '1 rd:f.r0 . pause'], operation: 'pthread_rwlock_wrlock', kind: 'rwlock', by: [0, 1], open: 'gap' },
  'a barrier that one is missing at': { script: ['0 . barrier:b0', '0 . pause'], operation: 'pthread_barrier_wait', kind: 'barrier', by: [0] },
  'a barrier of two processes': { script: ['0 . barrier:a.b0', '1 . pause'], operation: 'pthread_barrier_wait', kind: 'barrier', by: [0, 1] },
  'the end of a thread': { script: ['0 . join:1', '0 . pause'], operation: 'pthread_join', by: 1 },
  'the end of the first thread': { script: ['0 . pause', '0 . join:0'], who: 1, operation: 'pthread_join', by: 0 },
  'the end of a thread with a time limit': { script: ['0 . timedjoin:1', '0 . pause'], operation: 'pthread_timedjoin_np', by: 1, timed: true },
  'the end of a thread with a limit by another clock': { script: ['0 . clockjoin:1', '0 . pause'], operation: 'pthread_clockjoin_np', by: 1, timed: true },
  'the routine of pthread_once': { script: ['0 . once:o0', '0 once:o0 . pause'], operation: 'pthread_once', kind: 'futex', by: [0] },
  'the lock of a FILE': { script: ['0 . file:0', '0 file:0 . pause'], operation: 'flockfile', kind: 'futex', by: 1 },
  'a mutex': { script: ['0 . lock:m0', '0 lock:m0 . pause'], operation: 'pthread_mutex_lock', kind: 'mutex', by: 1 },
  'a futex of unknown kind': { script: ['0 . futex:w0', '0 . pause'], operation: 'futex', kind: 'futex', by: [0], open: 'external' },
  'a futex of unknown kind in shared memory': { script: ['0 . futex:a.w0', '1 . pause'], operation: 'futex', kind: 'futex', by: [0, 1], open: 'external' },
  'several futexes': { script: ['0 . waitv:w0', '0 . pause'], operation: 'futex_waitv', by: [0, 0], open: 'external' },
  'several futexes with a time limit': { script: ['0 . waitv:a.w0,limit', '1 . pause'], operation: 'futex_waitv', by: [0, 1, 0, 1], timed: true, open: 'external' },
};

function claims(user: number | undefined): void {
  let stage: Stage | undefined;
  const start = async (script: readonly string[], options?: Parameters<typeof stageOf>[2]): Promise<Stage> => (stage = await stageOf(script, user, options));
  afterEach(async () => {
    const ended = stage;
    stage = undefined;
    if (ended) await end(ended);
  });
  const ordinary = user !== undefined || !isRoot;

  for (const [name, { script, who = 0, operation, kind, by, timed, open }] of Object.entries(situations)) {
    it(`${operation}: a thread waits for ${name}`, async () => {
      const { actors } = await start(script);
      const snapshot = look(stage, user);
      const wait = waitOf(snapshot, actors[who]);
      assert(wait, 'its wait is not there');
      assert.equal(wait.operation, operation, wait.evidence.join('; '));
      const object = snapshot.objects.find(each => each.id === wait.objectId);
      assert.equal(object?.kind, kind);
      const pidOf = (index: number): string => String(actors[index]?.pid);
      if (typeof by === 'number') assert.deepEqual(threadsOf(wait), [`${actors[by]?.pid}/${actors[by]?.tid}`]);
      else if (by) assert.deepEqual(threadsOf(wait).sort(), by.map(pidOf).sort());
      if (timed) assert.match(wait.timeout ?? '', /^(CLOCK_MONOTONIC \d|\d{4}-)/);
      else assert.equal(wait.timeout, undefined);
      const [clause] = wait.clauses;
      assert.equal(clause?.external !== undefined, open === 'external', clause?.external);
      assert.equal((clause?.gaps ?? []).length > 0, open === 'gap' || (open === 'gap-unless-root' && ordinary), clause?.gaps?.join());
      assert(snapshot.findings.every(finding => finding.verdict !== 'deadlocked' || !(script.some(actor => actor.endsWith('pause')))));
    });
  }

  it('the states of the objects are those of the memory', async () => {
    const { actors } = await start(['0 . sem:s0', '0 . cond:c0,m0', '0 rd:r0 . pause', '0 . wr:r0', '0 . barrier:b1', '0 . barrier:b1', '0 wr:r1 . rd:r0', '0 lock:m3 . sem:s0']);
    const { objects, handles } = look(stage, user);
    const stateOf = (kind: string): unknown => { const state = objects.find(object => object.kind === kind && object.id.startsWith('futex:'))?.state; return state && { ...state, address: undefined }; };
    assert.deepEqual(stateOf('posix-unnamed-semaphore'), { address: undefined, value: 0, waiters: 2, shared: false });
    assert.deepEqual(stateOf('condition-variable'), { address: undefined, waiters: 1, shared: false });
    assert.deepEqual(stateOf('barrier'), { address: undefined, count: 3, waiting: 2, shared: false });
    assert.equal((stateOf('rwlock') as { readers: number }).readers >= 1, true);
    const robust = objects.find(object => object.kind === 'mutex' && object.state.robust === true);
    assert(robust, 'a robust mutex that nobody waits for is named, because its holder is blocked');
    assert(handles.some(handle => handle.objectId === robust.id && handle.via === 'owner' && handle.tid === actors[7]?.tid));
  });

  it('a named semaphore is the same object as its file', async () => {
    const { actors } = await start(['0 . sem:n.s0', '1 . pause']);
    const snapshot = look(stage, user);
    const semaphore = snapshot.objects.find(object => object.id === waitOf(snapshot, actors[0])?.objectId);
    assert.equal(semaphore?.name, `/${basename(stage?.directory ?? '')}-n0`);
    assert.equal(snapshot.objects.filter(object => object.name === semaphore?.name).length, 1);
  });

  /** What is stuck together: actors of each finding. */
  const deadlocks: Readonly<Record<string, { script: readonly string[]; members: readonly number[]; verdict?: 'deadlocked-until-timeout' | 'orphaned' | 'suspected'; ordinary?: 'suspected'; gone?: readonly number[] }>> = {
    'a process that waits for a condition nobody can signal': { script: ['0 . cond:c0,m0'], members: [0] },
    'two threads that wait for each other\'s semaphores': { script: ['0 . sem:s0', '0 . sem:s1'], members: [0, 1] },
    'a mutex and a write lock crosswise, while others sleep': { script: ['0 lock:m0 . wr:r0', '0 wr:r0 . lock:m0', '0 . pause'], members: [0, 1] },
    'two write locks crosswise in a file': { script: ['0 wr:f.r0 . wr:f.r1', '1 wr:f.r1 . wr:f.r0'], members: [0, 1] },
    'a writer that joins its reader': { script: ['0 wr:r0 . join:1', '0 . rd:r0', '0 . pause'], members: [0, 1] },
    'a thread that joins who wants its mutex': { script: ['0 lock:m0 . join:1', '0 . lock:m0', '0 . pause'], members: [0, 1] },
    'a FILE and a mutex crosswise': { script: ['0 file:0 . lock:m0', '0 lock:m0 . file:0', '0 . pause'], members: [0, 1] },
    'two FILEs crosswise': { script: ['0 file:0 . file:1', '0 file:1 . file:0'], members: [0, 1] },
    'a pthread_once whose routine wants the caller\'s mutex': { script: ['0 lock:m0 . once:o0', '0 once:o0 . lock:m0'], members: [0, 1] },
    'a barrier whose missing party wants a mutex of one who arrived': { script: ['0 lock:m0 . barrier:b0', '0 . lock:m0'], members: [0, 1] },
    'a reader and a writer crosswise with a mutex': { script: ['0 rd:r0 . lock:m0', '0 lock:m0 . wr:r0'], members: [0, 1] },
    'a thread that wants to write what it reads': { script: ['0 rd:r0 . wr:r0'], members: [0] },
    'a reader that reads again behind a preferred writer': { script: ['0 rd:r3 . queued:r3 rd:r3', '0 . wr:r3'], members: [0, 1] },
    'two processes that wait for semaphores in anonymous memory': { script: ['0 . sem:a.s0', '1 . sem:a.s1'], members: [0, 1] },
    'two processes that wait for one condition': { script: ['0 . cond:a.c0,a.m0', '1 . cond:a.c0,a.m0'], members: [0, 1] },
    'a barrier of two processes and a semaphore': { script: ['0 . barrier:a.b0', '1 . sem:a.s0'], members: [0, 1] },
    'a write lock and a flock lock over two processes': { script: ['0 wr:a.r0 . flock:x', '1 flock:x . wr:a.r0', '2 . pause'], members: [0, 1] },
    'a ring of mutex, write lock and flock lock over three processes': { script: ['0 lock:a.m0 . wr:a.r0', '1 wr:a.r0 . flock:x', '2 flock:x . lock:a.m0', '3 . pause'], members: [0, 1, 2] },
    'a ring over six processes': { script: ['0 lock:a.m0 . lock:v.m0', '1 lock:v.m0 . lock:f.m3', '2 lock:f.m3 . wr:h.r0', '3 wr:h.r0 . rd:f.r1', '4 wr:f.r1 . flock:x', '5 flock:x . lock:a.m0'], members: [0, 1, 2, 3, 4, 5] },
    'a joiner, a flock lock and a read lock over two processes': { script: ['0 wr:a.r0 . join:1', '0 . flock:x', '1 flock:x . rd:a.r0'], members: [0, 1, 2] },
    'waiters behind a deadlock': { script: ['0 lock:m0 . wr:r0', '0 wr:r0 . lock:m0', '0 . rd:r0', '0 . join:2'], members: [0, 1, 2, 3] },
    'a write lock in a ring with a time limit': { script: ['0 wr:r0 . timedwr:r1', '0 wr:r1 . wr:r0'], members: [0, 1], verdict: 'deadlocked-until-timeout' },
    'an unlinked named semaphore each': { script: ['0 . sem:x.s0', '1 . sem:x.s0'], members: [0, 1], ordinary: 'suspected' },
    'a write lock whose owner exited': { script: ['0 . wr:a.r0', '1 wr:a.r0 . exit'], members: [0], verdict: 'orphaned', gone: [1] },
    'a write lock whose owning thread ended': { script: ['0 . wr:r0', '0 wr:r0 . thread-exit'], members: [0], verdict: 'orphaned', gone: [1] },
    'a barrier that two candidates are missing at, one of them stuck': { script: ['0 lock:m0 . barrier:b2', '0 . barrier:b2', '0 . lock:m0', '0 . pause'], members: [0, 1, 2], verdict: 'suspected' },
  };
  for (const [name, { script, members, verdict = 'deadlocked', ordinary: weaker, gone }] of Object.entries(deadlocks)) {
    it(`${verdict}: ${name}`, async () => {
      const { actors } = await start(script, gone ? { gone } : {});
      const expected = ordinary ? weaker ?? verdict : verdict;
      const snapshot = look(stage, user, expected === 'suspected' ? 0 : 3);
      const told = [...new Set(snapshot.findings.map(finding => finding.verdict))];
      assert.deepEqual(told, [expected], JSON.stringify(snapshot.waits.map(wait => [wait.operation, wait.verdict, wait.evidence, wait.clauses]), null, 1));
      const stuck = snapshot.findings.flatMap(finding => finding.threads.map(({ pid, tid }) => `${pid}/${tid}`)).sort();
      assert.deepEqual(stuck, members.map(index => `${actors[index]?.pid}/${actors[index]?.tid}`).sort());
      for (const finding of snapshot.findings) assert.equal(finding.gaps.length > 0, expected === 'suspected');
    });
  }

  /** No finding at all, or a suspicion with its reason. */
  const lookAlikes: Readonly<Record<string, { script: readonly string[]; suspected?: RegExp; gone?: readonly number[] }>> = {
    'a semaphore that a sleeping thread may post': { script: ['0 . sem:s0', '0 . pause'] },
    'a semaphore that a signal handler may post': { script: ['0 catch:10 . sem:s0'], suspected: /catches SIGUSR1: a handler may call sem_post/ },
    'a condition that a sleeping thread may signal': { script: ['0 . cond:c0,m0', '0 . cond:c0,m0', '0 . pause'] },
    'a semaphore that a sleeping process maps': { script: ['0 . sem:a.s0', '1 . sem:a.s1', '2 . pause'] },
    'a semaphore that a sleeping child inherited': { script: ['0 fork . sem:a.s0'] },
    'a private semaphore whose memory a process made by CLONE_VM shares': { script: ['0 vm . sem:s0'] },
    'a semaphore in POSIX shared memory': { script: ['0 . sem:h.s0', '1 . sem:h.s0'], suspected: /by name can act on it/ },
    'a named semaphore': { script: ['0 . sem:n.s0'], suspected: /by name can act on it/ },
    'a semaphore in a System V segment': { script: ['0 . sem:v.s0'], suspected: /rights on System V segment/ },
    'a condition variable in a file': { script: ['0 . cond:f.c0,f.m0'], suspected: /may open the file/ },
    'a write lock held by a thread that sleeps': { script: ['0 . wr:r0', '0 wr:r0 . pause', '0 . rd:r0'] },
    'a write lock behind a reader that sleeps': { script: ['0 . wr:r0', '0 rd:r0 . pause'] },
    'a write lock behind two readers of which one is stuck': { script: ['0 lock:m0 . wr:r0', '0 rd:r0 . lock:m0', '0 rd:r0 . pause'] },
    'a barrier that a sleeping thread may come to': { script: ['0 lock:m0 . barrier:b0', '0 . lock:m0', '0 . pause'] },
    'a join of a thread that sleeps': { script: ['0 lock:m0 . join:1', '0 . pause', '0 . lock:m0'] },
    'a routine of pthread_once that sleeps': { script: ['0 once:o0 . pause', '0 . once:o0'] },
    'a FILE whose owner sleeps': { script: ['0 file:0 . pause', '0 . file:0', '0 . join:1'] },
    'a futex of unknown kind': { script: ['0 . futex:w0'] },
    'several futexes': { script: ['0 . waitv:w0'] },
    'a futex of the program\'s own that looks like a semaphore': { script: ['0 . fake:w0'] },
    'a futex of the program\'s own that looks like a mutex of its own': { script: ['0 . mimic:w0'] },
    'a word like the guard of a static variable': { script: ['0 . guard:w0'] },
    'a semaphore with a time limit': { script: ['0 . timedsem:s0', '0 . sem:s1', '0 . cond:c0,m0'] },
    'a condition with a time limit': { script: ['0 . timedcond:c0,m0', '0 . cond:c1,m1'] },
    'a semaphore that was posted': { script: ['0 post:s0 . sem:s0 pause', '0 . sem:s1'] },
    'a write lock that was given back': { script: ['0 wr:r0 . unrw:r0 pause', '0 . wr:r0 pause'] },
    'a ring that a time limit and a sleeper interrupt': { script: ['0 wr:r0 . timedjoin:2', '0 . wr:r0', '0 . pause'] },
    'a semaphore beside a first thread that ended': { script: ['0 . thread-exit', '0 . sem:s0', '0 . pause'], gone: [0] },
  };
  for (const [name, { script, suspected, gone }] of Object.entries(lookAlikes)) {
    it(`not deadlocked: ${name}`, async () => {
      await start(script, gone ? { gone } : {});
      const snapshot = look(stage, user, 0);
      if (!suspected) { assert.deepEqual(snapshot.findings, []); return; }
      assert.deepEqual([...new Set(snapshot.findings.map(finding => finding.verdict))], ['suspected']);
      const reasons = snapshot.findings.flatMap(finding => finding.gaps).map(id => snapshot.gaps.find(gap => gap.id === id)?.reason ?? '');
      assert(reasons.some(reason => suspected.test(reason)), reasons.join('\n'));
    });
  }

  it('a waiter that was requeued is said to be, and concluded nothing from', async () => {
    const { actors } = await start(['0 requeue:w0 . pause']);
    const snapshot = look(stage, user, 0);
    const wait = snapshot.waits.find(each => each.pid === actors[0]?.pid && each.tid !== actors[0].tid);
    assert.equal(wait?.operation, 'futex');
    assert(wait.evidence.some(line => /requeued, or about to wake/.test(line)));
    assert(wait.clauses[0]?.external !== undefined);
  });

  it('a call by the 32-bit interface is not mistaken for the one that has its number', async function () {
    if (process.arch !== 'x64') skip(this, 'needs x86_64');
    const { actors } = await start(['0 . i386', '0 . sem:s0']);
    if (!read(`/proc/${actors[0]?.pid}/task/${actors[0]?.tid}/syscall`).startsWith('240 ')) skip(this, 'this kernel cannot run 32-bit calls');
    const snapshot = look(stage, user, 0);
    assert.equal(waitOf(snapshot, actors[0]), undefined);
    assert.equal(waitOf(snapshot, actors[1])?.operation, 'sem_wait');
  });
}

describe('waits that are built on futexes', function () {
  this.timeout(60_000);
  before(function () { if (!hasCompiler()) skip(this, 'needs a C compiler (cc)'); });
  after(() => Program.stopAll());

  describe(isRoot ? 'as root' : 'as the same user', () => { claims(undefined); });
  describe('as an ordinary user', () => {
    before(function () { if (!canBecomeOrdinary()) skip(this, 'needs root, and a user to become'); });
    claims(ordinaryUser);
  });

  it('threads and processes that keep waking each other are never a finding', async () => {
    const stage = await stageOf(['0 . churn:s0,0', '0 . churn:s0,1', '1 . churn:a.s0,0', '2 . churn:a.s0,1'], undefined, { busy: true });
    try {
      const seen = new Map<string, number>();
      for (let round = 0; round < 40; round++) {
        const { findings, waits } = look(stage, undefined, 0);
        assert.deepEqual(findings, []);
        for (const { operation } of waits) seen.set(operation, (seen.get(operation) ?? 0) + 1);
      }
      assert([...seen.keys()].some(operation => operation !== 'futex'), 'none of these waits was ever seen, so nothing was proved');
    } finally {
      await end(stage);
    }
  });

  it('a 32-bit process is said not to be understood', async function () {
    const program = join(scratchDirectory(), 'waits-32bit');
    const made = process.arch === 'x64' && spawnSync('gcc', ['-m32', '-nostdlib', '-static', '-ffreestanding', '-fno-pic', '-no-pie', '-fno-stack-protector', '-o', program, resolve(__dirname, '..', 'fixtures', 'waits-32bit.c')]).status === 0;
    // Some kernels cannot run it.
    if (!made || spawnSync(program, { timeout: 500 }).error?.message.includes('ETIMEDOUT') !== true) skip(this, 'needs x86_64, gcc -m32 and a kernel that runs 32-bit programs');
    const running = Program.start(program);
    try {
      await running.line();
      await until(() => standing({ pid: running.pid, tid: running.pid }) !== undefined, 'it is blocked');
      const { waits, findings, gaps } = look({ program: running, actors: [], pids: [running.pid], directory: '' }, undefined, 0);
      assert.deepEqual([waits.filter(wait => wait.pid === running.pid), findings], [[], []]);
      assert(gaps.some(gap => gap.scope.pid === running.pid && /32-bit process/.test(gap.reason)));
    } finally {
      await running.stop();
    }
  });

  describe('of other languages', () => {
    const claim = (name: string, compiler: readonly string[], file: string, check: (snapshot: Snapshot, pid: number) => void): void => {
      it(name, async function () {
        const [command = '', ...flags] = compiler;
        if (spawnSync(command, ['--version']).status !== 0) skip(this, `needs ${command}`);
        const program = join(scratchDirectory(), file.replace('.', '-'));
        execFileSync(command, [...flags, '-o', program, resolve(__dirname, '..', 'fixtures', file)]);
        const running = Program.start(program);
        try {
          await running.line();
          const tids = (): Actor[] => readdirSync(`/proc/${running.pid}/task`).map(tid => ({ pid: running.pid, tid: Number(tid) }));
          await until(() => tids().every(thread => standing(thread)?.startsWith('202 ') === true), 'every thread is in futex');
          check(look({ program: running, actors: tids(), pids: [running.pid], directory: '' }, undefined), running.pid);
        } finally {
          await running.stop();
        }
      });
    };
    claim('C++: the guard of a static variable is recognised, an atomic wait is a futex of unknown kind', ['g++', '-std=c++20', '-pthread'], 'waits-cpp.cpp', (snapshot, pid) => {
      assert.deepEqual(snapshot.waits.map(wait => wait.operation).sort(), ['__cxa_guard_acquire', 'futex', 'pthread_join']);
      assert.deepEqual(snapshot.findings, []);
      const atomic = snapshot.waits.find(wait => wait.operation === 'futex');
      assert(atomic?.clauses[0]?.external !== undefined);
      assert.deepEqual(threadsOf(atomic), [String(pid)]);
    });
    claim('Rust: a contended Mutex and a Condvar are futexes of unknown kind, the join of a thread is recognised', ['rustc', '-C', 'debuginfo=0'], 'waits-rust.rs', (snapshot, pid) => {
      assert.deepEqual(snapshot.waits.map(wait => wait.operation).sort(), ['futex', 'futex', 'pthread_join']);
      assert.deepEqual(snapshot.findings, []);
      for (const wait of snapshot.waits.filter(each => each.operation === 'futex')) assert.deepEqual([threadsOf(wait), wait.clauses[0]?.external !== undefined], [[String(pid)], true]);
    });
  });

  describe('of musl', () => {
    for (const flags of [['-static'], []]) {
      describe(flags.length > 0 ? 'linked statically' : 'as a shared library', () => {
        let command = '';
        before(function () {
          if (spawnSync('musl-gcc', ['--version']).status !== 0) skip(this, 'needs musl-gcc (musl-tools)');
          command = join(scratchDirectory(), `waits-musl${flags.join('')}`);
          execFileSync('musl-gcc', ['-O0', '-pthread', ...flags, '-o', command, resolve(__dirname, '..', 'fixtures', 'waits-futex.c')]);
        });
        const claim = (name: string, script: readonly string[], check: (snapshot: Snapshot, actors: readonly Actor[]) => void): void => {
          it(name, async () => {
            const stage = await stageOf(script, undefined, { command });
            try { check(look(stage, undefined), stage.actors); } finally { await end(stage); }
          });
        };
        claim('a normal mutex, a semaphore and the end of a thread are recognised', ['0 lock:m0 . pause', '0 . lock:m0', '0 . sem:s0', '0 . join:0', '0 . timedsem:a.s1'], (snapshot, actors) => {
          assert.deepEqual([1, 2, 3, 4].map(index => waitOf(snapshot, actors[index])?.operation), ['pthread_mutex_lock', 'sem_wait', 'pthread_join', 'sem_timedwait']);
          const mutex = snapshot.objects.find(object => object.id === waitOf(snapshot, actors[1])?.objectId);
          assert(mutex?.kind === 'mutex' && mutex.state.type === 'normal' && mutex.state.owner === null && snapshot.gaps.some(gap => gap.scope.objectId === mutex.id));
          assert.deepEqual(snapshot.findings, []);
        });
        claim('a robust mutex names its owner', ['0 lock:m3 . pause', '0 . lock:m3'], (snapshot, actors) => {
          assert.deepEqual(threadsOf(waitOf(snapshot, actors[1]) ?? assert.fail()), [`${actors[0]?.pid}/${actors[0]?.tid}`]);
        });
        claim('two threads with two mutexes crosswise are deadlocked', ['0 lock:m0 . lock:m1', '0 lock:m1 . lock:m0'], ({ findings }) => {
          assert.deepEqual([...new Set(findings.map(finding => finding.verdict))], ['deadlocked']);
          assert.equal(findings.flatMap(finding => finding.threads).length, 2);
        });
        claim('a condition variable and a read-write lock are futexes of unknown kind', ['0 . cond:c0,m0', '0 wr:r0 . sem:s0', '0 . rd:r0'], (snapshot, actors) => {
          assert.deepEqual([0, 2].map(index => waitOf(snapshot, actors[index])?.operation), ['futex', 'futex']);
          assert.deepEqual(snapshot.findings, []);
        });
      });
    }
  });
});
