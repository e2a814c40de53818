// What the readers of blocked system calls decode from memory and fdinfo: arguments as programs leave them, and garbage.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { ringIsIdle } from '../../native-probe/facilities/waits/doubts';
import { decodePollfds, decodeSets } from '../../native-probe/facilities/waits/polling';
import { decodeFlock } from '../../native-probe/facilities/waits/recordLock';
import { blockedOperations, decodeSembufs } from '../../native-probe/facilities/waits/sysvCalls';
import { wantedOf } from '../../native-probe/facilities/waits/wakers';
import { instantText, millisecondsText, secondsText } from '../../native-probe/facilities/waits/words';

const POLLIN = 1, POLLOUT = 4, POLLRDHUP = 0x2000;

describe('the arguments of poll and select', () => {
  it('are descriptors with what is asked of each; negative ones are ignored', () => {
    const bytes = Buffer.alloc(24);
    bytes.writeInt32LE(3, 0); bytes.writeInt16LE(POLLIN, 4);
    bytes.writeInt32LE(-1, 8); bytes.writeInt16LE(POLLIN, 12);
    bytes.writeInt32LE(7, 16); bytes.writeInt16LE(POLLOUT, 20);
    assert.deepEqual(decodePollfds(bytes), [{ fd: 3, wanted: { input: true, output: false, hangup: true } }, { fd: 7, wanted: { input: false, output: true, hangup: true } }]);
    assert.deepEqual(decodePollfds(Buffer.alloc(0)), []);
  });
  it('end with a hangup even when nothing is asked', () => {
    assert.deepEqual(wantedOf(0), { input: false, output: false, hangup: true });
    assert.equal(wantedOf(POLLRDHUP).input, true);
  });
  it('are the bits of three sets, of which any may be missing', () => {
    const reads = Buffer.from([0b1000, 0b1]), writes = Buffer.from([0b1, 0]);
    assert.deepEqual(decodeSets(16, [reads, writes, undefined]).map(({ fd, wanted }) => [fd, wanted.input, wanted.output]), [[0, false, true], [3, true, false], [8, true, false]]);
    assert.deepEqual(decodeSets(3, [reads, undefined, undefined]), [], 'beyond nfds nothing counts');
    assert.deepEqual(decodeSets(16, [undefined, undefined, writes]).map(({ fd, wanted }) => [fd, wanted.input]), [[0, true]]);
  });
});

describe('the operations of semop', () => {
  const operations = (...pairs: [number, number][]) => decodeSembufs(Buffer.concat(pairs.map(([index, change]) => {
    const bytes = Buffer.alloc(6);
    bytes.writeUInt16LE(index, 0); bytes.writeInt16LE(change, 2);
    return bytes;
  })));
  it('block where the value does not suffice, or is not 0', () => {
    assert.deepEqual(blockedOperations(operations([0, -1], [1, -2], [2, 0]), [0, 1, 3]).map(({ index }) => index), [0, 1, 2]);
    assert.deepEqual(blockedOperations(operations([0, -1], [1, 0]), [1, 0]), []);
  });
  it('are played in their order', () => {
    assert.deepEqual(blockedOperations(operations([0, 2], [0, -2]), [0]), []);
    assert.deepEqual(blockedOperations(operations([0, -2], [0, 2]), [0]).length, 1);
    assert.deepEqual(blockedOperations(operations([0, -1], [0, -1]), [1]).length, 1);
  });
  it('on a semaphore that is not there do not block', () => { assert.deepEqual(blockedOperations(operations([9, -1]), [0]), []); });
});

describe('struct flock', () => {
  const flock = (type: number, whence: number, start: bigint, length: bigint): Buffer => {
    const bytes = Buffer.alloc(32);
    bytes.writeInt16LE(type, 0); bytes.writeInt16LE(whence, 2); bytes.writeBigInt64LE(start, 8); bytes.writeBigInt64LE(length, 16);
    return bytes;
  };
  it('is a range, inclusive, to the end of the file when its length is 0', () => {
    assert.deepEqual(decodeFlock(flock(1, 0, 5n, 10n)), { type: 'write', range: { start: '5', end: '14' } });
    assert.deepEqual(decodeFlock(flock(0, 0, 5n, 0n)), { type: 'read', range: { start: '5', end: 'EOF' } });
    assert.deepEqual(decodeFlock(flock(1, 0, 10n, -4n)), { type: 'write', range: { start: '6', end: '9' } });
  });
  it('from the offset or the end of the file is a range that only the kernel knows', () => { assert.deepEqual(decodeFlock(flock(1, 1, 5n, 10n)), { type: 'write' }); });
  it('that unlocks asks for nothing', () => { assert.equal(decodeFlock(flock(2, 0, 0n, 0n)), undefined); });
});

describe('an io_uring', () => {
  const idle = 'pos:\t0\nflags:\t02000002\nSqMask:\t0x7\nSqHead:\t2\nSqTail:\t2\nCachedSqHead:\t2\nCqMask:\t0xf\nCqHead:\t2\nCqTail:\t2\nCachedCqTail:\t2\nSQEs:\t0\nCQEs:\t0\nUserFiles:\t0\nUserBufs:\t0\nPollList:\nCqOverflowList:\n';
  it('without files and requests is idle', () => { assert(ringIsIdle(idle)); });
  it('with registered files, requests or polls is not', () => {
    for (const [from, to] of [['UserFiles:\t0', 'UserFiles:\t1'], ['CachedCqTail:\t2', 'CachedCqTail:\t1'], ['SqTail:\t2', 'SqTail:\t3'], ['PollList:\n', 'PollList:\n  op=6, task_works=0\n']] as const) assert(!ringIsIdle(idle.replace(from, to)), to);
  });
  it('that tells nothing is not', () => { assert(!ringIsIdle('')); });
});

describe('limits', () => {
  it('are decimal seconds or points in time', () => {
    assert.equal(secondsText(3600n, 500_000_000n), '3600.5');
    assert.equal(secondsText(1n, 1_000_000_000n), undefined);
    assert.equal(instantText(0, 1_700_000_000n, 0n), '2023-11-14T22:13:20.000Z');
    assert.equal(instantText(1, 10n, 0n), 'CLOCK_MONOTONIC 10 s');
    assert.equal(instantText(0, (1n << 62n), 0n), 'CLOCK_REALTIME 4611686018427387904 s');
    assert.equal(millisecondsText(-1), undefined);
    assert.equal(millisecondsText(1500), '1.5 s');
  });
});

describe('memory of any shape', () => {
  it('never throws', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(2000), fc.array(fc.nat(32767), { maxLength: 8 }), (bytes, count, values) => {
      const buffer = Buffer.from(bytes);
      for (const { fd } of decodePollfds(buffer)) assert(fd >= 0);
      decodeSets(count, [buffer, undefined, buffer]);
      decodeFlock(buffer);
      ringIsIdle(buffer.toString('latin1'));
      assert(blockedOperations(decodeSembufs(buffer), values).every(({ index }) => index < values.length));
    }), { numRuns: 1000 });
    fc.assert(fc.property(fc.bigInt(-(1n << 63n), (1n << 63n) - 1n), fc.bigInt(-(1n << 63n), (1n << 63n) - 1n), fc.nat(20), (seconds, nanoseconds, clock) => { instantText(clock, seconds, nanoseconds); }));
  });
});
