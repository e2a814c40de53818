// Holds package.json, package.nls.json and l10n/bundle.l10n.json against the code, in both directions.
// UPDATE_L10N=1 rewrites the bundle from the code.
import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { commandIds, containerIds, contextKeys, settingIds, settingSection, toolNames, viewIds, walkthroughId } from '../../extension/contributions';
import { facilityTable } from '../../native-probe/facilityTable';

interface Manifest {
  main: string; l10n: string; activationEvents: string[];
  contributes: {
    viewsContainers: { activitybar: { id: string; icon: string }[] };
    views: Record<string, { id: string }[]>;
    viewsWelcome: { view: string; contents: string; when: string }[];
    commands: { command: string; title: string; category: string }[];
    menus: Record<string, { command: string; when?: string }[]>;
    keybindings: { command: string; when: string }[];
    languageModelTools: { name: string; inputSchema: { properties: { kinds?: { items?: { enum?: string[] } } } } }[];
    configuration: { properties: Record<string, unknown> };
    walkthroughs: { id: string; steps: { id: string; description: string; media: { svg: string; altText: string }; completionEvents: string[] }[] }[];
  };
}

const root = path.join(import.meta.dirname, '..', '..');
const text = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const manifest = JSON.parse(text('package.json')) as Manifest;
const sources = readdirSync(path.join(root, 'extension'), { recursive: true, encoding: 'utf8' }).filter(it => it.endsWith('.ts')).map(it => ({ file: it, code: text(path.join('extension', it)) }));
const sorted = (items: Iterable<string>): string[] => [...new Set(items)].sort();

describe('contributions', () => {
  const { contributes } = manifest;

  it('every command of the code is in package.json, and the other way round', () => {
    assert.deepEqual(sorted(contributes.commands.map(it => it.command)), sorted(Object.values(commandIds)));
  });

  it('every command is registered by a name of the table', () => {
    const registered = sources.flatMap(({ code }) => [...code.matchAll(/register\(commandIds\.(\w+)/g)].map(it => it[1] ?? ''));
    assert.deepEqual(sorted(registered), sorted(Object.keys(commandIds)));
  });

  it('every view and container of the code is in package.json, and the other way round', () => {
    assert.deepEqual(sorted(Object.values(contributes.views).flat().map(it => it.id)), sorted(Object.values(viewIds)));
    assert.deepEqual(sorted(contributes.viewsContainers.activitybar.map(it => it.id)), sorted(Object.values(containerIds)));
  });

  it('every tool for language models of the code is in package.json, registered, and the other way round', () => {
    assert.deepEqual(sorted(contributes.languageModelTools.map(it => it.name)), sorted(Object.values(toolNames)));
    const registered = sources.flatMap(({ code }) => [...code.matchAll(/register\(toolNames\.(\w+)/g)].map(it => it[1] ?? ''));
    assert.deepEqual(sorted(registered), sorted(Object.keys(toolNames)));
    const { kinds } = contributes.languageModelTools.find(it => it.name === toolNames.listObjects)?.inputSchema.properties ?? {};
    assert.deepEqual([...kinds?.items?.enum ?? []].sort(), sorted(facilityTable.keys()));
  });

  it('every setting of the code is in package.json, and the other way round', () => {
    assert.deepEqual(sorted(Object.keys(contributes.configuration.properties)), sorted(Object.values(settingIds).map(it => `${settingSection}.${it}`)));
  });

  it('menus, keys and welcome contents name only commands and views that exist', () => {
    const commands = new Set<string>(Object.values(commandIds));
    for (const { command } of [...Object.values(contributes.menus).flat(), ...contributes.keybindings]) assert.ok(commands.has(command), command);
    const views = new Set<string>(Object.values(viewIds));
    const nls = JSON.parse(text('package.nls.json')) as Record<string, string>;
    for (const { view, contents } of contributes.viewsWelcome) {
      assert.ok(views.has(view), view);
      for (const [, command] of (nls[contents.slice(1, -1)] ?? '').matchAll(/\(command:([^)]+)\)/g)) assert.ok(commands.has(command ?? ''), command);
    }
  });

  it('the walkthrough has four steps, each with a picture in theme colours, and leads only to what exists', () => {
    const nls = JSON.parse(text('package.nls.json')) as Record<string, string>;
    const commands = new Set<string>([...Object.values(commandIds), ...Object.values(viewIds).map(id => `${id}.focus`)]);
    const [walkthrough] = contributes.walkthroughs;
    const { name, publisher } = JSON.parse(text('package.json')) as { name: string; publisher: string };
    assert.equal(walkthroughId, `${publisher}.${name}#${walkthrough?.id}`);
    assert.equal(walkthrough?.steps.length, 4);
    for (const { description, media, completionEvents } of walkthrough?.steps ?? []) {
      const links = [...(nls[description.slice(1, -1)] ?? '').matchAll(/\]\(command:([^)]+)\)/g)].map(it => it[1] ?? '');
      assert.ok(links.length > 0 && links.every(it => commands.has(it)), links.join());
      for (const event of completionEvents) {
        const [kind, id = ''] = event.split(':');
        assert.ok(kind === 'onView' ? (Object.values(viewIds) as string[]).includes(id) : kind === 'onCommand' && (Object.values(commandIds) as string[]).includes(id), event);
      }
      const picture = text(media.svg);
      assert.match(picture, /^<svg/);
      assert.doesNotMatch(picture, /<script|href=|on\w+=|(fill|stroke)="(?!var\(--vscode-|none)/);
      assert.match(media.altText, /^%.+%$/);
    }
  });

  it('when clauses read only context keys that the code sets, and every one of those is read', () => {
    const clauses = [...contributes.viewsWelcome.map(it => it.when), ...Object.values(contributes.menus).flat().map(it => it.when ?? ''), ...contributes.commands.map(it => (it as { enablement?: string }).enablement ?? ''), ...contributes.walkthroughs.map(it => (it as { when?: string }).when ?? '')].join('\n');
    // What follows `activeWebviewPanelId ==` is a panel's type, no key.
    const keys = [...clauses.matchAll(/(?<![\w/^.]|activeWebviewPanelId == )ipcInspector\.\w+/g)].map(it => it[0]).filter(it => !(Object.values(viewIds) as string[]).includes(it));
    assert.deepEqual(sorted(keys), sorted(Object.values(contextKeys)));
  });

  it('every %key% of package.json is in package.nls.json, and the other way round', () => {
    const used = [...text('package.json').matchAll(/"%([^"%]+)%"/g)].map(it => it[1] ?? '');
    assert.deepEqual(sorted(used), sorted(Object.keys(JSON.parse(text('package.nls.json')) as object)));
  });

  it('every title that a user reads comes from package.nls.json', () => {
    for (const { title } of contributes.commands) assert.match(title, /^%.+%$/);
  });

  it('the extension is activated by views, commands, debugging, its own panels and its file system only', () => {
    assert.deepEqual(manifest.activationEvents.filter(it => it !== 'onDebug' && it !== 'onFileSystem:ipc-memory' && !it.startsWith('onWebviewPanel:ipcInspector.')), []);
  });

  it('every string of l10n.t is in the bundle, and the other way round', () => {
    const used = new Set([...facilityTable.values()].flatMap(row => [row.label, row.plural, row.accessibility, row.identifiedBy, row.persistence]));
    for (const { file, code } of sources) {
      for (const [call, single, double] of code.matchAll(/l10n\.t\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`)/g)) {
        assert.notEqual(call.at(-1), '`', `${file}: a template cannot be translated: ${call}`);
        used.add((single ?? double ?? '').replace(/\\(['"\\])/g, '$1').replace(/\\n/g, '\n'));
      }
    }
    const file = path.join(root, manifest.l10n, 'bundle.l10n.json');
    if (process.env.UPDATE_L10N) writeFileSync(file, `${JSON.stringify(Object.fromEntries(sorted(used).map(it => [it, it])), undefined, 2)}\n`);
    assert.deepEqual(sorted(Object.keys(JSON.parse(readFileSync(file, 'utf8')) as object)), sorted(used));
  });
});
