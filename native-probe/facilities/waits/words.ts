// What the evidence says of objects, and time limits in the form that waits have.
import type { Known } from '../../model';
import { objectPhrase } from '../../analysis/explanation';
import type { BlockedCall } from './reader';
import type { WaitScene } from './scene';

/** An object as evidence names it. */
export function describeEnd(scene: WaitScene, objectId: string): string {
  const object = scene.ends.objects.get(objectId);
  return object ? objectPhrase(object) : objectId;
}

/** Seconds and nanoseconds as decimal seconds; undefined when they are no time. */
export function secondsText(seconds: bigint, nanoseconds: bigint): string | undefined {
  if (seconds < 0n || nanoseconds < 0n || nanoseconds >= 1_000_000_000n) return undefined;
  const fraction = String(nanoseconds).padStart(9, '0').replace(/0+$/, '');
  return fraction === '' ? `${seconds}` : `${seconds}.${fraction}`;
}

/** The last instant that Date can hold, in ms. */
const lastInstant = 8_640_000_000_000_000n;

/** A point in time of a clock (clock_gettime(2)): ISO 8601 for CLOCK_REALTIME and CLOCK_TAI's like, else the clock's own seconds. */
export function instantText(clock: number, seconds: bigint, nanoseconds: bigint): Known<string> {
  const decimal = secondsText(seconds, nanoseconds);
  if (decimal === undefined) return null;
  const milliseconds = seconds * 1000n + nanoseconds / 1_000_000n;
  if (clock === 0 && milliseconds <= lastInstant) return new Date(Number(milliseconds)).toISOString();
  const name = ['CLOCK_REALTIME', 'CLOCK_MONOTONIC'][clock] ?? (clock === 7 ? 'CLOCK_BOOTTIME' : `clock ${clock}`);
  return `${name} ${decimal} s`;
}

/** A span or point in time that a call's argument points to (struct timespec, or timeval with `microseconds`); undefined for a null pointer: no limit. */
export function limitAt({ scene, process }: Pick<BlockedCall, 'scene' | 'process'>, address: bigint, { clock, microseconds = false }: { clock?: number; microseconds?: boolean } = {}): Known<string> | undefined {
  if (address === 0n) return undefined;
  const bytes = scene.memory(process.pid).read(address, 16).value;
  if (!bytes) return null;
  const [seconds, rest] = [bytes.readBigInt64LE(0), bytes.readBigInt64LE(8) * (microseconds ? 1000n : 1n)];
  if (clock !== undefined) return instantText(clock, seconds, rest);
  const text = secondsText(seconds, rest);
  return text === undefined ? null : `${text} s`;
}

/** A limit in ms as poll(2) takes it: negative for none. */
export function millisecondsText(milliseconds: number): string | undefined {
  return milliseconds < 0 ? undefined : `${milliseconds / 1000} s`;
}

/** With a limit, as a part of a reading. */
export const limited = (timeout: Known<string> | undefined): { timeout?: Known<string> } => timeout === undefined ? {} : { timeout };
