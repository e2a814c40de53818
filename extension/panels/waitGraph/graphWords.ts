// A wait graph in words: what each node is called, what is said of it, and what can be done with it. Pure.
import { facilityTable } from '../../../native-probe/facilityTable';
import type { ThreadRef, Wait } from '../../../native-probe/model';
import type { GraphAction, GraphNode, GraphStrings } from '../../../webview/waitGraphProtocol';
import { objectLabel, objectSummary, objectTitleOf } from '../../words/objectWords';
import { atWords, lineMark } from '../../words/placeWords';
import { count, processName, visible } from '../../words/presentation';
import type { SnapshotIndex } from '../../snapshotIndex';
import { l10n } from '../../translation';
import { clauseTitle, operationWords, threadName, verdictMeaning, verdictWords, whoWords } from '../../words/waitWords';
import { isUnreadProcess } from '../../views/unseen';
import type { Part } from './graphOf';

/** What is known beside the snapshot. */
export interface GraphContext {
  readonly index: SnapshotIndex;
  /** By `PID.TID`: how many threads wait for it. */
  readonly blocks: ReadonlyMap<string, number>;
}

/** Evidence lines and clauses that a node tells; the rest stands in the views. */
const mostLines = 12;

/** A node in words, but for its tone. */
export function nodeWords(id: string, part: Part, context: GraphContext): GraphNode {
  const { index } = context;
  const node = (icon: string, title: string, subtitle: string, lines: readonly string[], actions: readonly GraphAction[]): GraphNode =>
    ({ id, kind: part.kind, icon, title: visible(title, 80), subtitle: visible(subtitle, 80), lines: lines.filter(it => it !== '').slice(0, mostLines), actions });
  switch (part.kind) {
    case 'thread': return threadNode(id, part, context);
    case 'process': {
      const process = index.processes.get(part.pid);
      return node('server-process', l10n.t('Any thread of {0}', processName(process, part.pid)), l10n.t('PID {0}', part.pid), [l10n.t('Any of its threads could bring it about.'), ...processLines(part.pid, index)], ['process']);
    }
    case 'threads': {
      const pids = new Set(part.threads.map(({ pid }) => pid));
      return node('organization', l10n.t('Any of {0} threads', part.threads.length), l10n.t('in {0} processes', pids.size), part.threads.map(thread => threadName(index, thread)), []);
    }
    case 'alike': {
      const [first] = part.waits;
      const pids = new Set(part.waits.map(({ pid }) => pid));
      const of = pids.size === 1 && first ? threadName(index, { pid: first.pid }) : l10n.t('in {0} processes', pids.size);
      return node('organization', l10n.t('{0} threads', part.waits.length), first ? `${operationWords(first)} · ${of}` : of, [
        l10n.t('They wait alike: in {0}, on the same object.', first ? visible(first.operation) : ''),
        ...part.waits.slice(0, mostLines - 2).map(wait => threadName(index, wait)),
      ], ['unfold']);
    }
    case 'object': {
      const object = index.objects.get(part.objectId);
      const row = object && facilityTable.get(object.kind);
      const [label, kind] = [object ? objectLabel(object) : visible(part.objectId), row ? l10n.t(row.label) : l10n.t('not in the snapshot')];
      // What has no name of its own is told by its kind, and then by where it lies.
      const nameless = row !== undefined && (/^(in |at |0x|futex:)/.test(label) || label.length > 40);
      return node(row?.icon ?? 'symbol-misc', nameless ? sentence(kind) : label, nameless ? label : kind,
        [object ? objectSummary(object, index) : l10n.t('Nothing else is known of it.'), ...index.gapsOf(part.objectId).map(gap => visible(gap.reason, 300))], object ? ['inspect'] : []);
    }
    case 'outside': return node('globe', l10n.t('Outside'), part.reason, [l10n.t('Something outside of what can be seen can end this wait: {0}. It never makes a deadlock certain.', visible(part.reason, 1000))], []);
    case 'unseen': return node('eye-closed', l10n.t('Not seen'), part.gaps[0]?.reason ?? '', part.gaps.flatMap(gap => [visible(gap.reason, 1000), ...(gap.remedy === undefined ? [] : [l10n.t('What would help: {0}', visible(gap.remedy, 1000))])]), []);
    case 'nobody': return node('circle-slash', l10n.t('Nobody alive'), l10n.t('can bring it about'), [l10n.t('Nobody alive can bring it about')], []);
    case 'more': return node('ellipsis', l10n.t('{0} more', part.ways), l10n.t('ways out of this wait'), [], []);
    default: return part satisfies never;
  }
}

/** With a capital, as a title has it. */
function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function threadNode(id: string, part: Extract<Part, { kind: 'thread' }>, { index, blocks }: GraphContext): GraphNode {
  const { pid, tid, wait } = part;
  const process = index.processes.get(pid);
  const comm = wait?.threadComm ?? process?.comm;
  // A debugger that stopped it has told where it is.
  const [place] = atWords(index, part);
  const unread = index.snapshot.gaps.some(gap => gap.scope.pid === pid && (isUnreadProcess(gap) || gap.scope.facility === 'waits') && gap.errno !== undefined);
  const doing = wait ? operationWords(wait) : process ? unread ? l10n.t('what it does could not be seen') : l10n.t('not blocked') : l10n.t('not in the snapshot');
  const blocked = blocks.get(`${pid}.${tid}`);
  return {
    id, kind: 'thread', icon: wait?.stopped ? 'debug-pause' : 'gear',
    title: comm === undefined ? l10n.t('PID {0}', pid) : comm === process?.comm ? processName(process, pid) : visible(comm, 80),
    subtitle: visible([tid === pid ? l10n.t('PID {0}', pid) : l10n.t('PID {0}, thread {1}', pid, tid), place === undefined ? doing : `${wait ? `${visible(wait.operation)} ` : ''}${visible(place, 60)}`].join(' · '), 100),
    lines: [
      ...(wait && wait.verdict !== 'waiting' ? [`${verdictWords(wait.verdict)}. ${verdictMeaning(wait.verdict)}`] : []),
      ...(place === undefined ? [] : [l10n.t('Stopped {0}', visible(place, 400))]),
      ...(wait ? waitLines(wait, index) : [doing]),
      ...processLines(pid, index),
    ].slice(0, mostLines),
    ...(blocked === undefined ? {} : { blocks: blocked }),
    actions: [...(lineMark(index, part).length > 0 ? ['source' as const] : []), 'process', ...(wait && wait.clauses.length > 0 ? ['chain' as const] : []), ...(part.foldable === undefined ? [] : ['fold' as const])],
  };
}

function waitLines(wait: Wait, index: SnapshotIndex): string[] {
  return [
    wait.objectId === undefined ? operationWords(wait) : l10n.t('{0} on {1}', operationWords(wait), objectTitleOf(index, wait.objectId)),
    ...wait.clauses.slice(0, 4).map(clause => {
      const who = whoWords(clause, index);
      return clause.alternatives.length > 1 || (clause.atLeast ?? 1) > 1 ? l10n.t('{0}: {1}', clauseTitle(clause), who) : l10n.t('Could be ended by {0}', who);
    }),
    ...wait.evidence.map(it => visible(it, 300)),
  ];
}

function processLines(pid: number, index: SnapshotIndex): string[] {
  const process = index.processes.get(pid);
  return process?.cmdline && process.cmdline.length > 0 ? [l10n.t('Command line: {0}', visible(process.cmdline.join(' '), 300))] : [];
}

/** A thread that a chain is named after. */
export function chainOfThread(thread: ThreadRef, index: SnapshotIndex): string {
  return l10n.t('{0} and who waits for it', threadName(index, thread));
}

/** `1 thread`, `5 threads`. */
export function threadsWords(threads: number): string {
  return count(threads, l10n.t('1 thread'), n => l10n.t('{0} threads', n));
}

/** The sentences that the webview needs for itself. */
export function graphStrings(): GraphStrings {
  return {
    graph: l10n.t('Graph'), list: l10n.t('List'), zoomIn: l10n.t('Zoom In'), zoomOut: l10n.t('Zoom Out'), fit: l10n.t('Fit'), arrange: l10n.t('Arrange Anew'), exportSvg: l10n.t('Export as SVG…'),
    show: l10n.t('Show'), everything: l10n.t('Everything'), idleShow: l10n.t('Show {0} idle threads', '{0}'), idleHide: l10n.t('Fold {0} idle threads', '{0}'), idleNone: l10n.t('No idle threads'),
    unseen: l10n.t('{0} things could not be seen', '{0}'), unseenOne: l10n.t('1 thing could not be seen'),
    capped: l10n.t('{0} of {1} blocked threads are drawn. Choose a chain to see the others.', '{0}', '{1}'),
    problem: l10n.t('The last refresh failed, this may be out of date: {0}', '{0}'),
    pending: l10n.t('Looking at every thread…'), noFocus: l10n.t('Nothing is debugged or followed.'), machine: l10n.t('Show All Threads of the Machine'),
    empty: l10n.t('Nobody waits for anybody.'), emptyIdle: l10n.t('{0} threads are idle: they wait for what may come.', '{0}'), gone: l10n.t('This chain is no more.'),
    toolbar: l10n.t('Wait graph actions'), view: l10n.t('Form'), graphLabel: l10n.t('Wait graph: {0} nodes', '{0}'),
    help: l10n.t('Arrow keys follow the edges. Page Down and Page Up go through all nodes. Enter opens, plus and minus zoom, 0 fits. The list says the same in words.'),
    legend: l10n.t('Legend'), legendWaits: l10n.t('waits for, is held by'), legendCould: l10n.t('one of those who could end it'), legendOneOf: l10n.t('one of its threads'), legendDashed: l10n.t('outside, or not seen'),
    legendCycle: l10n.t('deadlock'), legendSuspected: l10n.t('suspected'),
    source: l10n.t('Go to Source'), inspect: l10n.t('Inspect'), process: l10n.t('Reveal in Processes'), chain: l10n.t('Show This Chain'), unfold: l10n.t('Unfold'), fold: l10n.t('Fold'), actions: l10n.t('Actions'),
    selected: l10n.t('Selected: {0}', '{0}'),
    waitsFor: l10n.t('waits for {0}', '{0}'), waitedBy: l10n.t('awaited by {0}', '{0}'), heldBy: l10n.t('held by {0}', '{0}'), couldBy: l10n.t('{0} could end it', '{0}'), leadsTo: l10n.t('depends on {0}', '{0}'), oneOf: l10n.t('one of them is {0}', '{0}'),
    blocks: l10n.t('blocks {0} threads', '{0}'), blocksOne: l10n.t('blocks 1 thread'), otherWaits: l10n.t('Other waits'), changed: l10n.t('The graph has changed: {0} nodes.', '{0}'), laidOut: l10n.t('Arranged.'),
    deadlocked: verdictWords('deadlocked'), orphaned: verdictWords('orphaned'), 'deadlocked-until-timeout': verdictWords('deadlocked-until-timeout'), 'behind-stopped': verdictWords('behind-stopped'), suspected: verdictWords('suspected'),
  };
}
