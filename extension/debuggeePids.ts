// Which processes a debug session is about, from what is known of the session: the cascade of sources, surest first. Pure.
import type { Process } from '../native-probe/model';
import { grouped } from './snapshotIndex';

/** What a session and its adapter have told so far. */
export interface SessionFacts {
  readonly id: string;
  readonly parentId?: string;
  readonly type: string;
  readonly name: string;
  /** Its resolved configuration: from launch.json, so untrusted in shape. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** DAP `process` events, in order; none from many adapters. */
  readonly processEvents: readonly { readonly systemProcessId?: number; readonly isLocalProcess?: boolean }[];
  /** What the program answered when it was asked for its PID. */
  readonly evaluatedPid?: number;
}

export type Source = 'process event' | 'attach configuration' | 'evaluation' | 'session name' | 'tracer';
export interface Identified { readonly pids: readonly number[]; readonly source: Source }

/** Debug types that are asked to evaluate an expression: reading a property there calls nothing in the program. Never native ones. */
const expressions: ReadonlyMap<string, string> = new Map([
  ['pwa-node', 'process.pid'], ['node', 'process.pid'], ['pwa-extensionHost', 'process.pid'], ['node-terminal', 'process.pid'],
  ['debugpy', '__import__("os").getpid()'], ['python', '__import__("os").getpid()'],
]);

/** The expression that tells a program's PID, for debug types where evaluating it is harmless. */
export function pidExpression(type: string): string | undefined {
  return expressions.get(type);
}

/** A PID as adapters and configurations write it: a positive number, or a text of digits. */
export function asPid(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,10}$/.test(value.trim()) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number > 0 && number < 2 ** 31 ? number : undefined;
}

/** The process of one session by its own facts; undefined when they tell none. */
export function pidsOfSession(facts: SessionFacts): Identified | undefined {
  // An adapter that follows children tells each; the events of processes on another machine are no PIDs of ours.
  const told = facts.processEvents.flatMap(event => event.isLocalProcess === false ? [] : asPid(event.systemProcessId) ?? []);
  if (told.length > 0) return { pids: [...new Set(told)], source: 'process event' };
  if (facts.configuration.request === 'attach') {
    const pid = asPid(facts.configuration.pid) ?? asPid(facts.configuration.processId);
    if (pid !== undefined) return { pids: [pid], source: 'attach configuration' };
  }
  if (facts.evaluatedPid !== undefined) return { pids: [facts.evaluatedPid], source: 'evaluation' };
  if (facts.parentId !== undefined && facts.type.startsWith('pwa-')) {
    const pid = asPid(/\[(\d+)\]$/.exec(facts.name)?.[1]);
    if (pid !== undefined) return { pids: [pid], source: 'session name' };
  }
  return undefined;
}

/**
 * The processes of a session and its child sessions; when they tell none, of the whole family (the selected session may be
 * the parent that only starts the others). Undefined when nobody in the family knows.
 */
export function pidsOfFamily(id: string, sessions: ReadonlyMap<string, SessionFacts>): Identified | undefined {
  const of = (root: string): Identified | undefined => {
    const found = [...sessions.values()].filter(it => isWithin(it, root, sessions)).flatMap(it => pidsOfSession(it) ?? []);
    const [first] = found;
    return first && { pids: [...new Set(found.flatMap(it => it.pids))], source: first.source };
  };
  return of(id) ?? of(rootOf(id, sessions));
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

/**
 * Processes that a descendant of `roots` (the extension host, the terminals) traces with ptrace(2): what a debugger that tells
 * nothing is debugging. Without those in `taken`, which belong to other sessions.
 */
export function tracees(processes: readonly Process[], roots: readonly number[], taken: ReadonlySet<number> = new Set()): number[] {
  const parents = new Map(processes.map(it => [it.pid, it.ppid]));
  const descends = (pid: number): boolean => {
    const seen = new Set<number>();
    for (let at: number | undefined = pid; at !== undefined && at > 0 && !seen.has(at); at = parents.get(at)) {
      if (roots.includes(at)) return true;
      seen.add(at);
    }
    return false;
  };
  return processes.filter(it => it.tracerPid !== undefined && it.tracerPid > 0 && !taken.has(it.pid) && descends(it.tracerPid)).map(it => it.pid);
}

/** So many children of a debuggee are looked at: a build server may have thousands. */
const mostDescendants = 256;

/** The children of processes, their children and so on, without the processes themselves; those nearest first. */
export function descendants(processes: readonly Process[], pids: readonly number[]): number[] {
  const children = grouped(processes, it => it.ppid);
  const seen = new Set(pids);
  const found: number[] = [];
  for (let level: readonly number[] = pids; level.length > 0 && found.length < mostDescendants;) {
    level = level.flatMap(pid => children.get(pid) ?? []).map(it => it.pid).filter(pid => !seen.has(pid));
    for (const pid of level) seen.add(pid);
    found.push(...level);
  }
  return found.slice(0, mostDescendants);
}

/** Requests whose successful answer means that the program runs again: adapters may omit `continued`. */
const resumes: ReadonlySet<string> = new Set(['continue', 'next', 'stepIn', 'stepOut', 'stepBack', 'reverseContinue', 'goto', 'restartFrame']);

/** Whether a DAP message tells that the program stopped, or that it runs again. */
export function runStateAfter(message: unknown): 'stopped' | 'running' | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { type, event, command, success } = message as { type?: unknown; event?: unknown; command?: unknown; success?: unknown };
  if (type === 'event' && event === 'stopped') return 'stopped';
  if (type === 'event' && event === 'continued') return 'running';
  if (type === 'response' && success === true && typeof command === 'string' && resumes.has(command)) return 'running';
  return undefined;
}

/** The body of a DAP `process` event; undefined for every other message. */
export function processEvent(message: unknown): SessionFacts['processEvents'][number] | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { type, event, body } = message as { type?: unknown; event?: unknown; body?: unknown };
  if (type !== 'event' || event !== 'process' || typeof body !== 'object' || body === null) return undefined;
  const { systemProcessId, isLocalProcess } = body as { systemProcessId?: unknown; isLocalProcess?: unknown };
  const pid = asPid(systemProcessId);
  return { ...(pid === undefined ? {} : { systemProcessId: pid }), ...(typeof isLocalProcess === 'boolean' ? { isLocalProcess } : {}) };
}
