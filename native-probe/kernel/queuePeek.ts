// Looking into kernel queues without consuming: pipes by tee(2), sockets by MSG_PEEK, System V messages by MSG_COPY.
import { closeSync, readSync } from 'node:fs';
import { syscall } from './libc';
import type { Result } from './procfs';
import { readText } from './procfs';
import { IPC_NOWAIT } from './sysvipc';

const FIONREAD = 0x541b, F_SETPIPE_SZ = 1031, F_GETPIPE_SZ = 1032, SPLICE_F_NONBLOCK = 2, O_CLOEXEC = 0o2000000, O_NONBLOCK = 0o4000;
const MSG_PEEK = 2, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40, MSG_COPY = 0o40000;
const SOL_SOCKET = 1, SO_TYPE = 3, SO_ACCEPTCONN = 30, SO_PEEK_OFF = 42, POLLIN = 1, POLLERR = 8;
export const SOCK_STREAM = 1;

/** Bytes that can be read, by ioctl FIONREAD; from either end of a pipe. */
export function unreadBytes(fd: number): Result<number> {
  const buffer = Buffer.alloc(4);
  const { value, errno } = syscall('ioctl', fd, FIONREAD, buffer);
  return value === -1 ? { errno } : { value: buffer.readInt32LE(0) };
}

/** Capacity of a pipe in bytes. */
export function pipeCapacity(fd: number): Result<number> {
  const { value, errno } = syscall('fcntl', fd, F_GETPIPE_SZ, 0);
  return value === -1 ? { errno } : { value };
}

/** The first bytes in a pipe, from its read end: tee duplicates them into a pipe of our own. */
export function peekPipe(fd: number, length: number): Result<Buffer> {
  const ends = Buffer.alloc(8);
  const made = syscall('pipe2', ends, O_CLOEXEC | O_NONBLOCK);
  if (made.value === -1) return { errno: made.errno };
  const [readEnd, writeEnd] = [ends.readInt32LE(0), ends.readInt32LE(4)];
  try {
    // tee moves whole buffers' references: ours must have room for as many.
    syscall('fcntl', writeEnd, F_SETPIPE_SZ, Math.max(length, pipeCapacity(fd).value ?? 65536));
    const { value, errno } = syscall('tee', fd, writeEnd, BigInt(length), SPLICE_F_NONBLOCK);
    if (value === -1) return errno === 'EAGAIN' ? { value: Buffer.alloc(0) } : { errno };
    const bytes = Buffer.alloc(value);
    for (let done = 0; done < value;) done += readSync(readEnd, bytes, done, value - done, null);
    return { value: bytes };
  } finally {
    closeSync(readEnd);
    closeSync(writeEnd);
  }
}

function socketOption(fd: number, option: number): Result<number> {
  const value = Buffer.alloc(4);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(4);
  const got = syscall('getsockopt', fd, SOL_SOCKET, option, value, length);
  return got.value === -1 ? { errno: got.errno } : { value: value.readInt32LE(0) };
}

export type SocketPeek =
  | { readonly kind: 'data'; readonly type: number; readonly bytes: Buffer; readonly size: number }
  | { readonly kind: 'empty'; readonly type: number }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * What a read from a socket would give, without taking it. No control buffer is passed, so that passed descriptors are not installed in us;
 * refused where even a peek would change something: SO_PEEK_OFF set (it would move), or an error pending (it would be consumed).
 */
export function peekSocket(fd: number, length: number): Result<SocketPeek> {
  const type = socketOption(fd, SO_TYPE);
  if (type.value === undefined) return type;
  if (socketOption(fd, SO_ACCEPTCONN).value === 1) return { value: { kind: 'refused', reason: 'it listens: connections wait in it, not bytes' } };
  if ((socketOption(fd, SO_PEEK_OFF).value ?? -1) >= 0) return { value: { kind: 'refused', reason: 'it has SO_PEEK_OFF set: looking would move that offset' } };
  const poll = Buffer.alloc(8);
  poll.writeInt32LE(fd, 0);
  poll.writeInt16LE(POLLIN, 4);
  const polled = syscall('ppoll', poll, 1, Buffer.alloc(16), 0, 8);
  if (polled.value === -1) return { errno: polled.errno };
  const events = poll.readInt16LE(6);
  if ((events & POLLERR) !== 0) return { value: { kind: 'refused', reason: 'an error is pending on it: looking would consume it' } };
  if ((events & POLLIN) === 0) return { value: { kind: 'empty', type: type.value } };
  const bytes = Buffer.alloc(length);
  // MSG_TRUNC on a datagram tells its real size; on a stream it would not copy.
  const { value, errno } = syscall('recvfrom', fd, bytes, BigInt(length), MSG_PEEK | MSG_DONTWAIT | (type.value === SOCK_STREAM ? 0 : MSG_TRUNC), 0, 0);
  if (value === -1) return errno === 'EAGAIN' ? { value: { kind: 'empty', type: type.value } } : { errno };
  return { value: { kind: 'data', type: type.value, bytes: bytes.subarray(0, Math.min(value, length)), size: value } };
}

/** Message number `index` of a System V queue (msgrcv with MSG_COPY): nothing of the queue changes. ENOMSG past the last; ENOSYS without CONFIG_CHECKPOINT_RESTORE. */
export function copyMessage(msqid: number, index: number): Result<{ type: string; text: Buffer }> {
  const longest = Math.max(65536, Number(readText('/proc/sys/kernel/msgmax').value ?? 8192));
  const buffer = Buffer.alloc(8 + longest);
  const { value, errno } = syscall('msgrcv', msqid, buffer, BigInt(longest), BigInt(index), IPC_NOWAIT | MSG_COPY);
  return value === -1 ? { errno } : { value: { type: buffer.readBigInt64LE(0).toString(), text: Buffer.from(buffer.subarray(8, 8 + value)) } };
}
