// System calls that a probe with more rights gives up for good, by the kernel's own filter (seccomp(2), bpf classic): whatever starts another
// program, acts on other processes, changes who it is, or changes the machine in ways that no request of ours asks for.
import { addressOf, syscall } from './libc';
import type { SyscallName } from './syscalls';
import { syscallNumber } from './syscalls';

/** No program, no trace, no signal: "look, never touch" as the kernel enforces it. Removing and restoring need none of these. */
export const refusedCalls: readonly SyscallName[] = [
  'execve', 'execveat', 'fork', 'vfork', 'ptrace', 'process_vm_writev', 'kill', 'tkill', 'tgkill', 'rt_sigqueueinfo', 'rt_tgsigqueueinfo', 'pidfd_send_signal',
  'setuid', 'setgid', 'setreuid', 'setregid', 'setresuid', 'setresgid', 'mount', 'umount2', 'move_mount', 'pivot_root', 'chroot', 'unshare',
  'init_module', 'finit_module', 'delete_module', 'kexec_load', 'kexec_file_load', 'reboot', 'swapon', 'swapoff', 'settimeofday', 'clock_settime', 'sethostname', 'quotactl', 'acct',
];

/** include/uapi/linux/audit.h: this machine's system calls, and not those of its 32-bit programs. */
const architectures: Readonly<Record<string, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 };
/** include/uapi/linux/filter.h, bpf_common.h, seccomp.h */
const LOAD = 0x20, JUMP_EQUAL = 0x15, JUMP_GREATER_EQUAL = 0x35, JUMP_ANY_BIT = 0x45, RETURN = 0x06;
const ALLOW = 0x7fff0000, REFUSE = 0x00050000;
const EPERM = 1, ENOSYS = 38;
const SECCOMP_SET_MODE_FILTER = 1, SECCOMP_FILTER_FLAG_TSYNC = 1;
/** Offsets in struct seccomp_data: nr, arch, the low half of the first argument (little endian). */
const numberAt = 0, architectureAt = 4, firstArgumentAt = 16;
const CLONE_THREAD = 0x10000;
/** Numbers of the x32 ABI, which are other ways to the same calls. */
const x32 = 0x40000000;

interface Instruction { readonly code: number; readonly k: number; /** Where to go if it holds; else on. */ readonly then?: 'refuse' | 'allow' | 'no-such-call' }

/** The filter for an architecture as `struct sock_filter[]`; undefined for one that is not known. */
export function filterFor(arch: string, numberOf: (name: SyscallName) => number | undefined = syscallNumber): Buffer | undefined {
  const audit = architectures[arch];
  const [clone, clone3] = [numberOf('clone'), numberOf('clone3')];
  if (audit === undefined || clone === undefined || clone3 === undefined) return undefined;
  const refused = refusedCalls.flatMap(name => numberOf(name) ?? []);
  const head: Instruction[] = [
    { code: LOAD, k: numberAt },
    ...(arch === 'x64' ? [{ code: JUMP_GREATER_EQUAL, k: x32, then: 'refuse' } as const] : []),
    ...refused.map(k => ({ code: JUMP_EQUAL, k, then: 'refuse' } as const)),
    // Its flags lie in memory, which a filter cannot read: the C library then asks by clone.
    { code: JUMP_EQUAL, k: clone3, then: 'no-such-call' },
  ];
  // Two instructions before the head, three after it, then the three ends.
  const end = head.length + 5;
  const targets = { allow: end, refuse: end + 1, 'no-such-call': end + 2 };
  const bytes: Buffer[] = [];
  const emit = (code: number, k: number, ifTrue = 0, ifFalse = 0): void => {
    const instruction = Buffer.alloc(8);
    instruction.writeUInt16LE(code, 0);
    instruction.writeUInt8(ifTrue, 2);
    instruction.writeUInt8(ifFalse, 3);
    instruction.writeUInt32LE(k, 4);
    bytes.push(instruction);
  };
  const to = (target: number): number => target - bytes.length - 1;
  emit(LOAD, architectureAt);
  emit(JUMP_EQUAL, audit, 0, to(targets.refuse));
  for (const { code, k, then } of head) emit(code, k, then === undefined ? 0 : to(targets[then]));
  emit(JUMP_EQUAL, clone, 0, to(targets.allow));
  emit(LOAD, firstArgumentAt);
  emit(JUMP_ANY_BIT, CLONE_THREAD, to(targets.allow), to(targets.refuse));
  emit(RETURN, ALLOW);
  emit(RETURN, (REFUSE | EPERM) >>> 0);
  emit(RETURN, (REFUSE | ENOSYS) >>> 0);
  return Buffer.concat(bytes);
}

/** Gives the calls up in every thread. Undefined when it is done; else why this machine cannot. Needs no new privileges (or CAP_SYS_ADMIN) before. */
export function refuseCalls(): string | undefined {
  const filter = filterFor(process.arch);
  if (!filter) return `no filter for ${process.arch}`;
  const program = Buffer.alloc(16); // struct sock_fprog
  program.writeUInt16LE(filter.length / 8, 0);
  program.writeBigUInt64LE(addressOf(filter), 8);
  const { value, errno } = syscall('seccomp', SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, program);
  if (value === 0) return undefined;
  return value > 0 ? `thread ${value} has another filter` : errno;
}
