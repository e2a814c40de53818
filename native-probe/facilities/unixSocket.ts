// UNIX domain sockets (unix(7)), joined by inode: sockfs numbers the sockets of all network namespaces together.
import type { Known, UnixSocket, UnixSocketState } from '../model';
import type { ScanContext } from '../context';
import type { OpenDescriptor } from '../descriptorIndex';
import { readText } from '../kernel/procfs';
import { TCP_ESTABLISHED, TCP_LISTEN } from '../kernel/sockDiag';
import type { UnixRecord } from '../kernel/sockDiag';
import type { NamespaceSockets } from './socketTables';

export function unixSocketId(inode: number | string): string {
  return `unix-socket:${inode}`;
}

const types: Readonly<Record<number, UnixSocketState['type']>> = { 1: 'stream', 2: 'datagram', 5: 'seqpacket' };
/** Both directions shut down: what a stream socket is left with when its peer has gone. */
const SHUTDOWN_MASK = 3;

/** The descriptors by the inode of their socket. */
export type DescriptorsByInode = ReadonlyMap<string, readonly OpenDescriptor[]>;

/** Every UNIX socket that the tables list, and those they only name as the other end of one. */
export async function unixSockets(context: ScanContext, tables: readonly NamespaceSockets[], descriptors: DescriptorsByInode): Promise<Map<string, UnixSocket>> {
  const objects = new Map<string, UnixSocket>();
  const listeners = listenersOfPending(tables);
  const peers = new Set<number>();
  for (const { namespace, unix, unixWithPeers } of tables) {
    for (const record of unix) {
      // Inode 0: a connection in some backlog (counted there), or one that its last holder has closed. Nobody can have it.
      if (record.inode === 0) continue;
      const state = stateOf(record, unixWithPeers, listeners.get(record.inode));
      const inFlight = (record.rqueue ?? 0) > 0 && state.state !== 'listening' ? descriptorsInFlight(descriptors.get(String(record.inode))) : undefined;
      const id = unixSocketId(record.inode);
      objects.set(id, {
        id, kind: 'unix-socket', ...(record.name === undefined ? {} : { name: record.name }), namespace, persistence: 'process',
        state: inFlight === undefined ? state : { ...state, descriptorsInFlight: inFlight },
      });
      if (record.peer !== undefined && record.peer !== 0) peers.add(record.peer);
      await context.pause();
    }
  }
  for (const inode of peers) {
    if (objects.has(unixSocketId(inode))) continue;
    const socket = unlistedUnixSocket(inode, null);
    objects.set(socket.id, socket);
    context.gaps.add({ objectId: socket.id, field: 'state' }, `socket ${inode} is the other end of a UNIX socket, but in no network namespace that could be read; or it was closed while we read`, { remedy: 'run the probe as root, and refresh' });
  }
  return objects;
}

/** A socket of which no more than its existence is known; the caller says why in a gap. */
export function unlistedUnixSocket(inode: number | string, type: UnixSocketState['type']): UnixSocket {
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
  const { name, rqueue, wqueue } = record;
  const common = { type: types[record.type] ?? null, ...(name === undefined ? {} : { path: name }) };
  const decimal = (value: number | undefined): Known<string> => value === undefined ? null : String(value);
  if (record.state === TCP_LISTEN) return { ...common, state: 'listening', rqueue: decimal(rqueue), wqueue: '0', ...(wqueue === undefined ? {} : { backlog: wqueue }) };
  const connected = record.state === TCP_ESTABLISHED;
  const queues = { rqueue: decimal(rqueue), wqueue: decimal(wqueue) };
  if (!withPeers) return { ...common, state: connected ? 'connected' : 'unconnected', ...(connected ? { peer: null } : {}), ...queues };
  const peer = record.peer === undefined || record.peer === 0 ? listener : record.peer;
  if (peer !== undefined) return { ...common, state: 'connected', peer: unixSocketId(peer), ...queues };
  // The peer is there but nobody has it: it was closed. Whoever reads gets what is queued, then end-of-file.
  return { ...common, state: !connected ? 'unconnected' : record.peer === 0 || record.shutdown === SHUTDOWN_MASK ? 'closing' : 'connected', ...queues };
}

/** Descriptors that were sent and not yet received (SCM_RIGHTS): fdinfo tells since Linux 5.11. Only asked where something is queued. */
function descriptorsInFlight(descriptors: readonly OpenDescriptor[] | undefined): number | undefined {
  const [first] = descriptors ?? [];
  return first && parseScmFds(readText(`/proc/${first.process.pid}/fdinfo/${first.fd}`).value ?? '');
}

/** `scm_fds: 2` in a socket's fdinfo. */
export function parseScmFds(fdinfo: string): number | undefined {
  const count = /^scm_fds:\s*(\d{1,9})$/m.exec(fdinfo)?.[1];
  return count === undefined ? undefined : Number(count);
}
