// Who can get at a piece of memory: the only ones who can act on a semaphore, condition variable, barrier or read-write lock
// that lies in it and has no owner. Either that is a closed circle, or a gap says who else might come.
import type { IpcKind, ThreadRef } from '../../model';
import type { Mapping } from '../../kernel/procfs';
import { isGone, numericEntries, parseSharedMaps, parseStat, readBytes, readText } from '../../kernel/procfs';
import { compareAddressSpaces } from '../../kernel/addressSpaces';
import type { ScannedProcess } from '../../processes';
import type { FutexPlace } from '../mutex';
import { isSameMemory, mapsPlace, sysvPath } from '../mutex';
import { AddressSpaces } from './addressSpaceIndex';
import type { WaitScene } from './scene';

/** Everybody who maps a place. `gaps`: where it is not known, or cannot be known, that these are all. */
export interface Mappers { readonly threads: readonly ThreadRef[]; readonly gaps: readonly string[] }

/** What is read anew in each pass: whoever was forked after the processes were scanned must not be missed. */
interface Fresh { pids?: readonly number[]; spaces?: AddressSpaces; readonly shared: Map<number, readonly Mapping[] | string>; readonly known: Map<string, Mappers> }
const fresh = new WeakMap<WaitScene, Fresh>();

function freshOf(scene: WaitScene): Fresh {
  const known = fresh.get(scene) ?? { shared: new Map<number, readonly Mapping[] | string>(), known: new Map<string, Mappers>() };
  fresh.set(scene, known);
  return known;
}

/** `what`: the kind of object, for the gaps. */
export function whoMaps(scene: WaitScene, process: ScannedProcess, place: FutexPlace, what: IpcKind): Mappers {
  if (!place.shared) return sharersOfAddressSpace(scene, process, what);
  const cache = freshOf(scene).known;
  const known = cache.get(place.id) ?? mappersOfShared(scene, process, place, what);
  cache.set(place.id, known);
  return known;
}

/** Private memory belongs to the threads of one process, and to processes that were made to share all of its memory. */
function sharersOfAddressSpace(scene: WaitScene, process: ScannedProcess, what: IpcKind): Mappers {
  const its = freshOf(scene);
  its.spaces ??= new AddressSpaces(pidsNow(its), pid => readBytes(`/proc/${pid}/cmdline`).value, compareAddressSpaces);
  const { sharers, denied } = its.spaces.sharersOf(process.pid);
  const gaps = denied.length === 0 ? [] : [scene.context.gaps.add({ pid: process.pid, facility: what, field: 'address-space' }, `${denied.slice(0, 3).map(pid => nameOf(scene, pid)).join(', ')} may share the memory of pid ${process.pid} (${process.comm}): comparing them is denied`)];
  return { threads: [{ pid: process.pid }, ...sharers.map(pid => ({ pid }))], gaps };
}

function mappersOfShared(scene: WaitScene, waiter: ScannedProcess, place: FutexPlace, what: IpcKind): Mappers {
  const openTo = openness(scene, place);
  if (openTo !== undefined) {
    const threads = [...scene.byPid.values()].filter(process => mapsPlace(process, place, waiter) === true).map(({ pid }) => ({ pid }));
    return { threads, gaps: [scene.context.gaps.add({ facility: what, objectId: place.id, field: 'users' }, openTo)] };
  }
  // Inherited by fork alone: those who map it now are all there are.
  const its = freshOf(scene);
  const pids: number[] = [];
  const hidden: number[] = [];
  for (const pid of pidsNow(its)) {
    const mappings = sharedMappingsNow(its, pid);
    if (typeof mappings === 'string') { if (!isGone(mappings)) hidden.push(pid); }
    else if (mappings.some(mapping => isSameMemory(mapping, place))) pids.push(pid);
  }
  if (!pids.includes(waiter.pid)) pids.push(waiter.pid);
  const suspects = hidden.filter(pid => mayBeKin(scene, pid, pids));
  const gaps = suspects.length === 0 ? [] : [scene.context.gaps.add({ facility: what, objectId: place.id, field: 'mappings' }, `${suspects.slice(0, 3).map(pid => nameOf(scene, pid)).join(', ')} may map the memory ${place.name} lies in: its mappings cannot be read`)];
  return { threads: pids.map(pid => ({ pid })), gaps };
}

/** Why others than those who map shared memory now may come to map it; undefined: nobody can but by fork. */
function openness(scene: WaitScene, { mapping, name }: FutexPlace): string | undefined {
  // Linux's internal tmpfs has device 00:01; a file that is really called /dev/zero lies elsewhere.
  if (mapping.path === '/dev/zero (deleted)' && mapping.device === 1) return undefined;
  if (sysvPath.test(mapping.path)) return `whoever has rights on System V segment ${mapping.inode} can attach it and act there`;
  const identity = `:${mapping.device}:${mapping.inode}`;
  const object = scene.found.objects.find(each => each.id === `posix-semaphore${identity}` || each.id === `posix-shared-memory${identity}`);
  if (object?.kind !== 'posix-semaphore' && object?.kind !== 'posix-shared-memory') return `whoever may open the file, or is passed a descriptor of it, can act on what lies ${name}`;
  // Without an owner it was described by its mapping alone: the name may live on in another mount namespace.
  if (object.state.unlinked !== true || object.owner === null) return `whoever may open ${object.name ?? 'it'} by name can act on it`;
  if (scene.found.handles.some(handle => handle.objectId === object.id && handle.via === 'descriptor')) return `whoever is passed a descriptor of ${object.name ?? 'it'} can map it`;
  return scene.found.objects.some(each => each.kind === 'unix-socket' && (each.state.descriptorsInFlight ?? 0) > 0) ? `a descriptor of ${object.name ?? 'it'} may be on its way through a UNIX socket` : undefined;
}

/**
 * Whether a process that hides its mappings may have inherited memory from one of these: memory of this kind is lost by execve,
 * so that it runs the same program, under the same name or with the same arguments, or is a child.
 */
function mayBeKin(scene: WaitScene, pid: number, mappers: readonly number[]): boolean {
  const stat = parseStat(readText(`/proc/${pid}/stat`).value ?? '');
  if (!stat || scene.byPid.get(pid)?.kernelThread === true || stat.state === 'Z') return false;
  if (mappers.includes(stat.ppid)) return true;
  const cmdline = readText(`/proc/${pid}/cmdline`).value;
  return mappers.some(mapper => {
    const comm = scene.byPid.get(mapper)?.comm ?? parseStat(readText(`/proc/${mapper}/stat`).value ?? '')?.comm;
    return comm === stat.comm || (cmdline !== undefined && cmdline !== '' && cmdline === readText(`/proc/${mapper}/cmdline`).value);
  });
}

function pidsNow(its: Fresh): readonly number[] {
  its.pids ??= numericEntries('/proc').value ?? [];
  return its.pids;
}

/** The shared mappings of a process as they are now, or the errno. */
function sharedMappingsNow(its: Fresh, pid: number): readonly Mapping[] | string {
  const known = its.shared.get(pid);
  if (known !== undefined) return known;
  const text = readText(`/proc/${pid}/maps`);
  const mappings = text.value === undefined ? text.errno : parseSharedMaps(text.value);
  its.shared.set(pid, mappings);
  return mappings;
}

const nameOf = (scene: WaitScene, pid: number): string => `${scene.byPid.get(pid)?.comm ?? 'a process'} (${pid})`;

/** How often a futex word is waited on just now: by the threads of everybody who maps it. */
export function observedWaiters(scene: WaitScene, process: ScannedProcess, place: FutexPlace, word: bigint): number {
  const inProcess = (pid: number, address: bigint): number => scene.futexWaiters(pid).get(address) ?? 0;
  if (!place.shared) return inProcess(process.pid, word);
  const offset = word - place.mapping.start + place.mapping.offset;
  let waiters = 0;
  for (const each of scene.byPid.values()) {
    if (mapsPlace(each, place, process) !== true) continue;
    for (const mapping of each.sharedMappings ?? []) {
      const address = mapping.start + offset - mapping.offset;
      if (isSameMemory(mapping, place) && address >= mapping.start && address < mapping.end) waiters += inProcess(each.pid, address);
    }
  }
  return waiters;
}
