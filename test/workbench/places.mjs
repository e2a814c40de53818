// Where things are: the repository, its build, and the cache folder that holds everything downloaded or thrown away.
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's top folder. */
export const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
/** Everything that can be fetched or made again: the usual name, ignored by git, by ESLint and by the VSIX. */
export const cache = join(repository, '.vscode-test');
/** What a failed test leaves for a person to look at: screenshots, server logs. */
export const artifacts = join(cache, 'artifacts');
/** The bundles of esbuild. */
export const dist = join(repository, 'dist');
/** The test-only extension that contributes debug types for adapters from Debian. */
export const debugAdapters = join(repository, 'test/workbench/debug-adapters');
/** The demo as committed; it is run from a copy (see demo.mjs). */
export const demoSource = join(repository, 'test/workbench/demo');
