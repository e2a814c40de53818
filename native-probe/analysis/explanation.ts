// A finding in words: who waits for what, held by whom, link by link. English; names are display text already.
import type { Clause, Finding, IpcObject, Process, ThreadRef, Wait } from '../model';

/** One wait of the chain and the clause of it that keeps the thread; no clause: the thread is stopped. */
export interface ExplainedLink { readonly wait: Wait; readonly clause?: Clause }
export interface Explained {
  readonly verdict: Finding['verdict'];
  /** It holds only if what could not be seen does not help. */
  readonly unlessGaps: boolean;
  readonly links: readonly ExplainedLink[];
  /** How many more threads wait behind the chain. */
  readonly behind: number;
  readonly processes: readonly Process[];
  readonly objects: readonly IpcObject[];
}

/** Longer chains are cut in the words (never in the data): a person reads the first links. */
const spokenLinks = 12;
/** Of the threads that could act. */
const spokenThreads = 4;

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

/** The whole explanation of a finding. */
export function explain({ verdict, unlessGaps, links, behind, processes, objects }: Explained): string {
  const speaker = new Speaker(processes, objects, links);
  const sentences = links.slice(0, spokenLinks).map(link => speaker.link(link));
  if (links.length > spokenLinks) sentences.push(`The chain goes on over ${links.length - spokenLinks} more threads.`);
  if (behind > 0) sentences.push(`${behind} more ${behind === 1 ? 'thread waits' : 'threads wait'} behind them.`);
  const alone = links.length === 1 && verdict === 'deadlocked';
  sentences.push(alone ? 'It can never go on.' : unlessGaps ? unlessSeen[verdict] ?? conclusions[verdict] : conclusions[verdict]);
  return sentences.join(' ');
}

class Speaker {
  readonly #comms: ReadonlyMap<number, string>;
  readonly #objects: ReadonlyMap<string, IpcObject>;
  readonly #threads: ReadonlyMap<string, Wait>;
  readonly #introduced = new Set<string>();
  /** Who else in this chain goes by a name: with two of them the numbers are always said. */
  readonly #bearers = new Map<string, Set<string>>();

  constructor(processes: readonly Process[], objects: readonly IpcObject[], links: readonly ExplainedLink[]) {
    this.#comms = new Map(processes.map(process => [process.pid, process.comm]));
    this.#objects = new Map(objects.map(object => [object.id, object]));
    this.#threads = new Map(links.map(({ wait }) => [`${wait.pid}/${wait.tid}`, wait]));
    for (const { wait, clause } of links.slice(0, spokenLinks)) {
      for (const thread of [wait, ...clause?.alternatives.flatMap(alternative => alternative.threads) ?? []]) {
        const { key, short } = this.#names(thread);
        this.#bearers.set(short, (this.#bearers.get(short) ?? new Set()).add(key));
      }
    }
  }

  link({ wait, clause }: ExplainedLink): string {
    const subject = this.#thread(wait).replace(/^thread /, 'Thread ');
    if (!clause) return `${subject} is stopped.`;
    const limit = wait.timeout === undefined ? '' : wait.timeout === null ? ' (with a time limit)' : ` (${/^[\d.]+ s$/.test(wait.timeout) ? 'for at most' : 'until'} ${wait.timeout})`;
    return `${subject} waits for ${this.#what(wait, clause)}${limit}${this.#who(clause)}.`;
  }

  #names({ pid, tid }: ThreadRef): { key: string; short: string; full: string } {
    const comm = this.#comms.get(pid) ?? this.#threads.get(`${pid}/${tid ?? pid}`)?.threadComm ?? 'process';
    if (tid === undefined || tid === pid) return { key: `${pid}`, short: comm, full: `${comm} (${pid})` };
    const name = this.#threads.get(`${pid}/${tid}`)?.threadComm ?? comm;
    return { key: `${pid}/${tid}`, short: `thread ${name}`, full: `thread ${name} (${pid}/${tid})` };
  }

  /** "thread worker (812/815)" for a thread with a name of its own, "backup (930)" for a process or its main thread; later the name alone. */
  #thread(thread: ThreadRef): string {
    const { key, short, full } = this.#names(thread);
    const name = this.#introduced.has(key) && (this.#bearers.get(short)?.size ?? 0) < 2 ? short : full;
    this.#introduced.add(key);
    return name;
  }

  #what(wait: Wait, clause: Clause): string {
    const id = clause.alternatives[0]?.objectId ?? wait.objectId;
    const object = id === undefined ? undefined : this.#objects.get(id);
    if (!object) return `${wait.operation} to return`;
    return objectPhrase(object);
  }

  #who(clause: Clause): string {
    const able = clause.alternatives.filter(alternative => alternative.threads.length > 0);
    if (able.length === 0) return clause.gaps?.length ? ', whose holder could not be seen' : ', whose owner is gone';
    const seen = new Set<string>();
    const threads = able.flatMap(alternative => alternative.threads).filter(({ pid, tid }) => {
      const key = `${pid}/${tid ?? ''}`;
      const fresh = !seen.has(key);
      seen.add(key);
      return fresh;
    });
    const names = threads.slice(0, spokenThreads).map(thread => this.#thread(thread));
    if (threads.length > spokenThreads) names.push(`${threads.length - spokenThreads} more`);
    const last = names.pop() ?? '';
    const list = names.length > 0 ? `${names.join(', ')} or ${last}` : last;
    const held = able.every(alternative => alternative.event === 'unlock');
    const threshold = (clause.atLeast ?? 1) > 1 ? ` by at least ${clause.atLeast ?? 1}` : '';
    return held ? ` held by ${list}` : `, which needs ${able[0]?.event ?? 'an event'}${threshold} from ${list}`;
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
