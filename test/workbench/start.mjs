// `npm start`: on a fresh clone everything from the packages to a real VS Code with the extension and the demo, served on
// loopback; prints the address. Ctrl+C stops it all and leaves neither a process nor an IPC object of the demo.
import { join } from 'node:path';
import { ensureDebuggers } from './debian.mjs';
import { prepareDemo } from './demo.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { openEditor } from './editor.mjs';
import { installEditor } from './install.mjs';
import { packageExtension, packageForTests } from './package.mjs';
import { cache, debugAdapters } from './places.mjs';
import { endAllMarked, progress } from './processes.mjs';
import { endRun } from './runs.mjs';

let demo;
let served;
let stopping;

/** Idempotent, and safe at any point of the start: whatever is there already is ended and removed. */
function stop(status) {
  stopping ??= (async () => {
    progress('\nStopping …');
    try {
      await served?.stop();
      await endAllMarked();
      const removed = (await demo?.clean())?.trim();
      if (removed) progress(removed);
      await endRun();
    } catch (error) {
      progress(error instanceof Error ? error.message : String(error));
      status = 1;
    }
    process.exit(status);
  })();
  return stopping;
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop(0));

try {
  await ensureDependencies();
  const { lldb } = await ensureDebuggers();
  if (lldb.path === null) progress(`The C configurations of the demo will not start: ${lldb.why}.`);
  progress('Building and packaging the extension …');
  const vsix = await packageExtension(join(cache, 'ipc-inspector.vsix'));
  const adapters = await packageForTests(debugAdapters);
  const editor = await installEditor();
  demo = await prepareDemo();
  progress(`Starting VS Code ${editor.version} …`);
  ({ served } = await openEditor(editor, { name: 'start', vsix: [vsix.path, adapters] }));
  console.log(`\nIPC Inspector runs in VS Code at\n\n  ${served.address(demo.folder)}\n\nThe address carries a token: whoever has it gets a shell. Ctrl+C stops everything.`);
  const reason = await served.ended;
  if (!stopping) progress(reason);
  await stop(1);
} catch (error) {
  if (!stopping) progress(error instanceof Error ? error.message : String(error));
  await stop(1);
}
