// What the debuggee's views are about: the active debug session, all of them, or a process that the user chose to follow.
import * as vscode from 'vscode';
import type { DebugSessions } from './sessions/debugSessions';
import type { ProcessRef, Source } from './sessions/debuggeePids';
import { DebuggeeBook } from './sessions/debuggees';
import type { Debuggee } from './sessions/debuggees';
import { DisposableStore } from './dispose';
import type { IpcModel, Subscription } from './ipcModel';
import { Lineage } from './sessions/lineage';
import type { Descendants } from './sessions/lineage';
import { ownAddresses } from './sessions/ownAddresses';
import { followChildren, onDidChangeFollowChildren } from './settings';

/** `children`: descendants that are followed too; `omitted`: how many more there are. */
interface Family { readonly children: readonly number[]; readonly omitted: number }

export type Focus =
  | { readonly kind: 'none' }
  /** `pids` is empty when they have ended. `sessions`: how many debug sessions it is about. */
  | { readonly kind: 'session'; readonly name: string; readonly pids: readonly number[]; readonly source: Source; readonly sessions: number; readonly stopped: boolean } & Family
  /** A session runs, but nothing tells its process, or several processes could be meant. */
  | { readonly kind: 'unidentified'; readonly name: string; readonly candidates: readonly number[] }
  /** A session whose program runs on another machine. */
  | { readonly kind: 'elsewhere'; readonly name: string; readonly host?: string }
  /** Chosen by hand. The start time tells it from a later process of the same PID. */
  | { readonly kind: 'process'; readonly pid: number; readonly startTime: string; readonly name: string } & Family;

/** The processes that the focus is about. */
export function mainPidsOf(focus: Focus): readonly number[] {
  switch (focus.kind) {
    case 'none':
    case 'unidentified':
    case 'elsewhere': return [];
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
  /** All processes, and no objects: to recognise what sessions tell, to find the children, and what a debugger traces that tells nothing. */
  private readonly processes: Subscription;
  private readonly debuggees = new DebuggeeBook(ownAddresses());
  private lineage = new Lineage();
  private terminals: readonly number[] = [];
  private chosen: { readonly pid: number; readonly startTime: string; readonly name: string } | undefined;
  private now: Focus = { kind: 'none' };
  private everybody: readonly number[] = [];
  private allSessions = false;
  private wanted = false;

  constructor(private readonly sessions: DebugSessions, model: IpcModel) {
    this.processes = this.store.add(model.subscribe({ kinds: [] }));
    this.store.add(this.processes.onDidChange(() => this.update()));
    this.store.add(sessions.onDidChange(() => {
      this.update();
      // What was told just now may be about a process that is younger than the last look.
      if (this.wanted) void this.look();
    }));
    this.store.add(onDidChangeFollowChildren(() => this.update()));
    this.update();
  }

  get current(): Focus { return this.now; }

  /** The processes of a debug session, and of those that it started; none where they are not known (yet). */
  pidsOfSession(id: string): readonly number[] {
    const { debuggee } = this.debuggees.of(id, this.sessions.facts);
    return debuggee.kind === 'found' ? debuggee.pids : [];
  }

  /** Whether the views are about all of several sessions, about the active one of several, or there is no choice. */
  get sessionsShown(): 'one' | 'active' | 'all' {
    return this.sessionCount < 2 ? 'one' : this.allSessions ? 'all' : 'active';
  }

  /** The processes in focus, those of all other debug sessions, and the descendants of both. */
  get watched(): readonly number[] {
    return [...new Set([...pidsOf(this.now), ...this.everybody])];
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

  /** Whether the views are about all debug sessions, or about the one that is selected. */
  setAllSessions(all: boolean): void {
    this.allSessions = all;
    this.update();
    this.changed.fire(this.now);
  }

  /** The user says which process the active session debugs. False: the session has ended meanwhile. */
  choose(sessionId: string, process: ProcessRef): boolean {
    this.stopFollowing();
    return this.sessions.choose(sessionId, process);
  }

  /** The active session; undefined when there is none. */
  get activeSession(): { readonly id: string; readonly name: string } | undefined {
    return this.sessions.active;
  }

  /** Follows a process instead of the active session. */
  follow(pid: number, startTime: string, name: string): void {
    this.chosen = { pid, startTime, name };
    this.lineage = new Lineage();
    this.update();
  }

  /** Back to the active session, or to nothing. */
  stopFollowing(): void {
    this.chosen = undefined;
    this.update();
  }

  dispose(): void { this.store.dispose(); }

  private update(): void {
    const { snapshot } = this.processes;
    const { facts } = this.sessions;
    if (facts.size > 0) void this.readTerminals();
    this.debuggees.update(facts, snapshot && {
      processes: snapshot.processes, takenAt: Date.parse(snapshot.takenAt), bootedAt: Date.parse(snapshot.host.bootedAt), roots: [process.pid, ...this.terminals],
    });
    const all = this.debuggees.ofAll();
    this.everybody = all.debuggee.kind === 'found' ? [...all.debuggee.pids, ...followed(all.descendants).children] : [];
    const next: Focus = this.chosen ? { kind: 'process', ...this.chosen, ...followed(this.lineage.update(snapshot?.processes ?? [], [this.chosen])) } : this.ofSessions();
    this.processes.setActive(this.wanted && next.kind !== 'none');
    if (JSON.stringify(next) === JSON.stringify(this.now)) return;
    this.now = next;
    this.changed.fire(next);
  }

  /** How many debug sessions there are that were not started by others. */
  private get sessionCount(): number {
    return [...this.sessions.facts.values()].filter(it => it.parentId === undefined).length;
  }

  private ofSessions(): Focus {
    const { active, facts } = this.sessions;
    if (!active) return { kind: 'none' };
    const everyone = this.sessionsShown === 'all';
    const { debuggee, descendants } = everyone ? this.debuggees.ofAll() : this.debuggees.of(active.id, facts);
    const stopped = everyone ? this.sessions.anyStopped : active.runState === 'stopped';
    return focusOn(debuggee, descendants, active.name, everyone ? this.sessionCount : 1, stopped);
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

function focusOn(debuggee: Debuggee, descendants: Descendants, name: string, sessions: number, stopped: boolean): Focus {
  switch (debuggee.kind) {
    case 'found': return { kind: 'session', name, pids: debuggee.pids, source: debuggee.source, sessions, stopped, ...followed(descendants) };
    case 'elsewhere': return { kind: 'elsewhere', name, ...(debuggee.host === undefined ? {} : { host: debuggee.host }) };
    case 'unknown': return { kind: 'unidentified', name, candidates: debuggee.candidates };
  }
}

/** The descendants that the setting lets us follow. */
function followed({ pids, omitted }: Descendants): Family {
  return followChildren() ? { children: pids, omitted } : { children: [], omitted: 0 };
}
