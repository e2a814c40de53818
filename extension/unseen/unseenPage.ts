// The page "What Can't I See?" as HTML without any script: its actions are links to commands, which VS Code runs only when
// the panel allows them. Pure.
import type { Gap, Snapshot } from '../../native-probe/model';
import { commandIds, viewIds } from '../contributions';
import { machineWords, rightsWords } from '../words/machineWords';
import { visible } from '../words/presentation';
import { grouped } from '../snapshotIndex';
import { l10n } from '../translation';
import { causes, gapsByCause } from './unseenCauses';
import type { GapsOfCause, Remedy } from './unseenCauses';
import { causeOf } from '../views/unseen';

export interface PageOptions {
  readonly language: string;
  /** Of the one style element. */
  readonly nonce: string;
  readonly remoteName: string | undefined;
  /** The probe has capabilities, though it may not be root's. */
  readonly moreRights: boolean;
  /** Remedies that make sense now: not "Look as Administrator" for one who already does. */
  readonly offered: ReadonlySet<Remedy>;
}

/** So many kinds of gaps are told for one cause, and so many examples of each; the rest is counted. */
const mostAlike = 50, mostExamples = 20;

/** What each remedy runs: the only commands that the panel allows. */
export const remedyCommands: Readonly<Record<Remedy, string>> = {
  administrator: commandIds.lookAsAdministrator, mount: commandIds.copyMountCommand, ptrace: commandIds.copyPtraceCommand, remote: 'workbench.action.remote.showMenu', text: commandIds.explainUnseenAsText,
  log: commandIds.showLog, refresh: commandIds.explainUnseen, waits: `${viewIds.allWaits}.focus`, objects: `${viewIds.objects}.focus`,
};

function remedyTitle(remedy: Remedy): string {
  switch (remedy) {
    case 'administrator': return l10n.t('Look as Administrator…');
    case 'mount': return l10n.t('Copy the Mount Command');
    case 'ptrace': return l10n.t('Copy the Command That Opens Them');
    case 'remote': return l10n.t('Open a Remote Window…');
    case 'text': return l10n.t('Show as Text, to Hand On');
    case 'waits': return l10n.t('Show Waits and Deadlocks');
    case 'objects': return l10n.t('Show IPC Objects');
    case 'log': return l10n.t('Show Log');
    case 'refresh': return l10n.t('Look Again');
  }
}

const html = (text: string, limit = 1000): string => visible(text, limit).replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);

const style = `body { font-family: var(--vscode-font-family); font-size: var(--vscode-font-size); color: var(--vscode-foreground); max-width: 60em; padding: 0 1.5em 2em; line-height: 1.5; overflow-wrap: anywhere }
a { color: var(--vscode-textLink-foreground) } a:focus-visible, summary:focus-visible { outline: 1px solid var(--vscode-focusBorder); outline-offset: 2px }
section { border-top: 1px solid var(--vscode-widget-border, var(--vscode-contrastBorder, currentColor)); margin-top: 1.5em }
ul.actions { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .5em 1.5em }`;

/** The page about one snapshot. */
export function unseenPage(snapshot: Snapshot, options: PageOptions): string {
  const { host } = snapshot;
  const groups = gapsByCause(snapshot);
  const title = html(l10n.t('What can’t I see?'));
  const refused = groups.filter(({ cause }) => cause !== 'by-design');
  return [
    '<!DOCTYPE html>', `<html lang="${html(options.language)}">`, '<head>', '<meta charset="UTF-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'nonce-${html(options.nonce)}'; base-uri 'none'; form-action 'none'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">', `<title>${title}</title>`, `<style nonce="${html(options.nonce)}">${style}</style>`, '</head>', '<body>', '<main>',
    `<h1>${title}</h1>`,
    `<p>${html(l10n.t('This is the IPC of {0}.', machineWords(host, options.remoteName)))} ${html(l10n.t('It is looked at {0}.', rightsWords(host, options.moreRights)))}${host.uid === 0 || options.moreRights ? '' : ` ${html(l10n.t('The kernel lets you look into your own processes only.'))}`}</p>`,
    ...(refused.length === 0 ? [`<p>${html(l10n.t('Nothing was refused: every process and every namespace that is visible from here could be read.'))}</p>`] : []),
    actions(['refresh'], options.offered, l10n.t('Actions')),
    ...groups.map(group => causeSection(group, options)),
    `<p>${html(l10n.t('Nothing that could not be seen counts as absent: not in totals, not for what is stale, not for the other end of anything.'))} <a href="command:${commandIds.explainUnseenAsText}">${html(l10n.t('Open as Text'))}</a></p>`,
    '</main>', '</body>', '</html>',
  ].join('\n');
}

function causeSection({ cause, gaps }: GapsOfCause, { offered }: PageOptions): string {
  const { title, explanation, remedies } = causes[cause];
  const alike = [...grouped(gaps, causeOf).values()];
  const pids = new Set(gaps.flatMap(gap => gap.scope.pid ?? []));
  const counted = [
    gaps.length === 1 ? l10n.t('1 gap') : l10n.t('{0} gaps', gaps.length),
    ...(pids.size === 0 ? [] : [pids.size === 1 ? l10n.t('1 process') : l10n.t('{0} processes', pids.size)]),
  ].join(', ');
  return [
    `<section aria-labelledby="${cause}">`,
    `<h2 id="${cause}">${html(title())} <small>(${html(counted)})</small></h2>`,
    `<p>${html(explanation())}</p>`,
    actions(remedies, offered, l10n.t('What would help: {0}', title())),
    ...alike.slice(0, mostAlike).map(alikePart),
    ...(alike.length > mostAlike ? [`<p>${html(l10n.t('{0} more', alike.length - mostAlike))}</p>`] : []),
    '</section>',
  ].join('\n');
}

function alikePart(gaps: readonly Gap[]): string {
  const [first] = gaps;
  if (first === undefined) return '';
  const remedy = first.remedy === undefined ? '' : ` <em>${html(l10n.t('What would help: {0}', first.remedy))}</em>`;
  if (gaps.length === 1) return `<p>${html(first.reason)}.${remedy}</p>`;
  const more = gaps.length - mostExamples;
  return [
    `<details><summary>${html(l10n.t('{0} (and {1} more like this)', first.reason, gaps.length - 1))}</summary>`, remedy === '' ? '' : `<p>${remedy}</p>`,
    '<ul>', ...gaps.slice(0, mostExamples).map(gap => `<li>${html(gap.reason)}</li>`), ...(more > 0 ? [`<li>${html(l10n.t('{0} more', more))}</li>`] : []), '</ul>', '</details>',
  ].join('\n');
}

function actions(remedies: readonly Remedy[], offered: ReadonlySet<Remedy>, label: string): string {
  const shown = remedies.filter(remedy => offered.has(remedy));
  if (shown.length === 0) return '';
  return `<ul class="actions" aria-label="${html(label)}">${shown.map(remedy => `<li><a href="command:${remedyCommands[remedy]}">${html(remedyTitle(remedy))}</a></li>`).join('')}</ul>`;
}
