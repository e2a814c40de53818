// The mappings of a stopped program by its debugger, where the kernel denies /proc/PID/maps to the probe. Text comes in any shape: what is
// not as it should be is nothing.
import type { ToldProcess } from '../../native-probe/protocol';
import type { DebuggerCommand } from './debuggerTable';

export type ToldMaps = NonNullable<ToldProcess['maps']>;

/** How a debugger tells them. */
export type MapsWay =
  /** It reads the file /proc/PID/maps by itself, without its process taking part: that may run by then. */
  | { readonly form: 'file'; readonly command: (text: string) => DebuggerCommand }
  /** A command of its own lists them. */
  | { readonly form: 'list'; readonly command: DebuggerCommand; readonly parse: (text: string) => ToldMaps | undefined };

/** What the probe's request may hold. */
const mostLines = 4096, longestLine = 4400;
/** Bytes of one answer, and how many answers: a megabyte. (The kernel gives a page at a time, whatever is asked for.) */
const chunk = 0x4000, mostChunks = 256;

type Run = (command: DebuggerCommand) => Promise<string | undefined>;

/** The mappings; undefined where they cannot be had whole. */
export async function readMaps(way: MapsWay, pid: number, run: Run): Promise<ToldMaps | undefined> {
  if (way.form === 'list') {
    const text = await run(way.command);
    return text === undefined ? undefined : way.parse(text);
  }
  const ask = async (text: string): Promise<string> => await run(way.command(text)) ?? '';
  const opened = /^File Descriptor = (\d{1,9})\s*$/m.exec(await ask(`platform file open /proc/${pid}/maps`))?.[1];
  if (opened === undefined) return undefined;
  try {
    const parts: Buffer[] = [];
    let length = 0;
    for (let count = 0; count < mostChunks; count++) {
      const part = fileData(await ask(`platform file read ${opened} -o ${length} -c ${chunk}`));
      if (!part) return undefined;
      if (part.length === 0) return mapsOf(Buffer.concat(parts).toString());
      parts.push(part);
      length += part.length;
    }
    return undefined;
  } finally {
    await ask(`platform file close ${opened}`);
  }
}

/** The data of LLDB's `platform file read` (the command again, `Return = 3`, then `Data = "…"` as it is): as many bytes as it says, or undefined. */
export function fileData(text: string): Buffer | undefined {
  const [, count, data] = /^(?:\(lldb\) [^\n]*\n)?Return = (\d{1,9})\nData = "([\s\S]*)"\s*$/.exec(text) ?? [];
  const bytes = data === undefined ? undefined : Buffer.from(data);
  return bytes?.length === Number(count) ? bytes : undefined;
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
