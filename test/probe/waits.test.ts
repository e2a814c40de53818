// Real threads that block each other, and look-alikes that do not, as `ipc-probe waits` sees them: by root and by the programs' own ordinary user.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { syscallNumber } from '../../native-probe/kernel/syscalls';
import type { Finding, Snapshot } from '../../native-probe/model';
import { canBecomeOrdinary, fixture, hasCompiler, ipcProbe, isRoot, ordinaryUser, Program, scratchDirectory, until } from './harness';
import { skip } from '../skip';

/** Threads of these processes that are blocked in futex or flock. */
function blockedThreads(pids: readonly number[]): number {
  const calls = [syscallNumber('futex'), syscallNumber('flock')];
  return pids.flatMap(pid => existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`).map(tid => `/proc/${pid}/task/${tid}/syscall`) : [])
    .filter(path => { try { return calls.includes(Number(readFileSync(path, 'latin1').split(' ')[0])); } catch { return false; /* the thread just ended */ } }).length;
}

interface Running { readonly program: Program; readonly pids: readonly number[]; readonly directory: string }
let serial = 0;

/** The processes of a situation by its folder, as this PID namespace numbers them. */
function processesIn(directory: string): number[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name)).map(Number).filter(pid => {
    try { return readFileSync(`/proc/${pid}/cmdline`, 'latin1').endsWith(`\0${directory}\0`) && readFileSync(`/proc/${pid}/comm`, 'latin1') === 'waits\n'; } catch { return false; /* ended meanwhile */ }
  });
}

/** Starts a situation and waits until so many of its threads are blocked; -1: does not wait. */
async function situation(name: string, blocked: number, user: number | undefined): Promise<Running> {
  const directory = join(scratchDirectory(), `waits-${serial++}`);
  mkdirSync(directory);
  chmodSync(directory, 0o777);
  const program = Program.start(fixture('waits'), [name, directory], user === undefined ? {} : { user });
  const pids = (await program.line()).split(' ').map(Number).filter(pid => pid > 0);
  if (blocked >= 0) await until(() => blockedThreads(pids) === blocked, `${blocked} threads of "${name}" are blocked`);
  return { program, pids, directory };
}

function waitsOf(pids: readonly number[], user: number | undefined, status: number): Snapshot {
  const outcome = ipcProbe(['waits', '--json', '--pid', pids.join(',')], user === undefined ? {} : { user });
  assert.equal(outcome.status, status, outcome.stderr + outcome.stdout.slice(0, 2000));
  return JSON.parse(outcome.stdout) as Snapshot;
}

const objectKinds = (snapshot: Snapshot, finding: Finding): (string | undefined)[] => finding.chain.map(link => snapshot.objects.find(object => object.id === link.objectId)?.kind);
const pidsOf = (finding: Finding): number[] => finding.threads.map(thread => thread.pid);

function claims(user: number | undefined): void {
  let running: Running | undefined;
  const start = async (name: string, blocked: number): Promise<readonly number[]> => (running = await situation(name, blocked, user)).pids;
  afterEach(async () => {
    const ended = running;
    running = undefined;
    if (!ended) return;
    await ended.program.stop();
    await until(() => ended.pids.every(pid => !existsSync(`/proc/${pid}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))), 'every process of the situation is gone');
    rmSync(ended.directory, { recursive: true });
  });

  it('two processes that hold a shared mutex and a flock lock crosswise are deadlocked, and nobody else', async () => {
    const pids = await start('mutex-and-flock', 2);
    const snapshot = waitsOf(pids, user, 3);
    const [finding] = snapshot.findings;
    assert(finding);
    assert.equal(snapshot.findings.length, 1);
    assert.equal(finding.verdict, 'deadlocked');
    assert.deepEqual(pidsOf(finding), [...pids].sort((a, b) => a - b));
    assert.deepEqual(new Set(objectKinds(snapshot, finding)), new Set(['flock-lock', 'mutex']));
    assert.deepEqual(finding.gaps, []);
    assert.match(finding.explanation, new RegExp(`waits \\(${pids[0]}\\) waits for a flock lock on \\S+/a held by waits \\(${pids[1]}\\)\\.`));
    const lock = snapshot.objects.find(object => object.kind === 'flock-lock' && object.id === finding.chain.find(link => link.objectId?.startsWith('flock-lock:'))?.objectId);
    assert(lock?.kind === 'flock-lock' && lock.state.path?.endsWith('/a'));
    assert.deepEqual(lock.state.ranges.map(range => range.pid), [pids[1]]);
    assert(snapshot.handles.some(handle => handle.via === 'lock' && handle.objectId === lock.id && handle.pid === pids[1]));
    assert(snapshot.handles.some(handle => handle.via === 'owner' && handle.pid === pids[0] && handle.tid === pids[0]));
  });

  it('the table says so in words, and nothing moves while it is looked at', async () => {
    const pids = await start('mutex-and-flock', 2);
    const switches = (): string[] => pids.map(pid => /voluntary_ctxt_switches:.*$/ms.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[0] ?? '');
    const before = switches();
    const { status, stdout } = ipcProbe(['waits', '--pid', pids.join(',')], user === undefined ? {} : { user });
    assert.equal(status, 3);
    assert.match(stdout, /^DEADLOCKED: 2 threads\b.*\n├─ waits \d+: flock → a flock lock on /);
    assert.deepEqual(switches(), before);
  });

  it('is found from one of its processes alone: the other is followed', async () => {
    const pids = await start('mutex-and-flock', 2);
    assert.deepEqual(waitsOf(pids.slice(0, 1), user, 3).findings.map(pidsOf), [[...pids].sort((a, b) => a - b)]);
  });

  for (const type of ['private', 'recursive', 'errorcheck', 'adaptive', 'robust']) {
    it(`two threads that lock two ${type} mutexes crosswise are deadlocked`, async () => {
      const [pid = 0] = await start(type, 2);
      const snapshot = waitsOf([pid], user, 3);
      assert.deepEqual(snapshot.findings.map(finding => finding.verdict), ['deadlocked']);
      assert.equal(snapshot.findings[0]?.threads.length, 2);
      assert.match(snapshot.findings[0].explanation, /Thread left \(\d+\/\d+\) waits for mutex waits\+0x[0-9a-f]+ held by thread right/);
      const mutexes = snapshot.objects.filter(object => object.kind === 'mutex');
      assert.equal(mutexes.length, 2);
      // Static variables: where in the program they lie, as its own symbol table has it.
      const symbols = execFileSync('nm', [fixture('waits')], { encoding: 'utf8' });
      const places = ['first', 'second'].map(symbol => new RegExp(`^0*([0-9a-f]+) b ${symbol}$`, 'm').exec(symbols)?.[1] ?? assert.fail(symbol));
      assert.deepEqual(mutexes.map(({ name }) => name).sort(), places.map(place => `waits+0x${place}`).sort());
      for (const mutex of mutexes) assert.deepEqual([mutex.state.type, mutex.state.robust, mutex.state.shared], [type === 'private' || type === 'robust' ? 'normal' : type, type === 'robust', false]);
    });
  }

  it('a thread that locks its own normal mutex again is deadlocked with itself', async () => {
    const pids = await start('self', 1);
    const { findings } = waitsOf(pids, user, 3);
    assert.deepEqual(findings.map(finding => [finding.verdict, finding.threads.length]), [['deadlocked', 1]]);
  });

  for (const [name, kinds] of [['flocks', ['flock-lock', 'flock-lock']], ['sysv', ['mutex', 'mutex']], ['shared-robust', ['mutex', 'mutex']]] as const) {
    it(`two processes crosswise are deadlocked: ${name}`, async () => {
      const pids = await start(name, 2);
      const snapshot = waitsOf(pids, user, 3);
      const [finding] = snapshot.findings;
      assert(finding && snapshot.findings.length === 1);
      assert.deepEqual([finding.verdict, pidsOf(finding), objectKinds(snapshot, finding)], ['deadlocked', [...pids].sort((a, b) => a - b), kinds]);
      if (name === 'sysv') assert.match(finding.chain[0]?.objectId ?? '', /^futex:sysv:\d+:\d+\+\d+$/);
    });
  }

  it('a ring of a priority-inheriting mutex and a flock lock is deadlocked', async () => {
    const pids = await start('pi', 2);
    const snapshot = waitsOf(pids, user, 3);
    assert.deepEqual(snapshot.findings.map(finding => finding.verdict), ['deadlocked']);
    assert(snapshot.objects.some(object => object.kind === 'mutex' && object.state.pi === true && object.state.type === 'recursive'));
  });

  it('a waiter for two readers, one of which sleeps, is deadlocked all the same: it needs both', async () => {
    const pids = await start('mutex-and-two-readers', 2);
    const { findings, waits } = waitsOf(pids, user, 3);
    assert.deepEqual(findings.map(finding => [finding.verdict, pidsOf(finding)]), [['deadlocked', pids.slice(0, 2).sort((a, b) => a - b)]]);
    assert.equal(waits.find(wait => wait.operation === 'flock')?.clauses.length, 2);
  });

  it('a lock whose description a sleeping child inherited is no deadlock: the child may unlock it', async () => {
    const pids = await start('inherited-descriptor', 2);
    const { findings, waits } = waitsOf(pids, user, 0);
    assert.deepEqual(findings, []);
    assert.equal(waits.find(wait => wait.operation === 'flock')?.clauses[0]?.alternatives[0]?.threads.length, 2);
  });

  it('a holder with another thread that runs is no deadlock', async () => {
    assert.deepEqual(waitsOf(await start('sleeping-thread', 2), user, 0).findings, []);
  });

  it('a lock held by a process that sleeps is a wait and no deadlock', async () => {
    const pids = await start('held-by-a-sleeper', 1);
    const { findings, waits } = waitsOf(pids, user, 0);
    assert.deepEqual(findings, []);
    assert.deepEqual(waits.filter(wait => wait.operation !== 'pause').map(wait => [wait.pid, wait.operation, wait.verdict]), [[pids[0], 'flock', 'waiting']]);
  });

  it('a ring with a timed lock is deadlocked until its time limit, not for ever', async () => {
    const { findings, waits } = waitsOf(await start('timed', 2), user, 3);
    assert.deepEqual(findings.map(finding => finding.verdict), ['deadlocked-until-timeout']);
    const timeout = waits.find(wait => wait.operation === 'pthread_mutex_timedlock')?.timeout;
    assert(Math.abs(Date.parse(timeout ?? '') - Date.now() - 3_600_000) < 60_000, timeout ?? 'no time limit');
  });

  it('a ring whose flock a caught SIGALRM may end is only suspected', async () => {
    const pids = await start('alarm', 2);
    const { findings, gaps } = waitsOf(pids, user, 0);
    assert.deepEqual(findings.map(finding => finding.verdict), ['suspected']);
    assert.match(gaps.find(gap => gap.id === findings[0]?.gaps[0])?.reason ?? '', /catches SIGALRM/);
    assert.equal(ipcProbe(['waits', '--suspected', '--pid', pids.join(',')], user === undefined ? {} : { user }).status, 3);
  });

  it('a mutex whose owner exited is orphaned', async () => {
    const pids = await start('owner-exited', 1);
    assert.deepEqual(waitsOf(pids.slice(0, 1), user, 3).findings.map(finding => [finding.verdict, pidsOf(finding)]), [['orphaned', [pids[0]]]]);
  });

  it('a mutex whose owning thread ended is orphaned', async () => {
    assert.deepEqual(waitsOf(await start('owner-thread-ended', 1), user, 3).findings.map(finding => finding.verdict), ['orphaned']);
  });

  it('a robust mutex whose owner exited blocks nobody', async () => {
    const pids = await start('robust-owner-exited', 0);
    assert.deepEqual(waitsOf(pids.slice(0, 1), user, 0).waits.map(wait => wait.operation), ['pause']);
  });

  it('the only thread of a process that waits on a private condition variable is deadlocked: nobody else can signal it', async () => {
    const { findings, waits, objects } = waitsOf(await start('condition', 1), user, 3);
    assert.deepEqual(findings.map(finding => [finding.verdict, finding.threads.length]), [['deadlocked', 1]]);
    assert.equal(waits[0]?.operation, 'pthread_cond_wait');
    assert.equal(objects.find(object => object.id === waits[0]?.objectId)?.kind, 'condition-variable');
  });

  it('who waits for a stopped holder is behind a stopped thread, and free again when it is continued', async () => {
    const pids = await start('held-by-a-sleeper', 1);
    const holder = pids[1] ?? 0;
    // It sleeps, and no longer reads from the pipe by which the program lets it go on.
    await until(() => /^\d/.test(readFileSync(`/proc/${holder}/syscall`, 'latin1')) && !readFileSync(`/proc/${holder}/syscall`, 'latin1').startsWith(`${syscallNumber('read')} `), 'the holder sleeps');
    process.kill(holder, 'SIGSTOP');
    await until(() => /^State:\s+T/m.test(readFileSync(`/proc/${holder}/status`, 'latin1')), 'the holder is stopped');
    const { findings } = waitsOf(pids, user, 0);
    assert.deepEqual(findings.map(finding => [finding.verdict, pidsOf(finding)]), [['behind-stopped', [pids[0]]]]);
    assert.match(findings[0]?.explanation ?? '', /is stopped\./);
    process.kill(holder, 'SIGCONT');
    await until(() => !/^State:\s+T/m.test(readFileSync(`/proc/${holder}/status`, 'latin1')), 'the holder runs again');
    assert.deepEqual(waitsOf(pids, user, 0).findings, []);
  });

  it('a deadlock whose processes were stopped afterwards is still a deadlock', async () => {
    const pids = await start('mutex-and-flock', 2);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    await until(() => pids.every(pid => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))), 'both are stopped');
    assert.deepEqual(waitsOf(pids, user, 3).findings.map(finding => finding.verdict), ['deadlocked']);
  });

  it('a deadlock that was broken is no longer told', async () => {
    const pids = await start('held-by-a-sleeper', 1);
    process.kill(pids[1] ?? 0, 'SIGKILL');
    await until(() => blockedThreads(pids) === 0, 'the waiter has the lock');
    assert.deepEqual(waitsOf(pids.slice(0, 1), user, 0).waits.map(wait => wait.operation), ['pause']);
  });
}

describe('waits and deadlocks of real programs', function () {
  this.timeout(60_000);
  before(function () { if (!hasCompiler()) skip(this, 'needs a C compiler (cc)'); });
  after(() => Program.stopAll());

  describe(isRoot ? 'as root' : 'as the same user', () => { claims(undefined); });
  describe('as an ordinary user', () => {
    before(function () { if (!canBecomeOrdinary()) skip(this, 'needs root, and a user to become'); });
    claims(ordinaryUser);
  });

  it('in a PID namespace of its own a deadlock is found too, although TIDs in memory are numbered otherwise', async function () {
    if (!isRoot) skip(this, 'needs root');
    for (const name of ['mutex-and-flock', 'private', 'sysv']) {
      const directory = join(scratchDirectory(), `waits-${serial++}`);
      mkdirSync(directory);
      const program = Program.start('unshare', ['--pid', '--fork', '--kill-child', fixture('waits'), name, directory]);
      try {
        await program.line();
        await until(() => blockedThreads(processesIn(directory)) === 2, `both threads of "${name}" are blocked`);
        const { findings } = waitsOf(processesIn(directory), undefined, 3);
        assert.deepEqual(findings.map(finding => [finding.verdict, finding.threads.length]), [['deadlocked', 2]], name);
        assert(findings[0]?.threads.every(thread => processesIn(directory).includes(thread.pid)));
      } finally {
        await program.stop();
        await until(() => processesIn(directory).length === 0, 'the namespace is gone');
      }
    }
  });

  it('threads that come, lock in one order and go are never a finding', async () => {
    const { program, pids } = await situation('busy', -1, undefined);
    try {
      let seen = 0;
      for (let round = 0; round < 25; round++) {
        const { findings, waits } = waitsOf(pids, undefined, 0);
        assert.deepEqual(findings, []);
        seen += waits.filter(wait => wait.operation !== 'futex').length;
      }
      assert(seen > 0, 'the contention was never seen, so nothing was proved');
    } finally {
      await program.stop();
    }
  });

  it('what a process denies its own user is a gap and never a finding', async function () {
    if (!canBecomeOrdinary()) skip(this, 'needs root, and a user to become');
    const { program, pids } = await situation('undumpable', 2, ordinaryUser);
    try {
      assert.deepEqual(waitsOf(pids, undefined, 3).findings.map(finding => finding.verdict), ['deadlocked'], 'root sees it');
      const { findings, gaps, waits } = waitsOf(pids, ordinaryUser, 0);
      assert.deepEqual(findings, []);
      assert.deepEqual(waits.map(wait => [wait.pid, wait.operation, wait.verdict, wait.clauses.every(clause => (clause.gaps ?? []).length > 0)]), [[pids[0], 'flock', 'waiting', true]], 'the kernel\'s list alone tells of this wait');
      for (const pid of pids) assert(gaps.some(gap => gap.scope.pid === pid && gap.scope.facility === 'waits' && gap.scope.field === 'syscall'));
    } finally {
      await program.stop();
    }
  });

  for (const [whose, name, owner] of [['another user\'s processes', 'flock-and-record', undefined], ['own processes that deny it', 'undumpable-locks', ordinaryUser]] as const) {
    it(`a ring of file locks over ${whose} is suspected by what /proc/locks alone tells, with the reason, and deadlocked for root`, async function () {
      if (!canBecomeOrdinary()) skip(this, 'needs root, and a user to become');
      const { program, pids } = await situation(name, -1, owner);
      const waiting = (): string[] => readFileSync('/proc/locks', 'latin1').split('\n').filter(line => line.includes('->') && pids.some(pid => line.split(/\s+/).includes(String(pid))));
      try {
        await until(() => waiting().length === 2, 'both are blocked');
        const { findings, gaps } = waitsOf(pids, ordinaryUser, 0);
        assert.deepEqual(findings.map(finding => [finding.verdict, pidsOf(finding)]), [['suspected', [...pids].sort((a, b) => a - b)]]);
        const reasons = findings[0]?.gaps.map(id => gaps.find(gap => gap.id === id)?.reason ?? '') ?? [];
        for (const pid of pids) assert(reasons.some(reason => reason.includes(`pid ${pid} `) && /system call cannot be read/.test(reason)), reasons.join('\n'));
        assert.deepEqual(waitsOf(pids, undefined, 3).findings.map(finding => [finding.verdict, pidsOf(finding)]), [['deadlocked', [...pids].sort((a, b) => a - b)]]);
      } finally {
        await program.stop();
      }
    });
  }

  it('a lock whose descriptor a process of root may have inherited is suspected for its user, and none for root, who sees it', async function () {
    if (!canBecomeOrdinary()) skip(this, 'needs root, and a user to become');
    const { program, pids } = await situation('privileged-sharer', 2, undefined);
    try {
      const { findings, gaps } = waitsOf(pids, ordinaryUser, 0);
      assert.deepEqual(findings.map(finding => [finding.verdict, pidsOf(finding)]), [['suspected', [...pids].sort((a, b) => a - b)]]);
      assert(findings[0]?.gaps.some(id => /privileged \(\d+\) may have flock-lock:/.test(gaps.find(gap => gap.id === id)?.reason ?? '')));
      assert.deepEqual(waitsOf(pids, undefined, 0).findings, [], 'root sees that it has the lock, too, and sleeps');
    } finally {
      await program.stop();
    }
  });

  it('another user\'s deadlock is not seen, and that is said', async function () {
    if (!canBecomeOrdinary()) skip(this, 'needs root, and a user to become');
    const { program, pids } = await situation('mutex-and-flock', 2, undefined);
    try {
      const { findings, gaps } = waitsOf(pids, ordinaryUser, 0);
      assert.deepEqual(findings, []);
      for (const pid of pids) assert(gaps.some(gap => gap.scope.facility === 'waits' && gap.scope.field === 'syscall' && gap.scope.pid === pid), 'who was asked for is named');
    } finally {
      await program.stop();
    }
  });
});
