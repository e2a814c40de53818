// bpf(2): maps, and programs that iterate over tasks. Nothing is pinned: all of it goes with the descriptors, and those with the probe.
import { closeSync } from 'node:fs';
import type { SyscallResult } from './libc';
import { addressOf, syscall } from './libc';
import type { Result } from './procfs';

/** Commands and types (include/uapi/linux/bpf.h). */
const BPF_MAP_CREATE = 0, BPF_MAP_UPDATE_ELEM = 2, BPF_MAP_DELETE_ELEM = 3, BPF_PROG_LOAD = 5, BPF_LINK_CREATE = 28, BPF_ITER_CREATE = 33;
const BPF_MAP_TYPE_HASH = 1, BPF_MAP_TYPE_ARRAY = 2, BPF_PROG_TYPE_TRACING = 26, BPF_TRACE_ITER = 28;
const mapTypes = { array: BPF_MAP_TYPE_ARRAY, hash: BPF_MAP_TYPE_HASH } as const;
/** As long as any command's structure here; older kernels accept a longer one whose rest is 0. */
const attributeBytes = 120;
const logBytes = 1 << 16;

/** `pointers`: where in the attributes the addresses of which buffers stand. */
function bpf(command: number, fill: (attributes: Buffer) => void, pointers: readonly { readonly at: number; readonly to: Buffer }[] = []): SyscallResult {
  const attributes = Buffer.alloc(attributeBytes);
  fill(attributes);
  for (const { at, to } of pointers) attributes.writeBigUInt64LE(addressOf(to), at);
  return syscall('bpf', command, attributes, attributeBytes);
}

const result = ({ value, errno }: SyscallResult): Result<number> => value === -1 ? { errno } : { value };

/** Makes a map; its descriptor. */
export function createMap(type: keyof typeof mapTypes, keyBytes: number, valueBytes: number, entries: number): Result<number> {
  return result(bpf(BPF_MAP_CREATE, attributes => {
    [mapTypes[type], keyBytes, valueBytes, entries].forEach((value, index) => attributes.writeUInt32LE(value, 4 * index));
  }));
}

export function setEntry(map: number, key: Buffer, value: Buffer): Result<number> {
  return result(bpf(BPF_MAP_UPDATE_ELEM, attributes => { attributes.writeUInt32LE(map, 0); }, [{ at: 8, to: key }, { at: 16, to: value }]));
}

export function deleteEntry(map: number, key: Buffer): Result<number> {
  return result(bpf(BPF_MAP_DELETE_ELEM, attributes => { attributes.writeUInt32LE(map, 0); }, [{ at: 8, to: key }]));
}

/** Loads a program that iterates; its descriptor. `iterator`: the type number of the kernel's function for that. On failure, the verifier's last words. */
export function loadIterator(program: Buffer, iterator: number, name: string): Result<number> & { readonly said?: string } {
  const license = Buffer.from('GPL\0'); // what the kernel wants of programs that read its memory
  const attempt = (log: Buffer | undefined): SyscallResult => bpf(BPF_PROG_LOAD, attributes => {
    attributes.writeUInt32LE(BPF_PROG_TYPE_TRACING, 0);
    attributes.writeUInt32LE(program.length / 8, 4);
    if (log) { attributes.writeUInt32LE(1, 24); attributes.writeUInt32LE(log.length, 28); }
    attributes.write(name.slice(0, 15), 48, 'latin1');
    attributes.writeUInt32LE(BPF_TRACE_ITER, 68);
    attributes.writeUInt32LE(iterator, 108);
  }, [{ at: 8, to: program }, { at: 16, to: license }, ...log ? [{ at: 32, to: log }] : []]);
  let loaded = attempt(undefined);
  // A signal in between stops the verifier.
  for (let times = 0; loaded.errno === 'EAGAIN' && times < 5; times++) loaded = attempt(undefined);
  if (loaded.value !== -1) return { value: loaded.value };
  if (loaded.errno === 'EPERM') return { errno: loaded.errno };
  const log = Buffer.alloc(logBytes);
  const again = attempt(log);
  if (again.value !== -1) return { value: again.value };
  const lines = log.toString('latin1', 0, Math.max(log.indexOf(0), 0)).trimEnd().split('\n').filter(line => !/^processed \d+ insns/.test(line));
  const said = lines.at(-1)?.trim();
  return { errno: loaded.errno, ...said !== undefined && said !== '' && { said } };
}

/** Attaches a program to its iterator; the descriptor of the link. */
export function linkIterator(program: number): Result<number> {
  return result(bpf(BPF_LINK_CREATE, attributes => { attributes.writeUInt32LE(program, 0); attributes.writeUInt32LE(BPF_TRACE_ITER, 8); }));
}

/** Begins one pass; a descriptor to read to its end. */
export function beginPass(link: number): Result<number> {
  return result(bpf(BPF_ITER_CREATE, attributes => { attributes.writeUInt32LE(link, 0); }));
}

/** Closes what was opened. */
export function closeAll(descriptors: Iterable<number>): void {
  for (const descriptor of descriptors) closeSync(descriptor);
}
