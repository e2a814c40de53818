// What may hold a descriptor without standing in any descriptor table: messages in flight, io_uring, tables of single threads. Asked
// in the second look only, before "deadlocked" is said: each doubt is a gap in every wait whose end rests on descriptors.
import type { ScanContext } from '../../context';
import { readFdinfo } from '../../kernel/fdinfo';
import { isGone } from '../../kernel/procfs';
import { asRoot } from '../../gaps';
import { gapsOfThreadTables } from '../../threadTables';
import { parseScmFds } from '../unixSocket';
import type { Found } from './scene';
import { hidesProcesses } from '../../kernel/hidepid';

/** Ids of gaps. `copies`: a descriptor that stands in no table that was read may be of any open file; `rings`: the kernel may read, write or close for an io_uring, but releases no lock. */
export interface Doubts { readonly copies: readonly string[]; readonly rings: readonly string[] }
export const noDoubts: Doubts = { copies: [], rings: [] };

/** The gaps that concern every descriptor of the machine. */
export async function doubtsOfDescriptors(context: ScanContext, found: Found): Promise<Doubts> {
  return { copies: [...hidden(context), ...await inFlight(context, found), ...await gapsOfThreadTables(context, { facility: 'waits', field: 'descriptors' })], rings: await rings(context) };
}

/** With hidepid a program that runs as somebody else (sudo) is not even listed, or listed and no more (hidepid=1). */
function hidden({ host, gaps }: ScanContext): string[] {
  const refused = gaps.list().find(({ scope }) => scope.facility === 'processes' && scope.field === 'stat');
  if (refused) return [refused.id];
  if (!hidesProcesses(host.uid)) return [];
  return [gaps.add({ facility: 'waits', field: 'hidepid' }, 'processes of other users are invisible: one that inherited a descriptor is not either', { remedy: asRoot })];
}

/** Descriptors that were sent over UNIX sockets and not yet received (SCM_RIGHTS). */
async function inFlight(context: ScanContext, found: Found): Promise<string[]> {
  const holders = new Map(found.handles.filter(handle => handle.via === 'descriptor').map(handle => [handle.objectId, handle]));
  const gaps: string[] = [];
  for (const object of found.objects) {
    // Of a datagram socket only the first message's length is told, which may be 0; others need bytes to carry descriptors.
    if (object.kind !== 'unix-socket' || (object.state.rqueue === '0' && object.state.type !== 'datagram' && object.state.type !== null)) continue;
    const holder = holders.get(object.id);
    if (holder?.fd === undefined) continue;
    const fdinfo = readFdinfo(holder.pid, holder.fd).value;
    const count = fdinfo === undefined ? 0 : parseScmFds(fdinfo);
    if (count === undefined) return [context.gaps.add({ facility: 'waits', field: 'in-flight' }, 'this kernel does not tell whether descriptors are in flight between processes')];
    if (count > 0) gaps.push(context.gaps.add({ facility: 'waits', objectId: object.id, field: 'in-flight' }, `${count} ${count === 1 ? 'descriptor was' : 'descriptors were'} sent to pid ${holder.pid} (socket ${object.id}) and not received yet: of what, the kernel does not tell`));
    await context.pause();
  }
  return gaps;
}

const ring = 'anon_inode:[io_uring]';

/** io_uring(7) instances that have files of their own or requests under way. */
async function rings(context: ScanContext): Promise<string[]> {
  const gaps: string[] = [];
  for (const { pid, comm, descriptors, sharedMappings } of context.processes) {
    const own = (descriptors ?? []).filter(({ target }) => target === ring);
    // A ring works on without its descriptor (io_uring_register(2), IORING_REGISTER_RING_FDS): nothing tells what it does.
    const closed = own.length === 0 && sharedMappings?.some(({ path }) => path === ring) === true;
    if (closed) gaps.push(context.gaps.add({ pid, facility: 'waits', field: 'io_uring' }, `pid ${pid} (${comm}) has an io_uring without a descriptor: what the kernel does for it cannot be seen`));
    for (const { fd } of own) {
      const fdinfo = readFdinfo(pid, fd);
      if (isGone(fdinfo.errno) || ringIsIdle(fdinfo.value ?? '')) continue;
      gaps.push(context.gaps.add({ pid, facility: 'waits', field: 'io_uring' }, `pid ${pid} (${comm}) has an io_uring with registered files or requests under way: the kernel may read, write or hold open for it what its descriptors do not show`));
    }
    await context.pause();
  }
  return gaps;
}

/** Whether fdinfo shows a ring without registered files, polls and requests that were taken and not answered. */
export function ringIsIdle(fdinfo: string): boolean {
  const number = (name: string): string | undefined => new RegExp(`^${name}:\\s*(\\d+)$`, 'm').exec(fdinfo)?.[1];
  const [files, taken, answered] = [number('UserFiles'), number('CachedSqHead'), number('CachedCqTail')];
  return files === '0' && taken !== undefined && taken === answered && number('SqTail') === taken && !/^PollList:\n[ \t]+\S/m.test(fdinfo);
}
