// The kernel's own description of its types, BTF (Documentation/bpf/btf.rst, include/uapi/linux/btf.h): where a member lies in a
// structure, and the numbers of types. Pure: bytes in, answers out; whatever the bytes are, nothing throws.

/** Kinds of types, and how many bytes follow the common twelve; `each` once for every member, value or parameter. */
const trailing: readonly { readonly fixed?: number; readonly each?: number }[] = [
  {}, { fixed: 4 }, {}, { fixed: 12 }, { each: 12 }, { each: 12 }, { each: 8 }, {}, {}, {}, {}, {}, {}, { each: 8 }, { fixed: 4 }, { each: 12 }, {}, { fixed: 4 }, {}, { each: 12 },
];
const PTR = 2, ARRAY = 3, STRUCT = 4, UNION = 5, TYPEDEF = 8, VOLATILE = 9, CONST = 10, RESTRICT = 11, FUNC = 12, TYPE_TAG = 18;
const modifiers: ReadonlySet<number> = new Set([TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG]);

const magic = 0xeb9f, headerBytes = 24, typeBytes = 12, memberBytes = 12;
/** Structures within structures, and chains of typedefs; what goes deeper goes in circles. */
const deepest = 16;
/** Members looked at in one search, with those of structures within. */
const mostMembers = 100_000;

/** A member: its offset in bytes, and what it is. */
export interface Member { readonly offset: number; readonly form: 'pointer' | 'array' | 'other' }

export class Btf {
  /** Where each type begins, by number; 0 is void. */
  readonly #types: Int32Array;
  readonly #bytes: Buffer;
  readonly #strings: number;
  readonly #end: number;

  private constructor(bytes: Buffer, types: Int32Array, strings: number, end: number) {
    this.#bytes = bytes;
    this.#types = types;
    this.#strings = strings;
    this.#end = end;
  }

  /** Finds all types; a reason in words where the bytes are no BTF of this byte order. Walks the types once: a few milliseconds for a kernel's. */
  static parse(bytes: Buffer): Btf | string {
    if (bytes.length < headerBytes || bytes.readUInt16LE(0) !== magic) return 'it is no BTF of this byte order';
    const header = bytes.readUInt32LE(4);
    const types = header + bytes.readUInt32LE(8), typesEnd = types + bytes.readUInt32LE(12);
    const strings = header + bytes.readUInt32LE(16), stringsEnd = strings + bytes.readUInt32LE(20);
    if (header < headerBytes || typesEnd > bytes.length || stringsEnd > bytes.length) return 'it is shorter than its header says';
    // No type is shorter than twelve bytes.
    const found = new Int32Array(Math.floor((typesEnd - types) / typeBytes) + 1);
    let count = 1;
    let at = types;
    while (at + typeBytes <= typesEnd) {
      const info = bytes.readUInt32LE(at + 4);
      const shape = trailing[(info >>> 24) & 31];
      if (!shape) return `it holds types of kind ${(info >>> 24) & 31}, which came with a later kernel`;
      found[count++] = at;
      at += typeBytes + (shape.fixed ?? 0) + (shape.each ?? 0) * (info & 0xffff);
    }
    if (at !== typesEnd) return 'its last type is cut off';
    return new Btf(bytes, found.subarray(0, count), strings, stringsEnd);
  }

  /** Numbers of all functions and structures of some names, in one walk. */
  find(functions: readonly string[], structures: readonly string[]): { readonly functions: ReadonlyMap<string, number>; readonly structures: ReadonlyMap<string, readonly number[]> } {
    const wantedFunctions = this.#places(functions), wantedStructures = this.#places(structures);
    const foundFunctions = new Map<string, number>();
    const foundStructures = new Map<string, number[]>();
    for (let id = 1; id < this.#types.length; id++) {
      const at = this.#types[id] ?? 0;
      const kind = this.#kind(id);
      if (kind !== FUNC && kind !== STRUCT) continue;
      const name = (kind === FUNC ? wantedFunctions : wantedStructures).get(this.#bytes.readUInt32LE(at));
      if (name === undefined) continue;
      if (kind === FUNC) foundFunctions.set(name, foundFunctions.get(name) ?? id);
      else foundStructures.set(name, [...foundStructures.get(name) ?? [], id]);
    }
    return { functions: foundFunctions, structures: foundStructures };
  }

  /** A member of a structure, also of one without a name within it; undefined where there is none, or it is a bit field. */
  member(structure: number, name: string): Member | undefined {
    return this.#member(structure, name, { left: mostMembers }, 0);
  }

  #member(structure: number, name: string, budget: { left: number }, depth: number): Member | undefined {
    const at = this.#types[structure];
    if (at === undefined || structure === 0 || depth > deepest || (this.#kind(structure) !== STRUCT && this.#kind(structure) !== UNION)) return undefined;
    const info = this.#bytes.readUInt32LE(at + 4);
    // With the flag, the upper eight bits are the length of a bit field.
    const withSizes = info >>> 31 === 1;
    for (let index = 0; index < (info & 0xffff) && budget.left > 0; index++) {
      budget.left--;
      const place = at + typeBytes + index * memberBytes;
      const nameAt = this.#bytes.readUInt32LE(place);
      const type = this.#bytes.readUInt32LE(place + 4);
      const bits = this.#bytes.readUInt32LE(place + 8);
      const offset = (withSizes ? bits & 0xffffff : bits) / 8;
      if (!Number.isInteger(offset)) continue;
      if (nameAt !== 0) {
        if (!this.#is(nameAt, name) || (withSizes && bits >>> 24 !== 0)) continue;
        const kind = this.#kind(this.#resolved(type));
        return { offset, form: kind === PTR ? 'pointer' : kind === ARRAY ? 'array' : 'other' };
      }
      const inner = this.#member(this.#resolved(type), name, budget, depth + 1);
      if (inner) return { offset: offset + inner.offset, form: inner.form };
    }
    return undefined;
  }

  /** Bytes of a structure. */
  size(structure: number): number | undefined {
    const at = this.#types[structure];
    return at === undefined || this.#kind(structure) !== STRUCT ? undefined : this.#bytes.readUInt32LE(at + 8);
  }

  #kind(id: number): number {
    const at = this.#types[id];
    return at === undefined || id === 0 ? 0 : (this.#bytes.readUInt32LE(at + 4) >>> 24) & 31;
  }

  /** The type behind typedefs and qualifiers. */
  #resolved(id: number): number {
    for (let steps = 0; steps < deepest && modifiers.has(this.#kind(id)); steps++) id = this.#bytes.readUInt32LE((this.#types[id] ?? 0) + 8);
    return id;
  }

  #is(nameAt: number, name: string): boolean {
    const at = this.#strings + nameAt;
    return at + name.length < this.#end && this.#bytes[at + name.length] === 0 && this.#bytes.toString('latin1', at, at + name.length) === name;
  }

  /** Names by where they stand among the strings: the types are then compared by numbers. */
  #places(names: readonly string[]): Map<number, string> {
    const places = new Map<number, string>();
    const strings = this.#bytes.subarray(this.#strings, this.#end);
    for (const name of names) {
      const wanted = Buffer.from(`\0${name}\0`, 'latin1');
      for (let at = strings.indexOf(wanted); at !== -1; at = strings.indexOf(wanted, at + 1)) places.set(at + 1, name);
    }
    return places;
  }
}
