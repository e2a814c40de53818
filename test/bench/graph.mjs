// How the analysis alone grows: graphs from 100,000 to 1,000,000 edges, pure, generated from a fixed seed. The fixpoint is linear in edges; so
// must be everything around it.
import { build } from 'esbuild';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { least, repository, scratch, table } from './measure.mjs';

/** A generator of numbers below 1 (mulberry32): the same graphs in every run. */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const wait = (pid, clauses) => ({ pid, tid: pid, threadComm: 'worker', operation: 'semop', verdict: 'waiting', evidence: [], clauses });
const alternative = pids => ({ event: 'unlock', threads: pids.map(pid => ({ pid, tid: pid })) });
const threadsOf = waits => new Map(waits.map(({ pid }) => [pid, [pid]]));

/** Shapes of graphs with about so many edges. */
const shapes = {
  /** Nobody runs: everybody waits for all of one and any of three others. */
  'random, all stuck': edges => {
    const draw = random(1);
    const nodes = Math.ceil(edges / 4);
    const other = () => 1 + Math.floor(draw() * nodes);
    return Array.from({ length: nodes }, (_, i) => wait(i + 1, [{ alternatives: [alternative([other()])] }, { alternatives: [alternative([other()]), alternative([other(), other()])] }]));
  },
  /** One in a hundred waits for the network: most go on, one after the other. */
  'random, most go on': edges => {
    const draw = random(2);
    const nodes = Math.ceil(edges / 4);
    const other = () => 1 + Math.floor(draw() * nodes);
    return Array.from({ length: nodes }, (_, i) => wait(i + 1, [{ alternatives: [alternative([other(), other(), other(), other()])], ...(draw() < 0.01 ? { external: 'the network' } : {}) }]));
  },
  /** The longest way that a release can take. */
  'a chain, freed from its end': edges => Array.from({ length: edges }, (_, i) => wait(i + 1, [i === 0 ? { alternatives: [], external: 'the network' } : { alternatives: [alternative([i])] }])),
  'one ring': edges => Array.from({ length: edges }, (_, i) => wait(i + 1, [{ alternatives: [alternative([(i + 1) % edges + 1])] }])),
  /** As many findings as there can be. */
  'rings of two': edges => Array.from({ length: edges }, (_, i) => wait(i + 1, [{ alternatives: [alternative([(i ^ 1) + 1])] }])),
  'everybody waits for everybody': edges => {
    const nodes = Math.round(Math.sqrt(edges));
    const everybody = Array.from({ length: nodes }, (_, i) => i + 1);
    return everybody.map(pid => wait(pid, [{ alternatives: [alternative(everybody)] }]));
  },
  /** All fixpoints and all verdicts: time limits, stops, gaps, the dead, thresholds, and processes named as a whole. */
  'random, of every sort': edges => {
    const draw = random(3);
    const nodes = Math.ceil(edges / 5);
    const other = () => 1 + Math.floor(draw() * nodes);
    const whole = () => ({ event: 'write', threads: [{ pid: other() }] });
    return Array.from({ length: nodes }, (_, i) => ({
      ...wait(i + 1, [
        { alternatives: draw() < 0.05 ? [] : [alternative([other()])], ...(draw() < 0.1 ? { gaps: [`gap:${i}`] } : {}) },
        { alternatives: [alternative([other()]), whole(), alternative([other(), other()])], ...(draw() < 0.3 ? { atLeast: 2 } : {}) },
      ]),
      ...(draw() < 0.2 ? { timeout: '5 s' } : {}), ...(draw() < 0.05 ? { stopped: true } : {}),
    }));
  },
};

const sizes = [100_000, 200_000, 500_000, 1_000_000];
const generous = { timeoutsFire: true, stoppedGoOn: true, gapsAct: true, orphansAct: true };

export async function graph() {
  const bundle = join(scratch, 'analysis.mjs');
  const contents = "export { judge } from './native-probe/analysis/deadlocks'; export { fixpoint } from './native-probe/analysis/fixpoint'; export { compileWaitGraph } from './native-probe/analysis/waitGraph';";
  await build({ stdin: { contents, resolveDir: repository, loader: 'ts' }, bundle: true, platform: 'node', format: 'esm', outfile: bundle, logLevel: 'error' });
  const { judge, compileWaitGraph, fixpoint } = await import(pathToFileURL(bundle).href);
  // Processor time (that of collecting garbage on other threads, too): what else runs on the machine changes nothing of it. And the clock's.
  const timed = (work, times = 5) => {
    const clock = [], processor = [];
    for (let i = 0; i < times; i++) {
      const begin = performance.now(), before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      processor.push((user + system) / 1000);
      clock.push(performance.now() - begin);
    }
    return { clock: least(clock), processor: least(processor) };
  };
  const rows = [];
  for (const [shape, make] of Object.entries(shapes)) {
    for (const size of sizes) {
      const waits = make(size);
      const threads = threadsOf(waits);
      const edges = waits.reduce((sum, { clauses }) => sum + clauses.reduce((all, { alternatives }) => all + alternatives.reduce((each, { threads: { length } }) => each + length, 0), 0), 0);
      const compiled = compileWaitGraph(waits, threads);
      const one = timed(() => fixpoint(compiled, generous));
      const compiling = timed(() => compileWaitGraph(waits, threads));
      const whole = timed(() => judge({ waits, threads, processes: [], objects: [] }));
      const milliseconds = ms => ms < 10 ? ms.toFixed(1) : ms.toFixed(0);
      rows.push([shape, edges.toLocaleString('en'), milliseconds(compiling.processor), milliseconds(one.processor), milliseconds(whole.processor), milliseconds(whole.clock), (whole.processor / edges * 1e6).toFixed(0)]);
      process.stderr.write(`${shape}, ${edges} edges: ${whole.processor.toFixed(0)} ms, ${whole.clock.toFixed(0)} by the clock\n`);
    }
  }
  table(['graph', 'edges', 'to build the graph (ms)', 'one fixpoint (ms)', 'verdicts and findings (ms)', 'by the clock (ms)', 'ns an edge'], rows);
}
