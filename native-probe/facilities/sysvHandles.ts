// Who has a System V object: attachments (kernel truth, from maps), and last operators (a trace, no proof of use).
import type { Handle, IpcObject } from '../model';
import type { Clock } from '../context';
import type { ScannedProcess } from '../processes';
import { mappingAccess } from '../processes';
import { sysvId } from './sysv';

/** `/SYSV0000002a (deleted)`, or without the mark while SHM_DEST is not set; the inode is the shmid (ipc/shm.c). */
const attached = /^\/SYSV[0-9a-f]{8}(?: \(deleted\))?$/;

/** Attachments of the processes of every IPC namespace. A segment split by mprotect is one attachment. */
export function attachments(processes: readonly ScannedProcess[]): Handle[] {
  const handles: Handle[] = [];
  for (const process of processes) {
    let previousEnd: bigint | undefined, previousInode: string | undefined;
    for (const mapping of process.sharedMappings ?? []) {
      // Major 0: an anonymous device (the kernel's own tmpfs or hugetlbfs), not a file that someone called so.
      if (!attached.test(mapping.path) || mapping.device > 0xff) continue;
      const continues = mapping.offset > 0n && mapping.start === previousEnd && mapping.inode === previousInode;
      [previousEnd, previousInode] = [mapping.end, mapping.inode];
      if (continues || process.namespaces.ipc === null) continue;
      const access = mappingAccess(mapping.permissions);
      handles.push({
        objectId: sysvId('sysv-shared-memory', process.namespaces.ipc, mapping.inode), pid: process.pid, via: 'attachment',
        address: `0x${mapping.start.toString(16)}`, ...(access === undefined ? {} : { access }),
      });
    }
  }
  return handles;
}

interface Trace { readonly pid: number; readonly operation: string; readonly at: string | undefined }

/** Of most objects nothing but that nobody did anything with them. */
const known = new WeakMap<IpcObject, readonly Trace[]>();
const none: readonly Trace[] = [];

/** Who did the last operations, where somebody did (0: nobody, or out of sight), and when. */
function tracesOf(object: IpcObject): readonly Trace[] {
  let its = known.get(object);
  if (!its) {
    its = traces(object).filter(({ pid, at }) => pid > 0 && at !== undefined);
    known.set(object, its = its.length === 0 ? none : its);
  }
  return its;
}

function traces(object: IpcObject): Trace[] {
  switch (object.kind) {
    case 'sysv-shared-memory': {
      const { lpid, atime = '', dtime = '' } = object.state;
      return [{ pid: lpid, operation: dtime > atime ? 'shmdt' : 'shmat', at: dtime > atime ? dtime : atime || undefined }];
    }
    case 'sysv-message-queue':
      return [{ pid: object.state.lspid, operation: 'msgsnd', at: object.state.stime }, { pid: object.state.lrpid, operation: 'msgrcv', at: object.state.rtime }];
    case 'sysv-semaphore-set': {
      // The set has one time for all its semaphores: an upper bound for each.
      const pids = new Set((object.state.sems ?? []).map(sem => sem.pid ?? 0));
      return [...pids].map(pid => ({ pid, operation: 'semop', at: object.state.otime }));
    }
    default: return [];
  }
}

/** Last operators that live and started before that operation: only then is the PID surely theirs. The probe never counts. */
export function lastOperations(objects: readonly IpcObject[], processes: ReadonlyMap<number, ScannedProcess>, clock: Clock, probePid: number): Handle[] {
  const handles: Handle[] = [];
  for (const object of objects) {
    for (const { pid, operation, at } of tracesOf(object)) {
      const process = pid === probePid ? undefined : processes.get(pid);
      if (process && startedBefore(clock, process.startTime, at)) handles.push({ objectId: object.id, pid, via: 'last-operation', operation });
    }
  }
  return handles;
}

/** System V times have whole seconds: within the same second the process counts as the earlier. */
export function startedBefore(clock: Clock, startTime: string, at: string | undefined): boolean {
  return at !== undefined && Math.floor(clock.startMs(startTime) / 1000) <= Date.parse(at) / 1000;
}
