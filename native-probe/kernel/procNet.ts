// The socket tables below /proc/PID/net (proc_net(5)): they show the network namespace of that process without entering it,
// and the families that sock_diag(7) does not tell everywhere. They know neither UNIX peers nor, for UNIX, queues.
import type { Result } from './procfs';
import { readText, textOf } from './procfs';
import type { Endpoint, InetRecord, UnixRecord } from './sockDiag';
import { TCP_CLOSE, TCP_ESTABLISHED, TCP_LISTEN } from './sockDiag';
import { ipv4Text, ipv6Text, isAnyAddress } from './inetAddress';
import { resourcesOf } from './standIns';

const netOf = (pid: number | 'self'): string => `${pid === 'self' ? '/proc/self' : resourcesOf(pid)}/net`;

/** A table of a process's network namespace as Latin-1 text; a protocol that this kernel has not is an empty table. */
export function readProcNet(pid: number | 'self', table: string): Result<string> {
  const text = readText(`${netOf(pid)}/${table}`);
  // The process itself gone answers likewise: its namespace directory tells the two apart.
  return text.errno === 'ENOENT' && readText(`${netOf(pid)}/dev`).value !== undefined ? { value: '' } : text;
}

/** __SO_ACCEPTCON (include/linux/net.h): a listener. */
const acceptsConnections = 0x10000;
/** SS_CONNECTED (include/uapi/linux/net.h). */
const SS_CONNECTED = 3;
const unixLine = /^[0-9a-f]+: [0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) ([0-9a-f]{4}) ([0-9a-f]{2}) +(\d+)(?: (.+))?$/is;

/**
 * /proc/net/unix. The kernel writes names as they are, newlines too: a hostile name can look like more lines. An inode that
 * occurs twice is therefore believed in neither place.
 */
export function parseProcUnix(text: string): UnixRecord[] {
  const records = new Map<number, UnixRecord | undefined>();
  for (const line of text.split('\n')) {
    const match = unixLine.exec(line);
    if (!match) continue;
    const [, flags = '', type = '', state = '', number = '', path] = match;
    const inode = Number(number);
    if (inode === 0 || !Number.isSafeInteger(inode)) continue;
    records.set(inode, records.has(inode) ? undefined : {
      inode, type: parseInt(type, 16),
      state: (parseInt(flags, 16) & acceptsConnections) !== 0 ? TCP_LISTEN : parseInt(state, 16) === SS_CONNECTED ? TCP_ESTABLISHED : TCP_CLOSE,
      ...(path === undefined ? {} : { name: textOf(path) }),
    });
  }
  return [...records.values()].filter(record => record !== undefined);
}

/** An address as /proc/net/tcp writes it: words of the host's byte order in hexadecimal, a colon, the port. */
function endpoint(text: string): Endpoint | undefined {
  const match = /^((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4})$/i.exec(text);
  if (!match?.[1] || !match[2] || (match[1].length !== 8 && match[1].length !== 32)) return undefined;
  const bytes = Buffer.from(match[1], 'hex').swap32();
  return { address: bytes.length === 4 ? ipv4Text(bytes) : ipv6Text(bytes), port: parseInt(match[2], 16) };
}

/** /proc/net/{tcp,udp,udplite,raw,icmp}, and the same with a 6. */
export function parseProcInet(text: string, protocol: string): InetRecord[] {
  const records: InetRecord[] = [];
  for (const line of text.split('\n')) {
    const [, localText = '', remoteText = '', state = '', queues = '', , , , , inode = ''] = line.trim().split(/\s+/);
    const [local, remote] = [endpoint(localText), endpoint(remoteText)];
    const lengths = /^([0-9A-F]{8}):([0-9A-F]{8})$/i.exec(queues);
    if (!local || !remote || !lengths?.[1] || !lengths[2] || !/^[0-9A-F]{2}$/i.test(state) || !/^\d{1,10}$/.test(inode)) continue;
    const listens = parseInt(state, 16) === TCP_LISTEN;
    records.push({
      inode: Number(inode), protocol, state: parseInt(state, 16), local,
      ...(remote.port === 0 && isAnyAddress(remote.address) ? {} : { remote }),
      rqueue: parseInt(lengths[2], 16), ...(listens ? {} : { wqueue: parseInt(lengths[1], 16) }), // a listener's limit is not told here
    });
  }
  return records;
}

/** A socket of which only the family and its protocol are known. */
export interface OtherRecord { readonly inode: number; readonly family: string; readonly protocol?: string }

/** NETLINK_* (include/uapi/linux/netlink.h). */
const netlinkProtocols: Readonly<Record<number, string>> = {
  0: 'route', 2: 'usersock', 3: 'firewall', 4: 'sock_diag', 5: 'nflog', 6: 'xfrm', 7: 'selinux', 8: 'iscsi', 9: 'audit', 10: 'fib_lookup', 11: 'connector', 12: 'netfilter',
  13: 'ip6_fw', 14: 'dnrtmsg', 15: 'kobject_uevent', 16: 'generic', 18: 'scsitransport', 19: 'ecryptfs', 20: 'rdma', 21: 'crypto', 22: 'smc',
};

/** /proc/net/netlink. The kernel's own sockets (port 0) belong to no process: left out. */
export function parseProcNetlink(text: string): OtherRecord[] {
  const records: OtherRecord[] = [];
  for (const line of text.split('\n')) {
    const [, protocol = '', port = '0', , , , , , , inode = ''] = line.trim().split(/\s+/);
    if (!/^\d{1,3}$/.test(protocol) || !/^\d{1,10}$/.test(inode) || inode === '0' || port === '0') continue;
    records.push({ inode: Number(inode), family: 'netlink', protocol: netlinkProtocols[Number(protocol)] ?? protocol });
  }
  return records;
}

/** /proc/net/packet; the protocol is an Ethernet type, "0x0003" for all of them. */
export function parseProcPacket(text: string): OtherRecord[] {
  const records: OtherRecord[] = [];
  for (const line of text.split('\n')) {
    const [, , type = '', protocol = '', , , , , inode = ''] = line.trim().split(/\s+/);
    if (!/^\d+$/.test(type) || !/^[0-9a-f]{4}$/i.test(protocol) || !/^\d{1,10}$/.test(inode) || inode === '0') continue;
    records.push({ inode: Number(inode), family: 'packet', protocol: `0x${protocol.toLowerCase()}` });
  }
  return records;
}
