// What is called left behind, from snapshots before and after, and what was learnt of the run in between.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { findLeaks } from '../../native-probe/analysis/leaks';
import type { Leak, Run } from '../../native-probe/analysis/leaks';
import type { IpcObject, Snapshot } from '../../native-probe/model';
import { decodeCreations } from '../../native-probe/kernel/creationEvents';
import { decodeProcessEvents } from '../../native-probe/kernel/processEvents';
import { aProcess, aQueue, aSegment, aSemaphore, aSnapshot } from './snapshots';

const began = Date.parse('2026-01-01T00:00:00.000Z');
const later = '2026-01-01T00:00:05.000Z';
const run = (parts: Partial<Run> = {}): Run => ({
  startedAt: began, endedAt: began + 10_000, processes: [{ pid: 500, from: began + 100, until: began + 9_000, comm: 'worker', uid: 1000 }], complete: true, uids: new Set([1000]),
  seen: [], creations: [], names: [], ...parts,
});
const made = (cpid: number, more: Parameters<typeof aSegment>[1] = {}, state: Parameters<typeof aSegment>[2] = {}): IpcObject => aSegment(9, { creatorPid: cpid, changedAt: later, ...more }, { cpid, lpid: 0, ctime: later, ...state });
const after = (...objects: IpcObject[]): Snapshot => aSnapshot({ objects, processes: [aProcess(1)] });
const told = (leaks: readonly Leak[]): string[] => leaks.map(({ what, certainty }) => `${certainty} ${what}`);

describe('what a run leaves behind', () => {
  it('is a segment whose creator the kernel names, and nothing else that was made meanwhile', () => {
    assert.deepEqual(told(findLeaks(aSnapshot(), after(made(500)), run())), ['certain left-behind']);
    assert.match(findLeaks(aSnapshot(), after(made(500)), run())[0]?.evidence[0] ?? '', /pid 500 \(worker\) of the run made it/);
    assert.deepEqual(findLeaks(aSnapshot(), after(made(501)), run()), []);
    assert.deepEqual(findLeaks(aSnapshot({ objects: [made(77, {}, { ctime: '2025-01-01T00:00:00.000Z' })] }), after(made(77, {}, { ctime: '2025-01-01T00:00:00.000Z' })), run()), []);
  });

  it('is not told of one that had the PID before the run', () => {
    const early = run({ complete: false, processes: [{ pid: 500, from: Date.parse(later) + 60_000 }] });
    assert.deepEqual(told(findLeaks(aSnapshot(), after(made(500)), early)), ['possible left-behind']);
  });

  it('is only possible where it is not known who belongs to the run, and nothing where the maker lives outside of it', () => {
    assert.deepEqual(told(findLeaks(aSnapshot(), after(made(501)), run({ complete: false }))), ['possible left-behind']);
    assert.deepEqual(findLeaks(aSnapshot(), aSnapshot({ objects: [made(501)], processes: [aProcess(501)] }), run({ complete: false })), []);
    assert.deepEqual(findLeaks(aSnapshot(), after(made(501, { owner: { uid: 33, gid: 33, mode: '0600' } })), run({ complete: false })), []);
  });

  it('is nothing that anybody uses now', () => {
    assert.deepEqual(findLeaks(aSnapshot(), after(made(500, {}, { nattch: 1 })), run()), []);
    assert.deepEqual(findLeaks(aSnapshot(), after(made(500, {}, { dest: true })), run()), []);
    const semaphore = aSemaphore('/x');
    const seen = [{ objectId: semaphore.id, pid: 500, via: 'mapping' as const }];
    assert.deepEqual(told(findLeaks(aSnapshot(), after(semaphore), run({ seen }))), ['certain left-behind']);
    assert.deepEqual(findLeaks(aSnapshot(), aSnapshot({ objects: [semaphore], processes: [aProcess(7)], handles: [{ objectId: semaphore.id, pid: 7, via: 'mapping' }] }), run({ seen })), []);
    // A zombie has nothing, and the probe does not count.
    assert.equal(findLeaks(aSnapshot(), aSnapshot({ objects: [semaphore], processes: [aProcess(7, { state: 'Z' })], handles: [{ objectId: semaphore.id, pid: 7, via: 'mapping' }] }), run({ seen })).length, 1);
    assert.equal(findLeaks(aSnapshot(), aSnapshot({ objects: [semaphore], handles: [{ objectId: semaphore.id, pid: 99999, via: 'descriptor' }] }), run({ seen })).length, 1);
  });

  it('is not what somebody else made and the run only used', () => {
    const semaphore = aSemaphore('/x');
    const seen = [{ objectId: semaphore.id, pid: 500, via: 'mapping' as const }];
    assert.deepEqual(findLeaks(aSnapshot(), after(semaphore), run({ seen, creations: [{ objectId: semaphore.id, pid: 42 }] })), []);
    assert.deepEqual(findLeaks(aSnapshot({ objects: [semaphore] }), after(semaphore), run({ seen })), []);
    assert.deepEqual(told(findLeaks(aSnapshot(), after(semaphore), run({ creations: [{ objectId: semaphore.id, pid: 500 }] }))), ['certain left-behind']);
  });

  it('is possible for a queue that nobody has used, certain when the run sent to it, and none when others did', () => {
    const queue = (lspid: number): IpcObject => ({ ...aQueue(3, '1'), owner: { uid: 1000, gid: 1000, mode: '0600' }, state: { qnum: '1', cbytes: '8', qbytes: '16384', lspid, lrpid: 0, stime: later, ctime: later } } as IpcObject);
    assert.deepEqual(told(findLeaks(aSnapshot(), after(queue(0)), run())), ['possible left-behind']);
    assert.deepEqual(told(findLeaks(aSnapshot(), after(queue(500)), run())), ['certain left-behind']);
    assert.deepEqual(findLeaks(aSnapshot(), after(queue(42)), run()), []);
  });

  it('is also what a queue holds more than before, when the run sent it and nobody is there', () => {
    const queue = (qnum: string, lspid: number): IpcObject => ({ ...aQueue(3, qnum), state: { qnum, cbytes: '8', qbytes: '16384', lspid, lrpid: 0, stime: later, ctime: '2025-01-01T00:00:00.000Z' } } as IpcObject);
    const [grew] = findLeaks(aSnapshot({ objects: [queue('3', 42)] }), after(queue('4', 500)), run());
    assert.equal(grew?.what, 'grew');
    assert.match(grew.evidence.join('\n'), /messages: 3 before, 4 now/);
    assert.deepEqual(findLeaks(aSnapshot({ objects: [queue('3', 42)] }), after(queue('4', 42)), run()), []);
    assert.deepEqual(findLeaks(aSnapshot({ objects: [queue('4', 42)] }), after(queue('3', 500)), run()), []);
    const reader = aSnapshot({ objects: [queue('4', 500)], processes: [aProcess(8)], handles: [{ objectId: queue('4', 500).id, pid: 8, via: 'last-operation', operation: 'msgrcv' }] });
    assert.deepEqual(findLeaks(aSnapshot({ objects: [queue('3', 42)] }), reader, run()), []);
  });

  it('is never an object that was there before unchanged, whatever the run did, and never of a run without processes for certain', () => {
    const object = fc.record({ shmid: fc.nat(20), cpid: fc.nat(600), nattch: fc.nat(1), dest: fc.boolean() }).map(({ shmid, cpid, nattch, dest }) => aSegment(shmid, { creatorPid: cpid }, { cpid, nattch, dest, ctime: '2025-06-01T00:00:00.000Z' }));
    fc.assert(fc.property(fc.uniqueArray(object, { selector: it => it.id }), fc.array(fc.nat(600)), fc.boolean(), (objects, pids, complete) => {
      const processes = pids.map(pid => ({ pid, from: began }));
      assert.deepEqual(findLeaks(aSnapshot({ objects }), aSnapshot({ objects }), run({ processes, complete })), []);
      for (const leak of findLeaks(aSnapshot(), aSnapshot({ objects }), run({ processes: [], complete }))) assert.equal(leak.certainty, 'possible');
      for (const { objectId } of findLeaks(aSnapshot(), aSnapshot({ objects }), run({ processes, complete }))) {
        const leaked = objects.find(({ id }) => id === objectId);
        assert.ok(leaked && leaked.state.nattch === 0 && !leaked.state.dest);
      }
    }));
  });
});

describe('events of the kernel', () => {
  it('of processes: forks and exits, and not those of threads', () => {
    // Captured: fork of 23511 by 23461 (Linux 6.18), with the headers of netlink and the connector.
    const event = (hex: string): Buffer => {
      const payload = Buffer.from(hex, 'hex');
      const message = Buffer.alloc(36 + payload.length);
      message.writeUInt32LE(message.length, 0);
      message.writeUInt32LE(1, 16);
      message.writeUInt32LE(1, 20);
      payload.copy(message, 36);
      return message;
    };
    assert.deepEqual(decodeProcessEvents(event('010000000000000031f82084030b0000a55b0000a55b0000d75b0000d75b000000000000')).events, [{ what: 'fork', pid: 0x5bd7, parent: 0x5ba5, at: 12109729.56 }]);
    assert.deepEqual(decodeProcessEvents(event('010000000000000031f82084030b0000a55b0000a55b0000d85b0000a55b000000000000')).events, [], 'a thread');
    assert.deepEqual(decodeProcessEvents(event('0000008000000000b1294284030b0000d85b0000d85b00000000000000000000')).events.map(({ what, pid }) => [what, pid]), [['exit', 0x5bd8]]);
    assert.equal(decodeProcessEvents(event('000000000000000008282084030b000001000000000000000000000000000000')).refused, 'EPERM');
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), bytes => { decodeProcessEvents(Buffer.from(bytes)); }));
  });

  it('of names: the name and who made it', () => {
    const captured = Buffer.from('40000000030018000003000000000000ffffffffa55b000002002800c50c41d112335f040c00000001000000f5bd9cb501000000000000006578702d78000000', 'hex');
    assert.deepEqual(decodeCreations(captured), { events: [{ name: Buffer.from('exp-x'), pid: 0x5ba5 }], lost: false });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), bytes => { decodeCreations(Buffer.from(bytes)); }));
    for (let length = 0; length < captured.length; length++) decodeCreations(captured.subarray(0, length));
  });
});
