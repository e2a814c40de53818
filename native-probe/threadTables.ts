// Threads whose descriptors are not their process's (unshare(2), CLONE_FILES): /proc/PID/fd shows the first thread's alone. Rare, and it takes
// one kcmp(2) a thread to know: looked for only before something is called unused or deadlocked.
import type { ScanContext } from './context';
import { asRoot } from './gaps';
import { syscall } from './kernel/libc';
import { numericEntries } from './kernel/procfs';
import { standInFor } from './kernel/standIns';

const KCMP_FILES = 2;

/** The ids of the gaps that such threads leave. `scope`: whose gaps they are, and which field. */
export async function gapsOfThreadTables(context: Pick<ScanContext, 'processes' | 'gaps' | 'pause'>, scope: { readonly facility: 'processes' | 'waits'; readonly field: string }): Promise<string[]> {
  const gaps: string[] = [];
  for (const { pid, comm, kernelThread, descriptors } of context.processes) {
    if (kernelThread || descriptors === null) continue;
    const threads = numericEntries(`/proc/${pid}/task`).value ?? [];
    if (threads.length < 2) continue;
    const seen = standInFor(pid);
    for (const tid of threads) {
      // The first thread has ended where another stands in for it.
      if (tid === seen || tid === pid) continue;
      const { value, errno } = syscall('kcmp', seen, tid, KCMP_FILES, 0, 0);
      if (value > 0) gaps.push(context.gaps.add({ pid, ...scope }, `thread ${tid} of pid ${pid} (${comm}) has descriptors of its own, which were not looked at`));
      else if (value < 0 && errno !== 'ESRCH') return [...gaps, context.gaps.failed({ ...scope, field: 'kcmp' }, 'cannot compare the descriptor tables of threads', errno, asRoot)];
    }
    await context.pause();
  }
  return gaps;
}
