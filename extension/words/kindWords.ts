// What is said of an object by its kind: label, summary, rows of the tooltip. One function a family; this file asks the right one. Pure.
import type { IpcObject } from '../../native-probe/model';
import type { EventObject } from './eventWords';
import { eventWords } from './eventWords';
import type { LockObject } from './lockWords';
import { lockWords } from './lockWords';
import type { MemoryObject } from './memoryWords';
import { memoryWords } from './memoryWords';
import type { StreamObject } from './streamWords';
import { streamWords } from './streamWords';

/** Label and value of one line of a tooltip; the value is harmless Markdown already. */
export type TooltipRow = readonly [label: string, value: string];

export interface KindWords {
  /** How people call the object. */
  readonly label: string;
  /** The state in a few words each, for one line. */
  readonly summary: () => readonly string[];
  readonly rows: () => readonly TooltipRow[];
}

/** The kinds beside System V, POSIX, flock locks, mutexes and futexes, which objectWords.ts words itself. */
export type FurtherObject = StreamObject | MemoryObject | LockObject | EventObject;

const streams: ReadonlySet<IpcObject['kind']> = new Set<StreamObject['kind']>(['pipe', 'fifo', 'unix-socket', 'inet-socket', 'other-socket', 'pseudoterminal']);
const memory: ReadonlySet<IpcObject['kind']> = new Set<MemoryObject['kind']>(['memfd', 'shared-mapping', 'anonymous-shared-mapping']);
const locks: ReadonlySet<IpcObject['kind']> = new Set<LockObject['kind']>(['record-lock', 'ofd-lock', 'lease', 'posix-unnamed-semaphore', 'condition-variable', 'rwlock', 'barrier']);

const isStream = (object: FurtherObject): object is StreamObject => streams.has(object.kind);
const isMemory = (object: FurtherObject): object is MemoryObject => memory.has(object.kind);
const isLock = (object: FurtherObject): object is LockObject => locks.has(object.kind);

/** The words of an object. */
export function kindWords(object: FurtherObject): KindWords {
  if (isStream(object)) return streamWords(object);
  if (isMemory(object)) return memoryWords(object);
  if (isLock(object)) return lockWords(object);
  return eventWords(object);
}
