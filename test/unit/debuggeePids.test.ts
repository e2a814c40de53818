import { strict as assert } from 'node:assert';
import { asPid, descendants, pidExpression, pidsOfFamily, pidsOfSession, processEvent, rootOf, runStateAfter, tracees } from '../../extension/debuggeePids';
import type { SessionFacts } from '../../extension/debuggeePids';
import { aProcess } from './snapshots';

function session(id: string, more: Partial<SessionFacts> = {}): SessionFacts {
  return { id, type: 'lldb-dap', name: id, configuration: { request: 'launch' }, processEvents: [], ...more };
}
const family = (...sessions: SessionFacts[]): Map<string, SessionFacts> => new Map(sessions.map(it => [it.id, it]));

describe('the process of a debug session', () => {
  it('is what the process event says, before everything else', () => {
    const facts = session('a', { processEvents: [{ systemProcessId: 12, isLocalProcess: true }], configuration: { request: 'attach', pid: 13 }, evaluatedPid: 14 });
    assert.deepEqual(pidsOfSession(facts), { pids: [12], source: 'process event' });
  });

  it('is not one on another machine', () => {
    assert.equal(pidsOfSession(session('a', { processEvents: [{ systemProcessId: 12, isLocalProcess: false }] })), undefined);
  });

  it('is the pid or processId of an attach configuration, as a number or as text', () => {
    assert.deepEqual(pidsOfSession(session('a', { configuration: { request: 'attach', pid: 13 } }))?.pids, [13]);
    assert.deepEqual(pidsOfSession(session('a', { configuration: { request: 'attach', processId: '13' } }))?.pids, [13]);
    assert.equal(pidsOfSession(session('a', { configuration: { request: 'attach', processId: '${command:pick}' } })), undefined);
  });

  it('is not a pid that stands in a launch configuration', () => {
    assert.equal(pidsOfSession(session('a', { configuration: { request: 'launch', pid: 13 } })), undefined);
  });

  it('is in the name of a child session of the JavaScript debugger, and in no other name', () => {
    assert.deepEqual(pidsOfSession(session('b', { type: 'pwa-node', parentId: 'a', name: 'server.js [4711]' })), { pids: [4711], source: 'session name' });
    assert.equal(pidsOfSession(session('b', { type: 'pwa-node', name: 'server.js [4711]' })), undefined);
    assert.equal(pidsOfSession(session('b', { type: 'cppdbg', parentId: 'a', name: 'server [4711]' })), undefined);
  });

  it('is that of the child sessions when the parent is selected, and all of them', () => {
    const sessions = family(session('a', { type: 'pwa-node' }), session('b', { parentId: 'a', evaluatedPid: 21 }), session('c', { parentId: 'b', evaluatedPid: 22 }));
    assert.deepEqual(pidsOfFamily('a', sessions)?.pids, [21, 22]);
    assert.deepEqual(pidsOfFamily('c', sessions)?.pids, [22]);
  });

  it('is that of the family when the selected session knows none', () => {
    const sessions = family(session('a', { evaluatedPid: 20 }), session('b', { parentId: 'a' }));
    assert.deepEqual(pidsOfFamily('b', sessions)?.pids, [20]);
  });

  it('is never that of another family', () => {
    assert.equal(pidsOfFamily('b', family(session('a', { evaluatedPid: 20 }), session('b'))), undefined);
  });

  it('is found in a family whose parents go in a circle or have ended', () => {
    const sessions = family(session('a', { parentId: 'b' }), session('b', { parentId: 'a', evaluatedPid: 5 }), session('c', { parentId: 'ended' }));
    assert.deepEqual(pidsOfFamily('a', sessions)?.pids, [5]);
    assert.equal(rootOf('c', sessions), 'c');
  });

  it('is what a descendant of the extension host or of a terminal traces', () => {
    const processes = [aProcess(10), aProcess(11, { ppid: 10 }), aProcess(12, { ppid: 11, tracerPid: 11 }), aProcess(30), aProcess(31, { ppid: 30, tracerPid: 30 })];
    assert.deepEqual(tracees(processes, [10]), [12]);
    assert.deepEqual(tracees(processes, [10, 30]), [12, 31]);
    assert.deepEqual(tracees(processes, [10], new Set([12])), []);
    assert.deepEqual(tracees([], [10]), []);
  });

  it('has descendants, also when the parents go in a circle, and not endlessly many', () => {
    const processes = [aProcess(1, { ppid: 3 }), aProcess(2, { ppid: 1 }), aProcess(3, { ppid: 2 }), aProcess(9, { ppid: 0 })];
    assert.deepEqual(descendants(processes, [1]), [2, 3]);
    assert.deepEqual(descendants(processes, [9]), []);
    assert.equal(descendants(Array.from({ length: 5000 }, (_, i) => aProcess(10 + i, { ppid: 9 })), [9]).length, 256);
  });

  it('is asked for only where the answer calls nothing in the program', () => {
    assert.equal(pidExpression('pwa-node'), 'process.pid');
    assert.equal(pidExpression('lldb-dap'), undefined);
    assert.equal(pidExpression('cppdbg'), undefined);
  });

  it('is a positive number below 2³¹', () => {
    assert.deepEqual([1, '7', 0, -1, 1.5, NaN, '0x10', '', null, 2 ** 31, '99999999999'].map(asPid), [1, 7, undefined, undefined, undefined, undefined, undefined, undefined, undefined, undefined, undefined]);
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
});
