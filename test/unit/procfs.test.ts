// Parsers of kernel text: captured lines, hostile ones, and arbitrary bytes.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { isMountedHiding, mayHide } from '../../native-probe/kernel/hidepid';
import { deviceNumber, parseCmdline, parseMapsLine, parseSharedMaps, parseMaps, parseStat, parseStatus, splitDeleted } from '../../native-probe/kernel/procfs';
import { displayText, fromDisplayText, idText } from '../../native-probe/kernel/text';
import { idOfSysvLine, keyText, ownerOf, parseSysvLine, splitSysvTable, timeText } from '../../native-probe/kernel/sysvipc';
import { mqueueMounts, parseQueueStatus } from '../../native-probe/kernel/mqueueFileSystem';
import { parseSemaphore } from '../../native-probe/facilities/devShm';
import { memoryIsVersion1, residenceOf } from '../../native-probe/kernel/cgroups';
import { capabilityNames } from '../../native-probe/kernel/capabilities';

describe('/proc/PID/stat', () => {
  it('ends comm at its last parenthesis', () => {
    const text = '42 (a) R 1 (b) S 7 42 42 34817 99 4194560 100 0 0 0 0 0 0 0 20 0 1 0 123456 1000 10\n';
    assert.deepEqual(parseStat(text), { comm: 'a) R 1 (b', state: 'S', ppid: 7, flags: 4194560, startTime: '123456', terminal: { device: 34817, foreground: 99 } });
  });
  it('has no terminal where tty_nr is 0', () => {
    assert.equal(parseStat('42 (a) S 7 42 42 0 -1 4194560 100 0 0 0 0 0 0 0 20 0 1 0 123456 1000 10\n')?.terminal, undefined);
  });
  it('is nothing where the line is cut', () => { assert.equal(parseStat('42 (a) S 7'), undefined); assert.equal(parseStat(''), undefined); });
});

describe('/proc/PID/status', () => {
  it('gives effective ids, groups, tracer and nested PIDs', () => {
    const text = 'Name:\tx\nTracerPid:\t99\nUid:\t1000\t1001\t1000\t1000\nGid:\t5\t6\t5\t5\nGroups:\t10 11 \nNSpid:\t42\t1\n';
    assert.deepEqual(parseStatus(text), { uid: 1001, tracerPid: 99, nsPids: [42, 1], groups: [6, 10, 11] });
  });
  it('is not fooled by a name that looks like a field', () => {
    // The kernel escapes newlines in Name, so a field always starts a line.
    assert.equal(parseStatus('Name:\tUid:\t0\t0\nTracerPid:\t0\nUid:\t7\t7\t7\t7\nGid:\t1\t1\t1\t1\n')?.uid, 7);
  });
});

describe('/proc/PID/maps', () => {
  const shared = '7f0000000000-7f0000001000 rw-s 00000000 00:01 65538                      /SYSV0000002a (deleted)';
  const file = '7f0000002000-7f0000003000 r--s 00001000 fd:10 99                         /tmp/a b\\012c';
  const heap = '55d000000000-55d000021000 rw-p 00000000 00:00 0                          [heap]';
  it('finds the shared mappings among private ones without parsing those', () => {
    assert.deepEqual(parseSharedMaps([heap, shared, heap, file, ''].join('\n')), [parseMapsLine(shared), parseMapsLine(file)]);
    assert.equal(parseMapsLine(file)?.path, '/tmp/a b\\012c');
    assert.equal(parseMapsLine(file)?.device, deviceNumber(0xfd, 0x10));
  });
  it('does not take an "s " in a private mapping\'s path for a shared one', () => {
    assert.deepEqual(parseSharedMaps('7f0000002000-7f0000003000 r--p 00001000 fd:10 99   /x rw-s s s\n'), []);
  });
  it('property: the fast way finds what parsing every line finds', () => {
    const line = fc.tuple(fc.nat(), fc.constantFrom('rw-s', 'r--s', 'rw-p', '---p'), fc.string({ unit: fc.constantFrom('s', ' ', '/', 'x', '-') })).map(([start, permissions, path]) => `${start.toString(16)}-${(start + 4096).toString(16)} ${permissions} 00000000 00:01 7   ${path}`);
    fc.assert(fc.property(fc.array(line), lines => {
      const text = `${lines.join('\n')}\n`;
      assert.deepEqual(parseSharedMaps(text), parseMaps(text).filter(({ permissions }) => permissions[3] === 's'));
    }));
  });
  it('keeps device numbers as stat(2) gives them', () => {
    assert.equal(deviceNumber(0, 27), 27);
    assert.equal(deviceNumber(8, 1), 0x801);
    assert.equal(deviceNumber(259, 0x12345), 0x45 + 259 * 256 + 0x123 * 0x100000);
  });
});

describe('/proc/PID/cmdline', () => {
  it('is a list, however it ends, and empty for a kernel thread', () => {
    assert.deepEqual(parseCmdline('a\0b c\0\0'), ['a', 'b c', '']);
    assert.deepEqual(parseCmdline('postgres: writer'), ['postgres: writer']);
    assert.deepEqual(parseCmdline(''), []);
  });
});

describe('names as text', () => {
  it('escapes control and invisible characters, bidi marks, backslashes and what is no UTF-8', () => {
    assert.equal(displayText(Buffer.from('a\u202eb\\\n\x7f\u200bé')), 'a\\xe2\\x80\\xaeb\\x5c\\x0a\\x7f\\xe2\\x80\\x8bé');
    assert.equal(displayText(Buffer.of(0xff, 0x41, 0xc3)), '\\xffA\\xc3');
    assert.equal(displayText(Buffer.of(0xed, 0xa0, 0x80)), '\\xed\\xa0\\x80', 'a surrogate is no character');
    assert.equal(displayText(Buffer.of(0xf4, 0x90, 0x80, 0x80)), '\\xf4\\x90\\x80\\x80', 'beyond U+10FFFF');
  });
  it('property: no bytes are lost, none throws, nothing unsafe is left', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
      const text = displayText(bytes);
      assert.deepEqual(fromDisplayText(text), Buffer.from(bytes));
      assert.ok(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text));
      assert.match(idText(text), /^[\x21-\x7e]*$/);
    }));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), name => { assert.deepEqual(fromDisplayText(displayText(Buffer.from(name))), Buffer.from(name)); }));
  });
});

const parseSysvTable = (text: string): ReturnType<typeof parseSysvLine>[] => {
  const { columns, lines } = splitSysvTable(text);
  return lines.map(line => parseSysvLine(columns, line)).filter(row => row !== undefined);
};

describe('/proc/sysvipc', () => {
  const text = '       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n1229996801          7  1640                 81920    12    13      1  1000    10  1000    10 1700000000          0 1699999999                  4096                     0\n        -1          8   600  4096 1 1 0 0 0 0 0 0 0 1 0\n';
  it('is read by its column names; a torn line is dropped', () => {
    const [row, ...rest] = parseSysvTable(text);
    assert.ok(row);
    assert.deepEqual(rest, []);
    assert.deepEqual([keyText(row), ownerOf(row), row['rss'], timeText(row['atime']), timeText(row['dtime'])], ['0x49504301', { uid: 1000, gid: 10, mode: '0640' }, '4096', '2023-11-14T22:13:20.000Z', undefined]);
  });
  it('the id is found without parsing the line', () => {
    fc.assert(fc.property(fc.array(fc.integer(), { minLength: 2, maxLength: 17 }), fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 17, maxLength: 17 }), (numbers, widths) => {
      const line = numbers.map((number, at) => `${' '.repeat(at === 0 ? 0 : 1)}${String(number).padStart(widths[at] ?? 1)}`).join('');
      assert.equal(String(idOfSysvLine(line)), parseSysvLine(numbers.map((_, at) => `c${at}`), line)?.['c1']);
    }));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), line => { idOfSysvLine(line); }));
  });
  it('shows a negative key as its 32 bits', () => { assert.equal(keyText({ key: '-1' }), '0xffffffff'); });
});

describe('mqueue', () => {
  it('reads the status line; nobody to notify is absent', () => {
    assert.deepEqual(parseQueueStatus('QSIZE:129        NOTIFY:0     SIGNO:10    NOTIFY_PID:8260  \n'), { qsize: '129', notify: { pid: 8260, signo: 10 } });
    assert.deepEqual(parseQueueStatus('QSIZE:0          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n'), { qsize: '0' });
    assert.equal(parseQueueStatus('QSIZE:'), undefined);
  });
  it('finds mqueue mounts, their octal escapes undone', () => {
    assert.deepEqual(mqueueMounts('30 20 0:19 / /dev/mq\\040x rw,nosuid shared:1 - mqueue mqueue rw\n31 20 0:20 / /x rw - tmpfs mqueue rw\n'), ['/dev/mq x']);
  });
});

describe('sem_t', () => {
  it('holds the value low and the waiters high', () => { assert.deepEqual(parseSemaphore(Buffer.from('0500000002000000', 'hex')), { value: 5, waiters: 2 }); });
  it('is unknown where the file is shorter', () => { assert.equal(parseSemaphore(Buffer.alloc(4)), undefined); });
});

describe('containers by cgroup path', () => {
  const hash = '0123456789abcdef'.repeat(4);
  for (const [path, expected] of [
    [`0::/system.slice/docker-${hash}.scope`, 'docker 0123456789ab'], [`12:cpu:/docker/${hash}\n`, 'docker 0123456789ab'], [`0::/machine.slice/libpod-${hash}.scope/container`, 'podman 0123456789ab'],
    [`0::/kubepods.slice/kubepods-besteffort.slice/cri-containerd-${hash}.scope`, 'kubernetes 0123456789ab'], [`1:name=systemd:/kubepods/besteffort/pod1-2/${hash}`, 'kubernetes 0123456789ab'], ['0::/lxc.payload.web/init.scope', 'lxc web'],
    ['0::/user.slice/user-1000.slice/session-1.scope', undefined], ['0::/', undefined], ['', undefined],
  ] as const) it(`${path.slice(0, 40).trim()} → ${String(expected)}`, () => { assert.equal(residenceOf(path).container, expected); });

  it('tells a memory controller of version 1, alone or with others, from one of version 2', () => {
    assert.equal(memoryIsVersion1('9:name=systemd:/\n4:memory:/a\n0::/\n'), true);
    assert.equal(memoryIsVersion1('3:cpu,memory:/\n'), true);
    assert.equal(memoryIsVersion1('2:cpu:/memory:x\n1:name=memory:/\n0::/user.slice/memory:/\n'), false);
    assert.equal(memoryIsVersion1('0::/init.scope\n'), false);
  });
});

describe('capabilities', () => {
  it('are named by their bits', () => {
    assert.deepEqual(capabilityNames('0000000000080000'), ['CAP_SYS_PTRACE']);
    assert.deepEqual(capabilityNames('0000000000000000'), []);
    assert.deepEqual(capabilityNames('nonsense'), []);
  });
});

describe('every parser', () => {
  it('property: never throws on arbitrary bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), bytes => {
      const text = Buffer.from(bytes).toString('latin1');
      for (const parse of [parseStat, parseStatus, parseMaps, parseSharedMaps, parseSysvTable, parseQueueStatus, mqueueMounts, residenceOf, splitDeleted, capabilityNames, memoryIsVersion1]) parse(text);
      parseCmdline(Buffer.from(bytes).toString('latin1'));
      parseSemaphore(Buffer.from(bytes));
    }));
  });
});

describe('hidepid', () => {
  const mount = (options: string): string => `22 30 0:21 / /proc rw,nosuid,nodev,noexec,relatime - proc proc ${options}\n23 22 0:22 / /proc/sys/fs/binfmt_misc rw - binfmt_misc none rw,hidepid=2\n`;
  it('is told by the options of the mount that lies on top, by number and by name', () => {
    assert.deepEqual(['rw', 'rw,hidepid=1', 'rw,hidepid=noaccess', 'rw,hidepid=2', 'rw,gid=27,hidepid=invisible', 'rw,hidepid=ptraceable,subset=pid'].map(mount).map(isMountedHiding), [false, false, false, true, true, true]);
    assert.equal(isMountedHiding(mount('rw,hidepid=2') + mount('rw')), false, 'covered by another');
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => { isMountedHiding(text); }));
  });

  it('hides nothing from root, nor from whoever sees the first process of another user', () => {
    const hiding = mount('rw,hidepid=2');
    assert.deepEqual([mayHide(0, undefined, hiding), mayHide(1000, 0, hiding), mayHide(1000, undefined, mount('rw')), mayHide(1000, 1000, hiding), mayHide(1000, 1000, mount('rw'))], [false, false, true, true, false]);
  });
});
