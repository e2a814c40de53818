// Contents for people: hexadecimal and text side by side, messages one after the other.
import type { Contents, IpcObject } from './model';
import { stateInBrief } from './tables';

/** 16 bytes a line: offset, hexadecimal, printable ASCII. Lines that repeat the one before are one `*`, as in hexdump(1); the last is always there. */
export function hexDump(bytes: Buffer, offset: bigint, indent = ''): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    if (at >= 16 && at + 16 < bytes.length && row.equals(bytes.subarray(at - 16, at))) {
      if (lines.at(-1) !== `${indent}*`) lines.push(`${indent}*`);
      continue;
    }
    const hex = [...row].map(byte => byte.toString(16).padStart(2, '0')).join(' ').padEnd(47);
    const text = [...row].map(byte => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.').join('');
    lines.push(`${indent}${(offset + BigInt(at)).toString(16).padStart(8, '0')}  ${hex}  ${text}`);
  }
  return lines.join('\n');
}

export function formatContents(object: IpcObject | undefined, contents: Contents): string {
  const head = object ? [`${object.id}${object.name === undefined ? '' : `  ${object.name}`}  ${stateInBrief(object)}`] : [];
  switch (contents.form) {
    case 'unavailable': return [...head, `not to be looked into: ${contents.reason}`].join('\n');
    case 'values': return [...head, ...contents.values.map(({ name, value }) => `  ${name}: ${value}`)].join('\n');
    case 'bytes': {
      const bytes = Buffer.from(contents.content.base64, 'base64');
      const ranges = (what: string, list: typeof contents.holes): string[] => (list ?? []).map(({ offset, length }) => `  ${what}: ${length} bytes at ${offset}`);
      return [...head, bytes.length === 0 ? '  no bytes' : hexDump(bytes, BigInt(contents.content.offset), '  '), ...ranges('never written', contents.holes), ...ranges('not read', contents.unread),
        ...(contents.content.truncated ? [`  … ${contents.size === null ? 'more' : `of ${contents.size} bytes`}`] : []), ...(contents.note === undefined ? [] : [`  ${contents.note}`])].join('\n');
    }
    case 'messages':
      return [...head, ...(contents.messages.length === 0 ? ['  no messages'] : contents.messages.flatMap(({ index, type, size, content }) =>
        [`  message ${index}${type === undefined ? '' : `, type ${type}`}, ${size} bytes`, hexDump(Buffer.from(content.base64, 'base64').subarray(0, 256), 0n, '    ')])), ...(contents.note === undefined ? [] : [`  ${contents.note}`])].join('\n');
    default: return contents satisfies never;
  }
}
