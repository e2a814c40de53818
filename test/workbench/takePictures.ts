// The pictures themselves: what a person does to see each, and the moment to take it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { PreparedWorkbench } from './page';
import { WorkbenchPage } from './page';

/**
 * Renders media/ipc.svg, which VS Code tints by itself in the activity bar, as the 256 px icon of the extension's page.
 * @param executable the browser
 * @param media the folder with ipc.svg, where icon.png goes
 */
export async function takeIcon(executable: string, media: string): Promise<void> {
  const browser = await chromium.launch({ executablePath: executable, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const page = await browser.newPage({ viewport: { width: 256, height: 256 } });
    const svg = readFileSync(join(media, 'ipc.svg'), 'utf8').replace('width="24" height="24"', 'width="176" height="176"');
    await page.setContent(`<body style="margin:0;background:transparent"><div style="width:256px;height:256px;border-radius:48px;background:linear-gradient(160deg,#1f6fb2,#123a63);display:grid;place-items:center">${svg}</div></body>`);
    await page.screenshot({ path: join(media, 'icon.png'), omitBackground: true });
  } finally {
    await browser.close();
  }
}

/**
 * Takes all pictures in one theme.
 * @param prepared a workbench whose settings name the theme
 * @param theme for the files' names
 * @param folder where they go
 */
export async function takePictures(prepared: PreparedWorkbench, theme: string, folder: string): Promise<void> {
  const workbench = await WorkbenchPage.open(prepared, { width: 1280, height: 800 });
  const take = async (name: string) => workbench.screenshot(join(folder, `${name}-${theme}.png`));
  try {
    await workbench.openFile('family.js');
    await workbench.startDebugging('Family');
    await workbench.showContainer('IPC');
    const objects = await workbench.view('IPC Objects');
    const segments = workbench.rows(objects, 'System V shared memory');
    await segments.first().waitFor();
    await workbench.rows(objects, /0x1d/).first().waitFor();
    await workbench.expand(workbench.rows(objects, /0x1d/));
    await take('objects');

    await workbench.showContainer('Run and Debug');
    for (const title of ['Watch', 'Breakpoints', 'Loaded Scripts']) await workbench.fold(title);
    const debuggee = await workbench.view('IPC of the Debuggee');
    await workbench.rows(debuggee, /0x1d/).first().waitFor();
    await take('debuggee');

    await workbench.showContainer('IPC');
    await workbench.rows(await workbench.view('IPC Objects'), /0x1d/).first().dblclick();
    await workbench.webview().locator('body').getByText(/persistence/i).first().waitFor();
    await take('inspector');
    await workbench.command('View: Close All Editors');

    await workbench.stopDebugging();
    await workbench.openFile('deadlock.js');
    await workbench.startDebugging('Deadlock');
    await workbench.showContainer('Run and Debug');
    const waits = await workbench.view('Waits');
    await workbench.rows(waits, /deadlock/i).first().waitFor();
    await take('waits');
    await workbench.stopDebugging();

    await workbench.command('IPC: Remove Stale Objects…');
    await workbench.quickPickRows().first().waitFor();
    await take('stale');
    await workbench.acceptPicks();
    await workbench.dialog().waitFor();
    await take('remove');
    await workbench.page.keyboard.press('Escape');
  } catch (error) {
    await workbench.screenshot(join(prepared.artifacts, `pictures-${theme}.png`));
    throw error;
  } finally {
    await workbench.close();
  }
}
