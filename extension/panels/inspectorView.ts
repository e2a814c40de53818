// What an inspector shows of one object: a pure function from what is known to sections in words.
import type { Persistence } from '../../native-probe/model';
import { facility } from '../../native-probe/facilityTable';
import type { InspectorState, InspectorStrings, InspectorView, Section } from '../../webview/protocol';
import { objectLabel } from '../words/objectWords';
import { l10n } from '../translation';
import type { Peeked } from './contentsSection';
import { asSeen, contentsSections } from './contentsSection';
import { handlesSection, otherEndSection } from './handlesSection';
import type { Inspected } from './inspected';
import { gapsSections, waitsSections } from './notesSections';
import { permissionFields } from './permissions';
import type { TableLimits } from './stateSections';
import { created, stateSections } from './stateSections';
import { FieldList, recordedPid, unknown } from './values';

/** How long an object lives, as a sentence. */
export function persistenceInWords(persistence: Persistence): string {
  switch (persistence) {
    case 'process': return l10n.t('It lives as long as a process has it.');
    case 'kernel': return l10n.t('It lives until it is removed or the system restarts (kernel persistence).');
    case 'file-system': return l10n.t('It lives until its file is removed (file-system persistence).');
    case 'memory': return l10n.t('It lives as long as the memory it lies in.');
    default: return persistence satisfies never;
  }
}

/** The view of an object. `goneSince`: when it was seen to be gone; what is shown then is the last known. `peeked`: what was seen of its contents. */
export function inspectorView(known: Inspected, limits: TableLimits, goneSince?: string, peeked?: Peeked): InspectorView {
  const object = asSeen(known.object, peeked);
  const inspected = { ...known, object };
  const row = facility(object.kind);
  return {
    id: object.id, icon: row.icon, label: l10n.t(row.label), name: objectLabel(object),
    summary: l10n.t('{0} Access: {1}. Manual page: {2}.', persistenceInWords(object.persistence), l10n.t(row.accessibility), row.manual),
    brief: inspected.waits.length === 0 ? inspected.brief : [inspected.brief, inspected.waits.length === 1 ? l10n.t('1 thread waits on it') : l10n.t('{0} threads wait on it', inspected.waits.length)].filter(it => it !== '').join(' · '),
    goneSince, removable: row.removable, memory: row.category === 'shared memory',
    sections: [
      ...waitsSections(inspected),
      ...stateSections(inspected, limits),
      handlesSection(inspected, limits),
      ...otherEndSection(inspected, limits),
      ...contentsSections(object, peeked, goneSince !== undefined, limits),
      identity(inspected),
      ...ownership(inspected),
      ...gapsSections(inspected),
    ],
  };
}

function identity(inspected: Inspected): Section {
  const { object } = inspected;
  const row = facility(object.kind);
  const list = new FieldList(inspected)
    .add('id', l10n.t('Id'), undefined, object.id, text => ({ type: 'text', text, copy: true }))
    .add('name', l10n.t('Name'), undefined, object.name, text => ({ type: 'text', text, copy: true }))
    // ftok(3) never gives 0; a segment made with IPC_PRIVATE has that key.
    .add('key', l10n.t('Key'), undefined, object.key, key => Number(key) === 0 ? { type: 'words', text: l10n.t('IPC_PRIVATE: found only by its id') } : { type: 'text', text: key, copy: true })
    .add('namespace', l10n.t('Namespace'), object.kind.startsWith('sysv') || object.kind === 'posix-message-queue' ? 'ipc' : undefined, object.namespace, text => ({ type: 'text', text }))
    .add('identifiedBy', l10n.t('Identified by'), undefined, row.identifiedBy, text => ({ type: 'words', text: l10n.t(text) }))
    .add('creatorPid', l10n.t('Created by'), undefined, object.creatorPid, pid => recordedPid(pid, inspected, created(object)))
    .time('createdAt', l10n.t('Created'), undefined, object.createdAt)
    .time('changedAt', l10n.t('Last changed'), undefined, object.changedAt);
  return { type: 'fields', key: 'identity', title: l10n.t('Identity'), fields: list.fields };
}

function ownership(inspected: Inspected): readonly Section[] {
  const { object } = inspected;
  if (object.owner === undefined) return [];
  const fields = object.owner === null
    ? [{ key: 'owner', gloss: l10n.t('Owner'), value: unknown('owner', inspected) }]
    : permissionFields(object.owner, object.kind);
  return [{ type: 'fields', key: 'owner', title: l10n.t('Owner and permissions'), fields }];
}

/** What is remembered of an object over a reload of the window. */
export function stateOf(view: InspectorView): InspectorState {
  return { version: 1, id: view.id, name: view.name.slice(0, 200), icon: view.icon, label: view.label };
}

/** The state that a webview kept, if it is one; webview storage is outside our control. */
export function asState(value: unknown): InspectorState | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { version, id, name, icon, label } = value as Record<string, unknown>;
  if (version !== 1 || typeof id !== 'string' || typeof name !== 'string' || typeof icon !== 'string' || typeof label !== 'string') return undefined;
  return { version, id, name, icon: /^[a-z-]+$/.test(icon) ? icon : 'question', label };
}

/** The sentences that the webview needs for itself. */
export function inspectorStrings(): InspectorStrings {
  return {
    copy: l10n.t('Copy {0}', '{0}'), copyId: l10n.t('Copy ID'), copyJson: l10n.t('Copy as JSON'), remove: l10n.t('Remove…'), openMemory: l10n.t('Open Memory View'),
    unknown: l10n.t('unknown'), notRunning: l10n.t('no longer running'), follow: l10n.t('Follow {0} ({1})', '{0}', '{1}'), inspect: l10n.t('Inspect {0}', '{0}'),
    showAll: l10n.t('Show all {0}', '{0}'), showFewer: l10n.t('Show fewer'), shownOf: l10n.t('The first {0} of {1}.', '{0}', '{1}'), of: l10n.t('{0} of {1}', '{0}', '{1}'),
    gone: l10n.t('This object is gone.'), goneDetail: l10n.t('It was missing for the first time at {0}. Below is what was last known of it.', '{0}'),
    goneUnknown: l10n.t('It was removed, or went with its last user, while this window was closed.'), pending: l10n.t('Waiting for the first snapshot…'),
    problem: l10n.t('The last refresh failed, this may be out of date: {0}', '{0}'),
    changed: l10n.t('Changed: {0}.', '{0}'), copied: l10n.t('Copied.'), actions: l10n.t('Actions'),
  };
}
