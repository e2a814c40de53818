// The report on what cannot be seen as a read-only document of an editor: readable by everybody, searchable, copied as text.
import * as vscode from 'vscode';
import type { Snapshot } from '../../native-probe/model';
import { DisposableStore } from '../dispose';
import { l10n } from '../translation';
import { unseenReport } from './unseenReport';

const scheme = 'ipc-inspector';

export class UnseenDocument implements vscode.Disposable {
  private readonly store = new DisposableStore();
  private readonly changed = this.store.add(new vscode.EventEmitter<vscode.Uri>());
  private text = '';

  constructor() {
    this.store.add(vscode.workspace.registerTextDocumentContentProvider(scheme, { onDidChange: this.changed.event, provideTextDocumentContent: () => this.text }));
  }

  /** Opens the report on a snapshot, or brings the one that is open up to date. */
  async show(snapshot: Snapshot): Promise<void> {
    this.text = unseenReport(snapshot);
    const uri = vscode.Uri.from({ scheme, path: `/${l10n.t('What Cannot Be Seen')}.txt` });
    this.changed.fire(uri);
    await vscode.window.showTextDocument(uri, { preview: true });
  }

  dispose(): void {
    this.store.dispose();
  }
}
