// Which descriptors are one open file description (open(2)): inherited, duplicated or passed copies. kcmp(2) tells, by an
// order over all of them, so that n descriptors are sorted out in n·log n calls.
import { syscall } from './libc';
import { standInFor } from './standIns';

const KCMP_FILE = 0;

/** A descriptor of a process. */
export interface DescriptorRef { readonly pid: number; readonly fd: number }

/** -1, 0 (the same) or 1 in the kernel's own order; the errno (EPERM, ENOSYS; EBADF, ESRCH when one is gone) where it does not say. */
export function compareOpenFiles(a: DescriptorRef, b: DescriptorRef): -1 | 0 | 1 | string {
  const { value, errno } = syscall('kcmp', standInFor(a.pid), standInFor(b.pid), KCMP_FILE, a.fd, b.fd);
  if (value === -1) return errno;
  return value === 0 ? 0 : value === 1 ? -1 : 1;
}

type Compare = typeof compareOpenFiles;

/** How many comparisons are left, and why some failed: for one gap at the end. */
export interface ComparisonBudget { left: number; denied?: string; exhausted: boolean }

/**
 * Sorts descriptors into open file descriptions, members in the order given. One that cannot be compared stands alone:
 * closed in between (EBADF, ESRCH: nothing to say), denied, or past the budget (the caller says so in a gap).
 */
export function groupByOpenFile<T extends DescriptorRef>(descriptors: readonly T[], budget: ComparisonBudget, compare: Compare = compareOpenFiles): T[][] {
  const groups: T[][] = [];
  // Representatives in the kernel's order; each new descriptor finds its place by bisection.
  const sorted: [T, ...T[]][] = [];
  for (const descriptor of descriptors) {
    let low = 0, high = sorted.length, place: 'new' | 'found' | 'alone' = 'new';
    while (low < high && place === 'new') {
      const middle = (low + high) >>> 1;
      const group = sorted[middle];
      if (!group) break;
      if (budget.denied !== undefined) { place = 'alone'; break; }
      if (budget.left <= 0) { budget.exhausted = true; place = 'alone'; break; }
      budget.left--;
      const order = compare(descriptor, group[0]);
      if (order === 0) { group.push(descriptor); place = 'found'; }
      else if (order === -1) high = middle;
      else if (order === 1) low = middle + 1;
      else {
        // Whoever may read fdinfo may compare; else a security filter forbids kcmp, or the kernel lacks it: the same for all.
        if (order !== 'EBADF' && order !== 'ESRCH') budget.denied = order;
        place = 'alone';
      }
    }
    if (place === 'found') continue;
    const group: [T, ...T[]] = [descriptor];
    groups.push(group);
    if (place === 'new') sorted.splice(low, 0, group);
  }
  return groups;
}
