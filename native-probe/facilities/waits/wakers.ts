// Who can make a descriptor readable or writable: by kind of object. One function for blocking reads and writes, and for poll, select
// and epoll, which wait for any of several. What is not closed (other threads' future, the network, a person) is `external` or a gap.
import type { Alternative, Epoll, Eventfd, Handle, InetSocket, Pseudoterminal, ThreadRef, UnixSocket } from '../../model';
import { memoryIsVersion1 } from '../../kernel/cgroups';
import { syscall } from '../../kernel/libc';
import { readText } from '../../kernel/procfs';
import type { WaitScene } from './scene';

/** What a wait needs of a descriptor. `hangup`: it also ends when the other end is closed, whatever was asked (poll(2)). */
export interface Wanted { readonly input: boolean; readonly output: boolean; readonly hangup: boolean }

export interface Wakers {
  readonly alternatives: readonly Alternative[];
  readonly external?: string;
  readonly gaps: readonly string[];
}

export const nobodySeen = 'nobody is seen at the other end: it just closed, or it is held where no descriptor shows it';

/** Somebody outside of what can be seen. */
export const outside = (external: string): Wakers => ({ alternatives: [], external, gaps: [] });

/** Threads of the processes of some handles, each process once, by PID. */
export function threadsOf(handles: readonly Pick<Handle, 'pid'>[]): ThreadRef[] {
  return [...new Set(handles.map(handle => handle.pid))].sort((a, b) => a - b).map(pid => ({ pid }));
}

/** Joins alternatives that any one suffices of. */
export function anyOf(parts: readonly Wakers[]): Wakers {
  const external = parts.find(part => part.external !== undefined)?.external;
  return { alternatives: parts.flatMap(part => part.alternatives), ...(external === undefined ? {} : { external }), gaps: [...new Set(parts.flatMap(part => part.gaps))] };
}

/** Who can end a wait of `waiter` (a PID) on one of its descriptors. `depth`: how many epoll instances lie around it. */
export function wakersOf(scene: WaitScene, waiter: number, handle: Handle, wanted: Wanted, depth = 0): Wakers {
  const object = scene.ends.objects.get(handle.objectId);
  switch (object?.kind) {
    case 'pipe': return ofPipe(scene, handle, scene.ends.holders(object.id), wanted, []);
    case 'fifo': {
      // A name can be opened by whoever has the permission; without one only those who have it open are left.
      const gaps = object.state.unlinked ? [] : [scene.context.gaps.add({ facility: 'waits', objectId: object.id, field: 'openers' }, `whoever may open the FIFO ${object.name ?? object.id} can become its other end`)];
      // Daemons open their own FIFO for both, so that it never ends: they are not the ones they wait for.
      return ofPipe(scene, handle, besides(scene, waiter, scene.ends.holders(object.id)), wanted, gaps);
    }
    case 'unix-socket': return ofUnixSocket(scene, waiter, object, wanted);
    case 'inet-socket': return ofInetSocket(scene, waiter, object, wanted);
    case 'pseudoterminal': return ofPseudoterminal(scene, waiter, handle, object);
    case 'eventfd': return ofEventfd(scene, waiter, object, wanted);
    case 'epoll': return ofEpoll(scene, waiter, object, depth);
    case 'pidfd': {
      const { pid } = object.state;
      return pid !== null && pid > 0 ? { alternatives: [{ objectId: object.id, event: 'the end', threads: [{ pid }] }], gaps: [] } : outside('the process of this pidfd cannot be seen');
    }
    case 'posix-message-queue': return ofQueue(scene, waiter, handle, object.state.unlinked === true, wanted);
    case 'signalfd': return outside('whoever may signal it');
    case 'timerfd': return outside('a timer');
    case 'inotify': return outside('whoever changes the watched files');
    default: return outside('a descriptor of a kind that is not understood');
  }
}

/** The other ends, when there are any. */
function others(scene: WaitScene, objectId: string, parts: readonly { readonly objectId: string; readonly event: string; readonly holders: readonly Pick<Handle, 'pid'>[] }[], gaps: readonly string[]): Wakers {
  const alternatives = parts.filter(part => part.holders.length > 0).map((part): Alternative => ({ objectId: part.objectId, event: part.event, threads: threadsOf(part.holders) }));
  // The first part is those without whom nothing comes.
  if (parts[0]?.holders.length === 0) return { alternatives, external: nobodySeen, gaps };
  const unseen = scene.ends.unseenHolders(objectId, alternatives.flatMap(({ threads }) => threads.map(({ pid }) => pid)));
  return { alternatives, gaps: unseen === undefined ? gaps : [...gaps, unseen] };
}

/** The waiter itself can help only by another thread. */
function besides(scene: WaitScene, waiter: number, handles: readonly Handle[]): readonly Handle[] {
  return scene.threads(waiter).length > 1 ? handles : handles.filter(handle => handle.pid !== waiter);
}

function ofPipe(scene: WaitScene, { objectId, access }: Handle, holders: readonly Handle[], { input, output, hangup }: Wanted, gaps: readonly string[]): Wakers {
  const parts: Parameters<typeof others>[2][number][] = [];
  // Data or end-of-file comes from those who can write, room or a broken pipe from those who can read.
  if (input || (hangup && access !== 'write')) parts.push({ objectId, event: 'data', holders: holders.filter(each => each.access !== 'read') });
  if (output || (hangup && access !== 'read')) parts.push({ objectId, event: 'room', holders: holders.filter(each => each.access !== 'write') });
  return others(scene, objectId, parts, gaps);
}

function ofUnixSocket(scene: WaitScene, waiter: number, socket: UnixSocket, { input }: Wanted): Wakers {
  const { state, peer, type } = socket.state;
  if (state === 'listening') return outside('any client that connects');
  if (state !== 'connected' || peer === undefined || peer === null) return outside(type === 'datagram' ? 'whoever sends to it' : 'the other end could not be seen');
  const other = scene.ends.objects.get(peer);
  if (other?.kind !== 'unix-socket') return outside('the other end could not be seen');
  // What a datagram socket has sent may lie in the queues of several others, unless the two have only each other.
  if (type === 'datagram' && !input && other.state.peer !== socket.id) return outside('whoever receives what it sent');
  const event = other.state.state === 'listening' ? 'an accept' : input ? 'data' : 'room';
  return others(scene, socket.id, [
    { objectId: peer, event, holders: scene.ends.holders(peer) },
    { objectId: socket.id, event: 'a shutdown', holders: besides(scene, waiter, scene.ends.holders(socket.id)) },
  ], []);
}

function ofInetSocket(scene: WaitScene, waiter: number, socket: InetSocket, { input, output }: Wanted): Wakers {
  const { protocol, state, peer } = socket.state;
  if (state === 'listen') return outside('any client that connects');
  if (protocol !== 'tcp' || state !== 'established' || peer === undefined) return outside('the network');
  const other = scene.ends.objects.get(peer);
  if (other?.kind !== 'inet-socket') return outside('the other end could not be seen');
  // What the other end has sent and nobody acknowledged comes by itself (a slow network, Nagle's algorithm, a lost segment), and so
  // does room while the other end has nothing left to read.
  if ((input && other.state.wqueue !== '0') || (output && other.state.rqueue === '0')) return outside('what was sent is still on its way');
  return others(scene, socket.id, [
    { objectId: peer, event: 'data or room', holders: scene.ends.holders(peer) },
    { objectId: socket.id, event: 'a shutdown', holders: besides(scene, waiter, scene.ends.holders(socket.id)) },
  ], []);
}

function ofPseudoterminal(scene: WaitScene, waiter: number, handle: Handle, terminal: Pseudoterminal): Wakers {
  const { id: objectId } = terminal;
  const ends = (end: string): readonly Handle[] => scene.ends.holders(objectId).filter(each => each.end === end);
  const own = handle.end ?? '';
  const other = own === 'master' ? 'slave' : own === 'slave' ? 'master' : undefined;
  if (other === undefined) return outside('the other end of this terminal could not be told');
  // The slave has a name that can be opened; the master has none.
  const gaps = other === 'slave' && !terminal.state.hungUp ? [scene.context.gaps.add({ facility: 'waits', objectId, field: 'openers' }, `whoever may open ${terminal.name ?? objectId} can read and write at its other end`)] : [];
  return others(scene, objectId, [
    { objectId, event: 'input or output', holders: ends(other) },
    // Whoever has the same end can change its settings (termios(3)), stop and start its output.
    { objectId, event: 'other settings', holders: besides(scene, waiter, ends(own)) },
  ], gaps);
}

/** Descriptors and mappings by which the kernel itself writes to eventfds. */
const kernelWriters = /^anon_inode:(?:\[io_uring\]|kvm-|\[vfio|\[aio)|^\/dev\/(?:vhost|vfio|vdpa|vduse|dri|kfd|nvidia|infiniband|ublk)/;

function ofEventfd(scene: WaitScene, waiter: number, { id: objectId }: Eventfd, { input }: Wanted): Wakers {
  const holders = scene.ends.holders(objectId);
  const gaps: string[] = [];
  for (const { pid } of threadsOf(holders)) {
    const process = scene.byPid.get(pid);
    const way = process?.descriptors?.find(each => kernelWriters.test(each.target))?.target ?? process?.sharedMappings?.find(each => each.path.startsWith('/[aio]') || kernelWriters.test(each.path))?.path;
    if (way !== undefined) gaps.push(scene.context.gaps.add({ pid, facility: 'waits', objectId, field: 'kernel' }, `pid ${pid} (${process?.comm ?? '?'}) may have told the kernel to write to an eventfd by itself (${way.slice(0, 40)})`));
  }
  // Before anything is said only: on such a machine it concerns every eventfd.
  if (input && scene.again && memoryIsVersion1(readText('/proc/self/cgroup').value ?? '')) {
    gaps.push(scene.context.gaps.add({ facility: 'waits', field: 'cgroup-events' }, 'the memory controller is one of cgroup version 1: it may have been told to write to an eventfd by itself (cgroup.event_control), which leaves no trace'));
  }
  const able = besides(scene, waiter, holders);
  // The only one who has it is the only thread that waits: nobody will ever write.
  return others(scene, objectId, [{ objectId, event: input ? 'a write' : 'a read', holders: able.length > 0 ? able : holders }], gaps);
}

function ofQueue(scene: WaitScene, waiter: number, handle: Handle, unlinked: boolean, { input, output }: Wanted): Wakers {
  const { objectId } = handle;
  const object = scene.ends.objects.get(objectId);
  const gaps = unlinked ? [] : [scene.context.gaps.add({ facility: 'waits', objectId, field: 'openers' }, `whoever may open the message queue ${object?.name ?? objectId} can send to it and receive from it`)];
  const holders = scene.ends.holders(objectId);
  const all = holders.filter(each => (input && each.access !== 'read') || (output && each.access !== 'write'));
  const help = besides(scene, waiter, all);
  // Without a name, the only one who has it waits for itself.
  const able = help.length > 0 || !unlinked ? help : all;
  const found = others(scene, objectId, [{ objectId, event: input ? 'a message' : 'room', holders: able }], gaps);
  // A name is reason enough: with nobody in sight it is the gap that stands for who may come.
  return able.length === 0 && !unlinked ? { alternatives: [], gaps: found.gaps } : found;
}

const EPOLLIN = 0x1, EPOLLPRI = 0x2, EPOLLOUT = 0x4, normalInput = 0x40 | 0x80 | 0x2000, normalOutput = 0x100 | 0x200;
/** poll's and epoll's event bits (poll.h, sys/epoll.h: the same numbers). */
export function wantedOf(events: number): Wanted {
  return { input: (events & (EPOLLIN | EPOLLPRI | normalInput)) !== 0, output: (events & (EPOLLOUT | normalOutput)) !== 0, hangup: true };
}

const KCMP_EPOLL_TFD = 7;
/** The kernel nests epoll instances no deeper (fs/eventpoll.c, EP_MAX_NESTS). */
const deepest = 5;
/** Of an instance that watches so many and waits for something external, the rest is not worth looking at. */
const enough = 64;
/**
 * Who waits for any of more descriptors is taken to be able to go on: each is compared with everybody's, and the kernel looks through all
 * that an instance watches to answer for one (kernel/kcmp.c, get_epoll_tfile_raw_ptr).
 */
export const mostProved = 1000;
/** The reason for that. */
export const tooMany = (count: number): Wakers => outside(`${count} descriptors are more than can be looked into one by one`);

/** Anything that an epoll instance watches, or somebody who adds to it. */
export function ofEpoll(scene: WaitScene, waiter: number, epoll: Epoll, depth: number): Wakers {
  const { watches } = epoll.state;
  const holders = scene.ends.holders(epoll.id);
  if (watches === null) return outside('what this epoll instance watches is not known');
  if (depth >= deepest) return outside('epoll instances that watch each other');
  let external = watches.length > mostProved;
  const parts: Wakers[] = external ? [tooMany(watches.length)] : [];
  const adders = besides(scene, waiter, holders);
  if (adders.length > 0) parts.push({ alternatives: [{ objectId: epoll.id, event: 'epoll_ctl', threads: threadsOf(adders) }], gaps: [] });
  const numbers = new Set<number>();
  for (const watch of watches) {
    if (external && parts.length >= enough) break;
    const holder = watch.target === undefined || numbers.has(watch.fd) ? undefined : holders.find(each => scene.ends.at(each.pid, watch.fd)?.objectId === watch.target);
    numbers.add(watch.fd);
    const handle = holder && scene.ends.at(holder.pid, watch.fd);
    const part = !holder || !handle || !isWatched(scene, holder, watch.fd)
      ? outside(`descriptor ${watch.fd}, which it watches, has another number by now or is not understood`)
      : wakersOf(scene, waiter, handle, wantedOf(Number(watch.events)), depth + 1);
    if (part.external !== undefined) external = true;
    parts.push(part);
  }
  // It watches nothing: only somebody who adds something could help.
  if (parts.length === 0) return outside('it watches nothing');
  return anyOf(parts);
}

/** Whether the number still leads to what is watched: the kernel's own answer, asked in the second look. */
function isWatched(scene: WaitScene, epoll: Handle, fd: number): boolean {
  if (!scene.again || epoll.fd === undefined) return true;
  // struct kcmp_epoll_slot: efd, tfd, toff.
  const slot = Buffer.alloc(12);
  slot.writeUInt32LE(epoll.fd, 0);
  slot.writeUInt32LE(fd, 4);
  return syscall('kcmp', epoll.pid, epoll.pid, KCMP_EPOLL_TFD, fd, slot).value === 0;
}
