// Brings a removed object back from its backup: same key or name, mode, contents; same owner where permitted.
import { closeSync, constants, fchownSync, fstatSync, ftruncateSync, openSync, unlinkSync } from 'node:fs';
import type { RestoreResult } from './protocol';
import { openContents, readBackup, setMode } from './backup';
import type { RestorableObject } from './backup';
import { makePause, namespaceNumber } from './context';
import { errnoInWords } from './gaps';
import { devShmFile, devShmPath } from './facilities/removal';
import { devShmId } from './facilities/devShm';
import { sysvId } from './facilities/sysv';
import { copySparsely } from './kernel/sparseCopy';
import { errnoOf, readLink } from './kernel/procfs';
import { attachSegment, createSegment, createSemaphoreSet, detachSegment, ownSegment, ownSemaphoreSet, removeSegment, removeSemaphoreSet, setSemaphoreValues } from './kernel/sysvipc';

interface Made { readonly newObjectId: string; readonly warnings: string[] }

/** Restores one backup (its .json). What fails is named; nothing half-restored is left. */
export async function restoreBackup(file: string): Promise<RestoreResult> {
  let objectId = file;
  try {
    const backup = readBackup(file);
    objectId = backup.objectId;
    const { newObjectId, warnings } = await restoreObject(backup.object, backup.contents);
    return { restored: [{ objectId, newObjectId, ...(warnings.length > 0 ? { warnings } : {}) }], failed: [] };
  } catch (error) {
    return { restored: [], failed: [{ objectId, error: error instanceof Error ? error.message : String(error) }] };
  }
}

function restoreObject(object: RestorableObject, contents: string | undefined): Promise<Made> {
  switch (object.kind) {
    case 'sysv-shared-memory': return restoreSegment(object, contents);
    case 'sysv-semaphore-set': return Promise.resolve(restoreSet(object));
    case 'posix-shared-memory': case 'posix-semaphore': return restoreFile(object, contents);
  }
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

async function restoreSegment(object: Extract<RestorableObject, { kind: 'sysv-shared-memory' }>, contents: string | undefined): Promise<Made> {
  const { uid, gid, mode } = object.owner;
  // Made with our own full rights, so that it can be filled whatever its mode; its mode and owner come last.
  const shmid = made(createSegment(keyNumber(object.key), BigInt(object.state.segsz), 0o600), 'the segment cannot be made', `key ${object.key}`);
  try {
    if (contents !== undefined) await fillSegment(shmid, contents);
  } catch (error) {
    removeSegment(shmid);
    throw error;
  }
  const warnings = object.state.locked ? ['it was locked in memory (SHM_LOCK): it is not any more'] : [];
  warnings.push(...ownership(() => ownSegment(shmid, uid, gid, parseInt(mode, 8)), () => ownSegment(shmid, process.geteuid?.() ?? 0, process.getegid?.() ?? 0, parseInt(mode, 8)), uid));
  return { newObjectId: sysvId('sysv-shared-memory', ownNamespace(), shmid), warnings };
}

async function fillSegment(shmid: number, contents: string): Promise<void> {
  const data = openContents(contents);
  let memory: number | undefined, address: number | undefined;
  try {
    address = made(attachSegment(shmid, false), 'the new segment cannot be attached', '');
    memory = openSync('/proc/self/mem', 'r+');
    await copySparsely({ fd: data, base: 0 }, { fd: memory, base: address }, fstatSync(data).size, makePause(() => false));
  } finally {
    if (memory !== undefined) closeSync(memory);
    if (address !== undefined) detachSegment(address);
    closeSync(data);
  }
}

/** Gives owner and mode; where the owner is refused, at least the mode. The warnings that remain. */
function ownership(give: () => { errno?: string | undefined }, giveMode: () => { errno?: string | undefined }, uid: number): string[] {
  const { errno } = give();
  if (errno === undefined) return [];
  const second = giveMode().errno;
  return [`its owner (uid ${uid}) could not be set: ${errnoInWords(errno)}`, ...(second === undefined ? [] : [`its mode could not be set: ${errnoInWords(second)}`])];
}

function restoreSet(object: Extract<RestorableObject, { kind: 'sysv-semaphore-set' }>): Made {
  const { uid, gid, mode } = object.owner;
  const semid = made(createSemaphoreSet(keyNumber(object.key), object.state.nsems, 0o600), 'the semaphore set cannot be made', `key ${object.key}`);
  const set = setSemaphoreValues(semid, object.state.sems.map(sem => sem.val));
  if (set.errno !== undefined) {
    removeSemaphoreSet(semid);
    throw new Error(`its values cannot be set: ${errnoInWords(set.errno)}`);
  }
  const warnings = ownership(() => ownSemaphoreSet(semid, uid, gid, parseInt(mode, 8)), () => ownSemaphoreSet(semid, process.geteuid?.() ?? 0, process.getegid?.() ?? 0, parseInt(mode, 8)), uid);
  return { newObjectId: sysvId('sysv-semaphore-set', ownNamespace(), semid), warnings };
}

async function restoreFile(object: Extract<RestorableObject, { kind: 'posix-shared-memory' | 'posix-semaphore' }>, contents: string | undefined): Promise<Made> {
  if (contents === undefined) throw new Error('its backup has no contents');
  const path = devShmPath(object);
  const data = openContents(contents);
  try {
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
    closeSync(data);
  }
}
