// System V queues, segments and semaphore sets of one IPC namespace. Written as generators, because in the own namespace
// the pass may pause between objects, and in a foreign one it must not (see kernel/namespaces.ts).
import type { IpcObject, Known, SysvMessageQueue, SysvSemaphore, SysvSemaphoreSet, SysvSharedMemory } from '../model';
import type { ScanContext } from '../context';
import type { Gaps } from '../gaps';
import { keyText, ownerOf, readSysvTable, semaphoreValues, semaphoreWaiters, SHM_DEST, SHM_LOCKED, statQueue, timeText } from '../kernel/sysvipc';
import type { SysvRow } from '../kernel/sysvipc';

export type SysvKind = 'sysv-message-queue' | 'sysv-shared-memory' | 'sysv-semaphore-set';
export const sysvKinds: readonly SysvKind[] = ['sysv-message-queue', 'sysv-shared-memory', 'sysv-semaphore-set'];

/** Id of a System V object: ids are only unique within their kind and IPC namespace. */
export function sysvId(kind: SysvKind, namespace: string, id: number | string): string {
  return `${kind}:${namespace}:${id}`;
}

const tables = { 'sysv-message-queue': 'msg', 'sysv-shared-memory': 'shm', 'sysv-semaphore-set': 'sem' } as const;
const idColumns = { 'sysv-message-queue': 'msqid', 'sysv-shared-memory': 'shmid', 'sysv-semaphore-set': 'semid' } as const;
const describers = { 'sysv-message-queue': describeQueue, 'sysv-shared-memory': describeSegment, 'sysv-semaphore-set': describeSet };

/** Every object of a kind in the calling thread's IPC namespace, `namespace` being its number. */
export function* collectSysv(kind: SysvKind, namespace: string, { gaps, concerns }: Pick<ScanContext, 'gaps' | 'concerns'>): Generator<IpcObject> {
  const table = readSysvTable(tables[kind]);
  if (table.value === undefined) {
    gaps.failed({ facility: kind, namespace }, `cannot read /proc/sysvipc/${tables[kind]}`, table.errno,
      table.errno === 'ENOENT' ? 'the kernel was built without CONFIG_SYSVIPC, or /proc is not mounted' : undefined);
    return;
  }
  for (const row of table.value) {
    if (!concerns(sysvId(kind, namespace, row[idColumns[kind]] ?? ''))) continue;
    const object = describers[kind](row, namespace, gaps);
    if (object) yield object;
  }
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

function describeSegment(row: SysvRow, namespace: string, gaps: Gaps): SysvSharedMemory {
  const perms = parseInt(row['perms'] ?? '0', 8);
  const [atime, dtime] = [timeText(row['atime']), timeText(row['dtime'])];
  const object = base('sysv-shared-memory', row, namespace, 'shmid');
  if (row['rss'] === undefined) gaps.add({ objectId: object.id, field: 'rss' }, 'this kernel does not tell resident and swapped bytes');
  if (knownPid(row['cpid']) === null) gaps.add({ objectId: object.id, field: 'creatorPid' }, 'its creator lives outside this PID namespace', { remedy: 'run the probe on the host' });
  return {
    ...object, creatorPid: knownPid(row['cpid']),
    state: {
      segsz: row['size'] ?? '0', nattch: Number(row['nattch']), cpid: Number(row['cpid']), lpid: Number(row['lpid']),
      ...(atime === undefined ? {} : { atime }), ...(dtime === undefined ? {} : { dtime }), ctime: timeText(row['ctime']) ?? new Date(0).toISOString(),
      rss: row['rss'] ?? null, swap: row['swap'] ?? null, dest: (perms & SHM_DEST) !== 0, locked: (perms & SHM_LOCKED) !== 0,
    },
  };
}

/** 0 = a process outside the reader's PID namespace: unknown, and never a PID. */
function knownPid(column: string | undefined): Known<number> {
  const pid = Number(column);
  return pid > 0 ? pid : null;
}

function describeQueue(row: SysvRow, namespace: string, gaps: Gaps): SysvMessageQueue | undefined {
  const object = base('sysv-message-queue', row, namespace, 'msqid');
  const limit = statQueue(Number(row['msqid']));
  if (limit.errno === 'EIDRM') return undefined; // removed since the table was read
  if (limit.errno !== undefined) gaps.failed({ objectId: object.id, field: 'qbytes' }, `cannot read the limit of message queue ${row['msqid'] ?? ''}`, limit.errno);
  const [stime, rtime] = [timeText(row['stime']), timeText(row['rtime'])];
  return {
    ...object,
    state: {
      qnum: row['qnum'] ?? '0', cbytes: row['cbytes'] ?? '0', qbytes: limit.value?.qbytes ?? null, lspid: Number(row['lspid']), lrpid: Number(row['lrpid']),
      ...(stime === undefined ? {} : { stime }), ...(rtime === undefined ? {} : { rtime }), ctime: timeText(row['ctime']) ?? new Date(0).toISOString(),
    },
  };
}

function describeSet(row: SysvRow, namespace: string, gaps: Gaps): SysvSemaphoreSet | undefined {
  const object = base('sysv-semaphore-set', row, namespace, 'semid');
  const [semid, nsems] = [Number(row['semid']), Number(row['nsems'])];
  const values = semaphoreValues(semid, nsems);
  if (values.errno === 'EIDRM' || values.errno === 'EINVAL') return undefined;
  const otime = timeText(row['otime']);
  if (values.errno !== undefined) gaps.failed({ objectId: object.id, field: 'sems' }, `cannot read the values of semaphore set ${semid}`, values.errno, 'run the probe as the owner of the set, or as root');
  const sems: SysvSemaphore[] = [];
  for (let index = 0; values.value && index < nsems; index++) {
    const { ncnt, zcnt, pid } = semaphoreWaiters(semid, index);
    const errno = ncnt.errno ?? zcnt.errno ?? pid.errno;
    if (errno === 'EIDRM' || errno === 'EINVAL') return undefined;
    if (errno !== undefined) gaps.failed({ objectId: object.id, field: 'sems' }, `cannot read the waiters of semaphore set ${semid}`, errno);
    sems.push({ val: values.value[index] ?? 0, ncnt: ncnt.value ?? null, zcnt: zcnt.value ?? null, pid: pid.value ?? null });
  }
  return { ...object, state: { nsems, ...(otime === undefined ? {} : { otime }), ctime: timeText(row['ctime']) ?? new Date(0).toISOString(), sems: values.value ? sems : null } };
}
