// The view IPC Objects: category → kind → object → the processes that have it. Pure: a snapshot in, nodes out.
import type { IpcObject } from '../../native-probe/model';
import { facilityTable } from '../../native-probe/facilityTable';
import type { Category, FacilityRow } from '../../native-probe/facilityTable';
import { objectLabel, objectSummary, objectTooltip } from '../objectWords';
import { userName } from '../presentation';
import { grouped } from '../snapshotIndex';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';
import { gapNode, gapNodes, processNode } from './treeNode';
import type { Mark, TreeNode } from './treeNode';

/** With a filter and at most this many matches the tree opens down to them. */
const fewMatches = 100;

const categories: readonly { readonly category: Category; readonly label: () => string; readonly icon: string }[] = [
  { category: 'message', label: () => l10n.t('Message Queues'), icon: 'mail' },
  { category: 'shared memory', label: () => l10n.t('Shared Memory'), icon: 'circuit-board' },
  { category: 'synchronization', label: () => l10n.t('Synchronization'), icon: 'sync' },
];

/** The view's roots. Kinds without an object are left out; what could not be seen comes last. */
export function ipcObjectNodes(index: SnapshotIndex, filter = ''): TreeNode[] {
  const matching = filter.trim() === '' ? undefined : matcher(filter, index);
  const shown = new Map([...index.objectsByKind].map(([kind, all]) => [kind, matching ? all.filter(matching) : all]));
  const matches = matching ? sum([...shown.values()].map(it => it.length)) : 0;
  const open = matching !== undefined && matches <= fewMatches;
  // A filter is another tree: what is expanded in it is not what was expanded before.
  const prefix = open ? 'filtered/' : '';
  const nodes: TreeNode[] = [];
  for (const { category, label, icon } of categories) {
    const kinds = [...facilityTable.values()].filter(row => row.category === category && (shown.get(row.kind)?.length ?? 0) > 0);
    if (kinds.length === 0) continue;
    nodes.push({
      id: `${prefix}category:${category}`,
      label: label(),
      description: String(sum(kinds.map(row => shown.get(row.kind)?.length ?? 0))),
      icon,
      expansion: 'expanded',
      children: () => kinds.map(row => kindNode(row, shown.get(row.kind) ?? [], index.objectsByKind.get(row.kind)?.length ?? 0, open, prefix, index)),
    });
  }
  return [...nodes, ...gapNodes('objects', index.snapshot.gaps)];
}

function kindNode(row: FacilityRow, objects: readonly IpcObject[], all: number, open: boolean, prefix: string, index: SnapshotIndex): TreeNode {
  return {
    id: `${prefix}kind:${row.kind}`,
    label: l10n.t(row.plural),
    description: objects.length === all ? String(all) : l10n.t('{0} of {1}', objects.length, all),
    icon: row.icon,
    expansion: open || objects.length <= 20 ? 'expanded' : 'collapsed',
    tooltip: () => l10n.t('{0}: see {1}. Persistence: {2}. Accessible to: {3}.', l10n.t(row.plural), row.manual, l10n.t(row.persistence), l10n.t(row.accessibility)),
    children: () => inOrder(objects).map(object => objectNode('', object, index)),
  };
}

/** One object and, below it, the processes that have it. */
export function objectNode(parent: string, object: IpcObject, index: SnapshotIndex, description?: string, children?: () => TreeNode[]): TreeNode {
  const id = parent === '' ? object.id : `${parent}/${object.id}`;
  const handles = index.handlesOf(object.id);
  const gaps = index.gapsOf(object.id);
  const row = facilityTable.get(object.kind);
  const marks: Mark[] = ['object'];
  if (row?.removable) marks.push('removable');
  if (object.name !== undefined) marks.push('named');
  return {
    id,
    label: objectLabel(object),
    description: description ?? objectSummary(object, index),
    ...iconOf(object, index, row?.icon ?? 'question'),
    tooltip: () => objectTooltip(object, index),
    marks,
    expansion: handles.length + gaps.length === 0 ? 'none' : 'collapsed',
    children: children ?? (() => [
      ...[...grouped(handles, it => it.pid)].sort(([a], [b]) => a - b).map(([pid, its]) => processNode(id, pid, its, index)),
      ...gaps.map(gap => gapNode(id, gap)),
    ]),
    objectId: object.id,
  };
}

/** The facility's icon; its colour tells the state: deadlocked, marked for destruction, waited for, in use. */
function iconOf(object: IpcObject, index: SnapshotIndex, icon: string): { icon: string; color?: string } {
  const waits = index.waitsOn(object.id);
  if (waits.some(it => it.verdict === 'deadlocked' || it.verdict === 'orphaned')) return { icon, color: 'list.errorForeground' };
  if (object.kind === 'sysv-shared-memory' && object.state.dest) return { icon: 'trash', color: 'list.warningForeground' };
  if (waits.length > 0 || (object.kind === 'posix-semaphore' && (object.state.waiters ?? 0) > 0)) return { icon, color: 'charts.yellow' };
  if (index.handlesOf(object.id).some(it => it.via !== 'last-operation')) return { icon, color: 'charts.green' };
  return { icon };
}

/** By number where the label is one, else by name. */
export function inOrder(objects: readonly IpcObject[]): IpcObject[] {
  const collator = new Intl.Collator(undefined, { numeric: true });
  return objects.map(object => ({ object, label: objectLabel(object) })).sort((a, b) => collator.compare(a.label, b.label) || (a.object.id < b.object.id ? -1 : 1)).map(it => it.object);
}

/** Matches every word of the filter in the object's kind, names, key, id, owner, or in the names and PIDs of those who have it. */
export function matcher(filter: string, index: SnapshotIndex): (object: IpcObject) => boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(it => it !== '');
  return object => {
    const text = [
      object.id, object.name ?? '', object.key ?? '', objectLabel(object), l10n.t(facilityTable.get(object.kind)?.label ?? ''),
      object.owner ? userName(object.owner.uid) : '',
      ...index.handlesOf(object.id).map(({ pid }) => `${pid} ${index.processes.get(pid)?.comm ?? ''}`),
    ].join('\n').toLowerCase();
    return words.every(word => text.includes(word));
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, it) => total + it, 0);
}
