// Sockets of all families: the tables of every network namespace, joined with the descriptors by inode.
import type { Handle, IpcObject } from '../model';
import type { ScanContext } from '../context';
import type { OpenDescriptor } from '../descriptorIndex';
import { inodeIn } from '../descriptorIndex';
import type { Result } from '../kernel/procfs';
import { familyOfProtocol } from '../kernel/socketProtocol';
import { inetSocketId, inetSockets } from './inetSocket';
import { listedOtherSockets, otherSocketId, protocolsOfUnlisted, unlistedSocket } from './otherSocket';
import { askMissed, readSocketTables } from './socketTables';
import type { MissedSocket, NamespaceSockets } from './socketTables';
import { unixSocketId, unixSockets } from './unixSocket';
import type { HoldersOf } from './unixSocket';

export const socketKinds = ['unix-socket', 'inet-socket', 'other-socket'] as const;

/**
 * Every socket that some process has or may have. A socket without any handle is one whose processes could not be read,
 * that lies in flight in another's queue, or that the kernel itself uses.
 */
export async function collectSockets(context: ScanContext): Promise<{ objects: IpcObject[]; handles: Handle[] }> {
  const descriptors = context.descriptors.of('socket');
  const tables = await readSocketTables(context);
  const listed = inodesOf(tables);
  const unlistedHolders = byInode(descriptors, inode => !listed.has(inode));
  const unlisted = await protocolsOfUnlisted(context, unlistedHolders);
  await askMissed(context, tables, missedUnixSockets(tables, listed, unlistedHolders, unlisted));

  let holders: Map<number, OpenDescriptor[]> | undefined;
  const holdersOf: HoldersOf = inode => (holders ??= byInode(descriptors)).get(inode) ?? [];
  const found: ReadonlyMap<string, IpcObject>[] = [await unixSockets(context, tables, holdersOf), await inetSockets(context, tables), listedOtherSockets(context, tables)];
  if (unlisted.size > 0) {
    const now = inodesOf(tables);
    const more = new Map<string, IpcObject>();
    for (const [inode, protocol] of unlisted) {
      if (now.has(inode) || found.some(objects => objects.has(unixSocketId(inode)))) continue;
      const object = unlistedSocket(context, inode, protocol);
      more.set(object.id, object);
    }
    found.push(more);
  }
  if (context.complete) context.recollection.unixSockets.endOfPass();
  const objects: IpcObject[] = [];
  for (const each of found) for (const object of each.values()) objects.push(object);
  return { objects, handles: await handlesOf(context, descriptors, found) };
}

/** Every socket is open for reading and writing, whatever was shut down (net/socket.c, sock_alloc_file). */
async function handlesOf(context: ScanContext, descriptors: readonly OpenDescriptor[], found: readonly ReadonlyMap<string, IpcObject>[]): Promise<Handle[]> {
  const handles: Handle[] = [];
  let looked = 0;
  for (const { process, fd, target, entry } of descriptors) {
    if ((++looked & 63) === 0) await context.pause();
    // The id it had last time, or else one of those that its inode may have.
    const object = (entry.made && objectOf(found, entry.made.read)) ?? objectOf(found, unixSocketId(inodeIn(target))) ?? objectOf(found, inetSocketId(inodeIn(target))) ?? objectOf(found, otherSocketId(inodeIn(target)));
    if (object === undefined) continue;
    if (entry.made?.object !== object) entry.made = { read: object.id, object, handle: { objectId: object.id, pid: process.pid, via: 'descriptor', fd, access: 'read-write' } };
    handles.push(entry.made.handle);
  }
  return handles;
}

function objectOf(found: readonly ReadonlyMap<string, IpcObject>[], id: string): IpcObject | undefined {
  for (const objects of found) {
    const object = objects.get(id);
    if (object) return object;
  }
  return undefined;
}

/** Inodes of all sockets that the tables list. */
function inodesOf(tables: readonly NamespaceSockets[]): Set<number> {
  const inodes = new Set<number>();
  for (const { unix, inet, other } of tables) for (const list of [unix, inet, other]) for (const { inode } of list) inodes.add(Number(inode));
  return inodes;
}

/** UNIX sockets that exist, as their protocol or a peer says, but are in no table; each with a namespace where it may be. */
function missedUnixSockets(tables: readonly NamespaceSockets[], listed: ReadonlySet<number>, holders: ReadonlyMap<number, readonly OpenDescriptor[]>, unlisted: ReadonlyMap<number, Result<string>>): Map<number, MissedSocket> {
  const missed = new Map<number, MissedSocket>();
  for (const [inode, protocol] of unlisted) {
    const namespace = holders.get(inode)?.[0]?.process.namespaces.net;
    if (namespace != null && protocol.value !== undefined && familyOfProtocol(protocol.value).family === 'unix') missed.set(inode, { namespace });
  }
  for (const { namespace, unix } of tables) {
    for (const { inode, peer } of unix) if (peer !== undefined && peer !== 0 && inode !== 0 && !listed.has(peer) && !missed.has(peer)) missed.set(peer, { namespace, namedBy: inode });
  }
  return missed;
}

function byInode(descriptors: readonly OpenDescriptor[], wanted: (inode: number) => boolean = () => true): Map<number, OpenDescriptor[]> {
  const found = new Map<number, OpenDescriptor[]>();
  for (const descriptor of descriptors) {
    const inode = Number(inodeIn(descriptor.target));
    if (!wanted(inode)) continue;
    const list = found.get(inode);
    if (list) list.push(descriptor);
    else found.set(inode, [descriptor]);
  }
  return found;
}
