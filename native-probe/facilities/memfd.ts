// memfds (memfd_create(2)): files of the kernel's own tmpfs (or hugetlbfs), known by the descriptors and mappings of processes. A file at the
// top of an unmounted file system may have such a link, too: so nothing is asked of whoever that belongs to.
import type { ScanContext } from '../context';
import type { Handle, Memfd } from '../model';
import { descriptorAccess } from '../processes';
import type { ScannedProcess } from '../processes';
import { modeText } from '../kernel/sysvipc';
import { isGone, splitDeleted, textOf, unescapeMapsPath } from '../kernel/procfs';
import type { Mapping } from '../kernel/procfs';
import { asRoot } from '../gaps';
import { isMapped, statMapped } from '../kernel/mappedFiles';
import { mappingId, mappingsOf } from './sharedMapping';
import type { MappingKind } from './sharedMapping';
import { inodeTimes } from './inodeTimes';
import { resourcesOf } from '../kernel/standIns';
import type { FileStats } from '../kernel/quietStat';
import { statQuietly } from '../kernel/quietStat';

const prefix = '/memfd:';
const kinds: ReadonlySet<MappingKind> = new Set(['memfd'] as const);

/** Every memfd that a readable process has open or mapped. */
export async function collectMemfds(context: ScanContext): Promise<{ objects: Memfd[]; handles: Handle[] }> {
  const objects = new Map<string, Memfd>();
  const handles: Handle[] = [];
  for (const { process, fd, target } of context.descriptors.of('memfd')) {
    await context.pause();
    const stats = statQuietly(`${resourcesOf(process.pid)}/fd/${fd}`).value;
    // Without a link in any directory: else a real file is called so.
    if (!stats?.isFile() || stats.nlink !== 0) continue;
    const id = mappingId('memfd', { device: stats.dev, inode: String(stats.ino) });
    if (!context.concerns(id)) continue;
    if (!objects.has(id)) objects.set(id, describe(id, target, stats));
    const access = descriptorAccess(process.pid, fd);
    handles.push({ objectId: id, pid: process.pid, via: 'descriptor', fd, ...(access === undefined ? {} : { access }) });
  }
  for (const process of context.processes) {
    for (const { mapping, objectId, handle } of mappingsOf(process, kinds)) {
      if (!context.concerns(objectId)) continue;
      if (!objects.has(objectId)) {
        const object = onlyMapped(context, process, mapping, objectId);
        if (!object) continue; // gone, with its process or without it
        objects.set(objectId, object);
      }
      if (handle) handles.push(handle);
    }
    await context.pause();
  }
  if (objects.size > 0) context.gaps.add({ facility: 'memfd', field: 'seals' }, 'the seals of a memfd are told only by a descriptor of it, and a snapshot borrows none: read on request only (peek)', { remedy: 'peek at one of them' });
  return { objects: [...objects.values()], handles };
}

/** Nobody in sight has it open: the mapping's own entry leads to the inode (needs CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN). */
function onlyMapped(context: ScanContext, process: ScannedProcess, mapping: Mapping, id: string): Memfd | undefined {
  const path = unescapeMapsPath(mapping.path);
  const stats = statMapped(process.pid, mapping);
  if (stats.value && String(stats.value.ino) === mapping.inode) return describe(id, path, stats.value);
  if (isGone(stats.errno) && !isMapped(process.pid, mapping)) return undefined;
  context.gaps.failed({ objectId: id, field: 'state' }, `the size of a memfd that is mapped by pid ${process.pid} (${process.comm}), but that no readable process has open, is unknown`, stats.errno ?? 'ESTALE', asRoot);
  return { id, kind: 'memfd', ...nameOf(path), persistence: 'process', owner: null, state: { size: null, allocated: null, seals: null } };
}

function describe(id: string, target: string, stats: FileStats): Memfd {
  return {
    id, kind: 'memfd', ...nameOf(target), persistence: 'process',
    owner: { uid: stats.uid, gid: stats.gid, mode: modeText(stats.mode & 0o7777) }, ...inodeTimes(stats),
    state: { size: String(stats.size), allocated: String(stats.blocks * 512), seals: null },
  };
}

/** The name it was given, which is for debugging only and may be empty. */
function nameOf(target: string): { name?: string } {
  const name = textOf(splitDeleted(target).path.slice(prefix.length));
  return name === '' ? {} : { name };
}
