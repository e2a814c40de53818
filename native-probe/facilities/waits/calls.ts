// The table of all system calls that are not futex(2) or flock(2): which reader understands which. One row a call.
import { readText } from '../../kernel/procfs';
import type { SyscallName } from '../../kernel/syscalls';
import { isStopped } from '../../kernel/threads';
import { readVfork, readWait4, readWaitid } from './children';
import { readOpen } from './opening';
import { readSignalWait, readSleep } from './pauses';
import { readEpoll, readPoll, readSelect } from './polling';
import { readPosixQueueCall } from './queueCalls';
import { readFcntl } from './recordLock';
import type { BlockedCall, WaitReader, WaitReading } from './reader';
import { readConnect, readStream, streamCalls } from './streams';
import { readQueueCall, readSemop } from './sysvCalls';

const rows: readonly (readonly [SyscallName, WaitReader])[] = [
  ...Object.entries(streamCalls).map(([name, row]) => [name as SyscallName, readStream(row)] as const),
  ['connect', readConnect],
  ['poll', readPoll('poll')], ['ppoll', readPoll('ppoll')], ['select', readSelect('select')], ['pselect6', readSelect('pselect6')],
  ['epoll_wait', readEpoll('epoll_wait')], ['epoll_pwait', readEpoll('epoll_pwait')], ['epoll_pwait2', readEpoll('epoll_pwait2')],
  ['wait4', readWait4], ['waitid', readWaitid], ['vfork', readVfork('vfork')], ['clone', readVfork('clone')], ['clone3', readVfork('clone3')],
  ['nanosleep', readSleep('nanosleep')], ['clock_nanosleep', readSleep('clock_nanosleep')],
  ['pause', readSignalWait('pause')], ['rt_sigsuspend', readSignalWait('rt_sigsuspend')], ['rt_sigtimedwait', readSignalWait('rt_sigtimedwait')],
  ['semop', readSemop('semop')], ['semtimedop', readSemop('semtimedop')], ['msgsnd', readQueueCall('msgsnd')], ['msgrcv', readQueueCall('msgrcv')],
  ['mq_timedsend', readPosixQueueCall('send')], ['mq_timedreceive', readPosixQueueCall('receive')],
  ['fcntl', readFcntl], ['open', readOpen('open')], ['openat', readOpen('openat')],
];

/** Calls that sleep where no signal but a killing one wakes them (state D). */
const uninterruptible: ReadonlySet<SyscallName> = new Set(['vfork', 'clone', 'clone3']);
/** Calls that end with EINTR when their thread was stopped and is continued, even without a handler (signal(7)). */
const endedByContinuing: ReadonlySet<SyscallName> = new Set(['epoll_wait', 'epoll_pwait', 'epoll_pwait2', 'semop', 'semtimedop', 'rt_sigtimedwait']);
/**
 * Calls whose outcome stands in the kernel's tables: who has finished one is no waiter any more. Of others a stopped thread shows its call also
 * when it was stopped on the way back from it (/proc/PID/syscall has no return value): a reader that has its data already.
 */
const heldElsewhere: ReadonlySet<SyscallName> = new Set(['fcntl']);
/** Where a thread may sleep inside of these calls for another reason: for a page (userfaultfd, a disk, a network), a supervisor, a frozen cgroup. */
const elsewhere = /userfault|seccomp|fuse|request_wait|fanotify|io_schedule|folio|page_|rpc_|nfs|cifs|rwsem|freez|frozen|refrigerator/;

function withGap(reading: WaitReading, gap: string): WaitReading {
  return { ...reading, clauses: reading.clauses.map(clause => ({ ...clause, gaps: [...clause.gaps ?? [], gap] })) };
}

function guarded(name: SyscallName, reader: WaitReader): WaitReader {
  return (blocked: BlockedCall): WaitReading | undefined => {
    const { scene, process, thread } = blocked;
    const stopped = isStopped(thread);
    if (!stopped && thread.state !== (uninterruptible.has(name) ? 'D' : 'S')) return undefined;
    // Only before anything is said: one more read for each thread.
    if (scene.again && !stopped && elsewhere.test(readText(`/proc/${process.pid}/task/${thread.tid}/wchan`).value ?? '')) return undefined;
    const reading = reader(blocked);
    if (!reading || !stopped || heldElsewhere.has(name)) return reading;
    if (!endedByContinuing.has(name)) return withGap(reading, scene.context.gaps.add({ pid: process.pid, facility: 'waits', field: `stopped,${reading.operation}` }, `whether the stopped pid ${process.pid} (${process.comm}) had just finished its ${reading.operation} or must wait again, nothing tells`));
    return { ...reading, clauses: [{ alternatives: reading.clauses.flatMap(clause => clause.alternatives), external: `it ends with EINTR when it is continued` }] };
  };
}

/** Readers by the name of the call. */
export const callReaders: readonly (readonly [SyscallName, WaitReader])[] = rows.map(([name, reader]) => [name, guarded(name, reader)]);
