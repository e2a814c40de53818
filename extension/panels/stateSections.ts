// The state of an object, complete for every kind, in the manual pages' words. Pure.
import type { Handle, IpcObject, SysvSemaphoreSet, Time } from '../../native-probe/model';
import type { Row, Section, Value } from '../../webview/protocol';
import { l10n } from '../translation';
import { furtherState } from './furtherState';
import { signed } from '../words/undoWords';
import type { Inspected } from './inspected';
import { gapOf } from './inspected';
import { drawnLocks } from './lockDrawing';
import { epollWatches, inotifyWatches, ranges, signalThreads } from './stateTables';
import type { Moment } from './values';
import { FieldList, processValue, recordedPid, unknown } from './values';

/** How many rows of a table are sent: all that was asked for, else the first hundred. */
export interface TableLimits { readonly showsAll: (table: string) => boolean }
export const firstRows = 100;

/** So many are sent at most, even when all are asked for: a set may have 32,000 semaphores. */
export const mostRows = 10_000;

/** The rows to send. */
export function limited<T>(key: string, items: readonly T[], limits: TableLimits): readonly T[] {
  return items.length <= firstRows ? items : items.slice(0, limits.showsAll(key) ? mostRows : firstRows);
}

/** The sections that say what state an object is in. */
export function stateSections(inspected: Inspected, limits: TableLimits): readonly Section[] {
  const { object } = inspected;
  const fields = stateFields(object, new FieldList(inspected), inspected).fields;
  const state: Section[] = fields.length > 0 ? [{ type: 'fields', key: 'state', title: l10n.t('State'), fields }] : [];
  switch (object.kind) {
    case 'sysv-semaphore-set': return [...state, ...semaphores(object, inspected, limits)];
    case 'flock-lock':
    case 'record-lock':
    case 'ofd-lock':
    case 'lease': return [
      ...state, ...drawnLocks(object, inspected), ranges('ranges', object.state.ranges, inspected, limits),
      ...(object.state.waiting === undefined ? [] : [ranges('waiting', object.state.waiting, inspected, limits)]),
    ];
    case 'epoll': return [...state, ...epollWatches(object, inspected, limits)];
    case 'inotify': return [...state, ...inotifyWatches(object, limits)];
    case 'signal': return [...state, ...signalThreads(object, limits)];
    default: return state;
  }
}

function stateFields(object: IpcObject, list: FieldList, inspected: Inspected): FieldList {
  switch (object.kind) {
    case 'sysv-shared-memory': {
      const { state } = object;
      return list
        .bytes('segsz', l10n.t('Size'), 'shm_segsz', state.segsz)
        .count('nattch', l10n.t('Attachments'), 'shm_nattch', state.nattch)
        .bytes('rss', l10n.t('Resident in memory'), 'rss', state.rss)
        .bytes('swap', l10n.t('Swapped out'), 'swap', state.swap)
        .words('dest', l10n.t('Marked for removal'), 'SHM_DEST', state.dest, l10n.t('yes: it goes with the last detach'), l10n.t('no'))
        .words('locked', l10n.t('Locked into memory'), 'SHM_LOCKED', state.locked, l10n.t('yes: it is never swapped out'), l10n.t('no'))
        .pid('cpid', l10n.t('Created by'), 'shm_cpid', state.cpid, created(object))
        // Without an attach or a detach the kernel has nothing to remember: its 0 then means nobody.
        .pid('lpid', l10n.t('Last attach or detach by'), 'shm_lpid', neverHappened(state.lpid, state.atime, state.dtime), { at: latest(state.atime, state.dtime) })
        .time('atime', l10n.t('Last attach'), 'shm_atime', state.atime)
        .time('dtime', l10n.t('Last detach'), 'shm_dtime', state.dtime)
        .time('ctime', l10n.t('Created or last changed'), 'shm_ctime', state.ctime);
    }
    case 'sysv-message-queue': {
      const { state } = object;
      return list
        .count('qnum', l10n.t('Messages'), 'msg_qnum', state.qnum)
        .bytes('cbytes', l10n.t('Bytes in the queue'), 'msg_cbytes', state.cbytes, state.qbytes)
        .bytes('qbytes', l10n.t('Most bytes allowed'), 'msg_qbytes', state.qbytes)
        .pid('lspid', l10n.t('Last sender'), 'msg_lspid', neverHappened(state.lspid, state.stime), { at: state.stime })
        .pid('lrpid', l10n.t('Last receiver'), 'msg_lrpid', neverHappened(state.lrpid, state.rtime), { at: state.rtime })
        .time('stime', l10n.t('Last send'), 'msg_stime', state.stime)
        .time('rtime', l10n.t('Last receive'), 'msg_rtime', state.rtime)
        .time('ctime', l10n.t('Created or last changed'), 'msg_ctime', state.ctime);
    }
    case 'sysv-semaphore-set': {
      const { state } = object;
      return list
        .count('nsems', l10n.t('Semaphores'), 'sem_nsems', state.nsems)
        .time('otime', l10n.t('Last semop'), 'sem_otime', state.otime)
        .time('ctime', l10n.t('Created or last changed'), 'sem_ctime', state.ctime);
    }
    case 'posix-message-queue': {
      const { state } = object;
      list
        .count('curmsgs', l10n.t('Messages'), 'mq_curmsgs', state.curmsgs, state.maxmsg)
        .count('maxmsg', l10n.t('Most messages allowed'), 'mq_maxmsg', state.maxmsg)
        .bytes('msgsize', l10n.t('Longest message allowed'), 'mq_msgsize', state.msgsize)
        .bytes('qsize', l10n.t('Bytes in the queue'), 'QSIZE', state.qsize)
        .add('notify', l10n.t('Notifies of the next message'), 'NOTIFY_PID', state.notify, ({ pid }) => recordedPid(pid, inspected));
      return state.notify == null ? list : list.add('signo', l10n.t('by signal'), 'SIGNO', state.notify.signo, signo =>
        signo === 0 ? { type: 'words', text: l10n.t('none') } : { type: 'number', number: String(signo) });
    }
    case 'posix-shared-memory': return list
      .bytes('size', l10n.t('Size'), 'st_size', object.state.size)
      .bytes('allocated', l10n.t('Allocated'), 'st_blocks', object.state.allocated);
    case 'posix-semaphore': return list
      .count('value', l10n.t('Value'), 'sem_getvalue', object.state.value)
      .count('waiters', l10n.t('Waiting threads'), 'nwaiters', object.state.waiters);
    case 'flock-lock': return list.add('path', l10n.t('File'), undefined, object.state.path, path => ({ type: 'text', text: path, copy: true }));
    case 'mutex': {
      const { state } = object;
      return list
        .add('address', l10n.t('Address'), undefined, state.address, text => ({ type: 'text', text, copy: true }))
        .add('type', l10n.t('Type'), 'pthread_mutexattr_settype', state.type, text => ({ type: 'words', text }))
        .add('owner', l10n.t('Owner'), 'TID', state.owner, tid => owner(tid, inspected))
        .words('robust', l10n.t('Robust'), 'PTHREAD_MUTEX_ROBUST', state.robust, l10n.t('yes: the next owner is told when one dies'), l10n.t('no'))
        .words('pi', l10n.t('Priority inheritance'), 'PTHREAD_PRIO_INHERIT', state.pi, l10n.t('yes'), l10n.t('no'))
        .words('shared', l10n.t('Shared between processes'), 'PTHREAD_PROCESS_SHARED', state.shared, l10n.t('yes'), l10n.t('no'));
    }
    case 'futex': return list.add('address', l10n.t('Address'), undefined, object.state.address, text => ({ type: 'text', text, copy: true }));
    default: return furtherState(object, list, inspected);
  }
}

function neverHappened(pid: number, ...times: readonly (string | undefined)[]): number | undefined {
  return pid === 0 && times.every(time => time === undefined) ? undefined : pid;
}

/** The later of two times, as far as they happened. */
function latest(...times: readonly (Time | undefined)[]): Time | undefined {
  return times.filter(time => time !== undefined).sort((a, b) => Date.parse(a) - Date.parse(b)).at(-1);
}

/** When a segment was created: shm_ctime is also the time of the last IPC_SET. */
export function created(object: IpcObject): Moment {
  if (object.createdAt != null) return { at: object.createdAt };
  return 'ctime' in object.state ? { at: object.state.ctime, latest: true } : {};
}

/** The owner of a mutex is a TID in the memory; the handle `owner` says whose thread that is. */
function owner(tid: number, { handles, processes }: Inspected): Value {
  if (tid === 0) return { type: 'words', text: l10n.t('nobody: it is unlocked') };
  const handle = handles.find(it => it.via === 'owner' && it.tid === tid);
  const value = handle && processValue(handle.pid, processes);
  if (value?.type === 'process') return { ...value, note: l10n.t('thread {0}', tid) };
  return { type: 'words', text: l10n.t('thread {0}', tid) };
}

function semaphores({ state: { sems, otime, ctime } }: SysvSemaphoreSet, inspected: Inspected, limits: TableLimits): readonly Section[] {
  const key = 'sems';
  const title = l10n.t('Semaphores of the set');
  if (sems === null) return [{ type: 'fields', key, title, fields: [{ key, gloss: l10n.t('Values'), term: 'GETALL', value: unknown(key, inspected) }] }];
  const number = (value: number | null): Value => value === null ? unknown(key, inspected) : { type: 'number', number: String(value) };
  const exits = changesAtExit(inspected.handles);
  const unread = gapOf('undo', inspected) !== undefined;
  const atExit = (num: number): Value | undefined => {
    const change = exits.get(num) ?? 0;
    return change !== 0 ? { type: 'text', text: signed(change) } : unread ? unknown('undo', inspected) : undefined;
  };
  // Bars are drawn against the largest value of the set: semaphores have no capacity of their own.
  const most = String(sems.reduce((largest, { val }) => Math.max(largest, val), 0));
  const rows = limited(key, sems, limits).map((sem, index): Row => ({
    key: String(index),
    cells: [
      number(index), { type: 'number', number: String(sem.val), bar: most }, number(sem.ncnt), number(sem.zcnt),
      // sempid is 0 until the first semop or SETVAL.
      sem.pid === null ? unknown(key, inspected) : sem.pid === 0 ? { type: 'words', text: l10n.t('nobody seen') } : recordedPid(sem.pid, inspected, { at: latest(otime, ctime), latest: true }),
      atExit(index),
    ],
  }));
  return [{
    type: 'table', key, title, rows, total: sems.length, empty: l10n.t('The set has no semaphores.'),
    columns: [
      { key: 'num', label: l10n.t('Number'), term: 'sem_num', numeric: true },
      { key: 'val', label: l10n.t('Value'), term: 'semval', numeric: true },
      { key: 'ncnt', label: l10n.t('Wait for more'), term: 'semncnt', numeric: true },
      { key: 'zcnt', label: l10n.t('Wait for zero'), term: 'semzcnt', numeric: true },
      { key: 'pid', label: l10n.t('Last operation by'), term: 'sempid' },
      { key: 'undo', label: l10n.t('At exit'), numeric: true },
    ],
  }];
}

/** What is added to each semaphore when all who have undo values have exited; a list that several share counts once. */
function changesAtExit(handles: readonly Handle[]): Map<number, number> {
  const sums = new Map<number, number>();
  for (const { pid, undo, sharedWith = [] } of handles) {
    if (sharedWith.some(other => other < pid)) continue;
    for (const { num, adjustment } of undo ?? []) sums.set(num, (sums.get(num) ?? 0) + adjustment);
  }
  return sums;
}
