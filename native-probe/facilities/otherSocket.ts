// Sockets of other families (netlink(7), packet(7), vsock(7), …), and those that processes have but no table lists: of a
// network namespace that could not be read, or Internet sockets that are neither bound nor connected.
import type { OtherSocket, UnixSocket } from '../model';
import type { ScanContext } from '../context';
import type { OpenDescriptor } from '../descriptorIndex';
import { asRoot } from '../gaps';
import { isGone, readLink } from '../kernel/procfs';
import type { Result } from '../kernel/procfs';
import { familyOfProtocol, socketProtocol } from '../kernel/socketProtocol';
import type { NamespaceSockets } from './socketTables';
import { unlistedUnixSocket } from './unixSocket';
import { resourcesOf } from '../kernel/standIns';

export function otherSocketId(inode: number | string): string {
  return `other-socket:${inode}`;
}

/** Netlink and packet sockets of the tables. */
export function listedOtherSockets(context: ScanContext, tables: readonly NamespaceSockets[]): Map<string, OtherSocket> {
  const objects = new Map<string, OtherSocket>();
  for (const { namespace, other } of tables) {
    for (const { inode, family, protocol } of other) {
      const id = otherSocketId(inode);
      if (context.concerns(id)) objects.set(id, { id, kind: 'other-socket', namespace, persistence: 'process', state: { family, ...(protocol === undefined ? {} : { protocol }) } });
    }
  }
  return objects;
}

/**
 * Protocols of the sockets that descriptors lead to and no table lists, by inode; `holders`: those descriptors, likewise.
 * Their inode still tells it: one call of native code for each of these few.
 */
export async function protocolsOfUnlisted(context: ScanContext, holders: ReadonlyMap<number, readonly OpenDescriptor[]>): Promise<Map<number, Result<string>>> {
  const protocols = new Map<number, Result<string>>();
  for (const [inode, descriptors] of holders) {
    for (const { process, fd } of descriptors) {
      // The number may lead to another file by now: an answer counts only if it still leads to this socket afterwards.
      const name = socketProtocol(process.pid, fd);
      if (name.value !== undefined ? readLink(`${resourcesOf(process.pid)}/fd/${fd}`).value !== `socket:[${inode}]` : isGone(name.errno)) continue;
      protocols.set(inode, name);
      if (name.value !== undefined) break; // else the next holder may be readable
    }
    await context.pause();
  }
  return protocols;
}

/** A socket of which no more is known than its protocol, or not even that. */
export function unlistedSocket(context: ScanContext, inode: number, name: Result<string>): UnixSocket | OtherSocket {
  const id = otherSocketId(inode);
  const common = { id, kind: 'other-socket', namespace: null, persistence: 'process' } as const;
  if (name.value === undefined) {
    context.gaps.failed({ objectId: id, field: 'family' }, `no table lists socket ${inode}, and its protocol cannot be asked`, name.errno, asRoot);
    return { ...common, state: { family: null } };
  }
  const { family, protocol } = familyOfProtocol(name.value);
  if (family === 'unix') return unlistedUnixSocket(context, inode, protocol === 'unix-stream' ? 'stream' : null);
  // One gap for all of them: which namespace such a socket is in is told by nothing that can be read.
  context.gaps.add({ facility: 'other-socket', field: 'namespace' }, 'some sockets are in no table of any network namespace (other families; Internet sockets neither bound nor connected): their namespace is unknown');
  if (family === undefined) context.gaps.add({ objectId: id, field: 'family' }, `socket ${inode} has a protocol of an unknown family: ${protocol}`);
  return { ...common, state: { family: family ?? null, protocol } };
}
