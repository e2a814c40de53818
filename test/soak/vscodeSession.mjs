// The workload VS Code: the workbench of the tests, served, with a page in Chromium that edits, searches and runs programs in a terminal.
import { ensureDependencies } from '../workbench/dependencies.mjs';
import { browserArguments, findBrowser } from '../workbench/browser.mjs';
import { prepareDemo } from '../workbench/demo.mjs';
import { openEditor } from '../workbench/editor.mjs';
import { installEditor } from '../workbench/install.mjs';
import { artifacts } from '../workbench/places.mjs';

export const name = 'vscode';

let browser;

export async function missing() {
  browser = await findBrowser();
  if (browser.path === null) return browser.why;
  try {
    await ensureDependencies();
    await installEditor();
    return undefined;
  } catch (error) {
    return `VS Code: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
  }
}

export async function start() {
  const { tsImport } = await import('tsx/esm/api');
  const { WorkbenchPage } = await tsImport('../workbench/page.ts', import.meta.url);
  const demo = await prepareDemo('demo-soak');
  const { served } = await openEditor(await installEditor(), { name: 'soak', settings: { 'terminal.integrated.gpuAcceleration': 'off' } });
  let page;
  let stopping = false;
  const stop = async () => {
    stopping = true;
    await page?.close().catch(() => undefined);
    await served.stop();
    await demo.clean();
  };
  try {
    page = await WorkbenchPage.open({ address: served.address(demo.folder), chromium: browser.path, browserArguments, demo: demo.folder, artifacts, adapters: {} });
  } catch (error) {
    await stop();
    throw error;
  }
  const driven = (async () => {
    for (let round = 0; !stopping; round++) {
      try {
        await work(page, round);
      } catch (error) {
        if (stopping) return;
        // A page that was slow is no finding: reload and go on.
        process.stderr.write(`  the page: ${error instanceof Error ? error.message.split('\n')[0] : error}\n`);
        await page.page.keyboard.press('Escape').catch(() => undefined);
        await new Promise(resolve => setTimeout(resolve, 1000));
      }
    }
  })();
  const over = Promise.race([driven, served.ended.then(reason => { if (!stopping) throw new Error(reason); })]);
  return { over, async stop() { await stop(); await driven; } };
}

/** What a person does, a little of everything that makes processes and threads wait. */
async function work(workbench, round) {
  const { page } = workbench;
  await workbench.openFile(round % 2 === 0 ? 'family.js' : 'names.js');
  await page.keyboard.press('Control+End');
  await page.keyboard.type(`\n// soak ${round}`);
  await page.keyboard.press('Control+Z');
  await page.waitForTimeout(500);
  await workbench.command('Terminal: Create New Terminal');
  await page.waitForTimeout(1500);
  await page.keyboard.type('find / -xdev -name "*.js" 2>/dev/null | head -2000 | sort | uniq -c | tail -3; sleep 2 | cat\n');
  await page.waitForTimeout(4000);
  await workbench.command('Search: Find in Files');
  await page.waitForTimeout(500);
  await page.keyboard.type('require');
  await page.waitForTimeout(2000);
  await workbench.command('Terminal: Kill All Terminals').catch(() => undefined);
  if (round % 4 === 3) await workbench.reload();
}
