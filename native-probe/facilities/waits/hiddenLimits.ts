// Time limits that no call shows: they belong to the socket or the terminal, and only a borrowed descriptor tells them.
//
// Borrowing is kept for the second look, and for the few threads that are said to be stuck. It delays nothing there: a thread that is
// blocked on a descriptor keeps its open file anyway. What is read is the limit of now: one that was changed since the call began
// would not be seen.
import type { Known } from '../../model';
import { withBorrowedDescriptor } from '../../kernel/borrowedDescriptor';
import type { Result } from '../../kernel/procfs';
import { readLink } from '../../kernel/procfs';
import type { TimeLimit } from '../../kernel/timeLimits';
import { socketTimeLimit, terminalTimeLimit } from '../../kernel/timeLimits';
import type { BlockedCall } from './reader';
import { secondsText } from './words';
import { resourcesOf } from '../../kernel/standIns';

export interface Descriptor { readonly fd: number; readonly kind: string; readonly end?: string | undefined; readonly direction: 'input' | 'output' }
/** `timeout` as a wait has it; `gaps`: why it is not known. */
export interface HiddenLimit { readonly timeout?: Known<string>; readonly gaps: readonly string[] }

/** What limits such descriptors, and how to ask one; undefined for those that have no limit of their own. */
function limitOf({ kind, end, direction }: Descriptor): { readonly name: string; readonly ask: (fd: number) => Result<TimeLimit> } | undefined {
  if (kind === 'unix-socket' || kind === 'inet-socket') return { name: direction === 'input' ? 'SO_RCVTIMEO' : 'SO_SNDTIMEO', ask: fd => socketTimeLimit(fd, direction) };
  return kind === 'pseudoterminal' && end === 'slave' && direction === 'input' ? { name: 'VTIME', ask: terminalTimeLimit } : undefined;
}

/** The limit of a descriptor that a thread is blocked on. Seen in the second look where the kernel lets us; else a gap. */
export function hiddenLimit({ scene, process }: BlockedCall, descriptor: Descriptor, operation: string): HiddenLimit {
  const limit = limitOf(descriptor);
  if (!limit) return { gaps: [] };
  const scope = { pid: process.pid, facility: 'waits' as const, field: `time-limit,${operation}` };
  const what = `whether a time limit (${limit.name}) ends the ${operation} of pid ${process.pid} (${process.comm}) takes a borrowed descriptor to see`;
  const unknown = (): string => {
    const id = scene.context.gaps.add(scope, what);
    scene.hiddenLimits.add(id);
    return id;
  };
  if (!scene.again) return { gaps: [unknown()] };
  const target = readLink(`${resourcesOf(process.pid)}/fd/${descriptor.fd}`).value;
  const borrowed = target === undefined ? { errno: 'ENOENT' } : withBorrowedDescriptor(process.pid, descriptor.fd, target, limit.ask);
  const nanoseconds = borrowed.value?.value;
  if (nanoseconds === undefined) return { gaps: [unknown()] };
  if (nanoseconds === 0n) return { gaps: [] };
  const text = secondsText(nanoseconds / 1_000_000_000n, nanoseconds % 1_000_000_000n);
  return { timeout: text === undefined ? null : `${text} s`, gaps: [] };
}
