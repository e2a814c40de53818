// Messages between the wait graph's host (extension/panels/waitGraph/) and its webview. Types only.
//
// The host says what there is, in words; the webview decides where it stands. All text is data: it is only ever put into
// text nodes. Ids are opaque to the webview, and the same over refreshes while they mean the same thing.

/** What a node is. `threads`: several threads of which any would do; `alike`: waiters that are drawn as one. */
export type GraphNodeKind = 'thread' | 'process' | 'threads' | 'alike' | 'object' | 'outside' | 'unseen' | 'nobody' | 'more';
/** How grave it is to be part of this: the verdict of the finding. */
export type GraphTone = 'deadlocked' | 'orphaned' | 'deadlocked-until-timeout' | 'behind-stopped' | 'suspected';
/** What can be done with a node. */
export type GraphAction = 'source' | 'inspect' | 'process' | 'chain' | 'unfold' | 'fold';

export interface GraphNode {
  readonly id: string;
  readonly kind: GraphNodeKind;
  /** A codicon that webview/waitGraph/icons.ts knows. */
  readonly icon: string;
  readonly title: string;
  readonly subtitle: string;
  /** Sentences on it, for whoever selects it. */
  readonly lines: readonly string[];
  readonly tone?: GraphTone;
  /** So many others wait for it, directly or not. */
  readonly blocks?: number;
  /** The first is what Enter and a double click do. */
  readonly actions: readonly GraphAction[];
}

/**
 * What an edge says. `waits`: the thread waits on it. `held`: only this thread can end that. `could`: this is one of those who could.
 * `leads`: what happens here ends what happens there. `one-of`: it is one of these. `outside`, `unseen`: somebody who is not in sight could.
 */
export type GraphEdgeKind = 'waits' | 'held' | 'could' | 'leads' | 'one-of' | 'outside' | 'unseen';
export interface GraphEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly kind: GraphEdgeKind;
  /** What is awaited: `unlock`, `data`, `waitpid`. */
  readonly label?: string;
  /** Part of a finding's chain. */
  readonly tone?: GraphTone;
}

/** A finding that can be looked at for itself. */
export interface GraphChain { readonly key: string; readonly title: string; readonly tone: GraphTone; readonly explanation: string; readonly nodes: readonly string[] }

export interface GraphView {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  readonly chains: readonly GraphChain[];
  /** Circles as node ids, in the order of their edges: they are laid out as rings. */
  readonly rings: readonly (readonly string[])[];
  /** What alone is shown. `gone`: it is no more. */
  readonly focus?: { readonly key: string; readonly title: string; readonly gone: boolean };
  /** Threads of which none has part in anything: how many, and whether they are shown. */
  readonly idle: { readonly threads: number; readonly shown: boolean };
  /** Blocked threads that are shown or folded into a node, and all that were to be shown. */
  readonly threads: { readonly shown: number; readonly all: number };
  /** Things that could not be seen. */
  readonly unseen: number;
}

/** Why there is nothing to draw. */
export type GraphNothing = 'pending' | 'no-focus';

/** Sentences the webview itself needs. `{0}` stands for what it fills in. */
export type GraphStrings = Readonly<Record<
  'graph' | 'list' | 'zoomIn' | 'zoomOut' | 'fit' | 'arrange' | 'exportSvg' | 'show' | 'everything' | 'idleShow' | 'idleHide' | 'idleNone' | 'unseen' | 'unseenOne' | 'capped' | 'problem' |
  'pending' | 'noFocus' | 'machine' | 'empty' | 'emptyIdle' | 'gone' | 'toolbar' | 'view' | 'help' | 'graphLabel' | 'legend' |
  'legendWaits' | 'legendCould' | 'legendOneOf' | 'legendDashed' | 'legendCycle' | 'legendSuspected' |
  'source' | 'inspect' | 'process' | 'chain' | 'unfold' | 'fold' | 'actions' | 'selected' |
  'waitsFor' | 'waitedBy' | 'heldBy' | 'couldBy' | 'leadsTo' | 'oneOf' | 'blocks' | 'blocksOne' | 'otherWaits' | 'changed' | 'laidOut' |
  'deadlocked' | 'orphaned' | 'deadlocked-until-timeout' | 'behind-stopped' | 'suspected', string>>;

/** What survives a reload of the window. */
export interface GraphState { readonly version: 1; readonly scope: 'machine' | 'focus'; readonly idle: boolean; readonly focus?: string; readonly form: 'graph' | 'list' }

export type ToWaitGraph =
  | { readonly type: 'strings'; readonly language: string; readonly strings: GraphStrings; readonly state: GraphState }
  /** `problem`: why the last refresh failed; what is shown is older then. */
  | { readonly type: 'nothing'; readonly why: GraphNothing; readonly problem?: string }
  | { readonly type: 'view'; readonly view: GraphView; readonly problem?: string };

export type FromWaitGraph =
  | { readonly type: 'ready' }
  /** Show this chain alone; without a key everything. */
  | { readonly type: 'focus'; readonly key?: string }
  | { readonly type: 'idle'; readonly shown: boolean }
  | { readonly type: 'form'; readonly form: 'graph' | 'list' }
  | { readonly type: 'act'; readonly action: GraphAction; readonly node: string }
  | { readonly type: 'unseen' }
  | { readonly type: 'machine' }
  | { readonly type: 'export'; readonly svg: string };
