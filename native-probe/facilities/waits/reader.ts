// What a reader of one operation gets and gives. Readers are rows of the table in ../waits.ts.
import type { Clause, Known } from '../../model';
import type { ScannedProcess } from '../../processes';
import type { SyscallLine, Thread } from '../../kernel/threads';
import type { WaitScene } from './scene';

/** A thread blocked in a system call. */
export interface BlockedCall { readonly scene: WaitScene; readonly process: ScannedProcess; readonly thread: Thread; readonly call: SyscallLine }

/** What the wait means. */
export interface WaitReading {
  readonly operation: string;
  readonly objectId?: string;
  readonly timeout?: Known<string>;
  readonly evidence: readonly string[];
  readonly clauses: readonly Clause[];
}

/** Reads one operation's arguments; undefined when it does not understand them: then the thread is taken to be able to go on. */
export type WaitReader = (blocked: BlockedCall) => WaitReading | undefined;

/** An argument of C type int or unsigned int: the upper half of the register is whatever was there before. */
export function intArgument(call: SyscallLine, index: number): number {
  return Number((call.arguments[index] ?? 0n) & 0xffffffffn);
}
