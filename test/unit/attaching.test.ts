// Attach Debugger to…: whom from which node, with which debugger, and what is said before it starts.
import { strict as assert } from 'node:assert';
import { closeSync, openSync, readSync } from 'node:fs';
import type { Handle, InetSocket, Process, Wait } from '../../native-probe/model';
import { attachOffers, attachWarnings, debugTypesOf, inspectorOfAnother, otherTracer } from '../../extension/attaching/attachOffers';
import { attachTargets } from '../../extension/attaching/attachTargets';
import { hasGoNote, runtimeOf } from '../../extension/attaching/executables';
import { indexOf } from '../../extension/snapshotIndex';
import { aProcess, aQueue, aSegment, aSnapshot, attached } from './snapshots';

/** The beginning of an ELF file with one note. */
function elf({ owner = 'Go\0', type = 4, wide = true, little = true } = {}): Uint8Array {
  const bytes = new Uint8Array(512);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x7f454c46);
  bytes[4] = wide ? 2 : 1;
  bytes[5] = little ? 1 : 2;
  const [table, size, note] = [wide ? 64 : 52, wide ? 56 : 32, 256];
  const word = (at: number, value: number): void => { if (wide) view.setBigUint64(at, BigInt(value), little); else view.setUint32(at, value, little); };
  word(wide ? 32 : 28, table);
  view.setUint16(wide ? 54 : 42, size, little);
  view.setUint16(wide ? 56 : 44, 2, little);
  view.setUint32(table, 6, little); // PT_PHDR
  view.setUint32(table + size, 4, little); // PT_NOTE
  word(table + size + (wide ? 8 : 4), note);
  word(table + size + (wide ? 32 : 16), 64);
  // Another note stands before it, as GNU's build id may.
  view.setUint32(note, 4, little);
  view.setUint32(note + 4, 5, little);
  view.setUint32(note + 8, 3, little);
  bytes.set(new TextEncoder().encode('GNU\0'), note + 12);
  const next = note + 24;
  view.setUint32(next, owner.length + (owner.endsWith('\0') ? 1 : 0), little);
  view.setUint32(next + 4, 4, little);
  view.setUint32(next + 8, type, little);
  bytes.set(new TextEncoder().encode(owner), next + 12);
  return bytes;
}

describe('the run-time of a process', () => {
  const of = (exe: string | null, head?: Uint8Array): string => runtimeOf({ exe, cmdline: [], comm: 'x' }, head);

  it('is told by the executable, not by what looks like it', () => {
    assert.equal(of('/usr/bin/node'), 'node');
    assert.equal(of('/usr/bin/python3.11'), 'python');
    assert.equal(of('/opt/pypy/bin/pypy3'), 'python');
    assert.equal(of('/usr/lib/jvm/java-17/bin/java'), 'java');
    for (const other of ['/usr/bin/nodeish', '/usr/bin/javac', '/opt/python-server', '/']) assert.equal(of(other), 'native', other);
  });

  it('is taken from the command where the executable cannot be read', () => {
    assert.equal(runtimeOf({ exe: null, cmdline: ['/usr/bin/python3', 'a.py'], comm: 'x' }), 'python');
    assert.equal(runtimeOf({ exe: null, cmdline: null, comm: 'node' }), 'node');
  });

  it('is Go where the build id of Go stands in a note, in every byte order and width', () => {
    for (const wide of [true, false]) for (const little of [true, false]) assert.equal(of('/opt/server', elf({ wide, little })), 'go', `${wide} ${little}`);
    assert.equal(of('/opt/server', elf({ type: 3 })), 'native');
    assert.equal(of('/opt/server', elf({ owner: 'Gopher\0' })), 'native');
  });

  it('is not Go for this very Node, nor for bytes of any shape', () => {
    const head = new Uint8Array(16_384);
    const file = openSync(process.execPath, 'r');
    readSync(file, head, 0, head.length, 0);
    closeSync(file);
    assert.equal(hasGoNote(head), false);
    const whole = elf();
    for (let length = 0; length < whole.length; length += 7) assert.doesNotThrow(() => hasGoNote(whole.subarray(0, length)));
    for (let at = 0; at < 400; at++) {
      const broken = whole.slice();
      broken.fill(0xff, at, at + 8);
      assert.doesNotThrow(() => hasGoNote(broken));
    }
  });
});

describe('debuggers to attach', () => {
  const types = new Set(['node', 'debugpy', 'lldb-dap', 'cppdbg', 'python', 'go', 'java']);
  const offered = (exe: string | null, installed = types, head?: Uint8Array): string[] => {
    const process = aProcess(7, { exe, cmdline: [] });
    return attachOffers(process, runtimeOf(process, head), installed).map(it => it.type);
  };

  it('are those for the run-time first, and only those that are installed', () => {
    assert.deepEqual(offered('/usr/bin/node'), ['node', 'lldb-dap', 'cppdbg']);
    assert.deepEqual(offered('/usr/bin/python3.11'), ['debugpy', 'lldb-dap', 'cppdbg']);
    assert.deepEqual(offered('/usr/bin/java'), ['java', 'lldb-dap', 'cppdbg']);
    assert.deepEqual(offered('/opt/app/server'), ['lldb-dap', 'cppdbg']);
    assert.deepEqual(offered('/opt/app/server', types, elf()), ['go', 'lldb-dap', 'cppdbg']);
    assert.deepEqual(offered('/opt/app/server', new Set(['node'])), []);
    assert.deepEqual(offered('/usr/bin/nodeish'), ['lldb-dap', 'cppdbg']);
  });

  it('are told the process as their documentation has it, with a name that is one harmless line', () => {
    assert.deepEqual(attachOffers(aProcess(7, { comm: 'app', exe: '/opt/app' }), 'native', types).map(it => it.configuration), [
      { type: 'lldb-dap', request: 'attach', name: 'app [7]', pid: 7 },
      { type: 'cppdbg', request: 'attach', name: 'app [7]', processId: '7', program: '/opt/app', MIMode: 'gdb' },
    ]);
    assert.doesNotMatch(attachOffers(aProcess(7, { comm: 'a\n\u202eb' }), 'native', types)[0]?.configuration.name ?? '', /[\n\u202e]/u);
  });

  it('do not take another Node.js program for the one that was asked for', () => {
    const listener: InetSocket = { id: 'inet-socket:1', kind: 'inet-socket', namespace: '1', persistence: 'process', state: { protocol: 'tcp', state: 'listen', local: { address: '127.0.0.1', port: 9229 }, rqueue: '0', wqueue: '0' } };
    const taken = indexOf(aSnapshot({ objects: [listener], handles: [{ objectId: listener.id, pid: 5, via: 'descriptor', fd: 3, access: 'read-write' }] }));
    assert.equal(inspectorOfAnother(7, taken), 5);
    assert.equal(inspectorOfAnother(5, taken), undefined);
    assert.equal(inspectorOfAnother(7, indexOf(aSnapshot())), undefined);
  });

  it('need no readable executable, unless their configuration names it', () => {
    assert.deepEqual(offered(null), ['lldb-dap']);
  });

  it('are found in manifests of any shape', () => {
    assert.deepEqual(debugTypesOf({ contributes: { debuggers: [{ type: 'go' }, { type: 1 }, null, 'x'] } }), ['go']);
    for (const manifest of [undefined, null, 1, {}, { contributes: null }, { contributes: { debuggers: {} } }]) assert.deepEqual(debugTypesOf(manifest), []);
  });
});

describe('what is said before a debugger attaches', () => {
  const waits = (operation: string, tid = 7): Wait => ({ pid: 7, tid, threadComm: 'x', operation, verdict: 'waiting', evidence: [], clauses: [] });
  const warned = (process: Process, all: readonly Wait[], type = 'lldb-dap', uid = 1000): string => {
    const runtime = type === 'node' ? 'node' : type === 'debugpy' ? 'python' : 'native';
    const offer = attachOffers(process, runtime, new Set([type]))[0] ?? assert.fail();
    return attachWarnings(offer, process, indexOf(aSnapshot({ processes: [process], waits: all })), uid).join('\n');
  };

  it('names the calls that attaching interrupts, where threads are in them', () => {
    assert.match(warned(aProcess(7), [waits('semop'), waits('epoll_wait', 8), waits('read', 9)]), /2 of its threads are in semop, epoll_wait, which then return with EINTR/);
    assert.match(warned(aProcess(7), [waits('pthread_mutex_lock')]), /stops the process.*\n.*epoll_wait and semop return with EINTR.*None of its threads/s);
  });

  it('says what Node.js and debugpy do instead of stopping', () => {
    assert.match(warned(aProcess(7), [waits('epoll_wait')], 'node'), /^The process is sent SIGUSR1[^\n]*$/);
    assert.match(warned(aProcess(7), [], 'debugpy'), /loads code into it/);
  });

  it('says whose the process is, and that it runs in a container', () => {
    assert.match(warned(aProcess(7, { uid: 0, nsPids: [7, 1] }), []), /belongs to .*: attaching takes more rights.*\n.*another PID namespace/s);
    assert.doesNotMatch(warned(aProcess(7, { uid: 1000 }), [], 'lldb-dap', 0), /belongs/);
  });

  it('refuses a second tracer, which the kernel would refuse', () => {
    const traced = aProcess(7, { tracerPid: 9 });
    const index = indexOf(aSnapshot({ processes: [traced, aProcess(9, { comm: 'gdb' })] }));
    const [native, node] = [attachOffers(traced, 'native', new Set(['lldb-dap']))[0], attachOffers(traced, 'node', new Set(['node']))[0]];
    assert.ok(native && node);
    assert.equal(otherTracer(native, traced, index), 'gdb (PID 9)');
    assert.equal(otherTracer(node, traced, index), undefined);
    assert.equal(otherTracer(native, aProcess(7), index), undefined);
  });
});

describe('whom a debugger can be attached to', () => {
  const segment = aSegment(1);
  const mutex = 'futex:sysv:4026531839:1+0';
  const owner: Handle = { objectId: mutex, pid: 20, tid: 21, via: 'owner' };
  const blocked: Wait = {
    pid: 30, tid: 31, threadComm: 'worker', operation: 'pthread_mutex_lock', objectId: mutex, verdict: 'waiting', evidence: [],
    clauses: [{ alternatives: [{ objectId: mutex, event: 'unlock', threads: [{ pid: 20, tid: 21 }] }] }],
  };
  const joins: Wait = { pid: 40, tid: 40, threadComm: 'main', operation: 'waitpid', verdict: 'waiting', evidence: [], clauses: [{ alternatives: [{ event: 'a change of state', threads: [{ pid: 30 }] }, { event: 'a change of state', threads: [{ pid: 20 }] }] }] };
  const index = indexOf(aSnapshot({
    processes: [10, 20, 30, 40, 99_999].map(pid => aProcess(pid)), objects: [segment, aQueue(5)],
    handles: [owner, attached(segment, 10), attached(segment, 20), { objectId: aQueue(5).id, pid: 50, via: 'last-operation', operation: 'msgsnd' }], waits: [blocked, joins],
  }));
  const targets = (subject: Parameters<typeof attachTargets>[0]): string[] => attachTargets(subject, index).map(it => `${it.pid} ${it.does}`.trim());

  it('from an object: who holds it, who waits, who has it', () => {
    assert.deepEqual(targets({ objectIds: [mutex] }), ['20 owner: thread 21', '30 waits in pthread_mutex_lock']);
    assert.deepEqual(targets({ objectIds: [segment.id] }).map(it => it.split(' ')[0]), ['10', '20']);
  });

  it('from a wait: who holds, or could end it, then who waits', () => {
    assert.deepEqual(targets({ threads: [blocked], objectIds: [mutex] }), ['20 owner: thread 21', '30 waits in pthread_mutex_lock']);
    assert.deepEqual(targets({ threads: [joins] }), ['20 could end the wait', '30 could end the wait', '40 waits in waitpid']);
  });

  it('from a finding: all members, with what each holds', () => {
    const found = targets({ threads: [blocked, joins], objectIds: [mutex, segment.id] });
    assert.equal(found.length, 3);
    assert.match(found[0] ?? '', /^20 holds /);
  });

  it('from a process: itself, and nobody when it is gone or is the probe', () => {
    assert.deepEqual(targets({ pids: [10] }), ['10']);
    assert.deepEqual(targets({ pids: [12345] }), []);
    assert.deepEqual(targets({ pids: [99_999] }), []);
    assert.deepEqual(targets({ objectIds: [aQueue(5).id] }), [], 'who did the last operation has ended');
    assert.deepEqual(targets({}), []);
  });
});
