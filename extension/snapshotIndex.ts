// A snapshot made easy to ask: who has an object, what a process has, which gaps concern which thing. Pure.
import type { CollectedKind, Gap, Handle, IpcObject, Process, Snapshot, ThreadRef, Wait } from '../native-probe/model';
import type { SeenSnapshot } from './debugger/seenSnapshot';
import type { ThreadPlace } from './debugger/sessionKnowledge';

export interface SnapshotIndex {
  readonly snapshot: Snapshot;
  readonly objects: ReadonlyMap<string, IpcObject>;
  readonly objectsByKind: ReadonlyMap<CollectedKind, readonly IpcObject[]>;
  readonly processes: ReadonlyMap<number, Process>;
  readonly handlesOf: (objectId: string) => readonly Handle[];
  readonly handlesBy: (pid: number) => readonly Handle[];
  readonly gapsOf: (objectId: string) => readonly Gap[];
  readonly waitsOn: (objectId: string) => readonly Wait[];
  readonly waitOf: (pid: number, tid: number) => Wait | undefined;
  readonly gap: (id: string) => Gap | undefined;
  /** Where a stopped thread is in its source, as far as a debugger has told. */
  readonly placeOf: (thread: ThreadRef) => ThreadPlace | undefined;
}

const indices = new WeakMap<Snapshot, SnapshotIndex>();

/** The index of a snapshot, built once. */
export function indexOf(snapshot: Snapshot): SnapshotIndex {
  let index = indices.get(snapshot);
  if (!index) {
    index = build(snapshot);
    indices.set(snapshot, index);
  }
  return index;
}

function build(snapshot: SeenSnapshot): SnapshotIndex {
  const byObject = grouped(snapshot.handles, it => it.objectId);
  const byPid = grouped(snapshot.handles, it => it.pid);
  const gaps = grouped(snapshot.gaps, it => it.scope.objectId);
  const waits = grouped(snapshot.waits, it => it.objectId);
  const byThread = new Map(snapshot.waits.map(it => [`${it.pid}.${it.tid}`, it]));
  const gapsById = new Map(snapshot.gaps.map(it => [it.id, it]));
  return {
    snapshot,
    objects: new Map(snapshot.objects.map(it => [it.id, it])),
    objectsByKind: grouped(snapshot.objects, it => it.kind),
    processes: new Map(snapshot.processes.map(it => [it.pid, it])),
    handlesOf: id => byObject.get(id) ?? [],
    handlesBy: pid => byPid.get(pid) ?? [],
    gapsOf: id => gaps.get(id) ?? [],
    waitsOn: id => waits.get(id) ?? [],
    waitOf: (pid, tid) => byThread.get(`${pid}.${tid}`),
    gap: id => gapsById.get(id),
    placeOf: thread => snapshot.placeOf?.(thread),
  };
}

/** Groups by key, in order of appearance; entries without a key are left out. */
export function grouped<T, K>(items: Iterable<T>, key: (item: T) => K | undefined): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const k = key(item);
    if (k === undefined) continue;
    const group = groups.get(k);
    if (group) group.push(item);
    else groups.set(k, [item]);
  }
  return groups;
}
