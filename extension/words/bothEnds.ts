// Who is at which end of an object: the peer object of a socket, the readers and writers of a pipe, master and slave of a
// pseudoterminal. Pure.
import type { Handle, IpcObject } from '../../native-probe/model';
import { processName } from './presentation';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';

/** Id of the object at the other end; undefined where it has none, or none is known. */
export function peerOf(object: IpcObject): string | undefined {
  switch (object.kind) {
    case 'unix-socket':
    case 'inet-socket': return object.state.peer ?? undefined;
    default: return undefined;
  }
}

export interface End {
  readonly key: string;
  /** What the end is called: "Read end", "Master". */
  readonly label: string;
  readonly handles: readonly Handle[];
}

/** The ends of an object that has more than one, with those who have them; undefined for all other objects. A handle for both stands at both. */
export function endsOf(object: IpcObject, handles: readonly Handle[]): readonly End[] | undefined {
  switch (object.kind) {
    case 'pipe':
    case 'fifo': {
      const at = (access: 'read' | 'write', { access: has, end }: Handle): boolean => has === access || has === 'read-write' || (has === undefined && end === access);
      const nowhere = handles.filter(handle => !at('read', handle) && !at('write', handle));
      return [
        { key: 'read', label: l10n.t('Read end'), handles: handles.filter(handle => at('read', handle)) },
        { key: 'write', label: l10n.t('Write end'), handles: handles.filter(handle => at('write', handle)) },
        ...(nowhere.length === 0 ? [] : [{ key: 'unknown', label: l10n.t('Unknown end'), handles: nowhere }]),
      ];
    }
    case 'pseudoterminal': {
      const slave = handles.filter(({ end }) => end !== 'master');
      return [{ key: 'master', label: l10n.t('Master'), handles: handles.filter(({ end }) => end === 'master') }, { key: 'slave', label: l10n.t('Slave'), handles: slave }];
    }
    default: return undefined;
  }
}

/** Who is at the other end of a socket, in a few words. */
export function peerSummary(object: IpcObject, index: SnapshotIndex): string[] {
  const peer = peerOf(object);
  if (peer === undefined) return [];
  const pids = [...new Set(index.handlesOf(peer).map(it => it.pid))];
  const [first] = pids;
  if (first === undefined) return [];
  const name = nameOf(first, index);
  return [pids.length === 1 ? l10n.t('other end: {0}', name) : l10n.t('other end: {0} and {1} more', name, pids.length - 1)];
}

/** Who writes into a pipe and who reads from it, in a few words. */
export function endsSummary(object: IpcObject, index: SnapshotIndex): string[] {
  if (object.kind !== 'pipe' && object.kind !== 'fifo') return [];
  const who = (handles: readonly Handle[]): string | undefined => {
    const [first, ...more] = new Set(handles.map(({ pid }) => pid));
    if (first === undefined) return undefined;
    return more.length === 0 ? nameOf(first, index) : l10n.t('{0} and {1} more', nameOf(first, index), more.length);
  };
  const ends = new Map((endsOf(object, index.handlesOf(object.id)) ?? []).map(({ key, handles }) => [key, who(handles)]));
  const [writers, readers] = [ends.get('write'), ends.get('read')];
  return [...(writers === undefined ? [] : [l10n.t('written by {0}', writers)]), ...(readers === undefined ? [] : [l10n.t('read by {0}', readers)])];
}

const nameOf = (pid: number, index: SnapshotIndex): string => l10n.t('{0} ({1})', processName(index.processes.get(pid), pid), pid);
