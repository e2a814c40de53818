// What a debug session tells of its process, adapter by adapter. gdb, cppdbg and CodeLLDB by written traces: they cannot run here.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { AdapterNotes, asPid, processEvent, runStateAfter } from '../../extension/sessions/adapterMessages';
import { debugAdapter, isThisMachine } from '../../extension/sessions/debugAdapters';
import { familyOf, pidExpression, placeOf, rootOf, toldBy } from '../../extension/sessions/debuggeePids';
import type { SessionFacts } from '../../extension/sessions/debuggeePids';

function session(id: string, more: Partial<SessionFacts> = {}): SessionFacts {
  return { id, type: 'lldb-dap', name: id, configuration: { request: 'launch' }, processEvents: [], ...more };
}
const family = (...sessions: SessionFacts[]): Map<string, SessionFacts> => new Map(sessions.map(it => [it.id, it]));
const event = (systemProcessId: number, isLocalProcess = true): SessionFacts['processEvents'][number] => ({ systemProcessId, isLocalProcess });

describe('the process that a debug session tells', () => {
  it('is what the process event says, before everything else but the user', () => {
    const facts = session('a', { processEvents: [{ ...event(12), at: 5 }], configuration: { request: 'attach', pid: 13 }, evaluated: { pid: 14 }, printed: { pid: 15 } });
    assert.deepEqual(toldBy(facts), { pids: [12], source: 'process event', at: 5 });
    assert.deepEqual(toldBy({ ...facts, chosen: { pid: 7, startTime: '70' } }), { pids: [7], source: 'choice' });
  });

  it('is every process that an adapter names which follows children', () => {
    assert.deepEqual(toldBy(session('a', { processEvents: [event(12), event(13), event(12)] }))?.pids, [12, 13]);
  });

  it('is not one on another machine', () => {
    assert.equal(toldBy(session('a', { processEvents: [event(12, false)] })), undefined);
  });

  it('is the pid or processId of an attach configuration, as a number or as text', () => {
    assert.deepEqual(toldBy(session('a', { configuration: { request: 'attach', pid: 13 } }))?.pids, [13]);
    assert.deepEqual(toldBy(session('a', { configuration: { request: 'attach', processId: '13' } }))?.pids, [13]);
    assert.equal(toldBy(session('a', { configuration: { request: 'attach', processId: '${command:pick}' } })), undefined);
  });

  it('is not a pid that stands in a launch configuration', () => {
    assert.equal(toldBy(session('a', { configuration: { request: 'launch', pid: 13 } })), undefined);
  });

  it('is in the name of a child session of the JavaScript debugger, and in no other name', () => {
    assert.deepEqual(toldBy(session('b', { type: 'pwa-node', parentId: 'a', name: 'server.js [4711]' })), { pids: [4711], source: 'session name' });
    assert.equal(toldBy(session('b', { type: 'pwa-node', name: 'server.js [4711]' })), undefined);
    assert.equal(toldBy(session('b', { type: 'cppdbg', parentId: 'a', name: 'server [4711]' })), undefined);
  });

  it('is asked for only where the answer calls nothing in the program', () => {
    assert.equal(pidExpression('pwa-node'), 'process.pid');
    for (const type of ['lldb-dap', 'lldb', 'cppdbg', 'gdb', 'go', 'delve', 'nobody-knows-it']) assert.equal(pidExpression(type), undefined, type);
  });

  it('is a positive number below 2³¹', () => {
    assert.deepEqual([1, '7', 0, -1, 1.5, NaN, '0x10', '', null, 2 ** 31, '99999999999', '1'.repeat(1_000_000)].map(asPid), [1, 7, ...Array<undefined>(10).fill(undefined)]);
  });
});

describe('where the program of a debug session runs', () => {
  const place = (type: string, configuration: SessionFacts['configuration'], processEvents: SessionFacts['processEvents'] = []): string => {
    const found = placeOf(session('a', { type, configuration, processEvents }));
    return found.kind === 'elsewhere' ? `elsewhere ${found.host ?? ''}`.trim() : found.kind;
  };

  it('is here for what is launched, and for what is attached to by its PID', () => {
    for (const type of ['lldb-dap', 'lldb', 'cppdbg', 'gdb', 'go', 'debugpy', 'pwa-node', 'nobody-knows-it']) assert.equal(place(type, { request: 'launch', program: '/a' }), 'here', type);
    assert.equal(place('debugpy', { request: 'attach', processId: 5 }), 'here');
    assert.equal(place('node', { request: 'attach', processId: '5', address: '127.0.0.1' }), 'here');
  });

  it('is elsewhere where the adapter says so, or the configuration names another machine', () => {
    assert.equal(place('gdb', { request: 'attach' }, [{ isLocalProcess: false }]), 'elsewhere');
    assert.equal(place('gdb', { request: 'attach', target: 'board.lan:2331' }), 'elsewhere board.lan:2331');
    assert.equal(place('debugpy', { request: 'attach', connect: { host: 'build.lan', port: 5678 } }, [event(12)]), 'elsewhere build.lan');
    assert.equal(place('pwa-node', { request: 'attach', address: '192.0.2.7', port: 9229 }), 'elsewhere 192.0.2.7');
    assert.equal(place('cppdbg', { request: 'launch', miDebuggerServerAddress: 'board:3333' }), 'elsewhere board:3333');
    assert.equal(place('cppdbg', { request: 'launch', pipeTransport: { pipeProgram: '/usr/bin/ssh' } }), 'elsewhere ssh');
    assert.equal(place('go', { request: 'attach', mode: 'remote', host: 'board' }), 'elsewhere board');
  });

  it('may be anywhere behind an address of this machine', () => {
    assert.equal(place('debugpy', { request: 'attach', connect: { host: 'localhost', port: 5678 } }), 'behind');
    assert.equal(place('debugpy', { request: 'attach', listen: { port: 5678 } }), 'behind');
    assert.equal(place('pwa-node', { request: 'attach', port: 9229 }), 'behind');
    assert.equal(place('cppdbg', { request: 'attach', processId: '7', pipeTransport: { pipeProgram: '/usr/bin/docker' } }), 'behind');
    assert.equal(place('lldb-dap', { request: 'attach', 'gdb-remote-port': 3333 }), 'behind');
  });

  it('is here for a child that debugpy itself announces, although it is reached by a port', () => {
    assert.equal(place('debugpy', { request: 'attach', subProcessId: 12, connect: { host: '127.0.0.1', port: 4000 } }, [event(12)]), 'here');
  });

  it('is read from configurations of any shape', () => {
    for (const nonsense of [null, 7, [], {}, { host: 7 }]) {
      assert.equal(place('debugpy', { request: 'attach', connect: nonsense, host: nonsense }).startsWith('elsewhere'), false);
      assert.equal(place('cppdbg', { request: 'attach', pipeTransport: nonsense }), 'here');
    }
  });

  it('knows the ways to write this machine', () => {
    const own = new Set(['desk', '192.0.2.9', '2001:db8::9']);
    for (const here of ['localhost', 'localhost:9229', '127.0.0.1', '127.1.2.3:5', '[::1]:4711', '::1', '0.0.0.0', ':9229', '/run/debug.sock', 'desk', '192.0.2.9:9229', '2001:db8::9']) assert.equal(isThisMachine(here, own), true, here);
    for (const away of ['build.lan', '192.0.2.1:22', '2001:db8::1', '[2001:db8::1]:5', '127.0.0.1.example.org', 'localhost.example.org:1']) assert.equal(isThisMachine(away, own), false, away);
  });
});

describe('a family of debug sessions', () => {
  const ids = (id: string, sessions: Map<string, SessionFacts>): string => familyOf(id, sessions).map(it => it.id).join();

  it('is all that one launch has started, whichever of them is selected', () => {
    const sessions = family(session('a', { type: 'pwa-node' }), session('b', { parentId: 'a', evaluated: { pid: 21 } }), session('c', { parentId: 'b', evaluated: { pid: 22 } }));
    assert.equal(ids('a', sessions), 'a,b,c');
    assert.equal(ids('c', sessions), 'a,b,c');
  });

  it('is never another', () => {
    assert.equal(ids('b', family(session('a', { evaluated: { pid: 20 } }), session('b'))), 'b');
  });

  it('has an end where parents go in a circle or have ended', () => {
    const sessions = family(session('a', { parentId: 'b' }), session('b', { parentId: 'a', evaluated: { pid: 5 } }), session('c', { parentId: 'ended' }));
    assert.equal(ids('a', sessions), 'a,b');
    assert.equal(rootOf('c', sessions), 'c');
  });
});

describe('messages of a debug adapter', () => {
  it('tell that the program stopped or runs, also by the answer to a request to resume', () => {
    assert.equal(runStateAfter({ type: 'event', event: 'stopped' }), 'stopped');
    assert.equal(runStateAfter({ type: 'event', event: 'continued' }), 'running');
    assert.equal(runStateAfter({ type: 'response', command: 'continue', success: true }), 'running');
    assert.equal(runStateAfter({ type: 'response', command: 'continue', success: false }), undefined);
    assert.equal(runStateAfter({ type: 'response', command: 'threads', success: true }), undefined);
    for (const nonsense of [undefined, null, 'stopped', 7, {}, { type: 'response', command: 9, success: true }]) assert.equal(runStateAfter(nonsense), undefined);
  });

  it('tell of a process only in a process event, and keep no PID that is none', () => {
    assert.deepEqual(processEvent({ type: 'event', event: 'process', body: { systemProcessId: 5, isLocalProcess: true } }), { systemProcessId: 5, isLocalProcess: true });
    assert.deepEqual(processEvent({ type: 'event', event: 'process', body: { systemProcessId: 'x', isLocalProcess: 'yes' } }), {});
    for (const nonsense of [null, { type: 'event', event: 'process' }, { type: 'event', event: 'output', body: {} }]) assert.equal(processEvent(nonsense), undefined);
  });

  it('are kept in bounds, however many there are', () => {
    const notes = new AdapterNotes();
    for (let pid = 1; pid <= 10_000; pid++) notes.take({ type: 'event', event: 'process', body: { systemProcessId: pid } }, pid);
    assert.equal(notes.processEvents.length, 256);
    assert.equal(notes.processEvents.at(-1)?.systemProcessId, 10_000);
  });

  const traced = (file: string, type: string, configuration: SessionFacts['configuration']): { facts: SessionFacts; runState: string } => {
    const notes = new AdapterNotes(debugAdapter(type).output);
    const lines = readFileSync(path.join(import.meta.dirname, '../fixtures/adapter-traces', file), 'utf8').trim().split('\n');
    lines.forEach((line, i) => notes.take(JSON.parse(line), i));
    return { facts: session('a', { type, configuration, processEvents: notes.processEvents, ...(notes.printed ? { printed: notes.printed } : {}) }), runState: notes.runState };
  };
  for (const [file, type, source] of [['gdb.jsonl', 'gdb', 'process event'], ['cppdbg.jsonl', 'cppdbg', 'process event'], ['codelldb.jsonl', 'lldb', 'output']] as const) {
    it(`of ${debugAdapter(type).label} tell the process, whatever the program prints (written trace, untested here)`, () => {
      const { facts, runState } = traced(file, type, { request: 'launch', program: '/home/user/orders/queue' });
      assert.deepEqual(toldBy(facts)?.pids, [4711]);
      assert.equal(toldBy(facts)?.source, source);
      assert.equal(runState, 'running');
    });
  }
  it('of GDB tell that the program is on another machine (written trace, untested here)', () => {
    const { facts, runState } = traced('gdb-remote.jsonl', 'gdb', { request: 'attach' });
    assert.equal(toldBy(facts), undefined);
    assert.deepEqual(placeOf(facts), { kind: 'elsewhere' });
    assert.equal(runState, 'stopped');
  });
});
