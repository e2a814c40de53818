// What a stopped thread is blocked in, from its registers and its code, where the kernel denies that to the probe. Pure. x86_64.
// A thread that is stopped inside of a system call keeps its arguments in registers, and the kernel has noted in rax that the call
// will be restarted (linux/errno.h: ERESTARTSYS and its like, which no call ever returns); the call's number stands in the code.
import type { ToldProcess } from '../../native-probe/protocol';
import type { DapVariable } from './dapAnswers';

type ToldThread = ToldProcess['threads'][number];

/** ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK. */
const restarts: ReadonlySet<bigint> = new Set([512n, 513n, 514n, 516n].map(errno => BigInt.asUintN(64, -errno)));
const names = ['rax', 'rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9', 'rsp', 'rip'] as const;
export type Registers = Readonly<Record<typeof names[number], bigint>>;

/** The general purpose registers among an adapter's variables (`rdi` = `0x0000555555558088 ledger + 8`); undefined when one is missing. */
export function registersOf(variables: readonly DapVariable[]): Registers | undefined {
  const found = new Map(variables.flatMap(({ name, value }) => {
    const text = /^0x[0-9a-f]{1,16}(?![0-9a-f])/i.exec(value)?.[0];
    return text === undefined ? [] : [[name.replace(/^\$/, '').toLowerCase(), BigInt(text)] as const];
  }));
  const all = names.flatMap(name => {
    const value = found.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return all.length === names.length ? Object.fromEntries(all) as Record<typeof names[number], bigint> : undefined;
}

/** Bytes of code that tell the call: `mov $number,%eax`, a few others, and `syscall`. */
export const codeBytes = 28;

/** What glibc puts between the two, in hexadecimal: instructions that leave %eax alone. Anything else, and the number is not believed. */
const harmless = /^(?:4080f680|4531(?:d2|c0|c9)|31(?:d2|f6|ff)|b[aef].{8}|41b[89a].{8}|(?:4[1-9a-f])?89(?:[c-f][1-79a-f]))*$/;

/** The number that the code loads right before its `syscall`, which ends the bytes; undefined when that is not plain to see. */
export function loadedNumber(code: Buffer): number | undefined {
  const { length } = code;
  if (length < 7 || code[length - 2] !== 0x0f || code[length - 1] !== 0x05) return undefined;
  for (let at = length - 7; at >= 0; at--) {
    // Behind a REX prefix it loads another register.
    if (code[at] !== 0xb8 || (at > 0 && ((code[at - 1] ?? 0) & 0xf0) === 0x40) || !harmless.test(code.subarray(at + 5, length - 2).toString('hex'))) continue;
    return code.readUInt32LE(at + 1);
  }
  return undefined;
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** The call that a thread is blocked in; undefined when it is in none, or its number does not stand in the code right before. */
export function blockedCall(tid: number, registers: Registers, code: Buffer): ToldThread | undefined {
  const number = loadedNumber(code);
  if (!restarts.has(registers.rax) || number === undefined || number > 0xffff) return undefined;
  const { rdi, rsi, rdx, r10, r8, r9, rsp, rip } = registers;
  return { tid, number, arguments: [rdi, rsi, rdx, r10, r8, r9].map(hex), stackPointer: hex(rsp), programCounter: hex(rip) };
}

/** futex(2) on x86_64. */
const futex = 202;
/** More than any of the C library's structures has before and after the word that is waited on. */
const around = 64n;
const pageBytes = 4096n;

/** The memory that the probe needs to understand a call: what lies around a futex word, and its time limit. Within a page each, so that all of it can be read or none. */
export function neededMemory({ number, arguments: [word = '0x0', , , limit = '0x0'] }: ToldThread): readonly { readonly address: bigint; readonly length: number }[] {
  if (number !== futex) return [];
  const address = BigInt(word);
  const page = address / pageBytes * pageBytes;
  const start = address - around < page ? page : address - around;
  const end = address + around > page + pageBytes ? page + pageBytes : address + around;
  const timeout = BigInt(limit);
  return [{ address: start, length: Number(end - start) }, ...(timeout === 0n || timeout % pageBytes > pageBytes - 16n ? [] : [{ address: timeout, length: 16 }])];
}

/** Bytes of LLDB's `memory read --format x --size 1`: lines of `0xADDRESS: 0x02 0x00 …`; undefined unless it is all of them, in order. */
export function lldbMemory(text: string, address: bigint, length: number): Buffer | undefined {
  const bytes: number[] = [];
  for (const [, at = '', line = ''] of text.matchAll(/^(0x[0-9a-f]{1,16}):((?: 0x[0-9a-f]{2})+)$/gm)) {
    if (BigInt(at) !== address + BigInt(bytes.length)) return undefined;
    for (const byte of line.trim().split(' ')) bytes.push(Number(byte));
  }
  return bytes.length === length ? Buffer.from(bytes) : undefined;
}

/** Bytes of a DAP `readMemory` response; undefined unless it is all of them. */
export function dapMemory(answer: unknown, length: number): Buffer | undefined {
  const data: unknown = typeof answer === 'object' && answer !== null ? (answer as { data?: unknown }).data : undefined;
  if (typeof data !== 'string' || data.length > 4096) return undefined;
  const bytes = Buffer.from(data, 'base64');
  return bytes.length === length ? bytes : undefined;
}
