// Pure readers of what the kernel and glibc leave behind, on captured text and bytes, and on garbage.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { moduleOffset, modulePlace, moduleStart } from '../../native-probe/facilities/waits/moduleOffset';
import { findMapping } from '../../native-probe/facilities/waits/scene';
import { timeoutText } from '../../native-probe/facilities/waits/futexWait';
import { parseDescriptorLocks, parseLockLine, parseLocks, withoutRepetitions } from '../../native-probe/kernel/fileLocks';
import { decodeGlibcMutex, isNativeCall, mutexBytes, priorityInheritingOwner, restartedCall } from '../../native-probe/kernel/futexLayouts';
import type { FutexCall } from '../../native-probe/kernel/futexLayouts';
import { readPageSize } from '../../native-probe/kernel/processMemory';
import { parseSyscall, parseThreadStatus } from '../../native-probe/kernel/threads';

const wait: FutexCall = { operation: 0x80, value: 2, timed: false };
/** word, count, owner, users, kind, spins; the list pointers are zero. */
function mutex(...words: number[]): Buffer {
  const bytes = Buffer.alloc(mutexBytes);
  words.forEach((word, index) => bytes.writeUInt32LE(word >>> 0, index * 4));
  return bytes;
}

describe('the syscall line', () => {
  it('of a blocked thread gives number, arguments and program counter', () => {
    const line = parseSyscall('202 0x56061251d1c0 0x80 0x2 0x0 0x0 0x7f66fc8d4b40 0x7f66fbff9e80 0x7f66fc96d7b9\n');
    assert.deepEqual([line?.number, line?.arguments.length, line?.arguments[2], line?.programCounter], [202, 6, 2n, 0x7f66fc96d7b9n]);
  });
  it('of a thread blocked outside of a call has number -1 and no arguments', () => {
    assert.deepEqual(parseSyscall('-1 0x7ffe18d3e5d8 0x7f9ce1e5c3b4\n'), { text: '-1 0x7ffe18d3e5d8 0x7f9ce1e5c3b4', number: -1, arguments: [], programCounter: 0x7f9ce1e5c3b4n });
  });
  it('of a running thread says nothing', () => { assert.equal(parseSyscall('running\n'), undefined); });
  it('cut short is not a line', () => { assert.equal(parseSyscall('202 0x56061251d1c0 0x80 0x2\n'), undefined); });
});

describe('a thread\'s status', () => {
  const text = 'Name:\tworker\nPid:\t815\nNSpid:\t815\t14\t3\nSigCgt:\t0000000000012000\nvoluntary_ctxt_switches:\t17\nnonvoluntary_ctxt_switches:\t4\n';
  it('gives the TID of the innermost PID namespace, the switches and the caught signals', () => {
    assert.deepEqual(parseThreadStatus(text), { ownTid: 3, switches: '17+4', caughtSignals: 0x12000n });
  });
  it('works without nested namespaces and on kernels without NSpid', () => {
    assert.equal(parseThreadStatus(text.replace('\t14\t3', ''))?.ownTid, 815);
    assert.equal(parseThreadStatus(text.replace(/NSpid.*\n/, ''))?.ownTid, 815);
  });
  it('without context switches proves nothing', () => { assert.equal(parseThreadStatus(text.replace(/^vol.*\n/m, '')), undefined); });
});

describe('/proc/locks', () => {
  const text = '1: POSIX  ADVISORY  WRITE 2769 fe:00:2245214 1073741824 1073742335\n2: FLOCK  ADVISORY  WRITE 3464 fe:00:2245570 0 EOF\n2: -> FLOCK  ADVISORY  READ  3462 fe:00:2245570 0 EOF\n3: OFDLCK ADVISORY  READ  -1 00:1b:77 0 EOF\n4: LEASE  ACTIVE    READ  99 08:02:12 0 EOF\n';
  it('tells holders from waiters, also nested ones', () => {
    assert.deepEqual(parseLocks(text).map(lock => [lock.kind, lock.type, lock.pid, lock.inode, lock.blocked]), [
      ['POSIX', 'write', 2769, '2245214', false], ['FLOCK', 'write', 3464, '2245570', false], ['FLOCK', 'read', 3462, '2245570', true], ['OFDLCK', 'read', -1, '77', false], ['LEASE', 'read', 99, '12', false],
    ]);
    assert.equal(parseLockLine('2:   -> FLOCK  ADVISORY  WRITE 3462 fe:00:2245570 0 EOF')?.blocked, true);
  });
  it('that changed while it was read lists nobody twice', () => {
    const twice = parseLocks('1: FLOCK  ADVISORY  WRITE 7 fe:00:5 0 EOF\n2: FLOCK  ADVISORY  WRITE 7 fe:00:5 0 EOF\n3: POSIX  ADVISORY  READ 7 fe:00:6 0 9\n4: POSIX  ADVISORY  READ 7 fe:00:6 0 9\n5: POSIX  ADVISORY  READ 7 fe:00:6 20 29\n6: OFDLCK ADVISORY  WRITE -1 fe:00:6 40 49\n7: OFDLCK ADVISORY  WRITE -1 fe:00:6 40 49\n');
    assert.deepEqual(withoutRepetitions(twice).map(lock => [lock.kind, lock.start]), [['FLOCK', '0'], ['POSIX', '0'], ['POSIX', '20'], ['OFDLCK', '40']]);
    const two = parseLocks('1: FLOCK  ADVISORY  READ 7 fe:00:5 0 EOF\n2: FLOCK  ADVISORY  READ 7 fe:00:5 0 EOF\n3: OFDLCK ADVISORY  READ -1 fe:00:6 0 9\n4: OFDLCK ADVISORY  READ -1 fe:00:6 0 9\n4: -> OFDLCK ADVISORY  WRITE -1 fe:00:6 0 9\n4: -> OFDLCK ADVISORY  WRITE -1 fe:00:6 0 9\n');
    assert.equal(withoutRepetitions(two).length, 6, 'two descriptions may hold equal locks for reading, and two threads wait for the same');
  });
  it('keeps ranges as text: they may pass 2⁵³', () => {
    const lock = parseLockLine('1: POSIX  ADVISORY  WRITE 1 08:01:5 9223372036854775806 EOF');
    assert.deepEqual([lock?.start, lock?.end, lock?.major, lock?.minor], ['9223372036854775806', 'EOF', 8, 1]);
  });
  it('shows of a lease that is being broken what it shall become', () => {
    const lease = parseLockLine('4: LEASE  BREAKING  UNLCK 99 08:02:12 0 EOF');
    assert.deepEqual([lease?.type, lease?.breaking, lease?.blocked], ['unlock', true, false]);
  });
  it('in fdinfo stands behind lock:', () => {
    const fdinfo = 'pos:\t0\nflags:\t02100001\nmnt_id:\t27\nino:\t2146469\nlock:\t1: FLOCK  ADVISORY  WRITE 14561 fe:00:2146469 0 EOF\n';
    assert.deepEqual(parseDescriptorLocks(fdinfo).map(lock => [lock.file, lock.pid]), [['fe:00:2146469', 14561]]);
  });
});

describe('the bytes at a futex word', () => {
  it('are a locked normal mutex with its owner', () => {
    assert.deepEqual(decodeGlibcMutex(mutex(2, 0, 815, 1, 0), wait), { type: 'normal', robust: false, pi: false, shared: false, owner: 815, pristine: true });
  });
  it('tell every type apart', () => {
    assert.deepEqual([1, 2, 3].map(kind => decodeGlibcMutex(mutex(2, kind === 1 ? 3 : 0, 815, 1, kind), wait)?.type), ['recursive', 'errorcheck', 'adaptive']);
  });
  it('of a process-shared mutex need the shared operation', () => {
    assert.equal(decodeGlibcMutex(mutex(2, 0, 815, 1, 0x80), { ...wait, operation: 0 })?.shared, true);
    assert.equal(decodeGlibcMutex(mutex(2, 0, 815, 1, 0x80), wait), undefined);
    assert.equal(decodeGlibcMutex(mutex(2, 0, 815, 1, 0), { ...wait, operation: 0 }), undefined);
  });
  it('of a robust mutex carry the TID in the word, which has to agree with the owner', () => {
    const call = { operation: 0, value: 0x8000032f, timed: false };
    assert.equal(decodeGlibcMutex(mutex(0x8000032f, 1, 815, 1, 0x90), call)?.owner, 815);
    assert.equal(decodeGlibcMutex(mutex(0x8000032f, 1, 816, 1, 0x90), call), undefined);
  });
  it('of a priority-inheriting mutex are believed by the word, not by owner', () => {
    assert.equal(decodeGlibcMutex(mutex(0x8000032f, 1, 4, 1, 0x20), { operation: 0x86, value: 0, timed: false })?.owner, 815);
    assert.equal(decodeGlibcMutex(mutex(0xc000032f, 1, 4, 1, 0x20), { operation: 0x86, value: 0, timed: false }), undefined);
    assert.equal(priorityInheritingOwner(0x8000032f), 815);
    assert.equal(priorityInheritingOwner(0), undefined);
  });
  it('are no mutex when anything is off', () => {
    const off: [string, Buffer, FutexCall][] = [
      ['the word changed', mutex(1, 0, 815, 1, 0), wait], ['no owner', mutex(2, 0, 0, 1, 0), wait], ['no users', mutex(2, 0, 815, 0, 0), wait],
      ['illegal kind', mutex(2, 0, 815, 1, 0x1000), wait], ['a pointer for an owner', mutex(2, 0, 0xf7d8a740, 1, 0), wait], ['an owner beyond every TID', mutex(2, 0, 0x400000, 1, 0), wait],
      ['a count in a mutex that does not count', mutex(2, 5, 815, 1, 0), wait], ['recursive and locked no time', mutex(2, 0, 815, 1, 1), wait],
      ['Rust\'s contended mutex waits by FUTEX_WAIT_BITSET without a limit', mutex(2, 0, 815, 1, 0), { ...wait, operation: 0x89 }],
      ['too short', mutex(2, 0, 815, 1, 0).subarray(0, 20), wait],
    ];
    for (const [why, bytes, call] of off) assert.equal(decodeGlibcMutex(bytes, call), undefined, why);
  });
  it('whatever they are, never throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(0xffffffff), fc.nat(0xffffffff), fc.boolean(), (bytes, operation, value, timed) => {
      const found = decodeGlibcMutex(Buffer.from(bytes), { operation, value, timed });
      assert(found === undefined || (found.owner > 0 && found.owner < 0x400000));
    }), { numRuns: 5000 });
  });
});

describe('code before the program counter', () => {
  it('tells a restarted call\'s real number', () => {
    assert.equal(restartedCall(Buffer.from('b8ca0000000f05', 'hex')), 202);
    assert.equal(restartedCall(Buffer.from('90ca0000000f05', 'hex')), undefined);
  });
  it('tells x86-64 from i386', () => { assert.deepEqual([isNativeCall(Buffer.from('0f05', 'hex')), isNativeCall(Buffer.from('cd80', 'hex'))], [true, false]); });
});

describe('a time limit', () => {
  it('is a span for FUTEX_WAIT and a point in time for the others', () => {
    assert.equal(timeoutText(5n, 0n, 0x80), '5 s');
    assert.equal(timeoutText(120n, 500_000_000n, 0x80), '120.5 s');
    assert.equal(timeoutText(1_700_000_000n, 0n, 0x189), '2023-11-14T22:13:20.000Z');
    assert.equal(timeoutText(10n, 0n, 0x89), 'CLOCK_MONOTONIC 10 s');
  });
  it('that is no timespec, or beyond every date, does not break', () => {
    assert.equal(timeoutText(5n, 1_000_000_000n, 0x80), null);
    assert.equal(timeoutText(-1n, 0n, 0x80), null);
    assert.match(timeoutText((1n << 63n) - 1n, 0n, 0x189) ?? '', /^CLOCK_REALTIME /);
  });
});

describe('maps', () => {
  const lines = ['00400000-00401000 r-xp 00000000 08:01 7  /bin/x', '7f0000000000-7f0000002000 rw-s 00001000 00:01 32769  /SYSV00000000 (deleted)', '7f0000002000-7f0000003000 rw-p 00000000 00:00 0', ''];
  it('give the mapping of an address, borders included and gaps excluded', () => {
    assert.equal(findMapping(lines, 0x400000n)?.path, '/bin/x');
    assert.equal(findMapping(lines, 0x401000n), undefined);
    assert.equal(findMapping(lines, 0x7f0000001fffn)?.inode, '32769');
    assert.equal(findMapping(lines, 0x7f0000002000n)?.permissions, 'rw-p');
    assert.equal(findMapping(lines, 0x7f0000003000n), undefined);
    assert.equal(findMapping([''], 1n), undefined);
  });

  it('give the module of an address and how far it is from the module\'s beginning, also for what begins as zeroes', () => {
    const loaded = [
      '555555554000-555555555000 r--p 00000000 08:01 7  /opt/my\\040shop/queue', '555555555000-555555556000 r-xp 00001000 08:01 7  /opt/my\\040shop/queue', '555555558000-555555559000 rw-p 00003000 08:01 7  /opt/my\\040shop/queue',
      '555555559000-55555555a000 rw-p 00000000 00:00 0', '55555555a000-55555557b000 rw-p 00000000 00:00 0  [heap]',
      '7f0000000000-7f0000001000 rw-s 00000000 00:01 5  /dev/shm/x', '7f0000001000-7f0000002000 rw-p 00000000 00:00 0', '7f0000009000-7f000000a000 rw-p 00000000 00:00 0', '7f000000a000-7f000000b000 rw-p 00005000 08:01 9  /data', '',
    ];
    const at = (address: bigint): string | undefined => moduleOffset(loaded, loaded.findIndex(line => { const it = findMapping([line], address); return it !== undefined; }), address);
    assert.equal(at(0x555555558088n), 'queue+0x4088');
    assert.equal(at(0x555555559120n), 'queue+0x5120');
    // The heap, shared memory and what follows it, anonymous memory, a file that is mapped from its middle: no module.
    for (const address of [0x55555555a2a8n, 0x7f0000000010n, 0x7f0000001010n, 0x7f0000009010n, 0x7f000000a010n]) assert.equal(at(address), undefined);
    assert.equal(moduleOffset([], -1, 1n), undefined);
    // Where another process has the same file, and not one of that name or on another device.
    const { first } = modulePlace(loaded, 3, 0x555555559120n) ?? assert.fail();
    assert.equal(first.start, 0x555555554000n);
    const other = loaded.map(line => line.replaceAll('5555555', '6666666'));
    assert.equal(moduleStart(other, first), 0x666666654000n);
    for (const [from, to] of [['08:01 7', '08:01 8'], ['08:01', '08:02'], ['/opt/my', '/srv/opt/my'], ['queue', 'queue (deleted)']] as const) assert.equal(moduleStart(other.map(line => line.replace(from, to)), first), undefined, to);
  });
});

describe('kernel text of any shape', () => {
  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => {
      parseSyscall(text); parseThreadStatus(text); parseLocks(text); parseDescriptorLocks(`lock:${text}`); findMapping(text.split('\n'), 4096n);
    }), { numRuns: 500 });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), bytes => { readPageSize(Buffer.from(bytes)); restartedCall(Buffer.from(bytes)); }));
  });
  it('an auxiliary vector without a page size means 4096', () => { assert.equal(readPageSize(Buffer.alloc(32)), 4096n); });
});
