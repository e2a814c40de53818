// What goes wrong on a live machine: things that vanish under the reader, an unreadable /proc, other namespaces, huge names.
import { strict as assert } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contents, Failed, Removed, Snapshot } from '../../native-probe/model';
import { fixture, hasCompiler, ipcProbe, isRoot, probePath, Program, scratchDirectory, snapshotOf, until } from './harness';
import { skip } from '../skip';

describe('what vanishes and what is hidden', function () {
  let program: Program;
  const ask = async (line: string): Promise<string> => { program.tell(line); return program.line(); };
  beforeEach(async function () {
    if (!hasCompiler()) skip(this, 'needs a C compiler (cc)');
    program = Program.start(fixture('ipc'));
    await program.line();
  });
  afterEach(() => Program.stopAll());

  it('processes, ids and namespaces that vanish mid-scan are neither errors nor gaps', async () => {
    let churning: Promise<unknown> | undefined;
    for (let snapshots = 0; snapshots < 5; snapshots++) {
      churning ??= ask('churn 1500').then(() => { churning = undefined; });
      const child = spawn(process.execPath, [probePath(), 'snapshot', '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
      let text = '';
      child.stdout.on('data', (data: Buffer) => { text += data.toString(); });
      assert.equal(await new Promise(done => child.once('close', done)), 0);
      const snapshot = JSON.parse(text) as Snapshot;
      const strange = snapshot.gaps.filter(({ errno, reason }) => errno === 'ENOENT' || errno === 'ESRCH' || errno === 'EIDRM' || /undefined|NaN/.test(reason));
      assert.deepEqual(strange.filter(({ scope }) => scope.facility !== 'posix-message-queue'), []);
      const ids = new Set(snapshot.objects.map(({ id }) => id));
      assert.deepEqual(snapshot.handles.filter(({ objectId }) => !ids.has(objectId)), []);
    }
    await churning;
  });

  it('an unreadable /proc is a gap for everything that needs it, not an empty machine', function () {
    if (!isRoot) skip(this, 'needs root');
    const { status, stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs none /proc && exec "$0" "$1" snapshot --json', process.execPath, probePath()], { encoding: 'utf8', maxBuffer: 1 << 30 });
    assert.equal(status, 0, stderr);
    const { gaps } = JSON.parse(stdout) as Snapshot;
    for (const facility of ['processes', 'sysv-shared-memory', 'sysv-message-queue', 'sysv-semaphore-set']) assert.ok(gaps.some(({ scope }) => scope.facility === facility), facility);
  });

  it('a nested PID namespace is a gap, and nothing is called stale from inside it', function () {
    if (!isRoot) skip(this, 'needs root');
    writeFileSync(`/dev/shm/ipc-inspector-nested-${process.pid}`, 'x');
    try {
      const { stdout } = spawnSync('unshare', ['-p', '-f', '--mount-proc', process.execPath, probePath(), 'stale', '--json'], { encoding: 'utf8', maxBuffer: 1 << 30 });
      const { gaps, stale } = JSON.parse(stdout) as Snapshot & { stale: { verdict: string }[] };
      assert.ok(gaps.some(({ scope, reason }) => scope.field === 'pid-namespace' && /outside it are invisible/.test(reason)));
      assert.ok(stale.length > 0);
      assert.deepEqual(stale.filter(({ verdict }) => verdict === 'stale'), []);
    } finally {
      unlinkSync(`/dev/shm/ipc-inspector-nested-${process.pid}`);
    }
  });

  it('the objects of another IPC namespace are read by entering it, with its number', async function () {
    if (!isRoot) skip(this, 'needs root');
    assert.equal(await ask('newipc'), 'ok');
    const shmid = await ask('shmget 0x2a 4096 640');
    const address = await ask(`shmat ${shmid} 0`);
    const snapshot = snapshotOf();
    const theirs = snapshot.processes.find(({ pid }) => pid === program.pid)?.namespaces.ipc;
    assert.ok(theirs != null && theirs !== snapshot.host.ipcNamespace);
    const segment = snapshot.objects.find(({ id }) => id === `sysv-shared-memory:${theirs}:${shmid}`);
    assert.equal(segment?.key, '0x2a');
    assert.deepEqual(snapshot.handles.filter(({ objectId, pid }) => objectId === segment.id && pid === program.pid).map(({ via, address: at }) => [via, at]).filter(([via]) => via === 'attachment'), [['attachment', address]]);
    const { failed } = JSON.parse(ipcProbe(['remove', '--json', segment.id]).stdout) as { failed: Failed[] };
    assert.match(failed[0]?.error ?? '', /in use|IPC namespace/);
  });

  it('names of 4 kB are carried whole, and removed by their id', async () => {
    const long = 'x'.repeat(250);
    await ask(`shm_open /${long} 16`);
    const huge = Program.start(process.execPath, ['-e', 'console.log("up"); process.stdin.resume()', 'y'.repeat(4096)]);
    await huge.line();
    const snapshot = snapshotOf();
    assert.ok(snapshot.objects.some(({ name }) => name === `/${long}`));
    assert.ok(snapshot.processes.find(({ pid }) => pid === huge.pid)?.cmdline?.includes('y'.repeat(4096)));
    await ask(`shm_unlink /${long}`);
  });

  /** Starts to remove a full segment that nobody uses, large enough that its backup has only begun when this returns. */
  async function removingSlowly(): Promise<{ shmid: string; directory: string; outcome: Promise<{ removed: Removed[]; failed: Failed[] }> }> {
    const shmid = await ask('shmget 0 400000000 600');
    const address = await ask(`shmat ${shmid} 0`);
    await ask(`fill ${address} 400000000`);
    await ask(`shmdt ${address}`);
    const directory = mkdtempSync(join(scratchDirectory(), 'raced-'));
    const id = `sysv-shared-memory:${snapshotOf().host.ipcNamespace}:${shmid}`;
    const child = spawn(process.execPath, [probePath(), 'remove', '--json', '--backup', directory, id], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (data: Buffer) => { text += data.toString(); });
    const outcome = once(child, 'close').then(() => JSON.parse(text) as { removed: Removed[]; failed: Failed[] });
    await until(() => readdirSync(directory).length > 0, 'the backup has begun');
    return { shmid, directory, outcome };
  }

  it('a segment that somebody removes while it is backed up is reported as gone, and its backup is kept', async () => {
    const { shmid, directory, outcome } = await removingSlowly();
    assert.equal(await ask(`shmrm ${shmid}`), 'ok');
    const { removed, failed } = await outcome;
    assert.deepEqual(removed, []);
    assert.match(failed[0]?.error ?? '', /it is gone/);
    const data = readdirSync(directory).find(name => name.endsWith('.data'));
    assert.ok(data !== undefined && statSync(join(directory, data)).size === 400000000, 'nothing is lost');
    assert.ok(!readFileSync('/proc/sysvipc/shm', 'utf8').includes(` ${shmid} `));
    rmSync(directory, { recursive: true });
  });

  it('a segment that is attached while it is backed up is not removed', async () => {
    const { shmid, directory, outcome } = await removingSlowly();
    const again = await ask(`shmat ${shmid} 1`);
    const { failed } = await outcome;
    assert.match(failed[0]?.error ?? '', /in use/);
    assert.deepEqual(readdirSync(directory), [], 'the backup of what is still there is taken back');
    await ask(`shmdt ${again}`);
    await ask(`shmrm ${shmid}`);
  });
});

describe('a process whose first thread has ended', function () {
  let program: Program | undefined;
  let made: Record<string, string> = {};
  const name = `/ipc-inspector-first-${process.pid}`;
  before(async function () {
    if (!hasCompiler()) skip(this, 'needs a C compiler (cc)');
    program = Program.start(fixture('firstThread'), [name, join(scratchDirectory(), 'first')]);
    made = Object.fromEntries((await program.line()).split(' ').map(word => word.split('=') as [string, string]));
  });
  after(async () => {
    program?.end();
    await program?.exited;
    await Program.stopAll();
  });

  it('is a zombie in /proc, and is seen whole all the same: the others go on with everything', function () {
    const pid = Number(made['pid']);
    assert.match(readFileSync(`/proc/${pid}/stat`, 'latin1'), /\) Z /);
    assert.deepEqual(readdirSync(`/proc/${pid}/fd`), []);
    const snapshot = snapshotOf(['--pid', String(pid)]);
    const its = snapshot.processes.find(process => process.pid === pid);
    assert.notEqual(its?.state, 'Z');
    assert.ok(its?.namespaces.ipc);
    const on = (fd: string | undefined): string | undefined => snapshot.handles.find(handle => handle.pid === pid && handle.fd === Number(fd) && handle.via === 'descriptor')?.objectId.replace(/:.*/, '');
    assert.deepEqual(['read', 'write', 'a', 'b', 'eventfd', 'memfd', 'queue'].map(key => on(made[key])), ['pipe', 'pipe', 'unix-socket', 'unix-socket', 'eventfd', 'memfd', 'posix-message-queue']);
    const kindsBy = (via: string): string[] => snapshot.handles.filter(handle => handle.pid === pid && handle.via === via).map(({ objectId }) => objectId.replace(/:.*/, ''));
    assert.ok(kindsBy('mapping').includes('posix-shared-memory'));
    assert.deepEqual(kindsBy('lock'), ['flock-lock']);
  });

  it('has in use what it has: none of it is ever called stale', () => {
    const { stale } = JSON.parse(ipcProbe(['stale', '--json']).stdout) as { stale: { objectId: string; verdict: string }[] };
    const ids = new Set(snapshotOf().objects.filter(object => object.name === name).map(({ id }) => id));
    assert.equal(ids.size, 2);
    assert.deepEqual(stale.filter(({ objectId }) => ids.has(objectId)).map(({ verdict }) => verdict).filter(verdict => verdict !== 'in-use'), []);
  });

  it('has a pipe that can be looked into, where the kernel has a pidfd for a thread', function () {
    const pipe = snapshotOf(['--pid', made['pid'] ?? '']).handles.find(handle => handle.pid === Number(made['pid']) && handle.fd === Number(made['read']))?.objectId ?? assert.fail();
    const { contents } = JSON.parse(ipcProbe(['peek', '--json', pipe]).stdout) as { contents: Contents };
    if (contents.form === 'unavailable' && contents.errno === 'EINVAL') skip(this, 'needs PIDFD_THREAD (Linux 6.9)');
    assert.equal(contents.form === 'bytes' && Buffer.from(contents.content.base64, 'base64').toString(), 'still here');
  });
});

describe('objects under other names', function () {
  let program: Program | undefined;
  const directory = mkdtempSync(join(scratchDirectory(), 'names-'));
  const name = `ipc-inspector-names-${process.pid}`;
  let made: Record<string, string> = {};
  before(async function () {
    if (!isRoot || !hasCompiler()) skip(this, 'needs root and a C compiler (cc)');
    program = Program.start(fixture('otherNames'), [directory, name]);
    const line = await program.line();
    if (line.startsWith('error')) skip(this, line);
    made = Object.fromEntries(line.split(' ').map(word => word.split('=') as [string, string]));
  });
  after(async () => {
    program?.end();
    await program?.exited;
    await Program.stopAll();
  });

  it('a queue opened by its path, segments in a /dev/shm that is mounted elsewhere, and one bound as a file: all are the same objects', () => {
    const snapshot = snapshotOf(['--kind', 'posix-message-queue,posix-shared-memory,posix-semaphore']);
    const ids = new Map(snapshot.objects.map(({ id, name: its }) => [its, id]));
    const has = (object: string, via: string, fd?: string): boolean => snapshot.handles.some(handle => handle.objectId === ids.get(`/${name}-${object}`) && handle.pid === Number(made['pid']) && handle.via === via && (fd === undefined || handle.fd === Number(fd)));
    assert.ok(has('queue', 'descriptor', made['queue']), 'a queue by its path');
    assert.ok(has('open', 'descriptor', made['open']), 'a segment by another path');
    assert.ok(has('bound', 'descriptor', made['bound']), 'a segment bound as a file');
    assert.ok(has('mapped', 'mapping'), 'a segment that is only mapped');
    assert.ok(snapshot.handles.some(({ objectId, pid, via }) => objectId === ids.get(`/${name}-open`) && pid === Number(made['inner']) && via === 'descriptor'), 'of a process with a root directory of its own');
  });

  it('none of them is ever called stale, nor what a thread with descriptors of its own may have', () => {
    const { stale, objects } = JSON.parse(ipcProbe(['stale', '--json']).stdout) as Snapshot & { stale: { objectId: string; verdict: string; evidence: string[] }[] };
    const names = new Map(objects.map(({ id, name: its }) => [id, its]));
    assert.deepEqual(stale.filter(({ objectId, verdict }) => names.get(objectId)?.startsWith(`/${name}`) && verdict !== 'in-use').map(({ objectId, verdict }) => [names.get(objectId), verdict]), [[`/${name}-thread`, 'possibly-stale']]);
    assert.match(stale.find(({ objectId }) => names.get(objectId) === `/${name}-thread`)?.evidence.join('\n') ?? '', /could not be read: .*pid/, 'what a single thread has open, /proc does not show');
  });
});
