// The snapshot against independent sources: the kernel's own tables, lsipc, what the programs that made the objects know.
import { strict as assert } from 'node:assert';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import type { Handle, IpcObject, ObjectOf, CollectedKind, Snapshot } from '../../native-probe/model';
import { fixture, hasCompiler, isRoot, Program, snapshotOf } from './harness';
import { skip } from '../skip';

function object<K extends CollectedKind>(snapshot: Snapshot, kind: K, id: string | RegExp): ObjectOf<K> {
  const found = snapshot.objects.find((candidate): candidate is ObjectOf<K> => candidate.kind === kind && (typeof id === 'string' ? candidate.id.endsWith(id) : id.test(candidate.name ?? '')));
  assert.ok(found, `no ${kind} ${String(id)} in the snapshot`);
  return found;
}
const handlesOn = (snapshot: Snapshot, { id }: IpcObject, pid: number): Handle[] => snapshot.handles.filter(handle => handle.objectId === id && handle.pid === pid);
const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0;

describe('snapshot of System V objects', function () {
  let program: Program;
  const ids: { shm: string; msg: string; sem: string } = { shm: '', msg: '', sem: '' };
  const ask = async (line: string): Promise<string> => { program.tell(line); return program.line(); };
  before(async function () {
    if (!hasCompiler()) skip(this, 'needs a C compiler (cc)');
    program = Program.start(fixture('ipc'));
    await program.line();
    ids.shm = await ask('shmget 0x49504301 81920 640');
    ids.msg = await ask('msgget 0x49504302 620');
    ids.sem = await ask('semget 0x49504303 3 606');
  });
  after(async () => {
    if (ids.shm) { await ask(`shmrm ${ids.shm}`); await ask(`msgrm ${ids.msg}`); await ask(`semrm ${ids.sem}`); }
    await Program.stopAll();
  });

  it('agrees field by field with /proc/sysvipc/shm, and shows the attachment with its address and access', async () => {
    const address = await ask(`shmat ${ids.shm} 0`);
    const readOnly = await ask(`shmat ${ids.shm} 1`);
    await ask(`poke ${address} hello`);
    const snapshot = snapshotOf();
    const segment = object(snapshot, 'sysv-shared-memory', `:${ids.shm}`);
    const [header = '', ...rows] = readFileSync('/proc/sysvipc/shm', 'utf8').trim().split('\n').map(line => line.trim().split(/\s+/));
    const row = rows.find(fields => fields[1] === ids.shm) ?? [];
    const column = (name: string): string => row[(header as unknown as string[]).indexOf(name)] ?? '';
    assert.deepEqual(
      { segsz: segment.state.segsz, nattch: String(segment.state.nattch), cpid: String(segment.state.cpid), lpid: String(segment.state.lpid), rss: segment.state.rss, swap: segment.state.swap },
      { segsz: column('size'), nattch: column('nattch'), cpid: column('cpid'), lpid: column('lpid'), rss: column('rss'), swap: column('swap') });
    assert.equal(segment.state.nattch, 2);
    assert.equal(segment.creatorPid, program.pid);
    assert.equal(segment.key, '0x49504301');
    assert.equal(segment.owner?.mode, '0640');
    assert.equal(Date.parse(segment.state.atime ?? '') / 1000, Number(column('atime')));
    assert.equal(segment.state.dtime, undefined, 'never detached: absent, not 1970');
    const attachments = handlesOn(snapshot, segment, program.pid).filter(({ via }) => via === 'attachment');
    assert.deepEqual(attachments.map(({ address: at, access }) => ({ at, access })).sort((a, b) => (a.at ?? '').localeCompare(b.at ?? '')),
      [{ at: address, access: 'read-write' }, { at: readOnly, access: 'read' }].sort((a, b) => a.at.localeCompare(b.at)));
    await ask(`shmdt ${readOnly}`);
  });

  it('shows SHM_LOCKED and SHM_DEST', async () => {
    const id = await ask('shmget 0 4096 600');
    const address = await ask(`shmat ${id} 0`);
    const locked = (await ask(`shmlock ${id}`)) === 'ok';
    await ask(`shmrm ${id}`);
    const { state } = object(snapshotOf(), 'sysv-shared-memory', `:${id}`);
    assert.deepEqual([state.dest, state.locked], [true, locked]);
    await ask(`shmdt ${address}`);
  });

  it('shows a message queue with its limit, its last operators, and who did the last operation', async () => {
    await ask(`msgsnd ${ids.msg} 7 100`);
    await ask(`msgsnd ${ids.msg} 8 11`);
    assert.equal(await ask(`msgrcv ${ids.msg}`), '100');
    const snapshot = snapshotOf();
    const queue = object(snapshot, 'sysv-message-queue', `:${ids.msg}`);
    assert.deepEqual({ ...queue.state, stime: typeof queue.state.stime, rtime: typeof queue.state.rtime, ctime: typeof queue.state.ctime }, {
      qnum: '1', cbytes: '11', qbytes: readFileSync('/proc/sys/kernel/msgmnb', 'utf8').trim(), lspid: program.pid, lrpid: program.pid, stime: 'string', rtime: 'string', ctime: 'string',
    });
    assert.deepEqual(handlesOn(snapshot, queue, program.pid).map(({ via, operation }) => `${via} ${operation ?? ''}`).sort(), ['last-operation msgrcv', 'last-operation msgsnd']);
  });

  it('shows every semaphore with value and last process', async () => {
    await ask(`semop ${ids.sem} 1 5`);
    const { state } = object(snapshotOf(), 'sysv-semaphore-set', `:${ids.sem}`);
    assert.deepEqual(state.sems, [{ val: 0, ncnt: 0, zcnt: 0, pid: 0 }, { val: 5, ncnt: 0, zcnt: 0, pid: program.pid }, { val: 0, ncnt: 0, zcnt: 0, pid: 0 }]);
    assert.ok(state.otime);
  });

  it('agrees with lsipc --json', function () {
    if (!has('lsipc')) skip(this, 'needs lsipc (util-linux)');
    const snapshot = snapshotOf();
    const lsipc = (flag: string, columns: string): Record<string, string>[] => {
      const parsed = JSON.parse(execFileSync('lsipc', [flag, '--json', '--bytes', '--time-format=iso', '-o', columns], { encoding: 'utf8' })) as Record<string, Record<string, string>[]>;
      return Object.values(parsed)[0] ?? [];
    };
    const rowOf = (rows: Record<string, unknown>[], id: string): Record<string, unknown> => rows.find(row => String(row['id']) === id) ?? {};
    const segment = object(snapshot, 'sysv-shared-memory', `:${ids.shm}`);
    const shm = rowOf(lsipc('-m', 'KEY,ID,PERMS,OWNER,SIZE,NATTCH,CPID,LPID'), ids.shm);
    assert.deepEqual([String(shm['size']), String(shm['nattch']), String(shm['cpid']), String(shm['lpid']), shm['key']],
      [segment.state.segsz, String(segment.state.nattch), String(segment.state.cpid), String(segment.state.lpid), segment.key]);
    const queue = object(snapshot, 'sysv-message-queue', `:${ids.msg}`);
    const msg = rowOf(lsipc('-q', 'KEY,ID,USEDBYTES,MSGS,LSPID,LRPID'), ids.msg);
    assert.deepEqual([String(msg['usedbytes']), String(msg['msgs']), String(msg['lspid'])], [queue.state.cbytes, queue.state.qnum, String(queue.state.lspid)]);
    const set = object(snapshot, 'sysv-semaphore-set', `:${ids.sem}`);
    assert.equal(String(rowOf(lsipc('-s', 'KEY,ID,NSEMS'), ids.sem)['nsems']), String(set.state.nsems));
  });
});

describe('snapshot of POSIX objects', function () {
  let program: Program;
  const name = `/ipc-inspector-test-${process.pid}`;
  const ask = async (line: string): Promise<string> => { program.tell(line); return program.line(); };
  before(async function () {
    if (!hasCompiler()) skip(this, 'needs a C compiler (cc)');
    program = Program.start(fixture('ipc'));
    await program.line();
  });
  after(async () => {
    for (const verb of ['mq_unlink', 'shm_unlink', 'sem_unlink']) await ask(`${verb} ${name}`);
    await Program.stopAll();
  });

  it('lists a queue with its attributes, bytes and notification, whether or not an mqueue file system is mounted', async function () {
    const fd = await ask(`mq_open ${name} 7 512`);
    if (fd.startsWith('error')) skip(this, `cannot make what it looks at: ${fd}`);
    await ask(`mq_send ${fd} hello`);
    let queue = object(snapshotOf(), 'posix-message-queue', new RegExp(`^${name}$`));
    assert.deepEqual(queue.state, { curmsgs: 1, maxmsg: 7, msgsize: '512', qsize: '5' });
    assert.equal(queue.owner?.mode, '0640');
    await ask(`mq_notify ${fd}`);
    const snapshot = snapshotOf();
    queue = object(snapshot, 'posix-message-queue', new RegExp(`^${name}$`));
    assert.deepEqual(queue.state.notify, { pid: program.pid, signo: 10 });
    assert.deepEqual(handlesOn(snapshot, queue, program.pid).map(({ via, fd: number, access }) => ({ via, number, access })), [{ via: 'descriptor', number: Number(fd), access: 'read-write' }]);
    await ask(`mq_close ${fd}`);
    if (isRoot) assert.ok(object(snapshotOf(), 'posix-message-queue', new RegExp(`^${name}$`)), 'still listed when nobody has it open');
    else {
      const closed = snapshotOf();
      assert.ok(closed.objects.some(({ name: its }) => its === name) || closed.gaps.some(({ scope }) => scope.facility === 'posix-message-queue'), 'seen, or a gap');
    }
  });

  it('shows a segment with size and allocated bytes, its descriptor and its mapping; unlinked it stays while it is mapped', async () => {
    const fd = await ask(`shm_open ${name} 1048576`);
    const address = await ask(`mmap ${fd} 1048576`);
    await ask(`poke ${address} hello`);
    let snapshot = snapshotOf();
    let segment = object(snapshot, 'posix-shared-memory', new RegExp(`^${name}$`));
    const stats = statSync(`/dev/shm${name}`);
    assert.equal(segment.id, `posix-shared-memory:${stats.dev}:${stats.ino}`);
    assert.deepEqual(segment.state, { size: '1048576', allocated: '4096' });
    assert.deepEqual(handlesOn(snapshot, segment, program.pid).map(({ via, fd: number, address: at, access }) => [via, number ?? at, access]), [['descriptor', Number(fd), 'read-write'], ['mapping', address, 'read-write']]);
    await ask(`shm_unlink ${name}`);
    await ask(`close ${fd}`);
    snapshot = snapshotOf();
    segment = object(snapshot, 'posix-shared-memory', new RegExp(`^${name}$`));
    assert.equal(segment.state.unlinked, true);
    assert.deepEqual(handlesOn(snapshot, segment, program.pid).map(({ via }) => via), ['mapping']);
  });

  it('shows a named semaphore with value and waiters, and leaves its access time alone', async () => {
    const address = await ask(`sem_open ${name} 3`);
    const atime = statSync(`/dev/shm/sem.${name.slice(1)}`, { bigint: true }).atimeNs;
    const snapshot = snapshotOf();
    const semaphore = object(snapshot, 'posix-semaphore', new RegExp(`^${name}$`));
    assert.deepEqual(semaphore.state, { value: 3, waiters: 0 });
    assert.deepEqual(handlesOn(snapshot, semaphore, program.pid).map(({ via, address: at }) => [via, at]), [['mapping', address]]);
    assert.equal(statSync(`/dev/shm/sem.${name.slice(1)}`, { bigint: true }).atimeNs, atime);
    await ask(`sem_close ${address}`);
  });

  it('escapes hostile names of objects and processes, and still tells them apart', async () => {
    const hostile = '/a\u202e<b>\x1b[31m`$(x)`\x01';
    await ask(`shm_open ${hostile} 10`);
    await ask('name \x1b]0;x\x07[a](b)');
    const snapshot = snapshotOf();
    const segment = snapshot.objects.find(({ name: its }) => its?.startsWith('/a\\x'));
    assert.equal(segment?.name, '/a\\xe2\\x80\\xae<b>\\x1b[31m`$(x)`\\x01');
    const process = snapshot.processes.find(({ pid }) => pid === program.pid);
    assert.equal(process?.comm, '\\x1b]0;x\\x07[a](b)');
    await ask(`shm_unlink ${hostile}`);
  });

  it('answers for one process with --pid: its objects and who shares them', async () => {
    const id = await ask('shmget 0 4096 600');
    await ask(`shmat ${id} 0`);
    const snapshot = snapshotOf(['--pid', String(program.pid)]);
    assert.ok(snapshot.objects.some(candidate => candidate.id.endsWith(`:${id}`)));
    assert.ok(snapshot.processes.some(({ pid }) => pid === program.pid));
    assert.ok(snapshot.processes.length < 20, `only those concerned, not ${snapshot.processes.length}`);
    await ask(`shmrm ${id}`);
  });
});
