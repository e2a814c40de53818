// Installs Debian packages where the script may do that (root on Debian), and says why not where it may not.
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { progress, run } from './processes.mjs';

/** The path of a program on PATH, or null. */
export function find(program) {
  return (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, program)).find(path => existsSync(path)) ?? null;
}

let updated;

/**
 * Makes sure that programs exist, installing their packages as root on Debian.
 * @param {string[]} programs any of these on PATH (or a path) is enough
 * @param {string[]} packages what to install otherwise
 * @returns {Promise<{path: string} | {path: null, why: string}>}
 */
export async function ensure(programs, packages) {
  const present = () => programs.map(program => (program.includes('/') ? (existsSync(program) ? program : null) : find(program))).find(Boolean);
  const path = present();
  if (path) return { path };
  const missing = `${programs[0]} is not installed (Debian: ${packages.join(', ')})`;
  if (process.getuid?.() !== 0) return { path: null, why: `${missing}, and only root can install it` };
  if (!existsSync('/etc/debian_version') || !find('apt-get')) return { path: null, why: `${missing}, and this is not Debian` };
  progress(`Installing ${packages.join(', ')} with apt-get …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    updated ??= run('apt-get', ['update', '-q'], { env, quiet: true });
    await updated;
    await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...packages], { env, quiet: true });
  } catch (error) {
    return { path: null, why: `${missing}: ${error instanceof Error ? error.message.trim().split('\n').slice(-1)[0] : error}` };
  }
  const now = present();
  return now ? { path: now } : { path: null, why: `${missing}: installing ${packages.join(', ')} did not bring it` };
}

/** The debug adapters and the compiler that tests and the demo use; each absent one says why. */
export async function ensureDebuggers() {
  // One at a time: apt-get holds a lock.
  const compiler = await ensure(['cc', 'gcc', 'clang'], ['gcc', 'libc6-dev']);
  const lldb = await ensure(['lldb-dap-19', 'lldb-dap', 'lldb-vscode-14'], ['lldb-19']);
  const debugpy = await ensure(['/usr/lib/python3/dist-packages/debugpy/__init__.py'], ['python3-debugpy']);
  const delve = await ensure(['dlv'], ['delve', 'golang-go']);
  return { compiler, lldb, debugpy, delve };
}

/** What the probe's tests use beside Node; tests that need what cannot be had are skipped by name. */
export async function ensureProbeTools() {
  const tools = [[['cc', 'gcc', 'clang'], ['gcc', 'libc6-dev']], [['/usr/bin/sudo'], ['sudo']], [['setcap', '/usr/sbin/setcap'], ['libcap2-bin']], [['strace'], ['strace']], [['busybox', '/bin/busybox'], ['busybox']], [['ip', '/usr/sbin/ip'], ['iproute2']]];
  for (const [programs, packages] of tools) {
    const { path, why } = await ensure(programs, packages);
    if (path === null) progress(why);
  }
}

/** Whether this machine is Debian, for messages. */
export function distribution() {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  } catch {
    return 'Linux'; // No os-release: nothing better is known.
  }
}
