// Starts the probe with more rights: sudo with our askpass, pkexec with its agent, or a prepared Node. Knows nothing of VS Code at run time.
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import * as path from 'node:path';
import { l10n } from '../translation';
import { Askpass } from './askpass';
import type { Ask } from './askpass';
import { pkexecRefusal, sudoRefusal } from './refusals';
import type { Refusal } from './refusals';
import { whyUntrusted } from './trustedPath';
import { chooseWay, rootCommand } from './ways';
import type { Way } from './ways';

export interface ElevationOptions {
  /** The extension's folder: dist/probe.js, dist/askpass.js and the native module are in it. */
  readonly extensionPath: string;
  /** What runs them: a Node, or VS Code's executable as one. */
  readonly node: string;
  /** `ipcInspector.probeExecutable`; empty: none. */
  readonly prepared: string;
  readonly ask: Ask;
  /** A private folder that lives long, where nothing better can hold the askpass script. */
  readonly storage: string;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
  /** Milliseconds without an answer, not counting those in which the user is being asked. */
  readonly patience?: number;
  /** Takes the place of looking around; for tests. */
  readonly way?: Way;
}

export interface Elevated { readonly child: ChildProcessWithoutNullStreams; readonly way: Way['kind'] }

/** The probe did not get its rights; the user's own change of mind is no error. */
export class NotElevated extends Error {
  override readonly name = 'NotElevated';
  constructor(readonly refusal: Refusal) { super(refusal.kind === 'cancelled' ? l10n.t('cancelled') : refusal.message); }
}

/** The probe's line (native-probe/confinement.ts) after which nobody is asked for anything any more. */
const startedLine = /^ipc-probe: confined/m;
const longestStderr = 16_384;
const defaultPatience = 20_000;

/** Resolves when the probe runs with its rights and waits for requests. Throws {@link NotElevated}, or an Error that says what to do. */
export async function startElevated(options: ElevationOptions): Promise<Elevated> {
  const way = options.way ?? chooseWay({ prepared: options.prepared, environment: process.env });
  const probe = path.join(options.extensionPath, 'dist', 'probe.js');
  refuseReplaceable([way.kind === 'prepared' ? way.file : options.node, probe, ...nativeModules(options.extensionPath)]);
  switch (way.kind) {
    case 'sudo': return { child: await throughSudo(way.file, probe, options), way: way.kind };
    case 'pkexec': {
      const child = start(way.file, ['--disable-internal-agent', ...rootCommand(options.node, probe)], quietEnvironment(['DISPLAY', 'WAYLAND_DISPLAY', 'XDG_SESSION_ID', 'XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS']));
      // The agent's question is not ours to time: pkexec gives up by itself.
      await started(child, { ...options, patience: 300_000 }, () => false, pkexecRefusal);
      return { child, way: way.kind };
    }
    case 'prepared': {
      const environment = { PATH: '/usr/bin:/bin', ELECTRON_RUN_AS_NODE: '1' };
      const child = start(way.file, [...await deafTo(way.file, environment), probe, 'serve', '--confined'], environment);
      await started(child, options, () => false, (stderr, status) => ({ kind: 'failed', message: l10n.t('{0} could not start the probe: {1}', way.file, stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? String(status)) }));
      return { child, way: way.kind };
    }
  }
}

async function throughSudo(sudo: string, probe: string, options: ElevationOptions): Promise<ChildProcessWithoutNullStreams> {
  const runtime = process.env['XDG_RUNTIME_DIR'];
  const askpass = await Askpass.open({
    ask: options.ask, node: options.node, helper: path.join(options.extensionPath, 'dist', 'askpass.js'),
    places: [...(runtime === undefined ? [] : [runtime]), tmpdir(), '/tmp', options.storage],
  });
  try {
    const environment = { ...quietEnvironment([]), SUDO_ASKPASS: askpass.script };
    const child = start(sudo, ['-A', '--', ...rootCommand(options.node, probe)], environment);
    await started(child, options, () => askpass.asking, (stderr, status) => sudoRefusal(stderr, status, askpass.cancelled));
    // sudo has remembered the answer for whatever this process starts next. That is not what the user was asked for.
    if (askpass.wasAsked) await forget(sudo, environment);
    return child;
  } finally {
    askpass.dispose();
  }
}

/** What sudo and pkexec need to know, and nothing else of ours: messages in English, because we read them. */
function quietEnvironment(also: readonly string[]): NodeJS.ProcessEnv {
  const { username } = userInfo();
  return {
    PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', LANGUAGE: 'C', HOME: homedir(), USER: username, LOGNAME: username,
    ...Object.fromEntries(also.flatMap(name => process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  };
}

/** In a session of its own: without a terminal that it could ask, and out of reach of what is typed in one. */
function start(file: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcessWithoutNullStreams {
  return spawn(file, args, { env, stdio: 'pipe', cwd: '/', detached: true });
}

function started(child: ChildProcessWithoutNullStreams, { signal, patience = defaultPatience }: ElevationOptions, isAsking: () => boolean, refusal: (stderr: string, status: number | null) => Refusal): Promise<void> {
  return new Promise((resolve, reject) => {
    let stderr = '', waited = 0;
    const step = 250;
    const giveUp = (why: Error): void => {
      settle();
      // It may be root's, and then it is not ours to kill: without its input it leaves by itself.
      child.stdin.destroy();
      child.stdout.destroy();
      child.kill();
      reject(why);
    };
    const timer = setInterval(() => {
      if (!isAsking()) waited += step;
      if (waited >= patience) giveUp(new NotElevated({ kind: 'failed', message: l10n.t('The probe was not started within {0} seconds.', Math.round(patience / 1000)) }));
    }, step);
    const onStderr = (chunk: Buffer): void => {
      stderr = (stderr + chunk.toString('utf8')).slice(-longestStderr);
      if (startedLine.test(stderr)) { settle(); resolve(); }
    };
    const onExit = (status: number | null): void => { settle(); reject(new NotElevated(refusal(stderr, status))); };
    const onError = (error: Error): void => { settle(); reject(new NotElevated({ kind: 'failed', message: error.message })); };
    const onAbort = (): void => giveUp(new NotElevated({ kind: 'cancelled' }));
    const settle = (): void => {
      clearInterval(timer);
      child.stderr.off('data', onStderr);
      child.off('close', onExit);
      child.off('error', onError);
      signal.removeEventListener('abort', onAbort);
      // Whatever comes later (EPERM when it is killed) must not end the editor's process.
      child.on('error', () => undefined);
    };
    child.stdin.on('error', () => undefined);
    child.stderr.on('data', onStderr);
    child.once('close', onExit);
    child.once('error', onError);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/** The option by which a Node.js never opens a debugger's port on SIGUSR1, where it has it (22.14 and newer): our own handler comes a moment later. */
function deafTo(node: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const option = '--disable-sigusr1';
  return new Promise(resolve => {
    const child = spawn(node, [option, '--version'], { env, stdio: 'ignore', cwd: '/', detached: true, timeout: 5_000 });
    child.once('error', () => { resolve([]); });
    child.once('exit', status => { resolve(status === 0 ? [option] : []); });
  });
}

/** Forgets that this process has answered (sudo -k). Bounded, and not worth failing for. */
function forget(sudo: string, env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise(resolve => {
    const child = spawn(sudo, ['-k'], { env, stdio: 'ignore', cwd: '/', detached: true, timeout: 5_000 });
    child.once('error', () => { resolve(); });
    child.once('exit', () => { resolve(); });
  });
}

/** The native library of this machine and its loader: they run with the probe's rights. */
function nativeModules(extensionPath: string): string[] {
  const modules = path.join(extensionPath, 'node_modules');
  const binaries = readdirSync(path.join(modules, '@yuuang')).map(name => path.join(modules, '@yuuang', name));
  return [path.join(modules, 'ffi-rs', 'index.js'), ...binaries.flatMap(folder => readdirSync(folder).filter(file => file.endsWith('.node')).map(file => path.join(folder, file)))];
}

function refuseReplaceable(files: readonly string[]): void {
  for (const file of files) {
    const untrusted = whyUntrusted(file);
    if (untrusted !== undefined) throw new Error(l10n.t('Nothing is started with more rights that another user could replace: {0}', untrusted));
  }
}
