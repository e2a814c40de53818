// Collects what could not be seen. A gap names its scope, why, and what would help; the same gap is kept once.
import type { Gap, GapScope } from './model';

/** Plain words for the errnos that a reader of /proc meets. */
const words: Readonly<Record<string, string>> = {
  EACCES: 'permission denied', EPERM: 'operation not permitted', ENOENT: 'no such file', ESRCH: 'no such process',
  ENOSYS: 'the kernel lacks this call', EINVAL: 'the kernel refused it as invalid', EMFILE: 'too many open files in the probe',
  EIDRM: 'removed in the meantime', EIO: 'input/output error', ENODEV: 'not built into the kernel', EOPNOTSUPP: 'not supported',
};

/** An errno in words, the symbol kept: "permission denied (EACCES)". */
export function errnoInWords(errno: string): string {
  const word = words[errno];
  return word === undefined ? errno : `${word} (${errno})`;
}

/** The remedy for what more rights would show. */
export const asRoot = 'run the probe as root to see them';
const evenRoot = 'root itself is refused: a security module, a user namespace or a container forbids it; run the probe outside of it';

/** What would help against a refusal of rights; undefined for any other failure. */
export function remedyFor(errno: string, uid = process.geteuid?.()): string | undefined {
  if (errno !== 'EACCES' && errno !== 'EPERM') return undefined;
  return uid === 0 ? evenRoot : 'run the probe as root';
}

/** What a gap's id is made of: stable over refreshes. */
function idOf(scope: GapScope, errno: string | undefined): string {
  const parts = [scope.facility, scope.namespace && `ns=${scope.namespace}`, scope.pid !== undefined && `pid=${scope.pid}`, scope.objectId, scope.field, errno];
  return `gap:${parts.filter(part => part !== undefined && part !== false && part !== '').join(':')}`;
}

export class Gaps {
  private readonly byId = new Map<string, Gap>();

  /** `uid`: the probe's effective user, so that nobody who is root is told to become root. */
  constructor(private readonly uid: number) {}

  /** Records a gap and returns its id. `reason` is a whole clause: "cannot read …: permission denied (EACCES)". */
  add(scope: GapScope, reason: string, details: { errno?: string; remedy?: string } = {}): string {
    const id = idOf(scope, details.errno);
    const { remedy, ...rest } = details;
    const known = remedy === undefined || (remedy === asRoot && this.uid === 0) ? rest : details;
    if (!this.byId.has(id)) this.byId.set(id, { id, scope, reason, ...known });
    return id;
  }

  /** A failed system call or read: the errno in words is appended. */
  failed(scope: GapScope, what: string, errno: string, advice?: string): string {
    const remedy = advice === asRoot && this.uid === 0 ? evenRoot : advice;
    return this.add(scope, `${what}: ${errnoInWords(errno)}`, remedy === undefined ? { errno } : { errno, remedy });
  }

  list(): Gap[] {
    return [...this.byId.values()];
  }
}
