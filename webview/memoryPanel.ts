// The memory view's webview: shared memory as hexadecimal numbers and text, live and read-only. Talks to extension/panels/memoryPanel.ts
// by the messages of memoryProtocol.ts. Asks only for what is in sight, one request at a time.
import './memory.css';
import type { ReadMemoryResult } from '../native-probe/protocol';
import type { PageState } from '../native-probe/model';
import { HexGrid } from './hexGrid';
import { MemoryCache, blockSize } from './memoryCache';
import { MemoryFrame } from './memoryFrame';
import { parseOffset } from './memoryInput';
import type { FromMemory, MemoryState, MemoryStrings, ToMemory } from './memoryProtocol';
import { MemorySearch } from './memorySearch';
import type { Survey } from './pageStrip';
import { PageStrip, statesInOrder, total, writtenPart } from './pageStrip';
import { fill, visible } from './text';
import { formatBytes, formatNumber } from './units';
import { ValuePane } from './valuePane';

interface VsCodeApi {
  postMessage(message: FromMemory): void;
  setState(state: MemoryState): void;
  getState(): MemoryState | undefined;
}
declare function acquireVsCodeApi(): VsCodeApi;
const api = acquireVsCodeApi();

/** Parts of the survey: about as many as a strip has pixels. */
const surveyParts = 1024;
/** The survey of an object that took this many milliseconds is not made again with every refresh. */
const slowSurvey = 250;
/** Bytes that are copied at most. */
const mostCopied = 64 << 10;

class MemoryView {
  private readonly cache = new MemoryCache();
  private readonly frame: MemoryFrame;
  private readonly grid: HexGrid;
  private readonly strip: PageStrip;
  private readonly search: MemorySearch;
  private readonly values: ValuePane;
  private state: MemoryState;
  private request = 0;
  /** The look that is under way, and what it asked for. */
  private reading: { readonly request: number; readonly offset: number } | undefined;
  private surveying: { readonly request: number; readonly since: number } | undefined;
  private surveyTook = 0;
  private survey: Survey | undefined;
  private size: number | undefined;
  private changes = 0;
  private shown = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly strings: MemoryStrings, private readonly language: string, private interval: number, administrator: boolean, state: MemoryState, littleEndian: boolean) {
    this.state = state;
    this.frame = new MemoryFrame(strings, state, administrator, {
      refresh: () => this.refresh(), auto: on => { this.auto = on; this.schedule(); },
      goTo: text => this.goToTyped(text), save: () => this.save(), openAsFile: () => api.postMessage({ type: 'openAsFile', offset: String(this.grid.selection[0]) }), inspect: () => api.postMessage({ type: 'inspect' }),
      administrator: () => api.postMessage({ type: 'administrator' }),
      bytesPerRow: count => { this.grid.setBytesPerRow(count); this.keep({ bytesPerRow: count }); },
      written: direction => this.goToWritten(direction),
    });
    this.search = new MemorySearch({
      send: (base64, ignoreCase, from) => this.send(request => ({ type: 'search', request, base64, ignoreCase, from: String(from) })),
      cancel: request => api.postMessage({ type: 'cancel', request }),
      goTo: (offset, length) => this.grid.goTo(offset, { centred: true, length }),
      cursor: () => this.grid.cursor, redraw: () => this.grid.draw(), announce: text => this.frame.announce(text),
    }, strings, language);
    this.grid = new HexGrid({
      cache: this.cache, moved: () => this.moved(), viewed: () => this.viewed(), label: offset => this.label(offset), hitAt: this.search.hitAt,
      copy: asText => this.copy(asText),
    }, fill(strings.memory, visible(state.name)), { offset: strings.offsetColumn, text: strings.textColumn });
    this.strip = new PageStrip(offset => { this.grid.goTo(offset, { centred: true }); });
    this.values = new ValuePane(strings, language, littleEndian, state, {
      bytes: (offset, length) => this.cache.bytes(offset, length), prefix: (offset, length) => this.cache.prefix(offset, length), want: () => this.look(), copy: text => this.copyText(text),
      declarations: (text, structure) => { this.keep({ declarations: text, structure }); api.postMessage({ type: 'declarations', text }); },
      select: (offset, length) => this.grid.goTo(offset, { length }),
    });
    this.frame.place(this.search.element, this.grid.element, this.strip.element, this.values.element);
    if (state.bytesPerRow !== undefined && state.bytesPerRow > 0) { this.grid.setBytesPerRow(state.bytesPerRow); this.frame.showBytesPerRow(state.bytesPerRow); }
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.refresh(); else this.schedule(); });
    api.setState(this.state);
    this.refresh();
  }

  private auto = true;

  receive(message: ToMemory): void {
    switch (message.type) {
      case 'strings': break; // the view is made of them once
      case 'read': this.received(message.request, message.result); break;
      case 'survey':
        if (message.request !== this.surveying?.request) break;
        this.surveyTook = performance.now() - this.surveying.since;
        this.surveying = undefined;
        if (message.result.form === 'survey') this.showSurvey(message.result);
        break;
      case 'search': this.search.receive(message.request, message.result); break;
      case 'failed': this.failed(message.request, message.problem); break;
      case 'focus':
        if (message.what === 'refresh') this.refresh();
        else if (message.what === 'goTo') this.frame.focusGoTo();
        else { this.search.input.focus(); this.search.input.select(); }
        break;
      case 'interval': this.interval = message.interval; this.schedule(); break;
      case 'administrator': this.frame.setAdministrator(message.administrator); break;
      default: message satisfies never;
    }
  }

  /** Everything in sight is read anew. */
  private refresh(): void {
    this.cache.generation++;
    this.changes = 0;
    this.look(true);
    if (this.surveying === undefined && (this.survey === undefined || this.surveyTook < slowSurvey)) this.surveyNow();
    this.schedule();
  }

  private surveyNow(): void {
    this.surveying = { since: performance.now(), request: this.send(request => ({ type: 'survey', request, parts: surveyParts })) };
  }

  private schedule(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (!this.auto || this.interval === 0 || document.hidden) return;
    this.timer = setTimeout(() => this.refresh(), this.interval);
  }

  /** Asks for the first thing that is missing of what is in sight or needed at the cursor. `force`: ask even when nothing is known to be there. */
  private look(force = false): void {
    if (this.reading) return;
    const [start, end] = this.grid.inSight;
    const [first, after] = this.values.needs(this.grid.cursor, this.size ?? 0);
    const missing = this.cache.missing(start, end) ?? this.cache.missing(first, after) ?? (force || this.size === undefined ? { offset: Math.floor(start / blockSize) * blockSize, length: blockSize } : undefined);
    if (missing === undefined) {
      this.values.show(this.grid.cursor);
      return;
    }
    this.reading = { offset: missing.offset, request: this.send(request => ({ type: 'read', request, offset: String(missing.offset), length: missing.length })) };
  }

  private send(make: (request: number) => FromMemory): number {
    const request = ++this.request;
    api.postMessage(make(request));
    return request;
  }

  private received(request: number, result: ReadMemoryResult): void {
    if (request !== this.reading?.request) return;
    const { offset } = this.reading;
    this.reading = undefined;
    this.frame.problem(undefined);
    if (result.form !== 'bytes') {
      // Nothing stale is shown as if it were there.
      this.cache.clear();
      this.survey = undefined;
      this.strip.show(undefined, '');
      this.size = undefined;
      this.grid.setSize(0);
      this.search.failed();
      this.frame.showNoMemory(result);
      this.grid.draw();
      this.values.show(undefined);
      return;
    }
    this.sized(result.size === null ? undefined : Number(result.size));
    this.changes += this.cache.put(offset, result);
    this.frame.showMemory(result.complete);
    this.frame.showSizes(result.size === null ? this.strings.sizeUnknown : bytesInWords(result.size, this.language), result.allocated === null ? undefined : bytesInWords(result.allocated, this.language));
    this.frame.showUpdated(this.changes === 0 ? '' : fill(this.strings.changedCount, formatNumber(String(this.changes), this.language)));
    this.grid.draw();
    this.moved();
    this.look();
  }

  /** The size is another than before: said, and nothing beyond it is kept. */
  private sized(size: number | undefined): void {
    const before = this.size;
    const now = size ?? this.grid.inSight[1] + blockSize;
    if (before === now) return;
    this.size = now;
    this.cache.cut(now);
    this.grid.setSize(now);
    if (before !== undefined && size !== undefined) {
      const words = fill(now < before ? this.strings.shrunk : this.strings.grown, bytesInWords(String(before), this.language), bytesInWords(String(now), this.language));
      this.frame.notice(words);
      this.frame.announce(words);
      if (this.surveying === undefined) this.surveyNow();
    }
    if (!this.shown) {
      this.shown = true;
      const cursor = parseOffset(this.state.cursor ?? '0') ?? 0;
      this.grid.goTo(cursor, { centred: true });
    }
  }

  private failed(request: number, problem: string): void {
    this.search.failed(request);
    if (request === this.surveying?.request) this.surveying = undefined;
    if (request !== this.reading?.request) return;
    this.reading = undefined;
    // The next refresh asks again.
    this.frame.problem(fill(this.strings.problem, visible(problem)));
  }

  private showSurvey(survey: Survey): void {
    this.survey = survey;
    const counts = statesInOrder.filter(state => total(survey, state) > 0).map(state => [state, total(survey, state)] as const);
    const words = fill(this.strings.pagesSummary, counts.map(([state, count]) => `${formatNumber(String(count), this.language)} ${this.strings.states[state]}`).join(', '));
    this.strip.show(survey, words);
    this.frame.showLegend(counts, count => bytesInWords(String(count * survey.pageSize), this.language, true), count => formatNumber(String(count), this.language));
  }

  private viewed(): void {
    this.strip.showView(this.grid.inSight, this.size ?? 0);
    this.look();
  }

  private moved(): void {
    const { cursor, selection: [first, last] } = this.grid;
    this.frame.showCursor(this.size === undefined || this.size === 0 ? '' : fill(this.strings.cursor, `0x${cursor.toString(16)}`, formatNumber(String(cursor), this.language)),
      last > first ? fill(this.strings.selection, `0x${first.toString(16)}`, `0x${last.toString(16)}`, formatNumber(String(last - first + 1), this.language)) : '', this.stateAt(cursor));
    this.values.show(this.size === undefined ? undefined : cursor);
    this.keep({ cursor: String(cursor) });
    this.grid.draw();
    this.look();
  }

  private stateAt(offset: number): string {
    const state: PageState | undefined = this.cache.get(Math.floor(offset / blockSize))?.state;
    return state === undefined ? '' : this.strings.stateHelp[state];
  }

  private label(offset: number): string {
    const block = this.cache.get(Math.floor(offset / blockSize));
    const byte = block?.bytes[offset - block.index * blockSize];
    const at = `0x${offset.toString(16)}`;
    if (block === undefined || byte === undefined) return at;
    if (block.state === 'unseen') return fill(this.strings.cellUnseen, at, this.strings.states.unseen);
    const text = byte >= 0x21 && byte < 0x7f ? String.fromCharCode(byte) : '';
    const words = fill(this.strings.cell, at, byte.toString(16).padStart(2, '0'), String(byte), text, this.strings.states[block.state]);
    return block.changed?.[offset - block.index * blockSize] === 1 ? `${words}, ${this.strings.cellChanged}` : words;
  }

  private goToTyped(text: string): string | undefined {
    const offset = parseOffset(text);
    if (offset === undefined) return this.strings.offsetInvalid;
    if (this.size === undefined || offset >= this.size) return fill(this.strings.offsetBeyond, bytesInWords(String(this.size ?? 0), this.language));
    this.grid.goTo(offset, { centred: true });
    this.grid.scroller.focus();
    return undefined;
  }

  private goToWritten(direction: 1 | -1): void {
    const offset = this.survey && writtenPart(this.survey, this.grid.cursor, direction);
    if (offset !== undefined) this.grid.goTo(offset, { centred: true });
    else this.frame.notice(this.strings.noneWritten);
  }

  private save(): void {
    const [first, last] = this.grid.selection;
    api.postMessage({ type: 'save', start: String(first), end: String(last > first ? last + 1 : 0) });
  }

  private copy(asText: boolean): void {
    const [first, last] = this.grid.selection;
    const bytes = this.cache.bytes(first, Math.min(mostCopied, last - first + 1));
    if (bytes === undefined || last - first + 1 > mostCopied) { this.frame.announce(this.strings.tooLarge); this.frame.notice(this.strings.tooLarge); return; }
    this.copyText(asText ? [...bytes].map(byte => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.').join('') : [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(' '));
  }

  private copyText(text: string): void {
    api.postMessage({ type: 'copy', text });
    this.frame.announce(this.strings.copied);
  }

  private keep(part: Partial<MemoryState>): void {
    this.state = { ...this.state, ...part };
    api.setState(this.state);
  }
}

function bytesInWords(decimal: string, language: string, brief = false): string {
  const { exact, human } = formatBytes(decimal, language);
  return human === undefined ? exact : brief ? human : `${human} (${exact})`;
}

/** A view that was hidden knows more than its host: where the cursor was. */
function remembered(state: MemoryState): MemoryState {
  const kept = api.getState();
  return kept?.id === state.id ? { ...state, ...kept } : state;
}

let view: MemoryView | undefined;
window.addEventListener('message', (event: MessageEvent<ToMemory>) => {
  const message = event.data;
  if (view) { view.receive(message); return; }
  if (message.type !== 'strings') return;
  document.documentElement.lang = message.language;
  view = new MemoryView(message.strings, message.language, message.interval, message.administrator, remembered(message.state), message.littleEndian);
});
api.postMessage({ type: 'ready' });
