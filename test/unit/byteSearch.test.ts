// The search against a naive one over the whole memory: whatever the pieces, pages and resumptions.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { ByteSearch } from '../../native-probe/analysis/byteSearch';

const page = 16;
type Page = { readonly kind: 'data'; readonly bytes: number[] } | { readonly kind: 'absent' } | { readonly kind: 'unseen' };

/** Two letters and zero, so that matches are frequent, also over borders. */
const byte = fc.constantFrom(0, 0x61, 0x41);
const pageOf: fc.Arbitrary<Page> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('data' as const), bytes: fc.array(byte, { minLength: page, maxLength: page }) }) },
  fc.constantFrom<Page>({ kind: 'absent' }, { kind: 'unseen' }),
);

/** Matches that touch a byte that was written and none that is unknown. */
function naive(pages: readonly Page[], pattern: readonly number[], ignoreCase: boolean, from: number): number[] {
  const fold = (value: number): number => ignoreCase && value === 0x41 ? 0x61 : value;
  const memory = pages.flatMap(it => it.kind === 'data' ? it.bytes.map(value => ({ value, kind: 'data' })) : new Array<{ value: number; kind: string }>(page).fill({ value: 0, kind: it.kind }));
  const hits: number[] = [];
  for (let at = from; at + pattern.length <= memory.length; at++) {
    const part = memory.slice(at, at + pattern.length);
    if (part.some(it => it.kind === 'unseen') || part.every(it => it.kind === 'absent')) continue;
    if (part.every((it, index) => fold(it.value) === fold(pattern[index] ?? -1))) hits.push(at);
  }
  return hits;
}

function searched(pages: readonly Page[], pattern: readonly number[], ignoreCase: boolean, cuts: readonly number[], from: number): number[] {
  const search = new ByteSearch({ bytes: Uint8Array.from(pattern), ignoreCase });
  const hits: number[] = [];
  pages.forEach((it, index) => {
    const offset = Math.max(from, index * page);
    const end = (index + 1) * page;
    if (end <= offset) return;
    if (it.kind === 'absent') hits.push(...search.absent(offset, end - offset));
    else if (it.kind === 'unseen') search.unseen();
    else {
      const bytes = Buffer.from(it.bytes).subarray(offset - index * page);
      const cut = Math.min(cuts[index % cuts.length] ?? 0, bytes.length);
      if (cut > 0) hits.push(...search.data(offset, bytes.subarray(0, cut)));
      if (cut < bytes.length) hits.push(...search.data(offset + cut, bytes.subarray(cut)));
    }
  });
  return hits;
}

describe('search for bytes', () => {
  it('finds what a naive search finds, over the borders of pieces and of absent pages, from any offset on', () => {
    fc.assert(fc.property(fc.array(pageOf, { minLength: 1, maxLength: 8 }), fc.array(byte, { minLength: 1, maxLength: 8 }), fc.boolean(), fc.array(fc.nat(page), { minLength: 1, maxLength: 4 }), fc.nat(40),
      (pages, pattern, ignoreCase, cuts, from) => {
        assert.deepEqual(searched(pages, pattern, ignoreCase, cuts, from), naive(pages, pattern, ignoreCase, from));
      }), { numRuns: 3000 });
  });

  it('finds a word that begins on a written page and goes on in the zeros after it', () => {
    const search = new ByteSearch({ bytes: Uint8Array.of(0x7a, 0, 0), ignoreCase: false });
    assert.deepEqual([...search.data(0, Buffer.from('...z')), ...search.absent(4, 4096)], [3]);
  });
});
