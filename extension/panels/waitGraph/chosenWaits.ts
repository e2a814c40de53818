// Which blocked threads a wait graph is about, the gravest first: what is idle is counted apart, as the views of waits do, and a
// chosen chain leaves everything else out. Pure.
import { isIdle, orderWaits } from '../../../native-probe/analysis/waitOrder';
import type { Finding, ThreadRef, Wait } from '../../../native-probe/model';
import { coreOf } from '../../deadlocks/deadlockBook';
import { grouped } from '../../snapshotIndex';
import type { SnapshotIndex } from '../../snapshotIndex';
import { verdictsInOrder } from '../../words/waitWords';

export interface GraphChoice {
  /** Idle threads are shown too. */
  readonly idle: boolean;
  /** The snapshot is of all processes. */
  readonly everybody: boolean;
  /** Only this chain (`findingKey`, `threadKey`), and whoever waits behind it. */
  readonly focus?: string;
  /** Nodes of alike waiters that are to be shown one by one. */
  readonly unfolded: ReadonlySet<string>;
  /** More nodes than this are not drawn. */
  readonly most: number;
}

export interface ChosenWaits {
  readonly waits: readonly Wait[];
  /** Findings of which a thread is shown, the worst first. */
  readonly findings: readonly Finding[];
  /** Idle threads, shown or not. */
  readonly idle: number;
  /** By `PID.TID`: how many threads wait for that one, directly or not. */
  readonly blocks: ReadonlyMap<string, number>;
  /** The chosen chain is no more. */
  readonly gone: boolean;
}

/** A finding's key: the same while it is about the same threads and objects. */
export function findingKey(finding: Finding, index: SnapshotIndex): string {
  return `finding:${coreOf(finding, index)}`;
}

/** A thread's key, which a later process of the same PID does not get. Without `tid`: the process. */
export function threadKey({ pid, tid }: { readonly pid: number; readonly tid?: number }, index: SnapshotIndex): string {
  const start = index.processes.get(pid)?.startTime ?? '';
  return tid === undefined ? `process:${pid}.${start}` : `thread:${pid}.${start}/${tid}`;
}

/** The waits that a graph shows. */
export function chosenWaits(index: SnapshotIndex, choice: GraphChoice): ChosenWaits {
  const { snapshot } = index;
  const order = orderWaits(snapshot, choice.everybody);
  const findings = [...snapshot.findings].sort((a, b) => verdictsInOrder.indexOf(a.verdict) - verdictsInOrder.indexOf(b.verdict) || b.threads.length - a.threads.length);
  const focused = choice.focus === undefined ? undefined : findings.find(finding => findingKey(finding, index) === choice.focus);
  const inFindings = new Set<Wait>();
  const quiet: Wait[] = [];
  for (const finding of findings) {
    for (const { pid, tid } of [...finding.chain, ...finding.threads]) {
      const wait = index.waitOf(pid, tid);
      if (!wait || inFindings.has(wait)) continue;
      // The pool of a program that is stuck is suspected with it. It is as idle as that of any other, and would bury the chain.
      if (finding.verdict === 'suspected' && finding !== focused && isIdle({ ...wait, verdict: 'waiting' }, kindOf(wait, index))) quiet.push(wait);
      else inFindings.add(wait);
    }
  }
  const told = new Set([
    ...inFindings,
    ...order.blockers.flatMap(({ groups }) => groups.flatMap(group => group.waits)),
    ...order.others.flatMap(group => group.waits),
  ]);
  const idle = [...new Set([...quiet, ...order.idle.flatMap(group => group.waits), ...order.stopped])].filter(wait => !told.has(wait));
  const all = choice.idle ? [...told, ...idle] : [...told];
  const waits = choice.focus === undefined ? all : chainOf(choice.focus, focused, all, index);
  const shown = new Set(waits.map(keyOf));
  return {
    waits, idle: idle.length,
    findings: findings.filter(finding => finding === focused || finding.threads.some(thread => shown.has(keyOf(thread)))),
    blocks: new Map(order.blockers.map(({ thread, blocks }) => [`${thread.pid}.${thread.tid ?? thread.pid}`, blocks])),
    gone: choice.focus !== undefined && waits.length === 0,
  };
}

const keyOf = ({ pid, tid }: { readonly pid: number; readonly tid: number }): string => `${pid}.${tid}`;

function kindOf({ objectId }: Wait, index: SnapshotIndex): NonNullable<Parameters<typeof isIdle>[1]> | undefined {
  return objectId === undefined ? undefined : index.objects.get(objectId)?.kind;
}

/** The thread or process that a key names, unless it has ended. */
function refOf(key: string, index: SnapshotIndex): ThreadRef | undefined {
  const [, kind, pid, tid] = /^(thread|process):(\d+)\.\d*(?:\/(\d+))?$/.exec(key) ?? [];
  if (kind === undefined) return undefined;
  const ref = { pid: Number(pid), ...(tid === undefined ? {} : { tid: Number(tid) }) };
  return threadKey(ref, index) === key ? ref : undefined;
}

/** The waits that lead on from a chain's threads, and those that lead to them. */
function chainOf(focus: string, finding: Finding | undefined, all: readonly Wait[], index: SnapshotIndex): Wait[] {
  const ref = refOf(focus, index);
  if (!finding && !ref) return [];
  // "Any thread of a process" is a step of its own, taken once: a thousand threads that wait for a thousand make two thousand steps.
  const blocked = grouped(all.flatMap(wait => [[keyOf(wait), wait], [String(wait.pid), wait]] as const), ([key]) => key);
  const waiters = grouped(all.flatMap(wait => awaited(wait).map(key => [key, wait] as const)), ([key]) => key);
  const start = finding ? [...finding.chain, ...finding.threads].map(keyOf) : ref ? [ref.tid === undefined ? String(ref.pid) : `${ref.pid}.${ref.tid}`] : [];
  const steps = (from: ReadonlyMap<string, readonly (readonly [string, Wait])[]>, next: (wait: Wait) => readonly string[]): ReadonlySet<Wait> => {
    const keys = new Set(start);
    const reached = new Set<Wait>();
    for (const key of keys) {
      for (const [, wait] of from.get(key) ?? []) {
        if (reached.has(wait)) continue;
        reached.add(wait);
        for (const each of next(wait)) keys.add(each);
      }
    }
    return reached;
  };
  const onward = steps(blocked, awaited);
  // Who is waited for need not wait itself.
  if (ref?.tid !== undefined) start.push(String(ref.pid));
  const behind = steps(waiters, wait => [keyOf(wait), String(wait.pid)]);
  return all.filter(wait => onward.has(wait) || behind.has(wait));
}

/** Whom a wait is for: `PID.TID`, or `PID` for any thread of it. */
function awaited({ clauses }: Wait): string[] {
  return clauses.flatMap(({ alternatives }) => alternatives.flatMap(({ threads }) => threads.map(({ pid, tid }) => tid === undefined ? String(pid) : `${pid}.${tid}`)));
}
