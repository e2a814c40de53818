// One row a kind: what the tree, the tooltips, the documentation and the tests say of it. Pure data, and the one file of
// the probe whose values the extension shares. Taxonomy, persistence and accessibility: Kerrisk, TLPI, ch. 43.
import type { CollectedKind, Persistence } from './model';

export type Category = 'byte stream' | 'message' | 'pseudoterminal' | 'shared memory' | 'synchronization' | 'signal' | 'event';

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
  { kind: 'pipe', category: 'byte stream', label: 'pipe', plural: 'pipes', persistence: 'process', accessibility: 'related processes', identifiedBy: 'none', icon: 'arrow-swap', manual: 'pipe(7)', removable: false, restorable: false },
  { kind: 'fifo', category: 'byte stream', label: 'FIFO', plural: 'FIFOs', persistence: 'process', accessibility: 'permission mask', identifiedBy: 'pathname', icon: 'arrow-both', manual: 'fifo(7)', removable: false, restorable: false },
  { kind: 'unix-socket', category: 'byte stream', label: 'UNIX domain socket', plural: 'UNIX domain sockets', persistence: 'process', accessibility: 'permission mask', identifiedBy: 'pathname or abstract name', icon: 'plug', manual: 'unix(7)', removable: false, restorable: false },
  { kind: 'inet-socket', category: 'byte stream', label: 'Internet domain socket', plural: 'Internet domain sockets', persistence: 'process', accessibility: 'any process', identifiedBy: 'address + port', icon: 'globe', manual: 'ip(7)', removable: false, restorable: false },
  { kind: 'other-socket', category: 'byte stream', label: 'socket of another family', plural: 'sockets of other families', persistence: 'process', accessibility: 'depends on the family', identifiedBy: 'address of the family', icon: 'radio-tower', manual: 'socket(2)', removable: false, restorable: false },
  { kind: 'pseudoterminal', category: 'pseudoterminal', label: 'pseudoterminal', plural: 'pseudoterminals', persistence: 'process', accessibility: 'permission mask of the slave', identifiedBy: '/dev/pts/N', icon: 'terminal', manual: 'pty(7)', removable: false, restorable: false },
  { kind: 'memfd', category: 'shared memory', label: 'memfd', plural: 'memfds', persistence: 'process', accessibility: 'whoever was passed the descriptor', identifiedBy: 'none', icon: 'file-symlink-file', manual: 'memfd_create(2)', removable: false, restorable: false },
  { kind: 'shared-mapping', category: 'shared memory', label: 'shared file mapping', plural: 'shared file mappings', persistence: 'file-system', accessibility: 'permission mask of the file', identifiedBy: 'pathname', icon: 'map', manual: 'mmap(2)', removable: false, restorable: false },
  { kind: 'anonymous-shared-mapping', category: 'shared memory', label: 'shared anonymous mapping', plural: 'shared anonymous mappings', persistence: 'process', accessibility: 'related processes', identifiedBy: 'none', icon: 'symbol-structure', manual: 'mmap(2)', removable: false, restorable: false },
  { kind: 'flock-lock', category: 'synchronization', label: 'flock lock', plural: 'flock locks', persistence: 'process', accessibility: 'whoever may open the file', identifiedBy: 'pathname → open file description', icon: 'lock', manual: 'flock(2)', removable: false, restorable: false },
  { kind: 'mutex', category: 'synchronization', label: 'mutex', plural: 'mutexes', persistence: 'memory', accessibility: 'whoever maps the memory', identifiedBy: 'address', icon: 'key', manual: 'pthread_mutex_lock(3p)', removable: false, restorable: false },
  { kind: 'futex', category: 'synchronization', label: 'futex', plural: 'futexes', persistence: 'memory', accessibility: 'whoever maps the memory', identifiedBy: 'address', icon: 'symbol-misc', manual: 'futex(2)', removable: false, restorable: false },
  { kind: 'record-lock', category: 'synchronization', label: 'record lock', plural: 'record locks', persistence: 'process', accessibility: 'whoever may open the file', identifiedBy: 'pathname + range', icon: 'list-ordered', manual: 'fcntl_locking(2)', removable: false, restorable: false },
  { kind: 'ofd-lock', category: 'synchronization', label: 'OFD lock', plural: 'OFD locks', persistence: 'process', accessibility: 'whoever may open the file', identifiedBy: 'pathname + range', icon: 'list-selection', manual: 'fcntl_locking(2)', removable: false, restorable: false },
  { kind: 'lease', category: 'synchronization', label: 'lease', plural: 'leases', persistence: 'process', accessibility: 'owner of the file', identifiedBy: 'pathname', icon: 'watch', manual: 'fcntl(2)', removable: false, restorable: false },
  { kind: 'posix-unnamed-semaphore', category: 'synchronization', label: 'POSIX unnamed semaphore', plural: 'POSIX unnamed semaphores', persistence: 'memory', accessibility: 'whoever maps the memory', identifiedBy: 'address', icon: 'symbol-number', manual: 'sem_overview(7)', removable: false, restorable: false },
  { kind: 'condition-variable', category: 'synchronization', label: 'condition variable', plural: 'condition variables', persistence: 'memory', accessibility: 'whoever maps the memory', identifiedBy: 'address', icon: 'bell-dot', manual: 'pthread_cond_wait(3p)', removable: false, restorable: false },
  { kind: 'rwlock', category: 'synchronization', label: 'read-write lock', plural: 'read-write locks', persistence: 'memory', accessibility: 'whoever maps the memory', identifiedBy: 'address', icon: 'unlock', manual: 'pthread_rwlock_rdlock(3p)', removable: false, restorable: false },
  { kind: 'barrier', category: 'synchronization', label: 'barrier', plural: 'barriers', persistence: 'memory', accessibility: 'whoever maps the memory', identifiedBy: 'address', icon: 'split-horizontal', manual: 'pthread_barrier_wait(3p)', removable: false, restorable: false },
  { kind: 'eventfd', category: 'event', label: 'eventfd', plural: 'eventfds', persistence: 'process', accessibility: 'whoever was passed the descriptor', identifiedBy: 'none', icon: 'zap', manual: 'eventfd(2)', removable: false, restorable: false },
  { kind: 'signalfd', category: 'event', label: 'signalfd', plural: 'signalfds', persistence: 'process', accessibility: 'whoever was passed the descriptor', identifiedBy: 'none', icon: 'bell', manual: 'signalfd(2)', removable: false, restorable: false },
  { kind: 'timerfd', category: 'event', label: 'timerfd', plural: 'timerfds', persistence: 'process', accessibility: 'whoever was passed the descriptor', identifiedBy: 'none', icon: 'clock', manual: 'timerfd_create(2)', removable: false, restorable: false },
  { kind: 'epoll', category: 'event', label: 'epoll instance', plural: 'epoll instances', persistence: 'process', accessibility: 'whoever was passed the descriptor', identifiedBy: 'none', icon: 'eye', manual: 'epoll(7)', removable: false, restorable: false },
  { kind: 'inotify', category: 'event', label: 'inotify instance', plural: 'inotify instances', persistence: 'process', accessibility: 'whoever was passed the descriptor', identifiedBy: 'none', icon: 'file', manual: 'inotify(7)', removable: false, restorable: false },
  { kind: 'pidfd', category: 'event', label: 'pidfd', plural: 'pidfds', persistence: 'process', accessibility: 'whoever was passed the descriptor', identifiedBy: 'PID', icon: 'person', manual: 'pidfd_open(2)', removable: false, restorable: false },
  { kind: 'signal', category: 'signal', label: 'signals of a process', plural: 'signals of processes', persistence: 'process', accessibility: 'permission to kill()', identifiedBy: 'PID + signal number', icon: 'broadcast', manual: 'signal(7)', removable: false, restorable: false },
];

export const facilityTable: ReadonlyMap<CollectedKind, FacilityRow> = new Map(rows.map(row => [row.kind, row]));

/** The row of a kind. Every collected kind has one (checked by a test). */
export function facility(kind: CollectedKind): FacilityRow {
  const row = facilityTable.get(kind);
  if (!row) throw new Error(`no facility row for ${kind}`);
  return row;
}
