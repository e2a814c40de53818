// The probe must get its turn beside dozens of busy processes, or it sees next to nothing in ten minutes. The scheduler shares
// the machine among sessions first (sched(7), autogroup), where nice(1) means nothing from one session to another; PostgreSQL makes a
// session of each of its processes.
import { readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

const autogroup = '/proc/self/autogroup';

/** Raises this session above the workloads, which are sessions of their own. As far as it is allowed: only root may. Returns what undoes it. */
export function raised() {
  try {
    const before = /nice (-?\d+)/.exec(readFileSync(autogroup, 'utf8'))?.[1] ?? '0';
    writeFileSync(autogroup, '-10');
    return () => {
      try {
        writeFileSync(autogroup, before);
      } catch {
        // It ends with the session.
      }
    };
  } catch {
    // No autogroups, or not root: as it is.
    return () => undefined;
  }
}

/** Lowers a program that was just started, and the session that it leads. */
export function lower(pid) {
  try {
    setPriority(pid, 15);
    writeFileSync(`/proc/${pid}/autogroup`, '15');
  } catch {
    // Gone already, or no autogroups.
  }
}
