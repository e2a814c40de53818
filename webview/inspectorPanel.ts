// The inspector's webview: one IPC object, live. Talks to extension/panels/inspectorPanel.ts by the messages of protocol.ts.
import './inspector.css';
import type { Described } from './patch';
import type { FromInspector, InspectorState, InspectorStrings, InspectorView, Section, ToInspector } from './protocol';
import { h, patch } from './patch';
import { sectionView } from './sectionView';
import { fill, visible } from './text';
import { registerToolkit } from './toolkit';
import { formatTime } from './units';
import type { Setting } from './valueView';
import { plain, short } from './valueView';

interface VsCodeApi {
  postMessage(message: FromInspector): void;
  setState(state: InspectorState): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

type Content = Exclude<ToInspector, { readonly type: 'strings' }>;

/** Relative times are told anew this often; polling of the object itself is the host's business. */
const refreshTimes = 10_000;
/** A screen reader is not told more often than this. */
const announceEvery = 5000;

const api = acquireVsCodeApi();
let strings: InspectorStrings | undefined;
let language = 'en';
let content: Content | undefined;
let changed: ReadonlySet<string> = new Set();

const main = document.createElement('main');
const status = document.createElement('div');
status.className = 'visually-hidden';
status.setAttribute('role', 'status');
status.setAttribute('aria-live', 'polite');

function setting(words: InspectorStrings): Setting {
  return {
    strings: words, language, now: Date.now(),
    follow: pid => api.postMessage({ type: 'follow', pid }),
    peek: offset => api.postMessage({ type: 'peek', offset }),
    inspect: id => api.postMessage({ type: 'inspect', id }),
    format: format => api.postMessage({ type: 'format', format }),
    copy: text => { api.postMessage({ type: 'copy', text }); announce(words.copied); },
    showAll: (table, all) => api.postMessage({ type: 'showAll', table, all }),
  };
}

function render(): void {
  if (!strings || !content) return;
  const with_ = setting(strings);
  const problem = content.problem === undefined ? [] : [banner('problem', 'warning', fill(strings.problem, visible(content.problem)))];
  const described = content.type === 'view' ? viewOf(content.view, with_) : messageOf(content, with_);
  patch(main, [...described.slice(0, 1), ...problem, ...described.slice(1)]);
}

function header(icon: string, label: string, name: string, brief: string | undefined, summary: string | undefined, actions: readonly Described[]): Described {
  return h('header', { key: 'header' },
    h('span', { class: `codicon codicon-${icon} facility`, 'aria-hidden': 'true' }),
    h('div', { class: 'titles' },
      h('p', { class: 'label' }, label),
      h('h1', { title: short(visible(name), 1000) }, h('bdi', {}, visible(name))),
      brief === undefined || brief === '' ? undefined : h('p', { class: 'brief' }, h('bdi', {}, visible(brief))),
      summary === undefined ? undefined : h('p', { class: 'summary' }, summary)),
    h('div', { class: 'actions', role: 'group', 'aria-label': strings?.actions }, ...actions));
}

function button(key: string, icon: string, text: string, onClick: () => void): Described {
  return h('vscode-button', { key, appearance: 'secondary', onClick }, h('span', { slot: 'start', class: `codicon codicon-${icon}`, 'aria-hidden': 'true' }), text);
}

function viewOf(view: InspectorView, with_: Setting): readonly Described[] {
  const gone = view.goneSince;
  return [
    header(view.icon, view.label, view.name, view.brief, view.summary, [
      button('copyId', 'copy', with_.strings.copyId, () => { api.postMessage({ type: 'copyId' }); announce(with_.strings.copied); }),
      button('copyJson', 'json', with_.strings.copyJson, () => { api.postMessage({ type: 'copyJson' }); announce(with_.strings.copied); }),
      ...(view.memory && gone === undefined ? [button('openMemory', 'file-binary', with_.strings.openMemory, () => api.postMessage({ type: 'openMemory' }))] : []),
      ...(view.removable && gone === undefined ? [button('remove', 'trash', with_.strings.remove, () => api.postMessage({ type: 'remove' }))] : []),
    ]),
    ...(gone === undefined ? [] : [banner('gone', 'circle-slash', with_.strings.gone, fill(with_.strings.goneDetail, formatTime(gone, with_.now, language)?.absolute ?? visible(gone)))]),
    h('div', { key: 'sections', class: gone === undefined ? 'sections' : 'sections last-known' }, ...view.sections.map(section => sectionView(section, changed, with_))),
  ];
}

function banner(key: string, icon: string, headline: string, detail?: string): Described {
  return h('div', { key, class: 'banner' },
    h('span', { class: `codicon codicon-${icon}`, 'aria-hidden': 'true' }),
    h('p', {}, h('strong', {}, headline), detail === undefined ? undefined : ` ${detail}`));
}

function messageOf({ type, state }: Exclude<Content, { readonly type: 'view' }>, with_: Setting): readonly Described[] {
  return [
    header(state.icon, state.label, state.name, undefined, undefined, []),
    type === 'vanished' ? banner('gone', 'circle-slash', with_.strings.gone, with_.strings.goneUnknown)
      : h('p', { key: 'pending', class: 'pending' }, h('vscode-progress-ring', {}), with_.strings.pending),
  ];
}

/** Keys (`section.field`) and titles of what differs. Tables count as one thing; times that only grow older do not. */
function differences(before: InspectorView, after: InspectorView): { readonly keys: ReadonlySet<string>; readonly titles: readonly string[] } {
  const keys = new Set<string>();
  const titles: string[] = [];
  const old = new Map<string, Section>(before.sections.map(section => [section.key, section]));
  for (const section of after.sections) {
    const was = old.get(section.key);
    if (section.type === 'fields' && was?.type === 'fields') {
      const values = new Map(was.fields.map(field => [field.key, plain(field.value)]));
      for (const field of section.fields) {
        if (values.get(field.key) !== plain(field.value)) { keys.add(`${section.key}.${field.key}`); titles.push(field.gloss); }
      }
    } else if (JSON.stringify(was) !== JSON.stringify(section)) titles.push(section.title);
  }
  return { keys, titles };
}

let lastAnnounced = 0;
let waiting: ReturnType<typeof setTimeout> | undefined;
let unheard: string[] = [];

/** Says it politely; several changes in a short time are said in one breath, each once. */
function announce(text: string): void {
  unheard.push(text);
  if (waiting !== undefined) return;
  waiting = setTimeout(() => {
    waiting = undefined;
    lastAnnounced = Date.now();
    status.textContent = [...new Set(unheard)].join(' ');
    unheard = [];
  }, Math.max(0, lastAnnounced + announceEvery - Date.now()));
}

function show(next: Content): void {
  const before = content?.type === 'view' ? content.view : undefined;
  content = next;
  changed = new Set();
  if (next.type === 'view' && strings) {
    const { view } = next;
    if (before?.id === view.id) {
      const { keys, titles } = differences(before, view);
      changed = keys;
      if (view.goneSince !== undefined && before.goneSince === undefined) announce(strings.gone);
      else if (titles.length > 0) announce(fill(strings.changed, titles.join(', ')));
    }
    if (before?.id !== view.id || before.name !== view.name) {
      // As much of the name as a panel's title needs: the state is kept in the window's storage.
      api.setState({ version: 1, id: view.id, name: short(view.name, 200), icon: view.icon, label: view.label });
    }
  } else if (next.type !== 'view') {
    api.setState(next.state);
    if (next.type === 'vanished' && strings) announce(strings.gone);
  }
  render();
}

function receive(message: ToInspector): void {
  switch (message.type) {
    case 'strings':
      ({ strings, language } = message);
      document.documentElement.lang = language;
      render();
      break;
    case 'pending': case 'vanished': case 'view': show(message); break;
    default: message satisfies never;
  }
}

registerToolkit();
document.body.append(main, status);
window.addEventListener('message', (event: MessageEvent<ToInspector>) => receive(event.data));
setInterval(() => { if (!document.hidden) render(); }, refreshTimes);
api.postMessage({ type: 'ready' });
