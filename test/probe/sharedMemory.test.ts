// memfds, shared mappings and signals of a real program, against its own maps, stat, lsfd and `kill -l`.
import { strict as assert } from 'node:assert';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, statSync, writeFileSync, renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Handle, ObjectOf, Snapshot } from '../../native-probe/model';
import { skip } from '../skip';
import { canBecomeOrdinary, fixture, hasCompiler, ordinaryUser, Program, scratchDirectory, snapshotOf } from './harness';

const memory = ['--kind', 'memfd,shared-mapping,anonymous-shared-mapping'];

let program: Program;
const ask = async (line: string): Promise<string> => {
  program.tell(line);
  const reply = await program.line();
  assert.doesNotMatch(reply, /^error/, line);
  return reply;
};
const start = async (options: { user?: number } = {}): Promise<void> => {
  program = Program.start(fixture('locks'), [], options);
  await program.line();
};
const handlesOn = (snapshot: Snapshot, id: string): Handle[] => snapshot.handles.filter(handle => handle.objectId === id);

/** Device and inode of the mapping at an address, as maps gives them. */
function inMaps(pid: number, address: string): { device: string; inode: string } {
  const line = readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n').find(each => each.startsWith(`${address.slice(2)}-`)) ?? '';
  const [, , , device = '', inode = ''] = line.split(/\s+/);
  const [major = '', minor = ''] = device.split(':');
  return { device: String(parseInt(major, 16) * 256 + parseInt(minor, 16)), inode };
}

describe('shared memory without a name', function () {
  before(function () { if (!hasCompiler()) skip(this, 'no C compiler'); });
  beforeEach(() => start());
  afterEach(() => Program.stopAll());

  it('a memfd has its name, size and allocation, and the descriptors and mappings of all who share it', async () => {
    const name = 'ring (deleted) \\ \u202e';
    const fd = await ask(`memfd 12288 ${name}`);
    const address = await ask(`map ${fd} 8192 4096 rw`);
    await ask(`touch ${address} 1`);
    const heir = Number(await ask('fork'));
    const snapshot = snapshotOf(memory);
    const { dev, ino, blocks } = statSync(`/proc/${program.pid}/fd/${fd}`);
    const memfd = snapshot.objects.find((object): object is ObjectOf<'memfd'> => object.id === `memfd:${dev}:${ino}`);
    assert(memfd);
    assert.equal(memfd.name, 'ring (deleted) \\x5c \\xe2\\x80\\xae');
    assert.deepEqual(memfd.state, { size: '12288', allocated: String(blocks * 512), seals: null });
    assert(blocks > 0);
    assert.deepEqual(handlesOn(snapshot, memfd.id).map(({ pid, via, fd: at, address: where, access }) => [pid, via, at ?? where, access]).sort(), [
      [program.pid, 'descriptor', Number(fd), 'read-write'], [heir, 'descriptor', Number(fd), 'read-write'],
      [program.pid, 'mapping', address, 'read-write'], [heir, 'mapping', address, 'read-write'],
    ].sort());
    assert.equal(snapshot.gaps.filter(gap => gap.scope.facility === 'memfd' && gap.scope.field === 'seals').length, 1, 'one gap, however many memfds');
  });

  it('a memfd without a name, closed but mapped, is found through its mapping', async () => {
    const fd = await ask('memfd 5000 -');
    const address = await ask(`map ${fd} 8192 0 r`);
    const { dev, ino } = statSync(`/proc/${program.pid}/fd/${fd}`);
    await ask(`close ${fd}`);
    const snapshot = snapshotOf(memory);
    const memfd = snapshot.objects.find((object): object is ObjectOf<'memfd'> => object.id === `memfd:${dev}:${ino}`);
    assert(memfd && !('name' in memfd), JSON.stringify(memfd));
    if (process.geteuid?.() === 0) assert.equal(memfd.state.size, '5000');
    else assert(memfd.state.size !== null || snapshot.gaps.some(gap => gap.scope.objectId === memfd.id));
    assert.deepEqual(handlesOn(snapshot, memfd.id), [{ objectId: memfd.id, pid: program.pid, via: 'mapping', address, access: 'read' }]);
  });

  it('an ordinary user is not told the size of a memfd that is only mapped, and why', async function () {
    if (!canBecomeOrdinary()) skip(this, 'not root');
    await program.stop();
    await start({ user: ordinaryUser });
    const fd = await ask('memfd 5000 mine');
    const address = await ask(`map ${fd} 8192 0 r`);
    await ask(`close ${fd}`);
    const { device, inode } = inMaps(program.pid, address);
    const snapshot = snapshotOf(memory, { user: ordinaryUser });
    const memfd = snapshot.objects.find((object): object is ObjectOf<'memfd'> => object.id === `memfd:${device}:${inode}`);
    assert.deepEqual([memfd?.name, memfd?.state], ['mine', { size: null, allocated: null, seals: null }]);
    assert(snapshot.gaps.some(gap => gap.scope.objectId === memfd?.id && gap.errno === 'EPERM' && gap.remedy !== undefined));
  });

  it('every memfd descriptor that lsfd sees of the program is there', async function () {
    if (spawnSync('lsfd', ['--version']).status !== 0) skip(this, 'no lsfd');
    for (let i = 0; i < 5; i++) await ask(`memfd ${i} seen-${i}`);
    const snapshot = snapshotOf(memory);
    const rows = execFileSync('lsfd', ['--raw', '--noheadings', '-p', String(program.pid), '-o', 'ASSOC,INODE,SIZE'], { encoding: 'utf8' }).trim().split('\n').map(row => row.split(/\s+/));
    const theirs = rows.filter(([fd = '']) => /^\d+$/.test(fd) && readlinkSync(`/proc/${program.pid}/fd/${fd}`).startsWith('/memfd:')).map(([fd, inode, size]) => `${fd} ${inode} ${size}`);
    const ours = snapshot.handles.filter(({ pid, via }) => pid === program.pid && via === 'descriptor').map(({ fd, objectId }) => {
      const memfd = snapshot.objects.find((object): object is ObjectOf<'memfd'> => object.id === objectId && object.kind === 'memfd');
      return `${fd} ${objectId.split(':')[2]} ${memfd?.state.size}`;
    });
    assert.equal(ours.length, 5);
    assert.deepEqual(ours.sort(), theirs.sort());
  });

  it('a shared anonymous mapping is one object of parent and child, as large as its farthest byte', async () => {
    const address = await ask('map -1 12288 0 rw');
    const other = await ask('map -1 4096 0 r');
    const heir = Number(await ask('fork'));
    const snapshot = snapshotOf(memory);
    const { device, inode } = inMaps(program.pid, address);
    const object = snapshot.objects.find(each => each.id === `anonymous-shared-mapping:${device}:${inode}`);
    assert.deepEqual(object?.state, { size: '12288' });
    assert.deepEqual(handlesOn(snapshot, object?.id ?? '').map(({ pid, via, address: at, access }) => ({ pid, via, at, access })).sort((a, b) => a.pid - b.pid),
      [program.pid, heir].sort((a, b) => a - b).map(pid => ({ pid, via: 'mapping', at: address, access: 'read-write' })));
    assert.equal(handlesOn(snapshot, `anonymous-shared-mapping:${inMaps(program.pid, other).device}:${inMaps(program.pid, other).inode}`)[0]?.access, 'read');
  });

  it('a shared file mapping has path, access and how far it is mapped, and survives its file', async () => {
    const path = join(mkdtempSync(join(scratchDirectory(), 'mapped-')), 'data');
    writeFileSync(path, 'x'.repeat(20_000));
    const fd = await ask(`open ${path} rw`);
    const low = await ask(`map ${fd} 4096 0 r`), high = await ask(`map ${fd} 4096 8192 rw`), again = await ask(`map ${fd} 4096 0 r`);
    await ask(`close ${fd}`);
    const { ino } = statSync(path);
    const { device } = inMaps(program.pid, low);
    const find = (snapshot: Snapshot): ObjectOf<'shared-mapping'> | undefined => snapshot.objects.find((object): object is ObjectOf<'shared-mapping'> => object.id === `shared-mapping:${device}:${ino}`);
    const snapshot = snapshotOf(memory);
    const mapping = find(snapshot);
    assert.deepEqual(mapping?.state, { path, mapped: '12288' });
    assert.deepEqual(handlesOn(snapshot, mapping.id).map(({ address, access, via }) => `${via} ${address} ${access}`).sort(), [`mapping ${low} read`, `mapping ${high} read-write`, `mapping ${again} read`].sort());
    const called = `${path} (deleted)`;
    renameSync(path, called);
    assert.deepEqual(find(snapshotOf(memory))?.state, { path: called, mapped: '12288' }, 'it is only called so');
    unlinkSync(called);
    assert.deepEqual(find(snapshotOf(memory))?.state, { path: called, mapped: '12288', deleted: true });
  });

  it('every shared mapping of the program in maps belongs to an object', async () => {
    const fd = await ask('memfd 4096 counted');
    await ask(`map ${fd} 4096 0 rw`);
    await ask('map -1 4096 0 rw');
    const lines = readFileSync(`/proc/${program.pid}/maps`, 'latin1').split('\n').filter(line => / [-rwx]{3}s /.test(line)).map(line => `0x${line.split('-')[0]}`);
    const seen = snapshotOf(memory).handles.filter(({ pid, via }) => pid === program.pid && via === 'mapping').map(({ address }) => address);
    assert(lines.length >= 2);
    assert.deepEqual(seen.sort(), lines.sort());
  });
});

describe('signals of a process', function () {
  before(function () { if (!hasCompiler()) skip(this, 'no C compiler'); });
  beforeEach(() => start());
  afterEach(() => Program.stopAll());
  const signalsOf = (snapshot: Snapshot, pid: number): ObjectOf<'signal'> => {
    const process = snapshot.processes.find(each => each.pid === pid);
    const found = snapshot.objects.find((object): object is ObjectOf<'signal'> => object.id === `signal:${pid}.${process?.startTime}` && object.kind === 'signal');
    assert(found);
    return found;
  };

  it('are pending, blocked, ignored and caught by name; threads only of the process asked for', async () => {
    const tid = Number(await ask('signals'));
    assert.equal(await program.line(), 'ok');
    const all = snapshotOf(['--kind', 'signal']);
    const { state, id } = signalsOf(all, program.pid);
    assert.deepEqual(state.pending, ['SIGUSR1', 'SIGRTMIN+1', 'SIGRTMIN+30']);
    assert.deepEqual(state.blocked, ['SIGUSR1', 'SIGRTMIN+1', 'SIGRTMIN+30']);
    assert(state.ignored.includes('SIGPIPE') && !state.caught.includes('SIGPIPE'));
    assert(state.caught.includes('SIGTERM') && state.caught.includes('SIGIO'));
    assert.equal(state.threads, undefined);
    assert(Number(state.queued) >= 3 && BigInt(state.limit) > 0n);
    assert.deepEqual(handlesOn(all, id), [{ objectId: id, pid: program.pid, via: 'owner' }]);
    const asked = signalsOf(snapshotOf(['--kind', 'signal', '--pid', String(program.pid)]), program.pid);
    assert.deepEqual(asked.state.threads, [
      { tid: program.pid, pending: ['SIGUSR1', 'SIGRTMIN+1'], blocked: ['SIGUSR1', 'SIGRTMIN+1', 'SIGRTMIN+30'] },
      { tid, pending: ['SIGUSR2'], blocked: ['SIGUSR2', 'SIGRTMIN+3', 'SIGRTMIN+30'] },
    ]);
  });

  it('have the names that bash gives their numbers', async function () {
    if (spawnSync('bash', ['--version']).status !== 0) skip(this, 'no bash');
    await ask('signals');
    await program.line();
    const { state } = signalsOf(snapshotOf(['--kind', 'signal']), program.pid);
    const nameOf = (number: number): string => `SIG${execFileSync('bash', ['-c', `kill -l ${number}`], { encoding: 'utf8' }).trim()}`;
    // bash counts the upper half down from SIGRTMAX.
    const ours = (name: string): string => name.replace(/^SIGRTMAX(?:-(\d+))?$/, (_, down?: string) => `SIGRTMIN+${30 - Number(down ?? 0)}`);
    const caught = BigInt(`0x${/^SigCgt:\t(\w+)$/m.exec(readFileSync(`/proc/${program.pid}/status`, 'latin1'))?.[1] ?? '0'}`);
    const numbers = Array.from({ length: 64 }, (_, at) => at + 1).filter(number => (caught >> BigInt(number - 1) & 1n) === 1n);
    assert.deepEqual(state.caught.filter(name => !/^SIG3[23]$/.test(name)), numbers.filter(number => number < 32 || number > 33).map(number => ours(nameOf(number))));
    assert.deepEqual(ours(nameOf(64)), state.pending.at(-1));
  });

  it('are nobody\'s for kernel threads, and still there without the right to read more', function () {
    const snapshot = snapshotOf(['--kind', 'signal'], canBecomeOrdinary() ? { user: ordinaryUser } : {});
    const kernelThreads = snapshot.processes.filter(({ exe, state }) => exe === undefined && state !== 'Z');
    const ids = new Set(snapshot.objects.map(({ id }) => id));
    for (const { pid, startTime } of kernelThreads) assert(!ids.has(`signal:${pid}.${startTime}`), `pid ${pid} is a kernel thread`);
    assert(ids.has(signalsOf(snapshot, program.pid).id), 'root\'s status is readable for everybody');
  });
});
