// Time limits that belong to a descriptor and not to a call: SO_RCVTIMEO and SO_SNDTIMEO (socket(7)), VTIME of a terminal (termios(3)).
// They are asked of a borrowed descriptor.
import { syscall } from './libc';
import type { Result } from './procfs';

const SOL_SOCKET = 1, SO_RCVTIMEO = 20, SO_SNDTIMEO = 21;
const TCGETS = 0x5401, ICANON = 0x2, VTIME = 5;

/** A limit in nanoseconds; 0n: none. */
export type TimeLimit = bigint;

/** How long a receive (or accept) or a send (or connect) on a socket may block. */
export function socketTimeLimit(fd: number, direction: 'input' | 'output'): Result<TimeLimit> {
  // struct timeval of a 64-bit ABI.
  const value = Buffer.alloc(16);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(value.length);
  const got = syscall('getsockopt', fd, SOL_SOCKET, direction === 'input' ? SO_RCVTIMEO : SO_SNDTIMEO, value, length);
  if (got.value === -1) return { errno: got.errno };
  return { value: value.readBigInt64LE(0) * 1_000_000_000n + value.readBigInt64LE(8) * 1000n };
}

/** How long a read from a terminal may block: VTIME counts, in tenths of a second, where lines are not edited (man 3 termios). */
export function terminalTimeLimit(fd: number): Result<TimeLimit> {
  // struct termios (asm-generic/termbits.h): four flag words, c_line, c_cc[19].
  const termios = Buffer.alloc(64);
  const got = syscall('ioctl', fd, TCGETS, termios);
  if (got.value === -1) return { errno: got.errno };
  return { value: terminalLimitOf(termios) };
}

/** The limit that a `struct termios` of TCGETS sets. */
export function terminalLimitOf(termios: Buffer): TimeLimit {
  const edited = (termios.readUInt32LE(12) & ICANON) !== 0;
  return edited ? 0n : BigInt(termios.readUInt8(17 + VTIME)) * 100_000_000n;
}
