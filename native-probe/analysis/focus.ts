// The part of a snapshot that concerns some processes: theirs, and all that shares an object with them. Pure.
import type { Gap, IpcObject, Snapshot } from '../model';

/** `pids`, every object they have a handle on or wait for, the sockets connected to those, and every process that has a handle on one of them. */
export function focus(snapshot: Snapshot, pids: readonly number[]): Snapshot {
  const chosen = new Set(pids);
  const ids = new Set<string>();
  for (const handle of snapshot.handles) if (chosen.has(handle.pid)) ids.add(handle.objectId);
  for (const object of snapshot.objects) if (object.creatorPid != null && chosen.has(object.creatorPid)) ids.add(object.id);
  // A finding is shown whole as soon as one of the processes has part in it: also as the stopped one behind which others wait.
  const findings = snapshot.findings.filter(({ threads, chain }) => [...threads, ...chain].some(({ pid }) => chosen.has(pid)));
  const involved = new Set(pids);
  for (const { threads, chain } of findings) for (const { pid } of [...threads, ...chain]) involved.add(pid);
  const waits = snapshot.waits.filter(wait => involved.has(wait.pid) || wait.clauses.some(clause => clause.alternatives.some(({ threads }) => threads.some(({ pid }) => chosen.has(pid)))));
  for (const wait of waits) {
    if (wait.objectId !== undefined) ids.add(wait.objectId);
    for (const { alternatives } of wait.clauses) for (const { objectId } of alternatives) if (objectId !== undefined) ids.add(objectId);
  }
  addOtherEnds(snapshot.objects, ids);
  // Who is at the other end of a socket has another object: both ends are shown.
  for (const object of snapshot.objects) {
    if ((object.kind === 'unix-socket' || object.kind === 'inet-socket') && object.state.peer != null && ids.has(object.id)) ids.add(object.state.peer);
  }
  const data = onlyRead(snapshot);
  const handles = snapshot.handles.filter(handle => ids.has(handle.objectId) && (chosen.has(handle.pid) || !data.has(handle.objectId)));
  for (const { pid } of [...handles, ...waits]) involved.add(pid);
  const objects = snapshot.objects.filter(({ id }) => ids.has(id));
  const kinds = new Set(objects.map(({ kind }) => kind));
  // What a wait or finding leaves open, wherever it lies.
  const named = new Set([...findings.flatMap(finding => finding.gaps), ...waits.flatMap(wait => wait.clauses.flatMap(clause => clause.gaps ?? []))]);
  return {
    ...snapshot, handles, waits, findings,
    processes: snapshot.processes.filter(({ pid }) => involved.has(pid)),
    objects,
    gaps: snapshot.gaps.filter(gap => named.has(gap.id) || concerns(gap, involved, ids, kinds)),
  };
}

/**
 * Files that are mapped shared and written by nobody: caches, fonts, tables of characters. Half the machine may map them, and
 * nothing passes between those who do, so they make no neighbours.
 */
function onlyRead(snapshot: Snapshot): Set<string> {
  const ids = new Set<string>();
  for (const object of snapshot.objects) if (object.kind === 'shared-mapping') ids.add(object.id);
  for (const { objectId, access } of snapshot.handles) if (access !== 'read') ids.delete(objectId);
  return ids;
}

/** The sockets connected to those in `ids`: whoever has one end shares the connection with whoever has the other. */
function addOtherEnds(objects: readonly IpcObject[], ids: Set<string>): void {
  const ends: string[] = [];
  for (const object of objects) {
    if ((object.kind !== 'unix-socket' && object.kind !== 'inet-socket') || object.state.peer == null) continue;
    // A datagram socket or a listener is the peer of many that it does not name itself.
    if (ids.has(object.id)) ends.push(object.state.peer);
    else if (ids.has(object.state.peer)) ends.push(object.id);
  }
  for (const id of ends) ids.add(id);
}

/** Gaps of other processes stay: an unreadable process may share any of the objects. Gaps of other objects go. */
function concerns(gap: Gap, involved: ReadonlySet<number>, ids: ReadonlySet<string>, kinds: ReadonlySet<string>): boolean {
  if (gap.scope.objectId !== undefined) return ids.has(gap.scope.objectId);
  if (gap.scope.facility === 'waits' && gap.scope.pid !== undefined) return involved.has(gap.scope.pid);
  // What a snapshot reads of no memfd is no gap where there is none.
  return gap.scope.facility !== 'memfd' || kinds.has('memfd');
}
