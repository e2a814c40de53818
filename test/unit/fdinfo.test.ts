// fdinfo, mount tables, signal masks: captured kernel text, hostile text, and arbitrary bytes. Open file descriptions and
// what epoll watches: pure, on made-up processes.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type { Handle, IpcObject } from '../../native-probe/model';
import type { ScannedProcess } from '../../native-probe/processes';
import { parseAccess, parseCommon, parseEpoll, parseEventfd, parseInotify, parsePidfd, parseSignalfd, parseTimerfd, parseTtyIndex } from '../../native-probe/kernel/fdinfo';
import { classOfFileSystem, MountTable, parseMountinfo } from '../../native-probe/kernel/mounts';
import { groupByOpenFile } from '../../native-probe/kernel/openFileDescriptions';
import type { ComparisonBudget, DescriptorRef } from '../../native-probe/kernel/openFileDescriptions';
import { parseSignalMask, signalName, signalNames } from '../../native-probe/kernel/signals';
import { eventKinds, invariantOf, linkWatches } from '../../native-probe/facilities/eventDescriptors';
import { indexOfDevice } from '../../native-probe/facilities/pseudoterminal';

const common = 'pos:\t0\nflags:\t02000002\nmnt_id:\t17\nino:\t1039\n';

describe('fdinfo', () => {
  it('gives flags, mount and inode of any descriptor, and the open mode', () => {
    assert.deepEqual(parseCommon(common), { mount: 17, inode: '1039' });
    assert.deepEqual(parseCommon('pos:\t0\nflags:\t02\nmnt_id:\t17\n'), { mount: 17 }, 'before Linux 5.14 there is no inode');
    assert.deepEqual(['flags:\t02000000\n', 'pos:\t0\nflags:\t0100001', common, 'flags:\t03', ''].map(parseAccess), ['read', 'write', 'read-write', undefined, undefined]);
  });
  it('gives count (written in hexadecimal), id and semaphore flag of an eventfd', () => {
    assert.deepEqual(parseEventfd(`${common}eventfd-count:               1f\neventfd-id: 62\neventfd-semaphore: 1\n`), { count: '31', id: '62', semaphore: true });
    assert.deepEqual(parseEventfd(`${common}eventfd-count: fffffffffffffffe\n`), { count: '18446744073709551614' });
    assert.deepEqual(parseEventfd(`${common}eventfd-count: many\neventfd-semaphore: 2\n`), {});
  });
  it('gives the signals of a signalfd by name', () => {
    assert.deepEqual(parseSignalfd(`${common}sigmask:\t0000000200000002\n`), ['SIGINT', 'SIGRTMIN']);
    assert.deepEqual(parseSignalfd(`${common}sigmask:\t0000000000000000\n`), []);
    assert.equal(parseSignalfd(common), undefined);
  });
  it('gives clock, ticks and times of a timerfd in seconds', () => {
    const text = `${common}clockid: 1\nticks: 3\nsettime flags: 00\nit_value: (9, 999973473)\nit_interval: (2, 500)\n`;
    assert.deepEqual(parseTimerfd(text), { clock: 'CLOCK_MONOTONIC', ticks: '3', value: '9.999973473', interval: '2.0000005' });
    assert.deepEqual(parseTimerfd('clockid: 42\nit_value: (0, 0)\nit_interval: (10, 500000000)\n'), { clock: 'clock 42', value: '0', interval: '10.5' });
  });
  it('gives every watch of an epoll instance, of old kernels too', () => {
    const text = `${common}tfd:        3 events: 80000019 data:                3  pos:0 ino:40f sdev:10\ntfd:        7 events:       1f data:     7f7400000007  pos:0 ino:5e1a9 sdev:fe00001\ntfd:        9 events:       19 data:                9\ntfd: x\n`;
    assert.deepEqual(parseEpoll(text), [
      { fd: 3, events: '0x80000019', data: '0x3', inode: '1039', device: '0:16' },
      { fd: 7, events: '0x1f', data: '0x7f7400000007', inode: '385449', device: '254:1' },
      { fd: 9, events: '0x19', data: '0x9' },
    ]);
  });
  it('gives every watch of an inotify instance', () => {
    const text = `${common}inotify wd:a ino:3f7e8 sdev:fe00000 mask:102 ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:e8f7030000000000\ninotify wd:1 ino:2 sdev:1a mask:fff\n`;
    assert.deepEqual(parseInotify(text), [{ wd: 10, device: '254:0', inode: '260072', mask: '0x102' }, { wd: 1, device: '0:26', inode: '2', mask: '0xfff' }]);
  });
  it('gives the process of a pidfd, also when it is gone or invisible, and the index of a master', () => {
    assert.deepEqual(['Pid:\t42\nNSpid:\t42\t1\n', 'Pid:\t-1\nNSpid:\t-1\n', 'Pid:\t0\n', common].map(parsePidfd), [42, -1, 0, undefined]);
    assert.deepEqual([`${common}tty-index:\t7\n`, common].map(parseTtyIndex), [7, undefined]);
  });
  it('property: arbitrary text never throws', () => {
    const line = fc.tuple(fc.constantFrom('tfd:', 'inotify wd:', 'eventfd-count:', 'sigmask:', 'it_value:', 'Pid:', 'flags:', 'tty-index:', ''), fc.string()).map(([name, rest]) => name + rest);
    fc.assert(fc.property(fc.array(line).map(lines => lines.join('\n')), text => {
      for (const parse of [parseAccess, parseCommon, parseEpoll, parseEventfd, parseInotify, parsePidfd, parseSignalfd, parseTimerfd, parseTtyIndex, parseMountinfo]) parse(text);
      for (const kind of eventKinds) invariantOf(kind, text);
    }));
  });
  it('leaves what changes by itself out of what tells copies apart', () => {
    const timer = (left: string, ticks: string): string => `clockid: 1\nticks: ${ticks}\nit_value: (${left}, 5)\nit_interval: (2, 0)\n`;
    assert.equal(invariantOf('timerfd', timer('9', '0')), invariantOf('timerfd', timer('3', '8')));
    assert.equal(invariantOf('signalfd', `flags:\t02\nsigmask:\t02\n`), invariantOf('signalfd', `flags:\t02000002\nsigmask:\t02\n`), 'close-on-exec is of the descriptor, not of the file');
    assert.notEqual(invariantOf('pidfd', 'Pid:\t1\n'), invariantOf('pidfd', 'Pid:\t2\n'));
  });
});

describe('signal names', () => {
  it('are those of kill -l, with realtime signals counted from SIGRTMIN', () => {
    assert.deepEqual([1, 2, 9, 17, 29, 31, 34, 35, 64].map(signalName), ['SIGHUP', 'SIGINT', 'SIGKILL', 'SIGCHLD', 'SIGIO', 'SIGSYS', 'SIGRTMIN', 'SIGRTMIN+1', 'SIGRTMIN+30']);
    assert.deepEqual([0, 32, 33, 65].map(signalName), ['SIG0', 'SIG32', 'SIG33', 'SIG65']);
  });
  it('property: a mask has as many names as bits, all different', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), mask => {
      const names = signalNames(mask);
      assert.equal(new Set(names).size, mask.toString(2).replaceAll('0', '').length);
      assert.deepEqual(parseSignalMask(mask.toString(16)), names);
    }));
    assert.deepEqual(['', 'x', '1'.repeat(17)].map(parseSignalMask), [undefined, undefined, undefined]);
  });
});

describe('mount tables', () => {
  const text = [
    '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw', '24 27 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw', '26 24 0:24 / /dev/pts rw - devpts devpts rw',
    '29 26 0:26 / /dev/pts rw - devpts devpts rw,mode=600', '40 27 0:50 / /srv/far\\040away rw shared:7 master:1 - nfs4 server:/x rw,addr=1.2.3.4',
    '41 24 0:24 /0 /dev/console rw - devpts devpts rw', 'nonsense', '1 2 x:y / / - ext4 x',
  ].join('\n');
  const table = new MountTable(parseMountinfo(text));
  it('undo the escapes of blanks, keep what is bound, and skip what is no mount', () => {
    assert.equal(parseMountinfo(text).length, 6);
    assert.deepEqual(table.get(40), { id: 40, parent: 27, device: '0:50', root: '/', point: '/srv/far away', type: 'nfs4' });
    assert.equal(table.get(41)?.root, '/0');
  });
  it('tell the file system of a path by its longest prefix, whole names only, the latest mount covering earlier ones', () => {
    assert.deepEqual(['/dev/pts/0', '/dev/ptsx', '/srv/far away', '/srv/far away/a b', '/srv/far', '/', 'x'].map(path => table.at(path)?.id), [29, 24, 40, 40, 27, 27, 27]);
    assert.equal(new MountTable([]).at('/x'), undefined);
  });
  it('trust only file systems that are known to be local', () => {
    assert.deepEqual(['ext4', 'overlay', 'proc', 'nfs4', 'fuse.sshfs', 'cifs', '9p', 'something new'].map(classOfFileSystem), ['local', 'local', 'none', 'unknown', 'unknown', 'unknown', 'unknown', 'unknown']);
  });
});

describe('descriptors of one open file', () => {
  const budget = (left = 1e6): ComparisonBudget => ({ left, exhausted: false });
  /** A kernel in which every descriptor has an open file of a number. */
  const kernel = (files: readonly number[]) => (a: DescriptorRef, b: DescriptorRef): -1 | 0 | 1 => Math.sign((files[a.fd] ?? 0) - (files[b.fd] ?? 0)) as -1 | 0 | 1;
  const refs = (files: readonly number[]): DescriptorRef[] => files.map((_, fd) => ({ pid: 1, fd }));

  it('property: are found in n·log n comparisons, each group in the order given', () => {
    fc.assert(fc.property(fc.array(fc.nat(30), { maxLength: 200 }), files => {
      const left = budget();
      const groups = groupByOpenFile(refs(files), left, kernel(files));
      const expected = [...new Set(files)].map(file => files.flatMap((its, fd) => its === file ? [fd] : []));
      assert.deepEqual(groups.map(group => group.map(({ fd }) => fd)), expected);
      assert.ok(1e6 - left.left <= files.length * 5, 'log2 of 31 files');
    }));
  });
  it('stand alone where the kernel does not say, and it is asked only once', () => {
    const left = budget();
    let asked = 0;
    assert.equal(groupByOpenFile(refs([1, 1, 1, 1]), left, () => { asked++; return 'EPERM'; }).length, 4);
    assert.deepEqual([left.denied, asked], ['EPERM', 1]);
    const closing = budget();
    assert.equal(groupByOpenFile(refs([1, 1, 1]), closing, () => 'EBADF').length, 3);
    assert.equal(closing.denied, undefined, 'closed in between is no denial');
  });
  it('stand alone past the budget, which says so', () => {
    const files = Array.from({ length: 100 }, (_, at) => at);
    const left = budget(50);
    assert.equal(groupByOpenFile(refs(files), left, kernel(files)).length, 100);
    assert.equal(left.exhausted, true);
  });
});

describe('what an epoll instance watches', () => {
  const process = (pid: number, descriptors: readonly (readonly [number, string])[]): ScannedProcess => ({
    pid, startTime: '1', ppid: 1, comm: 'x', cmdline: [], uid: 0, namespaces: { ipc: '1', pid: '1', net: '1', mnt: '1' }, state: 'S', kernelThread: false, groups: [], sharedMappings: [], signals: null,
    descriptors: descriptors.map(([fd, target]) => ({ fd, target })),
  });
  const handle = (objectId: string, pid: number, fd: number): Handle => ({ objectId, pid, via: 'descriptor', fd });
  const targets = (watches: readonly { fd: number; inode?: string }[], handles: readonly Handle[], processes: readonly ScannedProcess[]): (string | undefined)[] => {
    const epoll: IpcObject = { id: 'epoll:1', kind: 'epoll', persistence: 'process', state: { watches: watches.map(watch => ({ ...watch, events: '0x1' })) } };
    const [linked] = linkWatches({ objects: [epoll], handles }, handles, processes, () => '1039');
    assert.ok(linked?.kind === 'epoll');
    return linked.state.watches?.map(({ target }) => target) ?? [];
  };

  it('is what has the number in a process that has the instance, if it can be that', () => {
    const processes = [process(1, [[3, 'anon_inode:[eventpoll]'], [4, 'pipe:[70]'], [5, 'anon_inode:[eventfd]']])];
    const handles = [handle('epoll:1', 1, 3), handle('pipe:70', 1, 4), handle('eventfd:6', 1, 5)];
    assert.deepEqual(targets([{ fd: 4, inode: '70' }, { fd: 5, inode: '1039' }], handles, processes), ['pipe:70', 'eventfd:6']);
    assert.deepEqual(targets([{ fd: 4, inode: '71' }, { fd: 5, inode: '70' }, { fd: 9, inode: '70' }], handles, processes), [undefined, undefined, undefined], 'reused or closed numbers');
    assert.deepEqual(targets([{ fd: 4 }], handles, processes), ['pipe:70'], 'an old kernel tells no inode');
  });
  it('is looked for in every process that inherited the instance', () => {
    const processes = [process(1, [[3, 'anon_inode:[eventpoll]'], [4, 'socket:[8]']]), process(2, [[3, 'anon_inode:[eventpoll]'], [4, 'pipe:[70]']])];
    const handles = [handle('epoll:1', 1, 3), handle('unix-socket:8', 1, 4), handle('epoll:1', 2, 3), handle('pipe:70', 2, 4)];
    assert.deepEqual(targets([{ fd: 4, inode: '70' }], handles, processes), ['pipe:70']);
  });
});

describe('terminal numbers', () => {
  it('are those of Unix98 slaves only', () => {
    assert.deepEqual([0x8800, 0x8801, 0x108805, 0x0401, 0x0500, 0].map(indexOfDevice), [0, 1, 0x105, undefined, undefined, undefined]);
  });
});
