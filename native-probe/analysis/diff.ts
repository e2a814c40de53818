// What changed between two snapshots, and how to bring the older one up to date. Pure; used on both sides of the wire:
// the probe sends deltas, the extension applies them.
import type { Changes, SnapshotDelta } from '../protocol';
import type { Gap, Handle, IpcObject, Process, Snapshot, Wait } from '../model';

/** The key of an entry in each relation: unique in one snapshot, the same over snapshots while it is the same thing. */
export const keyOf = {
  processes: (it: Process): string => `${it.pid}.${it.startTime}`,
  objects: (it: IpcObject): string => it.id,
  // Everything that tells two handles of one process apart, but not what may change while it stays the same handle (access).
  handles: (it: Handle): string => [it.objectId, it.pid, it.tid ?? '', it.via, it.fd ?? '', it.address ?? '', it.end ?? '', it.lock ? `${it.lock.type ?? '?'}.${it.lock.start}.${it.lock.end}` : '', it.operation ?? ''].join(' '),
  waits: (it: Wait): string => `${it.pid}.${it.tid}`,
  gaps: (it: Gap): string => it.id,
} as const;

function changes<T>(before: readonly T[], after: readonly T[], key: (it: T) => string): Changes<T> {
  const old = new Map(before.map(it => [key(it), it]));
  const put: T[] = [];
  for (const it of after) {
    const was = old.get(key(it));
    if (was === undefined || (was !== it && JSON.stringify(was) !== JSON.stringify(it))) put.push(it);
    old.delete(key(it));
  }
  return { put, gone: [...old.keys()] };
}

function applied<T>(before: readonly T[], { put, gone }: Changes<T>, key: (it: T) => string): readonly T[] {
  if (put.length === 0 && gone.length === 0) return before;
  const entries = new Map(before.map(it => [key(it), it]));
  for (const it of gone) entries.delete(it);
  for (const it of put) entries.set(key(it), it);
  return [...entries.values()];
}

/** What must be put into and taken out of `before` to have `after`. */
export function diffSnapshots(before: Snapshot, after: Snapshot): SnapshotDelta {
  return {
    takenAt: after.takenAt,
    host: after.host,
    processes: changes(before.processes, after.processes, keyOf.processes),
    objects: changes(before.objects, after.objects, keyOf.objects),
    handles: changes(before.handles, after.handles, keyOf.handles),
    waits: changes(before.waits, after.waits, keyOf.waits),
    findings: after.findings,
    gaps: changes(before.gaps, after.gaps, keyOf.gaps),
  };
}

/** `before` with the delta applied. Entries that did not change stay the same JavaScript objects; new ones come last. */
export function applyDelta(before: Snapshot, delta: SnapshotDelta): Snapshot {
  return {
    version: before.version,
    takenAt: delta.takenAt,
    host: delta.host,
    processes: applied(before.processes, delta.processes, keyOf.processes),
    objects: applied(before.objects, delta.objects, keyOf.objects),
    handles: applied(before.handles, delta.handles, keyOf.handles),
    waits: applied(before.waits, delta.waits, keyOf.waits),
    findings: delta.findings,
    gaps: applied(before.gaps, delta.gaps, keyOf.gaps),
  };
}
