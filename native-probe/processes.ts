// One pass over /proc: every process with what identifies it, its descriptors and its shared mappings.
import type { Access, Known, Process } from './model';
import type { Gaps } from './gaps';
import { asRoot } from './gaps';
import { namespaceNumber } from './context';
import type { Mapping, SignalMasks } from './kernel/procfs';
import { isGone, lstatOf, numericEntries, parseCmdline, parseSharedMaps, parseStat, parseStatus, PF_KTHREAD, processOfThread, readBytes, readLink, readText, splitDeleted, textOf } from './kernel/procfs';
import { residenceOf } from './kernel/cgroups';

export interface Descriptor {
  readonly fd: number;
  /** Target of /proc/PID/fd/N as Latin-1 text: `pipe:[4711]`, `/dev/shm/x`, … */
  readonly target: string;
}

export interface ScannedProcess extends Process {
  readonly kernelThread: boolean;
  /** Controlling terminal (stat's tty_nr) and its foreground process group; absent when it has none. */
  readonly terminal?: { readonly device: number; readonly foreground: number };
  /** Effective GID first, then the supplementary groups; null: unknown. */
  readonly groups: Known<readonly number[]>;
  /** Of its main thread; null: unknown. */
  readonly signals: Known<SignalMasks>;
  /** null: denied (a gap says so). Empty for kernel threads and zombies: they have none. */
  readonly descriptors: Known<readonly Descriptor[]>;
  /** MAP_SHARED mappings only. null: denied (a gap says so). */
  readonly sharedMappings: Known<readonly Mapping[]>;
}

/** The part of a scanned process that belongs into the snapshot. */
export function toProcess(scanned: ScannedProcess): Process {
  const { kernelThread: _kernelThread, terminal: _terminal, groups: _groups, signals: _signals, descriptors: _descriptors, sharedMappings: _sharedMappings, ...plain } = scanned;
  return plain;
}

/** Every process, in the order of PIDs. One that vanishes in between is left out; one that denies leaves a gap. */
export async function scanProcesses(gaps: Gaps, pause: () => Promise<void>): Promise<ScannedProcess[]> {
  const pids = numericEntries('/proc');
  if (pids.value === undefined) {
    gaps.failed({ facility: 'processes' }, 'cannot list /proc', pids.errno, 'mount procfs at /proc');
    return [];
  }
  if (!pids.value.includes(process.pid)) {
    gaps.add({ facility: 'processes' }, '/proc does not show even this probe: it is no procfs, or one of another PID namespace', { remedy: 'mount procfs at /proc' });
  }
  const processes: ScannedProcess[] = [];
  for (const pid of pids.value.sort((a, b) => a - b)) {
    const scanned = scanProcess(pid, gaps);
    if (scanned) processes.push(scanned);
    await pause();
  }
  return processes;
}

/** One process; undefined when it is gone. */
export function scanProcess(pid: number, gaps: Gaps): ScannedProcess | undefined {
  const directory = `/proc/${pid}`;
  const statText = readText(`${directory}/stat`);
  const stat = statText.value === undefined ? undefined : parseStat(statText.value);
  if (!stat) {
    if (statText.value !== undefined || !isGone(statText.errno)) gaps.add({ pid, facility: 'processes', field: 'stat' }, `cannot read /proc/${pid}/stat`, statText.errno === undefined ? {} : { errno: statText.errno });
    return undefined;
  }
  const statusText = readText(`${directory}/status`).value;
  const status = statusText === undefined ? undefined : parseStatus(statusText);
  const kernelThread = (stat.flags & PF_KTHREAD) !== 0;
  const hasResources = !kernelThread && stat.state !== 'Z' && stat.state !== 'X';

  // One gap a process for all that one right (ptrace read access) opens; scope.field names the parts.
  const denied = new Map<string, string>();
  const read = <T>(field: string, result: { value?: T; errno?: string }): Known<T> => {
    if (result.value !== undefined) return result.value;
    if (!isGone(result.errno)) denied.set(field, result.errno ?? '');
    return null;
  };

  const namespaces = { ipc: null, pid: null, net: null, mnt: null } as { -readonly [K in 'ipc' | 'pid' | 'net' | 'mnt']: Known<string> };
  for (const name of ['ipc', 'pid', 'net', 'mnt'] as const) namespaces[name] = namespaceNumber(read('ns', readLink(`${directory}/ns/${name}`)) ?? undefined);

  const cmdline = readBytes(`${directory}/cmdline`);
  const exe = hasResources ? read('exe', readLink(`${directory}/exe`)) : undefined;
  const residence = residenceOf(readText(`${directory}/cgroup`).value ?? '');
  const descriptors = hasResources ? read('fd', readDescriptors(pid)) : [];
  const maps = hasResources ? read('maps', readText(`${directory}/maps`)) : '';

  for (const [errno, fields] of byErrno(denied)) {
    gaps.failed({ pid, facility: 'processes', field: fields.join(',') }, `cannot read ${fields.map(field => fieldWords[field] ?? field).join(', ')} of pid ${pid} (${stat.comm})`, errno, asRoot);
  }
  // The PID may have been reused while we read: then what was read is a mixture.
  const again = parseStat(readText(`${directory}/stat`).value ?? '');
  if (again?.startTime !== stat.startTime) return undefined;

  return {
    pid, startTime: stat.startTime, ppid: stat.ppid, comm: stat.comm, state: stat.state,
    ...(exe === undefined ? {} : { exe: exe === null ? null : textOf(splitDeleted(exe).path) }),
    cmdline: cmdline.value === undefined ? null : parseCmdline(cmdline.value),
    uid: status?.uid ?? null, groups: status?.groups ?? null, signals: status?.signals ?? null,
    namespaces,
    ...residence,
    ...(status && status.tracerPid > 0 ? { tracerPid: processOfThread(status.tracerPid) } : {}),
    ...(status && status.nsPids.length > 1 ? { nsPids: status.nsPids } : {}),
    ...(stat.terminal === undefined ? {} : { terminal: stat.terminal }),
    kernelThread, descriptors, sharedMappings: maps === null ? null : parseSharedMaps(maps),
  };
}

const fieldWords: Readonly<Record<string, string>> = { ns: 'the namespaces', exe: 'the executable', fd: 'the descriptors', maps: 'the mappings' };

function byErrno(denied: ReadonlyMap<string, string>): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [field, errno] of denied) groups.set(errno, [...groups.get(errno) ?? [], field]);
  return groups;
}

function readDescriptors(pid: number): { value?: Descriptor[]; errno?: string } {
  const entries = numericEntries(`/proc/${pid}/fd`);
  if (entries.value === undefined) return entries;
  const descriptors: Descriptor[] = [];
  for (const fd of entries.value) {
    const target = readLink(`/proc/${pid}/fd/${fd}`);
    if (target.value !== undefined) descriptors.push({ fd, target: target.value });
    // Closed in between: not an error. Denied after the directory was readable: the whole table is unknown.
    else if (!isGone(target.errno)) return { errno: target.errno };
  }
  return { value: descriptors };
}

/** Open mode of a descriptor: owner's r and w bits of the link (proc(5)); undefined when closed in between. */
export function descriptorAccess(pid: number, fd: number): Access | undefined {
  const mode = lstatOf(`/proc/${pid}/fd/${fd}`).value?.mode;
  if (mode === undefined) return undefined;
  const [readable, writable] = [(mode & 0o400) !== 0, (mode & 0o200) !== 0];
  return readable ? (writable ? 'read-write' : 'read') : writable ? 'write' : undefined;
}

/** Access that a mapping gives. */
export function mappingAccess(permissions: string): Access | undefined {
  const [readable, writable] = [permissions[0] === 'r', permissions[1] === 'w'];
  return readable ? (writable ? 'read-write' : 'read') : writable ? 'write' : undefined;
}
