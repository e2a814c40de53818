// Names are bytes that other users chose. This turns them into text that is safe to show and to send, without loss.

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Control and format characters (bidi, zero width, tags), line and paragraph separators, and the backslash. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]/gu;

function escapeBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += `\\x${byte.toString(16).padStart(2, '0')}`;
  return text;
}

/**
 * Bytes as display text: UTF-8 where valid; invalid bytes, control and invisible characters and backslashes as `\xNN` for each byte.
 * Reversible by {@link fromDisplayText}.
 */
export function displayText(bytes: Uint8Array): string {
  // Nearly every name is plain ASCII: no work then.
  let plain = true;
  for (const byte of bytes) if (byte < 0x20 || byte >= 0x7f || byte === 0x5c) { plain = false; break; }
  if (plain) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      text += escapeBytes(bytes.subarray(at, at + 1));
      at += 1;
    } else {
      text += decoder.decode(bytes.subarray(at, at + length)).replace(unsafe, character => escapeBytes(Buffer.from(character)));
      at += length;
    }
  }
  return text;
}

/** Length of the valid UTF-8 sequence at an offset (RFC 3629); 0 where there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  for (let i = 1; i < length; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1] ?? 0;
  if ((first === 0xe0 && second < 0xa0) || (first === 0xed && second > 0x9f) || (first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f)) return 0;
  return length;
}

/** The bytes behind display text: inverse of {@link displayText}. */
export function fromDisplayText(text: string): Buffer {
  const parts: Buffer[] = [];
  let rest = 0;
  for (const match of text.matchAll(/(?:\\x[0-9a-f]{2})+/g)) {
    parts.push(Buffer.from(text.slice(rest, match.index)), Buffer.from(match[0].replaceAll('\\x', ''), 'hex'));
    rest = match.index + match[0].length;
  }
  parts.push(Buffer.from(text.slice(rest)));
  return Buffer.concat(parts);
}

/** Display text in an id: percent-encoded, so that `:`, `+` and `@` keep their meaning there. */
export function idText(text: string): string {
  return encodeURIComponent(text);
}
