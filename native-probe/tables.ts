// The tables of the command line, for people.
import { facility, facilityTable } from './facilityTable';
import type { CollectedKind, Gap, Handle, IpcObject, Snapshot, StaleJudgement } from './model';

/** Rows of cells, left-aligned in columns. The last column is not padded. */
export function columns(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, at) => { widths[at] = Math.max(widths[at] ?? 0, cell.length); });
  return rows.map(row => indent + row.map((cell, at) => at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)).join('  ')).join('\n');
}

function endpoint({ address, port }: { address: string; port: number }): string { return `${address.includes(':') ? `[${address}]` : address}:${port}`; }

function unknown(value: string | number | null | undefined): string { return value === null || value === undefined ? '?' : String(value); }

/** "1 waiter", "2 waiters", "? waiters". */
function counted(value: string | number | null | undefined, noun: string): string { return `${unknown(value)} ${noun}${String(value) === '1' ? '' : 's'}`; }

/** The state of an object in one short phrase. */
export function stateInBrief(object: IpcObject): string {
  switch (object.kind) {
    case 'sysv-shared-memory': return `${object.state.segsz} bytes, nattch ${object.state.nattch}${object.state.dest ? ', dest' : ''}${object.state.locked ? ', locked' : ''}`;
    case 'sysv-message-queue': return `${counted(object.state.qnum, 'message')}, ${object.state.cbytes} of ${unknown(object.state.qbytes)} bytes`;
    case 'sysv-semaphore-set': return object.state.sems ? `values ${object.state.sems.slice(0, 16).map(sem => sem.val).join(' ')}${object.state.nsems > 16 ? ` … (${object.state.nsems})` : ''}` : `${object.state.nsems} semaphores, values ?`;
    case 'posix-message-queue': return `${unknown(object.state.curmsgs)} of ${unknown(object.state.maxmsg)} messages, ${unknown(object.state.qsize)} bytes`;
    case 'posix-shared-memory': return `${unknown(object.state.size)} bytes${object.state.unlinked ? ', unlinked' : ''}`;
    case 'posix-semaphore': return `value ${unknown(object.state.value)}, ${counted(object.state.waiters, 'waiter')}`;
    case 'flock-lock': return object.state.ranges.map(range => `${unknown(range.type)} lock`).join(', ');
    case 'mutex': return `owner ${unknown(object.state.owner)}`;
    case 'futex': return object.state.address ?? '';
    case 'condition-variable': return `${counted(object.state.waiters, 'waiter')}`;
    case 'rwlock': return object.state.writer === undefined ? `${counted(object.state.readers, 'reader')}` : `writer ${unknown(object.state.writer)}`;
    case 'barrier': return `${unknown(object.state.waiting)} of ${unknown(object.state.count)} arrived`;
    case 'posix-unnamed-semaphore': return `value ${unknown(object.state.value)}, ${counted(object.state.waiters, 'waiter')}`;
    case 'pipe': case 'fifo': return object.state.unread === null ? '' : `${object.state.unread} of ${unknown(object.state.capacity)} bytes unread`;
    case 'unix-socket': return `${unknown(object.state.type)} ${unknown(object.state.state)}${object.state.peer == null ? '' : ` → ${object.state.peer}`}`;
    case 'inet-socket': return `${object.state.protocol} ${object.state.state} ${endpoint(object.state.local)}${object.state.remote ? ` → ${endpoint(object.state.remote)}` : ''}`;
    case 'other-socket': return `${unknown(object.state.family)} ${object.state.protocol ?? ''}`.trim();
    case 'pseudoterminal': return object.state.foreground === undefined ? '' : `foreground process group ${object.state.foreground}`;
    case 'memfd': return [`${unknown(object.state.size)} bytes`, ...object.state.seals ?? []].join(', ');
    case 'shared-mapping': return `${object.state.mapped} bytes mapped`;
    case 'anonymous-shared-mapping': return `${object.state.size} bytes`;
    case 'record-lock': case 'ofd-lock': case 'lease': return object.state.ranges.map(({ type, start, end }) => `${unknown(type)} ${start}–${end}`).join(', ');
    case 'eventfd': return `count ${unknown(object.state.count)}${object.state.semaphore ? ', semaphore' : ''}`;
    case 'signalfd': return object.state.signals?.join(' ') ?? '?';
    case 'timerfd': return object.state.value === undefined ? 'disarmed' : `in ${object.state.value} s`;
    case 'epoll': return `watches ${object.state.watches === null ? '?' : object.state.watches.length}`;
    case 'inotify': return `watches ${object.state.watches === null ? '?' : object.state.watches.length}`;
    case 'pidfd': return `pid ${unknown(object.state.pid)}`;
    case 'signal': return object.state.pending.length === 0 ? `${object.state.caught.length} caught` : `pending ${object.state.pending.join(' ')}`;
    default: return object satisfies never;
  }
}

/** "undo 0:+1 2:-3": what an exit adds to which semaphore. */
function undoInBrief(undo: NonNullable<Handle['undo']>): string {
  const parts = undo.slice(0, 8).map(({ num, adjustment }) => `${num}:${adjustment > 0 ? '+' : ''}${adjustment}`);
  return undo.length === 0 ? 'undo nothing' : `undo ${parts.join(' ')}${undo.length > 8 ? ` and ${undo.length - 8} more` : ''}`;
}

function users(handles: readonly Handle[], names: ReadonlyMap<number, string>): string {
  const byPid = new Map<number, Set<string>>();
  for (const { pid, via, access, operation, undo } of handles) {
    const words = byPid.get(pid) ?? new Set();
    byPid.set(pid, words.add(undo !== undefined ? undoInBrief(undo) : operation === undefined ? `${via}${access === undefined ? '' : ` ${access}`}` : `last ${operation}`));
  }
  const all = [...byPid].map(([pid, words]) => `${names.get(pid) ?? '?'}[${pid}] ${[...words].join('+')}`);
  return all.length > 6 ? `${all.slice(0, 6).join(', ')}, and ${all.length - 6} more` : all.join(', ');
}

/** Objects by kind with their users, then the gaps that concern what was asked for: only some `kinds`, or all. */
export function formatSnapshot(snapshot: Snapshot, kinds?: readonly CollectedKind[]): string {
  const names = new Map(snapshot.processes.map(process => [process.pid, process.comm]));
  const handles = new Map<string, Handle[]>();
  for (const handle of snapshot.handles) {
    const list = handles.get(handle.objectId);
    if (list) list.push(handle); else handles.set(handle.objectId, [handle]);
  }
  const parts: string[] = [];
  for (const row of facilityTable.values()) {
    const objects = snapshot.objects.filter(object => object.kind === row.kind);
    if (objects.length === 0) continue;
    parts.push(`${row.plural} (${objects.length})`, columns(objects.map(object => [
      object.id, object.name ?? '', object.owner ? `${object.owner.uid}:${object.owner.gid} ${object.owner.mode}` : '', stateInBrief(object), users(handles.get(object.id) ?? [], names),
    ]), '  '), '');
  }
  if (parts.length === 0) parts.push('no IPC objects', '');
  // Every object is looked at for the waits' sake, which have a verb of their own.
  const concerning = snapshot.gaps.filter(gap => gap.scope.facility !== 'waits' && concerns(gap, kinds));
  return [...parts, formatGaps({ ...snapshot, gaps: concerning })].join('\n').trimEnd();
}

/** Whether a gap is about some kinds, or about what all kinds rest on. */
function concerns({ scope: { facility: its, objectId } }: Gap, kinds: readonly CollectedKind[] | undefined): boolean {
  const kind = its ?? objectId?.slice(0, objectId.indexOf(':'));
  return kinds === undefined || !facilityTable.has(kind as CollectedKind) || kinds.includes(kind as CollectedKind);
}

/** Gaps in one line a cause: the unreadable processes of a machine are one line, and so are a thousand sets whose values may not be read. */
export function formatGaps(snapshot: Snapshot): string {
  if (snapshot.gaps.length === 0) return '';
  const groups = new Map<string, { count: number; example: string; remedy: string | undefined; processes: boolean }>();
  for (const gap of snapshot.gaps) {
    const { scope: { pid, objectId, facility: its, field }, errno, remedy } = gap;
    const key = pid !== undefined && its === 'processes' ? `process ${errno ?? ''}` : objectId === undefined ? gap.id : JSON.stringify([its ?? objectId.slice(0, objectId.indexOf(':')), field, errno, remedy]);
    const group = groups.get(key);
    if (group) group.count++;
    else groups.set(key, { count: 1, example: gap.reason, remedy, processes: pid !== undefined && its === 'processes' });
  }
  const lines = [...groups.values()].map(({ count, example, remedy, processes }) => `  ${example}${count > 1 ? ` (and ${count - 1} more ${processes ? `process${count > 2 ? 'es' : ''}` : 'like this'})` : ''}${remedy === undefined ? '' : `; ${remedy}`}`);
  return ['Not seen', ...lines].join('\n');
}

/** What is stale, and why. */
export function formatStale(snapshot: Snapshot, judgements: readonly StaleJudgement[]): string {
  if (judgements.length === 0) return ['nothing is stale', formatGaps(snapshot)].join('\n').trimEnd();
  const objects = new Map(snapshot.objects.map(object => [object.id, object]));
  const order = ['stale', 'possibly-stale', 'in-use'] as const;
  const lines: string[] = [];
  for (const { objectId, verdict, evidence } of [...judgements].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))) {
    const object = objects.get(objectId);
    lines.push(`${verdict}: ${object ? `${facility(object.kind).label} ${object.name ?? ''}, ${stateInBrief(object)}` : ''}`, `  ${objectId}`, ...evidence.map(line => `  - ${line}`));
  }
  return lines.join('\n');
}
