// What every facility gets of the pass it takes part in: the host, the processes, where to put gaps, and when to pause.
import { statSync } from 'node:fs';
import { hostname, release, arch } from 'node:os';
import type { Host, Surrounding } from './model';
import type { Gaps } from './gaps';
import { parseMountinfo } from './kernel/mounts';
import { hidesProcesses } from './kernel/hidepid';
import { readLink, readText } from './kernel/procfs';
import { readEvidence, surroundingsOf } from './kernel/surroundings';
import type { DescriptorIndex } from './descriptorIndex';
import type { ScannedProcess } from './processes';
import type { Recollection } from './recollection';
import type { ToldFacts } from './told';

/** Thrown out of a pass whose requester no longer wants it. */
export class Cancelled extends Error {
  constructor() { super('cancelled'); }
}

export interface ScanContext {
  readonly host: Host;
  readonly gaps: Gaps;
  readonly clock: Clock;
  readonly processes: readonly ScannedProcess[];
  /** They are all there are. Otherwise a focused pass: the others were seen to matter to nobody in focus. */
  readonly complete: boolean;
  /** The processes that were asked for, where not all were: only of these is more worth reading. */
  readonly pids?: readonly number[] | undefined;
  /** What a debugger told of processes that it has stopped. */
  readonly told: ToldFacts;
  /** Their descriptors, by class. */
  readonly descriptors: DescriptorIndex;
  /** Whether an object is to be described: not, in a focused pass, when it is known to concern nobody in focus. Asked before anything costly is read. */
  concerns(id: string): boolean;
  /** What was read and made in the passes before. */
  readonly recollection: Recollection;
  /** Lets requests in between when the slice (about 20 ms) is used up. Throws {@link Cancelled}. */
  pause(): Promise<void>;
}

/** Turns start times (clock ticks since boot) into wall-clock time. */
export class Clock {
  /** Wall-clock time of boot, in ms: now less the uptime, so that a clock set after boot is followed. */
  readonly bootMs: number;
  constructor(uptimeText = readText('/proc/uptime').value ?? '', nowMs = Date.now()) {
    const uptime = Number.parseFloat(uptimeText);
    // Whole milliseconds; an unreadable /proc/uptime must not turn every time into NaN.
    this.bootMs = Math.round(nowMs - (Number.isFinite(uptime) ? uptime : 0) * 1000);
  }
  /** Start of a process in ms since the epoch. USER_HZ is 100 on every architecture we run on. */
  startMs(startTime: string): number {
    return this.bootMs + Number(startTime) * 10;
  }
}

/** System V times and the time of boot are whole seconds. */
const wholeSeconds = 2000;

/**
 * {@link Host.clockSlack}. A clock that is set (NTP, a virtual machine that was paused) moves the time of boot, and not the times
 * already written down. The first of those is the birth of /dev/null, which the kernel makes at boot on a devtmpfs; a
 * container's own /dev is younger and tells nothing.
 */
export function clockSlack({ bootMs }: Clock, mounts = readText('/proc/self/mountinfo').value ?? '', bornMs = statSync('/dev/null', { throwIfNoEntry: false })?.birthtimeMs ?? null): number | undefined {
  const dev = parseMountinfo(mounts).findLast(({ point }) => point === '/dev');
  return dev?.type !== 'devtmpfs' || bornMs === null ? undefined : Math.round(wholeSeconds + Math.abs(bornMs - bootMs));
}

/** Number of a namespace from a link like `ipc:[4026531839]`. */
export function namespaceNumber(link: string | undefined): string | null {
  return link === undefined ? null : /\[(\d+)\]$/.exec(link)?.[1] ?? null;
}

/** Inode of the initial PID namespace (PROC_PID_INIT_INO, include/linux/proc_ns.h): from there every process is visible. */
export const initialPidNamespace = '4026531836';

/** This machine and this probe. Read anew each time: the probe may be moved between namespaces. */
export function readHost(clock: Clock): Host {
  const [mntNamespace, netNamespace] = [namespaceNumber(readLink('/proc/self/ns/mnt').value), namespaceNumber(readLink('/proc/self/ns/net').value)];
  const surroundings = surroundingsOf(readEvidence());
  const slack = clockSlack(clock);
  const bootId = readText('/proc/sys/kernel/random/boot_id').value?.trim();
  return {
    hostname: hostname(), kernel: release(), architecture: arch(), uid: process.geteuid?.() ?? -1, pid: process.pid,
    ipcNamespace: namespaceNumber(readLink('/proc/self/ns/ipc').value) ?? 'unknown',
    pidNamespace: namespaceNumber(readLink('/proc/self/ns/pid').value) ?? 'unknown',
    ...(surroundings.length === 0 ? {} : { surroundings }),
    ...(mntNamespace === null ? {} : { mntNamespace }), ...(netNamespace === null ? {} : { netNamespace }),
    ...(bootId === undefined ? {} : { bootId }), bootedAt: new Date(clock.bootMs).toISOString(),
    ...(slack === undefined ? {} : { clockSlack: slack }),
  };
}

/** Where a nested PID namespace is, and what leads out of it. */
function sandboxWords(inside: Surrounding | undefined): { where: string; remedy: string } {
  const remedy = 'run the probe on the host, outside the container';
  if (inside === undefined) return { where: '', remedy };
  const name = inside.name === undefined ? '' : ` ${inside.name}`;
  switch (inside.kind) {
    case 'flatpak': return { where: ` (the Flatpak sandbox of${name || ' this program'})`, remedy: 'use a VS Code that is no Flatpak, or connect from it to this machine over SSH' };
    case 'wsl': return { where: ` (WSL distribution${name})`, remedy: 'open a window in the other WSL distribution; the IPC of Windows programs is not visible from Linux' };
    case 'codespaces': return { where: ` (the codespace${name})`, remedy: 'what is outside of a codespace cannot be reached' };
    case 'container': return { where: ` (container${name})`, remedy };
    case 'snap': return { where: ` (snap${name})`, remedy: 'use a VS Code that is no confined snap (the classic snap, or the package)' };
  }
}

/** Gaps that concern all processes: hidden ones (hidepid), and those outside a nested PID namespace. */
export function gapsOfView(host: Host, gaps: Gaps): void {
  const inside = host.surroundings?.at(-1);
  if (host.pidNamespace !== initialPidNamespace) {
    const { where, remedy } = sandboxWords(inside);
    gaps.add({ facility: 'processes', field: 'pid-namespace' }, `this probe runs in PID namespace ${host.pidNamespace}${where}: processes outside it are invisible`, { remedy });
  }
  if (inside?.kind === 'snap') {
    gaps.add({ facility: 'processes', field: 'sandbox' }, `the confinement of snap ${inside.name ?? ''} hides what other programs have, and its /dev/shm may be its own`, { remedy: 'use a VS Code that is no confined snap (the classic snap, or the package)' });
  }
  if (hidesProcesses(host.uid)) {
    gaps.add({ facility: 'processes', field: 'hidepid' }, 'processes of other users are invisible: /proc is mounted with hidepid', { remedy: 'run the probe as root, or join the group of the mount option gid=' });
  }
}

const sliceMs = 20;

/** A pause function for one request: yields to the event loop at most every 20 ms of work. */
export function makePause(isCancelled: () => boolean): () => Promise<void> {
  let sliceStart = performance.now();
  return async () => {
    if (performance.now() - sliceStart < sliceMs) return;
    await new Promise<void>(resolve => setImmediate(resolve));
    if (isCancelled()) throw new Cancelled();
    sliceStart = performance.now();
  };
}
