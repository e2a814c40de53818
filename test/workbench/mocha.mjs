// Runs a suite of TypeScript tests in Node: mocha with tsx, results through reporter.cjs.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './places.mjs';
import { Following } from './results.mjs';
import { runFolder } from './runs.mjs';

/**
 * @param {string} name for messages and the result file
 * @param {string[]} files test files, relative to the repository
 * @param {{env?: Record<string, string>, timeout?: number, limit?: number, retries?: number}} [options] timeout of one test and limit of the whole suite, in milliseconds
 * @returns {Promise<import('./results.mjs').Tally>}
 */
export async function mochaSuite(name, files, options = {}) {
  const results = join(runFolder, `${name.replace(/\W+/g, '-')}.jsonl`);
  mkdirSync(runFolder, { recursive: true });
  rmSync(results, { force: true });
  const following = new Following(results);
  if (files.length === 0) {
    console.log(`  ✗ ${name}: there are no test files`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const child = spawn(process.execPath, [
    '--import', 'tsx', join(repository, 'node_modules/mocha/bin/mocha.js'),
    '--reporter', join(repository, 'test/workbench/reporter.cjs'), '--timeout', String(options.timeout ?? 20_000), '--retries', String(options.retries ?? 0), '--exit', ...files,
  ], { cwd: repository, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...options.env, IPC_INSPECTOR_RESULTS: results } });
  const timer = setInterval(() => following.look(), 200);
  // A synchronous call that never returns escapes mocha's own time-outs.
  const watchdog = setTimeout(() => child.kill('SIGKILL'), options.limit ?? 10 * 60_000);
  const status = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(signal ?? `status ${code}`));
  });
  clearInterval(timer);
  clearTimeout(watchdog);
  return following.tally(name, `mocha ended with ${status}`);
}
