// " (deleted)" at the end of a link or mapping (d_path(), fs/d_path.c) may be the kernel's mark, or belong to the name of a file that is there.
// The name is looked up to tell the two apart, where nothing on the way to it can hang.
import type { ScanContext } from '../context';
import type { ScannedProcess } from '../processes';
import { classOfFileSystem, Mounts } from '../kernel/mounts';
import { lstatOf, splitDeleted } from '../kernel/procfs';
import { resourcesOf } from '../kernel/standIns';

/** Path (Latin-1) of a file that a process has open or mapped, and whether it is deleted. Where the name cannot be looked up, the mark is believed. */
export function pathOf(context: Pick<ScanContext, 'processes' | 'host'>, process: ScannedProcess, raw: string, inode: string): { path: string; deleted: boolean } {
  const split = splitDeleted(raw);
  return split.deleted && leadsTo(context, process, raw, inode) ? { path: raw, deleted: false } : split;
}

function leadsTo({ processes, host }: Pick<ScanContext, 'processes' | 'host'>, { namespaces: { mnt } }: ScannedProcess, path: string, inode: string): boolean {
  if (mnt === null) return false;
  const mounts = Mounts.ofPass(processes);
  const top = mounts.topOf(mnt);
  const table = top && mounts.of(top);
  if (!table || table.onTheWay(path).some(({ type }) => classOfFileSystem(type) !== 'local')) return false;
  // Links are read from the top of a mount namespace, whatever root directory the process has.
  const prefix = mnt === host.mntNamespace ? '' : `${resourcesOf(top.pid)}/root`;
  return String(lstatOf(Buffer.from(prefix + path, 'latin1')).value?.ino) === inode;
}
