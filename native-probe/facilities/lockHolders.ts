// Which descriptors hold the locks of /proc/locks: the `lock:` lines of fdinfo, read for as few descriptors as tell it.
import type { ScanContext } from '../context';
import type { KernelLock } from '../kernel/fileLocks';
import { parseDescriptorLocks } from '../kernel/fileLocks';
import { parseCommon, readFdinfo } from '../kernel/fdinfo';
import { isGone, numericEntries, parseStat, readLink, readText } from '../kernel/procfs';
import { findStandIn, noStandIn, resourcesOf } from '../kernel/standIns';

/** A descriptor whose fdinfo shows locks. */
export interface LockedDescriptor {
  readonly pid: number;
  readonly fd: number;
  /** Target of its link, Latin-1. */
  readonly path: string;
  /** Opened for writing. */
  readonly writable: boolean;
  /** Id of its mount in its process's mountinfo. */
  readonly mount?: number;
  readonly locks: readonly KernelLock[];
}

export interface UnreadableProcess { readonly pid: number; readonly comm: string }

export interface HolderSearch {
  readonly found: readonly LockedDescriptor[];
  /** Processes whose descriptors may not be read. */
  readonly unreadable: readonly UnreadableProcess[];
  /** Every PID there is, those forked since the pass began too. */
  readonly pids: ReadonlySet<number>;
  /** Looks at the descriptors that were left out. */
  readonly rest: () => Promise<readonly LockedDescriptor[]>;
}

interface Candidate { readonly pid: number; readonly fd: number; readonly target: string }

/**
 * Finds the descriptors that show locks. Of all descriptors of a mount namespace with the same path only one is asked for its inode, and
 * the others only when that is a locked file's: copies of one open file description have the same path. A path may hide another
 * file (a mount over it, a descriptor passed between namespaces), so what does not add up is worth looking at the {@link HolderSearch.rest}.
 * Record locks name their process: where there are no others, only those processes are looked at. `again`: believes nothing of the
 * pass, and looks at every descriptor. `everybody`: at processes that the pass does not know, too.
 */
export async function findHolders(context: ScanContext, held: readonly KernelLock[], { again, everybody }: { again: boolean; everybody: boolean }): Promise<HolderSearch> {
  const unreadable: UnreadableProcess[] = [];
  const candidates: Candidate[] = [];
  const scanned = new Map(context.processes.map(process => [process.pid, process]));
  // Listed anew: a process that was forked since the pass began may share a description.
  const pids = numericEntries('/proc').value ?? [];
  const alive = new Set(pids);
  const owners = !again && held.every(lock => lock.kind === 'POSIX' && alive.has(lock.pid)) ? new Set(held.map(lock => lock.pid)) : undefined;
  for (const pid of pids) {
    const process = scanned.get(pid);
    if (process?.kernelThread || owners?.has(pid) === false || (!process && !everybody)) continue;
    const descriptors = again || !process ? openFiles(pid) : process.descriptors;
    if (descriptors === null) unreadable.push({ pid, comm: process?.comm ?? parseStat(readText(`/proc/${pid}/stat`).value ?? '')?.comm ?? 'name unknown' });
    else for (const { fd, target } of descriptors) if (target.startsWith('/')) candidates.push({ pid, fd, target });
    await context.pause();
  }
  const found: LockedDescriptor[] = [];
  const left: Candidate[] = [];
  if (again) {
    found.push(...await readAll(context, candidates));
  } else {
    const inodes = new Set(held.map(lock => lock.inode));
    for (const group of byPath(candidates, pid => scanned.get(pid)?.namespaces.mnt ?? `pid ${pid}`)) {
      if (group.length > 1 && !mayBeLocked(group, inodes)) left.push(...group);
      else found.push(...await readAll(context, group));
      await context.pause();
    }
  }
  return { found, unreadable, pids: alive, rest: () => readAll(context, left.splice(0)) };
}

/** Descriptors of the same path in the same mount namespace. */
function byPath(candidates: readonly Candidate[], mountNamespace: (pid: number) => string): Candidate[][] {
  const groups: Candidate[][] = [];
  const namespaces = new Map<string, Map<string, Candidate[]>>();
  for (const candidate of candidates) {
    const namespace = mountNamespace(candidate.pid);
    let paths = namespaces.get(namespace);
    if (!paths) namespaces.set(namespace, paths = new Map<string, Candidate[]>());
    const group = paths.get(candidate.target);
    if (group) {
      group.push(candidate);
    } else {
      const first = [candidate];
      paths.set(candidate.target, first);
      groups.push(first);
    }
  }
  return groups;
}

/** Whether the file that these descriptors have open may be one of the locked ones. */
function mayBeLocked(group: readonly Candidate[], inodes: ReadonlySet<string>): boolean {
  // Any number of removed files may have had the same path.
  if (group[0]?.target.endsWith(' (deleted)')) return true;
  for (const { pid, fd } of group) {
    const fdinfo = readFdinfo(pid, fd).value;
    if (fdinfo === undefined) continue; // closed in between: ask another
    const { inode } = parseCommon(fdinfo);
    return inode === undefined || inodes.has(inode); // no inode there before Linux 5.14
  }
  return false;
}

async function readAll(context: ScanContext, candidates: readonly Candidate[]): Promise<LockedDescriptor[]> {
  const found: LockedDescriptor[] = [];
  for (const { pid, fd, target } of candidates) {
    const fdinfo = readFdinfo(pid, fd).value;
    if (fdinfo?.includes('\nlock:')) {
      const { mount } = parseCommon(fdinfo);
      // O_ACCMODE: the last octal digit, without its upper bit.
      const mode = Number(/^flags:\t[0-7]*([0-7])$/m.exec(fdinfo)?.[1] ?? 0) & 3;
      found.push({ pid, fd, path: target, writable: mode !== 0, ...(mount === undefined ? {} : { mount }), locks: parseDescriptorLocks(fdinfo).filter(lock => !lock.blocked) });
    }
    await context.pause();
  }
  return found;
}

/** The descriptors that are paths; null when they may not be read. */
function openFiles(pid: number): { fd: number; target: string }[] | null {
  // A zombie has no descriptors. Where only the first thread has ended, the others still have all of them.
  if (parseStat(readText(`/proc/${pid}/stat`).value ?? '')?.state !== 'Z') noStandIn(pid);
  else if (findStandIn(pid) === undefined) return [];
  const directory = `${resourcesOf(pid)}/fd`;
  const entries = numericEntries(directory);
  if (entries.value === undefined) return isGone(entries.errno) ? [] : null;
  const files: { fd: number; target: string }[] = [];
  for (const fd of entries.value) {
    const target = readLink(`${directory}/${fd}`);
    if (target.value?.startsWith('/')) files.push({ fd, target: target.value });
    else if (target.value === undefined && !isGone(target.errno)) return null;
  }
  return files;
}
