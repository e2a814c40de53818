// "Follow a Process…": a quick pick of all processes.
import * as vscode from 'vscode';
import type { Process } from '../native-probe/model';
import { inQuickPick, processName, userName, visible } from './words/presentation';
import type { ProbeClient } from './probeClient';
import { l10n } from './translation';

interface ProcessItem extends vscode.QuickPickItem { readonly process: Process }

/** The processes of a snapshot as choices, the newest first; without kernel threads and zombies, which have no IPC to see. */
export function processItems(processes: readonly Process[], except: ReadonlySet<number>): ProcessItem[] {
  return processes
    .filter(it => !except.has(it.pid) && it.state !== 'Z' && !(it.exe === undefined && it.cmdline?.length === 0))
    .sort((a, b) => Number(BigInt(b.startTime) - BigInt(a.startTime)) || b.pid - a.pid)
    .map(process => ({
      label: inQuickPick(processName(process, process.pid)),
      description: inQuickPick([l10n.t('PID {0}, {1}', process.pid, userName(process.uid)), ...containerWords(process)].join(' · ')),
      detail: process.cmdline === null ? l10n.t('command line unknown') : inQuickPick(process.cmdline.join(' ')),
      process,
    }));
}

/** The container and the PID in it, of a process that has them. */
function containerWords({ container, nsPids }: Process): string[] {
  const inner = nsPids?.at(-1);
  return [...(container === undefined ? [] : [container]), ...(inner === undefined ? [] : [l10n.t('PID {0} inside', inner)])];
}

/** Asks which process to follow; undefined when the user chose none. */
export function pickProcess(client: ProbeClient): Promise<Process | undefined> {
  return pick(client, l10n.t('Follow a Process'));
}

/**
 * Asks which process a debug session debugs; undefined when the user chose none.
 * @param candidates PIDs that are likelier than others: they stand first
 */
export function pickDebuggee(client: ProbeClient, session: string, candidates: readonly number[]): Promise<Process | undefined> {
  return pick(client, l10n.t('Which process does “{0}” debug?', visible(session, 60)), candidates);
}

/** Asks which process to show; undefined when the user chose none. */
export function findProcess(client: ProbeClient): Promise<Process | undefined> {
  return pick(client, l10n.t('Find a Process'));
}

async function pick(client: ProbeClient, title: string, first: readonly number[] = []): Promise<Process | undefined> {
  const cancel = new vscode.CancellationTokenSource();
  const items = client.request('snapshot', { kinds: [] }, cancel.token).then(result => {
    if (!('snapshot' in result)) throw new Error('the probe answered a delta that was not asked for');
    const items = processItems(result.snapshot.processes, new Set([result.snapshot.host.pid]));
    const likely = items.filter(it => first.includes(it.process.pid));
    return likely.length === 0 ? items : [...likely, { label: l10n.t('other processes'), kind: vscode.QuickPickItemKind.Separator }, ...items.filter(it => !likely.includes(it))];
  });
  try {
    const chosen = await vscode.window.showQuickPick(items, {
      matchOnDescription: true, matchOnDetail: true, title, placeHolder: l10n.t('Type a PID, a command or a user'),
    }, cancel.token);
    return chosen && 'process' in chosen ? chosen.process : undefined;
  } finally {
    cancel.dispose();
  }
}
