// `npm run test:desktop`: the same suite in a desktop VS Code, which @vscode/test-electron downloads. Where that is not
// possible (no network, no display, a distribution without its libraries) it says so in one line and fails nothing.
//   npm run test:desktop [-- VERSION]        VERSION: "stable" (default), "insiders" or a number such as 1.100.0
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { adapterStates, buildSuite } from '../integration/run.mjs';
import { find } from './debian.mjs';
import { prepareDemo } from './demo.mjs';
import { build, ensureDependencies } from './dependencies.mjs';
import { cache, debugAdapters, repository } from './places.mjs';
import { endAllMarked } from './processes.mjs';
import { Following } from './results.mjs';
import { clearOnSignal, endRun, runFolder } from './runs.mjs';

const version = process.argv[2] ?? 'stable';
clearOnSignal();

await ensureDependencies();
const { downloadAndUnzipVSCode, runTests, SilentReporter } = await import('@vscode/test-electron');

/** The reason on one line. */
const short = error => (error instanceof Error ? [error.message, error.cause?.message].filter(Boolean).join(': ') : String(error)).split('\n')[0];

let executable;
try {
  executable = await downloadAndUnzipVSCode({ version, cachePath: join(cache, 'desktop'), reporter: new SilentReporter(), timeout: 30_000 });
} catch (error) {
  console.log(`desktop VS Code (${version}) cannot be downloaded: ${short(error)}; its tests are skipped`);
  process.exit(0);
}

const xvfb = process.env.DISPLAY || process.env.WAYLAND_DISPLAY ? null : find('Xvfb');
if (!process.env.DISPLAY && !process.env.WAYLAND_DISPLAY && xvfb === null) {
  console.log('desktop VS Code needs a display and there is none (nor Xvfb, Debian: xvfb): its tests are skipped');
  process.exit(0);
}

await build();
const suite = await buildSuite();
const demo = await prepareDemo('demo-desktop');
mkdirSync(runFolder, { recursive: true });
const results = join(runFolder, 'desktop.jsonl');
rmSync(results, { force: true });
const following = new Following(results);
const timer = setInterval(() => following.look(), 200);
let why = 'VS Code ended before the suite did';
let display;
try {
  if (xvfb !== null) display = await startDisplay(xvfb);
  await runTests({
    vscodeExecutablePath: executable,
    extensionDevelopmentPath: [repository, debugAdapters],
    extensionTestsPath: suite,
    extensionTestsEnv: {
      IPC_INSPECTOR_RESULTS: results, IPC_INSPECTOR_DEMO: demo.folder, IPC_INSPECTOR_ADAPTERS: JSON.stringify(await adapterStates()),
      ...(display ? { DISPLAY: display.name } : {}),
    },
    launchArgs: [demo.folder, '--disable-workspace-trust', '--skip-welcome', '--skip-release-notes', '--disable-gpu',
      `--user-data-dir=${join(runFolder, 'data-desktop')}`, `--extensions-dir=${join(runFolder, 'data-desktop/extensions')}`, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
  });
} catch (error) {
  why = short(error); // Also when tests failed: then the results say which.
}
clearInterval(timer);
const tally = following.tally('desktop', why);
display?.stop();
await endAllMarked();
await demo.clean();
await endRun();
console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
process.exit(tally.failed > 0 ? 1 : 0);

/** Starts an X server in memory; it chooses a free display number itself and writes it to descriptor 3. */
async function startDisplay(program) {
  const { spawn } = await import('node:child_process');
  const child = spawn(program, ['-displayfd', '3', '-screen', '0', '1400x900x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const number = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', status => reject(new Error(`Xvfb ended with status ${status}`)));
    child.stdio[3].on('data', data => resolve(String(data).trim()));
  });
  return { name: `:${number}`, stop: () => child.kill() };
}
