// What a user types in the memory view (offsets, bytes to search for), and finding a place in a list of hits. Pure.

/** An offset in decimal ("4096", "4_096", "4,096") or hexadecimal ("0x1000", "1000h"); undefined for anything else. */
export function parseOffset(text: string): number | undefined {
  const plain = text.trim().replace(/(?<=[\da-f])[_,' ](?=[\da-f])/gi, '').toLowerCase();
  const hex = /^(?:0x|\$|#)([\da-f]{1,16})$/.exec(plain)?.[1] ?? /^([\da-f]{1,16})h$/.exec(plain)?.[1];
  const value = hex !== undefined ? Number(BigInt(`0x${hex}`)) : /^\d{1,20}$/.test(plain) ? Number(plain) : undefined;
  return value === undefined || value > Number.MAX_SAFE_INTEGER ? undefined : value;
}

/** The longest that the probe searches for, in bytes. */
export const longestPattern = 256;

export type ParsedPattern = { readonly bytes: Uint8Array } | { readonly problem: 'empty' | 'hexInvalid' | 'textInvalid' | 'patternTooLong' };

/** Bytes to search for: text as UTF-8, or hexadecimal digits in pairs ("de ad be ef", "0xDEADBEEF"). */
export function parsePattern(text: string, kind: 'text' | 'hex'): ParsedPattern {
  if (text === '') return { problem: 'empty' };
  if (kind === 'text') {
    // A lone surrogate is no text: it would be searched for as U+FFFD.
    if (/\p{Cs}/u.test(text)) return { problem: 'textInvalid' };
    return bounded(new TextEncoder().encode(text));
  }
  const digits = text.replace(/0x|\\x/gi, '').replace(/[\s,:;-]+/g, '');
  if (digits === '') return { problem: 'empty' };
  if (!/^(?:[\da-f]{2})+$/i.test(digits)) return { problem: 'hexInvalid' };
  return bounded(Uint8Array.from({ length: digits.length / 2 }, (_, index) => parseInt(digits.slice(index * 2, index * 2 + 2), 16)));
}

function bounded(bytes: Uint8Array): ParsedPattern {
  return bytes.length > longestPattern ? { problem: 'patternTooLong' } : { bytes };
}

/** Index of the last entry of an ascending list that is not above a value; -1 when all are. */
export function lastAtOrBefore(list: readonly number[], value: number): number {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle] ?? Infinity) <= value) low = middle + 1; else high = middle;
  }
  return low - 1;
}
