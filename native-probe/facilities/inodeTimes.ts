// Creation and change times of what lives in a kernel file system (tmpfs, mqueue).
import type { FileStats } from '../kernel/quietStat';
import type { Time } from '../model';

/**
 * createdAt only where the file system records it (statx btime; tmpfs since 6.6, mqueue never). changedAt is mtime: the
 * last write, send or receive. ctime and atime would also move when somebody looks at a queue. Whole milliseconds, cut off: node:fs's own
 * dates are rounded, and the two must not be compared.
 */
export function inodeTimes(stats: Pick<FileStats, 'birthtimeMs' | 'mtimeMs'>): { createdAt?: Time; changedAt?: Time } {
  return {
    ...(stats.birthtimeMs > 0 ? { createdAt: new Date(stats.birthtimeMs).toISOString() } : {}),
    ...(stats.mtimeMs > 0 ? { changedAt: new Date(stats.mtimeMs).toISOString() } : {}),
  };
}
