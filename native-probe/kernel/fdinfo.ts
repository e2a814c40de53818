// /proc/PID/fdinfo/N (proc(5)): what the kernel tells of one open file description. Three system calls for each: read it
// only for kinds that need it. Parsers are pure and never throw; what a line should hold and does not is left out.
import type { Access, Decimal, Hex } from '../model';
import type { Result } from './procfs';
import { readText } from './procfs';
import { parseSignalMask } from './signals';

/** The text of a descriptor's fdinfo. */
export function readFdinfo(pid: number, fd: number): Result<string> {
  return readText(`/proc/${pid}/fdinfo/${fd}`);
}

/** What every descriptor has. `inode` since Linux 5.14; `mount` is unique over all mount namespaces. */
export interface CommonFdinfo { readonly flags?: number; readonly mount?: number; readonly inode?: Decimal }

/** The lines `name:<blanks>value`, first of each name. */
function field(text: string, name: string): string | undefined {
  const at = text.startsWith(`${name}:`) ? 0 : text.indexOf(`\n${name}:`) + 1;
  if (at === 0 && !text.startsWith(`${name}:`)) return undefined;
  const end = text.indexOf('\n', at);
  return text.slice(at + name.length + 1, end < 0 ? undefined : end).trim();
}
function match(text: string | undefined, pattern: RegExp): string | undefined {
  return text !== undefined && pattern.test(text) ? text : undefined;
}
const decimal = /^-?\d{1,20}$/;
const hexadecimal = /^[0-9a-f]{1,16}$/;

/** flags (octal), mnt_id and ino. */
export function parseCommon(text: string): CommonFdinfo {
  const flags = match(field(text, 'flags'), /^[0-7]{1,12}$/);
  const mount = match(field(text, 'mnt_id'), /^\d{1,10}$/);
  const inode = match(field(text, 'ino'), /^\d{1,20}$/);
  return {
    ...(flags === undefined ? {} : { flags: parseInt(flags, 8) }),
    ...(mount === undefined ? {} : { mount: Number(mount) }),
    ...(inode === undefined ? {} : { inode }),
  };
}

/** The open mode in the flags (O_ACCMODE, fcntl(2)). */
export function accessOfFlags(flags: number | undefined): Access | undefined {
  return flags === undefined ? undefined : (['read', 'write', 'read-write', undefined] as const)[flags & 3];
}

/** eventfd(2). `id` since Linux 5.2, `semaphore` since 6.5: undefined before. The kernel writes the count in hexadecimal. */
export function parseEventfd(text: string): { count?: Decimal; id?: string; semaphore?: boolean } {
  const count = match(field(text, 'eventfd-count'), hexadecimal);
  const id = match(field(text, 'eventfd-id'), /^\d{1,10}$/);
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
