// The nodes of a blocked thread: what it waits on, every way out of the wait, and where each of those leads. Pure.
import { facilityTable } from '../../native-probe/facilityTable';
import type { Alternative, Clause, ThreadRef, Wait } from '../../native-probe/model';
import { commandIds } from '../contributions';
import { objectSummary, objectTitle, objectTooltip, processTooltip } from '../words/objectWords';
import { threadKey } from '../panels/waitGraph/chosenWaits';
import { atWords, lineMark, placeMarkdown } from '../words/placeWords';
import { inMarkdown, visible } from '../words/presentation';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';
import { clauseTitle, operationWords, threadName, verdictIcon, waitTooltip } from '../words/waitWords';
import { gapNode } from './treeNode';
import type { Mark, TreeNode } from './treeNode';

/** A snapshot, and where in the view each blocked thread stands. */
export interface WaitPlaces {
  readonly index: SnapshotIndex;
  /** By `PID.TID`: the ids from a root down to the thread's node; found out when somebody expands a node that needs them. */
  readonly paths: () => ReadonlyMap<string, readonly string[]>;
  /** The wait graph that shows the same waits. */
  readonly scope: 'machine' | 'focus';
}

/** More ways out than this are told by their number. */
const mostWays = 100;

/** A blocked thread. Below it: what it waits on, and who can end that. */
export function waitNode(parent: string, wait: Wait, places: WaitPlaces, description = operationWords(wait)): TreeNode {
  const { index } = places;
  const id = waitId(parent, wait);
  return {
    id, label: threadName(index, wait), description: [description, ...atWords(index, wait)].join(' · '), ...verdictIcon(wait.verdict),
    tooltip: () => waitTooltip(wait, index),
    marks: [...marksOf(wait.objectId, index), 'thread', ...lineMark(index, wait), 'graph'], graph: { scope: places.scope, chain: threadKey(wait, index) },
    expansion: wait.clauses.length === 0 && !known(wait.objectId, index) ? 'none' : 'collapsed',
    children: () => wayNodes(id, wait, wait.objectId, places),
    ...(wait.objectId === undefined ? {} : { objectId: wait.objectId }),
    pid: wait.pid, tid: wait.tid,
    attach: { threads: [wait], objectIds: wait.objectId === undefined ? [] : [wait.objectId] },
  };
}

/** Id of a blocked thread's node below another. */
export function waitId(parent: string, { pid, tid }: { readonly pid: number; readonly tid: number }): string {
  return `${parent}/wait:${pid}.${tid}`;
}

/** What an object and a process behind a node allow. */
export function marksOf(objectId: string | undefined, index: SnapshotIndex): Mark[] {
  const object = objectId === undefined ? undefined : index.objects.get(objectId);
  return [...(object ? ['object' as const] : []), ...(object?.name === undefined ? [] : ['named' as const]), 'process'];
}

const known = (objectId: string | undefined, index: SnapshotIndex): boolean => objectId !== undefined && index.objects.has(objectId);

/** The object, then the ways out. Several clauses must all come about, so each then has a node of its own. */
export function wayNodes(id: string, { clauses, pid, tid }: Wait, objectId: string | undefined, places: WaitPlaces): TreeNode[] {
  const ways = clauses.slice(0, mostWays).flatMap((clause, i) => clauseNodes(`${id}/${i}`, clause, clauses.length > 1, `${pid}.${tid}`, places));
  const object = objectNodes(id, objectId, places.index);
  if (clauses.length <= 1) return [...object, ...ways];
  return [...object, { id: `${id}/all`, label: l10n.t('all of {0} must happen', clauses.length), icon: 'checklist', expansion: 'expanded', children: () => ways }];
}

/** The object a thread waits on, which opens the inspector. */
function objectNodes(parent: string, objectId: string | undefined, index: SnapshotIndex): TreeNode[] {
  const object = objectId === undefined ? undefined : index.objects.get(objectId);
  if (!object) return [];
  return [{
    id: `${parent}/object:${object.id}`, label: objectTitle(object), description: objectSummary(object, index), icon: facilityTable.get(object.kind)?.icon ?? 'symbol-misc',
    tooltip: () => objectTooltip(object, index),
    marks: ['object', ...(object.name === undefined ? [] : ['named' as const])], expansion: 'none', objectId: object.id,
    command: { id: commandIds.openInspector, title: l10n.t('Inspect'), argument: object.id },
  }];
}

function clauseNodes(id: string, clause: Clause, several: boolean, self: string, places: WaitPlaces): TreeNode[] {
  const ways = (): TreeNode[] => [
    ...clause.alternatives.slice(0, mostWays).map((alternative, i) => alternativeNode(`${id}/${i}`, alternative, self, places)),
    ...moreNode(id, clause.alternatives.length - mostWays),
    ...(clause.external === undefined ? [] : [{
      id: `${id}/external`, label: l10n.t('external'), description: l10n.t('because of {0}', visible(clause.external)), icon: 'globe', expansion: 'none' as const,
      tooltip: () => inMarkdown(l10n.t('Something outside of what can be seen can end this wait: {0}. It never makes a deadlock certain.', clause.external ?? ''), 1000),
    }]),
    ...(clause.gaps ?? []).flatMap(gapId => places.index.gap(gapId) ?? []).map(gap => gapNode(id, gap)),
    ...(clause.alternatives.length === 0 && clause.external === undefined && (clause.gaps ?? []).length === 0
      ? [{ id: `${id}/nobody`, label: l10n.t('Nobody alive can bring it about'), icon: 'circle-slash', color: 'list.errorForeground', expansion: 'none' as const }] : []),
  ];
  if (!several && clause.alternatives.length <= 1 && (clause.atLeast ?? 1) === 1) return ways();
  return [{ id, label: clauseTitle(clause), icon: 'list-tree', expansion: clause.alternatives.length <= 10 ? 'expanded' : 'collapsed', children: ways }];
}

function alternativeNode(id: string, { event, threads, objectId }: Alternative, self: string, places: WaitPlaces): TreeNode {
  const { index } = places;
  const [only] = threads;
  const what = objectId === undefined ? undefined : index.objects.get(objectId);
  const description = [visible(event), ...(what ? [objectTitle(what)] : [])].join(' · ');
  if (only && threads.length === 1) return { ...threadNode(id, only, self, places), description: [description, ...atWords(index, only)].join(' · ') };
  return {
    id, label: threads.length === 0 ? l10n.t('Nobody') : l10n.t('Any of {0} threads', threads.length), description, icon: 'arrow-right',
    expansion: threads.length === 0 ? 'none' : 'collapsed',
    children: () => [...threads.slice(0, mostWays).map(thread => threadNode(`${id}/${thread.pid}.${thread.tid ?? ''}`, thread, self, places)), ...moreNode(id, threads.length - mostWays)],
  };
}

function moreNode(id: string, more: number): TreeNode[] {
  return more <= 0 ? [] : [{ id: `${id}/more`, label: l10n.t('{0} more', more), icon: 'ellipsis', expansion: 'none' }];
}

/** A thread that somebody waits for. Where it waits itself, it leads to that; else to its process. `self`: whose wait this is part of. */
export function threadNode(id: string, thread: ThreadRef, self: string, { index, paths }: WaitPlaces): TreeNode {
  const key = `${thread.pid}.${thread.tid ?? thread.pid}`;
  const path = key === self ? undefined : paths().get(key);
  return {
    id, label: threadName(index, thread), description: atWords(index, thread).join(''), icon: path ? 'arrow-circle-right' : 'arrow-right',
    tooltip: () => [processTooltip(index.processes.get(thread.pid), thread.pid, ''), ...placeMarkdown(index, thread), ...(path ? [inMarkdown(l10n.t('It waits itself: select it to see for what.'))] : [])].join('\n\n'),
    marks: ['process', 'thread', ...(path ? ['chain' as const] : []), ...lineMark(index, thread)], expansion: 'none', pid: thread.pid, ...(thread.tid === undefined ? {} : { tid: thread.tid }),
    ...(path ? { goesTo: path } : {}),
    command: path ? { id: commandIds.showChain, title: l10n.t('Show Chain'), argument: JSON.stringify(path) } : { id: commandIds.revealInProcesses, title: l10n.t('Reveal in Processes'), argument: thread.pid },
  };
}
