// A VS Code with the extension in it: data folder, settings, installed VSIX files, and the server over it.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asUser, environmentOf } from './ordinaryUser.mjs';
import { run } from './processes.mjs';
import { runFolder } from './runs.mjs';
import { serve } from './serve.mjs';

// Nothing pops up, nothing phones home, nothing depends on what is around the folder.
const calm = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.enableExperiments': false,
  'chat.commandCenter.enabled': false,
  'chat.disableAIFeatures': true,
  'extensions.ignoreRecommendations': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'git.enabled': false,
  'git.openRepositoryInParentFolders': 'never',
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'remote.autoForwardPorts': false,
  'files.watcherExclude': { '**': true },
  'debug.javascript.autoAttachFilter': 'disabled',
  'debug.onTaskErrors': 'showErrors',
};

/**
 * Starts VS Code on a data folder of its own.
 * @param {{node: string, server: string}} editor from installEditor()
 * @param {{name: string, vsix?: string[], tests?: boolean, settings?: Record<string, unknown>, env?: NodeJS.ProcessEnv, user?: import('./ordinaryUser.mjs').OrdinaryUser}} options
 *   name of the data folder in the folder of the run (or the user's home); VSIX files to install; tests, user: see serve()
 */
export async function openEditor(editor, { name, vsix = [], tests = false, settings = {}, env, user }) {
  const data = join(user?.home ?? runFolder, `data-${name}`);
  // A fresh window every time: what an earlier run remembered (open editors, folded views) would make the next one differ.
  if (existsSync(data)) rmSync(data, { recursive: true, force: true });
  for (const kind of ['Machine', 'User']) {
    mkdirSync(join(data, 'data', kind), { recursive: true });
    writeFileSync(join(data, 'data', kind, 'settings.json'), JSON.stringify({ ...calm, ...settings }, null, 2));
  }
  user?.own(data);
  if (vsix.length > 0) {
    const install = vsix.flatMap(file => ['--install-extension', file]);
    await run(...asUser(user, editor.node, [editor.server, '--server-data-dir', data, '--accept-server-license-terms', '--telemetry-level', 'off', ...install, '--force']), { quiet: true, ...(user ? { env: environmentOf(user, process.env) } : {}) });
  }
  return { data, served: await serve(editor, data, { tests, env, user }) };
}
