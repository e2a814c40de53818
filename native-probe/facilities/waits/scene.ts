// What the readers of blocked threads share during one pass: caches of what /proc says of threads, memory and mappings, and
// the objects and handles that turn up on the way. Owns the descriptors of /proc/PID/mem, so it must be closed.
import type { ScanContext } from '../../context';
import type { Handle, IpcObject } from '../../model';
import type { ScannedProcess } from '../../processes';
import type { Mapping } from '../../kernel/procfs';
import { parseMapsLine, readText } from '../../kernel/procfs';
import { ProcessMemory } from '../../kernel/processMemory';
import { robustListHead } from '../../kernel/robustList';
import { syscallName } from '../../kernel/syscalls';
import type { Thread, ThreadStatus } from '../../kernel/threads';
import { listThreads, readThreadStatus } from '../../kernel/threads';
import type { FileLocks } from '../fileLocks';
import type { FlockLocks } from '../flockLock';
import { flocksOf } from '../flockLock';
import { sysvPath } from '../mutex';
import type { Doubts } from './doubts';
import { noDoubts } from './doubts';
import { Ends } from './ends';
import { moduleOffset, modulePlace, moduleStart } from './moduleOffset';
import { resourcesOf } from '../../kernel/standIns';

/** What the facilities found before: who has which end of what. */
export interface Found { readonly objects: readonly IpcObject[]; readonly handles: readonly Handle[] }

/** Of more traced processes the mappings are not read. */
const mostTraced = 16;

export class WaitScene {
  readonly objects = new Map<string, IpcObject>();
  readonly byPid: ReadonlyMap<number, ScannedProcess>;
  /** Processes of which not even the blocking system call may be read, with the errno. */
  readonly denied = new Map<number, string>();
  readonly #handles = new Map<string, Handle>();
  readonly #threads = new Map<number, readonly Thread[]>();
  readonly #futexWaiters = new WeakMap<readonly Thread[], ReadonlyMap<bigint, number>>();
  readonly #statuses = new Map<number, ThreadStatus | undefined>();
  readonly #memories = new Map<number, ProcessMemory>();
  readonly #maps = new Map<number, readonly string[]>();
  readonly #moduleStarts = new Map<string, bigint | undefined>();
  #traced: readonly ScannedProcess[] | undefined;

  /** Of every file lock of the machine, the flock locks. */
  readonly flocks: FlockLocks;
  /** Who has which end of what. */
  readonly ends: Ends;
  /** By parent, zombies too. */
  readonly children: ReadonlyMap<number, readonly ScannedProcess[]>;
  /** The second look, before something is said to be stuck. */
  readonly again: boolean;
  /** Whether a process has timers that send signals, where it was asked. */
  readonly timers = new Map<number, boolean>();
  /** Ids of the gaps for time limits that only the second look may ask for. */
  readonly hiddenLimits = new Set<string>();
  /** What concerns every descriptor; looked for in the second look only. */
  readonly doubts: Doubts;

  /** `locks`: the file locks of the machine, read for this pass; `found`: everything of the facilities, read for each look. */
  constructor(readonly context: ScanContext, readonly locks: FileLocks, readonly found: Found, { again = false, doubts = noDoubts }: { again?: boolean; doubts?: Doubts } = {}) {
    const byPid = new Map(context.processes.map(process => [process.pid, process]));
    for (const pid of context.told.pids) {
      const process = byPid.get(pid);
      const sharedMappings = process?.sharedMappings === null && this.#standsStill(pid) ? context.told.sharedMappings(pid) : undefined;
      if (process && sharedMappings) byPid.set(pid, { ...process, sharedMappings });
    }
    this.byPid = byPid;
    this.flocks = flocksOf(locks);
    this.ends = new Ends(context, found);
    this.again = again;
    this.doubts = doubts;
    const children = new Map<number, ScannedProcess[]>();
    for (const process of context.processes) {
      const siblings = children.get(process.ppid);
      if (siblings) siblings.push(process); else children.set(process.ppid, [process]);
    }
    this.children = children;
  }

  /** The threads that are alive. */
  threads(pid: number): readonly Thread[] {
    return this.#threads.get(pid) ?? this.#keep(pid, this.#tids(pid).map(tid => this.threadNow(pid, tid)));
  }

  /** Reads the threads of a process for {@link threads}, with pauses: there may be thousands. */
  async loadThreads(pid: number): Promise<readonly Thread[]> {
    const threads: (Thread | undefined)[] = [];
    for (const tid of this.#tids(pid)) {
      threads.push(this.threadNow(pid, tid));
      await this.context.pause();
    }
    return this.#keep(pid, threads);
  }

  #tids(pid: number): readonly number[] {
    return listThreads(pid).value ?? [];
  }

  #keep(pid: number, read: readonly (Thread | undefined)[]): readonly Thread[] {
    const threads = read.filter(thread => thread !== undefined);
    for (const { denied } of threads) if (denied !== undefined) this.denied.set(pid, denied);
    this.#threads.set(pid, threads);
    return threads;
  }

  /** How many threads of a process wait at each futex word, by their system call lines (a restarted call keeps its arguments). */
  futexWaiters(pid: number): ReadonlyMap<bigint, number> {
    const threads = this.threads(pid);
    const known = this.#futexWaiters.get(threads);
    if (known) return known;
    const waiters = new Map<bigint, number>();
    for (const { syscall } of threads) {
      const [address] = syscall?.arguments ?? [];
      if (address === undefined || !syscall || !['futex', 'restart_syscall'].includes(syscallName(syscall.number) ?? '')) continue;
      waiters.set(address, (waiters.get(address) ?? 0) + 1);
    }
    this.#futexWaiters.set(threads, waiters);
    return waiters;
  }

  /** A thread's status, read once; undefined when it is gone. */
  status(pid: number, tid: number): ThreadStatus | undefined {
    if (this.#statuses.has(tid)) return this.#statuses.get(tid);
    const status = readThreadStatus(pid, tid);
    this.#statuses.set(tid, status);
    return status;
  }

  /** The TID that a thread has in its own PID namespace, and writes into mutexes. */
  ownTid(process: ScannedProcess, tid: number): number | undefined {
    return process.nsPids === undefined ? tid : this.status(process.pid, tid)?.ownTid;
  }

  memory(pid: number): ProcessMemory {
    const memory = this.#memories.get(pid) ?? new ProcessMemory(pid, (address, length) => this.#toldBytes(pid, address, length));
    this.#memories.set(pid, memory);
    return memory;
  }

  /** What a debugger told holds while it keeps every thread stopped, of memory that nobody else can have changed since. */
  #toldBytes(pid: number, address: bigint, length: number): Buffer | undefined {
    const mapping = this.mappingAt(pid, address);
    if (!mapping || address + BigInt(length) > mapping.end || !this.#standsStill(pid)) return undefined;
    if (mapping.permissions[3] !== 'p' && !this.#allStoodBefore(pid, mapping)) return undefined;
    return this.context.told.bytes(pid, address, length);
  }

  /**
   * Whether everybody who is known to map some shared memory stood before it was read of one of them, and stands still. Who hides its mappings
   * may map it too: a lock's owner does not change by that, and for what has no owner mappers.ts has a gap.
   */
  #allStoodBefore(reading: number, mapping: Mapping): boolean {
    const sysv = sysvPath.test(mapping.path);
    const own = this.byPid.get(reading)?.namespaces.ipc;
    for (const { pid, sharedMappings, namespaces } of this.byPid.values()) {
      if (pid === reading || !sharedMappings?.some(each => each.device === mapping.device && each.inode === mapping.inode && sysvPath.test(each.path) === sysv)) continue;
      if (sysv && own !== null && namespaces.ipc !== null && own !== namespaces.ipc) continue;
      if (!this.context.told.stoodBefore(pid, reading) || !this.#standsStill(pid)) return false;
    }
    return true;
  }

  /** Whether a debugger holds every thread of a process. */
  #standsStill(pid: number): boolean {
    const threads = this.threads(pid);
    return threads.length > 0 && threads.every(({ state }) => state === 't');
  }

  /** Where a thread has its list of robust mutexes (get_robust_list(2)), or a debugger says so; 0 when it has none. */
  robustListHead(pid: number, tid: number): bigint | undefined {
    const { value, errno } = robustListHead(tid);
    if (value !== undefined || (errno !== 'EPERM' && errno !== 'EACCES') || !this.#standsStill(pid)) return value;
    return this.context.told.robustListHead(pid, tid);
  }

  /** A thread's state at this moment; undefined when it is gone. */
  threadNow(pid: number, tid: number): Thread | undefined {
    return this.context.told.readThread(pid, tid);
  }

  /** The mapping that an address lies in. */
  mappingAt(pid: number, address: bigint): Mapping | undefined {
    return findMapping(this.#mapsOf(pid), address);
  }

  /** The module that an address lies in, and how far from its beginning: `queue+0x4120`. */
  moduleAt(pid: number, address: bigint): string | undefined {
    const lines = this.#mapsOf(pid);
    return moduleOffset(lines, lineOf(lines, address), address);
  }

  /**
   * Processes that are being traced, and where each has its own copy of the variable that lies at an address of a module: the same place of
   * the same file. Who traces them can tell its name. In their own mount namespace only: elsewhere device and inode prove less (btrfs, overlayfs).
   */
  tracedCopies({ pid, namespaces: { mnt } }: ScannedProcess, address: bigint): readonly { readonly pid: number; readonly address: bigint }[] {
    if (mnt === null || this.traced.length === 0) return [];
    const lines = this.#mapsOf(pid);
    const place = modulePlace(lines, lineOf(lines, address), address);
    return place === undefined ? [] : this.traced.flatMap(other => {
      if (other.pid === pid || other.namespaces.mnt !== mnt) return [];
      const theirs = this.#mapsOf(other.pid);
      const module = `${other.pid} ${place.first.device}:${place.first.inode} ${place.first.path}`;
      if (!this.#moduleStarts.has(module)) this.#moduleStarts.set(module, moduleStart(theirs, place.first));
      const start = this.#moduleStarts.get(module);
      if (start === undefined) return [];
      const there = start + place.offset;
      // As far in a mapping of something else: its linker has laid it out in another way, which cannot be.
      return modulePlace(theirs, lineOf(theirs, there), there)?.first.start === start ? [{ pid: other.pid, address: there }] : [];
    });
  }

  /** The processes that are being traced: those of a debugger, not the thousands of a tracing tool. */
  get traced(): readonly ScannedProcess[] {
    this.#traced ??= this.context.processes.filter(({ tracerPid }) => tracerPid !== undefined).slice(0, mostTraced);
    return this.#traced;
  }

  #mapsOf(pid: number): readonly string[] {
    let lines = this.#maps.get(pid);
    if (!lines) {
      const { value, errno } = readText(`${resourcesOf(pid)}/maps`);
      const told = value === undefined && (errno === 'EACCES' || errno === 'EPERM') && this.#standsStill(pid) ? this.context.told.mapsLines(pid) : undefined;
      lines = told ?? (value ?? '').split('\n');
      this.#maps.set(pid, lines);
    }
    return lines;
  }

  /** Adds an object unless it is known; what is known stays, because it was read with more at hand. */
  addObject(object: IpcObject): void {
    if (!this.objects.has(object.id)) this.objects.set(object.id, object);
  }

  addHandle(handle: Handle): void {
    this.#handles.set([handle.objectId, handle.pid, handle.tid ?? '', handle.via, handle.fd ?? '', handle.address ?? ''].join(' '), handle);
  }

  /** Everything collected. */
  collected(): { objects: IpcObject[]; handles: Handle[] } {
    return { objects: [...this.objects.values()], handles: [...this.#handles.values()] };
  }

  close(): void {
    for (const memory of this.#memories.values()) memory.close();
  }
}

/** The line of maps (sorted by address) whose range holds an address. */
export function findMapping(lines: readonly string[], address: bigint): Mapping | undefined {
  const mapping = parseMapsLine(lines[lineOf(lines, address)] ?? '');
  return mapping && address < mapping.end ? mapping : undefined;
}

/** Index of the last line that begins at or below an address; -1 when there is none. Binary search: nothing is parsed in full. */
function lineOf(lines: readonly string[], address: bigint): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const line = lines[middle] ?? '';
    const start = /^[0-9a-f]+(?=-)/.exec(line)?.[0];
    if (start !== undefined && BigInt(`0x${start}`) <= address) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
