// Who can get at a piece of memory: the only ones who can act on a semaphore, condition variable, barrier or read-write lock
// that lies in it and has no owner. Either that is a closed circle, or a gap says who else might come.
import type { IpcKind, ThreadRef } from '../../model';
import { compareAddressSpaces } from '../../kernel/addressSpaces';
import type { ScannedProcess } from '../../processes';
import type { FutexPlace } from '../mutex';
import { isSameMemory, mapsPlace, sysvPath } from '../mutex';
import { AddressSpaces } from './addressSpaceIndex';
import type { WaitScene } from './scene';

/** Everybody who maps a place. `gaps`: where it is not known, or cannot be known, that these are all. */
export interface Mappers { readonly threads: readonly ThreadRef[]; readonly gaps: readonly string[] }

/** Asked for once a pass. Each look has processes of its own: whoever was forked since the first is among those of the second. */
interface Known { spaces?: AddressSpaces; readonly shared: Map<string, Mappers> }
const known = new WeakMap<WaitScene, Known>();

function knownOf(scene: WaitScene): Known {
  const its = known.get(scene) ?? { shared: new Map<string, Mappers>() };
  known.set(scene, its);
  return its;
}

/** `what`: the kind of object, for the gaps. */
export function whoMaps(scene: WaitScene, process: ScannedProcess, place: FutexPlace, what: IpcKind): Mappers {
  if (!place.shared) return sharersOfAddressSpace(scene, process, what);
  const { shared } = knownOf(scene);
  const mappers = shared.get(place.id) ?? mappersOfShared(scene, process, place, what);
  shared.set(place.id, mappers);
  return mappers;
}

/** Private memory belongs to the threads of one process, and to processes that were made to share all of its memory. */
function sharersOfAddressSpace(scene: WaitScene, process: ScannedProcess, what: IpcKind): Mappers {
  const its = knownOf(scene);
  its.spaces ??= new AddressSpaces(scene.context.processes.filter(each => !each.kernelThread), compareAddressSpaces);
  const { sharers, denied } = its.spaces.sharersOf(process.pid);
  const gaps = denied.length === 0 ? [] : [scene.context.gaps.add({ pid: process.pid, facility: what, field: 'address-space' }, `${denied.slice(0, 3).map(pid => nameOf(scene, pid)).join(', ')} may share the memory of pid ${process.pid} (${process.comm}): comparing them is denied`)];
  return { threads: [{ pid: process.pid }, ...sharers.map(pid => ({ pid }))], gaps };
}

function mappersOfShared(scene: WaitScene, waiter: ScannedProcess, place: FutexPlace, what: IpcKind): Mappers {
  const pids: number[] = [];
  const hidden: ScannedProcess[] = [];
  for (const process of scene.byPid.values()) {
    const mapped = mapsPlace(process, place, waiter);
    if (mapped === true) pids.push(process.pid);
    else if (mapped === undefined) hidden.push(process);
  }
  const threads = pids.map(pid => ({ pid }));
  const openTo = openness(scene, place);
  if (openTo !== undefined) return { threads, gaps: [scene.context.gaps.add({ facility: what, objectId: place.id, field: 'users' }, openTo)] };
  // Inherited by fork alone: those who map it now are all there are.
  const suspects = hidden.filter(process => mayBeKin(scene, process, pids));
  const gaps = suspects.length === 0 ? [] : [scene.context.gaps.add({ facility: what, objectId: place.id, field: 'mappings' }, `${suspects.slice(0, 3).map(({ comm, pid }) => `${comm} (${pid})`).join(', ')} may map the memory that holds what lies ${place.name}: its mappings cannot be read`)];
  return { threads, gaps };
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
function mayBeKin(scene: WaitScene, process: ScannedProcess, mappers: readonly number[]): boolean {
  if (mappers.includes(process.ppid)) return true;
  const sameArguments = (a: readonly string[] | null, b: readonly string[] | null): boolean => a !== null && b !== null && a.length > 0 && a.join('\0') === b.join('\0');
  return mappers.some(pid => {
    const mapper = scene.byPid.get(pid);
    return mapper !== undefined && (mapper.comm === process.comm || sameArguments(mapper.cmdline, process.cmdline));
  });
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
