// Why something cannot be seen: every gap of a snapshot under one cause in words, with the actions that would help. Pure.
import type { Gap, Process, Snapshot } from '../native-probe/model';
import { grouped } from './snapshotIndex';
import { l10n } from './translation';
import { isByDesign } from './views/unseen';

export type Cause = 'sandbox' | 'hidepid' | 'other-user' | 'protected' | 'namespace' | 'mqueue' | 'kernel' | 'gone' | 'open' | 'other' | 'by-design';
/** What a person can do about a cause. `administrator`: look with more rights; `mount`: copy the command that mounts the queues. */
export type Remedy = 'administrator' | 'mount' | 'log' | 'refresh';

interface CauseWords { readonly title: () => string; readonly explanation: () => string; readonly remedies: readonly Remedy[] }

/** In the order in which they are told: what hides most first. */
export const causes: Readonly<Record<Cause, CauseWords>> = {
  sandbox: {
    title: () => l10n.t('The probe is inside a container or sandbox'), remedies: [],
    explanation: () => l10n.t('Processes outside of it are invisible from here, and so is what only they have. Open the folder on the machine itself (for example over Remote - SSH) to see everything.'),
  },
  hidepid: {
    title: () => l10n.t('/proc hides the processes of others (hidepid)'), remedies: ['administrator'],
    explanation: () => l10n.t('The administrator of this machine mounted /proc so that each user sees only own processes.'),
  },
  'other-user': {
    title: () => l10n.t('They belong to another user'), remedies: ['administrator'],
    explanation: () => l10n.t('The kernel lets only a process of the same user, or the administrator, read descriptors, mappings and values.'),
  },
  protected: {
    title: () => l10n.t('Own processes that are protected (Yama, or not dumpable)'), remedies: ['administrator'],
    explanation: () => l10n.t('Yama (kernel.yama.ptrace_scope) lets a program read the blocked system call and the memory of its own descendants only; programs with secrets or with file capabilities refuse everybody. That a thread is blocked is known, on what is not.'),
  },
  namespace: {
    title: () => l10n.t('Namespaces that may not be entered'), remedies: ['administrator'],
    explanation: () => l10n.t('The objects of containers and other namespaces are read by entering them, which takes CAP_SYS_ADMIN.'),
  },
  mqueue: {
    title: () => l10n.t('Message queues cannot be listed'), remedies: ['mount', 'administrator'],
    explanation: () => l10n.t('POSIX message queues are listed by their file system. Where it is not mounted, only those are known that a readable process has open.'),
  },
  kernel: {
    title: () => l10n.t('This kernel does not tell'), remedies: [],
    explanation: () => l10n.t('It is too old, was built without an option, or a security filter (seccomp) refuses the call. Only another kernel or configuration helps.'),
  },
  gone: {
    title: () => l10n.t('Closed, removed or ended in between'), remedies: ['refresh'],
    explanation: () => l10n.t('It was there when the look began and was not any more when its turn came. That is normal on a busy machine.'),
  },
  open: {
    title: () => l10n.t('Who else could act on it is open'), remedies: [],
    explanation: () => l10n.t('Semaphores, queues and names have no owner: any process with rights could still use them. No rights make that known.'),
  },
  other: {
    title: () => l10n.t('For another reason'), remedies: ['log'],
    explanation: () => l10n.t('The reason is told with each.'),
  },
  'by-design': {
    title: () => l10n.t('Not part of a snapshot'), remedies: [],
    explanation: () => l10n.t('What takes more than a look is read on request only: inspect an object to see it.'),
  },
};

const isDenied = (errno: string | undefined): boolean => errno === 'EACCES' || errno === 'EPERM';

/** The cause of a gap. */
export function causeOfGap(gap: Gap, host: Snapshot['host'], processes: ReadonlyMap<number, Process>): Cause {
  const { scope: { facility, field, namespace, pid }, errno, reason, remedy } = gap;
  if (field === 'pid-namespace' || field === 'sandbox') return 'sandbox';
  if (field === 'hidepid') return 'hidepid';
  if (facility === 'posix-message-queue' && field === 'list' && remedy?.includes('mount ') === true) return 'mqueue';
  if (errno === 'ENOSYS' || errno === 'ENODEV' || errno === 'EOPNOTSUPP' || /this kernel|built without/.test(`${reason} ${remedy ?? ''}`)) return 'kernel';
  if (errno === 'ENOENT' || errno === 'ESRCH' || errno === 'EIDRM' || errno === 'ESTALE' || errno === 'EBADF') return 'gone';
  if (namespace !== undefined && pid === undefined) return 'namespace';
  if (isDenied(errno)) {
    const uid = pid === undefined ? undefined : processes.get(pid)?.uid;
    return uid === host.uid && host.uid !== 0 ? 'protected' : 'other-user';
  }
  if (isByDesign(gap)) return 'by-design';
  return facility === 'waits' && errno === undefined ? 'open' : 'other';
}

export interface GapsOfCause { readonly cause: Cause; readonly gaps: readonly Gap[] }

/** All gaps by cause, in the order of the table; causes without a gap are left out. */
export function gapsByCause({ gaps, host, processes }: Pick<Snapshot, 'gaps' | 'host' | 'processes'>): readonly GapsOfCause[] {
  const byPid = new Map(processes.map(process => [process.pid, process]));
  const groups = grouped(gaps, gap => causeOfGap(gap, host, byPid));
  return (Object.keys(causes) as Cause[]).flatMap(cause => {
    const its = groups.get(cause);
    return its === undefined ? [] : [{ cause, gaps: its }];
  });
}
