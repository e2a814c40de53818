// Serves VS Code on loopback: a free port, a random connection token, a folder for all it writes.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { asUser, environmentOf } from './ordinaryUser.mjs';
import { end, marked, until } from './processes.mjs';

/** A TCP port of the loopback interface that is free now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/**
 * @typedef {object} Served
 * @property {number} port
 * @property {string} token whoever has it gets a shell: printed only to the person who started the server
 * @property {string} log the server's log file
 * @property {(folder: string, payload?: [string, string][]) => string} address the page's address
 * @property {(path: string) => string} uri the vscode-remote address of a path, for payloads
 * @property {() => Promise<void>} stop ends the server and all that runs in it
 * @property {Promise<string>} ended settles when the server ends by itself, with the reason
 */

/**
 * Starts the server and waits until it answers.
 * @param {{node: string, server: string}} editor from installEditor()
 * @param {string} data folder for settings, extensions, logs
 * @param {{tests?: boolean, env?: NodeJS.ProcessEnv, user?: import('./ordinaryUser.mjs').OrdinaryUser}} [options] tests: accept
 *   extensionDevelopmentPath and extensionTestsPath in a payload; user: who runs it, by default whoever runs this
 * @returns {Promise<Served>}
 */
export async function serve(editor, data, options = {}) {
  mkdirSync(data, { recursive: true });
  const port = await freePort();
  const token = randomBytes(16).toString('hex');
  const log = join(data, 'server.log');
  // A mark of its own, within this run's: stopping this server ends its programs and no others of the run.
  const serverMark = `${process.env.IPC_INSPECTOR_RUN}.${randomBytes(4).toString('hex')}`;
  const env = { ...withoutNpm(process.env), ...options.env, IPC_INSPECTOR_RUN: serverMark };
  const child = spawn(...asUser(options.user, editor.node, [
    editor.server, '--host', '127.0.0.1', '--port', String(port), '--connection-token', token,
    '--accept-server-license-terms', '--telemetry-level', 'off', '--server-data-dir', data,
    '--disable-workspace-trust', ...(options.tests ? ['--enable-smoke-test-driver'] : []),
  ]), { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: options.user ? environmentOf(options.user, env) : env });
  const file = createWriteStream(log);
  child.stdout.pipe(file, { end: false });
  child.stderr.pipe(file, { end: false });
  let over;
  const ended = new Promise(resolve => {
    child.on('error', error => resolve(over = `VS Code cannot start: ${error.message}`));
    child.on('exit', (code, signal) => resolve(over = `VS Code ended with ${signal ?? `status ${code}`}; its log is ${log}`));
  });
  const uri = path => `vscode-remote://127.0.0.1:${port}${path}`;
  const address = (folder, payload) => {
    const query = new URLSearchParams({ tkn: token, folder });
    if (payload) query.set('payload', JSON.stringify(payload));
    return `http://127.0.0.1:${port}/?${query}`;
  };
  const stop = async () => {
    // The group first, politely: the server then closes its extension hosts and terminals itself. Afterwards everybody who is left.
    try {
      process.kill(-child.pid, 'SIGTERM');
    } catch {
      // The server has ended already.
    }
    await end(() => marked(serverMark).map(found => found.pid));
    file.end();
  };
  try {
    await until(async () => {
      if (over) throw new Error(over);
      try {
        const answer = await fetch(`http://127.0.0.1:${port}/version`, { signal: AbortSignal.timeout(2000) });
        return answer.ok;
      } catch {
        return false; // Not listening yet.
      }
    }, 60_000, `VS Code to answer on port ${port}; its log is ${log}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, token, log, address, uri, stop, ended };
}

/** The environment without what npm adds: a terminal in the workbench is a person's terminal, not an npm script. */
function withoutNpm(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^npm_/i.test(name) && name !== 'INIT_CWD' && name !== 'NODE_OPTIONS' && name !== 'ELECTRON_RUN_AS_NODE'));
}
