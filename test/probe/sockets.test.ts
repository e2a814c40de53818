// Sockets against independent sources on the same machine: ss, lsof, and what the programs that made them know.
import { strict as assert } from 'node:assert';
import { execFileSync, spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { CollectedKind, ObjectOf, Snapshot } from '../../native-probe/model';
import { skip } from '../skip';
import { canBecomeOrdinary, fixture, hasCompiler, isRoot, ordinaryUser, Program, scratchDirectory, snapshotOf } from './harness';

const kinds = ['--kind', 'unix-socket,inet-socket,other-socket'];
const SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_SEQPACKET = 5, AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16, AF_PACKET = 17;
const hex = (bytes: Buffer | string): string => Buffer.from(bytes).toString('hex');

/** A program that makes sockets, and how to ask it. */
class Sockets {
  private constructor(readonly program: Program) {}
  static async start(user?: number): Promise<Sockets> {
    const sockets = new Sockets(Program.start(fixture('sockets'), [], user === undefined ? {} : { user }));
    await sockets.program.line();
    return sockets;
  }
  get pid(): number { return this.program.pid; }
  async ask(line: string): Promise<string> {
    this.program.tell(line);
    const answer = await this.program.line();
    assert.ok(!answer.startsWith('error'), `${line}: ${answer}`);
    return answer;
  }
  async pair(type: number): Promise<[string, string]> {
    const [a = '', b = ''] = (await this.ask(`socketpair ${type}`)).split(' ');
    return [a, b];
  }
  inode(fd: string): string { return inodeOf(this.pid, fd); }
}
function inodeOf(pid: number, fd: string): string {
  return /\d+/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[0] ?? '';
}
function object<K extends CollectedKind>(snapshot: Snapshot, kind: K, inode: string): ObjectOf<K> {
  const found = snapshot.objects.find((candidate): candidate is ObjectOf<K> => candidate.id === `${kind}:${inode}`);
  assert.ok(found, `no ${kind}:${inode}`);
  return found;
}
const users = (snapshot: Snapshot, id: string): string[] => snapshot.handles.filter(({ objectId }) => objectId === id).map(({ pid, fd }) => `${pid} ${fd}`).sort();
const has = (command: string): boolean => spawnSync(command, ['-V']).status === 0;

describe('UNIX domain sockets', function () {
  let first: Sockets;
  before(async function () {
    if (!hasCompiler()) skip(this, 'no C compiler');
    first = await Sockets.start();
  });
  after(() => Program.stopAll());

  for (const [type, word] of [[SOCK_STREAM, 'stream'], [SOCK_DGRAM, 'datagram'], [SOCK_SEQPACKET, 'seqpacket']] as const) {
    it(`a ${word} socketpair shared by two processes names both inodes and both processes`, async () => {
      const [a, b] = await first.pair(type);
      const child = await first.ask('fork');
      const [one, other] = [first.inode(a), first.inode(b)];
      const snapshot = snapshotOf(kinds);
      assert.deepEqual({ ...object(snapshot, 'unix-socket', one).state }, { type: word, state: 'connected', peer: `unix-socket:${other}`, rqueue: '0', wqueue: '0' });
      assert.equal(object(snapshot, 'unix-socket', other).state.peer, `unix-socket:${one}`);
      assert.deepEqual(users(snapshot, `unix-socket:${one}`), [`${first.pid} ${a}`, `${child} ${a}`].sort());
      assert.deepEqual(users(snapshot, `unix-socket:${other}`), [`${first.pid} ${b}`, `${child} ${b}`].sort());
      assert.ok(snapshot.handles.filter(({ objectId }) => objectId === `unix-socket:${one}`).every(({ access, via }) => access === 'read-write' && via === 'descriptor'));
    });
  }

  it('a snapshot of one process holds the process at the other end', async () => {
    const second = await Sockets.start();
    const server = await second.ask(`socket ${AF_UNIX} ${SOCK_STREAM} 0`), name = `\0ipc-inspector-other-end-${process.pid}`;
    await second.ask(`bindunix ${server} ${hex(name)}`);
    await second.ask(`listen ${server} 5`);
    const client = await first.ask(`socket ${AF_UNIX} ${SOCK_STREAM} 0`);
    await first.ask(`connectunix ${client} ${hex(name)}`);
    const accepted = await second.ask(`accept ${server}`);
    const snapshot = snapshotOf([...kinds, '--pid', String(first.pid)]);
    assert.equal(object(snapshot, 'unix-socket', first.inode(client)).state.peer, `unix-socket:${second.inode(accepted)}`);
    assert.deepEqual(users(snapshot, `unix-socket:${second.inode(accepted)}`), [`${second.pid} ${accepted}`]);
    assert.ok(snapshot.processes.some(({ pid }) => pid === second.pid));
  });

  it('a listener shows its backlog and who waits in it; their peer is the listener until it accepts', async () => {
    const path = join(scratchDirectory(), 'listener.sock');
    const server = await first.ask(`socket ${AF_UNIX} ${SOCK_STREAM} 0`);
    await first.ask(`bindunix ${server} ${hex(path)}`);
    await first.ask(`listen ${server} 17`);
    const clients: string[] = [];
    for (let i = 0; i < 3; i++) {
      const client = await first.ask(`socket ${AF_UNIX} ${SOCK_STREAM} 0`);
      await first.ask(`connectunix ${client} ${hex(path)}`);
      clients.push(first.inode(client));
    }
    const before = snapshotOf(kinds);
    const listener = object(before, 'unix-socket', first.inode(server));
    assert.deepEqual([listener.name, listener.state], [path, { type: 'stream', path, state: 'listening', rqueue: '3', wqueue: '0', backlog: 17 }]);
    for (const client of clients) assert.deepEqual(object(before, 'unix-socket', client).state, { type: 'stream', state: 'connected', peer: listener.id, rqueue: '0', wqueue: '0' });
    const accepted = await first.ask(`accept ${server}`);
    const after = snapshotOf(kinds);
    assert.equal(object(after, 'unix-socket', first.inode(server)).state.rqueue, '2');
    assert.equal(object(after, 'unix-socket', clients[0] ?? '').state.peer, `unix-socket:${first.inode(accepted)}`);
  });

  it('abstract names with NULs, newlines and bytes that are no text are shown without loss', async () => {
    const socket = await first.ask(`socket ${AF_UNIX} ${SOCK_DGRAM} 0`);
    await first.ask(`bindunix ${socket} ${hex(Buffer.concat([Buffer.from(`\0hostile\0\n\x1b[31m\\ ${process.pid}`), Buffer.of(0xff, 0)]))}`);
    const bound = object(snapshotOf(kinds), 'unix-socket', first.inode(socket));
    assert.equal(bound.state.path, `@hostile\\x00\\x0a\\x1b[31m\\x5c ${process.pid}\\xff\\x00`);
    assert.deepEqual([bound.name, bound.state.state, 'peer' in bound.state], [bound.state.path, 'unconnected', false]);
  });

  it('shows bytes queued, descriptors in flight, and a connection whose other end is closed', async () => {
    const [a, b] = await first.pair(SOCK_STREAM);
    const [passed] = await first.pair(SOCK_STREAM);
    await first.ask(`send ${a} twelve-bytes`);
    await first.ask(`sendfd ${a} ${passed}`);
    const { state } = object(snapshotOf(kinds), 'unix-socket', first.inode(b));
    assert.deepEqual([state.rqueue, state.descriptorsInFlight], ['13', 1]);
    const inFlight = first.inode(passed);
    await first.ask(`close ${passed}`);
    const inode = first.inode(b);
    await first.ask(`close ${a}`);
    const snapshot = snapshotOf(kinds);
    assert.equal(object(snapshot, 'unix-socket', inode).state.state, 'closing');
    assert.ok(!('peer' in object(snapshot, 'unix-socket', inode).state));
    assert.deepEqual(users(snapshot, object(snapshot, 'unix-socket', inFlight).id), [], 'in flight only: an object without a handle');
  });

  it('agrees with ss -xap about every socket of the program: type, state, queues, peer, descriptors', function () {
    if (!has('ss')) skip(this, 'no ss (iproute2)');
    const snapshot = snapshotOf(kinds);
    const types: Record<string, string> = { u_str: 'stream', u_dgr: 'datagram', u_seq: 'seqpacket' };
    let compared = 0;
    for (const line of execFileSync('ss', ['-xapnHO'], { encoding: 'utf8', maxBuffer: 1 << 28 }).split('\n')) {
      // Names may hold blanks and worse: inodes are the last number before the peer's "*".
      const match = /^(u_\w+)\s+(\w+)\s+(\d+)\s+(\d+)\s.*?(\d+)\s+\* (\d+)\s+users:(.*)$/s.exec(line);
      if (!match?.[7]?.includes(`pid=${first.pid},`)) continue;
      const [, type = '', state = '', rqueue, wqueue, inode = '', peer = '', who = ''] = match;
      const found = object(snapshot, 'unix-socket', inode);
      const listens = state === 'LISTEN';
      assert.equal(found.state.type, types[type]);
      assert.deepEqual([found.state.rqueue, listens ? String(found.state.backlog) : found.state.wqueue], [rqueue, wqueue], `queues of ${inode}`);
      if (peer !== '0') assert.equal(found.state.peer, `unix-socket:${peer}`);
      assert.deepEqual(users(snapshot, found.id), [...who.matchAll(/pid=(\d+),fd=(\d+)/g)].map(([, pid, fd]) => `${pid} ${fd}`).sort());
      compared++;
    }
    assert.ok(compared >= 15, `compared only ${compared}`);
  });

  it('agrees with lsof -U about every descriptor of the program', function () {
    if (spawnSync('lsof', ['-v']).error) skip(this, 'no lsof');
    const snapshot = snapshotOf(kinds);
    const theirs: string[] = [];
    let fd = '';
    for (const line of execFileSync('lsof', ['-nP', '-U', '-a', '-p', String(first.pid), '-F', 'fi'], { encoding: 'utf8' }).split('\n')) {
      if (line.startsWith('f')) fd = line.slice(1);
      else if (line.startsWith('i')) theirs.push(`${fd} unix-socket:${line.slice(1)}`);
    }
    const ours = snapshot.handles.filter(handle => handle.pid === first.pid && handle.objectId.startsWith('unix-socket:')).map(handle => `${handle.fd} ${handle.objectId}`);
    assert.ok(ours.length >= 15);
    assert.deepEqual(ours.sort(), theirs.sort());
  });
});

describe('Internet domain sockets', function () {
  let server: Sockets, client: Sockets;
  before(async function () {
    if (!hasCompiler()) skip(this, 'no C compiler');
    [server, client] = [await Sockets.start(), await Sockets.start()];
  });
  after(() => Program.stopAll());
  const listener = async (family: number, address: string, backlog: number): Promise<{ fd: string; port: number }> => {
    const fd = await server.ask(`socket ${family} ${SOCK_STREAM} 0`);
    await server.ask(`bind ${fd} ${address} 0`);
    await server.ask(`listen ${fd} ${backlog}`);
    return { fd, port: Number(await server.ask(`port ${fd}`)) };
  };

  for (const [family, listensAt, address] of [[AF_INET, '127.0.0.1', '127.0.0.1'], [AF_INET6, '::1', '::1'], [AF_INET6, '::', '::ffff:127.0.0.1']] as const) {
    it(`a TCP connection to ${address} on ${listensAt} has both ends joined; before accept the listener stands for its end`, async () => {
      const { fd, port } = await listener(family, listensAt, 9);
      const socket = await client.ask(`socket ${family} ${SOCK_STREAM} 0`);
      await client.ask(`connect ${socket} ${address} ${port}`);
      const local = { address, port: Number(await client.ask(`port ${socket}`)) };
      const waiting = snapshotOf(kinds);
      const listening = object(waiting, 'inet-socket', server.inode(fd));
      assert.deepEqual(listening.state, { protocol: 'tcp', state: 'listen', local: { address: listensAt, port }, rqueue: '1', wqueue: '0', backlog: 9 });
      assert.deepEqual(object(waiting, 'inet-socket', client.inode(socket)).state, { protocol: 'tcp', state: 'established', local, remote: { address, port }, peer: listening.id, rqueue: '0', wqueue: '0' });
      const accepted = await server.ask(`accept ${fd}`);
      await client.ask(`send ${socket} hello`);
      const snapshot = snapshotOf(kinds);
      const [near, far] = [object(snapshot, 'inet-socket', client.inode(socket)), object(snapshot, 'inet-socket', server.inode(accepted))];
      assert.deepEqual([near.state.peer, far.state.peer, far.state.rqueue], [far.id, near.id, '5']);
      assert.deepEqual(users(snapshot, far.id), [`${server.pid} ${accepted}`]);
      assert.deepEqual(far.state.remote, local);
    });
  }

  it('UDP: unconnected without a remote address, connected ones joined', async () => {
    const one = await server.ask(`socket ${AF_INET} ${SOCK_DGRAM} 0`), other = await client.ask(`socket ${AF_INET} ${SOCK_DGRAM} 0`);
    await server.ask(`bind ${one} 127.0.0.1 0`);
    await client.ask(`bind ${other} 127.0.0.1 0`);
    const [onePort, otherPort] = [Number(await server.ask(`port ${one}`)), Number(await client.ask(`port ${other}`))];
    assert.deepEqual(object(snapshotOf(kinds), 'inet-socket', server.inode(one)).state, { protocol: 'udp', state: 'unconnected', local: { address: '127.0.0.1', port: onePort }, rqueue: '0', wqueue: '0' });
    await server.ask(`connect ${one} 127.0.0.1 ${otherPort}`);
    await client.ask(`connect ${other} 127.0.0.1 ${onePort}`);
    const snapshot = snapshotOf(kinds);
    assert.equal(object(snapshot, 'inet-socket', server.inode(one)).state.peer, `inet-socket:${client.inode(other)}`);
    assert.equal(object(snapshot, 'inet-socket', client.inode(other)).state.peer, `inet-socket:${server.inode(one)}`);
  });

  it('agrees with ss -tuanp about every socket of the programs: protocol, addresses, queues, descriptors', function () {
    if (!has('ss')) skip(this, 'no ss (iproute2)');
    const snapshot = snapshotOf(kinds);
    let compared = 0;
    for (const line of execFileSync('ss', ['-tuanpeHO'], { encoding: 'utf8' }).split('\n')) {
      const inode = / ino:(\d+)/.exec(line)?.[1];
      if (inode === undefined || ![server, client].some(({ pid }) => line.includes(`pid=${pid},`))) continue;
      const [protocol, state, rqueue, wqueue, local = '', remote = ''] = line.split(/\s+/);
      const found = object(snapshot, 'inet-socket', inode);
      const end = ({ address, port }: { address: string; port: number }): string => address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
      assert.deepEqual([found.state.protocol, found.state.rqueue, state === 'LISTEN' ? String(found.state.backlog) : found.state.wqueue], [protocol, rqueue, wqueue]);
      assert.equal(end(found.state.local), local.replace('*:', '[::]:').replace(/%\w+/, ''));
      assert.equal(found.state.remote ? end(found.state.remote) : undefined, /:\*$/.test(remote) ? undefined : remote);
      assert.deepEqual(users(snapshot, found.id), [...line.matchAll(/pid=(\d+),fd=(\d+)/g)].map(([, pid, fd]) => `${pid} ${fd}`).sort());
      compared++;
    }
    assert.ok(compared >= 11, `compared only ${compared}`);
  });

  it('sockets of other families are named; one that is neither bound nor connected is no Internet socket of any table', async function () {
    const netlink = await server.ask(`socket ${AF_NETLINK} 3 0`), tcp = await server.ask(`socket ${AF_INET} ${SOCK_STREAM} 0`);
    const packet = isRoot ? await server.ask(`socket ${AF_PACKET} 3 0`) : undefined;
    const snapshot = snapshotOf(kinds);
    const family = (fd: string): string | null => object(snapshot, 'other-socket', server.inode(fd)).state.family;
    assert.deepEqual([family(netlink), family(tcp), ...(packet === undefined ? [] : [family(packet)])], ['netlink', 'inet', ...(packet === undefined ? [] : ['packet'])]);
    assert.ok(snapshot.gaps.some(({ scope }) => scope.facility === 'other-socket' && scope.field === 'namespace'));
  });
});

describe('sockets of another network namespace', function () {
  before(function () {
    if (!hasCompiler()) skip(this, 'no C compiler');
    if (!isRoot) skip(this, 'making a network namespace needs root');
  });
  afterEach(() => Program.stopAll());

  /** A program in a network namespace of its own with a pair, a listener and a connection to it. */
  async function elsewhere(user?: number): Promise<{ program: Sockets; namespace: string; pair: string; peer: string; listener: string; client: string }> {
    const program = await Sockets.start(user);
    if (user === undefined) await program.ask('newnet');
    const [a, b] = await program.pair(SOCK_STREAM);
    const fd = await program.ask(`socket ${AF_INET} ${SOCK_STREAM} 0`);
    await program.ask(`bind ${fd} 127.0.0.1 0`);
    await program.ask(`listen ${fd} 4`);
    const socket = await program.ask(`socket ${AF_INET} ${SOCK_STREAM} 0`);
    await program.ask(`connect ${socket} 127.0.0.1 ${await program.ask(`port ${fd}`)}`);
    return { program, namespace: /\d+/.exec(readlinkSync(`/proc/${program.pid}/ns/net`))?.[0] ?? '', pair: program.inode(a), peer: program.inode(b), listener: program.inode(fd), client: program.inode(socket) };
  }

  it('are listed by entering it, with their namespace; loopback of two namespaces is not mixed up', async () => {
    const [one, two] = [await elsewhere(), await elsewhere()];
    assert.notEqual(one.namespace, two.namespace);
    const snapshot = snapshotOf(kinds);
    for (const { namespace, pair, peer, listener, client } of [one, two]) {
      assert.deepEqual([object(snapshot, 'unix-socket', pair).namespace, object(snapshot, 'unix-socket', pair).state.peer], [namespace, `unix-socket:${peer}`]);
      assert.deepEqual([object(snapshot, 'inet-socket', listener).namespace, object(snapshot, 'inet-socket', listener).state.backlog], [namespace, 4]);
      assert.equal(object(snapshot, 'inet-socket', client).state.peer, `inet-socket:${listener}`);
    }
    assert.equal(readlinkSync('/proc/self/ns/net') === `net:[${one.namespace}]`, false);
  });

  it('that cannot be entered is read from without, and what stays unknown is a gap', async function () {
    if (!canBecomeOrdinary()) skip(this, 'cannot become an ordinary user');
    if (spawnSync('setpriv', [`--reuid=${ordinaryUser}`, `--regid=${ordinaryUser}`, '--clear-groups', 'unshare', '-Un', 'true']).status !== 0) skip(this, 'an ordinary user may not make namespaces here');
    // In a user namespace of its own, made by the same ordinary user that runs the probe: readable, but not to be entered.
    const program = Program.start('unshare', ['-Urn', fixture('sockets')], { user: ordinaryUser });
    const pid = Number((await program.line()).split(' ')[1]);
    const ask = async (line: string): Promise<string> => { program.tell(line); return program.line(); };
    const [a = '', b = ''] = (await ask(`socketpair ${SOCK_STREAM}`)).split(' ');
    const fd = await ask(`socket ${AF_INET} ${SOCK_STREAM} 0`);
    await ask(`listen ${fd} 4`);
    const snapshot = snapshotOf(kinds, { user: ordinaryUser });
    const namespace = /\d+/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[0] ?? '';
    const pair = object(snapshot, 'unix-socket', inodeOf(pid, a));
    assert.deepEqual([pair.namespace, pair.state], [namespace, { type: 'stream', state: 'connected', peer: null, rqueue: null, wqueue: null }]);
    assert.deepEqual(users(snapshot, `unix-socket:${inodeOf(pid, b)}`), [`${pid} ${b}`]);
    assert.equal(object(snapshot, 'inet-socket', inodeOf(pid, fd)).state.state, 'listen');
    const gap = snapshot.gaps.find(({ scope }) => scope.facility === 'unix-socket' && scope.namespace === namespace);
    assert.deepEqual([gap?.errno, gap?.remedy], ['EPERM', 'run the probe as root to see them']);
  });
});

describe('sockets as an ordinary user', function () {
  after(() => Program.stopAll());
  it('the own ones are shown with both ends, peers and queues', async function () {
    if (!hasCompiler() || !canBecomeOrdinary()) skip(this, 'needs a C compiler, root and setpriv');
    const own = await Sockets.start(ordinaryUser);
    const [a, b] = await own.pair(SOCK_STREAM);
    await own.ask(`send ${a} four`);
    const snapshot = snapshotOf(kinds, { user: ordinaryUser });
    const { state } = object(snapshot, 'unix-socket', own.inode(b));
    assert.deepEqual([state.peer, state.rqueue], [`unix-socket:${own.inode(a)}`, '4']);
    assert.deepEqual(users(snapshot, `unix-socket:${own.inode(b)}`), [`${own.pid} ${b}`]);
  });
});

describe('many sockets', function () {
  after(() => Program.stopAll());
  it('every one of 10,000 has its peer, and none is missed while others come and go', async function () {
    if (!hasCompiler()) skip(this, 'no C compiler');
    const [many, busy] = [await Sockets.start(), await Sockets.start()];
    const count = Number(await many.ask('many 5000'));
    busy.program.tell('churn 1500'); // a snapshot blocks this process, so that the other must do it alone
    const snapshot = snapshotOf(kinds);
    assert.equal(await busy.program.line(), 'ok');
    const ids = new Set(snapshot.handles.filter(({ pid }) => pid === many.pid).map(({ objectId }) => objectId));
    const sockets = snapshot.objects.filter((candidate): candidate is ObjectOf<'unix-socket'> => ids.has(candidate.id) && candidate.kind === 'unix-socket' && candidate.state.state === 'connected');
    assert.ok(sockets.length >= 2 * count, `${sockets.length} of ${2 * count}`);
    assert.ok(sockets.filter(({ state }) => typeof state.peer === 'string' && ids.has(state.peer)).length >= 2 * count);
  });
});
