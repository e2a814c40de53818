// Which debuggers can attach to a process: by what its executable is, and only those that an installed extension contributes. Pure.
import type { Process } from '../native-probe/model';
import type { SnapshotIndex } from './snapshotIndex';
import { isListening } from './streamWords';

export interface AttachOffer {
  /** Debug type. */
  readonly type: string;
  /** For whom it is, in the debugger's own name. */
  readonly label: string;
  /** What `vscode.debug.startDebugging` takes. */
  readonly configuration: { readonly type: string; readonly request: 'attach'; readonly name: string; readonly [key: string]: unknown };
}

interface Debugger {
  readonly type: string;
  readonly label: string;
  /** Executables that it debugs; absent: native code, so any. */
  readonly runtime?: RegExp;
  /** The part of the configuration by which it knows the process, as its documentation has it. */
  readonly target: (pid: number, exe: string | undefined) => Readonly<Record<string, unknown>> | undefined;
}

/** Those for a run-time come first: they show the program, not its interpreter. */
const debuggers: readonly Debugger[] = [
  { type: 'node', label: 'Node.js', runtime: /^(node|nodejs)$/, // Node listens on IPv4; "localhost", the adapter's default, may be ::1 first, which refuses.
    target: pid => ({ processId: String(pid), address: '127.0.0.1' }) },
  { type: 'debugpy', label: 'Python (debugpy)', runtime: /^(python|pypy)[\d.]*$/, target: pid => ({ processId: pid }) },
  { type: 'coreclr', label: '.NET', runtime: /^dotnet$/, target: pid => ({ processId: String(pid) }) },
  { type: 'java', label: 'Java', runtime: /^java$/, target: pid => ({ processId: String(pid) }) },
  { type: 'lldb-dap', label: 'LLDB (lldb-dap)', target: pid => ({ pid }) },
  { type: 'lldb', label: 'CodeLLDB', target: pid => ({ pid }) },
  // cppdbg needs to be told the executable, which for this reason must be readable.
  { type: 'cppdbg', label: 'C/C++ (gdb)', target: (pid, exe) => exe === undefined ? undefined : { processId: String(pid), program: exe, MIMode: 'gdb' } },
  { type: 'go', label: 'Go (delve)', target: pid => ({ mode: 'local', processId: pid }) },
];

/**
 * What can be offered for a process, the best first.
 * @param types the debug types that installed extensions contribute
 */
export function attachOffers({ pid, comm, exe, cmdline }: Process, types: ReadonlySet<string>): readonly AttachOffer[] {
  // An unreadable link still leaves the name that the program was started by.
  const path = exe ?? undefined;
  const program = (path ?? cmdline?.[0] ?? comm).split('/').pop() ?? '';
  return debuggers.flatMap(({ type, label, runtime, target }) => {
    if (!types.has(type) || (runtime && !runtime.test(program))) return [];
    const how = target(pid, path);
    return how === undefined ? [] : [{ type, label, configuration: { type, request: 'attach' as const, name: `${comm} [${pid}]`, ...how } }];
  });
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
