// What an exit would do to a semaphore set (SEM_UNDO), in words. Pure.
import type { Handle } from '../../native-probe/model';
import { l10n } from '../translation';

/** `+1`, `−2`. */
export function signed(change: number): string {
  return change > 0 ? `+${change}` : `−${-change}`;
}

/** `+1 to semaphore 0, −2 to semaphore 3`; at most so many, then how many more. */
export function undoWords({ undo = [], sharedWith = [] }: Pick<Handle, 'undo' | 'sharedWith'>, most: number): string {
  const parts = undo.slice(0, most).map(({ num, adjustment }) => l10n.t('{0} to semaphore {1}', signed(adjustment), num));
  if (undo.length > most) parts.push(l10n.t('{0} more', undo.length - most));
  const what = undo.length === 0 ? l10n.t('nothing to give back') : parts.join(', ');
  const [first] = sharedWith;
  if (first === undefined) return what;
  return sharedWith.length === 1 ? l10n.t('{0}, when PID {1} has exited too', what, first) : l10n.t('{0}, when the {1} processes that share it have exited too', what, sharedWith.length);
}
