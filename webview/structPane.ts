// Beside the grid: the bytes at the cursor as a structure that the user declares in C.
import type { Declarations } from './cDeclarations';
import type { CType } from './cTypes';
import { parseDeclarations } from './cDeclarations';
import { DeclarationError } from './cTokens';
import type { MemoryState, MemoryStrings } from './memoryProtocol';
import { element } from './memoryFrame';
import type { Described } from './patch';
import { h, patch } from './patch';
import type { FieldLine } from './structValues';
import { structLines } from './structValues';
import { fill, visible } from './text';
import { formatNumber } from './units';
import type { ValueHost } from './valuePane';

/** Bytes that are read for a structure at most; what lies beyond has no value. */
const farthest = 256 << 10;
/** Milliseconds after the last key before the declarations are read. */
const pauseAfterTyping = 250;

export class StructPane {
  readonly element = element('section', 'struct');
  private readonly text = element('textarea', '');
  private readonly error = element('button', 'error');
  private readonly chosen = element('select', '');
  private readonly order = element('select', '');
  private readonly follow = element('input', '');
  private readonly remark = element('p', 'remark');
  private readonly table = element('div', 'scroll');
  private declarations: Declarations = { types: new Map() };
  private wanted: string | undefined;
  private pinned = 0;
  private cursor: number | undefined;
  private typing: ReturnType<typeof setTimeout> | undefined;
  private shown = '';
  private problem: DeclarationError | undefined;

  constructor(private readonly strings: MemoryStrings, private readonly language: string, littleEndian: boolean, state: MemoryState, private readonly host: ValueHost) {
    const heading = element('h2', '', strings.structTitle);
    heading.id = 'heading-struct';
    this.element.setAttribute('aria-labelledby', heading.id);
    this.text.setAttribute('aria-label', strings.declarations);
    this.text.placeholder = strings.declarationsHelp;
    this.text.spellcheck = false;
    this.text.value = state.declarations ?? '';
    this.text.rows = 7;
    this.error.type = 'button';
    this.error.id = 'struct-error';
    this.error.hidden = true;
    this.error.addEventListener('click', () => this.goToError());
    this.chosen.setAttribute('aria-label', strings.structure);
    this.order.setAttribute('aria-label', strings.byteOrder);
    this.order.append(new Option(strings.littleEndian, 'little', littleEndian, littleEndian), new Option(strings.bigEndian, 'big', !littleEndian, !littleEndian));
    this.follow.type = 'checkbox';
    this.follow.checked = true;
    this.table.setAttribute('aria-live', 'off');
    const tools = element('div', 'struct-tools', this.chosen, this.order, element('label', 'check', this.follow, strings.followCursor));
    this.element.append(heading, this.text, this.error, tools, this.remark, this.table);
    this.wanted = state.structure;
    this.text.addEventListener('input', () => { clearTimeout(this.typing); this.typing = setTimeout(() => this.parse(true), pauseAfterTyping); });
    this.chosen.addEventListener('change', () => { this.wanted = this.chosen.value; this.keep(); this.draw(); this.host.want(); });
    this.order.addEventListener('change', () => this.draw());
    this.follow.addEventListener('change', () => { if (!this.follow.checked) this.pinned = this.cursor ?? 0; this.draw(); this.host.want(); });
    this.parse(false);
  }

  /** First byte that is needed, and the one after the last; the same when nothing is declared. */
  needs(cursor: number): readonly [number, number] {
    const { type } = this;
    const base = this.follow.checked ? cursor : this.pinned;
    return [base, type === undefined ? base : base + Math.min(farthest, reach(type))];
  }

  /** Shows the structure over the bytes at the cursor; undefined: there is nothing to show. */
  show(cursor: number | undefined): void {
    this.cursor = cursor;
    this.draw();
  }

  private get type(): CType | undefined { return this.wanted === undefined ? undefined : this.declarations.types.get(this.wanted); }

  private parse(keep: boolean): void {
    try {
      this.declarations = parseDeclarations(this.text.value);
      this.problem = undefined;
    } catch (error) {
      if (!(error instanceof DeclarationError)) throw error;
      // What was understood before is shown no more: it is not what stands there.
      this.declarations = { types: new Map() };
      this.problem = error;
    }
    const { problem, strings } = this;
    this.error.hidden = problem === undefined;
    this.error.textContent = problem === undefined ? '' : fill(strings.errorAt, String(problem.place.line), String(problem.place.column), visible(problem.message));
    if (problem === undefined) { this.text.removeAttribute('aria-invalid'); this.text.removeAttribute('aria-describedby'); }
    else { this.text.setAttribute('aria-invalid', 'true'); this.text.setAttribute('aria-describedby', this.error.id); }
    const names = [...this.declarations.types.keys()];
    this.chosen.replaceChildren(...names.map(name => new Option(name, name)));
    // Nothing to choose, nothing to order: nothing to look at either.
    if (this.chosen.parentElement) this.chosen.parentElement.hidden = names.length === 0;
    // The last that is declared is mostly the one that is meant: it uses the others.
    if (problem === undefined && (this.wanted === undefined || !names.includes(this.wanted))) this.wanted = names.at(-1);
    if (this.wanted !== undefined) this.chosen.value = this.wanted;
    this.draw();
    // At the very start nobody is there yet to be asked.
    if (!keep) return;
    this.keep();
    this.host.want();
  }

  private keep(): void { this.host.declarations(this.text.value, this.wanted ?? ''); }

  private goToError(): void {
    if (!this.problem) return;
    const { line, column } = this.problem.place;
    const before = this.text.value.split('\n').slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    this.text.focus();
    this.text.setSelectionRange(before + column - 1, before + column);
  }

  private draw(): void {
    const { type, strings } = this;
    const base = this.follow.checked ? this.cursor : this.pinned;
    if (type === undefined || base === undefined) {
      this.remark.textContent = this.problem === undefined && this.declarations.types.size === 0 ? strings.noStructure : '';
      this.shown = '';
      patch(this.table, []);
      return;
    }
    const { lines, more } = structLines(type, this.wanted ?? '', this.host.prefix(base, Math.min(farthest, type.size)), this.order.value === 'little');
    const key = JSON.stringify([base, lines, this.order.value]);
    if (key === this.shown) return;
    this.shown = key;
    this.remark.textContent = [fill(strings.base, `0x${base.toString(16)}`), fill(strings.structSize, formatNumber(String(type.size), this.language), String(type.align)), ...(more ? [strings.moreFields] : [])].join(' · ');
    patch(this.table, [h('table', { class: 'fields', 'aria-labelledby': 'heading-struct' },
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, strings.field), h('th', { scope: 'col' }, strings.type), h('th', { scope: 'col', class: 'at' }, strings.fieldOffset), h('th', { scope: 'col' }, strings.value))),
      h('tbody', {}, ...lines.map((line, index) => this.lineView(line, index, base))))]);
  }

  /** Selects a field's bytes. The cursor goes there, the structure stays where it is. */
  private select(base: number, line: FieldLine): void {
    if (this.follow.checked) { this.follow.checked = false; this.pinned = base; }
    this.host.select(base + line.offset, Math.max(1, line.size));
  }

  private lineView(line: FieldLine, index: number, base: number): Described {
    // Of the way only the last part: the others stand above it. Screen readers hear all of it.
    const name = /[^.]*$/.exec(line.path)?.[0] ?? line.path;
    return h('tr', { key: `${index} ${line.path}` },
      h('th', { scope: 'row', class: `d${Math.min(6, line.depth)}` }, h('button', { class: 'link', type: 'button', 'aria-label': line.path, title: line.path, onClick: () => this.select(base, line) }, name)),
      h('td', { class: 'type' }, line.type), h('td', { class: 'at' }, `+${line.offset.toString(16)}`),
      h('td', {}, line.value === undefined ? '' : line.value === '' ? h('span', { class: 'remark', title: this.strings.fieldBeyond }, this.strings.noValue) : line.value));
  }
}

const reaches = new WeakMap<CType, number>();

/** Bytes up to the last field that is shown: long arrays are shown by their first elements. */
function reach(type: CType): number {
  let known = reaches.get(type);
  if (known === undefined) reaches.set(type, known = structLines(type, '', undefined, true).lines.reduce((most, line) => Math.max(most, line.value === undefined ? 0 : line.offset + line.size), 0));
  return known;
}
