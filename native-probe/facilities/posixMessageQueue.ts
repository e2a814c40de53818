// POSIX message queues of every IPC namespace: by its mqueue file system where that can be had, else by the descriptors of
// processes, and then a gap says that queues which no readable process has open stay unseen.
import { closeSync } from 'node:fs';
import type { Handle, Known, PosixMessageQueue } from '../model';
import type { ScanContext } from '../context';
import { asRoot } from '../gaps';
import { enterIpcNamespace, foreignIpcNamespaces } from '../foreignNamespaces';
import { descriptorAccess } from '../processes';
import type { Result } from '../kernel/procfs';
import { readDirectory, splitDeleted, statOf, textOf } from '../kernel/procfs';
import { MQUEUE_MAGIC, mountedQueueDirectories, openQueueByName, openQueueDirectory, openQueueFile, queueAttributes } from '../kernel/mqueueFileSystem';
import type { QueueAttributes } from '../kernel/mqueueFileSystem';
import { Mounts } from '../kernel/mounts';
import type { FileStats } from '../kernel/quietStat';
import { fileSystemTypeQuietly, statQuietly } from '../kernel/quietStat';
import { modeText } from '../kernel/sysvipc';
import { inodeTimes } from './inodeTimes';
import type { OtherName } from './otherNames';
import { underOtherNames } from './otherNames';
import { resourcesOf } from '../kernel/standIns';

const kind = 'posix-message-queue';
/** Inode of the initial IPC namespace (PROC_IPC_INIT_INO, include/linux/proc_ns.h), whose queues /dev/mqueue shows. */
const initialIpcNamespace = '4026531839';

/** Device and inode identify a queue over all IPC namespaces: each has a mqueue file system of its own. */
export function queueId(stats: Pick<FileStats, 'dev' | 'ino'>): string {
  return `${kind}:${stats.dev}:${stats.ino}`;
}

/** A link like `/name`: what a queue descriptor looks like, and any file at the top of an unmounted file system. */
function mayBeQueue(target: string): boolean {
  return target.startsWith('/') && target.lastIndexOf('/') === 0 && target.length > 1;
}

export async function collectPosixMessageQueues(context: ScanContext): Promise<{ objects: PosixMessageQueue[]; handles: Handle[] }> {
  const objects = new Map<string, PosixMessageQueue>();
  const devices = new Set<number>();
  await fromOwnFileSystem(context, objects, devices);
  await fromForeignFileSystems(context, objects, devices);
  const handles = await fromDescriptors(context, objects, devices);
  return { objects: [...objects.values()], handles };
}

/** Lists the own namespace's queues, and adds the device they are on. */
async function fromOwnFileSystem(context: ScanContext, objects: Map<string, PosixMessageQueue>, devices: Set<number>): Promise<void> {
  const namespace = context.host.ipcNamespace;
  const opened = openQueueDirectory();
  // Where no private one can be had, what is mounted stands in, though it may be another IPC namespace's.
  const directories = opened.value ? [opened.value.path] : mountedQueueDirectories();
  let listed = false;
  try {
    for (const directory of directories) listed = await fromDirectory(context, objects, devices, namespace, directory) || listed;
  } finally {
    opened.value?.close();
  }
  if (listed && !opened.value && namespace !== initialIpcNamespace) {
    context.gaps.failed({ facility: kind, namespace, field: 'list' }, `the mounted mqueue file system (${directories.join(', ')}) may be another IPC namespace's; mounting the own one privately failed`, opened.errno, asRoot);
  }
  if (!listed) {
    context.gaps.failed({ facility: kind, namespace, field: 'list' }, 'message queues that no readable process has open cannot be listed: no mqueue file system is mounted, and mounting one privately failed', opened.errno ?? '',
      'mount one (mount -t mqueue none /dev/mqueue), or run the probe as root');
  }
}

/** Those of the other IPC namespaces: a mount made inside stays that namespace's wherever it is read from afterwards. */
async function fromForeignFileSystems(context: ScanContext, objects: Map<string, PosixMessageQueue>, devices: Set<number>): Promise<void> {
  for (const [namespace, inside] of foreignIpcNamespaces(context)) {
    const opened = enterIpcNamespace(context, namespace, inside, [kind], openQueueDirectory);
    if (opened === undefined) continue;
    if (opened.value === undefined) {
      context.gaps.failed({ facility: kind, namespace, field: 'list' }, `message queues of IPC namespace ${namespace} that no readable process has open cannot be listed: mounting its mqueue file system privately failed`, opened.errno, asRoot);
      continue;
    }
    try {
      await fromDirectory(context, objects, devices, namespace, opened.value.path);
    } finally {
      opened.value.close();
    }
  }
}

/** Lists one mqueue file system; false when it cannot be listed (a gap says so). */
async function fromDirectory(context: ScanContext, objects: Map<string, PosixMessageQueue>, devices: Set<number>, namespace: string, directory: string): Promise<boolean> {
  const stats = statOf(directory);
  const names = readDirectory(directory);
  if (names.value === undefined || stats.value === undefined) {
    context.gaps.failed({ facility: kind, namespace, field: 'list' }, `cannot list the message queues in ${directory}`, names.errno ?? stats.errno ?? '', asRoot);
    return false;
  }
  devices.add(stats.value.dev);
  for (const name of names.value) {
    const path = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name, 'latin1')]);
    const queue = statOf(path).value;
    if (queue && context.concerns(queueId(queue))) objects.set(queueId(queue), describe(context, name, queue, false, () => openQueueFile(path), namespace));
    await context.pause();
  }
  return true;
}

async function fromDescriptors(context: ScanContext, objects: Map<string, PosixMessageQueue>, devices: ReadonlySet<number>): Promise<Handle[]> {
  const handles: Handle[] = [];
  let looked = 0;
  // A queue may be called /memfd:x: the file system decides.
  for (const { descriptor: { process, fd }, fileName } of candidates(context)) {
    if ((++looked & 63) === 0) await context.pause();
    const link = `${resourcesOf(process.pid)}/fd/${fd}`;
    const stats = statQuietly(link).value;
    if (!stats?.isFile() || !(devices.has(stats.dev) || isQueueFileSystem(link, stats))) continue;
    const id = queueId(stats);
    if (!objects.has(id)) {
      const { path: name, deleted } = stats.nlink === 0 ? splitDeleted(fileName) : { path: fileName, deleted: false };
      // By name only in the own namespace, and only while the name still leads to this queue.
      const own = process.namespaces.ipc === context.host.ipcNamespace && !deleted;
      objects.set(id, describe(context, name, stats, deleted, (): Result<number> => own ? openQueueByName(Buffer.from(name, 'latin1')) : { errno: 'ENOENT' }, process.namespaces.ipc));
    }
    const access = descriptorAccess(process.pid, fd);
    handles.push({ objectId: id, pid: process.pid, via: 'descriptor', fd, ...(access === undefined ? {} : { access }) });
  }
  return handles;
}

/** By mq_open(3), whose links have no directory, or by a path below a mounted mqueue file system. A queue may be called memfd:x. */
function* candidates(context: ScanContext): Generator<OtherName> {
  for (const kind of ['path', 'memfd'] as const) for (const descriptor of context.descriptors.of(kind)) if (mayBeQueue(descriptor.target)) yield { descriptor, fileName: descriptor.target.slice(1) };
  yield* underOtherNames(context, Mounts.ofPass(context.processes), ({ type }) => type === 'mqueue');
}

/** Size of every queue's file (FILENT_SIZE, ipc/mqueue.c). */
const queueFileSize = 80;

function isQueueFileSystem(link: string, { size }: FileStats): boolean {
  return size === queueFileSize && fileSystemTypeQuietly(link) === MQUEUE_MAGIC;
}

function describe(context: ScanContext, name: string, stats: FileStats, unlinked: boolean, open: () => Result<number>, namespace: Known<string>): PosixMessageQueue {
  const id = queueId(stats);
  const attributes = readAttributes(stats, open);
  if (attributes.value === undefined) {
    context.gaps.failed({ objectId: id, field: 'state' }, `cannot read the attributes of message queue /${textOf(name)}`, attributes.errno ?? '',
      unlinked ? 'its name is gone: only the processes that have it open can reach it' : 'run the probe as its owner, or as root');
  }
  const state: PosixMessageQueue['state'] = attributes.value ?? { curmsgs: null, maxmsg: null, msgsize: null, qsize: null, notify: null };
  return {
    id, kind, name: `/${textOf(name)}`, namespace, persistence: 'kernel',
    owner: { uid: stats.uid, gid: stats.gid, mode: modeText(stats.mode & 0o7777) },
    ...inodeTimes(stats), state: unlinked ? { ...state, unlinked } : state,
  };
}

function readAttributes(stats: FileStats, open: () => Result<number>): Result<QueueAttributes> {
  const opened = open();
  if (opened.value === undefined) return opened;
  try {
    const now = statOf(`/proc/self/fd/${opened.value}`).value;
    return now && queueId(now) === queueId(stats) ? queueAttributes(opened.value) : { errno: 'ENOENT' };
  } finally {
    closeSync(opened.value);
  }
}
