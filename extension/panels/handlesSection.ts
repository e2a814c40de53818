// Who has the object, and how. Pure.
import type { Handle, Via } from '../../native-probe/model';
import type { Column, Row, Section, Value } from '../../webview/protocol';
import { endsOf } from '../words/bothEnds';
import { l10n } from '../translation';
import { undoWords } from '../words/undoWords';
import type { Inspected } from './inspected';
import { gapOf } from './inspected';
import type { TableLimits } from './stateSections';
import { limited } from './stateSections';
import { processValue } from './values';

/** How a process has an object, in words. */
export function viaInWords(via: Via, operation?: string): string {
  switch (via) {
    case 'descriptor': return l10n.t('descriptor');
    case 'mapping': return l10n.t('mapping');
    case 'attachment': return l10n.t('attachment');
    case 'lock': return l10n.t('holds a lock');
    case 'owner': return l10n.t('owner');
    case 'undo': return l10n.t('undo at exit (SEM_UNDO)');
    case 'last-operation': return operation === undefined ? l10n.t('last operation') : l10n.t('last {0}', operation);
    default: return via satisfies never;
  }
}

function accessInWords(access: Handle['access']): string | undefined {
  switch (access) {
    case 'read': return l10n.t('read');
    case 'write': return l10n.t('write');
    case 'read-write': return l10n.t('read and write');
    case undefined: return undefined;
    default: return access satisfies never;
  }
}

function lockType(type: NonNullable<Handle['lock']>['type']): string {
  return type === null ? l10n.t('unknown') : type === 'read' ? l10n.t('read') : l10n.t('write');
}

function where(handle: Handle): string | undefined {
  const { fd, address, tid, end, lock } = handle;
  const parts = [
    fd === undefined ? undefined : l10n.t('fd {0}', fd),
    address === undefined ? undefined : l10n.t('at {0}', address),
    tid === undefined ? undefined : l10n.t('thread {0}', tid),
    end,
    handle.via === 'undo' ? undoWords(handle, 20) : undefined,
    lock && (lock.start === '0' && lock.end === 'EOF' ? l10n.t('{0} lock', lockType(lock.type)) : l10n.t('{0} lock on bytes {1} to {2}', lockType(lock.type), lock.start, lock.end)),
  ].filter(part => part !== undefined);
  return parts.length > 0 ? parts.join(', ') : undefined;
}

/** A key that a handle keeps over snapshots; `nth` tells apart those that nothing else does. */
function keyOf({ pid, tid, via, fd, address, end, lock, operation }: Handle): string {
  return JSON.stringify([pid, tid, via, fd, address, end, lock?.start, operation]);
}

/** The table of handles. Sorted by PID, so that rows keep their place while processes come and go. */
export function handlesSection(inspected: Inspected, limits: TableLimits): Section {
  const { object, handles, processes } = inspected;
  const ends = endsOf(object, handles) ?? [];
  // A pipe without a reader or a writer is what a reader looks for: it is said, as far as it is known.
  const missing = ends.filter(end => end.handles.length === 0).map(end => unseenProcesses(inspected) ? l10n.t('{0}: no process that could be looked into has it.', end.label) : l10n.t('{0}: no process has it.', end.label));
  const remarks = [...missing, remark(inspected)].filter(it => it !== undefined);
  return { ...handleTable('handles', l10n.t('Handles'), handles, processes, limits, nobody(inspected)), remark: remarks.length === 0 || handles.length === 0 ? remark(inspected) : remarks.join(' ') };
}

/** Who has the object at the other end; no section where there is none. */
export function otherEndSection(inspected: Inspected, limits: TableLimits): readonly Section[] {
  const { peer, processes } = inspected;
  if (!peer) return [];
  const nobodySeen = unseenProcesses(inspected) ? l10n.t('No process that could be looked into has it; some could not (see “Not seen”).') : l10n.t('No process has it.');
  return [handleTable('otherEnd', l10n.t('At the other end'), peer.handles, processes, limits, nobodySeen)];
}

function handleTable(key: string, title: string, handles: readonly Handle[], processes: Inspected['processes'], limits: TableLimits, empty: string): Extract<Section, { type: 'table' }> {
  const sorted = [...handles].sort((a, b) => a.pid - b.pid || a.via.localeCompare(b.via) || (a.fd ?? -1) - (b.fd ?? -1) || (a.address ?? '').localeCompare(b.address ?? ''));
  const seen = new Map<string, number>();
  const rows = limited(key, sorted, limits).map((handle): Row => {
    const base = keyOf(handle);
    const nth = seen.get(base) ?? 0;
    seen.set(base, nth + 1);
    const via = viaInWords(handle.via, handle.operation);
    const access = accessInWords(handle.access);
    const place = where(handle);
    return {
      key: nth === 0 ? base : `${base}#${nth}`,
      cells: [processValue(handle.pid, processes), words(via), words(access), place === undefined ? undefined : { type: 'text', text: place }],
      copy: [`${processes.get(handle.pid)?.comm ?? ''} ${handle.pid}`.trim(), via, access, place].filter(part => part !== undefined).join('\t'),
    };
  });
  const columns: readonly Column[] = [
    { key: 'process', label: l10n.t('Process') }, { key: 'via', label: l10n.t('Has it by') },
    { key: 'access', label: l10n.t('Access') }, { key: 'where', label: l10n.t('Where') },
  ];
  return { type: 'table', key, title, columns, rows, total: handles.length, empty };
}

/** What no handles mean. */
function nobody(inspected: Inspected): string {
  const { object } = inspected;
  if (object.kind === 'sysv-shared-memory' && object.state.nattch === 0) return l10n.t('No process has it attached: shm_nattch is 0.');
  if (object.kind === 'sysv-semaphore-set' && gapOf('undo', inspected) !== undefined) return l10n.t('No user is known; who would change it at exit (SEM_UNDO) could not be read (see “Not seen”).');
  return unseenProcesses(inspected) ? l10n.t('No process that could be looked into has it; some could not (see “Not seen”).') : l10n.t('No process has it.');
}

/** Whether a process could not be looked into, which may have it. */
function unseenProcesses({ gaps }: Inspected): boolean {
  return gaps.some(({ scope }) => scope.facility === 'processes' || (scope.facility === undefined && scope.pid !== undefined));
}

/** What the table cannot show. */
function remark({ object, handles }: Inspected): string | undefined {
  switch (object.kind) {
    case 'sysv-message-queue': case 'sysv-semaphore-set':
      return l10n.t('The kernel keeps no list of the users of this kind of object: a process that has the id but used it last before another one leaves no trace.');
    case 'sysv-shared-memory': {
      // shm_nattch counts attachments everywhere, also in processes that are not readable or not visible from here.
      const missing = object.state.nattch - handles.filter(handle => handle.via === 'attachment').length;
      return missing > 0 ? l10n.t('{0} of its {1} attachments are in processes that could not be seen.', missing, object.state.nattch) : undefined;
    }
    default: return undefined;
  }
}

function words(text: string | undefined): Value | undefined {
  return text === undefined ? undefined : { type: 'words', text };
}
