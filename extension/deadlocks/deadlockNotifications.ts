// One notification when a followed or debugged process enters a deadlock that is certain. The processes in question are looked at
// every few seconds for it, also while no view shows them: a deadlock that is told only to those who look would help nobody.
import * as vscode from 'vscode';
import type { Finding } from '../../native-probe/model';
import { commandIds } from '../contributions';
import { coreOf, DeadlockBook } from './deadlockBook';
import type { DebuggerKnowledge } from '../debugger/debuggerKnowledge';
import type { DebugSessions } from '../sessions/debugSessions';
import { DisposableStore } from '../dispose';
import { pidsOf } from '../focus';
import type { FocusTracker } from '../focus';
import type { IpcModel, Subscription } from '../ipcModel';
import { inMessage, visible } from '../words/presentation';
import { deadlockNotifications, onDidChangeDeadlockNotifications, onDidChangeRefreshInterval, refreshInterval } from '../settings';
import { indexOf } from '../snapshotIndex';
import { l10n } from '../translation';
import type { IpcViews } from '../views/ipcViews';
import type { TreeNode } from '../views/treeNode';
import { verdictWords } from '../words/waitWords';

/** Milliseconds between two looks while no view makes them more often. */
const pace = 5_000;
/** Milliseconds that a debugger gets to name what is locked. */
const namingLimit = 1_000;
/** More at once are told in one notification. */
const mostAtOnce = 3;

export class DeadlockNotifications implements vscode.Disposable {
  private readonly store = new DisposableStore();
  private readonly book = new DeadlockBook();
  /** The same snapshots as the debuggee's views have, where it is about the same processes. Never active: it asks at its own pace. */
  private readonly watched: Subscription;
  private timer: NodeJS.Timeout | undefined;
  private disposed = false;

  constructor(model: IpcModel, sessions: DebugSessions, private readonly focus: FocusTracker, private readonly views: IpcViews, private readonly knowledge: Pick<DebuggerKnowledge, 'settled'>, private readonly log: vscode.LogOutputChannel) {
    this.watched = this.store.add(model.subscribe({ pids: [], waits: true }));
    this.store.add(this.watched.onDidChange(() => this.tell()));
    this.store.add(focus.onDidChange(() => this.follow()));
    this.store.add(sessions.onDidChange(() => this.follow()));
    this.store.add(onDidChangeDeadlockNotifications(() => this.follow()));
    this.store.add(onDidChangeRefreshInterval(() => this.follow()));
    this.follow();
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.timer);
    this.store.dispose();
  }

  /** Watches whatever is followed or debugged now. */
  private follow(): void {
    this.watched.setQuery({ pids: this.focus.watched, waits: true });
    const anything = this.focus.watched.length > 0 || this.focus.current.kind !== 'none';
    if (!anything || !deadlockNotifications() || refreshInterval() === 0) {
      clearTimeout(this.timer);
      this.timer = undefined;
    } else if (this.timer === undefined && !this.disposed) {
      this.timer = setTimeout(() => void this.look(), 1_000);
    }
  }

  private async look(): Promise<void> {
    try {
      // Whose children they are, first: a program's deadlock is often its children's.
      await this.focus.look();
      if (this.focus.watched.length > 0) await this.watched.refresh();
    } finally {
      if (this.timer !== undefined && !this.disposed) this.timer = setTimeout(() => void this.look(), Math.max(pace, refreshInterval()));
    }
  }

  private tell(): void {
    const { snapshot } = this.watched;
    if (!snapshot || !deadlockNotifications()) return;
    const news = this.book.news(snapshot, new Set(this.focus.watched), Date.now());
    const index = indexOf(snapshot);
    if (news.length > 0) void this.tellNamed(news.map(finding => ({ finding, core: coreOf(finding, index) })));
  }

  /** With the names that a debugger has for what is locked, if it tells them soon: told once, and then that is what people read. */
  private async tellNamed(news: readonly { readonly finding: Finding; readonly core: string }[]): Promise<void> {
    await this.knowledge.settled(namingLimit);
    const { snapshot } = this.watched;
    const index = snapshot && indexOf(snapshot);
    const now = new Map(index?.snapshot.findings.map(finding => [coreOf(finding, index), finding]));
    // Whose session has ended meanwhile is nobody's concern any more.
    const watched = new Set(this.focus.watched);
    const said = news.filter(({ finding }) => finding.threads.some(({ pid }) => watched.has(pid))).map(({ finding, core }) => ({ finding: now.get(core) ?? finding, core }));
    const [first] = said;
    if (first && said.length > mostAtOnce) this.notify(l10n.t('{0} deadlocks, one of them: {1}', said.length, words(first.finding)), first);
    else for (const one of said) this.notify(l10n.t('{0}: {1}', verdictWords(one.finding.verdict), words(one.finding)), one);
  }

  private notify(text: string, { finding, core }: { readonly finding: Finding; readonly core: string }): void {
    const show = l10n.t('Show Chain');
    const draw = l10n.t('Show in Wait Graph');
    vscode.window.showWarningMessage(text, show, draw).then(async chosen => {
      if (chosen === draw) {
        // The debuggee's graph where the deadlock is the debuggee's; another session's stands among all threads.
        const pids = new Set(pidsOf(this.focus.current));
        const graph = { scope: finding.threads.some(({ pid }) => pids.has(pid)) ? 'focus' : 'machine', chain: `finding:${core}` } satisfies TreeNode['graph'];
        await vscode.commands.executeCommand(commandIds.showInWaitGraph, { node: { graph } });
        return;
      }
      if (chosen !== show || await this.views.revealFinding(core)) return;
      void vscode.window.showInformationMessage(l10n.t('This deadlock is no more.'));
    }).then(undefined, (error: unknown) => this.log.error(`cannot show a deadlock: ${error instanceof Error ? error.message : String(error)}`));
  }
}

function words({ explanation }: Finding): string {
  return inMessage(visible(explanation, 400));
}
