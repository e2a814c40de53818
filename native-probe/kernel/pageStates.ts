// Which pages of shared memory exist and where they are, without touching them: extents by lseek(2) with SEEK_DATA, what is in memory or
// on swap by cachestat(2) (Linux 6.5), and what is in a process's page table by /proc/PID/pagemap.
import { readSync } from 'node:fs';
import type { PageRun, PageState } from '../model';
import { syscall } from './libc';
import { pageSize as systemPageSize } from './processMemory';
import type { Result } from './procfs';
import { nextExtent } from './sparseCopy';

/** Bytes. */
export const pageSize = Number(systemPageSize);

export const pageStates = ['resident', 'swapped', 'absent', 'written', 'on-disk', 'unseen'] as const satisfies readonly PageState[];
const code = Object.fromEntries(pageStates.map((state, index) => [state, index])) as Readonly<Record<PageState, number>>;

/** What lies under a file: memory (tmpfs, System V, memfd), where what is not cached is on swap or absent; or a disk. */
export type Backing = 'memory' | 'disk';

/** Pages of a range of a file, in the page cache and evicted from it (for tmpfs: swapped out). Errno ENOSYS before Linux 6.5, EOPNOTSUPP on hugetlbfs. */
export function cachedPages(fd: number, offset: number, length: number): Result<{ readonly cached: number; readonly evicted: number }> {
  const range = Buffer.alloc(16);
  range.writeBigUInt64LE(BigInt(offset), 0);
  range.writeBigUInt64LE(BigInt(length), 8);
  const counts = Buffer.alloc(40);
  const { value, errno } = syscall('cachestat', fd, range, counts, 0);
  return value === -1 ? { errno } : { value: { cached: Number(counts.readBigUInt64LE(0)), evicted: Number(counts.readBigUInt64LE(24)) } };
}

/** States of the pages of a range, one code a page (index in {@link pageStates}), the first being the page that holds `offset`. */
export class PageMap {
  readonly firstPage: number;
  readonly codes: Uint8Array;

  constructor(readonly offset: number, readonly length: number, initial: PageState) {
    this.firstPage = Math.floor(offset / pageSize);
    this.codes = new Uint8Array(length === 0 ? 0 : Math.floor((offset + length - 1) / pageSize) - this.firstPage + 1).fill(code[initial]);
  }

  /** Sets the pages that hold [start, end). */
  set(start: number, end: number, state: PageState): void {
    if (end > start) this.codes.fill(code[state], Math.max(0, Math.floor(start / pageSize) - this.firstPage), Math.ceil(end / pageSize) - this.firstPage);
  }

  stateOf(page: number): PageState { return pageStates[this.codes[page - this.firstPage] ?? code.unseen] ?? 'unseen'; }

  /** The range in runs of one state; their lengths add up to its length. */
  runs(): PageRun[] {
    const runs: { state: PageState; length: number }[] = [];
    for (let index = 0; index < this.codes.length; index++) {
      const state = pageStates[this.codes[index] ?? code.unseen] ?? 'unseen';
      const start = Math.max(this.offset, (this.firstPage + index) * pageSize);
      const end = Math.min(this.offset + this.length, (this.firstPage + index + 1) * pageSize);
      const last = runs.at(-1);
      if (last?.state === state) last.length += end - start;
      else runs.push({ state, length: end - start });
    }
    return runs;
  }
}

/** States of a range of an open file. `detail`: also where the written pages are, which takes further calls. */
export function statesOfFile(fd: number, offset: number, length: number, backing: Backing, detail: boolean): PageMap {
  const map = new PageMap(offset, length, 'absent');
  for (let at = offset; at < offset + length;) {
    const found = nextExtent(fd, at);
    // A file system without SEEK_DATA: everything may be data.
    const extent = found.errno !== undefined ? { start: at, end: offset + length } : found.value;
    if (extent === null || extent.start >= offset + length) break;
    const end = Math.min(extent.end, offset + length);
    map.set(extent.start, end, 'written');
    if (detail) locate(fd, map, Math.floor(extent.start / pageSize) * pageSize, Math.ceil(end / pageSize) * pageSize, backing);
    at = Math.max(end, at + 1);
  }
  return map;
}

/** Tells where the written pages of [start, end) are: the whole at once where it is of one kind, else each half. */
function locate(fd: number, map: PageMap, start: number, end: number, backing: Backing): void {
  const counted = cachedPages(fd, start, end - start);
  if (counted.value === undefined) return;
  const pages = (end - start) / pageSize;
  const state = uniform(pages, counted.value, backing);
  if (state !== undefined) { map.set(start, end, state); return; }
  const middle = start + Math.floor(pages / 2) * pageSize;
  if (middle === start) return; // counts that do not fit one page: it changed meanwhile, and stays "written"
  locate(fd, map, start, middle, backing);
  locate(fd, map, middle, end, backing);
}

/** The one state of so many pages with data; undefined when they are in several. Exported for tests. */
export function uniform(pages: number, { cached, evicted }: { readonly cached: number; readonly evicted: number }, backing: Backing): PageState | undefined {
  if (cached >= pages) return 'resident';
  // Of a file on a disk, "evicted" counts recent pages only: what is not cached is on the disk either way.
  if (backing === 'disk') return cached === 0 ? 'on-disk' : undefined;
  if (evicted >= pages) return 'swapped';
  return undefined;
}

const present = 1n << 63n, swapped = 1n << 62n;

/**
 * Marks the pages of `map` that one mapping's page table holds: resident or swapped. Whatever it does not hold stays as it was: of shared
 * memory pagemap does not tell an absent page from one that this process has not touched, or that was swapped out.
 */
export function markFromPagemap(pagemap: number, map: PageMap, mapping: { readonly start: bigint; readonly end: bigint; readonly offset: bigint }): void {
  const from = Math.max(map.firstPage, Number(mapping.offset) / pageSize);
  const to = Math.min(map.firstPage + map.codes.length, Number(mapping.offset + mapping.end - mapping.start) / pageSize);
  if (to <= from) return;
  const entries = Buffer.alloc(Math.min(to - from, 1 << 16) * 8);
  for (let page = from; page < to;) {
    const address = mapping.start + BigInt(page) * BigInt(pageSize) - mapping.offset;
    const got = Math.floor(readSync(pagemap, entries, 0, Math.min(entries.length, (to - page) * 8), (address / BigInt(pageSize)) * 8n) / 8);
    if (got === 0) return;
    for (let index = 0; index < got; index++) {
      const entry = entries.readBigUInt64LE(index * 8);
      const at = page + index - map.firstPage;
      if ((entry & present) !== 0n) map.codes[at] = code.resident;
      else if ((entry & swapped) !== 0n && map.codes[at] === code.unseen) map.codes[at] = code.swapped;
    }
    page += got;
  }
}

/** Number of pages in each state. */
export type PageCounts = Readonly<Record<PageState, number>>;

/** How many pages of each state a range of a file has; undefined where only looking at every extent would tell (before Linux 6.5). */
export function countInFile(fd: number, offset: number, length: number, backing: Backing): PageCounts | undefined {
  const counted = cachedPages(fd, offset, length);
  if (counted.value === undefined) return undefined;
  const pages = Math.ceil(length / pageSize);
  const resident = Math.min(pages, counted.value.cached);
  const out = backing === 'memory' ? Math.min(pages - resident, counted.value.evicted) : 0;
  const rest = pages - resident - out;
  return { ...noPages, resident, swapped: out, ...(backing === 'memory' ? { absent: rest } : { 'on-disk': rest }) };
}

export const noPages: PageCounts = { resident: 0, swapped: 0, absent: 0, written: 0, 'on-disk': 0, unseen: 0 };

/** How many pages of each state a map has. */
export function countInMap(map: PageMap): PageCounts {
  const counts = { ...noPages };
  for (const each of map.codes) {
    const state = pageStates[each];
    if (state !== undefined) counts[state]++;
  }
  return counts;
}
