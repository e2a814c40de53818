// C types as the System V ABI of 64-bit Linux lays them out (x86_64; aarch64 but for char and wchar_t). Pure.
import { bounds } from './cTokens';

export type ScalarKind = 'signed' | 'unsigned' | 'float' | 'bool' | 'char' | 'pointer';
export type CType =
  | { readonly kind: 'scalar'; readonly name: string; readonly of: ScalarKind; readonly size: number; readonly align: number }
  | { readonly kind: 'enum'; readonly name: string; readonly size: number; readonly align: number; readonly names: ReadonlyMap<bigint, string> }
  | { readonly kind: 'array'; readonly of: CType; readonly count: number; readonly size: number; readonly align: number }
  | { readonly kind: 'record'; readonly union: boolean; readonly name: string; readonly fields: readonly CField[]; readonly size: number; readonly align: number };
/** `bits`: of a bit field, counted from the least significant of the unit of `type` at `offset`. */
export interface CField { readonly name: string; readonly type: CType; /** In bytes, from the start of its record. */ readonly offset: number; readonly bits?: { readonly shift: number; readonly width: number } }

export const scalar = (name: string, of: ScalarKind, size: number, align = size): CType => ({ kind: 'scalar', name, of, size, align });

/** Typedefs that every program has, for the data model LP64 (x86_64 and aarch64 Linux; wchar_t and char as on x86_64). */
export function knownNames(): Map<string, CType> {
  const known = new Map<string, CType>();
  for (const bits of [8, 16, 32, 64] as const) {
    for (const [prefix, of] of [['', 'signed'], ['u', 'unsigned']] as const) {
      const name = `${prefix}int${bits}_t`;
      for (const alias of [name, `${prefix}int_least${bits}_t`, `${prefix === 'u' ? '__u' : '__s'}${bits}`, `${prefix === 'u' ? 'u' : 's'}${bits}`, `${prefix === 'u' ? 'u_' : ''}int${bits}_t`]) known.set(alias, scalar(name, of, bits / 8));
    }
  }
  for (const name of ['size_t', 'uintptr_t', 'uintmax_t', 'uint_fast16_t', 'uint_fast32_t', 'uint_fast64_t', 'dev_t', 'ino_t', 'nlink_t', 'rlim_t', 'pthread_t']) known.set(name, scalar(name, 'unsigned', 8));
  for (const name of ['ssize_t', 'ptrdiff_t', 'intptr_t', 'intmax_t', 'int_fast16_t', 'int_fast32_t', 'int_fast64_t', 'time_t', 'off_t', 'off64_t', 'loff_t', 'suseconds_t', 'clock_t', 'blkcnt_t', 'blksize_t']) known.set(name, scalar(name, 'signed', 8));
  for (const name of ['pid_t', 'key_t', 'wchar_t', 'clockid_t', 'int_fast8_t']) known.set(name, scalar(name, 'signed', name === 'int_fast8_t' ? 1 : 4));
  for (const name of ['uid_t', 'gid_t', 'mode_t', 'socklen_t', 'id_t', 'char32_t', 'useconds_t']) known.set(name, scalar(name, 'unsigned', 4));
  known.set('char16_t', scalar('char16_t', 'unsigned', 2));
  known.set('uint_fast8_t', scalar('uint_fast8_t', 'unsigned', 1));
  for (const name of ['bool', '_Bool']) known.set(name, scalar('bool', 'bool', 1));
  return known;
}

export const basicWords = new Set(['char', 'short', 'int', 'long', 'signed', 'unsigned', '__signed__', 'float', 'double', 'void', '_Bool']);

/** A type by the words that make it up, in any order. */
export function basicType(words: readonly string[]): CType | undefined {
  const count = (word: string): number => words.filter(it => it === word).length;
  const unsigned = count('unsigned') > 0;
  if (count('float') === 1 && words.length === 1) return scalar('float', 'float', 4);
  if (count('double') === 1) return count('long') === 1 && words.length === 2 ? scalar('long double', 'float', 16) : words.length === 1 ? scalar('double', 'float', 8) : undefined;
  if (count('_Bool') === 1) return words.length === 1 ? scalar('bool', 'bool', 1) : undefined;
  if (count('void') === 1) return words.length === 1 ? scalar('void', 'unsigned', 0, 1) : undefined;
  if ((unsigned && count('signed') + count('__signed__') > 0) || count('int') > 1 || count('long') > 2 || count('short') > 1) return undefined;
  if (count('char') > 0) return count('char') > 1 || count('int') + count('long') + count('short') > 0 ? undefined : words.length === 1 ? scalar('char', 'char', 1) : scalar(unsigned ? 'unsigned char' : 'signed char', unsigned ? 'unsigned' : 'signed', 1);
  if (count('short') > 0) return count('long') > 0 ? undefined : scalar(unsigned ? 'unsigned short' : 'short', unsigned ? 'unsigned' : 'signed', 2);
  if (count('long') > 0) return scalar(`${unsigned ? 'unsigned ' : ''}${count('long') === 2 ? 'long long' : 'long'}`, unsigned ? 'unsigned' : 'signed', 8);
  return scalar(unsigned ? 'unsigned int' : 'int', unsigned ? 'unsigned' : 'signed', 4);
}

export interface Attributes { packed: boolean; aligned: number }
export interface Member { readonly name: string; readonly type: CType; readonly bits: number | undefined; readonly attributes: Attributes; readonly at: number }

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;

/** What a type is called, in C's words as far as there is a short one. */
export function nameOf(type: CType): string {
  switch (type.kind) {
    case 'scalar': return type.name;
    case 'enum': return type.name === '' ? 'enum' : `enum ${type.name}`;
    case 'array': {
      let of: CType = type, dimensions = '';
      while (of.kind === 'array') { dimensions += `[${of.count}]`; of = of.of; }
      return `${nameOf(of)}${dimensions}`;
    }
    case 'record': return `${type.union ? 'union' : 'struct'}${type.name === '' ? '' : ` ${type.name}`}`;
    default: return type satisfies never;
  }
}


/** Offsets, size and alignment by the System V ABI: bit fields are packed into units of their declared type and never cross one. */
export function layOut(members: readonly Member[], union: boolean, own: Attributes, pack: number, name: string, fail: (at: number, message: string) => never): CType {
  const fields: CField[] = [];
  let bit = 0, size = 0, align = 1;
  for (const { name: field, type, bits, attributes, at } of members) {
    const packed = own.packed || attributes.packed;
    let natural = packed ? 1 : pack > 0 ? Math.min(pack, type.align) : type.align;
    natural = Math.max(natural, attributes.aligned);
    if (union) bit = 0;
    if (bits !== undefined) {
      if ((type.kind !== 'scalar' && type.kind !== 'enum') || (type.kind === 'scalar' && (type.of === 'float' || type.of === 'pointer'))) fail(at, 'only integers have bit fields');
      const unit = type.size * 8;
      if (bits < 0 || bits > unit) fail(at, `a bit field of ${bits} bits does not fit ${nameOf(type)}`);
      if (bits === 0) { bit = roundUp(bit, unit); size = Math.max(size, bit / 8); continue; }
      if (attributes.aligned > 0) bit = roundUp(bit, attributes.aligned * 8);
      // A field never crosses a unit of its type, unless it is packed, by attribute or pragma (GCC's place_field, stor-layout.c).
      const tight = packed || pack > 0;
      const piece = tight ? 8 : unit;
      if (!tight && bit % unit + bits > unit) bit = roundUp(bit, unit);
      const offset = Math.floor(bit / piece) * (piece / 8);
      if (field !== '') fields.push({ name: field, type, offset, bits: { shift: bit - offset * 8, width: bits } });
      if (field !== '') align = Math.max(align, natural);
      bit += bits;
    } else {
      if (type.size === 0 && type.kind !== 'array' && !(type.kind === 'record' && type.fields.length === 0 && type.name === '')) fail(at, `${field === '' ? 'this field' : field} has no size: ${nameOf(type)} is not declared`);
      const offset = roundUp(Math.ceil(bit / 8), natural);
      // Of an anonymous record the fields are shown as the outer one's.
      if (field === '' && type.kind === 'record') for (const inner of type.fields) fields.push({ ...inner, offset: offset + inner.offset });
      else fields.push({ name: field, type, offset });
      align = Math.max(align, natural);
      bit = (offset + type.size) * 8;
    }
    size = Math.max(size, Math.ceil(bit / 8));
    if (size > bounds.size) fail(at, 'larger than 1 GiB');
  }
  align = Math.max(align, own.aligned);
  return { kind: 'record', union, name, fields, size: roundUp(size, align), align };
}
