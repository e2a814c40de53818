// Debug sessions and their processes: one tracker for every debug type, which only listens to the debug adapter protocol.
import * as vscode from 'vscode';
import { asPid, pidExpression, pidsOfFamily, pidsOfSession, processEvent, runStateAfter } from './debuggeePids';
import type { Identified, SessionFacts } from './debuggeePids';
import { DisposableStore } from './dispose';

interface Tracked {
  readonly session: vscode.DebugSession;
  readonly processEvents: SessionFacts['processEvents'][number][];
  evaluatedPid: number | undefined;
  asking: boolean;
  runState: 'running' | 'stopped';
}

/** The session that the user has selected, with what is known of it. */
export interface ActiveSession {
  readonly name: string;
  readonly runState: 'running' | 'stopped';
  /** Undefined: no source has told its processes. */
  readonly identified: Identified | undefined;
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
    return session && tracked && { name: session.name, runState: tracked.runState, identified: pidsOfFamily(session.id, this.facts()) };
  }

  /** The PIDs that any session has told: they are nobody else's. */
  get takenPids(): ReadonlySet<number> {
    return new Set([...this.facts().values()].flatMap(facts => pidsOfSession(facts)?.pids ?? []));
  }

  dispose(): void {
    this.store.dispose();
    this.tracked.clear();
  }

  private add(session: vscode.DebugSession): Tracked {
    let tracked = this.tracked.get(session.id);
    if (!tracked) {
      tracked = { session, processEvents: [], evaluatedPid: undefined, asking: false, runState: 'running' };
      this.tracked.set(session.id, tracked);
    }
    return tracked;
  }

  private track(session: vscode.DebugSession): vscode.DebugAdapterTracker {
    const tracked = this.add(session);
    return {
      onDidSendMessage: (message: unknown) => {
        const process = processEvent(message);
        if (process) {
          tracked.processEvents.push(process);
          this.changed.fire();
        }
        const runState = runStateAfter(message);
        if (runState === undefined) return;
        const news = tracked.runState !== runState;
        tracked.runState = runState;
        if (news) this.changed.fire();
        if (runState === 'stopped') {
          this.stopped.fire();
          void this.ask(session.id);
        } else if (news) {
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
    if (!tracked || expression === undefined || tracked.asking || tracked.evaluatedPid !== undefined || tracked.processEvents.length > 0) return;
    tracked.asking = true;
    try {
      const answer: unknown = await tracked.session.customRequest('evaluate', { expression, context: 'watch' });
      tracked.evaluatedPid = asPid((answer as { result?: unknown } | undefined)?.result);
      if (tracked.evaluatedPid !== undefined) this.changed.fire();
    } catch (error) {
      // A parent session without a program, or one that must stop first: asked again when it stops.
      this.log.debug(`debug session "${tracked.session.name}" does not tell its PID: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      tracked.asking = false;
    }
  }

  private facts(): ReadonlyMap<string, SessionFacts> {
    return new Map([...this.tracked.values()].map(({ session, processEvents, evaluatedPid }) => [session.id, {
      id: session.id, type: session.type, name: session.name, configuration: session.configuration, processEvents,
      ...(session.parentSession ? { parentId: session.parentSession.id } : {}),
      ...(evaluatedPid === undefined ? {} : { evaluatedPid }),
    }]));
  }
}
