// The panel of "What Can't I See?": one page, brought up to date when it is asked for again.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as vscode from 'vscode';
import type { Snapshot } from '../../native-probe/model';
import { l10n } from '../translation';
import type { Remedy } from './unseenCauses';
import { remedyCommands, unseenPage } from './unseenPage';

export class UnseenPanel implements vscode.Disposable {
  private panel: vscode.WebviewPanel | undefined;

  get isOpen(): boolean { return this.panel !== undefined; }

  /** Opens the page on a snapshot, or brings the one that is open up to date and to the front. */
  show(snapshot: Snapshot, moreRights: boolean): void {
    const panel = this.panel ?? this.open();
    this.update(snapshot, moreRights);
    panel.reveal();
  }

  /** Brings the page up to date where it is, when it is open. */
  update(snapshot: Snapshot, moreRights: boolean): void {
    if (!this.panel) return;
    const offered = new Set<Remedy>(['mount', 'remote', 'text', 'log', 'refresh', 'waits', 'objects', ...(canBeLowered(ptraceScope()) ? ['ptrace' as const] : []), ...(snapshot.host.uid === 0 || moreRights ? [] : ['administrator' as const])]);
    this.panel.webview.html = unseenPage(snapshot, { language: vscode.env.language, nonce: randomBytes(16).toString('base64'), remoteName: vscode.env.remoteName, offered, moreRights });
  }

  private open(): vscode.WebviewPanel {
    const panel = vscode.window.createWebviewPanel('ipcInspector.unseen', l10n.t('What can’t I see?'), vscode.ViewColumn.Active, {
      enableScripts: false, enableCommandUris: Object.values(remedyCommands), enableFindWidget: true, localResourceRoots: [],
    });
    this.panel = panel;
    panel.onDidDispose(() => { this.panel = undefined; });
    return panel;
  }

  dispose(): void {
    this.panel?.dispose();
  }
}

/** Yama's kernel.yama.ptrace_scope of this machine (the extension runs where the processes are); undefined without Yama. */
function ptraceScope(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'latin1').trim();
  } catch {
    return undefined; // no Yama in this kernel
  }
}

/** 3 stays until the machine starts again (Documentation/admin-guide/LSM/Yama.rst). */
const canBeLowered = (scope: string | undefined): boolean => scope === '1' || scope === '2';
