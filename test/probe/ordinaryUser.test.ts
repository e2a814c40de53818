// What an ordinary user sees of root's objects: all that can be listed, gaps for what is denied, and no wrong "stale".
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Snapshot, StaleJudgement } from '../../native-probe/model';
import { as, canBecomeOrdinary, fixture, hasCompiler, ipcProbe, ordinaryUser, probePath, Program, snapshotOf } from './harness';
import { skip } from '../skip';

describe('as an ordinary user on a machine with objects of root', function () {
  let program: Program;
  const name = `/ipc-inspector-roots-${process.pid}`;
  const ids: Record<string, string> = {};
  const ask = async (line: string): Promise<string> => { program.tell(line); return program.line(); };
  before(async function () {
    if (!hasCompiler() || !canBecomeOrdinary()) skip(this, 'needs a C compiler (cc), root, and a user to become');
    program = Program.start(fixture('ipc'));
    await program.line();
    Object.assign(ids, { shm: await ask('shmget 0 4096 600'), msg: await ask('msgget 0 600'), sem: await ask('semget 0 2 600'), mq: await ask(`mq_open ${name} 5 64`), shmFd: await ask(`shm_open ${name} 4096`), named: await ask(`sem_open ${name} 1`) });
  });
  after(async () => {
    if (ids['shm']) {
      for (const line of [`shmrm ${ids['shm']}`, `msgrm ${ids['msg']}`, `semrm ${ids['sem']}`, `mq_unlink ${name}`, `shm_unlink ${name}`, `sem_unlink ${name}`]) await ask(line);
    }
    await Program.stopAll();
  });

  it('lists every System V and /dev/shm object, with gaps for the values it may not read', () => {
    const snapshot = snapshotOf([], { user: ordinaryUser });
    const find = (suffix: string): Snapshot['objects'][number] => snapshot.objects.find(({ id }) => id.endsWith(suffix)) ?? assert.fail(suffix);
    const ns = snapshot.host.ipcNamespace;
    assert.equal(snapshot.host.uid, ordinaryUser);
    const segment = find(`sysv-shared-memory:${ns}:${ids['shm']}`), queue = find(`sysv-message-queue:${ns}:${ids['msg']}`), set = find(`sysv-semaphore-set:${ns}:${ids['sem']}`);
    assert.ok(segment.kind === 'sysv-shared-memory' && segment.state.segsz === '4096');
    assert.ok(queue.kind === 'sysv-message-queue' && queue.state.qbytes !== null, 'MSG_STAT_ANY needs no read permission');
    assert.ok(set.kind === 'sysv-semaphore-set' && set.state.sems === null, 'values unknown, not empty');
    assert.ok(snapshot.gaps.some(({ scope, errno }) => scope.objectId === set.id && scope.field === 'sems' && errno === 'EACCES'));
    const shm = snapshot.objects.find(object => object.kind === 'posix-shared-memory' && object.name === name);
    assert.equal(shm?.kind === 'posix-shared-memory' && shm.state.size, '4096');
    const semaphore = snapshot.objects.find(object => object.kind === 'posix-semaphore' && object.name === name);
    assert.ok(semaphore?.kind === 'posix-semaphore' && semaphore.state.value === null);
    assert.ok(snapshot.gaps.some(({ scope }) => scope.objectId === semaphore.id && scope.field === 'value'));
  });

  it('says that message queues cannot be listed where no mqueue file system can be had, and which processes it could not read', () => {
    const snapshot = snapshotOf([], { user: ordinaryUser });
    const mounted = / - mqueue /.test(readFileSync('/proc/self/mountinfo', 'utf8'));
    assert.equal(snapshot.gaps.some(({ scope }) => scope.facility === 'posix-message-queue' && scope.field === 'list'), !mounted);
    const gap = snapshot.gaps.find(({ scope }) => scope.pid === program.pid && scope.facility === 'processes');
    assert.equal(gap?.errno, 'EACCES');
    assert.match(gap.remedy ?? '', /as root/);
    assert.match(gap.reason, new RegExp(`pid ${program.pid} \\(ipc`));
  });

  it('calls nothing stale that a process of root may have open', () => {
    const { stale, objects } = JSON.parse(ipcProbe(['stale', '--json'], { user: ordinaryUser }).stdout) as Snapshot & { stale: StaleJudgement[] };
    const verdicts = new Map(stale.map(({ objectId, verdict }) => [objectId, verdict]));
    for (const object of objects.filter(({ name: its, id }) => its === name || id.endsWith(`:${ids['shm']}`) || id.endsWith(`:${ids['sem']}`))) {
      assert.notEqual(verdicts.get(object.id), 'stale', object.id);
    }
    const shm = objects.find(object => object.kind === 'posix-shared-memory' && object.name === name);
    const judged = stale.find(({ objectId }) => objectId === shm?.id);
    assert.equal(judged?.verdict, 'possibly-stale');
    assert.match(judged.evidence.join('\n'), /could not be read: pid/);
  });

  /** `stale` with a /proc of its own mount options. */
  function staleBehind(options: string): Snapshot & { stale: StaleJudgement[] } {
    const [command, words] = as(ordinaryUser, process.execPath, [probePath(), 'stale', '--json']);
    const { status, stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', `mount -t proc -o ${options} proc /proc && exec "$0" "$@"`, command, ...words], { encoding: 'utf8', maxBuffer: 1 << 30 });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout) as Snapshot & { stale: StaleJudgement[] };
  }
  for (const [options, hides] of [['hidepid=2', true], ['hidepid=1', false]] as const) {
    it(`with ${options} it says that others ${hides ? 'are invisible' : 'may not be read'}, and nothing of theirs is stale or absent`, () => {
      const { gaps, processes, objects, stale } = staleBehind(options);
      assert.equal(processes.some(({ pid }) => pid === program.pid), false);
      assert.equal(gaps.some(({ scope }) => scope.facility === 'processes' && scope.field === 'hidepid'), hides);
      assert.equal(gaps.some(({ scope, errno }) => scope.pid === program.pid && errno === 'EPERM'), !hides);
      const segment = objects.find(object => object.kind === 'posix-shared-memory' && object.name === name) ?? assert.fail('no segment');
      const its = stale.find(({ objectId }) => objectId === segment.id);
      assert.equal(its?.verdict, 'possibly-stale');
      assert.match(its.evidence.join('\n'), hides ? /invisible/ : /could not be read at all/);
      assert.deepEqual(stale.filter(({ verdict, objectId }) => verdict === 'stale' && objectId.startsWith('posix')), []);
    });
  }
});
