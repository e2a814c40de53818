// The view IPC of the Debuggee: what the followed processes have, what they do with it, and who else has it. Pure.
import type { CollectedKind, Handle, IpcObject, Process } from '../../native-probe/model';
import { facility } from '../../native-probe/facilityTable';
import { peerOf } from '../words/bothEnds';
import { handleWords, objectSummary, objectTitle, processTooltip } from '../words/objectWords';
import { atWords } from '../words/placeWords';
import { count, processName, processState } from '../words/presentation';
import { grouped } from '../snapshotIndex';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';
import { peerNodes } from './endNodes';
import { inOrder, kindsInOrder, objectNode } from './ipcObjects';
import { gapNode, processNode } from './treeNode';
import type { TreeNode } from './treeNode';
import { unseenNodes } from './unseen';

/**
 * The view's roots: one node a followed process, then those of their descendants that have an object, then what could not be seen.
 * @param pids the followed processes
 * @param all these and their descendants
 * @param omitted how many further descendants there are that are not looked at
 * @param minor kinds that stand in a group of their own, below the others
 */
export function debuggeeNodes(index: SnapshotIndex, pids: readonly number[], all: readonly number[] = pids, minor: ReadonlySet<CollectedKind> = new Set(), omitted = 0): TreeNode[] {
  // Every process has signals and what its run-time makes: only those that have something else are worth a node.
  const counts = (pid: number, object: IpcObject | undefined): boolean => object !== undefined && !minor.has(object.kind) && !isOwnAffair(object, pid, index);
  const descendants = all.filter(pid => !pids.includes(pid) && index.handlesBy(pid).some(({ objectId }) => counts(pid, index.objects.get(objectId))));
  return [
    ...pids.map(pid => debuggeeNode(pid, all, minor, index)),
    ...descendants.map(pid => debuggeeNode(pid, all, minor, index)).filter(node => node.expansion !== 'none').map(node => ({ ...node, icon: 'type-hierarchy-sub' })),
    ...(omitted === 0 ? [] : [{
      id: 'debuggee/omitted', label: count(omitted, l10n.t('1 further descendant is not looked at'), n => l10n.t('{0} further descendants are not looked at', n)), icon: 'ellipsis', expansion: 'none' as const,
      tooltip: () => l10n.t('Only the descendants nearest to the program are followed. Follow one of the others to see what it has.'),
    }]),
    ...unseenNodes('debuggee', index, index.snapshot.gaps.filter(gap => gap.scope.objectId === undefined)),
  ];
}

function debuggeeNode(pid: number, followed: readonly number[], minor: ReadonlySet<CollectedKind>, index: SnapshotIndex): TreeNode {
  const process = index.processes.get(pid);
  const id = `debuggee:${pid}`;
  if (!process) {
    return { id, label: l10n.t('PID {0}', pid), description: l10n.t('has ended, or cannot be seen'), icon: 'circle-slash', expansion: 'none', pid };
  }
  const own = grouped(index.handlesBy(pid), it => it.objectId);
  const objects = inOrder([...own.keys()].flatMap(objectId => index.objects.get(objectId) ?? []).filter(object => !isInternal(object, pid, index)));
  return {
    id,
    label: processName(process, pid),
    description: [l10n.t('PID {0}', pid), processState(process.state), objects.length === 1 ? l10n.t('1 object') : l10n.t('{0} objects', objects.length)].join(' · '),
    icon: 'debug-alt',
    color: stopped(process) ? 'debugIcon.pauseForeground' : 'debugIcon.startForeground',
    tooltip: () => processTooltip(process, pid, ''),
    marks: ['process'],
    expansion: objects.length === 0 ? 'none' : 'expanded',
    children: () => {
      const node = (parent: string) => (object: IpcObject): TreeNode => objectOf(parent, object, own.get(object.id) ?? [], pid, followed, index);
      const further = new Set(objects.filter(object => minor.has(object.kind) || isOwnAffair(object, pid, index)));
      const listed = byInterest(objects.filter(object => !further.has(object)));
      return [...listed.map(node(id)), ...minorNode(id, byInterest([...further]), node(`${id}/minor`))];
    },
    pid,
  };
}

/** Nameless, gone with the process, and nobody else has an end of it: mostly the work of a run-time. What a finding is about is no such thing. */
function isOwnAffair(object: IpcObject, pid: number, index: SnapshotIndex): boolean {
  if ((object.persistence !== 'process' && object.persistence !== 'memory') || object.kind === 'mutex') return false;
  const nameless = object.name === undefined || object.kind === 'memfd' || ('address' in object.state && object.state.address === object.name);
  if (!nameless) return false;
  const peer = peerOf(object);
  if (peer !== undefined && !index.objects.has(peer)) return false;
  const handles = [...index.handlesOf(object.id), ...(peer === undefined ? [] : index.handlesOf(peer))];
  return handles.every(handle => handle.pid === pid) && index.waitsOn(object.id).every(wait => wait.verdict === 'waiting');
}

/** What outlives its processes first, then kind by kind. */
function byInterest(objects: readonly IpcObject[]): IpcObject[] {
  const place = (object: IpcObject): number => facility(object.kind).removable ? -1 : kindsInOrder.findIndex(row => row.kind === object.kind);
  return [...objects].sort((a, b) => place(a) - place(b));
}

function minorNode(parent: string, objects: readonly IpcObject[], node: (object: IpcObject) => TreeNode): TreeNode[] {
  if (objects.length === 0) return [];
  const kinds = grouped(objects, it => it.kind);
  return [{
    id: `${parent}/minor`,
    label: objects.length === 1 ? l10n.t('1 further object') : l10n.t('{0} further objects', objects.length),
    tooltip: () => l10n.t('What has no name and nobody else has, such as the pipes that a run-time wakes itself by, and what the setting calls minor kinds.'),
    description: [...kinds].map(([kind, its]) => `${l10n.t(facility(kind).plural)} ${its.length}`).join(', '),
    icon: 'ellipsis', expansion: 'collapsed', children: () => objects.map(node),
  }];
}

/** An object of a process: what the process does with it, and below it who else has it, and who is at its other end. */
export function objectOf(parent: string, object: IpcObject, own: readonly Handle[], pid: number, followed: readonly number[], index: SnapshotIndex): TreeNode {
  const id = `${parent}/${object.id}`;
  const others = index.handlesOf(object.id).filter(handle => handle.pid !== pid);
  const gaps = index.gapsOf(object.id);
  const peers = peerNodes(id, object, index);
  const holding = own.filter(({ via, tid }) => tid !== undefined && (via === 'owner' || via === 'lock'));
  const at = holding.flatMap(({ tid }) => atWords(index, { pid, ...(tid === undefined ? {} : { tid }) }));
  const named = objectNode(parent, object, index, [describe(own, objectSummary(object, index)), ...new Set(at)].join(' · '),
    () => [...othersOf(id, others, followed, index), ...peers, ...gaps.map(gap => gapNode(id, gap))]);
  // Not under a node of its kind here: an address or a file's name alone would not tell that it is a lock.
  const isLock = facility(object.kind).category === 'synchronization' && object.persistence !== 'kernel';
  const node = isLock ? { ...named, label: objectTitle(object) } : named;
  return others.length + gaps.length + peers.length === 0 ? { ...node, expansion: 'none' } : node;
}

/** A word of unknown meaning in memory that nobody else has: a run-time's own business. Whoever waits on it is in Waits. */
function isInternal(object: IpcObject, pid: number, index: SnapshotIndex): boolean {
  return object.kind === 'futex' && index.handlesOf(object.id).every(handle => handle.pid === pid);
}

function describe(handles: readonly Handle[], summary: string): string {
  return [handleWords(handles), summary].filter(it => it !== '').join(' — ');
}

function othersOf(parent: string, handles: readonly Handle[], followed: readonly number[], index: SnapshotIndex): TreeNode[] {
  return [...grouped(handles, it => it.pid)].sort(([a], [b]) => a - b).map(([pid, its]) => {
    const node = processNode(parent, pid, its, index);
    return followed.includes(pid) ? { ...node, icon: 'debug-alt' } : node;
  });
}

function stopped(process: Process): boolean {
  return process.state === 't' || process.state === 'T';
}
