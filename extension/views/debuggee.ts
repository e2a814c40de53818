// The view IPC of the Debuggee: what the followed processes have, what they do with it, and who else has it. Pure.
import type { Handle, IpcObject, Process } from '../../native-probe/model';
import { handleWords, objectSummary, objectTitle, processTooltip } from '../objectWords';
import { processName, processState } from '../presentation';
import { grouped } from '../snapshotIndex';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';
import { inOrder, objectNode } from './ipcObjects';
import { gapNode, gapNodes, processNode } from './treeNode';
import type { TreeNode } from './treeNode';

/**
 * The view's roots: one node a followed process, then those of their descendants that have an object, then what could not be seen.
 * @param pids the followed processes
 * @param all these and their descendants
 */
export function debuggeeNodes(index: SnapshotIndex, pids: readonly number[], all: readonly number[] = pids): TreeNode[] {
  const descendants = all.filter(pid => !pids.includes(pid)).map(pid => debuggeeNode(pid, all, index)).filter(node => node.expansion !== 'none');
  return [...pids.map(pid => debuggeeNode(pid, all, index)), ...descendants.map(node => ({ ...node, icon: 'type-hierarchy-sub' })), ...gapNodes('debuggee', index.snapshot.gaps.filter(gap => gap.scope.objectId === undefined))];
}

function debuggeeNode(pid: number, followed: readonly number[], index: SnapshotIndex): TreeNode {
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
    children: () => objects.map(object => {
      const others = index.handlesOf(object.id).filter(handle => handle.pid !== pid);
      return objectNode(id, object, index, describe(own.get(object.id) ?? [], objectSummary(object, index)),
        () => [...othersOf(`${id}/${object.id}`, others, followed, index), ...index.gapsOf(object.id).map(gap => gapNode(`${id}/${object.id}`, gap))]);
    }).map((node, i) => {
      const object = objects[i];
      const alone = object !== undefined && index.handlesOf(object.id).every(handle => handle.pid === pid) && index.gapsOf(object.id).length === 0;
      // Not under a node of its kind here: an address or a file's name alone would not tell what it is.
      const label = object === undefined || object.kind.startsWith('sysv') || object.kind.startsWith('posix') ? node.label : objectTitle(object);
      return { ...node, label, expansion: alone ? 'none' as const : node.expansion };
    }),
    pid,
  };
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
