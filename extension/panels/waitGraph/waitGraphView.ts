// What a wait graph's panel shows of a snapshot: a pure function, tested without VS Code.
import { gapsAmongWaits } from '../../../native-probe/analysis/waitOrder';
import type { GraphChain, GraphView } from '../../../webview/waitGraphProtocol';
import { visible } from '../../words/presentation';
import type { SnapshotIndex } from '../../snapshotIndex';
import { l10n } from '../../translation';
import { isUnreadProcess } from '../../views/unseen';
import { threadName, verdictsInOrder, verdictWords } from '../../words/waitWords';
import { chosenWaits, findingKey, threadKey } from './chosenWaits';
import type { GraphChoice } from './chosenWaits';
import { graphOf } from './graphOf';
import type { Graph, Part } from './graphOf';
import { chainOfThread, nodeWords } from './graphWords';

/** So many nodes can be laid out in a moment and looked at. */
export const mostNodes = 300;

/** A view, and what its nodes stand for. */
export interface WaitGraphView { readonly view: GraphView; readonly parts: ReadonlyMap<string, Part> }

/** The view of a snapshot. */
export function waitGraphView(index: SnapshotIndex, choice: GraphChoice): WaitGraphView {
  const chosen = chosenWaits(index, choice);
  const graph = graphOf(index, chosen, choice);
  const nodes = [...graph.parts].map(([id, part]) => {
    const tone = graph.tones.get(id);
    return { ...nodeWords(id, part, { index, blocks: chosen.blocks }), ...(tone === undefined ? {} : { tone }) };
  });
  const edges = [...graph.edges].map(([id, edge]) => {
    const tone = graph.tones.get(id);
    return { id, ...edge, ...(edge.label === undefined ? {} : { label: visible(edge.label, 40) }), ...(tone === undefined ? {} : { tone }) };
  });
  const focus = choice.focus === undefined ? undefined : { key: choice.focus, title: focusTitle(choice.focus, index), gone: chosen.gone };
  return {
    parts: graph.parts,
    view: {
      nodes, edges, chains: chainsOf(index), rings: ringsOf(graph), ...(focus === undefined ? {} : { focus }),
      idle: { threads: chosen.idle, shown: choice.idle }, threads: { shown: graph.shown, all: chosen.waits.length },
      unseen: unseenThings(index),
    },
  };
}

/** More findings than this are not offered one by one. */
const mostChains = 100;

/** The findings, also those that are not drawn now: they can be chosen. */
function chainsOf(index: SnapshotIndex): GraphChain[] {
  const { findings } = index.snapshot;
  const sorted = [...findings].sort((a, b) => verdictsInOrder.indexOf(a.verdict) - verdictsInOrder.indexOf(b.verdict));
  return sorted.slice(0, mostChains).map(finding => ({
    key: findingKey(finding, index), tone: finding.verdict, explanation: visible(finding.explanation, 2000),
    title: l10n.t('{0}: {1}', verdictWords(finding.verdict), finding.chain.slice(0, 3).map(({ pid, tid }) => threadName(index, { pid, tid })).join(', ') + (finding.chain.length > 3 ? ', …' : '')),
    nodes: finding.chain.map(link => threadKey(link, index)),
  }));
}

function focusTitle(key: string, index: SnapshotIndex): string {
  const finding = index.snapshot.findings.find(it => findingKey(it, index) === key);
  if (finding) return verdictWords(finding.verdict);
  const [, pid, tid] = /^(?:thread|process):(\d+)\.\d*(?:\/(\d+))?$/.exec(key) ?? [];
  return pid === undefined ? l10n.t('A chain') : chainOfThread({ pid: Number(pid), ...(tid === undefined ? {} : { tid: Number(tid) }) }, index);
}

/** Circles of which no node is in an earlier one. */
function ringsOf({ chains }: Graph): string[][] {
  const taken = new Set<string>();
  return chains.flatMap(({ ring, nodes }) => {
    if (!ring || nodes.some(id => taken.has(id))) return [];
    for (const id of nodes) taken.add(id);
    return [[...nodes]];
  });
}

function unseenThings({ snapshot }: SnapshotIndex): number {
  return new Set(snapshot.gaps.filter(isUnreadProcess).map(gap => gap.scope.pid)).size + gapsAmongWaits(snapshot).length;
}

