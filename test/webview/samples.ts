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
  'record-lock': {
    id: 'record-lock:2049:78', kind: 'record-lock', name: '/var/lib/demo.db', persistence: 'process',
    state: { path: '/var/lib/demo.db', ranges: [{ type: 'read', start: '0', end: '99', pid: 812 }, { type: 'write', start: '200', end: 'EOF', pid: 813 }], waiting: [{ type: 'write', start: '0', end: '9', pid: 813 }] },
  },
  'ofd-lock': { id: 'ofd-lock:2049:79', kind: 'ofd-lock', name: '/var/lib/ofd', persistence: 'process', state: { path: '/var/lib/ofd', ranges: [{ type: 'write', start: '0', end: 'EOF', pid: -1 }] } },
  'lease': { id: 'lease:2049:80', kind: 'lease', name: '/srv/share/x', persistence: 'process', state: { path: '/srv/share/x', ranges: [{ type: null, breaking: 'unlock', start: '0', end: 'EOF', pid: 812 }] } },
  'pipe': { id: 'pipe:4711', kind: 'pipe', persistence: 'process', state: { unread: '17', capacity: '65536' } },
  'fifo': { id: 'fifo:2049:81', kind: 'fifo', name: '/run/jobs', persistence: 'process', owner: { uid: 0, gid: 0, mode: '0600' }, state: { path: '/run/jobs', unread: '0', capacity: '65536' } },
  'unix-socket': {
    id: 'unix-socket:501', kind: 'unix-socket', name: '@/tmp/bus', namespace: '4026531840', persistence: 'process',
    state: { type: 'stream', state: 'connected', path: '@/tmp/bus', peer: 'unix-socket:502', rqueue: '12', wqueue: '0', backlog: 128, descriptorsInFlight: 1 },
  },
  'inet-socket': {
    id: 'inet-socket:601', kind: 'inet-socket', namespace: '4026531840', persistence: 'process',
    state: { protocol: 'tcp', state: 'established', local: { address: '::1', port: 5432 }, remote: { address: '::1', port: 40112 }, peer: 'inet-socket:602', rqueue: '0', wqueue: '3', backlog: 128 },
  },
  'other-socket': { id: 'other-socket:701', kind: 'other-socket', namespace: '4026531840', persistence: 'process', state: { family: 'netlink', protocol: 'route' } },
  'pseudoterminal': { id: 'pseudoterminal:24:3', kind: 'pseudoterminal', name: '/dev/pts/3', persistence: 'process', state: { index: 3, foreground: 812 } },
  'memfd': { id: 'memfd:1:8000', kind: 'memfd', name: 'frames', persistence: 'process', state: { size: '1048576', allocated: '4096', seals: ['F_SEAL_SHRINK', 'F_SEAL_GROW'] } },
  'shared-mapping': { id: 'shared-mapping:2049:90', kind: 'shared-mapping', name: '/var/cache/index', persistence: 'file-system', state: { path: '/var/cache/index', mapped: '26998', deleted: true } },
  'anonymous-shared-mapping': { id: 'anonymous-shared-mapping:1:91', kind: 'anonymous-shared-mapping', persistence: 'process', state: { size: '8192' } },
  'eventfd': { id: 'eventfd:12', kind: 'eventfd', persistence: 'process', state: { count: '18446744073709551614', semaphore: true } },
  'signalfd': { id: 'signalfd:812.6', kind: 'signalfd', persistence: 'process', state: { signals: ['SIGINT', 'SIGRTMIN+1'] } },
  'timerfd': { id: 'timerfd:812.7', kind: 'timerfd', persistence: 'process', state: { clock: 'CLOCK_MONOTONIC', ticks: '2', value: '0.5', interval: '1' } },
  'epoll': { id: 'epoll:812.8', kind: 'epoll', persistence: 'process', state: { watches: [{ fd: 12, events: '0x80000019', target: 'eventfd:12' }, { fd: 13, events: '0x1' }] } },
  'inotify': { id: 'inotify:812.9', kind: 'inotify', persistence: 'process', state: { watches: [{ wd: 1, device: '8:1', inode: '77', mask: '0x300' }] } },
  'pidfd': { id: 'pidfd:812', kind: 'pidfd', persistence: 'process', state: { pid: 813 } },
  'posix-unnamed-semaphore': { id: 'futex:1:92+0', kind: 'posix-unnamed-semaphore', persistence: 'memory', state: { address: '0x7f0000003000', value: 0, waiters: 1, shared: true } },
  'condition-variable': { id: 'futex:1:92+64', kind: 'condition-variable', persistence: 'memory', state: { address: '0x7f0000003040', waiters: 2, shared: true } },
  'rwlock': { id: 'futex:1:92+128', kind: 'rwlock', persistence: 'memory', state: { address: '0x7f0000003080', readers: 3, writer: 8121, shared: true } },
  'barrier': { id: 'futex:1:92+192', kind: 'barrier', persistence: 'memory', state: { address: '0x7f00000030c0', count: 4, waiting: 3, shared: false } },
  'signal': {
    id: 'signal:812.81200', kind: 'signal', persistence: 'process',
    state: { pending: ['SIGUSR1'], blocked: ['SIGUSR1', 'SIGRTMIN'], ignored: ['SIGPIPE'], caught: ['SIGTERM'], queued: '1', limit: '62797', threads: [{ tid: 8121, pending: [], blocked: ['SIGINT'] }] },
  },
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
    version: 1, takenAt, host: { hostname: 'host', kernel: '6.12', architecture: 'x86_64', uid: 0, pid: 1, ipcNamespace: '4026531839', pidNamespace: '4026531836', bootedAt: '2026-02-28T09:00:00.000Z', clockSlack: 2000 },
    processes: parts.processes ?? [process(812, 'producer'), process(813, 'consumer')],
    objects: object ? [object] : [], handles: parts.handles ?? [], waits: parts.waits ?? [],
    findings: (parts.waits ?? []).filter(wait => wait.verdict === 'deadlocked').map(wait => ({ verdict: 'deadlocked' as const, threads: [wait], chain: [{ pid: wait.pid, tid: wait.tid, objectId: wait.objectId }], gaps: [], explanation: 'consumer (813) and producer (812) wait for each other' })),
    gaps: parts.gaps ?? [],
  };
}
