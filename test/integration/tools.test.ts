// The tools for language models inside the extension host: they are there, and answer from what is really there.
import * as assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { skip } from '../skip';

const name = `ipc-inspector-tools-${process.pid}`;

describe('the tools for language models', function () {
  before(async function () {
    // An editor without this part of the API has no tools, and the extension works without.
    if (typeof (vscode as { lm?: { invokeTool?: unknown } }).lm?.invokeTool !== 'function') skip(this, 'this VS Code has no language model tools');
    await vscode.extensions.getExtension('ipc-inspector.ipc-inspector')?.activate();
    writeFileSync(`/dev/shm/${name}`, 'x');
  });
  after(() => rmSync(`/dev/shm/${name}`, { force: true }));

  async function ask(tool: string, input: object): Promise<string> {
    const { content } = await vscode.lm.invokeTool(`ipcInspector_${tool}`, { input, toolInvocationToken: undefined });
    return content.map(part => part instanceof vscode.LanguageModelTextPart ? part.value : '').join('');
  }

  it('are offered with a description and a schema', () => {
    const ours = vscode.lm.tools.filter(tool => tool.name.startsWith('ipcInspector_'));
    assert.deepEqual(ours.map(tool => tool.name).sort(), ['ipcInspector_explainWaits', 'ipcInspector_listLeaks', 'ipcInspector_listObjects', 'ipcInspector_listStale']);
    for (const { description, inputSchema } of ours) assert.ok(description.length > 80 && inputSchema);
  });

  it('answer what there is, who waits, what is stale and what was left, with what could not be seen', async () => {
    assert.match(await ask('listObjects', { filter: name }), new RegExp(`1 objects match[^]*POSIX shared memory object "/${name}"`));
    assert.match(await ask('listObjects', { kinds: ['posix-shared-memory'], filter: 'no such object' }), /No object matches/);
    assert.match(await ask('explainWaits', { pid: process.pid }), /Who waits for whom, of pid \d+/);
    assert.match(await ask('listStale', {}), new RegExp(`"/${name}"[^]*This tool removes nothing`));
    assert.match(await ask('listLeaks', {}), /There is no report/);
  });

  it('say what is wrong with a question', async () => {
    await assert.rejects(ask('listObjects', { kinds: ['no-such-kind'] }));
    await assert.rejects(ask('explainWaits', { pid: -1 }));
  });

  it('give no answer to a question that was cancelled, before or while it is asked, and the next one has its answer', async () => {
    for (const [tool, input] of [['listObjects', {}], ['explainWaits', { everything: true }], ['listStale', {}], ['listLeaks', {}]] as const) {
      const before = new vscode.CancellationTokenSource();
      before.cancel();
      await assert.rejects(Promise.resolve(vscode.lm.invokeTool(`ipcInspector_${tool}`, { input, toolInvocationToken: undefined }, before.token)), tool);
    }
    const during = new vscode.CancellationTokenSource();
    const asked = Promise.resolve(vscode.lm.invokeTool('ipcInspector_listStale', { input: {}, toolInvocationToken: undefined }, during.token));
    setTimeout(() => during.cancel(), 1);
    await assert.rejects(asked);
    assert.match(await ask('listObjects', { filter: name }), /1 objects match/);
  });
});
