// Internet domain sockets (ip(7), tcp(7), udp(7)). Both ends of a connection are joined where both are on this machine: the
// other socket has the same two addresses the other way round.
import type { InetSocket, InetSocketState } from '../model';
import type { ScanContext } from '../context';
import { isAnyAddress, isLoopback, unmapped } from '../kernel/inetAddress';
import { TCP_ESTABLISHED, TCP_LISTEN } from '../kernel/sockDiag';
import type { Endpoint, InetRecord } from '../kernel/sockDiag';
import type { NamespaceSockets } from './socketTables';

export function inetSocketId(inode: number | string): string {
  return `inet-socket:${inode}`;
}

/** include/net/tcp_states.h, in the words of ss(8). */
const states: Readonly<Record<number, string>> = {
  1: 'established', 2: 'syn-sent', 3: 'syn-recv', 4: 'fin-wait-1', 5: 'fin-wait-2', 6: 'time-wait', 7: 'unconnected', 8: 'close-wait', 9: 'last-ack', 10: 'listen', 11: 'closing', 12: 'syn-recv', 13: 'bound-inactive',
};

/** `127.0.0.1:80`, `[::1]:80`. */
function endpointText({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** A connection as one of its ends sees it. The other end's is the same with the two swapped. */
function connection(protocol: string, here: Endpoint, there: Endpoint): string {
  return `${protocol} ${unmapped(here.address)} ${here.port} ${unmapped(there.address)} ${there.port}`;
}

interface Found { readonly namespace: string; readonly record: InetRecord }

/** Finds the socket at the other end. */
export class Connections {
  private readonly ends = new Map<string, Found[]>();
  private readonly listeners = new Map<string, number>();

  constructor(tables: readonly NamespaceSockets[]) {
    for (const { namespace, inet } of tables) {
      for (const record of inet) {
        const { protocol, local, remote, inode } = record;
        if (remote) {
          const key = connection(protocol, local, remote);
          const list = this.ends.get(key);
          if (list) list.push({ namespace, record });
          else this.ends.set(key, [{ namespace, record }]);
        } else if (record.state === TCP_LISTEN && inode !== 0) {
          this.listeners.set(`${namespace} ${isAnyAddress(local.address) ? '*' : unmapped(local.address)} ${local.port}`, inode);
        }
      }
    }
  }

  /**
   * Inode of the other end: in the same namespace, else in the only other one that has it (loopback never leaves its own).
   * While a connection has not been accepted nobody has its other end: then it is the listener that will.
   */
  peerOf(namespace: string, { protocol, local, remote }: InetRecord): number | undefined {
    if (!remote) return undefined;
    const candidates = this.ends.get(connection(protocol, remote, local)) ?? [];
    const near = candidates.filter(candidate => candidate.namespace === namespace);
    const far = near.length > 0 || isLoopback(local.address) || isLoopback(remote.address) ? [] : candidates;
    const [end, ...more] = near.length > 0 ? near : far;
    // The same addresses in several other namespaces: no telling which.
    if (!end || more.length > 0) return undefined;
    if (end.record.inode !== 0) return end.record.inode;
    if (end.record.state !== TCP_ESTABLISHED) return undefined;
    return this.listeners.get(`${end.namespace} ${unmapped(remote.address)} ${remote.port}`) ?? this.listeners.get(`${end.namespace} * ${remote.port}`);
  }
}

/**
 * Every Internet socket that a process may have. Inode 0 (TIME_WAIT, closed but still sending, not yet accepted) is left out:
 * the kernel alone has it, and its id would not be stable. In a focused pass: those of concern, and their peers.
 */
export async function inetSockets(context: ScanContext, tables: readonly NamespaceSockets[]): Promise<Map<string, InetSocket>> {
  const objects = new Map<string, InetSocket>();
  const connections = new Connections(tables);
  for (const { namespace, inet } of tables) {
    for (const record of inet) {
      if (record.inode === 0) continue;
      const id = inetSocketId(record.inode);
      const peer = connections.peerOf(namespace, record);
      if (!context.concerns(id) && !(peer !== undefined && context.concerns(inetSocketId(peer)))) continue;
      objects.set(id, { id, kind: 'inet-socket', name: nameOf(record), namespace, persistence: 'process', state: stateOf(record, peer) });
      await context.pause();
    }
  }
  return objects;
}

function nameOf({ local, remote }: InetRecord): string {
  return remote ? `${endpointText(local)} → ${endpointText(remote)}` : endpointText(local);
}

function stateOf({ protocol, state, local, remote, rqueue, wqueue }: InetRecord, peer: number | undefined): InetSocketState {
  const listens = state === TCP_LISTEN;
  return {
    protocol, state: states[state] ?? `state ${state}`, local, ...(remote ? { remote } : {}), ...(peer === undefined ? {} : { peer: inetSocketId(peer) }),
    rqueue: String(rqueue), wqueue: listens ? '0' : wqueue === undefined ? null : String(wqueue), ...(listens && wqueue !== undefined ? { backlog: wqueue } : {}),
  };
}
