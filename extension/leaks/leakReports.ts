// What debug sessions leave behind: each is watched by the probe from its launch to its end, and then told in one notification and in the
// debuggee's view, until the next session begins. A session's children, whoever's adapter started them, belong to it.
import * as vscode from 'vscode';
import type { Snapshot } from '../../native-probe/model';
import { setContext } from '../contextKeys';
import { contextKeys } from '../contributions';
import { placeOf, toldBy } from '../sessions/debuggeePids';
import type { DebugSessions } from '../sessions/debugSessions';
import { DisposableStore } from '../dispose';
import type { FocusTracker } from '../focus';
import { leakCounts, leakMessage } from '../words/leakWords';
import type { LeakReport } from '../words/leakWords';
import { visible } from '../words/presentation';
import type { ProbeClient } from '../probeClient';
import { leakReport, onDidChangeLeakReport } from '../settings';
import { indexOf } from '../snapshotIndex';
import { l10n } from '../translation';

/** After a session's end its last processes, which may clean up behind it, get so long (ms). */
const patience = 3_000;
/** Between two looks for processes that nobody has told of (ms): soon at first, because a program may be short, then ever more seldom. */
const firstPace = 250, pace = 5_000;

interface Watched {
  readonly session: vscode.DebugSession;
  readonly name: string;
  /** The probe's name for it: a session that is restarted keeps its id. */
  run: string;
  /** The probe watches; false when it refused, or was not there. */
  begun: Promise<boolean>;
  readonly joined: Set<number>;
  /** PIDs that its sessions have told, also those that have ended before anything could be asked. */
  readonly told: Set<number>;
  /** Why the report cannot tell everything. */
  readonly doubts: string[];
  joining: Promise<void>;
}

export class LeakReports implements vscode.Disposable {
  private readonly store = new DisposableStore();
  private readonly changed = this.store.add(new vscode.EventEmitter<void>());
  /** There is another report, or none. */
  readonly onDidChange = this.changed.event;
  /** By the id of the session that nobody else started. */
  private readonly watched = new Map<string, Watched>();
  private timer: NodeJS.Timeout | undefined;
  private serial = 0;
  private last: LeakReport | undefined;
  private readonly actions: { show?: () => Promise<void>; remove?: (ids: readonly string[]) => Promise<void> } = {};

  constructor(private readonly client: Pick<ProbeClient, 'request' | 'onDidChangeState'>, private readonly sessions: DebugSessions, private readonly focus: FocusTracker, private readonly log: vscode.LogOutputChannel) {
    // Before the adapter starts: onDidStartDebugSession comes when the program may have run for long.
    this.store.add(vscode.debug.registerDebugAdapterTrackerFactory('*', { createDebugAdapterTracker: session => { this.begin(session); return undefined; } }));
    this.store.add(vscode.debug.onDidTerminateDebugSession(session => void this.end(session)));
    this.store.add(sessions.onDidChange(() => void this.joinAll()));
    this.store.add(sessions.onDidStop(() => void this.joinAll()));
    this.store.add(focus.onDidChange(() => void this.joinAll()));
    this.store.add(onDidChangeLeakReport(() => { if (!leakReport()) this.dismiss(); }));
    let wasReady = false;
    this.store.add(client.onDidChangeState(({ kind }) => {
      if (kind === 'ready' && wasReady) this.beginAgain();
      wasReady ||= kind === 'ready';
    }));
  }

  /** The last report; undefined when there was nothing, or it was dismissed. */
  get report(): LeakReport | undefined { return this.last; }

  /** How the notification's buttons act: known once the views and commands are there. */
  setActions(show: () => Promise<void>, remove: (ids: readonly string[]) => Promise<void>): void {
    this.actions.show = show;
    this.actions.remove = remove;
  }

  /** The report's snapshot, where it has the object. */
  snapshotWith(id: string): Snapshot | undefined {
    return this.last && indexOf(this.last.snapshot).objects.has(id) ? this.last.snapshot : undefined;
  }

  /** Forgets the report. */
  dismiss(): void {
    this.set(undefined);
  }

  /** Takes out of the report what is no more. */
  async recheck(): Promise<void> {
    const report = this.last;
    if (!report) return;
    const { snapshot } = await this.client.request('stale', { ids: report.leaks.map(({ objectId }) => objectId) });
    // What has lost its name goes with its last user.
    const there = new Set(snapshot.objects.filter(({ state }) => !('unlinked' in state && state.unlinked)).map(({ id }) => id));
    // FIFOs and sockets that nobody has open are in no snapshot: only their names are left.
    const leaks = report.leaks.filter(({ objectId }) => there.has(objectId) || /^(?:fifo|unix-socket):/.test(objectId));
    if (this.last === report) this.set(leaks.length === 0 ? undefined : { ...report, leaks });
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.store.dispose();
  }

  private set(report: LeakReport | undefined): void {
    if (this.last === report) return;
    this.last = report;
    setContext(contextKeys.leaks, report !== undefined);
    this.changed.fire();
  }

  private begin(session: vscode.DebugSession): void {
    if (session.parentSession || this.watched.has(session.id) || !leakReport()) return;
    this.dismiss();
    const watched: Watched = { session, name: session.name, ...this.ask(session.id), joined: new Set(), told: new Set(), doubts: [], joining: Promise.resolve() };
    this.watched.set(session.id, watched);
    this.schedule(firstPace);
  }

  private ask(id: string): Pick<Watched, 'run' | 'begun'> {
    const run = `${id}#${++this.serial}`;
    return {
      run,
      begun: this.client.request('beginRun', { run }).then(() => true, (error: unknown) => {
        this.log.warn(`what the debug session leaves behind cannot be told: ${wordsOf(error)}`);
        return false;
      }),
    };
  }

  /** Another probe has taken over: what was made before cannot be told from what was there before. */
  private beginAgain(): void {
    if (this.watched.size === 0) return;
    for (const [id, watched] of this.watched) {
      watched.doubts.push(l10n.t('The probe was started again during the session: what the program made before that is not in this report.'));
      watched.joined.clear();
      Object.assign(watched, this.ask(id));
    }
    void this.joinAll();
  }

  private schedule(soon = pace): void {
    clearTimeout(this.timer);
    if (this.watched.size === 0) return;
    this.timer = setTimeout(() => {
      const unknown = [...this.watched.values()].some(({ joined }) => joined.size === 0);
      void (unknown ? this.focus.look() : Promise.resolve()).then(() => this.joinAll()).finally(() => this.schedule(Math.min(pace, soon * 2)));
    }, soon);
  }

  private async joinAll(): Promise<void> {
    await Promise.all([...this.watched.values()].map(watched => {
      // At once: a session that ends while the probe is asked takes what it has told with it.
      this.note(watched);
      watched.joining = watched.joining.then(() => this.join(watched)).catch((error: unknown) => this.log.debug(`leak report: ${wordsOf(error)}`));
      return watched.joining;
    }));
  }

  private note({ session, told }: Watched): void {
    if (session.configuration.request === 'attach') return;
    const family = [...this.sessions.facts.values()].filter(facts => this.rootOf(facts.id) === session.id);
    for (const facts of family) if (placeOf(facts).kind === 'here') for (const pid of toldBy(facts)?.pids ?? []) told.add(pid);
  }

  /** Tells the probe which processes the session is about: those that were recognised, and those that were only told, if they are of this machine and young enough. */
  private async join({ session, run, begun, joined, told: all }: Watched): Promise<void> {
    const found = [...new Set(this.focus.pidsOfSession(session.id))].filter(pid => !joined.has(pid));
    const told = [...all].filter(pid => !joined.has(pid) && !found.includes(pid));
    if (found.length + told.length === 0 || !await begun) return;
    for (const pid of [...found, ...told]) joined.add(pid);
    if (found.length > 0) await this.client.request('joinRun', { run, pids: found });
    if (told.length > 0) await this.client.request('joinRun', { run, pids: told, bornSince: true });
  }

  private rootOf(id: string): string {
    const { facts } = this.sessions;
    const seen = new Set<string>();
    for (let at = id; ;) {
      const parent = facts.get(at)?.parentId;
      if (parent === undefined || seen.has(parent)) return at;
      seen.add(at);
      at = parent;
    }
  }

  private async end(session: vscode.DebugSession): Promise<void> {
    const watched = this.watched.get(session.id);
    if (!watched) return;
    this.watched.delete(session.id);
    this.schedule();
    const { run } = watched;
    try {
      await watched.joining;
      if (!await watched.begun) return;
      const end = performance.now() + patience;
      // Where no process was ever known there is nobody to wait for, and nothing that could be said.
      while ((await this.client.request('joinRun', { run, pids: [] })).living.length > 0 && performance.now() < end) await new Promise(next => setTimeout(next, 100));
      const result = await this.client.request('endRun', { run });
      if (watched.joined.size === 0) return;
      this.log.info(`debug session "${watched.name}": ${leakCounts(result.leaks)}`);
      if (result.leaks.length === 0 || !leakReport()) return;
      const report: LeakReport = { ...result, name: watched.name, doubts: watched.doubts };
      this.set(report);
      if (result.leaks.some(({ certainty }) => certainty === 'certain')) this.notify(report);
    } catch (error) {
      this.log.warn(`what the debug session "${watched.name}" left behind cannot be told: ${wordsOf(error)}`);
    }
  }

  private notify(report: LeakReport): void {
    const [show, remove] = [l10n.t('Show'), l10n.t('Remove…')];
    vscode.window.showWarningMessage(leakMessage(report), show, remove).then(async chosen => {
      if (chosen === show) {
        if (this.last !== report) this.set(report);
        await this.actions.show?.();
      } else if (chosen === remove) {
        await this.actions.remove?.(report.leaks.map(({ objectId }) => objectId));
      }
    }).then(undefined, (error: unknown) => this.log.error(`leak report: ${wordsOf(error)}`));
  }
}

function wordsOf(error: unknown): string {
  return visible(error instanceof Error ? error.message : String(error), 400);
}
