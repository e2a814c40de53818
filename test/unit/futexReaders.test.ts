// The decoders of what the C libraries build on futexes: on words captured from live programs (glibc 2.36, musl 1.2.3, x86_64), on
// what is off by one thing, and on garbage. And the index of shared address spaces, with a kernel that is played.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { AddressSpaces } from '../../native-probe/facilities/waits/addressSpaceIndex';
import { is32Bit } from '../../native-probe/facilities/waits/compat';
import { parseFutexVector } from '../../native-probe/facilities/waits/futexVector';
import type { FutexCall } from '../../native-probe/kernel/futexLayouts';
import { decodeHeldRobust } from '../../native-probe/kernel/futexLayouts';
import type { Around } from '../../native-probe/kernel/glibcSync';
import { decodeBarrier, decodeConditionVariable, decodeFileLock, decodeRwlock, decodeSemaphore, isOnce, isStaticGuard, isSyscallFunction } from '../../native-probe/kernel/glibcSync';
import { parseSyscall } from '../../native-probe/kernel/threads';
import { decodeMuslJoin, decodeMuslMutex, decodeMuslSemaphore } from '../../native-probe/kernel/muslSync';

/** Memory of 32-bit words in which the word waited on has index `at`. Beyond its ends there is none. */
function memory(at: number, ...words: number[]): Around {
  const all = Buffer.alloc(words.length * 4);
  words.forEach((word, index) => all.writeUInt32LE(word >>> 0, index * 4));
  return { bytes: (before, after) => at * 4 < before || at * 4 + after > all.length ? undefined : all.subarray(at * 4 - before, at * 4 + after) };
}
const bitset = (value: number, more: Partial<FutexCall> = {}): FutexCall => ({ operation: 0x189, value, timed: false, ...more });
const simple = (value: number, more: Partial<FutexCall> = {}): FutexCall => ({ operation: 0x80, value, timed: false, ...more });
const shared = { operation: 0x109 };

describe('glibc\'s semaphore', () => {
  it('has value 0, waiters, and how it is shared', () => {
    assert.deepEqual(decodeSemaphore(memory(0, 0, 1, 0, 0), bitset(0), 64n), { waiters: 1, shared: false });
    assert.deepEqual(decodeSemaphore(memory(0, 0, 3, 128, 0), bitset(0, shared), 64n), { waiters: 3, shared: true });
  });
  it('is none when anything is off', () => {
    assert.equal(decodeSemaphore(memory(0, 1, 1, 0), bitset(0), 64n), undefined, 'posted');
    assert.equal(decodeSemaphore(memory(0, 0, 0, 0), bitset(0), 64n), undefined, 'nobody waits');
    assert.equal(decodeSemaphore(memory(0, 0, 1, 128), bitset(0), 64n), undefined, 'shared, but waited on privately');
    assert.equal(decodeSemaphore(memory(0, 0, 1, 0), bitset(0), 68n), undefined, 'not on 8 bytes');
    assert.equal(decodeSemaphore(memory(0, 0, 1, 0), simple(0), 64n), undefined, 'another call');
    assert.equal(decodeSemaphore(memory(0, 0, 1), bitset(0), 64n), undefined, 'the memory ends');
  });
});

describe('glibc\'s condition variable', () => {
  const old = [2, 0, 0, 0, 2, 0, 0, 0, 0, 8, 0, 0];
  it('in the layout until 2.40, either group', () => {
    assert.deepEqual(decodeConditionVariable(memory(10, ...old), bitset(0)), { offset: 40, other: 44, waiters: 1, shared: false, monotonic: false });
    assert.deepEqual(decodeConditionVariable(memory(11, ...old), bitset(0)), { offset: 44, other: 40, waiters: 1, shared: false, monotonic: false });
    assert.equal(decodeConditionVariable(memory(10, ...old.with(9, 10)), bitset(0, { operation: 0x89, timed: true }))?.monotonic, true);
    assert.equal(decodeConditionVariable(memory(10, ...old.with(9, 9)), bitset(0, shared))?.shared, true);
  });
  it('in the layout since then, whose signals need not be 0', () => {
    // wseq, g1_start, sizes, original size, wrefs, signals, two unused.
    const newer = [9, 0, 4, 0, 0, 0, 0, 16, 4, 0, 0, 0];
    assert.deepEqual(decodeConditionVariable(memory(8, ...newer), bitset(4)), { offset: 32, other: 36, waiters: 2, shared: false, monotonic: false });
    assert.equal(decodeConditionVariable(memory(8, ...newer.with(10, 1)), bitset(4)), undefined, 'what is never used is 0');
  });
  it('is none when anything is off', () => {
    const off: [string, number[]][] = [
      ['nobody waits', old.with(9, 0)], ['it is being destroyed', old.with(9, 12)], ['shared, but waited on privately', old.with(9, 9)], ['references to nobody', old.with(4, 0)],
      ['more references than waiters', old.with(5, 2)], ['fewer came than wait', old.with(0, 0)], ['its inner lock is held', old.with(8, 1)], ['the first group begins in the future', old.with(2, 8)], ['a pointer for a size', old.with(6, 0x7f66f000)],
    ];
    for (const [why, words] of off) assert.equal(decodeConditionVariable(memory(10, ...words), bitset(0)), undefined, why);
    assert.equal(decodeConditionVariable(memory(10, ...old), simple(0)), undefined, 'another call');
    assert.equal(decodeConditionVariable(memory(10, ...old.slice(0, 11)), bitset(0)), undefined, 'the memory ends');
  });
});

describe('glibc\'s read-write lock', () => {
  const held = [11, 0, 3, 3, 0, 0, 30379, 0, 0, 0, 0, 0, 0, 0];
  it('held for writing names its writer to readers and writers', () => {
    assert.deepEqual(decodeRwlock(memory(2, ...held), bitset(3)), { offset: 8, wants: 'read', writer: 30379, readers: 0, shared: false });
    assert.deepEqual(decodeRwlock(memory(3, ...held), bitset(3)), { offset: 12, wants: 'write', writer: 30379, readers: 0, shared: false });
  });
  it('held for reading counts its readers', () => {
    const reading = [10, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    assert.deepEqual(decodeRwlock(memory(2, ...reading), bitset(2)), { offset: 8, wants: 'write', writer: 0, readers: 1, shared: false });
    const preferred = [14, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0];
    assert.deepEqual(decodeRwlock(memory(0, ...preferred), bitset(14)), { offset: 0, wants: 'read', writer: 0, readers: 1, shared: false });
  });
  it('is none when anything is off', () => {
    for (const [why, words] of [['padding', held.with(4, 1)], ['flags', held.with(12, 3)], ['not locked for writing', held.with(0, 9)], ['shared', held.with(7, 1)], ['a writer beyond every TID', held.with(6, 0x400000)], ['a futex beyond its bits', held.with(2, 4)]] as const) {
      assert.equal(decodeRwlock(memory(2, ...words), bitset(words[2] ?? 0)), undefined, why);
    }
    assert.equal(decodeRwlock(memory(2, ...held), bitset(2)), undefined, 'another value waited on');
    assert.equal(decodeRwlock(memory(2, ...held.slice(0, 13)), bitset(3)), undefined, 'the memory ends');
  });
});

describe('glibc\'s barrier', () => {
  it('counts who has arrived in this round', () => {
    assert.deepEqual(decodeBarrier(memory(1, 1, 0, 3, 0, 0), simple(0)), { count: 3, waiting: 1, shared: false });
    assert.deepEqual(decodeBarrier(memory(1, 8, 6, 3, 128, 6), simple(6, { operation: 0 })), { count: 3, waiting: 2, shared: true });
  });
  it('is none when anything is off', () => {
    for (const [why, words, value] of [['complete', [3, 0, 3, 0, 0], 0], ['nobody came', [6, 6, 3, 0, 6], 6], ['a round in between', [5, 4, 3, 0, 3], 4], ['more left than came', [1, 0, 3, 0, 1], 0], ['one party', [1, 0, 1, 0, 0], 0], ['shared', [1, 0, 3, 128, 0], 0]] as const) {
      assert.equal(decodeBarrier(memory(1, ...words), simple(value)), undefined, why);
    }
  });
});

describe('words of glibc without a structure', () => {
  it('pthread_once counts forks above its state', () => { assert.deepEqual([1, 5, 2, 0, 3].map(value => isOnce(simple(value))), [true, true, false, false, false]); });
  it('the guard of a static variable is waited on by the shared operation', () => { assert.deepEqual([isStaticGuard(simple(0x10100, { operation: 0 })), isStaticGuard(simple(0x10100)), isStaticGuard(simple(0x100, { operation: 0 }))], [true, false, false]); });
  it('a FILE\'s lock names its owner by a descriptor\'s address', () => {
    assert.equal(decodeFileLock(memory(0, 2, 1, 0x2ee33740, 0x7f73), simple(2)), 0x7f732ee33740n);
    assert.equal(decodeFileLock(memory(0, 2, 0, 0x2ee33740, 0x7f73), simple(2)), undefined, 'taken no time');
    assert.equal(decodeFileLock(memory(0, 2, 1, 815, 0), simple(2)), undefined, 'a TID is no address of a descriptor');
  });
  it('the function syscall(2) is known by its end', () => { assert.deepEqual([isSyscallFunction(Buffer.from('4c8b4c24080f05', 'hex')), isSyscallFunction(Buffer.from('b8ca0000000f05', 'hex'))], [true, false]); });
  it('a robust mutex of a thread\'s list names that thread', () => {
    const robust = (kind: number, owner: number): Buffer => { const bytes = Buffer.alloc(20); bytes.writeUInt32LE(815, 0); bytes.writeInt32LE(owner, 8); bytes.writeUInt32LE(kind, 16); return bytes; };
    assert.deepEqual(decodeHeldRobust(robust(0x91, 815)), { type: 'recursive', owner: 815, pi: false });
    assert.equal(decodeHeldRobust(robust(0x80, 815)), undefined, 'not robust');
    assert.equal(decodeHeldRobust(robust(0x90, 816)), undefined, 'changing hands');
  });
});

describe('musl\'s locks', () => {
  it('a normal mutex keeps no owner, the others do', () => {
    assert.deepEqual(decodeMuslMutex(memory(1, 0, 0x80000010, 1), simple(0x80000010)), { type: 'normal', robust: false, shared: false, owner: null, waiters: 1 });
    assert.deepEqual(decodeMuslMutex(memory(1, 1, 0x8000032f, 2), simple(0x8000032f)), { type: 'recursive', robust: false, shared: false, owner: 815, waiters: 2 });
    assert.equal(decodeMuslMutex(memory(1, 4, 0x8000032f, 1), simple(0x8000032f))?.owner, 815);
    assert.equal(decodeMuslMutex(memory(1, 128, 0x80000010, 1), simple(0x80000010)), undefined, 'shared, but waited on privately');
    assert.equal(decodeMuslMutex(memory(1, 0, 0x8000032f, 1), simple(0x8000032f)), undefined, 'a normal one with an owner');
  });
  it('a semaphore is no read-write lock, which looks alike but for its third word', () => {
    assert.deepEqual(decodeMuslSemaphore(memory(0, 0xffffffff, 1, 128), simple(0xffffffff)), { waiters: 1, shared: false });
    assert.deepEqual(decodeMuslSemaphore(memory(0, 0x80000000, 1, 128), simple(0x80000000)), { waiters: 1, shared: false });
    assert.equal(decodeMuslSemaphore(memory(0, 0xffffffff, 1, 0), simple(0xffffffff)), undefined);
  });
  it('a thread\'s descriptor begins with its own address', () => {
    const at = 0x7f46a7ceaa40n, own = at - 56n;
    const words = [Number(own & 0xffffffffn), Number(own >> 32n), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 30501, 0, 2];
    assert.equal(decodeMuslJoin(memory(14, ...words), simple(2), at), 30501);
    assert.equal(decodeMuslJoin(memory(14, ...words), simple(2), at + 4n), undefined);
  });
});

describe('a thread of a 32-bit process', () => {
  it('has its stack and its code where only such a process has them', () => {
    const says = (line: string): boolean | undefined => { const call = parseSyscall(line); return call && is32Bit(call); };
    assert.equal(says('240 0x804b000 0x80 0x0 0x0 0x0 0xffa8f520 0xffa8f508 0x8049019'), true);
    assert.equal(says('202 0x410244 0x80 0xffffffff80000010 0x0 0x0 0x0 0x7f7d639fbbe8 0x407ae9'), false, 'static, 64-bit: low code, high stack');
    assert.equal(says('-1 0xffa8f508 0x8049019'), true);
    assert.equal(says('-1 0x0 0x0'), false, 'a kernel thread');
  });
});

describe('whatever the bytes are', () => {
  it('no decoder throws, and none sees more waiters than there can be threads', () => {
    const around = (bytes: Uint8Array, at: number): Around => ({ bytes: (before, after) => at < before || at + after > bytes.length ? undefined : Buffer.from(bytes).subarray(at - before, at + after) });
    fc.assert(fc.property(fc.uint8Array({ minLength: 0, maxLength: 160 }), fc.nat(160), fc.constantFrom(0x189, 0x109, 0x89, 0x80, 0, 9), fc.boolean(), (bytes, at, operation, timed) => {
      const value = at + 4 <= bytes.length ? Buffer.from(bytes).readUInt32LE(at) : 0;
      const call = { operation, value, timed };
      const here = around(bytes, at);
      const counts = [decodeSemaphore(here, call, 64n)?.waiters, decodeConditionVariable(here, call)?.waiters, decodeBarrier(here, call)?.waiting, decodeMuslMutex(here, call)?.waiters, decodeMuslSemaphore(here, call)?.waiters, decodeRwlock(here, call)?.readers];
      for (const count of counts) assert(count === undefined || (count >= 0 && count <= 0x400000));
      decodeFileLock(here, call); decodeMuslJoin(here, call, BigInt(at)); decodeHeldRobust(Buffer.from(bytes)); parseFutexVector(Buffer.from(bytes));
    }), { numRuns: 5000 });
  });
});

describe('processes by address space', () => {
  /** A kernel in which process p has the address space `spaces[p]`; a negative one is gone, 999 may not be compared. */
  const kernel = (spaces: readonly number[]) => (a: number, b: number): -1 | 0 | 1 | string => {
    const [left = -1, right = -1] = [spaces[a], spaces[b]];
    if (left < 0 || right < 0) return 'ESRCH';
    if (left === 999 || right === 999) return 'EPERM';
    return left === right ? 0 : left < right ? -1 : 1;
  };
  it('finds exactly those that share one, with few comparisons', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: -1, max: 12 }), { maxLength: 40 }), fc.array(fc.nat(2), { maxLength: 40 }), (spaces, programs) => {
      let calls = 0;
      const compare = kernel(spaces);
      const index = new AddressSpaces(spaces.map((_, pid) => ({ pid, cmdline: [`program ${programs[pid] ?? 0}`] })), (a, b) => { calls++; return compare(a, b); });
      spaces.forEach((space, pid) => {
        if (space < 0) return;
        const expected = spaces.flatMap((other, each) => each !== pid && other === space && (programs[each] ?? 0) === (programs[pid] ?? 0) ? [each] : []);
        assert.deepEqual([...index.sharersOf(pid).sharers].sort((a, b) => a - b), expected);
      });
      assert(calls <= spaces.length * 12);
    }));
  });
  it('says who could not be compared', () => {
    const index = new AddressSpaces([0, 1, 2].map(pid => ({ pid, cmdline: ['x'] })), kernel([1, 999, 1]));
    assert.deepEqual(index.sharersOf(0), { sharers: [2], denied: [1] });
    assert.deepEqual(new AddressSpaces([{ pid: 0, cmdline: null }], kernel([1])).sharersOf(0), { sharers: [], denied: [] });
  });
});
