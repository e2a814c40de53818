// One thread's state from /proc/PID/task/TID: syscall, stat and status (proc(5)). Parsers are pure.
import { isGone, numericEntries, parseStat, readText } from './procfs';
import type { Result } from './procfs';

/** A blocked thread's line in /proc/PID/task/TID/syscall. */
export interface SyscallLine {
  /** As read: equal lines mean the same call with the same arguments. */
  readonly text: string;
  /** -1: blocked outside of any system call. */
  readonly number: number;
  /** Six registers. Mask `int` arguments to 32 bits; unused arguments are stale. Empty when number is -1. */
  readonly arguments: readonly bigint[];
  readonly programCounter: bigint;
}

const blockedLine = /^(-?\d+)((?: 0x[0-9a-f]+){2,8})\s*$/;

/** Parses the line; undefined for `running` and for anything that is not such a line. */
export function parseSyscall(text: string): SyscallLine | undefined {
  const match = blockedLine.exec(text);
  const words = match?.[2]?.trim().split(' ').map(BigInt) ?? [];
  const number = Number(match?.[1]);
  const programCounter = words.at(-1);
  if (programCounter === undefined || (number >= 0 && words.length !== 8)) return undefined;
  return { text: text.trim(), number, arguments: words.slice(0, -2), programCounter };
}

/** The parts of /proc/PID/task/TID/status that waits need. */
export interface ThreadStatus {
  /** Its TID in its own PID namespace: what it writes into mutexes. */
  readonly ownTid: number;
  /** Voluntary and involuntary context switches: unchanged means it did not run. */
  readonly switches: string;
  /** Signals with a handler: bit n-1 is signal n. */
  readonly caughtSignals: bigint;
}

/** Parses status; undefined when a needed line is missing. */
export function parseThreadStatus(text: string): ThreadStatus | undefined {
  const own = /^NSpid:(?:\t\d+)*\t(\d+)$/m.exec(text)?.[1] ?? /^Pid:\t(\d+)$/m.exec(text)?.[1];
  const voluntary = /^voluntary_ctxt_switches:\t(\d+)$/m.exec(text)?.[1];
  const involuntary = /^nonvoluntary_ctxt_switches:\t(\d+)$/m.exec(text)?.[1];
  const caught = /^SigCgt:\t([0-9a-f]{1,16})$/m.exec(text)?.[1];
  if (own === undefined || voluntary === undefined || involuntary === undefined) return undefined;
  return { ownTid: Number(own), switches: `${voluntary}+${involuntary}`, caughtSignals: BigInt(`0x${caught ?? '0'}`) };
}

export interface Thread {
  readonly tid: number;
  readonly comm: string;
  /** As in stat: T stopped by a signal, t tracing stop, … */
  readonly state: string;
  readonly startTime: string;
  /** Absent while it runs; the errno where reading was denied. */
  readonly syscall?: SyscallLine;
  readonly denied?: string;
  /** The call is according to a debugger. */
  readonly told?: true;
}

/** Stopped by a signal or a tracer. */
export const isStopped = (thread: Thread): boolean => thread.state === 'T' || thread.state === 't';

/** TIDs of a process. */
export function listThreads(pid: number): Result<number[]> {
  return numericEntries(`/proc/${pid}/task`);
}

/** A thread's state; undefined when it is gone or dead (a zombie acts no more). */
export function readThread(pid: number, tid: number): Thread | undefined {
  const directory = `/proc/${pid}/task/${tid}`;
  // The line first: a thread found stopped afterwards was blocked there before, never the other way round.
  const line = readText(`${directory}/syscall`);
  const stat = parseStat(readText(`${directory}/stat`).value ?? '');
  if (!stat || stat.state === 'Z' || stat.state === 'X') return undefined;
  const { comm, state, startTime } = stat;
  if (line.value === undefined) return isGone(line.errno) ? undefined : { tid, comm, state, startTime, denied: line.errno };
  const syscall = parseSyscall(line.value);
  return syscall ? { tid, comm, state, startTime, syscall } : { tid, comm, state, startTime };
}

/** A thread's status; undefined when it is gone. */
export function readThreadStatus(pid: number, tid: number): ThreadStatus | undefined {
  const text = readText(`/proc/${pid}/task/${tid}/status`).value;
  return text === undefined ? undefined : parseThreadStatus(text);
}
