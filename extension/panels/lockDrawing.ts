// Locks drawn on their file: holders and waiters, each range where its bytes are. Pure.
import type { IpcObject, LockRange } from '../../native-probe/model';
import type { DrawnRange, RangesSection } from '../../webview/protocol';
import { processName } from '../words/presentation';
import { l10n } from '../translation';
import type { Inspected } from './inspected';

type LockObject = Extract<IpcObject, { kind: 'flock-lock' | 'record-lock' | 'ofd-lock' | 'lease' }>;

/** So many are drawn: the table below has all. */
const mostDrawn = 40;
/** Marks that have room for their numbers. */
const mostMarks = 8;

/** Where a range ends: the byte after its last; undefined for one that reaches to the end of the file, however that grows. */
function endOf({ end }: Pick<LockRange, 'end'>): bigint | undefined {
  return end === 'EOF' ? undefined : BigInt(end) + 1n;
}

/** The drawing of a file's locks; none when there are no ranges to tell apart (nothing is locked). */
export function drawnLocks(object: LockObject, inspected: Inspected): readonly RangesSection[] {
  const held = object.state.ranges, asked = object.state.waiting ?? [];
  const all = [...held.map(lock => ({ lock, waiting: false })), ...asked.map(lock => ({ lock, waiting: true }))];
  const drawn = [...all].sort((a, b) => Number(a.waiting) - Number(b.waiting) || compare(BigInt(a.lock.start), BigInt(b.lock.start))).slice(0, mostDrawn);
  if (drawn.length === 0) return [];
  // Ranges may be a byte or a terabyte long: every stretch between two borders gets the same room.
  const borders = [...new Set(drawn.flatMap(({ lock }) => [BigInt(lock.start), ...[endOf(lock) ?? []].flat()]))].sort(compare);
  const place = new Map(borders.map((border, index) => [border, index]));
  const stretches = borders.length;
  const at = (border: bigint | undefined): number => border === undefined ? 1 : (place.get(border) ?? 0) / stretches;
  const ranges = drawn.map(({ lock, waiting }, index): DrawnRange => {
    const who = holdersOf(lock, waiting, object, inspected);
    const bytes = lock.end === 'EOF' ? l10n.t('bytes {0} to the end of the file', lock.start) : l10n.t('bytes {0} to {1}', lock.start, lock.end);
    const type = lock.type === 'read' ? l10n.t('shared') : lock.type === 'write' ? l10n.t('exclusive') : l10n.t('unknown');
    return {
      key: `${waiting ? 'w' : 'h'} ${lock.start} ${lock.end} ${lock.pid} ${index}`, label: waiting ? l10n.t('{0} waits, {1}', who, type) : l10n.t('{0}, {1}', who, type),
      words: waiting ? l10n.t('{0} waits for a lock ({1}) on {2}', who, type, bytes) : l10n.t('{0} holds a lock ({1}) on {2}', who, type, bytes),
      type: lock.type ?? 'unknown', waiting, from: at(BigInt(lock.start)), to: at(endOf(lock)), open: lock.end === 'EOF',
    };
  });
  const marks = borders.length <= mostMarks ? borders : borders.filter((_, index) => index % Math.ceil(borders.length / mostMarks) === 0);
  const more = all.length > drawn.length ? ` ${l10n.t('The first {0} of {1} are drawn.', drawn.length, all.length)}` : '';
  return [{
    type: 'ranges', key: 'drawing', title: l10n.t('On the file'), ranges,
    caption: l10n.t('Full bars are held, dashed ones are waited for; a double edge reaches to the end of the file, however it grows. Not to scale.') + more,
    marks: marks.map(border => ({ at: at(border), text: String(border) })),
  }];
}

function compare(a: bigint, b: bigint): number { return a < b ? -1 : a > b ? 1 : 0; }

/** Who holds it by the handles: the PID that the kernel shows for a lock may be dead, or none at all. */
function holdersOf(lock: LockRange, waiting: boolean, object: LockObject, { handles, processes }: Inspected): string {
  const pids = waiting ? [] : [...new Set(handles.filter(each => each.via === 'lock' && each.lock?.start === lock.start && each.lock.end === lock.end && (object.kind !== 'record-lock' || each.pid === lock.pid)).map(({ pid }) => pid))];
  if (pids.length === 0 && lock.pid > 0) pids.push(lock.pid);
  if (pids.length === 0) return waiting ? l10n.t('somebody') : l10n.t('holder not recorded');
  const names = pids.slice(0, 3).map(pid => l10n.t('{0} ({1})', processName(processes.get(pid), pid), pid));
  return pids.length > names.length ? l10n.t('{0} and {1} more', names.join(', '), pids.length - names.length) : names.join(', ');
}
