// `npm test`: on a fresh clone everything from the packages to the last integration test; ends with one line of sums.
//   npm test                       all            npm test -- unit probe        only these
// Each of build, lint and types counts as one check, and so does "nothing is left behind".
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureProbeTools } from './workbench/debian.mjs';
import { build, ensureDependencies } from './workbench/dependencies.mjs';
import { integration } from './integration/run.mjs';
import { ipcObjects, leftBehind } from './workbench/leftovers.mjs';
import { mochaSuite } from './workbench/mocha.mjs';
import { repository } from './workbench/places.mjs';
import { endAllMarked, marked, run, until } from './workbench/processes.mjs';
import { add } from './workbench/results.mjs';
import { clearOnSignal, endRun } from './workbench/runs.mjs';

/** One check that is not made of tests: passes unless the action throws. */
async function check(name, action) {
  try {
    await action();
    console.log(`  ✓ ${name}`);
    return { passed: 1, failed: 0, skipped: 0 };
  } catch (error) {
    console.log(`  ✗ ${name}\n${error instanceof Error ? error.message : error}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

const node = (...args) => run(process.execPath, args, { cwd: repository, quiet: true });
const tests = suite => readdirSync(join(repository, 'test', suite)).filter(file => file.endsWith('.test.ts')).sort().map(file => `test/${suite}/${file}`);
const inNode = (suite, timeout) => () => {
  console.log(`\n${suite}`);
  return mochaSuite(suite, tests(suite), { timeout });
};

const typescript = 'node_modules/typescript/bin/tsc';
/** Name → what it does. Lint and types are slow and independent: they run side by side. */
const suites = {
  build: () => check('build', () => build()),
  lint: () => check('lint', () => node('node_modules/eslint/bin/eslint.js', '.')),
  types: () => check('types', async () => {
    for (const project of ['tsconfig.json', 'tsconfig.webview.json', 'test/webview/tsconfig.json']) await node(typescript, '-p', project, '--noEmit');
  }),
  unit: inNode('unit', 10_000),
  probe: async () => {
    await ensureProbeTools();
    return inNode('probe', 60_000)();
  },
  webview: inNode('webview', 60_000),
  integration: () => integration(),
};
const parts = { page: () => integration(['page']), host: () => integration(['host']) };

const asked = process.argv.slice(2);
const unknown = asked.filter(name => !Object.hasOwn(suites, name) && !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  console.error(`unknown suite ${unknown.join(', ')}; there are ${[...Object.keys(suites), ...Object.keys(parts)].join(', ')} (the last two are the halves of integration)`);
  process.exit(2);
}
const chosen = asked.length === 0 ? Object.keys(suites) : ['build', ...asked.filter(name => name !== 'build')];

clearOnSignal();

const started = Date.now();
const before = await ipcObjects();
const tallies = [];
try {
  await ensureDependencies();
  console.log('\nchecks');
  const checks = chosen.filter(name => name === 'lint' || name === 'types');
  if (chosen.includes('build')) tallies.push(await suites.build());
  tallies.push(...await Promise.all(checks.map(name => suites[name]())));
  for (const name of chosen.filter(name => name !== 'build' && !checks.includes(name))) {
    const suite = suites[name] ?? parts[name];
    const began = Date.now();
    try {
      tallies.push(await suite());
    } catch (error) {
      // The suite could not even start: that is its failure, and the others still run.
      console.log(`  ✗ ${name}: ${error instanceof Error ? error.stack : error}`);
      tallies.push({ passed: 0, failed: 1, skipped: 0 });
    }
    console.log(`  ${name}: ${((Date.now() - began) / 1000).toFixed(0)} s`);
  }
} catch (error) {
  console.log(`  ✗ ${error instanceof Error ? error.message : error}`);
  tallies.push({ passed: 0, failed: 1, skipped: 0 });
}

console.log('\nafterwards');
tallies.push(await check('nothing is left behind', async () => {
  // What was told to end may take a moment.
  await until(() => marked().length === 0, 5000, 'processes').catch(() => undefined);
  const processes = marked().map(({ pid, command }) => `process ${pid}: ${command.slice(0, 200)}`);
  await endAllMarked();
  await endRun();
  const after = await ipcObjects();
  for (const what of after.unseen) console.log(`    not looked at: ${what}`);
  const left = [...processes, ...leftBehind(before.objects, after.objects)];
  if (left.length > 0) throw new Error(left.map(what => `      left behind: ${what}`).join('\n'));
}));

const { passed, failed, skipped } = add(...tallies);
console.log(`\n${((Date.now() - started) / 1000).toFixed(0)} s`);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 ? 1 : 0);
