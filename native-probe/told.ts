// What the asking user's debugger told of a process that it has stopped, in place of what the kernel denies to the probe (Yama's
// ptrace_scope). It was true when the debugger stopped the process, and it is true as long as no thread of it has run since: a thread is taken
// from here only while it is in a tracing stop, memory only while all are, and only private memory, which nobody else can have changed.
import type { Thread } from './kernel/threads';
import { readThread } from './kernel/threads';
import type { ToldProcess } from './protocol';

/** What evidence says of it. */
export const accordingToDebugger = 'the system call and the memory are according to the debugger: the kernel denies them to the probe';

export class ToldFacts {
  readonly #processes: ReadonlyMap<number, ToldProcess>;

  constructor(processes: readonly ToldProcess[]) {
    this.#processes = new Map(processes.map(process => [process.pid, process]));
  }

  /** A thread's state as the kernel and, where it denies, the debugger have it; undefined when the thread is gone. */
  readThread(pid: number, tid: number): Thread | undefined {
    const thread = readThread(pid, tid);
    return thread && this.#completed(pid, thread);
  }

  /** Bytes of a process's memory that were told: all of a range or nothing. The caller sees to it that they still hold. */
  bytes(pid: number, address: bigint, length: number): Buffer | undefined {
    for (const piece of this.#processes.get(pid)?.memory ?? []) {
      const start = BigInt(piece.address);
      if (address < start) continue;
      const bytes = Buffer.from(piece.base64, 'base64');
      if (address + BigInt(length) <= start + BigInt(bytes.length)) return bytes.subarray(Number(address - start), Number(address - start) + length);
    }
    return undefined;
  }

  #completed(pid: number, thread: Thread): Thread {
    if (thread.denied === undefined || thread.state !== 't') return thread;
    const told = this.#processes.get(pid)?.threads.find(({ tid }) => tid === thread.tid);
    if (!told) return thread;
    const { denied: _denied, ...rest } = thread;
    const text = [told.number, ...told.arguments, told.stackPointer, told.programCounter].join(' ');
    return { ...rest, told: true, syscall: { text, number: told.number, arguments: told.arguments.map(BigInt), programCounter: BigInt(told.programCounter) } };
  }
}
