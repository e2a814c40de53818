// Snapshots for tests of what is drawn from them, in few words.
import type { Gap, Handle, IpcObject, Process, Snapshot, SysvSharedMemory } from '../../native-probe/model';

export const ipcns = '4026531839';

export function aProcess(pid: number, more: Partial<Process> = {}): Process {
  return { pid, startTime: String(pid * 100), ppid: 1, comm: `program-${pid}`, exe: `/bin/program-${pid}`, cmdline: [`program-${pid}`], uid: 1000, namespaces: { ipc: ipcns, pid: '1', net: '1', mnt: '1' }, state: 'S', ...more };
}

export function aSegment(shmid: number, more: Partial<Omit<SysvSharedMemory, 'state' | 'kind'>> = {}, state: Partial<SysvSharedMemory['state']> = {}): SysvSharedMemory {
  return {
    id: `sysv-shared-memory:${ipcns}:${shmid}`, kind: 'sysv-shared-memory', namespace: ipcns, persistence: 'kernel', key: '0x1234', owner: { uid: 1000, gid: 1000, mode: '0640' },
    changedAt: '2026-01-01T00:00:00.000Z',
    state: { segsz: '4096', nattch: 0, cpid: 100, lpid: 100, ctime: '2026-01-01T00:00:00.000Z', rss: '4096', swap: '0', dest: false, locked: false, ...state }, ...more,
  };
}

export function aQueue(msqid: number, qnum = '0', cbytes = '0'): IpcObject {
  return {
    id: `sysv-message-queue:${ipcns}:${msqid}`, kind: 'sysv-message-queue', namespace: ipcns, persistence: 'kernel', key: '0x0', owner: { uid: 0, gid: 0, mode: '0600' },
    state: { qnum, cbytes, qbytes: '16384', lspid: 0, lrpid: 0, ctime: '2026-01-01T00:00:00.000Z' },
  };
}

export function aSemaphore(name: string, value: number | null = 1): IpcObject {
  return { id: `posix-semaphore:20:${encodeURIComponent(name)}`, kind: 'posix-semaphore', name, persistence: 'kernel', owner: { uid: 1000, gid: 1000, mode: '0600' }, state: { value, waiters: 0 } };
}

export function attached(object: IpcObject, pid: number, address = '0x7f0000000000'): Handle {
  return { objectId: object.id, pid, via: 'attachment', address, access: 'read-write' };
}

export function aGap(id: string, reason: string, scope: Gap['scope'] = {}, remedy?: string): Gap {
  return { id, reason, scope, ...(remedy === undefined ? {} : { remedy }) };
}

export function aSnapshot(parts: Partial<Snapshot> = {}): Snapshot {
  return {
    version: 1, takenAt: '2026-01-01T00:00:00.000Z',
    host: { hostname: 'host', kernel: '6.1', architecture: 'x64', uid: 1000, pid: 99999, ipcNamespace: ipcns, pidNamespace: '1', bootedAt: '2025-12-31T00:00:00.000Z', clockSlack: 2000 },
    processes: [], objects: [], handles: [], waits: [], findings: [], gaps: [], ...parts,
  };
}
