// Every descriptor of the pass, sorted once by what its link says it is (readlink of /proc/PID/fd/N; nothing else is read
// here). Facilities take their class and read more only where their kind needs it.
import type { Descriptor, ScannedProcess } from './processes';

export type DescriptorClass = 'pipe' | 'socket' | 'eventfd' | 'signalfd' | 'timerfd' | 'epoll' | 'inotify' | 'pidfd' | 'memfd' | 'devShm' | 'ptmx' | 'pts' | 'path';

/** `entry`: where its facility keeps what it made of it. */
export interface OpenDescriptor { readonly process: ScannedProcess; readonly fd: number; readonly target: string; readonly entry: Descriptor }

const anonymous: Readonly<Record<string, DescriptorClass>> = {
  'anon_inode:[eventfd]': 'eventfd', 'anon_inode:[signalfd]': 'signalfd', 'anon_inode:[timerfd]': 'timerfd', 'anon_inode:[eventpoll]': 'epoll',
  'anon_inode:inotify': 'inotify', 'anon_inode:[inotify]': 'inotify', 'anon_inode:[pidfd]': 'pidfd',
};

/** What a link's text says; undefined for what is no IPC (other anonymous inodes, namespaces, …). */
export function classOf(target: string): DescriptorClass | undefined {
  switch (target.charCodeAt(0)) {
    case 0x2f: // "/"
      if (target.startsWith('/dev/')) {
        if (target.startsWith('/dev/shm/')) return 'devShm';
        if (target.startsWith('/dev/pts/')) return target === '/dev/pts/ptmx' ? 'ptmx' : 'pts';
        return target === '/dev/ptmx' ? 'ptmx' : target === '/dev/null' || target === '/dev/urandom' ? undefined : 'path';
      }
      return target.startsWith('/memfd:') ? 'memfd' : 'path';
    case 0x70: return target.startsWith('pipe:[') ? 'pipe' : target.startsWith('pidfd:[') ? 'pidfd' : undefined;
    case 0x73: return target.startsWith('socket:[') ? 'socket' : undefined;
    case 0x61: return anonymous[target];
    default: return undefined;
  }
}

type ByClass = Map<DescriptorClass, OpenDescriptor[]>;

/** A process that reads the same as before is the same object: its descriptors need not be sorted again. */
const sorted = new WeakMap<ScannedProcess, ByClass>();

function byClassOf(process: ScannedProcess): ByClass {
  let classes = sorted.get(process);
  if (classes) return classes;
  sorted.set(process, classes = new Map<DescriptorClass, OpenDescriptor[]>());
  for (const entry of process.descriptors ?? []) {
    const { fd, target } = entry;
    const its = classOf(target);
    if (its === undefined) continue;
    const list = classes.get(its);
    if (list) list.push({ process, fd, target, entry });
    else classes.set(its, [{ process, fd, target, entry }]);
  }
  return classes;
}

export class DescriptorIndex {
  private readonly byClass: ByClass = new Map();

  constructor(processes: readonly ScannedProcess[]) {
    for (const process of processes) {
      for (const [its, descriptors] of byClassOf(process)) {
        const list = this.byClass.get(its);
        if (list) for (const descriptor of descriptors) list.push(descriptor);
        else this.byClass.set(its, [...descriptors]);
      }
    }
  }

  of(its: DescriptorClass): readonly OpenDescriptor[] {
    return this.byClass.get(its) ?? [];
  }
}

/** The number in `pipe:[4711]`, `socket:[4711]`. */
export function inodeIn(target: string): string {
  return target.slice(target.indexOf('[') + 1, -1);
}
