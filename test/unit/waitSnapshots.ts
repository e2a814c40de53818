// Snapshots of threads that wait for each other, in few words: for tests of what is drawn of them.
import type { Clause, IpcObject, Process, Snapshot, Wait } from '../../native-probe/model';
import { aGap, aProcess, aSnapshot } from './snapshots';

export function aLock(number: number, name = `/tmp/lock-${number}`): IpcObject {
  return { id: `flock-lock:1:${number}`, kind: 'flock-lock', name, persistence: 'process', state: { path: name, ranges: [] } };
}

export function aMutex(number: number, owner: number): IpcObject {
  return { id: `futex:1:3+${number}`, kind: 'mutex', name: `in System V segment 7 at offset ${number}`, persistence: 'memory', state: { address: '0x10', type: 'normal', owner, robust: false, pi: false, shared: true } };
}

/** A clause that only these can satisfy. */
export function by(objectId: string, event: string, ...threads: readonly { readonly pid: number; readonly tid?: number }[]): Clause[] {
  return [{ alternatives: [{ objectId, event, threads }] }];
}

export function aWait(pid: number, operation: string, clauses: Wait['clauses'], more: Partial<Wait> = {}): Wait {
  return { pid, tid: pid, threadComm: `program-${pid}`, operation, verdict: 'waiting', evidence: [`${operation} was read`], clauses, ...more };
}

/** The demo: clerk and auditor wait for each other over two mutexes, the messenger waits for a file lock of the auditor's process. */
export function theDemo(more: { readonly names?: readonly [string, string, string]; readonly processes?: readonly Process[] } = {}): Snapshot {
  const [clerk, auditor, messenger] = more.names ?? ['clerk', 'auditor', 'messenger'];
  const ledger = aMutex(64, 200);
  const till = aMutex(0, 100);
  const lock = aLock(9, '/home/me/demo/ledger.lock');
  const idle = (pid: number, tid: number): Wait => aWait(pid, 'epoll_wait', [{ alternatives: [], external: 'the network' }], { tid, threadComm: 'node' });
  return aSnapshot({
    processes: [aProcess(100, { comm: clerk }), aProcess(200, { comm: auditor }), aProcess(300, { comm: messenger }), ...more.processes ?? []],
    objects: [ledger, till, lock],
    waits: [
      aWait(100, 'pthread_mutex_lock', by(ledger.id, 'unlock', { pid: 200, tid: 200 }), { objectId: ledger.id, verdict: 'deadlocked', threadComm: clerk }),
      aWait(200, 'pthread_mutex_lock', by(till.id, 'unlock', { pid: 100, tid: 100 }), { objectId: till.id, verdict: 'deadlocked', threadComm: auditor }),
      aWait(300, 'flock', by(lock.id, 'unlock', { pid: 200 }), { objectId: lock.id, threadComm: messenger }),
      ...[100, 200, 300].flatMap(pid => [1, 2, 3].map(n => idle(pid, pid + n))),
    ],
    findings: [{
      verdict: 'deadlocked', threads: [{ pid: 100, tid: 100 }, { pid: 200, tid: 200 }], gaps: [],
      chain: [{ pid: 100, tid: 100, objectId: ledger.id }, { pid: 200, tid: 200, objectId: till.id }],
      explanation: `${clerk} (100) waits for mutex in System V segment 7 at offset 64 held by ${auditor} (200). ${auditor} waits for mutex in System V segment 7 at offset 0 held by ${clerk}. None of them can go on.`,
    }],
  });
}

/** Everything that a graph can show: findings of all verdicts, somebody outside, something not seen, a crowd, a blocker. */
export function everything(): Snapshot {
  const demo = theDemo();
  const [one, two, semaphore, gone, crowded, pipe] = [aLock(11, '/srv/a.lock'), aLock(12, '/srv/b.lock'), { ...aMutex(256, 0), id: 'futex:9:9+0', kind: 'posix-unnamed-semaphore', name: 'work', state: { address: '0x20', value: 0, waiters: 2, shared: true } } as IpcObject, aMutex(512, 999), aLock(13, '/srv/queue.lock'), { id: 'pipe:4711', kind: 'pipe', persistence: 'process', state: { unread: '0', capacity: '65536' } } as IpcObject];
  const gap = aGap('gap:open', 'any process that maps the memory of semaphore work could post it', { facility: 'waits', objectId: semaphore.id }, 'nothing: semaphores have no owner');
  const crowd = Array.from({ length: 40 }, (_, n) => aWait(600 + n, 'flock', by(crowded.id, 'unlock', { pid: 500, tid: 500 }), { objectId: crowded.id, threadComm: 'worker' }));
  return {
    ...demo,
    processes: [...demo.processes, ...[310, 320, 330, 410, 420, 450, 500, 510, 520].map(pid => aProcess(pid, { comm: ({ 310: 'left', 320: 'right', 410: 'producer', 420: 'consumer', 450: 'heir', 500: 'backup', 510: 'tail', 520: 'debugged', 330: 'behind' } as Record<number, string>)[pid] })), ...crowd.map(({ pid }) => aProcess(pid, { comm: 'worker' }))],
    objects: [...demo.objects, one, two, semaphore, gone, crowded, pipe],
    waits: [
      ...demo.waits,
      aWait(310, 'flock', by(one.id, 'unlock', { pid: 320, tid: 320 }), { objectId: one.id, verdict: 'deadlocked-until-timeout', threadComm: 'left' }),
      aWait(320, 'flock', by(two.id, 'unlock', { pid: 310, tid: 310 }), { objectId: two.id, verdict: 'deadlocked-until-timeout', threadComm: 'right', timeout: '30 s' }),
      aWait(410, 'sem_wait', [{ alternatives: [{ objectId: semaphore.id, event: 'sem_post', threads: [{ pid: 420, tid: 420 }] }], gaps: [gap.id] }], { objectId: semaphore.id, verdict: 'suspected', threadComm: 'producer' }),
      aWait(420, 'waitpid', [{ alternatives: [{ event: 'exit', threads: [{ pid: 410, tid: 410 }] }] }], { verdict: 'suspected', threadComm: 'consumer' }),
      aWait(450, 'pthread_mutex_lock', [{ alternatives: [{ objectId: gone.id, event: 'unlock', threads: [] }] }], { objectId: gone.id, verdict: 'orphaned', threadComm: 'heir' }),
      aWait(500, 'write', [{ alternatives: [{ objectId: pipe.id, event: 'data read', threads: [{ pid: 510, tid: 510 }] }], external: 'the other end went to another machine' }], { objectId: pipe.id, threadComm: 'backup' }),
      aWait(330, 'pthread_mutex_lock', by('futex:1:77+0', 'unlock', { pid: 520, tid: 520 }), { objectId: 'futex:1:77+0', verdict: 'behind-stopped', threadComm: 'behind' }),
      aWait(520, 'read', [], { verdict: 'behind-stopped', threadComm: 'debugged', stopped: true }),
      ...crowd,
    ],
    findings: [
      ...demo.findings,
      { verdict: 'orphaned', threads: [{ pid: 450, tid: 450 }], chain: [{ pid: 450, tid: 450, objectId: gone.id }], gaps: [], explanation: 'heir (450) waits for a mutex whose owner, thread 999, is gone.' },
      { verdict: 'deadlocked-until-timeout', threads: [{ pid: 310, tid: 310 }, { pid: 320, tid: 320 }], chain: [{ pid: 310, tid: 310, objectId: one.id }, { pid: 320, tid: 320, objectId: two.id }], gaps: [], explanation: 'left (310) and right (320) wait for each other, right for no longer than 30 s.' },
      { verdict: 'behind-stopped', threads: [{ pid: 330, tid: 330 }], chain: [{ pid: 330, tid: 330, objectId: 'futex:1:77+0' }, { pid: 520, tid: 520 }], gaps: [], explanation: 'behind (330) waits for debugged (520), which is stopped.' },
      { verdict: 'suspected', threads: [{ pid: 410, tid: 410 }, { pid: 420, tid: 420 }], chain: [{ pid: 410, tid: 410, objectId: semaphore.id }, { pid: 420, tid: 420 }], gaps: [gap.id], explanation: 'producer (410) waits for semaphore work, which consumer (420) could post. consumer waits for the end of producer.' },
    ],
    gaps: [gap],
  };
}

/** So many threads in chains of ten, each of which waits for the next by a mutex. */
export function chains(threads: number): Snapshot {
  const objects = Array.from({ length: threads }, (_, n) => aMutex(n * 64 + 8, n + 1_001));
  const end = (n: number): boolean => n % 10 === 9;
  const waits = objects.flatMap((object, n) => n + 1 < threads && !end(n) ? [aWait(1_000 + n, 'pthread_mutex_lock', by(object.id, 'unlock', { pid: 1_001 + n, tid: 1_001 + n }), { objectId: object.id })] : []);
  return aSnapshot({ processes: objects.map((_, n) => aProcess(1_000 + n)), objects, waits });
}
