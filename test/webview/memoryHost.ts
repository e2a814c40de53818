// A probe for the memory view's tests, in the page itself: sparse memory whose written pages and bytes the test chooses. It answers as the
// extension would, a few milliseconds later.
import type { Page } from 'playwright-core';
import type { FromMemory } from '../../webview/memoryProtocol';

export interface Region { readonly start: number; readonly end: number; readonly state?: 'resident' | 'swapped' | 'unseen' | 'on-disk'; /** Repeated over the region. */ readonly text?: string }
export interface FakeMemory { size: number; regions: Region[]; complete?: boolean; delay?: number; /** Answers nothing. */ silent?: boolean; gone?: boolean; unavailable?: { reason: string; errno?: string; remedy?: string } | undefined; failing?: string }

declare global { interface Window { memory: FakeMemory; asked: { reads: number; bytes: number; log: FromMemory[] } } }

/** Plays the host in the page from now on. */
export async function playHost(page: Page, memory: FakeMemory): Promise<void> {
  await page.evaluate(given => {
    window.memory = given;
    window.asked = { reads: 0, bytes: 0, log: [] };
    const pageSize = 4096;
    const regionOf = (at: number): Region | undefined => window.memory.regions.find(it => at >= Math.floor(it.start / pageSize) * pageSize && at < Math.ceil(it.end / pageSize) * pageSize);
    const byteAt = (at: number): number => {
      const it = window.memory.regions.find(region => at >= region.start && at < region.end && region.state !== 'unseen');
      if (!it) return 0;
      return it.text === undefined ? (at * 31 + (at >> 8)) & 0xff : it.text.charCodeAt((at - it.start) % it.text.length);
    };
    const bytes = (from: number, to: number): string => { let text = ''; for (let at = from; at < to; at++) text += String.fromCharCode(byteAt(at)); return text; };
    const answer = (message: FromMemory): unknown => {
      const { size, regions, complete = true } = window.memory;
      const none = window.memory.gone ? { form: 'gone' } : window.memory.unavailable ? { form: 'unavailable', ...window.memory.unavailable } : undefined;
      switch (message.type) {
        case 'read': {
          if (none) return { type: 'read', request: message.request, result: none };
          const from = Math.min(size, Number(message.offset)), to = Math.min(size, from + message.length);
          window.asked.reads++;
          window.asked.bytes += to - from;
          const runs: { state: string; length: number }[] = [];
          for (let at = from; at < to;) {
            const end = Math.min(to, (Math.floor(at / pageSize) + 1) * pageSize);
            const region = regionOf(at);
            const state = region?.state ?? (region ? 'resident' : complete ? 'absent' : 'unseen');
            const last = runs.at(-1);
            if (last?.state === state) last.length += end - at; else runs.push({ state, length: end - at });
            at = end;
          }
          const empty = runs.every(run => run.state === 'absent' || run.state === 'unseen');
          return { type: 'read', request: message.request, result: { form: 'bytes', size: String(size), allocated: String(2 ** 26 + 2 ** 25 + 8 * 4096), pageSize, complete, offset: message.offset, runs, ...(empty ? {} : { base64: btoa(bytes(from, to)) }) } };
        }
        case 'survey': {
          if (none) return { type: 'survey', request: message.request, result: none };
          const pages = Math.ceil(size / pageSize), pagesOfPart = Math.max(1, Math.ceil(pages / message.parts)), parts = Math.ceil(pages / pagesOfPart);
          const counts: Record<string, number[]> = {};
          const rest = complete ? 'absent' : 'unseen';
          counts[rest] = Array.from({ length: parts }, (_, part) => Math.min(pagesOfPart, pages - part * pagesOfPart));
          for (const region of regions) for (let at = Math.floor(region.start / pageSize); at < Math.ceil(region.end / pageSize); at++) {
            const part = Math.floor(at / pagesOfPart);
            const list = counts[region.state ?? 'resident'] ??= new Array<number>(parts).fill(0);
            list[part] = (list[part] ?? 0) + 1;
            const others = counts[rest];
            if (others) others[part] = (others[part] ?? 0) - 1;
          }
          return { type: 'survey', request: message.request, result: { form: 'survey', size: String(size), pageSize, complete, pagesOfPart, pages: counts } };
        }
        case 'search': {
          if (none) return { type: 'search', request: message.request, result: none };
          const wanted = atob(message.base64), fold = (text: string): string => message.ignoreCase ? text.toLowerCase() : text;
          const hits: string[] = [];
          const from = Number(message.from);
          // A quarter of the memory an answer.
          const limit = Math.min(size, from + Math.ceil(size / 4));
          for (const region of regions) {
            const text = fold(bytes(region.start, Math.min(region.end, region.start + 100_000)));
            for (let at = text.indexOf(fold(wanted)); at >= 0; at = text.indexOf(fold(wanted), at + 1)) if (region.start + at >= from && region.start + at < limit) hits.push(String(region.start + at));
          }
          hits.sort((a, b) => Number(a) - Number(b));
          return { type: 'search', request: message.request, result: { form: 'hits', hits, next: limit >= size ? null : String(limit), read: '0', size: String(size), complete } };
        }
        default: return undefined;
      }
    };
    const { sent } = window.spied;
    sent.push = (...messages: unknown[]) => {
      for (const message of messages as FromMemory[]) {
        sent[sent.length] = message;
        window.asked.log.push(message);
        if (window.memory.silent) continue;
        setTimeout(() => {
          const data = window.memory.failing !== undefined && 'request' in message ? { type: 'failed', request: message.request, problem: window.memory.failing } : answer(message);
          if (data !== undefined) window.dispatchEvent(new MessageEvent('message', { data }));
        }, window.memory.delay ?? 3);
      }
      return sent.length;
    };
  }, memory);
}
