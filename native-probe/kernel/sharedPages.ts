// Reading shared memory through a process that maps it, without attaching, opening or allocating anything:
// /proc/PID/map_files (CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN) reads the object itself, holes known by SEEK_DATA; else
// /proc/PID/mem, only the pages that this process's page table shows present or swapped.
import { closeSync, openSync, readSync } from 'node:fs';
import type { ByteRange } from '../model';
import { pageSize as systemPageSize } from './processMemory';
import { nextExtent } from './sparseCopy';
import type { Result } from './procfs';
import { errnoOf } from './procfs';

const pageSize = Number(systemPageSize);

export interface MappedPiece { readonly pid: number; readonly start: bigint; readonly end: bigint; /** Offset in the object of the mapping's first byte. */ readonly offset: bigint }
export interface SharedBytes { readonly bytes: Buffer; readonly holes: ByteRange[]; readonly unread: ByteRange[] }

function range(offset: number, length: number): ByteRange { return { offset: String(offset), length: String(length) }; }

/** Reads [offset, offset + length) of a file descriptor whose reads do not allocate (tmpfs), holes left out and told. */
export function readSparse(fd: number, offset: number, length: number): SharedBytes {
  const bytes = Buffer.alloc(length);
  const holes: ByteRange[] = [];
  for (let at = offset; at < offset + length;) {
    const found = nextExtent(fd, at);
    const start = found.errno !== undefined ? at : found.value === null ? offset + length : Math.min(found.value.start, offset + length);
    const end = found.errno !== undefined ? offset + length : found.value === null ? start : Math.min(found.value.end, offset + length);
    if (start > at) holes.push(range(at, start - at));
    for (let done = start; done < end;) {
      const got = readSync(fd, bytes, done - offset, end - done, done);
      if (got === 0) return { bytes: bytes.subarray(0, done - offset), holes, unread: [] };
      done += got;
    }
    at = Math.max(end, start);
    if (end <= start) break;
  }
  return { bytes, holes, unread: [] };
}

/** Reads a range of the object behind mappings. Ranges that no mapping covers, or that may not be touched, are `unread`. EFAULT when nothing could be read. */
export function readMapped(pieces: readonly MappedPiece[], offset: number, length: number): Result<SharedBytes> {
  let errno = 'EFAULT';
  for (const piece of pieces) {
    const whole = throughMapFiles(piece, offset, length);
    if (whole.value) return whole;
    errno = whole.errno;
  }
  const bytes = Buffer.alloc(length);
  const have = new Uint8Array(Math.ceil(length / pageSize) + 1);
  let any = false;
  for (const piece of pieces) {
    const got = throughMemory(piece, offset, bytes, have);
    if (got.errno === undefined) any = true;
    else errno = got.errno;
  }
  if (!any) return { errno };
  const firstPage = Math.floor(offset / pageSize);
  const unread: ByteRange[] = [];
  for (let page = 0; (firstPage + page) * pageSize < offset + length; page++) {
    if (have[page] === 1) continue;
    const start = Math.max(offset, (firstPage + page) * pageSize);
    const end = Math.min(offset + length, (firstPage + page + 1) * pageSize);
    const last = unread.at(-1);
    if (last && Number(last.offset) + Number(last.length) === start) unread[unread.length - 1] = range(Number(last.offset), end - Number(last.offset));
    else unread.push(range(start, end - start));
  }
  return { value: { bytes, holes: [], unread } };
}

function throughMapFiles({ pid, start, end }: MappedPiece, offset: number, length: number): Result<SharedBytes> {
  let fd: number | undefined;
  try {
    fd = openSync(`/proc/${pid}/map_files/${start.toString(16)}-${end.toString(16)}`, 'r');
    return { value: readSparse(fd, offset, length) };
  } catch (error) {
    return { errno: errnoOf(error) };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

const presentOrSwapped = 3n << 62n;

function throughMemory(piece: MappedPiece, offset: number, bytes: Buffer, have: Uint8Array): Result<true> {
  let pagemap: number | undefined, memory: number | undefined;
  try {
    pagemap = openSync(`/proc/${piece.pid}/pagemap`, 'r');
    memory = openSync(`/proc/${piece.pid}/mem`, 'r');
    const entry = Buffer.alloc(8);
    const firstPage = Math.floor(offset / pageSize);
    for (let page = 0; (firstPage + page) * pageSize < offset + bytes.length; page++) {
      const inObject = BigInt(firstPage + page) * BigInt(pageSize);
      const address = piece.start + inObject - piece.offset;
      if (have[page] === 1 || inObject < piece.offset || address >= piece.end) continue;
      if (readSync(pagemap, entry, 0, 8, (address / BigInt(pageSize)) * 8n) !== 8 || (entry.readBigUInt64LE(0) & presentOrSwapped) === 0n) continue;
      const from = Math.max(offset, Number(inObject));
      const to = Math.min(offset + bytes.length, Number(inObject) + pageSize);
      readSync(memory, bytes, from - offset, to - from, address + BigInt(from - Number(inObject)));
      have[page] = 1;
    }
    return { value: true };
  } catch (error) {
    return { errno: errnoOf(error) };
  } finally {
    for (const fd of [pagemap, memory]) if (fd !== undefined) closeSync(fd);
  }
}
