// One pass over /proc: every process with what identifies it, its descriptors and its shared mappings.
import type { Access, Handle, IpcObject, Known, Process } from './model';
import type { Gaps } from './gaps';
import { asRoot } from './gaps';
import { namespaceNumber } from './context';
import { equal } from './analysis/diff';
import type { Mapping, ProcStat, ProcStatus, SignalMasks } from './kernel/procfs';
import { isGone, lstatOf, numericEntries, parseCmdline, parseSharedMaps, parseStat, parseStatus, PF_KTHREAD, processOfThread, readLink, readText, splitDeleted, textOf, within } from './kernel/procfs';
import { residenceOf } from './kernel/cgroups';
import type { Recollection } from './recollection';
import { findStandIn, noStandIn, resourcesOf } from './kernel/standIns';

/** One entry of a process's descriptor table; from pass to pass the same object while number and target stay the same. */
export interface Descriptor {
  readonly fd: number;
  /** Target of /proc/PID/fd/N as Latin-1 text: `pipe:[4711]`, `/dev/shm/x`, … */
  readonly target: string;
  /** What its facility made of it last, and of what it had read. To be used again only when that reads the same. */
  made?: { readonly read: string; readonly object: IpcObject; readonly handle: Handle };
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

const plainOf = new WeakMap<ScannedProcess, Process>();

/** The part of a scanned process that belongs into the snapshot. */
export function toProcess(scanned: ScannedProcess): Process {
  let plain = plainOf.get(scanned);
  if (!plain) plainOf.set(scanned, plain = withoutResources(scanned));
  return plain;
}

function withoutResources(scanned: ScannedProcess): Process {
  const { kernelThread: _kernelThread, terminal: _terminal, groups: _groups, signals: _signals, descriptors: _descriptors, sharedMappings: _sharedMappings, ...plain } = scanned;
  return plain;
}

/** Every process, in the order of PIDs. One that vanishes in between is left out; one that denies leaves a gap. */
export async function scanProcesses(gaps: Gaps, pause: () => Promise<void>, recollection: Recollection): Promise<ScannedProcess[]> {
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
    const scanned = scanProcess(pid, gaps, recollection);
    if (scanned) processes.push(scanned);
    await pause();
  }
  recollection.processes.endOfPass();
  return processes;
}

interface Parsed<T> { readonly text: string; readonly value: T }
/** What one process read like: the texts that are parsed again only when they changed, and what came of it all. */
export interface RememberedProcess { readonly stat: Parsed<ProcStat>; readonly status: Parsed<ProcStatus | undefined>; readonly cmdline: Parsed<string[]>; readonly scanned: ScannedProcess }

function parsedOnce<T>(before: Parsed<T> | undefined, text: string, parse: (text: string) => T): Parsed<T> {
  return before?.text === text ? before : { text, value: parse(text) };
}

/** One process; undefined when it is gone. The same object as last time where nothing of it changed. */
export function scanProcess(pid: number, gaps: Gaps, recollection: Recollection): ScannedProcess | undefined {
  const directory = `/proc/${pid}`;
  const before = recollection.processes.get(pid);
  const statText = readText(`${directory}/stat`);
  const stat = statText.value === undefined ? undefined : before?.stat.text === statText.value ? before.stat.value : parseStat(statText.value);
  if (!stat || statText.value === undefined) {
    if (statText.value !== undefined) gaps.add({ pid, facility: 'processes', field: 'stat' }, `/proc/${pid}/stat does not read as it should`);
    else if (!isGone(statText.errno)) gaps.failed({ pid, facility: 'processes', field: 'stat' }, `cannot read anything of pid ${pid}`, statText.errno, asRoot);
    return undefined;
  }
  // A PID that was reused is another process: nothing of the old one counts.
  const known = before?.scanned.startTime === stat.startTime ? before : undefined;
  const status = parsedOnce(known?.status, readText(`${directory}/status`).value ?? '', parseStatus);
  const kernelThread = (stat.flags & PF_KTHREAD) !== 0;
  // A zombie has nothing any more, but where only the first thread has ended the others have all of it.
  const standIn = stat.state === 'Z' ? findStandIn(pid) : undefined;
  if (standIn === undefined) noStandIn(pid);
  const state = standIn?.state ?? stat.state;
  const hasResources = !kernelThread && state !== 'Z' && state !== 'X';
  const resources = resourcesOf(pid);

  // One gap a process for all that one right (ptrace read access) opens; scope.field names the parts.
  const denied = new Map<string, string>();
  const read = <T>(field: string, result: { value?: T; errno?: string }): Known<T> => {
    if (result.value !== undefined) return result.value;
    if (!isGone(result.errno)) denied.set(field, result.errno ?? '');
    return null;
  };

  const namespaces = { ipc: null, pid: null, net: null, mnt: null } as { -readonly [K in 'ipc' | 'pid' | 'net' | 'mnt']: Known<string> };
  for (const name of ['ipc', 'pid', 'net', 'mnt'] as const) namespaces[name] = namespaceNumber(read('ns', readLink(`${resources}/ns/${name}`)) ?? undefined);

  const cmdlineText = readText(`${resources}/cmdline`).value;
  const cmdline = parsedOnce(known?.cmdline, cmdlineText ?? '', parseCmdline);
  const exe = hasResources ? read('exe', readLink(`${resources}/exe`)) : undefined;
  const residence = residenceOf(readText(`${directory}/cgroup`).value ?? '');
  const descriptors = hasResources ? read('fd', readDescriptors(pid, known?.scanned.descriptors ?? [])) : [];
  const maps = hasResources ? read('maps', readText(`${resources}/maps`)) : '';

  for (const [errno, fields] of byErrno(denied)) {
    gaps.failed({ pid, facility: 'processes', field: fields.join(',') }, `cannot read ${fields.map(field => fieldWords[field] ?? field).join(', ')} of pid ${pid} (${stat.comm})`, errno, asRoot);
  }
  // The PID may have been reused while we read: then what was read is a mixture.
  const again = readText(`${directory}/stat`).value ?? '';
  if (again !== statText.value) {
    const now = parseStat(again);
    if (now?.startTime !== stat.startTime) return undefined;
    // Its first thread has just ended, so that nothing may have been there to read: it, or what goes on, is looked at anew.
    if (now.state === 'Z' && stat.state !== 'Z') return scanProcess(pid, gaps, recollection);
  }

  const { tracerPid = 0, nsPids = [], uid = null, groups = null, signals = null } = status.value ?? {};
  const next: ScannedProcess = {
    pid, startTime: stat.startTime, ppid: stat.ppid, comm: stat.comm, state,
    ...(exe === undefined ? {} : { exe: exe === null ? null : textOf(splitDeleted(exe).path) }),
    cmdline: cmdlineText === undefined ? null : cmdline.value,
    uid, groups, signals, namespaces, ...residence,
    ...(tracerPid > 0 ? { tracerPid: processOfThread(tracerPid) } : {}),
    ...(nsPids.length > 1 ? { nsPids } : {}),
    ...(stat.terminal === undefined ? {} : { terminal: stat.terminal }),
    kernelThread, descriptors, sharedMappings: maps === null ? null : parseSharedMaps(maps),
  };
  const scanned = known && equal(known.scanned, next) ? known.scanned : next;
  recollection.processes.set(pid, { stat: { text: statText.value, value: stat }, status, cmdline, scanned });
  return scanned;
}

const fieldWords: Readonly<Record<string, string>> = { ns: 'the namespaces', exe: 'the executable', fd: 'the descriptors', maps: 'the mappings' };

function byErrno(denied: ReadonlyMap<string, string>): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [field, errno] of denied) groups.set(errno, [...groups.get(errno) ?? [], field]);
  return groups;
}

/** The table, entry by entry as it was `before` where it is so still; `before` itself where all of it is. */
function readDescriptors(pid: number, before: readonly Descriptor[]): { value?: readonly Descriptor[]; errno?: string } {
  const directory = `${resourcesOf(pid)}/fd`;
  const entries = numericEntries(directory);
  if (entries.value === undefined) return entries;
  return within(directory, entries.value.length >= worthEntering, prefix => readEntries(entries.value, prefix, before));
}

/** To go there and back costs as much as this many shorter names save. */
const worthEntering = 16;

function readEntries(entries: readonly number[], prefix: string, before: readonly Descriptor[]): { value?: readonly Descriptor[]; errno?: string } {
  const descriptors: Descriptor[] = [];
  let kept = 0;
  let byNumber: Map<number, Descriptor> | undefined;
  for (const fd of entries) {
    const { value: target, errno } = readLink(prefix + fd);
    if (target !== undefined) {
      // Nearly always it stands where it stood.
      const there = before[descriptors.length];
      const was = there?.fd === fd ? there : (byNumber ??= new Map(before.map(each => [each.fd, each]))).get(fd);
      if (was?.target === target) { descriptors.push(was); kept++; }
      else descriptors.push({ fd, target });
    }
    // Closed in between: not an error. Denied after the directory was readable: the whole table is unknown.
    else if (!isGone(errno)) return { errno };
  }
  return { value: kept === before.length && kept === descriptors.length ? before : descriptors };
}

/** Open mode of a descriptor: owner's r and w bits of the link (proc(5)); undefined when closed in between. */
export function descriptorAccess(pid: number, fd: number): Access | undefined {
  const mode = lstatOf(`${resourcesOf(pid)}/fd/${fd}`).value?.mode;
  if (mode === undefined) return undefined;
  const [readable, writable] = [(mode & 0o400) !== 0, (mode & 0o200) !== 0];
  return readable ? (writable ? 'read-write' : 'read') : writable ? 'write' : undefined;
}

/** Access that a mapping gives. */
export function mappingAccess(permissions: string): Access | undefined {
  const [readable, writable] = [permissions[0] === 'r', permissions[1] === 'w'];
  return readable ? (writable ? 'read-write' : 'read') : writable ? 'write' : undefined;
}
