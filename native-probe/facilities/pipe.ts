// Pipes (pipe(7)): joined by the inode in the link `pipe:[INODE]`; all are on the kernel's one pipefs, so that the inode
// alone identifies them. The end is told by the open mode.
import type { Access, Handle, Pipe } from '../model';
import type { ScanContext } from '../context';
import { inodeIn } from '../descriptorIndex';
import { descriptorAccess } from '../processes';

/** How a descriptor of a pipe or FIFO is used: its end, in the manual page's words. */
export function endOf(access: Access): 'read' | 'write' | 'both' {
  return access === 'read-write' ? 'both' : access;
}

/** How full they are takes a borrowed descriptor, which delays EOF and EPIPE while it is held: never in a pass. */
export function gapOfContents(context: ScanContext, facility: 'pipe' | 'fifo'): void {
  context.gaps.add({ facility, field: 'unread,capacity' }, `how full ${facility === 'pipe' ? 'pipes' : 'FIFOs'} are takes a borrowed descriptor: read on request only (peek)`, { remedy: 'peek at one of them' });
}

export async function collectPipes(context: ScanContext): Promise<{ objects: Pipe[]; handles: Handle[] }> {
  const objects = new Map<string, Pipe>();
  const handles: Handle[] = [];
  for (const { process, fd, target } of context.descriptors.of('pipe')) {
    const id = `pipe:${inodeIn(target)}`;
    const access = descriptorAccess(process.pid, fd);
    // Closed in between, perhaps by the last that had it: then it is no object any more.
    if (access !== undefined) {
      if (!objects.has(id)) objects.set(id, { id, kind: 'pipe', persistence: 'process', state: { unread: null, capacity: null } });
      handles.push({ objectId: id, pid: process.pid, via: 'descriptor', fd, access, end: endOf(access) });
    }
    await context.pause();
  }
  if (objects.size > 0) gapOfContents(context, 'pipe');
  return { objects: [...objects.values()], handles };
}
