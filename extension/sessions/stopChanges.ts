// What the followed processes' IPC has become between two stops of the debugger: new, gone, changed, in the manual pages' words. Pure.
import type { Handle, IpcObject, Snapshot, Via } from '../../native-probe/model';
import { visible } from '../words/presentation';
import { grouped, indexOf } from '../snapshotIndex';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';

export interface ObjectChange {
  readonly what: 'new' | 'gone' | 'changed';
  /** As it is now; for what is gone, as it was. */
  readonly object: IpcObject;
  /** `qnum 3 → 4`, one each; never empty. */
  readonly words: readonly string[];
}
export interface StopChanges {
  /** By PID, then by the object's id. */
  readonly byPid: ReadonlyMap<number, ReadonlyMap<string, ObjectChange>>;
  /** Processes that were not there at the last stop. */
  readonly newPids: ReadonlySet<number>;
}

/** So many fields are named for one object: a set may have thousands of semaphores. */
const mostWords = 4;

/** What has changed for these processes from one snapshot to a later one. Unknown is no change. */
export function changesBetween(before: Snapshot, after: Snapshot, pids: readonly number[]): StopChanges {
  const [was, is] = [indexOf(before), indexOf(after)];
  const byPid = new Map<number, Map<string, ObjectChange>>();
  const newPids = new Set<number>();
  for (const pid of pids) {
    const [old, now] = [was.processes.get(pid), is.processes.get(pid)];
    if (!now) continue;
    if (old?.startTime !== now.startTime) {
      newPids.add(pid);
      continue;
    }
    // What could not be read then or now may have been there all the time.
    if (isUnread(pid, was) || isUnread(pid, is)) continue;
    const changes = changesOf(pid, was, is);
    if (changes.size > 0) byPid.set(pid, changes);
  }
  return { byPid, newPids };
}

function isUnread(pid: number, { snapshot }: SnapshotIndex): boolean {
  return snapshot.gaps.some(({ scope }) => scope.pid === pid && scope.facility === 'processes' && /\b(?:fd|maps)\b/.test(scope.field ?? ''));
}

function changesOf(pid: number, was: SnapshotIndex, is: SnapshotIndex): Map<string, ObjectChange> {
  const changes = new Map<string, ObjectChange>();
  const [before, after] = [grouped(was.handlesBy(pid), it => it.objectId), grouped(is.handlesBy(pid), it => it.objectId)];
  for (const [id, handles] of after) {
    const object = is.objects.get(id), old = was.objects.get(id), oldHandles = before.get(id);
    if (!object || isRestless(object)) continue;
    if (!oldHandles) changes.set(id, { what: 'new', object, words: [old === undefined ? l10n.t('new') : newHandleWords(handles)] });
    else if (old) {
      const words = [...stateChanges(old, object), ...handleChanges(oldHandles, handles)];
      if (words.length > 0) changes.set(id, { what: 'changed', object, words: words.length > mostWords ? [...words.slice(0, mostWords), '…'] : words });
    }
  }
  for (const [id, handles] of before) {
    const object = was.objects.get(id);
    if (!object || after.has(id) || isRestless(object)) continue;
    changes.set(id, { what: 'gone', object, words: [goneWords(handles, is.objects.has(id))] });
  }
  return changes;
}

/** What its run-time or the kernel changes all the time, and no line of the program. */
function isRestless(object: IpcObject): boolean {
  return object.kind === 'futex' || object.kind === 'signal' && object.state.pending.length === 0;
}

function newHandleWords(handles: readonly Handle[]): string {
  return handles.every(({ via }) => via === 'last-operation') ? l10n.t('used now') : l10n.t('opened now');
}

function goneWords(handles: readonly Handle[], remains: boolean): string {
  if (remains) return l10n.t('closed');
  // The kernel remembers only the last one to use a System V object: another may have taken that place.
  if (handles.every(({ via }) => via === 'last-operation')) return l10n.t('removed, or last used by another process');
  return l10n.t('closed or removed');
}

const came: Readonly<Partial<Record<Via, () => string>>> = { descriptor: () => l10n.t('opened'), mapping: () => l10n.t('mapped'), attachment: () => l10n.t('attached'), lock: () => l10n.t('locked'), owner: () => l10n.t('acquired') };
const went: Readonly<Partial<Record<Via, () => string>>> = { descriptor: () => l10n.t('descriptor closed'), mapping: () => l10n.t('unmapped'), attachment: () => l10n.t('detached'), lock: () => l10n.t('unlocked'), owner: () => l10n.t('released') };

function handleChanges(before: readonly Handle[], after: readonly Handle[]): string[] {
  const words: string[] = [];
  for (const via of Object.keys(came) as Via[]) {
    const count = (handles: readonly Handle[]): number => handles.filter(it => it.via === via).length;
    const [old, now] = [count(before), count(after)];
    const word = now > old ? came[via]?.() : now < old ? went[via]?.() : undefined;
    if (word !== undefined) words.push(word);
  }
  return words;
}

/** What of an object's state is compared. A flag counts when it comes true; an unknown or absent value is no change. */
type Field = readonly [name: string, value: string | number | null | undefined] | { readonly flag: string; readonly on: boolean };

/** What is different in two states of one object, in the order of interest. */
function stateChanges(before: IpcObject, after: IpcObject): string[] {
  const values = new Map<string, string | number | null | undefined>(), flags = new Set<string>();
  for (const field of fieldsOf(before)) {
    if ('flag' in field) { if (field.on) flags.add(field.flag); } else values.set(field[0], field[1]);
  }
  return fieldsOf(after).flatMap(field => {
    if ('flag' in field) return field.on && !flags.has(field.flag) ? [field.flag] : [];
    const [name, now] = field, old = values.get(name);
    return old === now || old == null || now == null ? [] : [l10n.t('{0} {1} → {2}', name, visible(String(old), 40), visible(String(now), 40))];
  });
}

function fieldsOf(object: IpcObject): Field[] {
  const mode: Field = ['mode', object.owner?.mode];
  const unlinked = (on: true | undefined): Field => ({ flag: l10n.t('name removed'), on: on === true });
  switch (object.kind) {
    // A receive and a send between two stops leave the depth as it was: then the times tell.
    case 'sysv-message-queue': { const s = object.state; return [['qnum', s.qnum], ['cbytes', s.cbytes], ['stime', s.stime], ['rtime', s.rtime], mode]; }
    case 'sysv-shared-memory': { const s = object.state; return [['nattch', s.nattch], { flag: l10n.t('marked for destruction'), on: s.dest }, { flag: l10n.t('locked in memory'), on: s.locked }, mode]; }
    case 'sysv-semaphore-set': return [...(object.state.sems ?? []).flatMap((sem, i): Field[] => [[`val[${i}]`, sem.val], [`ncnt[${i}]`, sem.ncnt], [`zcnt[${i}]`, sem.zcnt]]), mode];
    case 'posix-message-queue': { const s = object.state; return [['curmsgs', s.curmsgs], unlinked(s.unlinked), { flag: l10n.t('asks to be notified'), on: s.notify != null }, mode]; }
    case 'posix-shared-memory': { const s = object.state; return [['size', s.size], [l10n.t('allocated'), s.allocated], unlinked(s.unlinked), mode]; }
    case 'posix-semaphore': { const s = object.state; return [['value', s.value], [l10n.t('waiters'), s.waiters], unlinked(s.unlinked), mode]; }
    case 'posix-unnamed-semaphore': return [['value', object.state.value], [l10n.t('waiters'), object.state.waiters]];
    case 'pipe': return [['unread', object.state.unread]];
    case 'fifo': return [['unread', object.state.unread], unlinked(object.state.unlinked)];
    case 'unix-socket': { const s = object.state; return [[l10n.t('state'), s.state], [l10n.t('path'), s.path ?? ''], ['rqueue', s.rqueue], ['wqueue', s.wqueue]]; }
    case 'inet-socket': { const s = object.state; return [[l10n.t('state'), s.state], ['rqueue', s.rqueue], ['wqueue', s.wqueue]]; }
    case 'memfd': { const s = object.state; return [['size', s.size], [l10n.t('allocated'), s.allocated], [l10n.t('seals'), s.seals?.join(' ')]]; }
    case 'shared-mapping': return [[l10n.t('mapped'), object.state.mapped]];
    case 'anonymous-shared-mapping': return [['size', object.state.size]];
    case 'eventfd': return [['count', object.state.count]];
    case 'signalfd': return [[l10n.t('signals'), object.state.signals?.join(' ')]];
    // What is left of its time changes by itself: only that it was armed or disarmed is somebody's doing.
    case 'timerfd': return [{ flag: l10n.t('armed'), on: object.state.value !== undefined }, { flag: l10n.t('disarmed'), on: object.state.value === undefined }, ['interval', object.state.interval]];
    case 'epoll': case 'inotify': return [[l10n.t('watches'), object.state.watches?.length]];
    case 'mutex': return [['owner', object.state.owner]];
    case 'condition-variable': return [[l10n.t('waiters'), object.state.waiters]];
    case 'rwlock': return [[l10n.t('readers'), object.state.readers], [l10n.t('writer'), object.state.writer === undefined ? 0 : object.state.writer]];
    case 'barrier': return [[l10n.t('arrived'), object.state.waiting]];
    case 'flock-lock': case 'record-lock': case 'ofd-lock': case 'lease': return [[l10n.t('locked'), object.state.ranges.map(({ type, start, end }) => `${type ?? '?'} ${start}–${end}`).join(', ')]];
    case 'signal': return [[l10n.t('pending'), object.state.pending.join(' ') || l10n.t('none')]];
    case 'pseudoterminal': return [['foreground', object.state.foreground]];
    case 'other-socket': case 'pidfd': case 'futex': return [];
    default: return object satisfies never;
  }
}
