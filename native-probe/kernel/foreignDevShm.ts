// /dev/shm of other mount namespaces, reached through /proc/PID/root: only where the mount table says that the way there
// and the directory itself are on file systems that cannot hang, and what is opened proves to be that very tmpfs.
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { classOfFileSystem, deviceOfMount, MountTable, parseMountinfo } from './mounts';
import type { Result } from './procfs';
import { errnoOf, isGone, numericEntries, readLink, readText } from './procfs';
import { resourcesOf } from './standIns';

const point = '/dev/shm';

export interface DevShmMount {
  readonly device: number;
  /** Why it must not be walked to: the type of a file system on the way that may hang. */
  readonly hangs?: string;
}

/** The tmpfs mounted at /dev/shm in a mount table; undefined when there is none. Pure. */
export function devShmMount(table: MountTable): DevShmMount | undefined {
  const mount = table.mountedAt(point);
  if (mount?.type !== 'tmpfs') return undefined;
  const above = ['/', '/dev'].map(path => table.at(path)?.type ?? 'an unknown file system').find(type => classOfFileSystem(type) !== 'local');
  return { device: deviceOfMount(mount), ...(above === undefined ? {} : { hangs: above }) };
}

export interface ForeignDirectory {
  /** Leads to the directory as long as it is not closed, whatever becomes of the process. */
  readonly path: string;
  readonly device: number;
  close(): void;
}

/** Opens /dev/shm as a process sees it. ESTALE when it is not the expected file system: the mount, or the PID, is another by now. */
export function openForeignDevShm(pid: number, device: number): Result<ForeignDirectory> {
  let fd: number;
  try {
    fd = openSync(`${resourcesOf(pid)}/root${point}`, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    return { errno: errnoOf(error) };
  }
  if (fstatSync(fd).dev !== device) {
    closeSync(fd);
    return { errno: 'ESTALE' };
  }
  return { value: { path: `/proc/self/fd/${fd}`, device, close: () => { closeSync(fd); } } };
}

/**
 * The directory of that device at /dev/shm in a mount namespace, by its number: by way of any process that is in it and has
 * that namespace's root directory. ESRCH when there is none any more.
 */
export function openDevShmOf(namespace: string, device: number): Result<ForeignDirectory> {
  let refused: string | undefined;
  for (const pid of numericEntries('/proc').value ?? []) {
    if (readLink(`${resourcesOf(pid)}/ns/mnt`).value !== `mnt:[${namespace}]` || readLink(`${resourcesOf(pid)}/root`).value !== '/') continue;
    const mount = devShmMount(new MountTable(parseMountinfo(readText(`${resourcesOf(pid)}/mountinfo`).value ?? '')));
    if (mount?.device !== device) continue;
    if (mount.hangs !== undefined) return { errno: 'EOPNOTSUPP' };
    const opened = openForeignDevShm(pid, device);
    if (opened.value) return opened;
    if (!isGone(opened.errno)) refused ??= opened.errno;
  }
  return { errno: refused ?? 'ESRCH' };
}
