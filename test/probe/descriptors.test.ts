// Pipes, FIFOs, pseudoterminals and event descriptors of a program and its three children, against what the program knows,
// lsfd and lsof; and a victim that would notice if a snapshot held any end of them even for a moment.
import { strict as assert } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CollectedKind, Handle, IpcObject, ObjectOf, Snapshot } from '../../native-probe/model';
import { canBecomeOrdinary, fixture, hasCompiler, isRoot, ordinaryUser, probePath, Program, scratchDirectory, snapshotOf } from './harness';
import { skip } from '../skip';

const has = (command: string): boolean => spawnSync(command, ['-h']).error === undefined;

function wordsOf(line: string): Record<string, string> {
  assert.ok(line.startsWith('pid='), line);
  return Object.fromEntries(line.split(' ').map((word): [string, string] => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
}

describe('descriptors that several processes share', function () {
  let program: Program;
  let directory = '';
  let made: Record<string, string> = {};
  let snapshot: Snapshot;
  const number = (name: string): number => Number(made[name]);

  before(async function () {
    if (!hasCompiler()) skip(this, 'needs a C compiler (cc)');
    directory = mkdtempSync(join(scratchDirectory(), 'descriptors-'));
    program = Program.start(fixture('descriptors'), ['hold', directory]);
    made = wordsOf(await program.line());
    snapshot = snapshotOf();
  });
  after(async () => {
    await Program.stopAll();
    if (directory) rmSync(directory, { recursive: true, force: true });
  });

  /** The object behind a descriptor of the parent. */
  function behind<K extends CollectedKind>(kind: K, name: string, pid = number('pid')): ObjectOf<K> {
    const handle = snapshot.handles.find(candidate => candidate.pid === pid && candidate.fd === number(name) && candidate.via === 'descriptor');
    const found = snapshot.objects.find((object): object is ObjectOf<K> => object.id === handle?.objectId && object.kind === kind);
    assert.ok(found, `no ${kind} behind fd ${name} of pid ${pid}: ${JSON.stringify(handle)}`);
    return found;
  }
  /** `who end` of every handle, the four processes by name. */
  function ends({ id }: IpcObject): string[] {
    const names = new Map(['pid', 'a', 'b', 'c'].map(name => [number(name), name === 'pid' ? 'parent' : name]));
    return snapshot.handles.filter(({ objectId }) => objectId === id).map(({ pid, end, access }) => `${names.get(pid) ?? pid} ${end ?? access}`).sort();
  }

  it('shows a pipe shared by four processes as one object with its readers and writers', () => {
    const pipe = behind('pipe', 'pr');
    assert.equal(`${pipe.id}]`, readlinkSync(`/proc/${program.pid}/fd/${made['pr']}`).replace('[', ''));
    assert.equal(behind('pipe', 'pw').id, pipe.id);
    // The parent and c have the write end twice: its number was given to a descriptor that epoll had watched before.
    assert.deepEqual(ends(pipe), ['a read', 'b write', 'c read', 'c write', 'c write', 'parent read', 'parent write', 'parent write']);
    assert.deepEqual(pipe.state, { unread: null, capacity: null });
    assert.equal(snapshot.gaps.filter(({ scope }) => scope.facility === 'pipe').length, 1, 'one gap for all pipes');
  });

  it('shows FIFOs by device and inode, with a name that only looks deleted and one that is', () => {
    const fifo = behind('fifo', 'fifo');
    const stats = statSync(join(directory, 'a fifo (deleted)'));
    assert.deepEqual([fifo.id, fifo.name, fifo.state.unlinked, fifo.owner], [`fifo:${stats.dev}:${stats.ino}`, join(directory, 'a fifo (deleted)'), undefined, { uid: stats.uid, gid: stats.gid, mode: (stats.mode & 0o7777).toString(8).padStart(4, '0') }]);
    assert.equal(behind('fifo', 'reader').id, fifo.id);
    assert.deepEqual(ends(fifo), ['a both', 'a read', 'b both', 'b read', 'c both', 'c read', 'parent both', 'parent read']);
    const gone = behind('fifo', 'unlinked');
    assert.deepEqual([gone.name, gone.state.unlinked], [join(directory, 'gone'), true]);
  });

  it('joins the two ends of a pseudoterminal, with its foreground process group; a slave whose master is closed stands apart', () => {
    const pty = behind('pseudoterminal', 'master');
    const stats = statSync(made['pts'] ?? '');
    assert.equal(behind('pseudoterminal', 'slave').id, pty.id);
    assert.deepEqual([pty.id, pty.name], [`pseudoterminal:${stats.dev}:${pty.state.index}`, made['pts']]);
    assert.deepEqual(pty.state, { index: Number(made['pts']?.slice('/dev/pts/'.length)), foreground: number('c') });
    assert.equal(pty.owner?.uid, stats.uid);
    assert.deepEqual(ends(pty), ['a master', 'a slave', 'b master', 'b slave', 'c master', 'c slave', 'parent master', 'parent slave']);
    assert.equal(behind('pseudoterminal', 'hung').state.hungUp, true);
  });

  it('shows eventfds by their id with count and semaphore flag', () => {
    assert.deepEqual(behind('eventfd', 'full').state, { count: '18446744073709551614', semaphore: false });
    const semaphore = behind('eventfd', 'semaphore');
    assert.deepEqual(semaphore.state, { count: '3', semaphore: true });
    assert.equal(ends(semaphore).length, 4);
  });

  it('tells inherited and duplicated copies of a timer from another timer that is set alike', () => {
    const timer = behind('timerfd', 'timer');
    assert.equal(behind('timerfd', 'copy').id, timer.id);
    assert.notEqual(behind('timerfd', 'twin').id, timer.id);
    assert.equal(ends(timer).length, 8, 'two descriptors in each of four processes');
    assert.equal(ends(behind('timerfd', 'twin')).length, 4);
    const { value, ...state } = timer.state;
    assert.deepEqual(state, { clock: 'CLOCK_MONOTONIC', ticks: '0', interval: '2.5' });
    assert.match(value ?? '', /^(?:9\d\d(?:\.\d{1,9})?|1000)$/);
    assert.deepEqual(behind('timerfd', 'idle').state, { clock: 'CLOCK_BOOTTIME', ticks: '0' });
    assert.ok(timer.id.startsWith(`timerfd:${program.pid}.`) && timer.id.endsWith(`/${made['timer']}`), timer.id);
  });

  it('shows what a signalfd accepts, what inotify watches, and the process behind a pidfd', () => {
    assert.deepEqual(behind('signalfd', 'sigfd').state.signals, ['SIGINT', 'SIGRTMIN+1']);
    const stats = statSync(directory);
    assert.deepEqual(behind('inotify', 'notify').state.watches, [{ wd: number('wd'), device: `${stats.dev >> 8 & 0xfff}:${stats.dev & 0xff | stats.dev >> 12 & 0xfff00}`, inode: String(stats.ino), mask: '0x300' }]);
    assert.deepEqual(behind('pidfd', 'pidfd').state, { pid: number('a') });
  });

  it('leads from an epoll instance to what it watches, and says nothing where a number was reused', () => {
    const watches = new Map(behind('epoll', 'epoll').state.watches?.map(watch => [watch.fd, watch]));
    assert.deepEqual([...watches.keys()].sort((x, y) => x - y), ['full', 'pr', 'fifo', 'master', 'pidfd', 'stale'].map(number).sort((x, y) => x - y));
    for (const [name, kind] of [['full', 'eventfd'], ['pr', 'pipe'], ['fifo', 'fifo'], ['master', 'pseudoterminal'], ['pidfd', 'pidfd']] as const) {
      assert.equal(watches.get(number(name))?.target, behind(kind, name).id);
    }
    assert.equal(watches.get(number('stale'))?.target, undefined);
    assert.equal(watches.get(number('full'))?.events, '0x80000019');
    assert.equal(behind('epoll', 'nested').state.watches?.[0]?.target, behind('epoll', 'epoll').id);
  });

  it('agrees with lsfd and lsof on every pipe, FIFO, terminal and eventfd of the four processes', function () {
    if (!has('lsfd') || !has('lsof')) skip(this, 'needs lsfd (util-linux) and lsof');
    const pids = ['pid', 'a', 'b', 'c'].map(name => made[name] ?? '').join();
    const ours = (...kinds: CollectedKind[]): Handle[] => snapshot.handles.filter(({ pid, objectId }) => pids.split(',').includes(String(pid)) && kinds.some(kind => objectId.startsWith(`${kind}:`)));

    const { lsfd } = JSON.parse(spawnSync('lsfd', ['-J', '-u', '-p', pids, '-o', 'PID,FD,TYPE,INODE,MODE'], { encoding: 'utf8' }).stdout) as { lsfd: { pid: number; fd: number | null; type: string; inode: number; mode: string }[] };
    const theirs = lsfd.filter(({ fd, type }) => fd !== null && type === 'FIFO').map(({ pid, fd, inode, mode }) => `${pid} ${fd} ${inode} ${mode[0]}${mode[1]}`).sort();
    const mode = { read: 'r-', write: '-w', 'read-write': 'rw' };
    assert.deepEqual(ours('pipe', 'fifo').map(({ pid, fd, objectId, access }) => `${pid} ${fd} ${objectId.split(':').at(-1)} ${access ? mode[access] : ''}`).sort(), theirs);
    assert.ok(theirs.length > 20);

    const lsof: string[] = [];
    let pid = '', fd = '';
    for (const line of spawnSync('lsof', ['-nP', '-p', pids, '-F', 'pfn'], { encoding: 'utf8' }).stdout.split('\n')) {
      if (line.startsWith('p')) pid = line.slice(1);
      else if (line.startsWith('f')) fd = line.slice(1);
      else if (/^n(?:\[eventfd:\d+\]|\/dev\/ptmx|\/dev\/pts\/\d+)/.test(line)) lsof.push(`${pid} ${fd} ${line.slice(1).replace(/^\[|\]$| .*$/g, '')}`);
    }
    const names = new Map(snapshot.objects.map(({ id, name }) => [id, name]));
    assert.deepEqual(ours('eventfd', 'pseudoterminal').map(({ pid: its, fd: at, objectId, end }) => `${its} ${at} ${objectId.startsWith('eventfd') ? objectId : end === 'master' ? '/dev/ptmx' : names.get(objectId)}`).sort(), lsof.sort());
    assert.ok(lsof.length >= 20);
  });

  it('keeps its ids from one snapshot to the next', () => {
    const idsOf = (its: Snapshot): string[] => [...new Set(its.handles.filter(({ pid, via }) => pid === program.pid && via === 'descriptor').map(({ objectId }) => objectId))].sort();
    assert.deepEqual(idsOf(snapshotOf()), idsOf(snapshot));
  });

  it('shows an ordinary user none of it, and says that these processes could not be read', function () {
    if (!canBecomeOrdinary()) skip(this, 'needs root, and a user to become');
    const theirs = snapshotOf([], { user: ordinaryUser });
    assert.ok(!theirs.handles.some(({ pid, via }) => pid === program.pid && via === 'descriptor'));
    assert.ok(theirs.gaps.some(({ scope }) => scope.pid === program.pid && scope.field?.includes('fd')), 'a gap for the process');
  });
});

describe('descriptors of another mount namespace', function () {
  let program: Program;
  let directory = '';
  let made: Record<string, string> = {};
  let snapshot: Snapshot;

  before(async function () {
    if (!hasCompiler() || !isRoot) skip(this, 'needs a C compiler (cc) and root');
    directory = mkdtempSync(join(scratchDirectory(), 'mounts-'));
    program = Program.start(fixture('descriptors'), ['mounts', directory]);
    const line = await program.line();
    if (/^error (?:unshare|mount)/.test(line)) skip(this, line);
    made = wordsOf(line);
    // Ended from outside should anything in it look at the dead file system.
    const { status, signal, stdout } = spawnSync(process.execPath, [probePath(), 'snapshot', '--json'], { encoding: 'utf8', maxBuffer: 1 << 30, timeout: 20_000, killSignal: 'SIGKILL' });
    assert.deepEqual([status, signal], [0, null], 'the snapshot ends although a file system does not answer');
    snapshot = JSON.parse(stdout) as Snapshot;
  });
  after(async () => {
    await Program.stopAll();
    if (directory) rmSync(directory, { recursive: true, force: true });
  });
  const on = (name: string, pid = made['pid']): Handle | undefined => snapshot.handles.find(handle => handle.pid === Number(pid) && handle.fd === Number(made[name]) && handle.via === 'descriptor');

  it('tells its terminals from ours of the same name, by either way to the multiplexer', () => {
    const [master, slave, direct] = [on('master'), on('slave'), on('direct')];
    assert.ok(master && slave && direct);
    assert.equal(master.objectId, slave.objectId);
    const [, device, index] = master.objectId.split(':');
    assert.notEqual(Number(device), statSync('/dev/pts').dev);
    assert.deepEqual([index, direct.objectId], ['0', `pseudoterminal:${device}:1`]);
    assert.ok(snapshot.gaps.some(({ scope }) => scope.objectId === direct.objectId && scope.field === 'owner'), 'an owner that was not looked at is a gap');
  });

  it('never looks at a file system that does not answer, mounted or unmounted, and says so once', function () {
    if (made['dead'] === '-1') skip(this, 'cannot mount FUSE here');
    assert.equal(on('dead'), undefined);
    assert.equal(on('detached'), undefined);
    const gaps = snapshot.gaps.filter(({ scope }) => scope.facility === 'fifo' && scope.field === 'list');
    assert.equal(gaps.length, 1);
    assert.match(gaps[0]?.reason ?? '', /are FIFOs was not looked at/);
  });

  it('waits for no file system that stopped answering, wherever it lies and whatever its files are called', async function () {
    const stuck = Program.start(fixture('stuck'), [mkdtempSync(join(directory, 'stuck-'))]);
    const line = await stuck.line();
    if (line.startsWith('error')) skip(this, line);
    const words = wordsOf(line);
    const { signal, stdout } = spawnSync(process.execPath, [probePath(), 'snapshot', '--json'], { encoding: 'utf8', maxBuffer: 1 << 30, timeout: 20_000, killSignal: 'SIGKILL' });
    assert.equal(signal, null, 'the snapshot ends');
    const { handles } = JSON.parse(stdout) as Snapshot;
    const its = handles.filter(({ pid, via, objectId }) => pid === Number(words['pid']) && (via === 'mapping' || /^(?:posix|memfd|fifo)/.test(objectId)));
    assert.deepEqual(its.map(({ fd, objectId }) => [fd, objectId.replace(/:.*/, '')]), [[Number(words['below']), 'fifo']], 'what is local below it is found, and its own files are no IPC objects');
  });

  it('finds a FIFO of a process with a root directory of its own', () => {
    const stats = statSync(join(directory, 'root', 'fifo'));
    assert.equal(on('fifo', made['inner'])?.objectId, `fifo:${stats.dev}:${stats.ino}`);
  });
});

describe('a victim that checks itself', function () {
  it('gets EOF, EPIPE and EIO at once while snapshots are taken in a loop', async function () {
    if (!hasCompiler()) skip(this, 'needs a C compiler (cc)');
    const directory = mkdtempSync(join(scratchDirectory(), 'victim-'));
    const victim = Program.start(fixture('descriptors'), ['victim', directory]);
    try {
      await victim.line();
      let seen = 0;
      for (let turn = 0; turn < 8; turn++) {
        // Asynchronous: while this test sleeps, the victim and the probe share the machine.
        const chunks: Buffer[] = [];
        const probe = spawn(process.execPath, [probePath(), 'snapshot', '--json', '--pid', String(victim.pid)], { stdio: ['ignore', 'pipe', 'inherit'] });
        probe.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
        assert.equal(await new Promise(done => { probe.once('close', done); }), 0);
        const its = JSON.parse(Buffer.concat(chunks).toString()) as Snapshot;
        seen += its.handles.filter(({ pid, end }) => pid === victim.pid && end !== undefined).length;
      }
      victim.tell('stop');
      const [, rounds, late] = /^rounds=(\d+) late=(\d+)$/.exec(await victim.line()) ?? [];
      assert.equal(late, '0', `${late} of ${rounds} rounds were disturbed`);
      assert.ok(Number(rounds) > 100 && seen > 8, `the victim was busy (${rounds} rounds) and was seen (${seen} ends)`);
    } finally {
      await victim.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
