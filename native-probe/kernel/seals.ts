// Seals of a memfd (memfd_create(2), fcntl(2) F_GET_SEALS), through a descriptor of it.
import { syscall } from './libc';
import type { Result } from './procfs';

const F_GET_SEALS = 1034;
/** include/uapi/linux/fcntl.h, lowest bit first. */
const names = ['F_SEAL_SEAL', 'F_SEAL_SHRINK', 'F_SEAL_GROW', 'F_SEAL_WRITE', 'F_SEAL_FUTURE_WRITE', 'F_SEAL_EXEC'] as const;

/** Names of a set of seals; a bit that we do not know as its value. */
export function sealNames(mask: number): string[] {
  return Array.from({ length: 31 }, (_, bit) => bit).filter(bit => (mask & (1 << bit)) !== 0).map(bit => names[bit] ?? `0x${(1 << bit).toString(16)}`);
}

export function sealsOf(fd: number): Result<string[]> {
  const { value, errno } = syscall('fcntl', fd, F_GET_SEALS, 0);
  return value === -1 ? { errno } : { value: sealNames(value) };
}
