// What is kept from one pass to the next. Everything is read anew every time, but what reads the same becomes the same
// JavaScript object as last time: nothing is made twice, little becomes garbage, and a delta mostly compares identities.
import type { RememberedProcess } from './processes';
import type { RememberedSocket } from './facilities/unixSocket';
import type { RememberedObject } from './facilities/sysv';

/** Values of the last passes by key. What a pass over everything did not ask for is forgotten at its end. */
export class Remembered<K, V> {
  readonly #entries = new Map<K, { value: V; pass: number }>();
  #pass = 0;
  #used = 0;

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.pass !== this.#pass) { entry.pass = this.#pass; this.#used++; }
    return entry.value;
  }

  set(key: K, value: V): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) { this.#entries.set(key, { value, pass: this.#pass }); this.#used++; return; }
    if (entry.pass !== this.#pass) { entry.pass = this.#pass; this.#used++; }
    entry.value = value;
  }

  /** The end of a pass that asked for everything there is. */
  endOfPass(): void {
    if (this.#used < this.#entries.size) for (const [key, { pass }] of this.#entries) if (pass !== this.#pass) this.#entries.delete(key);
    this.#pass++;
    this.#used = 0;
  }

  get size(): number { return this.#entries.size; }
}

/** The memory of one server. A single pass has one of its own, which changes nothing. */
export class Recollection {
  /** By PID. */
  readonly processes = new Remembered<number, RememberedProcess>();
  /** UNIX sockets by inode. */
  readonly unixSockets = new Remembered<number, RememberedSocket>();
  /** System V objects by id. */
  readonly sysv = new Remembered<string, RememberedObject>();
}
