// What all measurements share: loads, the least of several times, a warm server. Everything that is started is ended, and the scratch folder removed.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';

export const here = dirname(fileURLToPath(import.meta.url));
export const repository = join(here, '..', '..');
export const probe = process.env.IPC_INSPECTOR_PROBE ?? join(repository, 'dist', 'probe.js');
export const scratch = mkdtempSync(join(tmpdir(), 'ipc-inspector-bench-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** Builds the probe, unless IPC_INSPECTOR_PROBE names one. */
export function build() {
  if (process.env.IPC_INSPECTOR_PROBE === undefined) execFileSync('npm', ['run', '--silent', 'build'], { cwd: repository, stdio: 'inherit' });
}

/** Compiles NAME.c of this folder and returns the program's path. */
export function compile(name, ...flags) {
  const program = join(scratch, name);
  execFileSync('cc', ['-O2', '-Wall', ...flags, '-o', program, join(here, `${name}.c`)]);
  return program;
}

/** Starts a load; resolves when it is complete, with the line that it prints then. */
export async function startLoad(program, ...args) {
  const child = spawn(program, args.map(String), { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), once(child, 'exit').then(() => { throw new Error(`${program} could not make its load`); })]);
  return { pid: child.pid, line, async stop() { child.stdin.end(); if (child.exitCode === null && child.signalCode === null) await once(child, 'exit'); } };
}

/** The fastest of several: what else runs on the machine only ever adds. */
export const least = values => Math.min(...values);
export const median = values => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** The load average of the last minute: what figures are worth. */
export const load = () => loadavg()[0].toFixed(1);

/** Milliseconds of the processor that the ended children of this process have had (in ticks of 10 ms; proc(5), cutime and cstime). */
function ofChildren() {
  const [user, system] = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ').slice(13, 15).map(Number);
  return (user + system) * 10;
}

/** The least milliseconds of a command, its output thrown away: of the clock, and of the processor; undefined when it is not there. */
export function timesOf(command, args, times = 5) {
  const clock = [], processor = [];
  for (let i = 0; i < times; i++) {
    const begin = performance.now(), before = ofChildren();
    const { error } = spawnSync(command, args, { stdio: 'ignore' });
    if (error) return undefined;
    clock.push(performance.now() - begin);
    processor.push(ofChildren() - before);
  }
  return { clock: least(clock), processor: least(processor) };
}

/** The same, of the clock alone. */
export const timeOf = (command, args, times) => timesOf(command, args, times)?.clock;

/** Milliseconds of the processor that all threads of a process have had. */
function ofProcess(pid) {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, tid) => sum + Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]), 0) / 1e6;
}

/** Runs `work` beside a warm server. `ask`: least milliseconds of a request after the first; `measure`: the same, of clock and processor; `whole`: one answer; `peak`: the server's most memory in MB. */
export async function warmServer(work) {
  const child = spawn(process.execPath, [probe, 'serve'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const connection = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
  connection.listen();
  await connection.sendRequest('initialize', { protocolVersion: 1, client: 'bench' });
  const measure = async (params, times) => {
    const clock = [], processor = [];
    let since;
    for (let i = 0; i < times; i++) {
      const begin = performance.now(), before = ofProcess(child.pid);
      const answer = await connection.sendRequest('snapshot', { ...params, since });
      clock.push(performance.now() - begin);
      processor.push(ofProcess(child.pid) - before);
      since = answer.serial;
    }
    return { clock: least(clock.slice(1)), processor: least(processor.slice(1)) };
  };
  const ask = async (params, times) => (await measure(params, times)).clock;
  const whole = async params => (await connection.sendRequest('snapshot', params)).snapshot;
  try {
    return await work(ask, () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024, whole, measure);
  } finally {
    connection.dispose();
    child.stdin.end();
    await once(child, 'exit');
  }
}

/** Prints a table in Markdown. */
export function table(columns, rows) {
  console.log(`\n| ${columns.join(' | ')} |\n| ${columns.map((_, i) => i === 0 ? '---' : '---:').join(' | ')} |`);
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
}
