// Reading shared memory without attaching, opening by another's descriptor, or allocating anything: through an open file (the object's
// own, or /proc/PID/map_files: CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN), holes known by SEEK_DATA; else through /proc/PID/mem, only the
// pages that this process's page table shows present or swapped.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { PageRun } from '../model';
import type { Backing, PageCounts, PageMap } from './pageStates';
import { countInFile, countInMap, markFromPagemap, pageSize, PageMap as Map_, statesOfFile } from './pageStates';
import type { Result } from './procfs';
import { errnoOf } from './procfs';
import { nextExtent } from './sparseCopy';
import { resourcesOf } from './standIns';

/** A part of an object that a process maps. */
export interface MappedPiece { readonly pid: number; readonly start: bigint; readonly end: bigint; /** Offset in the object of the mapping's first byte. */ readonly offset: bigint }

/** A piece of memory. What is absent or unseen is zeros in `bytes`: the runs tell. */
export interface Looked { readonly bytes: Buffer; readonly runs: readonly PageRun[] }

/** Shared memory that can be looked at now. To be closed in the same synchronous piece of work: holding it would keep the object alive. */
export interface OpenMemory {
  /** In bytes; null where no way tells. What is beyond 2⁵³ cannot be looked at. */
  readonly size: number | null;
  /** Bytes of memory (or disk) that it takes; null where no way tells. */
  readonly allocated: number | null;
  /** Whether absent pages are known as such; else they are among the unseen. */
  readonly complete: boolean;
  /** Reads a range within the size. `detail`: tell where each page is, which takes further calls; else written pages are just "written". */
  look(offset: number, length: number, detail: boolean): Looked;
  /** No page before this can be read, from an offset on and up to `limit`; null: none at all. */
  nextReadable(from: number, limit: number): number | null;
  /** How many pages of each state a range has. */
  count(offset: number, length: number): PageCounts;
  close(): void;
}

/** Largest offset that a number holds exactly. */
const farthest = Number.MAX_SAFE_INTEGER;

/** Reads [offset, offset + bytes.length) where the map shows something to read. Whatever the file lost meanwhile is marked absent. */
function readRuns(fd: number, map: PageMap, bytes: Buffer, offset: number, positionOf: (at: number) => number | bigint): void {
  let at = offset;
  for (const { state, length } of map.runs()) {
    if (state !== 'absent' && state !== 'unseen') {
      for (let done = 0; done < length;) {
        const got = readSync(fd, bytes, at - offset + done, length - done, positionOf(at + done));
        if (got === 0) { map.set(at + done, at + length, 'absent'); break; }
        done += got;
      }
    }
    at += length;
  }
}

/** Memory through an open file descriptor, which it closes. */
export function memoryOfFile(fd: number, backing: Backing): OpenMemory {
  const stats = fstatSync(fd);
  const size = Math.min(stats.size, farthest);
  return {
    size, allocated: stats.blocks * 512, complete: true,
    look(offset, length, detail) {
      const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
      const map = statesOfFile(fd, offset, bytes.length, backing, detail);
      readRuns(fd, map, bytes, offset, at => at);
      return { bytes, runs: map.runs() };
    },
    nextReadable(from, limit) {
      const found = nextExtent(fd, from);
      if (found.errno !== undefined) return from < Math.min(limit, size) ? from : null;
      return found.value === null || found.value.start >= Math.min(limit, size) ? null : found.value.start;
    },
    count: (offset, length) => countInFile(fd, offset, length, backing) ?? countInMap(statesOfFile(fd, offset, length, backing, false)),
    close: () => closeSync(fd),
  };
}

/** O_NOATIME: the owner and CAP_FOWNER alone may look without leaving a trace. */
const O_NOATIME = 0o1000000;

/** Opens a file to look at, leaving its access time alone. EPERM where that is refused. */
export function openQuietly(path: string | Buffer): Result<number> {
  try {
    return { value: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | O_NOATIME) };
  } catch (error) {
    return { errno: errnoOf(error) };
  }
}

/** Opens what a mapping maps by its entry in map_files. `mayTouch`: its access time is of no account (the kernel's own tmpfs). */
export function openMapped({ pid, start, end }: MappedPiece, mayTouch: boolean): Result<number> {
  const path = `${resourcesOf(pid)}/map_files/${start.toString(16)}-${end.toString(16)}`;
  // Entries are symbolic links that the kernel follows to the very file.
  const attempt = (flags: number): Result<number> => {
    try {
      return { value: openSync(path, constants.O_RDONLY | flags) };
    } catch (error) {
      return { errno: errnoOf(error) };
    }
  };
  const quiet = attempt(O_NOATIME);
  return quiet.errno === 'EPERM' && mayTouch ? attempt(0) : quiet;
}

interface OpenProcess { readonly pagemap: number; readonly memory: number; readonly pieces: readonly MappedPiece[] }

/** Memory through the page tables of processes that map it. Fails when none of them may be read. `size`: where something else tells it. */
export function memoryOfMappings(pieces: readonly MappedPiece[], size: number | null, allocated: number | null): Result<OpenMemory> {
  const opened: OpenProcess[] = [];
  let errno = 'ESRCH';
  for (const pid of new Set(pieces.map(piece => piece.pid))) {
    let pagemap: number | undefined;
    try {
      pagemap = openSync(`${resourcesOf(pid)}/pagemap`, 'r');
      opened.push({ pagemap, memory: openSync(`${resourcesOf(pid)}/mem`, 'r'), pieces: pieces.filter(piece => piece.pid === pid) });
    } catch (error) {
      if (pagemap !== undefined) closeSync(pagemap);
      errno = errnoOf(error);
    }
    // Every process adds pages that it alone has touched; so many are enough to look at for one piece.
    if (opened.length === 16) break;
  }
  if (opened.length === 0) return { errno };
  const reach = pieces.reduce((most, { start, end, offset }) => Math.max(most, Number(offset + end - start)), 0);
  const whole = size ?? reach;
  const mapOf = (offset: number, length: number, one?: OpenProcess): PageMap => {
    const map = new Map_(offset, length, 'unseen');
    for (const { pagemap, pieces: its } of one ? [one] : opened) for (const piece of its) markFromPagemap(pagemap, map, piece);
    return map;
  };
  return { value: {
    size: size ?? reach, allocated, complete: false,
    look(offset, length) {
      const bytes = Buffer.alloc(Math.max(0, Math.min(length, whole - offset)));
      const all = new Map_(offset, bytes.length, 'unseen');
      for (const each of opened) readThrough(each, all, mapOf(offset, bytes.length, each), bytes, offset);
      return { bytes, runs: all.runs() };
    },
    nextReadable(from, limit) {
      const end = Math.min(limit, whole);
      const enough = from + mostWindows * windowPages * pageSize;
      for (let at = from; at < end; at = (Math.floor(at / pageSize) + windowPages) * pageSize) {
        if (at >= enough) return at;
        const map = mapOf(at, Math.min(windowPages * pageSize, end - at));
        const index = map.codes.findIndex((_, page) => map.stateOf(map.firstPage + page) !== 'unseen');
        if (index >= 0 && (map.firstPage + index) * pageSize < end) return Math.max(at, (map.firstPage + index) * pageSize);
      }
      return null;
    },
    count: (offset, length) => countInMap(mapOf(offset, length)),
    close() { for (const { pagemap, memory } of opened) { closeSync(pagemap); closeSync(memory); } },
  } };
}

/** Pages whose entries are read at once: 512 KiB of pagemap for 256 MiB. */
const windowPages = 1 << 16;
/** So many windows are looked at in one piece of work: 4 GiB. */
const mostWindows = 16;

function readThrough({ memory, pieces }: OpenProcess, all: PageMap, map: PageMap, bytes: Buffer, offset: number): void {
  for (let index = 0; index < map.codes.length; index++) {
    const page = map.firstPage + index;
    const state = map.stateOf(page);
    if (state === 'unseen' || all.stateOf(page) !== 'unseen') continue;
    const inObject = page * pageSize;
    const piece = pieces.find(each => BigInt(inObject) >= each.offset && BigInt(inObject) < each.offset + each.end - each.start);
    if (piece === undefined) continue;
    const from = Math.max(offset, inObject), to = Math.min(offset + bytes.length, inObject + pageSize);
    try {
      const got = readSync(memory, bytes, from - offset, to - from, piece.start + BigInt(from) - piece.offset);
      if (got === to - from) all.set(from, to, state);
    } catch (error) {
      // EIO: the page is gone again, cut off the file or unmapped; it stays unseen.
      if (errnoOf(error) !== 'EIO') throw error;
    }
  }
}
