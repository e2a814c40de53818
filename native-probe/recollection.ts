// What is kept from one pass to the next. Everything is read anew every time, but what reads the same becomes the same
// JavaScript object as last time: nothing is made twice, little becomes garbage, and a delta mostly compares identities.
import type { RememberedProcess } from './processes';
import type { RememberedSocket } from './facilities/unixSocket';
import type { RememberedObject, SysvKind } from './facilities/sysv';

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
  readonly #sysv = new Map<string, Remembered<number, RememberedObject>>();

  /** System V objects of a kind in an IPC namespace, by their number there: for most of thousands no id has to be made anew. */
  sysv(kind: SysvKind, namespace: string): Remembered<number, RememberedObject> {
    const key = `${kind}:${namespace}`;
    const known = this.#sysv.get(key);
    if (known) return known;
    const made = new Remembered<number, RememberedObject>();
    this.#sysv.set(key, made);
    return made;
  }

  /** The end of a pass that asked for every System V object there is. */
  endOfSysvPass(): void {
    for (const [key, objects] of this.#sysv) {
      objects.endOfPass();
      if (objects.size === 0) this.#sysv.delete(key);
    }
  }
}
