// System call numbers per architecture: those we make, and those we recognise in /proc/PID/task/TID/syscall.
// Source: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h. aarch64 is not run in our tests.

/** name: [x86_64, aarch64]; undefined where the architecture has no such call. */
const numbers = {
  read: [0, 63], write: [1, 64], open: [2, undefined], poll: [7, undefined], lseek: [8, 62], mmap: [9, 222],
  ioctl: [16, 29], pread64: [17, 67], pwrite64: [18, 68], readv: [19, 65], writev: [20, 66], select: [23, undefined], mincore: [27, 232],
  shmget: [29, 194], shmat: [30, 196], shmctl: [31, 195], pause: [34, undefined], nanosleep: [35, 101],
  socket: [41, 198], connect: [42, 203], bind: [49, 200], setsockopt: [54, 208], accept: [43, 202], sendto: [44, 206], recvfrom: [45, 207], sendmsg: [46, 211], recvmsg: [47, 212],
  getsockopt: [55, 209], clone: [56, 220], vfork: [58, undefined], wait4: [61, 260], kill: [62, 129],
  semget: [64, 190], semop: [65, 193], semctl: [66, 191], shmdt: [67, 197],
  msgget: [68, 186], msgsnd: [69, 189], msgrcv: [70, 188], msgctl: [71, 187],
  fcntl: [72, 25], flock: [73, 32], capget: [125, 90], capset: [126, 91], rt_sigtimedwait: [128, 137], rt_sigsuspend: [130, 133],
  getxattr: [191, 8], futex: [202, 98], prctl: [157, 167], restart_syscall: [219, 128], semtimedop: [220, 192], clock_nanosleep: [230, 115],
  epoll_wait: [232, undefined], mq_open: [240, 180], mq_unlink: [241, 181], mq_timedsend: [242, 182], mq_timedreceive: [243, 183],
  mq_getsetattr: [245, 185], waitid: [247, 95], openat: [257, 56], pselect6: [270, 72], ppoll: [271, 73], get_robust_list: [274, 100],
  tee: [276, 77], fanotify_init: [300, 262], fanotify_mark: [301, 263], epoll_pwait: [281, 22], pipe2: [293, 59], accept4: [288, 242], setns: [308, 268], process_vm_readv: [310, 270], prlimit64: [302, 261], kcmp: [312, 272], bpf: [321, 280],
  name_to_handle_at: [303, 264], statx: [332, 291],
  pidfd_open: [434, 434], clone3: [435, 435], fsopen: [430, 430], fsconfig: [431, 431], fsmount: [432, 432], pidfd_getfd: [438, 438],
  epoll_pwait2: [441, 441], futex_waitv: [449, 449], cachestat: [451, 451],
  // Refused to a confined probe (seccomp.ts).
  fork: [57, undefined], execve: [59, 221], execveat: [322, 281], ptrace: [101, 117], process_vm_writev: [311, 271], tkill: [200, 130], tgkill: [234, 131], rt_sigqueueinfo: [129, 138],
  rt_tgsigqueueinfo: [297, 240], pidfd_send_signal: [424, 424], setuid: [105, 146], setgid: [106, 144], setreuid: [113, 145], setregid: [114, 143], setresuid: [117, 147], setresgid: [119, 149], mount: [165, 40], umount2: [166, 39],
  move_mount: [429, 429], pivot_root: [155, 41], chroot: [161, 51], unshare: [272, 97], init_module: [175, 105], finit_module: [313, 273], delete_module: [176, 106], kexec_load: [246, 104], kexec_file_load: [320, 294],
  reboot: [169, 142], swapon: [167, 224], swapoff: [168, 225], settimeofday: [164, 170], clock_settime: [227, 112], sethostname: [170, 161], quotactl: [179, 60], acct: [163, 89], seccomp: [317, 277],
} as const satisfies Record<string, readonly [number, number | undefined]>;

export type SyscallName = keyof typeof numbers;

const column = process.arch === 'x64' ? 0 : process.arch === 'arm64' ? 1 : undefined;

/** Number of a call on this machine; undefined where there is none (or the architecture is not known to us). */
export function syscallNumber(name: SyscallName): number | undefined {
  return column === undefined ? undefined : numbers[name][column];
}

const names = new Map<number, SyscallName>();
for (const name of Object.keys(numbers) as SyscallName[]) {
  const number = syscallNumber(name);
  if (number !== undefined) names.set(number, name);
}

/** Name of a number on this machine, of those we know. */
export function syscallName(number: number): SyscallName | undefined {
  return names.get(number);
}
