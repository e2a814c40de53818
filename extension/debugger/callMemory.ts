// Which memory tells what a thread is blocked for: the arrays, sets, structures and time limits that a system call's arguments point to, the
// words around a futex, and the list of robust mutexes that glibc keeps for each thread. x86_64.
import type { ToldProcess } from '../../native-probe/protocol';

type ToldThread = ToldProcess['threads'][number];
export interface Range { readonly address: bigint; readonly length: number }

const pageBytes = 4096n;
/** No call's arguments are told beyond this many bytes: 2,048 descriptors of a poll. What is not told is not understood, and taken to go on. */
const most = 16 << 10;
/** More than any of the C library's structures has before and after the word that is waited on. */
const around = 64n;
const timespec = 16;

type Argument = (index: number) => bigint;
type Needs = (argument: Argument) => readonly Range[];

const at = (address: bigint, length: bigint | number): Range[] => address === 0n || length <= 0 || length > most ? [] : [{ address, length: Number(length) }];
const int = (value: bigint): bigint => value & 0xffffffffn;

/** Around the word, within its page: so that all of it can be read or none. */
function aroundWord(word: bigint): Range[] {
  const page = word / pageBytes * pageBytes;
  const start = word - around < page ? page : word - around;
  const end = word + around > page + pageBytes ? page + pageBytes : word + around;
  return at(start, end - start);
}

const sets = (argument: Argument): Range[] => [1, 2, 3].flatMap(index => at(argument(index), (int(argument(0)) + 63n) / 64n * 8n));
const F_SETLKW = 7n, F_OFD_SETLKW = 38n;

/** By number: asm/unistd_64.h. A call without a row needs its registers alone. */
const needs: ReadonlyMap<number, Needs> = new Map<number, Needs>([
  [7, argument => at(argument(0), argument(1) * 8n)], // poll: struct pollfd[]
  [271, argument => [...at(argument(0), argument(1) * 8n), ...at(argument(2), timespec)]], // ppoll
  [23, argument => [...sets(argument), ...at(argument(4), timespec)]], // select: fd_set, struct timeval
  [270, argument => [...sets(argument), ...at(argument(4), timespec), ...at(argument(5), 16)]], // pselect6: and where the mask is
  [441, argument => at(argument(3), timespec)], // epoll_pwait2
  [65, argument => at(argument(1), int(argument(2)) * 6n)], // semop: struct sembuf[]
  [220, argument => [...at(argument(1), int(argument(2)) * 6n), ...at(argument(3), timespec)]], // semtimedop
  [72, argument => int(argument(1)) === F_SETLKW || int(argument(1)) === F_OFD_SETLKW ? at(argument(2), 32) : []], // fcntl: struct flock
  [35, argument => at(argument(0), timespec)], // nanosleep
  [230, argument => at(argument(2), timespec)], // clock_nanosleep
  [128, argument => at(argument(2), timespec)], // rt_sigtimedwait
  [242, argument => at(argument(4), timespec)], // mq_timedsend
  [243, argument => at(argument(4), timespec)], // mq_timedreceive
  [42, argument => int(argument(2)) > 2n && int(argument(2)) <= 110n ? at(argument(1), int(argument(2))) : []], // connect: struct sockaddr
  [435, argument => at(argument(0), 8)], // clone3: struct clone_args
  [202, argument => [...aroundWord(argument(0)), ...at(argument(3), timespec)]], // futex
  [449, argument => int(argument(1)) <= 128n ? [...at(argument(0), int(argument(1)) * 24n), ...at(argument(3), timespec)] : []], // futex_waitv: struct futex_waitv[]
]);
const futex = 202;

/** The memory that the probe needs to understand a call. */
export function neededMemory({ number, arguments: given, stackPointer }: ToldThread): readonly Range[] {
  const ranges = needs.get(number)?.(index => BigInt(given[index] ?? '0x0')) ?? [];
  // Whoever calls syscall(2) by itself stands on the stack.
  return (number === futex ? [...ranges, ...at(BigInt(stackPointer), 8)] : ranges).flatMap(withinPages);
}

/** A range in pieces that lie within one page each. */
export function withinPages({ address, length }: Range): Range[] {
  const pieces: Range[] = [];
  for (let from = address; from < address + BigInt(length);) {
    const page = (from / pageBytes + 1n) * pageBytes;
    const to = page < address + BigInt(length) ? page : address + BigInt(length);
    pieces.push({ address: from, length: Number(to - from) });
    from = to;
  }
  return pieces;
}

/** Bytes at an address, which are noted to be told; undefined when they cannot be read. */
export type ReadBytes = (address: bigint, length: number) => Promise<Buffer | undefined>;

/** struct pthread (nptl/descr.h) on x86_64 since glibc 2.4: its TID, and 16 bytes behind it the head of its list. What does not fit is not told. */
const tidOffset = 0x2d0n, headOffset = 0x2e0n;
/** From a mutex's link in the list back to its beginning (struct __pthread_mutex_s): what the head says, too. */
const linkOffset = -32n;
/** A thread that holds more is told of so many. */
const mostHeld = 32;

/** Where a thread of glibc has its list of robust mutexes, and those that it holds; undefined where its descriptor does not look like one. */
export async function robustList(tid: number, descriptor: bigint, read: ReadBytes): Promise<bigint | undefined> {
  // It begins with its own address: by that the lock of a FILE names its owner.
  if (descriptor === 0n || (await read(descriptor, 8))?.readBigUInt64LE(0) !== descriptor) return undefined;
  const bytes = await read(descriptor + tidOffset, 40);
  const head = descriptor + headOffset;
  if (bytes?.readInt32LE(0) !== tid || bytes.readBigInt64LE(24) !== linkOffset) return undefined;
  let link = bytes.readBigUInt64LE(16) & ~1n;
  for (let held = 0; link !== head && link >= pageBytes && link < 1n << 47n && held < mostHeld; held++) {
    const mutex = await read(link + linkOffset, 40);
    if (!mutex) break;
    link = mutex.readBigUInt64LE(32) & ~1n;
  }
  return head;
}
