// The sockets of a focused pass, each asked for by itself (sock_diag(7)) instead of dumping the tables: only those that its processes
// have, and their other ends.
import type { ScanContext } from '../context';
import { inodeIn } from '../descriptorIndex';
import { askUnix } from '../kernel/sockDiag';
import type { UnixRecord } from '../kernel/sockDiag';
import { unixSocketId } from './unixSocket';

/** The kernel walks its whole table for each question: from so many on a dump is as fast. */
const mostQuestions = 96;
const SOCK_DGRAM = 2, SHUTDOWN_MASK = 3;

export interface AskedSockets {
  readonly unix: readonly UnixRecord[];
  /** Some descriptors lead to sockets that are no UNIX sockets: the other tables are needed. */
  readonly others: boolean;
}

/** Through a sock_diag socket of the own network namespace `own`. Undefined: questions would not tell all that a dump tells. */
export async function askForSockets(context: ScanContext, own: string, diag: number): Promise<AskedSockets | undefined> {
  const wanted = new Set<number>();
  for (const { process, target } of context.descriptors.of('socket')) {
    if (process.namespaces.net !== own) return undefined;
    const inode = Number(inodeIn(target));
    if (!context.concerns(unixSocketId(inode))) continue;
    wanted.add(inode);
    if (wanted.size > mostQuestions) return undefined;
  }
  const unix: UnixRecord[] = [];
  const held = new Set(wanted);
  let others = false;
  // Grows while it is walked: by the other ends.
  for (const inode of wanted) {
    const answer = askUnix(diag, inode);
    if (answer.value === undefined || wanted.size > 2 * mostQuestions) return undefined;
    const { entry } = answer.value;
    if (entry === undefined) { others ||= held.has(inode); continue; }
    if (held.has(inode) && namedElsewhere(entry)) return undefined;
    unix.push(entry);
    for (const other of [entry.peer ?? 0, ...entry.pending ?? []]) if (other !== 0) wanted.add(other);
    await context.pause();
  }
  return { unix, others };
}

/** Whose other ends only they themselves tell: whoever is connected to a datagram socket with a name; and the listener in whose backlog a connection waits. */
function namedElsewhere({ type, name, peer, shutdown }: UnixRecord): boolean {
  return (type === SOCK_DGRAM && name !== undefined) || (peer === 0 && shutdown !== SHUTDOWN_MASK);
}
