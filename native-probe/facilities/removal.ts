// Per kind: prove at the last moment that it is the same, unused object; save its contents; remove it. One row a kind.
import { closeSync, constants, fsyncSync, ftruncateSync, openSync, unlinkSync } from 'node:fs';
import type { IpcObject, ObjectOf, PosixMessageQueue, PosixSemaphore, PosixSharedMemory, SysvMessageQueue, SysvSemaphoreSet, SysvSharedMemory } from '../model';
import { errnoInWords } from '../gaps';
import type { BackupFiles } from '../backup';
import { createExclusively } from '../backup';
import { fromDisplayText } from '../kernel/text';
import { errnoOf, lstatOf, readLink } from '../kernel/procfs';
import type { Result } from '../kernel/procfs';
import { attachSegment, detachSegment, removeQueue, removeSegment, removeSemaphoreSet, SHM_DEST, statQueue, statSegment, statSemaphoreSet, timeText } from '../kernel/sysvipc';
import { inIpcNamespaceNumbered } from '../kernel/namespaces';
import { openDevShmOf } from '../kernel/foreignDevShm';
import { openQueueByName, queueAttributes, unlinkQueue } from '../kernel/mqueueFileSystem';
import { copyExtent, copySparsely, residentExtents } from '../kernel/sparseCopy';
import { devShm, devShmId } from './devShm';
import { inodeTimes } from './inodeTimes';
import { queueId } from './posixMessageQueue';
import { statOf } from '../kernel/procfs';

/** Why an object must not be removed now; the words go to the user. */
export class NotRemoved extends Error {}

interface Remover<O extends IpcObject> {
  /** Throws {@link NotRemoved} unless it is still that object, unused since it was judged. Cheap: it runs right before the removal. */
  recheck(object: O): void;
  /** Saves what `restore` needs beyond the object itself; true when it wrote a contents file. */
  save?(object: O, files: BackupFiles, pause: () => Promise<void>): Promise<boolean>;
  /** Removes it. Throws {@link NotRemoved}. */
  remove(object: O): void;
}

function numberOf(object: IpcObject): number {
  return Number(object.id.slice(object.id.lastIndexOf(':') + 1));
}

function demand(result: Result<number>, what: string): void {
  if (result.errno === undefined) return;
  if (result.errno === 'EIDRM' || result.errno === 'EINVAL' || result.errno === 'ENOENT') throw new NotRemoved('it is gone: somebody else removed it in the meantime');
  throw new NotRemoved(`${what}: ${errnoInWords(result.errno)}; run the probe as its owner or creator, or as root`);
}

/** Runs synchronous work in the object's IPC namespace. Throws {@link NotRemoved} where it cannot be entered. */
function within<T>(object: IpcObject, work: () => T): T {
  if (object.namespace == null) throw new NotRemoved('it is not known in which IPC namespace it lives; run the probe as root');
  const done = inIpcNamespaceNumbered(object.namespace, work);
  if (done.errno === undefined) return done.value;
  throw new NotRemoved(done.errno === 'ESRCH' ? `it is gone with IPC namespace ${object.namespace}: no process is in that any more`
    : `it lives in IPC namespace ${object.namespace}, which cannot be entered: ${errnoInWords(done.errno)}; run the probe as root, or inside that container`);
}

function same(now: string | number | undefined, before: string | number | undefined, what: string): void {
  if (now !== before) throw new NotRemoved(`${what}: it is in use, or another object by now`);
}

const segment: Remover<SysvSharedMemory> = {
  recheck(object) {
    const now = within(object, () => statSegment(numberOf(object)));
    if (now.value === undefined) throw new NotRemoved('it is gone: somebody else removed it in the meantime');
    same(timeText(now.value.ctime), object.state.ctime, 'its change time is another');
    if (now.value.nattch !== '0') throw new NotRemoved(`it is in use again: ${now.value.nattch} attachment${now.value.nattch === '1' ? '' : 's'}`);
    // Our own backup attaches, and is the one use that does not count.
    if (now.value.lpid !== object.state.lpid && now.value.lpid !== process.pid) throw new NotRemoved(`pid ${now.value.lpid} used it a moment ago`);
  },
  async save(object, files, pause) {
    const length = Number(object.state.segsz);
    // Once attached it is memory of ours, in whichever namespace we are.
    const attached = within(object, () => attachSegment(numberOf(object), true));
    demand(attached.errno === undefined ? { value: 0 } : attached, 'its contents cannot be read for the backup');
    const address = attached.value ?? 0;
    let memory: number | undefined, data: number | undefined;
    try {
      memory = openSync('/proc/self/mem', 'r');
      data = createExclusively(files.data);
      ftruncateSync(data, length);
      for (const extent of residentExtents(address, length, object.state.swap !== '0')) await copyExtent({ fd: memory, base: address }, { fd: data, base: 0 }, extent, pause);
      fsyncSync(data);
      return true;
    } finally {
      if (memory !== undefined) closeSync(memory);
      if (data !== undefined) closeSync(data);
      detachSegment(address);
    }
  },
  remove(object) {
    const [done, left] = within(object, () => [removeSegment(numberOf(object)), statSegment(numberOf(object)).value] as const);
    demand(done, 'it cannot be removed');
    if (left && (left.mode & SHM_DEST) !== 0) throw new NotRemoved(`somebody attached it at that very moment: it is marked for destruction and goes when its ${left.nattch} attachment(s) go`);
  },
};

const messageQueue: Remover<SysvMessageQueue> = {
  recheck(object) {
    const now = within(object, () => statQueue(numberOf(object)));
    if (now.value === undefined) throw new NotRemoved('it is gone: somebody else removed it in the meantime');
    same(timeText(now.value.ctime), object.state.ctime, 'its change time is another');
    same(timeText(now.value.stime), object.state.stime, 'a message was sent since it was judged');
    same(timeText(now.value.rtime), object.state.rtime, 'a message was received since it was judged');
    same(now.value.qnum, object.state.qnum, 'its messages changed since it was judged');
  },
  remove(object) { demand(within(object, () => removeQueue(numberOf(object))), 'it cannot be removed'); },
};

const semaphoreSet: Remover<SysvSemaphoreSet> = {
  recheck(object) {
    const now = within(object, () => statSemaphoreSet(numberOf(object)));
    if (now.value === undefined) throw new NotRemoved('it is gone: somebody else removed it in the meantime');
    same(timeText(now.value.ctime), object.state.ctime, 'its change time is another');
    same(timeText(now.value.otime), object.state.otime, 'an operation was made since it was judged');
  },
  remove(object) { demand(within(object, () => removeSemaphoreSet(numberOf(object))), 'it cannot be removed'); },
};

/** Bytes of the file's name in /dev/shm. */
export function devShmFile(object: { readonly kind: 'posix-shared-memory' | 'posix-semaphore'; readonly name?: string | undefined }): Buffer {
  const name = fromDisplayText((object.name ?? '').slice(1));
  const file = object.kind === 'posix-semaphore' ? Buffer.concat([Buffer.from('sem.'), name]) : name;
  if (name.length === 0 || file.length > 255 || file.includes(0) || file.includes('/') || file.equals(Buffer.from('.')) || file.equals(Buffer.from('..'))) {
    throw new NotRemoved(`${object.name ?? ''} is not a name that can lie in ${devShm}`);
  }
  return file;
}

/** Path of the object's file. */
export function devShmPath(object: Parameters<typeof devShmFile>[0]): Buffer {
  return Buffer.concat([Buffer.from(`${devShm}/`), devShmFile(object)]);
}

/** Runs synchronous work with the path of the object's file, in its own mount namespace. Throws {@link NotRemoved} where that cannot be reached. */
function atFile<T>(object: PosixSharedMemory | PosixSemaphore, work: (path: Buffer) => T): T {
  const file = devShmFile(object);
  if (object.namespace == null || readLink('/proc/self/ns/mnt').value === `mnt:[${object.namespace}]`) return work(devShmPath(object));
  const directory = openDevShmOf(object.namespace, Number(object.id.split(':')[1]));
  if (directory.value === undefined) {
    throw new NotRemoved(directory.errno === 'ESRCH' ? `it is gone with mount namespace ${object.namespace}: no process is in that any more`
      : `it lies in ${devShm} of mount namespace ${object.namespace}, which cannot be reached: ${errnoInWords(directory.errno)}; run the probe as root, or inside that container`);
  }
  try {
    return work(Buffer.concat([Buffer.from(`${directory.value.path}/`), file]));
  } finally {
    directory.value.close();
  }
}

function fileRemover<O extends PosixSharedMemory | PosixSemaphore>(): Remover<O> {
  return {
    recheck(object) {
      const now = atFile(object, path => lstatOf(path));
      if (now.value === undefined) throw new NotRemoved(now.errno === 'ENOENT' ? 'it is gone: somebody else removed it in the meantime' : `it cannot be looked at: ${errnoInWords(now.errno)}`);
      same(devShmId(devShmFile(object).toString('latin1'), now.value), object.id, 'its name belongs to another object');
      same(inodeTimes(now.value).changedAt, object.changedAt ?? undefined, 'it was written since it was judged');
    },
    async save(object, files, pause) {
      let from: number | undefined, data: number | undefined;
      try {
        from = atFile(object, path => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
        const length = statOf(`/proc/self/fd/${from}`).value?.size ?? 0;
        data = createExclusively(files.data);
        ftruncateSync(data, length);
        await copySparsely({ fd: from, base: 0 }, { fd: data, base: 0 }, length, pause);
        fsyncSync(data);
        return true;
      } finally {
        if (from !== undefined) closeSync(from);
        if (data !== undefined) closeSync(data);
      }
    },
    remove(object) {
      try {
        atFile(object, path => { unlinkSync(path); });
      } catch (error) {
        demand({ errno: errnoOf(error) }, 'it cannot be removed');
      }
    },
  };
}

const posixQueue: Remover<PosixMessageQueue> = {
  recheck(object) {
    const opened = within(object, () => openQueueByName(fromDisplayText((object.name ?? '').slice(1))));
    // No right to read it: then the pass over all descriptors that judged it again a moment ago has to do.
    if (opened.errno === 'EACCES') return;
    if (opened.value === undefined) throw new NotRemoved(opened.errno === 'ENOENT' ? 'it is gone: somebody else removed it in the meantime' : `it cannot be looked at: ${errnoInWords(opened.errno)}`);
    try {
      const stats = statOf(`/proc/self/fd/${opened.value}`).value;
      if (stats) same(queueId(stats), object.id, 'its name belongs to another queue');
      same(queueAttributes(opened.value).value?.curmsgs, object.state.curmsgs ?? undefined, 'its messages changed since it was judged');
    } finally {
      closeSync(opened.value);
    }
  },
  remove(object) { demand(within(object, () => unlinkQueue(fromDisplayText((object.name ?? '').slice(1)))), 'it cannot be removed'); },
};

type RemovableKind = 'sysv-shared-memory' | 'sysv-message-queue' | 'sysv-semaphore-set' | 'posix-shared-memory' | 'posix-semaphore' | 'posix-message-queue';
export type Removable = ObjectOf<RemovableKind>;

const removers: { readonly [K in RemovableKind]: Remover<ObjectOf<K>> } = {
  'sysv-shared-memory': segment, 'sysv-message-queue': messageQueue, 'sysv-semaphore-set': semaphoreSet,
  'posix-shared-memory': fileRemover<PosixSharedMemory>(), 'posix-semaphore': fileRemover<PosixSemaphore>(), 'posix-message-queue': posixQueue,
};

export function isRemovable(object: IpcObject): object is Removable {
  return object.kind in removers;
}

/** The row of an object's kind. */
export function removerOf<O extends Removable>(object: O): Remover<O> {
  // A table lookup by the object's own kind: TypeScript cannot correlate the two.
  return removers[object.kind] as unknown as Remover<O>;
}
