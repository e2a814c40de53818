// The sockets of a network namespace as the kernel lists them (sock_diag(7)): UNIX_DIAG and INET_DIAG, decoded purely.
import { ask, dump, eachAttribute, openNetlink } from './netlink';
import type { Result } from './procfs';
import { displayText } from './text';
import { ipv4Text, ipv6Text, isAnyAddress } from './inetAddress';

const NETLINK_SOCK_DIAG = 4, SOCK_DIAG_BY_FAMILY = 20;
export const AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10;
export const IPPROTO_TCP = 6, IPPROTO_UDP = 17, IPPROTO_UDPLITE = 136;

// include/uapi/linux/unix_diag.h
const UDIAG_SHOW_NAME = 1, UDIAG_SHOW_PEER = 4, UDIAG_SHOW_ICONS = 8, UDIAG_SHOW_RQLEN = 0x10;
const UNIX_DIAG_NAME = 0, UNIX_DIAG_PEER = 2, UNIX_DIAG_ICONS = 3, UNIX_DIAG_RQLEN = 4, UNIX_DIAG_SHUTDOWN = 6;

/** include/net/tcp_states.h; UNIX and UDP sockets use ESTABLISHED, CLOSE and LISTEN of them. */
export const TCP_ESTABLISHED = 1, TCP_TIME_WAIT = 6, TCP_CLOSE = 7, TCP_LISTEN = 10;

/** One UNIX domain socket. Inode 0: accepted by nobody yet, or closed by its last holder. */
export interface UnixRecord {
  readonly inode: number;
  /** SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_SEQPACKET 5. */
  readonly type: number;
  readonly state: number;
  /** Display text; abstract names begin with "@", and a path that does so by chance with "./@". Absent when unnamed. */
  readonly name?: string;
  /** Inode of the connected socket; 0: one that no process has (any more, or yet). Absent when not connected. */
  readonly peer?: number;
  /** Of a listener: the inodes of those whose connections wait in its backlog. */
  readonly pending?: readonly number[];
  /** Absent where the table does not tell (/proc/net/unix). */
  readonly rqueue?: number;
  readonly wqueue?: number;
  /** RCV_SHUTDOWN 1, SEND_SHUTDOWN 2. */
  readonly shutdown?: number;
}

export interface Endpoint { readonly address: string; readonly port: number }
/** One Internet domain socket. Inode 0: no process has it (TIME_WAIT, closing, not yet accepted). */
export interface InetRecord {
  readonly inode: number;
  /** tcp, udp, udplite, raw, icmp. */
  readonly protocol: string;
  readonly state: number;
  readonly local: Endpoint;
  /** Absent when it is not connected. */
  readonly remote?: Endpoint;
  /** Of a listener: connections not yet accepted. */
  readonly rqueue: number;
  /** Of a listener: the limit of those; absent where the table does not tell. */
  readonly wqueue?: number;
}

/** The name a UNIX socket is bound to (unix(7)), of the bytes of sun_path. */
export function unixName(path: Uint8Array): string | undefined {
  if (path.length === 0) return undefined;
  if (path[0] === 0) return `@${displayText(path.subarray(1))}`;
  const end = path.indexOf(0);
  const text = displayText(end < 0 ? path : path.subarray(0, end));
  return text.startsWith('@') ? `./${text}` : text;
}

/** One entry of UNIX_DIAG: struct unix_diag_msg and its attributes. */
export function decodeUnix(bytes: Buffer, start: number, end: number): UnixRecord | undefined {
  if (end - start < 16 || bytes[start] !== AF_UNIX) return undefined;
  const record: { -readonly [K in keyof UnixRecord]: UnixRecord[K] } = { type: bytes[start + 1] ?? 0, state: bytes[start + 2] ?? 0, inode: bytes.readUInt32LE(start + 4) };
  eachAttribute(bytes, start + 16, end, (type, from, to) => {
    const length = to - from;
    if (type === UNIX_DIAG_NAME) {
      const name = unixName(bytes.subarray(from, to));
      if (name !== undefined) record.name = name;
    } else if (type === UNIX_DIAG_PEER && length >= 4) record.peer = bytes.readUInt32LE(from);
    else if (type === UNIX_DIAG_ICONS) {
      const pending: number[] = [];
      for (let at = from; at + 4 <= to; at += 4) pending.push(bytes.readUInt32LE(at));
      record.pending = pending;
    } else if (type === UNIX_DIAG_RQLEN && length >= 8) {
      record.rqueue = bytes.readUInt32LE(from);
      record.wqueue = bytes.readUInt32LE(from + 4);
    } else if (type === UNIX_DIAG_SHUTDOWN && length >= 1) record.shutdown = bytes[from] ?? 0;
  });
  return record;
}

/** One entry of INET_DIAG: struct inet_diag_msg. */
export function decodeInet(protocol: string, bytes: Buffer, start: number, end: number): InetRecord | undefined {
  const family = bytes[start];
  if (end - start < 72 || (family !== AF_INET && family !== AF_INET6)) return undefined;
  const address = (at: number): string => family === AF_INET ? ipv4Text(bytes, at) : ipv6Text(bytes, at);
  const local = { address: address(start + 8), port: bytes.readUInt16BE(start + 4) };
  const remote = { address: address(start + 24), port: bytes.readUInt16BE(start + 6) };
  return {
    inode: bytes.readUInt32LE(start + 68), protocol, state: bytes[start + 1] ?? 0, local,
    ...(remote.port === 0 && isAnyAddress(remote.address) ? {} : { remote }),
    rqueue: bytes.readUInt32LE(start + 56), wqueue: bytes.readUInt32LE(start + 60),
  };
}

/** struct unix_diag_req: for all sockets of the namespace, or for one. */
function unixRequest(inode = 0): Buffer {
  const request = Buffer.alloc(24);
  request[0] = AF_UNIX;
  request.writeUInt32LE(0xffffffff, 4);
  request.writeUInt32LE(inode >>> 0, 8);
  request.writeUInt32LE(UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN, 12);
  request.fill(0xff, 16); // INET_DIAG_NOCOOKIE: whichever socket has that inode now
  return request;
}

/** struct inet_diag_req_v2 for all sockets but those in TIME_WAIT: nobody has them any more, and a busy server keeps many thousands. */
function inetRequest(family: number, protocol: number): Buffer {
  const request = Buffer.alloc(56);
  request[0] = family;
  request[1] = protocol;
  request.writeUInt32LE((0xffffffff & ~(1 << TCP_TIME_WAIT)) >>> 0, 4);
  return request;
}

/** Opens the socket to ask the calling thread's network namespace by; it goes on asking that one wherever it is used. */
export function openSockDiag(): Result<number> {
  return openNetlink(NETLINK_SOCK_DIAG);
}

/** `decode`: {@link decodeUnix}, or something that gives the same, faster. */
export function dumpUnix(fd: number, pause: () => Promise<void>, decode = decodeUnix): Promise<Result<UnixRecord[]>> {
  return dump(fd, SOCK_DIAG_BY_FAMILY, unixRequest(), decode, pause);
}

/** Inode of an entry of UNIX_DIAG that is long enough to have one. */
export function unixInodeAt(bytes: Buffer, start: number): number {
  return bytes.readUInt32LE(start + 4);
}

/** One UNIX socket by its inode (below 2³²); no entry when this namespace has none such. The kernel walks its whole table for it. */
export function askUnix(fd: number, inode: number): Result<{ readonly entry: UnixRecord | undefined }> {
  return ask(fd, SOCK_DIAG_BY_FAMILY, unixRequest(inode), decodeUnix);
}

export function dumpInet(fd: number, family: number, protocol: number, name: string, pause: () => Promise<void>): Promise<Result<InetRecord[]>> {
  return dump(fd, SOCK_DIAG_BY_FAMILY, inetRequest(family, protocol), (bytes, start, end) => decodeInet(name, bytes, start, end), pause);
}
