// Bounded reads of another process's memory through /proc/PID/mem (proc(5)), which neither stop nor change it: absent pages
// are never read, because reading them would allocate them.
import { closeSync, openSync, readSync } from 'node:fs';
import type { Result } from './procfs';
import { errnoOf, readBytes } from './procfs';
import { resourcesOf } from './standIns';

/** AT_PAGESZ of the auxiliary vector: 4096 on x86_64, up to 65536 on aarch64. */
export const pageSize: bigint = readPageSize(readBytes('/proc/self/auxv').value ?? Buffer.alloc(0));

/** Finds AT_PAGESZ (6) in an auxiliary vector of 64-bit words. */
export function readPageSize(auxv: Buffer): bigint {
  for (let at = 0; at + 16 <= auxv.length; at += 16) if (auxv.readBigUInt64LE(at) === 6n) return auxv.readBigUInt64LE(at + 8);
  return 4096n;
}

/** Bits of a pagemap entry (Documentation/admin-guide/mm/pagemap.rst). */
const presentOrSwapped = (1n << 63n) | (1n << 62n);

/** One process's memory; opened at the first read, to be closed by whoever made it. */
export class ProcessMemory {
  #memory: number | undefined;
  #pagemap: number | undefined;
  #closed = false;

  /** @param told bytes that somebody else vouches for, asked for only where the kernel denies the memory */
  constructor(readonly pid: number, private readonly told?: (address: bigint, length: number) => Buffer | undefined) {}

  /**
   * Reads exactly `length` bytes, at most 64 KiB. `touched` is an address that a blocked thread of the process has just used, so
   * that its page is known to exist; any other page must be in the page table. Errnos: EFAULT for an absent page or the end of the mapping, and those of open.
   */
  read(address: bigint, length: number, touched?: bigint): Result<Buffer> {
    const own = this.#readOwn(address, length, touched);
    if (own.value !== undefined || !this.told || this.#closed || !this.#isDenied()) return own;
    const value = this.told(address, length);
    return value === undefined ? own : { value };
  }

  #isDenied(): boolean {
    if (this.#memory !== undefined) return false;
    try {
      this.#memory = openSync(`${resourcesOf(this.pid)}/mem`, 'r');
      return false;
    } catch (error) {
      const errno = errnoOf(error);
      return errno === 'EACCES' || errno === 'EPERM';
    }
  }

  #readOwn(address: bigint, length: number, touched?: bigint): Result<Buffer> {
    if (this.#closed || length <= 0 || length > 1 << 16) return { errno: 'EINVAL' };
    const known = touched === undefined ? undefined : touched / pageSize;
    for (let page = address / pageSize; page <= (address + BigInt(length) - 1n) / pageSize; page++) {
      if (page !== known && !this.#exists(page)) return { errno: 'EFAULT' };
    }
    try {
      this.#memory ??= openSync(`${resourcesOf(this.pid)}/mem`, 'r');
      const bytes = Buffer.alloc(length);
      return readSync(this.#memory, bytes, 0, length, address) === length ? { value: bytes } : { errno: 'EFAULT' };
    } catch (error) {
      // EIO is how mem answers for an unmapped address.
      const errno = errnoOf(error);
      return { errno: errno === 'EIO' ? 'EFAULT' : errno };
    }
  }

  #exists(page: bigint): boolean {
    try {
      this.#pagemap ??= openSync(`${resourcesOf(this.pid)}/pagemap`, 'r');
      const entry = Buffer.alloc(8);
      return readSync(this.#pagemap, entry, 0, 8, page * 8n) === 8 && (entry.readBigUInt64LE(0) & presentOrSwapped) !== 0n;
    } catch (error) {
      errnoOf(error);
      return false;
    }
  }

  close(): void {
    this.#closed = true;
    for (const fd of [this.#memory, this.#pagemap]) if (fd !== undefined) closeSync(fd);
  }
}
