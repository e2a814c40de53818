// What a run (a command, a debug session) left behind: objects that its processes made and nobody uses any more, and queues and
// memory that it filled. Pure: a snapshot before, one after, and what was learnt of the run in between.
//
// Who made a thing is proved by the kernel's creator PID (segments), by a creation event that names the maker, or by a process of
// the run that used a thing that was not there before. What only came into being meanwhile, under a user of the run, is possible.
import type { Handle, IpcObject, Process, Snapshot, Via } from '../model';

export type LeakWhat = 'left-behind' | 'grew';
export interface Leak {
  readonly objectId: string;
  readonly what: LeakWhat;
  /** certain: the kernel links it to a process of the run. possible: it came into being during the run, by whom is not known. */
  readonly certainty: 'certain' | 'possible';
  /** One fact a line. */
  readonly evidence: readonly string[];
}

/** A process of the run. Times in ms since the epoch; no `until`: it lives, or nobody saw it end. */
export interface RunProcess { readonly pid: number; readonly from: number; readonly until?: number; readonly comm?: string; readonly uid?: number }

/** What was learnt while the run went on. */
export interface Run {
  /** ms since the epoch; from before the first snapshot until after the last process's end. */
  readonly startedAt: number; readonly endedAt: number;
  readonly processes: readonly RunProcess[];
  /** No process of the run can be missing: whoever is not listed does not belong to it. */
  readonly complete: boolean;
  /** Users of the run's processes. */
  readonly uids: ReadonlySet<number>;
  /** What its processes were seen to have. */
  readonly seen: readonly { readonly objectId: string; readonly pid: number; readonly via: Via; readonly access?: Handle['access'] }[];
  /** Names that were made. `pid`: null where the kernel does not tell. */
  readonly creations: readonly { readonly objectId: string; readonly pid: number | null }[];
  /** FIFOs and sockets that its processes had and nobody has any more, while the name made during the run is still there. */
  readonly names: readonly IpcObject[];
}

/** Times of System V objects have whole seconds, and the clock may be set. */
const margin = 2_000;

interface View {
  readonly run: Run;
  readonly before: ReadonlyMap<string, IpcObject>;
  readonly heldBefore: ReadonlySet<string>;
  readonly after: Snapshot;
  readonly living: ReadonlyMap<number, Process>;
  readonly handles: ReadonlyMap<string, readonly Handle[]>;
  readonly seen: ReadonlyMap<string, readonly Run['seen'][number][]>;
  readonly creations: ReadonlyMap<string, readonly Run['creations'][number][]>;
  readonly members: ReadonlyMap<number, readonly RunProcess[]>;
}

/** The leaks of a run, certain ones first. */
export function findLeaks(before: Snapshot, after: Snapshot, run: Run): Leak[] {
  const view: View = {
    run, after,
    before: new Map(before.objects.map(object => [object.id, object])),
    heldBefore: new Set(before.handles.filter(handle => handle.via !== 'last-operation' && handle.pid !== before.host.pid).map(handle => handle.objectId)),
    living: new Map(after.processes.filter(({ state, pid }) => state !== 'Z' && state !== 'X' && pid !== after.host.pid).map(process => [process.pid, process])),
    handles: grouped(after.handles, handle => handle.objectId),
    seen: grouped(run.seen, it => it.objectId),
    creations: grouped(run.creations, it => it.objectId),
    members: grouped(run.processes, it => it.pid),
  };
  const leaks: Leak[] = [];
  for (const object of after.objects) {
    const leak = isUsed(object, view) ? undefined : leftBehind(object, view) ?? grown(object, view);
    if (leak) leaks.push(leak);
  }
  for (const object of run.names) leaks.push(nameLeft(object, view));
  return leaks.sort((a, b) => Number(a.certainty !== 'certain') - Number(b.certainty !== 'certain'));
}

function grouped<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

/** Whether somebody has it now, or it goes by itself: then nothing is left behind (yet). */
function isUsed(object: IpcObject, view: View): boolean {
  // A last operation by somebody who lives counts: the kernel keeps no other trace of the users of a System V queue or set.
  if ((view.handles.get(object.id) ?? []).some(({ pid }) => view.living.has(pid))) return true;
  switch (object.kind) {
    case 'sysv-shared-memory': return object.state.nattch > 0 || object.state.dest;
    case 'sysv-message-queue': return false;
    case 'sysv-semaphore-set': return (object.state.sems ?? []).some(({ ncnt, zcnt }) => (ncnt ?? 0) + (zcnt ?? 0) > 0);
    case 'posix-message-queue': return object.state.unlinked === true || object.state.notify != null;
    case 'posix-shared-memory': return object.state.unlinked === true;
    case 'posix-semaphore': return object.state.unlinked === true || (object.state.waiters ?? 0) > 0;
    default: return true; // lives and dies with its processes
  }
}

/** The process of the run with a PID that could have acted at a time (ms); at any time, when none is told. */
function member(pid: number, at: number | undefined, { members }: View): RunProcess | undefined {
  return members.get(pid)?.find(({ from }) => at === undefined || from - margin <= at);
}

function named(process: RunProcess): string { return process.comm === undefined || process.comm === '' ? `pid ${process.pid}` : `pid ${process.pid} (${process.comm})`; }

type Authorship = { readonly by: 'run' | 'others' | 'unknown'; readonly evidence: readonly string[] };
const others: Authorship = { by: 'others', evidence: [] };

function leftBehind(object: IpcObject, view: View): Leak | undefined {
  const { run, before } = view;
  const createdAt = object.createdAt == null ? undefined : Date.parse(object.createdAt);
  if (createdAt !== undefined && createdAt < run.startedAt - 10) return undefined; // tmpfs times lag by up to a tick
  const { by, evidence } = authorship(object, view);
  // The first snapshot takes a moment: what the run made meanwhile stands in it.
  const isNew = !before.has(object.id) || (by === 'run' && (createdAt !== undefined || madeDuring(object, run)));
  if (!isNew || by === 'others') return undefined;
  const facts = [...evidence, before.has(object.id) ? 'it was made after the run began' : 'it was not there before the run', 'nobody that can be seen uses it now'];
  if (by === 'run') return { objectId: object.id, what: 'left-behind', certainty: 'certain', evidence: facts };
  // An owner that is unknown may be anybody.
  if (object.owner != null && !run.uids.has(object.owner.uid)) return undefined;
  return { objectId: object.id, what: 'left-behind', certainty: 'possible', evidence: [...facts, object.owner == null ? 'its owner is unknown' : `it belongs to uid ${object.owner.uid}, as does the run; no source tells who made it`] };
}

/** For segments, whose ctime is their creation unless somebody changed them later. */
function madeDuring(object: IpcObject, run: Run): boolean {
  return object.kind === 'sysv-shared-memory' && Date.parse(object.state.ctime) >= Math.floor(run.startedAt / 1000) * 1000;
}

/** Who made it, by the strongest source there is. */
function authorship(object: IpcObject, view: View): Authorship {
  const { run, seen, creations } = view;
  const makers = (creations.get(object.id) ?? []).flatMap(({ pid }) => pid ?? []);
  const [maker] = makers.flatMap(pid => member(pid, undefined, view) ?? []);
  if (maker) return { by: 'run', evidence: [`${named(maker)} of the run made it: the kernel reported it as it happened`] };
  if (makers.length > 0 && run.complete) return others;

  if (object.kind === 'sysv-shared-memory' && object.state.cpid > 0) {
    const creator = member(object.state.cpid, Date.parse(object.state.ctime), view);
    if (creator) return { by: 'run', evidence: [`${named(creator)} of the run made it: the kernel keeps the creator of a segment`] };
    if (isOutsider(object.state.cpid, view)) return others;
  }
  for (const [operation, pid] of operators(object)) {
    const operator = member(pid, undefined, view);
    if (operator) return { by: 'run', evidence: [`${named(operator)} of the run did the last ${operation} on it`] };
  }
  const [user] = seen.get(object.id) ?? [];
  if (user) {
    const process = member(user.pid, undefined, view);
    return { by: 'run', evidence: [`${process ? named(process) : `pid ${user.pid}`} of the run ${seenWords[user.via]}`] };
  }
  if (operators(object).some(([, pid]) => isOutsider(pid, view))) return others;
  return { by: 'unknown', evidence: [] };
}

const seenWords: Readonly<Record<Via, string>> = { 'descriptor': 'had it open', 'mapping': 'mapped it', 'attachment': 'had it attached', 'lock': 'locked it', 'owner': 'owned it', 'undo': 'would have undone it', 'last-operation': 'used it' };

/** Whether a PID surely is of no process of the run. */
function isOutsider(pid: number, { run, living, members }: View): boolean {
  return !members.has(pid) && (run.complete || living.has(pid));
}

/** The last ones to operate on a System V object: all that the kernel keeps of its users. */
function operators(object: IpcObject): [string, number][] {
  switch (object.kind) {
    case 'sysv-message-queue': return ([['msgsnd', object.state.lspid], ['msgrcv', object.state.lrpid]] satisfies [string, number][]).filter(([, pid]) => pid > 0);
    case 'sysv-semaphore-set': return [...new Set((object.state.sems ?? []).flatMap(({ pid }) => pid !== null && pid > 0 ? pid : []))].map(pid => ['semop', pid]);
    case 'sysv-shared-memory': return object.state.lpid > 0 ? [['shmat or shmdt', object.state.lpid]] : [];
    default: return [];
  }
}

/** How full it is, and of how much; undefined where that does not apply or is unknown. */
function levelOf(object: IpcObject): { readonly level: bigint; readonly unit: string; readonly limit?: bigint } | undefined {
  switch (object.kind) {
    case 'sysv-message-queue': return { level: BigInt(object.state.qnum), unit: 'messages' };
    case 'posix-message-queue': return object.state.curmsgs === null ? undefined : { level: BigInt(object.state.curmsgs), unit: 'messages', ...(object.state.maxmsg === null ? {} : { limit: BigInt(object.state.maxmsg) }) };
    case 'posix-shared-memory': return object.state.size === null ? undefined : { level: BigInt(object.state.size), unit: 'bytes' };
    default: return undefined;
  }
}

/** What was there before and is fuller now, when the run put it in and nobody is there to take it out. */
function grown(object: IpcObject, view: View): Leak | undefined {
  const was = view.before.get(object.id), level = levelOf(object), before = was && levelOf(was);
  if (!level || !before || level.level <= before.level) return undefined;
  const facts = [`${level.unit}: ${before.level} before, ${level.level} now${level.limit === level.level ? ': it is full' : ''}`, 'nobody that can be seen uses it now'];
  if (object.kind === 'sysv-message-queue') {
    const sender = member(object.state.lspid, object.state.stime === undefined ? undefined : Date.parse(object.state.stime), view);
    return sender && { objectId: object.id, what: 'grew', certainty: 'certain', evidence: [`${named(sender)} of the run did the last msgsnd on it`, ...facts] };
  }
  const writer = (view.seen.get(object.id) ?? []).find(({ access }) => access !== 'read');
  if (!writer) return undefined;
  const process = member(writer.pid, undefined, view);
  const alone = !view.heldBefore.has(object.id);
  return {
    objectId: object.id, what: 'grew', certainty: alone ? 'certain' : 'possible',
    evidence: [`${process ? named(process) : `pid ${writer.pid}`} of the run had it open for writing`, ...facts, ...(alone ? [] : ['somebody else had it open when the run began'])],
  };
}

/** A FIFO's or socket's name in the file system: made during the run (whoever collects them has checked), and nobody behind it. */
function nameLeft(object: IpcObject, view: View): Leak {
  const [user] = view.seen.get(object.id) ?? [];
  const process = user && member(user.pid, undefined, view);
  return {
    objectId: object.id, what: 'left-behind', certainty: 'certain',
    evidence: [`${process ? named(process) : user ? `pid ${user.pid}` : 'a process'} of the run had it open`, 'its name was made during the run and is still there', 'nobody that can be seen has it open'],
  };
}
