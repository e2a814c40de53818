// The pure parts of the memory view: scaled scrolling, the cache and what changed, what is typed, the values at the cursor, ranges for files.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { placeOf } from '../../extension/memory/memoryPlaces';
import { MemoryUnavailable, parseRange, readRange } from '../../extension/memory/memoryReading';
import { asMemoryState, isFromMemory } from '../../extension/panels/memoryMessages';
import type { ReadMemoryParams, ReadMemoryResult } from '../../native-probe/protocol';
import { blockSize, MemoryCache } from '../../webview/memoryCache';
import { lastAtOrBefore, parseOffset, parsePattern } from '../../webview/memoryInput';
import { valuesAt } from '../../webview/valuesAt';
import type { ScrollExtent } from '../../webview/virtualScroll';
import { isScaled, laidOutHeight, revealRow, scrolled, scrollTo, tallest } from '../../webview/virtualScroll';

const huge: ScrollExtent = { rows: 2 ** 32, rowHeight: 20, viewport: 700 };
const small: ScrollExtent = { rows: 1000, rowHeight: 20, viewport: 700 };

describe('scaled scrolling', () => {
  it('moves by exact pixels in small steps, in proportion when the thumb is dragged, and reaches both ends', () => {
    assert.ok(isScaled(huge) && !isScaled(small));
    assert.equal(laidOutHeight(huge), tallest);
    let position = scrollTo(1_000_000_000, huge);
    for (let step = 0; step < 100; step++) position = scrolled(position, position.scrollTop + 53, huge);
    assert.equal(position.top, 1_000_000_000 + 5300);
    assert.equal(scrolled(position, 0, huge).top, 0);
    assert.equal(scrolled(position, tallest - 700, huge).top, 2 ** 32 * 20 - 700);
    assert.equal(scrolled(scrollTo(0, huge), (tallest - 700) / 2, huge).top, (2 ** 32 * 20 - 700) / 2);
  });

  it('whatever is scrolled, the position stays in the content, and settling the bar does not move it', () => {
    fc.assert(fc.property(fc.record({ rows: fc.integer({ min: 0, max: 2 ** 34 }), rowHeight: fc.integer({ min: 10, max: 40 }), viewport: fc.integer({ min: 50, max: 2000 }) }), fc.array(fc.integer({ min: 0, max: tallest }), { maxLength: 20 }), (extent, scrolls) => {
      let position = scrollTo(0, extent);
      const most = Math.max(0, extent.rows * extent.rowHeight - extent.viewport);
      for (const to of scrolls) {
        position = scrolled(position, Math.min(to, Math.max(0, laidOutHeight(extent) - extent.viewport)), extent);
        assert.ok(position.top >= 0 && position.top <= most, `${position.top} of ${most}`);
        const settled = scrollTo(position.top, extent);
        assert.equal(settled.top, position.top);
        assert.ok(settled.scrollTop >= 0 && settled.scrollTop <= Math.max(0, laidOutHeight(extent) - extent.viewport));
      }
    }));
  });

  it('brings every row into sight, and leaves one alone that is', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: huge.rows - 1 }), fc.integer({ min: 0, max: huge.rows }), fc.boolean(), (row, from, centred) => {
      const position = revealRow(scrollTo(from * 20, huge), row, huge, centred);
      assert.ok(row * 20 >= position.top && row * 20 + 20 <= position.top + huge.viewport);
      assert.equal(revealRow(position, row, huge, centred), position);
    }));
  });
});

const piece = (text: string, state: 'resident' | 'absent' | 'unseen' = 'resident'): { base64?: string; runs: { state: typeof state; length: number }[] } => ({ ...(state === 'resident' ? { base64: Buffer.from(text).toString('base64') } : {}), runs: [{ state, length: text.length }] });

describe('the cache of the memory view', () => {
  it('marks the bytes that changed since the refresh before, and nothing that was not seen then', () => {
    const cache = new MemoryCache();
    assert.equal(cache.put(0, piece('abcd')), 0, 'the first look shows no change');
    cache.generation++;
    assert.equal(cache.put(0, piece('abXd')), 1);
    assert.deepEqual([...cache.get(0)?.changed ?? []], [0, 0, 1, 0]);
    assert.equal(cache.put(0, piece('abXd')), 1, 'read again by the same refresh: still marked');
    cache.generation++;
    assert.equal(cache.put(0, piece('abXd')), 0);
    cache.generation++;
    assert.equal(cache.put(0, piece('zzzz', 'unseen')), 0);
    cache.generation++;
    assert.equal(cache.put(0, piece('qqqq')), 0, 'what was not seen before has not changed as far as anybody knows');
  });

  it('asks for what is missing or older, in one stretch, and for no more than is in sight', () => {
    const cache = new MemoryCache();
    assert.deepEqual(cache.missing(5000, 9000), { offset: blockSize, length: 2 * blockSize });
    cache.put(blockSize, piece('x'.repeat(blockSize)));
    assert.deepEqual(cache.missing(5000, 9000), { offset: 2 * blockSize, length: blockSize });
    cache.put(2 * blockSize, piece('x'.repeat(blockSize)));
    assert.equal(cache.missing(5000, 9000), undefined);
    cache.generation++;
    assert.deepEqual(cache.missing(5000, 9000), { offset: blockSize, length: 2 * blockSize });
  });

  it('keeps a bounded number of blocks, nothing beyond a new end, and gives no bytes that were not seen', () => {
    const cache = new MemoryCache();
    for (let block = 0; block < 1000; block++) cache.put(block * blockSize, piece('x'.repeat(blockSize)));
    assert.equal([...Array(1000).keys()].filter(block => cache.get(block)).length, 256);
    cache.cut(800 * blockSize + 1);
    assert.deepEqual([cache.get(799)?.index, cache.get(800), cache.get(999)], [799, undefined, undefined]);
    cache.put(0, piece('ab'.repeat(blockSize / 2)));
    cache.put(blockSize, piece('-'.repeat(blockSize), 'unseen'));
    assert.equal(cache.bytes(blockSize - 4, 8), undefined);
    assert.equal(Buffer.from(cache.prefix(blockSize - 4, 8)).toString(), 'abab');
    assert.equal(Buffer.from(cache.bytes(1, 3) ?? []).toString(), 'bab');
  });
});

describe('what is typed in the memory view', () => {
  it('offsets are decimal or hexadecimal, with the separators that people write', () => {
    for (const [text, value] of [['4096', 4096], [' 0x1000 ', 4096], ['1000h', 4096], ['0xdead_beef', 0xdeadbeef], ['1,048,576', 1048576], ['0', 0], ['9007199254740991', Number.MAX_SAFE_INTEGER]] as const) assert.equal(parseOffset(text), value, text);
    for (const text of ['', 'x', '-1', '1.5', '0x', '12ab', '9007199254740993', '0x10000000000000000', '1e3', '１２']) assert.equal(parseOffset(text), undefined, text);
  });

  it('bytes are text in UTF-8 or pairs of digits', () => {
    const bytes = (text: string, kind: 'text' | 'hex'): string => { const parsed = parsePattern(text, kind); return 'bytes' in parsed ? Buffer.from(parsed.bytes).toString('hex') : parsed.problem; };
    assert.equal(bytes('né\u0000', 'text'), '6ec3a900');
    for (const text of ['de ad be ef', '0xDEADBEEF', 'DE,AD;be-ef', '\\xde\\xad\\xbe\\xef', 'de:ad:be:ef']) assert.equal(bytes(text, 'hex'), 'deadbeef', text);
    assert.deepEqual([bytes('abc', 'hex'), bytes('zz', 'hex'), bytes('', 'text'), bytes(' ', 'hex'), bytes('\ud800', 'text'), bytes('x'.repeat(257), 'text'), bytes('ab'.repeat(256), 'hex').length], ['hexInvalid', 'hexInvalid', 'empty', 'empty', 'textInvalid', 'patternTooLong', 512]);
  });

  it('finds the hit at or before an offset', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.nat(1000)).map(list => list.sort((a, b) => a - b)), fc.nat(1000), (list, value) => {
      assert.equal(lastAtOrBefore(list, value), list.findLastIndex(each => each <= value));
    }));
  });
});

describe('the values at the cursor', () => {
  const at = (hex: string): Record<string, string> => Object.fromEntries(valuesAt(Buffer.from(hex, 'hex')).flatMap(({ type, little, big }) => [[type, little], ...(big === undefined ? [] : [[`${type} big`, big]])] as [string, string][]));

  it('are those of the bytes in either order', () => {
    const values = at('ff00000000000080');
    assert.deepEqual([values.u8, values.i8, values.u16, values['u16 big'], values.i32, values['i32 big'], values.u64, values['i64 big']], ['255', '-1', '255', '65280', '255', '-16777216', '9223372036854776063', '-72057594037927808']);
    assert.deepEqual([at('0000803f').f32, at('3f800000')['f32 big'], at('cdcccc3d').f32, at('000000000000f03f').f64, at('003c').f16, at('00fc').f16, at('0000c07f').f32, at('00000080').f32], ['1', '1', '0.1', '1', '1', '-inf', 'nan', '-0']);
    assert.deepEqual([at('e282ac')['UTF-8'], at('c0af')['UTF-8'], at('0a')['UTF-8'], at('e280ae')['UTF-8'], at('41')['UTF-8']], ['€  U+20AC', '', 'U+000A', 'U+202E', 'A  U+0041']);
    assert.equal(at('8081a36900000000').time, '2026-03-01T00:00:00Z');
  });

  it('are empty where the bytes end', () => {
    assert.deepEqual(valuesAt(new Uint8Array(3)).filter(it => it.little !== '').map(it => it.type), ['u8', 'i8', 'bits', 'UTF-8', 'u16', 'i16', 'f16']);
    assert.ok(valuesAt(new Uint8Array(0)).every(it => it.little === ''));
  });

  it('agree with DataView for any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), bytes => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
      const values = Object.fromEntries(valuesAt(bytes).map(it => [it.type, it]));
      assert.equal(values.u64?.big, String(view.getBigUint64(0, false)));
      assert.equal(values.i16?.little, String(view.getInt16(0, true)));
      const real = view.getFloat32(0, true);
      if (Number.isFinite(real)) assert.equal(Math.fround(Number(values.f32?.little)), real);
    }));
  });
});

describe('ranges of memory for files', () => {
  const size = 10 << 20;
  /** Sparse memory: data in the second and in the last megabyte. */
  const answer = (ends = size, complete = true) => ({ offset, length }: ReadMemoryParams): Promise<ReadMemoryResult> => {
    const from = Math.min(ends, Number(offset)), to = Math.min(ends, from + length);
    const written = (at: number): boolean => (at >= 1 << 20 && at < 2 << 20) || at >= 9 << 20;
    const runs: { state: 'resident' | 'absent' | 'unseen'; length: number }[] = [];
    for (let at = from; at < to; at += 4096) runs.push({ state: written(at) ? 'resident' : complete ? 'absent' : 'unseen', length: Math.min(4096, to - at) });
    const empty = runs.every(run => run.state !== 'resident');
    return Promise.resolve({ form: 'bytes', size: String(ends), allocated: null, pageSize: 4096, complete, offset, runs, ...(empty ? { next: from < 1 << 20 ? String(1 << 20) : from < 9 << 20 ? String(9 << 20) : null } : { base64: Buffer.alloc(to - from, 7).toString('base64') }) });
  };

  it('are read whole, absent pages passed over', async () => {
    let asked = 0;
    const read = (params: ReadMemoryParams): Promise<ReadMemoryResult> => { asked++; return answer()(params); };
    const file = Buffer.alloc(size);
    const got = await readRange(read, 'memfd:1:1', { start: 0, end: size }, (bytes, offset) => { bytes.copy(file, offset); });
    assert.deepEqual(got, { length: size, unseen: 0 });
    assert.ok(asked <= 5, `${asked} requests`);
    assert.ok(file.subarray(1 << 20, 2 << 20).every(byte => byte === 7) && file.subarray(2 << 20, 9 << 20).every(byte => byte === 0) && file.at(-1) === 7);
  });

  it('end where the memory ends, and count what could not be seen', async () => {
    assert.deepEqual(await readRange(answer(3 << 20), 'x', { start: 1 << 20, end: size }, () => undefined), { length: 2 << 20, unseen: 0 });
    assert.deepEqual(await readRange(answer(size, false), 'x', { start: 0, end: 2 << 20 }, () => undefined), { length: 2 << 20, unseen: 1 << 20 });
    await assert.rejects(readRange(() => Promise.resolve({ form: 'gone' }), 'x', { start: 0, end: 1 }, () => undefined), error => error instanceof MemoryUnavailable && error.gone);
    await assert.rejects(readRange(() => Promise.resolve({ form: 'unavailable', reason: 'nobody maps it', remedy: 'ask' }), 'x', { start: 0, end: 1 }, () => undefined), /nobody maps it; ask/);
  });

  it('are typed as first and last byte, or first byte and length', () => {
    assert.deepEqual(parseRange('0x1000-0x1fff', size), { start: 4096, end: 8192 });
    assert.deepEqual(parseRange(' 4096 + 256 ', size), { start: 4096, end: 4352 });
    assert.deepEqual(parseRange('', size), { start: 0, end: size });
    for (const wrong of ['x', '5-4', '1+0', '0-99999999999', '1-2-3', '-5', '0x-1']) assert.equal(typeof parseRange(wrong, size), 'string', wrong);
  });

  it('are paths of the file system, and nothing else is', () => {
    const id = 'sysv-shared-memory:4026531839:7';
    assert.deepEqual(placeOf(`/${encodeURIComponent(id)}/shm.bin`), { id });
    assert.deepEqual(placeOf(`/${encodeURIComponent(id)}/4096-8192/shm.bin`), { id, range: { start: 4096, end: 8192 } });
    for (const path of ['/', '', '/x', '/x/', '/x/9-1/a', '/x/a-b/c', '/x/1-2/a/b', '//a']) assert.equal(placeOf(path), undefined, path);
  });
});

describe('messages of the memory view', () => {
  it('are believed only in their shape', () => {
    for (const message of [{ type: 'ready' }, { type: 'read', request: 1, offset: '0', length: 4096 }, { type: 'search', request: 2, base64: 'AA==', ignoreCase: false, from: '0' }, { type: 'save', start: '0', end: '0' }]) assert.ok(isFromMemory(message), JSON.stringify(message));
    for (const message of [null, 1, {}, { type: 'nonsense' }, { type: 'read', request: -1, offset: '0', length: 1 }, { type: 'read', request: 1, offset: '-1', length: 1 }, { type: 'read', request: 1, offset: '0', length: 1 << 30 }, { type: 'search', request: 1, base64: 5, ignoreCase: false, from: '0' }, { type: 'copy', text: {} }]) assert.ok(!isFromMemory(message), JSON.stringify(message));
  });

  it('and a state that was kept is taken only as far as it is one', () => {
    assert.equal(asMemoryState({ version: 2 }), undefined);
    assert.equal(asMemoryState('x'), undefined);
    assert.deepEqual(asMemoryState({ version: 1, id: 'memfd:1:2', name: 'n', icon: '"><script>', label: 'l', cursor: 'x', bytesPerRow: 7, declarations: 'int x;' }), { version: 1, id: 'memfd:1:2', name: 'n', icon: 'question', label: 'l', declarations: 'int x;' });
  });
});
