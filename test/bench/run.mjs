// `npm run bench`: makes a load and measures, in the same run, our snapshot (cold command, warm server, focused), the usual
// tools, and a C program that makes only the unavoidable reads. Prints tables of milliseconds and ratios.
//   npm run bench [-- snapshot|growth|waits|graph|all]     growth: how cost grows from 100 to 2,000 processes; writes test/bench/growth.svg
//   waits: all waits of 2,000 blocked threads      graph: the analysis alone, on up to a million edges
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { graph } from './graph.mjs';
import { build, compile, here, least, load as loadAverage, probe, startLoad, table, timeOf, timesOf, warmServer } from './measure.mjs';
import { waits } from './waits.mjs';

let programs;
const compiled = () => programs ??= { load: compile('load'), reads: compile('reads') };
const passesOfReads = () => {
  const passes = execFileSync(compiled().reads, ['9'], { encoding: 'utf8' }).trim().split('\n').map(line => line.split(' ').map(Number)).slice(1);
  return { clock: least(passes.map(([clock]) => clock)), processor: least(passes.map(([, processor]) => processor)) };
};

async function compare() {
  const load = await startLoad(compiled().load, 500, 50_000, 9_000);
  try {
    process.stderr.write(`load: ${load.line}\n`);
    const rows = [];
    const add = (what, times) => { rows.push({ what, ms: times?.clock, processor: times?.processor }); process.stderr.write(`${what}: ${times?.clock.toFixed(0)} ms, ${times?.processor.toFixed(0)} of the processor\n`); };
    add('C program, only the unavoidable reads', passesOfReads());
    const memory = await warmServer(async (ask, peak, whole, measure) => {
      add('snapshot, warm server (deltas)', await measure({}, 15));
      add('snapshot of one process, warm server', await measure({ pids: [load.pid + 1] }, 40));
      const most = peak();
      add('snapshot with waits, warm server', await measure({ waits: true }, 6));
      return most;
    });
    add('ipc-probe snapshot --json (cold command)', timesOf(process.execPath, [probe, 'snapshot', '--json'], 3));
    for (const [command, ...args] of [['lsfd'], ['lsof', '-nP'], ['lslocks'], ['ss', '-xap']]) add([command, ...args].join(' '), timesOf(command, args, 3));
    add('lsipc -m, -q, -s', ['-m', '-q', '-s'].map(flag => timesOf('lsipc', [flag], 3)).reduce((a, b) => a === undefined || b === undefined ? undefined : { clock: a.clock + b.clock, processor: a.processor + b.processor }));
    const lsfd = rows.find(({ what }) => what === 'lsfd')?.ms;
    const [reads] = rows;
    const cells = ({ what, ms, processor }) => [what, ms.toFixed(0), (ms / reads.ms).toFixed(2), lsfd === undefined ? '' : (lsfd / ms).toFixed(2), processor.toFixed(0), (processor / reads.processor).toFixed(2)];
    table(['what', 'ms', '× the C program', 'lsfd ÷ this', 'ms of the processor', '× the C program'], rows.map(row => row.ms === undefined ? [row.what, 'not installed', '', '', '', ''] : cells(row)));
    console.log(`\npeak memory of the warm server: ${memory.toFixed(0)} MB`);
  } finally {
    await load.stop();
  }
}

async function growth() {
  const points = [];
  for (const processes of [100, 200, 500, 1000, 2000]) {
    const load = await startLoad(compiled().load, processes, processes * 50, 300);
    try {
      const warm = await warmServer(ask => ask({}, 5));
      points.push({ processes, warm, reads: passesOfReads().clock, lsfd: timeOf('lsfd', [], 1) });
    } finally {
      await load.stop();
    }
  }
  table(['processes', 'snapshot, warm (ms)', 'C program (ms)', 'lsfd (ms)'], points.map(({ processes, warm, reads, lsfd }) => [processes, warm.toFixed(0), reads.toFixed(0), lsfd === undefined ? '' : lsfd.toFixed(0)]));
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

const measurements = { snapshot: compare, growth, waits, graph };
const asked = process.argv.slice(2);
const unknown = asked.filter(name => name !== 'all' && !Object.hasOwn(measurements, name));
if (unknown.length > 0) {
  console.error(`unknown measurement ${unknown.join(', ')}; there are ${Object.keys(measurements).join(', ')}, all`);
  process.exit(2);
}
const chosen = asked.includes('all') ? Object.keys(measurements) : asked.length === 0 ? ['snapshot'] : asked;
if (chosen.some(name => name !== 'graph')) build();
for (const name of chosen) {
  const before = loadAverage();
  await measurements[name]();
  console.log(`\n${name}: load average ${before} before, ${loadAverage()} after`);
}
