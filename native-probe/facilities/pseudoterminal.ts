// Pseudoterminals (pty(7)): a master (/dev/ptmx) and its slave (/dev/pts/N). Every devpts instance counts its N from 0, so
// that a container's /dev/pts/0 is another one than ours: the instance is told by the mount of the descriptor (fdinfo's
// mnt_id), without looking at the file.
import type { Handle, Owner, Pseudoterminal } from '../model';
import type { ScanContext } from '../context';
import type { OpenDescriptor } from '../descriptorIndex';
import type { ScannedProcess } from '../processes';
import { parseAccess, parseCommon, parseTtyIndex, readFdinfo } from '../kernel/fdinfo';
import { Mounts } from '../kernel/mounts';
import type { Mount, MountTable } from '../kernel/mounts';
import { deviceNumber, splitDeleted, statOf, textOf } from '../kernel/procfs';
import { modeText } from '../kernel/sysvipc';
import { resourcesOf } from '../kernel/standIns';

const kind = 'pseudoterminal';
/** UNIX98_PTY_SLAVE_MAJOR (include/uapi/linux/major.h). */
const slaveMajor = 136;

interface Found { readonly objects: Pseudoterminal[]; readonly handles: Handle[] }
interface End { readonly end: 'master' | 'slave'; readonly instance: Mount; readonly index: number; readonly hungUp: boolean }
interface Draft { readonly instance: Mount; readonly index: number; readonly hungUp: boolean; owner?: Owner; foreground?: number }

export async function collectPseudoterminals(context: ScanContext): Promise<Found> {
  const mounts = Mounts.ofPass(context.processes);
  const drafts = new Map<string, Draft>();
  const handles: Handle[] = [];
  const lost: OpenDescriptor[] = [];
  for (const descriptor of candidates(context)) {
    const { process: { pid }, fd } = descriptor;
    const info = readFdinfo(pid, fd).value;
    if (info === undefined) continue; // closed in between
    const end = endBehind(descriptor, info, mounts);
    if (end === 'unknown instance') lost.push(descriptor);
    if (typeof end === 'string') continue;
    const { instance, index, hungUp } = end;
    const id = idOf(instance.device, index, hungUp);
    let draft = drafts.get(id);
    if (!draft) drafts.set(id, draft = { instance, index, hungUp });
    // Its mount is known to be a devpts: this stat cannot hang.
    if (end.end === 'slave' && draft.owner === undefined) draft.owner = ownerOf(`${resourcesOf(pid)}/fd/${fd}`, index);
    const access = parseAccess(info);
    handles.push({ objectId: id, pid, via: 'descriptor', fd, end: end.end, ...(access === undefined ? {} : { access }) });
    await context.pause();
  }
  addForeground(context, mounts, drafts, handles);
  const own = context.processes.find(({ pid }) => pid === context.host.pid);
  const mounted = own && mounts.of(own).mountedAt('/dev/pts')?.device;
  const objects = [...drafts].map(([id, draft]) => {
    if (draft.owner === undefined && draft.instance.device === mounted) draft.owner = ownerOf(`/dev/pts/${draft.index}`, draft.index);
    return toObject(id, draft, context);
  });
  const [first] = lost;
  if (first) {
    context.gaps.add({ facility: kind, field: 'list' }, `${lost.length} descriptors of terminals belong to a devpts instance that no readable process has mounted (first: fd ${first.fd} of pid ${first.process.pid} (${first.process.comm}), ${textOf(first.target)})`);
  }
  return { objects, handles };
}

/** Descriptors that may be an end: by the usual names, and by names like them under another root directory. */
function* candidates(context: ScanContext): Generator<OpenDescriptor> {
  yield* context.descriptors.of('ptmx');
  yield* context.descriptors.of('pts');
  for (const descriptor of context.descriptors.of('path')) {
    const { target } = descriptor;
    if (target === '/dev/console' || target.endsWith('/ptmx') || (target.includes('/pts/') && slaveName.test(target))) yield descriptor;
  }
}

const slaveName = /\/(\d{1,9})(?: \(deleted\))?$/;

function endBehind({ process, target }: OpenDescriptor, info: string, mounts: Mounts): End | 'no end' | 'unknown instance' {
  const { mount: mountId } = parseCommon(info);
  const located = mountId === undefined ? undefined : mounts.byId(mountId, process);
  const masterIndex = parseTtyIndex(info);
  if (masterIndex !== undefined) {
    const instance = located && (located.mount.type === 'devpts' ? located.mount : besides(target, located.mount, located.table));
    return instance ? { end: 'master', instance, index: masterIndex, hungUp: false } : 'unknown instance';
  }
  // A multiplexer that just closed, or a file that is only called so.
  if (target.endsWith('/ptmx')) return 'no end';
  if (!located) return target.startsWith('/dev/pts/') ? 'unknown instance' : 'no end';
  if (located.mount.type !== 'devpts') return 'no end';
  // Bound to a name of its own, as a container's /dev/console is: the mount tells which.
  const index = slaveName.exec(located.mount.root === '/' ? target : located.mount.root)?.[1];
  return index === undefined ? 'no end' : { end: 'slave', instance: located.mount, index: Number(index), hungUp: splitDeleted(target).deleted };
}

/** /dev/ptmx outside of a devpts leads to the one mounted at `pts` beside it (fs/devpts/inode.c, devpts_acquire). */
function besides(target: string, mount: Mount, table: MountTable): Mount | undefined {
  for (const directory of [target.slice(0, target.lastIndexOf('/')), mount.point]) {
    const beside = table.mountedAt(`${directory === '/' ? '' : directory}/pts`);
    if (beside?.type === 'devpts') return beside;
  }
  return undefined;
}

function idOf(device: string, index: number, hungUp: boolean): string {
  const [major = '0', minor = '0'] = device.split(':');
  return `${kind}:${deviceNumber(Number(major), Number(minor))}:${index}${hungUp ? ':hung-up' : ''}`;
}

/** Owner of a slave, if it is one: after its master is closed a name may lead to the next. */
function ownerOf(path: string, index: number): Owner | undefined {
  const stats = statOf(path).value;
  if (!stats?.isCharacterDevice() || stats.rdev !== deviceNumber(slaveMajor, index)) return undefined;
  return { uid: stats.uid, gid: stats.gid, mode: modeText(stats.mode & 0o7777) };
}

/**
 * The foreground process group, from processes whose controlling terminal it is (stat's tty_nr and tpgid). tty_nr does not
 * tell the instance: the process's own descriptor of such a slave does, else what its mount namespace has at /dev/pts.
 */
function addForeground(context: ScanContext, mounts: Mounts, drafts: ReadonlyMap<string, Draft>, handles: readonly Handle[]): void {
  const ends = new Map<number, string[]>();
  for (const { pid, objectId, end } of handles) if (end === 'slave') ends.set(pid, [...ends.get(pid) ?? [], objectId]);
  const instanceOf = (process: ScannedProcess): string | undefined => mounts.of(process).mountedAt('/dev/pts')?.device;
  for (const process of context.processes) {
    const { terminal } = process;
    // 0: the group is outside of the reader's PID namespace; -1: none.
    if (!terminal || terminal.foreground <= 0) continue;
    const own = (ends.get(process.pid) ?? []).map(id => drafts.get(id)).find(draft => draft && !draft.hungUp && deviceNumber(slaveMajor, draft.index) === terminal.device);
    const index = indexOfDevice(terminal.device);
    if (own) own.foreground ??= terminal.foreground;
    else if (index !== undefined) {
      const instance = instanceOf(process);
      const draft = instance === undefined ? undefined : drafts.get(idOf(instance, index, false));
      if (draft) draft.foreground ??= terminal.foreground;
    }
  }
}

/** N of a slave's device number; undefined for other terminals (consoles, serial lines). */
export function indexOfDevice(device: number): number | undefined {
  if (((device >>> 8) & 0xfff) !== slaveMajor) return undefined;
  return (device & 0xff) | ((device >>> 12) & 0xfff00);
}

function toObject(id: string, { instance, index, hungUp, owner, foreground }: Draft, context: ScanContext): Pseudoterminal {
  if (owner === undefined && !hungUp) {
    context.gaps.add({ objectId: id, field: 'owner' }, `who owns terminal ${index} of the devpts instance ${instance.device} was not looked at: only its master is open, and it is mounted in another mount namespace`);
  }
  return {
    id, kind, name: `/dev/pts/${index}`, persistence: 'process',
    // After hanging up there is no name any more that anybody could open.
    ...(hungUp ? {} : { owner: owner ?? null }),
    state: { index, ...(foreground === undefined ? {} : { foreground }), ...(hungUp ? { hungUp: true as const } : {}) },
  };
}
