// A process with its IPC to paste elsewhere: as indented text, or as JSON in the form of `ipc-probe snapshot --json`. Pure.
import { facility } from '../native-probe/facilityTable';
import type { IpcObject } from '../native-probe/model';
import { peerOf } from './words/bothEnds';
import { handleWords, objectLabel, objectSummary } from './words/objectWords';
import { processName, userName, visible } from './words/presentation';
import { grouped } from './snapshotIndex';
import type { SnapshotIndex } from './snapshotIndex';
import { l10n } from './translation';
import { inOrder, kindsInOrder } from './views/ipcObjects';

/** What a process has, the kinds in the order of the tree. */
function objectsOf(pid: number, index: SnapshotIndex): readonly IpcObject[] {
  const byKind = grouped([...new Set(index.handlesBy(pid).map(it => it.objectId))].flatMap(id => index.objects.get(id) ?? []), it => it.kind);
  return kindsInOrder.flatMap(({ kind }) => inOrder(byKind.get(kind) ?? []));
}

/** The process, its objects and who else has them, as text; undefined when the snapshot does not know it. */
export function processText(pid: number, index: SnapshotIndex): string | undefined {
  const process = index.processes.get(pid);
  if (!process) return undefined;
  const command = process.cmdline === null ? '' : visible(process.cmdline.join(' '), 1000);
  const lines = [[processName(process, pid), l10n.t('PID {0}', pid), userName(process.uid), ...(process.container === undefined ? [] : [visible(process.container)]), command].filter(it => it !== '').join(' · ')];
  const who = (id: string): string[] => [...grouped(index.handlesOf(id).filter(it => it.pid !== pid), it => it.pid)].sort(([a], [b]) => a - b)
    .map(([other, handles]) => `${l10n.t('{0} ({1})', processName(index.processes.get(other), other), other)} · ${handleWords(handles)}`);
  for (const object of objectsOf(pid, index)) {
    const own = handleWords(index.handlesBy(pid).filter(it => it.objectId === object.id));
    lines.push(`  ${l10n.t(facility(object.kind).label)} ${[objectLabel(object), own, objectSummary(object, index)].filter(it => it !== '').join(' · ')}`);
    lines.push(...who(object.id).map(it => `    ${it}`));
    const peer = peerOf(object);
    if (peer !== undefined) lines.push(...who(peer).map(it => `    ${l10n.t('other end: {0}', it)}`));
  }
  for (const gap of gapsOf(pid, index)) lines.push(`  ${visible(gap.reason, 1000)}`);
  return lines.join('\n');
}

/** The part of the snapshot that concerns the process; undefined when the snapshot does not know it. */
export function processJson(pid: number, index: SnapshotIndex): string | undefined {
  if (!index.processes.has(pid)) return undefined;
  const own = objectsOf(pid, index);
  const peers = own.flatMap(object => index.objects.get(peerOf(object) ?? '') ?? []);
  const objects = [...new Map([...own, ...peers].map(it => [it.id, it])).values()];
  const handles = objects.flatMap(it => index.handlesOf(it.id));
  const pids = new Set([pid, ...handles.map(it => it.pid)]);
  const { version, takenAt, host, processes, waits } = index.snapshot;
  return JSON.stringify({
    version, takenAt, host, processes: processes.filter(it => pids.has(it.pid)), objects, handles, waits: waits.filter(it => it.pid === pid),
    gaps: [...gapsOf(pid, index), ...objects.flatMap(it => index.gapsOf(it.id))],
  }, undefined, 2);
}

function gapsOf(pid: number, index: SnapshotIndex): SnapshotIndex['snapshot']['gaps'] {
  return index.snapshot.gaps.filter(({ scope }) => scope.pid === pid && scope.objectId === undefined);
}
