// Contents as text, hexadecimal numbers or JSON.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { contentsSections, inFormat } from '../../extension/panels/contentsSection';
import { objects } from '../webview/samples';

describe('contents in a format', () => {
  it('are indented JSON where they are JSON, also with the NUL that C puts behind it, and say so where they are none', () => {
    assert.equal(inFormat(Buffer.from('{"a":[1]}\0'), 'json', false), '{\n  "a": [\n    1\n  ]\n}');
    assert.equal(inFormat(Buffer.from([0xff, 0xfe]), 'json', false), 'no JSON');
    assert.equal(inFormat(Buffer.from('{"a":'), 'json', true), 'no JSON as far as it was read');
    assert.equal(inFormat(Buffer.from('{"a":"\u202e"}'), 'json', false), '{\n  "a": "\\u{202e}"\n}');
  });

  it('never hold a character that is not seen, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom('text' as const, 'hex' as const, 'json' as const), (data, format) => {
      assert.doesNotMatch(inFormat(data, format, false), /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]/u);
    }));
  });

  it('are copied as text where they are no JSON', () => {
    const message = { index: 0, type: '1', size: '5', content: { offset: '0', length: 5, truncated: false, base64: Buffer.from('plain').toString('base64') } };
    const table = contentsSections(objects['sysv-message-queue'], { busy: false, at: '2026-03-01T12:00:00.000Z', format: 'json', contents: { form: 'messages', total: '1', messages: [message] } }, false, { showsAll: () => true }).find(section => section.type === 'table');
    assert.ok(table?.type === 'table');
    assert.deepEqual([table.rows[0]?.copy, table.rows[0]?.cells.at(-1)], ['plain', { type: 'block', text: 'no JSON' }]);
  });
});
