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

/** The pictures of the README: in one theme they stand in the repository, all others are for whoever takes them to look at. */
const ofReadme: ReadonlySet<string> = new Set(['objects', 'inspector', 'memory', 'debuggee', 'waits', 'wait-graph', 'stale']);

/**
 * Takes all pictures in one theme.
 * @param prepared a workbench whose settings name the theme
 * @param theme for the files' names
 * @param folder where those of the README go; the others go to the artifacts
 */
export async function takePictures(prepared: PreparedWorkbench, theme: string, folder: string): Promise<void> {
  const workbench = await WorkbenchPage.open(prepared, { width: 1120, height: 700 });
  const take = async (name: string) => {
    await workbench.page.mouse.move(900, 640); // away from what shows a tooltip
    // The tooltip of a focused row does not follow the mouse: it may stay in the picture.
    await workbench.page.locator('.monaco-hover:visible').waitFor({ state: 'hidden', timeout: 2000 }).catch(() => undefined);
    // The palette fades away after its command.
    if (name !== 'stale') await workbench.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
    await workbench.screenshot(join(theme === 'dark' && ofReadme.has(name) ? folder : prepared.artifacts, `${name}-${theme}.png`));
  };
  // Keys end in the object's number in the demo: 02 is the family's segment.
  const segment = /shmid \d+.*0x1d[0-9a-f]{4}02/s;
  try {
    await workbench.openFile('family.js');
    await workbench.startDebugging('Family');
    await workbench.showContainer('IPC');
    await workbench.widenSideBar(450);
    const objects = await workbench.view('IPC Objects');
    await workbench.rows(objects, segment).first().waitFor();
    await workbench.expand(workbench.rows(objects, segment));
    await take('objects');

    await workbench.fold('IPC Objects');
    const processes = await workbench.view('Processes');
    await workbench.command('IPC Inspector: Find Process…');
    await workbench.page.locator('.quick-input-widget .quick-input-box input').fill('measure.js');
    await workbench.quickPickRows().filter({ hasText: 'measure.js' }).first().click();
    await workbench.rows(processes, /pipes/).first().waitFor();
    await take('processes');
    await workbench.fold('Processes');
    await workbench.view('IPC Objects');

    const inspected = workbench.webview().locator('main');
    for (let clicks = 0; clicks < 3 && !await inspected.isVisible(); clicks++) {
      await workbench.inlineAction(workbench.rows(objects, segment), 'Inspect'); // a click may go to a tooltip
      await inspected.waitFor({ timeout: 7000 }).catch(() => undefined);
    }
    await inspected.waitFor();
    await take('inspector');
    await workbench.webview().locator('vscode-button', { hasText: 'Open Memory View' }).click();
    const memory = workbench.webview();
    await memory.locator('.row').filter({ hasText: /72\s*65\s*61\s*64/ }).first().waitFor(); // "read"ing
    await workbench.command('View: Toggle Primary Side Bar Visibility');
    await memory.getByRole('textbox', { name: 'Declarations in C' }).fill('struct reading {\n  char word[8];\n  char number[4];\n  char degrees[6];\n};\n');
    await memory.locator('table.fields').waitFor();
    await memory.locator('table.fields tr').last().scrollIntoViewIfNeeded();
    await take('memory');
    await workbench.command('View: Toggle Primary Side Bar Visibility');
    await workbench.command('View: Close All Editors');

    await workbench.openFile('family/measure.js');
    await workbench.showContainer('Run and Debug');
    for (const title of ['Variables', 'Watch', 'Call Stack', 'Loaded Scripts', 'Breakpoints']) await workbench.fold(title);
    const debuggee = await workbench.view('IPC of the Debuggee');
    await workbench.findRow(debuggee, segment);
    await take('debuggee');
    await workbench.stopDebugging();
    await workbench.command('View: Close All Editors');

    await workbench.openFile('deadlock.js');
    await workbench.startDebugging('Deadlock');
    await workbench.showContainer('Run and Debug');
    await workbench.fold('IPC of the Debuggee');
    const waits = await workbench.view('Waits');
    await workbench.rows(waits, /deadlock/i).first().waitFor();
    await workbench.expand(workbench.rows(waits, /deadlock/i));
    await take('waits');

    await workbench.command('IPC Inspector: Show Wait Graph of the Debuggee');
    const node = (title: string) => workbench.webview().locator('.node').filter({ hasText: title }).first();
    for (const title of ['clerk', 'auditor', 'messenger']) await node(title).waitFor();
    await workbench.command('Notifications: Clear All Notifications');
    await workbench.command('View: Toggle Primary Side Bar Visibility');
    await take('wait-graph');
    await workbench.command('View: Toggle Primary Side Bar Visibility');
    await workbench.command('View: Close All Editors');

    await workbench.showContainer('IPC');
    for (const title of ['IPC Objects', 'Processes']) await workbench.fold(title);
    const all = await workbench.view('Waits and Deadlocks');
    await workbench.rows(all, /^\s*Deadlock/).first().waitFor();
    await take('all-waits');
    await workbench.fold('Waits and Deadlocks');
    await workbench.view('IPC Objects');
    await workbench.stopDebugging();

    await workbench.showContainer('IPC');
    await workbench.command('IPC Inspector: Remove Stale Objects…');
    await workbench.quickPickRows().filter({ hasText: 'shmid' }).first().waitFor();
    await take('stale');
    await workbench.acceptPicks();
    await workbench.dialog().waitFor();
    await take('remove');
    await workbench.page.keyboard.press('Escape'); // a picture removes nothing
  } catch (error) {
    await workbench.screenshot(join(prepared.artifacts, `pictures-${theme}.png`));
    throw error;
  } finally {
    await workbench.close();
  }
}
