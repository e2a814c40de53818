// The view Processes: process → facilities → objects → the other processes. Pure: a snapshot in, nodes out.
import type { CollectedKind, Handle, IpcObject, Process } from '../../native-probe/model';
import { commandIds } from '../contributions';
import { processTooltip } from '../words/objectWords';
import { count, processName, processState, userName, visible } from '../words/presentation';
import { grouped } from '../snapshotIndex';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';
import { objectOf } from './debuggee';
import { inOrder, kindsInOrder } from './ipcObjects';
import type { TreeNode } from './treeNode';
import { hiddenNode, isUnreadProcess, unseenNodes } from './unseen';

export interface ProcessChoice {
  /** Also those that have no IPC. */
  readonly all?: boolean;
  /** Kinds that alone make no process worth a node: every process has signals, nearly every one an epoll instance. */
  readonly minor?: ReadonlySet<CollectedKind>;
}

/** No kernel thread, and not the probe itself, which looks and has no part in anything. */
export function isListable(process: Process, index: SnapshotIndex): boolean {
  const kernelThread = process.exe === undefined && process.state !== 'Z' && process.state !== 'X';
  return !kernelThread && process.pid !== index.snapshot.host.pid;
}

/** Whether a process has an object of a kind that counts. */
export function hasIpc({ pid }: Process, minor: ReadonlySet<CollectedKind>, index: SnapshotIndex): boolean {
  return index.handlesBy(pid).some(({ objectId }) => {
    const kind = index.objects.get(objectId)?.kind;
    return kind !== undefined && !minor.has(kind);
  });
}

/** Id of a process's node. */
export function processNodeId({ pid, startTime }: Pick<Process, 'pid' | 'startTime'>): string {
  return `process:${pid}.${startTime}`;
}

/** The view's roots: processes by PID, how many are not listed, and which could not be read. */
export function processesNodes(index: SnapshotIndex, { all = false, minor = new Set() }: ProcessChoice = {}): TreeNode[] {
  const unread = new Set(index.snapshot.gaps.filter(isUnreadProcess).map(gap => gap.scope.pid));
  const listable = index.snapshot.processes.filter(process => isListable(process, index));
  const listed = new Set(all ? listable : listable.filter(process => hasIpc(process, minor, index)));
  // What could not be read is no process without IPC: it is counted below, and never here.
  const without = listable.filter(process => !listed.has(process) && !unread.has(process.pid)).length;
  return [
    ...[...listed].sort((a, b) => a.pid - b.pid).map(process => rootNode(process, unread.has(process.pid), index)),
    ...(without === 0 ? [] : [hiddenNode('processes/hidden', count(without, l10n.t('1 process without IPC is not listed'), n => l10n.t('{0} processes without IPC are not listed', n)), l10n.t('select to list them'), commandIds.showAllProcesses)]),
    ...unseenNodes('processes', index, index.snapshot.gaps.filter(isUnreadProcess)),
  ];
}

function rootNode(process: Process, unread: boolean, index: SnapshotIndex): TreeNode {
  const { pid, container, state, nsPids } = process;
  const own = ownHandles(pid, index);
  const id = processNodeId(process);
  return {
    id,
    label: processName(process, pid),
    description: [
      nsPids === undefined ? l10n.t('PID {0}', pid) : l10n.t('PID {0}, inside {1}', pid, nsPids.at(-1) ?? pid), visible(userName(process.uid), 40), ...(container === undefined ? [] : [visible(container, 60)]),
      ...(state === 'Z' || state === 'T' || state === 't' ? [processState(state)] : []),
      count(own.size, l10n.t('1 object'), n => l10n.t('{0} objects', n)),
      ...(unread ? [l10n.t('could not be read')] : []),
    ].join(' · '),
    icon: unread ? 'eye-closed' : 'server-process',
    ...(unread ? { color: 'list.warningForeground' } : {}),
    tooltip: () => processTooltip(process, pid, unread ? l10n.t('It could not be read: what is shown of it may be incomplete.') : ''),
    marks: ['process'],
    expansion: own.size === 0 ? 'none' : 'collapsed',
    children: () => facilityNodes(id, pid, own, index),
    pid,
  };
}

/** What a process has, by object. */
function ownHandles(pid: number, index: SnapshotIndex): Map<string, Handle[]> {
  return grouped(index.handlesBy(pid), it => index.objects.has(it.objectId) ? it.objectId : undefined);
}

function facilityNodes(parent: string, pid: number, own: ReadonlyMap<string, readonly Handle[]>, index: SnapshotIndex): TreeNode[] {
  const objects = grouped([...own.keys()].flatMap(id => index.objects.get(id) ?? []), (it: IpcObject) => it.kind);
  return kindsInOrder.flatMap(({ kind, plural, icon }) => {
    const its = objects.get(kind) ?? [];
    if (its.length === 0) return [];
    const id = `${parent}/kind:${kind}`;
    return [{
      id, label: l10n.t(plural), description: String(its.length), icon,
      expansion: own.size <= 20 ? 'expanded' as const : 'collapsed' as const,
      children: () => inOrder(its).map(object => objectOf(id, object, own.get(object.id) ?? [], pid, [], index)),
    }];
  });
}
