// Namespaces other than the probe's own that a pass has seen, and how they are entered: one gap for each that refuses.
import type { IpcKind } from './model';
import type { ScanContext } from './context';
import { asRoot } from './gaps';
import type { ScannedProcess } from './processes';
import { inIpcNamespace } from './kernel/namespaces';
import { readLink } from './kernel/procfs';
import { resourcesOf } from './kernel/standIns';

/** The processes of each IPC namespace that is not ours, to enter it by. */
export function foreignIpcNamespaces(context: Pick<ScanContext, 'processes' | 'host'>): Map<string, readonly ScannedProcess[]> {
  return foreign(context.processes, 'ipc', context.host.ipcNamespace);
}

/** The processes of each mount namespace that is not ours. */
export function foreignMountNamespaces(context: Pick<ScanContext, 'processes' | 'host'>): Map<string, readonly ScannedProcess[]> {
  return foreign(context.processes, 'mnt', context.host.mntNamespace);
}

function foreign(processes: readonly ScannedProcess[], kind: 'ipc' | 'mnt', own: string | undefined): Map<string, ScannedProcess[]> {
  const others = new Map<string, ScannedProcess[]>();
  for (const process of processes) {
    const namespace = process.namespaces[kind];
    // A kernel thread has no root directory of its own, and a zombie has left its namespaces.
    if (namespace === null || namespace === own || process.kernelThread) continue;
    const inside = others.get(namespace);
    if (inside) inside.push(process);
    else others.set(namespace, [process]);
  }
  return others;
}

/**
 * Runs synchronous `work` in a foreign IPC namespace, once. Undefined when it cannot be entered: then a gap says so, unless
 * the namespace went with its last process in the meantime.
 */
export function enterIpcNamespace<T>(context: Pick<ScanContext, 'gaps' | 'host'>, namespace: string, inside: readonly ScannedProcess[], facilities: readonly IpcKind[], work: () => T): T | undefined {
  const entered = inIpcNamespace(namespace, inside.map(({ pid }) => pid), work);
  if (entered.errno === undefined) return entered.value;
  if (entered.errno === 'ESRCH') return undefined;
  const [first] = inside;
  const who = first ? ` of pid ${first.pid} (${first.comm}${first.container === undefined ? '' : `, ${first.container}`})` : '';
  for (const facility of facilities) context.gaps.failed({ facility, namespace }, `cannot enter IPC namespace ${namespace}${who}`, entered.errno, remedyFor(context.host.uid, first));
  return undefined;
}

/**
 * What helps where a namespace refuses. That of a rootless container belongs to a user namespace of the container's user, who could enter
 * both, the user namespace first. Not this process, though: setns(2) into a user namespace is refused to more than one thread (EINVAL), and
 * Node.js has several from its start; nor a forked child of it, in which V8's heap is missing (MADV_DONTFORK; it dies by SIGSEGV). Both were
 * tried. nsenter(1) can, and starting it is left to the user: the probe starts no program.
 */
function remedyFor(uid: number, inhabitant: ScannedProcess | undefined): string {
  if (inhabitant === undefined || uid === 0 || inhabitant.uid !== uid) return asRoot;
  const [own, its] = (['self', inhabitant.pid] as const).map(who => readLink(`${who === 'self' ? '/proc/self' : resourcesOf(who)}/ns/user`).value);
  return its === undefined || its === own ? asRoot : `${asRoot}, or enter it yourself: nsenter --user --ipc --preserve-credentials --target ${inhabitant.pid} ipc-probe snapshot`;
}
