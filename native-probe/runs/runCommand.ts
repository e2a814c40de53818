// Runs a command as if the probe were not there: its standard streams are its own, signals reach it once, and its exit status is told.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { syscall } from '../kernel/libc';
import { parseStat, readText } from '../kernel/procfs';

/** What one sends to a program to make it do or stop something. SIGTSTP and SIGCONT are treated apart. */
const passedOn: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'];

export interface Ended { readonly status: number; readonly signal?: NodeJS.Signals }

/** The command cannot be run. `status`: as shells have it, 127 not found, 126 not executable. */
export class CannotRun extends Error {
  constructor(readonly status: 126 | 127, message: string) { super(message); }
}

/**
 * Runs a command to its end.
 * @param started is told the PID of the command
 * @param ours is told the PIDs of further children that are not of the command
 * @returns its exit status, 128 and the number for a signal. Throws {@link CannotRun}.
 */
export async function runCommand([command = '', ...args]: readonly string[], started: (pid: number) => void, ours: (pid: number) => void): Promise<Ended> {
  // All in one go, the handlers first: the command may be ready for signals before spawn() returns.
  const sentinel = new Sentinel(ours);
  let child: ChildProcess | undefined;
  const handlers = signalHandlers(signal => { child?.kill(signal); }, () => child?.pid, sentinel);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  try {
    const running = spawn(command, args, { stdio: 'inherit' });
    child = running;
    if (running.pid !== undefined) started(running.pid);
    return await new Promise<Ended>((resolve, reject) => {
      running.once('error', reject);
      running.once('exit', (code, signal) => {
        resolve(signal === null ? { status: code ?? 1 } : { status: 128 + constants.signals[signal], signal });
      });
    });
  } catch (error) {
    throw cannotRun(command, error);
  } finally {
    for (const [signal, handler] of handlers) process.off(signal, handler);
    sentinel.end();
  }
}

/** What a shell would say. Of some errors spawn() tells later, others it throws: of an empty name, and what is neither missing nor forbidden (ENOTDIR, ELOOP, ENAMETOOLONG). */
function cannotRun(command: string, error: unknown): CannotRun {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  const notFound = command === '' || code === 'ENOENT' || code === 'ENOTDIR';
  const why = notFound ? 'there is no such command' : code === 'EACCES' ? 'it is not executable' : code ?? String(error);
  return new CannotRun(notFound ? 127 : 126, `cannot run ${command === '' ? "''" : command}: ${why}`);
}

function signalHandlers(send: (signal: NodeJS.Signals) => void, pidOf: () => number | undefined, sentinel: Sentinel): [NodeJS.Signals, () => void][] {
  const pass = (signal: NodeJS.Signals): void => { void sentinel.wasReached(signal).then(reached => { if (!reached) send(signal); }); };
  return [
    ...passedOn.map((signal): [NodeJS.Signals, () => void] => [signal, () => pass(signal)]),
    ['SIGTSTP', () => {
      pass('SIGTSTP');
      void stopWith(pidOf());
    }],
    // Twice does no harm, and a command that was stopped alone goes on too.
    ['SIGCONT', () => { send('SIGCONT'); }],
  ];
}

/** The shell waits for us, and takes the terminal back when we stop: we do when the command has stopped. It may clean up first, or not stop at all. */
async function stopWith(pid: number | undefined): Promise<void> {
  for (let look = 0; pid !== undefined && look < 100; look++) {
    const state = parseStat(readText(`/proc/${pid}/stat`).value ?? '')?.state;
    if (state === undefined) return;
    if (state === 'T') {
      process.kill(process.pid, 'SIGSTOP');
      return;
    }
    await new Promise(next => setTimeout(next, 20));
  }
}

const RLIMIT_CORE = 4;
/** So long after a sentinel's end its signal may still be on its way to us, in ms. */
const newsMs = 1000;

/**
 * A process of our process group that does nothing: a signal for the whole group (Ctrl+C, a job's end) reaches it too, and then the
 * command has had it already; a signal for us alone does not, and has to be passed on. It ends with us, whatever happens.
 */
class Sentinel {
  private process: ChildProcess | undefined;
  private ending = false;
  /** By which signal the last one ended, where nobody has asked for it yet: the news of its end may come before the signal itself. */
  private unasked: { readonly signal: NodeJS.Signals; readonly at: number } | undefined;

  private readonly asked = new WeakSet<ChildProcess>();

  constructor(private readonly ours: (pid: number) => void) { this.start(); }

  /** Whether a signal that has come just now went to the whole group. */
  async wasReached(signal: NodeJS.Signals): Promise<boolean> {
    const { process: sentinel, unasked } = this;
    this.unasked = undefined;
    if (unasked?.signal === signal && performance.now() - unasked.at < newsMs) return true;
    // Without one: what comes while we are in the terminal's foreground mostly comes from its keys.
    if (sentinel?.pid === undefined) return inForeground() && (signal === 'SIGINT' || signal === 'SIGQUIT' || signal === 'SIGTSTP');
    for (let look = 0; look < 15; look++) {
      if (sentinel.exitCode !== null || sentinel.signalCode !== null || isHit(sentinel.pid, signal)) {
        this.asked.add(sentinel);
        return true;
      }
      await new Promise(next => setTimeout(next, 2));
    }
    return false;
  }

  end(): void {
    this.ending = true;
    this.process?.stdin?.destroy();
    this.process?.kill('SIGKILL');
  }

  private start(): void {
    const sentinel = spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore'], env: {} });
    if (sentinel.pid === undefined) {
      sentinel.once('error', () => undefined); // no cat here: the foreground decides
      return;
    }
    this.process = sentinel;
    this.ours(sentinel.pid);
    // SIGQUIT must not leave a core file.
    syscall('prlimit64', sentinel.pid, RLIMIT_CORE, Buffer.alloc(16), 0);
    sentinel.stdin.on('error', () => undefined); // it was killed
    sentinel.once('exit', (_code, signal) => {
      if (signal !== null && !this.asked.has(sentinel)) this.unasked = { signal, at: performance.now() };
      if (!this.ending) this.start();
    });
  }
}

/** Ended, stopped, or about to be by this signal. */
function isHit(pid: number, signal: NodeJS.Signals): boolean {
  const state = parseStat(readText(`/proc/${pid}/stat`).value ?? '')?.state;
  if (state === undefined || state === 'Z' || state === 'X' || (signal === 'SIGTSTP' && state === 'T')) return true;
  const pending = /^ShdPnd:\t([0-9a-f]+)$/m.exec(readText(`/proc/${pid}/status`).value ?? '')?.[1];
  return pending !== undefined && (BigInt(`0x${pending}`) >> BigInt(constants.signals[signal] - 1) & 1n) === 1n;
}

function inForeground(): boolean {
  const fields = (readText('/proc/self/stat').value ?? '').split(') ')[1]?.split(' ') ?? [];
  return fields[2] !== undefined && fields[2] === fields[5]; // pgrp, tpgid
}
