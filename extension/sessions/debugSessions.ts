// Debug sessions and their processes: one tracker for every debug type, which only listens to the debug adapter protocol.
import * as vscode from 'vscode';
import { AdapterNotes, asPid } from './adapterMessages';
import { debugAdapter } from './debugAdapters';
import { pidExpression } from './debuggeePids';
import type { DatedPid, ProcessRef, SessionFacts } from './debuggeePids';
import { DisposableStore } from '../dispose';

/** Milliseconds after which an adapter that does not answer is no longer waited for. */
const patience = 5_000;
/** An adapter that has left so many questions unanswered is asked no more. */
const mostUnanswered = 3;

interface Tracked {
  readonly session: vscode.DebugSession;
  /** Milliseconds since the epoch; undefined when it ran before this extension did. */
  readonly startedAt: number | undefined;
  readonly notes: AdapterNotes;
  evaluated: DatedPid | undefined;
  chosen: ProcessRef | undefined;
  asking: boolean;
  unanswered: number;
}

/** The session that the user has selected, with what is known of it. */
export interface ActiveSession {
  readonly id: string;
  readonly name: string;
  readonly runState: 'running' | 'stopped';
}

export class DebugSessions implements vscode.Disposable {
  private readonly store = new DisposableStore();
  private readonly changed = this.store.add(new vscode.EventEmitter<void>());
  /** Another session is active, or more is known of it, or it runs or stops. */
  readonly onDidChange = this.changed.event;
  private readonly stopped = this.store.add(new vscode.EventEmitter<void>());
  /** A program has stopped: what it shares is worth a look now. */
  readonly onDidStop = this.stopped.event;
  private readonly continued = this.store.add(new vscode.EventEmitter<void>());
  /** A program goes on: who waited behind its stop does no longer. */
  readonly onDidContinue = this.continued.event;
  private readonly tracked = new Map<string, Tracked>();

  constructor(private readonly log: vscode.LogOutputChannel) {
    this.store.add(vscode.debug.registerDebugAdapterTrackerFactory('*', { createDebugAdapterTracker: session => this.track(session) }));
    this.store.add(vscode.debug.onDidStartDebugSession(session => {
      this.add(session);
      this.changed.fire();
      void this.ask(session.id);
    }));
    this.store.add(vscode.debug.onDidTerminateDebugSession(session => {
      this.tracked.delete(session.id);
      this.changed.fire();
    }));
    this.store.add(vscode.debug.onDidChangeActiveDebugSession(session => {
      // A session that runs since before activation has no tracker: its configuration, name and answers still tell.
      if (session) this.add(session);
      this.changed.fire();
      if (session) void this.ask(session.id);
    }));
    const running = vscode.debug.activeDebugSession;
    if (running) {
      this.add(running);
      void this.ask(running.id);
    }
  }

  get active(): ActiveSession | undefined {
    const session = vscode.debug.activeDebugSession;
    const tracked = session && this.tracked.get(session.id);
    return session && tracked && { id: session.id, name: session.name, runState: tracked.notes.runState };
  }

  /** Whether the program of any session is stopped. */
  get anyStopped(): boolean {
    return [...this.tracked.values()].some(it => it.notes.runState === 'stopped');
  }

  /** What all sessions have told, by their ids. */
  get facts(): ReadonlyMap<string, SessionFacts> {
    return new Map([...this.tracked.values()].map(({ session, startedAt, notes: { processEvents, printed }, evaluated, chosen }) => [session.id, {
      id: session.id, type: session.type, name: session.name, configuration: session.configuration, processEvents: [...processEvents],
      ...(session.parentSession ? { parentId: session.parentSession.id } : {}),
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(evaluated === undefined ? {} : { evaluated }),
      ...(printed === undefined ? {} : { printed }),
      ...(chosen === undefined ? {} : { chosen }),
    }]));
  }

  /** The user says what a session debugs. False: the session has ended meanwhile. */
  choose(id: string, process: ProcessRef): boolean {
    const tracked = this.tracked.get(id);
    if (!tracked) return false;
    tracked.chosen = process;
    this.changed.fire();
    return true;
  }

  dispose(): void {
    this.store.dispose();
    this.tracked.clear();
  }

  /** @param startedAt when the session began; undefined for one that has been running */
  private add(session: vscode.DebugSession, startedAt?: number): Tracked {
    let tracked = this.tracked.get(session.id);
    if (!tracked) {
      tracked = { session, startedAt, notes: new AdapterNotes(debugAdapter(session.type).output), evaluated: undefined, chosen: undefined, asking: false, unanswered: 0 };
      this.tracked.set(session.id, tracked);
    }
    return tracked;
  }

  private track(session: vscode.DebugSession): vscode.DebugAdapterTracker {
    const tracked = this.add(session, Date.now());
    return {
      onDidSendMessage: (message: unknown) => {
        const { told, runState, changed } = tracked.notes.take(message, Date.now());
        if (told || changed) this.changed.fire();
        if (runState === 'stopped') {
          this.stopped.fire();
          void this.ask(session.id);
        } else if (runState === 'running' && changed) {
          this.continued.fire();
        }
      },
      onError: error => this.log.info(`debug session "${session.name}": ${error.message}`),
    };
  }

  /** Asks the program for its PID, where nothing else has told it and the question is harmless. */
  private async ask(id: string): Promise<void> {
    const tracked = this.tracked.get(id);
    const expression = tracked && pidExpression(tracked.session.type);
    if (!tracked || expression === undefined || tracked.asking || tracked.unanswered >= mostUnanswered || tracked.evaluated !== undefined || tracked.notes.processEvents.length > 0) return;
    tracked.asking = true;
    let timer: NodeJS.Timeout | undefined;
    try {
      const tooLate = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => {
          tracked.unanswered++;
          reject(new Error(`no answer within ${patience / 1000} s`));
        }, patience);
      });
      const answer: unknown = await Promise.race([tracked.session.customRequest('evaluate', { expression, context: 'watch' }), tooLate]);
      const pid = asPid((answer as { result?: unknown } | null | undefined)?.result);
      // It may have ended while it was asked.
      if (pid === undefined || this.tracked.get(id) !== tracked) return;
      tracked.evaluated = { pid, at: Date.now() };
      this.changed.fire();
    } catch (error) {
      // A parent session without a program, or one that must stop first: asked again when it stops.
      this.log.debug(`debug session "${tracked.session.name}" does not tell its PID: ${(error instanceof Error ? error.message : String(error)).slice(0, 500)}`);
    } finally {
      clearTimeout(timer);
      tracked.asking = false;
    }
  }
}
