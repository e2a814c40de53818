// A panel's bundle in a real browser, in the document that the extension gives it, with VS Code's half played by the test.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { findBrowser, launchBrowser } from '../workbench/browser.mjs';
import { webviewHtml } from '../../extension/panels/webviewHtml';
import type { ThemeName } from './themes';
import { themeClasses, themes } from './themes';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Spied { sent: unknown[]; state: unknown; refused: string[] }
declare global { interface Window { spied: Spied } }

export interface WebviewPage<To, From> {
  readonly page: Page;
  /** As VS Code delivers a message of the host. */
  tell(...messages: readonly To[]): Promise<void>;
  /** What the webview sent since the last call. */
  heard(): Promise<From[]>;
  state(): Promise<unknown>;
  /** What the Content-Security-Policy refused, and errors of the page. */
  refused(): Promise<string[]>;
  theme(name: ThemeName): Promise<void>;
}

/** One browser and one server for a file of tests. */
export class WebviewHarness {
  private constructor(private readonly browser: Browser, private readonly origin: string, private readonly close: () => Promise<void>) {}

  /** Bundles `webview/<panel>.ts` afresh, so that no stale build is tested. Throws when there is no browser. */
  static async start(panel: string): Promise<WebviewHarness> {
    const found = await findBrowser();
    if (found.path === null) throw new Error(`no browser: ${found.why}`);
    const { outputFiles } = await build({ absWorkingDir: root, entryPoints: [`webview/${panel}.ts`], bundle: true, platform: 'browser', format: 'iife', target: 'chrome128', loader: { '.svg': 'text' }, write: false, outdir: 'dist/webview', logLevel: 'warning' });
    const files = new Map<string, { type: string; content: string | Buffer }>();
    for (const file of outputFiles) files.set(file.path.endsWith('.css') ? '/panel.css' : '/panel.js', { type: file.path.endsWith('.css') ? 'text/css' : 'text/javascript', content: file.text });
    for (const [name, type] of [['codicon.css', 'text/css'], ['codicon.ttf', 'font/ttf']] as const) files.set(`/${name}`, { type, content: readFileSync(`${root}node_modules/@vscode/codicons/dist/${name}`) });
    let origin = '';
    const server = createServer((request, response) => {
      const path = new URL(request.url ?? '/', 'http://localhost').pathname;
      const file = path === '/' ? { type: 'text/html', content: webviewHtml({ cspSource: origin, scriptNonce: 'c2NyaXB0', styleNonce: 'c3R5bGU=', script: `${origin}/panel.js`, styles: [`${origin}/codicon.css`, `${origin}/panel.css`], language: 'en', title: 'test' }) } : files.get(path);
      response.writeHead(file ? 200 : 404, { 'content-type': `${file?.type ?? 'text/plain'}; charset=utf-8` }).end(file?.content);
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const browser = await launchBrowser(found.path);
    return new WebviewHarness(browser, origin, async () => {
      await browser.close();
      await new Promise(resolve => { server.close(resolve); server.closeAllConnections(); });
    });
  }

  async open<To, From>(options: { readonly width?: number; readonly height?: number; readonly state?: unknown } = {}): Promise<WebviewPage<To, From>> {
    const page = await this.browser.newPage({ viewport: { width: options.width ?? 900, height: options.height ?? 700 }, timezoneId: 'UTC', locale: 'en-US' });
    const errors: string[] = [];
    page.on('pageerror', error => errors.push(error.message));
    page.on('console', message => { if (message.type() === 'error' && !message.text().includes('favicon')) errors.push(message.text()); });
    // tsx names functions through a helper that the page has not.
    await page.addInitScript('globalThis.__name = value => value');
    await page.addInitScript(() => {
      const spied: Spied = { sent: [], state: undefined, refused: [] };
      Object.assign(window, {
        spied,
        acquireVsCodeApi: () => ({
          postMessage: (message: unknown) => { spied.sent.push(message); },
          setState: (state: unknown) => { spied.state = state; },
          getState: () => spied.state,
        }),
      });
      document.addEventListener('securitypolicyviolation', event => spied.refused.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
    });
    await page.goto(this.origin);
    const theme = async (name: ThemeName): Promise<void> => page.evaluate(([variables, className]) => {
      document.documentElement.removeAttribute('style');
      for (const [variable, value] of Object.entries(variables)) document.documentElement.style.setProperty(`--vscode-${variable}`, value);
      document.body.className = className;
      document.body.dataset['vscodeThemeKind'] = className;
    }, [themes[name], themeClasses[name]] as const);
    await theme('dark');
    return {
      page, theme,
      tell: (...messages) => page.evaluate(all => { for (const data of all) window.dispatchEvent(new MessageEvent('message', { data })); }, messages as readonly unknown[]),
      heard: () => page.evaluate(() => window.spied.sent.splice(0)) as Promise<From[]>,
      state: () => page.evaluate(() => window.spied.state),
      refused: async () => [...errors, ...await page.evaluate(() => window.spied.refused)],
    };
  }

  async stop(): Promise<void> { await this.close(); }
}
