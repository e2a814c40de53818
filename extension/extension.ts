// Constructs, wires, registers.
import * as path from 'node:path';
import * as vscode from 'vscode';
import { createAdministrator } from './elevation/administratorCommands';
import { registerCommands } from './commands';
import { setContext } from './contextKeys';
import { commandIds, contextKeys, viewIds } from './contributions';
import { DeadlockNotifications } from './deadlocks/deadlockNotifications';
import { DebuggerKnowledge } from './debugger/debuggerKnowledge';
import { DebugSessions } from './sessions/debugSessions';
import { FocusTracker } from './focus';
import { IpcModel } from './ipcModel';
import { MemoryFiles } from './memory/memoryFiles';
import { registerLanguageModelTools } from './chat/languageModelTools';
import { LeakReports } from './leaks/leakReports';
import { Inspectors } from './panels/inspectorPanel';
import { MemoryViews } from './panels/memoryPanel';
import { WaitGraphs } from './panels/waitGraph/waitGraphPanel';
import { ProbeClient, startProbe, tellOnce } from './probeClient';
import { showProblem } from './removing';
import { onDidChangeMinorKinds, onDidChangeRefreshInterval, refreshInterval } from './settings';
import { StopCompanion } from './sessions/stopCompanion';
import { l10n } from './translation';
import { UnseenDocument } from './unseen/unseenDocument';
import { UnseenPanel } from './unseen/unseenPanel';
import { readUserNames } from './words/userNames';
import { registerChangeDecorations } from './views/changeDecorations';
import { IpcViews } from './views/ipcViews';

export function activate(context: vscode.ExtensionContext): void {
  l10n.t = (message, ...args) => vscode.l10n.t(message, ...args);
  if (process.platform !== 'linux') {
    activateElsewhere(context);
    return;
  }
  readUserNames();
  const own = <T extends vscode.Disposable>(it: T): T => {
    context.subscriptions.push(it);
    return it;
  };
  const log = own(vscode.window.createOutputChannel('IPC Inspector', { log: true }));
  const client = own(new ProbeClient({ start: () => startProbe(path.join(context.extensionPath, 'dist', 'probe.js')), log }));
  own(tellOnce(client, reason => void showProblem(l10n.t('The IPC probe has ended and is being restarted. {0}', reason), log)));
  const administrator = createAdministrator(client, log, context, { add: own });
  const knowledge = own(new DebuggerKnowledge());
  const model = own(new IpcModel({ client, log, interval: refreshInterval, see: snapshot => knowledge.see(snapshot), told: () => knowledge.told }));
  own(knowledge.onDidChange(() => model.seeAgain()));
  own(knowledge.onDidTell(() => void model.refresh()));
  own(onDidChangeRefreshInterval(() => model.reschedule()));
  const sessions = own(new DebugSessions(log));
  const focus = own(new FocusTracker(sessions, model));
  own(registerChangeDecorations());
  const leaks = own(new LeakReports(client, sessions, focus, log));
  const views = own(new IpcViews(model, client, sessions, focus, own(new StopCompanion(model, sessions, focus)), leaks));
  leaks.setActions(async () => { await views.revealLeaks(); }, async () => { await vscode.commands.executeCommand(commandIds.removeLeaks); });
  own(new DeadlockNotifications(model, sessions, focus, views, knowledge, log));
  own(onDidChangeMinorKinds(() => views.redraw()));
  const inspectors = own(new Inspectors({
    model, extensionUri: context.extensionUri,
    remove: id => void vscode.commands.executeCommand(commandIds.remove, id),
    peek: params => client.request('peek', params),
    inspect: id => void vscode.commands.executeCommand(commandIds.openInspector, id),
    openMemory: id => void vscode.commands.executeCommand(commandIds.openMemory, id),
    followProcess: pid => void vscode.commands.executeCommand(commandIds.followThisProcess, pid),
  }));
  const memory = own(new MemoryViews({ client, extensionUri: context.extensionUri, log, interval: refreshInterval, onDidChangeInterval: onDidChangeRefreshInterval, administrator, memento: context.globalState }));
  own(new MemoryFiles((params, token) => client.request('readMemory', params, token), refreshInterval));
  const waitGraphs = own(new WaitGraphs({
    model, focus, extensionUri: context.extensionUri,
    inspect: id => void vscode.commands.executeCommand(commandIds.openInspector, id),
    revealProcess: pid => void vscode.commands.executeCommand(commandIds.revealInProcesses, pid),
    openSource: thread => void vscode.commands.executeCommand(commandIds.goToSource, { node: thread }),
    explainUnseen: () => void vscode.commands.executeCommand(commandIds.explainUnseen),
    failed: message => void showProblem(message, log),
  }));
  own(registerLanguageModelTools({ client, focus, leaks, log }));
  own(registerCommands({ waitGraphs, client, model, views, focus, leaks, log, inspect: object => inspectors.open(object), unseen: own(new UnseenDocument()), unseenPanel: own(new UnseenPanel()), administrator, memory, knowledge }));
}

/** On another system there is nothing to see: the views say so, and so do the commands. */
function activateElsewhere(context: vscode.ExtensionContext): void {
  setContext(contextKeys.probe, 'unsupported');
  for (const id of Object.values(viewIds)) {
    context.subscriptions.push(vscode.window.registerTreeDataProvider(id, { getChildren: () => [], getTreeItem: (item: vscode.TreeItem) => item }));
  }
  for (const id of Object.values(commandIds)) {
    context.subscriptions.push(vscode.commands.registerCommand(id, () => vscode.window.showInformationMessage(l10n.t('IPC Inspector shows the IPC objects of Linux. This window runs its extensions on another system.'))));
  }
}
