// Inspectors: one webview panel per object, live while visible, restored after a reload of the window.
import * as vscode from 'vscode';
import type { FromInspector, InspectorState, ToInspector } from '../../webview/protocol';
import { facility } from '../../native-probe/facilityTable';
import type { PeekParams, PeekResult } from '../../native-probe/protocol';
import { DisposableStore } from '../dispose';
import type { IpcModel, Subscription } from '../ipcModel';
import { objectLabel } from '../words/objectWords';
import { l10n } from '../translation';
import type { Peeked } from './contentsSection';
import { contentFormats, peekLength } from './contentsSection';
import type { Inspected } from './inspected';
import { inspect } from './inspected';
import { asState, inspectorStrings, inspectorView, stateOf } from './inspectorView';
import { loadWebview, OpenPanels } from './openPanels';

/** `viewType` of the panels; package.json activates on `onWebviewPanel:` of it. */
export const inspectorViewType = 'ipcInspector.inspector';

/** What an inspector asks of the rest of the extension. */
export interface InspectorHost {
  readonly model: Pick<IpcModel, 'subscribe' | 'snapshotWith'>;
  readonly extensionUri: vscode.Uri;
  /** Asks, proves, removes, and tells the user how it went. */
  readonly remove: (objectId: string) => void;
  /** Looks into an object without consuming anything. */
  readonly peek: (params: PeekParams) => Promise<PeekResult>;
  /** Opens the inspector of another object. */
  readonly inspect: (objectId: string) => void;
  /** Opens the memory view of the object. */
  readonly openMemory: (objectId: string) => void;
  /** Shows the IPC of a process. */
  readonly followProcess: (pid: number) => void;
}

/** All open inspectors. Construct once in activate(): it registers the serializer too. */
export class Inspectors implements vscode.Disposable {
  private readonly panels: OpenPanels<InspectorState, Inspector>;

  constructor(host: InspectorHost) {
    this.panels = new OpenPanels({ viewType: inspectorViewType, asState, keyOf: ({ id }) => id, make: (panel, state) => new Inspector(panel, state, host) });
  }

  /** Opens the inspector of an object, or reveals the one that is open. */
  open(object: Inspected['object'], column: vscode.ViewColumn = vscode.ViewColumn.Active): void {
    if (this.panels.reveal(object.id)) return;
    const row = facility(object.kind);
    const state: InspectorState = { version: 1, id: object.id, name: objectLabel(object).slice(0, 200), icon: row.icon, label: l10n.t(row.label) };
    this.panels.open(state, state.name, column, { enableFindWidget: true });
  }

  dispose(): void {
    this.panels.dispose();
  }
}

/** One panel. Its webview is thrown away while hidden and asks for everything again (`ready`) when shown. */
class Inspector implements vscode.Disposable {
  private readonly store = new DisposableStore();
  private readonly subscription: Subscription;
  private readonly showAll = new Set<string>();
  private known: Inspected | undefined;
  private peeked: Peeked | undefined;
  private goneSince: string | undefined;
  private sent: string | undefined;
  private listening = false;

  constructor(readonly panel: vscode.WebviewPanel, private state: InspectorState, private readonly host: InspectorHost) {
    const { webview } = panel;

    this.subscription = this.store.add(host.model.subscribe({ waits: true }));
    this.store.add(this.subscription.onDidChange(() => this.update()));
    this.store.add(webview.onDidReceiveMessage((message: unknown) => {
      if (isFromInspector(message)) this.receive(message);
    }));
    this.store.add(panel.onDidChangeViewState(() => this.subscription.setActive(panel.visible)));
    this.entitle();
    loadWebview(panel, host.extensionUri, 'inspectorPanel');
    this.update();
    this.subscription.setActive(panel.visible);
  }

  dispose(): void {
    this.store.dispose();
    this.panel.dispose();
  }

  private entitle(): void {
    const name = this.state.name.length > 40 ? `${this.state.name.slice(0, 39)}…` : this.state.name;
    const title = this.goneSince === undefined ? name : l10n.t('{0} (gone)', name);
    if (this.panel.title !== title) this.panel.title = title;
  }

  /** Takes what the newest snapshot says. What was last known stays when the object is gone. */
  private update(): void {
    // Waits take longer: until they have been read, what the view knows from which it was opened is shown.
    const snapshot = this.subscription.snapshot ?? this.host.model.snapshotWith(this.state.id);
    if (snapshot) {
      const found = inspect(snapshot, this.state.id);
      if (found) {
        this.known = found;
        this.goneSince = undefined;
      } else this.goneSince ??= snapshot.takenAt;
    }
    this.entitle();
    this.send();
  }

  private send(): void {
    if (!this.listening) return;
    const message = this.message();
    const text = JSON.stringify(message);
    // Much of a snapshot changes without touching this object.
    if (text === this.sent) return;
    this.sent = text;
    if (message.type === 'view') this.state = stateOf(message.view);
    void this.panel.webview.postMessage(message);
  }

  private message(): ToInspector {
    const problem = this.subscription.error;
    if (this.known) return { type: 'view', view: inspectorView(this.known, { showsAll: table => this.showAll.has(table) }, this.goneSince, this.peeked), problem };
    return { type: this.goneSince === undefined ? 'pending' : 'vanished', state: this.state, problem };
  }

  private receive(message: FromInspector): void {
    switch (message.type) {
      case 'ready':
        this.listening = true;
        this.sent = undefined;
        void this.panel.webview.postMessage({ type: 'strings', language: vscode.env.language, strings: inspectorStrings() } satisfies ToInspector);
        this.send();
        break;
      case 'copyId': void vscode.env.clipboard.writeText(this.state.id); break;
      case 'copyJson': void vscode.env.clipboard.writeText(this.json()); break;
      case 'copy': void vscode.env.clipboard.writeText(message.text); break;
      case 'remove': this.host.remove(this.state.id); break;
      case 'openMemory': this.host.openMemory(this.state.id); break;
      case 'follow': this.host.followProcess(message.pid); break;
      case 'peek': void this.peek(message.offset); break;
      case 'inspect': this.host.inspect(message.id); break;
      case 'format': {
        const format = contentFormats.find(it => it === message.format);
        if (format && this.peeked) { this.peeked = { ...this.peeked, format }; this.send(); }
        break;
      }
      case 'showAll':
        if (message.all) this.showAll.add(message.table); else this.showAll.delete(message.table);
        this.send();
        break;
      default: message satisfies never;
    }
  }

  /** Looks at the contents from an offset on. The last answer counts. */
  private async peek(offset: string): Promise<void> {
    if (!this.known || this.peeked?.busy) return;
    const { object } = this.known;
    this.peeked = { ...this.peeked, busy: true };
    this.send();
    try {
      const { contents, snapshot } = await this.host.peek({ id: object.id, offset, length: peekLength(object) });
      this.peeked = { busy: false, at: snapshot.takenAt, contents, seen: snapshot.objects[0], format: this.peeked.format };
    } catch (error) {
      this.peeked = { busy: false, at: new Date().toISOString(), problem: error instanceof Error ? error.message : String(error) };
    }
    this.send();
  }

  /** Everything that is known, in the form of `ipc-probe snapshot --json`. */
  private json(): string {
    if (!this.known) return JSON.stringify({ id: this.state.id, gone: true }, null, 2);
    const { object, handles, waits, findings, gaps, processes } = this.known;
    const pids = new Set([...handles, ...waits].map(it => it.pid));
    return JSON.stringify({ processes: [...pids].map(pid => processes.get(pid)).filter(it => it !== undefined), objects: [object], handles, waits, findings, gaps }, null, 2);
  }
}

/** Messages come from a document of ours, but a document all the same. */
function isFromInspector(value: unknown): value is FromInspector {
  if (typeof value !== 'object' || value === null) return false;
  const { type, text, pid, id, offset, table, all, format } = value as Record<string, unknown>;
  switch (type) {
    case 'ready': case 'copyId': case 'copyJson': case 'remove': case 'openMemory': return true;
    case 'copy': return typeof text === 'string';
    case 'peek': return typeof offset === 'string' && /^\d{1,19}$/.test(offset);
    case 'inspect': return typeof id === 'string';
    case 'format': return typeof format === 'string';
    case 'follow': return typeof pid === 'number' && Number.isInteger(pid) && pid > 0;
    case 'showAll': return typeof table === 'string' && typeof all === 'boolean';
    default: return false;
  }
}
