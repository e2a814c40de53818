// The only door to native code: system calls through libc's syscall(2), called by ffi-rs (5–10 µs each).
// Integers and buffers go in, an integer comes out; kernel structures are decoded from the buffers by the callers.
// Nothing that can block is called here, and no pointer leaves this file but as a number for a kernel structure.
import { constants } from 'node:os';
import { DataType, load, open } from 'ffi-rs';
import type { SyscallName } from './syscalls';
import { syscallNumber } from './syscalls';

const library = 'c';
let opened = false;

/** glibc's name, then musl's. dlopen of what the process already uses. */
const candidates = ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`];

function openLibc(): void {
  const failures: string[] = [];
  for (const path of candidates) {
    try {
      open({ library, path });
      opened = true;
      return;
    } catch (error) {
      failures.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`cannot open the C library (${failures.join('; ')})`);
}

/** Symbolic name of an errno: 13 → "EACCES"; "errno 999" where Node has no name for it. */
export function errnoName(errno: number): string {
  return errnoNames.get(errno) ?? `errno ${errno}`;
}
const errnoNames = new Map<number, string>();
for (const [name, number] of Object.entries(constants.errno)) if (!errnoNames.has(number)) errnoNames.set(number, name);

export interface SyscallResult {
  /** -1 on failure. Exact up to 2⁵³. */
  readonly value: number;
  /** Symbolic, "" on success. ENOSYS where this architecture lacks the call. */
  readonly errno: string;
}

/** One argument: an integer (bigint where it may pass 2³¹), or a buffer whose address is passed and which is filled in place. */
export type Argument = number | bigint | Buffer;

function typeOf(argument: Argument): DataType {
  if (typeof argument === 'bigint') return DataType.BigInt;
  if (typeof argument === 'number') return DataType.I64;
  return DataType.U8Array;
}

/** Makes one system call, by the kernel's own ABI (64-bit structures). Never throws for a failing call. */
export function syscall(name: SyscallName, ...args: Argument[]): SyscallResult {
  const number = syscallNumber(name);
  if (number === undefined) return { value: -1, errno: 'ENOSYS' };
  if (!opened) openLibc();
  const { value, errnoCode } = load<DataType.I64, true, false>({
    library, funcName: 'syscall', retType: DataType.I64, errno: true, runInNewThread: false,
    paramsType: [DataType.I64, ...args.map(typeOf)],
    paramsValue: [number, ...args],
  });
  return value === -1 ? { value, errno: errnoName(errnoCode) } : { value, errno: '' };
}

/** Types of the arguments of `syscall`, by how many integers follow the number of the call. */
const integers = Array.from({ length: 7 }, (_, count) => Array<DataType.I64>(count + 1).fill(DataType.I64));

/**
 * A system call that only asks, of integers alone. To bring errno along makes a call half as dear again, so that it is made
 * without, and once more with it where it failed: never for a call that changes something.
 */
export function query(name: SyscallName, ...args: number[]): SyscallResult {
  const number = syscallNumber(name);
  if (number === undefined) return { value: -1, errno: 'ENOSYS' };
  if (!opened) openLibc();
  const value = load<DataType.I64, false, false>({
    library, funcName: 'syscall', retType: DataType.I64, errno: false, runInNewThread: false,
    paramsType: integers[args.length] ?? [], paramsValue: [number, ...args],
  });
  return value === -1 ? syscall(name, ...args) : { value, errno: '' };
}

/** A C string for an argument: NUL-terminated bytes. */
export function cString(text: string | Buffer): Buffer {
  return Buffer.concat([typeof text === 'string' ? Buffer.from(text) : text, Buffer.of(0)]);
}

/** Where a buffer lies, for kernel structures that point to another one. True as long as the buffer is alive: it is not on V8's heap, and never moves. */
export function addressOf(buffer: Buffer): bigint {
  if (!opened) openLibc();
  // memcpy(3) of nothing returns its first argument.
  const address = load<DataType.BigInt, false, false>({
    library, funcName: 'memcpy', retType: DataType.BigInt, paramsType: [DataType.U8Array, DataType.U8Array, DataType.I64], paramsValue: [buffer, buffer, 0],
  });
  return BigInt.asUintN(64, BigInt(address.toString()));
}
