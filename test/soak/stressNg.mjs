// The workload stress-ng: its stressors of every IPC mechanism, a few at a time and in small sizes, each group for an equal share of the time.
import { spawn, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { ensure } from '../workbench/debian.mjs';
import { end } from '../workbench/processes.mjs';
import { lower } from './priority.mjs';

/** Neighbours run together: different mechanisms, so that a wait on one stands beside a wait on another. */
const groups = [
  { 'futex': 2, 'mutex': 2, 'sem': 2, 'sem-sysv': 2, 'msg': 2, 'mq': 2 },
  { 'pipe': 2, 'pipeherd': 1, 'ring-pipe': 1, 'fifo': 2, 'oom-pipe': 1, 'splice': 1, 'tee': 1 },
  { 'sock': 2, 'sockpair': 2, 'sockfd': 2, 'sockmany': 1, 'udp': 2, 'epoll': 2 },
  { 'flock': 2, 'lockf': 2, 'lockofd': 2, 'locka': 2, 'lease': 2, 'fcntl': 1 },
  { 'eventfd': 2, 'poll': 2, 'timerfd': 1, 'sigfd': 2, 'sigq': 2, 'sigsuspend': 2, 'pidfd': 1, 'sleep': 1 },
  { 'wait': 2, 'vfork': 2, 'spawn': 1, 'fork': 1, 'clone': 1, 'zombie': 1, 'exec': 1, 'daemon': 1 },
  { 'shm': 1, 'shm-sysv': 1, 'memfd': 1, 'pty': 1, 'ptrace': 2, 'pthread': 1, 'aio': 1, 'io-uring': 1, 'remap': 1, 'vm-splice': 1 },
  { 'switch': 1, 'membarrier': 1, 'msyncmany': 1, 'sigchld': 1, 'sigpipe': 1, 'sigio': 1, 'sem-sysv': 2, 'sendfile': 1, 'inotify': 1, 'rwlock': 1, 'dnotify': 1, 'nanosleep': 1 },
];
const sizes = { 'shm-bytes': '1M', 'shm-sysv-bytes': '1M', 'shm-sysv-segs': 4, 'memfd-bytes': '4M', 'memfd-fds': 32, 'pty-max': 64, 'epoll-sockets': 64, 'lease-breakers': 3, 'zombie-max': 64 };

export const name = 'stress-ng';
/** It ends by itself. */
export const ends = true;

/** What is missing, or undefined. */
export async function missing() {
  const found = await ensure(['stress-ng'], ['stress-ng']);
  return found.path === null ? found.why : undefined;
}

/** @param {{scratch: string, minutes: number}} options @returns what stops it, its processes, and a promise for its ill end */
export async function start({ scratch, minutes }) {
  const there = new Set(execFileSync('stress-ng', ['--stressors'], { encoding: 'utf8' }).trim().split(/\s+/));
  // To start and to end takes each group some seconds, too.
  const seconds = Math.max(2, Math.floor(minutes * 60 / groups.length) - 2);
  let child;
  let stopping = false;
  const rounds = (async () => {
    for (const group of groups) {
      if (stopping) return;
      const chosen = Object.entries(group).filter(([stressor]) => there.has(stressor));
      const options = Object.entries(sizes).filter(([option]) => chosen.some(([stressor]) => option.startsWith(`${stressor}-`)));
      child = spawn('stress-ng', ['--quiet', '--oom-avoid', '--temp-path', scratch, '--timeout', `${seconds}s`, ...[...chosen, ...options].flatMap(([option, value]) => [`--${option}`, String(value)])], { cwd: scratch, stdio: ['ignore', 'ignore', 'inherit'], detached: true });
      lower(child.pid);
      process.stderr.write(`  ${chosen.map(([stressor]) => stressor).join(', ')} …\n`);
      const [code, signal] = await once(child, 'exit');
      // 2 and 3: some stressor failed or lacked something, which says nothing of the probe.
      if (!stopping && code !== 0) process.stderr.write(`  stress-ng ended with ${signal ?? `status ${code}`}\n`);
    }
  })();
  return {
    over: rounds,
    async stop() {
      stopping = true;
      if (child && child.exitCode === null && child.signalCode === null) {
        // SIGINT: it ends its children and removes its objects.
        child.kill('SIGINT');
        await end(() => child.exitCode === null && child.signalCode === null ? [child.pid] : [], 20_000);
      }
      await rounds;
    },
  };
}
