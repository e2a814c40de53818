// The actions on processes inside the extension host: what is copied names both ends of a real pipe.
import * as assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as vscode from 'vscode';

interface Copied { processes: { pid: number }[]; objects: { id: string; kind: string }[]; handles: { objectId: string; pid: number; access?: string }[] }

describe('a process and its IPC', () => {
  let shell: ChildProcess;
  const pid = (): number => shell.pid ?? assert.fail('no shell');

  before(async () => {
    // The shell keeps both ends of the pipe to the reader that it started.
    shell = spawn('bash', ['-c', 'exec 8> >(exec cat >/dev/null); echo ready; read'], { stdio: ['pipe', 'pipe', 'inherit'] });
    assert.ok(shell.stdout);
    await once(shell.stdout, 'data');
  });
  after(async () => {
    const gone = once(shell, 'exit');
    shell.stdin?.end();
    await gone;
  });

  it('is copied as JSON with both ends', async () => {
    await vscode.commands.executeCommand('ipcInspector.copyProcessJson', pid());
    const { objects, handles } = JSON.parse(await vscode.env.clipboard.readText()) as Copied;
    const written = handles.filter(it => it.pid === pid() && it.access === 'write').map(it => it.objectId);
    const shared = objects.find(it => it.kind === 'pipe' && written.includes(it.id) && handles.some(handle => handle.objectId === it.id && handle.pid !== pid() && handle.access === 'read'));
    assert.ok(shared, JSON.stringify(handles));
  });

  it('is copied as text', async () => {
    await vscode.commands.executeCommand('ipcInspector.copyProcess', pid());
    const text = await vscode.env.clipboard.readText();
    assert.match(text, new RegExp(`^bash · PID ${pid()} · `));
    assert.match(text, /\n {2}pipe pipe \d+ · fd 8 write/);
    assert.match(text, /\n {4}cat \(\d+\) · fd 0 read/);
  });

  it('has its report on what cannot be seen in a document that cannot be edited', async () => {
    await vscode.commands.executeCommand('ipcInspector.explainUnseenAsText');
    const document = vscode.window.activeTextEditor?.document;
    assert.equal(document?.uri.scheme, 'ipc-inspector');
    assert.match(document?.getText() ?? '', /What IPC Inspector cannot see on/);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });
});
