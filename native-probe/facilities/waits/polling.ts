// The readers of poll, select and epoll_wait: one clause over everything that any of the descriptors waits for.
import type { Alternative, Known } from '../../model';
import type { BlockedCall, WaitReader, WaitReading } from './reader';
import { intArgument } from './reader';
import { clauseOf } from './clauses';
import { evidenceOf } from './streams';
import type { Wakers, Wanted } from './wakers';
import { anyOf, mostProved, ofEpoll, outside, tooMany, wakersOf, wantedOf } from './wakers';
import { describeEnd, limitAt, limited, millisecondsText } from './words';

/** One descriptor of the call. */
interface Asked { readonly fd: number; readonly wanted: Wanted }

/** Beyond this (RLIMIT_NOFILE's usual hard limit is 2²⁰) the arguments are not believed. */
const mostDescriptors = 1 << 20;
/** Of a wait for something external, so many descriptors are shown. */
const enough = 64;

/** struct pollfd: int fd, short events, short revents. */
const pollfdBytes = 8;

/** The descriptors in an array of struct pollfd; those below 0 are ignored, as the kernel does. */
export function decodePollfds(bytes: Buffer): Asked[] {
  const asked: Asked[] = [];
  for (let at = 0; at + pollfdBytes <= bytes.length; at += pollfdBytes) {
    const fd = bytes.readInt32LE(at);
    if (fd >= 0) asked.push({ fd, wanted: wantedOf(bytes.readUInt16LE(at + 4)) });
  }
  return asked;
}

/** The descriptors in the three sets of select(2); a missing set is empty. */
export function decodeSets(count: number, [reads, writes, exceptions]: readonly [Buffer | undefined, Buffer | undefined, Buffer | undefined]): Asked[] {
  const has = (set: Buffer | undefined, fd: number): boolean => (((set?.[fd >> 3] ?? 0) >> (fd & 7)) & 1) === 1;
  const asked: Asked[] = [];
  for (let fd = 0; fd < count; fd++) {
    const [input, output] = [has(reads, fd) || has(exceptions, fd), has(writes, fd)];
    if (input || output) asked.push({ fd, wanted: { input, output, hangup: true } });
  }
  return asked;
}

function readMemory({ scene, process }: BlockedCall, address: bigint, length: number): Buffer | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; at < length; at += 1 << 16) {
    const part = scene.memory(process.pid).read(address + BigInt(at), Math.min(1 << 16, length - at)).value;
    if (!part) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function answer(blocked: BlockedCall, operation: string, asked: readonly Asked[], timeout: Known<string> | undefined): WaitReading {
  const { scene, process, thread } = blocked;
  const parts: Wakers[] = asked.length > mostProved ? [tooMany(asked.length)] : [];
  const objects: string[] = [];
  for (const { fd, wanted } of asked) {
    if (parts.length >= enough && parts.some(part => part.external !== undefined)) break;
    const handle = scene.ends.ofThread(process, thread.tid, fd);
    parts.push(handle ? wakersOf(scene, process.pid, handle, wanted) : outside(`descriptor ${fd} is of a kind that is not understood`));
    if (handle) objects.push(handle.objectId);
  }
  const wakers = parts.length === 0 ? outside(timeout === undefined ? 'a signal' : 'the clock') : anyOf(parts);
  const named = objects.slice(0, 8).map(id => describeEnd(scene, id)).join(', ');
  return {
    operation, ...limited(timeout),
    evidence: [`thread ${thread.tid} is in ${operation} over ${asked.length} ${asked.length === 1 ? 'descriptor' : 'descriptors'}${named === '' ? '' : `: ${named}${objects.length > 8 ? ', …' : ''}`}`, ...evidenceOf(blocked, wakers)],
    clauses: [clauseOf(blocked, operation, wakers)],
  };
}

/** poll(2) and ppoll(2). */
export const readPoll = (operation: 'poll' | 'ppoll'): WaitReader => blocked => {
  const { call } = blocked;
  const [address = 0n, count = 0n, third = 0n] = call.arguments;
  if (count > BigInt(mostDescriptors)) return undefined;
  const bytes = readMemory(blocked, address, Number(count) * pollfdBytes);
  if (!bytes) return undefined;
  return answer(blocked, operation, decodePollfds(bytes), operation === 'poll' ? millisecondsText(intArgument(call, 2) | 0) : limitAt(blocked, third));
};

/** select(2) and pselect(2). glibc makes both by pselect6: only a signal mask tells them apart. */
export const readSelect = (name: 'select' | 'pselect6'): WaitReader => blocked => {
  const { call, scene, process } = blocked;
  const count = intArgument(call, 0);
  if (count > mostDescriptors) return undefined;
  const bytes = Math.ceil(count / 64) * 8;
  const sets: (Buffer | undefined)[] = [];
  for (const index of [1, 2, 3]) {
    const address = call.arguments[index] ?? 0n;
    const set = address === 0n || bytes === 0 ? undefined : readMemory(blocked, address, bytes);
    if (address !== 0n && bytes > 0 && !set) return undefined;
    sets.push(set);
  }
  const limit = call.arguments[4] ?? 0n;
  const mask = call.arguments[5] ?? 0n;
  // Its sixth argument points to the mask's address and length.
  const masked = name === 'pselect6' && mask !== 0n && (scene.memory(process.pid).read(mask, 8).value?.readBigUInt64LE(0) ?? 0n) !== 0n;
  return answer(blocked, masked ? 'pselect' : 'select', decodeSets(count, [sets[0], sets[1], sets[2]]), limitAt(blocked, limit, { microseconds: name === 'select' }));
};

/** epoll_wait(2) and its relatives. */
export const readEpoll = (name: 'epoll_wait' | 'epoll_pwait' | 'epoll_pwait2'): WaitReader => blocked => {
  const { scene, process, thread, call } = blocked;
  const fd = intArgument(call, 0);
  const handle = scene.ends.ofThread(process, thread.tid, fd);
  const epoll = handle && scene.ends.objects.get(handle.objectId);
  if (epoll?.kind !== 'epoll') return undefined;
  const timeout = name === 'epoll_pwait2' ? limitAt(blocked, call.arguments[3] ?? 0n) : millisecondsText(intArgument(call, 3) | 0);
  // aarch64 has no epoll_wait: libc makes it by epoll_pwait without a mask.
  const operation = name === 'epoll_pwait' && (call.arguments[4] ?? 0n) === 0n ? 'epoll_wait' : name;
  const wakers = ofEpoll(scene, process.pid, epoll, 0);
  const adders = wakers.alternatives.filter((each: Alternative) => each.objectId === epoll.id).length;
  return {
    operation, objectId: epoll.id, ...limited(timeout),
    evidence: [`thread ${thread.tid} is in ${operation}(${fd}), which watches ${epoll.state.watches?.length ?? 'an unknown number of'} descriptors${adders > 0 ? '; others may add to them' : ''}`, ...evidenceOf(blocked, wakers)],
    clauses: [clauseOf(blocked, operation, wakers)],
  };
};
