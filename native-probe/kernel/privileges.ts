// Giving up rights for good: capabilities(7), prctl(2), capset(2). Nothing here can be taken back by this process.
import { readText } from './procfs';
import { syscall } from './libc';
import { usefulCapabilities } from './capabilities';

/** include/uapi/linux/prctl.h, include/uapi/linux/capability.h */
const PR_SET_DUMPABLE = 4, PR_CAPBSET_DROP = 24, PR_SET_NO_NEW_PRIVS = 38, PR_CAP_AMBIENT = 47, PR_CAP_AMBIENT_CLEAR_ALL = 4;
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
const lastPossibleCapability = 63;

function mustSucceed({ value, errno }: { readonly value: number; readonly errno: string }, what: string): void {
  if (value === -1) throw new Error(`cannot ${what}: ${errno}`);
}

/** One of the masks in /proc/thread-self/status; capset(2) and capget(2) speak of one thread too. */
function mask(field: 'CapPrm' | 'CapEff'): bigint {
  const hex = new RegExp(`^${field}:\\s*([0-9a-f]+)$`, 'm').exec(readText('/proc/thread-self/status').value ?? '')?.[1];
  if (hex === undefined) throw new Error(`cannot read ${field} of /proc/thread-self/status`);
  return BigInt(`0x${hex}`);
}

/** Other programs of the same user can neither trace this process, nor read its memory or environment, nor have its core. */
export function forbidTracing(): void {
  mustSucceed(syscall('prctl', PR_SET_DUMPABLE, 0, 0, 0, 0), 'forbid tracing of the probe');
}

/** Whatever this process executes gains no rights by being set-user-id. */
export function forbidNewPrivileges(): void {
  mustSucceed(syscall('prctl', PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 'give up gaining privileges');
}

/**
 * Keeps of this thread's capabilities only those that looking, removing and restoring use; threads made later inherit that. Those that
 * Node.js made before (V8's and the signal watcher's) can only be reached from outside: whoever starts the probe narrows the bounding set first.
 */
export function dropCapabilities(): void {
  for (let capability = 0; capability <= lastPossibleCapability; capability++) {
    // EINVAL past the kernel's last one, EPERM without CAP_SETPCAP: then there is no way to more by exec either (no new privileges).
    if ((usefulCapabilities >> BigInt(capability) & 1n) === 0n) syscall('prctl', PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  syscall('prctl', PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); // EINVAL before Linux 4.3: there are none
  const header = Buffer.alloc(8);
  header.writeUInt32LE(LINUX_CAPABILITY_VERSION_3, 0);
  const data = Buffer.alloc(24);
  const keep = mask('CapPrm') & usefulCapabilities;
  for (const half of [0, 1]) {
    const word = Number(keep >> BigInt(32 * half) & 0xffffffffn);
    data.writeUInt32LE(word, 12 * half); // effective
    data.writeUInt32LE(word, 12 * half + 4); // permitted; inheritable stays empty
  }
  mustSucceed(syscall('capset', header, data), 'give up capabilities');
  const left = mask('CapPrm') | mask('CapEff');
  if ((left & ~usefulCapabilities) !== 0n) throw new Error(`cannot give up capabilities: 0x${left.toString(16)} are left`);
}
