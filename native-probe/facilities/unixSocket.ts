// UNIX domain sockets (unix(7)), joined by inode: sockfs numbers the sockets of all network namespaces together.
import type { UnixSocket, UnixSocketState } from '../model';
import type { ScanContext } from '../context';
import { asRoot } from '../gaps';
import type { OpenDescriptor } from '../descriptorIndex';
import { readFdinfo } from '../kernel/fdinfo';
import { TCP_ESTABLISHED, TCP_LISTEN } from '../kernel/sockDiag';
import type { UnixRecord } from '../kernel/sockDiag';
import type { NamespaceSockets } from './socketTables';

export function unixSocketId(inode: number | string): string {
  return `unix-socket:${inode}`;
}

const types: Readonly<Record<number, UnixSocketState['type']>> = { 1: 'stream', 2: 'datagram', 5: 'seqpacket' };
/** Both directions shut down: what a stream socket is left with when its peer has gone. */
const SHUTDOWN_MASK = 3;

/** The descriptors of a socket, by its inode. */
export type HoldersOf = (inode: number) => readonly OpenDescriptor[];

/** A socket as it was in the last pass: its entry in the kernel's table as Latin-1 text, and what was made of it, there and with that listener. */
export interface RememberedSocket {
  readonly text: string;
  readonly record: UnixRecord;
  made?: { readonly namespace: string; readonly withPeers: boolean; readonly listener: number | undefined; readonly object: UnixSocket };
}

/** Every UNIX socket that the tables list, and those they only name as the other end of one. In a focused pass: those of concern, and their peers. */
export async function unixSockets(context: ScanContext, tables: readonly NamespaceSockets[], holdersOf: HoldersOf): Promise<Map<string, UnixSocket>> {
  const objects = new Map<string, UnixSocket>();
  const listeners = listenersOfPending(tables);
  const listed = new Set<number>();
  for (const { unix } of tables) for (const { inode } of unix) listed.add(inode);
  /** Sockets whose other end is in no table. */
  const alone: UnixRecord[] = [];
  let looked = 0;
  for (const table of tables) {
    for (const record of table.unix) {
      // Inode 0: a connection in some backlog (counted there), or one that its last holder has closed. Nobody can have it.
      if (record.inode === 0) continue;
      if (!context.complete && !context.concerns(unixSocketId(record.inode)) && !(record.peer !== undefined && context.concerns(unixSocketId(record.peer)))) continue;
      const object = describe(context, table, record, listeners.get(record.inode), holdersOf);
      objects.set(object.id, object);
      if (record.peer !== undefined && record.peer !== 0 && !listed.has(record.peer)) alone.push(record);
      if ((++looked & 63) === 0) await context.pause();
    }
  }
  const everywhere = tables.every(({ unixWithPeers }) => unixWithPeers);
  for (const { inode, peer = 0 } of alone) {
    // In a namespace that we could not ask it does exist: its processes have the other end. Otherwise it was closed while we read.
    if (everywhere) withoutPeer(objects, unixSocketId(inode));
    else objects.set(unixSocketId(peer), unlistedUnixSocket(context, peer, null));
    if (everywhere) context.gaps.add({ facility: 'unix-socket', field: 'peer' }, 'some UNIX sockets were closed while we read: the peer of those that were connected to them is unknown', { remedy: 'refresh' });
  }
  return objects;
}

/** The same object as last time where all that it is made of is the same. What is in flight in it changes without a trace in the table. */
function describe(context: ScanContext, { namespace, unixWithPeers: withPeers }: NamespaceSockets, record: UnixRecord, listener: number | undefined, holdersOf: HoldersOf): UnixSocket {
  const idle = (record.rqueue ?? 0) === 0 || record.state === TCP_LISTEN;
  const known = idle ? context.recollection.unixSockets.get(record.inode) : undefined;
  if (known?.record === record && known.made?.namespace === namespace && known.made.withPeers === withPeers && known.made.listener === listener) return known.made.object;
  const state = stateOf(record, withPeers, listener);
  const inFlight = idle ? undefined : descriptorsInFlight(holdersOf(record.inode));
  const object: UnixSocket = {
    id: unixSocketId(record.inode), kind: 'unix-socket', ...(record.name === undefined ? {} : { name: record.name }), namespace, persistence: 'process',
    state: inFlight === undefined ? state : { ...state, descriptorsInFlight: inFlight },
  };
  if (known?.record === record) known.made = { namespace, withPeers, listener, object };
  return object;
}

function withoutPeer(objects: Map<string, UnixSocket>, id: string): void {
  const socket = objects.get(id);
  if (socket) objects.set(id, { ...socket, state: { ...socket.state, peer: null } });
}

/** A socket of which no more than its existence is known, and its type perhaps. */
export function unlistedUnixSocket(context: ScanContext, inode: number | string, type: UnixSocketState['type']): UnixSocket {
  context.gaps.add({ facility: 'unix-socket', field: 'unlisted' }, 'some UNIX sockets that processes have, or that are the other end of one, are in no network namespace that could be asked; or they came and went while we read', { remedy: asRoot });
  return { id: unixSocketId(inode), kind: 'unix-socket', namespace: null, persistence: 'process', state: { type, state: null, peer: null, rqueue: null, wqueue: null } };
}

/** Who waits in whose backlog: inode of the connected socket → inode of the listener. */
function listenersOfPending(tables: readonly NamespaceSockets[]): Map<number, number> {
  const listeners = new Map<number, number>();
  for (const { unix } of tables) for (const { inode, pending } of unix) for (const client of pending ?? []) if (client !== 0) listeners.set(client, inode);
  return listeners;
}

/** `listener`: inode of the listener in whose backlog its connection waits. */
export function stateOf(record: UnixRecord, withPeers: boolean, listener: number | undefined): UnixSocketState {
  const { name, peer: named, shutdown } = record;
  // Written out without spreading: there may be 100,000 of them.
  const type = types[record.type] ?? null;
  const rqueue = record.rqueue === undefined ? null : String(record.rqueue), wqueue = record.wqueue === undefined ? null : String(record.wqueue);
  const peer = named === undefined || named === 0 ? listener : named;
  const connected = record.state === TCP_ESTABLISHED;
  let state: UnixSocketState;
  if (record.state === TCP_LISTEN) state = { type, state: 'listening', rqueue, wqueue: '0', ...(record.wqueue === undefined ? {} : { backlog: record.wqueue }) };
  else if (peer !== undefined) state = { type, state: 'connected', peer: unixSocketId(peer), rqueue, wqueue };
  else if (!connected) state = { type, state: 'unconnected', rqueue, wqueue };
  else if (!withPeers) state = { type, state: 'connected', peer: null, rqueue, wqueue };
  // The peer is there but nobody has it: it was closed. Whoever reads gets what is queued, then end-of-file.
  else state = { type, state: named === 0 || shutdown === SHUTDOWN_MASK ? 'closing' : 'connected', rqueue, wqueue };
  return name === undefined ? state : { ...state, path: name };
}

/** Descriptors that were sent and not yet received (SCM_RIGHTS): fdinfo tells since Linux 5.11. Only asked where something is queued. */
function descriptorsInFlight([first]: readonly OpenDescriptor[]): number | undefined {
  return first && parseScmFds(readFdinfo(first.process.pid, first.fd).value ?? '');
}

/** `scm_fds: 2` in a socket's fdinfo. */
export function parseScmFds(fdinfo: string): number | undefined {
  const count = /^scm_fds:\s*(\d{1,9})$/m.exec(fdinfo)?.[1];
  return count === undefined ? undefined : Number(count);
}
