// The views Waits and Waits and Deadlocks: findings first, then who blocks most and everybody behind, then the other blocked
// threads by what they wait on; idle ones are folded away. Pure: a snapshot in, nodes out.
import { facilityTable } from '../../native-probe/facilityTable';
import { gapsAmongWaits, orderWaits } from '../../native-probe/analysis/waitOrder';
import type { Blocker, WaitGroup, WaitOrder } from '../../native-probe/analysis/waitOrder';
import type { Wait } from '../../native-probe/model';
import { objectSummary, objectTitle, objectTitleOf, objectTooltip, processTooltip } from '../words/objectWords';
import { threadKey } from '../panels/waitGraph/chosenWaits';
import { atWords, lineMark } from '../words/placeWords';
import { count, inMarkdown, visible } from '../words/presentation';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';
import { isConfirmed, operationWords, threadName, whoWords } from '../words/waitWords';
import type { Mark, TreeNode } from './treeNode';
import { isUnreadProcess, unseenNodes } from './unseen';
import { findingNodes, findingPaths } from './waitFindings';
import { waitId, waitNode } from './waitNodes';
import type { WaitPlaces } from './waitNodes';

export interface WaitChoice {
  /** Idle threads stand beside the others, and not folded into one node. */
  readonly idle?: boolean;
  /** The snapshot is of all processes: everyday waits for input are idle, too. */
  readonly everybody?: boolean;
}

/** The view's roots. */
export function waitNodes(index: SnapshotIndex, { idle = false, everybody = false }: WaitChoice = {}): TreeNode[] {
  const order = orderWaits(index.snapshot, everybody);
  let paths: ReadonlyMap<string, readonly string[]> | undefined;
  const places: WaitPlaces = { index, scope: everybody ? 'machine' : 'focus', paths: () => paths ??= pathsOf(index, order, idle) };
  return [
    ...findingNodes(places),
    ...order.blockers.map(blocker => blockerNode(blocker, places)),
    ...order.others.map(group => groupNode('', group, places)),
    ...idleNodes(order.idle, idle, places),
    ...stoppedNode(order.stopped, places),
    ...unseenNodes('waits', index, [...index.snapshot.gaps.filter(isUnreadProcess), ...gapsAmongWaits(index.snapshot)]),
  ];
}

/** How many findings are certain and past mending: what the badge counts. */
export function confirmedFindings(index: SnapshotIndex | undefined): number {
  return index?.snapshot.findings.filter(isConfirmed).length ?? 0;
}

function pathsOf(index: SnapshotIndex, { blockers, others, idle, stopped }: WaitOrder, showIdle: boolean): ReadonlyMap<string, readonly string[]> {
  const paths = new Map<string, readonly string[]>(findingPaths(index));
  const add = (above: readonly string[], parent: string, groups: readonly WaitGroup[]): void => {
    for (const group of groups) for (const wait of group.waits) paths.set(`${wait.pid}.${wait.tid}`, [...above, groupId(parent, group), waitId(groupId(parent, group), wait)]);
  };
  for (const blocker of blockers) add([blockerId(blocker)], blockerId(blocker), blocker.groups);
  // Who blocks others stands at the top, not where it idles.
  for (const blocker of blockers) if (blocker.own) paths.set(`${blocker.own.pid}.${blocker.own.tid}`, [blockerId(blocker)]);
  add([], '', others);
  add(showIdle ? [] : ['idle'], 'idle', idle);
  for (const wait of stopped) paths.set(`${wait.pid}.${wait.tid}`, ['stopped', waitId('stopped', wait)]);
  return paths;
}

const blockerId = ({ thread }: Blocker): string => `blocker:${thread.pid}.${thread.tid ?? ''}`;
const groupId = (parent: string, { key }: WaitGroup): string => `${parent}/group:${key}`;

function blockerNode(blocker: Blocker, places: WaitPlaces): TreeNode {
  const { thread, blocks, own, groups } = blocker;
  const { index } = places;
  const id = blockerId(blocker);
  const itself = own === undefined ? l10n.t('waits for nobody') : l10n.t('itself in {0}', operationWords(own));
  const many = groups.reduce((total, group) => total + group.waits.length, 0);
  return {
    id, label: threadName(index, thread),
    description: [count(blocks, l10n.t('blocks 1 thread'), n => l10n.t('blocks {0} threads', n)), itself, ...atWords(index, thread)].join(' · '),
    icon: 'key', color: 'list.warningForeground',
    tooltip: () => processTooltip(index.processes.get(thread.pid), thread.pid, `${count(blocks, l10n.t('1 thread waits for it, directly or not.'), n => l10n.t('{0} threads wait for it, directly or not.', n))} ${l10n.t('What it does next decides when they go on.')}`),
    marks: ['process', 'thread', ...lineMark(index, thread), 'graph'], graph: { scope: places.scope, chain: threadKey(thread, index) }, expansion: many <= 20 ? 'expanded' : 'collapsed', pid: thread.pid, ...(thread.tid === undefined ? {} : { tid: thread.tid }),
    children: () => groups.map(group => groupNode(id, group, places)),
  };
}

/** An object, and the threads that wait on it. */
function groupNode(parent: string, group: WaitGroup, places: WaitPlaces): TreeNode {
  const { index } = places;
  const { objectId, waits, operation } = group;
  const id = groupId(parent, group);
  const object = objectId === undefined ? undefined : index.objects.get(objectId);
  const marks: Mark[] = object ? ['object', ...(object.name === undefined ? [] : ['named' as const])] : [];
  const threads = count(waits.length, l10n.t('1 thread waits'), n => l10n.t('{0} threads wait', n));
  const [first] = waits;
  const who = first === undefined || parent === 'idle' ? '' : first.clauses.map(clause => whoWords(clause, index)).filter(it => it !== '').join(', ');
  return {
    id, label: object ? objectTitle(object) : objectId === undefined ? visible(operation) : objectTitleOf(index, objectId),
    description: [threads, ...(who === '' || waits.length > 1 && object === undefined ? [] : [l10n.t('for {0}', who)]), ...(object ? [objectSummary(object, index)] : [])].filter(it => it !== '').join(' · '),
    icon: object ? facilityTable.get(object.kind)?.icon ?? 'symbol-misc' : 'watch',
    tooltip: () => object ? objectTooltip(object, index) : inMarkdown(threads),
    marks, expansion: parent !== 'idle' && waits.length <= 20 ? 'expanded' : 'collapsed',
    children: () => waits.map(wait => waitNode(id, wait, places, threadWords(wait, object !== undefined, index))),
    ...(objectId === undefined ? {} : { objectId }),
  };
}

/** What a thread is in, and what its group does not say: the object, or for whom it waits. */
function threadWords(wait: Wait, grouped: boolean, index: SnapshotIndex): string {
  if (grouped) return operationWords(wait);
  const who = wait.objectId === undefined ? wait.clauses.map(clause => whoWords(clause, index)).filter(it => it !== '').join(', ') : '';
  return [operationWords(wait), ...(wait.objectId === undefined ? [] : [objectTitleOf(index, wait.objectId)]), ...(who === '' ? [] : [l10n.t('for {0}', who)])].join(' · ');
}

function idleNodes(groups: readonly WaitGroup[], shown: boolean, places: WaitPlaces): TreeNode[] {
  if (shown || groups.length === 0) return groups.map(group => groupNode('idle', group, places));
  const waits = groups.reduce((total, group) => total + group.waits.length, 0);
  return [{
    id: 'idle', label: count(waits, l10n.t('1 idle thread'), n => l10n.t('{0} idle threads', n)),
    description: groups.slice(0, 6).map(({ operation, waits: its }) => `${visible(operation)} ${its.length}`).join(', ') + (groups.length > 6 ? ', …' : ''),
    icon: 'ellipsis', marks: ['idle'],
    tooltip: () => inMarkdown(l10n.t('Event loops, sleepers, servers without a client, pools without work, readers of somebody who is not stuck: they wait for what may come, as they do most of their life. None has part in a deadlock, and nobody that matters waits for them.')),
    expansion: 'collapsed', children: () => groups.map(group => groupNode('idle', group, places)),
  }];
}

/** Threads that a debugger or a signal stopped while they ran. */
function stoppedNode(waits: readonly Wait[], places: WaitPlaces): TreeNode[] {
  if (waits.length === 0) return [];
  return [{
    id: 'stopped', label: count(waits.length, l10n.t('1 thread is stopped'), n => l10n.t('{0} threads are stopped', n)),
    description: l10n.t('by a debugger or a signal, not by a wait'), icon: 'debug-pause', color: 'debugIcon.pauseForeground',
    tooltip: () => inMarkdown(l10n.t('They wait for nobody. Whoever waits for them goes on after they are continued.')),
    expansion: 'collapsed', children: () => waits.map(wait => waitNode('stopped', wait, places)),
  }];
}
