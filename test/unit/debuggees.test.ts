// Told PIDs held against the processes of the machine, and the descendants of a program.
import { strict as assert } from 'node:assert';
import type { Process } from '../../native-probe/model';
import { DebuggeeBook } from '../../extension/sessions/debuggees';
import type { Look } from '../../extension/sessions/debuggees';
import type { SessionFacts } from '../../extension/sessions/debuggeePids';
import { Lineage } from '../../extension/sessions/lineage';
import { aProcess } from './snapshots';

/** The machine was started at 0: a process began at ten times its start time, in milliseconds. */
const began = (ms: number): { startTime: string } => ({ startTime: String(ms / 10) });
const look = (takenAt: number, ...processes: Process[]): Look => ({ processes, takenAt, bootedAt: 0, roots: [10] });
const session = (id: string, more: Partial<SessionFacts> = {}): SessionFacts => ({ id, type: 'lldb-dap', name: id, configuration: { request: 'launch' }, processEvents: [], ...more });
const told = (pid: number, at: number): Pick<SessionFacts, 'processEvents'> => ({ processEvents: [{ systemProcessId: pid, isLocalProcess: true, at }] });
const sessions = (...all: SessionFacts[]): Map<string, SessionFacts> => new Map(all.map(it => [it.id, it]));
const host = aProcess(10, began(1_000));

describe('the debuggee of a session', () => {
  let book: DebuggeeBook;
  beforeEach(() => { book = new DebuggeeBook(); });
  const of = (id: string, all: Map<string, SessionFacts>, now: Look | undefined): unknown => {
    book.update(all, now);
    return book.of(id, all).debuggee;
  };
  const pids = (id: string, all: Map<string, SessionFacts>, now: Look | undefined): unknown => {
    const found = of(id, all, now) as { kind: string; pids?: readonly number[] };
    return found.pids ?? found;
  };

  it('is the process of the told PID, at once and after a look', () => {
    const all = sessions(session('a', { startedAt: 50_000, ...told(50, 51_000) }));
    assert.deepEqual(pids('a', all, undefined), [50]);
    assert.deepEqual(pids('a', all, look(49_000, host)), [50], 'it began after the look');
    assert.deepEqual(pids('a', all, look(52_000, host, aProcess(50, began(50_500)))), [50]);
  });

  it('is gone when its PID has been given to another process', () => {
    const all = sessions(session('a', { startedAt: 50_000, ...told(50, 51_000) }));
    assert.deepEqual(pids('a', all, look(52_000, aProcess(50, began(50_500)))), [50]);
    assert.deepEqual(pids('a', all, look(90_000, aProcess(50, began(80_000)))), []);
    assert.deepEqual(pids('a', all, look(95_000)), []);
  });

  it('stays through exec, which keeps PID and start time', () => {
    const all = sessions(session('a', { startedAt: 50_000, ...told(50, 51_000) }));
    pids('a', all, look(52_000, aProcess(50, { ...began(50_500), exe: '/bin/sh' })));
    assert.deepEqual(pids('a', all, look(53_000, aProcess(50, { ...began(50_500), exe: '/bin/queue', comm: 'queue' }))), [50]);
  });

  it('is asked for when the told process is older than the session that has launched it', () => {
    const all = sessions(session('a', { startedAt: 50_000, ...told(50, 51_000) }));
    assert.deepEqual(of('a', all, look(52_000, aProcess(50, began(2_000)))), { kind: 'unknown', candidates: [50] });
  });

  it('may be older than a session that attaches', () => {
    const all = sessions(session('a', { startedAt: 50_000, configuration: { request: 'attach', pid: 50 } }));
    assert.deepEqual(pids('a', all, look(52_000, aProcess(50, began(2_000)))), [50]);
  });

  it('is translated from the PID namespace of a container, where there is one such process', () => {
    const inside = aProcess(5_000, { ...began(50_500), nsPids: [5_000, 7], exe: '/usr/bin/python3' });
    const all = sessions(session('a', { type: 'debugpy', startedAt: 50_000, configuration: { request: 'attach', connect: { host: 'localhost', port: 5678 } }, ...told(7, 51_000) }));
    assert.deepEqual(pids('a', all, look(52_000, host, inside)), [5_000]);
  });

  it('is asked for where two containers have that PID, and is what the user chooses', () => {
    const [one, other] = [5_000, 6_000].map(pid => aProcess(pid, { ...began(50_500), nsPids: [pid, 7], exe: '/usr/bin/python3' })) as [Process, Process];
    const shell = aProcess(7_000, { ...began(50_500), nsPids: [7_000, 7], exe: '/bin/sh' });
    const facts = session('a', { type: 'debugpy', startedAt: 50_000, configuration: { request: 'attach', connect: { host: 'localhost', port: 5678 } }, ...told(7, 51_000) });
    assert.deepEqual(of('a', sessions(facts), look(52_000, one, other, shell)), { kind: 'unknown', candidates: [5_000, 6_000] });
    const chosen = sessions({ ...facts, chosen: { pid: 6_000, startTime: other.startTime } });
    assert.deepEqual(pids('a', chosen, look(53_000, one, other, shell)), [6_000]);
    assert.deepEqual(pids('a', chosen, look(99_000, one, { ...other, startTime: '9000' })), [], 'another process has its PID now');
  });

  it('is elsewhere when nothing behind the address is on this machine, or the machine is another', () => {
    const behind = session('a', { type: 'pwa-node', configuration: { request: 'attach', port: 9229 }, evaluated: { pid: 7, at: 51_000 } });
    assert.deepEqual(of('a', sessions(behind), look(52_000, aProcess(7, { ...began(1_000), exe: '/bin/bash' }))), { kind: 'elsewhere' });
    const away = session('a', { type: 'pwa-node', configuration: { request: 'attach', address: 'build.lan' }, evaluated: { pid: 7, at: 51_000 } });
    assert.deepEqual(of('a', sessions(away), look(52_000, aProcess(7, { ...began(1_000), exe: '/usr/bin/node' }))), { kind: 'elsewhere', host: 'build.lan' });
    assert.deepEqual(of('a', sessions(session('a', { processEvents: [{ isLocalProcess: false }] })), look(52_000, host)), { kind: 'elsewhere' });
  });

  it('is never a kernel thread', () => {
    const { exe: _exe, ...thread } = aProcess(50, began(50_500));
    assert.deepEqual(pids('a', sessions(session('a', { startedAt: 50_000, ...told(50, 51_000) })), look(52_000, thread)), []);
  });

  it('is one process for two sessions on it', () => {
    const all = sessions(session('a', told(50, 51_000)), session('b', { type: 'debugpy', ...told(50, 51_000) }));
    const now = look(52_000, aProcess(50, began(40_000)));
    book.update(all, now);
    assert.deepEqual(book.ofAll().debuggee, { kind: 'found', pids: [50], source: 'process event' });
  });

  describe('that tells nothing', () => {
    const dlv = aProcess(60, { ...began(50_200), ppid: 10, comm: 'dlv' });
    const tracee = aProcess(61, { ...began(50_900), ppid: 60, tracerPid: 60, exe: '/app/server' });
    const silent = session('a', { type: 'go', startedAt: 50_000 });

    it('is what a descendant of the extension host or of a terminal traces', () => {
      assert.deepEqual(of('a', sessions(silent), look(52_000, host, dlv, tracee)), { kind: 'found', pids: [61], source: 'tracer' });
      assert.deepEqual(of('a', sessions(silent), { ...look(52_000, dlv, tracee), roots: [10, 60] }), { kind: 'found', pids: [61], source: 'tracer' });
    });

    it('is nobody that a stranger traces, or that was traced before the session began', () => {
      const strange = aProcess(60, { ...began(50_200), ppid: 1 });
      assert.deepEqual(of('a', sessions(silent), look(52_000, host, strange, tracee)), { kind: 'unknown', candidates: [] });
      const earlier = { ...dlv, ...began(30_000) };
      assert.deepEqual(of('a', sessions(silent), look(52_000, host, earlier, tracee)), { kind: 'unknown', candidates: [] });
      assert.deepEqual(of('a', sessions(silent), look(52_000)), { kind: 'unknown', candidates: [] });
    });

    it('is not what another session debugs, nor what that one follows', () => {
      const child = aProcess(62, { ...began(51_000), ppid: 61, tracerPid: 60 });
      const all = sessions(session('b', told(61, 51_000)), silent);
      assert.deepEqual(of('a', all, look(52_000, host, dlv, tracee, child)), { kind: 'unknown', candidates: [] });
    });

    it('may be what a debugger of its language debugs too', () => {
      const all = sessions(session('b', { type: 'debugpy', ...told(61, 51_000) }), session('a', { type: 'gdb', startedAt: 50_000 }));
      assert.deepEqual(pids('a', all, look(52_000, host, dlv, tracee)), [61]);
    });

    it('is told apart from that of a second one by the program, else asked for', () => {
      const [dlv2, tracee2] = [aProcess(70, { ...began(50_300), ppid: 10, comm: 'dlv' }), aProcess(71, { ...began(50_950), ppid: 70, tracerPid: 70, exe: '/app/client' })];
      const now = look(52_000, host, dlv, tracee, dlv2, tracee2);
      assert.deepEqual(of('a', sessions(silent), now), { kind: 'unknown', candidates: [61, 71] });
      const named = (id: string, program: string): SessionFacts => session(id, { type: 'go', startedAt: 50_000, configuration: { request: 'launch', mode: 'exec', program } });
      const both = sessions(named('a', '/app/client'), named('b', '/app/server'));
      assert.deepEqual(pids('a', both, now), [71]);
      assert.deepEqual(pids('b', both, now), [61]);
    });

    it('leaves the second of two that were started one after the other', () => {
      const first = look(52_000, host, dlv, tracee);
      const all = sessions(silent, session('b', { type: 'go', startedAt: 60_000 }));
      assert.deepEqual(pids('a', all, first), [61]);
      const [dlv2, tracee2] = [aProcess(70, { ...began(60_300), ppid: 10 }), aProcess(71, { ...began(60_900), ppid: 70, tracerPid: 70 })];
      const both = look(62_000, host, dlv, tracee, dlv2, tracee2);
      assert.deepEqual(pids('a', all, both), [61]);
      assert.deepEqual(pids('b', all, both), [71]);
    });

    it('is nobody where the debugger does not trace, such as the parent of JavaScript sessions', () => {
      assert.deepEqual(of('a', sessions(session('a', { type: 'pwa-node', startedAt: 50_000 })), look(52_000, host, dlv, tracee)), { kind: 'unknown', candidates: [] });
    });
  });

  it('has descendants, which stay when it has ended', () => {
    const all = sessions(session('a', { startedAt: 50_000, ...told(50, 51_000) }));
    const [main, child] = [aProcess(50, began(50_500)), aProcess(51, { ...began(51_500), ppid: 50 })];
    book.update(all, look(52_000, main, child));
    assert.deepEqual(book.of('a', all).descendants, { pids: [51], omitted: 0 });
    book.update(all, look(53_000, { ...child, ppid: 1 }));
    assert.deepEqual(book.of('a', all), { debuggee: { kind: 'found', pids: [], source: 'process event' }, descendants: { pids: [51], omitted: 0 } });
    book.update(sessions(), look(54_000, { ...child, ppid: 1 }));
    assert.deepEqual(book.ofAll(), { debuggee: { kind: 'unknown', candidates: [] }, descendants: { pids: [], omitted: 0 } });
  });
});

describe('the descendants of a program', () => {
  const main = aProcess(50);
  it('are its children, their children and so on, also when the parents go in a circle', () => {
    const processes = [aProcess(1, { ppid: 3 }), aProcess(2, { ppid: 1 }), aProcess(3, { ppid: 2 }), aProcess(9, { ppid: 0 })];
    assert.deepEqual(new Lineage().update(processes, [aProcess(1)]).pids, [2, 3]);
    assert.deepEqual(new Lineage().update(processes, [aProcess(9)]).pids, []);
    assert.deepEqual(new Lineage().update([], [aProcess(9)]).pids, []);
  });

  it('are remembered when their parent has ended, and so are the children that they have later', () => {
    const lineage = new Lineage();
    const [child, grandchild] = [aProcess(51, { ppid: 50 }), aProcess(52, { ppid: 51 })];
    assert.deepEqual(lineage.update([main, child, grandchild], [main]).pids, [51, 52]);
    const orphan = { ...grandchild, ppid: 1 };
    assert.deepEqual(lineage.update([main, orphan], [main]).pids, [52]);
    assert.deepEqual(lineage.update([orphan, aProcess(53, { ppid: 52 })], []).pids, [52, 53]);
  });

  it('are not those who were given the PID of one that has ended', () => {
    const lineage = new Lineage();
    lineage.update([main, aProcess(51, { ppid: 50 })], [main]);
    assert.deepEqual(lineage.update([main, aProcess(51, { ppid: 1, startTime: '99999' })], [main]).pids, []);
    assert.deepEqual(lineage.update([aProcess(50, { startTime: '99999' }), aProcess(54, { ppid: 50 })], [main]).pids, []);
  });

  it('are counted when there are too many to follow, the nearest first', () => {
    const processes = [main, ...Array.from({ length: 5_000 }, (_, i) => aProcess(100 + i, { ppid: 50 }))];
    const { pids, omitted } = new Lineage().update(processes, [main]);
    assert.deepEqual([pids.length, omitted], [256, 4_744]);
  });
});
