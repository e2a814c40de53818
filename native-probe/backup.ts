// Backups of removed objects: NAME.json says what it was, NAME.data holds its contents (sparse). `restore` takes the .json.
import { closeSync, constants, fchmodSync, fstatSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import * as v from 'valibot';
import type { CollectedKind, IpcObject, Time } from './model';
import { facilityTable } from './facilityTable';
import { errnoOf } from './kernel/procfs';
import { openSafely } from './kernel/safeDirectory';
import type { SafeDirectory } from './kernel/safeDirectory';

/** What a backup says. `object` is the object as the snapshot showed it before removal. */
export interface Backup {
  readonly format: 'ipc-inspector-backup';
  readonly version: 1;
  readonly objectId: string;
  readonly object: IpcObject;
  /** Absent until the removal has happened: then the object may still be there. */
  readonly removedAt?: Time;
  /** Namespaces: those of the probe that removed it. */
  readonly host: { readonly hostname: string; readonly bootId?: string | undefined; readonly ipcNamespace?: string | undefined; readonly mntNamespace?: string | undefined };
  /** File name of the contents, beside the .json. */
  readonly contents?: string;
}

/** $XDG_STATE_HOME/ipc-inspector/removed, by default ~/.local/state/…. */
export function defaultBackupDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const state = environment['XDG_STATE_HOME'];
  return join(state !== undefined && isAbsolute(state) ? state : join(homedir(), '.local', 'state'), 'ipc-inspector', 'removed');
}

/** Makes the directory (0700) and refuses one that somebody else could write to, or lead elsewhere. Throws with the noun and the next step. */
export function openBackupDirectory(directory: string): string {
  let opened: SafeDirectory;
  try {
    opened = openSafely(directory, { make: true });
  } catch (error) {
    const refused = error instanceof Error && error.cause !== undefined && ['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'ENOSPC', 'EDQUOT'].includes(errnoOf(error.cause));
    throw refused ? new Error(`nothing is removed without a backup, and ${directory} cannot be made (${error.message}): make it writable, or let XDG_STATE_HOME (on the command line also --backup) name a directory that is`, { cause: error }) : error;
  }
  try {
    const stats = fstatSync(opened.fd);
    if (stats.uid !== process.geteuid?.()) throw new Error(`${directory} belongs to another user: choose another backup directory`);
    if ((stats.mode & 0o022) !== 0) throw new Error(`${directory} can be written by others: choose another backup directory, or chmod 700 it`);
    return opened.path;
  } finally {
    closeSync(opened.fd);
  }
}

let sequence = 0;

export interface BackupFiles { readonly json: string; readonly data: string }

/** File names that nobody uses yet: time, kind, a harmless form of the id. */
export function backupFiles(directory: string, object: IpcObject): BackupFiles {
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  const label = (object.name ?? object.id).replace(/[^\w.-]+/g, '_').slice(0, 60);
  const stem = join(directory, `${stamp}-${process.pid}-${++sequence}-${object.kind}-${label}`);
  return { json: `${stem}.json`, data: `${stem}.data` };
}

/** A new file of ours: never follows or reuses what is there. */
export function createExclusively(path: string): number {
  return openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW, 0o600);
}

/** Writes the .json and has it on the disk before returning. Atomic: a reader sees the old or the new one. */
export function writeBackup(files: BackupFiles, backup: Backup): void {
  const partial = `${files.json}.part`;
  rmSync(partial, { force: true });
  const fd = createExclusively(partial);
  try {
    writeFileSync(fd, `${JSON.stringify(backup, null, 2)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(partial, files.json);
  const directory = openSync(dirname(files.json), constants.O_RDONLY | constants.O_DIRECTORY);
  try { fsyncSync(directory); } finally { closeSync(directory); }
}

/** Takes back a backup whose object was not removed after all. */
export function discardBackup(files: BackupFiles): void {
  for (const path of [files.json, files.data, `${files.json}.part`]) rmSync(path, { force: true });
}

const decimal = v.pipe(v.string(), v.regex(/^\d{1,19}$/));
const owner = v.object({ uid: v.pipe(v.number(), v.integer(), v.minValue(0)), gid: v.pipe(v.number(), v.integer(), v.minValue(0)), mode: v.pipe(v.string(), v.regex(/^0[0-7]{3,4}$/)) });
const key = v.pipe(v.string(), v.regex(/^0x[0-9a-f]{1,8}$/));
const namespace = v.optional(v.nullable(v.pipe(v.string(), v.regex(/^\d{1,20}$/))));
const posix = { id: v.string(), namespace, name: v.pipe(v.string(), v.regex(/^\/./)), owner };

/** The part of a backed-up object that restoring needs, checked: a backup file is a file like any other. */
export const restorableObject = v.variant('kind', [
  v.object({ kind: v.literal('sysv-shared-memory'), id: v.string(), namespace, key, owner, state: v.object({ segsz: decimal, locked: v.boolean() }) }),
  v.object({ kind: v.literal('sysv-semaphore-set'), id: v.string(), namespace, key, owner, state: v.object({ nsems: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1 << 20)), sems: v.array(v.object({ val: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(32767)) })) }) }),
  v.object({ kind: v.literal('posix-shared-memory'), ...posix, state: v.object({ size: decimal }) }),
  v.object({ kind: v.literal('posix-semaphore'), ...posix }),
]);
export type RestorableObject = v.InferOutput<typeof restorableObject>;

const hostShape = v.object({ bootId: v.optional(v.string()), ipcNamespace: v.optional(v.string()), mntNamespace: v.optional(v.string()) });
const backupShape = v.object({ host: v.optional(hostShape), format: v.literal('ipc-inspector-backup'), version: v.literal(1), objectId: v.string(), object: v.object({ kind: v.string() }), contents: v.optional(v.pipe(v.string(), v.regex(/^[^/\0]+\.data$/))) });

/** Reads a backup for restoring. Throws with the noun and the reason. */
export function readBackup(file: string): { objectId: string; object: RestorableObject; host: v.InferOutput<typeof hostShape>; contents?: string } {
  const fd = openContents(file);
  let parsed: unknown;
  try {
    if (fstatSync(fd).size > 16 << 20) throw new Error('it is too large');
    parsed = JSON.parse(readFileSync(fd, 'utf8'));
  } catch (error) {
    throw new Error(`${file} is not a backup of ipc-inspector: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    closeSync(fd);
  }
  const shape = v.safeParse(backupShape, parsed);
  if (!shape.success) throw new Error(`${file} is not a backup of ipc-inspector: ${v.getDotPath(shape.issues[0]) ?? ''} ${shape.issues[0].message}`);
  const row = facilityTable.get(shape.output.object.kind as CollectedKind);
  if (row?.restorable !== true) throw new Error(`${file} is the record of a removed ${row?.label ?? shape.output.object.kind}, which cannot be restored`);
  const object = v.safeParse(restorableObject, (parsed as { object: unknown }).object);
  if (!object.success) throw new Error(`the ${shape.output.object.kind} in ${file} cannot be restored: ${object.issues[0].message}`);
  return { objectId: shape.output.objectId, object: object.output, host: shape.output.host ?? {}, ...(shape.output.contents === undefined ? {} : { contents: join(dirname(file), shape.output.contents) }) };
}

/**
 * Opens a file of a backup: a plain one, of whoever owns its directory. Otherwise somebody could have a probe with more rights read a
 * file of root's by linking it (hard or symbolic) into a backup of his own.
 */
export function openContents(path: string): number {
  const directory = openSafely(dirname(path));
  try {
    const fd = openSync(join(directory.entry, basename(path)), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    const reason = !stats.isFile() ? 'is not a plain file' : stats.uid !== fstatSync(directory.fd).uid ? 'belongs to another user than its directory: it is not a backup of ipc-inspector' : undefined;
    if (reason === undefined) return fd;
    closeSync(fd);
    throw new Error(`${path} ${reason}`);
  } finally {
    closeSync(directory.fd);
  }
}

/** Sets the exact mode of an open file: open(2) subtracts the umask. */
export function setMode(fd: number, mode: number): void {
  fchmodSync(fd, mode & 0o777);
}
