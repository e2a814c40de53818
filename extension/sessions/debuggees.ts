// Which processes of this machine the debug sessions are about: what the sessions have told, held against the processes that live.
// A PID that was told is only a number: of another PID namespace where the adapter runs in a container, of another machine behind
// a tunnel, of a later process when it was reused. Where nothing was told, ptrace(2) shows who is debugged. Pure but for its memory.
import type { Process } from '../../native-probe/model';
import { debugAdapter } from './debugAdapters';
import { familyOf, placeOf, rootOf, toldBy } from './debuggeePids';
import type { Place, ProcessRef, SessionFacts, Source, Told } from './debuggeePids';
import { Lineage } from './lineage';
import type { Descendants } from './lineage';

export type Debuggee =
  /** `pids` is empty when they have ended. */
  | { readonly kind: 'found'; readonly pids: readonly number[]; readonly source: Source }
  /** On another machine, or where it cannot be told from others. */
  | { readonly kind: 'elsewhere'; readonly host?: string }
  /** Nobody tells, or several processes could be meant: `candidates`. */
  | { readonly kind: 'unknown'; readonly candidates: readonly number[] };

/** One look at all processes. */
export interface Look {
  readonly processes: readonly Process[];
  /** When it was taken, in milliseconds since the epoch. */
  readonly takenAt: number;
  /** When the machine was started, in milliseconds since the epoch: start times count from then. */
  readonly bootedAt: number;
  /** PIDs whose descendants are this window's debuggers: the extension host, the shells of its terminals. */
  readonly roots: readonly number[];
}

/** Start times are rounded, and so is the time of booting: two moments closer than this (in milliseconds) have no order. */
const slack = 2_000;

/** Of one session: the processes that were recognised once, and what descends from them. */
interface Entry { pins: readonly (ProcessRef & { readonly told: number | undefined; readonly source: Source })[]; readonly lineage: Lineage; debuggee: Debuggee; descendants: Descendants }

const nobody: Descendants = { pids: [], omitted: 0 };
const unknown: Debuggee = { kind: 'unknown', candidates: [] };

export class DebuggeeBook {
  private readonly entries = new Map<string, Entry>();

  /** @param own this machine's names and addresses: what is reached by them need not be elsewhere */
  constructor(private readonly own: ReadonlySet<string> = new Set()) {}

  /** Takes notice of what is known of the sessions and of the processes. Without a look a PID that was told is taken as it is. */
  update(sessions: ReadonlyMap<string, SessionFacts>, look: Look | undefined): void {
    for (const id of this.entries.keys()) if (!sessions.has(id)) this.entries.delete(id);
    const alive = new Map(look?.processes.map(it => [it.pid, it]));
    const silent: SessionFacts[] = [];
    for (const facts of sessions.values()) {
      const entry = this.entry(facts.id);
      if (look) entry.pins = entry.pins.filter(pin => alive.get(pin.pid)?.startTime === pin.startTime);
      const told = toldBy(facts);
      if (told) entry.debuggee = this.settle(entry, facts, told, look);
      else if (placeOf(facts, this.own).kind === 'elsewhere') entry.debuggee = elsewhere(placeOf(facts, this.own));
      else silent.push(facts);
    }
    // Last: what other sessions debug is nobody else's.
    for (const facts of silent) this.bySight(facts, sessions, look, alive);
    if (!look) return;
    for (const entry of this.entries.values()) {
      const roots = entry.debuggee.kind === 'found' ? entry.debuggee.pids.flatMap(pid => alive.get(pid) ?? []) : [];
      entry.descendants = entry.lineage.update(look.processes, roots);
    }
  }

  /** A session with all that the same launch has started. */
  of(id: string, sessions: ReadonlyMap<string, SessionFacts>): { readonly debuggee: Debuggee; readonly descendants: Descendants } {
    const family = familyOf(id, sessions).flatMap(it => this.entries.get(it.id) ?? []);
    return united(family);
  }

  /** All sessions together. */
  ofAll(): { readonly debuggee: Debuggee; readonly descendants: Descendants } {
    return united([...this.entries.values()]);
  }

  private entry(id: string): Entry {
    let entry = this.entries.get(id);
    if (!entry) {
      entry = { pins: [], lineage: new Lineage(), debuggee: unknown, descendants: nobody };
      this.entries.set(id, entry);
    }
    return entry;
  }

  private settle(entry: Entry, facts: SessionFacts, told: Told, look: Look | undefined): Debuggee {
    const place = placeOf(facts, this.own);
    const sure = told.source === 'choice';
    if (!sure && place.kind === 'elsewhere') return elsewhere(place);
    if (!look) return place.kind === 'here' || sure ? { kind: 'found', pids: told.pids, source: told.source } : unknown;
    const candidates: Process[] = [];
    for (const pid of told.pids) {
      if (entry.pins.some(pin => pin.told === pid && pin.source === told.source)) continue;
      const found = sure ? { likely: look.processes.filter(it => it.pid === pid && it.startTime === facts.chosen?.startTime), older: [] } : meant(pid, facts, told, place, look);
      const [only] = found.likely;
      if (only && found.likely.length === 1) entry.pins = [...entry.pins.filter(pin => pin.told !== pid), { pid: only.pid, startTime: only.startTime, told: pid, source: told.source }];
      else candidates.push(...found.likely, ...found.older);
    }
    const pins = entry.pins.filter(pin => pin.told !== undefined && told.pids.includes(pin.told));
    if (pins.length > 0) return { kind: 'found', pids: [...new Set(pins.map(pin => pin.pid))], source: told.source };
    if (candidates.length > 0) return { kind: 'unknown', candidates: candidates.map(it => it.pid) };
    // Behind an address nothing like it is here. Else it has ended, or began after the look.
    if (place.kind === 'behind' && !sure) return { kind: 'elsewhere' };
    return { kind: 'found', pids: told.at !== undefined && told.at > look.takenAt ? told.pids.slice(-1) : [], source: told.source };
  }

  /** A session that tells nothing: whom its debugger traces. */
  private bySight(facts: SessionFacts, sessions: ReadonlyMap<string, SessionFacts>, look: Look | undefined, alive: ReadonlyMap<number, Process>): void {
    const entry = this.entry(facts.id);
    entry.debuggee = unknown;
    const { traces } = debugAdapter(facts.type);
    // Where a child session tells, or a parent that has told, the family is known.
    if (!look || !traces || placeOf(facts, this.own).kind !== 'here' || this.isKnown(facts, sessions)) return;
    if (entry.pins.length === 0) {
      const tracees = traceesOf(look, facts, this.claimed(facts.id, sessions));
      const tracers = new Set(tracees.map(it => it.tracerPid));
      if (tracers.size > 1) {
        entry.debuggee = { kind: 'unknown', candidates: tracees.map(it => it.pid) };
        return;
      }
      // What a tracee has started is traced too, where a debugger follows forks: that is a descendant.
      entry.pins = tracees.filter(it => !tracees.some(other => other.pid === it.ppid)).map(({ pid, startTime }) => ({ pid, startTime, told: undefined, source: 'tracer' }));
    }
    const pids = entry.pins.filter(pin => alive.has(pin.pid)).map(pin => pin.pid);
    if (pids.length > 0) entry.debuggee = { kind: 'found', pids, source: 'tracer' };
  }

  private isKnown(facts: SessionFacts, sessions: ReadonlyMap<string, SessionFacts>): boolean {
    const root = rootOf(facts.id, sessions);
    return [...sessions.values()].some(it => it.id !== facts.id && rootOf(it.id, sessions) === root && toldBy(it) !== undefined);
  }

  /** PIDs that other sessions' own tracers trace, and those tracers' PIDs are not looked at for further ones. */
  private claimed(id: string, sessions: ReadonlyMap<string, SessionFacts>): ReadonlySet<number> {
    return new Set([...this.entries].flatMap(([other, { debuggee }]) => {
      const type = sessions.get(other)?.type;
      // A program under debugpy or js-debug that is traced too has another debugger: perhaps this one.
      return other === id || type === undefined || !debugAdapter(type).traces || debuggee.kind !== 'found' ? [] : debuggee.pids;
    }));
  }
}

function elsewhere(place: Place): Debuggee {
  return { kind: 'elsewhere', ...(place.kind === 'elsewhere' && place.host !== undefined ? { host: place.host } : {}) };
}

function united(entries: readonly Entry[]): { readonly debuggee: Debuggee; readonly descendants: Descendants } {
  const found = entries.flatMap(({ debuggee }) => debuggee.kind === 'found' ? [debuggee] : []);
  const pids = [...new Set(found.flatMap(it => it.pids))];
  const descendants = [...new Set(entries.flatMap(it => it.descendants.pids))].filter(pid => !pids.includes(pid));
  const omitted = entries.reduce((sum, it) => sum + it.descendants.omitted, 0);
  const [first] = found;
  const other = entries.find(it => it.debuggee.kind === 'elsewhere')?.debuggee;
  const candidates = [...new Set(entries.flatMap(({ debuggee }) => debuggee.kind === 'unknown' ? debuggee.candidates : []))];
  return { debuggee: first ? { kind: 'found', pids, source: first.source } : other ?? { kind: 'unknown', candidates }, descendants: { pids: descendants, omitted } };
}

/** The processes that a told PID may mean; `older`: only those that lived before the session that says it has launched them. */
function meant(pid: number, facts: SessionFacts, told: Told, place: Place, look: Look): { readonly likely: readonly Process[]; readonly older: readonly Process[] } {
  const latest = told.at === undefined ? Infinity : told.at + slack;
  const possible = look.processes.filter(process => {
    if (process.pid !== pid && process.nsPids?.includes(pid) !== true) return false;
    // Without an executable: a kernel thread, or a zombie, which was a program.
    if (process.exe === undefined && process.state !== 'Z' && process.state !== 'X') return false;
    // Younger than what was told: the PID has been given to another since.
    return startedAt(process, look) <= latest;
  });
  const launched = facts.configuration.request !== 'attach' && facts.startedAt !== undefined ? facts.startedAt - slack : -Infinity;
  const likely = possible.filter(it => startedAt(it, look) >= launched);
  if (likely.length === 0) return { likely, older: possible };
  // An adapter of this machine counts as we do; only when there is no such process it is one of a container's.
  const ours = likely.filter(it => it.pid === pid);
  if (place.kind === 'here' && ours.length > 0) return { likely: ours, older: [] };
  const { runtime } = debugAdapter(facts.type);
  return { likely: runtime ? likely.filter(it => it.exe == null || runtime.test(it.exe.split('/').at(-1) ?? '')) : likely, older: [] };
}

/** Processes that a debugger of this window traces, started since the session was, and that nobody else debugs. */
function traceesOf(look: Look, facts: SessionFacts, claimed: ReadonlySet<number>): readonly Process[] {
  const alive = new Map(look.processes.map(it => [it.pid, it]));
  const busy = new Set(look.processes.filter(it => claimed.has(it.pid)).map(it => it.tracerPid));
  const traced = look.processes.filter(({ pid, tracerPid }) => {
    const tracer = tracerPid === undefined ? undefined : alive.get(tracerPid);
    return tracer !== undefined && !claimed.has(pid) && !busy.has(tracer.pid) && descends(tracer.pid, look.roots, alive)
      && (facts.startedAt === undefined || startedAt(tracer, look) >= facts.startedAt - slack);
  });
  // Several debuggers at once: the one whose program is that of the configuration.
  const { program, output } = facts.configuration;
  const named = traced.filter(it => typeof it.exe === 'string' && (it.exe === program || it.exe === output));
  return named.length > 0 ? named : traced;
}

function startedAt({ startTime }: Process, { bootedAt }: Look): number {
  // Clock ticks: USER_HZ is 100 on every architecture that the extension runs on.
  return bootedAt + Number(startTime) * 10;
}

function descends(pid: number, roots: readonly number[], alive: ReadonlyMap<number, Process>): boolean {
  const seen = new Set<number>();
  for (let at: number | undefined = pid; at !== undefined && at > 0 && !seen.has(at); at = alive.get(at)?.ppid) {
    if (roots.includes(at)) return true;
    seen.add(at);
  }
  return false;
}
