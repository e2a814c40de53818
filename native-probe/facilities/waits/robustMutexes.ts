// Robust mutexes that a blocked thread holds: the only ones a thread keeps a list of, so that they can be named even while nobody
// waits for them.
import { heldRobustMutexes } from '../../kernel/robustList';
import { decodeHeldRobust } from '../../kernel/futexLayouts';
import { noteMapped, placeOf } from '../mutex';
import type { BlockedCall } from './reader';

/** Adds them with their owner. What does not look like a held mutex is left out: nothing rests on this list. */
export function noteHeldRobustMutexes({ scene, process, thread }: Pick<BlockedCall, 'scene' | 'process' | 'thread'>): void {
  const head = scene.robustListHead(process.pid, thread.tid);
  if (head === undefined || head === 0n) return;
  const memory = scene.memory(process.pid);
  for (const address of heldRobustMutexes(memory, head)) {
    const bytes = memory.read(address, 20).value;
    const mutex = bytes && decodeHeldRobust(bytes);
    const mapping = mutex && scene.mappingAt(process.pid, address);
    if (!mapping || mutex.owner !== scene.ownTid(process, thread.tid)) continue;
    const place = placeOf(scene, process, mapping, address);
    scene.addObject({ id: place.id, kind: 'mutex', name: place.name, persistence: 'memory', state: { address: place.address, ...mutex, robust: true, shared: place.shared } });
    noteMapped(scene, process, place);
    scene.addHandle({ objectId: place.id, pid: process.pid, tid: thread.tid, via: 'owner' });
  }
}
