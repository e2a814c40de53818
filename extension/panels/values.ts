// From the model's values to the typed values of a panel: a null always takes its reason along. Pure.
import type { Decimal, Known, Process, Time } from '../../native-probe/model';
import type { Field, Value } from '../../webview/protocol';
import { objectTitle } from '../words/objectWords';
import { l10n } from '../translation';
import type { Inspected } from './inspected';
import { gapOf } from './inspected';

/** An unknown value with the reason and the remedy of the gap that explains it. */
export function unknown(field: string, inspected: Inspected): Value {
  const gap = gapOf(field, inspected);
  if (!gap) return { type: 'unknown', why: l10n.t('the probe could not read it') };
  return { type: 'unknown', why: gap.errno === undefined || gap.reason.includes(gap.errno) ? gap.reason : `${gap.reason} (${gap.errno})`, remedy: gap.remedy };
}

/** Makes fields of one object: absent values give no field, null gives unknown with its reason. */
export class FieldList {
  readonly fields: Field[] = [];
  constructor(private readonly inspected: Inspected) {}

  /** `term` is the manual page's word; `name` the field's name in the model, by which gaps speak of it. */
  add<T>(name: string, gloss: string, term: string | undefined, value: Known<T> | undefined, show: (value: T) => Value): this {
    if (value !== undefined) this.fields.push({ key: name, gloss, term, value: value === null ? unknown(name, this.inspected) : show(value) });
    return this;
  }

  count(name: string, gloss: string, term: string | undefined, value: Known<Decimal | number> | undefined, of?: Known<Decimal | number>): this {
    return this.add(name, gloss, term, value, number => ({ type: 'number', number: String(number), of: of == null ? undefined : String(of) }));
  }

  bytes(name: string, gloss: string, term: string | undefined, value: Known<Decimal> | undefined, of?: Known<Decimal>): this {
    return this.add(name, gloss, term, value, bytes => ({ type: 'bytes', bytes, of: of ?? undefined }));
  }

  time(name: string, gloss: string, term: string | undefined, value: Known<string> | undefined): this {
    return this.add(name, gloss, term, value, time => ({ type: 'time', time }));
  }

  words(name: string, gloss: string, term: string | undefined, value: Known<boolean> | undefined, yes: string, no: string): this {
    return this.add(name, gloss, term, value, it => ({ type: 'words', text: it ? yes : no }));
  }

  /** A PID that the kernel wrote down some time ago. */
  pid(name: string, gloss: string, term: string, value: Known<number> | undefined, moment?: Moment): this {
    return this.add(name, gloss, term, value, pid => recordedPid(pid, this.inspected, moment));
  }
}

/** Another object; one that the snapshot does not know is called by its id. */
export function objectValue(id: string, { objects }: Inspected): Value {
  const object = objects.get(id);
  return object ? { type: 'object', id, name: objectTitle(object) } : { type: 'text', text: id };
}

/** A process of the snapshot. */
export function processValue(pid: number, processes: ReadonlyMap<number, Process>): Value {
  const process = processes.get(pid);
  return process ? { type: 'process', pid, name: process.comm } : { type: 'process', pid };
}

/** When what the kernel wrote a PID down for happened. `latest`: it may also have been earlier. */
export interface Moment { readonly at?: Time; readonly latest?: boolean }

/**
 * A PID as the kernel remembers it (shm_cpid, msg_lspid, sempid, …): 0 where that process is outside the probe's PID namespace.
 * PIDs are used again: a process that started after the moment is another one, one that started before it and still runs is
 * the one meant.
 */
export function recordedPid(pid: number, { handles, processes, bootedAt, clockSlack }: Inspected, { at, latest }: Moment = {}): Value {
  if (pid === 0) return { type: 'words', text: l10n.t('a process outside the PID namespace of the probe') };
  const process = processes.get(pid);
  if (!process) return { type: 'process', pid };
  const started = Date.parse(bootedAt) + Number(process.startTime) * 1000 / ticksPerSecond;
  const later = at === undefined ? undefined : started - Date.parse(at);
  if (later !== undefined && later > clockSlack) return { type: 'process', pid, note: l10n.t('no longer running; {0} has its PID now', process.comm) };
  const proved = (later !== undefined && later <= wholeSeconds && !latest) || handles.some(handle => handle.pid === pid);
  return { type: 'process', pid, name: process.comm, note: proved ? undefined : l10n.t('or an earlier process with this PID') };
}

/** USER_HZ: what /proc/PID/stat counts in, on every architecture that Node runs on (man 5 proc_pid_stat). */
const ticksPerSecond = 100;
/** Times of System V objects and of boot are whole seconds: start times may differ by this many milliseconds without meaning anything. */
const wholeSeconds = 2000;
