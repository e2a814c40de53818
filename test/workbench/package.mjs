// Makes the VSIX for this machine's target and checks what is in it: everything needed, nothing else.
//   npm run package        [-- --out FILE]
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, ensureDependencies } from './dependencies.mjs';
import { cache, repository } from './places.mjs';
import { progress } from './processes.mjs';

const allowed = [
  /^package(\.nls(\.[\w-]+)?)?\.json$/, /^(README|CHANGELOG)\.md$/, /^LICENSE$/, /^l10n\/[\w.-]+\.json$/, /^media\/[\w-]+\.(png|svg)$/, /^media\/walkthrough\/\w+\.svg$/,
  /^dist\/(extension|probe|askpass)\.js$/, /^dist\/webview\/[\w.-]+\.(js|css|ttf)$/,
  /^node_modules\/ffi-rs\/(package\.json|index\.js|LICENSE\w*)$/, /^node_modules\/@yuuang\/ffi-rs-[\w-]+\/(package\.json|[\w.-]+\.node)$/,
];

/** The VSIX target of this machine: ffi-rs has one prebuilt binary for each. */
export function target() {
  const musl = !process.report.getReport().header.glibcVersionRuntime;
  return `${musl ? 'alpine' : 'linux'}-${process.arch === 'arm' ? 'armhf' : process.arch}`;
}

/** The ffi-rs binary package of a target. */
const binary = { 'linux-x64': 'linux-x64-gnu', 'linux-arm64': 'linux-arm64-gnu', 'linux-armhf': 'linux-arm-gnueabihf', 'alpine-x64': 'linux-x64-musl', 'alpine-arm64': 'linux-arm64-musl' };

/**
 * Builds for production, packs and checks.
 * @param {string} [out] the file to write
 * @returns {Promise<{path: string, bytes: number, files: string[]}>}
 */
export async function packageExtension(out) {
  const { createVSIX, listFiles } = await import('@vscode/vsce');
  await build({ production: true });
  const { name, version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const path = out === undefined ? join(repository, `${name}-${target()}-${version}.vsix`) : resolve(out);
  mkdirSync(dirname(path), { recursive: true });
  const files = (await listFiles({ cwd: repository })).map(file => file.replaceAll('\\', '/')).sort();
  const needless = files.filter(file => !allowed.some(pattern => pattern.test(file)));
  const needed = ['package.json', 'package.nls.json', 'LICENSE', 'README.md', 'dist/extension.js', 'dist/probe.js', 'dist/askpass.js', 'node_modules/ffi-rs/index.js'];
  const missing = needed.filter(file => !files.includes(file));
  if (!files.some(file => file.startsWith(`node_modules/@yuuang/ffi-rs-${binary[target()]}/`) && file.endsWith('.node'))) missing.push(`the ffi-rs binary for ${target()}`);
  if (needless.length + missing.length > 0) {
    throw new Error([...needless.map(file => `needless in the VSIX: ${file}`), ...missing.map(file => `missing in the VSIX: ${file}`)].join('\n'));
  }
  await quietly(() => createVSIX({ cwd: repository, packagePath: path, target: target(), allowMissingRepository: true, rewriteRelativeLinks: false }));
  return { path, bytes: statSync(path).size, files };
}

/**
 * Packs the test-only extension with the debug types.
 * @param {string} folder the extension's folder
 * @returns {Promise<string>} the VSIX
 */
export async function packageForTests(folder) {
  const { createVSIX } = await import('@vscode/vsce');
  const path = join(cache, 'debug-adapters.vsix');
  mkdirSync(cache, { recursive: true });
  await quietly(() => createVSIX({ cwd: folder, packagePath: path, allowMissingRepository: true, skipLicense: true, dependencies: false }));
  return path;
}

/** vsce prints to standard output, which belongs to the results here. */
async function quietly(action) {
  const { log, info, warn } = console;
  const keep = [];
  console.log = console.info = console.warn = (...words) => keep.push(words.join(' '));
  try {
    return await action();
  } catch (error) {
    for (const line of keep) progress(line);
    throw error;
  } finally {
    Object.assign(console, { log, info, warn });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const given = process.argv.indexOf('--out');
  await ensureDependencies();
  const { path, bytes, files } = await packageExtension(given === -1 ? undefined : process.argv[given + 1]);
  for (const file of files) progress(`  ${file}`);
  console.log(`${relative(process.cwd(), path)}: ${(bytes / 1024).toFixed(0)} KiB, ${files.length} files, ${target()}`);
}
