// JSON-RPC 2.0 between the extension and `ipc-probe serve` (vscode-jsonrpc framing on standard input and output).
// Types only: the extension shares them by `import type`; the method names are checked by these types on both sides.
import type { Leak } from './analysis/leaks';
import type { Means, RunReport } from './runs/runReport';
import type { CollectedKind, Contents, Decimal, Failed, Host, IpcObject, Process, Handle, Wait, Finding, Gap, Hex, Known, PageRun, PageState, Removed, Restored, Snapshot, StaleJudgement, Time } from './model';

export type { Leak } from './analysis/leaks';
export type { Means, RunReport } from './runs/runReport';

/** Both sides must agree on it in `initialize`. Raised with every incompatible change. */
export type ProtocolVersion = 1;

export interface InitializeParams { readonly protocolVersion: number; readonly client: string }
export interface InitializeResult {
  readonly protocolVersion: ProtocolVersion;
  readonly probeVersion: string;
  readonly host: Host;
  /** Effective capabilities by name: CAP_SYS_PTRACE, … */
  readonly capabilities: readonly string[];
}

/**
 * What the debugger of the asking user told of a process that it has stopped: taken where the kernel denies the same to the probe, and
 * only while every thread of the process is still in that stop. Numbers as in /proc/PID/task/TID/syscall (proc(5)).
 */
export interface ToldProcess {
  readonly pid: number;
  /**
   * In the order of what the teller lived through, over all processes: when this one came to stand, and when it began to be read. Memory that
   * processes share is believed only if all of them stood before it was read.
   */
  readonly stopped: number;
  readonly read: number;
  readonly threads: readonly { readonly tid: number; readonly number: number; /** Six. */ readonly arguments: readonly Hex[]; readonly stackPointer: Hex; readonly programCounter: Hex }[];
  readonly memory: readonly { readonly address: Hex; readonly base64: string }[];
  /** Lines of /proc/PID/maps (proc(5)), sorted by address. `allShared`: no shared mapping is missing. */
  readonly maps?: { readonly lines: readonly string[]; readonly allShared: boolean };
  /** Where threads have their lists of robust mutexes: what get_robust_list(2) tells. */
  readonly robustLists?: readonly { readonly tid: number; readonly head: Hex }[];
}

export interface SnapshotParams {
  readonly kinds?: readonly CollectedKind[];
  /** Only these processes and whoever shares an object with them. */
  readonly pids?: readonly number[];
  /** Also find out who waits for whom (reads every thread in question). */
  readonly waits?: boolean;
  /** With `waits`. */
  readonly told?: readonly ToldProcess[];
  /** `serial` of a snapshot the client still has (asked with the same kinds, pids and waits): answered with a delta when the probe has it too. */
  readonly since?: number;
}
export interface SnapshotDelta {
  readonly takenAt: Time;
  readonly host: Host;
  readonly processes: Changes<Process>;
  readonly objects: Changes<IpcObject>;
  readonly handles: Changes<Handle>;
  readonly waits: Changes<Wait>;
  /** Few: sent whole. */
  readonly findings: readonly Finding[];
  readonly gaps: Changes<Gap>;
}
/** `put`: new or changed, whole. `gone`: keys. Keys: see `analysis/diff.ts`. */
export interface Changes<T> { readonly put: readonly T[]; readonly gone: readonly string[] }
export type SnapshotResult =
  | { readonly serial: number; readonly snapshot: Snapshot }
  | { readonly serial: number; readonly since: number; readonly delta: SnapshotDelta };

export interface StaleParams { readonly ids?: readonly string[] }
export interface StaleResult { readonly snapshot: Snapshot; readonly stale: readonly StaleJudgement[] }

export interface RemoveParams {
  readonly ids: readonly string[];
  /** Absolute; made when missing, mode 0700. Default: $XDG_STATE_HOME/ipc-inspector/removed. */
  readonly backupDirectory?: string;
  readonly dryRun?: boolean;
  /** Ids the user explicitly chose although only possibly stale. In-use objects are always refused. */
  readonly acceptPossiblyStale?: readonly string[];
  /** What the user saw when deciding: an object that is no longer that one is refused. */
  readonly expected?: { readonly [id: string]: { readonly createdAt?: Time | null; readonly changedAt?: Time | null } };
}
export interface RemoveResult { readonly removed: readonly Removed[]; readonly failed: readonly Failed[] }

export interface RestoreParams { readonly file: string }
export interface RestoreResult { readonly restored: readonly Restored[]; readonly failed: readonly Failed[] }

/** Look at the contents of an object without consuming or changing anything. */
export interface PeekParams {
  readonly id: string;
  /** Bytes: where to begin, in decimal. Messages: index of the first. */
  readonly offset?: Decimal;
  /** At most so many bytes (default 4096, at most 1 MiB), or messages (default 100, at most 1000). */
  readonly length?: number;
}
export interface PeekResult { readonly snapshot: Snapshot; readonly contents: Contents }

/** Why memory cannot be shown: no way leads to it now, or it is no more. */
export type NoMemory =
  | { readonly form: 'unavailable'; readonly reason: string; readonly errno?: string; readonly remedy?: string }
  | { readonly form: 'gone' };

/** Bytes of shared memory, as they are now: nothing is attached or allocated. */
export interface ReadMemoryParams {
  readonly id: string;
  readonly offset: Decimal;
  /** At most 4 MiB; what is beyond the end is left out of the answer. */
  readonly length: number;
  /** Tell of each page whether it is in memory or on swap; else both are "written". */
  readonly detail?: boolean;
}
export interface MemoryPiece {
  readonly form: 'bytes';
  /** Of the whole object, now; null where no way tells. */
  readonly size: Known<Decimal>;
  /** Memory (or disk) that the whole takes; null where no way tells. */
  readonly allocated: Known<Decimal>;
  readonly pageSize: number;
  /** Whether absent pages are known as such. Else they are among the unseen: only page tables could be read. */
  readonly complete: boolean;
  readonly offset: Decimal;
  /** Zeros for what is absent or unseen; absent when nothing in the piece is else. */
  readonly base64?: string;
  /** States of the pages, in order; the lengths add up to that of the piece. */
  readonly runs: readonly PageRun[];
  /** Without `detail`, when nothing in the piece is: no page before this has contents; null: none follows. */
  readonly next?: Known<Decimal>;
}
export type ReadMemoryResult = MemoryPiece | NoMemory;

/** How many pages of each state an object has, in equal parts from its start to its end. */
export interface SurveyPagesParams { readonly id: string; /** At most so many parts (1 to 2048). */ readonly parts: number }
export type SurveyPagesResult = NoMemory | {
  readonly form: 'survey';
  readonly size: Decimal;
  readonly pageSize: number;
  readonly complete: boolean;
  /** Pages of each part but the last, which may have fewer. */
  readonly pagesOfPart: number;
  /** For each state that occurs, the number of pages in every part. */
  readonly pages: Readonly<Partial<Record<PageState, readonly number[]>>>;
};

/** Looks for bytes. It answers after a short time, found or not: ask again from `next` on. Absent pages are passed over. */
export interface SearchMemoryParams {
  readonly id: string;
  /** What to look for, 1 to 256 bytes. */
  readonly base64: string;
  /** Letters of ASCII are the same in either case. */
  readonly ignoreCase?: boolean;
  readonly from: Decimal;
  /** Matches begin before it; the end unless told. */
  readonly before?: Decimal;
  /** At most so many hits in one answer (1 to 1000). */
  readonly most?: number;
}
export type SearchMemoryResult = NoMemory | {
  readonly form: 'hits';
  /** Offsets, ascending. A match may overlap the one before. */
  readonly hits: readonly Decimal[];
  /** Where to go on; null: the end was reached. */
  readonly next: Known<Decimal>;
  /** Bytes read for this answer. */
  readonly read: Decimal;
  readonly size: Decimal;
  readonly complete: boolean;
};
/** A run (a debug session) is watched from `beginRun` to `endRun`, to tell what it leaves behind. `run`: the client's name for it. */
export interface RunParams { readonly run: string }
/** Its processes, as they become known; their descendants belong to it too. */
export interface JoinRunParams extends RunParams {
  readonly pids: readonly number[];
  /** Only those that started after the run began, or have ended already and nobody had their PID then: PIDs that somebody told just now. */
  readonly bornSince?: boolean;
}
/** Processes of the run that live, as far as is known. */
export interface JoinRunResult { readonly living: readonly number[] }
/** `snapshot`: the leaked objects alone, and the gaps. */
export interface EndRunResult { readonly snapshot: Snapshot; readonly leaks: readonly Leak[]; readonly run: RunReport; readonly means: readonly Means[] }

export interface Requests {
  beginRun: { params: RunParams; result: Record<string, never> };
  joinRun: { params: JoinRunParams; result: JoinRunResult };
  endRun: { params: RunParams; result: EndRunResult };
  initialize: { params: InitializeParams; result: InitializeResult };
  snapshot: { params: SnapshotParams; result: SnapshotResult };
  stale: { params: StaleParams; result: StaleResult };
  peek: { params: PeekParams; result: PeekResult };
  readMemory: { params: ReadMemoryParams; result: ReadMemoryResult };
  surveyPages: { params: SurveyPagesParams; result: SurveyPagesResult };
  searchMemory: { params: SearchMemoryParams; result: SearchMemoryResult };
  remove: { params: RemoveParams; result: RemoveResult };
  restore: { params: RestoreParams; result: RestoreResult };
}
export type Method = keyof Requests;

/** Error codes beside JSON-RPC's own. */
export type ErrorCode = { notInitialized: -32002; versionMismatch: -32010; tooLarge: -32011 };
