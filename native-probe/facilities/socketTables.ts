// The socket tables of every network namespace that some process lives in: by sock_diag(7) from within, where that is
// refused by /proc/PID/net from without. What neither tells is a gap.
import type { ScanContext } from '../context';
import { namespaceNumber } from '../context';
import { asRoot } from '../gaps';
import type { ScannedProcess } from '../processes';
import { inNetNamespaceOf } from '../kernel/namespaces';
import { closeNetlink } from '../kernel/netlink';
import type { Result } from '../kernel/procfs';
import { isGone, readLink } from '../kernel/procfs';
import { parseProcInet, parseProcNetlink, parseProcPacket, parseProcUnix, readProcNet } from '../kernel/procNet';
import type { OtherRecord } from '../kernel/procNet';
import { askForSockets } from './socketQuestions';
import type { AskedSockets } from './socketQuestions';
import { AF_INET, AF_INET6, askUnix, decodeUnix, dumpInet, dumpUnix, IPPROTO_TCP, IPPROTO_UDP, openSockDiag, unixInodeAt } from '../kernel/sockDiag';
import type { InetRecord, UnixRecord } from '../kernel/sockDiag';

/** The sockets of one network namespace. */
export interface NamespaceSockets {
  readonly namespace: string;
  /** Replaced when some are found that the dump had missed. */
  unix: readonly UnixRecord[];
  /** UNIX sockets come with their peers and queues: from sock_diag, not from /proc/net/unix. */
  readonly unixWithPeers: boolean;
  readonly inet: readonly InetRecord[];
  readonly other: readonly OtherRecord[];
}

/** What to ask sock_diag for, and the table of /proc/PID/net that tells nearly the same. */
const diagnosed = [
  { family: AF_INET, protocol: IPPROTO_TCP, name: 'tcp', table: 'tcp' }, { family: AF_INET6, protocol: IPPROTO_TCP, name: 'tcp', table: 'tcp6' },
  { family: AF_INET, protocol: IPPROTO_UDP, name: 'udp', table: 'udp' }, { family: AF_INET6, protocol: IPPROTO_UDP, name: 'udp', table: 'udp6' },
] as const;
/** Rare ones, for which kernels often lack sock_diag: always by /proc/PID/net. */
const listed = [
  { name: 'udplite', table: 'udplite' }, { name: 'udplite', table: 'udplite6' }, { name: 'raw', table: 'raw' }, { name: 'raw', table: 'raw6' }, { name: 'icmp', table: 'icmp' }, { name: 'icmp', table: 'icmp6' },
] as const;

/** Reads all of them, the own namespace first. */
export async function readSocketTables(context: ScanContext): Promise<NamespaceSockets[]> {
  const own = ownNetNamespace();
  const diag = openSockDiag();
  let asked: AskedSockets | undefined;
  if (!context.complete && diag.value !== undefined && own !== null) asked = await askForSockets(context, own, diag.value);
  const tables = [await readNamespace(context, own ?? 'unknown', 'self', diag, asked)];
  for (const [namespace, processes] of otherNamespaces(context, own)) {
    for (const process of processes) {
      const diag = inNetNamespaceOf(process.pid, openSockDiag);
      const socket = diag.value ?? diag;
      // Gone: another process of that namespace may still be there. Not even that: then the namespace is gone with them.
      if (isGone(socket.errno)) continue;
      tables.push(await readNamespace(context, namespace, process, socket));
      break;
    }
  }
  return tables;
}

/** The processes of each network namespace that is not ours. */
function otherNamespaces(context: ScanContext, own: string | null): Map<string, ScannedProcess[]> {
  const others = new Map<string, ScannedProcess[]>();
  for (const process of context.processes) {
    const namespace = process.namespaces.net;
    if (namespace === null || namespace === own) continue;
    const list = others.get(namespace);
    if (list) list.push(process);
    else others.set(namespace, [process]);
  }
  return others;
}

/** One namespace. `diag`: a sock_diag socket made in it (closed here), or why there is none. `asked`: what was asked for already, instead of all. */
async function readNamespace(context: ScanContext, namespace: string, process: ScannedProcess | 'self', diag: Result<number>, asked?: AskedSockets): Promise<NamespaceSockets> {
  if (asked && !asked.others) {
    if (diag.value !== undefined) closeNetlink(diag.value);
    return { namespace, unix: asked.unix, unixWithPeers: true, inet: [], other: [] };
  }
  const pid = process === 'self' ? 'self' : process.pid;
  const where = process === 'self' ? `the own network namespace (${namespace})` : `network namespace ${namespace} of pid ${process.pid} (${process.comm})`;
  const inet: InetRecord[] = [], other: OtherRecord[] = [];
  for (const { name, table } of listed) readInet(context, namespace, where, pid, name, table, inet);
  for (const table of ['netlink', 'packet'] as const) {
    const text = readProcNet(pid, table);
    if (text.value === undefined) context.gaps.failed({ facility: 'other-socket', namespace, field: table }, `cannot read the ${table} sockets of ${where}`, text.errno, asRoot);
    else other.push(...(table === 'netlink' ? parseProcNetlink(text.value) : parseProcPacket(text.value)));
    await context.pause();
  }
  if (diag.value === undefined) {
    context.gaps.failed({ facility: 'unix-socket', namespace, field: 'peer,rqueue,wqueue' }, `cannot enter ${where} to ask for its sockets: peers and queues of its UNIX sockets, and backlogs, stay unknown`, diag.errno, asRoot);
    for (const { name, table } of diagnosed) readInet(context, namespace, where, pid, name, table, inet);
    return { namespace, unix: readUnix(context, namespace, where, pid), unixWithPeers: false, inet, other };
  }
  const pause = (): Promise<void> => context.pause();
  try {
    for (const { family, protocol, name, table } of diagnosed) {
      const found = await dumpInet(diag.value, family, protocol, name, pause);
      // A kernel without INET_DIAG (or without IPv6) refuses: the tables in /proc tell nearly the same.
      if (found.value === undefined) readInet(context, namespace, where, pid, name, table, inet);
      else for (const record of found.value) inet.push(record); // never spread: there may be 100,000
    }
    if (asked) return { namespace, unix: asked.unix, unixWithPeers: true, inet, other };
    const unix = await dumpUnix(diag.value, pause, (bytes, start, end) => decodeOnce(context, bytes, start, end));
    if (unix.value) return { namespace, unix: unix.value, unixWithPeers: true, inet, other };
    context.gaps.failed({ facility: 'unix-socket', namespace, field: 'peer,rqueue,wqueue' }, `the kernel does not list the UNIX sockets of ${where} with their peers (UNIX_DIAG)`, unix.errno, 'load the kernel module unix_diag');
    return { namespace, unix: readUnix(context, namespace, where, pid), unixWithPeers: false, inet, other };
  } finally {
    closeNetlink(diag.value);
  }
}

/** An entry that reads as it did in the last pass is the record that was made of it then. */
function decodeOnce({ recollection: { unixSockets } }: ScanContext, bytes: Buffer, start: number, end: number): UnixRecord | undefined {
  if (end - start < 16) return undefined;
  const inode = unixInodeAt(bytes, start), text = bytes.toString('latin1', start, end);
  const known = inode === 0 ? undefined : unixSockets.get(inode);
  if (known?.text === text) return known.record;
  const record = decodeUnix(bytes, start, end);
  if (record !== undefined && inode !== 0) unixSockets.set(inode, { text, record });
  return record;
}

/** The kernel walks its whole table for each question: so many at most in a pass. */
const maxQuestions = 512;

/** A UNIX socket that a table should list; `namedBy`: the socket whose peer it is, where that is how we know of it. */
export interface MissedSocket { readonly namespace: string; readonly namedBy?: number }

/**
 * Asks for UNIX sockets one by one, and mends the tables with the answers. A dump goes on where it stopped by counting entries
 * (net/unix/diag.c): sockets that are closed meanwhile make it skip others. A peer that is not there was closed: then whoever
 * named it is asked again, and gone too or left without a peer.
 */
export async function askMissed(context: ScanContext, tables: readonly NamespaceSockets[], missed: ReadonlyMap<number, MissedSocket>): Promise<void> {
  const own = ownNetNamespace();
  let questions = 0;
  for (const table of tables) {
    const here = [...missed].filter(([, { namespace }]) => namespace === table.namespace);
    if (here.length === 0 || !table.unixWithPeers) continue;
    const process = context.processes.find(({ namespaces }) => namespaces.net === table.namespace);
    const opened = table.namespace === own ? openSockDiag() : process ? inNetNamespaceOf(process.pid, openSockDiag).value : undefined;
    if (opened?.value === undefined) continue; // gone meanwhile: what is unlisted stays so, with its gap
    /** undefined: gone. */
    const answers = new Map<number, UnixRecord | undefined>();
    try {
      for (const [inode, { namedBy }] of here) {
        for (const question of namedBy === undefined ? [inode] : [inode, namedBy]) {
          const answer = questions++ < maxQuestions && !answers.has(question) ? askUnix(opened.value, question).value : undefined;
          if (answer) answers.set(question, answer.entry);
          if (answer?.entry) break; // it is there: no need to ask the other
        }
        if (questions >= maxQuestions) break;
        await context.pause();
      }
    } finally {
      closeNetlink(opened.value);
    }
    table.unix = [...table.unix.filter(({ inode }) => !answers.has(inode)), ...[...answers.values()].filter(record => record !== undefined)];
  }
}

function ownNetNamespace(): string | null {
  return namespaceNumber(readLink('/proc/self/ns/net').value);
}

/** A table of Internet sockets from /proc/PID/net into `inet`. */
function readInet(context: ScanContext, namespace: string, where: string, pid: number | 'self', name: string, table: string, inet: InetRecord[]): void {
  const text = readProcNet(pid, table);
  if (text.value === undefined) {
    context.gaps.failed({ facility: 'inet-socket', namespace, field: table }, `cannot read the ${table} sockets of ${where}`, text.errno, asRoot);
    return;
  }
  for (const record of parseProcInet(text.value, name)) inet.push(record);
}

function readUnix(context: ScanContext, namespace: string, where: string, pid: number | 'self'): UnixRecord[] {
  const text = readProcNet(pid, 'unix');
  if (text.value !== undefined) return parseProcUnix(text.value);
  context.gaps.failed({ facility: 'unix-socket', namespace, field: 'list' }, `cannot read the UNIX sockets of ${where}`, text.errno, asRoot);
  return [];
}
