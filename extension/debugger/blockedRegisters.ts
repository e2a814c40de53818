// What a stopped thread is blocked in, from its registers and its code, where the kernel denies that to the probe. Pure. x86_64.
// A thread that is stopped inside of a system call keeps its arguments in registers, and the kernel has noted in rax that the call
// will be restarted (linux/errno.h: ERESTARTSYS and its like, which no call ever returns); the call's number stands in the code.
import type { ToldProcess } from '../../native-probe/protocol';
import type { DapVariable } from './dapAnswers';

type ToldThread = ToldProcess['threads'][number];

/** ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK. */
const restarts: ReadonlySet<bigint> = new Set([512n, 513n, 514n, 516n].map(errno => BigInt.asUintN(64, -errno)));
/** EINTR as a stop makes it in calls that are never restarted (signal(7)): semop, rt_sigtimedwait, epoll_wait, epoll_pwait, semtimedop, epoll_pwait2. */
const interrupted = BigInt.asUintN(64, -4n);
const neverRestarted: ReadonlySet<number> = new Set([65, 128, 220, 232, 281, 441]);
const names = ['rax', 'rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9', 'rsp', 'rip'] as const;
/** Not every debugger shows these: where the thread's descriptor is, and the number of its call. */
const further = ['fs_base', 'orig_rax'] as const;
export type Registers = Readonly<Record<typeof names[number], bigint> & Partial<Record<typeof further[number], bigint>>>;

/** The general purpose registers among an adapter's variables (`rdi` = `0x0000555555558088 ledger + 8`); undefined when one is missing. */
export function registersOf(variables: readonly DapVariable[]): Registers | undefined {
  const found = new Map(variables.flatMap(({ name, value }) => {
    const text = /^0x[0-9a-f]{1,16}(?![0-9a-f])/i.exec(value)?.[0];
    return text === undefined ? [] : [[name.replace(/^\$/, '').toLowerCase(), BigInt(text)] as const];
  }));
  const all = [...names, ...further].flatMap(name => {
    const value = found.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return names.every(name => found.has(name)) ? Object.fromEntries(all) as Registers : undefined;
}

/**
 * Registers of all threads by TID, as GDB prints them: `Thread 2 (Thread 0x7ffff7d8a6c0 (LWP 12346) "left"):`, then a line for each
 * (`rax            0xfffffffffffffe00  -512`).
 */
export function gdbRegisters(text: string): ReadonlyMap<number, Registers> {
  const threads = new Map<number, DapVariable[]>();
  let current: DapVariable[] | undefined;
  for (const line of text.split('\n', 100_000)) {
    // What follows is its name, which may be any text.
    const thread = /^Thread \d+ \((?:Thread 0x[0-9a-f]{1,16} \(LWP (\d{1,10})\)|(?:LWP|process) (\d{1,10})[ )])/.exec(line);
    if (thread) threads.set(Number(thread[1] ?? thread[2]), current = []);
    const [, name, value] = /^([a-z_0-9]{2,8}) +(0x[0-9a-f]{1,16})\b/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) current?.push({ name, value });
  }
  return new Map([...threads].flatMap(([tid, variables]) => {
    const registers = registersOf(variables);
    return registers ? [[tid, registers] as const] : [];
  }));
}

const syscallInstruction = Buffer.from([0x0f, 0x05]);
/** Bytes of code that tell the call: `mov $number,%eax`, a few others, and `syscall`. */
export const codeBytes = 28;

/** What glibc puts between the two, in hexadecimal: instructions that leave %eax alone. Anything else, and the number is not believed. */
const harmless = /^(?:4080f680|4531(?:d2|c0|c9)|31(?:d2|f6|ff)|b[aef].{8}|41b[89a].{8}|(?:4[1-9a-f])?89(?:[c-f][1-79a-f])|(?:48)?8b(?:(?:0c|14|1c|2c|34|3c)24|(?:4c|54|5c|6c|74|7c)24..)|4[4c]8b(?:[0-3][4c]24|[4-7][4c]24..))*$/;

/** The number that the code loads right before its `syscall`, which ends the bytes; undefined when that is not plain to see. */
export function loadedNumber(code: Buffer): number | undefined {
  const { length } = code;
  if (length < 7 || code[length - 2] !== 0x0f || code[length - 1] !== 0x05) return undefined;
  // xor %eax,%eax: the call that has number 0. Behind a REX prefix it would be of other registers.
  if (code.readUInt16BE(length - 4) === 0x31c0 && ((code[length - 5] ?? 0) & 0xf0) !== 0x40) return 0;
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
  const loaded = loadedNumber(code);
  // Where a debugger shows what the kernel has noted, that is the number; but the code must be that of a 64-bit call.
  const number = registers.orig_rax === undefined ? loaded : code.subarray(-2).equals(syscallInstruction) ? Number(registers.orig_rax) : undefined;
  if (number === undefined || number > 0xffff || !(restarts.has(registers.rax) || (registers.rax === interrupted && neverRestarted.has(number)))) return undefined;
  const { rdi, rsi, rdx, r10, r8, r9, rsp, rip } = registers;
  return { tid, number, arguments: [rdi, rsi, rdx, r10, r8, r9].map(hex), stackPointer: hex(rsp), programCounter: hex(rip) };
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

/** Bytes of GDB's `x/Nxb`: lines of `0x55555555518d <main+4>:	0x02	0x00 …`; undefined unless it is all of them, in order. */
export function gdbMemory(text: string, address: bigint, length: number): Buffer | undefined {
  const bytes: number[] = [];
  for (const [, at = '', line = ''] of text.matchAll(/^(0x[0-9a-f]{1,16})(?: <.{0,300}?>)?:((?:\t0x[0-9a-f]{2})+)$/gm)) {
    if (BigInt(at) !== address + BigInt(bytes.length)) return undefined;
    for (const byte of line.trim().split('\t')) bytes.push(Number(byte));
  }
  return bytes.length === length ? Buffer.from(bytes) : undefined;
}

/** Bytes of a DAP `readMemory` response; undefined unless it is all of them. */
export function dapMemory(answer: unknown, length: number): Buffer | undefined {
  const data: unknown = typeof answer === 'object' && answer !== null ? (answer as { data?: unknown }).data : undefined;
  if (typeof data !== 'string' || data.length > 8192) return undefined;
  const bytes = Buffer.from(data, 'base64');
  return bytes.length === length ? bytes : undefined;
}
