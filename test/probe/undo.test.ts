// Undo holders: what the probe says that exits would give back equals what programs did with SEM_UNDO.
import { strict as assert } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { beginPass, closeAll, createMap, linkIterator, loadIterator, setEntry } from '../../native-probe/kernel/bpf';
import { Btf } from '../../native-probe/kernel/btf';
import { assembleUndoProgram, decodeUndoRecords, encodeQuestion, questionBytes, recordsInPass, setKeyBytes, undoLayout } from '../../native-probe/kernel/undoProgram';
import type { Place, UndoRecord } from '../../native-probe/kernel/undoProgram';
import type { Handle, Snapshot } from '../../native-probe/model';
import { skip } from '../skip';
import { canContain } from './containers';
import { canBecomeOrdinary, fixture, hasCompiler, ipcProbe, isRoot, ordinaryUser, probePath, Program, scratchDirectory, snapshotOf, until } from './harness';

/** The program of test/fixtures/undo.c. */
class Actor {
  private constructor(readonly program: Program) {}
  static async start(user?: number): Promise<Actor> {
    const actor = new Actor(Program.start(fixture('undo'), [], user === undefined ? {} : { user }));
    assert.match(await actor.program.line(), /^ready /);
    return actor;
  }
  get pid(): number { return this.program.pid; }
  async ask(command: string): Promise<number> {
    this.program.tell(command);
    const answer = Number(await this.program.line());
    assert.notEqual(answer, -1, `${command} succeeds`);
    return answer;
  }
}

const namespace = (pid: number | 'self' = 'self'): string => /\d+/.exec(readlinkSync(`/proc/${pid}/ns/ipc`))?.[0] ?? '';
const idOf = (semid: number, ns = namespace()): string => `sysv-semaphore-set:${ns}:${semid}`;
const look = (options: { user?: number } = {}): Snapshot => snapshotOf(['--kind', 'sysv-semaphore-set'], options);
const undoOf = (snapshot: Snapshot, pid: number, semid: number, ns?: string): readonly Handle[] => snapshot.handles.filter(handle => handle.via === 'undo' && handle.pid === pid && handle.objectId === idOf(semid, ns));
const adjustments = (snapshot: Snapshot, pid: number, semid: number, ns?: string): Record<number, number>[] => undoOf(snapshot, pid, semid, ns).map(handle => Object.fromEntries((handle.undo ?? []).map(({ num, adjustment }) => [num, adjustment])));
const undoGaps = (snapshot: Snapshot): Snapshot['gaps'] => snapshot.gaps.filter(({ scope }) => scope.facility === 'sysv-semaphore-set' && scope.field === 'undo');

describe('undo holders', function () {
  const sets = new Set<number>();
  before(function () {
    if (!isRoot) skip(this, 'needs root (CAP_BPF and CAP_PERFMON)');
    if (!hasCompiler()) skip(this, 'no C compiler');
    if (spawnSync('test', ['-r', '/sys/kernel/btf/vmlinux']).status !== 0) skip(this, 'the kernel has no BTF');
  });
  afterEach(async () => {
    await Program.stopAll();
    const left = [...sets];
    for (let at = 0; at < left.length; at += 1000) spawnSync('ipcrm', left.slice(at, at + 1000).flatMap(semid => ['-s', String(semid)]));
    sets.clear();
  });
  const make = async (actor: Actor, nsems: number): Promise<number> => {
    const semid = await actor.ask(`make ${nsems}`);
    sets.add(semid);
    return semid;
  };

  /** Many sets with one semaphore each, number of the set modulo 1,000 plus 1 on it. */
  const makeMany = async (actor: Actor, count: number): Promise<number[]> => {
    actor.program.tell(`sets ${count}`);
    const semids = (await actor.program.line()).trim().split(' ').map(Number).slice(0, -1);
    for (const semid of semids) sets.add(semid);
    assert.equal(semids.length, count);
    return semids;
  };

  it('equal what several processes did to several sets, and change as they go on', async () => {
    const [first, second] = [await Actor.start(), await Actor.start()];
    const [a, b] = [await make(first, 3), await make(second, 5)];
    await first.ask(`change ${a} 0 4`);
    await first.ask(`change ${a} 0 -1`);
    await first.ask(`change ${a} 2 7`);
    await second.ask(`change ${a} 2 -2`);
    await second.ask(`change ${b} 4 1`);
    const snapshot = look();
    assert.deepEqual(undoGaps(snapshot), []);
    assert.deepEqual(adjustments(snapshot, first.pid, a), [{ 0: -3, 2: -7 }]);
    assert.deepEqual(adjustments(snapshot, second.pid, a), [{ 2: 2 }]);
    assert.deepEqual(adjustments(snapshot, second.pid, b), [{ 4: -1 }]);
    assert.deepEqual(adjustments(snapshot, first.pid, b), [], 'who never used a set holds nothing of it');

    await second.ask(`change ${b} 4 -1`);
    assert.deepEqual(undoOf(look(), second.pid, b).map(({ undo }) => undo), [[]], 'who gave back what it took has used it, and owes nothing');
    await second.program.stop();
    assert.deepEqual(undoOf(look(), second.pid, a), []);
  });

  it('tell shared lists and lists of one thread apart', async () => {
    const actor = await Actor.start();
    const semid = await make(actor, 4);
    await actor.ask(`change ${semid} 0 1`);
    await actor.ask(`thread ${semid} 1 2`);
    const own = await actor.ask(`own ${semid} 2 3`);
    const sharer = await actor.ask(`share ${semid} 3 4`);
    const snapshot = look();
    const ofProcess = undoOf(snapshot, actor.pid, semid);
    assert.deepEqual(ofProcess.map(({ tid, undo, sharedWith }) => ({ tid, undo, sharedWith })), [
      { tid: undefined, undo: [{ num: 0, adjustment: -1 }, { num: 1, adjustment: -2 }, { num: 3, adjustment: -4 }], sharedWith: [sharer] },
      { tid: own, undo: [{ num: 2, adjustment: -3 }], sharedWith: undefined },
    ]);
    assert.deepEqual(undoOf(snapshot, sharer, semid).map(({ undo, sharedWith }) => ({ undo, sharedWith })), [{ undo: ofProcess[0]?.undo, sharedWith: [actor.pid] }]);
  });

  it('are told whole for a set of 32,000 semaphores and for 5,000 sets, beside each other', async () => {
    const [many, wide] = [await Actor.start(), await Actor.start()];
    const large = await make(wide, 32000);
    await wide.ask(`sweep ${large} 32000`);
    const semids = await makeMany(many, 5000);
    const snapshot = look();
    assert.deepEqual(undoGaps(snapshot), []);
    const [undo = []] = undoOf(snapshot, wide.pid, large).map(handle => handle.undo);
    assert.equal(undo.length, 32000);
    assert(undo.every(({ num, adjustment }, index) => num === index && adjustment === -(index % 7 + 1)));
    const told = new Map(snapshot.handles.flatMap(({ via, pid, objectId, undo: its }) => via === 'undo' && pid === many.pid ? [[objectId, its] as const] : []));
    assert.deepEqual(semids.map(semid => told.get(idOf(semid))), semids.map((_, index) => [{ num: 0, adjustment: -(index % 1000) - 1 }]));
  });

  it('stay whole while the list changes under the look, or a gap says that it would not hold still', async () => {
    const actor = await Actor.start();
    const kept = await makeMany(actor, 900);
    await actor.ask('churn 600');
    for (let times = 0; times < 2; times++) {
      const snapshot = look();
      const told = new Map(snapshot.handles.flatMap(({ via, pid, objectId, undo }) => via === 'undo' && pid === actor.pid ? [[objectId, undo] as const] : []));
      const gaps = undoGaps(snapshot);
      for (const [index, semid] of kept.entries()) {
        const its = told.get(idOf(semid));
        if (its === undefined) assert.match(gaps.map(({ reason }) => reason).join(), /changed in every attempt/, `semid ${semid} is missing without a word`);
        else assert.deepEqual(its, [{ num: 0, adjustment: -index - 1 }]);
      }
    }
    assert(await actor.ask('calm') > 0);
    assert.equal(undoGaps(look()).length, 0);
  });

  it('are read on from an entry only while it is one of the same list: else the kernel’s program says that it strayed', async () => {
    const [one, other] = [await Actor.start(), await Actor.start()];
    for (const actor of [one, other]) await makeMany(actor, recordsInPass + 50);
    const btf = Btf.parse(readFileSync('/sys/kernel/btf/vmlinux'));
    const layout = btf instanceof Btf ? undoLayout(btf) : assert.fail(btf);
    assert(!('missing' in layout));
    const question = createMap('array', 4, questionBytes, 1).value ?? assert.fail(), large = createMap('hash', setKeyBytes, 4, 1).value ?? assert.fail();
    const program = loadIterator(assembleUndoProgram(layout, question, large), layout.iterator, 'sem_undo').value ?? assert.fail();
    const link = linkIterator(program).value ?? assert.fail();
    const pass = (tid: number, from?: Place): UndoRecord[] => {
      setEntry(question, Buffer.alloc(4), encodeQuestion(tid, from));
      const fd = beginPass(link).value ?? assert.fail();
      try { return decodeUndoRecords(readFileSync(fd)); } finally { closeAll([fd]); }
    };
    try {
      const first = pass(one.pid), place = first.at(-1)?.mark;
      assert(place !== undefined && place !== 'strayed');
      assert.equal(first.length, recordsInPass + 1);
      const rest = pass(one.pid, place);
      assert.deepEqual([rest.length, rest.at(-1)?.mark, new Set([...first.slice(0, -1), ...rest].map(({ semid }) => semid)).size], [50, undefined, recordsInPass + 50]);
      for (const entry of [place.entry + 8n, 8n, 0xffff888000000000n]) assert.deepEqual(pass(one.pid, { entry, first: 0 }).map(({ mark }) => mark), ['strayed'], `${entry.toString(16)}`);
      assert.deepEqual(pass(other.pid, place).map(({ mark }) => mark), ['strayed'], 'an entry of another list');
    } finally {
      closeAll([link, program, large, question]);
    }
  });

  it('go with a set that is removed, and the others stay', async () => {
    const actor = await Actor.start();
    const [gone, kept] = [await make(actor, 2), await make(actor, 2)];
    for (const semid of [gone, kept]) await actor.ask(`change ${semid} 1 5`);
    await actor.ask(`remove ${gone}`);
    const snapshot = look();
    assert.deepEqual(undoOf(snapshot, actor.pid, gone), []);
    assert.deepEqual(adjustments(snapshot, actor.pid, kept), [{ 1: -5 }]);
  });

  it('of another IPC namespace are not mixed up with those of a set of the same number here', async () => {
    const [here, there] = [await Actor.start(), await Actor.start()];
    await there.ask('leave');
    const other = namespace(there.pid);
    const ours = await make(here, 1);
    await here.ask(`change ${ours} 0 1`);
    // The other namespace begins with ids of its own, which may be the same.
    const theirs = await there.ask('make 1');
    await there.ask(`change ${theirs} 0 2`);
    const snapshot = look();
    assert.deepEqual(adjustments(snapshot, there.pid, theirs, other), [{ 0: -2 }]);
    assert.deepEqual(adjustments(snapshot, here.pid, ours), [{ 0: -1 }]);
    assert(snapshot.handles.every(({ via, pid, objectId }) => via !== 'undo' || pid !== there.pid || objectId.includes(`:${other}:`)));
  });

  it('are known in a PID namespace by the PIDs of that namespace', function () {
    if (!canContain()) skip(this, 'no namespaces can be made here');
    // The probe and the program in one new PID namespace: the kernel's own numbers of them are others.
    const directory = mkdtempSync(join(scratchDirectory(), 'undo-'));
    const answers = (lines: number): string => `until [ "$(wc -l < out)" -ge ${lines} ]; do sleep 0.05; done`;
    const script = `cd "$0" && mount -t proc proc /proc && mkfifo in && { "$1" < in > out & } && exec 9> in && ${answers(1)}
      echo 'make 1' >&9; ${answers(2)}; echo "change $(sed -n 2p out) 0 9" >&9; ${answers(3)}; head -1 out; "$2" "$3" snapshot --json --kind sysv-semaphore-set`;
    const inside = spawnSync('unshare', ['--pid', '--fork', '--mount', '--ipc', '--kill-child', 'sh', '-c', script, directory, fixture('undo'), process.execPath, probePath()], { encoding: 'utf8', timeout: 30_000, maxBuffer: 1 << 26 });
    const [ready = '', ...rest] = inside.stdout.split('\n');
    const pid = Number(/^ready (\d+)$/.exec(ready)?.[1]);
    const snapshot = JSON.parse(rest.join('\n')) as Snapshot;
    assert.deepEqual(undoGaps(snapshot), []);
    assert.deepEqual(snapshot.handles.filter(({ via }) => via === 'undo').map(handle => [handle.pid, handle.undo]), [[pid, [{ num: 0, adjustment: -9 }]]]);
  });

  it('are a gap with its remedy for an ordinary user, and not an empty list', async function () {
    if (!canBecomeOrdinary()) skip(this, 'cannot become an ordinary user');
    const actor = await Actor.start(ordinaryUser);
    const semid = await make(actor, 1);
    await actor.ask(`change ${semid} 0 1`);
    const snapshot = look({ user: ordinaryUser });
    assert.deepEqual(undoOf(snapshot, actor.pid, semid), []);
    const gaps = undoGaps(snapshot);
    assert.deepEqual(gaps.map(({ errno, remedy }) => ({ errno, remedy })), [{ errno: 'EPERM', remedy: 'run the probe as root, or with CAP_BPF and CAP_PERFMON' }]);
  });

  it('are a gap where the kernel or its verifier refuses, is locked down, or does not tell its types, or tells them wrongly', async () => {
    const actor = await Actor.start();
    await make(actor, 1);
    const garbage = join(mkdtempSync(join(scratchDirectory(), 'undo-')), 'vmlinux');
    writeFileSync(garbage, 'no types at all, but long enough for a header');
    const gapIn = (...how: string[]): { errno: string | undefined; remedy: string | undefined; reason: string } => {
      const { stdout, stderr } = spawnSync('unshare', [...how, process.execPath, probePath(), 'snapshot', '--json', '--kind', 'sysv-semaphore-set'], { encoding: 'utf8', timeout: 30_000, maxBuffer: 1 << 26 });
      const snapshot = JSON.parse(stdout === '' ? assert.fail(stderr) : stdout) as Snapshot;
      assert(!snapshot.handles.some(({ via }) => via === 'undo'));
      const [gap, ...more] = undoGaps(snapshot);
      assert.deepEqual(more, []);
      return { errno: gap?.errno, remedy: gap?.remedy, reason: gap?.reason ?? '' };
    };
    // Root in a user namespace of its own has the capabilities' names, not their force.
    const { errno, remedy } = gapIn('--user', '--map-root-user');
    assert.equal(errno, 'EPERM');
    assert.match(remedy ?? '', /^root itself is refused/);
    const without = gapIn('--mount', 'sh', '-c', 'mount -t tmpfs none /sys/kernel/btf && exec "$0" "$@"');
    assert.equal(without.errno, 'ENOENT');
    assert.match(without.remedy ?? '', /CONFIG_DEBUG_INFO_BTF/);
    const withTypes = (file: string): ReturnType<typeof gapIn> => gapIn('--mount', 'sh', '-c', 'mount --bind "$0" /sys/kernel/btf/vmlinux && exec "$@"', file);
    assert.match(withTypes(garbage).reason, /it is no BTF of this byte order/);
    // Types that say that a task's number stands where its credentials are: the verifier knows better, and refuses the program.
    const lying = join(mkdtempSync(join(scratchDirectory(), 'undo-')), 'vmlinux');
    writeFileSync(lying, Buffer.from(readFileSync('/sys/kernel/btf/vmlinux').toString('latin1').replace('\0tgid\0', '\0xxxx\0').replace('\0cred\0', '\0tgid\0'), 'latin1'));
    const refused = withTypes(lying);
    assert.match(refused.reason, /this kernel's verifier refused the program that reads them \(.*cred/);
    assert.match(refused.remedy ?? '', /a kernel built with CONFIG_DEBUG_INFO_BTF/);
    // A kernel that is locked down refuses too, and says so elsewhere.
    const kernel = 'cp /sys/kernel/btf/vmlinux "$0" && mount -t tmpfs none /sys/kernel && mkdir /sys/kernel/btf /sys/kernel/security && mv "$0" /sys/kernel/btf/vmlinux && echo "none integrity [confidentiality]" > /sys/kernel/security/lockdown && exec "$@"';
    const locked = gapIn('--user', '--map-root-user', '--mount', 'sh', '-c', kernel, `${garbage}-copy`);
    assert.match(locked.reason, /this kernel is locked down \(confidentiality\)/);
    assert.equal(locked.remedy, 'start the machine without lockdown=confidentiality');
  });

  it('need no more than CAP_BPF and CAP_PERFMON', async () => {
    const actor = await Actor.start();
    const semid = await make(actor, 1);
    await actor.ask(`change ${semid} 0 3`);
    const { stdout } = spawnSync('setpriv', ['--bounding-set=-all,+bpf,+perfmon', '--inh-caps=-all', process.execPath, probePath(), 'snapshot', '--json', '--kind', 'sysv-semaphore-set'], { encoding: 'utf8', timeout: 30_000 });
    const snapshot = JSON.parse(stdout) as Snapshot;
    assert.deepEqual(undoGaps(snapshot), []);
    assert.deepEqual(adjustments(snapshot, actor.pid, semid), [{ 0: -3 }]);
  });

  it('are candidates for a wait, and a ring over them is suspected, no more', async () => {
    const [maker, first, second] = [await Actor.start(), await Actor.start(), await Actor.start()];
    const [a, b] = [await make(maker, 1), await make(maker, 1)];
    for (const semid of [a, b]) await maker.ask(`change ${semid} 0 2`);
    await first.ask(`change ${a} 0 -1`);
    await second.ask(`change ${b} 0 -1`);
    for (const semid of [a, b]) await maker.ask(`change ${semid} 0 -1`);
    // Whoever did the last operation is dead: only the undo lists tell who has the semaphores.
    await maker.program.stop();
    const waits = async (actor: Actor, semid: number): Promise<Snapshot> => {
      actor.program.tell(`wait ${semid} 0`);
      assert.equal(await actor.program.line(), 'waiting');
      await until(() => /^(65|220) /.test(readFileSync(`/proc/${actor.pid}/syscall`, 'latin1')), `${actor.pid} waits in semop`);
      const { status, stdout } = ipcProbe(['waits', '--json', '--pid', [first.pid, second.pid].join(',')]);
      assert.equal(status, 0);
      return JSON.parse(stdout) as Snapshot;
    };
    const one = await waits(first, b);
    const wait = one.waits.find(({ pid }) => pid === first.pid);
    assert.equal(wait?.verdict, 'waiting', 'the other one may go on, and exit');
    assert.deepEqual(wait.clauses.flatMap(({ alternatives }) => alternatives), [{ objectId: idOf(b), event: `1 on semaphore 0 of semid ${b} (given back at exit: SEM_UNDO)`, threads: [{ pid: second.pid }] }]);
    const both = await waits(second, a);
    assert.deepEqual(both.findings.map(({ verdict, chain }) => ({ verdict, pids: chain.map(({ pid }) => pid).sort((x, y) => x - y) })), [{ verdict: 'suspected', pids: [first.pid, second.pid].sort((x, y) => x - y) }]);
    assert.match(both.gaps.map(({ reason }) => reason).join('\n'), new RegExp(`the candidate is undo \\(${first.pid}\\), whose exit would give back 1 \\(SEM_UNDO\\)`));
  });

  it('prove that a set is in use', async () => {
    const actor = await Actor.start();
    const semid = await make(actor, 1);
    await actor.ask(`change ${semid} 0 1`);
    const { stdout } = ipcProbe(['stale', '--json']);
    const { stale } = JSON.parse(stdout) as { stale: { objectId: string; verdict: string; evidence: string[] }[] };
    const judged = stale.find(({ objectId }) => objectId === idOf(semid));
    assert.equal(judged?.verdict, 'in-use');
    assert.match(judged.evidence.join('\n'), new RegExp(`pid ${actor.pid} \\(undo\\) changed it, and would undo that when it exits`));
  });

  for (const how of [['serve'], ['serve', '--confined']]) it(`cost a running server (${how.join(' ')}) one program, and no descriptor more at each look`, async () => {
    const actor = await Actor.start();
    const semid = await make(actor, 1);
    await actor.ask(`change ${semid} 0 1`);
    const server = spawn(process.execPath, [probePath(), ...how], { stdio: ['pipe', 'pipe', 'ignore'] });
    const connection = createMessageConnection(new StreamMessageReader(server.stdout), new StreamMessageWriter(server.stdin));
    try {
      connection.listen();
      await connection.sendRequest('initialize', { protocolVersion: 1, client: 'test' });
      const descriptors = (): string[] => readdirSync(`/proc/${server.pid}/fd`).map(fd => { try { return readlinkSync(`/proc/${server.pid}/fd/${fd}`); } catch { return ''; /* closed meanwhile */ } }).filter(it => it.startsWith('anon_inode:bpf')).sort();
      for (let i = 0; i < 3; i++) {
        const { snapshot } = await connection.sendRequest<{ snapshot: Snapshot }>('snapshot', { kinds: ['sysv-semaphore-set'] });
        assert.deepEqual(adjustments(snapshot, actor.pid, semid), [{ 0: -1 }]);
        assert.deepEqual(descriptors(), ['anon_inode:bpf-map', 'anon_inode:bpf-map', 'anon_inode:bpf_link']);
      }
    } finally {
      connection.dispose();
      server.stdin.end();
      await new Promise(done => server.once('exit', done));
    }
  });
});
