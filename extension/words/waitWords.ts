// Waits in words: verdicts and their icons, operations, limits, and the ways out of a wait. Pure.
import type { Alternative, Clause, Finding, ThreadRef, Wait, WaitVerdict } from '../../native-probe/model';
import { objectTitleOf } from './objectWords';
import { placeMarkdown } from './placeWords';
import { count, inMarkdown, processName, visible } from './presentation';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';

/** The worst first. */
export const verdictsInOrder: readonly WaitVerdict[] = ['deadlocked', 'orphaned', 'deadlocked-until-timeout', 'behind-stopped', 'suspected', 'waiting'];

/** A finding that is certain and that nothing will mend: what badges count and notifications tell. */
export function isConfirmed({ verdict }: Pick<Finding, 'verdict'>): boolean {
  return verdict === 'deadlocked' || verdict === 'orphaned';
}

/** A verdict in words. */
export function verdictWords(verdict: WaitVerdict): string {
  switch (verdict) {
    case 'deadlocked': return l10n.t('Deadlock');
    case 'suspected': return l10n.t('Suspected deadlock');
    case 'deadlocked-until-timeout': return l10n.t('Deadlock until a timeout');
    case 'behind-stopped': return l10n.t('Waiting behind a stopped thread');
    case 'orphaned': return l10n.t('Waiting for an owner that is gone');
    case 'waiting': return l10n.t('Waiting');
    default: return never(verdict);
  }
}

/** What a verdict means, in one sentence. */
export function verdictMeaning(verdict: WaitVerdict): string {
  switch (verdict) {
    case 'deadlocked': return l10n.t('None of these threads can ever go on: each waits for one of them, and nothing else can help.');
    case 'suspected': return l10n.t('Not certain: a deadlock only if nobody acts who could not be seen. What could not be seen stands below.');
    case 'deadlocked-until-timeout': return l10n.t('None of these threads can go on before the time limit of one of them has passed.');
    case 'behind-stopped': return l10n.t('No deadlock: these threads wait for one that a debugger or a signal has stopped. They go on when it is continued.');
    case 'orphaned': return l10n.t('Whoever held this has ended without giving it back. Nobody alive can.');
    case 'waiting': return l10n.t('Blocked, and somebody can end it.');
    default: return never(verdict);
  }
}

/** A verdict's icon. A suspicion has none of the colours of a certainty. */
export function verdictIcon(verdict: WaitVerdict): { icon: string; color?: string } {
  switch (verdict) {
    case 'deadlocked':
    case 'orphaned': return { icon: 'error', color: 'list.errorForeground' };
    case 'deadlocked-until-timeout': return { icon: 'warning', color: 'list.warningForeground' };
    case 'suspected': return { icon: 'question', color: 'descriptionForeground' };
    case 'behind-stopped': return { icon: 'debug-pause', color: 'debugIcon.pauseForeground' };
    case 'waiting': return { icon: 'watch' };
    default: return never(verdict);
  }
}

/** `worker (PID 12, thread 14)`; the main thread, and "any thread", are the process. */
export function threadName(index: SnapshotIndex, { pid, tid }: ThreadRef): string {
  const process = index.processes.get(pid);
  const comm = (tid === undefined ? undefined : index.waitOf(pid, tid)?.threadComm) ?? process?.comm;
  const place = tid === undefined || tid === pid ? l10n.t('PID {0}', pid) : l10n.t('PID {0}, thread {1}', pid, tid);
  return comm === undefined ? place : l10n.t('{0} ({1})', comm === process?.comm ? processName(process, pid) : visible(comm), place);
}

/** What a thread is in, without the object: `flock · timeout 3 s · stopped`. */
export function operationWords(wait: Wait): string {
  return [visible(wait.operation), ...limitWords(wait), ...(wait.stopped ? [l10n.t('stopped')] : [])].join(' · ');
}

function limitWords({ timeout }: Wait): string[] {
  if (timeout === undefined) return [];
  return [timeout === null ? l10n.t('with an unknown timeout') : l10n.t('timeout {0}', visible(timeout))];
}

/** Whom a clause names, shortly: `left (PID 100)`, `one of 3 threads`. */
export function whoWords({ alternatives, external, gaps = [], atLeast = 1 }: Clause, index: SnapshotIndex): string {
  const threads = new Map(alternatives.flatMap(alternative => alternative.threads).map(thread => [`${thread.pid}.${thread.tid ?? ''}`, thread]));
  const [only] = threads.values();
  const known = threads.size === 1 && only ? threadName(index, only)
    : threads.size === 0 ? '' : atLeast > 1 ? l10n.t('at least {0} of {1} threads', atLeast, threads.size) : l10n.t('one of {0} threads', threads.size);
  const outside = external === undefined ? '' : visible(external);
  if (known !== '') return outside === '' ? known : l10n.t('{0}, or {1}', known, outside);
  return outside !== '' ? outside : gaps.length > 0 ? l10n.t('somebody who could not be seen') : l10n.t('nobody alive');
}

/** What one clause asks for. */
export function clauseTitle({ alternatives, external, atLeast = 1 }: Clause): string {
  const ways = alternatives.length + (external === undefined ? 0 : 1);
  if (atLeast > 1) return l10n.t('at least {0} of {1} must happen', atLeast, ways);
  return ways === 1 ? l10n.t('this must happen') : l10n.t('any of {0} must happen', ways);
}

/** The ways out of a wait as Markdown, a line each. */
export function clausesMarkdown({ clauses }: Wait, index: SnapshotIndex): string[] {
  if (clauses.length === 0) return [];
  const lines = clauses.slice(0, most).map(clause => {
    const title = clauses.length > 1 || clause.alternatives.length > 1 || (clause.atLeast ?? 1) > 1 ? `${inMarkdown(clauseTitle(clause))}: ` : '';
    const ways = clause.alternatives.slice(0, most).map(alternative => inMarkdown(alternativeWords(alternative, index)));
    if (clause.alternatives.length > most) ways.push(inMarkdown(l10n.t('{0} more', clause.alternatives.length - most)));
    if (clause.external !== undefined) ways.push(inMarkdown(l10n.t('external, because of {0}', clause.external), 1000));
    if ((clause.gaps ?? []).length > 0) ways.push(inMarkdown(count((clause.gaps ?? []).length, l10n.t('1 thing that could not be seen'), n => l10n.t('{0} things that could not be seen', n))));
    return `- ${title}${ways.length === 0 ? inMarkdown(l10n.t('nobody alive can bring it about')) : ways.join('; ')}`;
  });
  if (clauses.length > most) lines.push(`- ${inMarkdown(l10n.t('{0} more', clauses.length - most))}`);
  return [[inMarkdown(clauses.length > 1 ? l10n.t('It goes on when all of these have come about:') : l10n.t('It goes on when:')), '', ...lines].join('\n')];
}

/** A tooltip is read at a glance. */
const most = 8;

function alternativeWords({ event, threads, objectId }: Alternative, index: SnapshotIndex): string {
  const [only] = threads;
  const who = threads.length === 1 && only ? threadName(index, only) : threads.length === 0 ? l10n.t('nobody') : l10n.t('any of {0} threads', threads.length);
  const what = objectId === undefined ? visible(event) : l10n.t('{0} of {1}', visible(event), objectTitleOf(index, objectId));
  return l10n.t('{0} by {1}', what, who);
}

/** A wait's tooltip: verdict, what it is in, the ways out, and what was read. */
export function waitTooltip(wait: Wait, index: SnapshotIndex): string {
  const on = wait.objectId === undefined ? operationWords(wait) : l10n.t('{0} on {1}', operationWords(wait), objectTitleOf(index, wait.objectId));
  return [
    `**${inMarkdown(verdictWords(wait.verdict))}** ${inMarkdown(threadName(index, wait))}: ${inMarkdown(on)}`,
    ...placeMarkdown(index, wait),
    ...clausesMarkdown(wait, index),
    ...(wait.evidence.length === 0 ? [] : [[inMarkdown(l10n.t('Evidence:')), '', ...wait.evidence.slice(0, 20).map(it => `- ${inMarkdown(it, 1000)}`)].join('\n')]),
  ].join('\n\n');
}

function never(value: never): never {
  throw new Error(`not handled: ${String(value)}`);
}
