// Which run-time an executable is, so that the debugger fits: by its name where it is an interpreter, by its notes where it was built
// with Go. Pure.
import type { Process } from '../../native-probe/model';

export type Runtime = 'node' | 'python' | 'java' | 'dotnet' | 'go' | 'native';

const interpreters: readonly (readonly [Runtime, RegExp])[] = [
  ['node', /^(node|nodejs)[\d.]*$/],
  ['python', /^(python|pypy)[\d.]*[a-z]*$/],
  ['java', /^java$/],
  ['dotnet', /^dotnet$/],
];

/**
 * What runs in a process.
 * @param head the first bytes of its executable (16 KiB are enough); undefined where it cannot be read
 */
export function runtimeOf({ exe, cmdline, comm }: Pick<Process, 'exe' | 'cmdline' | 'comm'>, head?: Uint8Array): Runtime {
  // An unreadable link still leaves the name that the program was started by.
  const name = (exe ?? cmdline?.[0] ?? comm).split('/').pop() ?? '';
  return interpreters.find(([, names]) => names.test(name))?.[0] ?? (head !== undefined && hasGoNote(head) ? 'go' : 'native');
}

/** elf(5): program headers of type PT_NOTE; the linker of Go writes a note of owner "Go" and type 4 (the build id) near the beginning. */
const PT_NOTE = 4, buildId = 4;

/** Whether the beginning of an ELF file has Go's build id. Never throws, whatever the bytes are. */
export function hasGoNote(head: Uint8Array): boolean {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const [magic, wide, little] = [head.length >= 64 && view.getUint32(0) === 0x7f454c46, head[4] === 2, head[5] === 1];
  if (!magic) return false;
  const u16 = (at: number): number => at + 2 <= head.length ? view.getUint16(at, little) : 0;
  const u32 = (at: number): number => at + 4 <= head.length ? view.getUint32(at, little) : 0;
  const word = (at: number): number => wide ? (at + 8 <= head.length ? Number(view.getBigUint64(at, little)) : 0) : u32(at);
  const [table, size, count] = [word(wide ? 32 : 28), u16(wide ? 54 : 42), u16(wide ? 56 : 44)];
  for (let i = 0; i < Math.min(count, 64); i++) {
    const header = table + i * size;
    if (u32(header) !== PT_NOTE) continue;
    const begin = word(header + (wide ? 8 : 4));
    const end = Math.min(begin + word(header + (wide ? 32 : 16)), head.length);
    for (let at = begin; at + 16 <= end;) {
      const [nameSize, contentSize, type] = [u32(at), u32(at + 4), u32(at + 8)];
      if (type === buildId && nameSize === 4 && head[at + 12] === 0x47 && head[at + 13] === 0x6f && head[at + 14] === 0) return true;
      at += 12 + Math.ceil(nameSize / 4) * 4 + Math.ceil(contentSize / 4) * 4;
    }
  }
  return false;
}
