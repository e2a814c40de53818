// Pipes (pipe(7)): joined by the inode in the link `pipe:[INODE]`; all are on the kernel's one pipefs, so that the inode
// alone identifies them. The end is told by the open mode.
import type { Access, Handle, IpcObject } from '../model';
import type { ScanContext } from '../context';
import { inodeIn } from '../descriptorIndex';
import { descriptorAccess } from '../processes';
import type { Descriptor } from '../processes';

/** How a descriptor of a pipe or FIFO is used: its end, in the manual page's words. */
export function endOf(access: Access): 'read' | 'write' | 'both' {
  return access === 'read-write' ? 'both' : access;
}

/** How full they are takes a borrowed descriptor, which delays EOF and EPIPE while it is held: never in a pass. */
export function gapOfContents(context: ScanContext, facility: 'pipe' | 'fifo'): void {
  context.gaps.add({ facility, field: 'unread,capacity' }, `how full ${facility === 'pipe' ? 'pipes' : 'FIFOs'} are takes a borrowed descriptor: read on request only (peek)`, { remedy: 'peek at one of them' });
}

export async function collectPipes(context: ScanContext): Promise<{ objects: IpcObject[]; handles: Handle[] }> {
  const objects = new Map<string, IpcObject>();
  const handles: Handle[] = [];
  let looked = 0;
  for (const { process, fd, target, entry } of context.descriptors.of('pipe')) {
    const access = descriptorAccess(process.pid, fd);
    // Closed in between, perhaps by the last that had it: then it is no object any more.
    if (access !== undefined) {
      if (entry.made?.read !== access) entry.made = madeOf(process.pid, fd, target, access);
      const { object, handle } = entry.made;
      if (!objects.has(object.id)) objects.set(object.id, object);
      handles.push(handle);
    }
    if ((++looked & 63) === 0) await context.pause();
  }
  if (objects.size > 0) gapOfContents(context, 'pipe');
  return { objects: [...objects.values()], handles };
}

function madeOf(pid: number, fd: number, target: string, access: Access): NonNullable<Descriptor['made']> {
  const id = `pipe:${inodeIn(target)}`;
  return {
    read: access,
    object: { id, kind: 'pipe', persistence: 'process', state: { unread: null, capacity: null } },
    handle: { objectId: id, pid, via: 'descriptor', fd, access, end: endOf(access) },
  };
}
