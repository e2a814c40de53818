// Round trips through the parsers: what the kernel would write of a value, by its own formats, reads as that value again. And arbitrary bytes for
// those that have no test file of their own.
import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { hasGoNote } from '../../extension/attaching/executables';
import { readBackup } from '../../native-probe/backup';
import { BoundedInput, MessageError } from '../../native-probe/boundedInput';
import { classOf } from '../../native-probe/descriptorIndex';
import { parseAccess, parseCommon, parseEpoll, parseEventfd, parseInotify, parsePidfd, parseTimerfd } from '../../native-probe/kernel/fdinfo';
import { parseDescriptorLocks, parseLocks } from '../../native-probe/kernel/fileLocks';
import { parseMountinfo } from '../../native-probe/kernel/mounts';
import { deviceNumber, parseCmdline, parseMapsLine, parseSharedMaps, parseStat, parseStatus, unescapeMapsPath } from '../../native-probe/kernel/procfs';
import { parseProcInet, parseProcUnix } from '../../native-probe/kernel/procNet';
import { decodeStatx } from '../../native-probe/kernel/quietStat';
import { sealNames } from '../../native-probe/kernel/seals';
import { AF_INET, AF_INET6, decodeInet, TCP_LISTEN } from '../../native-probe/kernel/sockDiag';
import { ipv4Text, ipv6Text } from '../../native-probe/kernel/inetAddress';
import { parseSysvLine, splitSysvTable } from '../../native-probe/kernel/sysvipc';
import { displayText } from '../../native-probe/kernel/text';
import { parseSyscall } from '../../native-probe/kernel/threads';
import { checked, InvalidRequest, methods } from '../../native-probe/requests';

const u32 = fc.nat(0xffffffff), u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
/** A name as bytes without NUL, in Latin-1 as procfs.ts reads them. */
const name = fc.uint8Array({ minLength: 1, maxLength: 40 }).map(bytes => Buffer.from(bytes.map(byte => byte === 0 ? 1 : byte)).toString('latin1'));
const shown = (latin1: string): string => displayText(Buffer.from(latin1, 'latin1'));
const hex = (value: number | bigint, width = 0): string => value.toString(16).padStart(width, '0');

describe('what the kernel writes of a process', () => {
  it('stat: whatever it is called, also with blanks, parentheses and line breaks', () => {
    fc.assert(fc.property(name, fc.constantFrom('R', 'S', 'D', 'T', 't', 'Z', 'X', 'I'), u32, u32, u64, fc.nat(0xfffff), fc.integer({ min: -1, max: 1 << 22 }), (comm, state, ppid, flags, started, tty, group) => {
      const parsed = parseStat(`42 (${comm}) ${state} ${ppid} 1 1 ${tty} ${group} ${flags} 0 0 0 0 0 0 0 0 20 0 1 0 ${started} 0 0 0\n`);
      assert.deepEqual(parsed, { comm: shown(comm), state, ppid, flags, startTime: String(started), ...(tty === 0 ? {} : { terminal: { device: tty, foreground: group } }) });
    }));
  });

  it('status: users, groups, tracer, PIDs and signals, whatever it is called', () => {
    fc.assert(fc.property(name, u32, u32, fc.array(u32, { maxLength: 40 }), u32, fc.array(u32, { minLength: 1, maxLength: 4 }), fc.array(u64, { minLength: 5, maxLength: 5 }), (comm, uid, gid, groups, tracerPid, nsPids, masks) => {
      // The kernel escapes line breaks and backslashes in the name there (fs/proc/array.c, proc_task_name).
      const escaped = comm.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
      const [threadPending = '', processPending = '', blocked = '', ignored = '', caught = ''] = masks.map(mask => hex(mask, 16));
      const text = `Name:\t${escaped}\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t7\nPid:\t7\nPPid:\t1\nTracerPid:\t${tracerPid}\nUid:\t1\t${uid}\t1\t1\nGid:\t1\t${gid}\t1\t1\nGroups:\t${groups.join(' ')} \nNSpid:\t${nsPids.join('\t')}\nSigQ:\t3/99\nSigPnd:\t${threadPending}\nShdPnd:\t${processPending}\nSigBlk:\t${blocked}\nSigIgn:\t${ignored}\nSigCgt:\t${caught}\n`;
      assert.deepEqual(parseStatus(text), { uid, tracerPid, nsPids, groups: [gid, ...groups], signals: { queued: '3', limit: '99', threadPending, processPending, blocked, ignored, caught } });
    }));
  });

  it('cmdline: every argument, empty ones too', () => {
    fc.assert(fc.property(fc.array(fc.oneof(name, fc.constant('')), { minLength: 1, maxLength: 10 }), words => {
      assert.deepEqual(parseCmdline(words.map(word => `${word}\0`).join('')), words.map(shown));
    }));
  });

  it('maps: addresses, offset, device, inode and path, also with a line break in it', () => {
    const mapping = fc.record({ start: u64, length: u32, permissions: fc.constantFrom('rw-s', 'r--s', 'rw-p', '---s'), offset: u64, major: fc.nat(0xfff), minor: fc.nat(0xfffff), inode: u64, path: name.map(text => `/${text.replaceAll('\\', '').trim()}`) });
    fc.assert(fc.property(fc.array(mapping, { maxLength: 8 }), mappings => {
      const lines = mappings.map(({ start, length, permissions, offset, major, minor, inode, path }) =>
        `${`${hex(start, 8)}-${hex(start + BigInt(length), 8)} ${permissions} ${hex(offset, 8)} ${hex(major, 2)}:${hex(minor, 2)} ${inode}`.padEnd(72)} ${path.replaceAll('\n', '\\012')}`);
      const expected = mappings.map(({ start, length, permissions, offset, major, minor, inode, path }) => ({ start, end: start + BigInt(length), permissions, offset, device: deviceNumber(major, minor), inode: String(inode), path }));
      const plain = (parsed: ReturnType<typeof parseMapsLine>): unknown => parsed && { ...parsed, path: unescapeMapsPath(parsed.path) };
      assert.deepEqual(lines.map(line => plain(parseMapsLine(line))), expected);
      assert.deepEqual(parseSharedMaps(`${lines.join('\n')}\n`).map(plain), expected.filter(({ permissions }) => permissions.endsWith('s')));
    }));
  });

  it('mountinfo: ids, device and paths with blanks, line breaks and backslashes', () => {
    const mangled = (path: string): string => path.replace(/[ \t\n\\]/g, character => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
    const path = name.map(text => `/${text}`);
    fc.assert(fc.property(fc.array(fc.record({ id: u32, parent: u32, major: fc.nat(0xfff), minor: fc.nat(0xfffff), root: path, point: path, type: fc.constantFrom('ext4', 'tmpfs', 'fuse.sshfs', 'mqueue') }), { maxLength: 6 }), mounts => {
      const text = mounts.map(({ id, parent, major, minor, root, point, type }) => `${id} ${parent} ${major}:${minor} ${mangled(root)} ${mangled(point)} rw,relatime shared:7 - ${type} source rw\n`).join('');
      assert.deepEqual(parseMountinfo(text), mounts.map(({ id, parent, major, minor, root, point, type }) => ({ id, parent, device: `${major}:${minor}`, root, point, type })));
    }));
  });

  it('syscall: number, six arguments and the program counter', () => {
    fc.assert(fc.property(fc.nat(1000), fc.array(u64, { minLength: 8, maxLength: 8 }), (number, words) => {
      const parsed = parseSyscall(`${number} ${words.map(word => `0x${hex(word)}`).join(' ')}\n`);
      assert.deepEqual([parsed?.number, parsed?.arguments, parsed?.programCounter], [number, words.slice(0, 6), words[7]]);
    }));
  });
});

describe('what the kernel writes of a descriptor', () => {
  const head = (flags: number, mount: number, inode: bigint): string => `pos:\t0\nflags:\t0${flags.toString(8)}\nmnt_id:\t${mount}\nino:\t${inode}\n`;
  const common = fc.tuple(fc.nat(0o7777777), u32, u64);

  it('open mode, mount and inode, before whatever follows', () => {
    fc.assert(fc.property(common, fc.string(), ([flags, mount, inode], rest) => {
      const text = head(flags, mount, inode) + rest;
      assert.deepEqual(parseCommon(text), { mount, inode: String(inode) });
      assert.equal(parseAccess(text), ['read', 'write', 'read-write', undefined][flags & 3]);
    }));
  });

  it('eventfd, timerfd, pidfd, epoll and inotify', () => {
    const nanoseconds = fc.nat(999_999_999);
    fc.assert(fc.property(common, u64, u32, fc.boolean(), fc.integer({ min: -1, max: 1 << 22 }), u32, nanoseconds, (c, count, id, semaphore, pid, seconds, rest) => {
      assert.deepEqual(parseEventfd(`${head(...c)}eventfd-count: ${hex(count).padStart(16)}\neventfd-id: ${id}\neventfd-semaphore: ${semaphore ? 1 : 0}\n`), { count: String(count), id: String(id), semaphore });
      assert.equal(parsePidfd(`${head(...c)}Pid:\t${pid}\nNSpid:\t${pid}\n`), pid);
      const { clock, ticks, value } = parseTimerfd(`${head(...c)}clockid: 1\nticks: ${count}\nsettime flags: 00\nit_value: (${seconds}, ${rest})\nit_interval: (0, 0)\n`);
      assert.deepEqual([clock, ticks, Math.round(Number(value) * 1e9) - Math.round(seconds * 1e9)], ['CLOCK_MONOTONIC', String(count), Math.round((seconds + rest / 1e9) * 1e9) - Math.round(seconds * 1e9)]);
    }));
    const watch = fc.record({ fd: fc.nat(1 << 20), events: u32, data: u64, inode: u64, major: fc.nat(0xfff), minor: fc.nat(0xfffff) });
    fc.assert(fc.property(common, fc.array(watch, { maxLength: 10 }), (c, watches) => {
      const device = (major: number, minor: number): string => hex((BigInt(major) << 20n) | BigInt(minor));
      assert.deepEqual(parseEpoll(head(...c) + watches.map(({ fd, events, data, inode, major, minor }) => `tfd: ${String(fd).padStart(8)} events: ${hex(events).padStart(8)} data: ${hex(data).padStart(16)}  pos:0 ino:${hex(inode)} sdev:${device(major, minor)}\n`).join('')),
        watches.map(({ fd, events, data, inode, major, minor }) => ({ fd, events: `0x${hex(events)}`, data: `0x${hex(data)}`, inode: String(inode), device: `${major}:${minor}` })));
      assert.deepEqual(parseInotify(head(...c) + watches.map(({ fd, events, inode, major, minor }) => `inotify wd:${hex(fd)} ino:${hex(inode)} sdev:${device(major, minor)} mask:${hex(events)} ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:00\n`).join('')),
        watches.map(({ fd, events, inode, major, minor }) => ({ wd: fd, device: `${major}:${minor}`, inode: String(inode), mask: `0x${hex(events)}` })));
    }));
  });

  it('locks: the same in /proc/locks and in fdinfo', () => {
    const lock = fc.record({ kind: fc.constantFrom('FLOCK', 'POSIX', 'OFDLCK', 'LEASE'), type: fc.constantFrom('READ', 'WRITE'), pid: fc.integer({ min: -1, max: 1 << 22 }), major: fc.nat(0xfff), minor: fc.nat(0xfffff), inode: u64, start: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }), end: fc.option(fc.bigInt({ min: 0n, max: (1n << 63n) - 1n })), blocked: fc.boolean() });
    fc.assert(fc.property(fc.array(lock, { maxLength: 8 }), locks => {
      const line = ({ kind, type, pid, major, minor, inode, start, end, blocked }: typeof locks[number], at: number): string =>
        `${at + 1}: ${blocked ? '-> ' : ''}${kind.padEnd(6)} ADVISORY  ${type.padEnd(5)} ${pid} ${hex(major, 2)}:${hex(minor, 2)}:${inode} ${start} ${end ?? 'EOF'}`;
      const expected = locks.map(({ kind, type, pid, major, minor, inode, start, end, blocked }) => ({ kind, type: type.toLowerCase(), pid, major, minor, file: `${hex(major, 2)}:${hex(minor, 2)}:${inode}`, inode: String(inode), start: String(start), end: String(end ?? 'EOF'), blocked }));
      assert.deepEqual(parseLocks(`${locks.map(line).join('\n')}\n`), expected);
      assert.deepEqual(parseDescriptorLocks(`pos:\t0\n${locks.map((each, at) => `lock:\t${line(each, at)}\n`).join('')}`), expected);
    }));
  });

  it('seals by name, each bit one', () => {
    fc.assert(fc.property(fc.nat(0x7fffffff), mask => {
      const names = sealNames(mask);
      assert.equal(new Set(names).size, mask.toString(2).replaceAll('0', '').length);
    }));
    assert.deepEqual(sealNames(0x21), ['F_SEAL_SEAL', 'F_SEAL_EXEC']);
  });

  it('the class of any link, without throwing', () => {
    fc.assert(fc.property(name, fc.constantFrom('', '/dev/', '/dev/shm/', '/memfd:', 'anon_inode:', 'pipe:['), (text, before) => { classOf(before + text); }));
    assert.deepEqual(['/dev/null', '/dev/null.fifo', '/dev/urandom', '/dev/shm/x'].map(classOf), [undefined, 'path', undefined, 'devShm']);
  });

  it('statx: numbers and times, and nothing of fewer bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), bytes => { assert.equal(decodeStatx(Buffer.from(bytes)) === undefined, bytes.length < 256); }));
    fc.assert(fc.property(u32, u32, u32, fc.nat(0xfff), fc.nat(0xfffff), fc.nat(0xffff), u32, (ino, size, nlink, major, minor, mode, seconds) => {
      const bytes = Buffer.alloc(256);
      bytes.writeUInt32LE(0xfff, 0);
      bytes.writeUInt32LE(nlink, 16);
      bytes.writeUInt16LE(mode, 28);
      bytes.writeBigUInt64LE(BigInt(ino), 32);
      bytes.writeBigUInt64LE(BigInt(size), 40);
      bytes.writeBigInt64LE(BigInt(seconds), 112);
      bytes.writeUInt32LE(major, 136);
      bytes.writeUInt32LE(minor, 140);
      const stats = decodeStatx(bytes);
      assert.deepEqual([stats?.ino, stats?.size, stats?.nlink, stats?.dev, stats?.mode, stats?.mtimeMs, stats?.isFile(), stats?.isFIFO()], [ino, size, nlink, deviceNumber(major, minor), mode, seconds * 1000, (mode & 0o170000) === 0o100000, (mode & 0o170000) === 0o010000]);
    }));
  });
});

describe('what the kernel writes of System V objects and sockets', () => {
  it('a table of /proc/sysvipc, however wide its columns', () => {
    const columns = ['key', 'shmid', 'perms', 'size', 'cpid', 'lpid', 'nattch'];
    fc.assert(fc.property(fc.array(fc.array(fc.bigInt({ min: -(1n << 31n), max: (1n << 64n) - 1n }).map(String), { minLength: columns.length, maxLength: columns.length }), { maxLength: 10 }), rows => {
      const table = splitSysvTable(`${columns.map(column => column.padStart(10)).join(' ')}\n${rows.map(row => `${row.map(cell => cell.padStart(10)).join(' ')}\n`).join('')}`);
      assert.deepEqual(table.lines.map(line => Object.values(parseSysvLine(table.columns, line) ?? {})), rows);
    }));
  });

  it('a line of /proc/net/unix, whatever the socket is called', () => {
    fc.assert(fc.property(name, fc.integer({ min: 1, max: 0x7fffffff }), fc.constantFrom(1, 2, 5), (path, inode, type) => {
      const called = path.replaceAll('\n', 'n'); // a line break makes two lines of it
      const [record] = parseProcUnix(`Num       RefCount Protocol Flags    Type St Inode Path\n0000000000000000: 00000002 00000000 00010000 ${hex(type, 4)} 01 ${inode} ${called}\n`);
      assert.deepEqual([record?.inode, record?.type, record?.state, record?.name], [inode, type, TCP_LISTEN, shown(called)]);
    }));
  });

  it('addresses and ports of a connection, in /proc/net and over netlink', () => {
    const address = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }));
    fc.assert(fc.property(address, fc.nat(0xffff), fc.integer({ min: 1, max: 0xffff }), fc.integer({ min: 1, max: 0x7fffffff }), u32, (bytes, port, remotePort, inode, queued) => {
      const own = Buffer.from(bytes);
      const text = own.length === 4 ? ipv4Text(own) : ipv6Text(own);
      const words = Buffer.from(own).swap32().toString('hex').toUpperCase();
      const [record] = parseProcInet(`  sl  local_address rem_address\n   0: ${words}:${hex(port, 4).toUpperCase()} ${words}:${hex(remotePort, 4).toUpperCase()} 01 00000000:${hex(queued, 8).toUpperCase()} 00:00000000 00000000  1000        0 ${inode} 1 0000\n`, 'tcp');
      const expected = { local: { address: text, port }, remote: { address: text, port: remotePort }, inode, rqueue: queued, state: 1 };
      assert.deepEqual(record, { ...expected, protocol: 'tcp', wqueue: 0 });
      const message = Buffer.alloc(72);
      message[0] = own.length === 4 ? AF_INET : AF_INET6;
      message[1] = 1;
      message.writeUInt16BE(port, 4);
      message.writeUInt16BE(remotePort, 6);
      own.copy(message, 8);
      own.copy(message, 24);
      message.writeUInt32LE(queued, 56);
      message.writeUInt32LE(inode, 68);
      assert.deepEqual(decodeInet('tcp', message, 0, 72), { ...expected, protocol: 'tcp', wqueue: 0 });
    }));
  });
});

describe('what others hand to us', () => {
  it('requests of any shape are refused in words or taken as they are', () => {
    fc.assert(fc.property(fc.constantFrom(...methods), fc.anything({ withBigInt: true }), (method, params) => {
      try { checked(method, params); } catch (error) { assert.ok(error instanceof InvalidRequest && error.message.startsWith(method), String(error)); }
    }));
  });

  it('messages pass unchanged however they are cut, and what is none ends the connection', async () => {
    const cut = (bytes: Buffer, sizes: readonly number[]): Buffer[] => {
      const parts: Buffer[] = [];
      let at = 0;
      for (let turn = 0; at < bytes.length; turn++) { const size = sizes[turn % sizes.length] ?? 1; parts.push(bytes.subarray(at, at + size)); at += size; }
      return parts;
    };
    const through = async (parts: readonly Buffer[]): Promise<Buffer> => Buffer.concat(await Readable.from(parts).pipe(new BoundedInput()).toArray() as Buffer[]);
    const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });
    await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 5 }), sizes, async (messages, by) => {
      const bytes = Buffer.concat(messages.map(body => Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body])));
      assert.deepEqual(await through(cut(bytes, by)), bytes);
    }), { numRuns: 50 });
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), sizes, async (bytes, by) => {
      const pieces = cut(Buffer.concat([Buffer.from(bytes), Buffer.from('\r\n\r\n')]), by);
      await new Promise<void>(done => {
        const input = new BoundedInput();
        input.once('error', error => { assert.ok(error instanceof MessageError); done(); }).once('end', done).resume();
        for (const piece of pieces) input.write(piece);
        input.end();
      });
    }), { numRuns: 50 });
  });

  it('a backup of any content is refused by name and reason', () => {
    const directory = mkdtempSync(join(tmpdir(), 'ipc-inspector-backup-'));
    try {
      const file = join(directory, 'x.json');
      const nearly = fc.record({ format: fc.constantFrom('ipc-inspector-backup', 'other'), version: fc.constantFrom(1, 2), objectId: fc.string(), object: fc.oneof(fc.record({ kind: fc.constantFrom('sysv-shared-memory', 'pipe', 'sysv-message-queue', '__proto__') }), fc.jsonValue()), contents: fc.constantFrom('a.data', '../a.data', '/etc/shadow') }).map(value => JSON.stringify(value));
      fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), fc.jsonValue().map(value => JSON.stringify(value)), nearly), content => {
        writeFileSync(file, content);
        assert.throws(() => readBackup(file), (error: unknown) => error instanceof Error && error.message.includes(file));
      }));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('the beginning of an executable, whatever is in it', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(1, 2), fc.constantFrom(1, 2), (rest, wide, order) => {
      hasGoNote(rest);
      hasGoNote(Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, wide, order]), rest]));
    }));
  });
});
