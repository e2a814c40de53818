// What a debug session has told of its processes: the cascade of sources, surest first (each adapter's own are in debugAdapters.ts),
// and families of sessions. Whether such a PID is a process of this machine, and which, is found in debuggees.ts. Pure.
import { asPid } from './adapterMessages';
import type { ProcessEvent } from './adapterMessages';
import { debugAdapter, isThisMachine } from './debugAdapters';

/** A process of this machine. The start time tells it from a later process of the same PID. */
export interface ProcessRef { readonly pid: number; readonly startTime: string }

/** A PID, and when it was told, in milliseconds since the epoch: whoever is younger is not meant. */
export interface DatedPid { readonly pid: number; readonly at?: number }

/** What a session and its adapter have told so far. Times: milliseconds since the epoch. */
export interface SessionFacts {
  readonly id: string;
  readonly parentId?: string;
  readonly type: string;
  readonly name: string;
  /** Its resolved configuration: from launch.json, so untrusted in shape. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** When it began; absent when it ran before this extension did. */
  readonly startedAt?: number;
  /** DAP `process` events, in order; none from many adapters. */
  readonly processEvents: readonly (ProcessEvent & { readonly at?: number })[];
  /** What the adapter itself has printed. */
  readonly printed?: DatedPid;
  /** What the program answered when it was asked for its PID. */
  readonly evaluated?: DatedPid;
  /** What the user said that it debugs. */
  readonly chosen?: ProcessRef;
}

export type Source = 'choice' | 'process event' | 'attach configuration' | 'evaluation' | 'output' | 'session name' | 'tracer';

/** PIDs as the adapter numbers them, which may be in another PID namespace than ours. */
export interface Told {
  readonly pids: readonly number[];
  readonly source: Exclude<Source, 'tracer'>;
  /** When the first of them was told, where that is known. */
  readonly at?: number;
}

/** Where the program of a session runs, by its configuration and its adapter. */
export type Place =
  | { readonly kind: 'here' }
  /** Behind an address of this machine: in a container, or anywhere at the other end of a tunnel. */
  | { readonly kind: 'behind' }
  | { readonly kind: 'elsewhere'; readonly host?: string };

/** The expression that tells a program's PID, for debug types where evaluating it is harmless. */
export function pidExpression(type: string): string | undefined {
  return debugAdapter(type).expression;
}

/** What one session has told by itself; undefined when it has told nothing. */
export function toldBy(facts: SessionFacts): Told | undefined {
  const { configuration, processEvents, chosen } = facts;
  if (chosen) return { pids: [chosen.pid], source: 'choice' };
  // An adapter that follows children tells each; the events of processes on another machine are no PIDs of ours.
  const events = processEvents.flatMap(it => it.isLocalProcess === false || it.systemProcessId === undefined ? [] : [{ pid: it.systemProcessId, at: it.at }]);
  const [first] = events;
  if (first) return { pids: [...new Set(events.map(it => it.pid))], source: 'process event', ...(first.at === undefined ? {} : { at: first.at }) };
  const one = (value: unknown, source: Told['source'], at = facts.startedAt): Told | undefined => {
    const pid = asPid(value);
    return pid === undefined ? undefined : { pids: [pid], source, ...(at === undefined ? {} : { at }) };
  };
  const { childName } = debugAdapter(facts.type);
  return (configuration.request === 'attach' ? one(configuration.pid, 'attach configuration') ?? one(configuration.processId, 'attach configuration') : undefined)
    ?? one(facts.evaluated?.pid, 'evaluation', facts.evaluated?.at)
    ?? one(facts.printed?.pid, 'output', facts.printed?.at)
    ?? (facts.parentId !== undefined && childName ? one(childName.exec(facts.name.slice(-200))?.[1], 'session name') : undefined);
}

/** Where the program of a session runs. `own`: this machine's names and addresses. */
export function placeOf({ type, configuration, processEvents }: SessionFacts, own: ReadonlySet<string> = new Set()): Place {
  const address = debugAdapter(type).remote?.(configuration);
  if (address !== undefined && !isThisMachine(address, own)) return { kind: 'elsewhere', host: address };
  if (processEvents.length > 0 && processEvents.every(it => it.isLocalProcess === false)) return { kind: 'elsewhere' };
  return address === undefined ? { kind: 'here' } : { kind: 'behind' };
}

/** All sessions that one launch has started: which of them is selected changes with every stop of another. */
export function familyOf(id: string, sessions: ReadonlyMap<string, SessionFacts>): readonly SessionFacts[] {
  const root = rootOf(id, sessions);
  return [...sessions.values()].filter(it => rootOf(it.id, sessions) === root || isWithin(it, root, sessions));
}

/** The topmost known ancestor of a session. */
export function rootOf(id: string, sessions: ReadonlyMap<string, SessionFacts>): string {
  const seen = new Set<string>();
  let current = id;
  for (;;) {
    seen.add(current);
    const parent = sessions.get(current)?.parentId;
    if (parent === undefined || !sessions.has(parent) || seen.has(parent)) return current;
    current = parent;
  }
}

function isWithin(facts: SessionFacts, root: string, sessions: ReadonlyMap<string, SessionFacts>): boolean {
  const seen = new Set<string>();
  for (let at: SessionFacts | undefined = facts; at && !seen.has(at.id); at = at.parentId === undefined ? undefined : sessions.get(at.parentId)) {
    if (at.id === root) return true;
    seen.add(at.id);
  }
  return false;
}
