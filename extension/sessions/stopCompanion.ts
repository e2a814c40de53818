// Keeps what the debuggee's IPC was at the last stop beside what it is at this one, so that stepping shows its effects line by line.
// Only what was looked at after the program had stopped, and before it went on, counts.
import * as vscode from 'vscode';
import type { Snapshot } from '../../native-probe/model';
import type { DebugSessions } from './debugSessions';
import { DisposableStore } from '../dispose';
import { pidsOf } from '../focus';
import type { FocusTracker } from '../focus';
import type { IpcModel, Subscription } from '../ipcModel';
import { changesBetween } from './stopChanges';
import type { StopChanges } from './stopChanges';

/** So long (ms) after the program went on the marks stay: a step is over sooner, and nothing flickers. */
const linger = 1_500;

export class StopCompanion implements vscode.Disposable {
  private readonly store = new DisposableStore();
  private readonly changed = this.store.add(new vscode.EventEmitter<void>());
  /** Other changes are to be marked, or none. */
  readonly onDidChange = this.changed.event;
  /** The same snapshots as the debuggee's views have. Never active: it asks at every stop. */
  private readonly watched: Subscription;
  /** As it was when the program went on from the stop before. */
  private before: Snapshot | undefined;
  /** As it is in this stop. */
  private now: Snapshot | undefined;
  private stop = 0;
  private settled = false;
  private timer: NodeJS.Timeout | undefined;
  private marks: StopChanges | undefined;

  constructor(model: IpcModel, sessions: DebugSessions, private readonly focus: FocusTracker) {
    this.watched = this.store.add(model.subscribe({ pids: [], waits: true }));
    this.store.add(this.watched.onDidChange(() => {
      // Somebody else may act while the program stands: that is news too, until it goes on.
      if (this.settled && this.isStopped()) this.take();
    }));
    this.store.add(sessions.onDidStop(() => void this.stopped()));
    this.store.add(sessions.onDidContinue(() => this.wentOn()));
    this.store.add(focus.onDidChange(({ kind }) => { if (kind !== 'session') this.forget(); }));
  }

  /** What is to be marked; undefined while nothing is. */
  get changes(): StopChanges | undefined { return this.marks; }

  dispose(): void {
    clearTimeout(this.timer);
    this.store.dispose();
  }

  private isStopped(): boolean {
    return this.focus.current.kind === 'session' && this.focus.current.stopped;
  }

  private async stopped(): Promise<void> {
    clearTimeout(this.timer);
    const stop = ++this.stop;
    this.settled = false;
    // A look that is under way may have begun before the stop; the one after it has not.
    await Promise.all([this.focus.look(), this.watched.refresh()]);
    if (stop !== this.stop || !this.isStopped()) return;
    this.watched.setQuery({ pids: pidsOf(this.focus.current), waits: true });
    await this.watched.refresh();
    if (stop !== this.stop || !this.isStopped() || this.watched.error !== undefined) return;
    this.before = this.now;
    this.settled = true;
    this.take();
  }

  private take(): void {
    this.now = this.watched.snapshot;
    const marks = this.before && this.now && this.before !== this.now ? changesBetween(this.before, this.now, pidsOf(this.focus.current)) : undefined;
    this.mark(marks && marks.byPid.size + marks.newPids.size > 0 ? marks : undefined);
  }

  private wentOn(): void {
    this.stop++;
    this.settled = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.mark(undefined), linger);
  }

  private forget(): void {
    this.stop++;
    this.settled = false;
    clearTimeout(this.timer);
    [this.before, this.now] = [undefined, undefined];
    this.mark(undefined);
  }

  private mark(marks: StopChanges | undefined): void {
    if (this.marks === marks) return;
    this.marks = marks;
    this.changed.fire();
  }
}
