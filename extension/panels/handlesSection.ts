// Who has the object, and how. Pure.
import type { Handle, Via } from '../../native-probe/model';
import type { Column, Row, Section, Value } from '../../webview/protocol';
import { l10n } from '../translation';
import type { Inspected } from './inspected';
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
    case 'undo': return l10n.t('undo value');
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

function where({ fd, address, tid, end, lock }: Handle): string | undefined {
  const parts = [
    fd === undefined ? undefined : l10n.t('fd {0}', fd),
    address === undefined ? undefined : l10n.t('at {0}', address),
    tid === undefined ? undefined : l10n.t('thread {0}', tid),
    end,
    lock && (lock.start === '0' && lock.end === 'EOF' ? l10n.t('{0} lock', lock.type) : l10n.t('{0} lock on bytes {1} to {2}', lock.type, lock.start, lock.end)),
  ].filter(part => part !== undefined);
  return parts.length > 0 ? parts.join(', ') : undefined;
}

/** A key that a handle keeps over snapshots; `nth` tells apart those that nothing else does. */
function keyOf({ pid, tid, via, fd, address, end, lock, operation }: Handle): string {
  return JSON.stringify([pid, tid, via, fd, address, end, lock?.start, operation]);
}

/** The table of handles. Sorted by PID, so that rows keep their place while processes come and go. */
export function handlesSection(inspected: Inspected, limits: TableLimits): Section {
  const key = 'handles';
  const { handles, processes } = inspected;
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
  return { type: 'table', key, title: l10n.t('Handles'), columns, rows, total: handles.length, empty: nobody(inspected), remark: remark(inspected) };
}

/** What no handles mean. */
function nobody({ object, gaps }: Inspected): string {
  if (object.kind === 'sysv-shared-memory' && object.state.nattch === 0) return l10n.t('No process has it attached: shm_nattch is 0.');
  const unseen = gaps.some(({ scope }) => scope.facility === 'processes' || (scope.facility === undefined && scope.pid !== undefined));
  return unseen ? l10n.t('No process that could be looked into has it; some could not (see “Not seen”).') : l10n.t('No process has it.');
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
