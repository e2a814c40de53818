// What the debuggers of all sessions know, for the views: follows the sessions, asks what the newest snapshots give reason to ask.
import * as vscode from 'vscode';
import type { Snapshot, ThreadRef } from '../../native-probe/model';
import type { ToldProcess } from '../../native-probe/protocol';
import { processEvent, refusesToResume, runStateAfter } from '../sessions/adapterMessages';
import { debugAdapter, isThisMachine } from '../sessions/debugAdapters';
import { DisposableStore } from '../dispose';
import { ownAddresses } from '../sessions/ownAddresses';
import { capabilitiesIn, livesElsewhere } from './dapAnswers';
import { questionsOf, seen } from './seenSnapshot';
import type { Knowledge, SeenSnapshot } from './seenSnapshot';
import { SessionKnowledge } from './sessionKnowledge';
import type { ThreadPlace } from './sessionKnowledge';

/** Milliseconds in which answers are gathered before the views are drawn again. */
const gathering = 60;

export class DebuggerKnowledge implements vscode.Disposable, Knowledge {
  private readonly store = new DisposableStore();
  private readonly changed = this.store.add(new vscode.EventEmitter<void>());
  /** Debuggers have told more, or what they told holds no longer. */
  readonly onDidChange = this.changed.event;
  private readonly toldChanged = this.store.add(new vscode.EventEmitter<void>());
  /** `told` is another than before: a new look is worth it. */
  readonly onDidTell = this.toldChanged.event;
  private readonly sessions = new Map<string, { readonly session: vscode.DebugSession; readonly knowledge: SessionKnowledge }>();
  private readonly drawn = new WeakMap<Snapshot, { readonly version: number; readonly seen: SeenSnapshot }>();
  private version = 0;
  private lastTold: readonly ToldProcess[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor() {
    this.store.add(vscode.debug.registerDebugAdapterTrackerFactory('*', { createDebugAdapterTracker: session => this.track(session) }));
    this.store.add(vscode.debug.onDidStartDebugSession(session => this.add(session)));
    this.store.add(vscode.debug.onDidTerminateDebugSession(({ id }) => {
      this.sessions.get(id)?.knowledge.end();
      if (this.sessions.delete(id)) this.tell();
    }));
  }

  /** A snapshot with what is known by now. What is not, is asked. */
  see(snapshot: Snapshot): Snapshot {
    if (this.sessions.size === 0) return snapshot;
    let known = this.drawn.get(snapshot);
    if (!known) {
      const questions = questionsOf(snapshot);
      for (const { knowledge } of this.sessions.values()) knowledge.want(questions);
    }
    if (known?.version !== this.version) {
      known = { version: this.version, seen: seen(snapshot, this) };
      this.drawn.set(snapshot, known);
    }
    return known.seen;
  }

  /** What stopped programs' debuggers tell that the kernel denies to the probe: the same array until that changes. */
  get told(): readonly ToldProcess[] {
    const told = [...this.sessions.values()].flatMap(({ knowledge }) => knowledge.toldProcess ?? []);
    // The same references: nothing has changed.
    if (told.length !== this.lastTold.length || told.some((it, i) => it !== this.lastTold[i])) this.lastTold = told;
    return this.lastTold;
  }

  nameOf = (objectId: string): string | undefined => this.first(it => it.nameOf(objectId));

  placeOf = ({ pid, tid }: ThreadRef): ThreadPlace | undefined => this.first(it => {
    if (tid !== undefined) return it.placeOf(tid);
    return it.onlyTid === pid ? it.placeOf(pid) : undefined;
  });

  /** Resolves when all that was worth asking is answered, or after so many milliseconds. */
  async settled(limit: number): Promise<void> {
    if (this.sessions.size === 0) return;
    const end = Date.now() + limit;
    // Once more than it is busy: answers are gathered before they are seen.
    do await new Promise(resolve => setTimeout(resolve, 2 * gathering));
    while (Date.now() < end && [...this.sessions.values()].some(({ knowledge }) => knowledge.busy));
  }

  /** The session that has a thread, by its TID; of several the one that is stopped. */
  sessionOf({ pid, tid }: ThreadRef): { readonly session: vscode.DebugSession; readonly stopped: boolean; readonly threadId: number | undefined } | undefined {
    const of = [...this.sessions.values()].filter(({ knowledge }) => knowledge.has(tid ?? pid) || knowledge.has(pid));
    const found = of.find(({ knowledge }) => knowledge.stopped) ?? of[0];
    return found && { session: found.session, stopped: found.knowledge.stopped, threadId: found.knowledge.threadIdOf(tid ?? pid) };
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const { knowledge } of this.sessions.values()) knowledge.end();
    this.sessions.clear();
    this.store.dispose();
  }

  private first<T>(of: (knowledge: SessionKnowledge) => T | undefined): T | undefined {
    for (const { knowledge } of this.sessions.values()) {
      const found = knowledge.useful ? of(knowledge) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private add(session: vscode.DebugSession): SessionKnowledge {
    const known = this.sessions.get(session.id);
    if (known) return known.knowledge;
    const knowledge = new SessionKnowledge(session, () => this.tell());
    this.sessions.set(session.id, { session, knowledge });
    const address = debugAdapter(session.type).remote?.(session.configuration);
    if (address !== undefined && !isThisMachine(address, ownAddresses())) knowledge.runs(undefined, true);
    return knowledge;
  }

  private track(session: vscode.DebugSession): vscode.DebugAdapterTracker {
    const knowledge = this.add(session);
    return {
      onWillReceiveMessage: (message: unknown) => {
        const { command, arguments: given } = (message ?? {}) as { command?: unknown; arguments?: { expression?: unknown; frameId?: unknown } };
        if (typeof command === 'string') knowledge.sees(command, given);
      },
      onDidSendMessage: (message: unknown) => {
        const capabilities = capabilitiesIn(message);
        if (capabilities) knowledge.announce(capabilities);
        const process = processEvent(message);
        if (process) knowledge.runs(process.systemProcessId, livesElsewhere(message));
        const runState = runStateAfter(message);
        if (runState === 'stopped') {
          knowledge.stop();
          for (const other of this.sessions.values()) if (other.knowledge !== knowledge) other.knowledge.otherStopped();
        } else if (refusesToResume(message)) knowledge.stays();
        else if (runState === 'running' && knowledge.stopped) knowledge.goOn();
      },
    };
  }

  private tell(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.version++;
      this.changed.fire();
      const before = this.lastTold;
      if (this.told !== before) this.toldChanged.fire();
    }, gathering);
  }
}
