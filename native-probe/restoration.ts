// Brings a removed object back from its backup: same key or name, mode, contents; same owner where permitted.
import { closeSync, constants, fchownSync, fstatSync, ftruncateSync, openSync, unlinkSync } from 'node:fs';
import type { RestoreResult } from './protocol';
import { openContents, readBackup, setMode } from './backup';
import type { RestorableObject } from './backup';
import { makePause, namespaceNumber } from './context';
import { errnoInWords } from './gaps';
import { devShmFile, devShmPath } from './facilities/removal';
import { devShm, devShmId } from './facilities/devShm';
import { sysvId } from './facilities/sysv';
import { copySparsely } from './kernel/sparseCopy';
import { openDevShmOf } from './kernel/foreignDevShm';
import { inIpcNamespaceNumbered } from './kernel/namespaces';
import { errnoOf, readLink, readText } from './kernel/procfs';
import { attachSegment, createSegment, createSemaphoreSet, detachSegment, ownSegment, ownSemaphoreSet, removeSegment, removeSemaphoreSet, setSemaphoreValues } from './kernel/sysvipc';

interface Made { readonly newObjectId: string; readonly warnings: string[] }

/** Restores one backup (its .json). What fails is named; nothing half-restored is left. */
export async function restoreBackup(file: string): Promise<RestoreResult> {
  let objectId = file;
  try {
    const backup = readBackup(file);
    objectId = backup.objectId;
    const { newObjectId, warnings } = await restoreObject(backup.object, backup.contents, foreignNamespace(backup));
    return { restored: [{ objectId, newObjectId, ...(warnings.length > 0 ? { warnings } : {}) }], failed: [] };
  } catch (error) {
    return { restored: [], failed: [{ objectId, error: error instanceof Error ? error.message : String(error) }] };
  }
}

function restoreObject(object: RestorableObject, contents: string | undefined, foreign: string | undefined): Promise<Made> {
  switch (object.kind) {
    case 'sysv-shared-memory': return restoreSegment(object, contents, within(foreign));
    case 'sysv-semaphore-set': return Promise.resolve(restoreSet(object, within(foreign)));
    case 'posix-shared-memory': case 'posix-semaphore': return restoreFile(object, contents, foreign);
  }
}

/**
 * The namespace an object goes back to when it was not the probe's own that it was removed from; undefined: the own one. Throws
 * after a reboot: then the number may be any container's.
 */
function foreignNamespace({ object, host }: Pick<ReturnType<typeof readBackup>, 'object' | 'host'>): string | undefined {
  const ownThen = object.kind.startsWith('sysv-') ? host.ipcNamespace : host.mntNamespace;
  if (object.namespace == null || ownThen === undefined || object.namespace === ownThen) return undefined;
  if (host.bootId !== readText('/proc/sys/kernel/random/boot_id').value?.trim()) throw new Error(`it lived in namespace ${object.namespace}, which ended with the last boot: run restore inside its container`);
  return object.namespace;
}

/** Where the System V calls are made: `in` runs synchronous work there. */
interface Place { readonly namespace: string; in<T>(work: () => T): T }

function within(foreign: string | undefined): Place {
  if (foreign === undefined) return { namespace: ownNamespace(), in: work => work() };
  return {
    namespace: foreign,
    in: work => {
      const done = inIpcNamespaceNumbered(foreign, work);
      if (done.errno === undefined) return done.value;
      throw new Error(done.errno === 'ESRCH' ? `IPC namespace ${foreign}, in which it lived, is gone with its last process` : `IPC namespace ${foreign} cannot be entered: ${errnoInWords(done.errno)}; run the probe as root, or inside that container`);
    },
  };
}

function made(result: { value?: number | undefined; errno?: string | undefined }, what: string, identity: string): number {
  if (result.value !== undefined) return result.value;
  if (result.errno === 'EEXIST') throw new Error(`${identity} is taken by a newer object: remove that one first`);
  throw new Error(`${what}: ${errnoInWords(result.errno ?? '')}`);
}

function ownNamespace(): string {
  return namespaceNumber(readLink('/proc/self/ns/ipc').value) ?? 'unknown';
}

/** Signed 32-bit form of a key. */
function keyNumber(key: string): number { return parseInt(key, 16) | 0; }

async function restoreSegment(object: Extract<RestorableObject, { kind: 'sysv-shared-memory' }>, contents: string | undefined, place: Place): Promise<Made> {
  const { uid, gid, mode } = object.owner;
  // Made with our own full rights, so that it can be filled whatever its mode; its mode and owner come last.
  const shmid = made(place.in(() => createSegment(keyNumber(object.key), BigInt(object.state.segsz), 0o600)), 'the segment cannot be made', `key ${object.key}`);
  try {
    if (contents !== undefined) await fillSegment(shmid, contents, place);
  } catch (error) {
    place.in(() => removeSegment(shmid));
    throw error;
  }
  const warnings = object.state.locked ? ['it was locked in memory (SHM_LOCK): it is not any more'] : [];
  warnings.push(...ownership(place, () => ownSegment(shmid, uid, gid, parseInt(mode, 8)), () => ownSegment(shmid, process.geteuid?.() ?? 0, process.getegid?.() ?? 0, parseInt(mode, 8)), uid));
  return { newObjectId: sysvId('sysv-shared-memory', place.namespace, shmid), warnings };
}

async function fillSegment(shmid: number, contents: string, place: Place): Promise<void> {
  const data = openContents(contents);
  let memory: number | undefined, address: number | undefined;
  try {
    address = made(place.in(() => attachSegment(shmid, false)), 'the new segment cannot be attached', '');
    memory = openSync('/proc/self/mem', 'r+');
    await copySparsely({ fd: data, base: 0 }, { fd: memory, base: address }, fstatSync(data).size, makePause(() => false));
  } finally {
    if (memory !== undefined) closeSync(memory);
    if (address !== undefined) detachSegment(address);
    closeSync(data);
  }
}

/** Gives owner and mode; where the owner is refused, at least the mode. The warnings that remain. */
function ownership(place: Place, give: () => { errno?: string | undefined }, giveMode: () => { errno?: string | undefined }, uid: number): string[] {
  const { errno } = place.in(give);
  if (errno === undefined) return [];
  const second = place.in(giveMode).errno;
  return [`its owner (uid ${uid}) could not be set: ${errnoInWords(errno)}`, ...(second === undefined ? [] : [`its mode could not be set: ${errnoInWords(second)}`])];
}

function restoreSet(object: Extract<RestorableObject, { kind: 'sysv-semaphore-set' }>, place: Place): Made {
  const { uid, gid, mode } = object.owner;
  const semid = made(place.in(() => createSemaphoreSet(keyNumber(object.key), object.state.nsems, 0o600)), 'the semaphore set cannot be made', `key ${object.key}`);
  const set = place.in(() => setSemaphoreValues(semid, object.state.sems.map(sem => sem.val)));
  if (set.errno !== undefined) {
    place.in(() => removeSemaphoreSet(semid));
    throw new Error(`its values cannot be set: ${errnoInWords(set.errno)}`);
  }
  const warnings = ownership(place, () => ownSemaphoreSet(semid, uid, gid, parseInt(mode, 8)), () => ownSemaphoreSet(semid, process.geteuid?.() ?? 0, process.getegid?.() ?? 0, parseInt(mode, 8)), uid);
  return { newObjectId: sysvId('sysv-semaphore-set', place.namespace, semid), warnings };
}

async function restoreFile(object: Extract<RestorableObject, { kind: 'posix-shared-memory' | 'posix-semaphore' }>, contents: string | undefined, foreign: string | undefined): Promise<Made> {
  if (contents === undefined) throw new Error('its backup has no contents');
  const directory = foreign === undefined ? undefined : openDevShmOf(foreign, Number(object.id.split(':')[1]));
  if (directory?.errno !== undefined) throw new Error(directory.errno === 'ESRCH' ? `mount namespace ${foreign ?? ''}, in which it lay, is gone with its last process` : `${devShm} of mount namespace ${foreign ?? ''} cannot be reached: ${errnoInWords(directory.errno)}`);
  const path = directory === undefined ? devShmPath(object) : Buffer.concat([Buffer.from(`${directory.value.path}/`), devShmFile(object)]);
  let data: number | undefined;
  try {
    data = openContents(contents);
    let fd: number;
    try {
      fd = openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW, 0o600);
    } catch (error) {
      throw new Error(errnoOf(error) === 'EEXIST' ? `the name ${object.name} is taken by a newer object: remove that one first` : `${object.name} cannot be made: ${errnoInWords(errnoOf(error))}`, { cause: error });
    }
    try {
      const { size } = fstatSync(data);
      ftruncateSync(fd, size);
      await copySparsely({ fd: data, base: 0 }, { fd, base: 0 }, size, makePause(() => false));
      const { uid, gid, mode } = object.owner;
      const warnings: string[] = [];
      try {
        fchownSync(fd, uid, gid);
      } catch (error) {
        warnings.push(`its owner (uid ${uid}) could not be set: ${errnoInWords(errnoOf(error))}`);
      }
      setMode(fd, parseInt(mode, 8));
      return { newObjectId: devShmId(devShmFile(object).toString('latin1'), fstatSync(fd)), warnings };
    } catch (error) {
      unlinkSync(path);
      throw error;
    } finally {
      closeSync(fd);
    }
  } finally {
    if (data !== undefined) closeSync(data);
    directory?.value?.close();
  }
}
