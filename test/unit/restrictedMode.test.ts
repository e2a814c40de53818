// In an untrusted workspace nothing from the workspace chooses an executable, a path or a rule: a setting that could is the
// machine's alone, and restricted. Only numbers and switches may come from anywhere.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';

interface Setting { readonly type: string | readonly string[]; readonly scope?: string; readonly enum?: readonly unknown[]; readonly items?: { readonly enum?: readonly unknown[] } }
interface Manifest {
  readonly capabilities: { readonly untrustedWorkspaces: { readonly supported: unknown; readonly description?: string; readonly restrictedConfigurations?: readonly string[] } };
  readonly contributes: { readonly configuration: { readonly properties: Readonly<Record<string, Setting>> } };
}

/** Settings by which a workspace could lead the extension to something of its own, or hide something, and how they are not guarded. */
function unguarded({ capabilities: { untrustedWorkspaces }, contributes: { configuration: { properties } } }: Manifest): string[] {
  const restricted = new Set(untrustedWorkspaces.restrictedConfigurations ?? []);
  const found: string[] = [];
  for (const [id, { type, scope, enum: words, items }] of Object.entries(properties)) {
    const harmless = type === 'integer' || type === 'number' || type === 'boolean';
    const closed = words !== undefined || items?.enum !== undefined;
    if (!harmless && !restricted.has(id)) found.push(`${id} is not restricted`);
    if (!harmless && !closed && scope !== 'machine') found.push(`${id} can be set by a workspace`);
  }
  for (const id of restricted) if (!Object.hasOwn(properties, id)) found.push(`${id} is restricted, but no setting`);
  return found;
}

describe('restricted mode', () => {
  const manifest = JSON.parse(readFileSync(path.join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')) as Manifest;

  it('is limited, and says what it limits', () => {
    assert.equal(manifest.capabilities.untrustedWorkspaces.supported, 'limited');
    assert.match(manifest.capabilities.untrustedWorkspaces.description ?? '', /^%.+%$/);
  });

  it('lets a workspace choose no executable, path or rule', () => { assert.deepEqual(unguarded(manifest), []); });

  it('would notice a path that a workspace can set', () => {
    const properties = { 'ipcInspector.node': { type: 'string', scope: 'window' } };
    assert.deepEqual(unguarded({ ...manifest, contributes: { configuration: { properties } }, capabilities: { untrustedWorkspaces: { supported: 'limited' } } }), ['ipcInspector.node is not restricted', 'ipcInspector.node can be set by a workspace']);
  });
});
