// Rows of threads, found by PID and TID: a graph of a million waits is looked up a million times, and a Map with a key
// made of both numbers costs several times as much there. Pure.

/** Open addressing, at most half full. The last of equal rows is the one that is found. */
export class ThreadTable {
  /** Row + 1; 0 is free. */
  readonly #slots: Int32Array;
  readonly #mask: number;

  /** @param pids by row, as long as `tids` */
  constructor(readonly pids: Int32Array, readonly tids: Int32Array) {
    const capacity = 2 ** Math.ceil(Math.log2(2 * pids.length + 16));
    this.#slots = new Int32Array(capacity);
    this.#mask = capacity - 1;
    for (let row = 0; row < pids.length; row++) this.#slots[this.#slotOf(pids[row] ?? 0, tids[row] ?? 0)] = row + 1;
  }

  /** The row of a thread, or -1. */
  get(pid: number, tid: number): number {
    return (this.#slots[this.#slotOf(pid, tid)] ?? 0) - 1;
  }

  /** Where the thread is, or the free slot where it would be. */
  #slotOf(pid: number, tid: number): number {
    const { pids, tids } = this;
    // Sixteen neighbouring TIDs stay in one cache line, because who is named together mostly has them; what is farther apart is scattered.
    const mixed = Math.imul((tid >>> 4) ^ Math.imul(pid >>> 4, 0x5bd1e995), 0x9e3779b1);
    for (let slot = (((mixed ^ (mixed >>> 15)) << 4) | (tid & 15)) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const row = (this.#slots[slot] ?? 0) - 1;
      if (row === -1 || (tids[row] === tid && pids[row] === pid)) return slot;
    }
  }
}
