// Why something cannot be seen: every gap of a snapshot under one cause in words, with the actions that would help. Pure.
import type { Gap, Process, Snapshot } from '../../native-probe/model';
import { grouped } from '../snapshotIndex';
import { l10n } from '../translation';
import { isByDesign, isUnreadProcess } from '../views/unseen';

export type Cause = 'sandbox' | 'hidepid' | 'other-user' | 'privileged' | 'yama' | 'protected' | 'even-root' | 'namespace' | 'mqueue' | 'kernel' | 'gone' | 'open' | 'other' | 'by-design';
/** What a person can do about a cause. `mount` and `ptrace` copy a command for a terminal; `remote` opens VS Code's menu of other places to work in; `text`: for whom it may concern. */
export type Remedy = 'administrator' | 'mount' | 'ptrace' | 'remote' | 'text' | 'log' | 'refresh' | 'waits' | 'objects';

/** Every cause has an action. */
interface CauseWords { readonly title: () => string; readonly explanation: () => string; readonly remedies: readonly [Remedy, ...Remedy[]] }

/** In the order in which they are told: what hides most first. */
export const causes: Readonly<Record<Cause, CauseWords>> = {
  sandbox: {
    title: () => l10n.t('The probe is inside a container or sandbox'), remedies: ['remote', 'text'],
    explanation: () => l10n.t('Processes outside of it are invisible from here, and so is what only they have. Open the folder on the machine itself (for example over Remote - SSH) to see everything.'),
  },
  hidepid: {
    title: () => l10n.t('/proc hides the processes of others (hidepid)'), remedies: ['administrator', 'text'],
    explanation: () => l10n.t('The administrator of this machine mounted /proc so that each user sees only own processes.'),
  },
  'other-user': {
    title: () => l10n.t('They belong to another user'), remedies: ['administrator'],
    explanation: () => l10n.t('The kernel lets only a process of the same user, or the administrator, read descriptors, mappings and values.'),
  },
  privileged: {
    title: () => l10n.t('Told to the administrator only'), remedies: ['administrator'],
    explanation: () => l10n.t('The kernel tells it to nobody else, not even about processes of one’s own.'),
  },
  yama: {
    title: () => l10n.t('Own processes that this program did not start (Yama)'), remedies: ['administrator', 'ptrace'],
    explanation: () => l10n.t('The security module Yama (kernel.yama.ptrace_scope) lets a program read the blocked system call and the memory of its own descendants only. That a thread is blocked is known, on what is not. While a debugger has stopped a program, it stands in for this. Setting ptrace_scope to 0 opens every process of yours to every other, until the next start of the machine.'),
  },
  protected: {
    title: () => l10n.t('Own processes that are protected (not dumpable)'), remedies: ['administrator'],
    explanation: () => l10n.t('Programs that hold secrets, that run with file capabilities or that changed their user refuse even the user whose they are.'),
  },
  'even-root': {
    title: () => l10n.t('Even root is refused'), remedies: ['remote', 'text'],
    explanation: () => l10n.t('A security module, a user namespace or a container forbids it, although the probe runs as root. Only a probe outside of it would see more.'),
  },
  namespace: {
    title: () => l10n.t('Namespaces that may not be entered'), remedies: ['administrator', 'text'],
    explanation: () => l10n.t('The objects of containers and other namespaces are read by entering them, which takes CAP_SYS_ADMIN.'),
  },
  mqueue: {
    title: () => l10n.t('Message queues cannot be listed'), remedies: ['mount', 'administrator'],
    explanation: () => l10n.t('POSIX message queues are listed by their file system. Where it is not mounted, only those are known that a readable process has open.'),
  },
  kernel: {
    title: () => l10n.t('This kernel does not tell'), remedies: ['text'],
    explanation: () => l10n.t('It is too old, was built without an option, or a security filter (seccomp) refuses the call. Only another kernel or configuration helps.'),
  },
  gone: {
    title: () => l10n.t('Closed, removed or ended in between'), remedies: ['refresh'],
    explanation: () => l10n.t('It was there when the look began and was not any more when its turn came. That is normal on a busy machine.'),
  },
  open: {
    title: () => l10n.t('Who else could act on it is open'), remedies: ['waits'],
    explanation: () => l10n.t('Semaphores, queues and names have no owner: any process with rights could still use them. No rights make that known.'),
  },
  other: {
    title: () => l10n.t('For another reason'), remedies: ['text', 'log'],
    explanation: () => l10n.t('The reason is told with each.'),
  },
  'by-design': {
    title: () => l10n.t('Not part of a snapshot'), remedies: ['objects'],
    explanation: () => l10n.t('What takes more than a look is read on request only: inspect an object to see it.'),
  },
};

const isDenied = (errno: string | undefined): boolean => errno === 'EACCES' || errno === 'EPERM';

/** Parts of waits that nobody's rights make known: who may come, and what signals may do. */
const openFields = /^(?:owner|users|parties|type|taker|holders)\b/;

/** What a gap is judged by, besides itself. `closed`: processes of which not even the descriptors could be read. */
export interface Beholder { readonly host: Snapshot['host']; readonly processes: ReadonlyMap<number, Process>; readonly closed: ReadonlySet<number> }

/** The cause of a gap. */
export function causeOfGap(gap: Gap, { host, processes, closed }: Beholder): Cause {
  const { scope: { facility, field, namespace, pid }, errno, reason, remedy = '' } = gap;
  if (field === 'pid-namespace' || field === 'sandbox' || field === 'outside' || /on the host|inside that container/.test(remedy)) return 'sandbox';
  if (field === 'hidepid') return 'hidepid';
  if (facility === 'posix-message-queue' && field === 'list' && remedy.includes('mount ')) return 'mqueue';
  if (errno === 'ENOSYS' || errno === 'ENODEV' || errno === 'EOPNOTSUPP' || /this kernel|built without/.test(`${reason} ${remedy}`)) return 'kernel';
  if (errno === 'ENOENT' || errno === 'ESRCH' || errno === 'EIDRM' || errno === 'ESTALE' || errno === 'EBADF' || remedy === 'refresh') return 'gone';
  if (namespace !== undefined && pid === undefined) return 'namespace';
  if (isDenied(errno)) {
    if (host.uid === 0) return 'even-root';
    if (field === 'undo') return 'privileged';
    if (pid === undefined || processes.get(pid)?.uid !== host.uid) return 'other-user';
    return closed.has(pid) ? 'protected' : 'yama';
  }
  if (isByDesign(gap)) return 'by-design';
  if (host.uid !== 0 && /as root|as the owner/.test(remedy)) return 'other-user';
  return errno === undefined && (facility === 'waits' || (field !== undefined && openFields.test(field))) ? 'open' : 'other';
}

export interface GapsOfCause { readonly cause: Cause; readonly gaps: readonly Gap[] }

/** All gaps by cause, in the order of the table; causes without a gap are left out. */
export function gapsByCause({ gaps, host, processes }: Pick<Snapshot, 'gaps' | 'host' | 'processes'>): readonly GapsOfCause[] {
  const closed = new Set(gaps.flatMap(gap => isUnreadProcess(gap) && /\bfd\b|\bmaps\b/.test(gap.scope.field ?? '') ? gap.scope.pid ?? [] : []));
  const beholder: Beholder = { host, processes: new Map(processes.map(process => [process.pid, process])), closed };
  const groups = grouped(gaps, gap => causeOfGap(gap, beholder));
  return (Object.keys(causes) as Cause[]).flatMap(cause => {
    const its = groups.get(cause);
    return its === undefined ? [] : [{ cause, gaps: its }];
  });
}
