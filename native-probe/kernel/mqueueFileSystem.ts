// The mqueue file system of the own IPC namespace (mq_overview(7)): through a mount that is there, or a private one that
// never touches the mount table (fsopen(2), fsconfig(2), fsmount(2); CAP_SYS_ADMIN).
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { cString, syscall } from './libc';
import type { Result } from './procfs';
import { errnoOf, readText } from './procfs';

const FSCONFIG_CMD_CREATE = 6, FSOPEN_CLOEXEC = 1, FSMOUNT_CLOEXEC = 1;
/** statfs(2) f_type of the mqueue file system. */
export const MQUEUE_MAGIC = 0x19800202;

/** Mount points of mqueue file systems in a mountinfo text (proc(5)). They may show another IPC namespace's queues. */
export function mqueueMounts(mountinfo: string): string[] {
  const points: string[] = [];
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ');
    if (after?.startsWith('mqueue ')) {
      const point = before?.split(' ')[4];
      if (point !== undefined) points.push(point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))));
    }
  }
  return points;
}

export interface QueueDirectory {
  /** A directory whose files are the queues. */
  readonly path: string;
  close(): void;
}

/** The queues of the calling thread's own IPC namespace, as a directory. */
export function openQueueDirectory(): Result<QueueDirectory> {
  const context = syscall('fsopen', cString('mqueue'), FSOPEN_CLOEXEC);
  if (context.value === -1) return { errno: context.errno };
  try {
    const created = syscall('fsconfig', context.value, FSCONFIG_CMD_CREATE, 0, 0, 0);
    if (created.value === -1) return { errno: created.errno };
    const mount = syscall('fsmount', context.value, FSMOUNT_CLOEXEC, 0);
    if (mount.value === -1) return { errno: mount.errno };
    return { value: { path: `/proc/self/fd/${mount.value}`, close: () => { closeSync(mount.value); } } };
  } finally {
    closeSync(context.value);
  }
}

/** Mounted mqueue file systems, as this process sees them. */
export function mountedQueueDirectories(): string[] {
  return mqueueMounts(readText('/proc/self/mountinfo').value ?? '');
}

export interface QueueAttributes { readonly curmsgs: number; readonly maxmsg: number; readonly msgsize: string; readonly qsize: string; readonly notify?: { readonly pid: number; readonly signo: number } }

/** `QSIZE:129 NOTIFY:2 SIGNO:0 NOTIFY_PID:8260` (ipc/mqueue.c). NOTIFY_PID 0: nobody asked. */
export function parseQueueStatus(text: string): Pick<QueueAttributes, 'qsize' | 'notify'> | undefined {
  const match = /^QSIZE:(\d+)\s+NOTIFY:(\d+)\s+SIGNO:(\d+)\s+NOTIFY_PID:(\d+)/.exec(text);
  if (!match) return undefined;
  const [, qsize = '', , signo, pid] = match;
  return Number(pid) > 0 ? { qsize, notify: { pid: Number(pid), signo: Number(signo) } } : { qsize };
}

/** Attributes of an open queue: mq_getattr(3), and its status line. Reading sets the inode's atime; no other interface tells QSIZE. */
export function queueAttributes(fd: number): Result<QueueAttributes> {
  const attr = Buffer.alloc(64); // struct mq_attr: four longs and reserved ones
  const got = syscall('mq_getsetattr', fd, 0, attr);
  if (got.value === -1) return { errno: got.errno };
  try {
    const line = Buffer.alloc(160);
    const length = readSync(fd, line, 0, line.length, 0);
    const status = parseQueueStatus(line.toString('latin1', 0, length));
    if (!status) return { errno: 'EINVAL' };
    return { value: { maxmsg: Number(attr.readBigInt64LE(8)), msgsize: attr.readBigInt64LE(16).toString(), curmsgs: Number(attr.readBigInt64LE(24)), ...status } };
  } catch (error) {
    return { errno: errnoOf(error) };
  }
}

/** Opens a queue file of a queue directory for looking. */
export function openQueueFile(path: string | Buffer): Result<number> {
  try {
    return { value: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW) };
  } catch (error) {
    return { errno: errnoOf(error) };
  }
}

/** Opens a queue of the own IPC namespace by its name (without the slash). Needs read permission on the queue. */
export function openQueueByName(name: Buffer): Result<number> {
  const { value, errno } = syscall('mq_open', cString(name), constants.O_RDONLY | constants.O_NONBLOCK, 0, 0);
  return value === -1 ? { errno } : { value };
}

/** mq_unlink(3) in the own IPC namespace. */
export function unlinkQueue(name: Buffer): Result<number> {
  const { value, errno } = syscall('mq_unlink', cString(name));
  return value === -1 ? { errno } : { value };
}
