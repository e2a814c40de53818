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

/** Deep equality of JSON values, without making strings of them: most of 100,000 entries are equal, at every refresh. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  let keys = 0;
  for (const key in a) {
    const value = (a as Record<string, unknown>)[key];
    if (value === undefined) continue; // absent, as in JSON
    keys++;
    if (!equal(value, (b as Record<string, unknown>)[key])) return false;
  }
  for (const key in b) if ((b as Record<string, unknown>)[key] !== undefined) keys--;
  return keys === 0;
}

/** So far ahead two lists are searched for the place where they agree again. */
const lookAhead = 64;

/** Both lists come in nearly the same order: they are walked side by side, and only where they part are keys looked up. */
function changes<T>(before: readonly T[], after: readonly T[], key: (it: T) => string): Changes<T> {
  const missing = new Map<string, T>();
  const extra = new Map<string, T>();
  const put: T[] = [];
  const found = (list: readonly T[], from: number, wanted: string): number => {
    for (let at = from; at < Math.min(list.length, from + lookAhead); at++) { const it = list[at]; if (it !== undefined && key(it) === wanted) return at; }
    return -1;
  };
  let i = 0, j = 0;
  while (i < before.length || j < after.length) {
    const was = before[i], is = after[j];
    if (was === undefined) { if (is !== undefined) extra.set(key(is), is); j++; continue; }
    if (is === undefined) { missing.set(key(was), was); i++; continue; }
    if (equal(was, is)) { i++; j++; continue; }
    const [wasKey, isKey] = [key(was), key(is)];
    if (wasKey === isKey) { put.push(is); i++; j++; continue; }
    const ahead = found(after, j + 1, wasKey);
    if (ahead >= 0) { for (; j < ahead; j++) { const it = after[j]; if (it !== undefined) extra.set(key(it), it); } continue; }
    const behind = found(before, i + 1, isKey);
    if (behind >= 0) { for (; i < behind; i++) { const it = before[i]; if (it !== undefined) missing.set(key(it), it); } continue; }
    missing.set(wasKey, was);
    extra.set(isKey, is);
    i++; j++;
  }
  for (const [its, it] of extra) {
    const was = missing.get(its);
    missing.delete(its); // only moved
    if (was === undefined || !equal(was, it)) put.push(it);
  }
  return { put, gone: [...missing.keys()] };
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
