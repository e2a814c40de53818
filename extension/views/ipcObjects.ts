// The view IPC Objects: category → kind → object → the processes that have it. Pure: a snapshot in, nodes out.
import type { CollectedKind, IpcObject } from '../../native-probe/model';
import { facilityTable } from '../../native-probe/facilityTable';
import type { Category, FacilityRow } from '../../native-probe/facilityTable';
import { objectLabel, objectSummary, objectTooltip } from '../words/objectWords';
import { userName } from '../words/presentation';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';
import { commandIds } from '../contributions';
import { byNamespace } from '../words/namespaceWords';
import { endNodes, hasEnds } from './endNodes';
import { gapNode } from './treeNode';
import type { Mark, TreeNode } from './treeNode';
import { hiddenNode, incompleteKinds, unseenNodes } from './unseen';

/** With a filter and at most this many matches the tree opens down to them. */
const fewMatches = 100;

/** In the order in which a user looks for them: what outlives its processes first. */
const categories: readonly { readonly category: Category; readonly label: () => string; readonly icon: string }[] = [
  { category: 'message', label: () => l10n.t('Message Queues'), icon: 'mail' },
  { category: 'shared memory', label: () => l10n.t('Shared Memory'), icon: 'circuit-board' },
  { category: 'synchronization', label: () => l10n.t('Synchronization'), icon: 'sync' },
  { category: 'byte stream', label: () => l10n.t('Byte Streams'), icon: 'arrow-swap' },
  { category: 'pseudoterminal', label: () => l10n.t('Pseudoterminals'), icon: 'terminal' },
  { category: 'event', label: () => l10n.t('Events'), icon: 'zap' },
  { category: 'signal', label: () => l10n.t('Signals'), icon: 'broadcast' },
];

/** The kinds in the order of the tree: by category, then as the table has them. */
export const kindsInOrder: readonly FacilityRow[] = categories.flatMap(({ category }) => [...facilityTable.values()].filter(row => row.category === category));

/** What the tree of objects shows. */
export interface ObjectChoice {
  /** Words that what is shown must match. */
  readonly filter?: string;
  /** Kinds that are counted, but not listed. */
  readonly hidden?: ReadonlySet<CollectedKind>;
}

/** The view's roots. Kinds without an object are left out; what is not shown, and what could not be seen, comes last. */
export function ipcObjectNodes(index: SnapshotIndex, { filter = '', hidden = new Set() }: ObjectChoice = {}): TreeNode[] {
  const matching = filter.trim() === '' ? undefined : matcher(filter, index);
  const found = new Map([...index.objectsByKind].map(([kind, all]) => [kind, matching ? all.filter(matching) : all]));
  const of = (kind: CollectedKind): readonly IpcObject[] => hidden.has(kind) ? [] : found.get(kind) ?? [];
  const matches = matching ? sum([...found.keys()].map(kind => of(kind).length)) : 0;
  const open = matching !== undefined && matches <= fewMatches;
  // A filter is another tree: what is expanded in it is not what was expanded before.
  const place: Place = { prefix: open ? 'filtered/' : '', open, index, incomplete: incompleteKinds(index.snapshot.gaps) };
  const nodes: TreeNode[] = [];
  for (const { category, label, icon } of categories) {
    const kinds = kindsInOrder.filter(row => row.category === category && of(row.kind).length > 0);
    if (kinds.length === 0) continue;
    nodes.push({
      id: `${place.prefix}category:${category}`,
      label: label(),
      description: String(sum(kinds.map(row => of(row.kind).length))),
      icon,
      // What comes and goes with its processes is plentiful: it must not push the rest out of sight. The category decides, not what
      // is in it now: VS Code keeps a node as folded as it was first seen.
      expansion: open || [...facilityTable.values()].some(row => row.category === category && row.removable) ? 'expanded' : 'collapsed',
      children: () => kinds.map(row => kindNode(row, of(row.kind), index.objectsByKind.get(row.kind)?.length ?? 0, place)),
    });
  }
  return [...nodes, ...hiddenKinds(found, hidden), ...unseenNodes('objects', index, index.snapshot.gaps.filter(gap => gap.scope.facility !== 'waits'))];
}

interface Place { readonly prefix: string; readonly open: boolean; readonly index: SnapshotIndex; readonly incomplete: ReadonlySet<CollectedKind> }

function kindNode(row: FacilityRow, objects: readonly IpcObject[], all: number, { prefix, open, index, incomplete }: Place): TreeNode {
  const id = `${prefix}kind:${row.kind}`;
  const missing = incomplete.has(row.kind);
  return {
    id,
    label: l10n.t(row.plural),
    description: [objects.length === all ? String(all) : l10n.t('{0} of {1}', objects.length, all), ...(missing ? [l10n.t('incomplete')] : [])].join(' · '),
    icon: row.icon,
    expansion: open || (row.removable && objects.length <= 20) ? 'expanded' : 'collapsed',
    tooltip: () => [
      l10n.t('{0}: see {1}. Persistence: {2}. Accessible to: {3}.', l10n.t(row.plural), row.manual, l10n.t(row.persistence), l10n.t(row.accessibility)),
      ...(missing ? [l10n.t('Some could not be listed: “What Can’t I See?” tells why.')] : []),
    ].join('\n\n'),
    children: () => {
      const namespaces = byNamespace(row.kind, objects, index);
      return namespaces === undefined ? inOrder(objects).map(object => objectNode('', object, index)) : namespaces.map(it => namespaceNode(id, it, open, index));
    },
  };
}

function namespaceNode(parent: string, { namespace, words, objects }: NonNullable<ReturnType<typeof byNamespace>>[number], open: boolean, index: SnapshotIndex): TreeNode {
  return {
    id: `${parent}/namespace:${namespace}`,
    label: words.label,
    description: [String(objects.length), words.description].filter(it => it !== '').join(' · '),
    icon: words.own ? 'home' : 'package',
    expansion: open || objects.length <= 20 ? 'expanded' : 'collapsed',
    children: () => inOrder(objects).map(object => objectNode('', object, index)),
  };
}

/** How many objects are not listed by choice; nothing when that hides none. */
function hiddenKinds(found: ReadonlyMap<CollectedKind, readonly IpcObject[]>, hidden: ReadonlySet<CollectedKind>): TreeNode[] {
  const kinds = kindsInOrder.filter(({ kind }) => hidden.has(kind) && (found.get(kind)?.length ?? 0) > 0);
  const objects = sum(kinds.map(({ kind }) => found.get(kind)?.length ?? 0));
  if (objects === 0) return [];
  const label = objects === 1 ? l10n.t('1 object is not listed') : l10n.t('{0} objects are not listed', objects);
  return [hiddenNode('objects/hidden', label, kinds.map(row => `${l10n.t(row.plural)} ${found.get(row.kind)?.length ?? 0}`).join(', '), commandIds.showAllKinds)];
}

/** One object and, below it, the processes that have it. */
export function objectNode(parent: string, object: IpcObject, index: SnapshotIndex, description?: string, children?: () => TreeNode[]): TreeNode {
  const id = parent === '' ? object.id : `${parent}/${object.id}`;
  const gaps = index.gapsOf(object.id);
  const row = facilityTable.get(object.kind);
  const marks: Mark[] = ['object'];
  if (row?.removable) marks.push('removable');
  if (object.name !== undefined) marks.push('named');
  if (row?.category === 'shared memory') marks.push('memory');
  return {
    id,
    label: objectLabel(object),
    description: description ?? objectSummary(object, index),
    ...iconOf(object, index, row?.icon ?? 'question'),
    tooltip: () => objectTooltip(object, index),
    marks,
    expansion: gaps.length === 0 && !hasEnds(object, index) ? 'none' : 'collapsed',
    children: children ?? (() => [...endNodes(id, object, index), ...gaps.map(gap => gapNode(id, gap))]),
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
