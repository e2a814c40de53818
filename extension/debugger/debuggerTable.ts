// What can be asked of which debugger without touching the program: one row for each family of debug types. Nothing here
// calls a function of the program or writes to it: addresses and names are looked up in symbol tables and memory. Pure.
import { gdbMemory, gdbRegisters, lldbMemory } from './blockedRegisters';
import type { Registers } from './blockedRegisters';
import type { DapThread } from './dapAnswers';
import { gdbMember, gdbSymbol, lldbPath, lldbSymbol } from './symbolAnswers';
import type { SymbolAt } from './symbolAnswers';
import { gdbMaps } from './toldMaps';
import type { MapsWay } from './toldMaps';

/** An `evaluate` request that runs a command of the debugger. */
export interface DebuggerCommand { readonly expression: string; readonly context: string }

/** How a debugger names addresses. Every command is made of numbers and of names that {@link isPlainName} lets through. */
export interface Naming {
  /** Which variable lies at an address. */
  readonly symbol: (address: bigint) => DebuggerCommand;
  readonly parseSymbol: (text: string) => SymbolAt | undefined;
  /** How the variable is laid out, to name the member. */
  readonly members: (symbol: string) => DebuggerCommand;
  readonly parseMember: (text: string, at: SymbolAt, address: bigint) => string | undefined;
  /** What the variables of a frame lead to; absent where only the adapter's own list of them tells. */
  readonly frameVariables?: DebuggerCommand;
  /** The same for the static and global variables of a frame's source file. */
  readonly staticVariables?: DebuggerCommand;
  readonly parseFrameVariables?: (text: string, address: bigint) => string | undefined;
  /** Symbols can be looked up while the program runs. */
  readonly whileRunning: boolean;
}

/** How the kernel's thread ids follow from what an adapter calls threads. */
export type ThreadIds =
  /** DAP thread ids are TIDs. */
  | { readonly form: 'tids' }
  /** They stand in the threads' names. */
  | { readonly form: 'names'; readonly tid: RegExp }
  /** One thread that is the process's main thread: the program tells its PID. */
  | { readonly form: 'main'; readonly pid: string }
  /** The program lists its threads' names and TIDs (reading only), asked in any of its stopped frames. */
  | { readonly form: 'listed'; readonly expression: string; readonly mainName: string }
  /** A command of the debugger lists both. */
  | { readonly form: 'command'; readonly command: DebuggerCommand; readonly line: RegExp };

/** How a debugger shows bytes, where its adapter has no request for that. */
export interface MemoryCommand { readonly command: (address: bigint, length: number) => DebuggerCommand; readonly parse: (text: string, address: bigint, length: number) => Buffer | undefined }

/** How a debugger shows the registers of all threads at once, where its adapter's own list of them does not say what the kernel has noted. */
export interface RegistersCommand { readonly command: DebuggerCommand; readonly parse: (text: string) => ReadonlyMap<number, Registers> }

/** What stands in where the kernel denies memory to the probe: absent for debuggers of languages whose threads are not the kernel's. */
export interface StandIn { readonly memory: MemoryCommand; readonly maps: MapsWay; readonly registers?: RegistersCommand }

export interface DebuggerRow { readonly threads: ThreadIds; readonly naming?: Naming; readonly standIn?: StandIn }

/** A symbol that may stand in a command: C and C++ names without templates, so nothing that a debugger's command line could take for more than a name. */
export function isPlainName(symbol: string): boolean {
  return symbol.length <= 200 && /^[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*$/.test(symbol);
}

const hex = (address: bigint): string => `0x${address.toString(16)}`;

/** LLDB: three words for one thing, depending on who runs it. `-R`: no formatters, which are scripts; `-D`, `-P`: so deep and no deeper. */
function lldb(command: (text: string) => DebuggerCommand, whileRunning: boolean): Naming {
  return {
    symbol: address => command(`image lookup --address ${hex(address)}`), parseSymbol: lldbSymbol,
    members: symbol => command(`target variable -L -R -D 4 ${symbol}`), parseMember: (text, _at, address) => lldbPath(text, address),
    frameVariables: command('frame variable -L -R -D 3 -P 1'), staticVariables: command('target variable -L -R -D 3 -P 1'), parseFrameVariables: lldbPath,
    whileRunning,
  };
}

function gdb(command: (text: string) => DebuggerCommand): Naming {
  return {
    symbol: address => command(`info symbol ${hex(address)}`), parseSymbol: gdbSymbol,
    members: symbol => command(`ptype /o ${symbol}`),
    parseMember: (text, { symbol, offset }) => {
      const member = gdbMember(text, offset);
      return member === undefined ? undefined : `${symbol}.${member}`;
    },
    whileRunning: false,
  };
}

/** LLDB: registers are in the adapter's list. */
function lldbStandIn(command: (text: string) => DebuggerCommand): StandIn {
  return {
    memory: { command: (address, length) => command(`memory read --format x --size 1 --count ${length} ${hex(address)}`), parse: lldbMemory },
    maps: { form: 'file', command },
  };
}

function gdbStandIn(command: (text: string) => DebuggerCommand): StandIn {
  return {
    memory: { command: (address, length) => command(`x/${length}xb ${hex(address)}`), parse: gdbMemory },
    maps: { form: 'list', command: command('info proc mappings'), parse: gdbMaps },
    registers: { command: command('thread apply all info registers rax rdi rsi rdx r10 r8 r9 rsp rip fs_base orig_rax'), parse: gdbRegisters },
  };
}

const inRepl = (prefix = '') => (text: string): DebuggerCommand => ({ expression: `${prefix}${text}`, context: 'repl' });

/** Delve names a goroutine's thread while it runs on one: `* [Go 18] syscall.RawSyscall6 (Thread 21448)`. */
const delve: DebuggerRow = { threads: { form: 'names', tid: /\(Thread (\d{1,10})\)$/ } };
const node: DebuggerRow = { threads: { form: 'main', pid: 'process.pid' } };
// One call of the interpreter's own, on the thread that is stopped: the program's code takes no part in it.
const python: DebuggerRow = { threads: { form: 'listed', expression: '[(t.native_id, t.name) for t in __import__("threading").enumerate()]', mainName: 'MainThread' } };

const asCommand = (expression: string): DebuggerCommand => ({ expression, context: '_command' });

const rows: ReadonlyMap<string, DebuggerRow | ((configuration: Readonly<Record<string, unknown>>) => DebuggerRow)> = new Map<string, DebuggerRow | ((configuration: Readonly<Record<string, unknown>>) => DebuggerRow)>([
  ['lldb-dap', lldbDap], ['lldb-vscode', lldbDap],
  // CodeLLDB: by its sources (untested here); `_command` is a command whatever its console's mode is.
  ['lldb', { threads: { form: 'tids' }, naming: lldb(asCommand, false), standIn: lldbStandIn(asCommand) }],
  // cppdbg: by its documentation and GDB's recorded answers (untested here).
  ['cppdbg', ({ MIMode }) => ({ threads: { form: 'tids' }, ...(MIMode === 'lldb' ? { naming: lldb(inRepl('-exec '), false), standIn: lldbStandIn(inRepl('-exec ')) } : { naming: gdb(inRepl('-exec ')), standIn: gdbStandIn(inRepl('-exec ')) }) })],
  // GDB's own adapter (14 and later): by its documentation and GDB's recorded answers (untested here).
  ['gdb', { threads: { form: 'command', command: { expression: 'info threads', context: 'repl' }, line: /^[* ] +(\d+) .*?\(LWP (\d{1,10})\)/gm }, naming: gdb(inRepl()), standIn: gdbStandIn(inRepl()) }],
  ['delve', delve], ['go', delve],
  ['pwa-node', node], ['node', node], ['pwa-extensionHost', node], ['node-terminal', node],
  ['debugpy', python], ['python', python],
]);

function lldbDap({ commandEscapePrefix }: Readonly<Record<string, unknown>>): DebuggerRow {
  // Without a prefix everything is an expression or everything a command, and which one is not known: then nothing is asked.
  const prefix = typeof commandEscapePrefix === 'string' ? commandEscapePrefix : '`';
  return { threads: { form: 'tids' }, ...(prefix === '' ? {} : { naming: lldb(inRepl(prefix), true), standIn: lldbStandIn(inRepl(prefix)) }) };
}

/** What can be asked of a session's debugger; undefined for debug types that nothing is known of. */
export function debuggerRow(type: string, configuration: Readonly<Record<string, unknown>>): DebuggerRow | undefined {
  const row = rows.get(type);
  return typeof row === 'function' ? row(configuration) : row;
}

/** A TID as adapters write it; undefined for anything else. */
function tidOf(text: string | undefined): number | undefined {
  const tid = Number(text);
  return text !== undefined && /^\d{1,10}$/.test(text) && tid > 0 && tid < 2 ** 31 ? tid : undefined;
}

/** TIDs and the adapter's ids for them, where threads alone tell them: forms `tids` and `names`. */
export function tidsOfThreads(threads: readonly DapThread[], ids: ThreadIds): ReadonlyMap<number, number> {
  switch (ids.form) {
    case 'tids': return new Map(threads.flatMap(({ id }) => tidOf(String(id)) === undefined ? [] : [[id, id] as const]));
    case 'names': return new Map(threads.flatMap(({ id, name }) => {
      const tid = tidOf(ids.tid.exec(name)?.[1]);
      return tid === undefined ? [] : [[tid, id] as const];
    }));
    case 'main': case 'listed': case 'command': return new Map();
  }
}

/** TIDs from a debugger's own list (form `command`): its number of a thread, and the TID. */
export function tidsOfList(text: string, line: RegExp): ReadonlyMap<number, number> {
  return new Map([...text.matchAll(line)].slice(0, 10_000).flatMap(([, id, tid]) => {
    const number = tidOf(tid);
    return number === undefined || id === undefined ? [] : [[number, Number(id)] as const];
  }));
}

/** TIDs from Python's list of tuples `[(21720, 'MainThread'), (21742, 'Thread-6 (worker)')]`, joined by names that only one thread has. */
export function tidsOfNames(text: string, threads: readonly DapThread[]): ReadonlyMap<number, number> {
  const listed = [...text.matchAll(/\((\d{1,10}), (?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\)/g)].slice(0, 10_000).map(([, tid, single, double]) => ({ tid: tidOf(tid), name: single ?? double ?? '' }));
  const only = (name: string): boolean => listed.filter(it => it.name === name).length === 1 && threads.filter(it => it.name === name).length === 1;
  return new Map(listed.flatMap(({ tid, name }) => {
    const thread = threads.find(it => it.name === name);
    return tid === undefined || thread === undefined || !only(name) ? [] : [[tid, thread.id] as const];
  }));
}
