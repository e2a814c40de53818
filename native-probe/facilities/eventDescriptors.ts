// Descriptors that wait for events: eventfd, signalfd, timerfd, epoll, inotify and pidfd. Their links say only the kind;
// fdinfo tells the rest. An eventfd has an id of its own. Of the others the kernel names nothing, so that copies (inherited,
// duplicated, passed) are told from different ones by kcmp(2), among those whose fdinfo agrees in what does not change.
import type { Handle, IpcObject, ObjectOf } from '../model';
import type { ScanContext } from '../context';
import type { Descriptor, ScannedProcess } from '../processes';
import { parseAccess, parseCommon, parseEpoll, parseEventfd, parseEventfdId, parseInotify, parsePidfd, parseSignalfd, parseTimerfd, readFdinfo } from '../kernel/fdinfo';
import { groupByOpenFile } from '../kernel/openFileDescriptions';
import type { ComparisonBudget } from '../kernel/openFileDescriptions';
import { asRoot, errnoInWords } from '../gaps';

export const eventKinds = ['eventfd', 'signalfd', 'timerfd', 'epoll', 'inotify', 'pidfd'] as const;
export type EventKind = typeof eventKinds[number];
type EventObject = ObjectOf<EventKind>;

interface Candidate { readonly process: ScannedProcess; readonly pid: number; readonly fd: number; readonly info: string }

/** About 15 µs each. With more descriptors alike than this can tell apart, the rest are shown one by one, and a gap says so. */
const comparisons = 2000;

export async function collectEventDescriptors(context: ScanContext): Promise<{ objects: IpcObject[]; handles: Handle[] }> {
  const objects: IpcObject[] = [];
  const handles: Handle[] = [];
  const budget: ComparisonBudget = { left: comparisons, exhausted: false };
  let looked = 0;
  let denied: { readonly candidate: { pid: number; fd: number; comm: string }; readonly errno: string } | undefined;
  for (const kind of eventKinds) {
    const alike = new Map<string, Candidate[]>();
    const known = new Set<string>();
    for (const { process, fd, entry } of context.descriptors.of(kind)) {
      const { value: info, errno } = readFdinfo(process.pid, fd);
      if ((++looked & 63) === 0) await context.pause();
      if (info === undefined) {
        if (errno !== 'ENOENT' && errno !== 'ESRCH') denied ??= { candidate: { pid: process.pid, fd, comm: process.comm }, errno };
        continue;
      }
      // There may be ten thousands of them, most of them idle: the same text says the same as last time.
      const same = entry.made?.read === info ? entry.made : undefined;
      const key = same ? same.object.id : invariantOf(kind, info);
      if (same || key.startsWith('id:')) {
        // Eventfds with the same id are one; nothing else needs to be asked.
        const made = same ?? madeOf(kind, `${kind}:${key.slice(3)}`, { process, pid: process.pid, fd, info }, context);
        if (!(made.object.kind === 'eventfd' && Object.values(made.object.state).includes(null))) entry.made = made; // else its gap must be said again
        if (!known.has(made.object.id)) { known.add(made.object.id); objects.push(made.object); }
        handles.push(made.handle);
        continue;
      }
      const list = alike.get(key);
      if (list) list.push({ process, pid: process.pid, fd, info });
      else alike.set(key, [{ process, pid: process.pid, fd, info }]);
    }
    for (const candidates of alike.values()) {
      for (const group of groupByOpenFile(candidates, budget)) {
        const [first] = group;
        if (!first) continue;
        const id = `${kind}:${first.pid}.${first.process.startTime}/${first.fd}`;
        objects.push(describe(kind, id, first.info, context));
        for (const candidate of group) handles.push(handleOf(id, candidate));
      }
      if ((++looked & 63) === 0) await context.pause();
    }
  }
  gapsOfComparison(context, budget);
  if (denied) {
    const { candidate: { pid, fd, comm }, errno } = denied;
    context.gaps.failed({ facility: 'eventfd', field: 'fdinfo' }, `cannot read what some event descriptors are (first: fd ${fd} of pid ${pid} (${comm}))`, errno, asRoot);
  }
  return { objects, handles };
}

function handleOf(objectId: string, { pid, fd, info }: Candidate): Handle {
  const access = parseAccess(info);
  return access === undefined ? { objectId, pid, via: 'descriptor', fd } : { objectId, pid, via: 'descriptor', fd, access };
}

function madeOf(kind: EventKind, id: string, candidate: Candidate, context: ScanContext): NonNullable<Descriptor['made']> {
  return { read: candidate.info, object: describe(kind, id, candidate.info, context), handle: handleOf(id, candidate) };
}

function gapsOfComparison(context: ScanContext, { denied, exhausted }: ComparisonBudget): void {
  if (denied !== undefined) {
    context.gaps.add({ facility: 'epoll', field: 'copies' }, `copies of one signalfd, timerfd, epoll, inotify instance or pidfd may be shown as several: comparing them (kcmp) failed: ${errnoInWords(denied)}`, {
      errno: denied, remedy: denied === 'ENOSYS' ? 'a kernel with CONFIG_KCMP tells them apart' : 'allow kcmp(2) in the security filter of the container, or run the probe outside of it',
    });
  }
  if (exhausted) {
    context.gaps.add({ facility: 'epoll', field: 'copies' }, `more signalfds, timerfds, epoll, inotify instances or pidfds look alike than ${comparisons} comparisons tell apart: copies of the rest may be shown as several`);
  }
}

/** What stays the same of one open file while it is read through several descriptors: only equal ones may be copies. */
export function invariantOf(kind: EventKind, info: string): string {
  switch (kind) {
    case 'eventfd': {
      const id = parseEventfdId(info);
      // Before Linux 5.2 there is no id, and the count changes.
      return id === undefined ? '' : `id:${id}`;
    }
    case 'signalfd': return (parseSignalfd(info) ?? []).join();
    // Its time left runs down and its ticks go up.
    case 'timerfd': { const { clock, interval } = parseTimerfd(info); return `${clock} ${interval}`; }
    // EPOLLONESHOT clears events when it fires.
    case 'epoll': return parseEpoll(info).map(({ fd, data, inode }) => `${fd} ${data} ${inode}`).join();
    case 'inotify': return parseInotify(info).map(({ wd, device, inode }) => `${wd} ${device} ${inode}`).join();
    case 'pidfd': return `${parsePidfd(info)} ${parseCommon(info).inode}`;
  }
}

function describe(kind: EventKind, id: string, info: string, context: ScanContext): EventObject {
  const persistence = 'process';
  // Older kernels do not write every line.
  const known = <T>(field: string, value: T | undefined): T | null => {
    if (value !== undefined) return value;
    context.gaps.add({ facility: kind, field }, `this kernel does not tell the ${field} of ${kind === 'inotify' || kind === 'epoll' ? `${kind} instances` : `${kind}s`} in fdinfo`);
    return null;
  };
  switch (kind) {
    case 'eventfd': {
      const { count, semaphore } = parseEventfd(info);
      return { id, kind, persistence, state: { count: known('count', count), semaphore: known('semaphore', semaphore) } };
    }
    case 'signalfd': return { id, kind, persistence, state: { signals: known('signals', parseSignalfd(info)) } };
    case 'timerfd': {
      const { clock, ticks, value, interval } = parseTimerfd(info);
      return { id, kind, persistence, state: { clock: known('clock', clock), ticks: known('ticks', ticks), ...armed('value', value), ...armed('interval', interval) } };
    }
    case 'epoll':
      return { id, kind, persistence, state: { watches: parseEpoll(info).map(({ fd, events, inode }) => ({ fd, events, ...(inode === undefined ? {} : { inode }) })) } };
    case 'inotify': return { id, kind, persistence, state: { watches: parseInotify(info) } };
    case 'pidfd': return { id, kind, persistence, state: { pid: known('pid', parsePidfd(info)) } };
  }
}

function armed<K extends string>(name: K, seconds: string | undefined): Partial<Record<K, string>> {
  const result: Partial<Record<K, string>> = {};
  if (seconds !== undefined && seconds !== '0') result[name] = seconds;
  return result;
}

const withInode = /^(?:pipe|socket|pidfd):\[(\d+)\]$/;

/**
 * The event descriptors with what every epoll instance watches, once all handles are known. The number of a watch is one in the table of the process
 * that added it, and it stays when that descriptor is closed and its number reused: so a process that has the instance must
 * have, under that number, an object whose inode is the watched one, or nothing is said.
 */
export function linkWatches(events: { readonly objects: readonly IpcObject[]; readonly handles: readonly Handle[] }, handles: readonly Handle[], processes: readonly ScannedProcess[], inodeOf = anonymousInode): readonly IpcObject[] {
  const holders = new Map<string, number[]>();
  for (const { id, kind } of events.objects) if (kind === 'epoll') holders.set(id, []);
  if (holders.size === 0) return events.objects;
  let first: Handle | undefined;
  const pids = new Set<number>();
  for (const handle of events.handles) {
    const its = holders.get(handle.objectId);
    if (its === undefined) continue;
    first ??= handle;
    its.push(handle.pid);
    pids.add(handle.pid);
  }
  const ids = new Map<number, Map<number, string>>([...pids].map(pid => [pid, new Map<number, string>()]));
  for (const { pid, fd, objectId, via } of handles) if (fd !== undefined && via === 'descriptor') ids.get(pid)?.set(fd, objectId);
  const links = new Map<number, Map<number, string>>();
  for (const { pid, descriptors } of processes) if (pids.has(pid)) links.set(pid, new Map((descriptors ?? []).map(({ fd, target }) => [fd, target])));
  const anonymous = inodeOf(first);
  return events.objects.map(object => {
    if (object.kind !== 'epoll' || object.state.watches === null) return object;
    const its = holders.get(object.id) ?? [];
    const watches = object.state.watches.map(watch => {
      const pid = its.find(candidate => mayBe(links.get(candidate)?.get(watch.fd), watch.inode, ids.get(candidate)?.get(watch.fd), anonymous));
      const target = pid === undefined ? undefined : ids.get(pid)?.get(watch.fd);
      return target === undefined ? watch : { ...watch, target };
    });
    return { ...object, state: { watches } };
  });
}

/** The one inode that all anonymous descriptors share, as an epoll instance's fdinfo tells it (since Linux 5.14). */
function anonymousInode(epoll: Handle | undefined): string | undefined {
  return epoll?.fd === undefined ? undefined : parseCommon(readFdinfo(epoll.pid, epoll.fd).value ?? '').inode;
}

/** Whether what is under the number now may be what is watched: by its inode, where link or id tells that. */
function mayBe(link: string | undefined, inode: string | undefined, id: string | undefined, anonymous: string | undefined): boolean {
  if (link === undefined || id === undefined) return false;
  if (inode === undefined) return true;
  // pidfds have inodes of their own since Linux 6.9, and their link does not tell them.
  if (link.startsWith('anon_inode:') && anonymous !== undefined && !id.startsWith('pidfd:')) return inode === anonymous;
  const its = withInode.exec(link)?.[1] ?? /^(?:fifo|posix-message-queue):\d+:(\d+)$/.exec(id)?.[1];
  return its === undefined || its === inode;
}
