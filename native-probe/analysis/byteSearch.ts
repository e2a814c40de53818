// Looking for bytes in memory that comes in pieces: matches over the borders of pieces are found, and those over the border between what
// was written and the zeros of an absent page. Matches wholly among absent pages are not looked for. Pure.

/** What to look for. `ignoreCase`: ASCII letters match in either case. */
export interface Pattern { readonly bytes: Uint8Array; readonly ignoreCase: boolean }

/** Told of the memory in ascending order, without overlap. Gives each match once, when its last byte is known. */
export class ByteSearch {
  private readonly pattern: Buffer;
  /** A match may begin in so many bytes before what comes next. */
  private readonly overlap: number;
  private tail: Buffer = Buffer.alloc(0);
  private end = -1;
  /** Whether what lies between `end` and the next data is zeros; where it is not known to be, no match leads over it. */
  private zeros = false;

  constructor(private readonly wanted: Pattern) {
    this.pattern = this.folded(Buffer.from(wanted.bytes));
    this.overlap = this.pattern.length - 1;
  }

  /** Bytes that are there. Offsets of the matches that end in them. */
  data(offset: number, bytes: Buffer): number[] {
    const hits: number[] = [];
    if (this.zeros && offset !== this.end) {
      const start = Math.max(this.end, offset - this.overlap);
      hits.push(...this.scan(start, Buffer.alloc(offset - start)));
    }
    this.zeros = false;
    hits.push(...this.scan(offset, bytes));
    return hits;
  }

  /** Absent pages: zeros. Matches that begin before them and end in them. */
  absent(offset: number, length: number): number[] {
    if (this.zeros) return [];
    this.zeros = true;
    if (offset === this.end) return this.scan(offset, Buffer.alloc(Math.min(length, this.overlap)));
    this.tail = Buffer.alloc(0);
    this.end = offset;
    return [];
  }

  /** Pages of which nothing is known. */
  unseen(): void {
    this.tail = Buffer.alloc(0);
    this.end = -1;
    this.zeros = false;
  }

  private scan(offset: number, bytes: Buffer): number[] {
    const before = offset === this.end ? this.tail : Buffer.alloc(0);
    const all = this.folded(before.length === 0 ? bytes : Buffer.concat([before, bytes]));
    const hits: number[] = [];
    for (let at = all.indexOf(this.pattern); at >= 0; at = all.indexOf(this.pattern, at + 1)) hits.push(offset - before.length + at);
    this.tail = Buffer.from(all.subarray(Math.max(0, all.length - this.overlap)));
    this.end = offset + bytes.length;
    return hits;
  }

  private folded(bytes: Buffer): Buffer {
    if (!this.wanted.ignoreCase) return bytes;
    const lower = Buffer.from(bytes);
    for (let at = 0; at < lower.length; at++) {
      const byte = lower[at] ?? 0;
      if (byte >= 0x41 && byte <= 0x5a) lower[at] = byte + 0x20;
    }
    return lower;
  }
}
