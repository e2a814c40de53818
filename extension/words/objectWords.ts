// What is said of an object and of those who have it: labels, summaries, tooltips, what a removal loses. Pure.
import type { Handle, IpcObject, Process } from '../../native-probe/model';
import { facility } from '../../native-probe/facilityTable';
import { peerSummary } from './bothEnds';
import { kindWords } from './kindWords';
import type { TooltipRow } from './kindWords';
import { rangeCounts } from './lockWords';
import { ago, bytes, bytesExactly, count, inMarkdown, ownerWords, processName, processState, unknown, userName, visible, when } from './presentation';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';
import { undoWords } from './undoWords';

/** IPC_PRIVATE, however many zeros it is written with. */
const isPrivate = (key: string): boolean => /^0x0*$/.test(key);

/** How people call it: `/name`, `shmid 5`, the file's base name, the address. */
export function objectLabel(object: IpcObject): string {
  switch (object.kind) {
    case 'sysv-shared-memory': return `shmid ${systemVId(object)}`;
    case 'sysv-message-queue': return `msqid ${systemVId(object)}`;
    case 'sysv-semaphore-set': return `semid ${systemVId(object)}`;
    case 'flock-lock': {
      const path = object.state.path ?? object.name;
      return path == null ? l10n.t('on inode {0}', visible(object.id.split(':').pop() ?? object.id)) : visible(path.split('/').pop() || path);
    }
    case 'mutex':
    case 'futex': return visible(object.name ?? object.state.address ?? object.id);
    case 'posix-message-queue':
    case 'posix-shared-memory':
    case 'posix-semaphore': return visible(object.name ?? object.id);
    default: return kindWords(object).label;
  }
}

/** With its kind, where the kind is not visible from the place: `POSIX semaphore /ready`. */
export function objectTitle(object: IpcObject): string {
  const kind = l10n.t(facility(object.kind).label);
  const label = objectLabel(object);
  // "pipe" and "pipe 4711", "UNIX domain socket" and "socket 4711": the word is said once.
  const last = `${kind.split(' ').at(-1) ?? kind} `;
  return label.startsWith(last) ? `${kind} ${label.slice(last.length)}` : `${kind} ${label}`;
}

/** What a sentence calls an object that may not be in the snapshot. */
export function objectTitleOf(index: SnapshotIndex, objectId: string): string {
  const object = index.objects.get(objectId);
  return object ? objectTitle(object) : visible(objectId);
}

function systemVId(object: IpcObject): string {
  return visible(object.id.split(':').pop() ?? object.id);
}

function keyWords(object: IpcObject): string[] {
  if (object.key === undefined) return [];
  return [isPrivate(object.key) ? 'IPC_PRIVATE' : object.key];
}

/** The state in a few words, for one line. */
export function objectSummary(object: IpcObject, index: SnapshotIndex): string {
  const words = [...keyWords(object), ...stateWords(object), ...peerSummary(object, index)];
  if (object.namespace !== undefined && object.namespace !== null && object.namespace !== index.snapshot.host.ipcNamespace && object.kind.startsWith('sysv')) {
    words.push(l10n.t('IPC namespace {0}', object.namespace));
  }
  if (object.owner !== undefined && object.owner !== null) words.push(visible(userName(object.owner.uid)));
  return words.join(' · ');
}

function stateWords(object: IpcObject): readonly string[] {
  switch (object.kind) {
    case 'sysv-shared-memory': return [
      bytes(object.state.segsz),
      count(object.state.nattch, l10n.t('1 attached'), n => l10n.t('{0} attached', n)),
      ...(object.state.dest ? [l10n.t('marked for destruction')] : []),
      ...(object.state.locked ? [l10n.t('locked in memory')] : []),
    ];
    case 'sysv-message-queue': return [messages(Number(object.state.qnum)), bytes(object.state.cbytes)];
    case 'sysv-semaphore-set': return [
      count(object.state.nsems, l10n.t('1 semaphore'), n => l10n.t('{0} semaphores', n)),
      object.state.sems === null ? l10n.t('values unknown') : `[${values(object.state.sems.map(it => it.val))}]`,
    ];
    case 'posix-message-queue': return [object.state.curmsgs === null ? l10n.t('messages unknown') : messages(object.state.curmsgs)];
    case 'posix-shared-memory': return [bytes(object.state.size)];
    case 'posix-semaphore': return [
      object.state.value === null ? l10n.t('value unknown') : l10n.t('value {0}', object.state.value),
      ...(object.state.waiters === null || object.state.waiters === 0 ? [] : [waiters(object.state.waiters)]),
    ];
    case 'flock-lock': return [...rangeCounts(object.state.ranges, object.state.waiting), object.state.path === null ? l10n.t('path unknown') : visible(object.state.path)];
    case 'mutex': return [
      ...(object.state.type === null ? [] : [object.state.type]),
      object.state.owner === null ? l10n.t('owner unknown') : object.state.owner === 0 ? l10n.t('not locked') : l10n.t('owned by thread {0}', object.state.owner),
    ];
    case 'futex': return [];
    default: return kindWords(object).summary();
  }
}

const messages = (n: number): string => count(n, l10n.t('1 message'), shown => l10n.t('{0} messages', shown));
const waiters = (n: number): string => count(n, l10n.t('1 waiter'), shown => l10n.t('{0} waiters', shown));

function values(all: readonly number[], most = 8): string {
  return all.slice(0, most).join(' ') + (all.length > most ? ' …' : '');
}

/** What a process does with an object through these handles: `attached at 0x7f…, last shmat`. */
export function handleWords(handles: readonly Handle[]): string {
  return handles.map(handleWord).join(' · ');
}

function handleWord(handle: Handle): string {
  const access = handle.access === undefined ? '' : ` ${accessWord(handle.access)}`;
  const address = handle.address ?? unknown();
  switch (handle.via) {
    case 'descriptor': return (handle.fd === undefined ? l10n.t('descriptor') : l10n.t('fd {0}', handle.fd)) + access + endWord(handle);
    case 'mapping': return l10n.t('mapped at {0}', address) + access;
    case 'attachment': return l10n.t('attached at {0}', address) + access;
    case 'lock': return lockWord(handle);
    case 'owner': return handle.tid === undefined ? l10n.t('owner') : l10n.t('owner: thread {0}', handle.tid);
    case 'undo': return handle.tid === undefined ? l10n.t('at exit: {0} (SEM_UNDO)', undoWords(handle, 3)) : l10n.t('at the exit of thread {0}: {1} (SEM_UNDO)', handle.tid, undoWords(handle, 3));
    case 'last-operation': return handle.operation === undefined ? l10n.t('last operation') : l10n.t('last {0}', visible(handle.operation));
    default: return never(handle.via);
  }
}

/** The end, where the access does not say it already. */
function endWord({ end, access }: Handle): string {
  return end === undefined || end === access || (end === 'both' && access === 'read-write') ? '' : ` (${visible(end)})`;
}

function lockWord({ lock, fd }: Handle): string {
  const kind = lock === undefined || lock.type === null ? l10n.t('holds a lock') : lock.type === 'write' ? l10n.t('holds an exclusive lock') : l10n.t('holds a shared lock');
  const range = lock === undefined || (lock.start === '0' && lock.end === 'EOF') ? '' : ` [${lock.start}–${lock.end}]`;
  return kind + range + (fd === undefined ? '' : ` (${l10n.t('fd {0}', fd)})`);
}

function accessWord(access: NonNullable<Handle['access']>): string {
  switch (access) {
    case 'read': return l10n.t('read');
    case 'write': return l10n.t('write');
    case 'read-write': return l10n.t('read-write');
    default: return never(access);
  }
}

/** Label and value, one a line, of everything in its state: for tooltips. Values are harmless Markdown already. */
function stateRows(object: IpcObject): readonly TooltipRow[] {
  const time = (at: string | undefined): string => at === undefined ? l10n.t('never') : when(at);
  const number = (n: number | string | null): string => n === null ? unknown() : String(n);
  const pid = (n: number): string => n === 0 ? l10n.t('none, or outside the PID namespace') : String(n);
  switch (object.kind) {
    case 'sysv-shared-memory': { const s = object.state; return [
      [l10n.t('Size'), bytesExactly(s.segsz)], ['nattch', String(s.nattch)], [l10n.t('Resident, swapped'), `${bytes(s.rss)}, ${bytes(s.swap)}`],
      [l10n.t('Creator, last user'), `cpid ${pid(s.cpid)}, lpid ${pid(s.lpid)}`], [l10n.t('Last shmat(2)'), time(s.atime)], [l10n.t('Last shmdt(2)'), time(s.dtime)], [l10n.t('Last change'), time(s.ctime)],
      ...(s.dest ? [['SHM_DEST', l10n.t('destroyed when the last process detaches')] satisfies [string, string]] : []),
      ...(s.locked ? [['SHM_LOCKED', l10n.t('cannot be swapped out')] satisfies [string, string]] : []),
    ]; }
    case 'sysv-message-queue': { const s = object.state; return [
      [l10n.t('Messages'), l10n.t('{0}, {1} of at most {2}', number(s.qnum), bytes(s.cbytes), bytes(s.qbytes))],
      [l10n.t('Last msgsnd(2)'), `${time(s.stime)}, lspid ${pid(s.lspid)}`], [l10n.t('Last msgrcv(2)'), `${time(s.rtime)}, lrpid ${pid(s.lrpid)}`], [l10n.t('Last change'), time(s.ctime)],
    ]; }
    case 'sysv-semaphore-set': { const s = object.state; return [
      [l10n.t('Semaphores'), String(s.nsems)], [l10n.t('Values'), s.sems === null ? unknown() : values(s.sems.map(it => it.val), 32)],
      [l10n.t('Last semop(2)'), time(s.otime)], [l10n.t('Last change'), time(s.ctime)],
    ]; }
    case 'posix-message-queue': { const s = object.state; return [
      [l10n.t('Messages'), l10n.t('{0} of at most {1}, each at most {2}', number(s.curmsgs), number(s.maxmsg), bytes(s.msgsize))], [l10n.t('Bytes'), bytes(s.qsize)],
      ...(s.notify === undefined ? [] : [[l10n.t('Notification'), s.notify === null ? unknown() : l10n.t('PID {0}, signal {1}', s.notify.pid, s.notify.signo)] satisfies [string, string]]),
    ]; }
    case 'posix-shared-memory': return [[l10n.t('Size'), bytesExactly(object.state.size)], [l10n.t('Allocated'), bytesExactly(object.state.allocated)]];
    case 'posix-semaphore': return [[l10n.t('Value'), number(object.state.value)], [l10n.t('Waiters'), number(object.state.waiters)]];
    case 'flock-lock': return [[l10n.t('Path'), object.state.path === null ? unknown() : inMarkdown(object.state.path)]];
    case 'mutex': { const s = object.state; return [
      [l10n.t('Type'), s.type ?? unknown()], [l10n.t('Owner'), s.owner === null ? unknown() : s.owner === 0 ? l10n.t('none') : l10n.t('thread {0}', s.owner)],
      ...(s.address === undefined ? [] : [[l10n.t('Address'), s.address] satisfies [string, string]]),
    ]; }
    case 'futex': return object.state.address === undefined ? [] : [[l10n.t('Address'), object.state.address]];
    default: return kindWords(object).rows();
  }
}

/** Markdown that explains the object and its facility. Everything untrusted in it is escaped. */
export function objectTooltip(object: IpcObject, index: SnapshotIndex): string {
  const row = facility(object.kind);
  const rows: TooltipRow[] = [...stateRows(object)];
  if (object.key !== undefined) rows.unshift([l10n.t('Key'), isPrivate(object.key) ? l10n.t('{0} (IPC_PRIVATE)', object.key) : object.key]);
  if (object.owner !== undefined) rows.push([l10n.t('Owner'), inMarkdown(ownerWords(object.owner))]);
  if (object.createdAt !== undefined) rows.push([l10n.t('Created'), when(object.createdAt)]);
  if (object.namespace !== undefined) rows.push([l10n.t('Namespace'), object.namespace ?? unknown()]);
  rows.push([l10n.t('Persistence'), persistenceWords(row.persistence)], [l10n.t('Accessible to'), l10n.t(row.accessibility)], [l10n.t('Identified by'), l10n.t(row.identifiedBy)], [l10n.t('Manual page'), row.manual]);
  const notes = object.kind === 'sysv-message-queue' || object.kind === 'sysv-semaphore-set'
    ? [l10n.t('The kernel keeps no list of the processes that use it: only the last ones to operate on it are known.')]
    : [];
  notes.push(...index.gapsOf(object.id).map(gap => `⚠ ${inMarkdown(gap.reason)}${gap.remedy === undefined ? '' : ` (${inMarkdown(gap.remedy)})`}`));
  return [`**${inMarkdown(objectTitle(object))}**`, rows.map(([label, value]) => `${label}: ${value}  `).join('\n'), ...notes].join('\n\n');
}

function persistenceWords(persistence: IpcObject['persistence']): string {
  switch (persistence) {
    case 'kernel': return l10n.t('kernel (until it is removed or the system shuts down)');
    case 'file-system': return l10n.t('file system (until its file is removed)');
    case 'process': return l10n.t('process (until the last process closes it)');
    case 'memory': return l10n.t('that of the memory it lies in');
    default: return never(persistence);
  }
}

/** Markdown that explains a process. Everything untrusted in it is escaped. */
export function processTooltip(process: Process | undefined, pid: number, does: string): string {
  if (!process) return l10n.t('PID {0}. Nothing else is known of it: it is not in the snapshot.', pid) + (does === '' ? '' : `\n\n${inMarkdown(does)}`);
  const command = process.cmdline === null ? unknown() : process.cmdline.length === 0 ? l10n.t('none') : inMarkdown(process.cmdline.join(' '));
  const rows: [string, string][] = [
    [l10n.t('Command line'), command],
    ...(process.exe === undefined ? [] : [[l10n.t('Executable'), process.exe === null ? unknown() : inMarkdown(process.exe)] satisfies [string, string]]),
    [l10n.t('User'), inMarkdown(userName(process.uid))],
    [l10n.t('State'), processState(process.state)],
    [l10n.t('Parent'), String(process.ppid)],
    ...(process.tracerPid === undefined ? [] : [[l10n.t('Traced by'), String(process.tracerPid)] satisfies [string, string]]),
    ...(process.container === undefined ? [] : [[l10n.t('Container'), inMarkdown(process.container)] satisfies [string, string]]),
    ...(process.unit === undefined ? [] : [[l10n.t('Unit'), inMarkdown(process.unit)] satisfies [string, string]]),
    ...(process.nsPids === undefined ? [] : [[l10n.t('PID inside'), process.nsPids.slice(1).join(', ')] satisfies [string, string]]),
  ];
  return [`**${inMarkdown(processName(process, pid))}** PID ${pid}`, rows.map(([label, value]) => `${label}: ${value}  `).join('\n'), ...(does === '' ? [] : [inMarkdown(does)])].join('\n\n');
}

/** What removing it loses, for a confirmation: `3 messages, 120 bytes`. */
export function whatIsLost(object: IpcObject): string {
  switch (object.kind) {
    case 'sysv-shared-memory': return l10n.t('{0} of shared memory', bytesExactly(object.state.segsz));
    case 'posix-shared-memory': return l10n.t('{0} of shared memory', bytesExactly(object.state.size));
    case 'sysv-message-queue': return l10n.t('{0}, {1}', messages(Number(object.state.qnum)), bytes(object.state.cbytes));
    case 'posix-message-queue': return object.state.curmsgs === null ? l10n.t('its messages (how many is unknown)') : `${messages(object.state.curmsgs)}, ${bytes(object.state.qsize)}`;
    case 'sysv-semaphore-set': return object.state.sems === null ? l10n.t('its values (unknown)') : l10n.t('its values: {0}', values(object.state.sems.map(it => it.val), 16));
    case 'posix-semaphore': return object.state.value === null ? l10n.t('its value (unknown)') : l10n.t('its value: {0}', object.state.value);
    default: return l10n.t('nothing that outlives its processes');
  }
}

/** When it was last changed or used, as far as it is recorded; empty when nothing is. */
export function lastUse(object: IpcObject): string {
  const times: string[] = [];
  if (object.kind === 'sysv-shared-memory') times.push(object.state.atime ?? '', object.state.dtime ?? '', object.state.ctime);
  else if (object.kind === 'sysv-message-queue') times.push(object.state.stime ?? '', object.state.rtime ?? '', object.state.ctime);
  else if (object.kind === 'sysv-semaphore-set') times.push(object.state.otime ?? '', object.state.ctime);
  else if (object.changedAt) times.push(object.changedAt);
  const newest = times.filter(it => it !== '').sort().pop();
  return newest === undefined ? '' : ago(newest);
}

function never(value: never): never {
  throw new Error(`not handled: ${JSON.stringify(value)}`);
}
