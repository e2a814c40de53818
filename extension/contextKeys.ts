// Context keys for `when` clauses, set only when they change.
import * as vscode from 'vscode';
import type { ContextValues } from './contributions';

const known = new Map<string, unknown>();

/** Sets a context key of ours. */
export function setContext<K extends keyof ContextValues>(key: K, value: ContextValues[K]): void {
  if (known.get(key) === value) return;
  known.set(key, value);
  void vscode.commands.executeCommand('setContext', key, value);
}
