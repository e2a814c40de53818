// Who has which end of what, as the facilities found it in this pass: the descriptors behind a thread's arguments, and the holders of
// an object. Where holders may be out of sight, gaps say so.
import type { Handle, IpcObject } from '../../model';
import type { ScanContext } from '../../context';
import { initialPidNamespace } from '../../context';
import { asRoot } from '../../gaps';
import { readLink, readText } from '../../kernel/procfs';
import type { ScannedProcess } from '../../processes';
import type { Found } from './scene';

export class Ends {
  readonly objects: ReadonlyMap<string, IpcObject>;
  readonly #byDescriptor = new Map<number, Map<number, Handle>>();
  readonly #byObject = new Map<string, Handle[]>();
  readonly #undo = new Map<string, Handle[]>();
  readonly #links = new Map<number, ReadonlyMap<number, string>>();
  readonly #unreadable: readonly ScannedProcess[];
  readonly #byPid: ReadonlyMap<number, ScannedProcess>;
  readonly #sessions = new Map<number, string>();

  constructor(private readonly context: ScanContext, found: Found) {
    this.objects = new Map(found.objects.map(object => [object.id, object]));
    this.#byPid = new Map(context.processes.map(process => [process.pid, process]));
    this.#unreadable = context.processes.filter(process => process.descriptors === null && !process.kernelThread);
    for (const handle of found.handles) {
      if (handle.via === 'undo') {
        const holders = this.#undo.get(handle.objectId);
        if (holders) holders.push(handle); else this.#undo.set(handle.objectId, [handle]);
      }
      if (handle.via !== 'descriptor') continue;
      const its = this.#byObject.get(handle.objectId);
      if (its) its.push(handle); else this.#byObject.set(handle.objectId, [handle]);
      if (handle.fd === undefined) continue;
      const table = this.#byDescriptor.get(handle.pid);
      if (table) table.set(handle.fd, handle); else this.#byDescriptor.set(handle.pid, new Map([[handle.fd, handle]]));
    }
  }

  /** Everybody's descriptors of an object. */
  holders(objectId: string): readonly Handle[] {
    return this.#byObject.get(objectId) ?? [];
  }

  /** Those whose exit would change a semaphore set (SEM_UNDO), as far as that could be read. */
  undoHolders(objectId: string): readonly Handle[] {
    return this.#undo.get(objectId) ?? [];
  }

  /** A process's descriptor, as the pass saw it. */
  at(pid: number, fd: number): Handle | undefined {
    return this.#byDescriptor.get(pid)?.get(fd);
  }

  /** The descriptor that a thread names in a call: undefined unless the thread's own table still shows what the pass saw of its process. */
  ofThread(process: ScannedProcess, tid: number, fd: number): Handle | undefined {
    const handle = this.at(process.pid, fd);
    if (!handle) return undefined;
    let links = this.#links.get(process.pid);
    if (!links) this.#links.set(process.pid, links = new Map((process.descriptors ?? []).map(each => [each.fd, each.target])));
    return readLink(`/proc/${process.pid}/task/${tid}/fd/${fd}`).value === links.get(fd) ? handle : undefined;
  }

  /**
   * The gap left by processes whose descriptors may not be read and that may have inherited the object: started no earlier than the
   * first that is seen to have it, and a descendant of one who has it, of its session, or of its name. (An ancestor, or somebody to
   * whom the descriptor was passed, cannot be excluded either; but that would leave an ordinary user without any answer at all,
   * because every process of his descends from one of root's.)
   */
  unseenHolders(objectId: string, seen: readonly number[]): string | undefined {
    const { host, gaps } = this.context;
    // What came into a PID namespace from outside (the standard input of a container, say) may have its other holders there.
    if (host.pidNamespace !== initialPidNamespace && this.holders(objectId).some(({ pid }) => this.#byPid.get(pid)?.ppid === 0)) {
      return gaps.add({ facility: 'waits', objectId, field: 'outside' }, `processes outside PID namespace ${host.pidNamespace} may have ${objectId} too`, { remedy: 'run the probe on the host, outside the container' });
    }
    if (this.#unreadable.length === 0) return undefined;
    const holders = seen.map(pid => this.#byPid.get(pid)).filter(process => process !== undefined);
    const first = holders.reduce((least, { startTime }) => BigInt(startTime) < least ? BigInt(startTime) : least, 1n << 62n);
    const pids = new Set(seen);
    const names = new Set(holders.map(({ comm }) => comm));
    const sessions = new Set(holders.map(({ pid }) => this.#session(pid)));
    const suspects = this.#unreadable.filter(process => BigInt(process.startTime) >= first && (names.has(process.comm) || this.#descends(process, pids) || sessions.has(this.#session(process.pid))));
    if (suspects.length === 0) return undefined;
    const who = suspects.slice(0, 3).map(({ pid, comm }) => `${comm} (${pid})`).join(', ');
    return gaps.failed({ facility: 'waits', objectId, field: 'holders' }, `${who}${suspects.length > 3 ? ', …' : ''} may have ${objectId} too: ${suspects.length === 1 ? 'its' : 'their'} descriptors cannot be read`, 'EACCES', asRoot);
  }

  #descends(process: ScannedProcess, from: ReadonlySet<number>): boolean {
    // Bounded: a tree that was read while it changed may seem to have a ring.
    for (let at: ScannedProcess | undefined = process, depth = 0; at && depth < 1000; at = this.#byPid.get(at.ppid), depth++) if (from.has(at.ppid)) return true;
    return false;
  }

  /** Its session (stat's 6th field), which every user may read. */
  #session(pid: number): string {
    const known = this.#sessions.get(pid);
    if (known !== undefined) return known;
    const text = readText(`/proc/${pid}/stat`).value ?? '';
    const session = text.slice(text.lastIndexOf(')') + 2).split(' ')[3] ?? `none ${pid}`;
    this.#sessions.set(pid, session);
    return session;
  }
}
