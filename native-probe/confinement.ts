// What a probe with more rights than its editor does before the first request, so that nobody can turn it against the machine.
// CONTRIBUTING.md has the threat model; test/probe/rights.test.ts a test for each of its lines.
import type { Writable } from 'node:stream';
import { effectiveCapabilities } from './kernel/capabilities';
import { refuseCalls } from './kernel/seccomp';
import { dropCapabilities, forbidNewPrivileges, forbidTracing } from './kernel/privileges';

/** Begins the line on standard error by which the editor knows that nobody is asked for a password any more. */
export const confinedLine = 'ipc-probe: confined';

/** Gives up what is not needed. Throws when that fails: a probe that keeps what it should not must not serve. */
export function confine(log: Writable): void {
  forbidTracing();
  process.umask(0o077);
  // Whatever the environment asks for (backups elsewhere, options of Node.js) was chosen with fewer rights.
  for (const name of Object.keys(process.env)) if (name !== 'PATH') Reflect.deleteProperty(process.env, name);
  // Node.js would open a debugger's port for anybody on this machine. Only a process of the same user can send it, which is what a prepared Node has.
  process.on('SIGUSR1', () => undefined);
  process.chdir('/');
  if (process.geteuid?.() === 0 && hasGroups()) giveUpGroups();
  dropCapabilities();
  forbidNewPrivileges();
  // Last: some of what comes before is refused after it. A reduction where the kernel has it, and never a reason not to serve.
  const unfiltered = refuseCalls();
  if (unfiltered !== undefined) log.write(`ipc-probe: system calls are not filtered: ${unfiltered}\n`);
  log.write(`${confinedLine}: uid ${process.geteuid?.() ?? -1}, ${effectiveCapabilities().join(' ') || 'no capabilities'}\n`);
}

function hasGroups(): boolean {
  const gid = process.getegid?.();
  return (process.getgroups?.() ?? []).some(group => group !== gid);
}

function giveUpGroups(): void {
  try {
    process.setgroups?.([]);
  } catch (error) {
    // setgroups(2) is refused in a user namespace that denies it: the groups there are no more than the user's own.
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EPERM') throw error;
  }
}
