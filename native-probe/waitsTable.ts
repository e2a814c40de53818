// Waits as a person reads them in a terminal: a tree of chains. Findings first, then who blocks most and everybody behind,
// then the other blocked threads by what they wait on; idle ones are only counted.
import type { Clause, Finding, Gap, Snapshot, ThreadRef, Wait } from './model';
import { objectPhrase } from './analysis/explanation';
import type { WaitGroup } from './analysis/waitOrder';
import { gapsAmongWaits, orderWaits } from './analysis/waitOrder';

const titles: Readonly<Record<Finding['verdict'], string>> = {
  'deadlocked': 'DEADLOCKED', 'deadlocked-until-timeout': 'DEADLOCKED UNTIL A TIME LIMIT', 'orphaned': 'ORPHANED', 'behind-stopped': 'BEHIND A STOPPED THREAD', 'suspected': 'SUSPECTED DEADLOCK',
};
const worstFirst = Object.keys(titles) as readonly Finding['verdict'][];

/** A line of a tree and what stands below it. */
interface Branch { readonly text: string; readonly below?: readonly Branch[] }

/** The answer to "who waits for whom?". `everybody`: asked of the whole machine. Names are display text already, so nothing here can drive the terminal. */
export function formatWaits(snapshot: Snapshot, everybody = false): string {
  const words = new Words(snapshot);
  const { blockers, others, idle, stopped } = orderWaits(snapshot, everybody);
  const lines: string[] = [];
  const findings = [...snapshot.findings].sort((a, b) => worstFirst.indexOf(a.verdict) - worstFirst.indexOf(b.verdict));
  for (const finding of findings) lines.push(...tree(words.finding(finding)), '');
  if (findings.length === 0) lines.push('No deadlock found.', '');
  for (const { thread, blocks, own, groups } of blockers) {
    const itself = own === undefined ? 'and waits for nobody' : `and is itself in ${words.operation(own)}`;
    lines.push(...tree({ text: `${words.thread(thread)} blocks ${count(blocks, 'thread')} ${itself}:`, below: groups.map(group => words.group(group)) }), '');
  }
  if (others.length > 0) lines.push(...tree({ text: 'Waiting for nobody in particular:', below: others.map(group => words.group(group)) }), '');
  const idleThreads = idle.reduce((total, group) => total + group.waits.length, 0);
  if (idleThreads > 0) lines.push(`${count(idleThreads, 'idle thread')}: ${idle.map(({ operation, waits }) => `${operation} ${waits.length}`).join(', ')} (--json lists them).`);
  if (stopped.length > 0) lines.push(`${count(stopped.length, 'thread')} ${stopped.length === 1 ? 'is' : 'are'} stopped: ${some(stopped.map(wait => words.thread(wait)), 8)}.`);
  const alike = new Map<string, Gap[]>();
  for (const gap of gapsAmongWaits(snapshot)) {
    const { scope: { pid, field = '' }, errno, remedy, reason } = gap;
    const cause = JSON.stringify(pid === undefined ? reason : [field.split(',')[0], errno, remedy]);
    alike.set(cause, [...alike.get(cause) ?? [], gap]);
  }
  for (const [first, ...more] of alike.values()) {
    if (first) lines.push(`Not seen: ${first.reason}${more.length === 0 ? '' : ` (and ${more.length} more like this)`}${first.remedy === undefined ? '' : `; ${first.remedy}`}.`);
  }
  while (lines.at(-1) === '') lines.pop();
  return `${lines.join('\n')}\n`;
}

class Words {
  readonly #comms: ReadonlyMap<number, string>;
  readonly #objects: ReadonlyMap<string, Snapshot['objects'][number]>;
  readonly #waits: ReadonlyMap<string, Wait>;
  readonly #gaps: ReadonlyMap<string, Snapshot['gaps'][number]>;

  constructor(snapshot: Snapshot) {
    this.#comms = new Map(snapshot.processes.map(process => [process.pid, process.comm]));
    this.#objects = new Map(snapshot.objects.map(object => [object.id, object]));
    this.#waits = new Map(snapshot.waits.map(wait => [`${wait.pid}/${wait.tid}`, wait]));
    this.#gaps = new Map(snapshot.gaps.map(gap => [gap.id, gap]));
  }

  finding({ verdict, threads, chain, gaps, explanation }: Finding): Branch {
    const inChain = new Set(chain.map(link => `${link.pid}/${link.tid}`));
    const behind = threads.flatMap(({ pid, tid }) => inChain.has(`${pid}/${tid}`) ? [] : this.#waits.get(`${pid}/${tid}`) ?? []);
    return {
      text: `${titles[verdict]}: ${count(threads.length, 'thread')}. ${explanation}`,
      below: [
        ...chain.map((link, i) => {
          const wait = this.#waits.get(`${link.pid}/${link.tid}`);
          if (verdict === 'behind-stopped' && i === chain.length - 1 && (wait === undefined || wait.stopped === true)) return { text: `${this.thread(link)} is stopped${wait && wait.clauses.length > 0 ? ` in ${wait.operation}` : ''}` };
          return { text: wait ? `${this.thread(link)}: ${this.operation(wait)} → ${this.#object(link.objectId) ?? 'no object'}${this.#by(wait)}` : this.thread(link) };
        }),
        ...behind.length === 0 ? [] : [{ text: `${count(behind.length, 'thread')} behind them:`, below: behind.map(wait => ({ text: this.#line(wait) })) }],
        ...gaps.map(id => {
          const gap = this.#gaps.get(id);
          return { text: `unless: ${gap?.reason ?? id}${gap?.remedy === undefined ? '' : `; ${gap.remedy}`}` };
        }),
      ],
    };
  }

  group({ objectId, operation, waits }: WaitGroup): Branch {
    const object = this.#object(objectId);
    return { text: `${object ?? operation}: ${count(waits.length, 'thread')}`, below: waits.map(wait => ({ text: object === undefined ? `${this.thread(wait)}${this.#by(wait)}` : this.#line(wait, false) })) };
  }

  /** "worker 812/815", "backup 930" for a process or its main thread. */
  thread({ pid, tid }: ThreadRef): string {
    const comm = this.#comms.get(pid) ?? '?';
    if (tid === undefined || tid === pid) return `${comm} ${pid}`;
    const name = this.#waits.get(`${pid}/${tid}`)?.threadComm;
    return name === undefined || name === comm ? `${comm} ${pid}/${tid}` : `${comm} ${pid}/${tid} (${name})`;
  }

  operation({ operation, timeout, stopped }: Wait): string {
    const limit = timeout === undefined ? '' : timeout === null ? ' with an unknown time limit' : ` with time limit ${timeout}`;
    return `${operation}${limit}${stopped ? ' (stopped)' : ''}`;
  }

  #object(id: string | undefined): string | undefined {
    const object = id === undefined ? undefined : this.#objects.get(id);
    return object && objectPhrase(object);
  }

  #line(wait: Wait, withObject = true): string {
    const object = withObject ? this.#object(wait.objectId) : undefined;
    return `${this.thread(wait)}: ${this.operation(wait)}${object === undefined ? '' : ` → ${object}`}${this.#by(wait)}`;
  }

  /** Who could end it. */
  #by({ clauses }: Wait): string {
    const words = clauses.map(clause => this.#clause(clause)).join(', and ');
    return words === '' ? '' : `, until ${words}`;
  }

  #clause({ alternatives, external, gaps = [], atLeast = 1 }: Clause): string {
    const threads = new Map(alternatives.flatMap(alternative => alternative.threads).map(thread => [`${thread.pid}/${thread.tid ?? ''}`, thread]));
    const names = [...threads.values()].slice(0, 3).map(thread => this.thread(thread));
    if (threads.size > 3) names.push(`one of ${threads.size - 3} more`);
    if (names.length === 0) return external ?? (gaps.length > 0 ? 'somebody who could not be seen acts' : 'nobody alive acts');
    const who = `${atLeast > 1 ? `at least ${atLeast} of ` : ''}${names.join(' or ')}`;
    return external === undefined ? `${who} acts` : `${who} acts, or ${external}`;
  }
}

function tree({ text, below = [] }: Branch, first = '', further = ''): string[] {
  return [`${first}${text}`, ...below.flatMap((branch, i) => i === below.length - 1 ? tree(branch, `${further}└─ `, `${further}   `) : tree(branch, `${further}├─ `, `${further}│  `))];
}

function some(names: readonly string[], most: number): string {
  return names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
