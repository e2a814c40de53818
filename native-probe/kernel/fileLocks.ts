// File locks as the kernel tells them: /proc/locks and the `lock:` lines of fdinfo (proc(5)); kcmp(2) to tell open file
// descriptions apart. Parsers are pure.
import { syscall } from './libc';

export interface KernelLock {
  /** FLOCK, POSIX, OFDLCK, LEASE, … */
  readonly kind: string;
  readonly type: 'read' | 'write';
  /** -1 for OFD locks; may be dead for flock; 0 outside the reader's PID namespace. */
  readonly pid: number;
  /** MAJOR:MINOR:INODE as written by the kernel: of the file system's own device, which stat(2) may tell differently (btrfs, overlayfs). */
  readonly file: string;
  readonly major: number;
  readonly minor: number;
  readonly inode: string;
  readonly start: string;
  readonly end: string;
  /** Waits for the lock; otherwise holds it. */
  readonly blocked: boolean;
}

const lockLine = /^\d+:\s+(->\s+)?([A-Z]+)\s+\S+\s+(READ|WRITE|RW|NONE)\s+(-?\d+)\s+([0-9a-f]+):([0-9a-f]+):(\d+)\s+(\d+)\s+(EOF|\d+)\s*$/;

/** One line of /proc/locks, or of fdinfo without its `lock:`. Undefined for anything else (UNLCK of a breaking lease too). */
export function parseLockLine(line: string): KernelLock | undefined {
  const match = lockLine.exec(line);
  if (!match) return undefined;
  const [, arrow, kind = '', type = '', pid = '', major = '', minor = '', inode = '', start = '', end = ''] = match;
  if (type !== 'READ' && type !== 'WRITE') return undefined;
  return {
    kind, type: type === 'READ' ? 'read' : 'write', pid: Number(pid), file: `${major}:${minor}:${inode}`,
    major: parseInt(major, 16), minor: parseInt(minor, 16), inode, start, end, blocked: arrow !== undefined,
  };
}

/** /proc/locks. Its nesting is not kept: it shows a waiter under one of several that it waits for. */
export function parseLocks(text: string): KernelLock[] {
  return text.split('\n').map(parseLockLine).filter(lock => lock !== undefined);
}

/** The locks that a descriptor's open file description (or, for POSIX locks, its process) holds. */
export function parseDescriptorLocks(fdinfo: string): KernelLock[] {
  return fdinfo.split('\n').filter(line => line.startsWith('lock:')).map(line => parseLockLine(line.slice(5).trim())).filter(lock => lock !== undefined);
}

const KCMP_FILE = 0;

/** Whether two descriptors are one open file description; the errno (EPERM, ENOSYS) where the kernel does not say. */
export function sameOpenFile(pid1: number, fd1: number, pid2: number, fd2: number): boolean | string {
  const { value, errno } = syscall('kcmp', pid1, pid2, KCMP_FILE, fd1, fd2);
  return value === -1 ? errno : value === 0;
}
