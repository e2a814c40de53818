// The settings, read with their types.
import * as vscode from 'vscode';
import { facilityTable } from '../native-probe/facilityTable';
import type { CollectedKind } from '../native-probe/model';
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
  return onDidChange(settingIds.refreshInterval, listener);
}

/** Kinds that are counted, but not listed in IPC Objects, and that alone make no process worth a node in Processes. */
export function minorKinds(): ReadonlySet<CollectedKind> {
  const value = vscode.workspace.getConfiguration(settingSection).get<unknown>(settingIds.minorKinds);
  // settings.json is not checked against the schema.
  return new Set(Array.isArray(value) ? [...facilityTable.keys()].filter(kind => value.includes(kind)) : []);
}

/** Changes the setting where it is set now, else for the user. */
export async function setMinorKinds(kinds: readonly CollectedKind[]): Promise<void> {
  const configuration = vscode.workspace.getConfiguration(settingSection);
  const inWorkspace = configuration.inspect(settingIds.minorKinds)?.workspaceValue !== undefined;
  await configuration.update(settingIds.minorKinds, kinds, inWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global);
}

/** Calls back when the setting changed. */
export function onDidChangeMinorKinds(listener: () => void): vscode.Disposable {
  return onDidChange(settingIds.minorKinds, listener);
}

/** Whether a deadlock of the followed or debugged program is told in a notification. */
export function deadlockNotifications(): boolean {
  return vscode.workspace.getConfiguration(settingSection).get<unknown>(settingIds.deadlockNotifications) !== false;
}

/** Calls back when the setting changed. */
export function onDidChangeDeadlockNotifications(listener: () => void): vscode.Disposable {
  return onDidChange(settingIds.deadlockNotifications, listener);
}

/** Whether descendants of a followed or debugged process are followed too. */
export function followChildren(): boolean {
  return vscode.workspace.getConfiguration(settingSection).get<unknown>(settingIds.followChildren) !== false;
}

/** Calls back when the setting changed. */
export function onDidChangeFollowChildren(listener: () => void): vscode.Disposable {
  return onDidChange(settingIds.followChildren, listener);
}

/** Whether debug sessions are watched for what they leave behind. */
export function leakReport(): boolean {
  return vscode.workspace.getConfiguration(settingSection).get<unknown>(settingIds.leakReport) !== false;
}

/** Calls back when the setting changed. */
export function onDidChangeLeakReport(listener: () => void): vscode.Disposable {
  return onDidChange(settingIds.leakReport, listener);
}

/** Minutes after which an administrator's rights are given up; 0: never by time. */
export function administratorTimeout(): number {
  const value = vscode.workspace.getConfiguration(settingSection).get<unknown>(settingIds.administratorTimeout);
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 15;
}

/** A Node.js that was prepared with capabilities; empty: none. Never what a workspace says: its folder may be anybody's. */
export function probeExecutable(): string {
  const found = vscode.workspace.getConfiguration(settingSection).inspect<unknown>(settingIds.probeExecutable);
  return typeof found?.globalValue === 'string' ? found.globalValue.trim() : '';
}

function onDidChange(setting: string, listener: () => void): vscode.Disposable {
  return vscode.workspace.onDidChangeConfiguration(event => {
    if (event.affectsConfiguration(`${settingSection}.${setting}`)) listener();
  });
}
