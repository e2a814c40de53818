// Signals by name (signal(7)): numbers and masks of /proc/PID/status and fdinfo. x86 and ARM number them alike
// (include/uapi/asm-generic/signal.h); MIPS, SPARC and PA-RISC do not, and are not what we run on.

const standard = [
  'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGKILL', 'SIGUSR1', 'SIGSEGV', 'SIGUSR2',
  'SIGPIPE', 'SIGALRM', 'SIGTERM', 'SIGSTKFLT', 'SIGCHLD', 'SIGCONT', 'SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGURG',
  'SIGXCPU', 'SIGXFSZ', 'SIGVTALRM', 'SIGPROF', 'SIGWINCH', 'SIGIO', 'SIGPWR', 'SIGSYS',
] as const;

/** What programs call SIGRTMIN: glibc keeps the kernel's first two realtime signals for itself (nptl: cancellation, setxid). */
const SIGRTMIN = 34;
/** The kernel's number of signals (_NSIG). */
const last = 64;

/** Name of a signal number: "SIGINT", "SIGRTMIN+1"; "SIG32" and "SIG33" for those that libc keeps for itself. */
export function signalName(number: number): string {
  if (number >= SIGRTMIN && number <= last) return number === SIGRTMIN ? 'SIGRTMIN' : `SIGRTMIN+${number - SIGRTMIN}`;
  return standard[number - 1] ?? `SIG${number}`;
}

/** Names of the signals in a mask, lowest number first: bit n-1 is signal n. */
export function signalNames(mask: bigint): string[] {
  const names: string[] = [];
  for (let number = 1, rest = BigInt.asUintN(last, mask); rest !== 0n; number++, rest >>= 1n) if ((rest & 1n) === 1n) names.push(signalName(number));
  return names;
}

/** Names of a mask as the kernel writes it (render_sigset_t: hexadecimal without 0x); undefined where it is none. */
export function parseSignalMask(text: string): string[] | undefined {
  return /^[0-9a-f]{1,16}$/.test(text) ? signalNames(BigInt(`0x${text}`)) : undefined;
}
