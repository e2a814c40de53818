// One row a kind: what the tree, the tooltips, the documentation and the tests say of it. Pure data, and the one file of
// the probe whose values the extension shares. Taxonomy, persistence and accessibility: Kerrisk, TLPI, ch. 43.
import type { CollectedKind, Persistence } from './model';

export type Category = 'message' | 'shared memory' | 'synchronization';

export interface FacilityRow {
  readonly kind: CollectedKind;
  readonly category: Category;
  /** Singular and plural, in the manual pages' words. English; the extension translates. */
  readonly label: string;
  readonly plural: string;
  readonly persistence: Persistence;
  /** Who may get at it. */
  readonly accessibility: string;
  /** How a program names it. */
  readonly identifiedBy: string;
  /** A codicon. */
  readonly icon: string;
  /** Manual page to read first. */
  readonly manual: string;
  /** Outlives its processes: may be stale, may be removed. */
  readonly removable: boolean;
  /** A removal can be undone. */
  readonly restorable: boolean;
}

const rows: readonly FacilityRow[] = [
  { kind: 'sysv-message-queue', category: 'message', label: 'System V message queue', plural: 'System V message queues', persistence: 'kernel', accessibility: 'permission mask', identifiedBy: 'key → msqid', icon: 'mail', manual: 'sysvipc(7)', removable: true, restorable: false },
  { kind: 'posix-message-queue', category: 'message', label: 'POSIX message queue', plural: 'POSIX message queues', persistence: 'kernel', accessibility: 'permission mask', identifiedBy: '/name', icon: 'inbox', manual: 'mq_overview(7)', removable: true, restorable: false },
  { kind: 'sysv-shared-memory', category: 'shared memory', label: 'System V shared memory segment', plural: 'System V shared memory segments', persistence: 'kernel', accessibility: 'permission mask', identifiedBy: 'key → shmid', icon: 'circuit-board', manual: 'sysvipc(7)', removable: true, restorable: true },
  { kind: 'posix-shared-memory', category: 'shared memory', label: 'POSIX shared memory object', plural: 'POSIX shared memory objects', persistence: 'kernel', accessibility: 'permission mask', identifiedBy: '/name', icon: 'file-binary', manual: 'shm_overview(7)', removable: true, restorable: true },
  { kind: 'sysv-semaphore-set', category: 'synchronization', label: 'System V semaphore set', plural: 'System V semaphore sets', persistence: 'kernel', accessibility: 'permission mask', identifiedBy: 'key → semid', icon: 'layers', manual: 'sysvipc(7)', removable: true, restorable: true },
  { kind: 'posix-semaphore', category: 'synchronization', label: 'POSIX named semaphore', plural: 'POSIX named semaphores', persistence: 'kernel', accessibility: 'permission mask', identifiedBy: '/name', icon: 'symbol-numeric', manual: 'sem_overview(7)', removable: true, restorable: true },
  { kind: 'flock-lock', category: 'synchronization', label: 'flock lock', plural: 'flock locks', persistence: 'process', accessibility: 'whoever may open the file', identifiedBy: 'pathname → open file description', icon: 'lock', manual: 'flock(2)', removable: false, restorable: false },
  { kind: 'mutex', category: 'synchronization', label: 'mutex', plural: 'mutexes', persistence: 'memory', accessibility: 'whoever maps the memory', identifiedBy: 'address', icon: 'key', manual: 'pthread_mutex_lock(3p)', removable: false, restorable: false },
  { kind: 'futex', category: 'synchronization', label: 'futex', plural: 'futexes', persistence: 'memory', accessibility: 'whoever maps the memory', identifiedBy: 'address', icon: 'symbol-misc', manual: 'futex(2)', removable: false, restorable: false },
];

export const facilityTable: ReadonlyMap<CollectedKind, FacilityRow> = new Map(rows.map(row => [row.kind, row]));

/** The row of a kind. Every collected kind has one (checked by a test). */
export function facility(kind: CollectedKind): FacilityRow {
  const row = facilityTable.get(kind);
  if (!row) throw new Error(`no facility row for ${kind}`);
  return row;
}
