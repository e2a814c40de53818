// Opening a directory so that nobody else can lead us elsewhere: component by component, each through the descriptor of the one
// before (what openat(2) does; Node reaches it as /proc/self/fd/N/NAME), so that no check is separated from its use.
import { closeSync, constants, fstatSync, mkdirSync, openSync, readlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { errnoOf } from './procfs';

/** Opens the name itself, needing no permission on it (open(2)); the same number on every architecture that we know. */
const O_PATH = 0o10000000;
const mostLinks = 40;

/** A directory that only root and we can change. */
export interface SafeDirectory {
  /** To be closed by the caller. */
  readonly fd: number;
  /** Where names can be opened in it, while `fd` is open. */
  readonly entry: string;
  /** Without symbolic links. Nobody but root and us can make it lead elsewhere. */
  readonly path: string;
}

/**
 * Opens an absolute path. Every component must belong to root or to us (or, when we are root, to one other user, throughout), and must not be
 * writable by others unless it is sticky; so must the directory of every symbolic link, and its link.
 * `make`: what is missing is made, mode 0700. Throws with the noun and the next step.
 */
export function openSafely(directory: string, options: { readonly make?: boolean } = {}): SafeDirectory {
  const euid = process.geteuid?.() ?? -1;
  // Root reads the backups of a user; but writes only where nobody else owns anything.
  let owner: number | undefined = euid === 0 && options.make !== true ? undefined : euid;
  const check = (stats: Stats, path: string): void => {
    if (stats.uid !== 0 && owner === undefined) owner = stats.uid;
    if (stats.uid !== 0 && stats.uid !== owner) throw new Error(`${path} belongs to another user, who could lead ${directory} elsewhere: choose another directory`);
    if (stats.isDirectory() && othersMayChange(stats, owner)) throw new Error(`${path} can be written by others, who could lead ${directory} elsewhere: choose another directory, or chmod go-w it`);
  };
  if (!isAbsolute(directory)) throw new Error(`${directory} is not an absolute path`);
  const rest = directory.split('/').filter(part => part !== '' && part !== '.');
  let links = 0;
  let opened = openRoot();
  try {
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      const path = join(opened.path, name);
      const entry = openEntry(opened, name, path, options.make === true);
      const stats = fstatSync(entry);
      try {
        check(stats, path);
        if (stats.isSymbolicLink()) {
          if (++links > mostLinks) throw new Error(`${directory}: too many symbolic links`);
          // The link that was checked, not whatever has its name by now: an empty name reads the descriptor itself.
          const target = readLinkOf(opened, name, stats, path);
          rest.unshift(...target.split('/').filter(part => part !== '' && part !== '.'));
          closeSync(entry);
          if (isAbsolute(target)) { closeSync(opened.fd); opened = openRoot(); }
          continue;
        }
        if (!stats.isDirectory()) throw new Error(`${path} is not a directory: choose another directory`);
      } catch (error) {
        closeQuietly(entry);
        throw error;
      }
      closeSync(opened.fd);
      opened = { fd: entry, entry: `/proc/self/fd/${entry}`, path: name === '..' ? join(opened.path, '..') : path };
    }
    return opened;
  } catch (error) {
    closeQuietly(opened.fd);
    throw error;
  }
}

function openRoot(): SafeDirectory {
  const fd = openSync('/', O_PATH | constants.O_DIRECTORY);
  return { fd, entry: `/proc/self/fd/${fd}`, path: '/' };
}

/** Sticky directories are fine: others can add names there, but not move or replace ours. A user's private group is the user. */
function othersMayChange({ mode, uid, gid }: Stats, owner: number | undefined): boolean {
  if ((mode & 0o1000) !== 0) return false;
  const groupIsOwner = gid === 0 || (uid === owner && gid === uid);
  return (mode & (groupIsOwner ? 0o002 : 0o022)) !== 0;
}

function openEntry(parent: SafeDirectory, name: string, path: string, make: boolean): number {
  const at = `${parent.entry}/${name}`;
  for (let attempt = 0; ; attempt++) {
    try {
      return openSync(at, O_PATH | constants.O_NOFOLLOW);
    } catch (error) {
      if (!make || attempt > 0 || errnoOf(error) !== 'ENOENT') throw new Error(`cannot open ${path}: ${errnoOf(error)}`, { cause: error });
    }
    try {
      mkdirSync(at, { mode: 0o700 });
    } catch (error) {
      // Somebody was faster: it is opened and judged like any other.
      if (errnoOf(error) !== 'EEXIST') throw new Error(`cannot make ${path}: ${errnoOf(error)}`, { cause: error });
    }
  }
}

/** Its directory was checked: only root and the owner can replace it, so that the name still is the link that was checked. */
function readLinkOf(parent: SafeDirectory, name: string, stats: Stats, path: string): string {
  const target = readlinkSync(`${parent.entry}/${name}`);
  const again = openSync(`${parent.entry}/${name}`, O_PATH | constants.O_NOFOLLOW);
  try {
    if (fstatSync(again).ino !== stats.ino) throw new Error(`${path} changes while it is read: choose another directory`);
  } finally {
    closeSync(again);
  }
  return target;
}

function closeQuietly(fd: number): void {
  try { closeSync(fd); } catch { /* already closed on the way here */ }
}
