// The sections of an inspector: fields, tables, notes. Each is a landmark with a heading.
import type { Described } from './patch';
import type { Column, Note, PeekSection, RangesSection, Row, Section } from './protocol';
import { h } from './patch';
import { fill, visible } from './text';
import { formatNumber, formatTime } from './units';
import type { Setting } from './valueView';
import { iconButton, short, valueView } from './valueView';

const severityIcons = { info: 'info', warning: 'warning', error: 'error' } as const;

/** Describes a section. `changed`: keys of its fields that differ from the view before. */
export function sectionView(section: Section, changed: ReadonlySet<string>, setting: Setting): Described {
  const heading = `heading-${section.key}`;
  const count = section.type === 'table' ? ` (${formatNumber(String(section.total), setting.language)})` : '';
  return h('section', { key: section.key, 'aria-labelledby': heading },
    h('h2', { id: heading }, section.title + count),
    ...body(section, changed, heading, setting));
}

function body(section: Section, changed: ReadonlySet<string>, heading: string, setting: Setting): readonly Described[] {
  switch (section.type) {
    case 'fields': return [h('dl', { class: 'fields' }, ...section.fields.map(field =>
      h('div', { key: field.key, class: changed.has(`${section.key}.${field.key}`) ? 'field changed' : 'field' },
        h('dt', {}, field.gloss, ...term(field.term)),
        h('dd', {}, ...valueView(field.value, setting)))))];
    case 'table': return tableView(section, heading, setting);
    case 'notes': return [h('ul', { class: 'notes' }, ...section.notes.map(noteView))];
    case 'ranges': return rangesView(section);
    case 'peek': return peekView(section, heading, setting);
    default: return section satisfies never;
  }
}

/** Locks on their file: one line a lock, its bar where its bytes are. */
function rangesView({ marks, ranges, caption }: RangesSection): readonly Described[] {
  const percent = (part: number): string => `${Math.round(part * 10000) / 100}%`;
  return [
    h('p', { key: 'caption', class: 'remark' }, caption),
    h('ul', { key: 'file', class: 'file' },
      ...ranges.map(range => h('li', { key: range.key },
        h('span', { class: 'holder' }, h('bdi', {}, visible(range.label))),
        h('span', { class: 'track' }, h('span', { class: `range ${range.type}${range.waiting ? ' waiting' : ''}${range.open ? ' open' : ''}`, role: 'img', 'aria-label': visible(range.words), title: visible(range.words), '--from': percent(range.from), '--to': percent(range.to) }))))),
    h('div', { key: 'marks', class: 'marks', 'aria-hidden': 'true' }, h('span', { class: 'track' }, ...marks.map(mark => h('span', { key: mark.text, class: 'mark', '--from': percent(mark.at) }, mark.text)))),
  ];
}

/** The button, what is known of the contents, and the bytes. */
function peekView(section: PeekSection, heading: string, setting: Setting): readonly Described[] {
  const button = (key: string, text: string, offset: string): Described => h('vscode-button', { key, appearance: 'secondary', disabled: section.busy ? '' : undefined, onClick: () => setting.peek(offset) }, text);
  const time = section.lookedAt === undefined ? undefined : formatTime(section.lookedAt, setting.now, setting.language);
  return [
    h('p', { key: 'prompt', class: 'remark' }, section.prompt),
    h('p', { key: 'act', class: 'more' }, button('look', section.action, '0'), ...(time ? [' ', h('time', { key: 'time', datetime: section.lookedAt }, time.absolute), ` ${time.relative}`] : [])),
    ...(section.formats === undefined ? [] : [h('p', { key: 'formats', class: 'formats', role: 'group', 'aria-label': section.formatLabel }, ...section.formats.map(({ key, label, chosen }) =>
      h('button', { key, type: 'button', class: chosen ? 'format chosen' : 'format', 'aria-pressed': String(chosen), onClick: () => setting.format(key) }, label)))]),
    ...section.remarks.map((remark, index) => h('p', { key: `remark ${index}`, class: 'said' }, h('bdi', {}, visible(remark)))),
    ...(section.dump === undefined ? [] : [h('div', { key: 'dump', class: 'scroll', role: 'region', tabindex: '0', 'aria-labelledby': heading }, h('pre', { class: 'dump' }, section.dump.split('\n').map(visible).join('\n')))]),
    ...(section.pages.length === 0 ? [] : [h('p', { key: 'pages', class: 'more actions' }, ...section.pages.map(page => button(page.key, page.label, page.offset)))]),
  ];
}

function tableView(section: Extract<Section, { type: 'table' }>, heading: string, setting: Setting): readonly Described[] {
  const { strings, language } = setting;
  const remark = section.remark === undefined ? [] : [h('p', { key: 'remark', class: 'remark' }, section.remark)];
  if (section.total === 0) return [h('p', { key: 'empty', class: 'empty' }, section.empty), ...remark];
  const copies = section.rows.some(row => row.copy !== undefined);
  const header = h('thead', {}, h('tr', {},
    ...section.columns.map(column => h('th', { key: column.key, scope: 'col', class: column.numeric ? 'numeric' : undefined }, column.label, ...term(column.term))),
    copies ? h('th', { key: '\0copy', class: 'act' }, h('span', { class: 'visually-hidden' }, strings.actions)) : undefined));
  const known = describedRows.get(section.key);
  const described = new Map<string, DescribedRow>();
  const rows = section.rows.map(row => {
    const text = JSON.stringify(row);
    const before = known?.get(row.key);
    const same = before?.text === text ? before : { text, element: rowView(row, section.columns, copies, setting) };
    described.set(row.key, same);
    return same.element;
  });
  describedRows.set(section.key, described);
  const shown = formatNumber(String(section.rows.length), language);
  const total = formatNumber(String(section.total), language);
  return [
    // Wide tables scroll by themselves, also by keyboard.
    h('div', { key: 'table', class: 'scroll', role: 'region', tabindex: '0', 'aria-labelledby': heading }, h('table', { 'aria-labelledby': heading }, header, h('tbody', {}, ...rows))),
    ...(section.rows.length < section.total && section.rows.length <= foldFrom
      ? [h('p', { key: 'more', class: 'more' }, `${fill(strings.shownOf, shown, total)} `, h('vscode-button', { key: 'all', appearance: 'secondary', onClick: () => setting.showAll(section.key, true) }, fill(strings.showAll, total)))]
      : section.rows.length > foldFrom ? [h('p', { key: 'more', class: 'more' }, section.rows.length < section.total ? `${fill(strings.shownOf, shown, total)} ` : undefined, h('vscode-button', { key: 'fewer', appearance: 'secondary', onClick: () => setting.showAll(section.key, false) }, strings.showFewer))] : []),
    ...remark,
  ];
}

interface DescribedRow { readonly text: string; readonly element: Described }
/** The rows described last, by table and key: of 10,000 rows an update changes a few, and only those are looked at again. */
const describedRows = new Map<string, ReadonlyMap<string, DescribedRow>>();

function rowView(row: Row, columns: readonly Column[], copies: boolean, setting: Setting): Described {
  return h('tr', { key: row.key },
    ...row.cells.map((cell, index) => {
      const numeric = columns[index]?.numeric ? 'numeric' : undefined;
      // The first cell says which row this is.
      return index === 0 ? h('th', { scope: 'row', class: numeric }, ...(cell ? valueView(cell, setting, true) : []))
        : h('td', { class: numeric }, ...(cell ? valueView(cell, setting, true) : []));
    }),
    copies ? h('td', { class: 'act' }, ...(row.copy === undefined ? [] : [iconButton('copy', fill(setting.strings.copy, short(visible(row.copy))), () => setting.copy(row.copy ?? ''))])) : undefined);
}

/** The manual page's word beside ours. */
function term(word: string | undefined): readonly Described[] {
  return word === undefined ? [] : [' ', h('code', { class: 'term' }, word)];
}

/** Longer tables can be folded again. The host sends as many rows unasked. */
const foldFrom = 100;

function noteView(note: Note): Described {
  return h('li', { key: note.key, class: `note ${note.severity}` },
    h('span', { class: `codicon codicon-${severityIcons[note.severity]}`, 'aria-hidden': 'true' }),
    h('div', { class: 'note-body' },
      h('p', { class: 'headline' }, h('bdi', {}, visible(note.headline)), ...(note.tag === undefined ? [] : [' ', h('span', { class: 'tag' }, visible(note.tag))])),
      ...note.lines.map(line => h('p', { class: 'line' }, h('bdi', {}, visible(line))))));
}
