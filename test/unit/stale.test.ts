// What stale means: every rule, with the evidence that carries it.
import { strict as assert } from 'node:assert';
import { judgeStale } from '../../native-probe/analysis/stale';
import type { Gap, Handle, IpcObject, Process, Snapshot, StaleJudgement } from '../../native-probe/model';

const bootedAt = '2026-01-01T00:00:00.000Z';
/** A time some seconds after boot. */
const at = (seconds: number): string => new Date(Date.parse(bootedAt) + seconds * 1000).toISOString();
const process = (pid: number, startedAfter: number, more: Partial<Process> = {}): Process => ({
  pid, startTime: String(startedAfter * 100), ppid: 1, comm: `p${pid}`, exe: '/bin/p', cmdline: [], uid: 1000, state: 'S', namespaces: { ipc: '1', pid: '1', net: '1', mnt: '1' }, ...more,
});
const base = { persistence: 'kernel' as const, namespace: '1', owner: { uid: 1000, gid: 1000, mode: '0600' } };
const segment = (state: Partial<Extract<IpcObject, { kind: 'sysv-shared-memory' }>['state']> = {}): IpcObject => ({
  ...base, kind: 'sysv-shared-memory', id: 'o', state: { segsz: '1', nattch: 0, cpid: 10, lpid: 11, atime: at(50), dtime: at(60), ctime: at(40), rss: '0', swap: '0', dest: false, locked: false, ...state },
});
const queue: IpcObject = { ...base, kind: 'sysv-message-queue', id: 'o', state: { qnum: '0', cbytes: '0', qbytes: '1', lspid: 0, lrpid: 0, ctime: at(40) } };
const shm: IpcObject = { kind: 'posix-shared-memory', id: 'o', name: '/x', persistence: 'kernel', owner: { uid: 1000, gid: 1000, mode: '0600' }, state: { size: '1', allocated: '0' } };
const unreadable = (pid: number): Gap => ({ id: `gap:${pid}`, scope: { pid, facility: 'processes', field: 'fd,maps' }, reason: 'denied', errno: 'EACCES' });

function judge(object: IpcObject, parts: { processes?: Process[]; handles?: Handle[]; gaps?: Gap[] } = {}, clockSlack: number | undefined = 2000): StaleJudgement {
  const snapshot: Snapshot = {
    version: 1, takenAt: at(1000), host: { hostname: 'h', kernel: 'k', architecture: 'x64', uid: 1000, pid: 999, ipcNamespace: '1', pidNamespace: '4026531836', bootedAt, ...(clockSlack === undefined ? {} : { clockSlack }) },
    processes: [], handles: [], gaps: [], waits: [], findings: [], ...parts, objects: [object],
  };
  return judgeStale(snapshot)[0] ?? assert.fail('not judged');
}

describe('a System V segment', () => {
  it('is stale when nobody has it attached and creator and last user are gone', () => {
    assert.deepEqual(judge(segment()), { objectId: 'o', verdict: 'stale', evidence: ['the kernel counts no attachment', 'its creator, pid 10, is gone', 'its last user, pid 11, is gone'] });
  });
  it('is in use while the kernel counts an attachment, even where no process can be seen to have it', () => {
    assert.equal(judge(segment({ nattch: 1 })).verdict, 'in-use');
  });
  it('is only possibly stale while its creator lives', () => {
    assert.equal(judge(segment(), { processes: [process(10, 30)] }).verdict, 'possibly-stale');
  });
  it('is stale although its creator\'s PID is in use again: that process started later', () => {
    const judged = judge(segment(), { processes: [process(10, 500)] });
    assert.equal(judged.verdict, 'stale');
    assert.match(judged.evidence[1] ?? '', /started later/);
  });
  it('takes a start within two seconds of the event for the same process: clocks are stepped', () => {
    assert.equal(judge(segment(), { processes: [process(10, 41)] }).verdict, 'possibly-stale');
  });
  it('is only possibly stale when the clock was set since boot by more than its creator\'s PID seems to have started later', () => {
    const judged = judge(segment(), { processes: [process(10, 500)] }, 2000 + 594_000);
    assert.equal(judged.verdict, 'possibly-stale');
    assert.match(judged.evidence[1] ?? '', /its creator cannot be judged: pid 10 \(p10\) seems to have started later, but the clock was set by 594 s since boot/);
    assert.equal(judge(segment(), { processes: [process(10, 700)] }, 2000 + 594_000).verdict, 'stale', 'later than any setting explains');
  });
  it('is only possibly stale when its creator\'s PID is in use again where nobody can tell whether the clock was set', () => {
    const judged = judge(segment(), { processes: [process(10, 500)] }, Infinity);
    assert.equal(judged.verdict, 'possibly-stale');
    assert.match(judged.evidence[1] ?? '', /cannot be seen in a container/);
  });
  it('is only possibly stale when its creator lives outside the PID namespace', () => {
    assert.match(judge(segment({ cpid: 0 })).evidence.join(), /outside this PID namespace/);
    assert.equal(judge(segment({ cpid: 0 })).verdict, 'possibly-stale');
  });
  it('is only possibly stale where processes may be hidden', () => {
    assert.equal(judge(segment(), { gaps: [{ id: 'g', scope: { facility: 'processes', field: 'hidepid' }, reason: 'hidden' }] }).verdict, 'possibly-stale');
  });
  it('is only possibly stale where a process could not be read at all, so that it is not even listed', () => {
    const judged = judge(segment(), { gaps: [7, 8].map(pid => ({ id: `g${pid}`, scope: { pid, facility: 'processes' as const, field: 'stat' }, reason: 'cannot read anything', errno: 'EPERM' })) });
    assert.equal(judged.verdict, 'possibly-stale');
    assert.match(judged.evidence.join(), /2 processes could not be read at all \(hidepid\): pid 7, 8/);
  });
  it('counts a zombie creator as gone', () => {
    const { exe: _exe, ...zombie } = process(10, 30, { state: 'Z' });
    assert.equal(judge(segment(), { processes: [zombie] }).verdict, 'stale');
  });
  it('that was never attached is judged by its creator alone', () => {
    const { state: { atime: _a, dtime: _d, ...state }, ...rest } = segment({ lpid: 0 }) as Extract<IpcObject, { kind: 'sysv-shared-memory' }>;
    assert.equal(judge({ ...rest, state }).verdict, 'stale');
  });
});

describe('a System V queue', () => {
  it('is at best possibly stale while a process with rights lives in its namespace', () => {
    const judged = judge(queue, { processes: [process(50, 1)] });
    assert.equal(judged.verdict, 'possibly-stale');
    assert.match(judged.evidence.join(), /keeps no list.*1 process that lives in its IPC namespace has rights on it: pid 50/);
  });
  it('is stale when the processes in its namespace have no rights, or live elsewhere', () => {
    assert.equal(judge(queue, { processes: [process(50, 1, { uid: 7 }), process(51, 1, { namespaces: { ipc: '2', pid: null, net: null, mnt: null } })] }).verdict, 'stale');
  });
  it('counts root, and a process whose user or namespace is unknown, as able', () => {
    for (const more of [{ uid: 0 }, { uid: null }, { uid: 1000, namespaces: { ipc: null, pid: null, net: null, mnt: null } }]) assert.equal(judge(queue, { processes: [process(50, 1, more)] }).verdict, 'possibly-stale');
  });
  it('names the live process that used it last', () => {
    assert.match(judge(queue, { processes: [process(50, 1)], handles: [{ objectId: 'o', pid: 50, via: 'last-operation', operation: 'msgsnd' }] }).evidence[0] ?? '', /pid 50 \(p50\) did the last msgsnd and is alive/);
  });
});

describe('a System V semaphore set', () => {
  it('that a thread waits on is in use', () => {
    const set: IpcObject = { ...base, kind: 'sysv-semaphore-set', id: 'o', state: { nsems: 1, ctime: at(40), sems: [{ val: 0, ncnt: 1, zcnt: 0, pid: 0 }] } };
    assert.deepEqual(judge(set), { objectId: 'o', verdict: 'in-use', evidence: ['1 thread waits on it'] });
  });
  it('that somebody would change at exit, or has used so, is in use', () => {
    const set: IpcObject = { ...base, kind: 'sysv-semaphore-set', id: 'o', state: { nsems: 1, ctime: at(40), sems: [{ val: 0, ncnt: 0, zcnt: 0, pid: 0 }] } };
    const withUndo = (undo: { num: number; adjustment: number }[]): StaleJudgement => judge(set, { processes: [process(50, 1)], handles: [{ objectId: 'o', pid: 50, via: 'undo', undo }] });
    assert.deepEqual(withUndo([{ num: 0, adjustment: 1 }]), { objectId: 'o', verdict: 'in-use', evidence: ['pid 50 (p50) changed it, and would undo that when it exits (SEM_UNDO)'] });
    assert.deepEqual(withUndo([]), { objectId: 'o', verdict: 'in-use', evidence: ['pid 50 (p50) has used it with SEM_UNDO, and lives'] });
  });
});

describe('a POSIX object', () => {
  it('is stale when every process could be read and none has it', () => { assert.equal(judge(shm, { processes: [process(50, 1)] }).verdict, 'stale'); });
  it('is in use while somebody has it open; the probe itself does not count', () => {
    assert.equal(judge(shm, { processes: [process(50, 1)], handles: [{ objectId: 'o', pid: 50, via: 'descriptor', fd: 3 }] }).verdict, 'in-use');
    assert.equal(judge(shm, { handles: [{ objectId: 'o', pid: 999, via: 'descriptor', fd: 3 }] }).verdict, 'stale');
  });
  it('is only possibly stale while a process could not be read, and says which', () => {
    const judged = judge(shm, { processes: [1, 2, 3, 4, 5].map(pid => process(pid, 1)), gaps: [1, 2, 3, 4, 5].map(unreadable) });
    assert.equal(judged.verdict, 'possibly-stale');
    assert.match(judged.evidence.join('\n'), /^5 processes could not be read: pid 1 \(p1\), pid 2 \(p2\), pid 3 \(p3\) and 2 more$/m);
  });
  it('queue with somebody to notify is in use', () => {
    assert.equal(judge({ ...base, kind: 'posix-message-queue', id: 'o', state: { curmsgs: 0, maxmsg: 1, msgsize: '1', qsize: '0', notify: { pid: 5, signo: 10 } } }).verdict, 'in-use');
  });
});
