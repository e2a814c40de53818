// Paths of the file system `ipc-memory:` (memoryFiles.ts). Pure.
import type { MemoryRange } from './memoryReading';

/** An object, or a range of it. */
export interface Place { readonly id: string; readonly range?: MemoryRange }

/** What a path of this file system means; undefined for its directories and for anything else. */
export function placeOf(path: string): Place | undefined {
  const [id, ...rest] = path.split('/').slice(1).map(part => { try { return decodeURIComponent(part); } catch { return part; /* no encoding of ours: it names nothing */ } });
  if (id === undefined || id === '' || rest.length < 1 || rest.length > 2 || rest.some(part => part === '')) return undefined;
  if (rest.length === 1) return { id };
  const [, start, end] = /^(\d{1,16})-(\d{1,16})$/.exec(rest[0] ?? '') ?? [];
  return start === undefined || end === undefined || Number(end) < Number(start) ? undefined : { id, range: { start: Number(start), end: Number(end) } };
}
