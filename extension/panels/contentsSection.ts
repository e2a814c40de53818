// The contents of an object, looked at on request and without consuming anything. Pure.
import type { Bytes, ByteRange, CollectedKind, Contents, IpcObject, Message } from '../../native-probe/model';
import type { PeekSection, Row, Section } from '../../webview/protocol';
import { bytes, bytesExactly } from '../words/presentation';
import { l10n } from '../translation';
import type { TableLimits } from './stateSections';
import { limited } from './stateSections';

/** How bytes and messages are shown. */
export const contentFormats = ['text', 'hex', 'json'] as const;
export type ContentFormat = typeof contentFormats[number];

/** What an inspector knows of the contents; absent before anybody asked. */
export interface Peeked {
  readonly busy: boolean;
  readonly at?: string;
  readonly contents?: Contents;
  /** The object as it was found then, with what only looking closer tells. */
  readonly seen?: IpcObject;
  /** Chosen by the user; else bytes are shown as hexadecimal numbers, messages as text. */
  readonly format?: ContentFormat;
  /** Why the request itself failed. */
  readonly problem?: string;
}

/** Bytes and messages that are asked for at once. */
export const bytesAtOnce = 4096;
export const messagesAtOnce = 100;

/** An object with what was seen at the last look and seldom changes: the seals of a memfd, the capacity of a pipe. Never what is in it. */
export function asSeen(object: IpcObject, { seen }: Peeked = { busy: false }): IpcObject {
  if (seen?.id !== object.id) return object;
  if (object.kind === 'memfd' && seen.kind === 'memfd') return { ...object, state: { ...object.state, seals: object.state.seals ?? seen.state.seals } };
  if (object.kind === 'pipe' && seen.kind === 'pipe') return { ...object, state: { ...object.state, capacity: object.state.capacity ?? seen.state.capacity } };
  if (object.kind === 'fifo' && seen.kind === 'fifo') return { ...object, state: { ...object.state, capacity: object.state.capacity ?? seen.state.capacity } };
  return object;
}

/** Kinds with contents beyond their state, or for which it is worth saying why they have none to show. */
const withContents: ReadonlySet<CollectedKind> = new Set<CollectedKind>([
  'sysv-message-queue', 'posix-message-queue', 'sysv-shared-memory', 'posix-shared-memory', 'memfd', 'shared-mapping', 'anonymous-shared-mapping',
  'pipe', 'fifo', 'unix-socket', 'inet-socket', 'pseudoterminal',
]);

/** How much is asked for at once. */
export function peekLength({ kind }: Pick<IpcObject, 'kind'>): number {
  return kind === 'sysv-message-queue' ? messagesAtOnce : bytesAtOnce;
}

/** The section; none for kinds whose state says it all. An object that is gone keeps what was seen of it. */
export function contentsSections(object: IpcObject, peeked: Peeked | undefined, gone: boolean, limits: TableLimits): readonly Section[] {
  if (!withContents.has(object.kind) || (gone && peeked?.contents === undefined)) return [];
  const contents = peeked?.contents;
  const chosen = peeked?.format ?? (contents?.form === 'messages' ? 'text' : 'hex');
  const section: PeekSection = {
    type: 'peek', key: 'contents', title: l10n.t('Contents'), action: peeked?.at === undefined ? l10n.t('Peek') : l10n.t('Peek Again'), busy: gone || peeked?.busy === true,
    prompt: prompt(object), lookedAt: peeked?.at, remarks: peeked?.problem === undefined ? remarks(contents) : [l10n.t('It could not be looked at: {0}', peeked.problem)],
    dump: contents?.form === 'bytes' && contents.content.length > 0 ? dumped(contents.content, chosen) : undefined,
    ...(hasBytes(contents) ? { formatLabel: l10n.t('Show as'), formats: contentFormats.map(key => ({ key, label: formatLabel(key), chosen: key === chosen })) } : {}),
    pages: gone ? [] : pages(contents),
  };
  return [section, ...tables(contents, chosen, limits)];
}

function prompt({ kind }: IpcObject): string {
  switch (kind) {
    case 'pipe': case 'fifo': return l10n.t('What is unread is looked at and stays there. For a moment a descriptor of the pipe is borrowed: an end of file would come that much later.');
    case 'unix-socket': case 'inet-socket': return l10n.t('What waits to be read is looked at (MSG_PEEK) and stays there. For a moment the descriptor is borrowed.');
    case 'sysv-message-queue': return l10n.t('Messages are copied (MSG_COPY) and stay in the queue; its counts, times and last PIDs do not change.');
    case 'memfd': return l10n.t('The memory is read where it is; pages that nobody wrote are not made. For its seals a descriptor is borrowed for a moment.');
    case 'posix-message-queue': case 'pseudoterminal': return l10n.t('The kernel lets nobody look without consuming.');
    default: return l10n.t('The memory is read where it is; nothing is attached, and pages that nobody wrote are not made.');
  }
}

function remarks(contents: Contents | undefined): readonly string[] {
  switch (contents?.form) {
    case undefined: return [];
    case 'unavailable': return [l10n.t('It cannot be peeked because {0}.', contents.reason)];
    case 'values': return [];
    case 'messages': return [
      ...(contents.messages.length === 0 ? [l10n.t('There are no messages here.')] : []),
      ...(contents.note === undefined ? [] : [contents.note]),
    ];
    case 'bytes': return [
      contents.content.length === 0 ? l10n.t('There is nothing here.') : l10n.t('Bytes {0} to {1} of {2}.', contents.content.offset, String(BigInt(contents.content.offset) + BigInt(contents.content.length) - 1n), bytesExactly(contents.size)),
      ...rangeWords(contents.holes, ranges => l10n.t('Never written, so all zeros: {0}.', ranges)),
      ...rangeWords(contents.unread, ranges => l10n.t('Not in memory where it was looked, shown as zeros although it may be otherwise: {0}.', ranges)),
      ...(contents.note === undefined ? [] : [contents.note]),
    ];
    default: return contents satisfies never;
  }
}

function rangeWords(ranges: readonly ByteRange[] | undefined, say: (ranges: string) => string): string[] {
  if (ranges === undefined || ranges.length === 0) return [];
  const shown = ranges.slice(0, 8).map(({ offset, length }) => l10n.t('{0} from byte {1}', bytes(length), offset));
  return [say([...shown, ...(ranges.length > shown.length ? [l10n.t('{0} more', ranges.length - shown.length)] : [])].join(', '))];
}

function pages(contents: Contents | undefined): PeekSection['pages'] {
  if (contents?.form === 'bytes') {
    const { offset, length, truncated } = contents.content;
    const at = BigInt(offset);
    const before = at - BigInt(bytesAtOnce);
    return [
      ...(at > 0n ? [{ key: 'before', label: l10n.t('Bytes before'), offset: String(before < 0n ? 0n : before) }] : []),
      ...(truncated ? [{ key: 'after', label: l10n.t('Bytes after'), offset: String(at + BigInt(length)) }] : []),
    ];
  }
  if (contents?.form !== 'messages') return [];
  const first = contents.messages[0]?.index ?? 0;
  const next = (contents.messages.at(-1)?.index ?? -1) + 1;
  return [
    ...(first > 0 ? [{ key: 'before', label: l10n.t('Messages before'), offset: String(Math.max(0, first - messagesAtOnce)) }] : []),
    ...(contents.messages.length >= messagesAtOnce || (contents.total !== null && contents.messages.length > 0 && BigInt(contents.total) > BigInt(next)) ? [{ key: 'after', label: l10n.t('Messages after'), offset: String(next) }] : []),
  ];
}

function hasBytes(contents: Contents | undefined): boolean {
  return (contents?.form === 'bytes' && contents.content.length > 0) || (contents?.form === 'messages' && contents.messages.length > 0);
}

function formatLabel(format: ContentFormat): string {
  switch (format) {
    case 'text': return l10n.t('Text');
    case 'hex': return l10n.t('Hexadecimal');
    case 'json': return 'JSON';
    default: return format satisfies never;
  }
}

function dumped(content: Bytes, format: ContentFormat): string {
  const data = decoded(content);
  return format === 'hex' ? hexDump(data, content.offset) : inFormat(data, format, content.truncated);
}

/** The longest that is shown of one message, in bytes; copying takes all that was read. */
const longestPreview = 2048;

/** Bytes as text, JSON or hexadecimal numbers; what is no JSON says so. `cut`: more follows. */
export function inFormat(data: Uint8Array, format: ContentFormat, cut: boolean): string {
  switch (format) {
    case 'hex': return hexDump(data, '0');
    case 'text': return spelled(preview(data));
    case 'json': return asJson(data) ?? (cut ? l10n.t('no JSON as far as it was read') : l10n.t('no JSON'));
    default: return format satisfies never;
  }
}

/** Indented JSON; undefined for what is none. */
function asJson(data: Uint8Array): string | undefined {
  // A NUL at the end is C's, not the text's.
  const end = data.at(-1) === 0 ? data.length - 1 : data.length;
  try {
    return spelled(JSON.stringify(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data.subarray(0, end))), undefined, 2));
  } catch {
    return undefined; // neither UTF-8 nor JSON: the caller says so
  }
}

/** Line feeds stay what they are; every other control, and whatever reorders a line, becomes visible. */
function spelled(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}]/gu, it => it === '\n' ? it : `\\u{${(it.codePointAt(0) ?? 0).toString(16)}}`);
}

function tables(contents: Contents | undefined, format: ContentFormat, limits: TableLimits): readonly Section[] {
  if (contents?.form === 'values') {
    return [{ type: 'fields', key: 'contentValues', title: l10n.t('Values'), fields: contents.values.map(({ name, value }) => ({ key: name, gloss: name, value: { type: 'text', text: value } })) }];
  }
  if (contents?.form !== 'messages' || contents.messages.length === 0) return [];
  const typed = contents.messages.some(it => it.type !== undefined);
  return [{
    type: 'table', key: 'messages', title: l10n.t('Messages'), total: contents.messages.length, empty: '',
    columns: [{ key: 'index', label: l10n.t('Number'), numeric: true }, ...(typed ? [{ key: 'type', label: l10n.t('Type'), term: 'mtype', numeric: true }] : []), { key: 'size', label: l10n.t('Size'), numeric: true }, { key: 'text', label: l10n.t('Preview') }],
    rows: limited('messages', contents.messages, limits).map(message => messageRow(message, typed, format)),
  }];
}

function messageRow({ index, type, size, content }: Message, typed: boolean, format: ContentFormat): Row {
  const data = decoded(content);
  const shown = data.length > longestPreview && format !== 'json' ? data.subarray(0, longestPreview) : data;
  const text = inFormat(shown, format, content.truncated);
  const cut = text.length > 4 * longestPreview ? text.slice(0, 4 * longestPreview) : text;
  const more = content.truncated || shown.length < data.length || cut.length < text.length ? ' …' : '';
  return {
    key: String(index),
    cells: [
      { type: 'number', number: String(index) }, ...(typed ? [type === undefined ? undefined : { type: 'number' as const, number: type }] : []),
      { type: 'bytes', bytes: size }, { type: 'block', text: cut + more },
    ],
    // What is no JSON is copied as text: the words that say so are of no use elsewhere.
    copy: format === 'json' ? asJson(data) ?? inFormat(data, 'text', content.truncated) : inFormat(data, format, content.truncated),
  };
}

function decoded({ base64 }: Bytes): Uint8Array {
  return Buffer.from(base64, 'base64');
}

/** Bytes as text where they are UTF-8 (a sequence cut at the end aside), else with every byte that is not printable ASCII as `\\xNN`. */
export function preview(data: Uint8Array): string {
  try {
    // `stream`: a sequence that the cut went through is held back, not refused.
    return new TextDecoder('utf-8', { fatal: true }).decode(data, { stream: true });
  } catch {
    // Not UTF-8: shown byte by byte.
    return [...data].map(byte => byte >= 0x20 && byte < 0x7f && byte !== 0x5c ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  }
}

/** Sixteen bytes a line: offset, hexadecimal, printable ASCII. Runs of equal lines are one `*`, as in hexdump(1). */
export function hexDump(data: Uint8Array, offset: string): string {
  const start = BigInt(offset);
  const lines: string[] = [];
  let before = '';
  let skipped = false;
  for (let at = 0; at < data.length; at += 16) {
    const row = data.subarray(at, at + 16);
    const hex = [...row].map((byte, i) => (i === 8 ? ' ' : '') + byte.toString(16).padStart(2, '0')).join(' ');
    if (row.length === 16 && hex === before && at + 16 < data.length) {
      if (!skipped) lines.push('*');
      skipped = true;
      continue;
    }
    [before, skipped] = [hex, false];
    const text = [...row].map(byte => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.').join('');
    lines.push(`${(start + BigInt(at)).toString(16).padStart(8, '0')}  ${hex.padEnd(48)}  |${text}|`);
  }
  return lines.join('\n');
}
