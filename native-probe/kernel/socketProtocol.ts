// The protocol of a socket that no table lists: the attribute that every socket's inode carries (net/socket.c). Asked by
// getxattr(2) through /proc/PID/fd/N, which follows the link but opens nothing.
import { cString, syscall } from './libc';
import type { Result } from './procfs';
import { resourcesOf } from './standIns';

/** "TCP", "UNIX-STREAM", "NETLINK", "AF_VSOCK", …: the kernel's name of the protocol. One call of native code. */
export function socketProtocol(pid: number, fd: number): Result<string> {
  const value = Buffer.alloc(64);
  const { value: length, errno } = syscall('getxattr', cString(`${resourcesOf(pid)}/fd/${fd}`), cString('system.sockprotoname'), value, value.length);
  if (length === -1) return { errno };
  const end = value.indexOf(0);
  return { value: value.toString('latin1', 0, end < 0 || end > length ? length : end) };
}

/** Names of struct proto whose family does not follow from the name itself. */
const families: Readonly<Record<string, string>> = {
  'UNIX': 'unix', 'UNIX-STREAM': 'unix', 'NETLINK': 'netlink', 'PACKET': 'packet', 'AF_VSOCK': 'vsock', 'ALG': 'alg', 'XDP': 'xdp', 'KEY': 'key', 'TIPC': 'tipc',
  'RDS': 'rds', 'KCM': 'kcm', 'QIPCRTR': 'qipcrtr', 'PPPOE': 'pppox', 'PPPOL2TP': 'pppox', 'PPTP': 'pppox', 'CAN_RAW': 'can', 'CAN_BCM': 'can', 'CAN_ISOTP': 'can', 'CAN_J1939': 'can',
  'HCI': 'bluetooth', 'L2CAP': 'bluetooth', 'RFCOMM': 'bluetooth', 'SCO': 'bluetooth', 'BNEP': 'bluetooth', 'HIDP': 'bluetooth', 'SMC': 'smc', 'SMC6': 'smc', 'RXRPC': 'rxrpc',
};

/** Protocols of the Internet families: TCP, UDPv6, RAW, MPTCPv6, … */
const inet = /^(TCP|UDP|UDP-?LITE|RAW|PING|MPTCP|SCTP|DCCP|L2TP\/IP)(v6)?$/i;

/** Family and protocol behind such a name, in lower case; family undefined for a name that we do not know. */
export function familyOfProtocol(name: string): { readonly family?: string; readonly protocol: string } {
  const match = inet.exec(name);
  if (match?.[1]) return { family: match[2] === undefined ? 'inet' : 'inet6', protocol: match[1].toLowerCase().replace('udp-lite', 'udplite').replace('ping', 'icmp') };
  const family = Object.hasOwn(families, name) ? families[name] : undefined;
  return { ...(family === undefined ? {} : { family }), protocol: name.toLowerCase() };
}
