// What the user is asked and told around a removal. Pure: a judged snapshot in, sentences out.
import type { Failed, IpcObject, StaleJudgement } from '../../native-probe/model';
import type { RemoveParams, StaleResult } from '../../native-probe/protocol';
import { facility } from '../../native-probe/facilityTable';
import { objectLabel, objectSummary, objectTitle, whatIsLost } from './objectWords';
import { namespaceKind, namespaceWords } from './namespaceWords';
import { inMessage, inQuickPick, visible } from './presentation';
import { indexOf } from '../snapshotIndex';
import { l10n } from '../translation';

/** An object together with what the probe has found out about its use. */
export interface Candidate {
  readonly object: IpcObject;
  readonly judgement: StaleJudgement;
  /** The container (or namespace) that it is in; absent where that is this machine's own. */
  readonly place?: string;
}

/** The judged objects that still exist. */
export function candidatesOf({ snapshot, stale }: StaleResult): Candidate[] {
  const index = indexOf(snapshot);
  return stale.flatMap(judgement => {
    const object = index.objects.get(judgement.objectId);
    if (!object) return [];
    const place = object.namespace === undefined || object.namespace === null ? undefined : namespaceWords(namespaceKind(object.kind), object.namespace, index);
    return [{ object, judgement, ...(place === undefined || place.own ? {} : { place: place.label }) }];
  });
}

/** What it is called, with the container that it is in: keys and names are each container's own. */
function title({ object, place }: Candidate): string {
  return place === undefined ? objectTitle(object) : l10n.t('{0} in {1}', objectTitle(object), place);
}

const mostLines = 15;

function listed(lines: readonly string[]): string {
  const shown = lines.slice(0, mostLines);
  if (lines.length > shown.length) shown.push(l10n.t('… and {0} more', lines.length - shown.length));
  return shown.join('\n');
}

const evidence = ({ judgement }: Candidate): string => judgement.evidence.map(it => visible(it, 400)).join('\n');

/** Question and detail before a removal. */
export function confirmation(candidates: readonly Candidate[]): { readonly message: string; readonly detail: string } {
  const [only] = candidates;
  const doubtful = candidates.filter(it => it.judgement.verdict !== 'stale');
  const final = candidates.filter(it => !facility(it.object.kind).restorable);
  if (candidates.length === 1 && only) {
    return {
      message: l10n.t('Remove {0}?', title(only)),
      detail: [
        l10n.t('This loses {0}.', whatIsLost(only.object)),
        ...(doubtful.length > 0 ? [`${l10n.t('It may still be needed:')}\n${evidence(only)}`] : []),
        final.length > 0 ? l10n.t('This cannot be undone yet for this kind of object.') : l10n.t('Its contents are saved first, so that this can be undone.'),
      ].join('\n\n'),
    };
  }
  return {
    message: l10n.t('Remove {0} IPC objects?', candidates.length),
    detail: [
      listed(candidates.map(it => l10n.t('{0}: {1}', title(it), whatIsLost(it.object)))),
      ...(doubtful.length > 0 ? [l10n.t('May still be needed: {0}', doubtful.slice(0, mostLines).map(it => objectLabel(it.object)).join(', ') + (doubtful.length > mostLines ? ' …' : ''))] : []),
      final.length === 0 ? l10n.t('Their contents are saved first, so that this can be undone.')
        : final.length === candidates.length ? l10n.t('This cannot be undone yet for these kinds of objects.')
          : l10n.t('This can be undone for shared memory only, not yet for {0} of these objects.', final.length),
    ].join('\n\n'),
  };
}

/** Why objects in use are not removed. */
export function refusal(inUse: readonly Candidate[]): { readonly message: string; readonly detail: string } {
  const [only] = inUse;
  return inUse.length === 1 && only
    ? { message: l10n.t('{0} is in use and is not removed.', title(only)), detail: evidence(only) }
    : { message: l10n.t('{0} objects are in use and are not removed.', inUse.length), detail: listed(inUse.map(it => `${title(it)}: ${visible(it.judgement.evidence[0] ?? '', 200)}`)) };
}

/** What the probe is asked: it refuses an object that is no longer the one that was judged. */
export function removalOf(candidates: readonly Candidate[]): RemoveParams {
  return {
    ids: candidates.map(it => it.object.id),
    acceptPossiblyStale: candidates.filter(it => it.judgement.verdict === 'possibly-stale').map(it => it.object.id),
    expected: Object.fromEntries(candidates.map(({ object }) => [object.id, {
      ...(object.createdAt === undefined ? {} : { createdAt: object.createdAt }),
      ...(object.changedAt === undefined ? {} : { changedAt: object.changedAt }),
    }])),
  };
}

/** One choice of "Remove Stale Objects…". */
export interface StaleChoice { readonly label: string; readonly description: string; readonly detail: string; readonly picked: boolean; readonly candidate: Candidate }

/** What may be removed, surely stale first; only that is preselected. Nothing in use. */
export function staleChoices(result: StaleResult): { readonly stale: StaleChoice[]; readonly possibly: StaleChoice[] } {
  const index = indexOf(result.snapshot);
  const choice = (candidate: Candidate): StaleChoice => ({
    label: inQuickPick(title(candidate)),
    description: inQuickPick(objectSummary(candidate.object, index)),
    detail: inQuickPick(candidate.judgement.evidence.join('; ')),
    picked: candidate.judgement.verdict === 'stale',
    candidate,
  });
  const candidates = candidatesOf(result);
  return {
    stale: candidates.filter(it => it.judgement.verdict === 'stale').map(choice),
    possibly: candidates.filter(it => it.judgement.verdict === 'possibly-stale').map(choice),
  };
}

/** `shmid 5: permission denied`, at most three of them, for a notification. */
export function failures(failed: readonly Failed[], objects: ReadonlyMap<string, IpcObject>): string {
  const lines = failed.slice(0, 3).map(({ objectId, error }) => {
    const object = objects.get(objectId);
    return inMessage(`${object ? objectTitle(object) : objectId}: ${error}`);
  });
  if (failed.length > lines.length) lines.push(l10n.t('… and {0} more', failed.length - lines.length));
  return lines.join('; ');
}
