// Process events (connector, drivers/connector/cn_proc.c, CONFIG_PROC_EVENTS): every fork and exit of the machine, also of
// processes that live for a millisecond. Needs CAP_NET_ADMIN before Linux 6.6; from the initial PID and user namespace only.
import { errnoName, syscall } from './libc';
import { closeNetlink, netlinkMessages, openNetlink } from './netlink';
import type { Result } from './procfs';

const NETLINK_CONNECTOR = 11, AF_NETLINK = 16, CN_IDX_PROC = 1, CN_VAL_PROC = 1, PROC_CN_MCAST_LISTEN = 1, NLMSG_DONE = 3;
const SOL_SOCKET = 1, SO_RCVBUF = 8, SO_RCVBUFFORCE = 33, MSG_DONTWAIT = 0x40;
const EVENT_NONE = 0, EVENT_FORK = 1, EVENT_EXEC = 2, EVENT_EXIT = 0x80000000;
/** struct cn_msg: idx, val, seq, ack (u32), len, flags (u16). */
const connectorHeader = 20;
/** Room for some 10,000 events between two reads. */
const receiveBuffer = 8 << 20;

/** A process was made, ended, or became another program. `at`: nanoseconds since boot, in ms (CLOCK_MONOTONIC: without the time of suspension). Threads are left out. */
export type ProcessEvent =
  | { readonly what: 'fork'; readonly pid: number; readonly parent: number; readonly at: number }
  | { readonly what: 'exit'; readonly pid: number; readonly at: number }
  | { readonly what: 'exec'; readonly pid: number; readonly at: number };

/** The events of one datagram; `refused`: errno with which the kernel answers a request to listen. */
export function decodeProcessEvents(bytes: Buffer): { readonly events: ProcessEvent[]; readonly refused?: string; readonly accepted?: true } {
  const events: ProcessEvent[] = [];
  let answer: { refused?: string; accepted?: true } = {};
  for (const { start, end } of netlinkMessages(bytes).messages) {
    if (end - start < connectorHeader + 24 || bytes.readUInt32LE(start) !== CN_IDX_PROC || bytes.readUInt32LE(start + 4) !== CN_VAL_PROC) continue;
    // struct proc_event: what, cpu (u32), timestamp_ns (u64), then the union.
    const at = start + connectorHeader;
    const what = bytes.readUInt32LE(at), data = at + 16;
    const ms = Number(bytes.readBigUInt64LE(at + 8) / 1000n) / 1000;
    if (what === EVENT_NONE) {
      const code = bytes.readUInt32LE(data);
      answer = code === 0 ? { accepted: true } : { refused: errnoName(code) };
    } else if (what === EVENT_FORK && end - data >= 16) {
      // parent_pid, parent_tgid, child_pid, child_tgid: a new thread has its process's tgid.
      const [parent, child, pid] = [bytes.readInt32LE(data + 4), bytes.readInt32LE(data + 8), bytes.readInt32LE(data + 12)];
      if (child === pid) events.push({ what: 'fork', pid, parent, at: ms });
    } else if ((what === EVENT_EXIT || what === EVENT_EXEC) && end - data >= 8) {
      const [thread, pid] = [bytes.readInt32LE(data), bytes.readInt32LE(data + 4)];
      if (thread === pid) events.push(what === EVENT_EXIT ? { what: 'exit', pid, at: ms } : { what: 'exec', pid, at: ms });
    }
  }
  return { events, ...answer };
}

export interface ProcessEvents {
  /** What came since the last read. `lost`: the kernel had to drop some, because reading was too slow. */
  read(): { readonly events: readonly ProcessEvent[]; readonly lost: boolean };
  close(): void;
}

/** Begins to listen. Resolves once the kernel has agreed; it says nothing at all where it never will (a nested namespace): ETIMEDOUT. */
export async function openProcessEvents(): Promise<Result<ProcessEvents>> {
  const socket = openNetlink(NETLINK_CONNECTOR);
  if (socket.value === undefined) return socket;
  const fd = socket.value;
  const fail = (errno: string): Result<ProcessEvents> => { closeNetlink(fd); return { errno }; };
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(1 << (CN_IDX_PROC - 1), 8);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(receiveBuffer);
  // Without CAP_NET_ADMIN as much as net.core.rmem_max lets have.
  if (syscall('setsockopt', fd, SOL_SOCKET, SO_RCVBUFFORCE, size, 4).value === -1) syscall('setsockopt', fd, SOL_SOCKET, SO_RCVBUF, size, 4);
  const bound = syscall('bind', fd, address, address.length);
  if (bound.value === -1) return fail(bound.errno);
  const request = listenRequest();
  const sent = syscall('sendto', fd, request, request.length, 0, kernel(), 12);
  if (sent.value === -1) return fail(sent.errno);

  const early: ProcessEvent[] = [];
  const end = performance.now() + 500;
  for (;;) {
    const got = receiveAll(fd);
    early.push(...got.events);
    if (got.refused !== undefined) return fail(got.refused);
    if (got.accepted) break;
    if (performance.now() > end) return fail('ETIMEDOUT');
    await new Promise(next => setTimeout(next, 5));
  }
  return {
    value: {
      read: () => {
        const { events, lost } = receiveAll(fd);
        return { events: [...early.splice(0), ...events], lost };
      },
      close: () => { closeNetlink(fd); },
    },
  };
}

function kernel(): Buffer {
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  return address;
}

/** nlmsghdr, cn_msg, PROC_CN_MCAST_LISTEN. */
function listenRequest(): Buffer {
  const message = Buffer.alloc(16 + connectorHeader + 4);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(NLMSG_DONE, 4);
  message.writeUInt32LE(CN_IDX_PROC, 16);
  message.writeUInt32LE(CN_VAL_PROC, 20);
  message.writeUInt16LE(4, 32);
  message.writeUInt32LE(PROC_CN_MCAST_LISTEN, 36);
  return message;
}

const received = Buffer.allocUnsafe(4096);
/** More in one go would keep the event loop from everything else. */
const mostDatagrams = 20_000;

function receiveAll(fd: number): { events: ProcessEvent[]; lost: boolean; refused?: string; accepted?: true } {
  const events: ProcessEvent[] = [];
  let lost = false;
  let answer: { refused?: string; accepted?: true } = {};
  for (let count = 0; count < mostDatagrams; count++) {
    const from = Buffer.alloc(12), length = Buffer.alloc(4);
    length.writeUInt32LE(12);
    const got = syscall('recvfrom', fd, received, received.length, MSG_DONTWAIT, from, length);
    if (got.value === -1) {
      if (got.errno === 'EINTR') continue;
      if (got.errno !== 'ENOBUFS') break; // EAGAIN: that was all
      lost = true;
      continue;
    }
    if (from.readUInt32LE(4) !== 0) continue; // not from the kernel
    const { events: more, ...told } = decodeProcessEvents(received.subarray(0, got.value));
    events.push(...more);
    if (told.refused !== undefined || told.accepted) answer = told;
  }
  return { events, lost, ...answer };
}
