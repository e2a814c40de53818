// Finds a Chromium: named by the person, installed, installable, or as an npm package in the cache.
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensure, find } from './debian.mjs';
import { cache } from './places.mjs';
import { progress, run } from './processes.mjs';

/** Headless, quiet, and without a single connection of its own. */
export const browserArguments = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--disable-renderer-backgrounding',
  '--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows',
];

/**
 * @returns {Promise<{path: string} | {path: null, why: string}>} the executable, or why there is none
 */
export async function findBrowser() {
  const named = process.env.IPC_INSPECTOR_CHROMIUM;
  if (named) return existsSync(named) ? { path: named } : { path: null, why: `IPC_INSPECTOR_CHROMIUM names ${named}, which does not exist` };
  const installed = ['chromium', 'google-chrome', 'google-chrome-stable', 'chromium-browser'].map(find).find(Boolean);
  if (installed) return { path: installed };
  const debian = await ensure(['chromium'], ['chromium']);
  if (debian.path) return debian;
  try {
    return { path: await fromPackage() };
  } catch (error) {
    return { path: null, why: `no Chromium: ${debian.why}; the npm package did not give one either (${error instanceof Error ? error.message.split('\n')[0] : error})` };
  }
}

/** @sparticuz/chromium carries the binary compressed in the package itself; it unpacks into the temporary folder. */
async function fromPackage() {
  const folder = join(cache, 'chromium');
  mkdirSync(folder, { recursive: true });
  const require = createRequire(join(folder, 'package.json'));
  const resolve = () => {
    try {
      return require.resolve('@sparticuz/chromium');
    } catch {
      return null; // Not installed yet.
    }
  };
  if (!resolve()) {
    progress('Getting Chromium from the npm registry …');
    await run('npm', ['install', '--prefix', folder, '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error', '@sparticuz/chromium@153.0.0'], { quiet: true });
  }
  const { default: chromium } = await import(pathToFileURL(resolve() ?? '').href);
  const path = await chromium.executablePath();
  chmodSync(path, 0o755);
  return path;
}

/**
 * Launches the browser.
 * @param {string} executable from findBrowser()
 */
export async function launchBrowser(executable) {
  const { chromium } = await import('playwright-core');
  return chromium.launch({ executablePath: executable, headless: true, args: browserArguments });
}
