// Futex words in memory: their identity over processes, and the live owner of a glibc mutex.
import type { Hex, ThreadRef } from '../model';
import type { ScannedProcess } from '../processes';
import type { Mapping } from '../kernel/procfs';
import { readText, splitDeleted, textOf, unescapeMapsPath } from '../kernel/procfs';
import type { WaitScene } from './waits/scene';

/** Where a futex word lies. */
export interface FutexPlace {
  readonly id: string;
  /** "0x…" in the waiter's address space. */
  readonly address: string;
  /** What people call it: module and offset for a static variable, else the address; for shared memory the file and offset. */
  readonly name: string;
  /** Whether other processes can map it. */
  readonly shared: boolean;
  readonly mapping: Mapping;
}

/** System V segments: maps shows their key as a name, and their shmid as the inode (ipc/shm.c). */
export const sysvPath = /^\/SYSV[0-9a-f]{8}(?: \(deleted\))?$/;

/** Identity of the futex word at an address: by process in private memory, by what is mapped in shared memory (futex(2)). */
export function placeOf(scene: Pick<WaitScene, 'moduleAt'>, process: ScannedProcess, mapping: Mapping, address: bigint): FutexPlace {
  const hex = `0x${address.toString(16)}`;
  if (mapping.permissions[3] !== 's') return { id: `futex:${process.pid}.${process.startTime}@${hex}`, address: hex, name: scene.moduleAt(process.pid, address) ?? hex, shared: false, mapping };
  const offset = address - mapping.start + mapping.offset;
  if (sysvPath.test(mapping.path)) {
    return { id: `futex:sysv:${process.namespaces.ipc ?? 'unknown'}:${mapping.inode}+${offset}`, address: hex, name: `in System V segment ${mapping.inode} at offset ${offset}`, shared: true, mapping };
  }
  const { path } = splitDeleted(unescapeMapsPath(mapping.path));
  const name = path === '/dev/zero' ? `in anonymous shared memory ${mapping.inode} at offset ${offset}` : `in ${textOf(path)} at offset ${offset}`;
  return { id: `futex:${mapping.device}:${mapping.inode}+${offset}`, address: hex, name, shared: true, mapping };
}

/** Whether a process maps the memory that a shared place lies in; undefined: not known. */
export function mapsPlace(process: ScannedProcess, place: FutexPlace, waiter: ScannedProcess): boolean | undefined {
  if (process.kernelThread) return false;
  if (process.pid === waiter.pid) return true;
  const same = process.sharedMappings?.some(each => isSameMemory(each, place));
  if (same !== true || !sysvPath.test(place.mapping.path)) return same;
  // Segments of two namespaces look the same: where one of these is hidden (a debugger told the mappings), nothing is known.
  return process.namespaces.ipc === null || waiter.namespaces.ipc === null ? undefined : process.namespaces.ipc === waiter.namespaces.ipc;
}

/** Where a process has mapped a shared place, in its own address space; undefined when that is not known. */
export function addressIn(process: ScannedProcess, { mapping, address }: FutexPlace): Hex | undefined {
  const offset = BigInt(address) - mapping.start + mapping.offset;
  const own = process.sharedMappings?.find(each => isSameMemory(each, { mapping }) && offset >= each.offset && offset - each.offset < each.end - each.start);
  return own && hexOf(own.start + offset - own.offset);
}

/** Records that a process has it mapped, and where debuggers can be asked how it is called: other traced processes that map it, or have a copy of the variable. */
export function noteMapped(scene: Pick<WaitScene, 'addHandle' | 'traced' | 'tracedCopies'>, process: ScannedProcess, place: FutexPlace): void {
  const copies = place.shared ? [] : scene.tracedCopies(process, BigInt(place.address)).map(({ pid, address }) => ({ pid, address: hexOf(address) }));
  scene.addHandle({ objectId: place.id, pid: process.pid, via: 'mapping', address: place.address, ...(copies.length > 0 ? { copies } : {}) });
  if (!place.shared) return;
  for (const other of scene.traced) if (other.pid !== process.pid && mapsPlace(other, place, process) === true) noteMapper(scene, other, place);
}

/** Records that another process than the waiter has it mapped. */
export function noteMapper(scene: Pick<WaitScene, 'addHandle'>, process: ScannedProcess, place: FutexPlace): void {
  const address = addressIn(process, place);
  scene.addHandle({ objectId: place.id, pid: process.pid, via: 'mapping', ...(address === undefined ? {} : { address }) });
}

const hexOf = (address: bigint): Hex => `0x${address.toString(16)}`;

/** Whether a mapping is one of the memory that a shared place lies in. System V segments count by IPC namespace, which the caller compares. */
export function isSameMemory(mapping: Mapping, { mapping: { device, inode, path } }: Pick<FutexPlace, 'mapping'>): boolean {
  return mapping.device === device && mapping.inode === inode && sysvPath.test(mapping.path) === sysvPath.test(path);
}

/** Who owns a mutex. `gone`: nobody who maps it has that TID. `unknown`: that could not be found out, with the gap. */
export type OwnerSearch = { readonly threads: readonly ThreadRef[]; readonly gaps: readonly string[] } | 'gone' | 'unknown';

/** Finds the live thread behind a TID that stands in a mutex. The TID is one of its owner's PID namespace. */
export function findOwner(scene: WaitScene, waiter: ScannedProcess, place: FutexPlace, ownerTid: number): OwnerSearch {
  if (!place.shared) {
    const own = scene.threads(waiter.pid).filter(thread => scene.ownTid(waiter, thread.tid) === ownerTid);
    if (own.length > 0) return { threads: own.map(thread => ({ pid: waiter.pid, tid: thread.tid })), gaps: [] };
    // Started since the threads were listed, or shares the memory without being a thread of it (CLONE_VM): not dead.
    return waiter.nsPids === undefined && exists(ownerTid) ? 'unknown' : 'gone';
  }
  const threads: ThreadRef[] = [];
  const hidden: ScannedProcess[] = [];
  for (const process of scene.byPid.values()) {
    const mapped = mapsPlace(process, place, waiter);
    if (mapped === undefined) hidden.push(process);
    if (mapped !== true) continue;
    for (const thread of scene.threads(process.pid)) if (scene.ownTid(process, thread.tid) === ownerTid) threads.push({ pid: process.pid, tid: thread.tid });
  }
  if (threads.length > 0) return { threads, gaps: [] };
  // Whoever hides its mappings may be the owner: by TID where all share a PID namespace.
  const suspects = hidden.filter(process => process.nsPids !== undefined || scene.threads(process.pid).some(thread => thread.tid === ownerTid));
  if (suspects.length > 0) {
    const gap = scene.context.gaps.add({ facility: 'mutex', objectId: place.id, field: 'owner' }, `the owner (TID ${ownerTid}) of mutex ${place.name} may belong to ${suspects.slice(0, 3).map(process => `${process.comm} (${process.pid})`).join(', ')}, whose mappings cannot be read`);
    return { threads: suspects.filter(process => process.nsPids === undefined).map(process => ({ pid: process.pid, tid: ownerTid })), gaps: [gap] };
  }
  const pid = exists(ownerTid) ? processOf(ownerTid) : undefined;
  return pid !== undefined && !scene.byPid.has(pid) ? 'unknown' : 'gone';
}

const exists = (tid: number): boolean => readText(`/proc/${tid}/stat`).value !== undefined;

/** The process of a thread: /proc/TID exists for every thread, although only processes are listed. */
function processOf(tid: number): number | undefined {
  const pid = /^Tgid:\s*(\d+)$/m.exec(readText(`/proc/${tid}/status`).value ?? '')?.[1];
  return pid === undefined ? undefined : Number(pid);
}
