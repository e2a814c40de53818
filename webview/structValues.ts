// A structure laid over bytes: one line a field, in order, nested ones indented. Pure.
import type { CField, CType } from './cTypes';
import { nameOf } from './cTypes';
import { float32Text, realText } from './valuesAt';

export interface FieldLine {
  /** As C would write the way to it: `head.slots[3].owner`. */
  readonly path: string;
  readonly type: string;
  readonly depth: number;
  /** In bytes, from the start of the whole. */
  readonly offset: number;
  readonly size: number;
  /** Absent for what only holds others; empty where the bytes are not there. */
  readonly value?: string;
}

/** Lines are bounded: an array of a million elements is shown by its first ones. */
export const mostLines = 2000;
const mostElements = 64;

/** The lines of a type over bytes. `bytes` may be shorter than the type: what lies beyond has no value. `more`: how many elements and lines were left out. */
export function structLines(type: CType, name: string, bytes: Uint8Array | undefined, little: boolean): { readonly lines: readonly FieldLine[]; readonly more: boolean } {
  const lines: FieldLine[] = [];
  let more = false;
  const view = bytes && new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const add = (line: FieldLine): boolean => {
    if (lines.length >= mostLines) { more = true; return false; }
    lines.push(line);
    return true;
  };
  const walk = (it: CType, path: string, offset: number, depth: number, bits?: CField['bits']): void => {
    if (more && lines.length >= mostLines) return;
    const line = { path, type: bits ? `${nameOf(it)} : ${bits.width}` : nameOf(it), depth, offset, size: it.size };
    switch (it.kind) {
      case 'scalar': case 'enum': add({ ...line, value: view === undefined ? '' : valueOf(it, view, offset, little, bits) }); break;
      case 'array': {
        const text = textOf(it, bytes, offset);
        if (!add(text === undefined ? line : { ...line, value: text })) return;
        if (text !== undefined) return;
        const shown = Math.min(it.count, mostElements);
        for (let index = 0; index < shown; index++) walk(it.of, `${path}[${index}]`, offset + index * it.of.size, depth + 1);
        if (shown < it.count) more = true;
        break;
      }
      case 'record':
        if (path !== '' && !add(line)) return;
        for (const field of it.fields) walk(field.type, path === '' || depth === 0 && path === name ? field.name : `${path}.${field.name}`, offset + field.offset, path === '' ? depth : depth + 1, field.bits);
        break;
      default: it satisfies never;
    }
  };
  walk(type, type.kind === 'record' ? '' : name, 0, 0);
  return { lines, more };
}

/** An array of characters as text up to its first NUL, quoted as C does; undefined for any other type. */
function textOf(type: Extract<CType, { kind: 'array' }>, bytes: Uint8Array | undefined, offset: number): string | undefined {
  if (type.of.kind !== 'scalar' || type.of.of !== 'char') return undefined;
  if (bytes === undefined || offset >= bytes.length) return '';
  const all = bytes.subarray(offset, Math.min(bytes.length, offset + type.size));
  const end = all.indexOf(0);
  let text = '';
  for (const byte of all.subarray(0, Math.min(end < 0 ? all.length : end, 256))) {
    text += byte === 0x22 || byte === 0x5c ? `\\${String.fromCharCode(byte)}` : byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `"${text}"${(end < 0 ? all.length : end) > 256 ? '…' : ''}`;
}

function valueOf(type: Extract<CType, { kind: 'scalar' | 'enum' }>, view: DataView, offset: number, little: boolean, bits: CField['bits']): string {
  const size = bits ? Math.ceil((bits.shift + bits.width) / 8) : type.size;
  if (offset + size > view.byteLength || size === 0) return '';
  const isSigned = type.kind === 'scalar' ? type.of === 'signed' : false;
  let raw = 0n;
  for (let index = 0; index < size; index++) raw |= BigInt(view.getUint8(offset + (little ? index : size - 1 - index))) << BigInt(8 * index);
  if (bits) {
    // Big-endian machines count bit fields from the most significant bit.
    const shift = little ? bits.shift : size * 8 - bits.shift - bits.width;
    raw = (raw >> BigInt(shift)) & ((1n << BigInt(bits.width)) - 1n);
    if (isSigned) raw = BigInt.asIntN(bits.width, raw);
  } else if (isSigned) raw = BigInt.asIntN(size * 8, raw);
  if (type.kind === 'enum') {
    const signed = BigInt.asIntN(bits?.width ?? size * 8, raw);
    const word = type.names.get(raw) ?? type.names.get(signed);
    return word === undefined ? String(raw) : `${word} (${type.names.has(raw) ? raw : signed})`;
  }
  switch (type.of) {
    case 'float': return type.size === 4 ? float32Text(view.getFloat32(offset, little)) : type.size === 8 ? realText(view.getFloat64(offset, little)) : extended(raw);
    case 'bool': return raw === 0n ? 'false' : raw === 1n ? 'true' : `${raw} (no bool)`;
    case 'pointer': return `0x${raw.toString(16)}`;
    case 'char': return `${BigInt.asIntN(8, raw)}${raw >= 0x20n && raw < 0x7fn ? ` '${String.fromCharCode(Number(raw))}'` : ''}`;
    case 'signed': case 'unsigned': return String(raw);
    default: return type.of satisfies never;
  }
}

/** x86's long double: 64 bits of mantissa, 15 of exponent; as near as a double comes. */
function extended(raw: bigint): string {
  const mantissa = raw & 0xffffffffffffffffn, exponent = Number((raw >> 64n) & 0x7fffn), sign = (raw >> 79n & 1n) === 1n ? -1 : 1;
  if (exponent === 0x7fff) return mantissa << 1n & 0xffffffffffffffffn ? 'nan' : sign < 0 ? '-inf' : 'inf';
  return realText(sign * Number(mantissa) * 2 ** (exponent - 16383 - 63));
}
