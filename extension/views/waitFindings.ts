// A finding of who waits for whom: its chain step by step, who is stuck behind it, and what could still prove it wrong. Pure.
import type { ChainLink, Finding, Wait } from '../../native-probe/model';
import { objectTitleOf } from '../words/objectWords';
import { findingKey } from '../panels/waitGraph/chosenWaits';
import { atWords, lineMark } from '../words/placeWords';
import { inMarkdown, visible } from '../words/presentation';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';
import { operationWords, threadName, verdictIcon, verdictMeaning, verdictsInOrder, verdictWords, waitTooltip, whoWords } from '../words/waitWords';
import { gapNode } from './treeNode';
import type { TreeNode } from './treeNode';
import { marksOf, waitId, waitNode, wayNodes } from './waitNodes';
import type { WaitPlaces } from './waitNodes';

/** More suspicions than this are folded into one node: they must not bury what is certain. */
const fewSuspicions = 5;

/** Id of a finding's node: the same while it is about the same threads. */
export function findingId({ threads }: Pick<Finding, 'threads'>): string {
  return `finding:${threads.map(it => `${it.pid}.${it.tid}`).sort().join(',')}`;
}

interface Folded { readonly certain: readonly Finding[]; readonly suspected: readonly Finding[] }

/** The findings to show one by one, the worst first, and those to fold. */
function folded(index: SnapshotIndex): Folded {
  const sorted = [...index.snapshot.findings].sort((a, b) => verdictsInOrder.indexOf(a.verdict) - verdictsInOrder.indexOf(b.verdict) || b.threads.length - a.threads.length || (findingId(a) < findingId(b) ? -1 : 1));
  const suspected = sorted.filter(it => it.verdict === 'suspected');
  return suspected.length <= fewSuspicions ? { certain: sorted, suspected: [] } : { certain: sorted.filter(it => it.verdict !== 'suspected'), suspected };
}

/** The roots that are findings. */
export function findingNodes(places: WaitPlaces): TreeNode[] {
  const { certain, suspected } = folded(places.index);
  return [
    ...certain.map(finding => findingNode(finding, places)),
    ...(suspected.length === 0 ? [] : [{
      id: 'suspected', label: l10n.t('{0} suspected deadlocks', suspected.length), ...verdictIcon('suspected'), expansion: 'collapsed' as const,
      tooltip: () => inMarkdown(verdictMeaning('suspected')), children: () => suspected.map(finding => findingNode(finding, places)),
    }]),
  ];
}

/** Where the threads of all findings stand: ids from a root down. */
export function* findingPaths(index: SnapshotIndex): Iterable<[thread: string, path: readonly string[]]> {
  const { certain, suspected } = folded(index);
  for (const finding of [...certain, ...suspected]) {
    const path = findingPath(finding, index);
    const id = findingId(finding);
    for (const thread of behind(finding)) yield [`${thread.pid}.${thread.tid}`, [...path, `${id}/behind`, waitId(`${id}/behind`, thread)]];
    for (const [i, link] of finding.chain.entries()) yield [`${link.pid}.${link.tid}`, [...path, `${id}/${i}`]];
  }
}

/** Where a finding stands: ids from a root down. */
export function findingPath(finding: Finding, index: SnapshotIndex): readonly string[] {
  return [...(folded(index).suspected.includes(finding) ? ['suspected'] : []), findingId(finding)];
}

function behind({ threads, chain }: Finding): Finding['threads'] {
  const inChain = new Set(chain.map(link => `${link.pid}.${link.tid}`));
  return threads.filter(({ pid, tid }) => !inChain.has(`${pid}.${tid}`));
}

function findingNode(finding: Finding, places: WaitPlaces): TreeNode {
  const { index } = places;
  const { verdict, threads, chain, explanation } = finding;
  const id = findingId(finding);
  const gaps = finding.gaps.flatMap(gapId => index.gap(gapId) ?? []);
  return {
    id, label: verdictWords(verdict),
    description: l10n.t('{0}: {1}', threads.length === 1 ? l10n.t('1 thread') : l10n.t('{0} threads', threads.length), visible(explanation, 300)),
    ...verdictIcon(verdict),
    tooltip: () => `**${inMarkdown(verdictWords(verdict))}**\n\n${inMarkdown(explanation, 4000)}\n\n${inMarkdown(verdictMeaning(verdict))}`,
    marks: ['graph', 'finding'], graph: { scope: places.scope, chain: findingKey(finding, index) },
    attach: { threads, objectIds: [...new Set(chain.flatMap(link => link.objectId ?? []))] },
    expansion: chain.length === 0 ? 'none' : verdict === 'suspected' ? 'collapsed' : 'expanded',
    children: () => [
      ...chain.map((link, i) => stepNode(`${id}/${i}`, finding, link, i, places)),
      ...behindNode(`${id}/behind`, behind(finding).flatMap(({ pid, tid }) => index.waitOf(pid, tid) ?? []), places),
      ...gaps.map(gap => ({ ...gapNode(id, gap), label: l10n.t('Unless: {0}', visible(gap.reason)) })),
    ],
  };
}

/** One step of a chain: who waits for what, and who has that: the next in the chain. */
function stepNode(id: string, finding: Finding, link: ChainLink, position: number, places: WaitPlaces): TreeNode {
  const { index } = places;
  const { chain, verdict } = finding;
  const wait = index.waitOf(link.pid, link.tid);
  const last = verdict === 'behind-stopped' && position === chain.length - 1 && (wait === undefined || wait.stopped === true);
  const description = last ? stopWords(wait) : stepWords(wait, link, chain[position + 1] ?? chain[0] ?? link, verdict, index);
  return {
    id, label: threadName(index, link), description: [description, ...atWords(index, link)].filter(it => it !== '').join(' · '),
    icon: last || wait?.stopped ? 'debug-pause' : 'arrow-down',
    tooltip: () => wait ? waitTooltip(wait, index) : inMarkdown(description),
    marks: [...marksOf(link.objectId, index), 'thread', ...lineMark(index, link), 'graph'], graph: { scope: places.scope, chain: findingKey(finding, index) },
    expansion: wait ? 'collapsed' : 'none',
    children: () => wait ? wayNodes(id, wait, link.objectId, places) : [],
    ...(link.objectId === undefined ? {} : { objectId: link.objectId }),
    pid: link.pid, tid: link.tid,
    attach: { threads: [link], objectIds: link.objectId === undefined ? [] : [link.objectId] },
  };
}

/** The end of a chain that leads to a stopped thread. */
function stopWords(wait: Wait | undefined): string {
  if (wait === undefined) return l10n.t('is stopped');
  return wait.clauses.length === 0 ? l10n.t('is stopped, and waits for nobody') : l10n.t('is stopped in {0}', visible(wait.operation));
}

function stepWords(wait: Wait | undefined, link: ChainLink, next: ChainLink, verdict: Finding['verdict'], index: SnapshotIndex): string {
  if (!wait) return '';
  const what = link.objectId === undefined ? operationWords(wait) : objectTitleOf(index, link.objectId);
  const stopped = wait.stopped && link.objectId !== undefined ? ` · ${l10n.t('stopped')}` : '';
  if (verdict === 'orphaned') return l10n.t('waits for {0}', what) + stopped;
  // Who stands next in the chain is one of those who could end it; a lock has its holder.
  const names = wait.clauses.some(({ alternatives }) => alternatives.some(({ threads }) => threads.some(({ pid, tid }) => pid === next.pid && (tid === undefined || tid === next.tid))));
  const who = names ? threadName(index, next) : wait.clauses.map(clause => whoWords(clause, index)).join(', ');
  // That a debugger must let it go on, too, is said by "stopped".
  const held = wait.clauses.filter(({ alternatives }) => alternatives.some(({ event }) => event !== 'ptrace')).every(({ alternatives }) => alternatives.every(({ event }) => event === 'unlock'));
  if (who === '') return l10n.t('waits for {0}', what) + stopped;
  return (held ? l10n.t('waits for {0}, held by {1}', what, who) : l10n.t('waits for {0}, which {1} could end', what, who)) + stopped;
}

function behindNode(id: string, waits: readonly Wait[], places: WaitPlaces): TreeNode[] {
  if (waits.length === 0) return [];
  return [{
    id, label: waits.length === 1 ? l10n.t('1 more thread is stuck behind them') : l10n.t('{0} more threads are stuck behind them', waits.length),
    icon: 'indent', expansion: waits.length <= 5 ? 'expanded' : 'collapsed',
    children: () => waits.map(wait => waitNode(id, wait, places, wait.objectId === undefined ? operationWords(wait) : l10n.t('{0} on {1}', operationWords(wait), objectTitleOf(places.index, wait.objectId)))),
  }];
}
