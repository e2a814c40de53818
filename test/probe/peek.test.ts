// peek: what is in an object, and that looking changed nothing.
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import type { Contents, IpcObject, Snapshot } from '../../native-probe/model';
import { fixture, hasCompiler, ipcProbe, isRoot, Program, snapshotOf } from './harness';
import { skip } from '../skip';
import { canContain } from './containers';

type Peeked = Snapshot & { contents: Contents };
const peek = (id: string, ...args: string[]): { status: number | null; object: IpcObject | undefined; contents: Contents } => {
  const { status, stdout, stderr } = ipcProbe(['peek', '--json', id, ...args]);
  assert.ok(stdout !== '', stderr);
  const { objects, contents } = JSON.parse(stdout) as Peeked;
  return { status, object: objects[0], contents };
};
const text = (contents: Contents): string => contents.form === 'bytes' ? Buffer.from(contents.content.base64, 'base64').toString('latin1') : assert.fail(JSON.stringify(contents));
const inodeOf = (pid: number, fd: number): number => statSync(`/proc/${pid}/fd/${fd}`).ino;
const row = (table: string, id: string): string => readFileSync(`/proc/sysvipc/${table}`, 'utf8').split('\n').find(line => line.trim().split(/\s+/)[1] === id) ?? assert.fail(id);

describe('peek', function () {
  let program: Program;
  const ask = async (line: string): Promise<string> => {
    program.tell(line);
    const answer = await program.line();
    assert.ok(!answer.startsWith('error'), `${line}: ${answer}`);
    return answer;
  };
  const pair = async (line: string): Promise<[number, number]> => { const [a, b] = (await ask(line)).split(' ').map(Number); return [a ?? 0, b ?? 0]; };
  before(async function () {
    if (!hasCompiler()) skip(this, 'needs a C compiler (cc)');
    program = Program.start(fixture('ipc'));
    await program.line();
  });
  after(() => Program.stopAll());

  it('shows System V messages with number, type, size and bytes; the queue\'s row does not change', async () => {
    const msqid = await ask('msgget 0 600');
    await ask(`msgsnd ${msqid} 7 3`);
    await ask(`msgsnd ${msqid} 8 5000`);
    const before = row('msg', msqid);
    const { contents } = peek(`sysv-message-queue:${snapshotOf().host.ipcNamespace}:${msqid}`);
    assert.ok(contents.form === 'messages');
    assert.deepEqual(contents.messages.map(({ index, type, size }) => [index, type, size]), [[0, '7', '3'], [1, '8', '5000']]);
    assert.equal(Buffer.from(contents.messages[0]?.content.base64 ?? '', 'base64').toString(), 'mmm');
    assert.equal(row('msg', msqid), before);
    await ask(`msgrm ${msqid}`);
  });

  it('shows messages of 64 kB of binary as they were sent, where a namespace allows them', async function () {
    if (!isRoot || !canContain()) skip(this, 'no namespaces can be made here');
    if (spawnSync('perl', ['-e', '1']).status !== 0) skip(this, 'no perl, whose msgsnd this uses');
    const script = `for (["msgmax", 65536], ["msgmnb", 400000]) { open(F, ">/proc/sys/kernel/$_->[0]") or die $!; print F $_->[1]; close(F) or die $! }
      $id = msgget(0, 0600); for $n (1..3) { msgsnd($id, pack("l! a*", $n, join "", map { chr(($_ * 7 + $n) & 255) } 0..65535), 0) or die $! } $| = 1; print "$id\\n"; <STDIN>; msgctl($id, 0, 0)`;
    const sender = Program.start('unshare', ['--ipc', 'perl', '-e', script]);
    const msqid = await sender.line();
    const namespace = /\d+/.exec(readlinkSync(`/proc/${sender.pid}/ns/ipc`))?.[0] ?? '';
    const { stdout } = ipcProbe(['peek', '--json', `sysv-message-queue:${namespace}:${msqid}`]);
    const { contents } = JSON.parse(stdout) as { contents: Contents };
    assert.ok(contents.form === 'messages', stdout.slice(0, 500));
    assert.equal(contents.messages.length, 3);
    for (const [at, { type, size, content }] of contents.messages.entries()) {
      assert.deepEqual([type, size], [String(at + 1), '65536']);
      const bytes = Buffer.from(content.base64, 'base64');
      assert.ok(bytes.length > 0 && bytes.length === content.length && content.truncated === (bytes.length < 65536));
      assert.ok(bytes.every((byte, index) => byte === ((index * 7 + at + 1) & 255)), `message ${at + 1} holds what was sent`);
    }
    sender.end();
    await sender.exited;
  });

  it('reads an attached segment where it is asked, tells holes, and allocates nothing', async function () {
    const shmid = await ask('shmget 0 1073741824 600');
    const address = await ask(`shmat ${shmid} 0`);
    await ask(`poke 0x${(BigInt(address) + 8192n).toString(16)} hello`);
    const before = row('shm', shmid);
    const id = `sysv-shared-memory:${snapshotOf().host.ipcNamespace}:${shmid}`;
    const { contents } = peek(id, '--offset', '8190', '--length', '8');
    assert.equal(text(contents), '\0\0hello\0');
    assert.ok(contents.form === 'bytes' && contents.size === '1073741824' && contents.content.truncated);
    const far = peek(id, '--offset', '536870912', '--length', '65536').contents;
    assert.ok(far.form === 'bytes');
    if (isRoot) assert.deepEqual(far.holes, [{ offset: '536870912', length: '65536' }]);
    else assert.deepEqual(far.unread, [{ offset: '536870912', length: '65536' }]);
    assert.equal(text(peek(id, '--offset', '2000000000').contents), '', 'beyond the end there is nothing');
    assert.equal(row('shm', shmid), before, 'neither rss nor atime nor lpid changed');
    await ask(`shmdt ${address}`);
    const { status, contents: none } = peek(id);
    assert.equal(status, 1);
    assert.ok(none.form === 'unavailable' && /attached/.test(none.reason), 'nobody has it attached: said, not attached to look');
    await ask(`shmrm ${shmid}`);
  });

  it('reads a POSIX segment and leaves its access time alone', async () => {
    const name = `/ipc-inspector-peek-${process.pid}`;
    const fd = await ask(`shm_open ${name} 100000`);
    await ask(`write ${fd} contents`);
    const { dev, ino, atimeNs } = statSync(`/dev/shm${name}`, { bigint: true });
    assert.equal(text(peek(`posix-shared-memory:${dev}:${ino}`, '--length', '8').contents), 'contents');
    assert.equal(statSync(`/dev/shm${name}`, { bigint: true }).atimeNs, atimeNs);
    await ask(`shm_unlink ${name}`);
  });

  it('shows the bytes in a pipe and how full it is; its reader still gets them all', async () => {
    const [readEnd, writeEnd] = await pair('pipe');
    await ask(`write ${writeEnd} unread-bytes`);
    const { object, contents } = peek(`pipe:${inodeOf(program.pid, readEnd)}`);
    assert.equal(text(contents), 'unread-bytes');
    assert.ok(object?.kind === 'pipe');
    assert.deepEqual(object.state, { unread: '12', capacity: '65536' });
    assert.equal(await ask(`read ${readEnd} 100`), 'unread-bytes');
    assert.equal(text(peek(`pipe:${inodeOf(program.pid, readEnd)}`).contents), '');
    await ask(`close ${readEnd}`);
    const { contents: none } = peek(`pipe:${inodeOf(program.pid, writeEnd)}`);
    assert.ok(none.form === 'unavailable' && /read end/.test(none.reason));
  });

  it('shows what waits in a socket without taking it, and refuses where even a peek would change something', async () => {
    const [a, b] = await pair('socketpair 1');
    await ask(`write ${a} through-the-pair`);
    assert.equal(text(peek(`unix-socket:${inodeOf(program.pid, b)}`).contents), 'through-the-pair');
    await ask(`peekoff ${b} 2`);
    const { contents } = peek(`unix-socket:${inodeOf(program.pid, b)}`);
    assert.ok(contents.form === 'unavailable' && /SO_PEEK_OFF/.test(contents.reason));
    assert.equal(await ask(`read ${b} 100`), 'through-the-pair');
    const [c, d] = await pair('socketpair 2');
    await ask(`write ${c} first`);
    await ask(`write ${c} second`);
    const datagram = peek(`unix-socket:${inodeOf(program.pid, d)}`).contents;
    assert.ok(datagram.form === 'messages');
    assert.deepEqual(datagram.messages.map(({ size, content }) => [size, Buffer.from(content.base64, 'base64').toString()]), [['5', 'first']]);
  });

  it('shows semaphore values, and an eventfd\'s counter', async () => {
    const semid = await ask('semget 0 2 600');
    await ask(`semop ${semid} 1 3`);
    const { contents } = peek(`sysv-semaphore-set:${snapshotOf().host.ipcNamespace}:${semid}`);
    assert.ok(contents.form === 'values');
    assert.match(contents.values[1]?.value ?? '', /^value 3, ncnt 0, zcnt 0, pid \d+$/);
    await ask(`semrm ${semid}`);
    const fd = Number(await ask('eventfd 42'));
    // It may have inherited another one: the descriptor decides.
    const { objects, handles } = snapshotOf(['--pid', String(program.pid)]);
    const own = new Set(handles.filter(handle => handle.pid === program.pid && handle.fd === fd).map(({ objectId }) => objectId));
    const eventfd = objects.find(({ kind, id }) => kind === 'eventfd' && own.has(id)) ?? assert.fail('no eventfd');
    assert.deepEqual(peek(eventfd.id).contents, { form: 'values', values: [{ name: 'count', value: '42' }] });
  });

  it('shows the seals of a memfd, which a snapshot leaves unknown', async () => {
    const fd = await ask('memfd sealed 8192');
    const { dev, ino } = statSync(`/proc/${program.pid}/fd/${fd}`);
    const id = `memfd:${dev}:${ino}`;
    const seals = (object: IpcObject | undefined): unknown => object?.kind === 'memfd' ? object.state.seals : assert.fail(id);
    assert.equal(seals(snapshotOf(['--kind', 'memfd']).objects.find(object => object.id === id)), null);
    assert.deepEqual(seals(peek(id).object), []);
    assert.equal(await ask(`seal ${fd} 5`), 'ok');
    assert.deepEqual(seals(peek(id).object), ['F_SEAL_SEAL', 'F_SEAL_GROW']);
  });

  it('says why where nothing can be looked at, and of what does not exist', async () => {
    const name = `/ipc-inspector-peek-${process.pid}`;
    await ask(`mq_open ${name} 5 64`);
    const queue = snapshotOf().objects.find(object => object.kind === 'posix-message-queue' && object.name === name);
    const { status, contents } = peek(queue?.id ?? '');
    assert.equal(status, 1);
    assert.ok(contents.form === 'unavailable' && /no way to look at the messages of a POSIX queue/.test(contents.reason));
    await ask(`mq_unlink ${name}`);
    const gone = peek('pipe:1').contents;
    assert.ok(gone.form === 'unavailable' && /no such object/.test(gone.reason));
    assert.equal(ipcProbe(['peek', 'rubbish']).status, 2);
  });
});
