// One pass over /proc → the facilities → a Snapshot. The only place that knows in which order things are read.
import type { CollectedKind, Handle, IpcObject, Snapshot } from './model';
import { Clock, gapsOfView, makePause, readHost } from './context';
import type { ScanContext } from './context';
import { Gaps } from './gaps';
import { Recollection } from './recollection';
import type { ToldProcess } from './protocol';
import { DescriptorIndex } from './descriptorIndex';
import { ToldFacts } from './told';
import { scanProcesses, toProcess } from './processes';
import { gapsOfThreadTables } from './threadTables';
import type { ScannedProcess } from './processes';
import { collectSysv, sysvKinds } from './facilities/sysv';
import { attachments, lastOperations } from './facilities/sysvHandles';
import { undoHolders } from './facilities/undoHolders';
import { collectPosixMessageQueues } from './facilities/posixMessageQueue';
import { collectDevShm } from './facilities/devShm';
import { collectPipes } from './facilities/pipe';
import { collectFifos } from './facilities/fifo';
import { collectPseudoterminals } from './facilities/pseudoterminal';
import { collectEventDescriptors, eventKinds, linkWatches } from './facilities/eventDescriptors';
import { collectSockets, socketKinds } from './facilities/sockets';
import { collectMemfds } from './facilities/memfd';
import { collectSharedMappings } from './facilities/sharedMapping';
import { collectSignals } from './facilities/signals';
import { collectFileLocks, fileLockKinds } from './facilities/fileLocks';
import { collectWaits } from './facilities/waits';
import { readText } from './kernel/procfs';
import { namespaceNames } from './namespaceNames';
import { foreignHostname } from './kernel/namespaces';
import { enterIpcNamespace, foreignIpcNamespaces } from './foreignNamespaces';
import { focus } from './analysis/focus';

export interface SnapshotOptions {
  readonly kinds?: readonly CollectedKind[] | undefined;
  /** Only these processes and whoever shares an object with them. */
  readonly pids?: readonly number[] | undefined;
  readonly waits?: boolean | undefined;
  /** To judge who uses what: looks for descriptors that only single threads have, too. */
  readonly everyTable?: boolean;
  /** Whose waits to read, with those they wait for; by default those of `pids`. */
  readonly waitsOf?: readonly number[];
  /** What the asking user's debugger told of processes that it has stopped. */
  readonly told?: readonly ToldProcess[] | undefined;
  readonly isCancelled?: (() => boolean) | undefined;
  /** Which processes to look at: all of them, unless told (see focusedPass.ts). */
  readonly scan?: (gaps: Gaps, pause: () => Promise<void>, recollection: Recollection) => Promise<ScannedProcess[]>;
  /** What was read and made in the passes before. A pass over everything tells it what is gone. */
  readonly recollection?: Recollection | undefined;
  /** Which objects to describe: all of them, unless told. */
  readonly concerns?: (id: string) => boolean;
}

/** What one facility's collector found. */
export interface Found { readonly objects: readonly IpcObject[]; readonly handles: readonly Handle[] }
type Collector = (context: ScanContext) => Promise<Found>;

/** One row a collector: it runs when any of its kinds is wanted. Waits come last, because they need all objects. */
const collectors: readonly { readonly kinds: readonly CollectedKind[]; readonly collect: Collector }[] = [
  { kinds: sysvKinds, collect: collectSysvOfAllNamespaces },
  { kinds: ['posix-message-queue'], collect: collectPosixMessageQueues },
  { kinds: ['posix-shared-memory', 'posix-semaphore'], collect: collectDevShm },
  { kinds: ['pipe'], collect: collectPipes },
  { kinds: ['fifo'], collect: collectFifos },
  { kinds: ['pseudoterminal'], collect: collectPseudoterminals },
  { kinds: eventKinds, collect: collectEventDescriptors },
  { kinds: socketKinds, collect: collectSockets },
  { kinds: ['memfd'], collect: collectMemfds },
  { kinds: ['shared-mapping', 'anonymous-shared-mapping'], collect: collectSharedMappings },
  { kinds: ['signal'], collect: collectSignals },
  // Last: the readers of waits see the same locks, which should be as fresh as may be.
  { kinds: fileLockKinds, collect: collectFileLocks },
];

/** Takes a snapshot. Throws {@link Cancelled} only when asked to; everything that cannot be read is a gap. */
export async function takeSnapshot(options: SnapshotOptions = {}): Promise<Snapshot> {
  const pause = makePause(options.isCancelled ?? (() => false));
  const clock = new Clock();
  const host = readHost(clock);
  const gaps = new Gaps(host.uid);
  const takenAt = new Date().toISOString();
  const recollection = options.recollection ?? new Recollection();
  const processes = await (options.scan ?? scanProcesses)(gaps, pause, recollection);
  if (options.scan === undefined) gapsOfView(host, gaps);
  const context: ScanContext = { host, gaps, clock, processes, complete: options.scan === undefined, pids: options.pids ?? options.waitsOf, descriptors: new DescriptorIndex(processes), recollection, pause, concerns: options.concerns ?? (() => true), told: new ToldFacts(options.told ?? []) };
  if (options.everyTable) await gapsOfThreadTables(context, { facility: 'processes', field: 'fd' });
  const wanted = (kind: CollectedKind): boolean => options.kinds === undefined || options.kinds.includes(kind);

  // Waits lead anywhere: who holds the other end is known only from all facilities.
  const collected = (kind: CollectedKind): boolean => wanted(kind) || options.waits === true;
  const found = await collectAll(context, collected);
  const waiting = await collectWaits(context, { pids: options.waitsOf ?? options.pids, waits: options.waits }, found, async () => {
    const anew = await (options.scan ?? scanProcesses)(gaps, pause, recollection);
    const again: ScanContext = { ...context, processes: anew, descriptors: new DescriptorIndex(anew) };
    return { context: again, found: await collectAll(again, collected) };
  });
  const every = merged(found.objects, waiting.objects);
  const all = options.kinds === undefined ? every : every.filter(object => wanted(object.kind));
  const handles = waiting.handles.length === 0 ? found.handles : [...found.handles, ...waiting.handles];

  const names = namespaceNames(processes, readText('/proc/self/mountinfo').value ?? '', host, ({ pid }) => foreignHostname(pid));
  // Where all kinds were asked for, every handle comes with its object; but waits bring handles of their own.
  const complete = options.kinds === undefined && waiting.handles.length === 0;
  const known = complete ? undefined : new Set(all.map(object => object.id));
  const snapshot: Snapshot = {
    version: 1, takenAt, host: Object.keys(names).length === 0 ? host : { ...host, namespaceNames: names }, processes: processes.map(toProcess), objects: all,
    handles: known ? handles.filter(handle => known.has(handle.objectId)) : handles, waits: waiting.waits, findings: waiting.findings, gaps: gaps.list(),
  };
  return options.pids === undefined ? snapshot : focus(snapshot, options.pids);
}

/** What the facilities of these kinds find in one pass. */
async function collectAll(context: ScanContext, wanted: (kind: CollectedKind) => boolean): Promise<Found> {
  const all: Found[] = [];
  let events: number | undefined;
  for (const { kinds, collect } of collectors) {
    if (!kinds.some(wanted)) continue;
    if (collect === collectEventDescriptors) events = all.length;
    all.push(await collect(context));
  }
  const handles = joined(all.map(found => found.handles));
  // What an epoll instance watches is known only from all handles.
  const objects = joined(all.map((found, at) => at === events ? linkWatches(found, handles, context.processes) : found.objects));
  return { objects, handles };
}

/** One list of several: copied whole, for there may be 100,000 entries. */
function joined<T>(lists: readonly (readonly T[])[]): readonly T[] {
  return ([] as T[]).concat(...lists);
}

/** A reader of waits may come upon an object that its facility has described before: the first description stays. */
function merged(objects: readonly IpcObject[], more: readonly IpcObject[]): readonly IpcObject[] {
  if (more.length === 0) return objects;
  const ids = new Set(objects.map(({ id }) => id));
  return [...objects, ...more.filter(({ id }) => !ids.has(id) && ids.add(id))];
}

async function collectSysvOfAllNamespaces(context: ScanContext): Promise<Found> {
  const objects: IpcObject[] = [];
  for (const kind of sysvKinds) {
    for (const object of collectSysv(kind, context.host.ipcNamespace, context)) {
      objects.push(object);
      await context.pause();
    }
  }
  // Entered once for all three kinds; what a namespace held that vanished meanwhile is gone with it.
  for (const [namespace, inside] of foreignIpcNamespaces(context)) {
    const found = enterIpcNamespace(context, namespace, inside, sysvKinds, () => sysvKinds.flatMap(kind => [...collectSysv(kind, namespace, context)]));
    for (const object of found ?? []) objects.push(object);
    await context.pause();
  }
  if (context.complete) context.recollection.endOfSysvPass();
  const processes = new Map(context.processes.map(process => [process.pid, process]));
  // A segment removed between the tables and the maps: its attachment has no object any more.
  const attached = attachments(context.processes);
  const segments = attached.length === 0 ? undefined : new Set(objects.map(({ id }) => id));
  return { objects, handles: [...attached.filter(({ objectId }) => segments?.has(objectId)), ...undoHolders(context, objects), ...lastOperations(objects, processes, context.clock, context.host.pid)] };
}
