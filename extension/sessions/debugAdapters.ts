// The debug adapters that are known, one row each: how each tells the process that it debugs. What an adapter tells by the protocol
// itself (the event `process`, the PID of an attach configuration) is taken from every adapter, also from those without a row. Pure.

export interface DebugAdapter {
  /** As its users call it. */
  readonly label: string;
  /** Debug types of launch.json and of child sessions. */
  readonly types: readonly string[];
  /** Tells the PID when it is evaluated. Only where that calls nothing in the program: never for native code. */
  readonly expression?: string;
  /** Its own message (never the program's output) that begins with the PID in a group. */
  readonly output?: RegExp;
  /** The name of a child session that holds the PID in a group. */
  readonly childName?: RegExp;
  /** It, or a process that it starts, traces the program with ptrace(2). */
  readonly traces: boolean;
  /** Base names of the executables that it debugs; absent: any. */
  readonly runtime?: RegExp;
  /** Where a configuration says that the program is reached over a network or through another program; undefined: it runs where the adapter runs. */
  readonly remote?: (configuration: Configuration) => string | undefined;
}
export type Configuration = Readonly<Record<string, unknown>>;

const text = (value: unknown): string | undefined => typeof value === 'string' && value !== '' ? value : undefined;
const part = (value: unknown, key: string): unknown => typeof value === 'object' && value !== null ? (value as Configuration)[key] : undefined;
const attached = (configuration: Configuration): boolean => configuration.request === 'attach';
const local = '127.0.0.1';
/** gdb at the other end of a pipe: in a container of this machine, or wherever else the program leads (ssh, kubectl). */
const throughPipe = (program: string | undefined): string | undefined => program === undefined ? undefined : /(^|\/)(docker|podman|nerdctl|nsenter|lxc|lxc-attach)$/.test(program) ? local : program.split('/').at(-1);

const rows: readonly DebugAdapter[] = [
  {
    label: 'js-debug', types: ['pwa-node', 'node', 'pwa-extensionHost', 'extensionHost', 'node-terminal'],
    expression: 'process.pid', childName: /\[(\d+)\]$/, traces: false, runtime: /^(node|nodejs|electron|code|code-insiders|codium|deno|bun)$/,
    remote: it => attached(it) && it.processId === undefined ? text(it.address) ?? local : undefined,
  },
  {
    label: 'debugpy', types: ['debugpy', 'python'],
    expression: '__import__("os").getpid()', traces: false, runtime: /^(python|pypy)[\d.]*[a-z]*$/,
    // With `listen` the program connects to us, from wherever it is. A child that debugpy itself announces (subProcessId) connects from here.
    remote: it => it.subProcessId !== undefined || !attached(it) ? undefined : text(part(it.connect, 'host')) ?? text(it.host) ?? (it.connect !== undefined || it.port !== undefined || it.listen !== undefined ? local : undefined),
  },
  { label: 'LLDB', types: ['lldb-dap', 'lldb-vscode'], traces: true, remote: it => text(it['gdb-remote-hostname']) ?? (it['gdb-remote-port'] === undefined ? undefined : local) },
  { label: 'CodeLLDB', types: ['lldb'], output: /^(?:Launched|Attached to) process (\d+)\b/, traces: true },
  { label: 'C/C++ (cpptools)', types: ['cppdbg'], traces: true, remote: it => text(it.miDebuggerServerAddress) ?? throughPipe(text(part(it.pipeTransport, 'pipeProgram'))) },
  { label: 'GDB', types: ['gdb', 'gdb-dap'], traces: true, remote: it => text(it.target) },
  { label: 'Delve', types: ['go', 'delve'], traces: true, remote: it => it.mode === 'remote' ? text(it.host) ?? local : undefined },
];

const byType: ReadonlyMap<string, DebugAdapter> = new Map(rows.flatMap(row => row.types.map(type => [type, row] as const)));

/** An adapter that nobody has told us about: it may debug native code, so nothing is evaluated. */
const stranger: DebugAdapter = { label: '', types: [], traces: true };

/** The row of a debug type. */
export function debugAdapter(type: string): DebugAdapter {
  return byType.get(type) ?? stranger;
}

/**
 * Whether what listens at an address of a configuration ("host", "host:port") is on this machine, or led here by a tunnel.
 * @param own this machine's names and addresses
 */
export function isThisMachine(address: string, own: ReadonlySet<string>): boolean {
  const host = /^\[(.*)\](?::\d+)?$/.exec(address)?.[1] ?? (/^[^:]*:\d+$/.test(address) ? address.slice(0, address.lastIndexOf(':')) : address);
  return own.has(host) || host === '' || host === 'localhost' || host === '::1' || host === '0.0.0.0' || host === '::' || /^127(\.\d{1,3}){3}$/.test(host) || host.startsWith('/');
}
