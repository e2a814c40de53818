// Declarations of C types as a person pastes them from a header: a small subset of C, parsed with the place of whatever is wrong. Pure.
//
// What is understood: struct, union and enum (named, anonymous, nested), typedef, arrays of any dimensions, pointers (also to functions), bit
// fields, the arithmetic types of C99 and stdint.h (time_t, pid_t and their like too), _Bool, const, volatile, integer constants with
// + - * / % << >> & | ~ and sizeof, #define NAME number, __attribute__((packed)), aligned(n), _Alignas(n), #pragma pack(n). Comments are
// skipped. Everything else is an error that says where.

import { bounds, DeclarationError, numberOf, placeOf, tokens } from './cTokens';
import type { Token } from './cTokens';
import { basicType, basicWords, knownNames, layOut, nameOf, scalar } from './cTypes';
import type { Attributes, CType, Member } from './cTypes';

/** Types that can be shown, in the order of their declaration. */
export interface Declarations { readonly types: ReadonlyMap<string, CType> }

const ignored = new Set(['const', 'volatile', 'restrict', '__restrict', 'register', 'extern', 'static', '__extension__', '_Atomic', '__volatile__', '__const', 'inline', '__inline', 'auto']);

class Parser {
  private readonly list: Token[];
  private next = 0;
  private depth = 0;
  private fields = 0;
  private readonly typedefs = knownNames();
  private readonly tags = new Map<string, CType>();
  private readonly constants = new Map<string, bigint>();
  private readonly shown = new Map<string, CType>();
  private pack = 0;
  private readonly packs: number[] = [];

  constructor(private readonly text: string) {
    if (text.length > bounds.text) throw new DeclarationError({ line: 1, column: 1 }, `these declarations are longer than ${bounds.text / 1024} KiB`);
    this.list = tokens(text, (at, message) => this.failAt(at, message));
  }

  all(): Declarations {
    for (this.skipPragmas(); this.peek().type !== 'end'; this.skipPragmas()) {
      if (this.accept(';')) continue;
      this.declaration();
    }
    return { types: this.shown };
  }

  private failAt(at: number, message: string): never { throw new DeclarationError(placeOf(this.text, at), message); }
  private fail(message: string, token = this.peek()): never { this.failAt(token.at, message); }
  private peek(ahead = 0): Token { return this.list[Math.min(this.next + ahead, this.list.length - 1)] ?? { text: 'the end', type: 'end', at: this.text.length }; }
  private take(): Token { const token = this.peek(); this.next++; return token; }
  private accept(text: string): boolean { if (this.peek().text !== text || this.peek().type === 'end') return false; this.next++; return true; }
  private expect(text: string): void { if (!this.accept(text)) this.fail(`expected ${text} before ${this.peek().text.slice(0, 40)}`); }
  private nested<T>(work: () => T): T {
    if (++this.depth > bounds.depth) this.fail(`nested more than ${bounds.depth} deep`);
    try { return work(); } finally { this.depth--; }
  }

  private skipPragmas(): void {
    for (; this.peek().type === 'pragma'; this.next++) {
      const { text, at } = this.peek();
      const define = /^#\s*define\s+([A-Za-z_]\w*)\s+(.+)$/s.exec(text);
      if (define) {
        const [, name = '', value = ''] = define;
        try {
          const parser = new Parser(value.replace(/\\\n/g, ' ').replace(/\/\/.*|\/\*.*?\*\//g, ''));
          for (const [key, known] of this.constants) parser.constants.set(key, known);
          const number = parser.constant();
          if (parser.peek().type === 'end') this.constants.set(name, number);
        } catch (error) {
          // A macro that is no number is of no account until somebody uses it.
          if (!(error instanceof DeclarationError)) throw error;
        }
      }
      const pack = /^#\s*pragma\s+pack\s*\(\s*(push)?\s*,?\s*(pop)?\s*(\d*)\s*\)/.exec(text);
      if (!pack) continue;
      if (pack[1] !== undefined) this.packs.push(this.pack);
      if (pack[2] !== undefined) this.pack = this.packs.pop() ?? 0;
      else if (pack[3] !== '' || pack[1] === undefined) this.pack = Number(pack[3]);
      if (![0, 1, 2, 4, 8, 16].includes(this.pack)) this.failAt(at, 'pack takes 1, 2, 4, 8 or 16');
    }
  }

  private declaration(): void {
    const typedef = this.accept('typedef');
    const begin = this.peek();
    const base = this.specifier();
    if (this.accept(';')) return;
    do {
      const { name, type, at } = this.declarator(base);
      this.attributes({ packed: false, aligned: 0 });
      if (name === '') this.failAt(at, 'a name is missing');
      if (typedef) {
        this.typedefs.set(name, type);
        if (type.kind !== 'scalar') this.shown.set(name, type.kind === 'record' && type.name === '' ? { ...type, name } : type);
      } else {
        if (type.size === 0) this.failAt(begin.at, `${name} has no size`);
        this.shown.set(name, type);
      }
    } while (this.accept(','));
    this.expect(';');
  }

  /** The type before the names. */
  private specifier(own: Attributes = { packed: false, aligned: 0 }): CType {
    const words: string[] = [];
    let found: CType | undefined;
    const start = this.peek();
    for (;;) {
      this.skipPragmas();
      this.attributes(own);
      const token = this.peek();
      if (token.type !== 'name') break;
      if (ignored.has(token.text)) { this.next++; continue; }
      if (token.text === '_Alignas' || token.text === 'alignas') { this.next++; this.expect('('); own.aligned = Math.max(own.aligned, this.alignment()); this.expect(')'); continue; }
      if (found === undefined && basicWords.has(token.text)) { words.push(token.text); this.next++; continue; }
      if (found !== undefined || words.length > 0) break;
      if (token.text === 'struct' || token.text === 'union') found = this.record();
      else if (token.text === 'enum') found = this.enumeration();
      else {
        found = this.typedefs.get(token.text) ?? this.fail(`unknown type ${token.text}`);
        this.next++;
      }
    }
    if (found !== undefined) return found;
    if (words.length === 0) this.fail(`expected a type before ${this.peek().text.slice(0, 40)}`);
    return basicType(words) ?? this.fail(`${words.join(' ')} is no type`, start);
  }

  private record(): CType {
    const union = this.take().text === 'union';
    const own: Attributes = { packed: false, aligned: 0 };
    this.attributes(own);
    const tag = this.peek().type === 'name' ? this.take() : undefined;
    const key = `${union ? 'union' : 'struct'} ${tag?.text ?? ''}`;
    if (!this.accept('{')) {
      if (tag === undefined) this.fail('expected a name or {');
      // Known only by name: good for pointers to it.
      return this.tags.get(key) ?? { kind: 'record', union, name: tag.text, fields: [], size: 0, align: 1 };
    }
    const { pack } = this;
    const members = this.nested(() => this.members());
    this.attributes(own);
    const laid = layOut(members, union, own, pack, tag?.text ?? '', (at, message) => this.failAt(at, message));
    if (tag !== undefined) {
      this.tags.set(key, laid);
      this.shown.set(key, laid);
    }
    return laid;
  }

  private members(): Member[] {
    const members: Member[] = [];
    for (this.skipPragmas(); !this.accept('}'); this.skipPragmas()) {
      if (this.peek().type === 'end') this.fail('expected } before the end');
      if (this.accept(';')) continue;
      const attributes: Attributes = { packed: false, aligned: 0 };
      const at = this.peek().at;
      const base = this.specifier(attributes);
      // An anonymous struct or union: its fields are as if they were the outer one's.
      if (this.accept(';')) { if (base.kind === 'record') members.push({ name: '', type: base, bits: undefined, attributes, at }); continue; }
      do {
        const declared = this.peek().text === ':' ? { name: '', type: base, at: this.peek().at } : this.declarator(base);
        const mine = { ...attributes };
        const bits = this.accept(':') ? Number(this.constant()) : undefined;
        this.attributes(mine);
        if (++this.fields > bounds.fields) this.failAt(declared.at, `more than ${bounds.fields} fields`);
        members.push({ ...declared, bits, attributes: mine });
      } while (this.accept(','));
      this.expect(';');
    }
    return members;
  }

  private enumeration(): CType {
    this.take();
    const own: Attributes = { packed: false, aligned: 0 };
    this.attributes(own);
    const tag = this.peek().type === 'name' ? this.take() : undefined;
    const key = `enum ${tag?.text ?? ''}`;
    if (!this.accept('{')) return this.tags.get(key) ?? this.fail(tag === undefined ? 'expected a name or {' : `unknown enum ${tag.text}`, tag);
    const names = new Map<bigint, string>();
    let value = 0n, least = 0n, most = 0n;
    while (!this.accept('}')) {
      const name = this.take();
      if (name.type !== 'name') this.fail(`expected a name before ${name.text.slice(0, 40)}`, name);
      if (this.accept('=')) value = this.constant();
      if (!names.has(value)) names.set(value, name.text);
      this.constants.set(name.text, value);
      if (value < least) least = value;
      if (value > most) most = value;
      value++;
      if (this.peek().text !== '}') this.expect(',');
      if (names.size > bounds.fields) this.fail(`more than ${bounds.fields} names`);
    }
    this.attributes(own);
    const bytes = own.packed ? [1, 2, 4, 8] : [4, 8];
    const size = bytes.find(each => least >= -(1n << BigInt(each * 8 - 1)) && most < (least < 0n ? 1n << BigInt(each * 8 - 1) : 1n << BigInt(each * 8))) ?? 8;
    const made: CType = { kind: 'enum', name: tag?.text ?? '', size, align: size, names };
    if (tag !== undefined) this.tags.set(key, made);
    return made;
  }

  /** Stars, a name, arrays; or a pointer to a function. */
  private declarator(base: CType): { name: string; type: CType; at: number } {
    return this.nested(() => {
      let type = base;
      for (;;) {
        if (this.accept('*')) type = scalar(`${nameOf(type)} *`, 'pointer', 8);
        else if (ignored.has(this.peek().text)) this.next++;
        else break;
      }
      const at = this.peek().at;
      // ( * name ) ( parameters ), or a name in parentheses: the pointer is all that counts.
      if (this.accept('(')) {
        const inner = this.declarator(scalar('void', 'unsigned', 0, 1));
        this.expect(')');
        const isFunction = this.peek().text === '(';
        if (isFunction) this.skipParentheses();
        if (inner.type.kind === 'scalar' && inner.type.of === 'pointer') return { ...inner, type: scalar(isFunction ? 'function *' : `${nameOf(this.arrays(type))} *`, 'pointer', 8) };
        if (inner.type.kind === 'array') return { ...inner, type: { ...inner.type, of: scalar('function *', 'pointer', 8) } };
        return { ...inner, type: this.arrays(type) };
      }
      const name = this.peek().type === 'name' ? this.take().text : '';
      if (this.peek().text === '(') this.fail('functions have no place in memory: only pointers to them do');
      return { name, type: this.arrays(type), at };
    });
  }

  private arrays(of: CType): CType {
    const start = this.peek();
    if (!this.accept('[')) return of;
    return this.nested(() => {
      // int x[]: a flexible array is shown as none.
      const count = this.peek().text === ']' ? 0n : this.constant();
      this.expect(']');
      const inner = this.arrays(of);
      if (count < 0n) this.fail('an array cannot have fewer than no elements', start);
      if (inner.kind !== 'array' && inner.size === 0 && count > 0n) this.fail(`${nameOf(inner)} has no size`, start);
      if (count * BigInt(inner.size) > BigInt(bounds.size)) this.fail('larger than 1 GiB', start);
      return { kind: 'array', of: inner, count: Number(count), size: Number(count) * inner.size, align: inner.align };
    });
  }

  private skipParentheses(): void {
    for (let open = 0; ;) {
      const token = this.take();
      if (token.type === 'end') this.fail('expected ) before the end', token);
      if (token.text === '(') open++;
      if (token.text === ')' && --open === 0) return;
    }
  }

  /** GNU attributes: packed and aligned count, all others are passed over. */
  private attributes(into: Attributes): void {
    while (this.peek().text === '__attribute__' || this.peek().text === '__attribute' || this.peek().text === '__packed') {
      if (this.take().text === '__packed') { into.packed = true; continue; }
      this.expect('(');
      this.expect('(');
      for (let open = 0; !(open === 0 && this.peek().text === ')');) {
        const token = this.take();
        if (token.type === 'end') this.fail('expected )) before the end', token);
        if (open === 0 && /^(?:__)?packed(?:__)?$/.test(token.text)) into.packed = true;
        else if (open === 0 && /^(?:__)?aligned(?:__)?$/.test(token.text)) {
          if (this.accept('(')) { into.aligned = Math.max(into.aligned, this.alignment()); this.expect(')'); }
          else into.aligned = Math.max(into.aligned, 16);
        } else if (token.text === '(') open++;
        else if (token.text === ')') open--;
      }
      this.expect(')');
      this.expect(')');
    }
  }

  private alignment(): number {
    const start = this.peek();
    const value = this.constant();
    if (value <= 0n || value > 65536n || (value & (value - 1n)) !== 0n) this.fail('an alignment is a power of two up to 65536', start);
    return Number(value);
  }

  /** A constant expression of integers. */
  private constant(level = 0): bigint {
    const levels = [['|'], ['^'], ['&'], ['<<', '>>'], ['+', '-'], ['*', '/', '%']];
    const operators = levels[level];
    if (operators === undefined) return this.nested(() => this.primary());
    let left = this.constant(level + 1);
    for (;;) {
      const token = this.peek();
      if (token.type !== 'mark' || !operators.includes(token.text)) return left;
      this.next++;
      const right = this.constant(level + 1);
      if ((token.text === '/' || token.text === '%') && right === 0n) this.fail('division by zero', token);
      if ((token.text === '<<' || token.text === '>>') && (right < 0n || right > 64n)) this.fail('shifted too far', token);
      left = BigInt.asIntN(65, operate(left, token.text, right));
    }
  }

  private primary(): bigint {
    const token = this.take();
    if (token.text === '(') { const value = this.constant(); this.expect(')'); return value; }
    if (token.text === '-') return -this.primary();
    if (token.text === '+') return this.primary();
    if (token.text === '~') return ~this.primary();
    if (token.text === 'sizeof' || token.text === '_Alignof') {
      this.expect('(');
      const type = this.declarator(this.specifier()).type;
      this.expect(')');
      return BigInt(token.text === 'sizeof' ? type.size : type.align);
    }
    if (token.type === 'number') return numberOf(token.text);
    const known = token.type === 'name' ? this.constants.get(token.text) : undefined;
    return known ?? this.fail(token.type === 'name' ? `${token.text} is no known constant` : `expected a number before ${token.text.slice(0, 40)}`, token);
  }
}

function operate(left: bigint, operator: string, right: bigint): bigint {
  switch (operator) {
    case '|': return left | right;
    case '^': return left ^ right;
    case '&': return left & right;
    case '<<': return left << right;
    case '>>': return left >> right;
    case '+': return left + right;
    case '-': return left - right;
    case '*': return left * right;
    case '/': return left / right;
    default: return left % right;
  }
}

/** Parses declarations. Throws {@link DeclarationError} with the place of the first thing that is wrong. */
export function parseDeclarations(text: string): Declarations {
  return new Parser(text).all();
}
