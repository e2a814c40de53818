// The snapshot: four relations (object, handle, wait, gap) and the findings drawn from them. Types only.
//
// Absent = does not apply or never happened. `null` = unknown, and a gap says why. Unknown is never 0, "" or [].
// Times are ISO 8601. Whatever may pass 2⁵³ is a decimal string; addresses, keys and masks are "0x…"; modes "0640".
// Names are text (`kernel/text.ts`): control characters, invalid UTF-8 and backslashes as `\xNN`.

import type {
  AnonymousSharedMappingState, BarrierState, ConditionVariableState, EpollState, EventfdState, FifoState, FileLockState, FutexState, InetSocketState, InotifyState, LockEnd, MemfdState, MutexState, OtherSocketState, PidfdState, PipeState, PosixMessageQueueState, PosixSemaphoreState, PosixSharedMemoryState, PosixUnnamedSemaphoreState, PseudoterminalState, RwlockState, SharedMappingState, SignalState, SignalfdState, SysvMessageQueueState, SysvSemaphoreSetState, SysvSharedMemoryState, TimerfdState, UnixSocketState,
} from './objectStates';
export type * from './objectStates';

/** A known value, or `null`: unknown, and a gap says why. */
export type Known<T> = T | null;
/** A number that may pass 2⁵³, in decimal: bytes, offsets, message types, counters. */
export type Decimal = string;
/** An address, key or mask: "0x…", lower case. */
export type Hex = string;
/** ISO 8601, UTC. */
export type Time = string;

export const ipcKinds = [
  'sysv-message-queue', 'sysv-shared-memory', 'sysv-semaphore-set',
  'posix-message-queue', 'posix-shared-memory', 'posix-semaphore', 'posix-unnamed-semaphore',
  'shared-mapping', 'anonymous-shared-mapping', 'memfd',
  'pipe', 'fifo', 'unix-socket', 'inet-socket', 'other-socket', 'pseudoterminal',
  'eventfd', 'signalfd', 'timerfd', 'epoll', 'inotify', 'pidfd',
  'flock-lock', 'record-lock', 'ofd-lock', 'lease',
  'mutex', 'condition-variable', 'rwlock', 'barrier', 'futex', 'signal',
] as const;
export type IpcKind = typeof ipcKinds[number];

/** How long an object lives (Kerrisk, TLPI, table 43-1). `memory`: as long as the memory it lies in. */
export type Persistence = 'process' | 'kernel' | 'file-system' | 'memory';

export interface Namespaces {
  readonly ipc: Known<string>;
  readonly pid: Known<string>;
  readonly net: Known<string>;
  readonly mnt: Known<string>;
}

export interface Process {
  readonly pid: number;
  /** Since boot, in clock ticks (/proc/PID/stat field 22), decimal. With the PID it identifies the process. */
  readonly startTime: Decimal;
  readonly ppid: number;
  readonly comm: string;
  /** Absent for kernel threads and zombies. */
  readonly exe?: Known<string>;
  readonly cmdline: Known<readonly string[]>;
  readonly uid: Known<number>;
  readonly namespaces: Namespaces;
  /** Name learnt from the cgroup path; absent when it runs in none. */
  readonly container?: string;
  /** systemd unit that it belongs to, likewise; absent where systemd manages none. */
  readonly unit?: string;
  /** The process that traces it; absent when nobody does. */
  readonly tracerPid?: number;
  /** One letter of /proc/PID/stat: R S D T t Z X I. Where its first thread has ended and others go on, that of one of those. */
  readonly state: string;
  /** Its PIDs in the PID namespaces it is in, outermost first; absent when it has only one. */
  readonly nsPids?: readonly number[];
}

export interface Owner { readonly uid: number; readonly gid: number; readonly mode: string }

interface ObjectBase<K extends IpcKind, S> {
  /** Stable over refreshes, unique over namespaces. */
  readonly id: string;
  readonly kind: K;
  /** What people call it: /name, path, key. Absent when it has none. */
  readonly name?: string;
  /** Number of the namespace that scopes it: IPC, network for sockets, mount for what lies in /dev/shm; absent where none does. */
  readonly namespace?: Known<string>;
  readonly persistence: Persistence;
  readonly owner?: Known<Owner>;
  readonly creatorPid?: Known<number>;
  /** System V key, "0x…". */
  readonly key?: Hex;
  readonly createdAt?: Known<Time>;
  readonly changedAt?: Known<Time>;
  readonly state: S;
}

export type SysvSharedMemory = ObjectBase<'sysv-shared-memory', SysvSharedMemoryState>;
export type SysvMessageQueue = ObjectBase<'sysv-message-queue', SysvMessageQueueState>;
export type SysvSemaphoreSet = ObjectBase<'sysv-semaphore-set', SysvSemaphoreSetState>;
export type PosixMessageQueue = ObjectBase<'posix-message-queue', PosixMessageQueueState>;
export type PosixSharedMemory = ObjectBase<'posix-shared-memory', PosixSharedMemoryState>;
export type PosixSemaphore = ObjectBase<'posix-semaphore', PosixSemaphoreState>;
export type PosixUnnamedSemaphore = ObjectBase<'posix-unnamed-semaphore', PosixUnnamedSemaphoreState>;
export type SharedMapping = ObjectBase<'shared-mapping', SharedMappingState>;
export type AnonymousSharedMapping = ObjectBase<'anonymous-shared-mapping', AnonymousSharedMappingState>;
export type Memfd = ObjectBase<'memfd', MemfdState>;
export type Pipe = ObjectBase<'pipe', PipeState>;
export type Fifo = ObjectBase<'fifo', FifoState>;
export type UnixSocket = ObjectBase<'unix-socket', UnixSocketState>;
export type InetSocket = ObjectBase<'inet-socket', InetSocketState>;
export type OtherSocket = ObjectBase<'other-socket', OtherSocketState>;
export type Pseudoterminal = ObjectBase<'pseudoterminal', PseudoterminalState>;
export type Eventfd = ObjectBase<'eventfd', EventfdState>;
export type Signalfd = ObjectBase<'signalfd', SignalfdState>;
export type Timerfd = ObjectBase<'timerfd', TimerfdState>;
export type Epoll = ObjectBase<'epoll', EpollState>;
export type Inotify = ObjectBase<'inotify', InotifyState>;
export type Pidfd = ObjectBase<'pidfd', PidfdState>;
export type FlockLock = ObjectBase<'flock-lock', FileLockState>;
export type RecordLock = ObjectBase<'record-lock', FileLockState>;
export type OfdLock = ObjectBase<'ofd-lock', FileLockState>;
export type Lease = ObjectBase<'lease', FileLockState>;
export type Mutex = ObjectBase<'mutex', MutexState>;
export type ConditionVariable = ObjectBase<'condition-variable', ConditionVariableState>;
export type Rwlock = ObjectBase<'rwlock', RwlockState>;
export type Barrier = ObjectBase<'barrier', BarrierState>;
export type Futex = ObjectBase<'futex', FutexState>;
export type Signals = ObjectBase<'signal', SignalState>;

export type IpcObject =
  | SysvSharedMemory | SysvMessageQueue | SysvSemaphoreSet | PosixMessageQueue | PosixSharedMemory | PosixSemaphore | PosixUnnamedSemaphore | SharedMapping
  | AnonymousSharedMapping | Memfd | Pipe | Fifo | UnixSocket | InetSocket | OtherSocket | Pseudoterminal
  | Eventfd | Signalfd | Timerfd | Epoll | Inotify | Pidfd | FlockLock | RecordLock
  | OfdLock | Lease | Mutex | ConditionVariable | Rwlock | Barrier | Futex | Signals;
/** The kinds that this version collects. */
export type CollectedKind = IpcObject['kind'];
export type ObjectOf<K extends CollectedKind> = Extract<IpcObject, { kind: K }>;

export type Via = 'descriptor' | 'mapping' | 'attachment' | 'lock' | 'owner' | 'undo' | 'last-operation';
export type Access = 'read' | 'write' | 'read-write';

export interface Handle {
  readonly objectId: string;
  readonly pid: number;
  /** No tid: the whole process. */
  readonly tid?: number;
  readonly via: Via;
  readonly fd?: number;
  readonly address?: Hex;
  /**
   * For a variable of an executable or library: where processes that are being traced have theirs, at the same place of the same file. Their
   * debuggers know how it is called.
   */
  readonly copies?: readonly { readonly pid: number; readonly address: Hex }[];
  readonly access?: Access;
  readonly end?: string;
  /** `type` is null for a lease of which the kernel tells only what it shall become. */
  readonly lock?: { readonly type: Known<'read' | 'write'>; readonly start: Decimal; readonly end: LockEnd };
  /** For last-operation: which one, in the manual page's word (msgsnd, msgrcv, semop, shmat, shmdt). */
  readonly operation?: string;
  /**
   * For undo (SEM_UNDO): what is added to each semaphore of the set when the process, or the thread, exits; those with 0 are left out.
   * Empty: it used the set so, and owes nothing at present.
   */
  readonly undo?: readonly UndoAdjustment[];
  /** For undo: PIDs of others who share the list (CLONE_SYSVSEM). It is applied when the last of them exits. */
  readonly sharedWith?: readonly number[];
}

/** `num`: of the semaphore in its set, from 0 on. A positive `adjustment` gives back what was taken, a negative one takes what was given. */
export interface UndoAdjustment { readonly num: number; readonly adjustment: number }

export interface ThreadRef { readonly pid: number; readonly tid?: number }

/** One thing that could satisfy a clause: any of the threads may bring the event about. */
export interface Alternative { readonly objectId?: string; readonly event: string; readonly threads: readonly ThreadRef[] }
/** Satisfied when `atLeast` (1 unless told) of the alternatives come about, or something external does. */
export interface Clause {
  readonly alternatives: readonly Alternative[];
  /** Why something outside the snapshot could satisfy it: this clause never proves a deadlock. */
  readonly external?: string;
  /** Ids of gaps that stand where holders should: satisfied unless gaps are dropped. */
  readonly gaps?: readonly string[];
  readonly atLeast?: number;
}
export type WaitVerdict = 'deadlocked' | 'suspected' | 'deadlocked-until-timeout' | 'behind-stopped' | 'orphaned' | 'waiting';
/** A blocked thread: all clauses must be satisfied before it goes on. */
export interface Wait {
  readonly pid: number;
  readonly tid: number;
  readonly threadComm: string;
  readonly operation: string;
  readonly objectId?: string;
  /** Seconds or a deadline in the manual page's form; absent when it waits without limit; null: it has one that could not be read. */
  readonly timeout?: Known<string>;
  readonly verdict: WaitVerdict;
  /** What was read that supports this, one fact a line. */
  readonly evidence: readonly string[];
  readonly clauses: readonly Clause[];
  /** Stopped by a signal or a tracer: it goes on only when continued. */
  readonly stopped?: boolean;
}

export interface ChainLink { readonly pid: number; readonly tid: number; readonly objectId?: string }
/** A piece of an explanation: words, or what names an object or a thread, so that whoever knows more of it can say it there. */
export type ExplanationPart = string | { readonly text: string; readonly objectId: string } | ({ readonly text: string } & ThreadRef);
export interface Finding {
  readonly verdict: Exclude<WaitVerdict, 'waiting'>;
  readonly threads: readonly { readonly pid: number; readonly tid: number }[];
  /** The smallest set that explains it, each waiting for the next; at most 10,000 links, and the explanation says how many more. */
  readonly chain: readonly ChainLink[];
  readonly gaps: readonly string[];
  readonly explanation: string;
  /** The same in pieces: joined, their texts are the explanation. */
  readonly parts?: readonly ExplanationPart[];
}

export interface GapScope {
  readonly pid?: number; readonly objectId?: string; readonly field?: string; readonly namespace?: string; readonly facility?: IpcKind | 'processes' | 'waits';
}
/** Something that could not be seen, why, and what would help. */
export interface Gap {
  readonly id: string;
  readonly scope: GapScope;
  readonly reason: string;
  /** Symbolic: EACCES, ENOENT, … */
  readonly errno?: string;
  readonly remedy?: string;
}

/** Something the probe runs in, and its name there. `container`: "docker 0123456789ab", "podman web", "lxc". */
export interface Surrounding { readonly kind: 'wsl' | 'codespaces' | 'container' | 'flatpak' | 'snap'; readonly name?: string }

export interface Host {
  readonly hostname: string; readonly kernel: string; readonly architecture: string;
  /** The probe's effective user and PID; it never counts as a user of anything. */
  readonly uid: number; readonly pid: number;
  readonly ipcNamespace: string; readonly pidNamespace: string;
  /** The probe's own, too; absent when it could not be read. */
  readonly mntNamespace?: string; readonly netNamespace?: string;
  /** What the probe itself runs in, the widest first; absent on a plain machine. */
  readonly surroundings?: readonly Surrounding[];
  /** Names of other IPC, network and mount namespaces by number: containers, `ip netns`, units; most processes first. */
  readonly namespaceNames?: Readonly<Record<string, readonly string[]>>;
  readonly bootId?: string;
  /** Start times of processes count from then. */
  readonly bootedAt: Time;
  /**
   * Milliseconds by which a time that the kernel wrote down may be off from a start time: its whole seconds, and all that the
   * clock was set by since boot. Absent where that cannot be known: comparing the two then proves nothing.
   */
  readonly clockSlack?: number;
}

export interface Snapshot {
  readonly version: 1;
  readonly takenAt: Time;
  readonly host: Host;
  readonly processes: readonly Process[];
  readonly objects: readonly IpcObject[];
  readonly handles: readonly Handle[];
  readonly waits: readonly Wait[];
  readonly findings: readonly Finding[];
  readonly gaps: readonly Gap[];
}

/** A piece of contents. `length`: bytes in `base64`; `truncated`: more follows. */
export interface Bytes { readonly offset: Decimal; readonly length: number; readonly truncated: boolean; readonly base64: string }
/** A range of bytes. */
export interface ByteRange { readonly offset: Decimal; readonly length: Decimal }
/**
 * Where a page of shared memory is. resident: in memory. swapped: on swap. absent: never written, reads as zeros and takes no memory. written: one of the
 * first two, which of them is not known. on-disk: of a file, not in memory now. unseen: not looked at (in no page table of a process that may be read).
 */
export type PageState = 'resident' | 'swapped' | 'absent' | 'written' | 'on-disk' | 'unseen';
/** Neighbouring pages in one state: `length` bytes. */
export interface PageRun { readonly state: PageState; readonly length: number }
/** A message of a queue, or a datagram. `type`: msgrcv(2)'s mtype. */
export interface Message { readonly index: number; readonly type?: Decimal; readonly size: Decimal; readonly content: Bytes }
/** What looking at an object without consuming anything shows. */
export type Contents =
  | { readonly form: 'messages'; readonly total: Known<Decimal>; readonly messages: readonly Message[]; readonly note?: string }
  /** `size`: of the whole. `holes`: ranges within the piece that were never written and take no memory; `unread`: not resident where it was looked, shown as zeros. */
  | { readonly form: 'bytes'; readonly size: Known<Decimal>; readonly content: Bytes; readonly holes?: readonly ByteRange[]; readonly unread?: readonly ByteRange[]; readonly note?: string }
  /** The object's state says it all: semaphore values, an eventfd's counter. */
  | { readonly form: 'values'; readonly values: readonly { readonly name: string; readonly value: string }[] }
  /** It cannot be looked at, and why. */
  | { readonly form: 'unavailable'; readonly reason: string; readonly errno?: string };

export type StaleVerdict = 'stale' | 'possibly-stale' | 'in-use';
export interface StaleJudgement { readonly objectId: string; readonly verdict: StaleVerdict; readonly evidence: readonly string[] }
export interface Removed { readonly objectId: string; readonly backup?: string }
export interface Failed { readonly objectId: string; readonly error: string }
/** `warnings`: what is not as it was (owner, lock in memory). */
export interface Restored { readonly objectId: string; readonly newObjectId: string; readonly warnings?: readonly string[] }
