// What the asking user's debugger told of a process that it has stopped, in place of what the kernel denies to the probe (Yama's
// ptrace_scope, another user's process). It was true when the debugger stopped the process, and it is true as long as no thread of it has run
// since: a thread is taken from here only while it is in a tracing stop, mappings and memory only while all are. Memory that others can change
// counts only if all who are known to map it are told of, too, stand still, and stood before it was read.
import { parseMapsLine } from './kernel/procfs';
import type { Mapping } from './kernel/procfs';
import type { Thread } from './kernel/threads';
import { readThread } from './kernel/threads';
import type { ToldProcess } from './protocol';

/** What evidence says of it. */
export const accordingToDebugger = 'the system call and the memory are according to the debugger: the kernel denies them to the probe';

interface Run { readonly start: bigint; readonly bytes: Buffer }

/** Pieces of memory without overlap, sorted, and joined where one begins at the end of another: what lies in two can be asked for in one. */
export function joinedPieces(memory: ToldProcess['memory']): readonly Run[] {
  const pieces = memory.map(({ address, base64 }) => ({ start: BigInt(address), bytes: Buffer.from(base64, 'base64') })).sort((a, b) => a.start < b.start ? -1 : a.start > b.start ? 1 : b.bytes.length - a.bytes.length);
  const runs: { start: bigint; readonly parts: Buffer[]; end: bigint }[] = [];
  for (const { start, bytes } of pieces) {
    const last = runs.at(-1);
    const end = start + BigInt(bytes.length);
    if (!last || start > last.end) runs.push({ start, parts: [bytes], end });
    // Told twice, it is the same: the process stands still.
    else if (end > last.end) {
      last.parts.push(bytes.subarray(Number(last.end - start)));
      last.end = end;
    }
  }
  return runs.map(({ start, parts }) => ({ start, bytes: Buffer.concat(parts) }));
}

export class ToldFacts {
  readonly #processes: ReadonlyMap<number, ToldProcess>;
  readonly #memory = new Map<number, readonly Run[]>();

  constructor(processes: readonly ToldProcess[]) {
    this.#processes = new Map(processes.map(process => [process.pid, process]));
  }

  /** Who something was told of. */
  get pids(): readonly number[] {
    return [...this.#processes.keys()];
  }

  /** A thread's state as the kernel and, where it denies, the debugger have it; undefined when the thread is gone. */
  readThread(pid: number, tid: number): Thread | undefined {
    const thread = readThread(pid, tid);
    return thread && this.#completed(pid, thread);
  }

  /** Bytes of a process's memory that were told: all of a range or nothing. The caller sees to it that they still hold. */
  bytes(pid: number, address: bigint, length: number): Buffer | undefined {
    let runs = this.#memory.get(pid);
    if (!runs) this.#memory.set(pid, runs = joinedPieces(this.#processes.get(pid)?.memory ?? []));
    for (const { start, bytes } of runs) {
      if (address >= start && address + BigInt(length) <= start + BigInt(bytes.length)) return bytes.subarray(Number(address - start), Number(address - start) + length);
    }
    return undefined;
  }

  /** The lines of its maps that were told; undefined when none were. */
  mapsLines(pid: number): readonly string[] | undefined {
    return this.#processes.get(pid)?.maps?.lines;
  }

  /** All its shared mappings; undefined when they were not told, or not all. */
  sharedMappings(pid: number): readonly Mapping[] | undefined {
    const maps = this.#processes.get(pid)?.maps;
    return maps?.allShared === true ? maps.lines.flatMap(line => parseMapsLine(line) ?? []).filter(({ permissions }) => permissions[3] === 's') : undefined;
  }

  /** Where a thread has its list of robust mutexes. */
  robustListHead(pid: number, tid: number): bigint | undefined {
    const head = this.#processes.get(pid)?.robustLists?.find(it => it.tid === tid)?.head;
    return head === undefined ? undefined : BigInt(head);
  }

  /** Whether what was read of one process was read after another had come to stand. Of itself that is so by what a debugger is. */
  stoodBefore(other: number, reading: number): boolean {
    const [its, from] = [this.#processes.get(other), this.#processes.get(reading)];
    return its !== undefined && from !== undefined && its.stopped < from.read;
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
