// Where threads are in their source, in words, as far as a debugger has told. Pure.
import type { ThreadRef } from '../../native-probe/model';
import { placeWords } from '../debugger/seenSnapshot';
import { inMarkdown, visible } from './presentation';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';

/** `at queue.c:88`, as the last part of a description; nothing where it is not known. */
export function atWords(index: SnapshotIndex, thread: ThreadRef): string[] {
  const place = index.placeOf(thread);
  return place ? [l10n.t('at {0}', placeWords(place))] : [];
}

/** The whole path, line and function for a tooltip; nothing where they are not known. */
export function placeMarkdown(index: SnapshotIndex, thread: ThreadRef): string[] {
  const place = index.placeOf(thread);
  if (!place) return [];
  const where = place.path === undefined || place.line === 0 ? '' : ` ${inMarkdown(`${place.path}:${place.line}`)}`;
  return [`${inMarkdown(l10n.t('According to the debugger it is stopped in {0}', visible(place.function)))}${where}`];
}

/** The mark of a node from which the source can be reached. */
export function lineMark(index: SnapshotIndex, thread: ThreadRef): 'line'[] {
  const place = index.placeOf(thread);
  return place && place.line > 0 && (place.path !== undefined || place.sourceReference !== undefined) ? ['line'] : [];
}
