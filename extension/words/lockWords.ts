// Record and OFD locks, leases, and what POSIX threads synchronize by, in words. Pure.
import type { Barrier, ConditionVariable, Known, Lease, LockRange, OfdLock, PosixUnnamedSemaphore, RecordLock, Rwlock } from '../../native-probe/model';
import type { KindWords, TooltipRow } from './kindWords';
import { baseName, count, idTail, inMarkdown, unknown, visible } from './presentation';
import { l10n } from '../translation';

export type LockObject = RecordLock | OfdLock | Lease | PosixUnnamedSemaphore | ConditionVariable | Rwlock | Barrier;

/** Label, summary and tooltip of a lock. */
export function lockWords(object: LockObject): KindWords {
  switch (object.kind) {
    case 'record-lock':
    case 'ofd-lock':
    case 'lease': return fileLock(object);
    case 'posix-unnamed-semaphore': {
      const { value, waiters, shared, address } = object.state;
      return inMemory(object, address, shared, () => [
        value === null ? l10n.t('value unknown') : l10n.t('value {0}', value), ...waiting(waiters),
      ], () => [[l10n.t('Value'), number(value)], [l10n.t('Waiters'), number(waiters)]]);
    }
    case 'condition-variable': {
      const { waiters, shared, address } = object.state;
      return inMemory(object, address, shared, () => waiters === null ? [l10n.t('waiters unknown')] : waiting(waiters), () => [[l10n.t('Waiters'), number(waiters)]]);
    }
    case 'rwlock': {
      const { readers, writer, shared, address } = object.state;
      return inMemory(object, address, shared, () => [
        readers === null ? l10n.t('readers unknown') : count(readers, l10n.t('1 reader'), n => l10n.t('{0} readers', n)),
        ...(writer === undefined ? [] : [writer === null ? l10n.t('writer unknown') : l10n.t('written by thread {0}', writer)]),
      ], () => [[l10n.t('Readers'), number(readers)], [l10n.t('Writer'), writer === undefined ? l10n.t('none') : writer === null ? unknown() : l10n.t('thread {0}', writer)]]);
    }
    case 'barrier': {
      const { count: parties, waiting: arrived, shared, address } = object.state;
      return inMemory(object, address, shared, () => [l10n.t('{0} of {1} arrived', number(arrived), number(parties))], () => [[l10n.t('Arrived'), number(arrived)], [l10n.t('Needed'), number(parties)]]);
    }
    default: return object satisfies never;
  }
}

/** `2 locks held, 1 waiting`: how many ranges are held and waited for. */
export function rangeCounts(ranges: readonly LockRange[], waits: readonly LockRange[] | undefined): string[] {
  const waiters = waits?.length ?? 0;
  return [
    count(ranges.length, l10n.t('1 lock held'), n => l10n.t('{0} locks held', n)),
    ...(waiters === 0 ? [] : [l10n.t('{0} waiting', waiters)]),
  ];
}

function fileLock(object: RecordLock | OfdLock | Lease): KindWords {
  const { path, ranges, waiting: waits } = object.state;
  return {
    label: path === null ? visible(object.name ?? object.id) : baseName(path),
    summary: () => [...rangeCounts(ranges, waits), ...(ranges.some(it => it.breaking !== undefined) ? [l10n.t('being broken')] : []), path === null ? l10n.t('path unknown') : visible(path)],
    rows: () => [[l10n.t('Path'), path === null ? unknown() : inMarkdown(path)], [l10n.t('Locks'), rangeCounts(ranges, waits).join(', ')]],
  };
}

function inMemory(object: LockObject, address: string | undefined, shared: Known<boolean>, summary: () => readonly string[], rows: () => readonly TooltipRow[]): KindWords {
  return {
    label: visible(object.name ?? address ?? idTail(object)),
    summary: () => [...summary(), ...(shared === true ? [l10n.t('shared between processes')] : [])],
    rows: () => [
      ...rows(), [l10n.t('Shared between processes'), shared === null ? unknown() : shared ? l10n.t('yes') : l10n.t('no')],
      ...(address === undefined ? [] : [[l10n.t('Address'), inMarkdown(address)] satisfies TooltipRow]),
    ],
  };
}

function waiting(waiters: Known<number>): string[] {
  return waiters === null || waiters === 0 ? [] : [count(waiters, l10n.t('1 waiter'), n => l10n.t('{0} waiters', n))];
}

function number(value: Known<number>): string {
  return value === null ? unknown() : String(value);
}
