// Waits of glibc for what a certain thread does: pthread_join, the lock of a FILE, pthread_once, and C++'s initialisation of
// static variables.
import { decodeFileLock, isOnce, isStaticGuard } from '../../kernel/glibcSync';
import { futexCommand, FUTEX_PRIVATE_FLAG, FUTEX_WAIT, FUTEX_WAIT_BITSET } from '../../kernel/futexLayouts';
import type { Thread } from '../../kernel/threads';
import type { FutexWait } from './futexWait';
import { anyMapper, holdings, isGlibcCall, isLibraryCall, seenTwice, timedName } from './futexWait';
import type { WaitReading } from './reader';

/** From a thread's list head back to its TID, the word that the kernel clears and wakes when it ends (struct pthread, nptl/descr.h). */
const headToTid = 16n;

/** pthread_join: a wait for the TID in another thread's descriptor to be cleared, which only its end does. */
export function readJoin(wait: FutexWait): WaitReading | undefined {
  const { blocked: { scene, process, thread }, place, call: { operation, value, timed }, address, evidence, timeout } = wait;
  const command = futexCommand(operation);
  // Always by the shared operation, because the kernel wakes so; until 2.30 without a bit set.
  if ((operation & FUTEX_PRIVATE_FLAG) !== 0 || (command !== FUTEX_WAIT_BITSET && (command !== FUTEX_WAIT || timed)) || place.shared) return undefined;
  const target = scene.threads(process.pid).find(each => each.tid !== thread.tid && scene.ownTid(process, each.tid) === value);
  if (!target || scene.robustListHead(process.pid, target.tid) !== address + headToTid || !isLibraryCall(wait)) return undefined;
  evidence.push(`the word is the TID in the descriptor of thread ${target.tid} (${target.comm}), which is cleared when it ends`);
  return {
    operation: timedName(wait, ['pthread_join', 'pthread_timedjoin_np', 'pthread_clockjoin_np']), ...timeout, evidence,
    clauses: [{ alternatives: [{ event: 'exit', threads: [{ pid: process.pid, tid: target.tid }] }] }],
  };
}

/** flockfile, and every function that takes a FILE: the lock names its owner by the address of a thread's descriptor. */
export function readFileLock(wait: FutexWait): WaitReading | undefined {
  const { blocked: { scene, process }, place, evidence, timeout } = wait;
  const descriptor = seenTwice(wait, () => decodeFileLock(wait.around, wait.call));
  if (descriptor === undefined || place.shared || !isLibraryCall(wait)) return undefined;
  const owner = threadOfDescriptor(wait, descriptor);
  if (!owner) return undefined;
  evidence.push(`the bytes there are those of a locked FILE of glibc, owned by thread ${owner.tid} (${owner.comm})`);
  scene.addObject({ id: place.id, kind: 'futex', name: `${place.name} (lock of a FILE)`, persistence: 'memory', state: { address: place.address } });
  const clause = { alternatives: [{ objectId: place.id, event: 'unlock', threads: [{ pid: process.pid, tid: owner.tid }] }] };
  holdings(wait, place, clause);
  return { operation: 'flockfile', objectId: place.id, ...timeout, evidence, clauses: [clause] };
}

/** sizeof(struct pthread) was never more. */
const mostDescriptor = 4096n;

/** The live thread whose descriptor lies at an address: its list head lies in it, behind its TID, and on x86_64 it begins with its own address. */
function threadOfDescriptor({ blocked: { scene, process } }: FutexWait, descriptor: bigint): Thread | undefined {
  const memory = scene.memory(process.pid);
  if (scene.context.host.architecture === 'x64' && memory.read(descriptor, 8).value?.readBigUInt64LE(0) !== descriptor) return undefined;
  return scene.threads(process.pid).find(thread => {
    const head = scene.robustListHead(process.pid, thread.tid);
    if (head === undefined || head <= descriptor || head - descriptor >= mostDescriptor) return false;
    return memory.read(head - headToTid, 4).value?.readInt32LE(0) === scene.ownTid(process, thread.tid);
  });
}

/** pthread_once, call_once: some thread performs the routine; which one is written nowhere. */
export function readOnce(wait: FutexWait): WaitReading | undefined {
  const { blocked: { scene, process }, place, mapping, evidence } = wait;
  if (!isOnce(wait.call) || place.shared || !isGlibcCall(wait) || !isLibraryCall(wait)) return undefined;
  // Four bytes prove little: besides the call it must lie where static variables do, in a file's data or the zeroes that follow.
  const isStatic = mapping.path.startsWith('/') || (mapping.path === '' && scene.mappingAt(process.pid, mapping.start - 1n)?.path.startsWith('/') === true);
  if (!isStatic) return undefined;
  evidence.push('the word is that of a pthread_once_t whose routine is being performed');
  scene.addObject({ id: place.id, kind: 'futex', name: `${place.name} (pthread_once)`, persistence: 'memory', state: { address: place.address } });
  return { operation: 'pthread_once', objectId: place.id, evidence, clauses: [anyMapper(wait, place, 'futex', 'return of the routine')] };
}

/** A static variable of C++ that another thread initialises; libstdc++ calls syscall(2), whose return address lies on top of the stack. */
export function readStaticGuard(wait: FutexWait): WaitReading | undefined {
  const { blocked: { scene, process, call }, place, evidence } = wait;
  if (!isStaticGuard(wait.call) || place.shared || scene.context.host.architecture !== 'x64') return undefined;
  const stackPointer = BigInt(call.text.split(' ').at(-2) ?? '0');
  const caller = scene.memory(process.pid).read(stackPointer, 8, stackPointer).value?.readBigUInt64LE(0);
  const path = caller === undefined ? undefined : scene.mappingAt(process.pid, caller)?.path;
  if (path === undefined || !/\/libstdc\+\+\.so[^/]*$/.test(path)) return undefined;
  evidence.push('the word is the guard of a static C++ variable that another thread initialises');
  scene.addObject({ id: place.id, kind: 'futex', name: `${place.name} (guard of a static variable)`, persistence: 'memory', state: { address: place.address } });
  return { operation: '__cxa_guard_acquire', objectId: place.id, evidence, clauses: [anyMapper(wait, place, 'futex', 'end of the initialisation')] };
}
