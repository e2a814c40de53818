// System V IPC as the kernel shows it: the tables of /proc/sysvipc (proc(5)) and the *ctl(2) calls, with the kernel's
// 64-bit structures (include/uapi/asm-generic/{ipcbuf,msgbuf,sembuf,shmbuf}.h; x86 differs in semid64_ds).
import { query, syscall } from './libc';
import type { Argument } from './libc';
import type { SyscallName } from './syscalls';
import type { Result } from './procfs';
import { readText } from './procfs';

export const IPC_CREAT = 0o1000, IPC_EXCL = 0o2000, IPC_NOWAIT = 0o4000;
const IPC_RMID = 0, IPC_SET = 1;
const MSG_STAT_ANY = 13, SHM_STAT_ANY = 15, SEM_STAT_ANY = 20;
const GETPID = 11, GETVAL = 12, GETALL = 13, GETNCNT = 14, GETZCNT = 15, SETALL = 17;
export const SHM_RDONLY = 0o10000;
export const SHM_DEST = 0o1000, SHM_LOCKED = 0o2000;

/** One row of a /proc/sysvipc table: column name → decimal (perms octal, key signed). */
export type SysvRow = Readonly<Record<string, string>>;

/** A table of /proc/sysvipc: its first line names the columns; the lines of objects are still text. */
export interface SysvTable { readonly columns: readonly string[]; readonly lines: readonly string[] }

export function splitSysvTable(text: string): SysvTable {
  const [head = '', ...lines] = text.split('\n');
  return { columns: head.trim().split(/\s+/), lines: lines.filter(line => line !== '') };
}

/** One line of a table; undefined when it is torn or foreign. */
export function parseSysvLine(columns: readonly string[], line: string): SysvRow | undefined {
  const fields = line.trim().split(/\s+/);
  if (fields.length !== columns.length || !fields.every(field => /^-?\d+$/.test(field))) return undefined;
  return Object.fromEntries(columns.map((column, at) => [column, fields[at] ?? '']));
}

/** The second number of a line, which is the id in each of the three tables. Without the care of {@link parseSysvLine}, and without its price. */
export function idOfSysvLine(line: string): number {
  let at = 0;
  while (line.charCodeAt(at) === 0x20) at++;
  while (at < line.length && line.charCodeAt(at) !== 0x20) at++;
  return Number.parseInt(line.slice(at, at + 16), 10);
}

/** The table of the calling thread's IPC namespace. */
export function readSysvTable(facility: 'msg' | 'sem' | 'shm'): Result<SysvTable> {
  const text = readText(`/proc/sysvipc/${facility}`);
  return text.value === undefined ? text : { value: splitSysvTable(text.value) };
}

function number(row: SysvRow, column: string): number { return Number(row[column] ?? Number.NaN); }

/** Owner as the contract has it; mode without the SHM_DEST and SHM_LOCKED flags. */
export function ownerOf(row: SysvRow): { uid: number; gid: number; mode: string } {
  return { uid: number(row, 'uid'), gid: number(row, 'gid'), mode: modeText(parseInt(row['perms'] ?? '0', 8) & 0o777) };
}
/** 0o640 → "0640". */
export function modeText(mode: number): string { return mode.toString(8).padStart(4, '0'); }
/** Signed decimal key of the table → "0x…"; IPC_PRIVATE is 0x0. */
export function keyText(row: SysvRow): string { return `0x${(number(row, 'key') >>> 0).toString(16)}`; }
/** Seconds since the epoch → ISO 8601; 0 = never: undefined. */
export function timeText(seconds: string | number | undefined): string | undefined {
  const value = Number(seconds);
  return Number.isFinite(value) && value !== 0 ? new Date(value * 1000).toISOString() : undefined;
}

function control(name: SyscallName, ...args: Argument[]): Result<number> {
  const { value, errno } = syscall(name, ...args);
  return value === -1 ? { errno } : { value };
}

function asked(name: SyscallName, ...args: number[]): Result<number> {
  const { value, errno } = query(name, ...args);
  return value === -1 ? { errno } : { value };
}

/** Every value of a set, at one moment (GETALL): needs read permission. */
export function semaphoreValues(semid: number, nsems: number): Result<number[]> {
  if (nsems === 1) {
    const only = asked('semctl', semid, 0, GETVAL);
    return only.value === undefined ? only : { value: [only.value] };
  }
  const buffer = Buffer.alloc(Math.max(2, nsems * 2));
  const got = control('semctl', semid, 0, GETALL, buffer);
  if (got.value === undefined) return got;
  return { value: Array.from({ length: nsems }, (_, index) => buffer.readUInt16LE(index * 2)) };
}

/** semncnt of one semaphore of a set: how many threads wait for it to be increased. */
export const semaphoreIncreaseWaiters = (semid: number, index: number): Result<number> => asked('semctl', semid, index, GETNCNT);
/** semzcnt: how many wait for it to become zero. */
export const semaphoreZeroWaiters = (semid: number, index: number): Result<number> => asked('semctl', semid, index, GETZCNT);
/** sempid: who changed it last. */
export const semaphorePid = (semid: number, index: number): Result<number> => asked('semctl', semid, index, GETPID);

export interface SegmentStat { readonly mode: number; readonly ctime: number; readonly nattch: string; readonly lpid: number; readonly cpid: number }

export interface QueueStat { readonly stime: number; readonly rtime: number; readonly ctime: number; readonly qnum: string; readonly qbytes: string }

/** MSG_STAT_ANY, which needs no read permission. Its argument is the index in the kernel's table: the low bits of the id. */
export function statQueue(msqid: number): Result<QueueStat> {
  const buffer = Buffer.alloc(120);
  const got = statAny(msqid, index => control('msgctl', index, MSG_STAT_ANY, buffer));
  if (got.value === undefined) return got;
  return { value: { stime: Number(buffer.readBigInt64LE(48)), rtime: Number(buffer.readBigInt64LE(56)), ctime: Number(buffer.readBigInt64LE(64)), qnum: buffer.readBigUInt64LE(80).toString(), qbytes: buffer.readBigUInt64LE(88).toString() } };
}

/** SEM_STAT_ANY. x86 alone keeps the 32-bit structure's reserved words between the two times. */
export function statSemaphoreSet(semid: number): Result<{ readonly otime: number; readonly ctime: number }> {
  const buffer = Buffer.alloc(104);
  const got = statAny(semid, index => control('semctl', index, 0, SEM_STAT_ANY, buffer));
  if (got.value === undefined) return got;
  return { value: { otime: Number(buffer.readBigInt64LE(48)), ctime: Number(buffer.readBigInt64LE(process.arch === 'x64' ? 64 : 56)) } };
}

/** SHM_STAT_ANY: needs no read permission. */
export function statSegment(shmid: number): Result<SegmentStat> {
  const buffer = Buffer.alloc(112);
  const got = statAny(shmid, index => control('shmctl', index, SHM_STAT_ANY, buffer));
  if (got.value === undefined) return got;
  return {
    value: {
      mode: buffer.readUInt32LE(20), ctime: Number(buffer.readBigInt64LE(72)),
      cpid: buffer.readInt32LE(80), lpid: buffer.readInt32LE(84), nattch: buffer.readBigUInt64LE(88).toString(),
    },
  };
}

/** Finds an id by its index, and that it still is that id: EIDRM when it is gone. */
function statAny(id: number, stat: (index: number) => Result<number>): Result<number> {
  // ipcmni_extend (boot parameter) widens the index from 15 to 24 bits.
  for (const mask of [0x7fff, 0xffffff]) {
    const got = stat(id & mask);
    if (got.value === id) return got;
    if (got.errno !== undefined && got.errno !== 'EINVAL') return got;
  }
  return { errno: 'EIDRM' };
}

const ipcPermSize = 48;
/** A structure for IPC_SET: only uid, gid, mode (and qbytes for queues) are taken from it. */
function setBuffer(size: number, uid: number, gid: number, mode: number): Buffer {
  const buffer = Buffer.alloc(Math.max(size, ipcPermSize));
  buffer.writeUInt32LE(uid, 4);
  buffer.writeUInt32LE(gid, 8);
  buffer.writeUInt32LE(mode & 0o777, 20);
  return buffer;
}

export const removeSegment = (shmid: number): Result<number> => control('shmctl', shmid, IPC_RMID, 0);
export const removeQueue = (msqid: number): Result<number> => control('msgctl', msqid, IPC_RMID, 0);
export const removeSemaphoreSet = (semid: number): Result<number> => control('semctl', semid, 0, IPC_RMID, 0);

/** Makes a segment that must not exist yet; its id. IPC_PRIVATE (0) always makes a new one. */
export const createSegment = (key: number, bytes: bigint, mode: number): Result<number> => control('shmget', key, bytes, IPC_CREAT | IPC_EXCL | (mode & 0o777));
export const ownSegment = (shmid: number, uid: number, gid: number, mode: number): Result<number> => control('shmctl', shmid, IPC_SET, setBuffer(112, uid, gid, mode));
/** Attaches; the address. */
export const attachSegment = (shmid: number, readOnly: boolean): Result<number> => control('shmat', shmid, 0, readOnly ? SHM_RDONLY : 0);
export const detachSegment = (address: number): Result<number> => control('shmdt', BigInt(address));

/** Makes a semaphore set that must not exist yet; its id. */
export const createSemaphoreSet = (key: number, nsems: number, mode: number): Result<number> => control('semget', key, nsems, IPC_CREAT | IPC_EXCL | (mode & 0o777));
export const ownSemaphoreSet = (semid: number, uid: number, gid: number, mode: number): Result<number> => control('semctl', semid, 0, IPC_SET, setBuffer(104, uid, gid, mode));
/** Sets every value of a set (SETALL). */
export function setSemaphoreValues(semid: number, values: readonly number[]): Result<number> {
  const buffer = Buffer.alloc(Math.max(2, values.length * 2));
  values.forEach((value, index) => buffer.writeUInt16LE(value, index * 2));
  return control('semctl', semid, 0, SETALL, buffer);
}
