// Below an object: who has it, by end where it has ends, and the object at its other end with those who have that. Pure.
import type { Handle, IpcObject } from '../../native-probe/model';
import { facilityTable } from '../../native-probe/facilityTable';
import { endsOf, peerOf } from '../words/bothEnds';
import { objectSummary, objectTitle, objectTooltip } from '../words/objectWords';
import { count, visible } from '../words/presentation';
import { grouped } from '../snapshotIndex';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';
import { processNode } from './treeNode';
import type { TreeNode } from './treeNode';

/** Whether there is anything to expand. */
export function hasEnds(object: IpcObject, index: SnapshotIndex): boolean {
  return index.handlesOf(object.id).length > 0 || peerOf(object) !== undefined || targetOf(object) !== undefined;
}

/** The nodes below an object. */
export function endNodes(id: string, object: IpcObject, index: SnapshotIndex): TreeNode[] {
  const handles = index.handlesOf(object.id);
  const ends = endsOf(object, handles);
  return [
    ...(ends ? ends.map(end => endNode(id, end.key, end.label, end.handles, index)) : processNodes(id, handles, index)),
    ...peerNodes(id, object, index),
  ];
}

/** One node a process, in the order of PIDs. */
export function processNodes(parent: string, handles: readonly Handle[], index: SnapshotIndex): TreeNode[] {
  return [...grouped(handles, it => it.pid)].sort(([a], [b]) => a - b).map(([pid, its]) => processNode(parent, pid, its, index));
}

function endNode(parent: string, key: string, label: string, handles: readonly Handle[], index: SnapshotIndex): TreeNode {
  const id = `${parent}/end:${key}`;
  const processes = new Set(handles.map(it => it.pid)).size;
  if (processes === 0) {
    // Nobody is a statement about every process; where one could not be read it is none.
    const unread = index.snapshot.gaps.some(({ scope }) => scope.facility === 'processes' && scope.pid !== undefined);
    return { id, label, description: unread ? l10n.t('nobody who could be read') : l10n.t('nobody'), icon: 'circle-slash', expansion: 'none' };
  }
  return {
    id, label, description: count(processes, l10n.t('1 process'), n => l10n.t('{0} processes', n)),
    icon: key === 'write' || key === 'master' ? 'arrow-right' : 'arrow-left', expansion: processes <= 20 ? 'expanded' : 'collapsed',
    children: () => processNodes(id, handles, index),
  };
}

/** The object at the other end, and those who have it; also a process that the object is about. */
export function peerNodes(parent: string, object: IpcObject, index: SnapshotIndex): TreeNode[] {
  const target = targetOf(object);
  if (target !== undefined) return [{ ...processNode(`${parent}/target`, target, [], index), icon: 'target', description: l10n.t('PID {0} · the process it is about', target) }];
  const peer = peerOf(object);
  if (peer === undefined) return [];
  const id = `${parent}/peer`;
  const other = index.objects.get(peer);
  if (!other) return [{ id, label: l10n.t('Other end'), description: l10n.t('{0}, which could not be seen', visible(peer)), icon: 'question', expansion: 'none' }];
  const handles = index.handlesOf(peer);
  return [{
    id, label: l10n.t('Other end: {0}', objectTitle(other)), description: objectSummary(other, index),
    icon: facilityTable.get(other.kind)?.icon ?? 'arrow-swap', tooltip: () => objectTooltip(other, index), marks: ['object', ...(other.name === undefined ? [] : ['named' as const])],
    expansion: handles.length === 0 ? 'none' : 'expanded', children: () => processNodes(id, handles, index), objectId: peer,
  }];
}

/** The process that an object is about, beside those who have it. */
function targetOf(object: IpcObject): number | undefined {
  return object.kind === 'pidfd' && object.state.pid !== null && object.state.pid > 0 ? object.state.pid : undefined;
}
