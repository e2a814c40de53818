// The workload VS Code: the workbench of the tests, served, with a page in Chromium that edits, searches and runs programs in a terminal.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDependencies } from '../workbench/dependencies.mjs';
import { browserArguments, findBrowser } from '../workbench/browser.mjs';
import { openEditor } from '../workbench/editor.mjs';
import { installEditor } from '../workbench/install.mjs';
import { artifacts } from '../workbench/places.mjs';

export const name = 'vscode';

let browser;
const files = ['first.js', 'second.js'];

export async function missing() {
  browser = await findBrowser();
  if (browser.path === null) return browser.why;
  try {
    await ensureDependencies();
    await installEditor();
    return undefined;
  } catch (error) {
    return `VS Code: ${error instanceof Error ? error.message.split('\n').slice(0, 4).join(' ') : error}`;
  }
}

export async function start({ scratch }) {
  const { tsImport } = await import('tsx/esm/api');
  const { WorkbenchPage } = await tsImport('../workbench/page.ts', import.meta.url);
  // A folder of its own: a served VS Code saves by itself what is typed.
  const folder = join(scratch, 'folder');
  mkdirSync(folder);
  for (const name of files) writeFileSync(join(folder, name), `// ${name}\n${Array.from({ length: 200 }, (_, i) => `export function value${i}() { return require('node:os').uptime() + ${i}; }`).join('\n')}\n`);
  const { served } = await openEditor(await installEditor(), { name: 'soak', settings: { 'terminal.integrated.gpuAcceleration': 'off' } });
  let page;
  let stopping = false;
  const stop = async () => {
    stopping = true;
    await page?.close().catch(() => undefined);
    await served.stop();
  };
  try {
    page = await WorkbenchPage.open({ address: served.address(folder), chromium: browser.path, browserArguments, demo: folder, artifacts, adapters: {} });
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
        process.stderr.write(`  the page: ${error instanceof Error ? error.message.split('\n').slice(0, 4).join(' ') : error}\n`);
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
  await workbench.openFile(files[round % files.length]);
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
