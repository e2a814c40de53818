// Mount tables (/proc/PID/mountinfo, proc(5)): which file system a descriptor is on, told without touching that file
// system. A stat of a file on a dead NFS server or a stuck FUSE daemon hangs for ever, and nothing in a pass may.
import { lstatSync } from 'node:fs';
import type { ScannedProcess } from '../processes';
import { deviceNumber, errnoOf, readLink, readText } from './procfs';
import { resourcesOf } from './standIns';

export interface Mount {
  /** Unique over all mount namespaces; fdinfo's mnt_id. */
  readonly id: number;
  readonly parent: number;
  /** MAJOR:MINOR of the file system: st_dev of its files (btrfs excepted). */
  readonly device: string;
  /** What of the file system is mounted: "/" or, for a bind mount, the directory or file. Latin-1, escapes undone. */
  readonly root: string;
  /** Latin-1, escapes undone; as seen from the root directory of the process whose table it is. */
  readonly point: string;
  readonly type: string;
}

/** One mountinfo. Blanks, newlines and backslashes in it are octal escapes (`\040`). */
export function parseMountinfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const dash = line.indexOf(' - ');
    if (dash < 0) continue;
    const [id, parent, device, root, point] = line.slice(0, dash).split(' ');
    const type = line.slice(dash + 3).split(' ', 1)[0];
    if (id === undefined || parent === undefined || device === undefined || root === undefined || point === undefined || !type || !/^\d+$/.test(id) || !/^\d+$/.test(parent) || !/^\d+:\d+$/.test(device)) continue;
    mounts.push({ id: Number(id), parent: Number(parent), device, root: unescapeOctal(root), point: unescapeOctal(point), type });
  }
  return mounts;
}

function unescapeOctal(text: string): string {
  return text.includes('\\') ? text.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))) : text;
}

/** st_dev of the files of a mount. */
export function deviceOfMount({ device }: Mount): number {
  const [major = 0, minor = 0] = device.split(':').map(Number);
  return deviceNumber(major, minor);
}

/** Types whose files can be FIFOs and whose stat(2) never waits for another machine or a daemon. */
const local = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'tmpfs', 'ramfs', 'devtmpfs', 'overlay', 'f2fs', 'jfs', 'reiserfs', 'zfs', 'bcachefs', 'nilfs2', 'rootfs', 'squashfs', 'erofs', 'minix', 'ubifs']);
/** Types that have no FIFOs at all. */
const without = new Set(['proc', 'sysfs', 'cgroup', 'cgroup2', 'devpts', 'mqueue', 'debugfs', 'tracefs', 'securityfs', 'bpf', 'pstore', 'configfs', 'hugetlbfs', 'efivarfs', 'binfmt_misc', 'nsfs', 'selinuxfs', 'vfat', 'exfat', 'msdos', 'iso9660', 'rpc_pipefs', 'fusectl', 'autofs', 'binder', 'resctrl']);

/** `local`: stat(2) is safe; `none`: no FIFO can be there; `unknown`: it might hang. */
export function classOfFileSystem(type: string): 'local' | 'none' | 'unknown' {
  return local.has(type) ? 'local' : without.has(type) ? 'none' : 'unknown';
}

/** The mounts of one mount namespace, as one process sees them. */
export class MountTable {
  private readonly byId = new Map<number, Mount>();
  private readonly byPoint = new Map<string, Mount>();

  constructor(mounts: readonly Mount[]) {
    for (const mount of mounts) {
      this.byId.set(mount.id, mount);
      // A later mount at the same point covers the earlier.
      this.byPoint.set(mount.point, mount);
    }
  }

  get(id: number): Mount | undefined { return this.byId.get(id); }

  /** The mount that a path is on by its name: that of the longest prefix. */
  at(path: string): Mount | undefined {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const mount = this.byPoint.get(path.slice(0, end));
      if (mount) return mount;
    }
    return this.byPoint.get('/');
  }

  /** The mounts that a walk to a path comes over, the path's own first. Anything but a local one may make it wait. */
  onTheWay(path: string): Mount[] {
    const mounts: Mount[] = [];
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const mount = this.byPoint.get(path.slice(0, end));
      if (mount) mounts.push(mount);
    }
    const root = this.byPoint.get('/');
    return root && mounts.at(-1) !== root ? [...mounts, root] : mounts;
  }

  all(): readonly Mount[] { return [...this.byId.values()]; }

  /** What is mounted exactly there, on top. */
  mountedAt(point: string): Mount | undefined { return this.byPoint.get(point); }
}

/** The mount tables of a pass: each read at most once, and only when asked for. */
export class Mounts {
  private static readonly passes = new WeakMap<readonly ScannedProcess[], Mounts>();
  private readonly tables = new Map<string, MountTable>();
  private readonly roots = new Map<number, boolean>();
  private readonly tops = new Map<string, ScannedProcess | undefined>();
  private types: Map<number, string> | undefined;
  private everything = false;

  private constructor(private readonly processes: readonly ScannedProcess[]) {}

  /** Those of a pass, for all facilities together. */
  static ofPass(processes: readonly ScannedProcess[]): Mounts {
    let mounts = Mounts.passes.get(processes);
    if (!mounts) Mounts.passes.set(processes, mounts = new Mounts(processes));
    return mounts;
  }

  /** Whether links of its descriptors are paths from its own root directory: no chroot(2) in between. */
  seesFromRoot(process: ScannedProcess): boolean {
    let sees = this.roots.get(process.pid);
    if (sees === undefined) this.roots.set(process.pid, sees = readLink(`${resourcesOf(process.pid)}/root`).value === '/');
    return sees;
  }

  /** The table of a process. Those of one mount namespace share it, except for a root directory of their own. */
  of(process: ScannedProcess): MountTable {
    const key = process.namespaces.mnt === null || !this.seesFromRoot(process) ? `pid:${process.pid}` : process.namespaces.mnt;
    let table = this.tables.get(key);
    if (!table) this.tables.set(key, table = new MountTable(parseMountinfo(readText(`${resourcesOf(process.pid)}/mountinfo`).value ?? '')));
    return table;
  }

  /**
   * A mount by its id, and the table it stands in: that of the process, else of any mount namespace, because a descriptor
   * may come from another one. Undefined when it is mounted nowhere any more, or is the kernel's own.
   */
  byId(id: number, process: ScannedProcess): { mount: Mount; table: MountTable } | undefined {
    const own = this.of(process);
    const mount = own.get(id);
    if (mount) return { mount, table: own };
    this.readAll();
    for (const table of this.tables.values()) {
      const found = table.get(id);
      if (found) return { mount: found, table };
    }
    return undefined;
  }

  /** A process that sees a mount namespace from its top: any there without a root directory of its own. */
  topOf(namespace: string): ScannedProcess | undefined {
    let process = this.tops.get(namespace);
    if (process === undefined && !this.tops.has(namespace)) {
      process = this.processes.find(each => each.namespaces.mnt === namespace && !each.kernelThread && this.seesFromRoot(each));
      this.tops.set(namespace, process);
    }
    return process;
  }

  /** The table of a mount namespace from its top. */
  fromTop(namespace: string): MountTable | undefined {
    const process = this.topOf(namespace);
    return process && this.of(process);
  }

  /** Type of the file system with that device, as stat(2) gives it, wherever it is mounted; undefined when it is mounted nowhere that can be seen. */
  typeOfDevice(device: number): string | undefined {
    if (!this.types) {
      this.readAll();
      this.types = new Map([...this.tables.values()].flatMap(table => table.all().map(mount => [deviceOfMount(mount), mount.type])));
    }
    return this.types.get(device);
  }

  private readAll(): void {
    if (this.everything) return;
    this.everything = true;
    const seen = new Set<string>();
    for (const process of this.processes) {
      const namespace = process.namespaces.mnt;
      if (namespace === null || seen.has(namespace) || !this.seesFromRoot(process)) continue;
      seen.add(namespace);
      this.of(process);
    }
  }
}

/** Whether a path is a FIFO, by its name; undefined when the name leads nowhere (or may not be looked up). Never follows a last link. */
export function isFifoByName(path: Buffer): boolean | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isFIFO();
  } catch (error) {
    errnoOf(error); // EACCES and the like: the name tells nothing
    return undefined;
  }
}
