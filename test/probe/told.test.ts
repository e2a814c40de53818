// Where the kernel denies memory and system calls, a debugger that has stopped the program stands in: a real lldb-dap, asked by the
// extension's own code, tells a real probe. Denied as Yama does it (by a library that is preloaded into the probe), and for real: the probe
// is an ordinary user's, the program root's or not dumpable.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { questionsOf } from '../../extension/debugger/seenSnapshot';
import { SessionKnowledge } from '../../extension/debugger/sessionKnowledge';
import { accordingToDebugger } from '../../native-probe/told';
import type { Finding, Snapshot, Wait } from '../../native-probe/model';
import { syscallNumber } from '../../native-probe/kernel/syscalls';
import type { ToldProcess } from '../../native-probe/protocol';
import { skip } from '../skip';
import { DebugAdapter, findLldbDap } from './debugAdapter';
import { GdbConsole, hasGdb } from './gdbConsole';
import { as, canBecomeOrdinary, fixture, hasCompiler, ordinaryUser, probePath, Program, scratchDirectory, until } from './harness';
import { ProbeServer } from './probeServer';
import { end, start } from './waitSituations';
import type { Situation } from './waitSituations';

interface Session { readonly pid: number; readonly lldb: DebugAdapter; readonly knowledge: SessionKnowledge }

const adapter = findLldbDap();
const sessions: Session[] = [];
let situation: Situation | undefined;

/** The processes of a situation of waits.c, which all end with its program. */
async function begun(name: string, user?: number): Promise<readonly number[]> {
  const directory = join(scratchDirectory(), `told-${name}-${sessions.length}-${process.hrtime.bigint()}`);
  mkdirSync(directory);
  chmodSync(directory, 0o777);
  const pids = (await Program.start(fixture('waits'), [name, directory], user === undefined ? {} : { user }).line()).split(' ').map(Number);
  // It tells its PIDs before the last of its locks.
  const blocked = (pid: number): number => readdirSync(`/proc/${pid}/task`).filter(tid => /^(?:72|73|202) /.test(readFileSync(`/proc/${pid}/task/${tid}/syscall`, 'latin1'))).length;
  const threads = name === 'joined' ? 3 : /private|recursive/.test(name) ? 2 : 1;
  await until(() => pids.every(pid => blocked(pid) === threads), `everybody of ${name} is blocked`);
  return pids;
}
async function attached(pid: number): Promise<Session> {
  const lldb = new DebugAdapter('lldb-dap', adapter ?? assert.fail());
  const session = { pid, lldb, knowledge: new SessionKnowledge(lldb, () => undefined) };
  sessions.push(session);
  await lldb.begin('attach', { pid });
  // It stops for being attached to, and goes on: a pause in between would be lost.
  await until(() => !/\) t /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')), 'the program goes on');
  return session;
}
async function paused(session: Session): Promise<void> {
  await session.lldb.pause();
  session.knowledge.stop();
  for (const other of sessions) if (other !== session) other.knowledge.otherStopped();
}
async function tells({ knowledge }: Pick<Session, 'knowledge'>): Promise<ToldProcess> {
  await until(() => knowledge.toldProcess !== undefined && !knowledge.busy, 'the debugger has told');
  return knowledge.toldProcess ?? assert.fail();
}
const verdicts = ({ findings }: Snapshot): readonly Finding['verdict'][] => findings.map(it => it.verdict);

function beforeTold(this: Mocha.Context): void {
  if (!hasCompiler()) skip(this, 'there is no C compiler');
  if (process.arch !== 'x64') skip(this, 'registers are understood on x86_64 only');
  if (adapter === undefined) skip(this, 'lldb-dap is not installed');
}
async function endSessions(): Promise<void> {
  for (const { lldb, knowledge } of sessions.splice(0)) {
    knowledge.end();
    await lldb.end();
  }
  if (situation) await end(situation);
  situation = undefined;
  await Program.stopAll();
}

describe('a debugger that stands in for what Yama denies', function () {
  this.timeout(60_000);
  let probe: ProbeServer;
  before(async function () {
    beforeTold.call(this);
    probe = await ProbeServer.start(process.execPath, [probePath(), 'serve'], { LD_PRELOAD: fixture('denied', ['-shared', '-fPIC']) });
  });
  afterEach(endSessions);
  after(() => probe?.end());

  for (const [name, verdict] of [['private', 'deadlocked'], ['recursive', 'deadlocked'], ['self', 'deadlocked'], ['self-shared', 'deadlocked']] as const) {
    it(`makes the verdict on ${name} mutexes as certain as it is with all rights`, async () => {
      const [pid = 0] = await begun(name);
      const session = await attached(pid);
      const alone = await probe.look([pid]);
      assert.deepEqual(alone.findings, []);
      assert.ok(alone.gaps.some(({ scope, errno }) => scope.pid === pid && scope.field === 'syscall' && errno === 'EPERM'), JSON.stringify(alone.gaps));

      await paused(session);
      session.knowledge.want(questionsOf(await probe.look([pid])));
      const told = await tells(session);
      const together = await probe.look([pid], [told]);
      assert.deepEqual(verdicts(together), [verdict], JSON.stringify(together.waits));
      const stuck = together.waits.filter(it => it.verdict === verdict && it.operation.startsWith('pthread_mutex'));
      assert.ok(stuck.length > 0);
      for (const wait of stuck) assert.ok(wait.evidence.includes(accordingToDebugger), wait.evidence.join('\n'));
      assert.match(together.findings[0]?.explanation ?? '', name === 'self-shared' ? /mutex in \S+ at offset 0 held by/ : /mutex waits\+0x[0-9a-f]+ held by/);

      // What was told of a stop is not believed of a process that runs.
      await session.lldb.customRequest('continue', { threadId: pid });
      assert.deepEqual((await probe.look([pid], [told])).findings, []);
      session.knowledge.goOn();
      assert.equal(session.knowledge.toldProcess, undefined);
    });
  }

  it('is not believed about memory that a process which nobody holds maps too', async () => {
    const [first = 0, second = 0] = await begun('shared-robust');
    const session = await attached(first);
    await paused(session);
    session.knowledge.want(questionsOf(await probe.look([first])));
    const told = await tells(session);
    const looked = await probe.look([first], [told]);
    assert.deepEqual(looked.findings, []);
    assert.equal(looked.waits.find(it => it.pid === first)?.operation, 'futex');
    assert.ok(second > 0);
  });

  // What each call needs of memory: arrays, sets, structures, limits. [family, situation, operation, timeout]
  const calls: readonly (readonly [string, string, string, RegExp | undefined])[] = [
    ['streams', 'read_pipe', 'read', undefined],
    ['streams', 'poll_timed', 'poll', /^3600\.5 s$/],
    ['streams', 'ppoll_two', 'ppoll', /^[\d.]+ s$/],
    ['streams', 'select_two', 'select', undefined],
    ['processes', 'sleeps', 'nanosleep', /^[\d.]+ s$/],
    ['processes', 'receives_timed', 'mq_timedreceive', /^\d{4}-/],
    ['processes', 'msgrcv_wait', 'msgrcv', undefined],
    ['processes', 'waits_for_child', 'waitpid', undefined],
    ['processes', 'record_behind_ofd', 'fcntl', undefined],
  ];
  for (const [family, name, operation, timeout] of calls) {
    it(`tells ${name}: ${operation} with what it points to, as all rights show it`, async () => {
      situation = await start(family, name, undefined);
      const pid = situation.roles[0] ?? 0;
      const session = await attached(pid);
      // Of what waits for a file lock /proc/locks tells everybody.
      if (operation !== 'fcntl') assert.deepEqual((await probe.look([pid])).waits.filter(it => it.pid === pid), []);
      await paused(session);
      session.knowledge.want(questionsOf(await probe.look([pid])));
      await sameAsRights(pid, operation, timeout, await tells(session));
    });
  }

  // These a stop ends with EINTR: whoever attaches never finds them, who is there already does.
  for (const [operation, timeout] of [['semtimedop', /^3600 s$/], ['epoll_wait', /^3600 s$/], ['sigtimedwait', /^3600 s$/]] as const) {
    it(`tells ${operation}, and that it ends when the program is continued`, async () => {
      const set = operation === 'semtimedop' ? /\d+/.exec(execFileSync('ipcmk', ['-S', '2'], { encoding: 'utf8' }))?.[0] ?? assert.fail() : undefined;
      try {
        const program = Program.start(fixture('interrupted'), [operation, ...set === undefined ? [] : [set]]);
        const pid = Number(await program.line());
        const session = await attached(pid);
        program.tell('go');
        const number = String(syscallNumber(operation === 'sigtimedwait' ? 'rt_sigtimedwait' : operation));
        await until(() => readFileSync(`/proc/${pid}/syscall`, 'latin1').split(' ')[0] === number, `it is in ${operation}`);
        await paused(session);
        session.knowledge.want(questionsOf(await probe.look([pid])));
        const wait = await sameAsRights(pid, operation, timeout, await tells(session));
        assert.equal(wait.clauses[0]?.external, 'it ends with EINTR when it is continued');
      } finally {
        if (set !== undefined) execFileSync('ipcrm', ['-s', set]);
      }
    });
  }

  /** What is told of the only thread of a process amounts to what all rights show. */
  async function sameAsRights(pid: number, operation: string, timeout: RegExp | undefined, told: ToldProcess): Promise<Wait> {
    const looked = await probe.look([pid], [told]);
    const wait = looked.waits.find(it => it.pid === pid && it.operation === operation) ?? assert.fail(JSON.stringify([looked.waits, told.threads]));
    if (timeout) assert.match(String(wait.timeout), timeout);
    else assert.equal(wait.timeout, undefined);
    assert.deepEqual(verdicts(looked), []);
    assert.ok(wait.evidence.includes(accordingToDebugger), wait.evidence.join('\n'));
    const same = (await rightsLook([pid])).waits.find(it => it.pid === pid && it.operation === operation);
    assert.deepEqual(wait.clauses, same?.clauses);
    assert.deepEqual([wait.timeout, ...wait.evidence.filter(it => it !== accordingToDebugger)], [same?.timeout, ...same?.evidence ?? []]);
    return wait;
  }

  let rights: ProbeServer | undefined;
  after(() => rights?.end());
  /** The same look with all rights. */
  async function rightsLook(pids: readonly number[]): Promise<Snapshot> {
    rights ??= await ProbeServer.start(process.execPath, [probePath(), 'serve']);
    return rights.look(pids);
  }

  it('makes a ring of file locks over two processes, each with its debugger, certain', async () => {
    const roles = await begun('flock-and-record');
    const both = [await attached(roles[0] ?? 0), await attached(roles[1] ?? 0)];
    assert.deepEqual(verdicts(await probe.look(roles)), ['suspected']);
    for (const session of both) await paused(session);
    for (const session of both) session.knowledge.want(questionsOf(await probe.look(roles)));
    const looked = await probe.look(roles, [await tells(both[0] ?? assert.fail()), await tells(both[1] ?? assert.fail())]);
    assert.deepEqual(verdicts(looked), ['deadlocked'], JSON.stringify(looked.waits));
  });

  it('cannot tell the probe more than its request may hold', async () => {
    const refused = async (told: unknown): Promise<void> => { await assert.rejects(probe.connection.sendRequest('snapshot', { pids: [1], waits: true, told }), /snapshot: told/); };
    const thread = { tid: 5, number: 202, arguments: Array(6).fill('0x0'), stackPointer: '0x1', programCounter: '0x2' };
    const process = { pid: 5, stopped: 1, read: 2, threads: [thread], memory: [] };
    const accepted: Snapshot = await probe.look([1], [{ ...process, maps: { lines: ['1000-2000 rw-p 00000000 00:00 0 '], allShared: true }, robustLists: [{ tid: 5, head: '0x10' }] }]);
    assert.deepEqual(accepted.findings, []);
    await refused([{ ...process, threads: [{ ...thread, arguments: ['0x0'] }] }]);
    await refused([{ ...process, threads: [{ ...thread, number: -1 }] }]);
    await refused([{ ...process, memory: [{ address: '12', base64: '' }] }]);
    await refused([{ ...process, memory: [{ address: '0x12', base64: 'A'.repeat(5468) }] }]);
    await refused([{ ...process, memory: Array(300).fill({ address: '0x12', base64: 'A'.repeat(5464) }) }]);
    await refused([{ ...process, maps: { lines: ['no line of maps'], allShared: true } }]);
    await refused([{ ...process, maps: { lines: Array(4097).fill('1-2 rw-p'), allShared: true } }]);
    await refused([{ ...process, robustLists: [{ tid: 5, head: 'x' }] }]);
    await refused([{ ...process, stopped: -1 }]);
    await refused(Array(17).fill(process));
    await refused([{ ...process, more: 1 }]);
  });
});

describe('a debugger that stands in for what the kernel denies to another user', function () {
  this.timeout(60_000);
  let probe: ProbeServer;
  before(async function () {
    beforeTold.call(this);
    if (!canBecomeOrdinary()) skip(this, 'needs root, and a user to become');
    const [command, args] = as(ordinaryUser, process.execPath, [probePath(), 'serve']);
    probe = await ProbeServer.start(command, args);
  });
  afterEach(endSessions);
  after(() => probe?.end());

  for (const [name, whose, user] of [['private', 'of root', undefined], ['recursive', 'of root', undefined], ['self', 'of root', undefined], ['private', 'of the same user that is not dumpable', ordinaryUser]] as const) {
    it(`makes the deadlock over ${name} mutexes in a process ${whose} certain, of which alone it knows nothing but the gap`, async () => {
      const [pid = 0] = await begun(user === undefined ? name : `hidden-${name}`, user);
      const session = await attached(pid);
      const alone = await probe.look([pid]);
      assert.deepEqual([alone.waits, alone.findings], [[], []]);
      const gap = alone.gaps.find(({ scope }) => scope.pid === pid && scope.facility === 'waits' && scope.field === 'syscall') ?? assert.fail(JSON.stringify(alone.gaps));
      assert.match(`${gap.errno} ${gap.reason} ${gap.remedy}`, /^EACCES cannot read what the threads of pid \d+ \(waits\) are blocked in.* as root/);

      await paused(session);
      session.knowledge.want(questionsOf(await probe.look([pid])));
      const told = await tells(session);
      const together = await probe.look([pid], [told]);
      assert.deepEqual(verdicts(together), ['deadlocked'], JSON.stringify([together.waits, told]));
      assert.match(together.findings[0]?.explanation ?? '', /mutex waits\+0x[0-9a-f]+ held by/);
      for (const wait of together.waits.filter(it => it.verdict === 'deadlocked')) assert.ok(wait.evidence.includes(accordingToDebugger), wait.evidence.join('\n'));

      // Without the mappings nobody could say whose the memory is.
      const { maps: _maps, ...unmapped } = told;
      assert.deepEqual((await probe.look([pid], [unmapped])).findings, []);
      await session.lldb.customRequest('continue', { threadId: pid });
      assert.deepEqual((await probe.look([pid], [told])).findings, [], 'it runs');
    });
  }

  for (const type of ['gdb', 'cppdbg'] as const) {
    it(`does so by the words of a real GDB (as ${type} passes them on; its envelope is untested)`, async function () {
      if (!hasGdb()) skip(this, 'gdb is not installed');
      const [pid = 0] = await begun('private');
      const gdb = new GdbConsole(type);
      try {
        await gdb.run(`attach ${pid}`);
        const knowledge = new SessionKnowledge(gdb, () => undefined);
        knowledge.stop();
        knowledge.want(questionsOf(await probe.look([pid])));
        const told = await tells({ knowledge });
        const together = await probe.look([pid], [told]);
        assert.deepEqual(verdicts(together), ['deadlocked'], JSON.stringify([together.waits, told]));
        assert.match(together.findings[0]?.explanation ?? '', /mutex waits\+0x[0-9a-f]+ held by/);
        // GDB does not tell which files shared memory is of: nothing is said of it.
        assert.equal(told.maps?.allShared, false);
      } finally {
        await gdb.end();
      }
    });
  }

  it('tells pthread_join and the robust mutexes that a thread holds', async () => {
    situation = undefined;
    const [pid = 0] = await begun('joined');
    const session = await attached(pid);
    await paused(session);
    session.knowledge.want(questionsOf(await probe.look([pid])));
    const looked = await probe.look([pid], [await tells(session)]);
    assert.deepEqual(looked.waits.map(it => it.operation).sort(), ['pthread_join', 'pthread_mutex_lock', 'pthread_mutex_lock'], JSON.stringify(looked.waits));
    assert.deepEqual(verdicts(looked), ['deadlocked']);
    const mutexes = looked.objects.filter(it => it.kind === 'mutex');
    assert.equal(mutexes.length, 3, 'also the one that nobody waits for');
  });

  it('makes the deadlock of two processes over shared mutexes certain when each has its debugger, and only then', async () => {
    const roles = await begun('shared-robust');
    const [one, two] = [await attached(roles[0] ?? 0), await attached(roles[1] ?? 0)];
    const alone = await probe.look(roles);
    assert.deepEqual([alone.waits, alone.findings], [[], []]);
    assert.equal(alone.gaps.filter(({ scope }) => scope.facility === 'waits' && scope.field === 'syscall' && scope.pid !== undefined && roles.includes(scope.pid)).length, 2);

    await paused(one);
    one.knowledge.want(questionsOf(await probe.look(roles)));
    const early = await tells(one);
    // The other runs: it may do anything, and the lock's owner is somebody who hides.
    const half = await probe.look(roles, [early]);
    assert.ok(verdicts(half).every(it => it === 'suspected'), JSON.stringify(half.findings));

    await paused(two);
    two.knowledge.want(questionsOf(half));
    const late = await tells(two);
    // What was read of the first while the second still ran may have changed since.
    assert.ok(early.read < late.stopped);
    assert.ok(verdicts(await probe.look(roles, [early, late])).every(it => it === 'suspected'));
    const again = await tells(one);
    assert.ok(again.read > late.stopped, 'it was read again');
    const together = await probe.look(roles, [again, late]);
    assert.deepEqual(verdicts(together), ['deadlocked'], JSON.stringify([together.waits, together.gaps]));
    assert.deepEqual([...new Set(together.findings[0]?.threads.map(it => it.pid))].sort(), [...roles].sort());

    await two.lldb.customRequest('continue', { threadId: two.pid });
    assert.ok(verdicts(await probe.look(roles, [again, late])).every(it => it === 'suspected'), 'one of them runs');
  });
});
