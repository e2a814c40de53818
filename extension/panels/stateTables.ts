// What a state has many of, as tables: ranges of a lock, watches, threads with signals of their own. Pure.
import type { Epoll, Inotify, LockRange, Signals } from '../../native-probe/model';
import type { Row, Section, Value } from '../../webview/protocol';
import { l10n } from '../translation';
import type { Inspected } from './inspected';
import type { TableLimits } from './stateSections';
import { limited } from './stateSections';
import { objectValue, recordedPid } from './values';

const text = (it: string): Value => ({ type: 'text', text: it });
const words = (it: string): Value => ({ type: 'words', text: it });

/** Ranges of a file that are locked, or that somebody waits for. */
export function ranges(key: 'ranges' | 'waiting', locks: readonly LockRange[], inspected: Inspected, limits: TableLimits): Section {
  const rows = limited(key, locks, limits).map((lock, index): Row => ({
    key: `${lock.pid}:${lock.start}:${lock.end}:${index}`,
    cells: [
      words(typeWords(lock)),
      words(lock.end === 'EOF' && lock.start === '0' ? l10n.t('the whole file') : l10n.t('{0} to {1}', lock.start, lock.end)),
      lock.pid <= 0 ? words(l10n.t('not recorded')) : recordedPid(lock.pid, inspected),
    ],
  }));
  const held = key === 'ranges';
  return {
    type: 'table', key, title: held ? l10n.t('Locks') : l10n.t('Waiting for a lock'), rows, total: locks.length, empty: held ? l10n.t('No lock is held.') : l10n.t('Nobody waits.'),
    columns: [{ key: 'type', label: l10n.t('Type') }, { key: 'range', label: l10n.t('Bytes') }, { key: 'pid', label: held ? l10n.t('Taken by') : l10n.t('Asked for by') }],
  };
}

function typeWords({ type, breaking }: LockRange): string {
  const held = type === null ? l10n.t('unknown') : type === 'read' ? l10n.t('shared (read)') : l10n.t('exclusive (write)');
  if (breaking === undefined) return held;
  return breaking === 'read' ? l10n.t('{0}, to be reduced to read: somebody opens the file', held) : l10n.t('{0}, to be given up: somebody opens the file', held);
}

/** What an epoll instance watches; no table where that is unknown. */
export function epollWatches({ state: { watches } }: Epoll, inspected: Inspected, limits: TableLimits): readonly Section[] {
  if (watches === null) return [];
  const rows = limited('watches', watches, limits).map(({ fd, events, target }, index): Row => ({
    key: `${fd}:${target ?? ''}:${index}`,
    cells: [{ type: 'number', number: String(fd) }, text(epollEvents(events)), target === undefined ? undefined : objectValue(target, inspected)],
  }));
  return [{
    type: 'table', key: 'watches', title: l10n.t('Watches'), rows, total: watches.length, empty: l10n.t('It watches nothing.'),
    columns: [{ key: 'fd', label: l10n.t('Descriptor'), term: 'tfd', numeric: true }, { key: 'events', label: l10n.t('Events'), term: 'events' }, { key: 'target', label: l10n.t('Of') }],
    remark: l10n.t('The number is the one under which the descriptor was added. Its owner may have closed it since and used the number again.'),
  }];
}

/** epoll_ctl(2); the low bits as in poll(2). */
const epollBits: readonly (readonly [bigint, string])[] = [
  [0x1n, 'EPOLLIN'], [0x2n, 'EPOLLPRI'], [0x4n, 'EPOLLOUT'], [0x8n, 'EPOLLERR'], [0x10n, 'EPOLLHUP'], [0x2000n, 'EPOLLRDHUP'],
  [1n << 28n, 'EPOLLEXCLUSIVE'], [1n << 29n, 'EPOLLWAKEUP'], [1n << 30n, 'EPOLLONESHOT'], [1n << 31n, 'EPOLLET'],
];

/** inotify(7). */
const inotifyBits: readonly (readonly [bigint, string])[] = [
  [0x1n, 'IN_ACCESS'], [0x2n, 'IN_MODIFY'], [0x4n, 'IN_ATTRIB'], [0x8n, 'IN_CLOSE_WRITE'], [0x10n, 'IN_CLOSE_NOWRITE'], [0x20n, 'IN_OPEN'], [0x40n, 'IN_MOVED_FROM'], [0x80n, 'IN_MOVED_TO'],
  [0x100n, 'IN_CREATE'], [0x200n, 'IN_DELETE'], [0x400n, 'IN_DELETE_SELF'], [0x800n, 'IN_MOVE_SELF'],
  [1n << 24n, 'IN_ONLYDIR'], [1n << 25n, 'IN_DONT_FOLLOW'], [1n << 26n, 'IN_EXCL_UNLINK'], [1n << 29n, 'IN_MASK_ADD'], [1n << 30n, 'IN_ISDIR'], [1n << 31n, 'IN_ONESHOT'],
];

function bits(mask: string, known: readonly (readonly [bigint, string])[]): string {
  if (!/^0x[0-9a-f]+$/i.test(mask)) return mask;
  const value = BigInt(mask);
  return known.filter(([bit]) => (value & bit) !== 0n).map(([, name]) => name).join(' ') || mask;
}

/** The events of an epoll mask by name; the mask itself where none is known. */
export function epollEvents(mask: string): string {
  return bits(mask, epollBits);
}

/** What an inotify instance watches; no table where that is unknown. */
export function inotifyWatches({ state: { watches } }: Inotify, limits: TableLimits): readonly Section[] {
  if (watches === null) return [];
  const rows = limited('watches', watches, limits).map(({ wd, device, inode, mask }, index): Row => ({
    key: `${wd}:${index}`, cells: [{ type: 'number', number: String(wd) }, text(inode), text(device), text(bits(mask, inotifyBits))],
  }));
  return [{
    type: 'table', key: 'watches', title: l10n.t('Watches'), rows, total: watches.length, empty: l10n.t('It watches nothing.'),
    columns: [{ key: 'wd', label: l10n.t('Number'), term: 'wd', numeric: true }, { key: 'inode', label: l10n.t('Inode'), term: 'ino' }, { key: 'device', label: l10n.t('Device'), term: 'sdev' }, { key: 'mask', label: l10n.t('Events'), term: 'mask' }],
  }];
}

/** Signals that are pending for one thread alone, and what each blocks; no table where it was not asked for. */
export function signalThreads({ state: { threads } }: Signals, limits: TableLimits): readonly Section[] {
  if (threads === undefined) return [];
  const list = (signals: readonly string[]): Value => signals.length === 0 ? words(l10n.t('none')) : text(signals.join(' '));
  return [{
    type: 'table', key: 'threads', title: l10n.t('Threads'), total: threads.length, empty: l10n.t('It has no further threads.'),
    rows: limited('threads', threads, limits).map(({ tid, pending, blocked }): Row => ({ key: String(tid), cells: [{ type: 'number', number: String(tid) }, list(pending), list(blocked)] })),
    columns: [{ key: 'tid', label: l10n.t('Thread'), term: 'TID', numeric: true }, { key: 'pending', label: l10n.t('Pending'), term: 'SigPnd' }, { key: 'blocked', label: l10n.t('Blocked'), term: 'SigBlk' }],
  }];
}
