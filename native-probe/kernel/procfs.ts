// Fast readers of /proc, and pure parsers of what they read (proc(5)). Readers return an errno instead of throwing:
// a process that vanishes or denies is the normal case in a scan.
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { displayText } from './text';

/** What was read, or the symbolic errno (ENOENT, EACCES, …) of the failure. */
export type Result<T> = { readonly value: T; readonly errno?: undefined } | { readonly value?: undefined; readonly errno: string };

/** The symbolic errno of an error that node:fs threw. */
export function errnoOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  throw error;
}

function attempt<T>(read: () => T): Result<T> {
  try {
    return { value: read() };
  } catch (error) {
    return { errno: errnoOf(error) };
  }
}

/** ENOENT and ESRCH are how a process that is gone answers. */
export function isGone(errno: string | undefined): boolean {
  return errno === 'ENOENT' || errno === 'ESRCH';
}

let scratch = Buffer.allocUnsafe(1 << 16);

/** Reads a whole file into `scratch`, at most `limit` bytes of it, and returns what `take` makes of its length there. Throws as node:fs does. */
function slurp<T>(path: string, limit: number, take: (length: number) => T): T {
  const fd = openSync(path, 'r');
  try {
    let length = 0;
    for (;;) {
      const got = readSync(fd, scratch, length, scratch.length - length, null);
      if (got === 0) break;
      length += got;
      if (length >= limit) { length = limit; break; }
      if (length === scratch.length) scratch = Buffer.concat([scratch], scratch.length * 2);
    }
    const taken = take(length);
    // One process with 60,000 mappings must not keep megabytes for ever.
    if (scratch.length > 1 << 22) scratch = Buffer.allocUnsafe(1 << 16);
    return taken;
  } finally {
    closeSync(fd);
  }
}

const noLimit = 1 << 28;
const copied = (length: number): Buffer => Buffer.from(scratch.subarray(0, length));
const asLatin1 = (length: number): string => scratch.toString('latin1', 0, length);

/** All bytes of a file whose size is not known beforehand. At most `limit` bytes: then ends there (`/proc` files end at a line only by chance). */
export function readBytes(path: string, limit = noLimit): Result<Buffer> {
  return attempt(() => slurp(path, limit, copied));
}

/** A file as Latin-1 text: one character a byte, so that parsing never loses what is not UTF-8. Names go through {@link textOf}. */
export function readText(path: string): Result<string> {
  return attempt(() => slurp(path, noLimit, asLatin1));
}

/** Display text of a part of a Latin-1 string from {@link readText}. */
export function textOf(latin1: string): string {
  return displayText(Buffer.from(latin1, 'latin1'));
}

/** Target of a symbolic link as Latin-1 text. Never follows it. */
export function readLink(path: string): Result<string> {
  return attempt(() => readlinkSync(path, 'latin1'));
}

let home: string | undefined;

/**
 * From now on this process may change its directory to read many entries of one, and is at `/` otherwise: for a server, whose
 * paths are all absolute. The kernel then need not find the way through /proc anew for each of 50,000 links.
 */
export function settleAtRoot(): void {
  process.chdir('/');
  home = '/';
}

/** Reads entries of a directory, each as what `prefix` and its name make. `read` must not wait: the directory is the whole process's. */
export function within<T>(directory: string, worthwhile: boolean, read: (prefix: string) => T): T {
  if (!worthwhile || home === undefined) return read(`${directory}/`);
  try {
    process.chdir(directory);
  } catch {
    return read(`${directory}/`); // gone or denied: the reads themselves tell
  }
  try {
    return read('');
  } finally {
    process.chdir(home);
  }
}

/** Names in a directory, as Latin-1 text. */
export function readDirectory(path: string | Buffer): Result<string[]> {
  return attempt(() => readdirSync(path, 'latin1'));
}

/** stat(2) of the link itself. */
export function lstatOf(path: string | Buffer): Result<Stats> {
  return attempt(() => lstatSync(path));
}

/** stat(2), following links: only for what cannot hang (never for a path of another user's file system). */
export function statOf(path: string | Buffer): Result<Stats> {
  return attempt(() => statSync(path));
}

/** Numeric entries of a /proc directory. */
export function numericEntries(path: string): Result<number[]> {
  const names = readDirectory(path);
  if (names.value === undefined) return names;
  const numbers: number[] = [];
  for (const name of names.value) {
    const first = name.charCodeAt(0);
    if (first >= 0x30 && first <= 0x39) numbers.push(Number(name));
  }
  return { value: numbers };
}

export interface ProcStat {
  readonly comm: string; readonly state: string; readonly ppid: number; readonly flags: number; readonly startTime: string;
  /** Controlling terminal: its device as stat(2) gives it, and its foreground process group. Absent when it has none. */
  readonly terminal?: { readonly device: number; readonly foreground: number };
}

/** /proc/PID/stat. comm may hold spaces and parentheses: it ends at the last one. */
export function parseStat(text: string): ProcStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const fields = text.slice(close + 2).split(' ');
  const [state, ppid, startTime, flags, tty = '0', tpgid = ''] = [fields[0], fields[1], fields[19], fields[6], fields[4], fields[5]];
  if (state === undefined || ppid === undefined || startTime === undefined || flags === undefined || !/^\d+$/.test(startTime)) return undefined;
  return { comm: textOf(text.slice(open + 1, close)), state, ppid: Number(ppid), flags: Number(flags), startTime, ...(tty === '0' ? {} : { terminal: { device: Number(tty), foreground: Number(tpgid) } }) };
}

/** PF_KTHREAD (include/linux/sched.h). */
export const PF_KTHREAD = 0x00200000;

/** Signals of a thread, and of its process (proc(5)): masks in hexadecimal without 0x. */
export interface SignalMasks {
  /** Queued for the real user, over all its processes, and the limit (RLIMIT_SIGPENDING). Decimal. */
  readonly queued: string; readonly limit: string;
  /** Pending for this thread alone, and for the process. */
  readonly threadPending: string; readonly processPending: string;
  /** By this thread; ignored and caught by all threads of the process. */
  readonly blocked: string; readonly ignored: string; readonly caught: string;
}

const signalLines = /^SigQ:\t(\d+)\/(\d+)\nSigPnd:\t([0-9a-f]+)\nShdPnd:\t([0-9a-f]+)\nSigBlk:\t([0-9a-f]+)\nSigIgn:\t([0-9a-f]+)\nSigCgt:\t([0-9a-f]+)$/m;

/** The signal lines of /proc/PID/status or /proc/PID/task/TID/status. */
export function parseSignalMasks(text: string): SignalMasks | undefined {
  const match = signalLines.exec(text);
  if (!match) return undefined;
  const [, queued = '', limit = '', threadPending = '', processPending = '', blocked = '', ignored = '', caught = ''] = match;
  return { queued, limit, threadPending, processPending, blocked, ignored, caught };
}

export interface ProcStatus { readonly uid: number; readonly tracerPid: number; readonly nsPids: readonly number[]; readonly groups: readonly number[]; readonly signals?: SignalMasks }

/** /proc/PID/status: effective UID, groups (effective GID first), tracer, PIDs in nested PID namespaces, signals. */
export function parseStatus(text: string): ProcStatus | undefined {
  const field = (name: string): string[] | undefined => {
    const at = text.startsWith(`${name}:`) ? 0 : text.indexOf(`\n${name}:`) + 1;
    if (at === 0 && !text.startsWith(`${name}:`)) return undefined;
    const end = text.indexOf('\n', at);
    return text.slice(at + name.length + 1, end < 0 ? undefined : end).trim().split(/\s+/);
  };
  const uid = field('Uid')?.[1];
  const gid = field('Gid')?.[1];
  if (uid === undefined || gid === undefined) return undefined;
  const signals = parseSignalMasks(text);
  const numbers = (list: string[] | undefined): number[] => (list ?? []).filter(word => /^\d+$/.test(word)).map(Number);
  return {
    uid: Number(uid), tracerPid: Number(field('TracerPid')?.[0] ?? 0),
    nsPids: numbers(field('NSpid')), groups: [Number(gid), ...numbers(field('Groups'))],
    ...(signals === undefined ? {} : { signals }),
  };
}

/** The process of a thread, which is where TracerPid leads: it names the thread that traces (fs/proc/array.c, task_state), which need not be the first of its process. */
export function processOfThread(tid: number): number {
  // /proc/TID is there for every thread, although it is not listed.
  return Number(/^Tgid:\t(\d+)$/m.exec(readText(`/proc/${tid}/status`).value ?? '')?.[1] ?? tid);
}

/** /proc/PID/cmdline: NUL-separated bytes, here as Latin-1 text. */
export function parseCmdline(latin1: string): string[] {
  if (latin1 === '') return [];
  return (latin1.endsWith('\0') ? latin1.slice(0, -1) : latin1).split('\0').map(textOf);
}

/** Device number as stat(2) gives it, of a major and a minor (gnu_dev_makedev). Below 2⁴⁴ in practice: exact. */
export function deviceNumber(major: number, minor: number): number {
  return (minor & 0xff) + (major & 0xfff) * 0x100 + Math.floor(minor / 0x100) * 0x100000 + Math.floor(major / 0x1000) * 0x100000000000;
}

export interface Mapping {
  readonly start: bigint; readonly end: bigint;
  /** r w x s|p, as in maps. */
  readonly permissions: string;
  readonly offset: bigint;
  readonly device: number;
  readonly inode: string;
  /** Latin-1, as the kernel wrote it: `\012` for a newline, perhaps " (deleted)" at its end. */
  readonly path: string;
}

const mapsLine = /^([0-9a-f]+)-([0-9a-f]+) ([-rwxsp]{4}) ([0-9a-f]+) ([0-9a-f]+):([0-9a-f]+) (\d+) *(.*)$/s;

/** One line of /proc/PID/maps. */
export function parseMapsLine(line: string): Mapping | undefined {
  const match = mapsLine.exec(line);
  if (!match) return undefined;
  const [, start = '', end = '', permissions = '', offset = '', major = '', minor = '', inode = '', path = ''] = match;
  return {
    start: BigInt(`0x${start}`), end: BigInt(`0x${end}`), permissions, offset: BigInt(`0x${offset}`),
    device: deviceNumber(parseInt(major, 16), parseInt(minor, 16)), inode, path,
  };
}

/** Every line of /proc/PID/maps. */
export function parseMaps(text: string): Mapping[] {
  const mappings: Mapping[] = [];
  for (const line of text.split('\n')) {
    const mapping = parseMapsLine(line);
    if (mapping) mappings.push(mapping);
  }
  return mappings;
}

/** Only the shared mappings (MAP_SHARED): found without parsing the hundreds of private ones. */
export function parseSharedMaps(text: string): Mapping[] {
  const mappings: Mapping[] = [];
  // The `s` is the fourth letter of the permissions, which follow the first space of a line.
  for (let at = text.indexOf('s '); at >= 0; at = text.indexOf('s ', at + 1)) {
    const lineStart = text.lastIndexOf('\n', at) + 1;
    const space = text.indexOf(' ', lineStart);
    if (space + 4 !== at) continue;
    const lineEnd = text.indexOf('\n', at);
    const mapping = parseMapsLine(text.slice(lineStart, lineEnd < 0 ? undefined : lineEnd));
    if (mapping) mappings.push(mapping);
    if (lineEnd < 0) break;
    at = lineEnd;
  }
  return mappings;
}

/** Undoes the kernel's escape of newlines in maps (`\012`; seq_file.c mangles nothing else there). */
export function unescapeMapsPath(path: string): string {
  return path.includes('\\') ? path.replaceAll('\\012', '\n') : path;
}

const deletedMark = ' (deleted)';
/** Path and mark of a link or mapping. A file may really be called "x (deleted)": the caller compares inodes. */
export function splitDeleted(path: string): { path: string; deleted: boolean } {
  return path.endsWith(deletedMark) ? { path: path.slice(0, -deletedMark.length), deleted: true } : { path, deleted: false };
}
