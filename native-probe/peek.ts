// `peek`: contents of one object without consuming or changing anything. One function a kind; what cannot be looked at says why.
import type { ByteRange, Bytes, Contents, Handle, IpcObject, Message, ObjectOf, PageRun, PageState, Snapshot } from './model';
import type { PeekParams, PeekResult } from './protocol';
import { errnoInWords } from './gaps';
import { withBorrowedDescriptor } from './kernel/borrowedDescriptor';
import { inIpcNamespaceNumbered } from './kernel/namespaces';
import { lstatOf, readLink } from './kernel/procfs';
import type { Result } from './kernel/procfs';
import { sealsOf } from './kernel/seals';
import { copyMessage, peekPipe, peekSocket, pipeCapacity, SOCK_STREAM, unreadBytes } from './kernel/queuePeek';
import { sourceOf, withMemory } from './memoryObject';
import type { MemoryObject } from './memoryObject';
import { takeSnapshot } from './snapshot';
import type { CollectedKind } from './model';
import { resourcesOf } from './kernel/standIns';

/** Looks into an object. The snapshot in the answer is about that object alone. */
export async function peek(params: PeekParams, isCancelled: () => boolean = () => false): Promise<PeekResult> {
  const kind = params.id.slice(0, params.id.indexOf(':'));
  // Futex-based objects share one form of id, whatever they are recognised as.
  const kinds = kind === 'futex' ? undefined : [kind as CollectedKind];
  const snapshot = await takeSnapshot({ kinds, waits: kind === 'futex', isCancelled });
  const object = snapshot.objects.find(({ id }) => id === params.id);
  if (!object) return { snapshot: part(snapshot, undefined), contents: { form: 'unavailable', reason: 'there is no such object (any more)', errno: 'ENOENT' } };
  const own = part(snapshot, object);
  const request: Request = { snapshot: own, offset: Number(params.offset ?? 0), length: params.length };
  const { contents, seen } = look(object, request);
  return { snapshot: seen ? { ...own, objects: [seen] } : own, contents };
}

interface Request { readonly snapshot: Snapshot; readonly offset: number; readonly length: number | undefined }
/** `seen`: the object with what only looking closer could tell (how full a pipe is). */
interface Seen { readonly contents: Contents; readonly seen?: IpcObject }

function part(snapshot: Snapshot, object: IpcObject | undefined): Snapshot {
  const handles = snapshot.handles.filter(({ objectId }) => objectId === object?.id);
  const pids = new Set(handles.map(({ pid }) => pid));
  return {
    ...snapshot, objects: object ? [object] : [], handles, processes: snapshot.processes.filter(({ pid }) => pids.has(pid)), waits: [], findings: [],
    gaps: snapshot.gaps.filter(({ scope }) => scope.objectId === undefined || scope.objectId === object?.id),
  };
}

const unavailable = (reason: string, errno?: string): Seen => ({ contents: { form: 'unavailable', reason: errno === undefined ? reason : `${reason}: ${errnoInWords(errno)}`, ...(errno === undefined ? {} : { errno }) } });

function bytesOf(bytes: Buffer, offset: number, truncated: boolean): Bytes {
  return { offset: String(offset), length: bytes.length, truncated, base64: bytes.toString('base64') };
}

function look(object: IpcObject, request: Request): Seen {
  switch (object.kind) {
    case 'sysv-message-queue': return messages(object, request);
    case 'sysv-shared-memory': case 'anonymous-shared-mapping': case 'shared-mapping': case 'posix-shared-memory': return memory(object, request);
    case 'memfd': return { ...memory(object, request), ...sealed(object, request) };
    case 'pipe': case 'fifo': return pipe(object, request);
    case 'unix-socket': case 'inet-socket': return socket(object, request);
    case 'sysv-semaphore-set': return object.state.sems
      ? values(object.state.sems.map((sem, index) => [`semaphore ${index}`, `value ${sem.val}, ncnt ${sem.ncnt ?? '?'}, zcnt ${sem.zcnt ?? '?'}, pid ${sem.pid ?? '?'}`]))
      : unavailable('its values may not be read', reasonIn(request.snapshot, object));
    case 'posix-semaphore': case 'posix-unnamed-semaphore': return object.state.value === null ? unavailable('its value may not be read', reasonIn(request.snapshot, object)) : values([['value', String(object.state.value)], ['waiters', String(object.state.waiters ?? '?')]]);
    case 'eventfd': return object.state.count === null ? unavailable('its counter may not be read') : values([['count', object.state.count]]);
    case 'posix-message-queue': return unavailable('the kernel offers no way to look at the messages of a POSIX queue without receiving them; its counts are in its state');
    case 'pseudoterminal': return unavailable('the kernel offers no way to look into the buffers of a pseudoterminal without reading them');
    default: return unavailable('it has no contents beyond its state');
  }
}

function values(pairs: readonly (readonly [string, string])[]): Seen {
  return { contents: { form: 'values', values: pairs.map(([name, value]) => ({ name, value })) } };
}

function reasonIn(snapshot: Snapshot, { id }: IpcObject): string | undefined {
  return snapshot.gaps.find(({ scope }) => scope.objectId === id)?.errno;
}

function messages(object: ObjectOf<'sysv-message-queue'>, { offset, length = 100 }: Request): Seen {
  const msqid = Number(object.id.slice(object.id.lastIndexOf(':') + 1));
  const read = (): Contents => {
    const found: Message[] = [];
    // Indices shift while others receive: numbers are those at the time of each copy.
    for (let index = offset; index < offset + Math.min(length, 1000); index++) {
      const message = copyMessage(msqid, index);
      if (message.errno === 'ENOMSG') break;
      if (message.value === undefined) {
        if (message.errno === 'ENOSYS') return { form: 'unavailable', reason: 'this kernel was built without CONFIG_CHECKPOINT_RESTORE: messages cannot be copied', errno: 'ENOSYS' };
        return { form: 'unavailable', reason: `its messages cannot be read: ${errnoInWords(message.errno)}`, errno: message.errno };
      }
      const { type, text } = message.value;
      found.push({ index, type, size: String(text.length), content: bytesOf(text.subarray(0, 65536), 0, text.length > 65536) });
    }
    return { form: 'messages', total: object.state.qnum, messages: found };
  };
  const entered = object.namespace == null ? { errno: 'ESRCH' } : inIpcNamespaceNumbered(object.namespace, read);
  return entered.value ? { contents: entered.value } : unavailable(`IPC namespace ${object.namespace ?? '?'} cannot be entered`, entered.errno);
}

function memory(object: MemoryObject, { snapshot, offset, length = 4096 }: Request): Seen {
  const opened = withMemory(sourceOf(object, snapshot.handles, snapshot), each => ({ ...each.look(offset, length, false), size: each.size }));
  if (opened.form === 'unavailable') return { contents: { form: 'unavailable', reason: opened.reason, ...(opened.errno === undefined ? {} : { errno: opened.errno }) } };
  const { bytes, runs, size } = opened.value;
  const [holes, unread] = [rangesOf(runs, 'absent', offset), rangesOf(runs, 'unseen', offset)];
  return {
    contents: {
      form: 'bytes', size: size === null ? null : String(size), content: bytesOf(bytes, offset, size !== null && offset + bytes.length < size),
      ...(holes.length > 0 ? { holes } : {}), ...(unread.length > 0 ? { unread, note: 'pages that are not in the page table of a process that maps it are not read: reading could allocate them' } : {}),
    },
  };
}

/** With its seals, which only a descriptor tells: one that is borrowed for it. */
function sealed(object: ObjectOf<'memfd'>, { snapshot }: Request): Pick<Seen, 'seen'> {
  const seals = borrowing(snapshot.handles, sealsOf).value?.value;
  return seals === undefined ? {} : { seen: { ...object, state: { ...object.state, seals } } };
}

function rangesOf(runs: readonly PageRun[], wanted: PageState, offset: number): ByteRange[] {
  const ranges: ByteRange[] = [];
  let at = offset;
  for (const { state, length } of runs) {
    if (state === wanted) ranges.push({ offset: String(at), length: String(length) });
    at += length;
  }
  return ranges;
}

/** Tries the handles of an object one after the other with a borrowed descriptor. */
function borrowing<T>(handles: readonly Handle[], work: (fd: number) => T): Result<T> {
  let errno = 'ENOENT';
  for (const { pid, fd, via } of handles) {
    if (via !== 'descriptor' || fd === undefined) continue;
    const target = readLink(`${resourcesOf(pid)}/fd/${fd}`).value;
    const got = target === undefined ? { errno: 'ENOENT' } : withBorrowedDescriptor(pid, fd, target, work);
    if (got.errno === undefined) return got;
    errno = got.errno;
  }
  return { errno };
}

function pipe(object: ObjectOf<'pipe' | 'fifo'>, { snapshot, length = 4096 }: Request): Seen {
  // tee works from a read end alone; how full it is can be asked at either.
  const readable = (handle: Handle): boolean => ((lstatOf(`${resourcesOf(handle.pid)}/fd/${handle.fd ?? -1}`).value?.mode ?? 0) & 0o400) !== 0;
  const readers = snapshot.handles.filter(handle => handle.via === 'descriptor' && readable(handle));
  const ask = (fd: number): { unread: number | undefined; capacity: number | undefined } => ({ unread: unreadBytes(fd).value, capacity: pipeCapacity(fd).value });
  const got = borrowing(readers, fd => ({ ...ask(fd), peeked: peekPipe(fd, length) }));
  const fill = got.value ?? borrowing(snapshot.handles, ask).value;
  const seen = fill?.unread === undefined || fill.capacity === undefined ? object : filled(object, String(fill.unread), String(fill.capacity));
  if (!got.value) return { ...unavailable(readers.length === 0 ? 'no process that can be read has its read end, from which alone it can be looked into' : 'its read end cannot be borrowed', readers.length === 0 ? undefined : got.errno), seen };
  const { peeked, unread } = got.value;
  if (peeked.value === undefined) return { ...unavailable('it cannot be looked into', peeked.errno), seen };
  return { contents: { form: 'bytes', size: unread === undefined ? null : String(unread), content: bytesOf(peeked.value, 0, unread !== undefined && peeked.value.length < unread) }, seen };
}

function filled(object: ObjectOf<'pipe' | 'fifo'>, unread: string, capacity: string): ObjectOf<'pipe' | 'fifo'> {
  return object.kind === 'pipe' ? { ...object, state: { ...object.state, unread, capacity } } : { ...object, state: { ...object.state, unread, capacity } };
}

function socket(object: ObjectOf<'unix-socket' | 'inet-socket'>, { snapshot, length = 4096 }: Request): Seen {
  const got = borrowing(snapshot.handles, fd => peekSocket(fd, length));
  if (got.value === undefined) return unavailable(snapshot.handles.length === 0 ? 'no process that can be read has it' : 'its descriptor cannot be borrowed', snapshot.handles.length === 0 ? undefined : got.errno);
  const peeked = got.value;
  if (peeked.value === undefined) return unavailable('it cannot be looked into', peeked.errno);
  if (peeked.value.kind === 'refused') return unavailable(peeked.value.reason);
  const stream = peeked.value.type === SOCK_STREAM;
  if (peeked.value.kind === 'empty') return { contents: stream ? { form: 'bytes', size: '0', content: bytesOf(Buffer.alloc(0), 0, false) } : { form: 'messages', total: '0', messages: [] } };
  const { bytes, size } = peeked.value;
  const queued = object.state.rqueue;
  if (stream) return { contents: { form: 'bytes', size: queued, content: bytesOf(bytes, 0, queued !== null && bytes.length < Number(queued)) } };
  return { contents: { form: 'messages', total: null, messages: [{ index: 0, size: String(size), content: bytesOf(bytes, 0, size > bytes.length) }], note: 'only the first message of a datagram or seqpacket socket can be looked at' } };
}
