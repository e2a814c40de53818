// The workbench is plain JavaScript (it runs before anything is installed); this is what the webview tests use of it.
declare module '*/workbench/browser.mjs' {
  import type { Browser } from 'playwright-core';
  export function findBrowser(): Promise<{ path: string } | { path: null; why: string }>;
  export function launchBrowser(executable: string): Promise<Browser>;
}
