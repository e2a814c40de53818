// Drives the workbench's page as a person does: palette, views, trees, dialogs, notifications, editors, screenshots.
// For the page tests and the pictures. Class names are the workbench's own; each stands here once.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, FrameLocator, Locator, Page } from 'playwright-core';
import { chromium } from 'playwright-core';

/** What test/integration/run.mjs prepared, handed over in the environment. */
export interface PreparedWorkbench {
  /** Address of the page with token and folder. */
  readonly address: string;
  /** The browser's executable. */
  readonly chromium: string;
  readonly browserArguments: readonly string[];
  /** The demo's folder. */
  readonly demo: string;
  /** Where screenshots of failures go. */
  readonly artifacts: string;
  /** Debug types that can run here, and why the others cannot: {"lldb-dap": "ready", "delve": "dlv is not installed …"}. */
  readonly adapters: Readonly<Record<string, string>>;
  /** The VS Code of an ordinary user who may use sudo with a password; or why there is none. */
  readonly ordinary: OrdinaryWorkbench | { readonly why: string };
}

/** A second VS Code, whose server is not root's. `data`: all that it writes. */
export interface OrdinaryWorkbench { readonly address: string; readonly name: string; readonly uid: number; readonly password: string; readonly home: string; readonly data: string }

/** The prepared workbench; throws where the tests were not started by test/integration/run.mjs. */
export function preparedWorkbench(): PreparedWorkbench {
  const json = process.env.IPC_INSPECTOR_WORKBENCH;
  if (json === undefined) throw new Error('page tests are started by: npm test -- integration');
  return JSON.parse(json) as PreparedWorkbench;
}

const patience = 20_000;

/** The built-in themes: what the picker calls them, and the class that the workbench then has. */
const colorThemes = { dark: ['Dark Modern', 'vs-dark'], light: ['Light Modern', 'vs'], 'hc-dark': ['Dark High Contrast', 'hc-black'], 'hc-light': ['Light High Contrast', 'hc-light'] } as const;

/** A loaded workbench in a browser of its own. Close it when done. */
export class WorkbenchPage {
  private constructor(private readonly browser: Browser, readonly page: Page) {}

  /**
   * Opens the workbench and waits until it is usable.
   * @param prepared from preparedWorkbench(); another address for another server
   * @param size of the window in CSS pixels
   */
  static async open(prepared: Pick<PreparedWorkbench, 'address' | 'chromium' | 'browserArguments'>, size = { width: 1400, height: 900 }): Promise<WorkbenchPage> {
    const browser = await chromium.launch({ executablePath: prepared.chromium, headless: true, args: [...prepared.browserArguments] });
    try {
      const page = await browser.newPage({ viewport: size });
      page.setDefaultTimeout(patience);
      await page.goto(prepared.address);
      const opened = new WorkbenchPage(browser, page);
      await opened.ready();
      return opened;
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.browser.close();
  }

  /** Waits until the workbench is drawn and the extension host answers (its status bar entry "remote" is there). */
  async ready(): Promise<void> {
    await this.page.locator('.monaco-workbench .part.activitybar').waitFor({ timeout: 60_000 });
    await this.page.locator('.part.statusbar [id="status.host"]').waitFor({ timeout: 60_000 });
  }

  /** Reloads the window by its command: that writes the window's state first, which reloading the page cuts short. */
  async reload(): Promise<void> {
    const loaded = this.page.waitForEvent('load', { timeout: 60_000 });
    await this.command('Developer: Reload Window');
    await loaded;
    await this.ready();
  }

  /**
   * Runs a command by its title, e.g. "IPC Inspector: Refresh", through the palette. Commands come and go with their context, and an
   * open palette does not notice: it is opened again until it offers the command, or patience ends.
   */
  async command(title: string): Promise<void> {
    const row = this.quickPickRows().filter({ has: this.page.locator('.label-name').getByText(title, { exact: true }) }).first();
    const end = Date.now() + patience;
    for (;;) {
      try {
        // The palette may close again under the first key, when something else takes the focus: then it is opened once more.
        await this.quickOpen(`>${title}`);
        await row.waitFor({ timeout: 1500 });
        break;
      } catch (error) {
        if (Date.now() > end) throw new Error(`the palette does not offer "${title}", but:\n${(await this.quickPickRows().allInnerTexts()).join('\n')}`, { cause: error });
      }
    }
    await row.click();
  }

  /** Opens the quick input with a text in it. */
  private async quickOpen(text: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget .quick-input-box input');
    await this.page.keyboard.press('Escape');
    await this.page.keyboard.press('F1');
    await input.waitFor({ timeout: 5000 });
    await input.fill(text, { timeout: 3000 });
  }

  /** The rows of the open quick pick. */
  quickPickRows(): Locator {
    return this.page.locator('.quick-input-widget:not([style*="display: none"]) .quick-input-list .monaco-list-row');
  }

  /** Types into the open quick input and accepts. */
  async answerQuickInput(text: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget .quick-input-box input');
    await input.waitFor();
    await input.fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** Picks the first row that contains the text. */
  async pick(text: string | RegExp): Promise<void> {
    await this.quickPickRows().filter({ hasText: text }).first().click();
  }

  /** Ticks a row of a multi-select quick pick; accept it with acceptPicks(). */
  async tick(text: string | RegExp): Promise<void> {
    await this.quickPickRows().filter({ hasText: text }).first().locator('.monaco-checkbox, input[type="checkbox"]').first().click();
  }

  async acceptPicks(): Promise<void> {
    await this.page.locator('.quick-input-widget .quick-input-action .monaco-button').first().click();
  }

  /** Shows a view container by its name in the activity bar, e.g. "IPC" or "Run and Debug". */
  async showContainer(name: string): Promise<void> {
    // The list item, not the label in it: a badge may lie over the label.
    const tab = this.page.locator('.part.activitybar li.action-item').filter({ has: this.page.locator(`a[aria-label="${name}"], a[aria-label^="${name} ("], a[aria-label^="${name} -"]`) }).first();
    await tab.waitFor();
    const title = this.page.locator('.part.sidebar .composite.title').filter({ hasText: name });
    for (const end = Date.now() + patience; !await title.isVisible();) {
      if (Date.now() > end) throw new Error(`the view container ${name} does not show`);
      const open = (await tab.getAttribute('class') ?? '').split(' ').includes('checked') && await this.page.locator('.part.sidebar').isVisible();
      // A click on the tab of what a command is just about to show would hide it again: look once more.
      if (!open) await tab.click({ timeout: 2000 }).catch(() => undefined);
      await title.waitFor({ timeout: 1500 }).catch(() => undefined);
    }
  }

  /** A view of the side bar by its title, as it is: folded perhaps, or about to be unfolded by somebody else. */
  pane(title: string): Locator {
    return this.page.locator('.part.sidebar .split-view-view').filter({ has: this.page.locator(`.pane-header[aria-label^="${title}"]`) }).last();
  }

  /** A view of the side bar by its title; unfolds it when it is folded. */
  async view(title: string): Promise<Locator> {
    const pane = this.pane(title);
    await pane.waitFor();
    const header = pane.locator('.pane-header');
    if (await header.count() > 0 && await header.getAttribute('aria-expanded') === 'false') await header.click();
    return pane;
  }

  /** Folds a view of the side bar, where it is there. */
  async fold(title: string): Promise<void> {
    const header = this.page.locator(`.part.sidebar .pane-header[aria-label^="${title}"]`).first();
    const unfolded = header.and(this.page.locator('[aria-expanded="true"]'));
    for (const end = Date.now() + patience; await unfolded.count() > 0;) {
      if (Date.now() > end) throw new Error(`the view ${title} does not fold`);
      // On its title, never on an action that lies in the middle of a narrow header. A layout that is still going on may take the click: look again.
      await header.click({ position: { x: 30, y: 11 }, timeout: 2000 }).catch(() => undefined);
      await unfolded.waitFor({ state: 'detached', timeout: 1000 }).catch(() => undefined);
    }
  }

  /** The rows of a view's tree whose text matches. Trees are virtual: only rows in sight exist. */
  rows(view: Locator, text?: string | RegExp): Locator {
    const rows = view.locator('.monaco-list-row');
    return text === undefined ? rows : rows.filter({ hasText: text });
  }

  /** Scrolls a view's tree until a row is in sight: from the top, again and again, because rows come and go. */
  async findRow(view: Locator, text: string | RegExp): Promise<Locator> {
    const row = this.rows(view, text).first();
    const end = Date.now() + patience;
    for (let step = 0; await row.count() === 0; step++) {
      if (Date.now() > end) throw new Error(`no row ${String(text)} in the view`);
      // By key: a wheel may turn over a tooltip.
      await view.locator('.monaco-list').first().press(step % 8 === 0 ? 'Home' : 'PageDown', { timeout: 2000 }).catch(() => undefined);
      await row.waitFor({ timeout: 400 }).catch(() => undefined);
    }
    return row;
  }

  /** Unfolds a row, when it is not unfolded already. */
  async expand(row: Locator): Promise<void> {
    const one = row.first();
    const expanded = one.and(this.page.locator('[aria-expanded="true"]'));
    const end = Date.now() + patience;
    await one.waitFor();
    while (!await expanded.isVisible()) {
      if (Date.now() > end) throw new Error(`the row does not unfold: ${await one.innerText()}`);
      // A refresh of the tree between looking and clicking may take the click: look again.
      if (await one.getAttribute('aria-expanded') === 'false') await one.locator('.monaco-tl-twistie').click({ timeout: 2000 }).catch(() => undefined);
      await expanded.waitFor({ timeout: 1000 }).catch(() => undefined);
    }
  }

  /** Makes the side bar as wide as this. */
  async widenSideBar(pixels: number): Promise<void> {
    const box = await this.page.locator('.part.sidebar').boundingBox();
    if (box === null) throw new Error('the side bar is not shown');
    const y = box.y + box.height / 2;
    await this.page.mouse.move(box.x + box.width + 2, y);
    await this.page.mouse.down();
    await this.page.mouse.move(box.x + pixels, y, { steps: 5 });
    await this.page.mouse.up();
  }

  /** Clicks an inline action of a row, e.g. "Remove…": it shows on hover. */
  async inlineAction(row: Locator, title: string): Promise<void> {
    // A refresh of the tree between pointing and clicking takes the row from under the pointer: point again.
    for (const end = Date.now() + patience; ;) {
      try {
        await row.first().hover({ timeout: 5000 });
        await row.first().locator(`.actions .action-label[aria-label^="${title}"]`).click({ timeout: 2000 });
        return;
      } catch (error) {
        if (Date.now() > end) throw error;
        await this.page.mouse.move(900, 640); // a tooltip may lie over the row
      }
    }
  }

  /** Chooses an entry of a row's context menu. */
  async contextMenu(row: Locator, title: string | RegExp): Promise<void> {
    await row.first().click({ button: 'right' });
    const entry = this.page.locator('.monaco-menu .action-item').filter({ hasText: title }).first();
    await entry.hover();
    // A menu that has only just opened takes no click; Enter chooses what has the focus.
    await this.page.keyboard.press('Enter');
    await entry.waitFor({ state: 'detached' });
  }

  /** The open modal dialog. */
  dialog(): Locator {
    return this.page.locator('.monaco-dialog-box');
  }

  /** Waits for the modal dialog, returns its text, and presses one of its buttons. */
  async answerDialog(button: string | RegExp): Promise<string> {
    const dialog = this.dialog();
    await dialog.waitFor();
    const text = await dialog.innerText();
    await dialog.locator('.monaco-button').filter({ hasText: button }).first().click();
    await dialog.waitFor({ state: 'detached' });
    return text;
  }

  /** The notification that contains the text; waits for it. */
  async notification(text: string | RegExp): Promise<Locator> {
    const toast = this.page.locator('.notification-toast').filter({ hasText: text }).first();
    await toast.waitFor();
    return toast;
  }

  /** Presses a button of a notification. */
  async answerNotification(text: string | RegExp, button: string): Promise<void> {
    const toast = await this.notification(text);
    await toast.hover();
    await toast.locator('.monaco-button').filter({ hasText: button }).click();
  }

  /** The content of the webview whose panel is in front: VS Code nests it two frames deep. */
  webview(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready:visible').frameLocator('#active-frame');
  }

  /** Opens a file of the folder by its name. */
  async openFile(name: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget .quick-input-box input');
    await this.page.keyboard.press('Control+P');
    await input.waitFor();
    await input.fill(name);
    // Not Enter: that takes the first row, which until the search is through may be a file of the history.
    await this.quickPickRows().filter({ hasText: name.split('/').at(-1) ?? name }).first().click();
    await this.page.locator('.tabs-container .tab').filter({ hasText: name.split('/').at(-1) ?? name }).first().waitFor();
  }

  /** Starts a configuration of launch.json by its name, and waits until it is debugged. */
  async startDebugging(configuration: string): Promise<void> {
    await this.launch(configuration);
    await this.page.locator('.debug-toolbar').waitFor({ timeout: 60_000 });
  }

  /** Starts a configuration of launch.json by its name. Its program may have ended before anything shows that it is debugged. */
  async launch(configuration: string): Promise<void> {
    await this.command('Debug: Select and Start Debugging');
    const row = this.quickPickRows().filter({ hasText: configuration });
    // Longer names that contain this one ("Family (C)") are not meant.
    const label = row.locator('.label-name').getByText(configuration, { exact: true }).first();
    await label.click();
  }

  /** Waits until the program that was launched has ended by itself. */
  async sessionOver(): Promise<void> {
    const toolbar = this.page.locator('.debug-toolbar');
    await toolbar.waitFor({ timeout: 5_000 }).catch(() => undefined); // it may have ended before the toolbar showed
    await toolbar.waitFor({ state: 'hidden' });
  }

  /** Stops all debug sessions. */
  async stopDebugging(): Promise<void> {
    const toolbar = this.page.locator('.debug-toolbar');
    for (let sessions = 0; sessions < 10 && await toolbar.isVisible(); sessions++) {
      await this.page.keyboard.press('Shift+F5');
      await toolbar.waitFor({ state: 'hidden', timeout: 2000 }).catch(() => undefined); // a further session took its place
    }
    await toolbar.waitFor({ state: 'hidden' });
  }

  /** A screenshot into the artifacts folder (or to a path), for a person to look at. */
  async screenshot(path: string): Promise<void> {
    await this.page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  }

  /** Keeps a picture of what stands there, for a person to look at: NAME-THEME.png among the artifacts. `themes`: those but the present one are chosen as a person does, and the last one stays. */
  async keepPictures(name: string, { artifacts }: Pick<PreparedWorkbench, 'artifacts'>, themes: readonly (keyof typeof colorThemes)[] = ['dark']): Promise<void> {
    mkdirSync(artifacts, { recursive: true });
    await this.command('Notifications: Clear All Notifications');
    for (const theme of themes) {
      const [label, className] = colorThemes[theme];
      const shown = this.page.locator(`.monaco-workbench.${className}`);
      if (!await shown.isVisible()) {
        await this.command('Preferences: Color Theme');
        await this.answerPicker(label);
        await shown.waitFor();
        await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
      }
      await this.screenshot(join(artifacts, `${name}-${theme}.png`));
    }
  }

  /** Chooses the row of the open quick pick that is called so. */
  private async answerPicker(label: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget .quick-input-box input');
    await input.waitFor();
    await input.fill(label);
    await this.quickPickRows().filter({ has: this.page.locator('.label-name').getByText(label, { exact: true }) }).first().click();
  }

  /** For afterEach: keeps a picture of the page when the test failed. */
  async keepOnFailure(test: Mocha.Test | undefined, prepared: PreparedWorkbench): Promise<void> {
    if (test?.state !== 'failed') return;
    mkdirSync(prepared.artifacts, { recursive: true });
    await this.screenshot(join(prepared.artifacts, `${test.fullTitle().replace(/[^\w-]+/g, '_').slice(0, 120)}.png`));
  }
}
