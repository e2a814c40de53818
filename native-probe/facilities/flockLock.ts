// flock(2) locks as the readers of waits need them: who holds which file, each open file description apart.
import type { ScanContext } from '../context';
import type { FlockLock, Handle } from '../model';
import type { KernelLock } from '../kernel/fileLocks';
import type { FileLocks } from './fileLocks';
import { fileLockId, readFileLocks } from './fileLocks';

/** One open file description that holds a lock: any process that has it can release it. */
export interface HoldingDescription {
  readonly type: 'read' | 'write';
  readonly holders: readonly { readonly pid: number; readonly fd: number }[];
}

/** What is known of the locks on one file. */
export interface LockedFile {
  readonly objectId: string;
  /** The kernel's own name of the file, as in {@link KernelLock}. */
  readonly file: string;
  /** Display text; null: unknown. */
  readonly path: string | null;
  readonly descriptions: readonly HoldingDescription[];
  /** Processes that took a lock, hold it as far as can be told, and cannot be read. */
  readonly unseenTakers: readonly { readonly type: 'read' | 'write'; readonly pid: number }[];
  /** Gaps that stand where more holders may be. */
  readonly gaps: readonly string[];
}

export interface FlockLocks {
  readonly objects: readonly FlockLock[];
  readonly handles: readonly Handle[];
  readonly files: ReadonlyMap<string, LockedFile>;
  /** flock(2) lines of /proc/locks, waiters too. */
  readonly locks: readonly KernelLock[];
}

/** Id of the flock lock on a file; `device` as stat(2) gives it. */
export function flockId(device: number, inode: number | string): string {
  return fileLockId('flock-lock', device, inode);
}

/**
 * Every flock lock of the machine. `again`: read every descriptor table anew instead of trusting the pass, as the second look
 * before "deadlocked" is said must.
 */
export async function collectFlockLocks(context: ScanContext, options: { again?: boolean } = {}): Promise<FlockLocks> {
  return flocksOf(await readFileLocks(context, options));
}

/** The flock locks among all file locks. */
export function flocksOf({ objects, handles, files, locks }: FileLocks): FlockLocks {
  const flocks = [...files].filter(([, file]) => file.kind === 'flock-lock');
  const ids = new Set(flocks.map(([id]) => id));
  return {
    objects: objects.filter(object => object.kind === 'flock-lock'),
    handles: handles.filter(handle => ids.has(handle.objectId)),
    files: new Map(flocks.map(([id, { objectId, file, path, holders, unseenTakers, gaps }]): [string, LockedFile] => [id, {
      objectId, file, path, gaps,
      unseenTakers: unseenTakers.flatMap(({ processes, ranges }) => processes.map(({ pid }) => ({ type: ranges.some(range => range.type === 'write') ? 'write' : 'read', pid }))),
      descriptions: holders.map(({ processes, ranges }) => ({
        // Descriptions that could not be told apart are one with all their locks: the strongest counts.
        type: ranges.some(range => range.type === 'write') ? 'write' : 'read',
        holders: processes.flatMap(({ pid, fd }) => fd === undefined ? [] : [{ pid, fd }]),
      })),
    }])),
    locks: locks.filter(lock => lock.kind === 'FLOCK'),
  };
}
