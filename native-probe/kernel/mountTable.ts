// Mounts of a process (proc(5), /proc/PID/mountinfo): which file system an open file is on, told without touching that file.
import { readText } from './procfs';

const mountLine = /^(\d+) \d+ (\d+:\d+) .*? - (\S+) /;

/** Type of the file system by mount id, of the text of mountinfo. */
export function parseMountTypes(text: string): Map<number, string> {
  const types = new Map<number, string>();
  for (const line of text.split('\n')) {
    const match = mountLine.exec(line);
    if (match) types.set(Number(match[1]), match[3] ?? '');
  }
  return types;
}

/** The mounts of a process by id; empty when they cannot be read. */
export function mountTypesOf(pid: number): Map<number, string> {
  return parseMountTypes(readText(`/proc/${pid}/mountinfo`).value ?? '');
}

/**
 * File systems whose stat(2) tells another device than the kernel's tables (maps, /proc/locks): one a subvolume or layer.
 * Only on these is stat needed to name a file as others do, and none of them is a network's.
 */
export const ownDeviceNumbers: ReadonlySet<string> = new Set(['btrfs', 'bcachefs', 'overlay']);
