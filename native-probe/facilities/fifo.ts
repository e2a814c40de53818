// FIFOs (fifo(7)): files whose type only stat(2) tells, and a stat may hang on a network file system. So the mount table
// decides first; then the name is looked up on a file system that is known to be local; and only a descriptor that is a
// FIFO by name, or whose name leads nowhere, is looked at itself, after its own mount (fdinfo's mnt_id) was found local.
import type { Fifo, Handle } from '../model';
import type { ScanContext } from '../context';
import type { OpenDescriptor } from '../descriptorIndex';
import { descriptorAccess } from '../processes';
import type { ScannedProcess } from '../processes';
import { parseCommon, readFdinfo } from '../kernel/fdinfo';
import { classOfFileSystem, isFifoByName, Mounts } from '../kernel/mounts';
import { splitDeleted, textOf } from '../kernel/procfs';
import { statQuietly } from '../kernel/quietStat';
import { modeText } from '../kernel/sysvipc';
import { inodeTimes } from './inodeTimes';
import { endOf, gapOfContents } from './pipe';
import { resourcesOf } from '../kernel/standIns';

type Judgement = 'no' | 'look' | 'skipped';

export async function collectFifos(context: ScanContext): Promise<{ objects: Fifo[]; handles: Handle[] }> {
  const objects = new Map<string, Fifo>();
  const handles: Handle[] = [];
  const mounts = Mounts.ofPass(context.processes);
  // By mount namespace and name: names are the same strings as in the last pass, which makes them quick to look up.
  const judged = new Map<string, Map<string, Judgement>>();
  let looked = 0;
  const skipped = new Set<string>();
  const own = context.processes.find(({ pid }) => pid === context.host.pid)?.namespaces.mnt ?? undefined;
  for (const descriptor of [...context.descriptors.of('path'), ...context.descriptors.of('devShm')]) {
    const { process, target } = descriptor;
    // One answer for all that have the same name in the same mount namespace: log files, libraries, terminals.
    const names = mounts.seesFromRoot(process) ? namesIn(judged, process) : undefined;
    let judgement = names?.get(target);
    if (judgement === undefined) {
      judgement = judge(mounts, own, process, target);
      names?.set(target, judgement);
    }
    if (judgement === 'look') judgement = look(mounts, descriptor, objects, handles);
    if (judgement === 'skipped') skipped.add(target);
    if ((++looked & 15) === 0) await context.pause();
  }
  if (skipped.size > 0) {
    const example = [...skipped][0] ?? '';
    context.gaps.add({ facility: 'fifo', field: 'list' }, `whether ${skipped.size} open files (${textOf(example)}${skipped.size > 1 ? ', …' : ''}) are FIFOs was not looked at: they are on network or user-space file systems, or unmounted ones, where a look may hang`);
  }
  if (objects.size > 0) gapOfContents(context, 'fifo');
  return { objects: [...objects.values()], handles };
}

function namesIn(judged: Map<string, Map<string, Judgement>>, { pid, namespaces: { mnt } }: ScannedProcess): Map<string, Judgement> {
  const where = mnt ?? `pid ${pid}`;
  let names = judged.get(where);
  if (!names) judged.set(where, names = new Map<string, Judgement>());
  return names;
}

/** By mount table and name: is it surely no FIFO, must its descriptor be looked at, or may it not be looked at at all? */
function judge(mounts: Mounts, own: string | undefined, process: ScannedProcess, target: string): Judgement {
  if (!mounts.seesFromRoot(process)) return 'look';
  const mount = mounts.of(process).at(target);
  const its = mount === undefined ? 'unknown' : classOfFileSystem(mount.type);
  if (its === 'none') return 'no';
  // A name on a remote mount may belong to a deleted or unmounted file elsewhere: the descriptor's own mount decides. So it does where the way
  // there leads over such a mount: finding the name could wait for it.
  if (its === 'unknown' || mounts.of(process).onTheWay(target).some(({ type }) => classOfFileSystem(type) === 'unknown' || type === 'autofs')) return 'look';
  // Through its root directory where the name means something else here.
  const prefix = own !== undefined && own === process.namespaces.mnt ? '' : `${resourcesOf(process.pid)}/root`;
  return isFifoByName(Buffer.from(prefix + target, 'latin1')) === false ? 'no' : 'look';
}

/** Looks at the descriptor itself, if its own mount is known to be local. */
function look(mounts: Mounts, { process, fd, target }: OpenDescriptor, objects: Map<string, Fifo>, handles: Handle[]): Judgement {
  const { mount: mountId } = parseCommon(readFdinfo(process.pid, fd).value ?? '');
  if (mountId === undefined) return 'no'; // closed in between
  const mount = mounts.byId(mountId, process)?.mount;
  // Files of the kernel's own mounts (message queues, System V segments, …) have no directory in their name.
  if (!mount && target.lastIndexOf('/') !== 0) return 'skipped';
  const its = mount ? classOfFileSystem(mount.type) : 'local';
  if (its !== 'local') return its === 'none' ? 'no' : 'skipped';
  const stats = statQuietly(`${resourcesOf(process.pid)}/fd/${fd}`).value;
  const access = stats?.isFIFO() ? descriptorAccess(process.pid, fd) : undefined;
  if (!stats || access === undefined) return 'no';
  const id = `fifo:${stats.dev}:${stats.ino}`;
  if (!objects.has(id)) {
    const unlinked = stats.nlink === 0;
    const path = textOf(unlinked ? splitDeleted(target).path : target);
    objects.set(id, {
      id, kind: 'fifo', name: path, persistence: 'process',
      owner: { uid: stats.uid, gid: stats.gid, mode: modeText(stats.mode & 0o7777) }, ...inodeTimes(stats),
      state: { path, unread: null, capacity: null, ...(unlinked ? { unlinked: true as const } : {}) },
    });
  }
  handles.push({ objectId: id, pid: process.pid, via: 'descriptor', fd, access, end: endOf(access) });
  return 'look';
}
