// Decoders of netlink, sock_diag(7) and /proc/PID/net on captured bytes, and on bytes that make no sense.
import { Recollection } from '../../native-probe/recollection';
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { focus } from '../../native-probe/analysis/focus';
import { Clock } from '../../native-probe/context';
import type { ScanContext } from '../../native-probe/context';
import { DescriptorIndex } from '../../native-probe/descriptorIndex';
import { Connections } from '../../native-probe/facilities/inetSocket';
import type { NamespaceSockets } from '../../native-probe/facilities/socketTables';
import { parseScmFds, stateOf, unixSockets } from '../../native-probe/facilities/unixSocket';
import { Gaps } from '../../native-probe/gaps';
import { ipv6Text, isAnyAddress, isLoopback, unmapped } from '../../native-probe/kernel/inetAddress';
import { eachAttribute, netlinkMessages, readDump } from '../../native-probe/kernel/netlink';
import { parseProcInet, parseProcNetlink, parseProcPacket, parseProcUnix } from '../../native-probe/kernel/procNet';
import { familyOfProtocol } from '../../native-probe/kernel/socketProtocol';
import { decodeInet, decodeUnix, unixName } from '../../native-probe/kernel/sockDiag';
import { ToldFacts } from '../../native-probe/told';
import type { InetRecord, UnixRecord } from '../../native-probe/kernel/sockDiag';
import type { UnixSocket } from '../../native-probe/model';
import { aProcess, aSnapshot } from './snapshots';

/** Messages put together: type, sequence, flags, payload. */
function datagram(...parts: { type: number; sequence?: number; flags?: number; payload: Buffer }[]): Buffer {
  return Buffer.concat(parts.map(({ type, sequence = 7, flags = 2, payload }) => {
    const message = Buffer.alloc((16 + payload.length + 3) & ~3);
    message.writeUInt32LE(16 + payload.length, 0);
    message.writeUInt16LE(type, 4);
    message.writeUInt16LE(flags, 6);
    message.writeUInt32LE(sequence, 8);
    payload.copy(message, 16);
    return message;
  }));
}
function attribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc((4 + value.length + 3) & ~3);
  bytes.writeUInt16LE(4 + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  value.copy(bytes, 4);
  return bytes;
}
const words = (...values: number[]): Buffer => { const bytes = Buffer.alloc(values.length * 4); values.forEach((value, i) => bytes.writeUInt32LE(value, i * 4)); return bytes; };
const errno = (value: number): Buffer => { const bytes = Buffer.alloc(4); bytes.writeInt32LE(value); return bytes; };
const unixEntry = (type: number, state: number, inode: number, ...attributes: Buffer[]): Buffer => Buffer.concat([Buffer.of(1, type, state, 0), words(inode, 1, 0), ...attributes]);

describe('netlink messages', () => {
  const read = (bytes: Buffer): { seen: string[]; progress: ReturnType<typeof readDump> } => {
    const seen: string[] = [];
    const progress = readDump(bytes, 7, (all, start, end) => { seen.push(all.toString('latin1', start, end)); });
    return { seen, progress };
  };
  it('are read one after the other, aligned to four bytes', () => {
    assert.deepEqual(read(datagram({ type: 20, payload: Buffer.from('abc') }, { type: 20, payload: Buffer.from('defgh') })), { seen: ['abc', 'defgh'], progress: { done: false, interrupted: false } });
  });
  it('end with DONE; an errno in it is a failure', () => {
    assert.deepEqual(read(datagram({ type: 20, payload: Buffer.from('x') }, { type: 3, payload: errno(0) }, { type: 20, payload: Buffer.from('late') })), { seen: ['x'], progress: { done: true, interrupted: false } });
    assert.equal(read(datagram({ type: 3, payload: errno(-12) })).progress.errno, 'ENOMEM');
  });
  it('tell a refusal', () => { assert.deepEqual(read(datagram({ type: 2, payload: Buffer.concat([errno(-2), Buffer.alloc(16)]) })).progress, { done: true, interrupted: false, errno: 'ENOENT' }); });
  it('tell that the table changed under the dump', () => { assert.equal(read(datagram({ type: 20, flags: 0x12, payload: Buffer.from('x') })).progress.interrupted, true); });
  it('of another request are passed over', () => { assert.deepEqual(read(datagram({ type: 20, sequence: 8, payload: Buffer.from('x') }, { type: 3, sequence: 8, payload: errno(0) })), { seen: [], progress: { done: false, interrupted: false } }); });
  it('with a length shorter than a header, or beyond the end, are a failure and no endless loop', () => {
    for (const length of [0, 15, 4000, 0xffffffff]) {
      const bytes = datagram({ type: 20, payload: Buffer.from('good') }, { type: 20, payload: Buffer.from('bad!') });
      bytes.writeUInt32LE(length, 20);
      assert.deepEqual(read(bytes), { seen: ['good'], progress: { done: true, interrupted: false, errno: 'EBADMSG' } });
    }
  });
});

describe('UNIX_DIAG', () => {
  it('tells name, peer, queues and those who wait in a backlog', () => {
    const entry = unixEntry(5, 10, 4711, attribute(0, Buffer.from('\0a\0b\n')), attribute(3, words(8, 9)), attribute(4, words(2, 5)), attribute(6, Buffer.of(0)));
    assert.deepEqual(decodeUnix(entry, 0, entry.length), { type: 5, state: 10, inode: 4711, name: '@a\\x00b\\x0a', pending: [8, 9], rqueue: 2, wqueue: 5, shutdown: 0 });
    const connected = unixEntry(1, 1, 0xffffffff, attribute(2, words(0xfffffffe)));
    assert.deepEqual(decodeUnix(connected, 0, connected.length), { type: 1, state: 1, inode: 0xffffffff, peer: 0xfffffffe });
  });
  it('names: a path ends at its NUL; one that begins with @ is told from an abstract name', () => {
    assert.equal(unixName(Buffer.from('/run/x\0')), '/run/x');
    assert.equal(unixName(Buffer.from('@x')), './@x');
    assert.equal(unixName(Buffer.from('\0x\0')), '@x\\x00');
    assert.equal(unixName(Buffer.alloc(0)), undefined);
    assert.equal(unixName(Buffer.of(0)), '@');
  });
  it('a socket whose connection waits in a backlog has the listener for peer; one whose peer has gone has none', () => {
    const record = { inode: 1, type: 1, state: 1, peer: 0, rqueue: 0, wqueue: 0 };
    assert.deepEqual(stateOf({ ...record, shutdown: 0 }, true, 9), { type: 'stream', state: 'connected', peer: 'unix-socket:9', rqueue: '0', wqueue: '0' });
    assert.deepEqual(stateOf({ ...record, shutdown: 3 }, true, undefined), { type: 'stream', state: 'closing', rqueue: '0', wqueue: '0' });
    assert.equal(stateOf({ inode: 1, type: 1, state: 1 }, false, undefined).peer, null, 'unknown, where the table does not tell');
  });
  it('scm_fds is read from fdinfo', () => { assert.equal(parseScmFds('pos:\t0\nflags:\t02\nscm_fds: 2\n'), 2); assert.equal(parseScmFds('pos:\t0\n'), undefined); });
});

describe('UNIX sockets that come and go while they are read', () => {
  const contextOf = (concerns?: (id: string) => boolean): ScanContext => ({
    host: aSnapshot().host, gaps: new Gaps(0), clock: new Clock('1 1', 0), processes: [], complete: concerns === undefined, descriptors: new DescriptorIndex([]), recollection: new Recollection(), told: new ToldFacts([]), concerns: concerns ?? (() => true), pause: () => Promise.resolve(),
  });
  const connected = (inode: number, peer: number): UnixRecord => ({ inode, type: 1, state: 1, peer, rqueue: 0, wqueue: 0, shutdown: 0 });
  const table = (namespace: string, unixWithPeers: boolean, ...unix: UnixRecord[]): NamespaceSockets => ({ namespace, unix, unixWithPeers, inet: [], other: [] });

  it('a peer that no namespace has was closed: unknown, with a gap, and no phantom', async () => {
    const context = contextOf();
    const objects = await unixSockets(context, [table('1', true, connected(1, 2), connected(3, 4), connected(4, 3))], () => []);
    assert.deepEqual([...objects.values()].map(({ id, state }) => [id, state.peer]), [['unix-socket:1', null], ['unix-socket:3', 'unix-socket:4'], ['unix-socket:4', 'unix-socket:3']]);
    assert.deepEqual(context.gaps.list().map(({ scope }) => scope), [{ facility: 'unix-socket', field: 'peer' }]);
  });
  it('a peer that may be in a namespace which could not be asked is an object of which nothing is known', async () => {
    const context = contextOf();
    const objects = await unixSockets(context, [table('1', true, connected(1, 2)), table('9', false)], () => []);
    assert.equal(objects.get('unix-socket:1')?.state.peer, 'unix-socket:2');
    assert.deepEqual(objects.get('unix-socket:2')?.state, { type: null, state: null, peer: null, rqueue: null, wqueue: null });
    assert.deepEqual(context.gaps.list().map(({ scope }) => scope), [{ facility: 'unix-socket', field: 'unlisted' }]);
  });
  it('a peer in another namespace is simply the peer', async () => {
    const context = contextOf();
    const objects = await unixSockets(context, [table('1', true, connected(1, 2)), table('9', true, connected(2, 1))], () => []);
    assert.deepEqual([objects.get('unix-socket:1')?.state.peer, objects.get('unix-socket:2')?.namespace, context.gaps.list()], ['unix-socket:2', '9', []]);
  });
  it('a focused pass describes those of concern and their peers, and takes nobody else for missing', async () => {
    const context = contextOf(id => id === 'unix-socket:1');
    const objects = await unixSockets(context, [table('1', true, connected(1, 2), connected(2, 1), connected(3, 4), connected(4, 3))], () => []);
    assert.deepEqual([[...objects.keys()], context.gaps.list()], [['unix-socket:1', 'unix-socket:2'], []]);
  });
});

describe('INET_DIAG', () => {
  const entry = (family: number, state: number, ports: [number, number], from: Buffer, to: Buffer): Buffer => {
    const bytes = Buffer.alloc(72);
    bytes[0] = family; bytes[1] = state;
    bytes.writeUInt16BE(ports[0], 4); bytes.writeUInt16BE(ports[1], 6);
    from.copy(bytes, 8); to.copy(bytes, 24);
    words(3, 4, 1000, 4711).copy(bytes, 56);
    return bytes;
  };
  it('tells both addresses, queues and the inode', () => {
    const bytes = entry(2, 1, [80, 40000], Buffer.of(127, 0, 0, 1), Buffer.of(127, 0, 0, 2));
    assert.deepEqual(decodeInet('tcp', bytes, 0, 72), { inode: 4711, protocol: 'tcp', state: 1, local: { address: '127.0.0.1', port: 80 }, remote: { address: '127.0.0.2', port: 40000 }, rqueue: 3, wqueue: 4 });
  });
  it('a socket that is not connected has no remote address', () => { assert.equal(decodeInet('udp', entry(10, 7, [53, 0], Buffer.alloc(16), Buffer.alloc(16)), 0, 72)?.remote, undefined); });
  it('is nothing when too short or of another family', () => { assert.equal(decodeInet('tcp', Buffer.alloc(71, 2), 0, 71), undefined); assert.equal(decodeInet('tcp', Buffer.alloc(72), 0, 72), undefined); });
});

describe('Internet addresses', () => {
  it('are written as RFC 5952 says', () => {
    for (const [hex, text] of [
      ['00000000000000000000000000000000', '::'], ['00000000000000000000000000000001', '::1'], ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
      ['20010db8000100010001000100010000', '2001:db8:1:1:1:1:1:0'], ['00000000000000000000ffff7f000001', '::ffff:127.0.0.1'], ['fe800000000000000000000000000000', 'fe80::'], ['00010000000000020000000000000003', '1:0:0:2::3'],
    ] as const) assert.equal(ipv6Text(Buffer.from(hex, 'hex')), text);
  });
  it('mapped IPv4 addresses are the same on the wire; loopback and any are known in both clothes', () => {
    assert.equal(unmapped('::ffff:10.0.0.1'), '10.0.0.1');
    assert.deepEqual(['127.9.9.9', '::1', '::ffff:127.0.0.1', '10.0.0.1', '::127'].map(isLoopback), [true, true, true, false, false]);
    assert.deepEqual(['0.0.0.0', '::', '::ffff:0.0.0.0', '::1'].map(isAnyAddress), [true, true, true, false]);
  });
});

describe('the other end of a connection', () => {
  const record = (inode: number, local: string, remote: string | undefined, state = 1): InetRecord => {
    const end = (text: string): { address: string; port: number } => ({ address: text.slice(0, text.lastIndexOf(' ')), port: Number(text.slice(text.lastIndexOf(' '))) });
    return { inode, protocol: 'tcp', state, local: end(local), ...(remote === undefined ? {} : { remote: end(remote) }), rqueue: 0, wqueue: 0 };
  };
  const table = (namespace: string, ...inet: InetRecord[]): NamespaceSockets => ({ namespace, unix: [], unixWithPeers: true, inet, other: [] });
  it('has the two addresses the other way round, in IPv6 clothes or not', () => {
    const client = record(1, '127.0.0.1 4000', '127.0.0.1 80');
    assert.equal(new Connections([table('n', client, record(2, '::ffff:127.0.0.1 80', '::ffff:127.0.0.1 4000'))]).peerOf('n', client), 2);
  });
  it('of loopback is never looked for in another namespace, of other addresses it is, unless several have it', () => {
    const loop = record(1, '127.0.0.1 4000', '127.0.0.1 80'), client = record(3, '10.0.0.1 4000', '10.0.0.2 80');
    const far = table('b', record(2, '127.0.0.1 80', '127.0.0.1 4000'), record(4, '10.0.0.2 80', '10.0.0.1 4000'));
    assert.equal(new Connections([table('a', loop, client), far]).peerOf('a', loop), undefined);
    assert.equal(new Connections([table('a', loop, client), far]).peerOf('a', client), 4);
    assert.equal(new Connections([table('a', loop, client), far, { ...far, namespace: 'c' }]).peerOf('a', client), undefined);
  });
  it('that nobody has accepted is the listener; one that was closed is nobody', () => {
    const client = record(1, '127.0.0.1 4000', '127.0.0.1 80');
    const listener = record(2, '0.0.0.0 80', undefined, 10);
    assert.equal(new Connections([table('n', client, listener, record(0, '127.0.0.1 80', '127.0.0.1 4000'))]).peerOf('n', client), 2);
    assert.equal(new Connections([table('n', client, listener, record(0, '127.0.0.1 80', '127.0.0.1 4000', 5))]).peerOf('n', client), undefined);
  });
});

describe('/proc/PID/net', () => {
  it('unix: states, names with spaces, listeners', () => {
    const text = 'Num       RefCount Protocol Flags    Type St Inode Path\n0000000000000000: 00000002 00000000 00010000 0001 01 25301 /run/a b\n0000000000000000: 00000003 00000000 00000000 0001 03 25302\nffff9b5f: 00000002 00000000 00000000 0002 01 25303 @x@\n';
    assert.deepEqual(parseProcUnix(text), [{ inode: 25301, type: 1, state: 10, name: '/run/a b' }, { inode: 25302, type: 1, state: 1 }, { inode: 25303, type: 2, state: 7, name: '@x@' }]);
  });
  it('unix: a name that pretends to be another socket is believed in neither place', () => {
    assert.deepEqual(parseProcUnix('0: 2 0 0 0001 01 7 /a\n0: 2 0 0 0001 01 8 /evil\n0: 2 0 0 0001 01 7 /b\n'), [{ inode: 8, type: 1, state: 7, name: '/evil' }]);
  });
  it('tcp, tcp6: addresses in words of the host, queues, listeners', () => {
    const text = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 0100007F:0050 00000000:0000 0A 00000000:00000002 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n   1: 0100007F:9C40 0200007F:0050 01 00000010:00000020 00:00000000 00000000     0        0 4712 1\n';
    assert.deepEqual(parseProcInet(text, 'tcp'), [
      { inode: 4711, protocol: 'tcp', state: 10, local: { address: '127.0.0.1', port: 80 }, rqueue: 2 },
      { inode: 4712, protocol: 'tcp', state: 1, local: { address: '127.0.0.1', port: 40000 }, remote: { address: '127.0.0.2', port: 80 }, rqueue: 32, wqueue: 16 },
    ]);
    assert.equal(parseProcInet('0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 5 2', 'udp')[0]?.local.address, '::1');
  });
  it("netlink: without the kernel's own; packet", () => {
    assert.deepEqual(parseProcNetlink('sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode\n00000000750e386a 0   23203      00000113 0        0        0     2        0        448535\n000000004c893fe8 0   0          00000000 0        0        0     2        0        4\n'), [{ inode: 448535, family: 'netlink', protocol: 'route' }]);
    assert.deepEqual(parseProcPacket('sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n00000000ba09efe0 2      3    0003   0     0 0      0      451960\n'), [{ inode: 451960, family: 'packet', protocol: '0x0003' }]);
  });
  it('the protocol of an inode names its family', () => {
    assert.deepEqual(['TCPv6', 'UDP-Lite', 'UNIX-STREAM', 'AF_VSOCK', 'toString', 'MPTCP'].map(familyOfProtocol), [
      { family: 'inet6', protocol: 'tcp' }, { family: 'inet', protocol: 'udplite' }, { family: 'unix', protocol: 'unix-stream' }, { family: 'vsock', protocol: 'af_vsock' }, { protocol: 'tostring' }, { family: 'inet', protocol: 'mptcp' },
    ]);
  });
});

describe('a snapshot of some processes', () => {
  it('holds the sockets connected to theirs, and who has those', () => {
    const socket = (inode: number, peer?: number): UnixSocket => ({
      id: `unix-socket:${inode}`, kind: 'unix-socket', persistence: 'process',
      state: { type: 'datagram', state: 'connected', rqueue: '0', wqueue: '0', ...(peer === undefined ? {} : { peer: `unix-socket:${peer}` }) },
    });
    const objects = [socket(1, 2), socket(2, 1), socket(3, 1), socket(4)];
    const focused = focus(aSnapshot({
      objects, processes: [10, 20, 30, 40].map(pid => aProcess(pid)),
      handles: objects.map(({ id }, i) => ({ objectId: id, pid: (i + 1) * 10, via: 'descriptor', fd: 3, access: 'read-write' })),
    }), [10]);
    assert.deepEqual(focused.objects.map(({ id }) => id), ['unix-socket:1', 'unix-socket:2', 'unix-socket:3']);
    assert.deepEqual(focused.processes.map(({ pid }) => pid), [10, 20, 30]);
  });
});

describe('every decoder of sockets', () => {
  it('property: never throws on arbitrary bytes, never reads beyond them', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (array, cut) => {
      const bytes = Buffer.from(array);
      const { messages } = netlinkMessages(bytes);
      for (const { start, end } of messages) assert.ok(start <= end && end <= bytes.length);
      readDump(bytes, 0, (all, start, end) => { decodeUnix(all, start, end); decodeInet('tcp', all, start, end); });
      const end = Math.min(cut, bytes.length);
      decodeUnix(bytes, 0, end);
      decodeInet('tcp', bytes, 0, end);
      if (end > 0) { const entry = Buffer.concat([Buffer.of(1), bytes]); decodeUnix(entry, 0, entry.length); }
      eachAttribute(bytes, 0, end, (_type, from, to) => { assert.ok(from <= to && to <= end); });
      unixName(bytes);
      const text = bytes.toString('latin1');
      for (const parse of [parseProcUnix, parseProcNetlink, parseProcPacket, familyOfProtocol, parseScmFds]) parse(text);
      parseProcInet(text, 'tcp');
    }));
  });
  it('property: whatever name a socket has, its record survives', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 108 }), fc.nat(0xffffffff), (name, inode) => {
      const entry = unixEntry(1, 7, inode, attribute(0, Buffer.from(name)), attribute(4, words(1, 2)));
      const record = decodeUnix(entry, 0, entry.length);
      assert.deepEqual([record?.inode, record?.rqueue, record?.wqueue, record?.name], [inode, 1, 2, unixName(name)]);
    }));
  });
});
