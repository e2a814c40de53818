// `npm run pictures`: takes the README's pictures from the real window with the demo running, and renders the extension's icon from the
// activity bar's. Writes media/pictures/NAME-dark.png and media/icon.png; the pictures in the other themes, to look at, go to the artifacts.
//   npm run pictures [-- dark light high-contrast high-contrast-light | icon]
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { browserArguments, findBrowser } from './browser.mjs';
import { ensureDebuggers } from './debian.mjs';
import { prepareDemo } from './demo.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { openEditor } from './editor.mjs';
import { installEditor } from './install.mjs';
import { packageExtension, packageForTests } from './package.mjs';
import { artifacts, cache, debugAdapters, repository } from './places.mjs';
import { endAllMarked, progress } from './processes.mjs';
import { clearOnSignal, endRun } from './runs.mjs';

const themes = { dark: 'Default Dark Modern', light: 'Default Light Modern', 'high-contrast': 'Default High Contrast', 'high-contrast-light': 'Default High Contrast Light' };
const asked = process.argv.slice(2);
const unknown = asked.filter(name => name !== 'icon' && !Object.hasOwn(themes, name));
if (unknown.length > 0) {
  console.error(`unknown picture ${unknown.join(', ')}; there are ${[...Object.keys(themes), 'icon'].join(', ')}`);
  process.exit(2);
}
clearOnSignal();

await ensureDependencies();
const { tsImport } = await import('tsx/esm/api');
const { takeIcon, takePictures } = await tsImport('./takePictures.ts', import.meta.url);
const browser = await findBrowser();
if (browser.path === null) {
  console.error(browser.why);
  process.exit(1);
}

try {
  await takeAll();
} catch (error) {
  // The screenshot of the moment lies in the artifacts. The stack of code that tsx compiled holds that code: not printed.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
await endAllMarked();
await endRun();

async function takeAll() {
  if (asked.length === 0 || asked.includes('icon')) await takeIcon(browser.path, join(repository, 'media'));
  const wanted = Object.entries(themes).filter(([name]) => asked.length === 0 || asked.includes(name));
  if (wanted.length > 0) {
    const editor = await installEditor();
    await ensureDebuggers();
    const vsix = await packageExtension(join(cache, 'ipc-inspector.vsix'));
    const adapters = await packageForTests(debugAdapters);
    const target = join(repository, 'media/pictures');
    for (const folder of [target, artifacts]) mkdirSync(folder, { recursive: true });
    for (const [name, colorTheme] of wanted) {
      progress(`Pictures in ${colorTheme} …`);
      const demo = await prepareDemo('demo-pictures');
      const { served } = await openEditor(editor, { name: 'pictures', vsix: [vsix.path, adapters], settings: { 'workbench.colorTheme': colorTheme, 'editor.minimap.enabled': false } });
      try {
        // Text without coloured fringes makes smaller pictures.
        await takePictures({ address: served.address(demo.folder), chromium: browser.path, browserArguments: [...browserArguments, '--disable-lcd-text'], demo: demo.folder, artifacts, adapters: {} }, name, target);
      } finally {
        await served.stop();
        await demo.clean();
      }
    }
  }
}
