// The view Waits: findings first, each with its chain in words, then every blocked thread and what it waits for. Pure.
import type { Alternative, Clause, Finding, ThreadRef, Wait, WaitVerdict } from '../../native-probe/model';
import { objectLabel, objectTitleOf } from '../objectWords';
import { inMarkdown, processName, visible } from '../presentation';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';
import { gapNode } from './treeNode';
import type { TreeNode } from './treeNode';

/** The view's roots. */
export function waitNodes(index: SnapshotIndex): TreeNode[] {
  const { findings, waits } = index.snapshot;
  return [
    ...findings.map(finding => findingNode(finding, index)),
    ...inOrder(waits.filter(wait => !isIdle(wait))).map(wait => waitNode('', wait, index)),
    ...idleNodes(inOrder(waits.filter(isIdle)), index),
    ...waitGaps(index),
  ];
}

/** In the order of interest: the worse verdict first. */
function inOrder(waits: readonly Wait[]): Wait[] {
  const worst: readonly WaitVerdict[] = ['deadlocked', 'orphaned', 'deadlocked-until-timeout', 'suspected', 'behind-stopped', 'waiting'];
  return [...waits].sort((a, b) => worst.indexOf(a.verdict) - worst.indexOf(b.verdict) || a.pid - b.pid || a.tid - b.tid);
}

/** Asleep on a word whose meaning is not known, as the idle threads of most run-times are. */
function isIdle(wait: Wait): boolean {
  return wait.operation === 'futex' && wait.verdict === 'waiting';
}

function idleNodes(waits: readonly Wait[], index: SnapshotIndex): TreeNode[] {
  return waits.length === 0 ? [] : [{
    id: 'idle',
    label: waits.length === 1 ? l10n.t('1 thread waits on a futex of unknown kind') : l10n.t('{0} threads wait on futexes of unknown kind', waits.length),
    icon: 'ellipsis',
    tooltip: () => l10n.t('Any thread that maps the memory can wake them. The idle threads of a run-time usually wait like this.'),
    expansion: 'collapsed',
    children: () => waits.map(wait => waitNode('', wait, index)),
  }];
}

/** What a thread is in, and on what: `flock on ledger.lock`, `pthread_mutex_lock on mutex 0x…`. */
function operationWords(wait: Wait, index: SnapshotIndex): string {
  const object = wait.objectId === undefined ? undefined : index.objects.get(wait.objectId);
  if (wait.objectId === undefined) return visible(wait.operation);
  if (wait.operation === 'futex') return objectTitleOf(index, wait.objectId);
  return l10n.t('{0} on {1}', visible(wait.operation), object?.kind === 'flock-lock' ? objectLabel(object) : objectTitleOf(index, wait.objectId));
}

function waitGaps(index: SnapshotIndex): TreeNode[] {
  const gaps = index.snapshot.gaps.filter(gap => gap.scope.facility === 'waits' || (gap.scope.pid !== undefined && gap.scope.field !== undefined));
  return gaps.map(gap => gapNode('waits', gap));
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

function verdictIcon(verdict: WaitVerdict): { icon: string; color?: string } {
  switch (verdict) {
    case 'deadlocked':
    case 'orphaned': return { icon: 'error', color: 'list.errorForeground' };
    case 'deadlocked-until-timeout':
    case 'suspected': return { icon: 'warning', color: 'list.warningForeground' };
    case 'behind-stopped': return { icon: 'debug-pause', color: 'debugIcon.pauseForeground' };
    case 'waiting': return { icon: 'watch' };
    default: return never(verdict);
  }
}

function findingNode(finding: Finding, index: SnapshotIndex): TreeNode {
  const id = `finding:${finding.verdict}:${finding.threads.map(it => `${it.pid}.${it.tid}`).sort().join(',')}`;
  return {
    id,
    label: verdictWords(finding.verdict),
    description: visible(finding.explanation, 300),
    ...verdictIcon(finding.verdict),
    tooltip: () => `**${verdictWords(finding.verdict)}**\n\n${inMarkdown(finding.explanation, 4000)}`,
    expansion: finding.chain.length === 0 ? 'none' : 'expanded',
    children: () => [
      ...finding.chain.map((_, i) => chainNode(`${id}/${i}`, finding, i, index)),
      ...finding.gaps.flatMap(gapId => index.snapshot.gaps.filter(gap => gap.id === gapId)).map(gap => gapNode(id, gap)),
    ],
  };
}

/** One step of a chain: who waits for what, and who has that: the next in the chain. */
function chainNode(id: string, finding: Finding, position: number, index: SnapshotIndex): TreeNode {
  const link = finding.chain[position];
  const next = finding.chain[position + 1] ?? finding.chain[0];
  if (!link || !next) throw new Error(`no link ${position} in a chain of ${finding.chain.length}`);
  const wait = waitOf(index, link);
  const what = link.objectId === undefined ? wait?.operation ?? '' : objectTitleOf(index, link.objectId);
  const description = what === '' ? ''
    : wait === undefined || (finding.chain.length === 1 && finding.verdict === 'orphaned') ? l10n.t('waits for {0}', what)
      : l10n.t('waits for {0}, held by {1}', what, threadName(index, next));
  return {
    id,
    label: threadName(index, link),
    description,
    icon: 'arrow-down',
    tooltip: () => [l10n.t('{0} {1}', inMarkdown(threadName(index, link)), inMarkdown(description)), ...(wait?.evidence ?? []).map(it => inMarkdown(it))].join('\n\n'),
    marks: link.objectId === undefined || !index.objects.has(link.objectId) ? ['process'] : ['object', 'process'],
    expansion: 'none',
    ...(link.objectId === undefined ? {} : { objectId: link.objectId }),
    pid: link.pid,
  };
}

function waitNode(parent: string, wait: Wait, index: SnapshotIndex): TreeNode {
  const id = `${parent}wait:${wait.pid}.${wait.tid}`;
  return {
    id,
    label: threadName(index, wait),
    description: [
      operationWords(wait, index),
      ...(wait.timeout === undefined ? [] : [wait.timeout === null ? l10n.t('with an unknown timeout') : l10n.t('timeout {0}', visible(wait.timeout))]),
      ...(wait.stopped ? [l10n.t('stopped')] : []),
    ].join(' · '),
    ...verdictIcon(wait.verdict),
    tooltip: () => [`**${verdictWords(wait.verdict)}**`, ...wait.evidence.map(it => inMarkdown(it, 1000))].join('\n\n'),
    marks: wait.objectId !== undefined && index.objects.has(wait.objectId) ? ['object', 'process'] : ['process'],
    expansion: wait.clauses.length === 0 ? 'none' : 'collapsed',
    children: () => wait.clauses.flatMap((clause, i) => clauseNodes(`${id}/${i}`, clause, wait.clauses.length > 1, index)),
    ...(wait.objectId === undefined ? {} : { objectId: wait.objectId }),
    pid: wait.pid,
  };
}

/** The ways out of a wait. Several clauses must all come about, so each then has a node of its own. */
function clauseNodes(id: string, clause: Clause, several: boolean, index: SnapshotIndex): TreeNode[] {
  const ways: TreeNode[] = [
    ...clause.alternatives.map((alternative, i) => alternativeNode(`${id}/${i}`, alternative, index)),
    ...(clause.external === undefined ? [] : [{ id: `${id}/external`, label: visible(clause.external), description: l10n.t('outside what can be seen'), icon: 'globe', expansion: 'none' as const }]),
    ...(clause.gaps ?? []).flatMap(gapId => index.snapshot.gaps.filter(gap => gap.id === gapId)).map(gap => gapNode(id, gap)),
  ];
  if (!several) return ways;
  const atLeast = clause.atLeast ?? 1;
  return [{ id, label: atLeast === 1 ? l10n.t('until one of these happens') : l10n.t('until {0} of these happen', atLeast), icon: 'list-tree', expansion: 'expanded', children: () => ways }];
}

function alternativeNode(id: string, alternative: Alternative, index: SnapshotIndex): TreeNode {
  const [only] = alternative.threads;
  const what = alternative.objectId === undefined ? '' : objectTitleOf(index, alternative.objectId);
  return {
    id,
    label: alternative.threads.length === 1 && only ? threadName(index, only) : alternative.threads.length === 0 ? l10n.t('Nobody') : l10n.t('Any of {0} threads', alternative.threads.length),
    description: [visible(alternative.event), what].filter(it => it !== '').join(' · '),
    icon: 'arrow-right',
    expansion: alternative.threads.length > 1 ? 'collapsed' : 'none',
    children: () => alternative.threads.map(thread => ({
      id: `${id}/${thread.pid}.${thread.tid ?? ''}`, label: threadName(index, thread), icon: 'server-process', expansion: 'none', marks: ['process'], pid: thread.pid,
    })),
    ...(only && alternative.threads.length === 1 ? { pid: only.pid, marks: ['process' as const] } : {}),
  };
}

/** `worker (PID 12, thread 14)`; the main thread, and "any thread", are the process. */
export function threadName(index: SnapshotIndex, { pid, tid }: ThreadRef): string {
  const process = index.processes.get(pid);
  const comm = (tid === undefined ? undefined : waitOf(index, { pid, tid })?.threadComm) ?? process?.comm;
  const place = tid === undefined || tid === pid ? l10n.t('PID {0}', pid) : l10n.t('PID {0}, thread {1}', pid, tid);
  return comm === undefined ? place : l10n.t('{0} ({1})', comm === process?.comm ? processName(process, pid) : visible(comm), place);
}

function waitOf(index: SnapshotIndex, { pid, tid }: { pid: number; tid: number }): Wait | undefined {
  return index.snapshot.waits.find(it => it.pid === pid && it.tid === tid);
}

function never(value: never): never {
  throw new Error(`not handled: ${String(value)}`);
}
