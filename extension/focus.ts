// What the debuggee's views are about: the active debug session, or a process that the user chose to follow.
import * as vscode from 'vscode';
import type { DebugSessions } from './debugSessions';
import { descendants, tracees } from './debuggeePids';
import { DisposableStore } from './dispose';
import type { IpcModel, Subscription } from './ipcModel';

export type Focus =
  | { readonly kind: 'none' }
  | { readonly kind: 'session'; readonly name: string; readonly pids: readonly number[]; readonly children: readonly number[]; readonly stopped: boolean }
  /** A session runs, but nothing tells its process. */
  | { readonly kind: 'unidentified'; readonly name: string }
  /** Chosen by hand. The start time tells it from a later process of the same PID. */
  | { readonly kind: 'process'; readonly pid: number; readonly startTime: string; readonly name: string; readonly children: readonly number[] };

/** The processes that the focus is about. */
export function mainPidsOf(focus: Focus): readonly number[] {
  switch (focus.kind) {
    case 'none':
    case 'unidentified': return [];
    case 'session': return focus.pids;
    case 'process': return [focus.pid];
  }
}

/** The processes in focus, and their descendants: what a program shares it often shares with its children only. */
export function pidsOf(focus: Focus): readonly number[] {
  return 'children' in focus ? [...mainPidsOf(focus), ...focus.children] : [];
}

export class FocusTracker implements vscode.Disposable {
  private readonly store = new DisposableStore();
  private readonly changed = this.store.add(new vscode.EventEmitter<Focus>());
  readonly onDidChange = this.changed.event;
  /** All processes, and no objects: to find the children, and what a debugger traces that tells nothing. */
  private readonly processes: Subscription;
  private terminals: readonly number[] = [];
  private chosen: Omit<Extract<Focus, { kind: 'process' }>, 'children'> | undefined;
  private now: Focus = { kind: 'none' };
  private wanted = false;

  constructor(private readonly sessions: DebugSessions, model: IpcModel) {
    this.processes = this.store.add(model.subscribe({ kinds: [] }));
    this.store.add(this.processes.onDidChange(() => this.update()));
    this.store.add(sessions.onDidChange(() => this.update()));
    this.update();
  }

  get current(): Focus { return this.now; }

  /** The processes in focus, those of all other debug sessions, and the descendants of both. */
  get watched(): readonly number[] {
    const debugged = [...this.sessions.takenPids];
    return [...new Set([...pidsOf(this.now), ...debugged, ...this.childrenOf(debugged)])];
  }

  /** Looks once for the processes in focus and their descendants, whether or not somebody else wants to know. */
  look(): Promise<void> {
    return this.processes.refresh();
  }

  /** Whether somebody looks at what is in focus: only then is work spent on finding it. */
  setWanted(wanted: boolean): void {
    this.wanted = wanted;
    this.update();
  }

  /** Follows a process instead of the active session. */
  follow(pid: number, startTime: string, name: string): void {
    this.chosen = { kind: 'process', pid, startTime, name };
    this.update();
  }

  /** Back to the active session, or to nothing. */
  stopFollowing(): void {
    this.chosen = undefined;
    this.update();
  }

  dispose(): void { this.store.dispose(); }

  private update(): void {
    const next = this.chosen ? { ...this.chosen, children: this.childrenOf([this.chosen.pid]) } : this.ofSession();
    this.processes.setActive(this.wanted && next.kind !== 'none');
    if (JSON.stringify(next) === JSON.stringify(this.now)) return;
    this.now = next;
    this.changed.fire(next);
  }

  private ofSession(): Focus {
    const active = this.sessions.active;
    if (!active) return { kind: 'none' };
    const stopped = active.runState === 'stopped';
    if (active.identified) return { kind: 'session', name: active.name, pids: active.identified.pids, children: this.childrenOf(active.identified.pids), stopped };
    void this.readTerminals();
    const traced = this.processes.snapshot ? tracees(this.processes.snapshot.processes, [process.pid, ...this.terminals], this.sessions.takenPids) : [];
    return traced.length > 0 ? { kind: 'session', name: active.name, pids: traced, children: this.childrenOf(traced), stopped } : { kind: 'unidentified', name: active.name };
  }

  private childrenOf(pids: readonly number[]): readonly number[] {
    return descendants(this.processes.snapshot?.processes ?? [], pids);
  }

  /** Debuggers that run in a terminal descend from its shell, not from the extension host. */
  private async readTerminals(): Promise<void> {
    const pids = await Promise.all(vscode.window.terminals.map(terminal => terminal.processId));
    const known = pids.filter(pid => pid !== undefined);
    if (known.join() === this.terminals.join()) return;
    this.terminals = known;
    this.update();
  }
}
