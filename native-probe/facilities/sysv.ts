// System V queues, segments and semaphore sets of one IPC namespace. Written as generators, because in the own namespace
// the pass may pause between objects, and in a foreign one it must not (see kernel/namespaces.ts).
import type { IpcObject, Known, SysvMessageQueue, SysvSemaphore, SysvSemaphoreSet, SysvSharedMemory } from '../model';
import type { Clock, ScanContext } from '../context';
import type { Result } from '../kernel/procfs';
import { idOfSysvLine, keyText, ownerOf, parseSysvLine, readSysvTable, semaphoreIncreaseWaiters, semaphorePid, semaphoreValues, semaphoreZeroWaiters, SHM_DEST, SHM_LOCKED, statQueue, timeText } from '../kernel/sysvipc';
import type { SysvRow } from '../kernel/sysvipc';

export type SysvKind = 'sysv-message-queue' | 'sysv-shared-memory' | 'sysv-semaphore-set';
export const sysvKinds: readonly SysvKind[] = ['sysv-message-queue', 'sysv-shared-memory', 'sysv-semaphore-set'];

/** Id of a System V object: ids are only unique within their kind and IPC namespace. */
export function sysvId(kind: SysvKind, namespace: string, id: number | string): string {
  return `${kind}:${namespace}:${id}`;
}

const tables = { 'sysv-message-queue': 'msg', 'sysv-shared-memory': 'shm', 'sysv-semaphore-set': 'sem' } as const;
const describers = { 'sysv-message-queue': describeQueue, 'sysv-shared-memory': describeSegment, 'sysv-semaphore-set': describeSet };

/** An object as it was in the last pass. */
export interface RememberedObject {
  /** Its line in the table. */
  readonly line: string;
  readonly object: IpcObject;
  /** What the line does not tell: the limit of a queue, the values and last operators of a set. Absent where a gap stands for it. */
  readonly asked?: Asked;
}
interface Asked {
  /** Last operation and last change when it was asked, and the clock it goes by (ms since the epoch at boot). */
  readonly times: string;
  readonly bootMs: number;
  readonly qbytes?: string;
  readonly semaphores?: readonly { readonly val: number; readonly pid: number }[];
}

type Pass = Pick<ScanContext, 'gaps' | 'concerns' | 'recollection' | 'clock'>;

/** Every object of a kind in the calling thread's IPC namespace, `namespace` being its number. */
export function* collectSysv(kind: SysvKind, namespace: string, pass: Pass): Generator<IpcObject> {
  const { gaps, concerns } = pass;
  const remembered = pass.recollection.sysv(kind, namespace);
  const table = readSysvTable(tables[kind]);
  if (table.value === undefined) {
    gaps.failed({ facility: kind, namespace }, `cannot read /proc/sysvipc/${tables[kind]}`, table.errno,
      table.errno === 'ENOENT' ? 'the kernel was built without CONFIG_SYSVIPC, or /proc is not mounted' : undefined);
    return;
  }
  const { columns, lines } = table.value;
  for (const line of lines) {
    const number = idOfSysvLine(line);
    const before = remembered.get(number);
    if (!concerns(before?.object.id ?? sysvId(kind, namespace, number))) continue;
    const same = before?.line === line ? unchanged(before, pass.clock) : undefined;
    if (same) { yield same; continue; }
    const row = parseSysvLine(columns, line);
    if (row === undefined) continue;
    const described = describers[kind](row, namespace, pass, stillTrue(before?.asked, timesOf(row), pass.clock) ? before?.asked : undefined);
    if (described === undefined) continue;
    remembered.set(number, { line, ...described });
    yield described.object;
  }
}

interface Described { readonly object: IpcObject; readonly asked?: Asked }

/** The same object again, of the same line, where nothing that the line does not tell can have changed. */
function unchanged({ object, asked }: RememberedObject, clock: Clock): IpcObject | undefined {
  switch (object.kind) {
    // Its line tells everything. Where it does not, a gap has to be said again.
    case 'sysv-shared-memory': return object.state.rss === null || object.creatorPid === null ? undefined : object;
    case 'sysv-message-queue': return stillTrue(asked, asked?.times, clock) ? object : undefined;
    // Who waits leaves no trace in it.
    case 'sysv-semaphore-set': return stillTrue(asked, asked?.times, clock) && object.state.sems?.every(({ ncnt, zcnt }, index) => sameWaiters(object, index, ncnt, zcnt)) ? object : undefined;
    default: return undefined;
  }
}

function sameWaiters({ id }: IpcObject, index: number, ncnt: Known<number>, zcnt: Known<number>): boolean {
  const semid = Number(id.slice(id.lastIndexOf(':') + 1));
  return semaphoreIncreaseWaiters(semid, index).value === ncnt && semaphoreZeroWaiters(semid, index).value === zcnt;
}

const timesOf = (row: SysvRow): string => `${row['otime'] ?? 0} ${row['ctime'] ?? 0}`;

/**
 * Whether what was asked is true as long as the times stay the same: every operation that changes a semaphore sets otime, SETVAL,
 * SETALL and IPC_SET set ctime (ipc/sem.c, ipc/msg.c). They have whole seconds of a clock that may be a tick late: so both must have
 * been in the past already when it was asked. Nothing is concluded once the clock was set.
 */
export function stillTrue(asked: Asked | undefined, times: string | undefined, { bootMs }: Clock): boolean {
  return asked !== undefined && asked.times === times && Math.abs(asked.bootMs - bootMs) < 500;
}

/** What was asked just now, worth keeping only if a change from now on would show in the times. */
function keep(times: string, { bootMs }: Clock, what: Pick<Asked, 'qbytes' | 'semaphores'>): { asked?: Asked } {
  const past = Math.floor(Date.now() / 1000) - 2;
  return times.split(' ').every(time => Number(time) <= past) ? { asked: { times, bootMs, ...what } } : {};
}

function base<K extends SysvKind>(kind: K, row: SysvRow, namespace: string, idColumn: string) {
  const id = Number(row[idColumn]);
  const changedAt = timeText(row['ctime']);
  return {
    id: sysvId(kind, namespace, id), kind, namespace, persistence: 'kernel' as const, owner: ownerOf(row), key: keyText(row),
    name: `${keyText(row) === '0x0' ? 'private' : keyText(row)} (${idColumn} ${id})`,
    ...(changedAt === undefined ? {} : { changedAt }),
  };
}

function describeSegment(row: SysvRow, namespace: string, { gaps }: Pass): Described {
  const perms = parseInt(row['perms'] ?? '0', 8);
  const [atime, dtime] = [timeText(row['atime']), timeText(row['dtime'])];
  const object = base('sysv-shared-memory', row, namespace, 'shmid');
  if (row['rss'] === undefined) gaps.add({ objectId: object.id, field: 'rss' }, 'this kernel does not tell resident and swapped bytes');
  if (knownPid(row['cpid']) === null) gaps.add({ objectId: object.id, field: 'creatorPid' }, 'its creator lives outside this PID namespace', { remedy: 'run the probe on the host' });
  const segment: SysvSharedMemory = {
    ...object, creatorPid: knownPid(row['cpid']),
    state: {
      segsz: row['size'] ?? '0', nattch: Number(row['nattch']), cpid: Number(row['cpid']), lpid: Number(row['lpid']),
      ...(atime === undefined ? {} : { atime }), ...(dtime === undefined ? {} : { dtime }), ctime: timeText(row['ctime']) ?? new Date(0).toISOString(),
      rss: row['rss'] ?? null, swap: row['swap'] ?? null, dest: (perms & SHM_DEST) !== 0, locked: (perms & SHM_LOCKED) !== 0,
    },
  };
  return { object: segment };
}

/** 0 = a process outside the reader's PID namespace: unknown, and never a PID. */
function knownPid(column: string | undefined): Known<number> {
  const pid = Number(column);
  return pid > 0 ? pid : null;
}

function describeQueue(row: SysvRow, namespace: string, { gaps, clock }: Pass, before: Asked | undefined): Described | undefined {
  const object = base('sysv-message-queue', row, namespace, 'msqid');
  const limit: Result<{ readonly qbytes: string }> = before?.qbytes === undefined ? statQueue(Number(row['msqid'])) : { value: { qbytes: before.qbytes } };
  if (limit.errno === 'EIDRM') return undefined; // removed since the table was read
  if (limit.errno !== undefined) gaps.failed({ objectId: object.id, field: 'qbytes' }, `cannot read the limit of message queue ${row['msqid'] ?? ''}`, limit.errno);
  const [stime, rtime] = [timeText(row['stime']), timeText(row['rtime'])];
  const qbytes = limit.value?.qbytes;
  const queue: SysvMessageQueue = {
    ...object,
    state: {
      qnum: row['qnum'] ?? '0', cbytes: row['cbytes'] ?? '0', qbytes: qbytes ?? null, lspid: Number(row['lspid']), lrpid: Number(row['lrpid']),
      ...(stime === undefined ? {} : { stime }), ...(rtime === undefined ? {} : { rtime }), ctime: timeText(row['ctime']) ?? new Date(0).toISOString(),
    },
  };
  return { object: queue, ...(qbytes === undefined ? {} : before ? { asked: before } : keep(timesOf(row), clock, { qbytes })) };
}

function describeSet(row: SysvRow, namespace: string, { gaps, clock }: Pass, before: Asked | undefined): Described | undefined {
  const object = base('sysv-semaphore-set', row, namespace, 'semid');
  const [semid, nsems] = [Number(row['semid']), Number(row['nsems'])];
  const known = before?.semaphores?.length === nsems ? before.semaphores : undefined;
  const values = known ? { value: known.map(({ val }) => val) } : semaphoreValues(semid, nsems);
  if (values.errno === 'EIDRM' || values.errno === 'EINVAL') return undefined;
  const otime = timeText(row['otime']);
  if (values.errno !== undefined) gaps.failed({ objectId: object.id, field: 'sems' }, `cannot read the values of semaphore set ${semid}`, values.errno, 'run the probe as the owner of the set, or as root');
  const sems: SysvSemaphore[] = [];
  for (let index = 0; values.value && index < nsems; index++) {
    const [ncnt, zcnt] = [semaphoreIncreaseWaiters(semid, index), semaphoreZeroWaiters(semid, index)];
    const last = known?.[index]?.pid;
    const pid: Result<number> = last === undefined ? semaphorePid(semid, index) : { value: last };
    const errno = ncnt.errno ?? zcnt.errno ?? pid.errno;
    if (errno === 'EIDRM' || errno === 'EINVAL') return undefined;
    if (errno !== undefined) gaps.failed({ objectId: object.id, field: 'sems' }, `cannot read the waiters of semaphore set ${semid}`, errno);
    sems.push({ val: values.value[index] ?? 0, ncnt: ncnt.value ?? null, zcnt: zcnt.value ?? null, pid: pid.value ?? null });
  }
  const set: SysvSemaphoreSet = { ...object, state: { nsems, ...(otime === undefined ? {} : { otime }), ctime: timeText(row['ctime']) ?? new Date(0).toISOString(), sems: values.value ? sems : null } };
  if (values.value === undefined || sems.some(({ ncnt, zcnt, pid }) => ncnt === null || zcnt === null || pid === null)) return { object: set }; // its gaps have to be said again
  return { object: set, ...(known && before ? { asked: before } : keep(timesOf(row), clock, { semaphores: sems.map(({ val, pid }) => ({ val, pid: pid ?? 0 })) })) };
}
