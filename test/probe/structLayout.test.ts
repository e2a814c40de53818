// The memory view's structures against the C compiler: random declarations, filled by a C program, decoded from the bytes it wrote.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { parseDeclarations } from '../../webview/cDeclarations';
import { structLines } from '../../webview/structValues';
import { skip } from '../skip';
import { hasCompiler, scratchDirectory } from './harness';

type Shape =
  | { readonly kind: 'scalar'; readonly type: string; readonly array: number }
  | { readonly kind: 'bits'; readonly type: string; readonly width: number }
  | { readonly kind: 'record'; readonly union: boolean; readonly attribute: string; readonly members: readonly Shape[]; readonly anonymous: boolean; readonly array: number };

const scalars = ['char', 'signed char', 'unsigned char', 'short', 'unsigned short int', 'int', 'unsigned', 'long', 'unsigned long', 'long long', 'uint8_t', 'int16_t', 'uint32_t', 'int64_t', 'size_t', 'pid_t', 'float', 'double', 'bool', 'enum colour', 'void *', 'number_t'];
const integers = ['int', 'unsigned', 'uint8_t', 'unsigned short', 'long', 'unsigned long long', 'signed char'];
const attribute = fc.constantFrom('', '', '', ' __attribute__((packed))', ' __attribute__((aligned(16)))', ' __attribute__((packed, aligned(2)))');

const member: fc.Memo<Shape> = fc.memo(depth => fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('scalar' as const), type: fc.constantFrom(...scalars), array: fc.constantFrom(0, 0, 0, 1, 3) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('bits' as const), type: fc.constantFrom(...integers), width: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 1, arbitrary: fc.constant<Shape>({ kind: 'bits', type: 'int', width: 0 }) },
  ...(depth > 1 ? [{ weight: 2, arbitrary: record(depth - 1) }] : []),
));
const record: fc.Memo<Shape> = fc.memo(depth => fc.record({ kind: fc.constant('record' as const), union: fc.boolean(), attribute, members: fc.array(member(depth), { minLength: 1, maxLength: 5 }), anonymous: fc.boolean(), array: fc.constantFrom(0, 0, 2) }));

interface Leaf { readonly path: string; readonly expected: string }

/** The declaration, and a value for every field that no union shares. */
function written(shapes: readonly Shape[], attributes: boolean): { text: string; leaves: Leaf[] } {
  let serial = 0;
  const leaves: Leaf[] = [];
  const declare = (list: readonly Shape[], indent: string, path: string, alone: boolean): string => list.map(it => {
    const name = `f${serial++}`;
    const at = path === '' ? name : `${path}.${name}`;
    switch (it.kind) {
      case 'scalar':
        if (alone && it.array === 0) leaves.push({ path: at, expected: it.type });
        else if (alone && it.type !== 'char') for (let index = 0; index < it.array; index++) leaves.push({ path: `${at}[${index}]`, expected: it.type });
        return `${indent}${it.type} ${name}${it.array > 0 ? `[${it.array}]` : ''};\n`;
      case 'bits':
        if (alone && it.width > 0) leaves.push({ path: at, expected: `bits ${it.width} ${it.type}` });
        return `${indent}${it.type} ${it.width > 0 ? name : ''} : ${it.width};\n`;
      case 'record': {
        const hidden = it.anonymous && it.array === 0;
        const inner = declare(it.members, `${indent}  `, hidden ? path : it.array > 0 ? `${at}[1]` : at, alone && !it.union);
        return `${indent}${it.union ? 'union' : 'struct'} {\n${inner}${indent}}${attributes ? it.attribute : ''}${hidden ? '' : ` ${name}${it.array > 0 ? `[${it.array}]` : ''}`};\n`;
      }
      default: return it satisfies never;
    }
  }).join('');
  return { text: declare(shapes, '  ', '', true), leaves };
}

const prelude = '#include <stdint.h>\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdio.h>\n#include <string.h>\n#include <sys/types.h>\n';
const types = 'enum colour { RED, GREEN = 5, BLUE };\ntypedef long long number_t;\n';

describe('structures of the memory view', function () {
  this.timeout(120_000);
  before(function () { if (!hasCompiler()) skip(this, 'no C compiler'); });

  it('have the offsets, sizes and values that the C compiler gives them', () => {
    const samples = fc.sample(fc.tuple(fc.array(member(3), { minLength: 1, maxLength: 8 }), attribute, fc.constantFrom(0, 0, 1, 2, 4)), { seed: 20, numRuns: 150 });
    const each = samples.map(([shapes, attributes, pack], index) => {
      // GCC lets the pragma win over some attributes and not over others: one or the other.
      const { text, leaves } = written(shapes, pack === 0);
      const declaration = `${pack > 0 ? `#pragma pack(push, ${pack})\n` : ''}struct s${index} {\n${text}}${pack === 0 ? attributes : ''};\n${pack > 0 ? '#pragma pack(pop)\n' : ''}`;
      const value = (it: Leaf, number: number): string => it.expected === 'float' || it.expected === 'double' ? `${number}.5` : it.expected === 'bool' ? '1' : it.expected === 'enum colour' ? 'GREEN' : it.expected === 'void *' ? `(void *)${number}` : it.expected.startsWith('bits') ? String(number % 2 ** (Number(it.expected.split(' ')[1]) - 1 || 1)) : String(number % 100);
      return { declaration, leaves, code: `{ struct s${index} s; memset(&s, 0, sizeof s);\n${leaves.map((it, number) => `s.${it.path} = ${value(it, number + 1)};`).join('\n')}\nprintf("%zu %zu ", sizeof s, _Alignof(struct s${index})); for (size_t i = 0; i < sizeof s; i++) printf("%02x", ((unsigned char *)&s)[i]); printf("\\n"); }` };
    });
    const source = join(scratchDirectory(), 'layouts.c'), program = join(scratchDirectory(), 'layouts');
    writeFileSync(source, `${prelude}${types}${each.map(it => it.declaration).join('')}int main(void) {\n${each.map(it => it.code).join('\n')}\nreturn 0; }\n`);
    execFileSync('cc', ['-w', '-o', program, source]);
    const printed = execFileSync(program, { encoding: 'utf8', maxBuffer: 1 << 26 }).trimEnd().split('\n');
    each.forEach(({ declaration, leaves }, index) => {
      const [size, align, hex = ''] = (printed[index] ?? '').split(' ');
      const type = parseDeclarations(types + declaration).types.get(`struct s${index}`);
      assert.ok(type, declaration);
      assert.deepEqual([type.size, type.align], [Number(size), Number(align)], declaration);
      const shown = new Map(structLines(type, '', Buffer.from(hex, 'hex'), true).lines.map(line => [line.path, line.value]));
      leaves.forEach((leaf, number) => {
        const n = number + 1;
        const [, width = ''] = /^bits (\d+)/.exec(leaf.expected) ?? [];
        const bits = width === '' ? 0 : n % 2 ** (Number(width) - 1 || 1);
        const character = (value: number): string => `${value}${value >= 0x20 && value < 0x7f ? ` '${String.fromCharCode(value)}'` : ''}`;
        const expected = width !== '' ? String(bits) : leaf.expected === 'float' || leaf.expected === 'double' ? `${n}.5` : leaf.expected === 'bool' ? 'true' : leaf.expected === 'enum colour' ? 'GREEN (5)' : leaf.expected === 'void *' ? `0x${n.toString(16)}` : leaf.expected === 'char' ? character(n % 100) : String(n % 100);
        // A field of one signed bit: 1 is -1.
        if (width === '1' && !/unsigned|uint/.test(leaf.expected)) return;
        assert.equal(shown.get(leaf.path), expected, `${leaf.path} of\n${declaration}`);
      });
    });
  });
});
