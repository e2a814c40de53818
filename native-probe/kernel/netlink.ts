// Netlink (netlink(7)): one request that dumps a table, and the pure decoding of what the kernel answers with.
// Host byte order is little-endian on every architecture that syscalls.ts knows.
import { closeSync } from 'node:fs';
import { errnoName, syscall } from './libc';
import type { Result } from './procfs';

const AF_NETLINK = 16, SOCK_RAW = 3, SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40, MSG_TRUNC = 0x20;
const NLM_F_REQUEST = 1, NLM_F_DUMP_INTR = 0x10, NLM_F_DUMP = 0x300;
const NLMSG_NOOP = 1, NLMSG_ERROR = 2, NLMSG_DONE = 3;
const headerLength = 16;
/** Bytes of struct sockaddr_nl. */
const addressLength = 12;

/** One message: its header, and where its payload lies in the buffer. */
export interface NetlinkMessage { readonly type: number; readonly flags: number; readonly sequence: number; readonly start: number; readonly end: number }

/** The messages in a datagram. A length that cannot be (shorter than the header, beyond the end) ends it and is told as `torn`. */
export function netlinkMessages(bytes: Buffer): { readonly messages: NetlinkMessage[]; readonly torn: boolean } {
  const messages: NetlinkMessage[] = [];
  let at = 0;
  while (at + headerLength <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    if (length < headerLength || at + length > bytes.length) return { messages, torn: true };
    messages.push({ type: bytes.readUInt16LE(at + 4), flags: bytes.readUInt16LE(at + 6), sequence: bytes.readUInt32LE(at + 8), start: at + headerLength, end: at + length });
    at += (length + 3) & ~3;
  }
  return { messages, torn: at < bytes.length };
}

/** Visits the attributes (struct nlattr) between two offsets: number, start and end of the value. Stops at a length that cannot be. */
export function eachAttribute(bytes: Buffer, start: number, end: number, visit: (type: number, from: number, to: number) => void): void {
  let at = start;
  while (at + 4 <= end) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > end) return;
    visit(bytes.readUInt16LE(at + 2) & 0x3fff, at + 4, at + length); // the two high bits are flags
    at += (length + 3) & ~3;
  }
}

/** A request: header and payload. NLM_F_DUMP asks for a whole table. */
function requestOf(type: number, flags: number, sequence: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(headerLength);
  header.writeUInt32LE(headerLength + payload.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(NLM_F_REQUEST | flags, 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, payload]);
}

/** What a datagram of a running dump says: `done` at its end, `errno` when the kernel refuses, `interrupted` when the table changed under it. */
export interface DumpProgress { readonly done: boolean; readonly interrupted: boolean; readonly errno?: string }

/** Feeds the payloads of one datagram of a dump to `entry`. Answers to other requests are passed over. */
export function readDump(bytes: Buffer, sequence: number, entry: (bytes: Buffer, start: number, end: number) => void): DumpProgress {
  const { messages, torn } = netlinkMessages(bytes);
  let interrupted = false;
  for (const message of messages) {
    if (message.sequence !== sequence) continue;
    if ((message.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
    if (message.type === NLMSG_NOOP) continue;
    if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
      // Both carry a negative errno; a DONE without one is a success.
      const code = message.end - message.start >= 4 ? bytes.readInt32LE(message.start) : 0;
      return code < 0 ? { done: true, interrupted, errno: errnoName(-code) } : { done: true, interrupted };
    }
    entry(bytes, message.start, message.end);
  }
  return torn ? { done: true, interrupted, errno: 'EBADMSG' } : { done: false, interrupted };
}

/** Opens a netlink socket. It belongs for ever to the network namespace in which it was made. */
export function openNetlink(protocol: number): Result<number> {
  const { value, errno } = syscall('socket', AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  return value === -1 ? { errno } : { value };
}

export function closeNetlink(fd: number): void {
  closeSync(fd);
}

/** The kernel never answers with more than 32 KiB in one datagram (netlink_dump, net/netlink/af_netlink.c). */
const received = Buffer.allocUnsafe(1 << 16);
/** 100,000 sockets are some 400 datagrams. */
const maxDatagrams = 100_000;
const maxAttempts = 4;
let lastSequence = 0;

/**
 * Dumps a table through an open netlink socket. `decode` makes a record of one entry, or nothing of what it cannot read.
 * The kernel fills each datagram when it is asked for, so receiving never waits; `pause` is called between datagrams.
 * A table that changed under the dump is read again, a few times at most.
 */
export async function dump<T>(fd: number, type: number, payload: Buffer, decode: (bytes: Buffer, start: number, end: number) => T | undefined, pause: () => Promise<void>): Promise<Result<T[]>> {
  for (let attempt = 1; ; attempt++) {
    const entries: T[] = [];
    const sent = send(fd, type, NLM_F_DUMP, payload);
    if (sent.value === undefined) return sent;
    const sequence = sent.value;
    let interrupted = false;
    for (let count = 0; ; count++) {
      if (count === maxDatagrams) return { errno: 'EOVERFLOW' };
      const datagram = receive(fd);
      if (datagram.value === undefined) return datagram;
      // The buffer is shared: it is decoded before anything else may run.
      const progress = readDump(datagram.value, sequence, (bytes, start, end) => {
        const entry = decode(bytes, start, end);
        if (entry !== undefined) entries.push(entry);
      });
      interrupted ||= progress.interrupted;
      if (progress.errno !== undefined) return { errno: progress.errno };
      if (progress.done) break;
      await pause();
    }
    if (!interrupted || attempt === maxAttempts) return { value: entries };
  }
}

/** Asks for one entry. `undefined` in the value: the kernel has none such (ENOENT). Never waits. */
export function ask<T>(fd: number, type: number, payload: Buffer, decode: (bytes: Buffer, start: number, end: number) => T | undefined): Result<{ readonly entry: T | undefined }> {
  const sent = send(fd, type, 0, payload);
  if (sent.value === undefined) return sent;
  for (let count = 0; count < 100; count++) {
    const datagram = receive(fd);
    if (datagram.value === undefined) return datagram;
    let entry: T | undefined, answered = false;
    const progress = readDump(datagram.value, sent.value, (bytes, start, end) => { answered = true; entry = decode(bytes, start, end); });
    if (progress.errno === 'ENOENT') return { value: { entry: undefined } };
    if (progress.errno !== undefined) return { errno: progress.errno };
    if (answered || progress.done) return { value: { entry } };
  }
  return { errno: 'EBADMSG' };
}

/** Sends a request to the kernel; its sequence number, by which the answer is known. */
function send(fd: number, type: number, flags: number, payload: Buffer): Result<number> {
  const sequence = lastSequence = (lastSequence % 0x7fffffff) + 1;
  const { value, errno } = syscall('sendto', fd, requestOf(type, flags, sequence, payload), headerLength + payload.length, 0, kernelAddress(), addressLength);
  return value === -1 ? { errno } : { value: sequence };
}

function kernelAddress(): Buffer {
  const address = Buffer.alloc(addressLength);
  address.writeUInt16LE(AF_NETLINK, 0);
  return address;
}

/** The next datagram from the kernel; those of others (they would need CAP_NET_ADMIN) are passed over. */
function receive(fd: number): Result<Buffer> {
  const from = Buffer.alloc(addressLength), fromLength = Buffer.alloc(4);
  for (let attempt = 0; attempt < 100; attempt++) {
    fromLength.writeUInt32LE(addressLength, 0);
    const got = syscall('recvfrom', fd, received, received.length, MSG_DONTWAIT | MSG_TRUNC, from, fromLength);
    if (got.value === -1) {
      if (got.errno === 'EINTR') continue;
      return { errno: got.errno };
    }
    if (got.value > received.length) return { errno: 'EMSGSIZE' };
    if (got.value === 0) return { errno: 'EBADMSG' };
    if (from.readUInt32LE(4) === 0) return { value: received.subarray(0, got.value) };
  }
  return { errno: 'EAGAIN' };
}
