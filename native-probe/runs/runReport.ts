// What is told of a run beside its leaks. Types only: client and command line share them.
import type { Time } from '../model';

/** A means of learning what a run does, and whether it could be used. */
export interface Means { readonly what: 'process-events' | 'subreaper' | 'creation-events' | 'creator-pids' | 'samples'; readonly used: boolean; readonly detail: string }

export interface RunReport {
  readonly startedAt: Time;
  readonly endedAt: Time;
  /** At most 1,000. */
  readonly processes: readonly { readonly pid: number; readonly comm?: string; readonly startedAt: Time; readonly endedAt?: Time }[];
  /** Processes of the run that were still there when the report was made: what they use is not left behind. */
  readonly stillRunning: readonly number[];
}
