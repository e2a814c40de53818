// The extension in a real VS Code: it is there, it activates, and what package.json promises exists.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';

const id = 'ipc-inspector.ipc-inspector';

interface Manifest {
  contributes?: { commands?: { command: string }[]; views?: Record<string, { id: string }[]> };
}

describe('the extension in VS Code', () => {
  const extension = vscode.extensions.getExtension(id);

  it('is found under its id', () => {
    assert.ok(extension, `no extension ${id} among ${vscode.extensions.all.length}`);
  });

  it('runs where the workspace is', () => {
    assert.equal(extension?.extensionKind, vscode.ExtensionKind.Workspace);
  });

  it('activates', async function () {
    this.timeout(30_000);
    await extension?.activate();
    assert.equal(extension?.isActive, true);
  });

  it('registers every command that package.json contributes', async () => {
    const { contributes } = extension?.packageJSON as Manifest;
    const registered = new Set(await vscode.commands.getCommands(true));
    const contributed = (contributes?.commands ?? []).map(({ command }) => command);
    assert.ok(contributed.length > 0, 'package.json contributes no command');
    assert.deepEqual(contributed.filter(command => !registered.has(command)), []);
  });

  it('shows each of its views when asked to', async () => {
    const { contributes } = extension?.packageJSON as Manifest;
    const views = Object.values(contributes?.views ?? {}).flat();
    assert.ok(views.length > 0, 'package.json contributes no view');
    // `VIEW.focus` exists only for a view that VS Code knows, and fails where it cannot be shown.
    for (const view of views) await vscode.commands.executeCommand(`${view.id}.focus`);
  });
});
