// Collects from the debugger of a stopped program what the kernel denies to the probe: in which system calls the threads are blocked, the
// memory that these point to, and the mappings that this memory lies in.
import type { ToldProcess } from '../../native-probe/protocol';
import type { AdapterQuestions } from './adapterQuestions';
import { blockedCall, codeBytes, dapMemory, registersOf } from './blockedRegisters';
import type { Registers } from './blockedRegisters';
import { neededMemory, robustList } from './callMemory';
import { framesOf, registersScopeOf, variableReferencesOf, variablesOf } from './dapAnswers';
import type { DebuggerCommand, StandIn } from './debuggerTable';
import { readMaps } from './toldMaps';

/** Each thread costs several questions. */
const mostThreads = 64;
/** Of one process no more is told: what the probe's request may hold. */
const mostBytes = 1 << 20, mostPieces = 4096;

/** What is asked, and of whom. `announced`: what the adapter can do; some end on a request they do not know. */
export interface Telling {
  readonly questions: AdapterQuestions;
  readonly standIn: StandIn;
  readonly announced: Readonly<Record<string, unknown>>;
  readonly pid: number;
  /** The adapter's ids by TID. */
  readonly threadIds: ReadonlyMap<number, number>;
  /** When it came to stand and when this reading begins, see {@link ToldProcess}. */
  readonly stopped: number;
  readonly read: number;
  /** False as soon as the program goes on: then nothing of this is true any more. */
  readonly current: () => boolean;
  /** Runs a command of the debugger. */
  readonly run: (command: DebuggerCommand) => Promise<string | undefined>;
}

let moments = 0;
/** The next moment in the order of what sessions live through: all of them count by it. */
export function nextMoment(): number {
  return ++moments;
}

/** Undefined when nothing was learnt, or the program went on meanwhile. */
export async function tellProcess(telling: Telling): Promise<ToldProcess | undefined> {
  const { pid, stopped, read: begun, standIn, run, current } = telling;
  const threads: ToldProcess['threads'][number][] = [];
  const robustLists: { tid: number; head: string }[] = [];
  const memory = new Map<string, Buffer>();
  let told = 0;
  const read = async (address: bigint, length: number): Promise<Buffer | undefined> => {
    if (told + length > mostBytes || memory.size >= mostPieces || !current()) return undefined;
    const key = `0x${address.toString(16)}`;
    const known = memory.get(key);
    if (known && known.length >= length) return known.subarray(0, length);
    const bytes = await readMemory(telling, address, length);
    if (bytes) {
      memory.set(key, bytes);
      told += length;
    }
    return bytes;
  };
  const all = standIn.registers && standIn.registers.parse(await run(standIn.registers.command) ?? '');
  for (const [tid, threadId] of [...telling.threadIds].slice(0, mostThreads)) {
    const registers = all ? all.get(tid) : await readRegisters(telling, threadId);
    const code = registers && await read(registers.rip - BigInt(codeBytes), codeBytes);
    if (!current()) return undefined;
    if (registers?.fs_base !== undefined) {
      const head = await robustList(tid, registers.fs_base, read);
      if (head !== undefined) robustLists.push({ tid, head: `0x${head.toString(16)}` });
    }
    const call = registers && code && blockedCall(tid, registers, code);
    if (!call) continue;
    threads.push(call);
    for (const { address, length } of neededMemory(call)) await read(address, length);
  }
  if (!current() || threads.length === 0) return undefined;
  const maps = await readMaps(standIn.maps, pid, run);
  if (!current()) return undefined;
  return {
    pid, stopped, read: begun, threads, memory: [...memory].map(([address, bytes]) => ({ address, base64: bytes.toString('base64') })),
    ...(maps === undefined ? {} : { maps }), ...(robustLists.length === 0 ? {} : { robustLists }),
  };
}

async function readRegisters({ questions }: Telling, threadId: number): Promise<Registers | undefined> {
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

async function readMemory({ questions, standIn: { memory }, announced, run }: Telling, address: bigint, length: number): Promise<Buffer | undefined> {
  if (announced.supportsReadMemoryRequest === true) return dapMemory(await questions.tryToAsk('readMemory', { memoryReference: `0x${address.toString(16)}`, offset: 0, count: length }), length);
  const text = await run(memory.command(address, length));
  return text === undefined ? undefined : memory.parse(text, address, length);
}
