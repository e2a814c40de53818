// Sockets of all families: the tables of every network namespace, joined with the descriptors by inode.
import type { Handle, IpcObject } from '../model';
import type { ScanContext } from '../context';
import type { OpenDescriptor } from '../descriptorIndex';
import { inodeIn } from '../descriptorIndex';
import type { Result } from '../kernel/procfs';
import { familyOfProtocol } from '../kernel/socketProtocol';
import { inetSockets } from './inetSocket';
import { listedOtherSockets, protocolsOfUnlisted, unlistedSocket } from './otherSocket';
import { askMissed, readSocketTables } from './socketTables';
import type { MissedSocket, NamespaceSockets } from './socketTables';
import { unixSockets } from './unixSocket';
import type { DescriptorsByInode } from './unixSocket';

export const socketKinds = ['unix-socket', 'inet-socket', 'other-socket'] as const;

/**
 * Every socket that some process has or may have. A socket without any handle is one whose processes could not be read,
 * that lies in flight in another's queue, or that the kernel itself uses.
 */
export async function collectSockets(context: ScanContext): Promise<{ objects: IpcObject[]; handles: Handle[] }> {
  const descriptors = byInode(context.descriptors.of('socket'));
  const tables = await readSocketTables(context);
  const listed = inodesOf(tables);
  const unlisted = await protocolsOfUnlisted(context, descriptors, listed);
  await askMissed(context, tables, missedUnixSockets(tables, listed, descriptors, unlisted));

  const objects: IpcObject[] = [];
  const idByInode = new Map<string, string>();
  const take = (object: IpcObject): void => {
    objects.push(object);
    idByInode.set(object.id.slice(object.id.indexOf(':') + 1), object.id);
  };
  for (const found of [await unixSockets(context, tables, descriptors), await inetSockets(context, tables), listedOtherSockets(context, tables)]) for (const object of found.values()) take(object);
  if (unlisted.size > 0) {
    const found = inodesOf(tables);
    for (const [inode, protocol] of unlisted) if (!found.has(inode) && !idByInode.has(inode)) take(unlistedSocket(context, inode, protocol));
  }

  const handles: Handle[] = [];
  for (const [inode, holders] of descriptors) {
    const objectId = idByInode.get(inode);
    if (objectId === undefined) continue;
    // Every socket is open for reading and writing, whatever was shut down (net/socket.c, sock_alloc_file).
    for (const { process, fd } of holders) handles.push({ objectId, pid: process.pid, via: 'descriptor', fd, access: 'read-write' });
    await context.pause();
  }
  return { objects, handles };
}

/** Inodes of all sockets that the tables list. */
function inodesOf(tables: readonly NamespaceSockets[]): Set<string> {
  const inodes = new Set<string>();
  for (const { unix, inet, other } of tables) for (const list of [unix, inet, other]) for (const { inode } of list) inodes.add(String(inode));
  return inodes;
}

/** UNIX sockets that exist, as their protocol or a peer says, but are in no table; each with a namespace where it may be. */
function missedUnixSockets(tables: readonly NamespaceSockets[], listed: ReadonlySet<string>, descriptors: DescriptorsByInode, unlisted: ReadonlyMap<string, Result<string>>): Map<number, MissedSocket> {
  const missed = new Map<number, MissedSocket>();
  for (const [inode, protocol] of unlisted) {
    const namespace = descriptors.get(inode)?.[0]?.process.namespaces.net;
    if (namespace != null && protocol.value !== undefined && familyOfProtocol(protocol.value).family === 'unix') missed.set(Number(inode), { namespace });
  }
  for (const { namespace, unix } of tables) {
    for (const { inode, peer } of unix) if (peer !== undefined && peer !== 0 && inode !== 0 && !listed.has(String(peer)) && !missed.has(peer)) missed.set(peer, { namespace, namedBy: inode });
  }
  return missed;
}

function byInode(descriptors: readonly OpenDescriptor[]): Map<string, OpenDescriptor[]> {
  const found = new Map<string, OpenDescriptor[]>();
  for (const descriptor of descriptors) {
    const inode = inodeIn(descriptor.target);
    const list = found.get(inode);
    if (list) list.push(descriptor);
    else found.set(inode, [descriptor]);
  }
  return found;
}
