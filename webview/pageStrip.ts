// A picture of all pages beside the grid: which are in memory, on swap, absent, and where the view is. A click goes there.
import type { SurveyPagesResult } from '../native-probe/protocol';
import type { PageState } from '../native-probe/model';

export type Survey = Extract<SurveyPagesResult, { readonly form: 'survey' }>;

/** Told apart in this order where a part has pages of several states: what is rare must not vanish among what is plenty. */
export const statesInOrder = ['swapped', 'resident', 'written', 'on-disk', 'unseen', 'absent'] as const satisfies readonly PageState[];

/** Pages of a state in the whole. */
export function total(survey: Survey, state: PageState): number {
  return (survey.pages[state] ?? []).reduce((sum, each) => sum + each, 0);
}

/** Start of the next part (or the one before) with something written, in bytes; undefined when there is none. */
export function writtenPart(survey: Survey, from: number, direction: 1 | -1): number | undefined {
  const bytes = survey.pagesOfPart * survey.pageSize;
  const parts = Math.ceil(Number(survey.size) / bytes);
  for (let part = Math.floor(from / bytes) + direction; part >= 0 && part < parts; part += direction) {
    if (statesInOrder.some(state => state !== 'absent' && state !== 'unseen' && (survey.pages[state]?.[part] ?? 0) > 0)) return part * bytes;
  }
  return undefined;
}

export class PageStrip {
  readonly element = document.createElement('canvas');
  private survey: Survey | undefined;
  private view: readonly [number, number] = [0, 0];
  private size = 0;

  constructor(goTo: (offset: number) => void) {
    this.element.className = 'strip';
    this.element.setAttribute('role', 'img');
    this.element.addEventListener('pointerdown', event => {
      if (this.size > 0) goTo(Math.floor(Math.min(0.999999, event.offsetY / this.element.clientHeight) * this.size));
    });
    new ResizeObserver(() => this.draw()).observe(this.element);
    // The colours come with the class that VS Code sets on the body.
    new MutationObserver(() => this.draw()).observe(document.body, { attributes: true, attributeFilter: ['class'] });
  }

  show(survey: Survey | undefined, words: string): void {
    this.survey = survey;
    this.element.setAttribute('aria-label', words);
    this.element.title = words;
    this.draw();
  }

  /** Where the grid is: first byte, the one after the last, and the size of the whole. */
  showView(view: readonly [number, number], size: number): void {
    this.view = view;
    this.size = size;
    this.draw();
  }

  private draw(): void {
    const { clientWidth, clientHeight } = this.element;
    const scale = window.devicePixelRatio;
    const [width, height] = [Math.round(clientWidth * scale), Math.round(clientHeight * scale)];
    if (this.element.width !== width) this.element.width = width;
    if (this.element.height !== height) this.element.height = height;
    const context = this.element.getContext('2d');
    if (!context || height === 0) return;
    const style = getComputedStyle(this.element);
    const colour = (name: string): string => style.getPropertyValue(`--state-${name}`).trim() || 'transparent';
    context.clearRect(0, 0, width, height);
    if (this.survey) this.drawParts(context, this.survey, width, height, colour);
    if (this.size === 0) return;
    const top = this.view[0] / this.size * height;
    const tall = Math.max(3 * scale, (this.view[1] - this.view[0]) / this.size * height);
    context.strokeStyle = style.color;
    context.lineWidth = scale;
    context.strokeRect(scale / 2, Math.min(top, height - tall) + scale / 2, width - scale, tall - scale);
  }

  private drawParts(context: CanvasRenderingContext2D, survey: Survey, width: number, height: number, colour: (name: string) => string): void {
    const pages = Math.ceil(Number(survey.size) / survey.pageSize);
    const parts = Math.ceil(pages / survey.pagesOfPart);
    for (let part = 0; part < parts; part++) {
      const top = Math.floor(part * survey.pagesOfPart / pages * height);
      const bottom = Math.max(top + 1, Math.ceil(Math.min(pages, (part + 1) * survey.pagesOfPart) / pages * height));
      const inPart = Math.min(survey.pagesOfPart, pages - part * survey.pagesOfPart);
      let left = 0;
      for (const state of statesInOrder) {
        const count = survey.pages[state]?.[part] ?? 0;
        if (count === 0) continue;
        // A single page of thousands is still to be seen.
        const wide = Math.max(width / 6, count / inPart * width);
        context.fillStyle = colour(state);
        context.fillRect(Math.floor(left), top, Math.ceil(Math.min(wide, width - left)), bottom - top);
        left = Math.min(width, left + wide);
      }
    }
  }
}
