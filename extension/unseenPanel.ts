// The panel of "What Can't I See?": one page, brought up to date when it is asked for again.
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { Snapshot } from '../native-probe/model';
import { commandIds } from './contributions';
import { l10n } from './translation';
import type { Remedy } from './unseenCauses';
import { remedyCommands, unseenPage } from './unseenPage';

export class UnseenPanel implements vscode.Disposable {
  private panel: vscode.WebviewPanel | undefined;

  /** Opens the page on a snapshot, or brings the one that is open up to date. */
  show(snapshot: Snapshot): void {
    const panel = this.panel ?? this.open();
    const offered = new Set<Remedy>(['mount', 'log', 'refresh', ...(snapshot.host.uid === 0 ? [] : ['administrator' as const])]);
    panel.webview.html = unseenPage(snapshot, { language: vscode.env.language, nonce: randomBytes(16).toString('base64'), remoteName: vscode.env.remoteName, offered });
    panel.reveal();
  }

  private open(): vscode.WebviewPanel {
    const panel = vscode.window.createWebviewPanel('ipcInspector.unseen', l10n.t('What can’t I see?'), vscode.ViewColumn.Active, {
      enableScripts: false, enableCommandUris: [...Object.values(remedyCommands), commandIds.explainUnseenAsText], enableFindWidget: true, localResourceRoots: [],
    });
    this.panel = panel;
    panel.onDidDispose(() => { this.panel = undefined; });
    return panel;
  }

  dispose(): void {
    this.panel?.dispose();
  }
}
