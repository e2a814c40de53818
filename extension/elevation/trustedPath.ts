// Whether nobody but root and this user can change what is at a path: asked of everything that is about to run with more rights.
import { lstatSync, readlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import * as path from 'node:path';
import { l10n } from '../translation';

const mostLinks = 40;

/** Why a path cannot be trusted: some component of it, or a link on the way, is another user's or can be written by others; undefined when it can. */
export function whyUntrusted(file: string, uid: number = process.getuid?.() ?? -1): string | undefined {
  if (!path.isAbsolute(file)) return l10n.t('{0} is not an absolute path.', file);
  const rest = partsOf(file);
  let at = '/', links = 0;
  try {
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      const next = path.join(at, name);
      const stats = lstatSync(next);
      if (stats.uid !== 0 && stats.uid !== uid) return l10n.t('{0} belongs to another user, who could replace it.', next);
      if (!stats.isSymbolicLink() && othersMayWrite(stats, uid)) return l10n.t('{0} can be written by others.', next);
      if (!stats.isSymbolicLink()) { at = next; continue; }
      if (++links > mostLinks) return l10n.t('{0} has too many symbolic links.', file);
      const target = readlinkSync(next);
      rest.unshift(...partsOf(target));
      if (path.isAbsolute(target)) at = '/';
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function partsOf(file: string): string[] {
  return file.split('/').filter(part => part !== '' && part !== '.');
}

/** In a sticky directory others can add names, but not replace ours. The private group of a user (same number) is the user. */
function othersMayWrite({ mode, uid, gid }: Stats, user: number): boolean {
  const groupIsUser = gid === 0 || (uid === user && gid === uid);
  const writable = (mode & (groupIsUser ? 0o002 : 0o022)) !== 0;
  return writable && (mode & 0o1000) === 0;
}
