// The state of an object by kind, in the manual pages' words. Types only; the units and conventions of model.ts hold.
import type { Decimal, Hex, Known, Time } from './model';

/** shmctl(2), /proc/sysvipc/shm. cpid, lpid: 0 = a process outside the reader's PID namespace. */
export interface SysvSharedMemoryState {
  readonly segsz: Decimal; readonly nattch: number; readonly cpid: number; readonly lpid: number;
  readonly atime?: Time; readonly dtime?: Time; readonly ctime: Time;
  readonly rss: Known<Decimal>; readonly swap: Known<Decimal>;
  /** SHM_DEST: removed when the last attachment goes. */
  readonly dest: boolean;
  readonly locked: boolean;
}
/** msgctl(2), /proc/sysvipc/msg. */
export interface SysvMessageQueueState {
  readonly qnum: Decimal; readonly cbytes: Decimal; readonly qbytes: Known<Decimal>;
  readonly lspid: number; readonly lrpid: number;
  readonly stime?: Time; readonly rtime?: Time; readonly ctime: Time;
}
export interface SysvSemaphore { readonly val: number; readonly ncnt: Known<number>; readonly zcnt: Known<number>; readonly pid: Known<number> }
/** semctl(2), /proc/sysvipc/sem. */
export interface SysvSemaphoreSetState {
  readonly nsems: number; readonly otime?: Time; readonly ctime: Time;
  readonly sems: Known<readonly SysvSemaphore[]>;
}
/** mq_getattr(3), mq_overview(7). `qsize`: bytes of all messages. */
export interface PosixMessageQueueState {
  readonly curmsgs: Known<number>; readonly maxmsg: Known<number>; readonly msgsize: Known<Decimal>; readonly qsize: Known<Decimal>;
  /** Who asked to be told of the next message (mq_notify(3)); absent when nobody did. */
  readonly notify?: Known<{ readonly pid: number; readonly signo: number }>;
  /** mq_unlink was called: it lives only as long as somebody has it open. */
  readonly unlinked?: true;
}
/** shm_overview(7): a file of a tmpfs. */
export interface PosixSharedMemoryState { readonly size: Known<Decimal>; readonly allocated: Known<Decimal>; readonly unlinked?: true }
/** sem_overview(7): a sem_t in /dev/shm/sem.NAME. */
export interface PosixSemaphoreState { readonly value: Known<number>; readonly waiters: Known<number>; readonly unlinked?: true }
/** Last byte, inclusive, in decimal; "EOF" for a lock to the end of the file, however it grows. */
export type LockEnd = Decimal;
export interface LockRange {
  /** null: a lease that is being broken, of which the kernel tells only what it shall become. */
  readonly type: Known<'read' | 'write'>; readonly start: Decimal; readonly end: LockEnd;
  /** As /proc/locks shows it; -1 for open file description locks, and perhaps dead for flock. */
  readonly pid: number;
  /** A lease that somebody is breaking: its holder shall reduce it to a read lease, or give it up. */
  readonly breaking?: 'read' | 'unlock';
}
/** flock(2), fcntl_locking(2), /proc/locks. One object per file and lock kind. `waiting`: requests that the kernel lists as blocked. */
export interface FileLockState { readonly path: Known<string>; readonly ranges: readonly LockRange[]; readonly waiting?: readonly LockRange[] }
/** glibc's pthread_mutex_t. `owner`: TID as stored in the memory. */
export interface MutexState {
  readonly address?: Hex;
  readonly type: Known<'normal' | 'recursive' | 'errorcheck' | 'adaptive'>;
  readonly owner: Known<number>; readonly robust: Known<boolean>; readonly pi: Known<boolean>; readonly shared: Known<boolean>;
}
/** pthread_cond_t. `waiters`: as stored. */
export interface ConditionVariableState { readonly address?: Hex; readonly waiters: Known<number>; readonly shared: Known<boolean> }
/** pthread_rwlock_t. `writer`: TID as stored, absent when nobody writes; `readers`: how many hold it for reading. */
export interface RwlockState { readonly address?: Hex; readonly readers: Known<number>; readonly writer?: Known<number>; readonly shared: Known<boolean> }
/** pthread_barrier_t: `count` parties are needed, `waiting` have arrived. */
export interface BarrierState { readonly address?: Hex; readonly count: Known<number>; readonly waiting: Known<number>; readonly shared: Known<boolean> }
/** sem_t that sem_init made. */
export interface PosixUnnamedSemaphoreState { readonly address?: Hex; readonly value: Known<number>; readonly waiters: Known<number>; readonly shared: Known<boolean> }
export interface FutexState { readonly address?: Hex }

/** pipe(7). How full it is takes a borrowed descriptor: read on request only, else null with a gap. */
export interface PipeState { readonly unread: Known<Decimal>; readonly capacity: Known<Decimal> }
/** fifo(7). */
export interface FifoState extends PipeState { readonly path: Known<string>; readonly unlinked?: true }
/** unix(7), sock_diag(7). For a listener `rqueue` is connections not yet accepted, `backlog` their limit. */
export interface UnixSocketState {
  readonly type: Known<'stream' | 'datagram' | 'seqpacket'>;
  readonly state: Known<'unconnected' | 'connecting' | 'connected' | 'listening' | 'closing'>;
  /** Path name; abstract names begin with "@". Absent when unnamed. */
  readonly path?: string;
  /** Id of the connected socket, or of the listener while nobody has accepted the connection; absent when not connected. */
  readonly peer?: Known<string>;
  readonly rqueue: Known<Decimal>;
  readonly wqueue: Known<Decimal>;
  readonly backlog?: number;
  /** Descriptors in flight in its queue (SCM_RIGHTS); absent where the kernel does not tell. */
  readonly descriptorsInFlight?: number;
}
/** ip(7), tcp(7), udp(7), sock_diag(7). */
export interface InetSocketState {
  readonly protocol: string;
  /** As ss(8) names it: established, listen, time-wait, unconnected, … */
  readonly state: string;
  readonly local: { readonly address: string; readonly port: number };
  readonly remote?: { readonly address: string; readonly port: number };
  /** Id of the socket at the other end, when it is on this machine and was found; of the listener while nobody has accepted. */
  readonly peer?: string;
  readonly rqueue: Known<Decimal>;
  readonly wqueue: Known<Decimal>;
  readonly backlog?: number;
}
/** A socket of another family (netlink, packet, vsock, …), or one that no table lists: an Internet socket neither bound nor connected. */
export interface OtherSocketState { readonly family: Known<string>; readonly protocol?: string }
/** pty(7). `foreground`: the foreground process group; absent when it is nobody's controlling terminal. `hungUp`: its master is closed. */
export interface PseudoterminalState { readonly index: number; readonly foreground?: number; readonly hungUp?: true }

/** memfd_create(2). */
export interface MemfdState { readonly size: Known<Decimal>; readonly allocated: Known<Decimal>; readonly seals: Known<readonly string[]> }
/** mmap(2) MAP_SHARED of a file. `mapped`: the farthest byte of it that a readable process maps. */
export interface SharedMappingState { readonly path: string; readonly mapped: Decimal; readonly deleted?: true }
/** mmap(2) MAP_SHARED|MAP_ANONYMOUS. `size`: the farthest byte that a readable process maps. */
export interface AnonymousSharedMappingState { readonly size: Decimal }

/** eventfd(2), from fdinfo. */
export interface EventfdState { readonly count: Known<Decimal>; readonly semaphore: Known<boolean> }
/** signalfd(2): the signals it accepts, by name. */
export interface SignalfdState { readonly signals: Known<readonly string[]> }
/** timerfd_create(2), from fdinfo. Times in seconds, as decimals ("1.5"); `value` absent when disarmed. */
export interface TimerfdState { readonly clock: Known<string>; readonly ticks: Known<Decimal>; readonly value?: string; readonly interval?: string }
/** epoll(7). `target`: id of what is watched, where it is known (the number may have been reused). */
export interface EpollState { readonly watches: Known<readonly { readonly fd: number; readonly events: Hex; readonly inode?: Decimal; readonly target?: string }[]> }
/** inotify(7). `device`: MAJOR:MINOR. */
export interface InotifyState { readonly watches: Known<readonly { readonly wd: number; readonly device: string; readonly inode: string; readonly mask: Hex }[]> }
/** pidfd_open(2). `pid`: its target in the reader's PID namespace; 0: in none that the reader sees; -1: gone. */
export interface PidfdState { readonly pid: Known<number> }
/** signal(7): one object for each process. Names as kill -l gives them: SIGINT, SIGRTMIN+1. */
export interface SignalState {
  readonly pending: readonly string[];
  readonly blocked: readonly string[];
  readonly ignored: readonly string[];
  readonly caught: readonly string[];
  /** Queued signals of the real user, and their limit (RLIMIT_SIGPENDING). */
  readonly queued: Decimal;
  readonly limit: Decimal;
  /** Per thread, where there is more than one and it was asked for: pending for that thread alone, and blocked by it. */
  readonly threads?: readonly { readonly tid: number; readonly pending: readonly string[]; readonly blocked: readonly string[] }[];
}
