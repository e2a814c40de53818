// Who would give back how much of which System V semaphore when it exits (SEM_UNDO, semop(2)): handles `via: undo`. Read only where
// there is a semaphore set, and with the capabilities for it; otherwise one gap says what it takes.
import type { Handle, IpcObject, SysvSemaphoreSet } from '../model';
import type { ScanContext } from '../context';
import { asRoot } from '../gaps';
import { effectiveCapabilities } from '../kernel/capabilities';
import { parseStat, readText } from '../kernel/procfs';
import { readUndoLists } from '../kernel/undoLists';
import type { UndoEntry, UndoRefusal } from '../kernel/undoLists';
import { adjustmentsInRecord } from '../kernel/undoProgram';
import type { ScannedProcess } from '../processes';
import { sysvId } from './sysv';

const scope = { facility: 'sysv-semaphore-set', field: 'undo' } as const;
const what = 'cannot read who would give back how much of which semaphore at exit (SEM_UNDO)';
const anotherKernel = 'a kernel built with CONFIG_DEBUG_INFO_BTF, CONFIG_BPF_SYSCALL and CONFIG_BPF_EVENTS';

/** The holders of undo values for the sets among `objects`, by set and process. */
export function undoHolders(context: Pick<ScanContext, 'gaps' | 'processes' | 'host'>, objects: readonly IpcObject[]): Handle[] {
  const sets = new Map<string, SysvSemaphoreSet>();
  for (const object of objects) if (object.kind === 'sysv-semaphore-set') sets.set(object.id, object);
  if (sets.size === 0) return [];
  const rights = new Set(effectiveCapabilities());
  if (!rights.has('CAP_SYS_ADMIN') && !(rights.has('CAP_BPF') && rights.has('CAP_PERFMON'))) {
    context.gaps.failed(scope, what, 'EPERM', context.host.uid === 0 ? asRoot : 'run the probe as root, or with CAP_BPF and CAP_PERFMON');
    return [];
  }
  const large = [...sets.values()].filter(({ state }) => state.nsems > adjustmentsInRecord);
  const lists = readUndoLists(large.flatMap(({ id, namespace, state: { nsems } }) => namespace == null ? [] : [{ ipcNamespace: namespace, semid: semidOf(id), nsems }]));
  if ('errno' in lists) {
    noteRefusal(context, lists);
    return [];
  }
  const processes = new Map(context.processes.map(process => [process.pid, process]));
  for (const { pid, why } of lists.cut) {
    const process = processes.get(pid);
    if (!process) continue;
    const told = lists.entries.filter(entry => entry.pid === pid).length;
    context.gaps.add({ ...scope, pid }, why === 'long'
      ? `pid ${pid} (${process.comm}) has undo values (SEM_UNDO) for more semaphores than are read of one list; those of the first ${told} sets are shown`
      : `the undo values (SEM_UNDO) of pid ${pid} (${process.comm}) changed in every attempt to read them; those of ${told} sets are shown`, { remedy: 'look again' });
  }
  return handlesOf(context, lists.entries, sets, processes);
}

const semidOf = (id: string): number => Number(id.slice(id.lastIndexOf(':') + 1));

/** Entries as handles. Exported for its test: no kernel is asked but whether a process is still the same. */
export function handlesOf({ gaps }: Pick<ScanContext, 'gaps'>, entries: readonly UndoEntry[], sets: ReadonlyMap<string, SysvSemaphoreSet>, processes: ReadonlyMap<number, ScannedProcess>, isSame = isStillSame): Handle[] {
  const sharers = sharersOf(entries);
  const same = new Map<number, boolean>();
  const handles: Handle[] = [];
  const seen = new Set<string>();
  for (const entry of [...entries].sort((a, b) => a.pid - b.pid || a.tid - b.tid)) {
    const { pid, list, ipcNamespace, semid, adjustments } = entry;
    const objectId = sysvId('sysv-semaphore-set', ipcNamespace, semid);
    const set = sets.get(objectId);
    const process = processes.get(pid);
    // Of a set that was made or removed meanwhile, or of a process that this pass does not look at.
    if (!set || !process) continue;
    if (!same.has(pid)) same.set(pid, isSame(process));
    if (same.get(pid) !== true) continue;
    // Threads of one process that share a list are one holder.
    const key = `${pid} ${list} ${objectId}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const { nsems } = set.state;
    if (adjustments.length < nsems) gaps.add({ ...scope, objectId }, `of the undo values (SEM_UNDO) of ${objectId} only those of the first ${adjustments.length} of its ${nsems} semaphores could be read`);
    const others = [...new Set((sharers.get(list) ?? []).map(each => each.pid))].filter(other => other !== pid).sort((a, b) => a - b);
    const tid = ownThread(entry, entries, sharers.get(list) ?? []);
    handles.push({
      objectId, pid, ...tid !== undefined && { tid }, via: 'undo',
      undo: adjustments.slice(0, nsems).flatMap((adjustment, num) => adjustment === 0 ? [] : [{ num, adjustment }]),
      ...others.length > 0 && { sharedWith: others },
    });
  }
  return handles;
}

/** Tasks that told of each list, each once. */
function sharersOf(entries: readonly UndoEntry[]): Map<bigint, UndoEntry[]> {
  const sharers = new Map<bigint, UndoEntry[]>();
  for (const entry of entries) {
    const known = sharers.get(entry.list);
    if (!known) sharers.set(entry.list, [entry]);
    else if (!known.some(({ tid }) => tid === entry.tid)) known.push(entry);
  }
  return sharers;
}

/** The thread whose list it is; undefined when it is that of the process: its main thread has it, or all who tell of it share it. */
function ownThread({ pid, tid, list }: UndoEntry, entries: readonly UndoEntry[], sharers: readonly UndoEntry[]): number | undefined {
  if (sharers.some(each => each.tid === pid)) return undefined;
  // The main thread has ended, and the others share its list.
  const alone = entries.every(each => each.pid !== pid || each.list === list);
  return alone && sharers.filter(each => each.pid === pid).length > 1 ? undefined : tid;
}

/** A PID may be another process's by now. */
function isStillSame({ pid, startTime }: ScannedProcess): boolean {
  return parseStat(readText(`/proc/${pid}/stat`).value ?? '')?.startTime === startTime;
}

function noteRefusal({ gaps }: Pick<ScanContext, 'gaps'>, { errno, step, said }: UndoRefusal): void {
  switch (step) {
    case 'types':
      gaps.failed(scope, `${what}: this kernel does not tell where it keeps them (/sys/kernel/btf/vmlinux${said === undefined ? '' : `: ${said}`})`, errno, anotherKernel);
      return;
    case 'map': case 'program': case 'link': {
      const lockedDown = /\[confidentiality\]/.test(readText('/sys/kernel/security/lockdown').value ?? '');
      const why = lockedDown ? ': this kernel is locked down (confidentiality)' : step === 'program' && said !== undefined ? `: this kernel's verifier refused the program that reads them (${said})` : '';
      gaps.failed(scope, `${what}${why}`, errno, lockedDown ? 'start the machine without lockdown=confidentiality' : errno === 'EPERM' ? asRoot : anotherKernel);
      return;
    }
    case 'read':
      gaps.failed(scope, what, errno);
      return;
    default: step satisfies never;
  }
}
