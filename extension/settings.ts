// The settings, read with their types.
import * as vscode from 'vscode';
import { leastRefreshInterval, settingIds, settingSection } from './contributions';

/** Milliseconds between refreshes of what is visible; 0: only on demand. */
export function refreshInterval(): number {
  const value = vscode.workspace.getConfiguration(settingSection).get<unknown>(settingIds.refreshInterval);
  if (typeof value !== 'number' || !Number.isFinite(value)) return 2_000;
  // settings.json is not checked against the schema: 1 would keep a processor busy.
  return value <= 0 ? 0 : Math.max(leastRefreshInterval, value);
}

/** Calls back when the setting changed. */
export function onDidChangeRefreshInterval(listener: () => void): vscode.Disposable {
  return vscode.workspace.onDidChangeConfiguration(event => {
    if (event.affectsConfiguration(`${settingSection}.${settingIds.refreshInterval}`)) listener();
  });
}
