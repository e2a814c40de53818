// Record locks, OFD locks and leases of real programs, against lslocks and what the programs know; and victims that a snapshot must not disturb.
import { strict as assert } from 'node:assert';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CollectedKind, Handle, ObjectOf, Snapshot } from '../../native-probe/model';
import { skip } from '../skip';
import { canBecomeOrdinary, fixture, hasCompiler, ordinaryUser, probePath, Program, scratchDirectory, snapshotOf, until } from './harness';

type LockKind = 'record-lock' | 'ofd-lock' | 'lease' | 'flock-lock';
const kinds = ['--kind', 'record-lock,ofd-lock,lease,flock-lock'];

function lockOn<K extends LockKind & CollectedKind>(snapshot: Snapshot, kind: K, path: string): ObjectOf<K> {
  const { dev, ino } = statSync(path);
  const found = snapshot.objects.find((object): object is ObjectOf<K> => object.kind === kind && object.id === `${kind}:${dev}:${ino}`);
  assert(found, `no ${kind} on ${path}: ${JSON.stringify(snapshot.objects.filter(object => object.kind === kind))}`);
  return found;
}
const handlesOn = (snapshot: Snapshot, id: string): Handle[] => snapshot.handles.filter(handle => handle.objectId === id).sort((a, b) => a.pid - b.pid || (a.fd ?? 0) - (b.fd ?? 0) || Number(a.lock?.start) - Number(b.lock?.start));
/** The requests that the kernel lists as blocked on a file whose lock stands before them. */
const blockedLines = (): string[] => readFileSync('/proc/locks', 'latin1').split('\n').filter(line => line.includes('->'));

describe('file locks', function () {
  let program: Program;
  let directory = '';
  let serial = 0;
  const ask = async (line: string): Promise<string> => {
    program.tell(line);
    const reply = await program.line();
    assert.doesNotMatch(reply, /^error/, line);
    return reply;
  };
  const file = (): string => {
    const path = join(directory, `file-${serial++}`);
    writeFileSync(path, 'x'.repeat(100), { mode: 0o666 });
    return path;
  };
  const waiters = async (pid: string): Promise<void> => until(() => blockedLines().some(line => line.includes(` ${pid} `)), `pid ${pid} waits for a lock`);

  before(function () {
    if (!hasCompiler()) skip(this, 'no C compiler');
    directory = mkdtempSync(join(scratchDirectory(), 'locks-'));
  });
  beforeEach(async () => {
    program = Program.start(fixture('locks'));
    await program.line();
  });
  afterEach(() => Program.stopAll());

  it('a record lock shows its ranges, its process with the descriptor, and who asks for what; a forked child that shares the description holds nothing', async () => {
    const path = file();
    const fd = await ask(`open ${path} rw`);
    await ask(`lock posix ${fd} w 0 10`);
    await ask(`lock posix ${fd} r 20 0`);
    await ask('fork');
    // Another kind of lock, so that the descriptors of everybody are looked at.
    await ask(`flock ${await ask(`open ${file()} rw`)}`);
    const asking = await ask(`ask ${path} posix w 5 1`);
    await waiters(asking);
    const snapshot = snapshotOf(kinds);
    const lock = lockOn(snapshot, 'record-lock', path);
    assert.equal(lock.state.path, path);
    assert.deepEqual([...lock.state.ranges].sort((a, b) => Number(a.start) - Number(b.start)), [
      { type: 'write', start: '0', end: '9', pid: program.pid }, { type: 'read', start: '20', end: 'EOF', pid: program.pid },
    ]);
    assert.deepEqual(lock.state.waiting, [{ type: 'write', start: '5', end: '5', pid: Number(asking) }]);
    assert.deepEqual(handlesOn(snapshot, lock.id).map(({ pid, fd: at, via, lock: range }) => ({ pid, fd: at, via, range })), [
      { pid: program.pid, fd: Number(fd), via: 'lock', range: { type: 'write', start: '0', end: '9' } },
      { pid: program.pid, fd: Number(fd), via: 'lock', range: { type: 'read', start: '20', end: 'EOF' } },
    ]);
  });

  it('a record lock is held by whoever shares the descriptor table of its owner', async () => {
    const path = file();
    const fd = await ask(`open ${path} rw`);
    await ask(`lock posix ${fd} w 0 10`);
    const sharer = Number(await ask('share'));
    await ask(`flock ${await ask(`open ${file()} rw`)}`);
    const snapshot = snapshotOf(kinds);
    assert.deepEqual(handlesOn(snapshot, lockOn(snapshot, 'record-lock', path).id).map(({ pid, fd: at }) => [pid, at]), [[program.pid, Number(fd)], [sharer, Number(fd)]].sort(([a = 0], [b = 0]) => a - b));
  });

  it('an OFD lock has its real holders: all processes with its description, and two descriptions are two', async () => {
    const path = file();
    const one = await ask(`open ${path} rw`), two = await ask(`open ${path} rw`), bystander = await ask(`open ${path} rw`);
    await ask(`lock ofd ${one} r 0 5`);
    await ask(`lock ofd ${two} r 3 0`);
    const heir = Number(await ask('fork'));
    await ask(`ask ${path} ofd w 100 1`);
    await until(() => blockedLines().some(line => / OFDLCK .* 100 100$/.test(line)), 'somebody waits for the OFD lock');
    const snapshot = snapshotOf(kinds);
    const lock = lockOn(snapshot, 'ofd-lock', path);
    assert.deepEqual(lock.state.ranges.map(({ pid }) => pid), [-1, -1]);
    assert.deepEqual(lock.state.waiting?.map(({ start, pid }) => ({ start, pid })), [{ start: '100', pid: -1 }]);
    // The child that waits inherited the descriptors too.
    const inherited = handlesOn(snapshot, lock.id).filter(({ pid }) => pid === program.pid || pid === heir).map(({ pid, fd, lock: range }) => `${pid === heir ? 'heir' : 'program'} ${fd} ${range?.type} ${range?.start}-${range?.end}`);
    assert.deepEqual(inherited.sort(), [`heir ${one} read 0-4`, `heir ${two} read 3-EOF`, `program ${one} read 0-4`, `program ${two} read 3-EOF`].sort());
    assert(!handlesOn(snapshot, lock.id).some(({ fd }) => fd === Number(bystander)), 'a descriptor without a lock holds none');
    assert.deepEqual(snapshot.gaps.filter(gap => gap.scope.objectId === lock.id), []);
  });

  it('a descriptor whose owner closed it holds on in the heir alone', async () => {
    const path = file();
    const fd = await ask(`open ${path} rw`);
    await ask(`lock ofd ${fd} w 0 0`);
    const heir = Number(await ask('fork'));
    await ask(`close ${fd}`);
    const snapshot = snapshotOf(kinds);
    assert.deepEqual(handlesOn(snapshot, lockOn(snapshot, 'ofd-lock', path).id).map(({ pid }) => pid), [heir]);
  });

  it('locks of different kinds on one file are different objects', async () => {
    const path = file();
    const fd = await ask(`open ${path} rw`);
    await ask(`flock ${fd}`);
    await ask(`lock posix ${fd} w 0 1`);
    await ask(`lock ofd ${fd} w 5 1`);
    const snapshot = snapshotOf(kinds);
    for (const kind of ['flock-lock', 'record-lock', 'ofd-lock'] as const) assert.equal(handlesOn(snapshot, lockOn(snapshot, kind, path).id).length, 1, kind);
  });

  it('agrees with lslocks on kind, process, range and type of every lock of the program', async function () {
    if (spawnSync('lslocks', ['--version']).status !== 0) skip(this, 'no lslocks');
    const paths = [file(), file(), file(), file()];
    const [posix = '', ofd = '', flock = '', lease = ''] = paths;
    const a = await ask(`open ${posix} rw`), b = await ask(`open ${ofd} rw`), c = await ask(`open ${flock} rw`), d = await ask(`open ${lease} r`);
    await ask(`lock posix ${a} w 1 2`);
    await ask(`lock posix ${a} r 7 0`);
    await ask(`lock ofd ${b} w 1099511627776 9`);
    await ask(`flock ${c}`);
    await ask(`lease ${d} r`);
    const snapshot = snapshotOf(kinds);
    const lslocks = spawnSync('lslocks', ['--json', '--bytes', '-o', 'TYPE,PID,MODE,START,END,INODE'], { encoding: 'utf8' });
    if (lslocks.stderr.includes('<none>')) skip(this, 'lslocks fails while anybody on the machine breaks a lease');
    const { locks } = JSON.parse(lslocks.stdout) as { locks: Record<string, string | number>[] };
    const inodes = new Set(paths.map(path => String(statSync(path).ino)));
    const theirs = locks.filter(lock => inodes.has(String(lock['inode']))).map(lock => `${lock['type']} ${lock['mode']} ${lock['start']} ${lock['end']}`);
    const words: Record<string, string> = { 'record-lock': 'POSIX', 'ofd-lock': 'OFDLCK', 'flock-lock': 'FLOCK', lease: 'LEASE' };
    // lslocks writes the end of the file as 0.
    const ours = snapshot.objects.flatMap(object => !inodes.has(object.id.split(':')[2] ?? '') || !(object.kind in words) || !('ranges' in object.state) ? []
      : object.state.ranges.map(({ type, start, end }) => `${words[object.kind]} ${(type ?? '?').toUpperCase()} ${start} ${end === 'EOF' ? 0 : end}`));
    assert.equal(ours.length, 5);
    assert.deepEqual(ours.sort(), theirs.sort());
  });

  it('a lease is held through its descriptor, and lists who breaks it', async () => {
    const path = file();
    const fd = await ask(`open ${path} rw`);
    await ask(`lease ${fd} w`);
    const lease = lockOn(snapshotOf(kinds), 'lease', path);
    assert.deepEqual(lease.state.ranges, [{ type: 'write', start: '0', end: 'EOF', pid: program.pid }]);
    const breaker = Number(await ask(`break ${path} r`));
    await until(() => blockedLines().some(line => line.includes(` READ ${breaker} <none>`)), 'somebody breaks the lease');
    const snapshot = snapshotOf(kinds);
    const now = lockOn(snapshot, 'lease', path);
    assert.deepEqual(now.state.ranges, [{ type: 'write', start: '0', end: 'EOF', pid: program.pid, breaking: 'read' }]);
    assert.deepEqual(now.state.waiting, [{ type: 'read', start: '0', end: 'EOF', pid: breaker }]);
    assert(handlesOn(snapshot, now.id).some(({ pid, fd: at, lock }) => pid === program.pid && at === Number(fd) && lock?.type === 'write'));
    assert.equal(await ask(`lease ${fd} u`), '0');
  });

  it('of a read-only lease that shall be given up the type is unknown, with a gap', async () => {
    const path = file();
    const fd = await ask(`open ${path} r`);
    await ask(`lease ${fd} r`);
    const breaker = Number(await ask(`break ${path} rw`));
    await until(() => blockedLines().some(line => line.includes(` WRITE ${breaker} <none>`)), 'somebody breaks the lease');
    const snapshot = snapshotOf(kinds);
    const lease = lockOn(snapshot, 'lease', path);
    assert.deepEqual(lease.state.ranges, [{ type: null, start: '0', end: 'EOF', pid: program.pid, breaking: 'unlock' }]);
    assert(snapshot.gaps.some(gap => gap.scope.objectId === lease.id && gap.scope.field === 'type'));
    assert.equal(await ask(`lease ${fd} u`), '0');
  });

  it('a snapshot breaks no lease and releases no lock', async () => {
    const [leased, locked] = [file(), file()];
    const lease = await ask(`open ${leased} rw`);
    await ask(`lease ${lease} w`);
    const fd = await ask(`open ${locked} rw`);
    await ask(`lock posix ${fd} w 0 10`);
    await ask(`lock ofd ${fd} w 20 10`);
    const before = statSync(locked, { bigint: true }).atimeNs;
    for (let i = 0; i < 3; i++) snapshotOf();
    assert.equal(await ask('broken'), '0', 'no SIGIO: nobody opened the leased file');
    assert.equal(await ask(`held ${lease}`), '1', 'F_WRLCK still');
    assert.equal(await ask(`try ${locked} posix w 9 1`), 'held');
    assert.equal(await ask(`try ${locked} posix w 10 1`), 'free');
    assert.equal(await ask(`try ${locked} ofd w 29 1`), 'held');
    assert.equal(statSync(locked, { bigint: true }).atimeNs, before);
  });

  it('10,000 record locks on one file are one object', async () => {
    const path = file();
    const fd = await ask(`open ${path} rw`);
    assert.equal(await ask(`many ${fd} 10000`), '10000');
    const snapshot = snapshotOf(kinds);
    const lock = lockOn(snapshot, 'record-lock', path);
    assert.equal(lock.state.ranges.length, 10000);
    assert.equal(handlesOn(snapshot, lock.id).length, 10000);
  });

  it('a removed file keeps its locks, by its name without the mark', async () => {
    const path = file();
    const { dev, ino } = statSync(path);
    const fd = await ask(`open ${path} rw`);
    await ask(`flock ${fd}`);
    await ask('fork');
    await ask(`unlink ${path}`);
    const snapshot = snapshotOf(kinds);
    const lock = snapshot.objects.find(object => object.id === `flock-lock:${dev}:${ino}`);
    assert.equal(lock?.name, path);
    assert.equal(handlesOn(snapshot, lock?.id ?? '').length, 2, 'the program and its heir');
  });

  it('a file that is only called as if it were deleted keeps its name, and so does one with a line break', async () => {
    const path = file(), called = `${path}\nnext (deleted)`;
    const fd = await ask(`open ${path} rw`);
    await ask(`flock ${fd}`);
    renameSync(path, called);
    const name = called.replace('\n', '\\x0a');
    assert.equal(lockOn(snapshotOf(kinds), 'flock-lock', called).name, name);
    const { dev, ino } = statSync(called);
    await ask(`fork`); // holds it open while its name goes
    unlinkSync(called);
    assert.equal(snapshotOf(kinds).objects.find(object => object.id === `flock-lock:${dev}:${ino}`)?.name, name, 'without the kernel\'s own mark');
  });

  it('from a nested PID namespace record locks outside are hidden and OFD locks are nobody\'s, and a gap says so', async function () {
    const nested = ['--pid', '--fork', '--mount-proc', process.execPath, probePath(), 'snapshot', '--json', ...kinds];
    if (spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status !== 0) skip(this, 'cannot make a PID namespace');
    const path = file();
    const fd = await ask(`open ${path} rw`);
    await ask(`lock posix ${fd} w 3 4`);
    await ask(`lock ofd ${fd} w 50 4`);
    const snapshot = JSON.parse(execFileSync('unshare', nested, { encoding: 'utf8' })) as Snapshot;
    const { dev, ino } = statSync(path);
    assert.deepEqual(snapshot.objects.map(({ id }) => id).filter(id => id.endsWith(`:${dev}:${ino}`)), [`ofd-lock:${dev}:${ino}`]);
    assert.deepEqual(handlesOn(snapshot, `ofd-lock:${dev}:${ino}`), []);
    for (const kind of ['record-lock', 'ofd-lock', 'lease', 'flock-lock'] as const) assert(snapshot.gaps.some(({ scope, remedy }) => scope.facility === kind && scope.field === 'pid-namespace' && remedy !== undefined), kind);
  });

  it('an ordinary user is told of root\'s record lock from /proc/locks, without its path, and why', async function () {
    if (!canBecomeOrdinary()) skip(this, 'not root');
    const path = file();
    const fd = await ask(`open ${path} rw`);
    await ask(`lock posix ${fd} w 3 4`);
    await ask(`lock ofd ${fd} w 50 4`);
    const snapshot = snapshotOf(kinds, { user: ordinaryUser });
    const record = lockOn(snapshot, 'record-lock', path), ofd = lockOn(snapshot, 'ofd-lock', path);
    assert.deepEqual([record.state.path, record.state.ranges], [null, [{ type: 'write', start: '3', end: '6', pid: program.pid }]]);
    assert.deepEqual(handlesOn(snapshot, record.id), [{ objectId: record.id, pid: program.pid, via: 'lock', lock: { type: 'write', start: '3', end: '6' } }]);
    assert.deepEqual(handlesOn(snapshot, ofd.id), []);
    for (const [id, field] of [[record.id, 'path'], [ofd.id, 'path'], [ofd.id, 'holders']]) assert(snapshot.gaps.some(gap => gap.scope.objectId === id && gap.scope.field === field), `no gap on ${field} of ${id}`);
    assert(snapshot.gaps.some(gap => gap.scope.facility === 'ofd-lock' && gap.scope.field === 'descriptors' && gap.remedy !== undefined));
  });
});
