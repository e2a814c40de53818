// The readers of calls that wait for time or for a signal: nothing in the snapshot can tell who sends it.
import { clauseOf } from './clauses';
import type { WaitReader } from './reader';
import { intArgument } from './reader';
import { outside } from './wakers';
import { limitAt, limited } from './words';

const CLOCK_REALTIME = 0, TIMER_ABSTIME = 1;

/** nanosleep(2) and clock_nanosleep(2); libc makes the former by the latter. */
export const readSleep = (name: 'nanosleep' | 'clock_nanosleep'): WaitReader => blocked => {
  const { call, thread } = blocked;
  const clocked = name === 'clock_nanosleep';
  const [clock, flags] = clocked ? [intArgument(call, 0), intArgument(call, 1)] : [CLOCK_REALTIME, 0];
  const absolute = (flags & TIMER_ABSTIME) !== 0;
  const operation = clocked && (clock !== CLOCK_REALTIME || absolute) ? 'clock_nanosleep' : 'nanosleep';
  const timeout = limitAt(blocked, call.arguments[clocked ? 2 : 0] ?? 0n, absolute ? { clock } : {}) ?? null;
  return { operation, timeout, evidence: [`thread ${thread.tid} is in ${operation}`], clauses: [clauseOf(blocked, operation, outside('the clock'), 'neither')] };
};

const anySignaller = 'any process with the permission to signal it';

/** pause(2), sigsuspend(2) and sigwait(3). */
export const readSignalWait = (name: 'pause' | 'rt_sigsuspend' | 'rt_sigtimedwait'): WaitReader => blocked => {
  const { call, thread } = blocked;
  const timeout = name === 'rt_sigtimedwait' ? limitAt(blocked, call.arguments[2] ?? 0n) : undefined;
  const operation = name === 'pause' ? 'pause' : name === 'rt_sigsuspend' ? 'sigsuspend' : timeout === undefined ? 'sigwait' : 'sigtimedwait';
  return { operation, ...limited(timeout), evidence: [`thread ${thread.tid} is in ${operation}`], clauses: [clauseOf(blocked, operation, outside(anySignaller), 'neither')] };
};
