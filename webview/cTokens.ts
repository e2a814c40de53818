// The words of C declarations, and where they stand. Pure.

/** Where something stands: line and column from 1. */
export interface Place { readonly line: number; readonly column: number }
export class DeclarationError extends Error {
  constructor(readonly place: Place, message: string) { super(message); }
}

/** Bounds: what is larger is an error, not a pause. */
export const bounds = { text: 256 << 10, size: 1 << 30, depth: 64, fields: 10_000 } as const;

export interface Token { readonly text: string; readonly type: 'name' | 'number' | 'mark' | 'pragma' | 'end'; readonly at: number }

const pattern = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|#[ \t]*(?:\\\n|[^\n])*|[A-Za-z_$][\w$]*|0[xX][\da-fA-F]+[uUlL]*|0[bB][01]+[uUlL]*|\d+[uUlL]*|'(?:\\.|[^'\\\n])'|<<|>>|[{}[\]();,*:=+\-/%&|^~<>.]/y;

/** Line and column of an offset. */
export function placeOf(text: string, at: number): Place {
  const before = text.slice(0, at);
  return { line: before.split('\n').length, column: at - before.lastIndexOf('\n') };
}

/** The words of a text without white space and comments; the last is of type `end`. */
export function tokens(text: string, fail: (at: number, message: string) => never): Token[] {
  const found: Token[] = [];
  for (let at = 0; at < text.length;) {
    pattern.lastIndex = at;
    const word = pattern.exec(text)?.[0];
    if (word === undefined || (word === '/' && text.startsWith('/*', at))) fail(at, text.startsWith('/*', at) ? 'this comment does not end' : `unexpected character ${JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0))}`);
    const first = word.charAt(0);
    if (first === '#') found.push({ text: word, type: 'pragma', at });
    else if (/[A-Za-z_$]/.test(first)) found.push({ text: word, type: 'name', at });
    else if (/[\d']/.test(first)) found.push({ text: word, type: 'number', at });
    else if (!/^(?:\s|\/[/*])/.test(word)) found.push({ text: word, type: 'mark', at });
    at += word.length;
  }
  found.push({ text: 'the end', type: 'end', at: text.length });
  return found;
}

/** What a number or a character means. */
export function numberOf(text: string): bigint {
  if (text.startsWith("'")) return BigInt(({ "'\\0'": 0, "'\\n'": 10, "'\\t'": 9, "'\\\\'": 92, "'\\''": 39 } as Readonly<Record<string, number>>)[text] ?? text.charCodeAt(1));
  const digits = text.replace(/[uUlL]+$/, '');
  return /^0[0-7]+$/.test(digits) ? BigInt(`0o${digits.slice(1)}`) : BigInt(digits);
}
