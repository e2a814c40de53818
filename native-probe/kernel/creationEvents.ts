// Names as they are made in a directory (fanotify(7), FAN_CREATE with names: Linux 5.9; without rights since 5.13, and then
// without the maker's PID). For flat directories: /dev/shm, and the root of an mqueue file system.
import { closeSync, readSync } from 'node:fs';
import { cString, syscall } from './libc';
import type { Result } from './procfs';
import { errnoOf } from './procfs';

const FAN_CLOEXEC = 1, FAN_NONBLOCK = 2, FAN_REPORT_DIR_FID = 0x400, FAN_REPORT_NAME = 0x800;
const FAN_MARK_ADD = 1, FAN_MOVED_TO = 0x80, FAN_CREATE = 0x100, FAN_Q_OVERFLOW = 0x4000, AT_FDCWD = -100;
const FAN_EVENT_INFO_TYPE_DFID_NAME = 2;
const metadataLength = 24;

/** A name was made. `pid`: who made it, a process or one of its threads; 0 where the kernel does not tell us. */
export interface CreationEvent { readonly name: Buffer; readonly pid: number }

/** The events in what read(2) gave (struct fanotify_event_metadata, and the records behind each). */
export function decodeCreations(bytes: Buffer): { readonly events: CreationEvent[]; readonly lost: boolean } {
  const events: CreationEvent[] = [];
  let lost = false;
  for (let at = 0; at + metadataLength <= bytes.length;) {
    const length = bytes.readUInt32LE(at);
    if (length < metadataLength || at + length > bytes.length) break;
    if ((bytes.readUInt32LE(at + 8) & FAN_Q_OVERFLOW) !== 0) lost = true;
    const name = nameOf(bytes, at + bytes.readUInt16LE(at + 6), at + length);
    if (name) events.push({ name, pid: bytes.readInt32LE(at + 20) });
    at += length;
  }
  return { events, lost };
}

/** struct fanotify_event_info_fid: type u8, pad u8, len u16, fsid u64, then struct file_handle (bytes u32, type i32, handle), then the name. */
function nameOf(bytes: Buffer, from: number, end: number): Buffer | undefined {
  for (let at = from; at + 4 <= end;) {
    const length = bytes.readUInt16LE(at + 2);
    if (length < 4 || at + length > end) return undefined;
    if (bytes[at] === FAN_EVENT_INFO_TYPE_DFID_NAME && length > 20) {
      const start = at + 20 + bytes.readUInt32LE(at + 12);
      const stop = bytes.indexOf(0, start);
      return start < at + length && stop >= start && stop < at + length ? Buffer.from(bytes.subarray(start, stop)) : undefined;
    }
    at += length;
  }
  return undefined;
}

export interface Creations {
  read(): { readonly events: readonly CreationEvent[]; readonly lost: boolean };
  close(): void;
}

/** Begins to watch a directory. */
export function watchCreations(directory: string): Result<Creations> {
  const group = syscall('fanotify_init', FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_DIR_FID | FAN_REPORT_NAME, 0);
  if (group.value === -1) return { errno: group.errno };
  const fd = group.value;
  const marked = syscall('fanotify_mark', fd, FAN_MARK_ADD, FAN_CREATE | FAN_MOVED_TO, AT_FDCWD, cString(directory));
  if (marked.value === -1) {
    closeSync(fd);
    return { errno: marked.errno };
  }
  const buffer = Buffer.allocUnsafe(1 << 16);
  return {
    value: {
      read: () => {
        const events: CreationEvent[] = [];
        let lost = false;
        for (;;) {
          let got: number;
          try {
            got = readSync(fd, buffer, 0, buffer.length, null);
          } catch (error) {
            errnoOf(error); // EAGAIN: that was all
            break;
          }
          if (got === 0) break;
          const more = decodeCreations(buffer.subarray(0, got));
          events.push(...more.events);
          lost ||= more.lost;
        }
        return { events, lost };
      },
      close: () => { closeSync(fd); },
    },
  };
}
