// A node of a tree view as plain data. The views compute them from snapshots; treeView.ts shows them.
import type { Gap, Handle } from '../../native-probe/model';
import type { AttachSubject } from '../attaching/attachTargets';
import type { CommandId, itemMarks } from '../contributions';
import { handleWords, processTooltip } from '../words/objectWords';
import { atWords, lineMark } from '../words/placeWords';
import { inMarkdown, processName, visible } from '../words/presentation';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';

export type Mark = typeof itemMarks[keyof typeof itemMarks];

export interface TreeNode {
  /** Unique in its view and the same over refreshes: selection and expansion hang on it. */
  readonly id: string;
  readonly label: string;
  readonly description?: string;
  /** A codicon, and a theme colour for it. */
  readonly icon: string;
  readonly color?: string;
  /** Markdown with everything untrusted escaped; made only when somebody points at the node. */
  readonly tooltip?: () => string;
  readonly marks?: readonly Mark[];
  /** Since the last stop of the debugger. */
  readonly change?: 'new' | 'changed' | 'gone';
  readonly expansion: 'none' | 'collapsed' | 'expanded';
  /** Made only when somebody expands the node. */
  readonly children?: () => readonly TreeNode[];
  readonly objectId?: string;
  readonly pid?: number;
  /** The thread of `pid` that it is about; absent for a whole process. */
  readonly tid?: number;
  /** Whom a debugger could be attached to from here, where that is more than its process, or who has its object. */
  readonly attach?: AttachSubject;
  /** Runs when the node is clicked or Enter is pressed on it. */
  readonly command?: { readonly id: CommandId; readonly title: string; readonly argument?: string | number };
  /** Where in a wait graph it stands: which graph, and the key of its chain. */
  readonly graph?: { readonly scope: 'machine' | 'focus'; readonly chain: string };
  /** Ids from a root of the same view down to the node that tells more of what this one names. */
  readonly goesTo?: readonly string[];
}

/** Whether two nodes of one id look alike, children aside. */
export function looksAlike(a: TreeNode, b: TreeNode): boolean {
  return a.label === b.label && a.description === b.description && a.icon === b.icon && a.color === b.color && a.expansion === b.expansion
    && a.change === b.change && a.objectId === b.objectId && a.pid === b.pid && a.tid === b.tid && (a.marks ?? []).join(' ') === (b.marks ?? []).join(' ')
    && a.command?.id === b.command?.id && a.command?.argument === b.command?.argument && (a.goesTo ?? []).join(' ') === (b.goesTo ?? []).join(' ');
}

/** A process under something it has. */
export function processNode(parent: string, pid: number, handles: readonly Handle[], index: SnapshotIndex): TreeNode {
  const process = index.processes.get(pid);
  const does = handleWords(handles);
  const holds = handles.find(it => it.via === 'owner' || it.via === 'lock');
  const owner = holds === undefined ? [] : atWords(index, { pid, ...(holds.tid === undefined ? {} : { tid: holds.tid }) });
  return {
    id: `${parent}/pid:${pid}`,
    label: processName(process, pid),
    description: [l10n.t('PID {0}', pid), does, ...owner].filter(it => it !== '').join(' · '),
    icon: handles.some(it => it.via !== 'last-operation') ? 'server-process' : 'history',
    tooltip: () => processTooltip(process, pid, does),
    marks: ['process', ...lineMark(index, { pid, ...(holds?.tid === undefined ? {} : { tid: holds.tid }) })],
    expansion: 'none',
    pid, ...(holds?.tid === undefined ? {} : { tid: holds.tid }),
  };
}

/** What could not be seen, with the reasons and what would help; none when everything could. */
export function gapNodes(parent: string, gaps: readonly Gap[]): TreeNode[] {
  if (gaps.length === 0) return [];
  return [{
    id: `${parent}/gaps`,
    label: gaps.length === 1 ? l10n.t('1 thing could not be seen') : l10n.t('{0} things could not be seen', gaps.length),
    icon: 'warning',
    color: 'list.warningForeground',
    expansion: 'collapsed',
    tooltip: () => l10n.t('What is shown may be incomplete. Expand for the reasons and for what would help.'),
    children: () => gaps.map(gap => gapNode(`${parent}/gaps`, gap)),
  }];
}

/** One gap. */
export function gapNode(parent: string, gap: Gap): TreeNode {
  return {
    id: `${parent}/gap:${gap.id}`,
    label: visible(gap.reason),
    description: gap.remedy === undefined ? '' : visible(gap.remedy),
    icon: 'eye-closed',
    color: 'list.warningForeground',
    expansion: 'none',
    tooltip: () => [inMarkdown(gap.reason, 2000), ...(gap.errno === undefined ? [] : [inMarkdown(gap.errno)]), ...(gap.remedy === undefined ? [] : [inMarkdown(gap.remedy, 2000)])].join('\n\n'),
  };
}
