// What stands around the grid of the memory view: title, tools, notices, legend and status line.
import type { NoMemory } from '../native-probe/protocol';
import type { PageState } from '../native-probe/model';
import type { MemoryState, MemoryStrings } from './memoryProtocol';
import { fill, visible } from './text';

export interface FrameHost {
  readonly refresh: () => void;
  readonly auto: (on: boolean) => void;
  /** Goes to what was typed; what is wrong with it, where something is. */
  readonly goTo: (text: string) => string | undefined;
  readonly save: () => void;
  readonly openAsFile: () => void;
  readonly inspect: () => void;
  readonly administrator: () => void;
  readonly bytesPerRow: (count: number) => void;
  readonly written: (direction: 1 | -1) => void;
}

/** Makes an element with a class and children; text becomes text nodes. */
export function element<K extends keyof HTMLElementTagNameMap>(tag: K, className: string, ...children: readonly (Node | string)[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  made.append(...children);
  return made;
}

/** A codicon, for eyes only. */
export function icon(name: string): HTMLSpanElement {
  const made = element('span', `codicon codicon-${name}`);
  made.setAttribute('aria-hidden', 'true');
  return made;
}

/** A button with an icon, and a text where there is room for one. */
export function tool(iconName: string, label: string, action: () => void, text = false): HTMLButtonElement {
  const made = element('button', text ? 'tool with-text' : 'tool', icon(iconName), ...(text ? [label] : []));
  made.type = 'button';
  made.title = label;
  if (!text) made.setAttribute('aria-label', label);
  made.addEventListener('click', action);
  return made;
}

/** A screen reader is not told more often than this, in milliseconds. */
const announceEvery = 1000;

export class MemoryFrame {
  private readonly goToInput = element('input', 'goto');
  private readonly goToProblem = element('span', 'found invalid');
  private readonly sizes = element('p', 'sizes');
  private readonly updated = element('span', 'updated');
  private readonly banners = element('div', 'banners');
  private readonly legend = element('ul', 'legend');
  private readonly where = element('span', 'where');
  private readonly selected = element('span', 'selected-bytes');
  private readonly pageState = element('span', 'page-state');
  private readonly status = element('footer', 'status');
  private readonly live = element('div', 'visually-hidden');
  private readonly body = element('main', 'body');
  private readonly perRow = element('select', '');
  private readonly pending: HTMLElement;
  private readonly shownBanners = new Map<string, HTMLElement>();
  private unheard: string | undefined;
  private speaking: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly strings: MemoryStrings, state: MemoryState, private administrator: boolean, private readonly host: FrameHost) {
    const name = element('h1', '', element('bdi', '', visible(state.name)));
    name.title = visible(state.name);
    const badge = element('span', 'tag', strings.readOnly);
    const auto = element('input', '');
    auto.type = 'checkbox';
    auto.checked = true;
    auto.addEventListener('change', () => host.auto(auto.checked));
    for (const count of [0, 8, 16, 32]) this.perRow.append(new Option(fill(strings.perRow, count === 0 ? strings.automatic : String(count)), String(count)));
    this.perRow.setAttribute('aria-label', strings.bytesPerRow);
    this.perRow.title = strings.bytesPerRow;
    this.perRow.addEventListener('change', () => host.bytesPerRow(Number(this.perRow.value)));
    this.goToInput.type = 'text';
    this.goToInput.spellcheck = false;
    this.goToInput.placeholder = strings.goToPlaceholder;
    this.goToInput.setAttribute('aria-label', strings.goTo);
    this.goToInput.addEventListener('keydown', event => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      this.goToProblem.textContent = host.goTo(this.goToInput.value) ?? '';
      if (this.goToProblem.textContent === '') this.goToInput.removeAttribute('aria-invalid');
      else { this.goToInput.setAttribute('aria-invalid', 'true'); this.announce(this.goToProblem.textContent); }
    });
    this.goToInput.addEventListener('input', () => { this.goToProblem.textContent = ''; this.goToInput.removeAttribute('aria-invalid'); });
    this.live.setAttribute('role', 'status');
    this.live.setAttribute('aria-live', 'polite');
    this.pending = element('p', 'pending', strings.pending);
    this.banners.append(this.pending);
    const goTo = element('div', 'goto-box', this.goToInput, tool('arrow-up', strings.previousWritten, () => host.written(-1)), tool('arrow-down', strings.nextWritten, () => host.written(1)), this.goToProblem);
    const actions = element('div', 'actions', element('label', 'check', auto, strings.autoRefresh), tool('refresh', strings.refresh, host.refresh), this.perRow,
      tool('save-as', strings.save, host.save), tool('go-to-file', strings.openAsFile, host.openAsFile), tool('info', strings.inspect, host.inspect));
    const header = element('header', '', element('div', 'titles', element('span', `codicon codicon-${state.icon} facility`), element('div', '', element('p', 'label', state.label, ' ', badge), name)), this.sizes, actions);
    this.tools = element('div', 'tools', goTo);
    this.status.append(this.where, this.selected, this.pageState, this.updated, this.legend);
    this.legend.setAttribute('aria-label', strings.pages);
    document.body.append(header, this.tools, this.banners, this.body, this.status, this.live);
  }

  private readonly tools: HTMLElement;

  /** Puts the parts into their places. */
  place(search: HTMLElement, grid: HTMLElement, strip: HTMLElement, side: HTMLElement): void {
    this.tools.append(search);
    this.body.append(grid, strip, side);
  }

  focusGoTo(): void {
    this.goToInput.focus();
    this.goToInput.select();
  }

  showBytesPerRow(count: number): void { this.perRow.value = String(count); }

  showSizes(size: string, allocated: string | undefined): void {
    const words = allocated === undefined ? fill(this.strings.size, size) : `${fill(this.strings.size, size)} · ${fill(this.strings.allocated, allocated)}`;
    if (this.sizes.textContent !== words) this.sizes.textContent = words;
  }

  showUpdated(words: string): void { if (this.updated.textContent !== words) this.updated.textContent = words; }

  showCursor(where: string, selected: string, state: string): void {
    if (this.where.textContent !== where) this.where.textContent = where;
    if (this.selected.textContent !== selected) this.selected.textContent = selected;
    if (this.pageState.textContent !== state) this.pageState.textContent = state;
  }

  showLegend(counts: readonly (readonly [PageState, number])[], bytes: (pages: number) => string, number: (pages: number) => string): void {
    const key = JSON.stringify(counts);
    if (this.legend.dataset['key'] === key) return;
    this.legend.dataset['key'] = key;
    this.legend.replaceChildren(...counts.map(([state, count]) => {
      const swatch = element('span', `swatch ${state}`);
      swatch.setAttribute('aria-hidden', 'true');
      const item = element('li', '', swatch, `${this.strings.states[state]} ${bytes(count)}`);
      item.title = `${this.strings.stateHelp[state]} (${number(count)})`;
      return item;
    }));
  }

  setAdministrator(can: boolean): void {
    this.administrator = can;
    for (const each of document.querySelectorAll<HTMLElement>('.administrator')) each.hidden = !can;
  }

  /** Bytes are shown. `complete`: what is absent is known as such. */
  showMemory(complete: boolean): void {
    this.pending.remove();
    this.banner('none', undefined);
    this.banner('incomplete', complete ? undefined : this.strings.incomplete, 'info', !complete);
    this.body.hidden = this.status.hidden = this.tools.hidden = false;
  }

  /** Nothing can be shown, and why. */
  showNoMemory(why: NoMemory): void {
    this.pending.remove();
    // Where it may be back any moment, what somebody types into stays.
    this.tools.hidden = why.form === 'gone';
    this.body.hidden = this.status.hidden = true;
    this.sizes.textContent = '';
    this.legend.replaceChildren();
    delete this.legend.dataset['key'];
    this.showUpdated('');
    this.banner('incomplete', undefined);
    this.banner('notice', undefined);
    if (why.form === 'gone') this.banner('none', `${this.strings.gone} ${this.strings.goneDetail}`, 'circle-slash');
    else this.banner('none', fill(this.strings.unavailable, visible(why.remedy === undefined ? why.reason : `${why.reason}; ${why.remedy}`)), 'circle-slash', why.errno === 'EACCES' || why.errno === 'EPERM');
  }

  /** Why the last request failed; undefined when it did not. */
  problem(words: string | undefined): void { this.banner('problem', words, 'warning'); }

  /** Something to know that happened; it goes with the next. */
  notice(words: string): void { this.banner('notice', words, 'info'); }

  announce(text: string): void {
    if (text === '') return;
    this.unheard = text;
    this.speaking ??= setTimeout(() => {
      this.speaking = undefined;
      this.live.textContent = this.unheard ?? '';
    }, announceEvery);
  }

  private banner(key: string, words: string | undefined, iconName = 'info', offersRights = false): void {
    const present = this.shownBanners.get(key);
    if (present?.dataset['words'] === words && words !== undefined) return;
    present?.remove();
    this.shownBanners.delete(key);
    if (words === undefined) return;
    const made = element('div', `banner ${iconName === 'info' ? 'quiet' : ''}`, icon(iconName), element('p', '', element('bdi', '', words)));
    made.dataset['words'] = words;
    if (offersRights) {
      const button = tool('shield', this.strings.administrator, this.host.administrator, true);
      button.classList.add('administrator');
      button.hidden = !this.administrator;
      made.append(button);
    }
    if (key === 'notice') made.append(tool('close', this.strings.dismiss, () => this.banner('notice', undefined)));
    this.shownBanners.set(key, made);
    this.banners.append(made);
    if (iconName !== 'info') this.announce(words);
  }
}
