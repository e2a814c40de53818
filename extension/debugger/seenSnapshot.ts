// A snapshot with what debuggers add to it: objects by the names of their variables, and where stopped threads are. Pure.
import type { ExplanationPart, Finding, IpcObject, Snapshot, ThreadRef } from '../../native-probe/model';
import { grouped } from '../snapshotIndex';
import { baseName, visible } from '../words/presentation';
import { l10n } from '../translation';
import type { AddressQuestion, Questions, ThreadPlace } from './sessionKnowledge';

/** What is asked of everything that debuggers have told. */
export interface Knowledge {
  readonly nameOf: (objectId: string) => string | undefined;
  /** No `tid`: the process's only thread. */
  readonly placeOf: (thread: ThreadRef) => ThreadPlace | undefined;
}

/** A snapshot, and where threads of it are. */
export interface SeenSnapshot extends Snapshot { readonly placeOf?: Knowledge['placeOf'] }

/** `queue.c:88`; the function where no line is known. */
export function placeWords({ path, line, function: name }: ThreadPlace): string {
  return path !== undefined && line > 0 ? `${baseName(path)}:${line}` : l10n.t('{0}()', visible(name.replace(/\(.*$/, ''), 80));
}

const addressOf = (object: IpcObject): string | undefined => 'address' in object.state ? object.state.address : undefined;

/** Of a machine's waits no more are looked through for threads of a session: those of findings are in any case. */
const mostWaits = 20_000;

/** What a snapshot gives reason to ask: what findings are about comes first. */
export function questionsOf({ waits, findings, objects, handles, gaps }: Snapshot): Questions {
  const threads = new Map<string, { pid: number; tid: number }>();
  const add = ({ pid, tid }: ThreadRef): void => { if (tid !== undefined) threads.set(`${pid}.${tid}`, { pid, tid }); };
  for (const { chain } of findings) chain.forEach(add);
  for (const finding of findings) finding.threads.forEach(add);
  for (const { clauses } of waits.slice(0, mostWaits)) for (const { alternatives } of clauses) for (const alternative of alternatives) if (alternative.threads.length <= 4) for (const { pid, tid } of alternative.threads) add({ pid, tid: tid ?? pid });
  waits.slice(0, mostWaits).forEach(add);

  const inMemory = new Map(objects.filter(object => addressOf(object) !== undefined).map(object => [object.id, object]));
  const waiters = grouped(waits, ({ pid, objectId }) => objectId === undefined ? undefined : `${objectId} ${pid}`);
  const owners = grouped(handles, ({ objectId, pid, via, tid }) => via === 'owner' && tid !== undefined && inMemory.has(objectId) ? `${objectId} ${pid}` : undefined);
  const told = new Set<string>();
  const addresses: AddressQuestion[] = [];
  const ask = (objectId: string, pid: number, address: string): void => {
    const key = `${objectId} ${pid}`;
    if (!/^0x[0-9a-f]{1,16}$/.test(address) || told.has(key)) return;
    told.add(key);
    // Whoever waits there, then whoever holds it: their variables lead to it.
    const users = [...waiters.get(key) ?? [], ...owners.get(key) ?? []].flatMap(({ tid }) => tid ?? []);
    addresses.push({ objectId, pid, address: BigInt(address), users: [...new Set(users)] });
  };
  for (const { objectId, pid, address, copies = [] } of handles) {
    if (address === undefined || !inMemory.has(objectId)) continue;
    ask(objectId, pid, address);
    for (const copy of copies) ask(objectId, copy.pid, copy.address);
  }
  const found = new Set(findings.flatMap(({ chain }) => chain.map(({ objectId }) => objectId)));
  const denied = new Set(gaps.flatMap(({ scope, errno }) => scope.pid !== undefined && scope.facility === 'waits' && scope.field === 'syscall' && errno !== undefined ? [scope.pid] : []));
  return { threads: [...threads.values()], denied, addresses: addresses.sort((a, b) => Number(found.has(b.objectId)) - Number(found.has(a.objectId))) };
}

/** The snapshot as debuggers know it. */
export function seen(snapshot: Snapshot, { nameOf, placeOf }: Knowledge): SeenSnapshot {
  const names = new Map(snapshot.objects.flatMap(object => {
    const name = addressOf(object) === undefined ? undefined : nameOf(object.id);
    return name === undefined ? [] : [[object.id, { name: nameIn(object, name), before: object.name ?? addressOf(object) }] as const];
  }));
  const says = (part: ExplanationPart): string => partWords(part, names);
  return {
    ...snapshot, placeOf,
    objects: names.size === 0 ? snapshot.objects : snapshot.objects.map(object => {
      const known = names.get(object.id);
      return known === undefined ? object : { ...object, name: known.name };
    }),
    findings: snapshot.findings.map(finding => finding.parts === undefined ? finding : { ...finding, explanation: explanationOf(finding.parts, says, placeOf) }),
  };
}

/** What lies in shared memory keeps its place there: other programs know it by that. */
function nameIn(object: IpcObject, name: string): string {
  const shown = visible(name, 120);
  return object.name?.startsWith('in ') === true ? `${shown} (${object.name})` : shown;
}

function partWords(part: ExplanationPart, names: ReadonlyMap<string, { readonly name: string; readonly before: string | undefined }>): string {
  if (typeof part === 'string') return part;
  const known = 'objectId' in part ? names.get(part.objectId) : undefined;
  return known?.before !== undefined && part.text.endsWith(known.before) ? part.text.slice(0, -known.before.length) + known.name : part.text;
}

/** Each thread is said to be somewhere once, where it is named first. */
function explanationOf(parts: NonNullable<Finding['parts']>, says: (part: ExplanationPart) => string, placeOf: Knowledge['placeOf']): string {
  const placed = new Set<string>();
  return parts.map(part => {
    const text = says(part);
    if (typeof part === 'string' || !('pid' in part)) return text;
    const key = `${part.pid}.${part.tid ?? part.pid}`;
    const place = placed.has(key) ? undefined : placeOf(part);
    placed.add(key);
    if (!place) return text;
    const at = l10n.t('at {0}', placeWords(place));
    return text.endsWith(')') ? `${text.slice(0, -1)}, ${at})` : `${text} (${at})`;
  }).join('');
}
