// Signals that programs use to end a blocking call: where one of them has a handler, a wait that returns EINTR is not closed.
import type { BlockedCall } from './reader';

/** SIGALRM, SIGCHLD and SIGIO by their numbers on x86_64 and aarch64 (signal(7)). */
const interrupting: readonly (readonly [string, bigint])[] = [['SIGALRM', 14n], ['SIGCHLD', 17n], ['SIGIO', 29n]];

/** The id of the gap that such handlers leave in a wait that a signal interrupts; undefined when there are none. */
export function interruptingSignals({ scene, process, thread }: Pick<BlockedCall, 'scene' | 'process' | 'thread'>, operation: string): string | undefined {
  const caught = scene.status(process.pid, thread.tid)?.caughtSignals;
  const names = caught === undefined ? [] : interrupting.filter(([, number]) => (caught & (1n << (number - 1n))) !== 0n).map(([name]) => name);
  if (names.length === 0) return undefined;
  return scene.context.gaps.add({ pid: process.pid, facility: 'waits', field: `signals,${operation}` }, `pid ${process.pid} (${process.comm}) catches ${names.join(', ')}: the signal may end its ${operation} with EINTR`);
}
