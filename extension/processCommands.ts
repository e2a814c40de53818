// Actions on processes and on what the views list.
import * as vscode from 'vscode';
import { attachDebugger } from './attaching/attaching';
import type { AttachSubject } from './attaching/attachTargets';
import type { CommandHost, Register } from './commands';
import type { Snapshot } from '../native-probe/model';
import type { Disposable } from './dispose';
import { commandIds } from './contributions';
import { findProcess } from './followProcess';
import { processJson, processText } from './processCopy';
import { minorKinds, setMinorKinds } from './settings';
import { indexOf } from './snapshotIndex';
import type { SnapshotIndex } from './snapshotIndex';
import { l10n } from './translation';
import { kindsInOrder } from './views/ipcObjects';
import type { TreeNode } from './views/treeNode';

/** Registers the actions on processes. `pidOf` tells which process a command is meant for, `subjectOf` to whose processes one may attach. */
export function registerProcessCommands({ client, model, views }: CommandHost, register: Register, pidOf: (args: readonly unknown[]) => number | undefined, subjectOf: (args: readonly unknown[]) => AttachSubject | undefined): void {
  register(commandIds.findProcess, async () => {
    const process = await findProcess(client);
    if (process && !await views.revealProcess(process)) throw new Error(l10n.t('Process {0} has ended, or cannot be seen.', process.pid));
  });
  register(commandIds.revealInProcesses, async (...args) => {
    const pid = pidOf(args);
    if (pid === undefined) return;
    const process = (views.processIndex(pid) ?? await asked(pid)).processes.get(pid);
    if (!process || !await views.revealProcess(process)) throw gone(pid);
  });
  register(commandIds.showAllProcesses, () => views.setAllProcesses(true));
  register(commandIds.hideProcessesWithoutIpc, () => views.setAllProcesses(false));
  register(commandIds.attachDebugger, async (...args) => {
    const subject = subjectOf(args);
    if (subject) await attachDebugger(subject, { client, model });
  });
  const copy = (text: (pid: number, index: SnapshotIndex) => string | undefined) => async (...args: readonly unknown[]): Promise<void> => {
    const pid = pidOf(args);
    if (pid === undefined) return;
    const copied = text(pid, await asked(pid));
    if (copied === undefined) throw gone(pid);
    await vscode.env.clipboard.writeText(copied);
  };
  /** What the probe says of the process now, whatever any view has been told. */
  const asked = async (pid: number): Promise<SnapshotIndex> => {
    const result = await client.request('snapshot', { pids: [pid], waits: true });
    if (!('snapshot' in result)) throw new Error('the probe answered a delta that was not asked for');
    return indexOf(result.snapshot);
  };
  register(commandIds.copyProcess, copy(processText));
  register(commandIds.copyProcessJson, copy(processJson));
}

/** Registers what the views of waits offer. */
export function registerWaitCommands({ views }: CommandHost, register: Register, pathOf: (args: readonly unknown[]) => readonly string[] | undefined): void {
  register(commandIds.showIdleWaits, () => views.setIdleWaits(true));
  register(commandIds.hideIdleWaits, () => views.setIdleWaits(false));
  register(commandIds.showChain, async (...args) => {
    const path = pathOf(args);
    if (path && !await views.revealWait(path)) throw new Error(l10n.t('This wait is over.'));
  });
}

/** Registers what opens the wait graph. */
export function registerGraphCommands({ waitGraphs }: CommandHost, register: Register, placeOf: (args: readonly unknown[]) => TreeNode['graph']): void {
  register(commandIds.showWaitGraph, () => waitGraphs.show('machine'));
  register(commandIds.showDebuggeeWaitGraph, () => waitGraphs.show('focus'));
  register(commandIds.showInWaitGraph, (...args) => {
    const place = placeOf(args);
    if (place) waitGraphs.show(place.scope, place.chain);
  });
}

/** Registers what chooses the kinds that are listed, and what explains what is missing. */
export function registerListCommands({ client, views, unseen, unseenPanel, administrator }: CommandHost, register: Register): Disposable {
  register(commandIds.showAllKinds, () => views.setAllKinds(true));
  register(commandIds.showChosenKinds, () => views.setAllKinds(false));
  register(commandIds.chooseKinds, async () => {
    const minor = minorKinds();
    const items = kindsInOrder.map(row => ({ label: l10n.t(row.plural), description: row.manual, picked: !minor.has(row.kind), kindOfObject: row.kind }));
    const chosen = await vscode.window.showQuickPick(items, { canPickMany: true, matchOnDescription: true, title: l10n.t('Choose the Kinds of IPC to List'), placeHolder: l10n.t('The others are counted, and listed by “Show All Kinds”') });
    if (!chosen) return;
    const listed = new Set(chosen.map(it => it.kindOfObject));
    views.setAllKinds(false);
    await setMinorKinds(kindsInOrder.map(it => it.kind).filter(kind => !listed.has(kind)));
  });
  const lookAtAll = async (show: (snapshot: Snapshot) => void | Promise<void>): Promise<void> => {
    const result = await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: l10n.t('Looking at all processes…') }, async () => client.request('snapshot', {}));
    if ('snapshot' in result) await show(result.snapshot);
  };
  const moreRights = (): boolean => administrator.state.kind === 'yes';
  register(commandIds.explainUnseen, () => lookAtAll(snapshot => { unseenPanel.show(snapshot, moreRights()); }));
  register(commandIds.explainUnseenAsText, () => lookAtAll(snapshot => unseen.show(snapshot)));
  register(commandIds.copyMountCommand, async () => {
    await vscode.env.clipboard.writeText('sudo mkdir -p /dev/mqueue && sudo mount -t mqueue none /dev/mqueue');
    vscode.window.setStatusBarMessage(l10n.t('The command that mounts the message queues is in the clipboard.'), 5_000);
  });
  register(commandIds.copyPtraceCommand, async () => {
    await vscode.env.clipboard.writeText('sudo sysctl kernel.yama.ptrace_scope=0');
    vscode.window.setStatusBarMessage(l10n.t('The command that opens your processes to each other, until the next start of the machine, is in the clipboard.'), 5_000);
  });
  // What the page says depends on the rights; it stays where it is.
  let before = moreRights();
  return administrator.onDidChange(() => {
    if (moreRights() === before) return;
    before = moreRights();
    // Afterwards: the probe with the other rights is only about to take its place. What is wrong with it the views tell.
    if (unseenPanel.isOpen) setImmediate(() => void lookAtAll(snapshot => { unseenPanel.update(snapshot, moreRights()); }).catch(() => undefined));
  });
}

function gone(pid: number): Error {
  return new Error(l10n.t('Process {0} has ended, or cannot be seen.', pid));
}
