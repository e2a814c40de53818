// The mappings of a stopped program by its debugger, where the kernel denies /proc/PID/maps to the probe. Text comes in any shape: what is
// not as it should be is nothing.
import type { ToldProcess } from '../../native-probe/protocol';
import type { DebuggerCommand } from './debuggerTable';

export type ToldMaps = NonNullable<ToldProcess['maps']>;

/** How a debugger tells them. */
export type MapsWay =
  /** Its server reads the file /proc/PID/maps: Host I/O packets of GDB's remote protocol, which read and change nothing. */
  | { readonly form: 'packets'; readonly packet: (text: string) => DebuggerCommand }
  /** A command of its own lists them. */
  | { readonly form: 'list'; readonly command: DebuggerCommand; readonly parse: (text: string) => ToldMaps | undefined };

/** What the probe's request may hold. */
const mostLines = 4096, longestLine = 4400;
/** Bytes of one answer, in hexadecimal, and how many answers: a megabyte. */
const chunk = 0x4000, mostChunks = 64;

type Run = (command: DebuggerCommand) => Promise<string | undefined>;

/** The mappings; undefined where they cannot be had whole. */
export async function readMaps(way: MapsWay, pid: number, run: Run): Promise<ToldMaps | undefined> {
  if (way.form === 'list') {
    const text = await run(way.command);
    return text === undefined ? undefined : way.parse(text);
  }
  const ask = async (packet: string): Promise<string | undefined> => await run(way.packet(packet));
  const opened = /^response: F([0-9a-f]{1,8})\s*$/m.exec(await ask(`vFile:open:${Buffer.from(`/proc/${pid}/maps`).toString('hex')},0,0`) ?? '')?.[1];
  if (opened === undefined) return undefined;
  try {
    const parts: Buffer[] = [];
    let length = 0;
    for (let count = 0; count < mostChunks; count++) {
      const part = packetData(await ask(`vFile:pread:${opened},${chunk.toString(16)},${length.toString(16)}`) ?? '');
      if (!part) return undefined;
      if (part.length === 0) return mapsOf(Buffer.concat(parts).toString());
      parts.push(part);
      length += part.length;
    }
    return undefined;
  } finally {
    await ask(`vFile:close:${opened}`);
  }
}

/** The data of a `vFile:pread` response (`response: F1a;…`): as many bytes as it says, or undefined. */
export function packetData(text: string): Buffer | undefined {
  const [head = '', count] = /^response: F([0-9a-f]{1,8});/m.exec(text) ?? [];
  if (count === undefined) return undefined;
  // Bytes that mean something to the protocol come behind a brace, changed in one bit.
  const data = Buffer.from(text.slice(text.indexOf(head) + head.length).replace(/\}([\s\S])/g, (_brace, byte: string) => String.fromCharCode(byte.charCodeAt(0) ^ 0x20)));
  const length = parseInt(count, 16);
  return data.length >= length && data.subarray(length).toString().trim() === '' ? data.subarray(0, length) : undefined;
}

/** Lines of maps; undefined when one is none, or there are more than can be told. */
export function mapsOf(text: string): ToldMaps | undefined {
  const lines = text.split('\n').filter(line => line !== '');
  if (lines.length === 0 || lines.length > mostLines) return undefined;
  return lines.every(line => line.length <= longestLine && /^[0-9a-f]{1,16}-[0-9a-f]{1,16} [r-][w-][x-][ps] /.test(line)) ? { lines, allShared: true } : undefined;
}

/**
 * GDB's `info proc mappings` (12 and later show permissions). It does not show which file a mapping is of, but for its name: what is shared
 * is left out, because nobody could say by whom.
 */
export function gdbMaps(text: string): ToldMaps | undefined {
  const lines: string[] = [];
  let allShared = true;
  for (const [, start = '', end = '', offset = '', permissions = '', path = ''] of text.matchAll(/^ *0x([0-9a-f]{1,16}) +0x([0-9a-f]{1,16}) +0x[0-9a-f]+ +0x([0-9a-f]{1,16}) +([r-][w-][x-][ps]) *(.*?) *$/gm)) {
    if (permissions.endsWith('s')) allShared = false;
    else if (path.length > 4096) return undefined;
    else lines.push(`${start}-${end} ${permissions} ${offset.padStart(8, '0')} 00:00 0 ${path}`.trimEnd());
  }
  return lines.length === 0 || lines.length > mostLines ? undefined : { lines, allShared };
}
