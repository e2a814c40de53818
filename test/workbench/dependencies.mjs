// What a fresh clone lacks: the npm packages. Imports nothing but Node, because it runs before they are there.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { repository } from './places.mjs';
import { progress, run } from './processes.mjs';

/** Runs `npm ci` where node_modules is absent or not what package-lock.json says. */
export async function ensureDependencies() {
  const lock = readFileSync(join(repository, 'package-lock.json'));
  const wanted = createHash('sha256').update(lock).digest('hex');
  const stamp = join(repository, 'node_modules/.ipc-inspector-lock');
  const installed = join(repository, 'node_modules/.package-lock.json');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  if (existsSync(installed) && agrees(JSON.parse(lock.toString()), JSON.parse(readFileSync(installed, 'utf8')))) {
    writeFileSync(stamp, wanted); // A person's own `npm install`.
    return;
  }
  progress('Installing the npm packages of package-lock.json …');
  await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: repository, quiet: true });
  writeFileSync(stamp, wanted);
}

/** Whether every package of the lock file that is not for another platform is installed in the version it says. */
function agrees(lock, installed) {
  return Object.entries(lock.packages).every(([path, { version, optional }]) => path === '' || (installed.packages[path] ? installed.packages[path].version === version : optional === true));
}

/** Bundles the extension, the probe and the webviews. */
export async function build({ production = false } = {}) {
  await run(process.execPath, ['esbuild.config.mjs', ...(production ? ['--production'] : [])], { cwd: repository, quiet: true });
}
