// Bundles the extension, the probe and the webviews into dist/. `--watch` rebuilds on change.
import { existsSync, mkdirSync, copyFileSync, readdirSync } from 'node:fs';
import * as esbuild from 'esbuild';

const watch = process.argv.includes('--watch');
const production = process.argv.includes('--production');

/** @type {import('esbuild').BuildOptions} */
const common = { bundle: true, sourcemap: production ? false : 'linked', minify: production, logLevel: 'warning', legalComments: 'none' };
/** @type {import('esbuild').BuildOptions} */
const onNode = { ...common, platform: 'node', format: 'cjs', target: 'node20' };

const builds = [
  { ...onNode, entryPoints: { extension: 'extension/extension.ts' }, outdir: 'dist', external: ['vscode'] },
  { ...onNode, entryPoints: { probe: 'native-probe/main.ts' }, outdir: 'dist', external: ['ffi-rs'], banner: { js: '#!/usr/bin/env node' } },
  { ...onNode, entryPoints: { askpass: 'extension/elevation/askpassHelper.ts' }, outdir: 'dist' },
  // One bundle a panel: every webview/<panel>.ts beside protocol.ts and toolkit.ts is an entry.
  { ...common, platform: 'browser', format: 'iife', target: 'chrome128', loader: { '.svg': 'text' }, entryPoints: readdirSync('webview').filter(f => /Panel\.ts$/.test(f)).map(f => `webview/${f}`), outdir: 'dist/webview' },
].filter(build => !Array.isArray(build.entryPoints) || build.entryPoints.length > 0);

// The extension's icons font in webviews: codicons are copied, never committed.
mkdirSync('dist/webview', { recursive: true });
for (const file of ['codicon.css', 'codicon.ttf']) {
  const from = `node_modules/@vscode/codicons/dist/${file}`;
  if (existsSync(from)) copyFileSync(from, `dist/webview/${file}`);
}

if (watch) {
  await Promise.all(builds.map(async build => (await esbuild.context({ ...build, logLevel: 'info' })).watch()));
} else {
  await Promise.all(builds.map(build => esbuild.build(build)));
}
