// Collects from the debugger of a stopped program what the kernel denies to the probe: in which system calls the threads are blocked, and the memory there.
import type { ToldProcess } from '../../native-probe/protocol';
import type { AdapterQuestions } from './adapterQuestions';
import { blockedCall, codeBytes, dapMemory, neededMemory, registersOf } from './blockedRegisters';
import { framesOf, registersScopeOf, variableReferencesOf, variablesOf } from './dapAnswers';
import type { DebuggerCommand, DebuggerRow } from './debuggerTable';

/** Each thread costs several questions. */
const mostThreads = 64;

/** What is asked, and of whom. `announced`: what the adapter can do; some end on a request they do not know. */
export interface Telling {
  readonly questions: AdapterQuestions;
  readonly row: DebuggerRow;
  readonly announced: Readonly<Record<string, unknown>>;
  readonly pid: number;
  /** The adapter's ids by TID. */
  readonly threadIds: ReadonlyMap<number, number>;
  /** False as soon as the program goes on: then nothing of this is true any more. */
  readonly current: () => boolean;
  /** Runs a command of the debugger. */
  readonly run: (command: DebuggerCommand) => Promise<string | undefined>;
}

/** Undefined when nothing was learnt, or the program went on meanwhile. */
export async function tellProcess(telling: Telling): Promise<ToldProcess | undefined> {
  const threads: ToldProcess['threads'][number][] = [];
  const memory = new Map<string, string>();
  const read = async (address: bigint, length: number): Promise<Buffer | undefined> => {
    const bytes = await readMemory(telling, address, length);
    if (bytes) memory.set(`0x${address.toString(16)}`, bytes.toString('base64'));
    return bytes;
  };
  for (const [tid, threadId] of [...telling.threadIds].slice(0, mostThreads)) {
    const registers = await readRegisters(telling, threadId);
    const code = registers && await read(registers.rip - BigInt(codeBytes), codeBytes);
    const call = registers && code && blockedCall(tid, registers, code);
    if (!telling.current()) return undefined;
    if (!call) continue;
    threads.push(call);
    for (const { address, length } of neededMemory(call)) await read(address, length);
  }
  if (!telling.current() || threads.length === 0) return undefined;
  return { pid: telling.pid, threads, memory: [...memory].map(([address, base64]) => ({ address, base64 })) };
}

async function readRegisters({ questions }: Telling, threadId: number): Promise<ReturnType<typeof registersOf>> {
  // Of the innermost frame: outer ones have lost what calls may overwrite.
  const [frame] = framesOf(await questions.tryToAsk('stackTrace', { threadId, startFrame: 0, levels: 1 }));
  const scope = frame === undefined ? 0 : registersScopeOf(await questions.tryToAsk('scopes', { frameId: frame.id }));
  if (scope === 0) return undefined;
  const body = await questions.tryToAsk('variables', { variablesReference: scope });
  const direct = registersOf(variablesOf(body));
  if (direct) return direct;
  // In sets, of which the general purpose registers are the first.
  const [general] = variableReferencesOf(body);
  return general === undefined ? undefined : registersOf(variablesOf(await questions.tryToAsk('variables', { variablesReference: general })));
}

async function readMemory({ questions, row, announced, run }: Telling, address: bigint, length: number): Promise<Buffer | undefined> {
  if (announced.supportsReadMemoryRequest === true) return dapMemory(await questions.tryToAsk('readMemory', { memoryReference: `0x${address.toString(16)}`, offset: 0, count: length }), length);
  const { memory } = row;
  if (!memory) return undefined;
  const text = await run(memory.command(address, length));
  return text === undefined ? undefined : memory.parse(text, address, length);
}
