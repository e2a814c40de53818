// The rows of the memory view in the DOM: offset, bytes as hexadecimal numbers, bytes as text. A row's elements are made once and only changed
// where what they show has; scrolling creates nothing.
import type { MemoryCache } from './memoryCache';
import { blockSize } from './memoryCache';

/** What a byte's cells depend on besides the byte. */
export interface RowScene {
  readonly cache: MemoryCache;
  /** Bytes of the memory. */
  readonly size: number;
  readonly bytesPerRow: number;
  /** Digits of an offset. */
  readonly digits: number;
  readonly cursor: number;
  /** First and last byte of the selection. */
  readonly selection: readonly [number, number];
  /** 1: belongs to a hit of the search; 2: to the one that was gone to. */
  readonly hitAt: (offset: number) => 0 | 1 | 2;
}

/** Printable ASCII; everything else is a dot, in the dim colour. */
const isPrintable = (byte: number): boolean => byte >= 0x20 && byte < 0x7f;
const hexOf: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Id of the cell that has the cursor, for `aria-activedescendant`. */
export const activeCellId = 'active-cell';

export class HexRow {
  readonly element = document.createElement('div');
  private readonly offsetCell = document.createElement('span');
  private readonly hexCells: HTMLSpanElement[] = [];
  private readonly textCells: HTMLSpanElement[] = [];
  private shown: { text: string; className: string; glyph: string }[] = [];
  private index = -1;

  constructor(bytesPerRow: number) {
    this.element.className = 'row';
    this.element.setAttribute('role', 'row');
    this.offsetCell.className = 'offset';
    this.offsetCell.setAttribute('role', 'rowheader');
    this.element.append(this.offsetCell);
    const text = document.createElement('span');
    text.className = 'text';
    // The same bytes once more: a screen reader has them from the cells before.
    text.setAttribute('aria-hidden', 'true');
    for (let column = 0; column < bytesPerRow; column++) {
      const hex = document.createElement('span');
      hex.setAttribute('role', 'gridcell');
      hex.dataset['column'] = String(column);
      const glyph = document.createElement('span');
      glyph.dataset['column'] = String(column);
      this.hexCells.push(hex);
      this.textCells.push(glyph);
      this.element.append(hex);
      text.append(glyph);
      this.shown.push({ text: '\0', className: '\0', glyph: '\0' });
    }
    this.element.append(text);
  }

  /** The first byte that it shows. */
  get row(): number { return this.index; }

  /** Shows a row of the memory. `label` says the byte under the cursor in words. */
  show(row: number, scene: RowScene, label: (offset: number) => string): void {
    const start = row * scene.bytesPerRow;
    if (row !== this.index) {
      this.index = row;
      this.element.setAttribute('aria-rowindex', String(row + 1));
      this.element.dataset['row'] = String(row);
    }
    const offset = start.toString(16).padStart(scene.digits, '0');
    if (this.offsetCell.textContent !== offset) this.offsetCell.textContent = offset;
    for (let column = 0; column < scene.bytesPerRow; column++) this.showByte(start + column, column, scene, label);
  }

  private showByte(at: number, column: number, scene: RowScene, label: (offset: number) => string): void {
    const hex = this.hexCells[column], glyph = this.textCells[column], before = this.shown[column];
    if (!hex || !glyph || !before) return;
    const block = at < scene.size ? scene.cache.get(Math.floor(at / blockSize)) : undefined;
    const byte = block?.bytes[at - block.index * blockSize];
    let text = '  ', shown = ' ', kind = at < scene.size ? 'waiting' : 'end';
    if (block !== undefined && byte !== undefined) {
      const { state } = block;
      if (state === 'absent') [text, shown, kind] = ['··', '·', 'absent'];
      else if (state === 'unseen') [text, shown, kind] = ['??', '?', 'unseen'];
      else {
        text = hexOf[byte] ?? '';
        shown = isPrintable(byte) ? String.fromCharCode(byte) : '.';
        kind = `${state}${byte === 0 ? ' zero' : ''}${isPrintable(byte) ? '' : ' dot'}`;
      }
      if (block.changed?.[at - block.index * blockSize] === 1) kind += ' changed';
      if (block.generation !== scene.cache.generation) kind += ' older';
    }
    const hit = scene.hitAt(at);
    const active = at === scene.cursor;
    const className = `b ${kind}${column % 8 === 0 && column > 0 ? ' group' : ''}${at >= scene.selection[0] && at <= scene.selection[1] ? ' selected' : ''}${hit === 2 ? ' hit here' : hit === 1 ? ' hit' : ''}${active ? ' cursor' : ''}`;
    if (before.text !== text) hex.textContent = before.text = text;
    if (before.glyph !== shown) glyph.textContent = before.glyph = shown;
    if (before.className !== className) hex.className = glyph.className = before.className = className;
    if (active) {
      if (hex.id !== activeCellId) hex.id = activeCellId;
      const words = label(at);
      if (hex.getAttribute('aria-label') !== words) hex.setAttribute('aria-label', words);
      hex.setAttribute('aria-selected', 'true');
    } else if (hex.id === activeCellId) {
      hex.removeAttribute('id');
      hex.removeAttribute('aria-label');
      hex.removeAttribute('aria-selected');
    }
  }
}
