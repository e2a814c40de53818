// What one debug session's debugger knows of its program: where its stopped threads are, and which variables lie at addresses.
// It is only asked; nothing is evaluated in the program, stopped or continued. What it told holds until the program goes on.
import { framesOf, localsOf, resultOf, threadsOf, variablesOf } from './dapAnswers';
import type { DapFrame } from './dapAnswers';
import { AdapterQuestions } from './adapterQuestions';
import type { Adapter } from './adapterQuestions';
import { debuggerRow, isPlainName, tidsOfList, tidsOfNames, tidsOfThreads } from './debuggerTable';
import type { DebuggerCommand, DebuggerRow, Naming } from './debuggerTable';
import { resumes } from '../sessions/adapterMessages';
import { frameThatMatters, functionName } from './frameChoice';
import { nextMoment, tellProcess } from './toldProcess';
import type { ToldProcess } from '../../native-probe/protocol';

/** Where a stopped thread is: the frame that matters. */
export interface ThreadPlace {
  readonly sessionId: string;
  readonly threadId: number;
  readonly frameId: number;
  readonly function: string;
  /** Absent where the debugger knows no source. */
  readonly path?: string;
  readonly sourceReference?: number;
  /** From 1; 0 where no line is known. */
  readonly line: number;
  readonly column: number;
}

/** A thing in memory that wants a name: its address in a process, and the threads of that process that wait on it or hold it. */
export interface AddressQuestion { readonly objectId: string; readonly pid: number; readonly address: bigint; readonly users: readonly number[] }
/** What a snapshot gives reason to ask, the most interesting first. */
export interface Questions {
  readonly threads: readonly { readonly pid: number; readonly tid: number }[];
  readonly addresses: readonly AddressQuestion[];
  /** Processes of which the kernel denies to the probe what their threads are blocked in. */
  readonly denied: ReadonlySet<number>;
}

/** At one stop no more than these are asked: a debugger needs milliseconds for each. */
const mostPlaces = 128, mostNames = 64;
/** Frames that are asked for: locks are taken near the top. */
const levels = 40;
/** The callers whose variables are looked through for a name. */
const mostCallers = 3;

interface Name { readonly text: string; readonly asked: number; /** Told by the variables of this thread's frames: true only while it waits there or holds it. */ readonly tid?: number }

export class SessionKnowledge {
  private readonly questions: AdapterQuestions;
  private readonly row: DebuggerRow | undefined;
  /** Goes up whenever the program stops or goes on: what was asked before is about another moment. */
  private moment = 0;
  private isStopped = false;
  private pid: number | undefined;
  private elsewhere = false;
  private joinedAt = -1;
  private threadIds: ReadonlyMap<number, number> = new Map();
  private readonly places = new Map<number, ThreadPlace>();
  private readonly stacks = new Map<number, readonly DapFrame[]>();
  private readonly names = new Map<string, Name>();
  private tried = new Set<string>();
  private wanted: Questions = { threads: [], addresses: [], denied: new Set() };
  private announced: Readonly<Record<string, unknown>> = {};
  /** Goes up when somebody may have changed the stopped program. */
  private disturbances = 0;
  /** When it came to stand, in the order of all sessions' moments. */
  private stoppedAt = 0;
  /** It was asked to go on, and has not answered yet. */
  private leaving = false;
  /** The process that the kernel denies, once that was found. */
  private deniedPid: number | undefined;
  private told: { readonly moment: number; readonly disturbances: number; readonly process: ToldProcess | undefined } | undefined;
  /** What this asks itself; whatever else is evaluated may change the program. */
  private readonly own = new Set<string>();
  /** The frame that the user's commands are about: adapters take it from the last request for scopes. */
  private selected: number | undefined;
  private moved = false;
  private working = false;
  private again = false;
  private over = false;

  /** @param onChange called when more or something else is known */
  constructor(private readonly adapter: Adapter, private readonly onChange: () => void, limit?: number) {
    this.questions = new AdapterQuestions(adapter, limit);
    this.row = debuggerRow(adapter.type, adapter.configuration);
  }

  get stopped(): boolean { return this.isStopped; }
  /** It is being asked something. */
  get busy(): boolean { return this.working; }

  /** Its debugger can be asked something, and the program runs on this machine. */
  get useful(): boolean {
    // The threads in a core dump are dead; their numbers may be others' by now.
    return this.row !== undefined && !this.elsewhere && this.adapter.configuration.coreFile === undefined && this.adapter.configuration.coreDumpPath === undefined;
  }

  /** Whether a thread is one of this session's, by its TID; of a process that was told also before its threads are known. */
  has(tid: number): boolean { return this.useful && (this.threadIds.has(tid) || this.pid === tid); }

  placeOf(tid: number): ThreadPlace | undefined { return this.places.get(tid); }
  /** The only thread there is, when there is only one. */
  get onlyTid(): number | undefined { return this.threadIds.size === 1 ? [...this.threadIds.keys()][0] : undefined; }
  nameOf(objectId: string): string | undefined { return this.names.get(objectId)?.text; }
  /** What the kernel denies to the probe, as the debugger has it; only while the program is stopped. */
  get toldProcess(): ToldProcess | undefined { return this.isStopped && !this.leaving && this.isToldNow ? this.told?.process : undefined; }
  private get isToldNow(): boolean { return this.told?.moment === this.moment && this.told.disturbances === this.disturbances; }
  /** The adapter's own id of a thread. */
  threadIdOf(tid: number): number | undefined { return this.threadIds.get(tid); }

  /** The program has stopped. */
  stop(): void {
    this.isStopped = true;
    this.leaving = false;
    this.stoppedAt = nextMoment();
    this.questions.trustAgain();
    this.begin();
  }

  /** The program goes on. */
  goOn(): void {
    this.isStopped = false;
    this.leaving = false;
    this.begin();
  }

  /** The adapter has told the process. */
  runs(pid: number | undefined, elsewhere: boolean): void {
    this.pid = pid;
    this.elsewhere ||= elsewhere;
    if (elsewhere) this.begin();
  }

  /** The adapter has told what it can do. */
  announce(capabilities: Readonly<Record<string, unknown>>): void {
    this.announced = { ...this.announced, ...capabilities };
  }

  /** Another program has come to stand: memory that this one shares with it can be believed only if it is read again. */
  otherStopped(): void {
    if (this.told?.process === undefined || !this.isStopped) return;
    this.disturbances++;
    void this.work();
  }

  /** A request to go on was refused. */
  stays(): void {
    if (!this.leaving) return;
    this.leaving = false;
    void this.work();
  }

  /** Somebody sends a request to the adapter: some of them select a frame, change memory or let the program run for a moment. */
  sees(command: string, { expression, frameId }: { readonly expression?: unknown; readonly frameId?: unknown } = {}): void {
    if (command === 'scopes' && typeof frameId === 'number' && !this.questions.isAsking(command, frameId)) this.selected = frameId;
    if (!this.isStopped) return;
    if (resumes.has(command) || command === 'disconnect' || command === 'terminate' || command === 'restart') {
      // From now on it may run, whenever the answer comes.
      this.leaving = true;
      this.disturbances++;
      this.onChange();
      return;
    }
    const changes = command === 'setVariable' || command === 'setExpression' || command === 'writeMemory' || (command === 'evaluate' && !(typeof expression === 'string' && this.own.has(expression)));
    if (!changes) return;
    this.disturbances++;
    void this.work();
  }

  /** Asks what is not known yet, soon. */
  want(wanted: Questions): void {
    this.wanted = wanted;
    for (const [objectId, { tid }] of this.names) {
      if (tid === undefined || wanted.addresses.some(it => it.objectId === objectId && it.users.includes(tid))) continue;
      this.names.delete(objectId);
      // It may only have been out of sight for one look, while somebody was being attached.
      this.tried.delete(`frames ${objectId}`);
    }
    void this.work();
  }

  /** The session is over. */
  end(): void {
    this.over = true;
    this.questions.end();
  }

  private begin(): void {
    this.moment++;
    this.selected = undefined;
    this.moved = false;
    this.places.clear();
    this.stacks.clear();
    this.tried = new Set();
    this.onChange();
    void this.work();
  }

  private async work(): Promise<void> {
    if (this.working) {
      this.again = true;
      return;
    }
    this.working = true;
    try {
      do {
        this.again = false;
        await this.round(this.moment);
      } while (this.again && !this.over);
    } finally {
      this.working = false;
    }
  }

  private async round(moment: number): Promise<void> {
    const { row } = this;
    const current = (): boolean => !this.over && this.moment === moment;
    if (!row || !this.useful || (this.wanted.threads.length === 0 && this.wanted.addresses.length === 0 && this.wanted.denied.size === 0 && this.deniedPid === undefined)) return;
    if (this.joinedAt !== moment || this.threadIds.size === 0) {
      const joined = await this.join(row);
      if (!current()) return;
      this.joinedAt = moment;
      const news = joined.size > 0 && [...joined].join() !== [...this.threadIds].join();
      if (joined.size > 0) this.threadIds = joined;
      if (news) this.onChange();
    }
    await this.standIn(row, moment);
    if (!current()) return;
    const { naming } = row;
    const addresses = this.wanted.addresses.filter(it => this.threadIds.has(it.pid)).slice(0, mostNames);
    if (naming && (this.isStopped || naming.whileRunning)) {
      for (const question of addresses) {
        if (!current()) return;
        await this.nameGlobal(question, naming, moment);
      }
    }
    if (!this.isStopped) return;
    for (const { tid } of this.wanted.threads.filter(it => this.threadIds.has(it.tid)).slice(0, mostPlaces)) {
      if (!current()) return;
      await this.findPlace(tid, moment);
    }
    if (!naming) return;
    for (const question of addresses) {
      if (!current()) return;
      await this.nameByFrames(question, naming, moment);
    }
    // Back to the user's frame: what they type into the debug console is about that one.
    if (!this.moved || !current() || this.selected === undefined) return;
    this.moved = false;
    await this.questions.tryToAsk('scopes', { frameId: this.selected });
  }

  /** Where the kernel denies them to the probe: what the threads are blocked in, and the memory there. */
  private async standIn(row: DebuggerRow, moment: number): Promise<void> {
    this.deniedPid = [...this.wanted.denied].find(it => it === this.pid || this.threadIds.has(it)) ?? this.deniedPid;
    const pid = this.deniedPid;
    if (pid === undefined || !row.standIn || !this.isStopped || this.leaving || this.isToldNow) return;
    const { disturbances } = this;
    const current = (): boolean => !this.over && !this.leaving && this.moment === moment && this.disturbances === disturbances;
    this.moved = true; // registers are asked for by scopes
    const process = await tellProcess({
      questions: this.questions, standIn: row.standIn, announced: this.announced, pid, threadIds: this.threadIds,
      stopped: this.stoppedAt, read: nextMoment(), run: command => this.run(command), current,
    });
    if (!current()) return;
    this.told = { moment, disturbances, process };
    if (process) this.onChange();
  }

  /** The kernel's ids of the session's threads. */
  private async join({ threads: ids }: DebuggerRow): Promise<ReadonlyMap<number, number>> {
    const threads = threadsOf(await this.questions.tryToAsk('threads'));
    const [first] = threads;
    switch (ids.form) {
      case 'tids': case 'names': return tidsOfThreads(threads, ids);
      case 'command': return tidsOfList(await this.run(ids.command) ?? '', ids.line);
      case 'main': {
        if (!first) return new Map();
        const pid = Number(await this.evaluate(ids.pid, undefined) ?? '');
        return Number.isSafeInteger(pid) && pid > 0 ? new Map([[pid, first.id]]) : new Map();
      }
      case 'listed': {
        const main = threads.find(it => it.name === ids.mainName);
        const known = new Map(main && this.pid !== undefined ? [[this.pid, main.id]] : []);
        if (!this.isStopped) return known;
        // A thread that is blocked in C cannot answer: any other does.
        for (const { id } of threads.slice(0, mostCallers)) {
          const frame = framesOf(await this.questions.tryToAsk('stackTrace', { threadId: id, startFrame: 0, levels: 1 }))[0];
          const listed = frame && await this.evaluate(ids.expression, frame.id);
          if (listed !== undefined) return new Map([...known, ...tidsOfNames(listed, threads)]);
        }
        return known;
      }
    }
  }

  private async findPlace(tid: number, moment: number): Promise<void> {
    const threadId = this.threadIds.get(tid);
    if (threadId === undefined || this.stacks.has(tid)) return;
    const frames = framesOf(await this.questions.tryToAsk('stackTrace', { threadId, startFrame: 0, levels }));
    if (this.moment !== moment || this.over) return;
    this.stacks.set(tid, frames);
    const frame = frameThatMatters(frames);
    if (!frame) return;
    this.places.set(tid, {
      sessionId: this.adapter.id, threadId, frameId: frame.id, function: functionName(frame), line: frame.line, column: frame.column,
      ...(frame.path === undefined ? {} : { path: frame.path }), ...(frame.sourceReference === undefined ? {} : { sourceReference: frame.sourceReference }),
    });
    this.onChange();
  }

  private async nameGlobal({ objectId, address }: AddressQuestion, naming: Naming, moment: number): Promise<void> {
    const key = `global ${objectId}`;
    if (this.tried.has(key) || (!this.isStopped && this.names.has(objectId))) return;
    this.tried.add(key);
    const text = await this.run(naming.symbol(address));
    const at = text === undefined ? undefined : naming.parseSymbol(text);
    let name = at && (at.offset === 0 ? at.symbol : `${at.symbol}+${at.offset}`);
    if (at && isPlainName(at.symbol)) {
      const layout = await this.run(naming.members(at.symbol));
      name = (layout === undefined ? undefined : naming.parseMember(layout, at, address)) ?? name;
    }
    if (this.moment !== moment || this.over || text === undefined) return;
    if (name !== undefined) this.tell(objectId, { text: name, asked: moment });
    // Not a variable any more: another program runs in this process (exec).
    else if (this.names.get(objectId)?.tid === undefined && this.names.delete(objectId)) this.onChange();
  }

  /** Objects on the heap, on stacks and in shared memory have no symbol, but whoever waits on one or holds it has a variable that leads to it. */
  private async nameByFrames({ objectId, address, users }: AddressQuestion, naming: Naming, moment: number): Promise<void> {
    const key = `frames ${objectId}`;
    if (users.length === 0 || this.tried.has(key) || this.names.has(objectId)) return;
    this.tried.add(key);
    let pointer: Name | undefined;
    for (const tid of users.slice(0, mostCallers)) {
      if (!this.stacks.has(tid)) await this.findPlace(tid, moment);
      const frames = this.stacks.get(tid) ?? [];
      const place = this.places.get(tid);
      const first = frames.findIndex(frame => frame.id === place?.frameId);
      const frame = frames[first];
      if (!frame) continue;
      const ways = [...frames.slice(first, first + mostCallers).map(it => () => this.variableAt(it, address, naming)), () => this.staticAt(frame, address, naming)];
      for (const way of ways) {
        const text = await way();
        if (this.moment !== moment || this.over) return;
        if (text === undefined) continue;
        // `own->lock` tells more than `*mutex`, which is what a function calls its argument.
        if (!text.startsWith('*')) return this.tell(objectId, { text, asked: moment, tid });
        pointer ??= { text, asked: moment, tid };
      }
    }
    if (pointer) this.tell(objectId, pointer);
  }

  /** What the static variables of a frame's source file lead to. */
  private async staticAt(frame: DapFrame, address: bigint, { staticVariables, parseFrameVariables }: Naming): Promise<string | undefined> {
    const text = staticVariables && await this.runIn(frame, staticVariables);
    return text === undefined ? undefined : parseFrameVariables?.(text, address);
  }

  private async variableAt(frame: DapFrame, address: bigint, { frameVariables, parseFrameVariables }: Naming): Promise<string | undefined> {
    if (frameVariables && parseFrameVariables) {
      const text = await this.runIn(frame, frameVariables);
      return text === undefined ? undefined : parseFrameVariables(text, address);
    }
    const locals = localsOf(await this.questions.tryToAsk('scopes', { frameId: frame.id }));
    if (locals === 0) return undefined;
    const pointing = variablesOf(await this.questions.tryToAsk('variables', { variablesReference: locals })).find(({ value }) => {
      const target = /^0x[0-9a-f]{1,16}\b/i.exec(value)?.[0];
      return target !== undefined && BigInt(target) === address;
    });
    return pointing && `*${pointing.name}`;
  }

  private tell(objectId: string, name: Name): void {
    const before = this.names.get(objectId)?.text;
    this.names.set(objectId, name);
    if (before !== name.text) this.onChange();
  }

  private async run({ expression, context }: DebuggerCommand, frameId?: number): Promise<string | undefined> {
    this.own.add(expression);
    return resultOf(await this.questions.tryToAsk('evaluate', { expression, context, ...(frameId === undefined ? {} : { frameId }) }));
  }

  /** lldb-dap runs commands in the selected frame, whatever frame the request names, and selects by requests for scopes. */
  private async runIn(frame: DapFrame, command: DebuggerCommand): Promise<string | undefined> {
    this.moved = true;
    await this.questions.tryToAsk('scopes', { frameId: frame.id });
    return this.run(command, frame.id);
  }

  private async evaluate(expression: string, frameId: number | undefined): Promise<string | undefined> {
    return this.run({ expression, context: 'watch' }, frameId);
  }
}
