// File locks as the kernel tells them: /proc/locks and the `lock:` lines of fdinfo (proc(5)), and when two of them conflict. Pure.

export interface KernelLock {
  /** FLOCK, POSIX, OFDLCK, LEASE, … */
  readonly kind: string;
  /** As the kernel writes it: of a lease that is being broken, what it shall become (fs/locks.c, target_leasetype). */
  readonly type: 'read' | 'write' | 'unlock';
  /** -1 for OFD locks; may be dead for flock; 0 outside the reader's PID namespace. */
  readonly pid: number;
  /** MAJOR:MINOR:INODE as written by the kernel: of the file system's own device, which stat(2) may tell differently (btrfs, overlayfs). */
  readonly file: string;
  readonly major: number;
  readonly minor: number;
  readonly inode: string;
  readonly start: string;
  readonly end: string;
  /** Waits for the lock (or for a lease to be broken); otherwise holds it. */
  readonly blocked: boolean;
  /** A lease that somebody is breaking; `type` is what its holder is asked to make of it. */
  readonly breaking?: true;
}

// A breaker of a lease has no file yet: `<none>:0` stands there.
const lockLine = /^\d+:\s+(->\s+)?([A-Z]+)\s+(\S+)\s+(READ|WRITE|UNLCK|RW|NONE)\s+(-?\d+)\s+(?:([0-9a-f]+):([0-9a-f]+):(\d+)|<none>:0)\s+(\d+)\s+(EOF|\d+)\s*$/;
const types: Readonly<Record<string, KernelLock['type']>> = { READ: 'read', WRITE: 'write', UNLCK: 'unlock' };

/** One line of /proc/locks, or of fdinfo without its `lock:`. Undefined for anything else. `head`: the lock under which a line without a file stands. */
export function parseLockLine(line: string, head?: KernelLock): KernelLock | undefined {
  const match = lockLine.exec(line);
  if (!match) return undefined;
  const [, arrow, kind = '', mode = '', word = '', pid = '', major, minor = '', inode = '', start = '', end = ''] = match;
  const type = types[word];
  if (type === undefined || (major === undefined && !head)) return undefined;
  const file = major === undefined && head
    ? { file: head.file, major: head.major, minor: head.minor, inode: head.inode }
    : { file: `${major}:${minor}:${inode}`, major: parseInt(major ?? '', 16), minor: parseInt(minor, 16), inode };
  return { kind, type, pid: Number(pid), ...file, start, end, blocked: arrow !== undefined, ...(mode === 'BREAKING' ? { breaking: true } : {}) };
}

/** /proc/locks. Its nesting is not kept: it shows a waiter under one of several that it waits for. */
export function parseLocks(text: string): KernelLock[] {
  const locks: KernelLock[] = [];
  let head: KernelLock | undefined;
  for (const line of text.split('\n')) {
    const lock = parseLockLine(line, head);
    if (lock) locks.push(lock);
    // A line that was not understood must not lend its waiters to the lock before it.
    if (!line.includes('->')) head = lock;
  }
  return locks;
}

/**
 * The list without what stands there twice because it changed while it was read: the kernel hands it out by pages of 4 kB, and a lock taken
 * meanwhile pushes those behind it into the next page, too. Of the same file nobody can hold two equal locks for writing, nor (POSIX) two
 * equal ones at all, since they would be one. Equal flock and OFD locks for reading may be those of two descriptions, and stay.
 */
export function withoutRepetitions(locks: readonly KernelLock[]): KernelLock[] {
  const seen = new Set<string>();
  return locks.filter(({ kind, type, pid, file, start, end, blocked }) => {
    if (blocked || (type !== 'write' && kind !== 'POSIX')) return true;
    const key = [kind, type, pid, file, start, end].join(' ');
    return !seen.has(key) && seen.add(key);
  });
}

/** The locks that a descriptor's open file description (or, for POSIX locks, its process) holds. */
export function parseDescriptorLocks(fdinfo: string): KernelLock[] {
  return fdinfo.split('\n').filter(line => line.startsWith('lock:')).map(line => parseLockLine(line.slice(5).trim())).filter(lock => lock !== undefined);
}

/** What a conflict is decided by: offsets in decimal, the end inclusive or "EOF". */
export interface LockedRange { readonly type: string | null; readonly start: string; readonly end: string }

/**
 * Whether a request has to wait for a held lock of the same kind and another owner: the ranges share a byte and not both
 * are for reading. An unknown type (null) counts as writing. Owners are the caller's: nobody conflicts with himself.
 */
export function conflicts(request: LockedRange, held: LockedRange): boolean {
  if (request.type === 'read' && held.type === 'read') return false;
  return !endsBefore(request.end, held.start) && !endsBefore(held.end, request.start);
}

function endsBefore(end: string, start: string): boolean {
  return end !== 'EOF' && BigInt(end) < BigInt(start);
}
