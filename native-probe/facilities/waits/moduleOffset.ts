// Which executable or library an address lies in, and how far from its beginning: what addr2line(1) and debuggers take. From the
// lines of /proc/PID/maps (proc(5)) alone: no file is opened. Pure.
import type { Mapping } from '../../kernel/procfs';
import { parseMapsLine, splitDeleted, textOf, unescapeMapsPath } from '../../kernel/procfs';

/** So many mappings a module may have in a row: the loader makes four or five. */
const mostSegments = 64;

/** A module in an address space. `first`: the mapping of its file's beginning. */
export interface ModulePlace { readonly first: Mapping; readonly offset: bigint }

/**
 * The module that an address lies in; undefined for what lies in none (heap, stacks, anonymous memory).
 * @param lines of maps, sorted by address
 * @param at index of the line that the address lies in
 */
export function modulePlace(lines: readonly string[], at: number, address: bigint): ModulePlace | undefined {
  const own = parseMapsLine(lines[at] ?? '');
  if (!own || address >= own.end) return undefined;
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
  return first.offset === 0n ? { first, offset: address - first.start } : undefined;
}

/** `queue+0x4120`; undefined for what lies in no module. */
export function moduleOffset(lines: readonly string[], at: number, address: bigint): string | undefined {
  const place = modulePlace(lines, at, address);
  if (!place) return undefined;
  const name = textOf(splitDeleted(unescapeMapsPath(place.first.path)).path).split('/').pop() ?? '';
  return name === '' ? undefined : `${name}+0x${place.offset.toString(16)}`;
}

/** Where another process of the same mount namespace maps the beginning of a module; undefined where it does not. */
export function moduleStart(lines: readonly string[], { path, device, inode }: Mapping): bigint | undefined {
  for (const line of lines) {
    // Most lines are of other files: parsed only when the path is there.
    const other = line.endsWith(path) ? parseMapsLine(line) : undefined;
    if (other?.offset === 0n && other.inode === inode && other.device === device && other.path === path) return other.start;
  }
  return undefined;
}
