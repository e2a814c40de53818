// Shared memory for a viewer: bytes where it looks, a survey of the pages, a search. Nothing is held between requests, and each answers
// soon: a search goes on from where the answer before ended.
import { ByteSearch } from './analysis/byteSearch';
import { makePause } from './context';
import { noPages, pageSize, pageStates } from './kernel/pageStates';
import type { OpenMemory } from './kernel/sharedPages';
import type { Gone, MemorySources, Opened } from './memoryObject';
import type { PageRun, PageState } from './model';
import type { NoMemory, ReadMemoryParams, ReadMemoryResult, SearchMemoryParams, SearchMemoryResult, SurveyPagesParams, SurveyPagesResult } from './protocol';

const noMemory = (opened: Exclude<Opened<unknown>, { form: 'opened' }> | Gone): NoMemory => opened;

/** Bytes from an offset on. */
export async function readMemory(sources: MemorySources, { id, offset, length, detail }: ReadMemoryParams, isCancelled: () => boolean): Promise<ReadMemoryResult> {
  const opened = await sources.with(id, isCancelled, memory => {
    const { size, allocated, complete } = memory;
    const from = Math.min(Number(offset), size ?? 0);
    const { bytes, runs } = memory.look(from, length, detail === true);
    const empty = runs.every(({ state }) => state === 'absent' || state === 'unseen');
    return { size, allocated, complete, bytes, runs, empty, next: empty && bytes.length > 0 && detail !== true ? memory.nextReadable(from + bytes.length, size ?? 0) : undefined };
  });
  if (opened.form !== 'opened') return noMemory(opened);
  const { size, allocated, complete, bytes, runs, empty, next } = opened.value;
  return {
    form: 'bytes', size: decimal(size), allocated: decimal(allocated), pageSize, complete, offset, runs,
    ...(empty ? {} : { base64: bytes.toString('base64') }), ...(next === undefined ? {} : { next: decimal(next) }),
  };
}

const decimal = (value: number | null): string | null => value === null ? null : String(value);

/** Pages of each state, part by part, in slices. */
export async function surveyPages(sources: MemorySources, { id, parts }: SurveyPagesParams, isCancelled: () => boolean): Promise<SurveyPagesResult> {
  const pause = makePause(isCancelled);
  const counts: Partial<Record<PageState, number[]>> = {};
  let size = 0, pagesOfPart = 1, complete = true, number = 0;
  for (let part = 0; part === 0 || part < number;) {
    const until = performance.now() + sliceMs;
    const opened = await sources.with(id, isCancelled, memory => {
      if (part === 0) {
        ({ complete } = memory);
        size = memory.size ?? 0;
        const pages = Math.ceil(size / pageSize);
        pagesOfPart = Math.max(1, Math.ceil(pages / parts));
        number = Math.ceil(pages / pagesOfPart);
      }
      // It may have shrunk since the first part.
      const end = Math.min(size, memory.size ?? 0);
      do {
        const start = part * pagesOfPart * pageSize;
        const length = Math.min(pagesOfPart * pageSize, end - start);
        const counted = length > 0 ? memory.count(start, length) : noPages;
        for (const state of pageStates) if (counted[state] > 0) (counts[state] ??= new Array<number>(number).fill(0))[part] = counted[state];
        part++;
      } while (part < number && performance.now() < until);
    });
    if (opened.form !== 'opened') return noMemory(opened);
    await pause();
  }
  return { form: 'survey', size: String(size), pageSize, complete, pagesOfPart, pages: counts };
}

const sliceMs = 20;
/** A search answers after about so long, so that whoever scrolls meanwhile is served in between. */
const searchMs = 150;
const chunk = 1 << 20;

/** Hits from an offset on. */
export async function searchMemory(sources: MemorySources, params: SearchMemoryParams, isCancelled: () => boolean): Promise<SearchMemoryResult> {
  const pattern = Buffer.from(params.base64, 'base64');
  const most = params.most ?? 1000;
  const search = new ByteSearch({ bytes: pattern, ignoreCase: params.ignoreCase === true });
  const pause = makePause(isCancelled);
  const from = Number(params.from);
  const deadline = performance.now() + searchMs;
  const hits: number[] = [];
  let at = from, read = 0, size = 0, complete = true, limit = from;
  do {
    const until = performance.now() + sliceMs;
    const opened = await sources.with(params.id, isCancelled, memory => {
      ({ complete } = memory);
      size = memory.size ?? 0;
      limit = params.before === undefined ? size : Math.min(size, Number(params.before) + pattern.length - 1);
      while (at < limit && hits.length <= most && performance.now() < until) {
        const step = searchStep(memory, search, at, limit);
        hits.push(...step.hits);
        read += step.read;
        at = step.at;
      }
    });
    if (opened.form !== 'opened') return noMemory(opened);
    await pause();
  } while (at < limit && hits.length <= most && performance.now() < deadline);
  const wanted = hits.filter(hit => hit >= from && (params.before === undefined || hit < Number(params.before))).sort((a, b) => a - b);
  const given = wanted.slice(0, most);
  // A match may begin in what was read last and end in what was not.
  const next = wanted.length > most ? (given.at(-1) ?? 0) + 1 : at >= limit ? null : Math.max(from, at - (pattern.length - 1));
  return { form: 'hits', hits: given.map(String), next: decimal(next), read: String(read), size: String(size), complete };
}

function searchStep(memory: OpenMemory, search: ByteSearch, from: number, limit: number): { hits: number[]; read: number; at: number } {
  const start = memory.nextReadable(from, limit) ?? limit;
  const hits: number[] = [];
  const skip = (offset: number, length: number): void => {
    if (memory.complete) hits.push(...search.absent(offset, length)); else search.unseen();
  };
  if (start > from) skip(from, start - from);
  if (start >= limit) return { hits, read: 0, at: limit };
  const { bytes, runs } = memory.look(start, Math.min(chunk, limit - start), false);
  let at = start, read = 0;
  for (const run of runs) {
    if (isData(run)) {
      hits.push(...search.data(at, bytes.subarray(at - start, at - start + run.length)));
      read += run.length;
    } else skip(at, run.length);
    at += run.length;
  }
  // It shrank under the look: what is beyond is no more.
  return { hits, read, at: bytes.length === 0 ? limit : at };
}

const isData = ({ state }: PageRun): boolean => state !== 'absent' && state !== 'unseen';
