// One value: text, number, bytes, time, process, or unknown with its reason.
import type { InspectorStrings, Value } from './protocol';
import type { Described } from './patch';
import { h } from './patch';
import { fill, visible } from './text';
import { formatBytes, formatNumber, formatTime } from './units';

/** What every view needs to know besides its data. */
export interface Setting {
  readonly strings: InspectorStrings;
  readonly language: string;
  /** Milliseconds; relative times are told from it. */
  readonly now: number;
  readonly follow: (pid: number) => void;
  readonly inspect: (id: string) => void;
  readonly peek: (offset: string) => void;
  readonly format: (format: string) => void;
  readonly copy: (text: string) => void;
  readonly showAll: (table: string, all: boolean) => void;
}

/** A small icon that acts; `label` is what a screen reader says and the tooltip shows. */
export function iconButton(icon: string, label: string, onClick: () => void): Described {
  return h('button', { class: 'icon-button', type: 'button', title: label, 'aria-label': label, onClick }, h('span', { class: `codicon codicon-${icon}`, 'aria-hidden': 'true' }));
}

/** Describes a value. `brief`: in a table, where there is no room for reasons; they are said by the tooltip and by the section on what was not seen. */
export function valueView(value: Value, setting: Setting, brief = false): readonly Described[] {
  const { strings, language } = setting;
  switch (value.type) {
    case 'text': {
      const text = visible(value.text);
      const shown = h('bdi', { class: 'data' }, text);
      return value.copy ? [shown, ' ', iconButton('copy', fill(strings.copy, short(text)), () => setting.copy(value.text))] : [shown];
    }
    case 'block': return [h('span', { class: 'data block' }, value.text.split('\n').map(visible).join('\n'))];
    case 'words': return [value.text];
    case 'number': return [
      h('span', { class: 'number' }, value.of === undefined ? formatNumber(value.number, language) : fill(strings.of, formatNumber(value.number, language), formatNumber(value.of, language))),
      ...meter(value.number, value.bar ?? value.of, value.bar === undefined),
    ];
    case 'bytes': return bytesView(value.bytes, value.of, setting);
    case 'time': {
      const time = formatTime(value.time, setting.now, language);
      if (!time) return [h('bdi', { class: 'data' }, visible(value.time))];
      return [h('time', { datetime: value.time }, time.absolute), ...aside(time.relative)];
    }
    case 'process': return processView(value, setting);
    case 'object': {
      const name = visible(value.name);
      return [h('button', { class: 'link', type: 'button', title: fill(setting.strings.inspect, short(name)), onClick: () => setting.inspect(value.id) }, h('bdi', { class: 'data' }, name))];
    }
    case 'unknown': {
      const why = visible(value.remedy === undefined ? value.why : `${value.why}; ${value.remedy}`);
      return brief
        ? [h('span', { class: 'unknown', title: why }, strings.unknown), h('span', { class: 'visually-hidden' }, ` ${why}`)]
        : [h('span', { class: 'unknown' }, strings.unknown), ...aside(why)];
    }
    default: return value satisfies never;
  }
}

function bytesView(bytes: string, of: string | undefined, { strings, language }: Setting): readonly Described[] {
  const { exact, human } = formatBytes(bytes, language);
  const limit = of === undefined ? undefined : formatBytes(of, language);
  const shown = limit ? fill(strings.of, formatNumber(bytes, language), limit.exact) : exact;
  const rounded = limit ? (limit.human === undefined ? undefined : fill(strings.of, human ?? exact, limit.human)) : human;
  return [h('span', { class: 'number' }, shown), ...(rounded === undefined ? [] : aside(rounded)), ...meter(bytes, of, true)];
}

/** How full it is, as a bar; the numbers beside it say the same to those who do not see it. `fills`: near its end it is in the colour of a warning. */
function meter(value: string, most: string | undefined, fills: boolean): readonly Described[] {
  if (most === undefined || !/^\d+$/.test(value) || !/^\d+$/.test(most) || most === '0') return [];
  const part = Math.min(1, Number(value) / Number(most));
  return [' ', h('span', { class: fills && part >= 0.9 ? 'meter full' : 'meter', 'aria-hidden': 'true', '--part': String(Math.round(part * 1000) / 10) }, h('span', { class: 'level' }))];
}

function processView(value: Extract<Value, { type: 'process' }>, setting: Setting): readonly Described[] {
  if (value.name === undefined) return [String(value.pid), ...aside(value.note ?? setting.strings.notRunning)];
  const name = visible(value.name);
  const label = [h('bdi', { class: 'data' }, name), ` (${value.pid})`] as const;
  const shown = h('button', { class: 'link', type: 'button', title: fill(setting.strings.follow, name, String(value.pid)), onClick: () => setting.follow(value.pid) }, ...label);
  return value.note === undefined ? [shown] : [shown, ...aside(value.note)];
}

/** What is said beside a value. The blank is for those who hear or copy it. */
function aside(text: string): readonly Described[] {
  return [' ', h('span', { class: 'aside' }, text)];
}

/** The start of a long text: tooltips and announcements need no 4 kB. */
export function short(text: string, length = 60): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}

/** A value as plain text, to tell whether it changed in a way worth announcing. */
export function plain(value: Value | undefined): string {
  return value === undefined ? '' : JSON.stringify(value);
}
