// Runs the real probe and real C programs for the tests, as root or as an ordinary user, and cleans up after them.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { accessSync, chmodSync, constants, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import type { Snapshot } from '../../native-probe/model';

const repository = resolve(__dirname, '..', '..');
export const isRoot = process.geteuid?.() === 0;
/** nobody: the ordinary user of these tests. Needs root to become. */
export const ordinaryUser = 65534;

let scratch: string | undefined;
/** A folder of this test run that every user may read; removed at exit. */
export function scratchDirectory(): string {
  if (scratch === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'ipc-inspector-test-'));
    chmodSync(made, 0o755);
    process.once('exit', () => { rmSync(made, { recursive: true, force: true }); });
    scratch = made;
  }
  return scratch;
}

let probeFile: string | undefined;
/** The built probe with its native module, where another user may read it whatever the repository's permissions. */
export function probePath(): string {
  if (probeFile === undefined) {
    const directory = join(scratchDirectory(), 'probe');
    mkdirSync(join(directory, 'node_modules'), { recursive: true });
    cpSync(join(repository, 'dist', 'probe.js'), join(directory, 'probe.js'));
    for (const name of ['ffi-rs', '@yuuang']) cpSync(join(repository, 'node_modules', name), join(directory, 'node_modules', name), { recursive: true });
    probeFile = join(directory, 'probe.js');
  }
  return probeFile;
}

export interface Outcome { readonly status: number | null; readonly stdout: string; readonly stderr: string }

/** Command and arguments that run something as a user. */
export function as(user: number | undefined, command: string, args: readonly string[]): [string, string[]] {
  return user === undefined || user === process.geteuid?.() ? [command, [...args]] : ['setpriv', [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', command, ...args]];
}

/** Whether tests may become another user: root, setpriv, and a Node that others may run. */
export function canBecomeOrdinary(): boolean {
  if (!isRoot || spawnSync('setpriv', ['--version']).status !== 0) return false;
  return spawnSync(...as(ordinaryUser, process.execPath, ['--version'])).status === 0;
}

/** Runs a verb of the command line to its end. */
export function ipcProbe(args: readonly string[], options: { user?: number; input?: string; env?: NodeJS.ProcessEnv } = {}): Outcome {
  const [command, words] = as(options.user, process.execPath, [probePath(), ...args]);
  const { status, stdout, stderr } = spawnSync(command, words, { encoding: 'utf8', maxBuffer: 1 << 30, env: options.env ?? { ...process.env, HOME: scratchDirectory() }, ...(options.input === undefined ? {} : { input: options.input }) });
  return { status, stdout, stderr };
}

/** `snapshot --json`. */
export function snapshotOf(args: readonly string[] = [], options: { user?: number } = {}): Snapshot {
  const { status, stdout, stderr } = ipcProbe(['snapshot', '--json', ...args], options);
  if (status !== 0) throw new Error(`snapshot failed (${status}): ${stderr}`);
  return JSON.parse(stdout) as Snapshot;
}

export function hasCompiler(): boolean {
  return ['cc', 'gcc', 'clang'].some(name => spawnSync(name, ['--version']).status === 0);
}

/** Compiles test/fixtures/NAME.c once; the path of the program. */
export function fixture(name: string, flags: readonly string[] = []): string {
  const program = join(scratchDirectory(), [name, ...flags].join('').replace(/[^\w-]/g, '_'));
  if (!existsSync(program)) execFileSync('cc', ['-O0', '-g', '-pthread', '-Wall', '-Werror', ...flags, '-o', program, join(repository, 'test', 'fixtures', `${name}.c`), '-lrt']);
  accessSync(program, constants.X_OK);
  return program;
}

/** A running program that answers in lines; killed by {@link stopAll} at the latest. */
export class Program {
  private static readonly running = new Set<Program>();
  private readonly lines: string[] = [];
  private readonly waiting: ((line: string | undefined) => void)[] = [];
  private readonly reader: Interface;
  private ended = false;
  readonly exited: Promise<number | null>;
  private constructor(private readonly child: ChildProcess) {
    Program.running.add(this);
    if (!child.stdout) throw new Error('no standard output');
    this.reader = createInterface({ input: child.stdout });
    this.reader.on('line', line => { const next = this.waiting.shift(); if (next) next(line); else this.lines.push(line); });
    this.exited = new Promise(done => { child.once('exit', status => { Program.running.delete(this); done(status); }); });
    this.reader.once('close', () => { this.ended = true; for (const next of this.waiting.splice(0)) next(undefined); });
  }

  static start(path: string, args: readonly string[] = [], options: { user?: number; env?: NodeJS.ProcessEnv } = {}): Program {
    const [command, words] = as(options.user, path, args);
    return new Program(spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'], ...(options.env ? { env: options.env } : {}) }));
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the program did not start');
    return this.child.pid;
  }

  /** The next line it prints. */
  async line(): Promise<string> {
    const line = this.lines.shift() ?? (this.ended ? undefined : await new Promise<string | undefined>(next => { this.waiting.push(next); }));
    if (line === undefined) throw new Error('the program ended before it said what was expected');
    return line;
  }

  tell(line: string): void { this.child.stdin?.write(`${line}\n`); }

  /** Ends its standard input. */
  end(): void { this.child.stdin?.end(); }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.child.kill(signal);
    await this.exited;
  }

  static async stopAll(): Promise<void> {
    await Promise.all([...Program.running].map(program => program.stop()));
  }
}

/** Waits until a condition holds, looking again and again; fails after the limit. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, limitMs = 20_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!await condition()) {
    if (Date.now() > end) throw new Error(`timed out waiting until ${what}`);
    await new Promise(next => setTimeout(next, 20));
  }
}
