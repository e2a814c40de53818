// The bytes at the cursor as numbers and text, in either byte order. Pure.

export interface ValueAt { readonly type: string; /** In bytes. */ readonly size: number; readonly little: string; /** Absent where the order does not matter. */ readonly big?: string }

/** Half precision (IEEE 754 binary16), which DataView cannot read everywhere yet. */
export function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 0x1f, fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The shortest decimal that reads back as the same binary32. */
export function float32Text(value: number): string {
  if (!Number.isFinite(value) || value === 0) return realText(value);
  for (let digits = 6; digits <= 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return realText(text);
  }
  return realText(value);
}

/** Minus zero and infinities as C prints them. */
export function realText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

type Read = (view: DataView, little: boolean) => string;
const types: readonly (readonly [string, number, Read])[] = [
  ['u16', 2, (view, little) => String(view.getUint16(0, little))], ['i16', 2, (view, little) => String(view.getInt16(0, little))],
  ['u32', 4, (view, little) => String(view.getUint32(0, little))], ['i32', 4, (view, little) => String(view.getInt32(0, little))],
  ['u64', 8, (view, little) => String(view.getBigUint64(0, little))], ['i64', 8, (view, little) => String(view.getBigInt64(0, little))],
  ['f16', 2, (view, little) => realText(float16(view.getUint16(0, little)))],
  ['f32', 4, (view, little) => float32Text(view.getFloat32(0, little))], ['f64', 8, (view, little) => realText(view.getFloat64(0, little))],
  // time_t on a 64-bit system.
  ['time', 8, (view, little) => timeText(view.getBigInt64(0, little))],
];

function timeText(seconds: bigint): string {
  const date = new Date(Number(seconds) * 1000);
  // Other times are no times that a program keeps.
  return seconds > 0n && seconds < 253_402_300_800n && !Number.isNaN(date.getTime()) ? date.toISOString().replace('.000Z', 'Z') : '';
}

/** Values of the bytes that begin at the cursor; those that need more bytes than are there are empty. `bytes`: up to eight. */
export function valuesAt(bytes: Uint8Array): ValueAt[] {
  const [first] = bytes;
  const one: ValueAt[] = first === undefined ? ['u8', 'i8', 'bits', 'UTF-8'].map(type => ({ type, size: 1, little: '' })) : [
    { type: 'u8', size: 1, little: String(first) }, { type: 'i8', size: 1, little: String(first << 24 >> 24) },
    { type: 'bits', size: 1, little: first.toString(2).padStart(8, '0') }, { type: 'UTF-8', size: 1, little: character(bytes) },
  ];
  return [...one, ...types.map(([type, size, read]): ValueAt => {
    if (bytes.length < size) return { type, size, little: '', big: '' };
    const view = new DataView(bytes.buffer, bytes.byteOffset, size);
    return { type, size, little: read(view, true), big: read(view, false) };
  })];
}

/** The character that begins there: itself where it can be seen, and its number. Empty where the bytes are no UTF-8. */
export function character(bytes: Uint8Array): string {
  const first = bytes[0] ?? 0;
  const length = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  if (length === 0 || bytes.length < length) return '';
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length));
  } catch {
    return ''; // a sequence that is broken off
  }
  const number = `U+${(text.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  return /[\p{C}\p{Z}]/u.test(text) ? number : `${text}  ${number}`;
}
