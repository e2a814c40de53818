// A folder of its own for each run: .vscode-test/runs/PID. Two runs in one work tree (somebody tests while the workbench
// is open) then share neither a window's data, nor a demo, whose keys are made of its path, nor results.
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from './places.mjs';
import { endAllMarked, run } from './processes.mjs';

const all = join(cache, 'runs');

/** The folder of this run. It is made by use and removed by endRun(). */
export const runFolder = join(all, String(process.pid));

/** Ends a run's demos and removes their objects, which only their folders still name; then removes its folder. */
async function clear(folder) {
  for (const entry of existsSync(folder) ? readdirSync(folder) : []) {
    const stop = join(folder, entry, 'stop.js');
    if (existsSync(stop)) await run(process.execPath, [stop], { quiet: true });
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/** Clears up after this run. Its servers and browsers have ended. */
export function endRun() {
  return clear(runFolder);
}

/** Clears up after runs that were killed. */
export async function sweepRuns() {
  mkdirSync(all, { recursive: true });
  for (const pid of readdirSync(all)) if (!existsSync(`/proc/${pid}`)) await clear(join(all, pid));
}

/** On Ctrl+C and the like: ends what the run started, clears up, and exits with 130. */
export function clearOnSignal() {
  let once;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      once ??= endAllMarked().then(endRun).finally(() => process.exit(130));
    });
  }
}
