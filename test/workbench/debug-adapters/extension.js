// Starts debug adapters that the machine has: lldb-dap and debugpy on their standard streams, delve as a server on loopback.
// With IPC_INSPECTOR_WITHOUT_LM in the environment it also makes the editor one that has no language models, for the extension under test.
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const vscode = require('vscode');

/** The path of the first program that is on PATH, or an error that names them all. */
function find(...programs) {
  for (const program of programs) {
    for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
      const file = path.join(folder, program);
      if (fs.existsSync(file)) return file;
    }
  }
  throw new Error(`none of ${programs.join(', ')} is installed`);
}

/** Debian's Python, for which debugpy is packaged; another one may stand before it on PATH. */
function python() {
  return fs.existsSync('/usr/lib/python3/dist-packages/debugpy') ? '/usr/bin/python3' : find('python3');
}

/** debugpy's adapter; for a child process of the program the same one, by the port that it has announced. */
function startDebugpy({ configuration: { connect } }) {
  return connect?.port === undefined ? new vscode.DebugAdapterExecutable(python(), ['-m', 'debugpy.adapter']) : new vscode.DebugAdapterServer(connect.port, connect.host);
}

const servers = new Map();

/** delve speaks DAP over TCP only: start it, wait for the line that says where it listens. */
function startDelve(session) {
  const child = spawn(find('dlv'), ['dap', '--listen=127.0.0.1:0'], { cwd: session.workspaceFolder?.uri.fsPath, stdio: ['ignore', 'pipe', 'pipe'] });
  servers.set(session.id, child);
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', data => {
      text += data;
      const port = /listening at: 127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (port) resolve(new vscode.DebugAdapterServer(Number(port), '127.0.0.1'));
    });
    child.on('error', reject);
    child.on('exit', status => reject(new Error(`dlv dap ended with status ${status}`)));
  });
}

/** How often the extension under test was given an API without language models. */
let hidden = 0;

/** What `require('vscode')` gives to the extension under test lacks `lm` from now on: this must run before it is loaded. */
function hideLanguageModels() {
  const load = Module._load;
  Module._load = function (request, parent, ...rest) {
    const api = load.call(this, request, parent, ...rest);
    if (request !== 'vscode' || !/[\\/]ipc-inspector\.ipc-inspector-[^\\/]*[\\/]/.test(parent?.filename ?? '')) return api;
    hidden++;
    const older = {};
    for (const name of Object.getOwnPropertyNames(api)) {
      if (name !== 'lm' && !name.startsWith('LanguageModel')) Object.defineProperty(older, name, { get: () => api[name], enumerable: true });
    }
    return older;
  };
}

function activate(context) {
  if (process.env.IPC_INSPECTOR_WITHOUT_LM) {
    hideLanguageModels();
    void vscode.commands.executeCommand('setContext', 'ipcInspectorTests.hidesLanguageModels', true);
    context.subscriptions.push(vscode.commands.registerCommand('ipcInspectorTests.languageModelTools', async () => {
      await vscode.extensions.getExtension('ipc-inspector.ipc-inspector')?.activate();
      // Contributed tools are listed whether somebody has registered them or not: only those answer.
      const names = vscode.lm.tools.map(it => it.name).filter(it => it.startsWith('ipcInspector_'));
      const answers = await Promise.allSettled(names.map(name => vscode.lm.invokeTool(name, { input: {}, toolInvocationToken: undefined })));
      void vscode.window.showInformationMessage(`Hidden ${hidden > 0 ? 'from it' : 'too late'}; tools that answer: ${answers.filter(it => it.status === 'fulfilled').length} of ${names.length}`);
    }));
  }
  const register = (type, create) => context.subscriptions.push(vscode.debug.registerDebugAdapterDescriptorFactory(type, { createDebugAdapterDescriptor: create }));
  register('lldb-dap', ({ configuration: { scripted } }) => scripted ? new vscode.DebugAdapterExecutable(process.execPath, [path.join(__dirname, 'scripted.js'), JSON.stringify(scripted)]) : new vscode.DebugAdapterExecutable(process.env.IPC_INSPECTOR_LLDB_DAP || find('lldb-dap-19', 'lldb-dap', 'lldb-dap-18', 'lldb-dap-17')));
  register('debugpy', startDebugpy);
  register('delve', startDelve);
  // A child process waits until somebody debugs it: the Python extension answers this event likewise.
  context.subscriptions.push(vscode.debug.onDidReceiveDebugSessionCustomEvent(({ event, body, session }) => {
    if (event === 'debugpyAttach') void vscode.debug.startDebugging(session.workspaceFolder, body, { parentSession: session, noDebug: false });
  }));
  context.subscriptions.push(vscode.debug.onDidTerminateDebugSession(session => {
    servers.get(session.id)?.kill();
    servers.delete(session.id);
  }));
}

function deactivate() {
  for (const child of servers.values()) child.kill();
}

module.exports = { activate, deactivate };
