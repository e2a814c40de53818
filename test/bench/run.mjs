// `npm run bench`: makes a load and measures, in the same run, our snapshot (cold command, warm server, focused), the usual
// tools, and a C program that makes only the unavoidable reads. Prints a table of milliseconds and ratios.
//   npm run bench [-- growth]     growth: how cost grows from 100 to 2,000 processes; writes test/bench/growth.svg
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';

const here = dirname(fileURLToPath(import.meta.url));
const repository = join(here, '..', '..');
const probe = join(repository, 'dist', 'probe.js');
execFileSync('npm', ['run', '--silent', 'build'], { cwd: repository, stdio: 'inherit' });
const scratch = mkdtempSync(join(tmpdir(), 'ipc-inspector-bench-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const compile = name => {
  const program = join(scratch, name);
  execFileSync('cc', ['-O2', '-Wall', '-o', program, join(here, `${name}.c`)]);
  return program;
};
const [loadProgram, readsProgram] = [compile('load'), compile('reads')];

/** Starts a load; resolves when it is complete. */
async function startLoad(processes, descriptors, sysv) {
  const child = spawn(loadProgram, [processes, descriptors, sysv].map(String), { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { pid: child.pid, line, async stop() { child.stdin.end(); await once(child, 'exit'); } };
}

const median = values => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Wall-clock milliseconds of a command, its output thrown away; undefined when it is not there. */
function timeOf(command, args, times = 5) {
  const results = [];
  for (let i = 0; i < times; i++) {
    const begin = performance.now();
    const { error } = spawnSync(command, args, { stdio: 'ignore' });
    if (error) return undefined;
    results.push(performance.now() - begin);
  }
  return median(results);
}

async function warmServer(work) {
  const child = spawn(process.execPath, [probe, 'serve'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const connection = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
  connection.listen();
  await connection.sendRequest('initialize', { protocolVersion: 1, client: 'bench' });
  const ask = async (params, times) => {
    const results = [];
    let since;
    for (let i = 0; i < times; i++) {
      const begin = performance.now();
      const answer = await connection.sendRequest('snapshot', { ...params, since });
      results.push(performance.now() - begin);
      since = answer.serial;
    }
    return median(results.slice(1));
  };
  try {
    return await work(ask, () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024);
  } finally {
    connection.dispose();
    child.stdin.end();
    await once(child, 'exit');
  }
}

const passesOfReads = () => median(execFileSync(readsProgram, ['7'], { encoding: 'utf8' }).trim().split('\n').map(Number).slice(1));

async function compare() {
  const load = await startLoad(500, 50_000, 9_000);
  try {
    process.stderr.write(`load: ${load.line}\n`);
    const rows = [];
    const add = (what, ms) => { rows.push({ what, ms }); process.stderr.write(`${what}: ${ms?.toFixed(0)} ms\n`); };
    add('C program, only the unavoidable reads', passesOfReads());
    const memory = await warmServer(async (ask, peak) => {
      add('snapshot, warm server (deltas)', await ask({}, 8));
      add('snapshot of one process, warm server', await ask({ pids: [load.pid + 1] }, 12));
      const most = peak();
      add('snapshot with waits, warm server', await ask({ waits: true }, 4));
      return most;
    });
    add('ipc-probe snapshot --json (cold command)', timeOf(process.execPath, [probe, 'snapshot', '--json'], 3));
    for (const [command, ...args] of [['lsfd'], ['lsof', '-nP'], ['lslocks'], ['ss', '-xap']]) add([command, ...args].join(' '), timeOf(command, args, 3));
    add('lsipc -m, -q, -s', ['-m', '-q', '-s'].map(flag => timeOf('lsipc', [flag], 3)).reduce((a, b) => a === undefined || b === undefined ? undefined : a + b));
    const lsfd = rows.find(({ what }) => what === 'lsfd')?.ms;
    const reads = rows[0].ms;
    console.log('| what | ms | × the C program | lsfd ÷ this |\n| --- | ---: | ---: | ---: |');
    for (const { what, ms } of rows) console.log(`| ${what} | ${ms === undefined ? 'not installed' : ms.toFixed(0)} | ${ms === undefined ? '' : (ms / reads).toFixed(2)} | ${ms === undefined || lsfd === undefined ? '' : (lsfd / ms).toFixed(2)} |`);
    console.log(`\npeak memory of the warm server: ${memory.toFixed(0)} MB`);
  } finally {
    await load.stop();
  }
}

async function growth() {
  const points = [];
  for (const processes of [100, 200, 500, 1000, 2000]) {
    const load = await startLoad(processes, processes * 50, 300);
    try {
      const warm = await warmServer(ask => ask({}, 5));
      points.push({ processes, warm, reads: passesOfReads(), lsfd: timeOf('lsfd', [], 1) });
    } finally {
      await load.stop();
    }
  }
  console.log('| processes | snapshot, warm (ms) | C program (ms) | lsfd (ms) |\n| ---: | ---: | ---: | ---: |');
  for (const { processes, warm, reads, lsfd } of points) console.log(`| ${processes} | ${warm.toFixed(0)} | ${reads.toFixed(0)} | ${lsfd === undefined ? '' : lsfd.toFixed(0)} |`);
  writeFileSync(join(here, 'growth.svg'), picture(points));
}

/** The growth as lines over the number of processes. */
function picture(points) {
  const series = [['warm', '#1f77b4', 'snapshot, warm'], ['reads', '#2ca02c', 'C program'], ['lsfd', '#d62728', 'lsfd']];
  const most = Math.max(...points.flatMap(({ warm, reads, lsfd }) => [warm, reads, lsfd ?? 0]));
  const x = processes => 60 + processes / 2000 * 480;
  const y = ms => 260 - ms / most * 220;
  const lines = series.map(([key, colour, label], at) => `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${points.filter(point => point[key] !== undefined).map(point => `${x(point.processes).toFixed(1)},${y(point[key]).toFixed(1)}`).join(' ')}"/><text x="70" y="${40 + at * 16}" fill="${colour}">${label}</text>`);
  const ticks = points.map(({ processes }) => `<text x="${x(processes).toFixed(1)}" y="278" text-anchor="middle" fill="#888">${processes}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 300" font-family="sans-serif" font-size="12"><path d="M60 30V260H540" fill="none" stroke="#888"/>${ticks.join('')}<text x="300" y="296" text-anchor="middle" fill="#888">processes, 50 descriptors each</text><text x="55" y="34" text-anchor="end" fill="#888">${most.toFixed(0)} ms</text>${lines.join('')}</svg>\n`;
}

await (process.argv.includes('growth') ? growth() : compare());
