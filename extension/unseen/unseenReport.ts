// "What Can’t I See?" as text: all gaps of a snapshot by cause, each with what is missing for it and what would help, as text. Pure.
import type { Gap, Snapshot } from '../../native-probe/model';
import { visible } from '../words/presentation';
import { grouped } from '../snapshotIndex';
import { l10n } from '../translation';
import { causeOf, isByDesign, isUnreadProcess } from '../views/unseen';

/** So many lines are written for one cause; the rest is counted. */
const mostLines = 200;
const line = (text: string): string => visible(text, 1000);

/** The report, as lines of plain text. */
export function unseenReport(snapshot: Snapshot): string {
  const { gaps, host } = snapshot;
  const seen = gaps.filter(gap => !isByDesign(gap));
  const parts = [
    l10n.t('What IPC Inspector cannot see on {0}', line(host.hostname)),
    host.uid === 0 ? l10n.t('The probe runs as root.') : l10n.t('The probe runs as uid {0}: the kernel shows it the processes of that user only.', host.uid),
    ...(seen.length === 0 ? [l10n.t('Nothing was refused: every process and every namespace that is visible from here could be read.')] : []),
  ];
  const processes = seen.filter(isUnreadProcess);
  for (const alike of grouped(processes, gap => JSON.stringify([gap.errno, gap.remedy])).values()) parts.push(processesPart(alike, snapshot));
  for (const alike of grouped(seen.filter(gap => !isUnreadProcess(gap)), causeOf).values()) parts.push(causePart(alike));
  const byDesign = gaps.filter(isByDesign);
  if (byDesign.length > 0) parts.push([l10n.t('Not part of a snapshot'), ...byDesign.map(gap => `  ${line(gap.reason)}`)].join('\n'));
  parts.push(l10n.t('Nothing that could not be seen counts as absent: not in totals, not for what is stale, not for the other end of anything.'));
  return `${parts.join('\n\n')}\n`;
}

function processesPart(gaps: readonly Gap[], { processes }: Snapshot): string {
  const names = new Map(processes.map(it => [it.pid, it.comm]));
  const pids = [...new Set(gaps.flatMap(gap => gap.scope.pid ?? []))].sort((a, b) => a - b);
  const title = pids.length === 1 ? l10n.t('1 process could not be read') : l10n.t('{0} processes could not be read', pids.length);
  return [
    `${title}${errnoWords(gaps)}`,
    ...remedyLines(gaps),
    `  ${l10n.t('Missing: their descriptors, mappings and locks. They may use any object, and objects that nobody else has are not shown at all.')}`,
    ...cut(pids.map(pid => `    ${pid}  ${line(names.get(pid) ?? '?')}`)),
  ].join('\n');
}

function causePart(gaps: readonly Gap[]): string {
  const [first] = gaps;
  if (first === undefined) return '';
  const title = gaps.length === 1 ? line(first.reason) : l10n.t('{0} (and {1} more like this)', line(first.reason), gaps.length - 1);
  return [title, ...remedyLines(gaps), ...(gaps.length === 1 ? [] : cut(gaps.map(gap => `    ${line(gap.reason)}`)))].join('\n');
}

function errnoWords([first]: readonly Gap[]): string {
  return first?.errno === undefined ? '' : ` (${line(first.errno)})`;
}

function remedyLines(gaps: readonly Gap[]): string[] {
  return [...new Set(gaps.flatMap(gap => gap.remedy ?? []))].map(remedy => `  ${l10n.t('What would help: {0}', line(remedy))}`);
}

function cut(lines: readonly string[]): readonly string[] {
  return lines.length <= mostLines ? lines : [...lines.slice(0, mostLines), `    ${l10n.t('{0} more', lines.length - mostLines)}`];
}
