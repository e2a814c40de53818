// The node "Left behind by NAME" in the debuggee's view: the last run's leaks, each with the evidence. Pure.
import { leakedObjects } from '../words/leakWords';
import type { LeakReport } from '../words/leakWords';
import { objectSummary, objectTitle } from '../words/objectWords';
import { ago, inMarkdown, visible } from '../words/presentation';
import { indexOf } from '../snapshotIndex';
import { l10n } from '../translation';
import { objectNode } from './ipcObjects';
import type { TreeNode } from './treeNode';

export const leftBehindId = 'left-behind';

/** The node of a report; none when there is no report. */
export function leftBehindNodes(report: LeakReport | undefined): TreeNode[] {
  if (!report) return [];
  const index = indexOf(report.snapshot);
  const leaked = leakedObjects(report);
  return [{
    id: leftBehindId,
    label: l10n.t('Left behind by {0}', visible(report.name, 60)),
    description: [leaked.length === 1 ? l10n.t('1 object') : l10n.t('{0} objects', leaked.length), ago(report.run.endedAt)].join(' · '),
    icon: 'warning', color: 'list.warningForeground', expansion: 'expanded', marks: ['leaks'],
    tooltip: () => [
      l10n.t('What the processes of the last debug session made or filled, and nobody uses any more. Dismiss it, or start the next session.'),
      l10n.t('How it is known:'), report.means.map(({ used, detail }) => `- ${inMarkdown(used ? detail : l10n.t('not used: {0}', detail), 400)}`).join('\n'),
    ].join('\n\n'),
    children: () => [
      ...leaked.map(({ leak, object }): TreeNode => {
        const node = objectNode(leftBehindId, object, index);
        const words = [leak.what === 'grew' ? l10n.t('fuller than before') : '', leak.certainty === 'possible' ? l10n.t('possibly') : '', nameOnly(object.kind) ? l10n.t('its name is left') : objectSummary(object, index)];
        return {
          ...node, label: objectTitle(object), description: words.filter(word => word !== '').join(' · '),
          color: leak.certainty === 'certain' ? 'list.warningForeground' : 'disabledForeground', expansion: 'collapsed',
          // A name that is left is no object that could be inspected or removed as one.
          marks: nameOnly(object.kind) ? ['named', 'object'] : node.marks ?? [],
          children: () => leak.evidence.map((fact, i) => ({ id: `${leftBehindId}/${object.id}/evidence:${i}`, label: visible(fact), icon: 'note', expansion: 'none' })),
        };
      }),
      ...report.doubts.map((doubt, i): TreeNode => ({ id: `${leftBehindId}/doubt:${i}`, label: doubt, icon: 'eye-closed', color: 'list.warningForeground', expansion: 'none' })),
    ],
  }];
}

function nameOnly(kind: string): boolean {
  return kind === 'fifo' || kind === 'unix-socket';
}
