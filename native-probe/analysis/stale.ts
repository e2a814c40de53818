// Which objects nobody uses any more, with the evidence. Pure; the rules are in CONTRIBUTING.md, "What stale means".
//
// Descriptors, mappings and attachments are the kernel's truth about use now. PIDs in System V structures prove life or
// death only together with a start time older than the event.
import type { Handle, IpcObject, PosixMessageQueue, PosixSemaphore, PosixSharedMemory, Process, Snapshot, StaleJudgement, StaleVerdict, SysvMessageQueue, SysvSemaphoreSet, SysvSharedMemory } from '../model';

/** What the judgements need of a snapshot, indexed once. */
interface View {
  readonly processes: ReadonlyMap<number, Process>;
  /** Processes that could use an object: no kernel threads, no zombies, not the probe. */
  readonly users: readonly Process[];
  readonly handlesOf: ReadonlyMap<string, readonly Handle[]>;
  /** Processes whose descriptors or mappings could not be read. */
  readonly unreadable: readonly Process[];
  /** Reasons why there may be processes that the snapshot does not even list. */
  readonly blindness: readonly string[];
  readonly bootMs: number;
  /** {@link Host.clockSlack}; Infinity where it is unknown. */
  readonly clockSlack: number;
  readonly probePid: number;
}

/** Judges the removable objects of a snapshot: all of them, or those asked for. */
export function judgeStale(snapshot: Snapshot, ids?: readonly string[]): StaleJudgement[] {
  const view = viewOf(snapshot);
  const asked = ids === undefined ? undefined : new Set(ids);
  const judgements: StaleJudgement[] = [];
  for (const object of snapshot.objects) {
    if (asked && !asked.has(object.id)) continue;
    const judged = judge(object, view);
    if (judged) judgements.push({ objectId: object.id, ...judged });
  }
  return judgements;
}

/** Milliseconds by which start times and times of System V objects may differ without meaning anything. */
const wholeSeconds = 2000;

type Judged = { readonly verdict: StaleVerdict; readonly evidence: string[] };

function judge(object: IpcObject, view: View): Judged | undefined {
  switch (object.kind) {
    case 'sysv-shared-memory': return judgeSegment(object, view);
    case 'sysv-message-queue': case 'sysv-semaphore-set': return judgeConnectionless(object, view);
    case 'posix-message-queue': case 'posix-shared-memory': case 'posix-semaphore': return judgePosix(object, view);
    default: return undefined; // lives and dies with its processes: never stale
  }
}

function viewOf(snapshot: Snapshot): View {
  const handlesOf = new Map<string, Handle[]>();
  for (const handle of snapshot.handles) {
    if (handle.pid === snapshot.host.pid) continue;
    const list = handlesOf.get(handle.objectId);
    if (list) list.push(handle);
    else handlesOf.set(handle.objectId, [handle]);
  }
  const processes = new Map(snapshot.processes.map(process => [process.pid, process]));
  const unreadable = new Set<Process>();
  const blindness: string[] = [];
  /** Of which not even the name may be read: they are not among the processes. */
  const unlisted: number[] = [];
  for (const { scope, reason } of snapshot.gaps) {
    if (scope.facility !== 'processes') continue;
    if (scope.pid === undefined) { blindness.push(reason); continue; }
    const process = processes.get(scope.pid);
    if (!process) unlisted.push(scope.pid);
    else if (/\b(?:fd|maps)\b/.test(scope.field ?? '')) unreadable.add(process);
  }
  if (unlisted.length > 0) blindness.push(`${unlisted.length === 1 ? 'one process' : `${unlisted.length} processes`} could not be read at all (hidepid): pid ${unlisted.slice(0, 3).join(', ')}${unlisted.length > 3 ? ', …' : ''}`);
  return {
    processes, handlesOf, unreadable: [...unreadable], blindness, bootMs: Date.parse(snapshot.host.bootedAt), clockSlack: snapshot.host.clockSlack ?? Infinity, probePid: snapshot.host.pid,
    users: snapshot.processes.filter(process => process.exe !== undefined && process.pid !== snapshot.host.pid),
  };
}

function named(process: Process): string { return `pid ${process.pid} (${process.comm})`; }

/** "pid 1 (init), pid 8 (sshd) and 70 more". */
function listed(processes: readonly Process[], most = 3): string {
  const head = processes.slice(0, most).map(named).join(', ');
  return processes.length > most ? `${head} and ${processes.length - most} more` : head;
}

const handleWords = { descriptor: 'has it open', mapping: 'maps it', attachment: 'has it attached', lock: 'locks it', owner: 'owns it', undo: 'changed it, and would undo that when it exits (SEM_UNDO)', 'last-operation': 'used it last' } as const;
const usedWithUndo = 'has used it with SEM_UNDO, and lives';

function usedBy(object: IpcObject, view: View): string[] {
  const lines = new Set<string>();
  for (const { pid, via, undo } of view.handlesOf.get(object.id) ?? []) {
    if (via === 'last-operation') continue;
    const process = view.processes.get(pid);
    lines.add(`${process ? named(process) : `pid ${pid}`} ${undo?.length === 0 ? usedWithUndo : handleWords[via]}`);
  }
  return [...lines];
}

/** `undated`: the PID lives and seems to have started later, which a clock that was set since may only feign. */
type Fate = 'gone' | 'alive' | 'undated' | 'unknown';

/** What became of the process with a PID that did something at a time (whole seconds). */
function fateOf(pid: number, at: string | undefined, view: View): Fate {
  if (pid <= 0) return 'unknown';
  if (pid === view.probePid) return 'gone';
  const process = view.processes.get(pid);
  if (!process || process.state === 'Z' || process.state === 'X') return view.blindness.length > 0 ? 'unknown' : 'gone';
  if (at === undefined) return 'unknown';
  const startMs = view.bootMs + Number(process.startTime) * 10;
  const later = startMs - Date.parse(at);
  return later > view.clockSlack ? 'gone' : later > wholeSeconds ? 'undated' : 'alive';
}

function judgeSegment(object: SysvSharedMemory, view: View): Judged {
  const { nattch, cpid, lpid, atime = '', dtime = '', ctime } = object.state;
  const used = usedBy(object, view);
  if (nattch > 0) {
    const evidence = [`the kernel counts ${nattch} attachment${nattch === 1 ? '' : 's'}`, ...used];
    return { verdict: 'in-use', evidence };
  }
  // An attachment seen although the count was read as 0 a moment before: somebody is just starting.
  if (used.length > 0) return { verdict: 'in-use', evidence: used };
  const evidence = ['the kernel counts no attachment'];
  let verdict: StaleVerdict = 'stale';
  const lastUse = (atime > dtime ? atime : dtime) || undefined;
  const roles: readonly (readonly [string, number, string | undefined])[] = lpid === 0 && lastUse === undefined
    ? [['its creator', cpid, ctime]]
    : [['its creator', cpid, ctime], ['its last user', lpid, lastUse]];
  for (const [who, pid, at] of roles) {
    const fate = fateOf(pid, at, view);
    const process = view.processes.get(pid);
    if (fate === 'gone') evidence.push(`${who}, pid ${pid}, is gone${process && pid !== view.probePid ? ` (pid ${pid} is ${process.comm} now, which started later)` : ''}`);
    else {
      verdict = 'possibly-stale';
      evidence.push(fate === 'alive' && process
        ? `${who}, ${named(process)}, is alive and may attach it again`
        : fate === 'undated' && process ? `${who} cannot be judged: ${named(process)} seems to have started later, but ${Number.isFinite(view.clockSlack) ? `the clock was set by ${Math.round((view.clockSlack - wholeSeconds) / 1000)} s since boot` : 'whether the clock was set since boot cannot be seen in a container'}`
        : `${who} cannot be judged: ${pid === 0 ? 'it lives outside this PID namespace' : view.blindness[0] ?? `the time of its use is unknown (pid ${pid})`}`);
    }
  }
  return { verdict, evidence };
}

/** Processes that the permission mask lets at a System V object of a namespace. Unknown counts as able. */
function withRights(object: SysvMessageQueue | SysvSemaphoreSet, view: View): Process[] {
  return view.users.filter(process => {
    const { ipc } = process.namespaces;
    if (ipc !== null && object.namespace != null && ipc !== object.namespace) return false;
    if (object.owner == null || process.uid === null || process.uid === 0 || process.uid === object.owner.uid) return true;
    return (parseInt(object.owner.mode, 8) & 0o066) !== 0;
  });
}

function judgeConnectionless(object: SysvMessageQueue | SysvSemaphoreSet, view: View): Judged {
  const waiting = object.kind === 'sysv-semaphore-set'
    ? (object.state.sems ?? []).reduce((sum, { ncnt, zcnt }) => sum + (ncnt ?? 0) + (zcnt ?? 0), 0) : 0;
  if (waiting > 0) return { verdict: 'in-use', evidence: [`${waiting} thread${waiting === 1 ? ' waits' : 's wait'} on it`] };
  const used = usedBy(object, view);
  if (used.length > 0) return { verdict: 'in-use', evidence: used };

  const evidence: string[] = [];
  for (const { pid, via, operation } of view.handlesOf.get(object.id) ?? []) {
    const process = view.processes.get(pid);
    if (via === 'last-operation' && process) evidence.push(`${named(process)} did the last ${operation ?? 'operation'} and is alive`);
  }
  if (evidence.length === 0) evidence.push(neverUsed(object) ? 'nobody has used it since it was made' : 'no process that is known to have used it is alive');
  const able = withRights(object, view);
  if (able.length === 0 && view.blindness.length === 0) return { verdict: 'stale', evidence: [...evidence, 'no process with rights on it lives in its IPC namespace'] };
  evidence.push('the kernel keeps no list of who uses a System V queue or semaphore set');
  if (able.length > 0) evidence.push(`${able.length} process${able.length === 1 ? ' that lives' : 'es that live'} in its IPC namespace ${able.length === 1 ? 'has' : 'have'} rights on it: ${listed(able)}`);
  return { verdict: 'possibly-stale', evidence: [...evidence, ...view.blindness] };
}

function neverUsed(object: SysvMessageQueue | SysvSemaphoreSet): boolean {
  return object.kind === 'sysv-message-queue' ? object.state.stime === undefined && object.state.rtime === undefined : object.state.otime === undefined;
}

function judgePosix(object: PosixMessageQueue | PosixSharedMemory | PosixSemaphore, view: View): Judged {
  const used = usedBy(object, view);
  if (object.kind === 'posix-message-queue' && object.state.notify) used.push(`pid ${object.state.notify.pid} asked to be told of its next message`);
  if (used.length > 0) return { verdict: 'in-use', evidence: used };
  const evidence = [`no process that can be read has it open${object.kind === 'posix-message-queue' ? '' : ' or maps it'}`];
  if (object.state.unlinked) return { verdict: 'in-use', evidence: ['its name is removed; it goes when its last user closes it'] };
  if (view.unreadable.length > 0) evidence.push(`${view.unreadable.length} process${view.unreadable.length === 1 ? '' : 'es'} could not be read: ${listed(view.unreadable)}`);
  evidence.push(...view.blindness);
  return { verdict: view.unreadable.length > 0 || view.blindness.length > 0 ? 'possibly-stale' : 'stale', evidence };
}
