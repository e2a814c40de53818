// Declarations of C types: what is understood, what is an error and where, and that nonsense and enormous ones are bounded.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { parseDeclarations } from '../../webview/cDeclarations';
import { bounds, DeclarationError } from '../../webview/cTokens';
import { structLines } from '../../webview/structValues';

const error = (text: string): string => {
  try { parseDeclarations(text); } catch (thrown) {
    if (thrown instanceof DeclarationError) return `${thrown.place.line}:${thrown.place.column} ${thrown.message}`;
    throw thrown;
  }
  return assert.fail(`no error in ${text}`);
};
const sizeOf = (text: string, name: string): number | undefined => parseDeclarations(text).types.get(name)?.size;

describe('C declarations', () => {
  it('understands what headers hold: typedefs, constants, nested and anonymous records, pointers to functions, comments', () => {
    const text = `
      /* a ring */
      #define SLOTS 4
      #define TWICE (SLOTS * 2)
      #define NO_NUMBER do { } while (0)
      typedef struct { uint32_t head, tail; char name[16]; } ring_t; // used below
      enum state { IDLE, BUSY = 1 << 4, GONE = -1 };
      struct job {
        const volatile uint64_t id;
        enum state state;
        union { uint32_t raw; struct { uint16_t low, high; }; };
        void (*done)(int, void *);
        ring_t rings[TWICE][2];
        struct job *next;
        unsigned flag : 1, kind : 3;
        char tail[];
      };`;
    assert.equal(sizeOf(text, 'ring_t'), 24);
    assert.equal(sizeOf(text, 'struct job'), 8 + 4 + 4 + 8 + 16 * 24 + 8 + 8);
    const type = parseDeclarations(text).types.get('struct job');
    assert.ok(type);
    const bytes = new Uint8Array(type.size);
    bytes.set([16, 0, 0, 0, 0x34, 0x12, 0x78, 0x56], 8);
    const lines = new Map(structLines(type, '', bytes, true).lines.map(line => [line.path, line.value]));
    assert.deepEqual([lines.get('state'), lines.get('raw'), lines.get('low'), lines.get('high'), lines.get('done')], ['BUSY (16)', '1450709556', '4660', '22136', '0x0']);
    assert.equal(lines.get('rings[1][0].name'), '""');
  });

  it('says where it stops understanding', () => {
    assert.equal(error('struct a {\n  int x\n};'), '3:1 expected ; before }');
    assert.equal(error('struct a { unknown_t x; };'), '1:12 unknown type unknown_t');
    assert.equal(error('struct a {\n  struct b x;\n};'), '2:12 x has no size: struct b is not declared');
    assert.equal(error('struct a { int x : 40; };'), '1:16 a bit field of 40 bits does not fit int');
    assert.equal(error('struct a { int x[-1]; };'), '1:17 an array cannot have fewer than no elements');
    assert.equal(error('struct a { int x[N]; };'), '1:18 N is no known constant');
    assert.equal(error('struct a { int x[1/0]; };'), '1:19 division by zero');
    assert.equal(error('struct a { long long long x; };'), '1:12 long long long is no type');
    assert.equal(error('int f(void);'), '1:6 functions have no place in memory: only pointers to them do');
    assert.equal(error('struct a { int x; } /* never ends'), '1:21 this comment does not end');
    assert.equal(error('struct a {'), '1:11 expected } before the end');
    assert.match(error('<img src=x onerror=alert(1)>'), /^1:1 /);
    assert.match(error('\u202e\u0000'), /^1:1 unexpected character/);
  });

  it('is bounded: size, depth, fields, text', () => {
    assert.equal(error('struct a { char x[1 << 31]; };'), '1:18 larger than 1 GiB');
    assert.match(error('struct a { char x[65536][65536][65536]; };'), /larger than 1 GiB/);
    assert.match(error(`${'struct { '.repeat(5000)}int x;`), /nested more than 64 deep/);
    assert.match(error(`int x[${'('.repeat(5000)}1];`), /nested more than 64 deep/);
    assert.match(error(`struct a { ${'int x;'.repeat(bounds.fields + 1)} };`), /more than 10000 fields/);
    assert.match(error(' '.repeat(bounds.text + 1)), /longer than 256 KiB/);
    const started = performance.now();
    const type = parseDeclarations('struct a { int x[1000][1000][100]; };').types.get('struct a');
    assert.ok(type);
    const { lines, more } = structLines(type, '', new Uint8Array(0), true);
    assert.ok(lines.length <= 2000 && more && performance.now() - started < 2000);
  });

  it('gives an error or types for any text, and never anything else', () => {
    const words = fc.constantFrom('struct', 'union', 'enum', 'typedef', 'int', 'char', '{', '}', ';', '*', '[', ']', '(', ')', ':', '3', 'x', ',', '=', '#define X 1\n', '#pragma pack(1)\n', '__attribute__((packed))', 'unsigned', 'sizeof', '-', "'", '"', '/*', '\\', '💥');
    fc.assert(fc.property(fc.array(words, { maxLength: 60 }), list => {
      try { parseDeclarations(list.join(' ')); } catch (thrown) { assert.ok(thrown instanceof DeclarationError, String(thrown)); }
    }), { numRuns: 3000 });
  });

  it('shows no value for what lies beyond the bytes, and a pointer, an enum and text as C writes them', () => {
    const type = parseDeclarations('struct a { char text[8]; int n; double d; long double l; _Bool b; };').types.get('struct a');
    assert.ok(type);
    const lines = structLines(type, '', new Uint8Array([0x41, 0x22, 0x0a, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]), true).lines;
    assert.deepEqual(lines.map(it => it.value), ['"A\\"\\x0a"', '-1', '', '', '']);
  });
});
