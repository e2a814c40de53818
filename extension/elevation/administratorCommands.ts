// "Look as Administrator…" and "Look as Yourself": the password box, the status bar item that says with which rights it looks, the messages.
import * as os from 'node:os';
import * as vscode from 'vscode';
import { Administrator } from './administrator';
import type { Register } from '../commands';
import { setContext } from '../contextKeys';
import { commandIds, contextKeys } from '../contributions';
import type { DisposableStore } from '../dispose';
import type { Ask } from './askpass';
import { startElevated } from './elevation';
import { inMessage } from '../words/presentation';
import type { ProbeClient } from '../probeClient';
import { administratorTimeout, probeExecutable } from '../settings';
import { l10n } from '../translation';

/** The one for this window, with its status bar item. */
export function createAdministrator(client: ProbeClient, log: vscode.LogOutputChannel, context: vscode.ExtensionContext, store: Pick<DisposableStore, 'add'>): Administrator {
  const administrator = store.add(new Administrator({
    client, log, lasting: () => administratorTimeout() * 60_000,
    tell: message => void vscode.window.showInformationMessage(message),
    start: signal => startElevated({
      extensionPath: context.extensionPath, node: process.execPath, prepared: probeExecutable(), ask: askInBox, storage: context.globalStorageUri.fsPath, signal,
    }),
  }));
  const item = store.add(vscode.window.createStatusBarItem('ipcInspector.rights', vscode.StatusBarAlignment.Left));
  item.name = l10n.t('Rights of IPC Inspector');
  item.command = commandIds.lookAsYourself;
  const show = (): void => {
    const { state } = administrator;
    setContext(contextKeys.administrator, state.kind);
    if (state.kind !== 'yes') { item.hide(); return; }
    item.text = state.uid === 0 ? l10n.t('$(shield) IPC: Administrator') : l10n.t('$(shield) IPC: More Rights');
    item.tooltip = l10n.t('IPC Inspector looks with the rights of uid {0} and {1}. Click to look as yourself again.', state.uid, state.capabilities.join(', '));
    item.show();
  };
  store.add(administrator.onDidChange(show));
  show();
  return administrator;
}

/** Registers both commands. */
export function registerAdministratorCommands(administrator: Administrator, register: Register): void {
  register(commandIds.lookAsAdministrator, async () => {
    if (process.geteuid?.() === 0) { void vscode.window.showInformationMessage(l10n.t('VS Code runs as root here, and so does the probe: there are no more rights to ask for.')); return; }
    await administrator.look();
  });
  register(commandIds.lookAsYourself, () => administrator.drop());
}

/** Asks in VS Code's password box. What is typed goes to sudo and nowhere else. */
const askInBox: Ask = async ({ prompt, repeated }, signal) => {
  const cancel = new vscode.CancellationTokenSource();
  const onAbort = (): void => cancel.cancel();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    // Not always one's own: sudo may be set up to ask for root's (rootpw, targetpw in sudoers).
    const whose = /^\[sudo\] password for ([^:]{1,64}): ?$/.exec(prompt)?.[1];
    return await vscode.window.showInputBox({
      title: l10n.t('IPC Inspector: Look as Administrator'),
      password: true, ignoreFocusOut: true,
      prompt: [
        ...(repeated > 0 ? [l10n.t('Wrong password, try again.')] : []),
        whose !== undefined ? l10n.t('Password of {0} for sudo on {1}. It is passed to sudo and not kept.', inMessage(whose), inMessage(os.hostname())) : inMessage(prompt),
      ].join(' '),
    }, cancel.token);
  } finally {
    signal.removeEventListener('abort', onAbort);
    cancel.dispose();
  }
};
