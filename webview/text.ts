// Text chosen by other people, made safe to look at: what would be invisible or reorder the line becomes a visible escape.

/** Control and format characters (bidi, zero width, tags), lone surrogates, private use, line and paragraph separators. */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}]/gu;

/** The text with every invisible or reordering character as `\u{HEX}`. The probe has escaped bytes already (`\xNN`). */
export function visible(text: string): string {
  return text.replace(invisible, character => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Puts values where `{0}`, `{1}`, … stand. Values are not looked at again. */
export function fill(sentence: string, ...values: readonly string[]): string {
  return sentence.replace(/\{(\d+)\}/g, (all, index: string) => values[Number(index)] ?? all);
}
