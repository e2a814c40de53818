// The demo as a person or a test uses it: a copy in the cache (it may be edited freely), C programs built where a
// compiler is, and its own clean-up. The copy lies inside the repository, so that Node finds ffi-rs there.
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { find } from './debian.mjs';
import { demoSource } from './places.mjs';
import { progress, run } from './processes.mjs';
import { runFolder, sweepRuns } from './runs.mjs';

/**
 * Copies and builds the demo.
 * @param {string} [name] name of the copy's folder in the folder of the run
 * @returns {Promise<{folder: string, withC: boolean, clean: () => Promise<string>}>} clean ends its processes and removes its objects, and says what it removed
 */
export async function prepareDemo(name = 'demo') {
  await sweepRuns();
  const folder = join(runFolder, name);
  const clean = async () => (existsSync(join(folder, 'stop.js')) ? run(process.execPath, [join(folder, 'stop.js')], { cwd: folder, quiet: true }) : '');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(demoSource, folder, { recursive: true });
  const withC = find('cc') !== null;
  if (withC) {
    await run(join(folder, 'c/build.sh'), [], { quiet: true });
  } else {
    progress('No C compiler: the demo runs in JavaScript only.');
  }
  return { folder, withC, clean };
}
