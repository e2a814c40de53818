// A range of shared memory, chunk by chunk, for files: what is absent is passed over, what could not be seen is counted. Pure but for the probe it is handed.
import type { CancellationToken } from 'vscode-jsonrpc/node';
import type { ReadMemoryParams, ReadMemoryResult } from '../../native-probe/protocol';
import { l10n } from '../translation';

export type ReadMemory = (params: ReadMemoryParams, token?: CancellationToken) => Promise<ReadMemoryResult>;

/** A range of bytes: `end` is the one after the last. */
export interface MemoryRange { readonly start: number; readonly end: number }

/** Bytes that are asked for at once. */
const chunk = 1 << 20;

export interface RangeRead {
  /** Bytes from the start of the range on that were there: less than asked for when it ended before. */
  readonly length: number;
  /** Bytes of these that could not be seen: zeros, whatever they are. */
  readonly unseen: number;
}

/** Why memory cannot be read, as a sentence. */
export class MemoryUnavailable extends Error {
  override readonly name = 'MemoryUnavailable';
  constructor(readonly gone: boolean, message: string) { super(message); }
}

/** The piece, or the reason why there is none. */
export function pieceOf(result: ReadMemoryResult): Extract<ReadMemoryResult, { form: 'bytes' }> {
  if (result.form === 'bytes') return result;
  if (result.form === 'gone') throw new MemoryUnavailable(true, l10n.t('This object is gone.'));
  throw new MemoryUnavailable(false, l10n.t('It cannot be looked at because {0}.', result.remedy === undefined ? result.reason : `${result.reason}; ${result.remedy}`));
}

/**
 * Reads a range and hands over what was written, in ascending order; between these are absent pages (zeros). `progress`: bytes of the range done.
 * Throws {@link MemoryUnavailable} when nothing can be read any more, and what the probe's client throws.
 */
export async function readRange(read: ReadMemory, id: string, { start, end }: MemoryRange, write: (bytes: Buffer, offset: number) => void | Promise<void>, options: { readonly token?: CancellationToken; readonly progress?: (done: number) => void } = {}): Promise<RangeRead> {
  let unseen = 0;
  let at = start;
  while (at < end) {
    const piece = pieceOf(await read({ id, offset: String(at), length: Math.min(chunk, end - at) }, options.token));
    const length = piece.runs.reduce((sum, run) => sum + run.length, 0);
    // It has shrunk, or ended where nobody knew.
    if (length === 0) break;
    if (piece.base64 === undefined) {
      const next = piece.next === undefined ? at + length : piece.next === null ? end : Number(piece.next);
      const to = Math.min(end, Math.max(at + length, next), piece.size === null ? end : Number(piece.size));
      if (!piece.complete) unseen += to - at;
      at = to;
    } else {
      const bytes = Buffer.from(piece.base64, 'base64');
      let from = 0;
      for (const run of piece.runs) {
        if (run.state === 'unseen') unseen += run.length;
        else if (run.state !== 'absent') await write(bytes.subarray(from, from + run.length), at + from - start);
        from += run.length;
      }
      at += length;
    }
    options.progress?.(at - start);
  }
  return { length: Math.min(at, end) - start, unseen };
}

/** An offset in decimal or hexadecimal (0x…); undefined for anything else. */
function offsetOf(text: string): number | undefined {
  const plain = text.trim().toLowerCase();
  const value = /^0x[\da-f]{1,16}$/.test(plain) || /^\d{1,20}$/.test(plain) ? Number(BigInt(plain)) : NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** "0x1000-0x1fff" (both ends are meant), "4096+256" (a length), "" (everything). What is wrong with it as text. */
export function parseRange(text: string, size: number): MemoryRange | string {
  if (text.trim() === '') return { start: 0, end: size };
  const [, first = '', sign = '', second = ''] = /^\s*([^\s+\-–]+)\s*([+\-–])\s*([^\s+\-–]+)\s*$/.exec(text) ?? [];
  const from = offsetOf(first), to = offsetOf(second);
  if (from === undefined || to === undefined) return l10n.t('Write first and last byte (0x1000-0x1fff), or first byte and length (4096+256).');
  const end = sign === '+' ? from + to : to + 1;
  if (end <= from) return l10n.t('The range is empty.');
  if (end > size) return l10n.t('It has only {0} bytes.', size);
  return { start: from, end };
}
