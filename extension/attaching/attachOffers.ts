// Which debuggers can attach to a process: by what its executable is, and only those that an installed extension contributes; and what
// attaching does to the program. Pure.
import type { Process } from '../../native-probe/model';
import type { Runtime } from './executables';
import { processName, userName, visible } from '../words/presentation';
import type { SnapshotIndex } from '../snapshotIndex';
import { isListening } from '../words/streamWords';
import { l10n } from '../translation';

export interface AttachOffer {
  /** Debug type. */
  readonly type: string;
  /** For whom it is, in the debugger's own name. */
  readonly label: string;
  /** What `vscode.debug.startDebugging` takes. */
  readonly configuration: { readonly type: string; readonly request: 'attach'; readonly name: string; readonly [key: string]: unknown };
  /** How it gets into the process. */
  readonly way: Way;
}

/** ptrace: it traces and stops the program; inject: it is traced only to load code; signal: the program opens a port when it is sent SIGUSR1. */
type Way = 'ptrace' | 'inject' | 'signal' | 'run-time';

interface Debugger {
  readonly type: string;
  readonly label: string;
  /** What it debugs. Native debuggers take every process: an interpreter is a native program too. */
  readonly runtime: Runtime;
  readonly way: Way;
  /** The part of the configuration by which it knows the process, as its documentation has it. */
  readonly target: (pid: number, exe: string | undefined) => Readonly<Record<string, unknown>> | undefined;
}

/** In the order in which they are offered. */
const debuggers: readonly Debugger[] = [
  // Node listens on IPv4; "localhost", the adapter's default, may be ::1 first, which refuses.
  { type: 'node', label: 'Node.js', runtime: 'node', way: 'signal', target: pid => ({ processId: String(pid), address: '127.0.0.1' }) },
  { type: 'debugpy', label: 'Python (debugpy)', runtime: 'python', way: 'inject', target: pid => ({ processId: pid }) },
  { type: 'coreclr', label: '.NET', runtime: 'dotnet', way: 'run-time', target: pid => ({ processId: String(pid) }) },
  { type: 'java', label: 'Java', runtime: 'java', way: 'run-time', target: pid => ({ processId: String(pid) }) },
  { type: 'go', label: 'Go (Delve)', runtime: 'go', way: 'ptrace', target: pid => ({ mode: 'local', processId: pid }) },
  { type: 'delve', label: 'Delve', runtime: 'go', way: 'ptrace', target: pid => ({ mode: 'local', processId: pid }) },
  { type: 'lldb-dap', label: 'LLDB (lldb-dap)', runtime: 'native', way: 'ptrace', target: pid => ({ pid }) },
  { type: 'lldb', label: 'CodeLLDB', runtime: 'native', way: 'ptrace', target: pid => ({ pid }) },
  // cppdbg needs to be told the executable, which for this reason must be readable.
  { type: 'cppdbg', label: 'C/C++ (gdb)', runtime: 'native', way: 'ptrace', target: (pid, exe) => exe === undefined ? undefined : { processId: String(pid), program: exe, MIMode: 'gdb' } },
];

/**
 * What can be offered for a process, the best first: a debugger of its own run-time shows the program, a native one the interpreter.
 * @param types the debug types that installed extensions contribute
 */
export function attachOffers({ pid, comm, exe }: Process, runtime: Runtime, types: ReadonlySet<string>): readonly AttachOffer[] {
  return debuggers.flatMap(it => {
    if (!types.has(it.type) || (it.runtime !== runtime && it.runtime !== 'native')) return [];
    const how = it.target(pid, exe ?? undefined);
    return how === undefined ? [] : [{ type: it.type, label: it.label, way: it.way, configuration: { type: it.type, request: 'attach' as const, name: `${visible(comm, 40)} [${pid}]`, ...how } }];
  });
}

/** Calls that return EINTR when their thread was stopped for a debugger, although no signal handler ran (signal(7)). */
const interrupted: ReadonlySet<string> = new Set(['epoll_wait', 'epoll_pwait', 'semop', 'semtimedop', 'sigtimedwait', 'sigwait', 'io_getevents']);

/** What the user should know before a debugger attaches, a sentence each. `uid`: ours. */
export function attachWarnings({ way, label }: AttachOffer, process: Process, index: SnapshotIndex, uid: number | undefined): readonly string[] {
  const { pid, nsPids, uid: owner } = process;
  const waits = index.snapshot.waits.filter(wait => wait.pid === pid && interrupted.has(wait.operation));
  const calls = [...new Set(waits.map(wait => wait.operation))].join(', ');
  const stops = way === 'ptrace' || way === 'inject';
  return [
    ...(way === 'ptrace' ? [l10n.t('{0} stops the process. It goes on when you continue it, or detach.', label)] : []),
    ...(way === 'inject' ? [l10n.t('{0} stops the process for a moment and loads code into it.', label)] : []),
    ...(way === 'signal' ? [l10n.t('The process is sent SIGUSR1, on which Node.js opens a port for debuggers on 127.0.0.1, and keeps it open.')] : []),
    ...(stops && waits.length > 0 ? [waits.length === 1
      ? l10n.t('One of its threads is in {0}, which then returns with EINTR: the wait that you look at may end by that.', calls)
      : l10n.t('{0} of its threads are in {1}, which then return with EINTR: the waits that you look at may end by that.', waits.length, calls)] : []),
    ...(stops && waits.length === 0 ? [l10n.t('System calls such as epoll_wait and semop return with EINTR when a debugger attaches. None of its threads is seen in one now.')] : []),
    ...(uid !== undefined && uid !== 0 && owner !== null && owner !== uid ? [l10n.t('It belongs to {0}: attaching takes more rights than yours.', userName(owner))] : []),
    ...(nsPids === undefined ? [] : [l10n.t('It runs in another PID namespace, such as a container: the debugger may not find its files.')]),
  ];
}

/** Who traces a process already, in words: there can be only one. Undefined where that is no obstacle. */
export function otherTracer({ way }: AttachOffer, { tracerPid }: Process, index: SnapshotIndex): string | undefined {
  if (tracerPid === undefined || (way !== 'ptrace' && way !== 'inject')) return undefined;
  return l10n.t('{0} (PID {1})', processName(index.processes.get(tracerPid), tracerPid), tracerPid);
}

/** Where Node.js lets a debugger in that asks for it by SIGUSR1 (`--inspect`'s default). */
const inspectorPort = 9229;

/** Another process that listens where a Node.js debugger would look for `pid`: it would debug the wrong program. */
export function inspectorOfAnother(pid: number, index: SnapshotIndex): number | undefined {
  const listeners = [...index.objectsByKind.get('inet-socket') ?? []].filter(it => it.kind === 'inet-socket' && it.state.local.port === inspectorPort && isListening(it.state.state));
  const pids = listeners.flatMap(it => index.handlesOf(it.id).map(handle => handle.pid));
  return pids.includes(pid) ? undefined : pids[0];
}

/** The debug types in the manifest of an extension, which is of any shape. */
export function debugTypesOf(manifest: unknown): readonly string[] {
  const contributes = (manifest as { contributes?: unknown } | null | undefined)?.contributes;
  const contributed = (contributes as { debuggers?: unknown } | null | undefined)?.debuggers;
  if (!Array.isArray(contributed)) return [];
  return contributed.flatMap((it: unknown) => {
    const type = (it as { type?: unknown } | null)?.type;
    return typeof type === 'string' ? [type] : [];
  });
}
