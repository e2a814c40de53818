// The open webview panels of one kind, at most one about each thing, restored after a reload of the window.
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { webviewHtml } from './webviewHtml';

export interface OpenPanel extends vscode.Disposable { readonly panel: vscode.WebviewPanel }

/** What one kind of panel is made of. */
export interface PanelKind<State, Panel extends OpenPanel> {
  readonly viewType: string;
  /** What the webview has kept, checked; undefined for what is not ours, or of another version. */
  readonly asState: (kept: unknown) => State | undefined;
  /** What a panel is about. */
  readonly keyOf: (state: State) => string;
  readonly make: (panel: vscode.WebviewPanel, state: State) => Panel;
}

/** Construct once in activate(): it registers the serializer too. */
export class OpenPanels<State, Panel extends OpenPanel> implements vscode.Disposable {
  private readonly panels = new Map<string, Panel>();
  private readonly serializer: vscode.Disposable;

  constructor(private readonly kind: PanelKind<State, Panel>) {
    this.serializer = vscode.window.registerWebviewPanelSerializer(kind.viewType, {
      deserializeWebviewPanel: (panel, kept) => {
        const state = kind.asState(kept);
        // Nothing to show: a panel that never said what it is about, or of another version.
        if (!state || this.panels.has(kind.keyOf(state))) panel.dispose();
        else this.adopt(panel, state);
        return Promise.resolve();
      },
    });
  }

  /** Brings the panel about something to the front; undefined when there is none. */
  reveal(key: string): Panel | undefined {
    const present = this.panels.get(key);
    present?.panel.reveal();
    return present;
  }

  /** The panel that the user works in. */
  get active(): Panel | undefined {
    return [...this.panels.values()].find(({ panel }) => panel.active);
  }

  /** Opens a panel. */
  open(state: State, title: string, column: vscode.ViewColumn = vscode.ViewColumn.Active, options: vscode.WebviewPanelOptions = {}): void {
    this.adopt(vscode.window.createWebviewPanel(this.kind.viewType, title, column, options), state);
  }

  dispose(): void {
    this.serializer.dispose();
    for (const panel of [...this.panels.values()]) panel.dispose();
  }

  private adopt(panel: vscode.WebviewPanel, state: State): void {
    const key = this.kind.keyOf(state);
    const opened = this.kind.make(panel, state);
    this.panels.set(key, opened);
    panel.onDidDispose(() => {
      this.panels.delete(key);
      opened.dispose();
    });
  }
}

/** Loads a panel's script and styles (`dist/webview/NAME.js` and `.css`) under its title, with nothing else allowed. */
export function loadWebview({ webview, title }: vscode.WebviewPanel, extensionUri: vscode.Uri, name: string): void {
  const root = vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
  webview.options = { enableScripts: true, localResourceRoots: [root] };
  const file = (of: string): string => webview.asWebviewUri(vscode.Uri.joinPath(root, of)).toString();
  webview.html = webviewHtml({
    cspSource: webview.cspSource, scriptNonce: randomBytes(16).toString('base64'), styleNonce: randomBytes(16).toString('base64'), script: file(`${name}.js`),
    styles: [file('codicon.css'), file(`${name}.css`)], language: vscode.env.language, title,
  });
}
