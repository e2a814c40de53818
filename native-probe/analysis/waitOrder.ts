// Which blocked threads are worth looking at, and in which order: what is idle goes apart, and the thread that blocks most
// others comes first. For the views and for the command line. Pure.
import type { Finding, Gap, IpcObject, Snapshot, ThreadRef, Wait } from '../model';

/** Threads that wait on one object; without an object, those in one operation. */
export interface WaitGroup {
  /** Unique within its blocker, and the same over refreshes. */
  readonly key: string;
  readonly objectId?: string;
  readonly operation: string;
  readonly waits: readonly Wait[];
}
/** A thread that others wait for, directly or not, and that does not wait for another itself. */
export interface Blocker {
  /** No `tid`: any thread of the process. */
  readonly thread: ThreadRef;
  /** So many threads wait for it, directly or not. */
  readonly blocks: number;
  /** What it is in itself: asleep, in its event loop. Absent when it runs, or when that is not known. */
  readonly own?: Wait;
  /** Those that wait behind it, the nearest first; each thread stands behind one blocker, the one that blocks most. */
  readonly groups: readonly WaitGroup[];
}
export interface WaitOrder {
  readonly blockers: readonly Blocker[];
  /** Waits behind nobody in particular. */
  readonly others: readonly WaitGroup[];
  /** Waits that are nobody's concern: event loops, sleepers, pools. */
  readonly idle: readonly WaitGroup[];
  /** Threads that do not wait: something stopped them while they ran. */
  readonly stopped: readonly Wait[];
}

/**
 * The waits that no finding tells of, in order.
 * @param everybody the waits are those of a whole machine: who waits for input from somebody that works or idles is idle then
 */
export function orderWaits({ waits, findings, objects }: { readonly waits: readonly Wait[]; readonly findings: readonly Finding[]; readonly objects: readonly IpcObject[] }, everybody = false): WaitOrder {
  const found = new Set(findings.flatMap(finding => [...finding.threads, ...finding.chain]).map(exactKey));
  const kinds = new Map(objects.map(object => [object.id, object.kind]));
  const told = new Set<Wait>();
  const patient: Wait[] = [];
  const quiet: Wait[] = [];
  const stopped: Wait[] = [];
  for (const wait of waits) {
    if (found.has(exactKey(wait))) continue;
    if (wait.stopped === true && wait.clauses.length === 0) stopped.push(wait);
    else if (isPatient(wait, everybody)) patient.push(wait);
    else if (isIdle(wait, wait.objectId === undefined ? undefined : kinds.get(wait.objectId))) quiet.push(wait);
    else told.add(wait);
  }
  // Who waits for the end of somebody that is stuck, or for his input, is stuck too; who waits for one that works or idles just waits.
  promote(patient, told, found);

  const blockers = blockersOf([...told], found, new Map([...quiet, ...patient.filter(wait => !told.has(wait))].map(wait => [keyOf(wait), wait])));
  const behind = new Set(blockers.flatMap(({ groups }) => groups.flatMap(group => group.waits)));
  const shown = new Set(blockers.flatMap(({ own }) => own ?? []));
  return {
    blockers,
    others: grouped([...told].filter(wait => !behind.has(wait))).sort(largestFirst),
    idle: grouped([...quiet, ...patient.filter(wait => !told.has(wait))].filter(wait => !shown.has(wait)), wait => `operation:${wait.operation}`).sort(largestFirst),
    stopped: [...stopped].sort(byThread),
  };
}

/** What could not be read of threads, without the doubts about single waits (nothing was refused), which stand beside those. */
export function gapsAmongWaits({ gaps, waits }: Pick<Snapshot, 'gaps' | 'waits'>): Gap[] {
  const doubts = new Set(waits.flatMap(wait => wait.clauses.flatMap(clause => clause.gaps ?? [])));
  return gaps.filter(({ id, errno, scope }) => scope.facility === 'waits' && (errno !== undefined || (scope.pid === undefined && !doubts.has(id))));
}

/** So many waits are counted behind their blockers, over all of them. */
const countedWaits = 1_000_000;
/** A clause that more threads than this could satisfy waits for nobody in particular. */
const particular = 16;

/** Operations that end with somebody else's life. */
const ends: ReadonlySet<string> = new Set(['waitpid', 'wait4', 'waitid', 'pthread_join', 'pthread_timedjoin_np', 'pthread_clockjoin_np', 'vfork']);
/** Operations that end with input. */
const inputs = /^(p?readv?|pread64|recv|recvfrom|recvmsg|recvmmsg|msgrcv|mq_(timed)?receive)$/;
/** Waits that are as interesting as what those do who are waited for. */
const isPatient = ({ verdict, operation }: Wait, everybody: boolean): boolean => verdict === 'waiting' && (ends.has(operation) || (everybody && inputs.test(operation)));

/** A thread in one of these waits for something to come up, as it does most of its life. */
const idleOperations = /^(p?poll|p?select|pselect6|epoll_p?wait2?|accept4?|(clock_)?nanosleep|sleep|pause|sigwait|sigwaitinfo|sigtimedwait|sigsuspend|futex|futex_waitv|pthread_cond_\w+|io_getevents|io_pgetevents|io_uring_enter|mq_notify)$/;
/** A thread in one of these is held up, whoever may end that. */
const heldUp = /^(pthread_(mutex|rwlock|barrier|spin)_?\w*|pthread_once|__cxa_guard_acquire|flockfile|flock|fcntl|open(at)?|connect|p?writev?|pwrite64|send(to|msg)?|msgsnd|mq_(timed)?send|semop|semtimedop)$/;

/** Whether a wait is an everyday one. `kind`: of what it waits on, where that is known. */
export function isIdle(wait: Wait, kind: IpcObject['kind'] | undefined): boolean {
  if (wait.verdict !== 'waiting' || heldUp.test(wait.operation)) return false;
  if (idleOperations.test(wait.operation)) return true;
  // Somebody sits at a terminal, or nobody does.
  if (kind === 'pseudoterminal' && inputs.test(wait.operation)) return true;
  // A pool's semaphore: its own process gives it work when there is some.
  if (wait.operation.startsWith('sem_') && wait.clauses.every(({ alternatives }) => alternatives.every(({ threads }) => threads.every(({ pid }) => pid === wait.pid)))) return true;
  return wait.clauses.length > 0 && wait.clauses.every(clause => clause.external !== undefined);
}

/** One key for a process and its main thread, which are one to people. */
const keyOf = ({ pid, tid }: ThreadRef): string => tid === undefined || tid === pid ? `${pid}` : `${pid}/${tid}`;
const exactKey = ({ pid, tid }: { pid: number; tid: number }): string => keyOf({ pid, tid });
const byThread = (a: Wait, b: Wait): number => a.pid - b.pid || a.tid - b.tid;
const largestFirst = (a: WaitGroup, b: WaitGroup): number => b.waits.length - a.waits.length || (a.key < b.key ? -1 : 1);

/** Whom a wait is for, by key; nobody for a clause that many could satisfy. */
function awaited({ clauses }: Wait): Map<string, ThreadRef> {
  const threads = new Map<string, ThreadRef>();
  for (const { alternatives } of clauses) {
    const able = new Map(alternatives.flatMap(alternative => alternative.threads).map(thread => [keyOf(thread), thread]));
    if (able.size <= particular) for (const [key, thread] of able) threads.set(key, thread);
  }
  return threads;
}

function promote(patient: readonly Wait[], told: Set<Wait>, found: ReadonlySet<string>): void {
  const waiting = new Map<string, Wait[]>();
  for (const wait of patient) {
    for (const key of awaited(wait).keys()) {
      const known = waiting.get(key);
      if (known) known.push(wait);
      else waiting.set(key, [wait]);
    }
  }
  const pending = [...found, ...[...told].map(exactKey)];
  for (let key = pending.pop(); key !== undefined; key = pending.pop()) {
    for (const wait of waiting.get(key) ?? []) {
      if (told.has(wait)) continue;
      told.add(wait);
      pending.push(exactKey(wait));
    }
  }
}

function blockersOf(told: readonly Wait[], found: ReadonlySet<string>, quiet: ReadonlyMap<string, Wait>): Blocker[] {
  const blocked = new Map<string, Wait[]>();
  const threads = new Map<string, ThreadRef>();
  for (const wait of told) {
    for (const [key, thread] of awaited(wait)) {
      const known = blocked.get(key);
      if (known) known.push(wait);
      else blocked.set(key, [wait]);
      if (threads.get(key)?.tid === undefined) threads.set(key, thread);
    }
  }
  const waiting = new Set(told.map(exactKey));
  // Those behind each are counted one by one while that is cheap; behind thousands of blockers the nearest must do.
  let budget = countedWaits;
  const countBehind = (key: string): number => {
    if (budget <= 0) return blocked.get(key)?.length ?? 0;
    const { length } = everyoneBehind(key, blocked);
    budget -= length;
    return length;
  };
  const free = [...threads].filter(([key]) => !waiting.has(key) && !found.has(key))
    .map(([key, thread]) => ({ key, thread, blocks: countBehind(key) }))
    .sort((a, b) => b.blocks - a.blocks || a.thread.pid - b.thread.pid || (a.thread.tid ?? 0) - (b.thread.tid ?? 0));
  const taken = new Set<Wait>();
  return free.flatMap(({ key, thread, blocks }) => {
    // Behind those that are taken everybody is.
    const mine = everyoneBehind(key, blocked, taken);
    if (mine.length === 0) return [];
    const own = quiet.get(key);
    return [{ thread, blocks, ...(own === undefined ? {} : { own }), groups: grouped(mine) }];
  });
}

/** Breadth first: the nearest come first. Those in `waits` are passed over, and those found are added to it. */
function everyoneBehind(key: string, blocked: ReadonlyMap<string, readonly Wait[]>, waits = new Set<Wait>()): Wait[] {
  const found: Wait[] = [];
  const queue = [key];
  for (let at = 0; at < queue.length; at++) {
    for (const wait of blocked.get(queue[at] ?? '') ?? []) {
      if (waits.has(wait)) continue;
      waits.add(wait);
      found.push(wait);
      queue.push(exactKey(wait));
    }
  }
  return found;
}

/** By object, or by operation where there is none; the groups in the order in which they turn up. */
function grouped(waits: readonly Wait[], keyOfWait = (wait: Wait): string => wait.objectId ?? `operation:${wait.operation}`): WaitGroup[] {
  const groups = new Map<string, Wait[]>();
  for (const wait of waits) {
    const group = groups.get(keyOfWait(wait));
    if (group) group.push(wait);
    else groups.set(keyOfWait(wait), [wait]);
  }
  return [...groups].flatMap(([key, its]) => {
    const [first] = its;
    if (!first) return [];
    return [{ key, ...(first.objectId === undefined || key.startsWith('operation:') ? {} : { objectId: first.objectId }), operation: first.operation, waits: its.sort(byThread) }];
  });
}
