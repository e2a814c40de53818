// The tree views, each fed by its subscription, and asking nothing while it is hidden.
import * as vscode from 'vscode';
import type { Process, Snapshot } from '../../native-probe/model';
import { setContext } from '../contextKeys';
import { commandIds, contextKeys, viewIds } from '../contributions';
import type { ViewId } from '../contributions';
import type { DebugSessions } from '../sessions/debugSessions';
import { DisposableStore } from '../dispose';
import { mainPidsOf, pidsOf } from '../focus';
import type { Focus, FocusTracker } from '../focus';
import type { IpcModel, Subscription } from '../ipcModel';
import { machineWords, rightsWords } from '../words/machineWords';
import { inMessage, visible } from '../words/presentation';
import type { ProbeClient } from '../probeClient';
import { minorKinds } from '../settings';
import type { LeakReports } from '../leaks/leakReports';
import type { StopCompanion } from '../sessions/stopCompanion';
import { indexOf } from '../snapshotIndex';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';
import { debuggeeNodes } from './debuggee';
import { ipcObjectNodes } from './ipcObjects';
import { processesNodes, processNodeId } from './processes';
import { leftBehindId, leftBehindNodes } from './leftBehind';
import { markChanges } from './stopMarks';
import { SnapshotTree } from './treeView';
import type { Element } from './treeView';
import type { TreeNode } from './treeNode';
import { coreOf } from '../deadlocks/deadlockBook';
import { findingPath } from './waitFindings';
import { confirmedFindings, waitNodes } from './waits';

/** After so many milliseconds of the first read a way to cancel it is offered. */
const longRead = 4_000;

export class IpcViews implements vscode.Disposable {
  private readonly store = new DisposableStore();
  private readonly trees: readonly SnapshotTree[];
  private readonly focused: Subscription;
  private readonly objects: Subscription;
  private readonly everything: Subscription;
  private readonly processes: SnapshotTree;
  private readonly machine: Subscription;
  private readonly debuggee: SnapshotTree;
  private readonly waits: SnapshotTree;
  private readonly allWaits: SnapshotTree;
  private idleWaits = false;
  /** The user has had enough of reading every thread of the machine. */
  private cancelled = false;
  private filterText = '';
  private allKinds = false;
  private allProcesses = false;

  constructor(private readonly model: IpcModel, private readonly client: ProbeClient, sessions: DebugSessions, private readonly focus: FocusTracker, companion: StopCompanion, leaks: LeakReports) {
    this.objects = this.store.add(model.subscribe({}));
    // Waits and the debuggee's objects are one request: the processes in focus and whoever shares something with them.
    this.focused = this.store.add(model.subscribe({ pids: [], waits: true }));
    const objects = this.show(viewIds.objects, this.objects, index => ipcObjectNodes(index, { filter: this.filterText, hidden: this.allKinds ? new Set() : minorKinds() }), true);
    // Both views want everything: one subscription each, so that each is read for only while it is visible, and one snapshot.
    this.everything = this.store.add(model.subscribe({}));
    this.processes = this.show(viewIds.processes, this.everything, index => processesNodes(index, { all: this.allProcesses, minor: minorKinds() }));
    const debuggee = this.showFocused(viewIds.debuggee, index => markChanges(debuggeeNodes(index, mainPidsOf(focus.current), pidsOf(focus.current), minorKinds(), 'omitted' in focus.current ? focus.current.omitted : 0), companion.changes, index), () => leftBehindNodes(leaks.report));
    this.debuggee = debuggee;
    for (const source of [companion, leaks]) this.store.add(source.onDidChange(() => debuggee.update()));
    const waits = this.waits = this.showFocused(viewIds.waits, index => waitNodes(index, { idle: this.idleWaits }));
    this.machine = this.store.add(model.subscribe({ waits: true }));
    this.allWaits = this.show(viewIds.allWaits, this.machine, index => waitNodes(index, { idle: this.idleWaits, everybody: true }));
    this.trees = [objects, debuggee, waits, this.processes, this.allWaits];
    // The extension runs where the processes are, which need not be where the window is: say which machine this is.
    for (const [tree, subscription] of [[objects, this.objects], [this.processes, this.everything], [this.allWaits, this.machine]] as const) {
      this.store.add(subscription.onDidChange(() => {
        const { snapshot } = subscription;
        describe(tree, snapshot && [machineWords(snapshot.host, vscode.env.remoteName), this.rights(snapshot)]);
      }));
    }
    for (const tree of [debuggee, waits]) {
      this.store.add(this.focused.onDidChange(() => {
        const { snapshot } = this.focused;
        describe(tree, [focusName(focus.current), snapshot && client.adopted ? this.rights(snapshot) : '']);
      }));
    }

    const followVisibility = (): void => {
      const anyVisible = debuggee.view.visible || waits.view.visible;
      focus.setWanted(anyVisible);
      this.focused.setActive(anyVisible && pidsOf(focus.current).length > 0);
    };
    for (const tree of [debuggee, waits]) this.store.add(tree.view.onDidChangeVisibility(followVisibility));
    const refocus = (now: Focus): void => {
      setContext(contextKeys.focus, now.kind);
      setContext(contextKeys.sessions, focus.sessionsShown);
      for (const tree of [debuggee, waits]) describe(tree, [focusName(now)]);
      const pids = pidsOf(now);
      this.focused.setQuery({ pids, waits: true });
      followVisibility();
      if (pids.length === 0) for (const tree of [debuggee, waits]) tree.update();
    };
    this.store.add(focus.onDidChange(refocus));
    this.store.add(sessions.onDidChange(() => setContext(contextKeys.sessions, focus.sessionsShown)));
    refocus(focus.current);
    this.store.add(sessions.onDidStop(() => { if (pidsOf(focus.current).length > 0) void this.focused.refresh(); }));
    // What somebody stopped goes on: twice, because the first look may have begun before that.
    this.store.add(sessions.onDidContinue(() => void (async () => {
      for (let look = 0; look < 2; look++) {
        await Promise.all([...pidsOf(focus.current).length > 0 ? [this.focused.refresh()] : [], ...this.allWaits.view.visible ? [this.machine.refresh()] : []]);
      }
    })()));
    for (const [tree, subscription] of [[waits, this.focused], [this.allWaits, this.machine]] as const) this.store.add(subscription.onDidChange(() => tellFindings(tree, subscription)));
    this.store.add(client.onDidChangeState(() => {
      this.tellProbeState();
      for (const tree of this.trees) this.tellMessage(tree, tree === objects ? this.objects : tree === this.processes ? this.everything : tree === this.allWaits ? this.machine : this.focused);
    }));
    this.tellProbeState();
  }

  /** What is selected in any of the views, newest view first. */
  get selection(): readonly Element[] {
    return this.trees.find(tree => tree.view.visible && tree.view.selection.length > 0)?.view.selection ?? [];
  }

  get filter(): string { return this.filterText; }

  /** Shows only the objects that match; an empty text shows all. */
  setFilter(text: string): void {
    this.filterText = text.trim();
    setContext(contextKeys.filtered, this.filterText !== '');
    const [objects] = this.trees;
    if (!objects) return;
    this.tellMessage(objects, this.objects);
    objects.update();
  }

  /** Lists all kinds, or only those that the setting does not call minor. */
  setAllKinds(all: boolean): void {
    this.allKinds = all;
    setContext(contextKeys.allKinds, all);
    this.redraw();
  }

  /** Lists all processes, or only those with IPC. */
  setAllProcesses(all: boolean): void {
    this.allProcesses = all;
    setContext(contextKeys.allProcesses, all);
    this.redraw();
  }

  /** Lists idle threads beside the others, or folds them into one node. */
  setIdleWaits(shown: boolean): void {
    this.idleWaits = shown;
    setContext(contextKeys.idleWaits, shown);
    this.redraw();
  }

  /** Shows a node of a view of waits by the ids that lead to it; false when it is there no more. */
  async revealWait(path: readonly string[]): Promise<boolean> {
    for (const tree of [this.waits, this.allWaits]) if (tree.view.visible && await tree.reveal(...path)) return true;
    return false;
  }

  /** Shows a finding by what it is about (`coreOf`): in Waits where that is about it, else in Waits and Deadlocks; false when it is no more. */
  async revealFinding(core: string): Promise<boolean> {
    for (const [id, tree, subscription] of [[viewIds.waits, this.waits, this.focused], [viewIds.allWaits, this.allWaits, this.machine]] as const) {
      if (subscription === this.focused && pidsOf(this.focus.current).length === 0) continue;
      await vscode.commands.executeCommand(`${id}.focus`);
      await subscription.refresh();
      const index = subscription.snapshot && indexOf(subscription.snapshot);
      const finding = index?.snapshot.findings.find(it => coreOf(it, index) === core);
      if (index && finding && await tree.reveal(...findingPath(finding, index))) return true;
    }
    return false;
  }

  /** Shows what the last debug session left behind; false when there is nothing. */
  async revealLeaks(): Promise<boolean> {
    await vscode.commands.executeCommand(`${viewIds.debuggee}.focus`);
    return this.debuggee.reveal(leftBehindId);
  }

  /** Draws the same snapshots again, because what is wanted of them changed. */
  redraw(): void {
    for (const tree of this.trees) tree.update();
  }

  /** Shows a process in Processes, also one without IPC; false when it is gone. */
  async revealProcess(process: Pick<Process, 'pid' | 'startTime'>): Promise<boolean> {
    await vscode.commands.executeCommand(`${viewIds.processes}.focus`);
    await this.everything.refresh();
    const { snapshot } = this.everything;
    const id = processNodeId(process);
    if (await this.processes.reveal(id)) return true;
    if (this.allProcesses || !snapshot?.processes.some(it => processNodeId(it) === id)) return false;
    this.setAllProcesses(true);
    return this.processes.reveal(id);
  }

  /** What is known of a process in any view; undefined when none knows it. */
  processIndex(pid: number): SnapshotIndex | undefined {
    const snapshot = [this.everything, this.objects, this.focused, this.machine].map(it => it.snapshot).find(it => it && indexOf(it).processes.has(pid));
    return snapshot && indexOf(snapshot);
  }

  /** Asks again for what is visible. */
  refresh(): Promise<void> {
    if (this.cancelled && this.allWaits.view.visible) this.read(this.allWaits, viewIds.allWaits, this.machine);
    return this.model.refresh();
  }

  dispose(): void {
    this.store.dispose();
  }

  private show(id: ViewId, subscription: Subscription, nodes: (index: SnapshotIndex) => TreeNode[], canSelectMany = false): SnapshotTree {
    const tree = this.store.add(new SnapshotTree(id, () => subscription.snapshot ? nodes(indexOf(subscription.snapshot)) : id === viewIds.allWaits ? this.pending() : [], { canSelectMany }));
    this.connect(tree, id, subscription, () => subscription.setActive(tree.view.visible));
    return tree;
  }

  /** Like `show`, keeping what it shows until the newly focused processes have been read. `always`: nodes that stand before all others, whether or not anything is in focus. */
  private showFocused(id: ViewId, nodes: (index: SnapshotIndex) => TreeNode[], always: () => readonly TreeNode[] = () => []): SnapshotTree {
    let shown: TreeNode[] = [];
    const tree = this.store.add(new SnapshotTree(id, () => {
      const { snapshot } = this.focused;
      if (pidsOf(this.focus.current).length === 0) shown = [];
      else if (snapshot) shown = nodes(indexOf(snapshot));
      return [...always(), ...shown];
    }));
    this.connect(tree, id, this.focused);
    return tree;
  }

  private connect(tree: SnapshotTree, id: ViewId, subscription: Subscription, onVisibility?: () => void): void {
    let behind = false;
    this.store.add(subscription.onDidChange(() => {
      this.tellMessage(tree, subscription);
      behind = !tree.view.visible;
      if (!behind) tree.update();
    }));
    this.store.add(tree.view.onDidChangeVisibility(() => {
      onVisibility?.();
      if (tree.view.visible && behind) {
        behind = false;
        tree.update();
      }
      if (tree.view.visible && subscription.snapshot === undefined && subscription.error === undefined && onVisibility) {
        this.read(tree, id, subscription);
      }
    }));
    onVisibility?.();
  }

  /** Fills a view for the first time: shows that it does, and lets a long read be cancelled. */
  private read(tree: SnapshotTree, id: ViewId, subscription: Subscription): void {
    if (tree === this.allWaits) this.cancelled = false;
    subscription.setActive(true);
    let over = false;
    const done = subscription.refresh().finally(() => { over = true; });
    void vscode.window.withProgress({ location: { viewId: id } }, () => done);
    if (tree !== this.allWaits) return;
    const timer = setTimeout(() => {
      if (over) return;
      void vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, cancellable: true, title: l10n.t('Looking at every thread of this machine…') }, async (_progress, token) => {
        token.onCancellationRequested(() => {
          this.cancelled = true;
          subscription.setActive(false);
          tree.update();
        });
        await done;
      });
    }, longRead);
    void done.finally(() => clearTimeout(timer));
    tree.update();
  }

  /** What the view of all waits shows before there is a snapshot: its welcome content would claim that nobody waits. */
  private pending(): TreeNode[] {
    if (this.client.state.kind === 'failed') return [];
    if (!this.cancelled) return [{ id: 'pending', label: l10n.t('Looking at every thread of this machine…'), icon: 'loading~spin', expansion: 'none' }];
    return [{ id: 'cancelled', label: l10n.t('Reading was cancelled'), description: l10n.t('select to look again'), icon: 'circle-slash', expansion: 'none', command: { id: commandIds.refresh, title: l10n.t('Refresh') } }];
  }

  private rights(snapshot: Snapshot): string {
    const { state } = this.client;
    return rightsWords(snapshot.host, state.kind === 'ready' && state.probe.capabilities.length > 0);
  }

  /** The line above a tree: the filter in force, and why it is not up to date. */
  private tellMessage(tree: SnapshotTree, subscription: Subscription): void {
    const { state } = this.client;
    const lines: string[] = [];
    if (tree === this.trees[0] && this.filterText !== '') lines.push(l10n.t('Filter: {0}', inMessage(this.filterText)));
    if (state.kind === 'waiting') lines.push(l10n.t('The probe is being restarted; what is shown is not up to date.'));
    else if (state.kind === 'failed') lines.push(l10n.t('The probe does not run; what is shown is not up to date.'));
    else if (subscription.error !== undefined) lines.push(l10n.t('Cannot refresh: {0}', visible(subscription.error, 300)));
    // A tree without nodes shows the welcome content instead, which says it better.
    const empty = subscription.snapshot === undefined && state.kind !== 'ready';
    const message = empty || lines.length === 0 ? undefined : lines.join(' ');
    if (tree.view.message !== message) tree.view.message = message;
  }

  private tellProbeState(): void {
    const { kind } = this.client.state;
    setContext(contextKeys.probe, kind === 'ready' || kind === 'failed' ? kind : 'starting');
  }
}

/** What stands beside a view's title. */
function describe({ view }: SnapshotTree, words: readonly string[] | undefined): void {
  const description = words?.filter(it => it !== '').join(' · ');
  if (view.description !== description) view.description = description;
}

/** The badge: how many findings are certain. */
function tellFindings({ view }: SnapshotTree, { snapshot }: Subscription): void {
  const findings = confirmedFindings(snapshot && indexOf(snapshot));
  if ((view.badge?.value ?? 0) === findings) return;
  view.badge = findings === 0 ? undefined : { value: findings, tooltip: findings === 1 ? l10n.t('1 deadlock') : l10n.t('{0} deadlocks', findings) };
}

function focusName(focus: Focus): string {
  switch (focus.kind) {
    case 'none': return '';
    case 'process': return l10n.t('{0} (PID {1})', visible(focus.name, 80), focus.pid);
    case 'unidentified': return visible(focus.name, 60);
    case 'elsewhere': return focus.host === undefined ? l10n.t('{0} · on another machine', visible(focus.name, 60)) : l10n.t('{0} · on {1}', visible(focus.name, 60), visible(focus.host, 60));
    case 'session': {
      const name = focus.sessions > 1 ? l10n.t('{0} sessions', focus.sessions) : visible(focus.name, 60);
      return focus.stopped ? l10n.t('{0} (stopped)', name) : name;
    }
  }
}
