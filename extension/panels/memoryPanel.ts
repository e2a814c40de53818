// Memory views: one webview panel per object, live while visible, restored after a reload of the window.
import * as vscode from 'vscode';
import { CancellationTokenSource } from 'vscode-jsonrpc/node';
import type { CancellationToken } from 'vscode-jsonrpc/node';
import { facility } from '../../native-probe/facilityTable';
import type { Host, IpcObject } from '../../native-probe/model';
import type { Method, Requests } from '../../native-probe/protocol';
import type { FromMemory, MemoryState, ToMemory } from '../../webview/memoryProtocol';
import type { Administrator } from '../elevation/administrator';
import { commandIds } from '../contributions';
import { DisposableStore } from '../dispose';
import { objectLabel } from '../words/objectWords';
import type { ProbeClient } from '../probeClient';
import { l10n } from '../translation';
import { asMemoryState, isFromMemory, longestDeclarations } from './memoryMessages';
import { memoryStrings } from './memoryStrings';
import { loadWebview, OpenPanels } from './openPanels';

/** `viewType` of the panels; package.json activates on `onWebviewPanel:` of it. */
export const memoryViewType = 'ipcInspector.memory';

/** Whether an object has memory to show. */
export function hasMemory({ kind }: Pick<IpcObject, 'kind'>): boolean {
  return facility(kind).category === 'shared memory';
}

/** What a memory view asks of the rest of the extension. */
export interface MemoryHost {
  readonly client: Pick<ProbeClient, 'request' | 'state'>;
  readonly extensionUri: vscode.Uri;
  readonly log: vscode.LogOutputChannel;
  /** Milliseconds between refreshes; 0: on demand only. */
  readonly interval: () => number;
  readonly onDidChangeInterval: (listener: () => void) => vscode.Disposable;
  readonly administrator: Pick<Administrator, 'state' | 'onDidChange'>;
  /** Remembers the declarations for the next view. */
  readonly memento: vscode.Memento;
}

/** All open memory views. Construct once in activate(): it registers the serializer too. */
export class MemoryViews implements vscode.Disposable {
  private readonly panels: OpenPanels<MemoryState, MemoryView>;

  constructor(host: MemoryHost) {
    this.panels = new OpenPanels({ viewType: memoryViewType, asState: asMemoryState, keyOf: ({ id }) => id, make: (panel, state) => new MemoryView(panel, state, host) });
  }

  /** Opens the view of an object's memory, or reveals the one that is open. */
  open(object: IpcObject): void {
    if (this.panels.reveal(object.id)) return;
    const row = facility(object.kind);
    const state: MemoryState = { version: 1, id: object.id, name: objectLabel(object).slice(0, 200), icon: row.icon, label: l10n.t(row.label) };
    this.panels.open(state, titleOf(state));
  }

  /** Puts the focus into a part of the view that is in front. */
  focus(what: Extract<ToMemory, { type: 'focus' }>['what']): void {
    this.panels.active?.tell({ type: 'focus', what });
  }

  dispose(): void {
    this.panels.dispose();
  }
}

function titleOf({ name }: MemoryState): string {
  return l10n.t('Memory: {0}', name.length > 40 ? `${name.slice(0, 39)}…` : name);
}

/** Where the declarations of the last view are kept. */
const declarationsKey = 'ipcInspector.memory.declarations';

/** One panel. Its webview is thrown away while hidden and begins anew (`ready`) when shown: whatever it asked for before is cancelled. */
class MemoryView implements vscode.Disposable {
  private readonly store = new DisposableStore();
  private readonly pending = new Map<number, CancellationTokenSource>();

  constructor(readonly panel: vscode.WebviewPanel, private readonly state: MemoryState, private readonly host: MemoryHost) {
    const { webview } = panel;
    this.store.add(webview.onDidReceiveMessage((message: unknown) => { if (isFromMemory(message)) this.receive(message); }));
    this.store.add(host.onDidChangeInterval(() => this.tell({ type: 'interval', interval: host.interval() })));
    this.store.add(host.administrator.onDidChange(() => this.tell({ type: 'administrator', administrator: this.canAsk })));
    panel.title = titleOf(state);
    loadWebview(panel, host.extensionUri, 'memoryPanel');
  }

  tell(message: ToMemory): void {
    void this.panel.webview.postMessage(message);
  }

  dispose(): void {
    this.cancelAll();
    this.store.dispose();
    this.panel.dispose();
  }

  private get canAsk(): boolean { return this.host.administrator.state.kind === 'no' && this.probeHost?.uid !== 0; }
  private get probeHost(): Host | undefined {
    const { state } = this.host.client;
    return state.kind === 'ready' ? state.probe.host : undefined;
  }

  private cancelAll(): void {
    for (const source of this.pending.values()) source.cancel();
    this.pending.clear();
  }

  private receive(message: FromMemory): void {
    const { id } = this.state;
    switch (message.type) {
      case 'ready':
        this.cancelAll();
        this.tell({
          type: 'strings', language: vscode.env.language, strings: memoryStrings(), interval: this.host.interval(), administrator: this.canAsk,
          // The webview's own state goes before: it knows the cursor.
          state: { declarations: this.host.memento.get(declarationsKey, ''), ...this.state }, littleEndian: true,
        });
        break;
      case 'read': void this.ask(message.request, 'readMemory', { id, offset: message.offset, length: message.length, detail: true }, result => ({ type: 'read', request: message.request, result })); break;
      case 'survey': void this.ask(message.request, 'surveyPages', { id, parts: message.parts }, result => ({ type: 'survey', request: message.request, result })); break;
      case 'search': void this.ask(message.request, 'searchMemory', { id, base64: message.base64, ignoreCase: message.ignoreCase, from: message.from }, result => ({ type: 'search', request: message.request, result })); break;
      case 'cancel':
        this.pending.get(message.request)?.cancel();
        this.pending.delete(message.request);
        break;
      case 'copy': void vscode.env.clipboard.writeText(message.text); break;
      case 'inspect': void vscode.commands.executeCommand(commandIds.openInspector, id); break;
      case 'administrator': void vscode.commands.executeCommand(commandIds.lookAsAdministrator); break;
      case 'declarations': void this.host.memento.update(declarationsKey, message.text.slice(0, longestDeclarations)); break;
      case 'save': void vscode.commands.executeCommand(commandIds.saveMemory, id, { start: message.start, end: message.end }); break;
      case 'openAsFile': void vscode.commands.executeCommand(commandIds.openMemoryAsFile, id, message.offset); break;
      default: message satisfies never;
    }
  }

  /** Asks the probe and passes the answer on, unless the webview no longer waits for it. */
  private async ask<M extends Method>(request: number, method: M, params: Requests[M]['params'], answer: (result: Requests[M]['result']) => ToMemory): Promise<void> {
    const cancel = new CancellationTokenSource();
    this.pending.set(request, cancel);
    const token: CancellationToken = cancel.token;
    try {
      const result = await this.host.client.request(method, params, token);
      if (!token.isCancellationRequested) this.tell(answer(result));
    } catch (error) {
      if (token.isCancellationRequested) return;
      const problem = error instanceof Error ? error.message : String(error);
      this.host.log.warn(`${method} of ${id(params)}: ${problem}`);
      this.tell({ type: 'failed', request, problem });
    } finally {
      if (this.pending.get(request) === cancel) this.pending.delete(request);
      cancel.dispose();
    }
  }
}

function id(params: unknown): string {
  return typeof params === 'object' && params !== null && 'id' in params ? String(params.id) : '';
}
