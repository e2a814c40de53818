// What is said of a run's leaks: the notification, the log, and which of them can be removed. Pure.
import type { IpcObject } from '../../native-probe/model';
import type { EndRunResult, Leak } from '../../native-probe/protocol';
import { facility } from '../../native-probe/facilityTable';
import { inMessage } from './presentation';
import { indexOf } from '../snapshotIndex';
import { l10n } from '../translation';

/** The last run's leaks, and whose they are. `doubts`: why something may be missing. */
export interface LeakReport extends EndRunResult { readonly name: string; readonly doubts: readonly string[] }

/** `2 left behind, 1 more possibly`, for the log. */
export function leakCounts(leaks: readonly Leak[]): string {
  const certain = leaks.filter(it => it.certainty === 'certain').length, possible = leaks.length - certain;
  return `${certain} IPC objects left behind or filled${possible === 0 ? '' : `, ${possible} more possibly`}`;
}

/** The notification. */
export function leakMessage({ name, leaks }: LeakReport): string {
  const shown = inMessage(name), certain = leaks.filter(it => it.certainty === 'certain').length, possible = leaks.length - certain;
  const words = certain === 1 ? l10n.t('{0} left 1 IPC object behind.', shown) : l10n.t('{0} left {1} IPC objects behind.', shown, certain);
  return possible === 0 ? words : `${words} ${possible === 1 ? l10n.t('1 more possibly.') : l10n.t('{0} more possibly.', possible)}`;
}

/** The leaked objects, in the order of the report. */
export function leakedObjects({ leaks, snapshot }: LeakReport): { readonly leak: Leak; readonly object: IpcObject }[] {
  const { objects } = indexOf(snapshot);
  return leaks.flatMap(leak => {
    const object = objects.get(leak.objectId);
    return object ? [{ leak, object }] : [];
  });
}

/** Those that a removal can be proposed for: made by the run, of a kind that outlives its processes. */
export function removableLeaks(report: LeakReport): string[] {
  return leakedObjects(report).filter(({ leak, object }) => leak.what === 'left-behind' && facility(object.kind).removable).map(({ object }) => object.id);
}
