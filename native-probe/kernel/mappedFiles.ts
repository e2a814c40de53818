// The file behind a mapping: /proc/PID/map_files leads to it without a path (proc(5); needs CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN).
import { readText } from './procfs';
import type { Mapping, Result } from './procfs';
import { statQuietly } from './quietStat';
import type { FileStats } from './quietStat';
import { resourcesOf } from './standIns';

const range = ({ start, end }: Mapping, width = 0): string => [start, end].map(address => address.toString(16).padStart(width, '0')).join('-');

/** What the kernel knows of it. ENOENT: the mapping, or its process, is gone; or this kernel has no map_files ({@link isMapped} tells the two apart). */
export function statMapped(pid: number, mapping: Mapping): Result<FileStats> {
  return statQuietly(`${resourcesOf(pid)}/map_files/${range(mapping)}`);
}

/** Whether the mapping is still there. */
export function isMapped(pid: number, mapping: Mapping): boolean {
  // maps writes at least eight digits (fs/proc/task_mmu.c).
  return `\n${readText(`${resourcesOf(pid)}/maps`).value ?? ''}`.includes(`\n${range(mapping, 8)} `);
}
