// Threads of 32-bit processes: their system call lines show the numbers of another table (i386, arm) without saying so.
import type { SyscallLine } from '../../kernel/threads';
import type { ScannedProcess } from '../../processes';
import type { WaitScene } from './scene';

/** Above what 32 bits address. A 64-bit process has its stack far beyond. */
const beyond32Bits = 1n << 32n;

/** Whether a blocked thread's stack pointer and program counter both lie where only a 32-bit process has them. */
export function is32Bit(call: SyscallLine): boolean {
  const stackPointer = /(0x[0-9a-f]+) 0x[0-9a-f]+$/.exec(call.text)?.[1];
  return stackPointer !== undefined && BigInt(stackPointer) > 0n && BigInt(stackPointer) < beyond32Bits && call.programCounter < beyond32Bits;
}

/** The same, with a gap for the process. Its threads are taken to be able to go on. */
export function not64Bit(scene: WaitScene, process: ScannedProcess, call: SyscallLine): boolean {
  if (!is32Bit(call)) return false;
  scene.context.gaps.add({ pid: process.pid, facility: 'waits', field: '32-bit' }, `pid ${process.pid} (${process.comm}) is a 32-bit process: what its threads are blocked in is not understood`);
  return true;
}
