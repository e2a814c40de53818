// Who waits on the object, and what could not be seen of it. Pure.
import type { Gap, Process, ThreadRef, Wait, WaitVerdict } from '../../native-probe/model';
import type { Note, Section } from '../../webview/protocol';
import { grouped } from '../snapshotIndex';
import { l10n } from '../translation';
import type { Inspected } from './inspected';

/** At most so many notes: more are counted, not shown. */
const mostNotes = 50;

/** A verdict in words. */
export function verdictInWords(verdict: WaitVerdict): string {
  switch (verdict) {
    case 'deadlocked': return l10n.t('deadlocked');
    case 'suspected': return l10n.t('suspected deadlock');
    case 'deadlocked-until-timeout': return l10n.t('deadlocked until a timeout');
    case 'behind-stopped': return l10n.t('behind a stopped thread');
    case 'orphaned': return l10n.t('orphaned');
    case 'waiting': return l10n.t('waiting');
    default: return verdict satisfies never;
  }
}

function severityOf(verdict: WaitVerdict): Note['severity'] {
  switch (verdict) {
    case 'deadlocked': case 'orphaned': return 'error';
    case 'suspected': case 'deadlocked-until-timeout': case 'behind-stopped': return 'warning';
    case 'waiting': return 'info';
    default: return verdict satisfies never;
  }
}

function threadName({ pid, tid }: ThreadRef, processes: ReadonlyMap<number, Process>): string {
  const comm = processes.get(pid)?.comm;
  const process = comm === undefined ? String(pid) : l10n.t('{0} ({1})', comm, pid);
  return tid === undefined || tid === pid ? process : l10n.t('{0} thread {1}', process, tid);
}

function waitLines(wait: Wait, processes: ReadonlyMap<number, Process>): readonly string[] {
  const lines: string[] = [];
  if (wait.timeout === null) lines.push(l10n.t('It has a timeout that could not be read.'));
  else if (wait.timeout !== undefined) lines.push(l10n.t('Timeout: {0}', wait.timeout));
  if (wait.stopped) lines.push(l10n.t('The thread is stopped: it goes on only when continued.'));
  for (const clause of wait.clauses) {
    for (const { event, threads } of clause.alternatives) {
      const names = threads.slice(0, 8).map(it => threadName(it, processes));
      if (threads.length > names.length) names.push(l10n.t('{0} more', threads.length - names.length));
      lines.push(names.length === 0 ? l10n.t('Goes on after: {0}; nobody who could do that was found', event) : l10n.t('Goes on after: {0} by {1}', event, names.join(', ')));
    }
    if (clause.external !== undefined) lines.push(l10n.t('Something outside may end it: {0}', clause.external));
  }
  return [...lines, ...wait.evidence];
}

/** Steps of a chain that are told. */
const longestChain = 8;

/** Whom a thread waits for, whom that one waits for, and so on: until somebody can go on, is not known, or stands in the chain already. */
function chainLine(wait: Wait, { processes, waitOf }: Inspected): readonly string[] {
  const steps = [threadName(wait, processes)];
  const seen = new Set([`${wait.pid}.${wait.tid}`]);
  let at: Wait | undefined = wait;
  while (at && steps.length < longestChain) {
    const could = at.clauses.flatMap(clause => clause.alternatives.flatMap(it => it.threads));
    const next: ThreadRef | undefined = could[0];
    if (next === undefined) break;
    const name = threadName(next, processes);
    steps.push(could.length > 1 ? l10n.t('{0} (or {1} more)', name, could.length - 1) : name);
    const key = `${next.pid}.${next.tid ?? next.pid}`;
    if (seen.has(key)) break;
    seen.add(key);
    at = waitOf(next.pid, next.tid ?? next.pid);
  }
  return steps.length < 3 ? [] : [l10n.t('Chain: {0}', steps.join(' → '))];
}

/** Findings and waits; no section when there are none. */
export function waitsSections(inspected: Inspected): readonly Section[] {
  const { waits, findings, processes } = inspected;
  const notes: Note[] = [
    ...findings.map((finding, index): Note => ({
      key: `finding ${finding.threads.map(it => `${it.pid}.${it.tid}`).join(' ') || index}`, severity: severityOf(finding.verdict),
      headline: finding.explanation, tag: verdictInWords(finding.verdict), lines: [],
    })),
    ...waits.map((wait): Note => ({
      key: `wait ${wait.pid}.${wait.tid}`, severity: severityOf(wait.verdict), tag: verdictInWords(wait.verdict),
      headline: l10n.t('{0} waits in {1}', threadName(wait, processes), wait.operation), lines: [...chainLine(wait, inspected), ...waitLines(wait, processes)],
    })),
  ];
  return notes.length === 0 ? [] : [{ type: 'notes', key: 'waits', title: l10n.t('Waits'), notes: counted(notes) }];
}

function counted(notes: readonly Note[]): readonly Note[] {
  if (notes.length <= mostNotes) return notes;
  return [...notes.slice(0, mostNotes), { key: 'more', severity: 'info', headline: l10n.t('{0} more', notes.length - mostNotes), lines: [] }];
}

/** What could not be seen; processes that could not be looked into for the same reason are one note. */
export function gapsSections({ gaps, object, processes }: Inspected): readonly Section[] {
  const groups = grouped(gaps, gap => gap.scope.pid === undefined || gap.scope.objectId === object.id ? gap.id : `${gap.errno ?? ''}\n${gap.remedy ?? ''}`);
  const notes = [...groups].map(([key, same]) => gapNote(key, same, processes));
  return notes.length === 0 ? [] : [{ type: 'notes', key: 'gaps', title: l10n.t('Not seen'), notes: counted(notes) }];
}

function gapNote(key: string, same: readonly Gap[], processes: ReadonlyMap<number, Process>): Note {
  const [first] = same;
  const remedy = first?.remedy === undefined ? [] : [first.remedy];
  const pids = [...new Set(same.map(gap => gap.scope.pid).filter(pid => pid !== undefined))];
  if (same.length === 1 || pids.length < 2) {
    return { key, severity: 'warning', headline: first?.reason ?? '', tag: errnoOf(first), lines: [...same.slice(1, 8).map(gap => gap.reason), ...remedy] };
  }
  const names = pids.slice(0, 8).map(pid => threadName({ pid }, processes));
  if (pids.length > names.length) names.push(l10n.t('{0} more', pids.length - names.length));
  return {
    key, severity: 'warning', tag: errnoOf(first),
    headline: l10n.t('{0} processes could not be looked into fully: they may use this object too', pids.length),
    lines: [names.join(', '), first?.reason ?? '', ...remedy],
  };
}

/** The symbol, where the reason does not have it already. */
function errnoOf(gap: Gap | undefined): string | undefined {
  return gap?.errno !== undefined && gap.reason.includes(gap.errno) ? undefined : gap?.errno;
}
