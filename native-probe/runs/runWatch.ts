// Watches a run (a command, a debug session) from its first process to its last, to tell afterwards what it left behind. It only
// looks: process events and creation events where the kernel gives them, else samples of the run's processes.
import type { CollectedKind, Gap, IpcObject, Process, Snapshot } from '../model';
import { findLeaks } from '../analysis/leaks';
import type { Leak, Run, RunProcess } from '../analysis/leaks';
import { Clock } from '../context';
import { Gaps } from '../gaps';
import { becomeSubreaper, childrenOf, reap } from '../kernel/descendants';
import { openProcessEvents } from '../kernel/processEvents';
import type { ProcessEvent, ProcessEvents } from '../kernel/processEvents';
import { parseStat, readText } from '../kernel/procfs';
import { scanProcess } from '../processes';
import type { Means, RunReport } from './runReport';
import type { ScannedProcess } from '../processes';
import { NameWatch } from './nameWatch';
import type { Recollection } from '../recollection';
import { takeSnapshot } from '../snapshot';

/** What can be left behind. */
const watchedKinds: readonly CollectedKind[] = ['sysv-message-queue', 'sysv-shared-memory', 'sysv-semaphore-set', 'posix-message-queue', 'posix-shared-memory', 'posix-semaphore', 'fifo', 'unix-socket'];
/** What a look at the run's processes is for: of System V objects the kernel itself keeps who made or used them. */
const sampledKinds: readonly CollectedKind[] = ['posix-message-queue', 'posix-shared-memory', 'posix-semaphore', 'fifo', 'unix-socket'];
/** Events kept for a process that is told late: those of its children came before. */
const mostEvents = 50_000;
/** Processes that are looked at in one sample; a build may have thousands. */
const mostSampled = 200;
/** Milliseconds between the start of a process and the word of it, at the most. */
const justNow = 10_000;

export interface RunEnd { readonly snapshot: Snapshot; readonly leaks: readonly Leak[]; readonly run: RunReport; readonly means: readonly Means[] }

type Member = { -readonly [K in keyof RunProcess]: RunProcess[K] } & { startTime?: string };

export class RunWatch {
  private readonly clock = new Clock();
  /** Every process of the run, and the present one of each PID. */
  private readonly members: Member[] = [];
  private readonly byPid = new Map<number, Member>();
  private readonly alive = new Set<Member>();
  /** Forks that have been applied. */
  private readonly forks = new Set<string>();
  private readonly seen = new Map<string, Run['seen'][number]>();
  /** FIFOs and sockets, as they were last seen. */
  private readonly withNames = new Map<string, IpcObject>();
  private readonly uids = new Set<number>();
  private readonly ignored = new Set<number>();
  private readonly log: ProcessEvent[] = [];
  private readonly gaps = new Gaps(process.geteuid?.() ?? -1);
  private lost = false;
  private samples = 0;
  private lastSample = 0;
  private lastDuration = 0;
  private sampling: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;
  private released = false;

  private constructor(private readonly startedAt: number, private readonly before: Snapshot, private readonly events: ProcessEvents | undefined, private readonly names: NameWatch, private readonly means: Means[], private readonly orphansComeHere: boolean) {}

  /**
   * Begins to watch, before the run's first process starts. The first snapshot is complete when this resolves.
   * @param own whether what runs are our own children: then their orphans are made ours, and our user is theirs
   */
  static async begin({ own, isCancelled }: { readonly own: boolean; readonly isCancelled?: () => boolean }): Promise<RunWatch> {
    const means: Means[] = [{ what: 'creator-pids', used: true, detail: 'the kernel keeps the creator of a System V segment, and the last ones to use a queue or semaphore set' }];
    const startedAt = Date.now();
    const events = await openProcessEvents();
    means.push(events.value
      ? { what: 'process-events', used: true, detail: 'every process of the run is known, however short it lives' }
      : { what: 'process-events', used: false, detail: `not available (${events.errno}): a process that ends between two looks may be missed` });
    let orphansComeHere = false;
    if (own) {
      const errno = becomeSubreaper();
      orphansComeHere = errno === undefined;
      means.push(orphansComeHere ? { what: 'subreaper', used: true, detail: 'descendants whose parent ends become children of the probe' } : { what: 'subreaper', used: false, detail: `refused (${errno ?? ''}): descendants whose parent ends between two looks may be missed` });
    }
    const names = new NameWatch();
    means.push(names.means);
    try {
      const before = await takeSnapshot({ kinds: watchedKinds, isCancelled });
      const watch = new RunWatch(startedAt, before, events.value, names, means, orphansComeHere);
      if (own) watch.uids.add(process.geteuid?.() ?? -1);
      watch.schedule();
      return watch;
    } catch (error) {
      events.value?.close();
      names.close();
      throw error;
    }
  }

  /** A process belongs to the run, with all its descendants. `bornSince`: only if it started after the run began. */
  add(pid: number, { bornSince = false }: { readonly bornSince?: boolean } = {}): void {
    const stat = parseStat(readText(`/proc/${pid}/stat`).value ?? '');
    const known = this.byPid.get(pid);
    if (known && known.until === undefined) return;
    // One that has ended already is known by its events alone.
    const born = this.log.findLast(event => event.pid === pid && event.what === 'fork');
    // Start times have the ticks of the clock.
    if (bornSince && !born && stat && this.clock.startMs(stat.startTime) < this.startedAt - 20) return;
    if (!stat && !born) {
      if (bornSince) this.addEnded(pid);
      return;
    }
    this.join({ pid, from: stat ? this.clock.startMs(stat.startTime) : this.wall(born?.at ?? 0), ...(stat ? { comm: stat.comm, startTime: stat.startTime } : {}) });
    for (const event of this.log) this.apply(event);
    this.tick();
  }

  /** Told as just started, and gone before it could be looked at. When the run began nobody had its PID, and what it made was made just now. */
  private addEnded(pid: number): void {
    if (this.byPid.has(pid) || this.before.processes.some(process => process.pid === pid)) return;
    const now = Date.now();
    const member = { pid, from: Math.max(this.startedAt, now - justNow) };
    this.join(member);
    this.ended(member, now);
  }

  /** A child of the probe that does not belong to the run. */
  ignore(pid: number): void {
    this.ignored.add(pid);
  }

  /** The processes of the run that live, as far as is known. */
  get living(): readonly number[] {
    return [...this.alive].map(({ pid }) => pid);
  }

  /**
   * Ends the watch and compares. What ends the run's last processes (a resource tracker that cleans up, a child that exits) is waited for.
   * @param graceMs so long at most
   */
  async end(graceMs: number, isCancelled?: () => boolean): Promise<RunEnd> {
    const last = performance.now() + graceMs;
    for (;;) {
      this.look();
      if (this.living.length === 0 || performance.now() > last || isCancelled?.() === true) break;
      await new Promise(next => setTimeout(next, 10));
    }
    clearTimeout(this.timer);
    this.closed = true;
    await this.sampling;
    await this.sample();
    const snapshot = await takeSnapshot({ isCancelled });
    this.look();
    this.close();
    const endedAt = Date.now();
    const names = this.names.leftOf([...this.withNames.values()], snapshot, this.startedAt);
    const run: Run = {
      startedAt: this.startedAt, endedAt, processes: this.members, complete: this.events !== undefined && !this.lost, uids: this.uids,
      seen: [...this.seen.values()], creations: this.names.creations, names,
    };
    const leaks = findLeaks(this.before, snapshot, run);
    const known = new Set(snapshot.objects.map(({ id }) => id));
    return {
      snapshot: { ...snapshot, objects: [...snapshot.objects, ...names.filter(({ id }) => !known.has(id))], gaps: [...snapshot.gaps, ...this.gapsOfRun()] },
      leaks, means: [...this.means, { what: 'samples', used: true, detail: `what its processes had was looked at ${this.samples === 1 ? 'once' : `${this.samples} times`}` }],
      run: {
        startedAt: new Date(this.startedAt).toISOString(), endedAt: new Date(endedAt).toISOString(), stillRunning: this.living,
        processes: this.members.slice(0, 1000).map(({ pid, comm, from, until }) => ({ pid, ...(comm === undefined ? {} : { comm }), startedAt: new Date(from).toISOString(), ...(until === undefined ? {} : { endedAt: new Date(until).toISOString() }) })),
      },
    };
  }

  /** Stops watching without a report. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    if (this.released) return;
    this.released = true;
    this.events?.close();
    this.names.close();
  }

  private gapsOfRun(): Gap[] {
    for (const { used, detail, what } of this.means) if (!used) this.gaps.add({ facility: 'processes', field: what }, `while the run was watched: ${detail}`);
    if (this.lost) this.gaps.add({ facility: 'processes', field: 'process-events' }, 'more processes came and went than could be followed: some of the run may be missing');
    for (const reason of this.names.lost) this.gaps.add({ facility: 'posix-shared-memory', field: 'creation-events' }, reason);
    return this.gaps.list();
  }

  /** Dense at first, when a short run does all it will ever do; sparser as it goes on. */
  private schedule(): void {
    if (this.closed) return;
    const elapsed = Date.now() - this.startedAt;
    this.timer = setTimeout(() => {
      this.tick();
      this.schedule();
    }, Math.min(100, Math.max(10, elapsed / 100)));
  }

  private tick(): void {
    const news = this.look();
    const now = performance.now();
    const due = Math.min(1000, Math.max(50, (Date.now() - this.startedAt) / 20));
    // Never more than a quarter of the time, whatever happens.
    const rest = Math.max(this.lastDuration * 3, news ? 0 : due);
    if (this.sampling || this.closed || this.alive.size === 0 || now - this.lastSample < rest) return;
    this.sampling = this.sample().finally(() => { this.sampling = undefined; });
  }

  /** Reads events and finds children; true when something came up that a sample should see at once. */
  private look(): boolean {
    const before = this.members.length;
    const { events = [], lost = false } = this.events?.read() ?? {};
    if (lost) this.lost = true;
    for (const event of events) {
      this.log.push(event);
      this.apply(event);
    }
    if (this.log.length > mostEvents) this.log.splice(0, this.log.length - mostEvents / 2);
    if (this.orphansComeHere) this.adoptOrphans();
    for (const member of [...this.alive]) {
      const stat = parseStat(readText(`/proc/${member.pid}/stat`).value ?? '');
      if (!stat || stat.state === 'Z' || stat.state === 'X' || (member.startTime !== undefined && member.startTime !== stat.startTime)) {
        this.ended(member, Date.now());
        continue;
      }
      member.startTime = stat.startTime;
      member.comm = stat.comm;
      for (const child of childrenOf(member.pid) ?? []) this.found(child);
    }
    return this.names.read() || this.members.length > before;
  }

  private adoptOrphans(): void {
    for (const pid of childrenOf(process.pid) ?? []) {
      if (this.ignored.has(pid)) continue;
      const isOrphan = this.members[0]?.pid !== pid; // the first is the command, whose end Node.js notes
      this.found(pid);
      if (isOrphan && parseStat(readText(`/proc/${pid}/stat`).value ?? '')?.state === 'Z' && reap(pid)) {
        const member = this.byPid.get(pid);
        if (member) this.ended(member, Date.now());
      }
    }
  }

  private found(pid: number): void {
    const known = this.byPid.get(pid);
    if (known && known.until === undefined) return;
    const stat = parseStat(readText(`/proc/${pid}/stat`).value ?? '');
    if (!stat || (known?.startTime !== undefined && known.startTime === stat.startTime)) return;
    const from = this.clock.startMs(stat.startTime);
    // Known by its events already, and only its end has been noted before its zombie went.
    if (known && Math.abs(known.from - from) < 50) return;
    this.join({ pid, from, comm: stat.comm, startTime: stat.startTime });
  }

  private join(member: Member): void {
    this.members.push(member);
    this.byPid.set(member.pid, member);
    this.alive.add(member);
  }

  private ended(member: Member, at: number): void {
    member.until ??= at;
    this.alive.delete(member);
  }

  /** Events are applied again when a process is told late: each makes a difference once. */
  private apply(event: ProcessEvent): void {
    const at = this.wall(event.at);
    const known = this.byPid.get(event.pid);
    if (event.what === 'exit') {
      if (known && known.from <= at + 20) this.ended(known, at);
      return;
    }
    if (event.what === 'exec') {
      const comm = known?.until === undefined ? parseStat(readText(`/proc/${event.pid}/stat`).value ?? '')?.comm : undefined;
      if (known && comm !== undefined) known.comm = comm;
      return;
    }
    const parent = this.byPid.get(event.parent);
    if (!parent || (parent.until !== undefined && parent.until < at) || parent.from > at + 20) return;
    const key = `${event.pid} ${event.at}`;
    if (this.forks.has(key)) return;
    this.forks.add(key);
    const found = this.byPid.get(event.pid);
    // A look may have found it first.
    if (!found || Math.abs(found.from - at) > 50) this.join({ pid: event.pid, from: at });
  }

  /** Monotonic ms since boot → ms since the epoch. */
  private wall(monotonic: number): number {
    return Date.now() - Number(process.hrtime.bigint() / 1000n) / 1000 + monotonic;
  }

  private async sample(): Promise<void> {
    const begin = performance.now();
    const pids = this.living.slice(-mostSampled);
    if (pids.length > 0) {
      this.samples++;
      try {
        this.take(await takeSnapshot({ kinds: sampledKinds, scan: (gaps, pause, recollection) => scanOnly(pids, gaps, pause, recollection), concerns: isHeld }));
      } catch (error) {
        this.gaps.add({ facility: 'processes', field: 'samples' }, `a look at the run failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    this.lastSample = performance.now();
    this.lastDuration = this.lastSample - begin;
  }

  private take({ processes, handles, objects, host }: Snapshot): void {
    const scanned = new Map<number, Process>(processes.map(process => [process.pid, process]));
    for (const { pid, comm, uid, startTime } of processes) {
      const member = this.byPid.get(pid);
      if (!member || (member.startTime !== undefined && member.startTime !== startTime)) continue;
      member.comm = comm;
      if (uid !== null) this.uids.add(member.uid = uid);
    }
    const byId = new Map(objects.map(object => [object.id, object]));
    for (const { objectId, pid, via, access } of handles) {
      // A last operation stands in the object itself, for longer than any sample.
      if (via === 'last-operation' || !this.byPid.has(pid)) continue;
      this.seen.set(`${objectId} ${pid} ${via} ${access ?? ''}`, { objectId, pid, via, ...(access === undefined ? {} : { access }) });
      const object = byId.get(objectId);
      // Names of another mount namespace lead elsewhere here.
      if (object && (object.kind === 'fifo' || object.kind === 'unix-socket') && scanned.get(pid)?.namespaces.mnt === host.mntNamespace) this.withNames.set(objectId, object);
    }
  }
}

/** Those that are only listed need not be read: what a process has is described all the same. */
function isHeld(id: string): boolean {
  return !id.startsWith('posix-');
}

async function scanOnly(pids: readonly number[], gaps: Gaps, pause: () => Promise<void>, recollection: Recollection): Promise<ScannedProcess[]> {
  const processes: ScannedProcess[] = [];
  for (const pid of pids) {
    const scanned = scanProcess(pid, gaps, recollection);
    if (scanned) processes.push(scanned);
    await pause();
  }
  return processes;
}

