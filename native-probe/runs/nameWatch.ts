// Names that come into being while a run is watched: in /dev/shm and the queues' file system as they are made, and names of FIFOs
// and sockets that are still there at the end.
import type { IpcObject, Snapshot } from '../model';
import type { Run } from '../analysis/leaks';
import type { Means } from './runReport';
import { devShm, devShmId } from '../facilities/devShm';
import { queueId } from '../facilities/posixMessageQueue';
import { watchCreations } from '../kernel/creationEvents';
import type { Creations } from '../kernel/creationEvents';
import { mountedQueueDirectories, openQueueDirectory } from '../kernel/mqueueFileSystem';
import { lstatOf } from '../kernel/procfs';

interface Watched { readonly directory: string; readonly creations: Creations; readonly idOf: (name: string, stats: { dev: number; ino: number }) => string; close(): void }

export class NameWatch {
  readonly means: Means;
  /** Why some names may have been missed. */
  readonly lost: string[] = [];
  private readonly watched: Watched[] = [];
  private readonly found = new Map<string, Run['creations'][number]>();

  constructor() {
    const failures: string[] = [];
    const watch = (directory: string, idOf: Watched['idOf'], close: () => void = () => undefined): void => {
      const creations = watchCreations(directory);
      if (creations.value) this.watched.push({ directory, creations: creations.value, idOf, close });
      else {
        failures.push(`${directory.startsWith('/proc/') ? 'message queues' : directory}: ${creations.errno}`);
        close();
      }
    };
    watch(devShm, devShmId);
    const queues = openQueueDirectory();
    const queueName = (_name: string, stats: { dev: number; ino: number }): string => queueId(stats);
    if (queues.value) {
      const directory = queues.value;
      watch(directory.path, queueName, () => { directory.close(); });
    } else {
      const mounted = mountedQueueDirectories();
      if (mounted.length === 0) failures.push(`message queues: no mqueue file system can be had (${queues.errno})`);
      for (const directory of mounted) watch(directory, queueName);
    }
    const told = process.geteuid?.() === 0 ? 'names are seen as they are made, with their maker' : 'names are seen as they are made, but not their maker';
    this.means = this.watched.length === 0
      ? { what: 'creation-events', used: false, detail: `not available (${failures.join('; ')}): who made a POSIX object is known only where a look found it open` }
      : { what: 'creation-events', used: true, detail: failures.length === 0 ? told : `${told}; not seen: ${failures.join('; ')}` };
  }

  get creations(): Run['creations'] {
    return [...this.found.values()];
  }

  /** Takes note of what was made since the last time; whether there was anything. */
  read(): boolean {
    let any = false;
    for (const { directory, creations, idOf } of this.watched) {
      const { events, lost } = creations.read();
      if (lost) this.lost.push(`more names were made in ${directory} than could be followed`);
      for (const { name, pid } of events) {
        any = true;
        const path = Buffer.concat([Buffer.from(`${directory}/`), name]);
        const stats = lstatOf(path).value;
        if (!stats?.isFile()) continue; // gone again
        const objectId = idOf(name.toString('latin1'), stats);
        this.found.set(`${objectId} ${pid}`, { objectId, pid: pid > 0 ? pid : null });
      }
    }
    return any;
  }

  /** Those of the FIFOs and sockets whose names, made since a time (ms), are still there while nobody has them. */
  leftOf(objects: readonly IpcObject[], after: Snapshot, since: number): IpcObject[] {
    const held = new Set(after.handles.filter(({ pid }) => pid !== after.host.pid).map(({ objectId }) => objectId));
    const served = new Set(after.objects.flatMap(object => object.kind === 'unix-socket' && object.state.path !== undefined ? object.state.path : []));
    const left = new Map<string, IpcObject>();
    for (const object of objects) {
      const path = object.kind === 'fifo' || object.kind === 'unix-socket' ? object.state.path : undefined;
      // Escaped bytes do not lead back to the file.
      if (path == null || !path.startsWith('/') || path.includes('\\') || held.has(object.id)) continue;
      const stats = lstatOf(path).value;
      if (!stats || stats.birthtimeMs < since - 10) continue;
      if (object.kind === 'fifo' ? !(stats.isFIFO() && object.id === `fifo:${stats.dev}:${stats.ino}`) : !stats.isSocket() || served.has(path)) continue;
      // The sockets of accepted connections bear their listener's name.
      if (!left.has(path) || (object.kind === 'unix-socket' && object.state.state === 'listening')) left.set(path, object);
    }
    return [...left.values()];
  }

  close(): void {
    for (const it of this.watched.splice(0)) {
      it.creations.close();
      it.close();
    }
  }
}
