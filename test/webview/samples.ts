// Snapshots of the model's types for the inspector's tests: one object of every kind, in a well-filled state.
import type { CollectedKind, Gap, Handle, IpcObject, Process, Snapshot, Wait } from '../../native-probe/model';

export const takenAt = '2026-03-01T12:00:00.000Z';

export function process(pid: number, comm: string): Process {
  return { pid, startTime: String(pid * 100), ppid: 1, comm, exe: `/usr/bin/${comm}`, cmdline: [comm], uid: 1000, namespaces: { ipc: '4026531839', pid: '4026531836', net: '4026531840', mnt: '4026531841' }, state: 'S' };
}

const sysv = { namespace: '4026531839', persistence: 'kernel', owner: { uid: 1000, gid: 1000, mode: '0640' } } as const;
const times = { ctime: '2026-02-28T09:30:00.000Z' };

export const objects: { readonly [K in CollectedKind]: Extract<IpcObject, { kind: K }> } = {
  'sysv-shared-memory': {
    ...sysv, id: 'sysv-shared-memory:4026531839:7', kind: 'sysv-shared-memory', name: '0x4950431', key: '0x4950431', creatorPid: 812, createdAt: times.ctime,
    state: { segsz: '67108864', nattch: 2, cpid: 812, lpid: 813, atime: '2026-02-28T10:00:00.000Z', ...times, rss: '41943040', swap: '0', dest: true, locked: false },
  },
  'sysv-message-queue': {
    ...sysv, id: 'sysv-message-queue:4026531839:3', kind: 'sysv-message-queue', key: '0x0',
    state: { qnum: '12', cbytes: '12288', qbytes: '16384', lspid: 812, lrpid: 0, stime: '2026-03-01T11:59:00.000Z', ...times },
  },
  'sysv-semaphore-set': {
    ...sysv, id: 'sysv-semaphore-set:4026531839:5', kind: 'sysv-semaphore-set', key: '0x51', namespace: '4026531839',
    state: { nsems: 3, otime: '2026-03-01T11:58:00.000Z', ...times, sems: [{ val: 0, ncnt: 1, zcnt: 0, pid: 812 }, { val: 4, ncnt: 0, zcnt: 0, pid: 0 }, { val: 9, ncnt: null, zcnt: null, pid: null }] },
  },
  'posix-message-queue': {
    ...sysv, id: 'posix-message-queue:27:99', kind: 'posix-message-queue', name: '/jobs',
    state: { curmsgs: 3, maxmsg: 10, msgsize: '8192', qsize: '2048', notify: { pid: 813, signo: 10 } },
  },
  'posix-shared-memory': { ...sysv, namespace: undefined, id: 'posix-shared-memory:28:4', kind: 'posix-shared-memory', name: '/frame buffer', state: { size: '9007199254740993', allocated: '4096' } },
  'posix-semaphore': { ...sysv, namespace: undefined, id: 'posix-semaphore:28:5', kind: 'posix-semaphore', name: '/gate', state: { value: 0, waiters: 2 } },
  'flock-lock': {
    id: 'flock-lock:2049:77', kind: 'flock-lock', name: '/var/lock/demo.lock', persistence: 'process',
    state: { path: '/var/lock/demo.lock', ranges: [{ type: 'write', start: '0', end: 'EOF', pid: 812 }] },
  },
  'mutex': { id: 'futex:812.81200@0x7f0000001000', kind: 'mutex', persistence: 'memory', state: { address: '0x7f0000001000', type: 'recursive', owner: 8121, robust: true, pi: false, shared: true } },
  'futex': { id: 'futex:812.81200@0x7f0000002000', kind: 'futex', persistence: 'memory', state: { address: '0x7f0000002000' } },
};

export function handlesOf(objectId: string): readonly Handle[] {
  return [
    { objectId, pid: 812, via: 'attachment', address: '0x7f12a0000000', access: 'read-write' },
    { objectId, pid: 813, via: 'descriptor', fd: 4, access: 'read' },
    { objectId, pid: 813, via: 'last-operation', operation: 'shmdt' },
  ];
}

export function waitOn(objectId: string): Wait {
  return {
    pid: 813, tid: 8131, threadComm: 'worker', operation: 'flock', objectId, verdict: 'deadlocked', evidence: ['syscall 73 on fd 4'],
    clauses: [{ alternatives: [{ objectId, event: 'unlock', threads: [{ pid: 812, tid: 8121 }] }] }],
  };
}

export function snapshot(object: IpcObject | undefined, parts: { readonly handles?: readonly Handle[]; readonly waits?: readonly Wait[]; readonly gaps?: readonly Gap[]; readonly processes?: readonly Process[] } = {}): Snapshot {
  return {
    version: 1, takenAt, host: { hostname: 'host', kernel: '6.12', architecture: 'x86_64', uid: 0, pid: 1, ipcNamespace: '4026531839', pidNamespace: '4026531836', bootedAt: '2026-02-28T09:00:00.000Z' },
    processes: parts.processes ?? [process(812, 'producer'), process(813, 'consumer')],
    objects: object ? [object] : [], handles: parts.handles ?? [], waits: parts.waits ?? [],
    findings: (parts.waits ?? []).filter(wait => wait.verdict === 'deadlocked').map(wait => ({ verdict: 'deadlocked' as const, threads: [wait], chain: [{ pid: wait.pid, tid: wait.tid, objectId: wait.objectId }], gaps: [], explanation: 'consumer (813) and producer (812) wait for each other' })),
    gaps: parts.gaps ?? [],
  };
}
