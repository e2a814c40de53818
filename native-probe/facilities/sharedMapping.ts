// Shared mappings (mmap(2), MAP_SHARED): of files, and anonymous ones, which are the kernel's own files without a name. Everything is
// told by /proc/PID/maps, which the pass has read: no file is looked at, for it may be on a file system that hangs.
import type { ScanContext } from '../context';
import type { AnonymousSharedMapping, Handle, SharedMapping } from '../model';
import type { ScannedProcess } from '../processes';
import { mappingAccess } from '../processes';
import type { Mapping } from '../kernel/procfs';
import { textOf, unescapeMapsPath } from '../kernel/procfs';
import { pathOf } from './deletedNames';

export type MappingKind = 'shared-mapping' | 'anonymous-shared-mapping' | 'memfd';

/** Major 0: a device without hardware, such as the kernel's own tmpfs and hugetlbfs. A disk's file of that name is not meant. */
const isKernels = (mapping: Mapping): boolean => Math.floor(mapping.device / 0x100) % 0x1000 === 0;

/** The kernel's own tmpfs: the first device without hardware, on every machine 00:01. */
const kernelTmpfs = 1;

/** MAP_ANONYMOUS (mm/shmem.c, shmem_zero_setup), and the same of huge pages (fs/hugetlbfs/inode.c). */
const anonymousPaths: ReadonlySet<string> = new Set(['/dev/zero (deleted)', '/anon_hugepage (deleted)']);

/** What no program shares on purpose by mapping it, or what is another facility's: devices, pseudo files, POSIX objects. */
const notFiles = /^\/(?:dev\/(?!hugepages)|proc\/|sys\/)/;

/** Which kind a shared mapping is; undefined for what is no memory, or belongs to another facility (System V, POSIX). */
export function mappingKind(mapping: Mapping): MappingKind | undefined {
  const { path } = mapping;
  if (!path.startsWith('/')) return undefined; // anon_inode:[…], socket:[…]
  if (path.endsWith(' (deleted)') && isKernels(mapping)) {
    if (anonymousPaths.has(path)) return 'anonymous-shared-mapping';
    if (path.startsWith('/memfd:')) return 'memfd';
  }
  // What else is on the kernel's own tmpfs are System V segments and buffers of drivers.
  return mapping.device === kernelTmpfs || notFiles.test(path) ? undefined : 'shared-mapping';
}

/** Id of a mapped object; `device` as maps gives it, which is stat(2)'s except on btrfs and overlayfs. */
export function mappingId(kind: MappingKind, { device, inode }: Pick<Mapping, 'device' | 'inode'>): string {
  return `${kind}:${device}:${inode}`;
}

export interface SharedPiece {
  readonly kind: MappingKind;
  readonly mapping: Mapping;
  readonly objectId: string;
  /** Absent for a piece that continues the one before it in memory and file. */
  readonly handle?: Handle;
}

/** The shared mappings of the given kinds. A mapping in pieces (mremap, mprotect and back) has one handle. */
export function* mappingsOf(process: ScannedProcess, kinds: ReadonlySet<MappingKind>): Generator<SharedPiece> {
  let before: SharedPiece | undefined;
  for (const mapping of process.sharedMappings ?? []) {
    const kind = mappingKind(mapping);
    if (kind === undefined || !kinds.has(kind)) continue;
    const objectId = mappingId(kind, mapping);
    const continues = before?.objectId === objectId && continuation(before.mapping, mapping);
    const access = mappingAccess(mapping.permissions);
    before = continues ? { kind, mapping, objectId } : {
      kind, mapping, objectId,
      handle: { objectId, pid: process.pid, via: 'mapping', address: `0x${mapping.start.toString(16)}`, ...(access === undefined ? {} : { access }) },
    };
    yield before;
  }
}

function continuation(before: Mapping, next: Mapping): boolean {
  return before.end === next.start && before.permissions === next.permissions && before.offset + (before.end - before.start) === next.offset;
}

const kinds: ReadonlySet<MappingKind> = new Set(['shared-mapping', 'anonymous-shared-mapping'] as const);

/** Shared file mappings and shared anonymous mappings. */
export async function collectSharedMappings(context: ScanContext): Promise<{ objects: (SharedMapping | AnonymousSharedMapping)[]; handles: Handle[] }> {
  const seen = new Map<string, { readonly process: ScannedProcess; readonly piece: SharedPiece; reaches: bigint }>();
  const handles: Handle[] = [];
  for (const process of context.processes) {
    for (const piece of mappingsOf(process, kinds)) {
      const { mapping, objectId, handle } = piece;
      const reaches = mapping.offset + (mapping.end - mapping.start);
      const known = seen.get(objectId);
      if (!known) seen.set(objectId, { process, piece, reaches });
      else if (reaches > known.reaches) known.reaches = reaches;
      if (handle) handles.push(handle);
    }
    await context.pause();
  }
  return { objects: [...seen.values()].map(({ process, piece, reaches }) => describe(context, process, piece, String(reaches))), handles };
}

function describe(context: ScanContext, process: ScannedProcess, { kind, mapping, objectId }: SharedPiece, reaches: string): SharedMapping | AnonymousSharedMapping {
  if (kind === 'anonymous-shared-mapping') return { id: objectId, kind, persistence: 'process', state: { size: reaches } };
  const { path: raw, deleted } = pathOf(context, process, unescapeMapsPath(mapping.path), mapping.inode);
  const path = textOf(raw);
  return { id: objectId, kind: 'shared-mapping', name: path, persistence: 'file-system', state: { path, mapped: reaches, ...(deleted ? { deleted } : {}) } };
}
