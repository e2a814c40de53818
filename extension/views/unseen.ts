// What could not be seen, at the end of a tree: processes that could not be read, then everything else, alike things as one. Pure.
import type { CollectedKind, Gap } from '../../native-probe/model';
import type { commandIds } from '../contributions';
import { inMarkdown, processName, visible } from '../words/presentation';
import { grouped } from '../snapshotIndex';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';
import { gapNode } from './treeNode';
import type { TreeNode } from './treeNode';

/** A process of which descriptors, mappings or more could not be read. */
export function isUnreadProcess({ scope }: Gap): boolean {
  return scope.facility === 'processes' && scope.pid !== undefined;
}

/** A field that no snapshot reads (how full a pipe is, a memfd's seals): nothing was refused, and nobody is missing from a tree for it. */
export function isByDesign({ scope: { facility, pid, objectId, namespace, field }, errno }: Gap): boolean {
  return errno === undefined && pid === undefined && objectId === undefined && namespace === undefined && field !== undefined && facility !== undefined && facility !== 'processes' && facility !== 'waits';
}

/** What makes gaps alike: the same part of the same thing, refused for the same reason, with the same way out. */
export function causeOf({ scope, errno, remedy, reason }: Gap): string {
  const one = scope.pid === undefined && scope.objectId === undefined;
  return JSON.stringify([scope.facility, scope.field, errno, remedy, scope.pid !== undefined, scope.objectId?.split(':')[0], one ? scope.namespace : undefined, one ? reason : undefined]);
}

/** Kinds of which some objects are missing, because a whole namespace or facility could not be read. */
export function incompleteKinds(gaps: readonly Gap[]): ReadonlySet<CollectedKind> {
  const kinds = new Set<CollectedKind>();
  for (const { scope } of gaps) {
    const { facility, pid, objectId, field } = scope;
    if (facility !== undefined && facility !== 'processes' && facility !== 'waits' && pid === undefined && objectId === undefined && field === undefined) kinds.add(facility);
  }
  return kinds;
}

/** The nodes; none when everything could be seen. */
export function unseenNodes(parent: string, index: SnapshotIndex, gaps: readonly Gap[] = index.snapshot.gaps): TreeNode[] {
  const processes = grouped(gaps.filter(isUnreadProcess), gap => gap.scope.pid);
  const rest = gaps.filter(gap => !isUnreadProcess(gap) && !isByDesign(gap));
  return [...processesNode(parent, processes, index), ...restNode(parent, rest)];
}

const warning = { icon: 'warning', color: 'list.warningForeground', expansion: 'collapsed' } as const;

function processesNode(parent: string, processes: ReadonlyMap<number, readonly Gap[]>, index: SnapshotIndex): TreeNode[] {
  if (processes.size === 0) return [];
  const remedies = new Set([...processes.values()].flatMap(gaps => gaps.map(gap => gap.remedy ?? '')));
  const [remedy] = remedies;
  const id = `${parent}/unread`;
  return [{
    ...warning, id,
    label: processes.size === 1 ? l10n.t('1 process could not be read') : l10n.t('{0} processes could not be read', processes.size),
    ...(remedies.size === 1 && remedy ? { description: visible(remedy) } : {}),
    tooltip: () => l10n.t('What they have is missing from what is shown: they may use any of the objects, and others besides. “What Can’t I See?” tells the reasons.'),
    marks: ['unseen'],
    children: () => [...processes].sort(([a], [b]) => a - b).map(([pid, its]) => ({
      id: `${id}/pid:${pid}`,
      label: processName(index.processes.get(pid), pid),
      description: [l10n.t('PID {0}', pid), ...new Set(its.map(gap => visible(gap.reason)))].join(' · '),
      icon: 'eye-closed', color: 'list.warningForeground',
      tooltip: () => its.map(gap => inMarkdown([gap.reason, gap.remedy].filter(it => it !== undefined).join('; '), 2000)).join('\n\n'),
      marks: ['process'], expansion: 'none', pid,
    })),
  }];
}

function restNode(parent: string, gaps: readonly Gap[]): TreeNode[] {
  if (gaps.length === 0) return [];
  const id = `${parent}/gaps`;
  return [{
    ...warning, id,
    label: gaps.length === 1 ? l10n.t('1 thing could not be seen') : l10n.t('{0} things could not be seen', gaps.length),
    tooltip: () => l10n.t('What is shown may be incomplete. Expand for the reasons and for what would help.'),
    marks: ['unseen'],
    children: () => [...grouped(gaps, causeOf)].flatMap(([cause, alike]) => alikeNode(id, cause, alike)),
  }];
}

function alikeNode(parent: string, cause: string, gaps: readonly Gap[]): TreeNode[] {
  const [first] = gaps;
  if (!first) return [];
  if (gaps.length === 1) return [gapNode(parent, first)];
  const id = `${parent}/cause:${cause}`;
  return [{ ...gapNode(parent, first), id, label: l10n.t('{0} (and {1} more like this)', visible(first.reason), gaps.length - 1), expansion: 'collapsed', children: () => gaps.map(gap => gapNode(id, gap)) }];
}

/** A node that says how many of something are not shown by choice, and shows them when it is clicked. */
export function hiddenNode(id: string, label: string, description: string, command: typeof commandIds.showAllKinds | typeof commandIds.showAllProcesses): TreeNode {
  return { id, label, description, icon: 'eye', expansion: 'none', tooltip: () => inMarkdown(`${label}: ${description}`, 2000), command: { id: command, title: l10n.t('Show') } };
}
