// From the id of shared memory to the ways by which it can be looked at now: its own file, a process that maps it, a borrowed descriptor.
// Ways are remembered between requests and proved again at each: the same process, the same object behind the mapping.
import { closeSync } from 'node:fs';
import type { CollectedKind, Handle, IpcObject, ObjectOf, Snapshot } from './model';
import { errnoInWords, remedyFor } from './gaps';
import { devShmFile, devShmPath } from './facilities/removal';
import { withBorrowedDescriptor } from './kernel/borrowedDescriptor';
import { openDevShmOf } from './kernel/foreignDevShm';
import { classOfFileSystem, MountTable, parseMountinfo } from './kernel/mounts';
import type { Backing } from './kernel/pageStates';
import { isGone, parseMaps, parseStat, readLink, readText, splitDeleted, statOf, unescapeMapsPath } from './kernel/procfs';
import type { Mapping } from './kernel/procfs';
import type { MappedPiece, OpenMemory } from './kernel/sharedPages';
import { memoryOfFile, memoryOfMappings, openMapped, openQuietly } from './kernel/sharedPages';
import { takeSnapshot } from './snapshot';
import { resourcesOf } from './kernel/standIns';

/** Kinds whose bytes can be shown as memory. */
export const memoryKinds = ['sysv-shared-memory', 'posix-shared-memory', 'memfd', 'shared-mapping', 'anonymous-shared-mapping'] as const satisfies readonly CollectedKind[];
export type MemoryKind = typeof memoryKinds[number];
export type MemoryObject = ObjectOf<MemoryKind>;

export function isMemory(object: IpcObject): object is MemoryObject {
  return (memoryKinds as readonly string[]).includes(object.kind);
}

/** A process that maps the object, and how its maps show it. */
interface Mapper { readonly pid: number; readonly startTime: string; readonly device: number; readonly inode: string }

/** What is known of how to get at an object. */
export interface MemorySource {
  readonly object: MemoryObject;
  readonly mappers: readonly Mapper[];
  readonly descriptors: readonly { readonly pid: number; readonly fd: number }[];
  readonly backing: Backing;
  /** Whether opening the file itself can wait for another machine or a daemon. */
  readonly mayHang: boolean;
}

export interface Unavailable { readonly form: 'unavailable'; readonly reason: string; readonly errno?: string; readonly remedy?: string }
export interface Gone { readonly form: 'gone' }
export type Opened<T> = { readonly form: 'opened'; readonly value: T } | Unavailable;

/** How an object of a snapshot can be looked at. */
export function sourceOf(object: MemoryObject, handles: readonly Handle[], snapshot: Pick<Snapshot, 'processes'>): MemorySource {
  const startTimes = new Map(snapshot.processes.map(({ pid, startTime }) => [pid, startTime]));
  const addresses = new Map<number, Set<string>>();
  const descriptors: { pid: number; fd: number }[] = [];
  for (const { objectId, pid, address, via, fd } of handles) {
    if (objectId !== object.id) continue;
    if (via === 'descriptor' && fd !== undefined) descriptors.push({ pid, fd });
    if (address !== undefined && (via === 'mapping' || via === 'attachment')) addresses.set(pid, (addresses.get(pid) ?? new Set()).add(address));
  }
  const mappers: Mapper[] = [];
  let mapping: Mapping | undefined;
  for (const [pid, starts] of addresses) {
    const startTime = startTimes.get(pid);
    const found = parseMaps(readText(`${resourcesOf(pid)}/maps`).value ?? '').find(({ start }) => starts.has(`0x${start.toString(16)}`));
    if (startTime === undefined || found === undefined) continue;
    mapping ??= found;
    mappers.push({ pid, startTime, device: found.device, inode: found.inode });
  }
  return { object, mappers, descriptors, ...fileSystemOf(object, mapping, mappers[0]?.pid) };
}

/** Where a mapped file lies; all other kinds are the kernel's own tmpfs, which is always at hand. */
function fileSystemOf(object: MemoryObject, mapping: Mapping | undefined, pid: number | undefined): { backing: Backing; mayHang: boolean } {
  if (object.kind !== 'shared-mapping' || mapping === undefined || pid === undefined) return { backing: 'memory', mayHang: false };
  const mounts = parseMountinfo(readText(`${resourcesOf(pid)}/mountinfo`).value ?? '');
  const device = `${Math.floor(mapping.device / 0x100) % 0x1000}:${(mapping.device & 0xff) + Math.floor(mapping.device / 0x100000) * 0x100}`;
  const type = (mounts.find(mount => mount.device === device) ?? new MountTable(mounts).at(splitDeleted(unescapeMapsPath(mapping.path)).path))?.type;
  if (type === 'tmpfs' || type === 'ramfs' || type === 'hugetlbfs') return { backing: 'memory', mayHang: false };
  return { backing: 'disk', mayHang: type === undefined || classOfFileSystem(type) === 'unknown' };
}

const noneReason: Readonly<Record<MemoryKind, string>> = {
  'sysv-shared-memory': 'no process that can be read has it attached, and attaching it to look would change its times and last user',
  'anonymous-shared-mapping': 'no process that can be read maps it',
  'shared-mapping': 'no process that can be read maps it',
  'memfd': 'no process that can be read maps it or has it open',
  'posix-shared-memory': 'it cannot be read without changing its access time, and no process that maps it can be read',
};

function unavailable(reason: string, errno?: string): Unavailable {
  const remedy = errno === undefined ? undefined : remedyFor(errno);
  return { form: 'unavailable', reason: errno === undefined ? reason : `${reason}: ${errnoInWords(errno)}`, ...(errno === undefined ? {} : { errno }), ...(remedy === undefined ? {} : { remedy }) };
}

/** The parts that a mapper maps now; none when it is another process by now, or maps the object no more. */
function piecesOf({ pid, startTime, device, inode }: Mapper): MappedPiece[] {
  if (parseStat(readText(`/proc/${pid}/stat`).value ?? '')?.startTime !== startTime) return [];
  return parseMaps(readText(`${resourcesOf(pid)}/maps`).value ?? '').flatMap(({ permissions, start, end, offset, ...its }) =>
    permissions[3] === 's' && its.device === device && its.inode === inode ? [{ pid, start, end, offset }] : []);
}

/** So many processes are asked for what they map: one suffices where the file itself can be opened, and each further one adds little. */
const mostMappers = 16;

/** Opens the memory, does one synchronous piece of work with it, and closes it. */
export function withMemory<T>(source: MemorySource, work: (memory: OpenMemory) => T): Opened<T> {
  const { object, backing } = source;
  const use = (memory: OpenMemory): Opened<T> => {
    try { return { form: 'opened', value: work(memory) }; } finally { memory.close(); }
  };
  const fd = ownFile(object);
  if (fd !== undefined) return use(memoryOfFile(fd, 'memory'));
  const pieces: MappedPiece[] = [];
  let tried = 0, refused = false;
  for (const mapper of source.mappers) {
    const its = piecesOf(mapper);
    if (its.length === 0) continue;
    pieces.push(...its);
    const [first] = its;
    if (first !== undefined && !refused && !source.mayHang) {
      const opened = openMapped(first, object.kind !== 'shared-mapping');
      if (opened.value !== undefined) {
        if (isSame(opened.value, mapper, object)) return use(memoryOfFile(opened.value, backing));
        closeSync(opened.value);
      } else refused = !isGone(opened.errno);
    }
    if (++tried === mostMappers) break;
  }
  if (pieces.length > 0) {
    const [size, allocated] = sizesOf(source);
    const through = memoryOfMappings(pieces, size, allocated);
    if (through.value) return use(through.value);
    if (object.kind !== 'memfd') return unavailable('the memory of the processes that map it cannot be read', through.errno);
  }
  if (object.kind === 'memfd') {
    let errno: string | undefined;
    for (const { pid, fd: number } of source.descriptors.slice(0, mostMappers)) {
      const target = readLink(`${resourcesOf(pid)}/fd/${number}`).value;
      // Borrowed for this piece of work alone: it is the borrower that closes it.
      const got = target === undefined ? { errno: 'ENOENT' } : withBorrowedDescriptor(pid, number, target, borrowed => work({ ...memoryOfFile(borrowed, 'memory'), close: () => undefined }));
      if (got.errno === undefined) return { form: 'opened', value: got.value };
      errno = got.errno;
    }
    if (errno !== undefined) return unavailable('its descriptors cannot be borrowed', errno);
  }
  return unavailable(noneReason[object.kind]);
}

/** The open file of a POSIX object under its name, in its own mount namespace, if it is still that object and may be opened without a trace. */
function ownFile(object: MemoryObject): number | undefined {
  if (object.kind !== 'posix-shared-memory' || object.state.unlinked) return undefined;
  const foreign = object.namespace != null && readLink('/proc/self/ns/mnt').value !== `mnt:[${object.namespace}]`;
  const directory = foreign ? openDevShmOf(object.namespace ?? '', Number(object.id.split(':')[1])).value : undefined;
  if (foreign && directory === undefined) return undefined;
  try {
    const opened = openQuietly(directory === undefined ? devShmPath(object) : Buffer.concat([Buffer.from(`${directory.path}/`), devShmFile(object)])).value;
    if (opened === undefined) return undefined;
    const stats = statOf(`/proc/self/fd/${opened}`).value;
    if (stats && object.id.endsWith(`:${stats.dev}:${stats.ino}`)) return opened;
    closeSync(opened);
    return undefined;
  } finally {
    directory?.close();
  }
}

/** Whether a file opened through map_files is the object: between reading maps and opening, something else may have been mapped there. */
function isSame(fd: number, { inode }: Mapper, object: MemoryObject): boolean {
  const stats = statOf(`/proc/self/fd/${fd}`).value;
  return stats !== undefined && String(stats.ino) === inode && (object.kind !== 'memfd' || object.id.endsWith(`:${stats.dev}:${stats.ino}`));
}

/** Size and allocation where only page tables can be read: from a descriptor's link, from the name, or as the snapshot had it. */
function sizesOf({ object, descriptors }: MemorySource): [number | null, number | null] {
  // In another mount namespace it is another file's name: identity is compared below.
  const path = object.kind === 'posix-shared-memory' && !object.state.unlinked ? devShmPath(object) : undefined;
  for (const place of [...(path === undefined ? [] : [path]), ...(object.kind === 'memfd' || object.kind === 'posix-shared-memory' ? descriptors.slice(0, mostMappers).map(({ pid, fd }) => `${resourcesOf(pid)}/fd/${fd}`) : [])]) {
    const stats = statOf(place).value;
    if (stats && object.id.endsWith(`:${stats.dev}:${stats.ino}`)) return [stats.size, stats.blocks * 512];
  }
  const { state } = object;
  const size = 'segsz' in state ? state.segsz : 'mapped' in state ? state.mapped : state.size;
  const allocated = 'allocated' in state ? state.allocated : 'rss' in state && state.rss !== null && state.swap !== null ? String(Number(state.rss) + Number(state.swap)) : null;
  return [size === null ? null : Number(size), allocated === null ? null : Number(allocated)];
}

/** How many objects' ways are remembered: those in open panels. */
const mostRemembered = 16;

/** The ways to the objects that a client looks at. One for each connection. */
export class MemorySources {
  private readonly known = new Map<string, MemorySource>();

  /** Opens an object and does one synchronous piece of work with it. Asks for a snapshot only where the way is not known or no longer leads there. */
  async with<T>(id: string, isCancelled: () => boolean, work: (memory: OpenMemory) => T): Promise<Opened<T> | Gone> {
    const known = this.known.get(id);
    if (known !== undefined) {
      const opened = withMemory(known, work);
      if (opened.form === 'opened') return opened;
      this.known.delete(id);
    }
    const source = await resolve(id, isCancelled);
    if (source.form !== 'source') return source;
    const opened = withMemory(source.source, work);
    if (opened.form === 'opened') this.remember(id, source.source);
    return opened;
  }

  private remember(id: string, source: MemorySource): void {
    this.known.set(id, source);
    for (const oldest of this.known.keys()) { if (this.known.size <= mostRemembered) break; this.known.delete(oldest); }
  }
}

async function resolve(id: string, isCancelled: () => boolean): Promise<{ form: 'source'; source: MemorySource } | Unavailable | Gone> {
  const kind = memoryKinds.find(each => id.startsWith(`${each}:`));
  if (kind === undefined) return unavailable('it is no memory');
  const snapshot = await takeSnapshot({ kinds: [kind], isCancelled });
  const object = snapshot.objects.find(each => each.id === id);
  if (object === undefined || !isMemory(object)) {
    // Where the kind itself could not be listed, its absence proves nothing.
    const gap = snapshot.gaps.find(({ scope }) => scope.objectId === undefined && scope.pid === undefined && scope.facility === kind && scope.field === undefined);
    if (gap === undefined && kind !== 'sysv-shared-memory' && snapshot.gaps.some(({ scope }) => scope.facility === 'processes' && scope.pid !== undefined)) {
      return { form: 'unavailable', reason: 'it is gone, or only processes that may not be read have it', errno: 'EACCES', ...(remedyFor('EACCES') === undefined ? {} : { remedy: remedyFor('EACCES') }) };
    }
    return gap === undefined ? { form: 'gone' } : { form: 'unavailable', reason: gap.reason, ...(gap.errno === undefined ? {} : { errno: gap.errno }), ...(gap.remedy === undefined ? {} : { remedy: gap.remedy }) };
  }
  return { form: 'source', source: sourceOf(object, snapshot.handles, snapshot) };
}
