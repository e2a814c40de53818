// The memory view's grid: virtual scrolling, cursor and selection by mouse and keyboard. Asks nobody for bytes: it says what is in sight.
import { activeCellId, HexRow } from './hexRows';
import type { RowScene } from './hexRows';
import type { MemoryCache } from './memoryCache';
import type { ScrollExtent, ScrollPosition } from './virtualScroll';
import { isScaled, laidOutHeight, revealRow, scrolled, scrollTo } from './virtualScroll';

export interface GridHost {
  readonly cache: MemoryCache;
  /** The cursor or the selection is another. */
  readonly moved: () => void;
  /** Other bytes are in sight. */
  readonly viewed: () => void;
  /** What a screen reader says of a byte. */
  readonly label: (offset: number) => string;
  readonly hitAt: (offset: number) => 0 | 1 | 2;
  /** Copy what is selected: as numbers, or as text where the text column was used. */
  readonly copy: (asText: boolean) => void;
}

/** Columns that rows are made of when they fit; the narrowest always is. */
const widths = [32, 16, 8] as const;

export class HexGrid {
  readonly element = document.createElement('div');
  readonly scroller = document.createElement('div');
  private readonly header = document.createElement('div');
  private readonly spacer = document.createElement('div');
  private readonly layer = document.createElement('div');
  private rows: HexRow[] = [];
  private size = 0;
  private bytesPerRow = 16;
  /** 0: as many as fit. */
  private wantedPerRow = 0;
  private rowHeight = 20;
  private position: ScrollPosition = { top: 0, scrollTop: 0 };
  private textSide = false;
  private frame = 0;
  private settle: ReturnType<typeof setTimeout> | undefined;
  private dragging = false;
  cursor = 0;
  anchor = 0;

  constructor(private readonly host: GridHost, label: string, heads: { readonly offset: string; readonly text: string }) {
    this.element.className = 'grid';
    this.header.className = 'row head';
    this.header.setAttribute('aria-hidden', 'true');
    this.scroller.className = 'scroller';
    this.scroller.tabIndex = 0;
    this.scroller.setAttribute('role', 'grid');
    this.scroller.setAttribute('aria-label', label);
    this.scroller.setAttribute('aria-readonly', 'true');
    this.scroller.setAttribute('aria-multiselectable', 'true');
    this.spacer.className = 'spacer';
    this.layer.className = 'layer';
    this.layer.setAttribute('role', 'rowgroup');
    this.scroller.append(this.layer, this.spacer);
    this.element.append(this.header, this.scroller);
    this.heads = heads;
    this.scroller.addEventListener('scroll', () => this.onScroll(), { passive: true });
    this.scroller.addEventListener('keydown', event => this.onKey(event));
    this.scroller.addEventListener('pointerdown', event => this.onPointerDown(event));
    this.scroller.addEventListener('pointermove', event => this.onPointerMove(event));
    this.scroller.addEventListener('pointerup', event => { this.dragging = false; this.scroller.releasePointerCapture(event.pointerId); });
    this.scroller.addEventListener('focus', () => this.draw());
    new ResizeObserver(() => this.layOut()).observe(this.scroller);
  }

  private readonly heads: { readonly offset: string; readonly text: string };

  /** First and last byte of what is selected: at least the cursor's. */
  get selection(): readonly [number, number] { return [Math.min(this.anchor, this.cursor), Math.max(this.anchor, this.cursor)]; }

  /** First byte in sight and the one after the last. */
  get inSight(): readonly [number, number] {
    const first = Math.floor(this.position.top / this.rowHeight) * this.bytesPerRow;
    return [first, Math.min(this.size, first + this.rows.length * this.bytesPerRow)];
  }

  get perRow(): number { return this.bytesPerRow; }

  setSize(size: number): void {
    if (size === this.size) return;
    this.size = size;
    this.cursor = Math.min(this.cursor, Math.max(0, size - 1));
    this.anchor = Math.min(this.anchor, Math.max(0, size - 1));
    this.layOut();
  }

  setBytesPerRow(wanted: number): void {
    this.wantedPerRow = wanted;
    this.layOut();
  }

  /** Moves the cursor and brings it into sight. */
  goTo(offset: number, options: { readonly extend?: boolean; readonly centred?: boolean; readonly length?: number } = {}): void {
    const at = Math.min(Math.max(0, offset), Math.max(0, this.size - 1));
    this.cursor = at;
    if (options.length !== undefined) { this.anchor = Math.min(this.size - 1, at + options.length - 1); }
    else if (!options.extend) this.anchor = at;
    this.move(revealRow(this.position, Math.floor(at / this.bytesPerRow), this.extent, options.centred));
    this.host.moved();
  }

  /** Scrolls so that a byte is at the top. */
  scrollToByte(offset: number): void {
    this.move(scrollTo(Math.floor(offset / this.bytesPerRow) * this.rowHeight, this.extent));
  }

  /** Draws at the next frame. */
  draw(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => { this.frame = 0; this.drawNow(); });
  }

  private get rowCount(): number { return Math.ceil(this.size / this.bytesPerRow); }
  private get extent(): ScrollExtent { return { rows: this.rowCount, rowHeight: this.rowHeight, viewport: this.scroller.clientHeight }; }
  private get digits(): number { return Math.max(8, Math.max(0, this.size - 1).toString(16).length); }

  private drawNow(): void {
    const first = Math.floor(this.position.top / this.rowHeight);
    const scene: RowScene = { cache: this.host.cache, size: this.size, bytesPerRow: this.bytesPerRow, digits: this.digits, cursor: this.cursor, selection: this.selection, hitAt: this.host.hitAt };
    // A row keeps its elements while it stays in sight: only those that come in are written anew.
    const count = this.rows.length;
    for (let row = first; row < first + count; row++) {
      const element = this.rows[row % count];
      if (!element) continue;
      const exists = row < this.rowCount;
      element.element.hidden = !exists;
      if (!exists) continue;
      element.show(row, scene, this.host.label);
      element.element.style.transform = `translateY(${row * this.rowHeight - this.position.top}px)`;
    }
    const active = Math.floor(this.cursor / this.bytesPerRow);
    if (active >= first && active < first + count && this.size > 0) this.scroller.setAttribute('aria-activedescendant', activeCellId);
    else this.scroller.removeAttribute('aria-activedescendant');
  }

  /** Measures, and makes as many rows as fit. The byte at the top stays there. */
  layOut(): void {
    const top = this.inSight[0];
    const style = getComputedStyle(this.scroller);
    const fontSize = parseFloat(style.fontSize) || 14;
    this.rowHeight = Math.round(fontSize * 1.45);
    const probe = document.createElement('span');
    probe.className = 'measure';
    probe.textContent = '0'.repeat(100);
    this.element.append(probe);
    const character = probe.getBoundingClientRect().width / 100 || fontSize * 0.6;
    probe.remove();
    const room = this.scroller.clientWidth / character;
    const needs = (columns: number): number => this.digits + 3 + columns * 3 + columns / 8 + 2 + columns + 1;
    const per = this.wantedPerRow > 0 ? this.wantedPerRow : widths.find(columns => needs(columns) <= room) ?? 8;
    const visible = Math.min(200, Math.ceil(this.scroller.clientHeight / this.rowHeight) + 1);
    if (per !== this.bytesPerRow || visible !== this.rows.length || this.header.childElementCount === 0) {
      this.bytesPerRow = per;
      this.rows = Array.from({ length: visible }, () => new HexRow(per));
      this.layer.replaceChildren(...this.rows.map(row => row.element));
      this.drawHeader(per);
    }
    this.element.style.setProperty('--digits', String(this.digits));
    this.element.style.setProperty('--row-height', `${this.rowHeight}px`);
    this.header.style.paddingRight = `${this.scroller.offsetWidth - this.scroller.clientWidth}px`;
    this.scroller.setAttribute('aria-rowcount', String(this.rowCount));
    this.scroller.setAttribute('aria-colcount', String(per + 1));
    const { viewport } = this.extent;
    this.layer.style.height = `${viewport}px`;
    // The layer is as high as the viewport and stays in it: it takes no room of its own below the content.
    this.spacer.style.height = `${Math.max(0, laidOutHeight(this.extent) - viewport)}px`;
    this.scrollToByte(top);
  }

  private drawHeader(per: number): void {
    const cell = (className: string, text: string): HTMLSpanElement => {
      const span = document.createElement('span');
      span.className = className;
      span.textContent = text;
      return span;
    };
    this.header.replaceChildren(cell('offset', this.heads.offset), ...Array.from({ length: per }, (_, column) => cell(`b${column % 8 === 0 && column > 0 ? ' group' : ''}`, column.toString(16).padStart(2, '0'))), cell('text', this.heads.text));
  }

  private move(position: ScrollPosition): void {
    this.position = position;
    if (Math.abs(this.scroller.scrollTop - position.scrollTop) >= 1) this.scroller.scrollTop = position.scrollTop;
    // What the browser made of it is where the next step is counted from.
    this.position = { top: position.top, scrollTop: this.scroller.scrollTop };
    this.draw();
    this.host.viewed();
  }

  private onScroll(): void {
    const { scrollTop } = this.scroller;
    if (scrollTop === this.position.scrollTop) return;
    this.position = scrolled(this.position, scrollTop, this.extent);
    // At once, not at the next frame: the browser paints after this.
    this.drawNow();
    this.host.viewed();
    if (!isScaled(this.extent)) return;
    // The scroll bar catches up with exact steps once they have ended.
    clearTimeout(this.settle);
    this.settle = setTimeout(() => this.move(scrollTo(this.position.top, this.extent)), 150);
  }

  private onKey(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.extent.viewport / this.rowHeight) - 1) * this.bytesPerRow;
    const row = this.cursor - this.cursor % this.bytesPerRow;
    const control = event.ctrlKey || event.metaKey;
    if (event.altKey) return;
    const target = ((): number | undefined => {
      switch (event.key) {
        case 'ArrowLeft': return this.cursor - 1;
        case 'ArrowRight': return this.cursor + 1;
        case 'ArrowUp': return this.cursor - this.bytesPerRow;
        case 'ArrowDown': return this.cursor + this.bytesPerRow;
        case 'PageUp': return this.cursor - page;
        case 'PageDown': return this.cursor + page;
        case 'Home': return control ? 0 : row;
        case 'End': return control ? this.size - 1 : row + this.bytesPerRow - 1;
        default: return undefined;
      }
    })();
    if (target !== undefined) {
      event.preventDefault();
      // A step up from the first row, or down from the last, leads nowhere: the column is kept.
      const stays = (event.key === 'ArrowUp' && target < 0) || (event.key === 'ArrowDown' && target >= this.size);
      if (!stays) this.goTo(target, { extend: event.shiftKey });
      return;
    }
    if (control && event.key.toLowerCase() === 'c') { event.preventDefault(); this.host.copy(this.textSide); }
    else if (control && event.key.toLowerCase() === 'a') {
      event.preventDefault();
      this.anchor = 0;
      this.cursor = Math.max(0, this.size - 1);
      this.draw();
      this.host.moved();
    }
  }

  private byteAt(event: PointerEvent): number | undefined {
    const target = document.elementFromPoint(event.clientX, event.clientY);
    if (!(target instanceof HTMLElement)) return undefined;
    const column = target.dataset['column'];
    const row = target.closest<HTMLElement>('[data-row]')?.dataset['row'];
    if (column === undefined || row === undefined) return undefined;
    if (!this.dragging) this.textSide = target.closest('.text') !== null;
    return Math.min(Math.max(0, this.size - 1), Number(row) * this.bytesPerRow + Number(column));
  }

  private onPointerDown(event: PointerEvent): void {
    if (event.button !== 0) return;
    const at = this.byteAt(event);
    if (at === undefined) return;
    this.scroller.focus();
    this.cursor = at;
    if (!event.shiftKey) this.anchor = at;
    this.dragging = true;
    this.scroller.setPointerCapture(event.pointerId);
    this.draw();
    this.host.moved();
  }

  private onPointerMove(event: PointerEvent): void {
    if (!this.dragging) return;
    const box = this.scroller.getBoundingClientRect();
    // Beyond the edge the view goes along.
    if (event.clientY < box.top) this.goTo(this.cursor - this.bytesPerRow, { extend: true });
    else if (event.clientY > box.bottom) this.goTo(this.cursor + this.bytesPerRow, { extend: true });
    else {
      const at = this.byteAt(event);
      if (at === undefined || at === this.cursor) return;
      this.cursor = at;
      this.draw();
      this.host.moved();
    }
  }
}
