// The search of the memory view: what was typed, how far the probe has looked, what it found. Goes on in the background, can be cancelled.
import type { SearchMemoryResult } from '../native-probe/protocol';
import type { MemoryStrings } from './memoryProtocol';
import { lastAtOrBefore, parsePattern } from './memoryInput';
import { fill } from './text';
import { formatNumber } from './units';

/** Hits that are kept; then the user is asked whether to go on. */
const mostHits = 10_000;

export interface SearchHost {
  readonly send: (base64: string, ignoreCase: boolean, from: number) => number;
  readonly cancel: (request: number) => void;
  readonly goTo: (offset: number, length: number) => void;
  readonly cursor: () => number;
  readonly redraw: () => void;
  readonly announce: (text: string) => void;
}

interface Running { readonly base64: string; readonly length: number; readonly ignoreCase: boolean; request: number; from: number; size: number; state: 'running' | 'paused' | 'done' | 'cancelled' }

export class MemorySearch {
  readonly element = document.createElement('div');
  readonly input = document.createElement('input');
  private readonly kind = document.createElement('select');
  private readonly matchCase = document.createElement('input');
  private readonly status = document.createElement('span');
  private readonly progress = document.createElement('progress');
  private readonly buttons: Readonly<Record<'previous' | 'next' | 'cancel' | 'goOn', HTMLButtonElement>>;
  private hits: number[] = [];
  private current = -1;
  private running: Running | undefined;
  /** Whether the first hit that comes in is gone to. */
  private jump = false;

  constructor(private readonly host: SearchHost, private readonly strings: MemoryStrings, private readonly language: string) {
    this.element.className = 'search';
    this.element.setAttribute('role', 'search');
    this.input.type = 'text';
    this.input.placeholder = strings.searchPlaceholder;
    this.input.setAttribute('aria-label', strings.search);
    this.input.spellcheck = false;
    for (const kind of ['text', 'hex'] as const) this.kind.append(new Option(strings[kind], kind));
    this.kind.setAttribute('aria-label', strings.search);
    this.matchCase.type = 'checkbox';
    this.matchCase.checked = true;
    const label = document.createElement('label');
    label.className = 'check';
    label.append(this.matchCase, strings.matchCase);
    this.status.className = 'found';
    this.progress.hidden = true;
    this.progress.setAttribute('aria-label', strings.searching.replace(/\s*\{0\}.*$/, ''));
    const button = (icon: string, text: string, action: () => void): HTMLButtonElement => {
      const made = document.createElement('button');
      made.type = 'button';
      made.className = 'tool';
      made.title = text;
      made.setAttribute('aria-label', text);
      const glyph = document.createElement('span');
      glyph.className = `codicon codicon-${icon}`;
      glyph.setAttribute('aria-hidden', 'true');
      made.append(glyph);
      made.addEventListener('click', action);
      return made;
    };
    this.buttons = {
      previous: button('arrow-up', strings.previous, () => this.step(-1)), next: button('arrow-down', strings.next, () => this.step(1)),
      cancel: button('debug-stop', strings.cancel, () => this.stop('cancelled')), goOn: button('debug-continue', strings.goOn, () => this.goOn()),
    };
    this.buttons.cancel.hidden = this.buttons.goOn.hidden = true;
    this.element.append(this.input, this.kind, label, this.buttons.previous, this.buttons.next, this.progress, this.buttons.cancel, this.buttons.goOn, this.status);
    this.input.addEventListener('keydown', event => {
      if (event.key === 'Enter') { event.preventDefault(); this.step(event.shiftKey ? -1 : 1); }
      else if (event.key === 'Escape') this.stop('cancelled');
    });
    this.kind.addEventListener('change', () => { label.hidden = this.kind.value === 'hex'; this.reset(); });
    this.matchCase.addEventListener('change', () => this.reset());
    this.input.addEventListener('input', () => this.reset());
  }

  /** 1: the byte belongs to a hit; 2: to the one that was gone to. */
  readonly hitAt = (offset: number): 0 | 1 | 2 => {
    const { running } = this;
    if (!running || this.hits.length === 0) return 0;
    const here = this.hits[this.current];
    if (here !== undefined && offset >= here && offset < here + running.length) return 2;
    const index = lastAtOrBefore(this.hits, offset);
    const hit = this.hits[index];
    return hit !== undefined && offset < hit + running.length ? 1 : 0;
  };

  /** An answer of the probe to this request; false when it is not the one that is waited for. */
  receive(request: number, result: SearchMemoryResult): boolean {
    const { running } = this;
    if (running?.request !== request || running.state !== 'running') return false;
    if (result.form !== 'hits') { this.stop('cancelled'); return true; }
    running.size = Number(result.size);
    this.hits.push(...result.hits.map(Number));
    if (this.jump && this.hits.length > 0) { this.jump = false; this.goToHit(this.firstFrom(this.host.cursor())); }
    if (result.next === null) running.state = 'done';
    else {
      running.from = Number(result.next);
      if (this.hits.length >= mostHits) running.state = 'paused';
      else running.request = this.host.send(running.base64, running.ignoreCase, running.from);
    }
    if (running.state !== 'running') this.host.announce(this.words());
    this.show();
    this.host.redraw();
    return true;
  }

  /** The request failed, or nothing can be seen any more. */
  failed(request?: number): void {
    if (request === undefined || this.running?.request === request) this.stop('cancelled');
  }

  private reset(): void {
    this.stop('cancelled');
    this.running = undefined;
    this.hits = [];
    this.current = -1;
    this.input.removeAttribute('aria-invalid');
    this.status.textContent = '';
    this.status.classList.remove('invalid');
    this.show();
    this.host.redraw();
  }

  private step(direction: 1 | -1): void {
    if (!this.running) { this.begin(); return; }
    if (this.hits.length === 0) { if (this.running.state === 'cancelled') this.begin(); return; }
    const { current } = this;
    this.goToHit(current < 0 ? this.firstFrom(this.host.cursor()) : (current + direction + this.hits.length) % this.hits.length);
  }

  private begin(): void {
    const parsed = parsePattern(this.input.value, this.kind.value === 'hex' ? 'hex' : 'text');
    if ('problem' in parsed) {
      if (parsed.problem === 'empty') return;
      this.input.setAttribute('aria-invalid', 'true');
      this.status.textContent = this.strings[parsed.problem];
      this.status.classList.add('invalid');
      this.host.announce(this.strings[parsed.problem]);
      return;
    }
    const base64 = btoa(String.fromCharCode(...parsed.bytes));
    const ignoreCase = this.kind.value === 'text' && !this.matchCase.checked;
    this.hits = [];
    this.current = -1;
    this.jump = true;
    this.running = { base64, length: parsed.bytes.length, ignoreCase, request: -1, from: 0, size: 0, state: 'running' };
    this.running.request = this.host.send(base64, ignoreCase, 0);
    this.show();
  }

  private goOn(): void {
    const { running } = this;
    if (!running || running.state === 'running' || running.state === 'done') return;
    if (running.state === 'paused') { this.hits = []; this.current = -1; this.jump = true; }
    running.state = 'running';
    running.request = this.host.send(running.base64, running.ignoreCase, running.from);
    this.show();
  }

  private stop(state: 'cancelled'): void {
    if (this.running?.state !== 'running') return;
    this.host.cancel(this.running.request);
    this.running.state = state;
    this.host.announce(this.words());
    this.show();
  }

  private firstFrom(offset: number): number {
    const index = lastAtOrBefore(this.hits, offset - 1) + 1;
    return index < this.hits.length ? index : 0;
  }

  private goToHit(index: number): void {
    this.current = index;
    const hit = this.hits[index];
    if (hit !== undefined && this.running) this.host.goTo(hit, this.running.length);
    this.show();
    this.host.announce(this.words());
  }

  private words(): string {
    const { running, strings } = this;
    if (!running) return '';
    const count = formatNumber(String(this.hits.length), this.language);
    const found = this.hits.length === 0 ? (running.state === 'running' ? '' : strings.noHits)
      : this.current >= 0 ? fill(strings.hit, formatNumber(String(this.current + 1), this.language), count) : fill(strings.hits, count);
    switch (running.state) {
      case 'running': return [found, fill(strings.searching, String(running.size === 0 ? 0 : Math.floor(running.from / running.size * 100)))].filter(it => it !== '').join(' · ');
      case 'paused': return `${found} · ${strings.manyHits}`;
      case 'cancelled': return `${found} · ${strings.cancelled}`;
      case 'done': return found;
      default: return running.state satisfies never;
    }
  }

  private show(): void {
    const { running } = this;
    const isRunning = running?.state === 'running';
    this.progress.hidden = !isRunning;
    if (running && running.size > 0) { this.progress.max = running.size; this.progress.value = running.from; } else this.progress.removeAttribute('value');
    this.buttons.cancel.hidden = !isRunning;
    this.buttons.goOn.hidden = running?.state !== 'paused' && running?.state !== 'cancelled';
    if (running) this.status.textContent = this.words();
  }
}
