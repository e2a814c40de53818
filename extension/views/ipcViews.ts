// The tree views, each fed by its subscription, and asking nothing while it is hidden.
import * as vscode from 'vscode';
import type { Process } from '../../native-probe/model';
import { setContext } from '../contextKeys';
import { contextKeys, viewIds } from '../contributions';
import type { ViewId } from '../contributions';
import type { DebugSessions } from '../debugSessions';
import { DisposableStore } from '../dispose';
import { mainPidsOf, pidsOf } from '../focus';
import type { Focus, FocusTracker } from '../focus';
import type { IpcModel, Subscription } from '../ipcModel';
import { machineWords } from '../machineWords';
import { inMessage, visible } from '../presentation';
import type { ProbeClient } from '../probeClient';
import { minorKinds } from '../settings';
import { indexOf } from '../snapshotIndex';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';
import { debuggeeNodes } from './debuggee';
import { ipcObjectNodes } from './ipcObjects';
import { processesNodes, processNodeId } from './processes';
import { SnapshotTree } from './treeView';
import type { Element } from './treeView';
import type { TreeNode } from './treeNode';
import { waitNodes } from './waits';

export class IpcViews implements vscode.Disposable {
  private readonly store = new DisposableStore();
  private readonly trees: readonly SnapshotTree[];
  private readonly focused: Subscription;
  private readonly objects: Subscription;
  private readonly everything: Subscription;
  private readonly processes: SnapshotTree;
  private filterText = '';
  private allKinds = false;
  private allProcesses = false;

  constructor(private readonly model: IpcModel, private readonly client: ProbeClient, sessions: DebugSessions, private readonly focus: FocusTracker) {
    this.objects = this.store.add(model.subscribe({}));
    // Waits and the debuggee's objects are one request: the processes in focus and whoever shares something with them.
    this.focused = this.store.add(model.subscribe({ pids: [], waits: true }));
    const objects = this.show(viewIds.objects, this.objects, index => ipcObjectNodes(index, { filter: this.filterText, hidden: this.allKinds ? new Set() : minorKinds() }), true);
    // Both views want everything: one subscription each, so that each is read for only while it is visible, and one snapshot.
    this.everything = this.store.add(model.subscribe({}));
    this.processes = this.show(viewIds.processes, this.everything, index => processesNodes(index, { all: this.allProcesses, minor: minorKinds() }));
    const debuggee = this.showFocused(viewIds.debuggee, index => debuggeeNodes(index, mainPidsOf(focus.current), pidsOf(focus.current), minorKinds()));
    const waits = this.showFocused(viewIds.waits, waitNodes);
    this.trees = [objects, debuggee, waits, this.processes];
    // The extension runs where the processes are, which need not be where the window is: say which machine this is.
    for (const [tree, subscription] of [[objects, this.objects], [this.processes, this.everything]] as const) {
      this.store.add(subscription.onDidChange(() => {
        const { snapshot } = subscription;
        const machine = snapshot && machineWords(snapshot.host, vscode.env.remoteName);
        if (tree.view.description !== machine) tree.view.description = machine;
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
      debuggee.view.description = focusName(now);
      waits.view.description = focusName(now);
      const pids = pidsOf(now);
      this.focused.setQuery({ pids, waits: true });
      followVisibility();
      if (pids.length === 0) for (const tree of [debuggee, waits]) tree.update();
    };
    this.store.add(focus.onDidChange(refocus));
    refocus(focus.current);
    this.store.add(sessions.onDidStop(() => { if (pidsOf(focus.current).length > 0) void this.focused.refresh(); }));
    this.store.add(this.focused.onDidChange(() => {
      const findings = this.focused.snapshot?.findings.length ?? 0;
      waits.view.badge = findings === 0 ? undefined : { value: findings, tooltip: findings === 1 ? l10n.t('1 finding about who waits for whom') : l10n.t('{0} findings about who waits for whom', findings) };
    }));
    this.store.add(client.onDidChangeState(() => {
      this.tellProbeState();
      for (const tree of this.trees) this.tellMessage(tree, tree === objects ? this.objects : tree === this.processes ? this.everything : this.focused);
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
    const snapshot = [this.everything, this.objects, this.focused].map(it => it.snapshot).find(it => it && indexOf(it).processes.has(pid));
    return snapshot && indexOf(snapshot);
  }

  /** Asks again for what is visible. */
  refresh(): Promise<void> {
    return this.model.refresh();
  }

  dispose(): void {
    this.store.dispose();
  }

  private show(id: ViewId, subscription: Subscription, nodes: (index: SnapshotIndex) => TreeNode[], canSelectMany = false): SnapshotTree {
    const tree = this.store.add(new SnapshotTree(id, () => subscription.snapshot ? nodes(indexOf(subscription.snapshot)) : [], { canSelectMany }));
    this.connect(tree, id, subscription, () => subscription.setActive(tree.view.visible));
    return tree;
  }

  /** Like `show`, keeping what it shows until the newly focused processes have been read. */
  private showFocused(id: ViewId, nodes: (index: SnapshotIndex) => TreeNode[]): SnapshotTree {
    let shown: TreeNode[] = [];
    const tree = this.store.add(new SnapshotTree(id, () => {
      const { snapshot } = this.focused;
      if (pidsOf(this.focus.current).length === 0) shown = [];
      else if (snapshot) shown = nodes(indexOf(snapshot));
      return shown;
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
        void vscode.window.withProgress({ location: { viewId: id } }, () => subscription.refresh());
      }
    }));
    onVisibility?.();
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

function focusName(focus: Focus): string {
  switch (focus.kind) {
    case 'none': return '';
    case 'process': return l10n.t('{0} (PID {1})', visible(focus.name, 40), focus.pid);
    case 'unidentified': return visible(focus.name, 60);
    case 'session': return focus.stopped ? l10n.t('{0} (stopped)', visible(focus.name, 60)) : visible(focus.name, 60);
  }
}
