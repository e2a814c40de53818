// Entry of the integration suite inside the extension host: every bundled *.test.js beside it, with the reporter that
// writes to the file named by IPC_INSPECTOR_RESULTS. VS Code calls run() (extensionTestsPath).
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import Mocha from 'mocha';
import JsonLines from '../workbench/reporter.cjs';

/** Runs the suite; rejects when a test failed, which is how VS Code learns of it. */
export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'bdd', timeout: 60_000, reporter: JsonLines, forbidOnly: process.env.CI !== undefined });
  const only = process.env.IPC_INSPECTOR_ONLY;
  for (const file of readdirSync(__dirname).sort()) {
    if (file.endsWith('.test.js') && (only === undefined || file.includes(only))) mocha.addFile(join(__dirname, file));
  }
  const failures = await new Promise<number>(resolve => mocha.run(resolve));
  if (failures > 0) throw new Error(`${failures} failed`);
}
