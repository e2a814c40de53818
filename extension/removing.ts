// Removing objects and bringing them back: ask the probe who uses them, ask the user, remove, offer to undo.
import * as vscode from 'vscode';
import type { Failed, Removed, StaleJudgement } from '../native-probe/model';
import type { StaleParams, StaleResult } from '../native-probe/protocol';
import { facility } from '../native-probe/facilityTable';
import type { Administrator } from './elevation/administrator';
import type { IpcModel } from './ipcModel';
import { objectTitle } from './words/objectWords';
import { inMessage } from './words/presentation';
import type { ProbeClient } from './probeClient';
import { candidatesOf, confirmation, failures, refusal, removalOf, staleChoices } from './words/removalWords';
import type { Candidate, StaleChoice } from './words/removalWords';
import { l10n } from './translation';

export interface RemovalHost {
  readonly client: Pick<ProbeClient, 'request'>;
  readonly model: Pick<IpcModel, 'refresh'>;
  readonly log: vscode.LogOutputChannel;
  readonly administrator: Pick<Administrator, 'state' | 'look'>;
}

/** So many objects are one request: between them the user may cancel. */
const portion = 20;

/** Removes objects that the user pointed at, after proving and asking. */
export async function removeObjects(host: RemovalHost, ids: readonly string[]): Promise<void> {
  const result = await judged(host, { ids });
  const candidates = candidatesOf(result);
  const vanished = ids.length - candidates.length;
  if (candidates.length === 0) {
    void vscode.window.showInformationMessage(vanished === 1 ? l10n.t('The object is gone already.') : l10n.t('The objects are gone already.'));
    await host.model.refresh();
    return;
  }
  const inUse = candidates.filter(it => it.judgement.verdict === 'in-use');
  const free = candidates.filter(it => it.judgement.verdict !== 'in-use');
  if (inUse.length > 0) {
    const { message, detail } = refusal(inUse);
    await vscode.window.showWarningMessage(message, { modal: true, detail });
  }
  if (free.length > 0) await confirmAndRemove(host, free);
}

/** Lets the user choose among what nobody seems to use any more. */
export async function removeStaleObjects(host: RemovalHost): Promise<void> {
  const result = await judged(host, {});
  const { stale, possibly } = staleChoices(result);
  if (stale.length + possibly.length === 0) {
    void vscode.window.showInformationMessage(inUseOnly(result.stale));
    return;
  }
  const items: (vscode.QuickPickItem & Partial<Pick<StaleChoice, 'candidate'>>)[] = [
    ...section(l10n.t('stale'), stale),
    ...section(l10n.t('possibly stale: look at the reasons'), possibly),
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    canPickMany: true, matchOnDescription: true, matchOnDetail: true,
    title: l10n.t('Remove Stale Objects'), placeHolder: l10n.t('Choose what to remove. Nothing in use is listed.'),
  });
  const candidates = chosen?.flatMap(it => it.candidate ?? []) ?? [];
  if (candidates.length > 0) await confirmAndRemove(host, candidates);
}

function inUseOnly(judgements: readonly StaleJudgement[]): string {
  return judgements.length === 0 ? l10n.t('There is nothing that could be stale.') : l10n.t('Nothing is stale: all objects are in use.');
}

function section(label: string, choices: readonly StaleChoice[]): (vscode.QuickPickItem & Partial<Pick<StaleChoice, 'candidate'>>)[] {
  return choices.length === 0 ? [] : [{ label, kind: vscode.QuickPickItemKind.Separator }, ...choices];
}

async function judged(host: RemovalHost, params: StaleParams): Promise<StaleResult> {
  // In the status bar: it takes a moment only, and a notification that flashes up explains nothing.
  return vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: l10n.t('Looking for users of IPC objects…') }, async () => host.client.request('stale', params));
}

async function confirmAndRemove(host: RemovalHost, candidates: readonly Candidate[]): Promise<void> {
  const { message, detail } = confirmation(candidates);
  const remove = l10n.t('Remove');
  if (await vscode.window.showWarningMessage(message, { modal: true, detail }, remove) !== remove) return;
  const { state } = host.administrator;
  // With a prepared Node.js the backups are the user's own.
  const elevated = state.kind === 'yes' && state.uid === 0;
  const { removed, failed } = await removeInPortions(host, candidates);
  await host.model.refresh();
  const objects = new Map(candidates.map(({ object }) => [object.id, object]));
  if (failed.length > 0) {
    for (const { objectId, error } of failed) host.log.warn(`not removed: ${objectId}: ${error}`);
    void showProblem(failed.length === 1
      ? l10n.t('Not removed: {0}', failures(failed, objects))
      : l10n.t('{0} objects were not removed: {1}', failed.length, failures(failed, objects)), host.log);
  }
  if (removed.length === 0) return;
  for (const { objectId, backup } of removed) host.log.info(`removed ${objectId}${backup === undefined ? '' : `, saved in ${backup}`}`);
  const backups = removed.flatMap(({ objectId, backup }) => {
    const object = objects.get(objectId);
    return backup !== undefined && object && facility(object.kind).restorable ? [backup] : [];
  });
  const only = removed.length === 1 ? objects.get(removed[0]?.objectId ?? '') : undefined;
  const told = only ? l10n.t('Removed {0}.', inMessage(objectTitle(only))) : l10n.t('Removed {0} IPC objects.', removed.length);
  const undo = l10n.t('Undo');
  // Not awaited: the notification may stay for as long as it likes.
  void vscode.window.showInformationMessage(told, ...(backups.length > 0 ? [undo] : [])).then(async answer => {
    if (answer !== undo) return;
    try {
      if (!elevated || await againAsAdministrator(host)) await restore(host, backups);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      host.log.error(`undo: ${message}`);
      void showProblem(inMessage(message), host.log);
    }
  });
}

const isAdministrator = ({ administrator }: RemovalHost): boolean => administrator.state.kind === 'yes';

/** What an administrator's probe removed only such a one can bring back: the rights may have been given up since. */
async function againAsAdministrator(host: RemovalHost): Promise<boolean> {
  if (isAdministrator(host)) return true;
  const look = l10n.t('Look as Administrator and Undo');
  const answer = await vscode.window.showWarningMessage(l10n.t('It was removed with an administrator’s rights, and its backup belongs to root. Undoing it takes these rights again.'), look);
  if (answer !== look) return false;
  await host.administrator.look();
  return isAdministrator(host);
}

async function removeInPortions(host: RemovalHost, candidates: readonly Candidate[]): Promise<{ removed: Removed[]; failed: Failed[] }> {
  const removed: Removed[] = [];
  const failed: Failed[] = [];
  const many = candidates.length > portion;
  await vscode.window.withProgress({ location: many ? vscode.ProgressLocation.Notification : vscode.ProgressLocation.Window, title: l10n.t('Removing IPC objects'), cancellable: many }, async (progress, token) => {
    for (let at = 0; at < candidates.length && !token.isCancellationRequested; at += portion) {
      const part = candidates.slice(at, at + portion);
      try {
        // Without the token: a request under way is finished, so that it is known what was removed.
        const result = await host.client.request('remove', removalOf(part));
        removed.push(...result.removed);
        failed.push(...result.failed);
      } catch (error) {
        // What this part has removed before it broke is not known; the refreshed tree will show it.
        const reason = error instanceof Error ? error.message : String(error);
        failed.push(...part.map(({ object }) => ({ objectId: object.id, error: reason })));
      }
      progress.report({ increment: part.length * 100 / candidates.length, message: l10n.t('{0} of {1}', Math.min(at + portion, candidates.length), candidates.length) });
    }
  });
  return { removed, failed };
}

async function restore(host: RemovalHost, backups: readonly string[]): Promise<void> {
  const failed: Failed[] = [];
  let restored = 0;
  await vscode.window.withProgress({ location: backups.length > portion ? vscode.ProgressLocation.Notification : vscode.ProgressLocation.Window, title: l10n.t('Restoring IPC objects') }, async progress => {
    for (const file of backups) {
      try {
        const result = await host.client.request('restore', { file });
        restored += result.restored.length;
        failed.push(...result.failed);
        for (const { objectId, newObjectId } of result.restored) host.log.info(`restored ${objectId} as ${newObjectId}`);
      } catch (error) {
        failed.push({ objectId: file, error: error instanceof Error ? error.message : String(error) });
      }
      progress.report({ increment: 100 / backups.length });
    }
  });
  await host.model.refresh();
  if (failed.length > 0) void showProblem(l10n.t('Not restored: {0}', failures(failed, new Map())), host.log);
  if (restored > 0) void vscode.window.showInformationMessage(restored === 1 ? l10n.t('1 IPC object is back.') : l10n.t('{0} IPC objects are back.', restored));
}

/** An error message with the way to the log. */
export async function showProblem(message: string, log: vscode.LogOutputChannel): Promise<void> {
  const showLog = l10n.t('Show Log');
  if (await vscode.window.showErrorMessage(message, showLog) === showLog) log.show();
}
