// Waits as a person reads them in a terminal: findings first, each with its chain, then every other wait on one line.
import type { Clause, Finding, Snapshot, Wait } from './model';
import { objectPhrase } from './analysis/explanation';

const titles: Readonly<Record<Finding['verdict'], string>> = {
  'deadlocked': 'DEADLOCKED', 'deadlocked-until-timeout': 'DEADLOCKED UNTIL A TIME LIMIT', 'orphaned': 'ORPHANED', 'behind-stopped': 'BEHIND A STOPPED THREAD', 'suspected': 'SUSPECTED DEADLOCK',
};

/** The answer to "who waits for whom?". Names are display text already, so nothing here can drive the terminal. */
export function formatWaits(snapshot: Snapshot): string {
  const comms = new Map(snapshot.processes.map(process => [process.pid, process.comm]));
  const objects = new Map(snapshot.objects.map(object => [object.id, object]));
  const waits = new Map(snapshot.waits.map(wait => [`${wait.pid}/${wait.tid}`, wait]));
  const what = (id: string | undefined, operation: string): string => {
    const object = id === undefined ? undefined : objects.get(id);
    return object ? objectPhrase(object) : operation;
  };
  const lines: string[] = [];
  for (const finding of snapshot.findings) {
    lines.push(`${titles[finding.verdict]}: ${count(finding.threads.length, 'thread')}`);
    finding.chain.forEach((link, index) => {
      const wait = waits.get(`${link.pid}/${link.tid}`);
      lines.push(`${index === finding.chain.length - 1 ? '└─' : '├─'} ${comms.get(link.pid) ?? '?'} ${link.pid}/${link.tid} (${wait?.threadComm ?? '?'}): ${wait?.operation ?? '?'} → ${what(link.objectId, 'no object')}`);
    });
    lines.push(`   ${finding.explanation}`);
    for (const id of finding.gaps) lines.push(`   unless: ${snapshot.gaps.find(gap => gap.id === id)?.reason ?? id}`);
    lines.push('');
  }
  if (snapshot.findings.length === 0) lines.push('No deadlock found.', '');

  const stuck = new Set(snapshot.findings.flatMap(finding => finding.chain.map(link => `${link.pid}/${link.tid}`)));
  const others = snapshot.waits.filter(wait => !stuck.has(`${wait.pid}/${wait.tid}`));
  const idle = others.filter(isIdle);
  const told = others.filter(wait => !isIdle(wait));
  if (told.length > 0) {
    lines.push(...columns([['PID', 'TID', 'PROCESS', 'THREAD', 'OPERATION', 'VERDICT', 'WAITS FOR', 'HELD BY'], ...told.map(wait => [
      `${wait.pid}`, `${wait.tid}`, comms.get(wait.pid) ?? '?', wait.threadComm, wait.operation + (wait.stopped ? ' (stopped)' : ''), wait.verdict, what(wait.objectId, '-'), holdersOf(wait, comms),
    ])]), '');
  }
  if (idle.length > 0) lines.push(`${count(idle.length, 'more thread')} ${idle.length === 1 ? 'waits' : 'wait'} on futexes of unknown kind (--json lists them).`);
  const unseen = snapshot.gaps.filter(gap => gap.scope.facility === 'waits' || gap.scope.facility === 'flock-lock' || gap.scope.facility === 'mutex');
  for (const gap of unseen) lines.push(`Not seen: ${gap.reason}${gap.remedy === undefined ? '' : `; ${gap.remedy}`}.`);
  while (lines.at(-1) === '') lines.pop();
  return `${lines.join('\n')}\n`;
}

/** Waits that anybody may end: event loops, worker pools. Hundreds on any desktop, and never the answer. */
const isIdle = (wait: Wait): boolean => wait.verdict === 'waiting' && wait.clauses.length > 0 && wait.clauses.every(clause => clause.external !== undefined);

function holdersOf(wait: Wait, comms: ReadonlyMap<number, string>): string {
  const names = (clause: Clause): string => {
    const threads = clause.alternatives.flatMap(alternative => alternative.threads);
    const shown = threads.slice(0, 3).map(({ pid, tid }) => `${comms.get(pid) ?? '?'} ${pid}${tid === undefined || tid === pid ? '' : `/${tid}`}`);
    if (threads.length > 3) shown.push(`${threads.length - 3} more`);
    if (shown.length === 0) return clause.external ?? (clause.gaps?.length ? 'unknown' : 'nobody alive');
    return shown.join(' or ');
  };
  return wait.clauses.map(names).join(', and ') || '-';
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

/** Left-aligned columns; the last is as long as it is. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => rows.reduce((widest, row) => Math.max(widest, (row[column] ?? '').length), 0));
  return rows.map(row => row.map((cell, column) => column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd());
}
