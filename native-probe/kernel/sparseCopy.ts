// Copying contents without allocating what is absent: holes stay holes on both sides.
import { readSync, writeSync } from 'node:fs';
import { syscall } from './libc';
import type { Result } from './procfs';

const SEEK_DATA = 3, SEEK_HOLE = 4;
const pageSize = 4096;
const chunkSize = 1 << 20;

export interface Extent { readonly start: number; readonly end: number }

/** The next extent of data at or after an offset; null when only a hole follows. lseek(2) with SEEK_DATA, SEEK_HOLE. */
export function nextExtent(fd: number, from: number): Result<Extent | null> {
  const start = syscall('lseek', fd, BigInt(from), SEEK_DATA);
  if (start.value === -1) return start.errno === 'ENXIO' ? { value: null } : { errno: start.errno };
  const end = syscall('lseek', fd, BigInt(start.value), SEEK_HOLE);
  return end.value === -1 ? { errno: end.errno } : { value: { start: start.value, end: end.value } };
}

/** Where copied bytes come from or go to: a file descriptor, at an offset from its start (for /proc/self/mem: an address). */
export interface Place { readonly fd: number; readonly base: number }

const zeros = Buffer.alloc(pageSize);

/** Copies one extent; pages of zeros are not written, so that they become holes. Throws what node:fs throws. */
export async function copyExtent(from: Place, to: Place, extent: Extent, pause: () => Promise<void>): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(chunkSize, Math.max(1, extent.end - extent.start)));
  for (let at = extent.start; at < extent.end;) {
    const got = readSync(from.fd, buffer, 0, Math.min(buffer.length, extent.end - at), from.base + at);
    if (got === 0) throw new Error(`the contents end at byte ${at}, before their size of ${extent.end}`);
    writeSparsely(buffer.subarray(0, got), to, at);
    at += got;
    await pause();
  }
}

function writeSparsely(bytes: Buffer, to: Place, at: number): void {
  let runStart = -1;
  for (let page = 0; page <= bytes.length; page += pageSize) {
    const slice = bytes.subarray(page, page + pageSize);
    const empty = slice.length === 0 || slice.equals(slice.length === pageSize ? zeros : zeros.subarray(0, slice.length));
    if (!empty && runStart < 0) runStart = page;
    if ((empty || page + pageSize >= bytes.length) && runStart >= 0) {
      writeAll(bytes.subarray(runStart, empty ? page : bytes.length), to.fd, to.base + at + runStart);
      runStart = -1;
    }
  }
}

function writeAll(bytes: Buffer, fd: number, position: number): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}

/** Copies a file of a length, extent by extent. A file system without SEEK_DATA is read whole. */
export async function copySparsely(from: Place, to: Place, length: number, pause: () => Promise<void>): Promise<void> {
  for (let at = 0; at < length;) {
    const found = nextExtent(from.fd, at);
    if (found.errno !== undefined) return copyExtent(from, to, { start: at, end: length }, pause);
    if (found.value === null) return;
    const end = Math.min(found.value.end, length);
    await copyExtent(from, to, { start: found.value.start, end }, pause);
    at = end;
  }
}

/**
 * The extents of an attached, read-only mapping that hold data. mincore(2) tells resident pages without touching them; swapped ones it
 * does not tell, so where anything is swapped out every page must be read.
 */
export function residentExtents(address: number, length: number, anySwapped: boolean): Extent[] {
  if (anySwapped) return [{ start: 0, end: length }];
  const extents: Extent[] = [];
  const window = pageSize * (1 << 16);
  for (let base = 0; base < length; base += window) {
    const pages = Math.ceil(Math.min(window, length - base) / pageSize);
    const vector = Buffer.alloc(pages);
    if (syscall('mincore', BigInt(address + base), BigInt(pages * pageSize), vector).value === -1) return [{ start: 0, end: length }];
    for (let page = 0; page < pages; page++) {
      if (((vector[page] ?? 0) & 1) === 0) continue;
      const start = base + page * pageSize;
      const last = extents.at(-1);
      if (last?.end === start) extents[extents.length - 1] = { start: last.start, end: Math.min(start + pageSize, length) };
      else extents.push({ start, end: Math.min(start + pageSize, length) });
    }
  }
  return extents;
}
