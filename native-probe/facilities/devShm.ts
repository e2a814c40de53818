// POSIX shared memory objects and named semaphores: files of the tmpfs at /dev/shm (shm_overview(7), sem_overview(7)).
// glibc and musl name a semaphore's file sem.NAME and keep a sem_t in it.
import { closeSync, constants, openSync, readSync } from 'node:fs';
import type { Handle, Known, PosixSemaphore, PosixSharedMemory } from '../model';
import type { ScanContext } from '../context';
import type { OpenDescriptor } from '../descriptorIndex';
import { foreignMountNamespaces } from '../foreignNamespaces';
import { asRoot } from '../gaps';
import { descriptorAccess, mappingAccess } from '../processes';
import type { ScannedProcess } from '../processes';
import { devShmMount, openForeignDevShm } from '../kernel/foreignDevShm';
import type { ForeignDirectory } from '../kernel/foreignDevShm';
import { deviceOfMount, Mounts } from '../kernel/mounts';
import { errnoOf, isGone, lstatOf, readDirectory, splitDeleted, statOf, textOf, unescapeMapsPath } from '../kernel/procfs';
import type { Mapping, Result } from '../kernel/procfs';
import { isMapped, statMapped } from '../kernel/mappedFiles';
import { modeText } from '../kernel/sysvipc';
import type { FileStats } from '../kernel/quietStat';
import { statQuietly } from '../kernel/quietStat';
import { inodeTimes } from './inodeTimes';
import type { OtherName } from './otherNames';
import { underOtherNames } from './otherNames';
import { resourcesOf } from '../kernel/standIns';

export const devShm = '/dev/shm';
const prefix = `${devShm}/`;

export type DevShmKind = 'posix-shared-memory' | 'posix-semaphore';
const devShmKinds: readonly DevShmKind[] = ['posix-shared-memory', 'posix-semaphore'];
type DevShmObject = PosixSharedMemory | PosixSemaphore;

/** Which of the two a file is. The name decides, as it does for libc. */
export function devShmKind(fileName: string): DevShmKind {
  return fileName.startsWith('sem.') ? 'posix-semaphore' : 'posix-shared-memory';
}
export function devShmId(fileName: string, stats: { dev: number; ino: number | string }): string {
  return `${devShmKind(fileName)}:${stats.dev}:${stats.ino}`;
}
/** The /name that shm_open or sem_open takes, of the file's name. */
function ipcName(fileName: string): string {
  return `/${textOf(devShmKind(fileName) === 'posix-semaphore' ? fileName.slice('sem.'.length) : fileName)}`;
}

export async function collectDevShm(context: ScanContext): Promise<{ objects: DevShmObject[]; handles: Handle[] }> {
  const found: Found = { objects: new Map(), namespaces: new Map() };
  const names = readDirectory(devShm);
  const device = statOf(devShm).value?.dev;
  if (names.value === undefined || device === undefined) {
    for (const facility of devShmKinds) {
      context.gaps.failed({ facility, field: 'list' }, `cannot list ${devShm}`, names.errno ?? 'ENOENT', names.errno === 'ENOENT' ? `mount a tmpfs at ${devShm}` : undefined);
    }
  } else {
    found.namespaces.set(device, context.host.mntNamespace ?? null);
    await fromDirectory(context, found, devShm, device, names.value);
  }
  await fromForeignMountNamespaces(context, found);
  const handles: Handle[] = [];
  // Descriptors first: they tell more of an unlinked object than its mappings.
  for (const { descriptor, fileName } of candidates(context, found)) {
    const handle = descriptorHandle(context, descriptor, fileName, found);
    if (handle) handles.push(handle);
    await context.pause();
  }
  for (const process of context.processes) {
    if (process.sharedMappings === null || process.sharedMappings.length === 0) continue;
    for (const handle of mappingHandles(context, process, process.sharedMappings, found)) handles.push(handle);
    await context.pause();
  }
  return { objects: [...found.objects.values()], handles };
}

/** Objects by id, and the mount namespace of each device that was listed. */
interface Found { readonly objects: Map<string, DevShmObject>; readonly namespaces: Map<number, Known<string>> }

async function fromDirectory(context: ScanContext, { objects, namespaces }: Found, directory: string, device: number, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const path = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name, 'latin1')]);
    const stats = lstatOf(path).value;
    // Directories, links and other file systems mounted below are not what shm_open makes.
    if (stats?.isFile() && stats.dev === device && context.concerns(devShmId(name, stats))) objects.set(devShmId(name, stats), describe(context, name, stats, namespaces.get(device) ?? null, () => readSemaphoreFile(path)));
    await context.pause();
  }
}

/** Each other /dev/shm once, however many mount namespaces share it: services of one machine usually share the machine's. */
async function fromForeignMountNamespaces(context: ScanContext, found: Found): Promise<void> {
  const mounts = Mounts.ofPass(context.processes);
  for (const [namespace, inside] of foreignMountNamespaces(context)) {
    const process = inside.find(it => mounts.seesFromRoot(it));
    const mount = process && devShmMount(mounts.of(process));
    if (!process || !mount || found.namespaces.has(mount.device)) continue;
    const opened: Result<ForeignDirectory> = mount.hangs === undefined ? openForeignDevShm(process.pid, mount.device) : { errno: 'EOPNOTSUPP' };
    const names = opened.value ? readDirectory(opened.value.path) : opened;
    try {
      if (opened.value && names.value !== undefined) {
        found.namespaces.set(mount.device, namespace);
        await fromDirectory(context, found, opened.value.path, mount.device, names.value);
      } else if (!isGone(names.errno) && names.errno !== 'ESTALE') {
        const who = `${devShm} of pid ${process.pid} (${process.comm}${process.container === undefined ? '' : `, ${process.container}`})`;
        for (const facility of devShmKinds) {
          if (mount.hangs === undefined) context.gaps.failed({ facility, namespace }, `cannot list ${who}`, names.errno ?? '', asRoot);
          else context.gaps.add({ facility, namespace }, `${who} is not listed: the way there leads over ${mount.hangs}, which may hang`, { remedy: 'run the probe inside that container' });
        }
      }
    } finally {
      opened.value?.close();
    }
  }
}

/** By the path that libc opens, or by another one of a /dev/shm that was listed. */
function* candidates(context: ScanContext, { namespaces }: Found): Generator<OtherName> {
  for (const descriptor of context.descriptors.of('devShm')) if (descriptor.target.lastIndexOf('/') < prefix.length) yield { descriptor, fileName: descriptor.target.slice(prefix.length) };
  yield* underOtherNames(context, Mounts.ofPass(context.processes), mount => mount.point !== devShm && mount.type === 'tmpfs' && namespaces.has(deviceOfMount(mount)));
}

function descriptorHandle(context: ScanContext, { process, fd }: OpenDescriptor, fileName: string, { objects, namespaces }: Found): Handle | undefined {
  const stats = statQuietly(`${resourcesOf(process.pid)}/fd/${fd}`).value;
  if (!stats?.isFile() || !isDevShm(context, namespaces, stats.dev)) return undefined;
  const name = stats.nlink === 0 ? splitDeleted(fileName).path : fileName;
  const id = devShmId(name, stats);
  if (!objects.has(id)) objects.set(id, describe(context, name, stats, namespaces.get(stats.dev) ?? process.namespaces.mnt, () => ({ errno: 'ENOENT' })));
  const access = descriptorAccess(process.pid, fd);
  return { objectId: id, pid: process.pid, via: 'descriptor', fd, ...(access === undefined ? {} : { access }) };
}

/** Whether a device is a /dev/shm's: one that was listed, or another tmpfs, or one that is mounted nowhere any more. Something else may be mounted there. */
function isDevShm(context: ScanContext, namespaces: Found['namespaces'], device: number): boolean {
  return namespaces.has(device) || ['tmpfs', 'ramfs', undefined].includes(Mounts.ofPass(context.processes).typeOfDevice(device));
}

function mappingHandles(context: ScanContext, process: ScannedProcess, mappings: readonly Mapping[], found: Found): Handle[] {
  const handles: Handle[] = [];
  for (const mapping of mappings) {
    const id = idOfMapping(context, process, mapping, found);
    if (id === undefined) continue;
    const access = mappingAccess(mapping.permissions);
    handles.push({ objectId: id, pid: process.pid, via: 'mapping', address: `0x${mapping.start.toString(16)}`, ...(access === undefined ? {} : { access }) });
  }
  return handles;
}

function fileNameOf(path: string, deleted: boolean): string {
  return (deleted ? splitDeleted(path).path : path).slice(prefix.length);
}

/** One that was listed, by device and inode, mapped under another path. */
function underOtherPath({ objects, namespaces }: Found, { device, inode }: Mapping): string | undefined {
  return namespaces.has(device) ? devShmKinds.map(kind => `${kind}:${device}:${inode}`).find(id => objects.has(id)) : undefined;
}

/** An object that is mapped: known by its listing, or else unlinked (or in another mount namespace), and described by the mapping alone. */
function idOfMapping(context: ScanContext, process: ScannedProcess, mapping: Mapping, found: Found): string | undefined {
  if (!mapping.path.startsWith(prefix) || mapping.path.lastIndexOf('/') >= prefix.length) return underOtherPath(found, mapping);
  const { objects, namespaces } = found;
  const path = unescapeMapsPath(mapping.path);
  const identity = { dev: mapping.device, ino: mapping.inode };
  for (const name of [fileNameOf(path, false), fileNameOf(path, true)]) {
    const id = devShmId(name, identity);
    if (objects.has(id)) return id;
  }
  if (!isDevShm(context, namespaces, mapping.device)) return undefined;
  const name = fileNameOf(path, true);
  const id = devShmId(name, identity);
  const namespace = namespaces.get(mapping.device) ?? process.namespaces.mnt;
  const stats = statMapped(process.pid, mapping);
  if (stats.value && String(stats.value.ino) === mapping.inode) {
    objects.set(id, describe(context, name, stats.value, namespace, () => ({ errno: 'ENOENT' })));
  } else {
    if (isGone(stats.errno) && !isMapped(process.pid, mapping)) return undefined;
    context.gaps.failed({ objectId: id, field: 'state' }, `${ipcName(name)} is mapped by pid ${process.pid} (${process.comm}), but its name is gone or in another mount namespace`, stats.errno ?? 'ESTALE', asRoot);
    objects.set(id, unknownObject(name, id, namespace));
  }
  return id;
}

function unknownObject(fileName: string, id: string, namespace: Known<string>): DevShmObject {
  const common = { id, name: ipcName(fileName), namespace, persistence: 'kernel' as const, owner: null };
  return devShmKind(fileName) === 'posix-semaphore'
    ? { ...common, kind: 'posix-semaphore', state: { value: null, waiters: null, unlinked: true } }
    : { ...common, kind: 'posix-shared-memory', state: { size: null, allocated: null, unlinked: true } };
}

function describe(context: ScanContext, fileName: string, stats: FileStats, namespace: Known<string>, readSemaphore: () => Result<Buffer>): DevShmObject {
  const id = devShmId(fileName, stats);
  const unlinked = stats.nlink === 0 ? { unlinked: true as const } : {};
  const common = {
    id, name: ipcName(fileName), namespace, persistence: 'kernel' as const,
    owner: { uid: stats.uid, gid: stats.gid, mode: modeText(stats.mode & 0o7777) }, ...inodeTimes(stats),
  };
  if (devShmKind(fileName) === 'posix-shared-memory') {
    return { ...common, kind: 'posix-shared-memory', state: { size: String(stats.size), allocated: String(stats.blocks * 512), ...unlinked } };
  }
  const content = readSemaphore();
  const semaphore = content.value && parseSemaphore(content.value);
  if (!semaphore) {
    const what = `cannot read the value of semaphore ${ipcName(fileName)}`;
    if (content.errno === undefined) context.gaps.add({ objectId: id, field: 'value' }, `${what}: its file holds no sem_t`);
    else context.gaps.failed({ objectId: id, field: 'value' }, what, content.errno, 'run the probe as its owner, or as root');
  }
  return { ...common, kind: 'posix-semaphore', state: { ...(semaphore ?? { value: null, waiters: null }), ...unlinked } };
}

/** sem_t (64-bit): value in the low, waiters in the high 32 bits (glibc nptl/internaltypes.h; musl __val[0], __val[1]). */
export function parseSemaphore(bytes: Buffer): { value: number; waiters: number } | undefined {
  return bytes.length < 8 ? undefined : { value: bytes.readUInt32LE(0) & 0x7fffffff, waiters: bytes.readUInt32LE(4) };
}

/** O_NOATIME, which only the owner (or CAP_FOWNER) may ask for: looking must not change the access time. */
const O_NOATIME = 0o1000000;

/** The start of a semaphore's file, without leaving a trace in its times. */
export function readSemaphoreFile(path: string | Buffer): Result<Buffer> {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | O_NOATIME);
    try {
      const bytes = Buffer.alloc(32);
      return { value: bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0)) };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return { errno: errnoOf(error) };
  }
}
