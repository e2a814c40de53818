// The wait graph: a webview panel of all threads of the machine, and one of what is debugged or followed. Live while visible,
// restored after a reload of the window.
import * as vscode from 'vscode';
import type { ThreadRef } from '../../../native-probe/model';
import type { FromWaitGraph, GraphAction, GraphState, ToWaitGraph } from '../../../webview/waitGraphProtocol';
import { commandIds } from '../../contributions';
import { DisposableStore } from '../../dispose';
import type { FocusTracker } from '../../focus';
import { pidsOf } from '../../focus';
import type { IpcModel, Query, Subscription } from '../../ipcModel';
import { indexOf } from '../../snapshotIndex';
import { l10n } from '../../translation';
import { loadWebview, OpenPanels } from '../openPanels';
import { threadKey } from './chosenWaits';
import type { Part } from './graphOf';
import { graphStrings } from './graphWords';
import { mostNodes, waitGraphView } from './waitGraphView';

/** `viewType` of the panels; package.json activates on `onWebviewPanel:` of it. */
export const waitGraphViewType = 'ipcInspector.waitGraph';

export type GraphScope = GraphState['scope'];

/** What a wait graph asks of the rest of the extension. */
export interface WaitGraphHost {
  readonly model: Pick<IpcModel, 'subscribe'>;
  readonly focus: Pick<FocusTracker, 'current' | 'onDidChange' | 'look'>;
  readonly extensionUri: vscode.Uri;
  /** Opens the inspector of an object. */
  readonly inspect: (objectId: string) => void;
  /** Shows a process in the view Processes. */
  readonly revealProcess: (pid: number) => void;
  /** Explains what could not be seen. */
  readonly explainUnseen: () => void;
  /** Opens the line at which a debugger has stopped a thread. */
  readonly openSource: (thread: ThreadRef) => void;
  /** Reports what could not be done. */
  readonly failed: (message: string) => void;
}

/** The open wait graphs. Construct once in activate(): it registers the serializer too. */
export class WaitGraphs implements vscode.Disposable {
  private readonly panels: OpenPanels<GraphState, WaitGraphPanel>;

  constructor(host: WaitGraphHost) {
    this.panels = new OpenPanels({ viewType: waitGraphViewType, asState, keyOf: ({ scope }) => scope, make: (panel, state) => new WaitGraphPanel(panel, state, host) });
  }

  /** Opens the graph of a scope, or brings it to the front. `chain`: shows this chain alone. */
  show(scope: GraphScope, chain?: string): void {
    const present = this.panels.reveal(scope);
    if (present) {
      if (chain !== undefined) present.chooseChain(chain);
      return;
    }
    this.panels.open({ version: 1, scope, idle: false, form: 'graph', ...(chain === undefined ? {} : { focus: chain }) }, titleOf(scope));
  }

  dispose(): void {
    this.panels.dispose();
  }
}

function titleOf(scope: GraphScope): string {
  return scope === 'machine' ? l10n.t('Wait Graph') : l10n.t('Wait Graph of the Debuggee');
}

/** One panel. Its webview is thrown away while hidden and asks for everything again (`ready`) when shown. */
class WaitGraphPanel implements vscode.Disposable {
  private readonly store = new DisposableStore();
  private readonly subscription: Subscription;
  private readonly unfolded = new Set<string>();
  private parts: ReadonlyMap<string, Part> = new Map();
  private sent: string | undefined;
  private listening = false;

  constructor(readonly panel: vscode.WebviewPanel, private state: GraphState, private readonly host: WaitGraphHost) {
    const { webview } = panel;
    this.subscription = this.store.add(host.model.subscribe(this.query()));
    this.store.add(this.subscription.onDidChange(() => this.send()));
    if (state.scope === 'focus') {
      this.store.add(host.focus.onDidChange(() => {
        this.subscription.setQuery(this.query());
        this.follow();
        this.send();
      }));
    }
    this.store.add(webview.onDidReceiveMessage((message: unknown) => {
      if (isFromWaitGraph(message)) this.receive(message);
    }));
    this.store.add(panel.onDidChangeViewState(() => this.follow()));
    panel.title = titleOf(state.scope);
    loadWebview(panel, host.extensionUri, 'waitGraphPanel');
    this.follow();
  }

  /** Shows one chain alone. */
  chooseChain(key: string | undefined): void {
    const { focus: _, ...rest } = this.state;
    this.state = key === undefined ? rest : { ...rest, focus: key };
    this.send();
  }

  dispose(): void {
    this.store.dispose();
    this.panel.dispose();
  }

  private query(): Query {
    return this.state.scope === 'machine' ? { waits: true } : { pids: pidsOf(this.host.focus.current), waits: true };
  }

  /** Asks only while somebody looks, and only about something. */
  private follow(): void {
    const active = this.panel.visible && (this.state.scope === 'machine' || pidsOf(this.host.focus.current).length > 0);
    // Whose children they are is found out by who wants to know.
    if (active && this.state.scope === 'focus') void this.host.focus.look();
    this.subscription.setActive(active);
  }

  private send(): void {
    if (!this.listening) return;
    const message = this.message();
    const text = JSON.stringify(message);
    if (text === this.sent) return;
    this.sent = text;
    void this.panel.webview.postMessage(message);
  }

  private message(): ToWaitGraph {
    const problem = this.subscription.error;
    if (this.state.scope === 'focus' && pidsOf(this.host.focus.current).length === 0) return { type: 'nothing', why: 'no-focus', problem };
    const { snapshot } = this.subscription;
    if (!snapshot) return { type: 'nothing', why: 'pending', problem };
    const { idle, focus } = this.state;
    const { view, parts } = waitGraphView(indexOf(snapshot), { idle, everybody: this.state.scope === 'machine', ...(focus === undefined ? {} : { focus }), unfolded: this.unfolded, most: mostNodes });
    this.parts = parts;
    return { type: 'view', view, problem };
  }

  private receive(message: FromWaitGraph): void {
    switch (message.type) {
      case 'ready':
        this.listening = true;
        this.sent = undefined;
        void this.panel.webview.postMessage({ type: 'strings', language: vscode.env.language, strings: graphStrings(), state: this.state } satisfies ToWaitGraph);
        this.send();
        break;
      case 'focus': this.chooseChain(message.key); break;
      case 'idle': this.state = { ...this.state, idle: message.shown }; this.send(); break;
      case 'form': this.state = { ...this.state, form: message.form }; break;
      case 'act': this.act(message.action, message.node); break;
      case 'unseen': this.host.explainUnseen(); break;
      case 'machine': void vscode.commands.executeCommand(commandIds.showWaitGraph); break;
      case 'export': void this.save(message.svg); break;
      default: message satisfies never;
    }
  }

  /** Only what is drawn can be acted on: the webview names a node, and what that stands for is known here. */
  private act(action: GraphAction, id: string): void {
    const part = this.parts.get(id);
    if (!part) return;
    switch (action) {
      case 'inspect': if (part.kind === 'object') this.host.inspect(part.objectId); break;
      case 'process': if (part.kind === 'thread' || part.kind === 'process') this.host.revealProcess(part.pid); break;
      case 'source': if (part.kind === 'thread') this.host.openSource({ pid: part.pid, tid: part.tid }); break;
      case 'chain': {
        const { snapshot } = this.subscription;
        if (part.kind === 'thread' && snapshot) this.chooseChain(threadKey(part, indexOf(snapshot)));
        break;
      }
      case 'unfold': if (part.kind === 'alike') { this.unfolded.add(id); this.send(); } break;
      case 'fold': if (part.kind === 'thread' && part.foldable !== undefined) { this.unfolded.delete(part.foldable); this.send(); } break;
      default: action satisfies never;
    }
  }

  private async save(svg: string): Promise<void> {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    const name = `wait-graph-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')}.svg`;
    const target = await vscode.window.showSaveDialog({ filters: { SVG: ['svg'] }, title: l10n.t('Export the Wait Graph'), ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, name) } : {}) });
    if (!target) return;
    try {
      await vscode.workspace.fs.writeFile(target, Buffer.from(svg, 'utf8'));
    } catch (error) {
      this.host.failed(l10n.t('The wait graph cannot be written to {0}: {1}', target.fsPath, error instanceof Error ? error.message : String(error)));
      return;
    }
    const open = l10n.t('Open');
    if (await vscode.window.showInformationMessage(l10n.t('The wait graph is in {0}.', vscode.workspace.asRelativePath(target)), open) === open) await vscode.commands.executeCommand('vscode.open', target);
  }
}

/** The state that a webview kept, if it is one; webview storage is outside our control. */
export function asState(value: unknown): GraphState | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { version, scope, idle, focus, form } = value as Record<string, unknown>;
  if (version !== 1 || (scope !== 'machine' && scope !== 'focus') || typeof idle !== 'boolean' || (form !== 'graph' && form !== 'list') || (focus !== undefined && typeof focus !== 'string')) return undefined;
  return { version, scope, idle, form, ...(focus === undefined ? {} : { focus }) };
}

/** More than any drawing of `mostNodes` nodes takes. */
const longestSvg = 8_000_000;

/** Messages come from a document of ours, but a document all the same. */
function isFromWaitGraph(value: unknown): value is FromWaitGraph {
  if (typeof value !== 'object' || value === null) return false;
  const { type, key, shown, form, action, node, svg } = value as Record<string, unknown>;
  switch (type) {
    case 'ready': case 'unseen': case 'machine': return true;
    case 'focus': return key === undefined || typeof key === 'string';
    case 'idle': return typeof shown === 'boolean';
    case 'form': return form === 'graph' || form === 'list';
    case 'act': return typeof node === 'string' && typeof action === 'string' && ['source', 'inspect', 'process', 'chain', 'unfold', 'fold'].includes(action);
    case 'export': return typeof svg === 'string' && svg.length <= longestSvg && svg.startsWith('<svg');
    default: return false;
  }
}
