// The extension where it cannot look (macOS, Windows): real code, bundled as for VS Code; only `vscode` itself and the platform's name are stand-ins.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { compileFunction } from 'node:vm';
import { buildSync } from 'esbuild';
import { commandIds, viewIds } from '../../extension/contributions';

const repository = path.join(import.meta.dirname, '..', '..');

interface Seen { readonly commands: Map<string, (...args: unknown[]) => unknown>; readonly views: string[]; readonly contexts: Map<string, unknown>; readonly messages: string[]; readonly touched: string[] }

/** Activates the extension as on another platform; what it registered, said, and touched of the API beyond that. */
function activateOn(platform: NodeJS.Platform): Seen {
  const seen: Seen = { commands: new Map(), views: [], contexts: new Map(), messages: [], touched: [] };
  const disposable = { dispose: () => undefined };
  const recording = (name: string, known: Record<string, unknown>): unknown => new Proxy(known, { get: (target, key) => {
    if (typeof key === 'symbol' || key in target) return target[String(key)];
    seen.touched.push(`${name}.${key}`);
    return class {};
  } });
  const vscode = recording('vscode', {
    l10n: { t: (text: string) => text },
    commands: recording('commands', {
      registerCommand: (id: string, action: (...args: unknown[]) => unknown) => { seen.commands.set(id, action); return disposable; },
      executeCommand: (command: string, key: string, value: unknown) => { if (command === 'setContext') seen.contexts.set(key, value); return Promise.resolve(); },
    }),
    window: recording('window', {
      registerTreeDataProvider: (id: string) => { seen.views.push(id); return disposable; },
      showInformationMessage: (message: string) => { seen.messages.push(message); return Promise.resolve(undefined); },
    }),
  });
  const [{ text } = { text: '' }] = buildSync({ entryPoints: [path.join(repository, 'extension', 'extension.ts')], bundle: true, write: false, platform: 'node', format: 'cjs', external: ['vscode'], logLevel: 'error' }).outputFiles;
  const load = createRequire(path.join(repository, 'package.json'));
  const module = { exports: {} as { activate(context: { subscriptions: unknown[] }): void } };
  const before = Object.getOwnPropertyDescriptor(process, 'platform') ?? assert.fail();
  Object.defineProperty(process, 'platform', { ...before, value: platform });
  try {
    const run = compileFunction(text, ['module', 'exports', 'require']) as (module: object, exports: object, require: (name: string) => unknown) => void;
    run(module, module.exports, name => name === 'vscode' ? vscode : load(name));
    module.exports.activate({ subscriptions: [] });
  } finally {
    Object.defineProperty(process, 'platform', before);
  }
  return seen;
}

describe('on another system than Linux', function () {
  this.timeout(30_000);
  for (const platform of ['darwin', 'win32'] as const) {
    it(`${platform}: every view and command is there, says where to look, and no probe is started`, () => {
      const { commands, views, contexts, messages, touched } = activateOn(platform);
      assert.deepEqual([...commands.keys()].sort(), Object.values(commandIds).sort());
      assert.deepEqual(views.sort(), Object.values(viewIds).sort());
      assert.equal(contexts.get('ipcInspector.probe'), 'unsupported');
      commands.get(commandIds.removeStale)?.();
      assert.match(messages[0] ?? '', /Linux/);
      assert.deepEqual(touched.filter(it => /createOutputChannel|createTreeView|createStatusBarItem|workspace/.test(it)), []);
    });
  }

  it('the welcome text of every view points to the remote ways', () => {
    const words = JSON.parse(readFileSync(path.join(repository, 'package.nls.json'), 'utf8')) as Record<string, string>;
    const { contributes: { viewsWelcome } } = JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8')) as { contributes: { viewsWelcome: { view: string; contents: string; when: string }[] } };
    const shown = viewsWelcome.filter(it => it.when === 'ipcInspector.probe == unsupported');
    const told = new Set(shown.map(it => it.view));
    for (const view of Object.values(viewIds)) assert.ok(told.has(view), view);
    for (const { contents } of shown) assert.match(words[contents.replaceAll('%', '')] ?? '', /SSH.*WSL.*container/s);
  });
});
