// The readers of read(2), write(2) and the socket calls: blocked until the other end of a descriptor acts.
import type { Known } from '../../model';
import { unixName } from '../../kernel/sockDiag';
import type { SyscallName } from '../../kernel/syscalls';
import { clauseOf } from './clauses';
import { hiddenLimit } from './hiddenLimits';
import type { BlockedCall, WaitReader, WaitReading } from './reader';
import { intArgument } from './reader';
import { describeEnd } from './words';
import type { Wakers } from './wakers';
import { outside, wakersOf } from './wakers';

interface Row { readonly operation: string | ((call: BlockedCall['call']) => string); readonly direction: 'input' | 'output' }

/** sendto(2) and recvfrom(2) without an address are how libc makes send(2) and recv(2). */
const withoutAddress = (short: string, long: string) => (call: BlockedCall['call']): string => (call.arguments[4] ?? 0n) === 0n ? short : long;

export const streamCalls: Readonly<Partial<Record<SyscallName, Row>>> = {
  read: { operation: 'read', direction: 'input' }, readv: { operation: 'readv', direction: 'input' },
  write: { operation: 'write', direction: 'output' }, writev: { operation: 'writev', direction: 'output' },
  recvfrom: { operation: withoutAddress('recv', 'recvfrom'), direction: 'input' }, recvmsg: { operation: 'recvmsg', direction: 'input' },
  sendto: { operation: withoutAddress('send', 'sendto'), direction: 'output' }, sendmsg: { operation: 'sendmsg', direction: 'output' },
  accept: { operation: 'accept', direction: 'input' }, accept4: { operation: 'accept4', direction: 'input' },
};

/** A reader of one of these calls. */
export function readStream({ operation, direction }: Row): WaitReader {
  return blocked => {
    const { scene, process, thread, call } = blocked;
    const fd = intArgument(call, 0);
    const handle = scene.ends.ofThread(process, thread.tid, fd);
    const object = handle && scene.ends.objects.get(handle.objectId);
    if (!handle || !object) return undefined;
    const name = typeof operation === 'string' ? operation : operation(call);
    const input = direction === 'input';
    let wakers = wakersOf(scene, process.pid, handle, { input, output: !input, hangup: false });
    // A receiver that is told with the message is another one than the socket's.
    if (name === 'sendto') wakers = outside('whoever receives what it sends');
    const { timeout, gaps } = hiddenLimit(blocked, { fd, kind: object.kind, end: handle.end, direction }, name);
    return reading(blocked, name, object.id, fd, { ...wakers, gaps: [...wakers.gaps, ...gaps] }, timeout);
  };
}

function reading(blocked: BlockedCall, operation: string, objectId: string, fd: number, wakers: Wakers, timeout: Known<string> | undefined): WaitReading {
  const { thread, scene } = blocked;
  return {
    operation, objectId, ...(timeout === undefined ? {} : { timeout }),
    evidence: [`thread ${thread.tid} is in ${operation}(${fd}) on ${describeEnd(scene, objectId)}`, ...evidenceOf(blocked, wakers)],
    clauses: [clauseOf(blocked, operation, wakers)],
  };
}

/** Who has the other end, one line an event. */
export function evidenceOf({ scene }: Pick<BlockedCall, 'scene'>, wakers: Wakers): string[] {
  return wakers.alternatives.slice(0, 20).map(({ objectId, event, threads }) => {
    const holders = objectId === undefined ? [] : scene.ends.holders(objectId);
    const who = threads.slice(0, 8).map(({ pid }) => {
      const fds = holders.filter(holder => holder.pid === pid && holder.fd !== undefined).map(holder => holder.fd).slice(0, 4);
      return fds.length > 0 ? `descriptor ${fds.join(', ')} of pid ${pid}` : `pid ${pid}`;
    });
    return `${event} may come by ${who.join(', ')}${threads.length > 8 ? ` and ${threads.length - 8} more` : ''}`;
  });
}

const AF_UNIX = 1;

/** connect(2): on a UNIX socket it blocks while the listener's backlog is full. Everything else is the network. */
export const readConnect: WaitReader = blocked => {
  const { scene, process, thread, call } = blocked;
  const fd = intArgument(call, 0);
  const handle = scene.ends.ofThread(process, thread.tid, fd);
  const object = handle && scene.ends.objects.get(handle.objectId);
  if (!object) return undefined;
  const listener = object.kind === 'unix-socket' ? listenerAt(blocked) : undefined;
  if (!listener) return reading(blocked, 'connect', object.id, fd, outside(object.kind === 'unix-socket' ? 'the listener could not be told' : 'the network'), undefined);
  const { gaps, timeout } = hiddenLimit(blocked, { fd, kind: object.kind, direction: 'output' }, 'connect');
  const threads = [...new Set(scene.ends.holders(listener).map(({ pid }) => pid))].sort((a, b) => a - b).map(pid => ({ pid }));
  const unseen = scene.ends.unseenHolders(listener, threads.map(({ pid }) => pid));
  const wakers: Wakers = threads.length === 0 ? outside('nobody is seen who could accept') : { alternatives: [{ objectId: listener, event: 'an accept', threads }], gaps: unseen === undefined ? gaps : [...gaps, unseen] };
  return reading(blocked, 'connect', listener, fd, wakers, timeout);
};

/** The one listener whose name the thread has given, if its backlog is full. */
function listenerAt({ scene, process, call }: BlockedCall): string | undefined {
  const [, address = 0n] = call.arguments;
  const length = intArgument(call, 2);
  const bytes = length > 2 && length <= 110 ? scene.memory(process.pid).read(address, length).value : undefined;
  if (bytes?.readUInt16LE(0) !== AF_UNIX) return undefined;
  const name = unixName(bytes.subarray(2));
  const found = [...scene.ends.objects.values()].filter(each => each.kind === 'unix-socket' && each.state.state === 'listening' && each.state.path === name && each.namespace === process.namespaces.net);
  const [only] = found;
  if (found.length !== 1 || only?.kind !== 'unix-socket' || only.state.rqueue === null || only.state.backlog === undefined) return undefined;
  return BigInt(only.state.rqueue) > BigInt(only.state.backlog) ? only.id : undefined;
}
