// The state of streams, shared memory, locks and event descriptors, complete, in the manual pages' words. Pure.
import type { InetSocket, IpcObject, Known, UnixSocket } from '../../native-probe/model';
import type { Value } from '../../webview/protocol';
import type { FurtherObject } from '../words/kindWords';
import { endpoint, isListening, socketState, socketType } from '../words/streamWords';
import { l10n } from '../translation';
import type { Inspected } from './inspected';
import type { FieldList } from './values';
import { objectValue, processValue } from './values';

const text = (it: string): Value => ({ type: 'text', text: it });
const copied = (it: string): Value => ({ type: 'text', text: it, copy: true });
const words = (it: string): Value => ({ type: 'words', text: it });

/** Puts the state's fields of a kind into the list. What is a table of its own (`stateTables.ts`) is left out. */
export function furtherState(object: FurtherObject, list: FieldList, inspected: Inspected): FieldList {
  const yesNo = (name: string, gloss: string, term: string, value: Known<boolean>): FieldList => list.words(name, gloss, term, value, l10n.t('yes'), l10n.t('no'));
  const inMemory = (address: string | undefined, shared: Known<boolean>): FieldList => {
    list.add('address', l10n.t('Address'), undefined, address, copied);
    return yesNo('shared', l10n.t('Shared between processes'), 'pshared', shared);
  };
  switch (object.kind) {
    case 'pipe':
    case 'fifo': {
      if (object.kind === 'fifo') list.add('path', l10n.t('File'), undefined, object.state.path, copied);
      return list
        .bytes('unread', l10n.t('Unread'), 'FIONREAD', object.state.unread, object.state.capacity)
        .bytes('capacity', l10n.t('Capacity'), 'F_GETPIPE_SZ', object.state.capacity);
    }
    case 'unix-socket': return unixSocket(object, list, inspected);
    case 'inet-socket': return inetSocket(object, list, inspected);
    case 'other-socket': return list.add('family', l10n.t('Family'), 'sa_family', object.state.family, text).add('protocol', l10n.t('Protocol'), undefined, object.state.protocol, text);
    case 'pseudoterminal': return list
      .count('index', l10n.t('Number'), '/dev/pts/', object.state.index)
      .add('foreground', l10n.t('Foreground process group'), 'tcgetpgrp', object.state.foreground, pid => processValue(pid, inspected.processes));
    case 'memfd': return list
      .bytes('size', l10n.t('Size'), 'st_size', object.state.size).bytes('allocated', l10n.t('Allocated'), 'st_blocks', object.state.allocated)
      .add('seals', l10n.t('Seals'), 'F_GET_SEALS', object.state.seals, seals => seals.length === 0 ? words(l10n.t('none')) : text(seals.join(' ')));
    case 'shared-mapping': return list
      .add('path', l10n.t('File'), undefined, object.state.path, copied).bytes('mapped', l10n.t('Mapped, from the start of the file'), undefined, object.state.mapped)
      .words('deleted', l10n.t('Deleted'), undefined, object.state.deleted, l10n.t('yes: it lives as long as it is mapped or open'), l10n.t('no'));
    case 'anonymous-shared-mapping': return list.bytes('size', l10n.t('Size'), undefined, object.state.size);
    case 'record-lock':
    case 'ofd-lock':
    case 'lease': return list.add('path', l10n.t('File'), undefined, object.state.path, copied);
    case 'posix-unnamed-semaphore':
      list.count('value', l10n.t('Value'), 'sem_getvalue', object.state.value).count('waiters', l10n.t('Waiting threads'), 'nwaiters', object.state.waiters);
      return inMemory(object.state.address, object.state.shared);
    case 'condition-variable':
      list.count('waiters', l10n.t('Waiting threads'), undefined, object.state.waiters);
      return inMemory(object.state.address, object.state.shared);
    case 'rwlock':
      list.count('readers', l10n.t('Readers'), '__readers', object.state.readers)
        .add('writer', l10n.t('Writer'), '__cur_writer', object.state.writer, tid => words(l10n.t('thread {0}', tid)));
      return inMemory(object.state.address, object.state.shared);
    case 'barrier':
      list.count('waiting', l10n.t('Arrived'), undefined, object.state.waiting, object.state.count).count('count', l10n.t('Needed'), 'count', object.state.count);
      return inMemory(object.state.address, object.state.shared);
    case 'eventfd':
      list.count('count', l10n.t('Counter'), 'eventfd-count', object.state.count);
      return yesNo('semaphore', l10n.t('Counts down by one'), 'EFD_SEMAPHORE', object.state.semaphore);
    case 'signalfd': return list.add('signals', l10n.t('Signals'), 'sigmask', object.state.signals, names);
    case 'timerfd': return list
      .add('clock', l10n.t('Clock'), 'clockid', object.state.clock, text)
      .count('ticks', l10n.t('Expirations not yet read'), 'ticks', object.state.ticks)
      .add('value', l10n.t('Expires in'), 'it_value', object.state.value ?? '', value => words(value === '' ? l10n.t('never: it is disarmed') : l10n.t('{0} seconds', value)))
      .add('interval', l10n.t('Repeats every'), 'it_interval', object.state.interval, value => words(l10n.t('{0} seconds', value)));
    case 'epoll':
    case 'inotify': return object.state.watches === null ? list.add('watches', l10n.t('Watches'), undefined, null, words) : list;
    case 'pidfd': return list.add('pid', l10n.t('Process'), 'Pid', object.state.pid, pid =>
      pid === -1 ? words(l10n.t('its process has ended')) : pid === 0 ? words(l10n.t('a process outside the PID namespace of the probe')) : processValue(pid, inspected.processes));
    case 'signal': return list
      .add('pending', l10n.t('Pending'), 'ShdPnd', object.state.pending, names)
      .add('caught', l10n.t('Caught'), 'SigCgt', object.state.caught, names)
      .add('ignored', l10n.t('Ignored'), 'SigIgn', object.state.ignored, names)
      .add('blocked', l10n.t('Blocked'), 'SigBlk', object.state.blocked, names)
      .count('queued', l10n.t('Queued for its user'), 'SigQ', object.state.queued, object.state.limit)
      .count('limit', l10n.t('Most that may be queued'), 'RLIMIT_SIGPENDING', object.state.limit);
    default: return object satisfies never;
  }
}

function names(signals: readonly string[]): Value {
  return signals.length === 0 ? words(l10n.t('none')) : text(signals.join(' '));
}

function unixSocket(object: UnixSocket, list: FieldList, inspected: Inspected): FieldList {
  const { state } = object;
  list
    .add('type', l10n.t('Type'), 'SO_TYPE', state.type, type => words(socketType(type)))
    .add('state', l10n.t('State'), undefined, state.state, it => words(socketState(it)))
    .add('path', l10n.t('Name'), 'sun_path', state.path, copied)
    .add('peer', l10n.t('Other end'), undefined, state.peer, peer => objectValue(peer, inspected));
  return sizes(object, state.state === 'listening', list)
    .count('descriptorsInFlight', l10n.t('Descriptors in flight'), 'scm_fds', state.descriptorsInFlight);
}

function inetSocket(object: InetSocket, list: FieldList, inspected: Inspected): FieldList {
  const { state } = object;
  list
    .add('protocol', l10n.t('Protocol'), undefined, state.protocol, text).add('state', l10n.t('State'), undefined, state.state, text)
    .add('local', l10n.t('Local address'), undefined, endpoint(state.local), copied)
    .add('remote', l10n.t('Remote address'), undefined, state.remote && endpoint(state.remote), copied)
    .add('peer', l10n.t('Other end'), undefined, state.peer, peer => objectValue(peer, inspected));
  return sizes(object, isListening(state.state), list);
}

/** The queues; those of a listener are connections. */
function sizes({ state: { rqueue, wqueue, backlog } }: Extract<IpcObject, { kind: 'unix-socket' | 'inet-socket' }>, listening: boolean, list: FieldList): FieldList {
  if (!listening) return list.bytes('rqueue', l10n.t('Waiting to be read'), 'SIOCINQ', rqueue).bytes('wqueue', l10n.t('Waiting to be sent'), 'SIOCOUTQ', wqueue).count('backlog', l10n.t('Backlog'), 'backlog', backlog);
  return list.count('rqueue', l10n.t('Connections not yet accepted'), 'rqueue', rqueue, backlog).count('backlog', l10n.t('Most connections not yet accepted'), 'backlog', backlog);
}
