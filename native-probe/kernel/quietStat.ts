// stat(2) of files that other users opened and mapped. They may be on a file system that does not answer (a FUSE daemon that hangs,
// a dead server), whatever their links look like: statx(2) takes what the kernel has of them and asks nobody.
import { statfsSync } from 'node:fs';
import { cString, syscall } from './libc';
import type { Result } from './procfs';
import { deviceNumber, errnoOf, statOf } from './procfs';

// include/uapi/linux/{fcntl,stat}.h
const AT_FDCWD = -100, AT_STATX_DONT_SYNC = 0x4000, AT_SYMLINK_FOLLOW = 0x400;
const STATX_BASIC_STATS = 0x7ff, STATX_BTIME = 0x800;
const S_IFMT = 0o170000, S_IFREG = 0o100000, S_IFIFO = 0o010000;

/** The part of node:fs's Stats that we use. */
export interface FileStats {
  readonly dev: number; readonly ino: number; readonly nlink: number; readonly mode: number; readonly uid: number; readonly gid: number;
  /** Bytes; blocks of 512. */
  readonly size: number; readonly blocks: number;
  /** Milliseconds since the epoch; 0 where the file system records none. */
  readonly birthtimeMs: number; readonly mtimeMs: number;
  isFile(): boolean;
  isFIFO(): boolean;
}

/** struct statx (include/uapi/linux/stat.h). */
export function decodeStatx(bytes: Buffer): FileStats | undefined {
  if (bytes.length < 256) return undefined;
  const mode = bytes.readUInt16LE(28);
  const milliseconds = (at: number): number => Number(bytes.readBigInt64LE(at)) * 1000 + Math.floor(bytes.readUInt32LE(at + 8) / 1e6);
  return {
    mode, nlink: bytes.readUInt32LE(16), uid: bytes.readUInt32LE(20), gid: bytes.readUInt32LE(24), ino: Number(bytes.readBigUInt64LE(32)),
    size: Number(bytes.readBigUInt64LE(40)), blocks: Number(bytes.readBigUInt64LE(48)), dev: deviceNumber(bytes.readUInt32LE(136), bytes.readUInt32LE(140)),
    birthtimeMs: (bytes.readUInt32LE(0) & STATX_BTIME) === 0 ? 0 : milliseconds(80), mtimeMs: milliseconds(112),
    isFile: () => (mode & S_IFMT) === S_IFREG, isFIFO: () => (mode & S_IFMT) === S_IFIFO,
  };
}

/** What the kernel knows of the file behind a link in /proc, without asking the file system's daemon or server. */
export function statQuietly(path: string): Result<FileStats> {
  const bytes = Buffer.alloc(256);
  const { value, errno } = syscall('statx', AT_FDCWD, cString(path), AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_BTIME, bytes);
  // An architecture whose numbers we do not know: better one look that might hang than none.
  if (value === -1) return errno === 'ENOSYS' ? statOf(path) : { errno };
  const stats = decodeStatx(bytes);
  return stats === undefined ? { errno: 'EIO' } : { value: stats };
}

/**
 * Type of a file's file system (statfs(2)), only where nobody else can be asked: file systems with a daemon or a server can be exported, and
 * those that the kernel has to itself (mqueue, pipefs) cannot, which name_to_handle_at(2) tells without asking. Undefined: unknown.
 */
export function fileSystemTypeQuietly(path: string): number | undefined {
  const handle = Buffer.alloc(8 + 128), mount = Buffer.alloc(4);
  handle.writeUInt32LE(128, 0);
  // EOPNOTSUPP, which Linux also calls ENOTSUP.
  if (!/^E(?:OP)?NOTSUPP?$/.test(syscall('name_to_handle_at', AT_FDCWD, cString(path), handle, mount, AT_SYMLINK_FOLLOW).errno)) return undefined;
  try {
    return statfsSync(path).type;
  } catch (error) {
    errnoOf(error); // closed in between
    return undefined;
  }
}
