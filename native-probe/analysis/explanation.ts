// A finding in words: who waits for what, held by whom, link by link. English; names are display text already.
import type { Clause, ExplanationPart, Finding, IpcObject, Process, ThreadRef, Wait } from '../model';

/** One wait of the chain and the clause of it that keeps the thread; no clause: the thread is stopped. */
export interface ExplainedLink { readonly wait: Wait; readonly clause?: Clause }
export interface Explained {
  readonly verdict: Finding['verdict'];
  /** It holds only if what could not be seen does not help. */
  readonly unlessGaps: boolean;
  /** How long the chain is. */
  readonly length: number;
  /** A link of it, from 0 on: asked for those that are put into words only. */
  readonly link: (index: number) => ExplainedLink | undefined;
  /** How many more threads wait behind the chain. */
  readonly behind: number;
}

/** Longer chains are cut in the words (never in the data): a person reads the first links. */
const spokenLinks = 12;
/** Of the threads that could act. */
const spokenThreads = 4;
/** Of a snapshot; the others are told in one sentence. */
const spokenFindings = 1000;

/** The sentence that ends an explanation: what the verdict means for these threads. */
const conclusions: Readonly<Record<Finding['verdict'], string>> = {
  'deadlocked': 'None of them can go on.',
  'deadlocked-until-timeout': 'None of them can go on before a time limit expires.',
  'behind-stopped': 'They go on only after the stopped thread is continued.',
  'orphaned': 'Nobody alive can release it.',
  'suspected': 'This is a deadlock unless somebody who could not be seen acts (see the gaps).',
};

/** Where gaps stand in the chain. */
const unlessSeen: Readonly<Partial<Record<Finding['verdict'], string>>> = { 'behind-stopped': 'They go on only after the stopped thread is continued, unless somebody who could not be seen acts (see the gaps).' };

/** Explains the findings of one judgement; what they share is looked up once. */
export class Narrator {
  readonly #names: Names;
  readonly #objects: ReadonlyMap<string, IpcObject>;
  #explained = 0;

  /** @param waitOf the wait of a thread, where it has one: for the thread's name */
  constructor(processes: readonly Process[], objects: readonly IpcObject[], waitOf: (pid: number, tid: number) => Wait | undefined) {
    this.#names = new Names(processes, waitOf);
    this.#objects = new Map(objects.map(object => [object.id, object]));
  }

  /** The whole explanation of a finding, in pieces: what names an object or a thread stands apart. */
  explain({ verdict, unlessGaps, length, link, behind }: Explained): readonly ExplanationPart[] {
    this.#explained++;
    const told = this.#explained > spokenFindings ? 0 : Math.min(length, spokenLinks);
    const parts: ExplanationPart[] = [];
    if (told > 0) {
      const links = Array.from({ length: told }, (_, index) => link(index)).filter(each => each !== undefined);
      const speaker = new Speaker(this.#names, this.#objects, links);
      for (const each of links) parts.push(...speaker.link(each), ' ');
    } else parts.push(length === 1 ? 'One of too many findings to tell each in words: see its thread. ' : `One of too many findings to tell each in words: see its chain of ${length} threads. `);
    const rest = length - told;
    if (rest > 0 && told > 0) parts.push(`The chain goes on over ${rest} more ${rest === 1 ? 'thread' : 'threads'}. `);
    if (behind > 0) parts.push(`${behind} more ${behind === 1 ? 'thread waits' : 'threads wait'} behind them. `);
    const alone = length === 1 && verdict === 'deadlocked';
    parts.push(alone ? 'It can never go on.' : unlessGaps ? unlessSeen[verdict] ?? conclusions[verdict] : conclusions[verdict]);
    return parts;
  }
}

/** An explanation as one text. */
export function spoken(parts: readonly ExplanationPart[]): string {
  return parts.map(part => typeof part === 'string' ? part : part.text).join('');
}

/** What threads are called. */
class Names {
  readonly #comms: ReadonlyMap<number, string>;
  constructor(processes: readonly Process[], readonly waitOf: (pid: number, tid: number) => Wait | undefined) {
    this.#comms = new Map(processes.map(process => [process.pid, process.comm]));
  }

  of({ pid, tid }: ThreadRef): { key: string; short: string; full: string } {
    const comm = this.#comms.get(pid) ?? this.waitOf(pid, tid ?? pid)?.threadComm ?? 'process';
    if (tid === undefined || tid === pid) return { key: `${pid}`, short: comm, full: `${comm} (${pid})` };
    const name = this.waitOf(pid, tid)?.threadComm ?? comm;
    return { key: `${pid}/${tid}`, short: `thread ${name}`, full: `thread ${name} (${pid}/${tid})` };
  }
}

/** The first few different threads of those who could act, and how many there are. */
function ableThreads({ alternatives }: Clause): { first: ThreadRef[]; count: number } {
  const seen = new Set<number>();
  const first: ThreadRef[] = [];
  for (const { threads } of alternatives) {
    for (const thread of threads) {
      const key = thread.pid * 0x800000 + (thread.tid ?? -1);
      if (seen.has(key)) continue;
      seen.add(key);
      if (first.length < spokenThreads) first.push(thread);
    }
  }
  return { first, count: seen.size };
}

class Speaker {
  readonly #introduced = new Set<string>();
  readonly #able = new Map<Clause, { readonly first: readonly ThreadRef[]; readonly count: number }>();
  /** Who else in this chain goes by a name: with two of them the numbers are always said. */
  readonly #bearers = new Map<string, Set<string>>();

  constructor(readonly names: Names, readonly objects: ReadonlyMap<string, IpcObject>, links: readonly ExplainedLink[]) {
    for (const { wait, clause } of links) {
      const able = clause && ableThreads(clause);
      if (clause && able) this.#able.set(clause, able);
      for (const thread of [wait, ...able?.first ?? []]) {
        const { key, short } = names.of(thread);
        this.#bearers.set(short, (this.#bearers.get(short) ?? new Set()).add(key));
      }
    }
  }

  link({ wait, clause }: ExplainedLink): ExplanationPart[] {
    const thread = this.#thread(wait);
    const subject = { ...thread, text: thread.text.replace(/^thread /, 'Thread ') };
    if (!clause) return [subject, ' is stopped.'];
    const limit = wait.timeout === undefined ? '' : wait.timeout === null ? ' (with a time limit)' : ` (${/^[\d.]+ s$/.test(wait.timeout) ? 'for at most' : 'until'} ${wait.timeout})`;
    return [subject, ' waits for ', this.#what(wait, clause), limit, ...this.#who(clause), '.'];
  }

  /** "thread worker (812/815)" for a thread with a name of its own, "backup (930)" for a process or its main thread; later the name alone. */
  #thread(thread: ThreadRef): ThreadRef & { readonly text: string } {
    const { key, short, full } = this.names.of(thread);
    const text = this.#introduced.has(key) && (this.#bearers.get(short)?.size ?? 0) < 2 ? short : full;
    this.#introduced.add(key);
    return { text, pid: thread.pid, ...(thread.tid === undefined ? {} : { tid: thread.tid }) };
  }

  #what(wait: Wait, clause: Clause): ExplanationPart {
    const id = clause.alternatives[0]?.objectId ?? wait.objectId;
    const object = id === undefined ? undefined : this.objects.get(id);
    if (!object) return `${wait.operation} to return`;
    return { text: objectPhrase(object), objectId: object.id };
  }

  #who(clause: Clause): ExplanationPart[] {
    const able = clause.alternatives.filter(alternative => alternative.threads.length > 0);
    if (able.length === 0) return [clause.gaps?.length ? ', whose holder could not be seen' : ', whose owner is gone'];
    const { first, count } = this.#able.get(clause) ?? ableThreads(clause);
    const names: ExplanationPart[] = first.map(thread => this.#thread(thread));
    if (count > first.length) names.push(`${count - first.length} more`);
    const list = names.flatMap((name, i) => i === 0 ? [name] : [i === names.length - 1 ? ' or ' : ', ', name]);
    const held = able.every(alternative => alternative.event === 'unlock');
    const threshold = (clause.atLeast ?? 1) > 1 ? ` by at least ${clause.atLeast ?? 1}` : '';
    return [held ? ' held by ' : `, which needs ${able[0]?.event ?? 'an event'}${threshold} from `, ...list];
  }
}

/** An object as a sentence names it: "mutex 0x…", "a flock lock on /path". */
export function objectPhrase(object: IpcObject): string {
  switch (object.kind) {
    case 'flock-lock': return `a flock lock on ${object.name ?? 'a file whose path is unknown'}`;
    case 'mutex': return `mutex ${object.name ?? object.state.address ?? object.id}`;
    case 'futex': return `futex ${object.name ?? object.state.address ?? object.id}`;
    case 'record-lock': return `a record lock on ${object.name ?? 'a file whose path is unknown'}`;
    case 'ofd-lock': return `an OFD lock on ${object.name ?? 'a file whose path is unknown'}`;
    case 'lease': return `a lease on ${object.name ?? 'a file whose path is unknown'}`;
    // Ids begin with the kind.
    default: return `${object.kind.replaceAll('-', ' ')} ${object.name ?? object.id.slice(object.kind.length + 1)}`;
  }
}
