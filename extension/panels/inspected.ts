// All that a snapshot says about one object. Pure.
import type { Finding, Gap, Handle, IpcObject, Process, Snapshot, Time, Wait } from '../../native-probe/model';
import { endsSummary, peerOf } from '../words/bothEnds';
import { objectSummary } from '../words/objectWords';
import { indexOf } from '../snapshotIndex';

export interface Inspected {
  readonly object: IpcObject;
  readonly handles: readonly Handle[];
  /** Threads that wait on it, or for which it is one of several things to wait for. */
  readonly waits: readonly Wait[];
  /** Findings whose chain leads over it. */
  readonly findings: readonly Finding[];
  /** Gaps that concern it: named, by kind, or because a process that may have it could not be looked into. */
  readonly gaps: readonly Gap[];
  readonly processes: ReadonlyMap<number, Process>;
  /** The object at the other end and those who have it; absent where it has no other end, or none is known. */
  readonly peer?: { readonly id: string; readonly object?: IpcObject; readonly handles: readonly Handle[] };
  /** Every object of the snapshot, to name those that the state points at. */
  readonly objects: ReadonlyMap<string, IpcObject>;
  /** Its state in a few words. */
  readonly brief: string;
  /** The wait of any thread of the snapshot. */
  readonly waitOf: (pid: number, tid: number) => Wait | undefined;
  /** Start times of processes count from then. */
  readonly bootedAt: Time;
  /** Host.clockSlack in ms; Infinity: comparing start times with times of objects proves nothing. */
  readonly clockSlack: number;
}

/** Everything about the object with this id; undefined when the snapshot has no such object. */
export function inspect(snapshot: Snapshot, id: string): Inspected | undefined {
  const index = indexOf(snapshot);
  const object = index.objects.get(id);
  if (!object) return undefined;
  const peer = peerOf(object);
  return {
    object,
    ...(peer === undefined ? {} : { peer: { id: peer, object: index.objects.get(peer), handles: index.handlesOf(peer) } }),
    objects: index.objects, brief: [objectSummary(object, index), ...endsSummary(object, index)].filter(it => it !== '').join(' · '), waitOf: index.waitOf,
    handles: index.handlesOf(id),
    waits: snapshot.waits.filter(wait => wait.objectId === id || wait.clauses.some(clause => clause.alternatives.some(it => it.objectId === id))),
    findings: snapshot.findings.filter(finding => finding.chain.some(link => link.objectId === id)),
    gaps: snapshot.gaps.filter(gap => concerns(gap, object)),
    processes: index.processes,
    bootedAt: snapshot.host.bootedAt, clockSlack: snapshot.host.clockSlack ?? Infinity,
  };
}

function concerns({ scope }: Gap, object: IpcObject): boolean {
  if (scope.objectId !== undefined) return scope.objectId === object.id;
  if (scope.namespace !== undefined && object.namespace != null && scope.namespace !== object.namespace) return false;
  // A process whose descriptors, mappings or threads are unreadable may have the object, whichever facility the gap names.
  return scope.facility === undefined || scope.facility === object.kind || scope.facility === 'processes' || scope.facility === 'waits';
}

/** The gap that explains an unknown field, the most particular one first. */
export function gapOf(field: string, { object, gaps }: Inspected): Gap | undefined {
  return gaps.find(gap => gap.scope.objectId === object.id && gap.scope.field === field)
    ?? gaps.find(gap => gap.scope.objectId === object.id && gap.scope.field === undefined)
    ?? gaps.find(gap => gap.scope.facility === object.kind && gap.scope.pid === undefined && (gap.scope.field === undefined || gap.scope.field.split(',').includes(field)))
    ?? gaps.find(gap => gap.scope.objectId === undefined && gap.scope.pid === undefined && gap.scope.facility === undefined && gap.scope.namespace !== undefined);
}
