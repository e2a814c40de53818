// Actions on the report of what the last debug session left behind.
import * as vscode from 'vscode';
import type { CommandHost, Register } from '../commands';
import { commandIds } from '../contributions';
import { removableLeaks } from '../words/leakWords';
import { removeObjects } from '../removing';
import { l10n } from '../translation';

export function registerLeakCommands(host: CommandHost, register: Register): void {
  const { leaks, views } = host;
  const nothing = (): void => void vscode.window.showInformationMessage(l10n.t('The last debug session left no IPC object behind, as far as could be seen.'));
  register(commandIds.showLeaks, async () => {
    if (!leaks.report || !await views.revealLeaks()) nothing();
  });
  register(commandIds.removeLeaks, async () => {
    const ids = leaks.report ? removableLeaks(leaks.report) : [];
    if (ids.length === 0) {
      if (leaks.report) void vscode.window.showInformationMessage(l10n.t('Nothing of what was left behind is an object that can be removed here: names in the file system are removed as files, and what is fuller than before has to be read.'));
      else nothing();
      return;
    }
    await removeObjects(host, ids);
    await leaks.recheck();
  });
  register(commandIds.dismissLeaks, () => leaks.dismiss());
}
