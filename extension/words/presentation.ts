// How values become text: untrusted names made harmless, sizes, times, users. Pure.
import type { Decimal, Known, Owner, Process } from '../../native-probe/model';
import { l10n } from '../translation';
import { users } from './userNames';

/** What is shown for a value that could not be read. */
export const unknown = (): string => l10n.t('unknown');

/**
 * A name as one line of visible characters: controls, line separators, bidi marks and other invisible format characters
 * as `\u{…}`, and no longer than `limit` characters. Names are bytes that other users choose.
 */
export function visible(text: string, limit = 200): string {
  const shown = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu, it => `\\u{${(it.codePointAt(0) ?? 0).toString(16)}}`);
  const characters = [...shown];
  return characters.length <= limit ? shown : `${characters.slice(0, limit - 1).join('')}…`;
}

/** The last part of a path, as one line of visible characters. */
export function baseName(path: string): string {
  return visible(path.split('/').pop() || path);
}

/** The part of an object's id after its kind: the inode or number by which descriptors tell it. */
export function idTail({ id }: { readonly id: string }): string {
  return visible(id.slice(id.indexOf(':') + 1));
}

/** A name inside Markdown: nothing in it is markup, a link, HTML, an entity or an icon. */
export function inMarkdown(text: string, limit = 400): string {
  return visible(text, limit)
    .replace(/[\\`*_{}[\]()#+\-.!|<>~$:&@/=^"']/g, it => `&#${it.charCodeAt(0)};`)
    .replace(/ {2,}/g, spaces => '&nbsp;'.repeat(spaces.length));
}

/** A name inside a quick pick, where `$(bug)` would be an icon. */
export function inQuickPick(text: string): string {
  return visible(text).replace(/\$\(([A-Za-z0-9-]+(?:~[A-Za-z0-9-]+)?)\)/g, '\\$($1)');
}

/** A name inside a notification, where `[text](command:…)` would be a link. */
export function inMessage(text: string): string {
  return visible(text).replace(/\]\(/g, '] (');
}

const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** Bytes for people: `0 bytes`, `1 byte`, `512 bytes`, `4 KiB`, `1.5 MiB`. */
export function bytes(value: Known<Decimal>): string {
  if (value === null) return unknown();
  const exact = BigInt(value);
  if (exact === 1n) return l10n.t('1 byte');
  if (exact < 1024n) return l10n.t('{0} bytes', value);
  let amount = Number(exact) / 1024;
  let unit = 0;
  // Rounded already, so that 1048575 bytes are 1 MiB and not 1024 KiB.
  while (Math.round(amount * 10) / 10 >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${Math.round(amount * 10) / 10} ${units[unit]}`;
}

/** Bytes for people, and exactly: `4 KiB (4096 bytes)`. */
export function bytesExactly(value: Known<Decimal>): string {
  return value === null || BigInt(value) < 1024n ? bytes(value) : l10n.t('{0} ({1} bytes)', bytes(value), value);
}

/** A time in words, from `now` (milliseconds since the epoch): `3 minutes ago`. */
export function ago(time: string, now = Date.now()): string {
  const seconds = Math.round((now - Date.parse(time)) / 1000);
  if (Number.isNaN(seconds)) return visible(time);
  if (seconds < 5) return l10n.t('just now');
  if (seconds < 60) return l10n.t('{0} seconds ago', seconds);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return minutes === 1 ? l10n.t('1 minute ago') : l10n.t('{0} minutes ago', minutes);
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return hours === 1 ? l10n.t('1 hour ago') : l10n.t('{0} hours ago', hours);
  const days = Math.floor(hours / 24);
  return days === 1 ? l10n.t('1 day ago') : l10n.t('{0} days ago', days);
}

/** A time in words and exactly: `3 minutes ago (2026-01-02 03:04:05 UTC)`. */
export function when(time: Known<string>, now?: number): string {
  return time === null ? unknown() : `${ago(time, now)} (${time.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')})`;
}

/** `alice`, or `uid 1000` when it has no name. */
export function userName(uid: Known<number>): string {
  if (uid === null) return unknown();
  return users.nameOf(uid) ?? l10n.t('uid {0}', uid);
}

/** `alice (uid 1000), gid 100, mode 0640 (rw-r-----)`. */
export function ownerWords(owner: Known<Owner>): string {
  if (owner === null) return unknown();
  const name = users.nameOf(owner.uid);
  const user = name === undefined ? l10n.t('uid {0}', owner.uid) : l10n.t('{0} (uid {1})', name, owner.uid);
  return l10n.t('{0}, gid {1}, mode {2} ({3})', user, owner.gid, owner.mode, permissions(owner.mode));
}

/** The permission bits as ls(1) writes them. */
export function permissions(mode: string): string {
  const bits = parseInt(mode, 8);
  return [6, 3, 0].map(shift => ['r', 'w', 'x'].map((letter, i) => ((bits >> shift) & (4 >> i)) !== 0 ? letter : '-').join('')).join('');
}

/** The name of a process, or how to call it when it is not in the snapshot. */
export function processName(process: Process | undefined, pid: number): string {
  return process && process.comm !== '' ? visible(process.comm) : l10n.t('PID {0}', pid);
}

/** The letter of /proc/PID/stat in the words of proc(5). */
export function processState(letter: string): string {
  switch (letter) {
    case 'R': return l10n.t('running');
    case 'S': return l10n.t('sleeping');
    case 'D': return l10n.t('waiting in uninterruptible sleep');
    case 'T': return l10n.t('stopped on a signal');
    case 't': return l10n.t('stopped by a tracer');
    case 'Z': return l10n.t('zombie');
    case 'X': return l10n.t('dead');
    case 'I': return l10n.t('idle');
    default: return visible(letter);
  }
}

/** `1 process`, `3 processes`. */
export function count(n: number, one: string, many: (n: string) => string): string {
  return n === 1 ? one : many(String(n));
}
