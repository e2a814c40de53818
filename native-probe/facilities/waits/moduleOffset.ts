// Which executable or library an address lies in, and how far from its beginning: what addr2line(1) and debuggers take. From the
// lines of /proc/PID/maps (proc(5)) alone: no file is opened. Pure.
import type { Mapping } from '../../kernel/procfs';
import { parseMapsLine, splitDeleted, textOf, unescapeMapsPath } from '../../kernel/procfs';

/** So many mappings a module may have in a row: the loader makes four or five. */
const mostSegments = 64;

/**
 * `queue+0x4120`; undefined for what lies in no module (heap, stacks, anonymous memory).
 * @param lines of maps, sorted by address
 * @param at index of the line that the address lies in
 */
export function moduleOffset(lines: readonly string[], at: number, address: bigint): string | undefined {
  const own = parseMapsLine(lines[at] ?? '');
  if (!own) return undefined;
  // What begins as zeroes (.bss) has no file behind it: an anonymous mapping right behind the file's last one.
  const before = own.path === '' ? parseMapsLine(lines[at - 1] ?? '') : undefined;
  const module = own.path.startsWith('/') ? own : before && before.end === own.start && before.path.startsWith('/') ? before : undefined;
  if (!module || module.permissions[3] === 's') return undefined;
  let first: Mapping = module;
  for (let index = at - 1, steps = 0; index >= 0 && steps < mostSegments; index--, steps++) {
    const line = parseMapsLine(lines[index] ?? '');
    if (!line || (line.path !== '' && line.path !== module.path)) break;
    if (line.path === module.path && line.inode === module.inode) first = line;
  }
  // Its beginning is not mapped: whatever this is, no offset would mean anything.
  if (first.offset !== 0n) return undefined;
  const name = textOf(splitDeleted(unescapeMapsPath(module.path)).path).split('/').pop() ?? '';
  return name === '' ? undefined : `${name}+0x${(address - first.start).toString(16)}`;
}
