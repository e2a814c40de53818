// The letter and colour beside a tree item that changed since the last stop. Items name their change in the query of a URI of ours.
import * as vscode from 'vscode';
import { l10n } from '../translation';
import type { TreeNode } from './treeNode';

const scheme = 'ipc-inspector-change';
type Change = NonNullable<TreeNode['change']>;

/** The URI by which an item gets its decoration. */
export function changeUri({ id, change }: { readonly id: string; readonly change: Change }): vscode.Uri {
  return vscode.Uri.from({ scheme, path: `/${id}`, query: change });
}

function decorationOf(change: string): vscode.FileDecoration | undefined {
  switch (change as Change) {
    case 'new': return new vscode.FileDecoration('N', l10n.t('new since the last stop'), new vscode.ThemeColor('gitDecoration.addedResourceForeground'));
    case 'changed': return new vscode.FileDecoration('C', l10n.t('changed since the last stop'), new vscode.ThemeColor('gitDecoration.modifiedResourceForeground'));
    case 'gone': return new vscode.FileDecoration('G', l10n.t('gone since the last stop'), new vscode.ThemeColor('gitDecoration.deletedResourceForeground'));
    default: return undefined;
  }
}

/** Decorates the items of all our views. */
export function registerChangeDecorations(): vscode.Disposable {
  return vscode.window.registerFileDecorationProvider({ provideFileDecoration: uri => uri.scheme === scheme ? decorationOf(uri.query) : undefined });
}
