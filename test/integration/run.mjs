// The integration suites: inside the extension host of a served VS Code (extension from the working tree), and as a
// person at the page of one with the VSIX installed.
//   node test/integration/run.mjs [host] [page]        IPC_INSPECTOR_ONLY=text,text: only test files whose name contains one of these
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { browserArguments, findBrowser, launchBrowser } from '../workbench/browser.mjs';
import { ensureDebuggers } from '../workbench/debian.mjs';
import { prepareDemo } from '../workbench/demo.mjs';
import { build, ensureDependencies } from '../workbench/dependencies.mjs';
import { openEditor } from '../workbench/editor.mjs';
import { installEditor } from '../workbench/install.mjs';
import { mochaSuite } from '../workbench/mocha.mjs';
import { makeOrdinaryUser } from '../workbench/ordinaryUser.mjs';
import { packageExtension, packageForTests } from '../workbench/package.mjs';
import { artifacts, cache, debugAdapters, dist, repository } from '../workbench/places.mjs';
import { endAllMarked, progress, until } from '../workbench/processes.mjs';
import { add, Following } from '../workbench/results.mjs';
import { clearOnSignal, endRun, runFolder } from '../workbench/runs.mjs';

/** Bundles the suite: each test file for itself, mocha and VS Code from outside. */
export async function buildSuite() {
  const { build: bundle, stop } = await import('esbuild');
  const folder = join(repository, 'test/integration');
  const outdir = join(dist, 'test/integration');
  rmSync(outdir, { recursive: true, force: true });
  await bundle({
    absWorkingDir: repository, outdir, bundle: true, platform: 'node', format: 'cjs', target: 'node20', sourcemap: 'inline', logLevel: 'warning',
    entryPoints: ['index.ts', ...readdirSync(folder).filter(file => file.endsWith('.test.ts'))].map(file => join(folder, file)),
    external: ['vscode', 'mocha', 'ffi-rs'],
  });
  await stop(); // esbuild's service process would outlive the suite
  return join(outdir, 'index.js');
}

/** Which debug types can run here: 'ready', or why not. 'node' is built in. */
export async function adapterStates() {
  const { lldb, debugpy, delve, compiler } = await ensureDebuggers();
  const state = found => (found.path === null ? found.why : 'ready');
  return { node: 'ready', 'lldb-dap': state(lldb), debugpy: state(debugpy), delve: state(delve), cc: state(compiler) };
}

/**
 * Runs the integration suites.
 * @param {string[]} which 'host', 'page', or none for both
 * @returns {Promise<import('../workbench/results.mjs').Tally>}
 */
export async function integration(which = []) {
  const wants = suite => which.length === 0 || which.includes(suite);
  const browser = await findBrowser();
  if (browser.path === null) return skipAll(browser.why);
  let editor;
  try {
    editor = await installEditor();
  } catch (error) {
    return skipAll(error instanceof Error ? error.message.split('\n')[0] : String(error));
  }
  mkdirSync(artifacts, { recursive: true });
  const adapters = await adapterStates();
  for (const [type, state] of Object.entries(adapters)) if (state !== 'ready') progress(`${type}: ${state}`);
  const adapterVsix = await packageForTests(debugAdapters);
  const setting = { editor, browser, adapters, adapterVsix };
  return add(...[
    wants('page') ? await pageSuite(setting) : null,
    wants('host') ? await hostSuite(setting) : null,
  ].filter(tally => tally !== null));
}

/** The suite inside the extension host. The page only carries it; the results come through a file. */
async function hostSuite({ editor, browser, adapters, adapterVsix }) {
  console.log('\nintegration, in the extension host');
  await build();
  const suite = await buildSuite();
  const results = join(runFolder, 'host.jsonl');
  const demo = await prepareDemo('demo-host');
  const { served } = await openEditor(editor, {
    name: 'host', vsix: [adapterVsix], tests: true,
    env: { IPC_INSPECTOR_RESULTS: results, IPC_INSPECTOR_ADAPTERS: JSON.stringify(adapters), IPC_INSPECTOR_DEMO: demo.folder },
  });
  const following = new Following(results);
  const window = await launchBrowser(browser.path);
  const said = [];
  try {
    const page = await window.newPage({ viewport: { width: 1400, height: 900 } });
    let exit;
    await page.exposeFunction('codeAutomationLog', (type, args) => said.push(`${type}: ${args.map(String).join(' ')}`));
    await page.exposeFunction('codeAutomationExit', code => { exit = code; });
    await page.goto(served.address(demo.folder, [
      ['extensionDevelopmentPath', served.uri(repository)], ['extensionTestsPath', served.uri(suite)], ['skipWelcome', 'true'],
    ]));
    let quietSince = Date.now();
    let seen = 0;
    await until(() => {
      following.look();
      if (following.events.length > seen) [seen, quietSince] = [following.events.length, Date.now()];
      // A test may take long, but three minutes without any is a hang.
      if (Date.now() - quietSince > 180_000) throw new Error(`nothing happened for three minutes; ${artifacts} may tell why`);
      return exit !== undefined;
    }, 15 * 60_000, 'the suite in the extension host to end');
    const tally = following.tally('integration in the extension host', `the extension host ended with ${exit} before the suite did`);
    if (tally.failed > 0) {
      await page.screenshot({ path: join(artifacts, 'host.png') });
      copyFileSync(served.log, join(artifacts, 'host-server.log'));
    }
    if (!following.events.some(event => event.event === 'end')) for (const text of said.slice(-30)) console.log(`      ${text}`);
    return tally;
  } catch (error) {
    await window.contexts()[0]?.pages()[0]?.screenshot({ path: join(artifacts, 'host.png') });
    copyFileSync(served.log, join(artifacts, 'host-server.log'));
    for (const text of said.slice(-30)) console.log(`      ${text}`);
    return following.tally('integration in the extension host', error instanceof Error ? error.message : String(error));
  } finally {
    await window.close();
    await served.stop();
    await demo.clean();
  }
}

/** The tests that drive the page, in Node, against the installed VSIX. */
async function pageSuite({ editor, browser, adapters, adapterVsix }) {
  console.log('\nintegration, at the page');
  const files = readdirSync(join(repository, 'test/integration/page')).filter(file => file.endsWith('.test.ts'))
    .filter(file => !process.env.IPC_INSPECTOR_ONLY || process.env.IPC_INSPECTOR_ONLY.split(',').some(text => file.includes(text))).map(file => `test/integration/page/${file}`);
  const vsix = await packageExtension(join(cache, 'ipc-inspector.vsix'));
  progress(`VSIX: ${(vsix.bytes / 1024).toFixed(0)} KiB`);
  const demo = await prepareDemo('demo-page');
  const { served } = await openEditor(editor, {
    name: 'page', vsix: [vsix.path, adapterVsix],
    // Backups of what the tests remove go away with the window's data.
    env: { XDG_STATE_HOME: join(cache, 'data-page', 'state') },
  });
  let ordinary = { why: 'no test of it runs' };
  try {
    if (files.some(file => /\/(?:rights|debuggerRights)\.test\.ts$/.test(file))) ordinary = await ordinaryEditor(editor, vsix.path, adapterVsix);
    const prepared = { address: served.address(demo.folder), chromium: browser.path, browserArguments, demo: demo.folder, artifacts, adapters, ordinary: ordinary.told ?? { why: ordinary.why } };
    return await mochaSuite('integration at the page', files, { env: { IPC_INSPECTOR_WORKBENCH: JSON.stringify(prepared) }, timeout: 120_000, limit: 14 * 60_000, retries: 2 }); // a page that is still moving may take a click: the claim is tried again
  } finally {
    await ordinary.stop?.();
    await served.stop();
    await demo.clean();
  }
}

/** A VS Code of an ordinary user, who needs a password to become root, but not for the debugger lldb-dap, and whose editor has no language models; or why there is none. */
async function ordinaryEditor(editor, vsix, adapterVsix) {
  const { lldb } = await ensureDebuggers();
  const user = await makeOrdinaryUser([editor.node, editor.server, vsix, adapterVsix], lldb.path === null ? [] : [lldb.path]);
  if (user.why !== undefined) return user;
  try {
    const { served, data } = await openEditor(editor, { name: 'ordinary', vsix: [vsix, adapterVsix], user, env: { IPC_INSPECTOR_WITHOUT_LM: '1', ...(lldb.path === null ? {} : { IPC_INSPECTOR_LLDB_DAP: join(user.bin, basename(lldb.path)) }) } });
    const { name, uid, password, home } = user;
    return { told: { address: served.address(home), name, uid, password, home, data }, stop: () => served.stop().finally(user.remove) };
  } catch (error) {
    await user.remove();
    throw error;
  }
}

/** Without a VS Code or a browser each test file is skipped by name. */
function skipAll(why) {
  const files = ['', 'page/'].flatMap(sub => readdirSync(join(repository, 'test/integration', sub)).filter(file => file.endsWith('.test.ts')).map(file => `integration/${sub}${file}`));
  for (const file of files) console.log(`  - ${file}\n      skipped: ${why}`);
  return { passed: 0, failed: 0, skipped: files.length };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  clearOnSignal();
  await ensureDependencies();
  const tally = await integration(process.argv.slice(2));
  await endAllMarked();
  await endRun();
  console.log(`\n${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
  process.exitCode = tally.failed > 0 ? 1 : 0;
}
