// What an inspector shows of contents: dumps, previews, and the words for what cannot be looked at.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type { Contents, IpcObject } from '../../native-probe/model';
import type { PeekSection, Section } from '../../webview/protocol';
import type { Peeked } from '../../extension/panels/contentsSection';
import { asSeen, contentsSections, hexDump, preview } from '../../extension/panels/contentsSection';
import { hexDump as plainDump } from '../../native-probe/contentsTable';
import { aQueue, aSegment, aSemaphore } from './snapshots';

const base64 = (data: Uint8Array): string => Buffer.from(data).toString('base64');
const limits = { showsAll: () => false };
const shown = (object: IpcObject, contents: Contents, gone = false): readonly Section[] => contentsSections(object, { busy: false, at: '2026-01-01T00:00:00.000Z', contents }, gone, limits);
const peekOf = (sections: readonly Section[]): PeekSection => sections.find(it => it.type === 'peek') ?? assert.fail('no section');

describe('a dump of bytes', () => {
  it('has offset, hexadecimal and text of sixteen bytes a line', () => {
    assert.equal(hexDump(Buffer.from('Hello, IPC world\n\u0000!'), '4096'), `${''
    }00001000  48 65 6c 6c 6f 2c 20 49  50 43 20 77 6f 72 6c 64  |Hello, IPC world|\n${''
    }00001010  0a 00 21                                          |..!|`);
  });

  it('writes lines that repeat once, and the last one always', () => {
    assert.equal(hexDump(Buffer.alloc(80), '0').split('\n').map(it => it.slice(0, 10).trim()).join(' '), '00000000 * 00000040');
  });

  it('keeps every byte, wherever it begins', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }), (data, offset) => {
      const bytes: number[] = [];
      let again: number[] = [];
      for (const line of data.length === 0 ? [] : hexDump(data, String(offset)).split('\n')) {
        if (line === '*') { again = bytes.slice(-16); continue; }
        const at = Number(BigInt(`0x${line.slice(0, line.indexOf(' '))}`) - offset);
        while (bytes.length < at) bytes.push(...again);
        bytes.push(...line.slice(line.indexOf(' '), line.indexOf('|')).trim().split(/\s+/).map(it => parseInt(it, 16)));
      }
      assert.deepEqual(bytes, [...data]);
    }));
  });

  it('previews UTF-8 as text, also when it was cut in a character, and everything else byte by byte', () => {
    assert.equal(preview(Buffer.from('größe €')), 'größe €');
    assert.equal(preview(Buffer.from('abc€').subarray(0, 5)), 'abc');
    assert.equal(preview(Uint8Array.of(0x41, 0xff, 0x5c, 0)), 'A\\xff\\x5c\\x00');
    fc.assert(fc.property(fc.uint8Array(), data => { preview(data); }));
  });
});

describe('the section on contents', () => {
  it('offers to look where there is something beyond the state, and not elsewhere', () => {
    assert.equal(peekOf(contentsSections(aSegment(1), undefined, false, limits)).action, 'Peek');
    assert.deepEqual(contentsSections(aSemaphore('/x'), undefined, false, limits), []);
    assert.deepEqual(contentsSections(aSegment(1), undefined, true, limits), []);
  });

  it('lists messages with type, size and preview, and offers those that follow', () => {
    const messages = [{ index: 0, type: '7', size: '5', content: { offset: '0', length: 5, truncated: false, base64: base64(Buffer.from('hello')) } }];
    const sections = shown(aQueue(1, '3'), { form: 'messages', total: '3', messages });
    const table = sections.find(it => it.type === 'table');
    assert.deepEqual(table?.type === 'table' && table.rows[0]?.cells, [{ type: 'number', number: '0' }, { type: 'number', number: '7' }, { type: 'bytes', bytes: '5' }, { type: 'block', text: 'hello' }]);
    assert.deepEqual(peekOf(sections).pages.map(it => [it.key, it.offset]), [['after', '1']]);
  });

  it('says of bytes where they lie, what was never written and what is not resident, and pages', () => {
    const section = peekOf(shown(aSegment(1), {
      form: 'bytes', size: '1048576', content: { offset: '8192', length: 4096, truncated: true, base64: base64(Buffer.alloc(4096)) }, holes: [{ offset: '8192', length: '4096' }], unread: [{ offset: '8192', length: '1' }],
    }));
    assert.deepEqual(section.remarks, ['Bytes 8192 to 12287 of 1 MiB (1048576 bytes).', 'Never written, so all zeros: 4 KiB from byte 8192.', 'Not in memory where it was looked, shown as zeros although it may be otherwise: 1 byte from byte 8192.']);
    assert.deepEqual(section.pages.map(it => it.offset), ['4096', '12288']);
  });

  it('says why nothing can be seen, and why asking failed', () => {
    assert.deepEqual(peekOf(shown(aSegment(1), { form: 'unavailable', reason: 'nobody has it attached' })).remarks, ['It cannot be peeked because nobody has it attached.']);
    const failed: Peeked = { busy: false, problem: 'the probe is gone' };
    assert.deepEqual(peekOf(contentsSections(aSegment(1), failed, false, limits)).remarks, ['It could not be looked at: the probe is gone']);
  });

  it('keeps what was seen of an object that is gone, and offers nothing more', () => {
    const section = peekOf(shown(aSegment(1), { form: 'bytes', size: '8192', content: { offset: '0', length: 1, truncated: true, base64: base64(Uint8Array.of(65)) } }, true));
    assert.ok(section.busy && section.pages.length === 0 && section.dump?.includes('|A|'));
  });
});

describe('a dump on the command line', () => {
  it('writes lines that repeat once, and the last one always', () => {
    assert.equal(plainDump(Buffer.concat([Buffer.from('sixteen letters!'), Buffer.alloc(80)]), 0n), `${''
    }00000000  73 69 78 74 65 65 6e 20 6c 65 74 74 65 72 73 21  sixteen letters!\n${''
    }00000010  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................\n*\n${''
    }00000050  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................`);
  });
});

describe('what a closer look told of an object', () => {
  const memfd = (seals: string[] | null): IpcObject => ({ id: 'memfd:1:5', kind: 'memfd', persistence: 'process', owner: null, state: { size: '1', allocated: '0', seals } });
  const pipe = (unread: string | null, capacity: string | null): IpcObject => ({ id: 'pipe:7', kind: 'pipe', persistence: 'process', state: { unread, capacity } });

  it('fills in the seals of a memfd and the capacity of a pipe, but not what was in it then', () => {
    assert.deepEqual(asSeen(memfd(null), { busy: false, seen: memfd(['F_SEAL_GROW']) }).state, { size: '1', allocated: '0', seals: ['F_SEAL_GROW'] });
    assert.deepEqual(asSeen(pipe(null, null), { busy: false, seen: pipe('5', '65536') }).state, { unread: null, capacity: '65536' });
  });

  it('is of that object alone', () => {
    assert.deepEqual(asSeen({ ...memfd(null), id: 'memfd:1:6' }, { busy: false, seen: memfd([]) }).state, memfd(null).state);
    assert.deepEqual(asSeen(memfd(null)), memfd(null));
  });
});
