// What part of the drawing is in sight: zoom and pan, by wheel, drag and keys.
import type { Point } from './layout';

export interface Box { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number }

const least = 0.1, most = 3, margin = 28;
/** Below this zoom nobody can read the names. */
const legible = 0.45;

export class Viewport {
  private scale = 1;
  private x = 0;
  private y = 0;
  /** Follows the drawing until somebody zooms or pans. */
  private following = true;

  /**
   * @param svg what the drawing is seen through
   * @param world the drawing
   * @param moved called after each change, with the zoom (1 = full size)
   */
  constructor(private readonly svg: SVGSVGElement, private readonly world: SVGGElement, private readonly moved: (scale: number) => void) {
    svg.addEventListener('wheel', event => {
      event.preventDefault();
      const step = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      if (event.ctrlKey || event.metaKey) this.zoom(Math.exp(-event.deltaY * step / 300), this.local(event));
      else this.pan(-(event.shiftKey ? event.deltaY : event.deltaX) * step, -(event.shiftKey ? 0 : event.deltaY) * step);
    }, { passive: false });
    svg.addEventListener('pointerdown', event => {
      if (event.button !== 0 || (event.target instanceof Element && event.target.closest('.node'))) return;
      let from: Point = { x: event.clientX, y: event.clientY };
      svg.setPointerCapture(event.pointerId);
      svg.classList.add('dragging');
      const move = ({ clientX, clientY }: PointerEvent): void => {
        this.pan(clientX - from.x, clientY - from.y);
        from = { x: clientX, y: clientY };
      };
      const end = (): void => {
        svg.classList.remove('dragging');
        svg.removeEventListener('pointermove', move);
        svg.removeEventListener('lostpointercapture', end);
      };
      svg.addEventListener('pointermove', move);
      svg.addEventListener('lostpointercapture', end);
    });
  }

  get followsDrawing(): boolean { return this.following; }

  /** Zooms by a factor about a point of the window; about the middle without one. */
  zoom(factor: number, about: Point = { x: this.svg.clientWidth / 2, y: this.svg.clientHeight / 2 }): void {
    const scale = Math.min(most, Math.max(least, this.scale * factor));
    const real = scale / this.scale;
    this.x = about.x - (about.x - this.x) * real;
    this.y = about.y - (about.y - this.y) * real;
    this.scale = scale;
    this.following = false;
    this.apply();
  }

  pan(dx: number, dy: number): void {
    this.x += dx;
    this.y += dy;
    this.following = false;
    this.apply();
  }

  /** Shows the drawing for the first time: all of it, or the beginning where all of it could not be read. */
  begin(box: Box): void {
    this.fit(box);
    if (this.scale >= legible || this.svg.clientWidth === 0) return;
    this.scale = legible;
    this.x = margin - box.left * this.scale;
    this.y = margin - box.top * this.scale;
    this.apply();
  }

  /** Shows all of the drawing, never larger than life. */
  fit(box: Box): void {
    const [width, height] = [Math.max(1, box.right - box.left), Math.max(1, box.bottom - box.top)];
    const [clientWidth, clientHeight] = [this.svg.clientWidth, this.svg.clientHeight];
    if (clientWidth === 0 || clientHeight === 0) return;
    this.scale = Math.min(1, Math.max(least, Math.min((clientWidth - margin * 2) / width, (clientHeight - margin * 2) / height)));
    this.x = (clientWidth - width * this.scale) / 2 - box.left * this.scale;
    this.y = (clientHeight - height * this.scale) / 2 - box.top * this.scale;
    this.following = true;
    this.apply();
  }

  /** Whether all of a box is in sight. */
  shows(box: Box): boolean {
    return box.left * this.scale + this.x >= 0 && box.top * this.scale + this.y >= 0
      && box.right * this.scale + this.x <= this.svg.clientWidth && box.bottom * this.scale + this.y <= this.svg.clientHeight;
  }

  /** Moves as little as is needed to bring a box into sight. */
  reveal(box: Box): void {
    const shift = (low: number, high: number, room: number): number => low < margin ? margin - low : high > room - margin ? Math.max(room - margin - high, margin - low) : 0;
    const dx = shift(box.left * this.scale + this.x, box.right * this.scale + this.x, this.svg.clientWidth);
    const dy = shift(box.top * this.scale + this.y, box.bottom * this.scale + this.y, this.svg.clientHeight);
    if (dx !== 0 || dy !== 0) this.pan(dx, dy);
  }

  private local({ clientX, clientY }: { readonly clientX: number; readonly clientY: number }): Point {
    const { left, top } = this.svg.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }

  private apply(): void {
    this.world.setAttribute('transform', `translate(${this.x.toFixed(2)} ${this.y.toFixed(2)}) scale(${this.scale.toFixed(4)})`);
    this.moved(this.scale);
  }
}
