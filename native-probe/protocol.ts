// JSON-RPC 2.0 between the extension and `ipc-probe serve` (vscode-jsonrpc framing on standard input and output).
// Types only: the extension shares them by `import type`; the method names are checked by these types on both sides.
import type { CollectedKind, Contents, Decimal, Failed, Host, IpcObject, Process, Handle, Wait, Finding, Gap, Removed, Restored, Snapshot, StaleJudgement, Time } from './model';

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

export interface SnapshotParams {
  readonly kinds?: readonly CollectedKind[];
  /** Only these processes and whoever shares an object with them. */
  readonly pids?: readonly number[];
  /** Also find out who waits for whom (reads every thread in question). */
  readonly waits?: boolean;
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

export interface Requests {
  initialize: { params: InitializeParams; result: InitializeResult };
  snapshot: { params: SnapshotParams; result: SnapshotResult };
  stale: { params: StaleParams; result: StaleResult };
  peek: { params: PeekParams; result: PeekResult };
  remove: { params: RemoveParams; result: RemoveResult };
  restore: { params: RestoreParams; result: RestoreResult };
}
export type Method = keyof Requests;

/** Error codes beside JSON-RPC's own. */
export type ErrorCode = { notInitialized: -32002; versionMismatch: -32010; tooLarge: -32011 };
