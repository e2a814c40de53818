// /proc/PID/fdinfo/N (proc(5)): what the kernel tells of one open file description. Three system calls for each: read it
// only for kinds that need it. Parsers are pure and never throw; what a line should hold and does not is left out.
import { closeSync, openSync, readSync } from 'node:fs';
import type { Access, Decimal, Hex } from '../model';
import type { Result } from './procfs';
import { errnoOf, readText } from './procfs';
import { parseSignalMask } from './signals';
import { resourcesOf } from './standIns';

const page = Buffer.allocUnsafe(4096);

/** The text of a descriptor's fdinfo. There may be ten thousands, and nearly all are short: one read into one buffer. */
export function readFdinfo(pid: number, fd: number): Result<string> {
  const path = `${resourcesOf(pid)}/fdinfo/${fd}`;
  let length: number;
  try {
    const file = openSync(path, 'r');
    try {
      length = readSync(file, page, 0, page.length, null);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return { errno: errnoOf(error) };
  }
  // One record (single_open in fs/proc/fd.c): only a long table (epoll, inotify, locks) does not fit into one read.
  return length < page.length ? { value: page.toString('latin1', 0, length) } : readText(path);
}

/** What every descriptor has. `inode` since Linux 5.14; `mount` is unique over all mount namespaces. */
export interface CommonFdinfo { readonly mount?: number; readonly inode?: Decimal }

/** The value of the first line `name:<blanks>value`. */
function field(text: string, name: string): string | undefined {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const colon = at + name.length;
    if (text.charCodeAt(colon) !== 0x3a || (at > 0 && text.charCodeAt(at - 1) !== 0x0a)) continue;
    const end = text.indexOf('\n', colon);
    return text.slice(colon + 1, end < 0 ? undefined : end).trim();
  }
  return undefined;
}
function match(text: string | undefined, pattern: RegExp): string | undefined {
  return text !== undefined && pattern.test(text) ? text : undefined;
}
const decimal = /^-?\d{1,20}$/;
const hexadecimal = /^[0-9a-f]{1,16}$/;

/** mnt_id and ino. */
export function parseCommon(text: string): CommonFdinfo {
  const mount = match(field(text, 'mnt_id'), /^\d{1,10}$/);
  const inode = match(field(text, 'ino'), /^\d{1,20}$/);
  return {
    ...(mount === undefined ? {} : { mount: Number(mount) }),
    ...(inode === undefined ? {} : { inode }),
  };
}

/** The open mode: O_ACCMODE (fcntl(2)), the two lowest bits of flags, which are in octal. */
export function parseAccess(text: string): Access | undefined {
  const flags = field(text, 'flags');
  return flags === undefined ? undefined : accessModes[flags.charCodeAt(flags.length - 1) & 3];
}
const accessModes: readonly (Access | undefined)[] = ['read', 'write', 'read-write', undefined];

/** The id alone: it tells eventfds apart. */
export function parseEventfdId(text: string): string | undefined {
  return match(field(text, 'eventfd-id'), /^\d{1,10}$/);
}

/** eventfd(2). `id` since Linux 5.2, `semaphore` since 6.5: undefined before. The kernel writes the count in hexadecimal. */
export function parseEventfd(text: string): { count?: Decimal; id?: string; semaphore?: boolean } {
  const count = match(field(text, 'eventfd-count'), hexadecimal);
  const id = parseEventfdId(text);
  const semaphore = match(field(text, 'eventfd-semaphore'), /^[01]$/);
  return {
    ...(count === undefined ? {} : { count: BigInt(`0x${count}`).toString() }),
    ...(id === undefined ? {} : { id }),
    ...(semaphore === undefined ? {} : { semaphore: semaphore === '1' }),
  };
}

/** signalfd(2): names of the signals it accepts. */
export function parseSignalfd(text: string): string[] | undefined {
  const mask = field(text, 'sigmask');
  return mask === undefined ? undefined : parseSignalMask(mask);
}

/** timerfd_create(2): CLOCK_… by number (include/uapi/linux/time.h); others as `clock N`. */
const clocks: Readonly<Record<string, string>> = { 0: 'CLOCK_REALTIME', 1: 'CLOCK_MONOTONIC', 7: 'CLOCK_BOOTTIME', 8: 'CLOCK_REALTIME_ALARM', 9: 'CLOCK_BOOTTIME_ALARM' };

/** `(seconds, nanoseconds)` as decimal seconds without trailing zeros; undefined where it is no such pair. */
function seconds(text: string | undefined): string | undefined {
  const [, whole, nanoseconds] = /^\((\d{1,20}), (\d{1,9})\)$/.exec(text ?? '') ?? [];
  if (whole === undefined || nanoseconds === undefined) return undefined;
  const fraction = nanoseconds.padStart(9, '0').replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

export interface TimerfdInfo { readonly clock?: string; readonly ticks?: Decimal; readonly value?: string; readonly interval?: string }

/** Times in seconds; `value` is "0" when disarmed, `interval` "0" when it fires once. */
export function parseTimerfd(text: string): TimerfdInfo {
  const clock = match(field(text, 'clockid'), /^\d{1,10}$/);
  const ticks = match(field(text, 'ticks'), decimal);
  const [value, interval] = [seconds(field(text, 'it_value')), seconds(field(text, 'it_interval'))];
  return {
    ...(clock === undefined ? {} : { clock: clocks[clock] ?? `clock ${clock}` }),
    ...(ticks === undefined ? {} : { ticks }),
    ...(value === undefined ? {} : { value }),
    ...(interval === undefined ? {} : { interval }),
  };
}

/** A `tfd:` line. `fd` is the number at the time of epoll_ctl(2), in the table of the process that called it. */
export interface EpollWatch {
  readonly fd: number; readonly events: Hex;
  /** What the program finds in epoll_data when it fires: often a pointer. */
  readonly data: Hex;
  /** Of the watched file; absent before Linux 4.13. `device` as MAJOR:MINOR. */
  readonly inode?: Decimal; readonly device?: string;
}
const watchLine = /^tfd:\s*(\d{1,10}) events:\s*([0-9a-f]{1,8}) data:\s*([0-9a-f]{1,16})(?:\s+pos:-?\d+ ino:([0-9a-f]{1,16}) sdev:([0-9a-f]{1,8}))?\s*$/;

/** epoll(7): one watch a line. */
export function parseEpoll(text: string): EpollWatch[] {
  const watches: EpollWatch[] = [];
  for (const line of text.split('\n')) {
    const [, fd, events, data, inode, device] = (line.startsWith('tfd:') ? watchLine.exec(line) : null) ?? [];
    if (fd === undefined || events === undefined || data === undefined) continue;
    watches.push({
      fd: Number(fd), events: `0x${events}`, data: `0x${data}`,
      ...(inode === undefined || device === undefined ? {} : { inode: BigInt(`0x${inode}`).toString(), device: kernelDevice(device) }),
    });
  }
  return watches;
}

export interface InotifyWatch { readonly wd: number; readonly device: string; readonly inode: Decimal; readonly mask: Hex }
const inotifyLine = /^inotify wd:([0-9a-f]{1,8}) ino:([0-9a-f]{1,16}) sdev:([0-9a-f]{1,8}) mask:([0-9a-f]{1,8})\b/;

/** inotify(7). All numbers are hexadecimal there, the watch descriptor too. */
export function parseInotify(text: string): InotifyWatch[] {
  const watches: InotifyWatch[] = [];
  for (const line of text.split('\n')) {
    const [, wd, inode, device, mask] = (line.startsWith('inotify ') ? inotifyLine.exec(line) : null) ?? [];
    if (wd === undefined || inode === undefined || device === undefined || mask === undefined) continue;
    watches.push({ wd: parseInt(wd, 16), device: kernelDevice(device), inode: BigInt(`0x${inode}`).toString(), mask: `0x${mask}` });
  }
  return watches;
}

/** MAJOR:MINOR of the kernel's own dev_t (MINORBITS = 20), which is not what stat(2) gives. */
function kernelDevice(hex: string): string {
  const device = parseInt(hex, 16);
  return `${device >>> 20}:${device & 0xfffff}`;
}

/** pidfd_open(2): `Pid:` in the reader's PID namespace, 0 when it is in none that the reader sees, -1 when the process is gone. */
export function parsePidfd(text: string): number | undefined {
  const pid = match(field(text, 'Pid'), /^-?\d{1,10}$/);
  return pid === undefined ? undefined : Number(pid);
}

/** pty(7), on a master: N of its /dev/pts/N. */
export function parseTtyIndex(text: string): number | undefined {
  const index = match(field(text, 'tty-index'), /^\d{1,10}$/);
  return index === undefined ? undefined : Number(index);
}
