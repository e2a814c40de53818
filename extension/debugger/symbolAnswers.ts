// What debuggers print about an address: LLDB's and GDB's own words, taken apart. Names come from the debugged program and are
// of any shape; whoever shows them makes them harmless. Pure.

/** The global or static variable that an address lies in, and how far from its beginning (bytes). */
export interface SymbolAt { readonly symbol: string; readonly offset: number }

/** A symbol's name, as a name that can be asked for again and shown: no line ends, not endless. */
const longestName = 300;
/** Further from the symbol's beginning than this it is a neighbour, not a part. */
const farthest = 1 << 20;

function symbolAt(symbol: string, offset: string | undefined): SymbolAt | undefined {
  const name = symbol.trim();
  const distance = offset === undefined ? 0 : Number(offset);
  return name === '' || name.length > longestName || !Number.isSafeInteger(distance) || distance > farthest ? undefined : { symbol: name, offset: distance };
}

/** LLDB's `image lookup --address`: the line `Summary: queue`ledger + 8`. */
export function lldbSymbol(text: string): SymbolAt | undefined {
  const summary = /^\s*Summary: (.*)$/m.exec(text)?.[1];
  if (summary === undefined) return undefined;
  // A stripped program has sections in place of symbols: `queue..bss + 96`, `queue.PT_LOAD[3]..bss + 96`.
  const [, name = '', offset] = /^(?:[^`]*`)?(.*?)(?: \+ (\d+))?$/.exec(summary.trim()) ?? [];
  return /\.PT_LOAD\[|^\S*\.\.\S+$|___lldb_unnamed_symbol|^\(void \*\)|^0x/.test(name) ? undefined : symbolAt(name, offset);
}

/** GDB's `info symbol`: `ledger + 8 in section .data of /path/queue`. */
export function gdbSymbol(text: string): SymbolAt | undefined {
  const [, name, offset] = /^(.*?)(?: \+ (\d+))? in section \S+(?: of .*)?$/m.exec(text) ?? [];
  return name === undefined ? undefined : symbolAt(name, offset);
}

interface Printed { readonly depth: number; readonly address: bigint; readonly name: string; readonly pointsTo: bigint | undefined }

/** One line of LLDB's `-L` output: `0x0000555555558088:   lock = {`, `0x…: (book *) own = 0x00005555555592a0 {`. */
function printedLine(line: string): Printed | undefined {
  const [, address, indent = '', name, value = ''] = /^(0x[0-9a-f]{1,16}): ( *)(?:\([^=]*?\) )?([^\s=][^=]*?) ?= ?(.*)$/.exec(line) ?? [];
  if (address === undefined || name === undefined || name.length > longestName) return undefined;
  const target = /^0x[0-9a-f]{1,16}(?= *\{)/.exec(value)?.[0] ?? /^0x[0-9a-f]{16}$/.exec(value)?.[0];
  return { depth: indent.length, address: BigInt(address), name, pointsTo: target === undefined ? undefined : BigInt(target) };
}

/** Members of the C and C++ libraries' own structures say nothing to a reader: `__data`, `_M_mutex`, `std::__mutex_base`. */
const isInternal = (name: string): boolean => name.startsWith('_') || name.includes('::');

/**
 * What LLDB's `target variable -L` or `frame variable -L` names at an address: `ledger.lock`, `own->lock`, `*mutex`; the most exact one.
 * Undefined when nothing printed lies or points exactly there.
 */
export function lldbPath(text: string, address: bigint): string | undefined {
  const above: (Printed & { readonly path: string; readonly internal: boolean })[] = [];
  let [member, pointer]: [string | undefined, string | undefined] = [undefined, undefined];
  let memberDepth = -1;
  for (const line of text.split('\n', 5_000)) {
    const printed = printedLine(line);
    if (!printed) continue;
    while ((above.at(-1)?.depth ?? -1) >= printed.depth) above.pop();
    const parent = above.at(-1);
    const joint = printed.name.startsWith('[') ? '' : parent?.pointsTo === undefined ? '.' : '->';
    const path = parent === undefined ? printed.name : `${parent.path}${joint}${printed.name}`;
    const internal = parent !== undefined && (parent.internal || isInternal(printed.name));
    if (!internal && printed.address === address && printed.depth > memberDepth) [member, memberDepth] = [path, printed.depth];
    if (!internal && printed.pointsTo === address) pointer ??= `*${path}`;
    above.push({ ...printed, path, internal });
  }
  return member ?? pointer;
}

/** The member of a structure at an offset, from GDB's `ptype /o`: `lock`, `shard.lock`; undefined when none begins there. */
export function gdbMember(text: string, offset: number): string | undefined {
  // Members of an inner structure come before its name, which follows its closing brace.
  interface Open { found: string | undefined; readonly at: number | undefined }
  const open: Open[] = [];
  for (const line of text.split('\n', 5_000)) {
    const [, at, rest = ''] = /^\/\* +(\d+)(?::\d+)? +\| +\d+ \*\/ +(.*)$/.exec(line) ?? [undefined, undefined, line.trim()];
    const here = at === undefined ? undefined : Number(at);
    if (rest.endsWith('{')) {
      open.push({ found: undefined, at: here });
      continue;
    }
    const closing = /^\}\s*(?:(\w+)(?:\[\d+\])*;)?/.exec(rest);
    if (closing) {
      const inner = open.pop();
      const outer = open.at(-1);
      const [, name] = closing;
      if (!inner || !outer) return inner?.found;
      if (outer.found === undefined && inner.found !== undefined) outer.found = name === undefined ? inner.found : isInternal(inner.found) ? name : `${name}.${inner.found}`;
      else if (outer.found === undefined && inner.at === offset) outer.found = name;
      continue;
    }
    const member = /([A-Za-z_]\w*)(?:\[\d+\])*;$/.exec(rest)?.[1];
    const top = open.at(-1);
    if (top && here === offset && member !== undefined) top.found ??= member;
  }
  return undefined;
}
