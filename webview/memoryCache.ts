// The bytes that were read, by blocks, and what changed between two readings of the same block. Pure.
import type { MemoryPiece } from '../native-probe/protocol';
import type { PageState } from '../native-probe/model';

/** Bytes of a block: what is read at least. */
export const blockSize = 4096;
/** Blocks that are kept: a mebibyte. */
const mostBlocks = 256;

export interface Block {
  readonly index: number;
  /** Shorter only where the memory ends. */
  readonly bytes: Uint8Array;
  /** Blocks lie within a page. */
  readonly state: PageState;
  /** The refresh that read it. */
  readonly generation: number;
  /** One entry a byte, 1 where it differs from the reading before; absent when nothing does. */
  readonly changed?: Uint8Array;
}

/** Bytes of base64, as the host sends them. */
export function decodeBase64(base64: string): Uint8Array {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

export class MemoryCache {
  private readonly blocks = new Map<number, Block>();
  /** Raised with each refresh: what was read before is shown until it is read anew, marked as older. */
  generation = 0;

  get(index: number): Block | undefined { return this.blocks.get(index); }

  /** Forgets everything: another object, or one that cannot be seen any more. */
  clear(): void { this.blocks.clear(); }

  /** Takes a piece that begins at the start of a block. Returns how many bytes changed. */
  put(offset: number, piece: Pick<MemoryPiece, 'base64' | 'runs'>): number {
    const length = piece.runs.reduce((sum, run) => sum + run.length, 0);
    const bytes = piece.base64 === undefined ? new Uint8Array(length) : decodeBase64(piece.base64);
    let changes = 0;
    let run = 0, runEnd = piece.runs[0]?.length ?? 0;
    for (let at = 0; at < length; at += blockSize) {
      while (runEnd <= at && run < piece.runs.length - 1) runEnd += piece.runs[++run]?.length ?? 0;
      const index = Math.floor((offset + at) / blockSize);
      const before = this.blocks.get(index);
      const block = made(index, bytes.subarray(at, Math.min(length, at + blockSize)), piece.runs[run]?.state ?? 'unseen', this.generation, before);
      if (block.changed) changes += block.changed.reduce((sum, each) => sum + each, 0);
      this.blocks.delete(index);
      this.blocks.set(index, block);
    }
    for (const oldest of this.blocks.keys()) { if (this.blocks.size <= mostBlocks) break; this.blocks.delete(oldest); }
    return changes;
  }

  /** Forgets what lies at and beyond an offset: the memory ends there now. */
  cut(size: number): void {
    for (const [index, block] of this.blocks) if (index * blockSize + block.bytes.length > size) this.blocks.delete(index);
  }

  /** The first run of blocks in [start, end) that are not there or of an earlier refresh; undefined when all are. In bytes, at most `most`. */
  missing(start: number, end: number, most = 16 * blockSize): { readonly offset: number; readonly length: number } | undefined {
    const last = Math.ceil(end / blockSize);
    let first = Math.floor(start / blockSize);
    while (first < last && this.isFresh(first)) first++;
    if (first >= last) return undefined;
    let stop = first + 1;
    while (stop < last && (stop - first) * blockSize < most && !this.isFresh(stop)) stop++;
    return { offset: first * blockSize, length: (stop - first) * blockSize };
  }

  isFresh(index: number): boolean { return this.blocks.get(index)?.generation === this.generation; }

  /** As many bytes from an offset on as were read and seen, at most `length`. */
  prefix(offset: number, length: number): Uint8Array {
    let end = offset;
    while (end < offset + length) {
      const block = this.blocks.get(Math.floor(end / blockSize));
      if (block === undefined || block.state === 'unseen' || block.index * blockSize + block.bytes.length <= end) break;
      end = block.index * blockSize + block.bytes.length;
    }
    return this.bytes(offset, Math.min(end - offset, length)) ?? new Uint8Array(0);
  }

  /** Bytes of a range; undefined when a part of it was not read, or could not be seen. */
  bytes(offset: number, length: number): Uint8Array | undefined {
    const found = new Uint8Array(length);
    for (let at = offset; at < offset + length;) {
      const block = this.blocks.get(Math.floor(at / blockSize));
      if (block === undefined || block.state === 'unseen') return undefined;
      const from = at - block.index * blockSize;
      const part = block.bytes.subarray(from, Math.min(block.bytes.length, from + offset + length - at));
      if (part.length === 0) return undefined;
      found.set(part, at - offset);
      at += part.length;
    }
    return found;
  }
}

function made(index: number, bytes: Uint8Array, state: PageState, generation: number, before: Block | undefined): Block {
  const plain: Block = { index, bytes, state, generation };
  // What was not seen before, or is not now, has not changed as far as anybody knows.
  if (before === undefined || before.state === 'unseen' || state === 'unseen') return plain;
  // The same refresh read it twice: what that refresh changed stays marked.
  const old = before.bytes;
  let changed: Uint8Array | undefined = before.generation === generation ? before.changed?.slice() : undefined;
  for (let at = 0; at < bytes.length; at++) {
    if (at < old.length && bytes[at] === old[at]) continue;
    changed ??= new Uint8Array(bytes.length);
    changed[at] = 1;
  }
  return changed === undefined ? plain : { ...plain, changed };
}
