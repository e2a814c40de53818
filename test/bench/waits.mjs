// What it costs to ask who waits for whom, of 2,000 threads that are blocked in a dozen kinds of calls.
import { compile, probe, startLoad, table, timeOf, warmServer } from './measure.mjs';

export async function waits() {
  const program = compile('waits', '-pthread');
  const rows = [];
  for (const [what, processes, threads, ...more] of [['100 processes of 20 threads', 100, 20], ['one process of 2,000 threads', 1, 2000], ['100 processes of 20 threads, two of them deadlocked', 100, 20, 'deadlocked']]) {
    const load = await startLoad(program, processes, threads, ...more);
    try {
      const [, first] = /^ready \d+ (\d+)/.exec(load.line).map(Number);
      rows.push(await warmServer(async (ask, peak, whole) => {
        const snapshot = await whole({ waits: true });
        const ours = new Set(snapshot.processes.filter(each => each.ppid === load.pid).map(each => each.pid));
        const seen = snapshot.waits.filter(wait => ours.has(wait.pid));
        // Without the load's own threads being understood, the figures would say nothing.
        if (seen.length < processes * threads) throw new Error(`of ${processes * threads} blocked threads ${seen.length} were understood`);
        const found = snapshot.findings.filter(finding => finding.threads.some(({ pid }) => ours.has(pid)));
        if ((found.length > 0) !== more.includes('deadlocked')) throw new Error(`${found.length} findings in ${what}`);
        const [plain, all, focused] = [await ask({}, 6), await ask({ waits: true }, 6), await ask({ waits: true, pids: [first] }, 6)];
        const cold = timeOf(process.execPath, [probe, 'waits', '--json'], 3);
        return [what, ...[plain, all, focused, cold].map(ms => ms.toFixed(0)), ((all - plain) / seen.length * 1000).toFixed(0), peak().toFixed(0)];
      }));
    } finally {
      await load.stop();
    }
  }
  table(['blocked threads', 'snapshot without waits (ms)', 'with all waits (ms)', 'with those of one process (ms)', 'cold command `waits` (ms)', 'µs a thread', 'peak memory (MB)'], rows);
}
