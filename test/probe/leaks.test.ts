// `ipc-probe leaks -- COMMAND` on real programs: what they leave behind is found and named, what they do not is not, and the command
// does not notice that it is watched.
import { strict as assert } from 'node:assert';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { IpcObject, Snapshot } from '../../native-probe/model';
import type { Leak } from '../../native-probe/analysis/leaks';
import { as, canBecomeOrdinary, fixture, hasCompiler, ipcProbe, isRoot, ordinaryUser, probePath, Program, scratchDirectory, snapshotOf } from './harness';
import { skip } from '../skip';

interface Report extends Snapshot { leaks: Leak[]; run: { status: number; signal?: string; stillRunning: number[]; processes: { pid: number }[] }; means: { what: string; used: boolean; detail: string }[] }
interface Run { status: number | null; report: Report; stdout: string; stderr: string }

describe('ipc-probe leaks', function () {
  let program: string, serial = 0;
  const name = (): string => `/ipc-inspector-leaks-${process.pid}-${serial++}`;
  const own = join(scratchDirectory(), `leaks-${process.pid}`);
  before(function () {
    if (!hasCompiler()) skip(this, 'needs a C compiler (cc)');
    program = fixture('leaks');
    mkdirSync(own);
    chmodSync(own, 0o777);
  });

  /** Runs the fixture under the verb; whatever it reports is removed afterwards. */
  function leaksOf(words: readonly string[], { user, options = [], input }: { user?: number; options?: readonly string[]; input?: string } = {}): Run {
    const file = join(own, `report-${serial++}`);
    const { status, stdout, stderr } = ipcProbe(['leaks', '--json', '--output', file, ...options, '--', program, ...words], { ...(user === undefined ? {} : { user }), ...(input === undefined ? {} : { input }) });
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
    for (const { objectId } of report.leaks) remove(report.objects.find(({ id }) => id === objectId), report);
    return { status, report, stdout, stderr };
  }
  /** Only what the test's own program left: others may use the machine meanwhile. */
  function remove(object: IpcObject | undefined, { leaks }: Report): void {
    const leak = leaks.find(({ objectId }) => objectId === object?.id);
    if (!object || leak?.certainty !== 'certain' || leak.what === 'grew') return;
    const number = object.id.split(':').at(-1) ?? '';
    switch (object.kind) {
      case 'sysv-shared-memory': execFileSync('ipcrm', ['-m', number]); break;
      case 'sysv-message-queue': execFileSync('ipcrm', ['-q', number]); break;
      case 'sysv-semaphore-set': execFileSync('ipcrm', ['-s', number]); break;
      case 'posix-shared-memory': if (object.name?.startsWith('/ipc-inspector-leaks-')) rmSync(join('/dev/shm', object.name)); break;
      case 'posix-semaphore': if (object.name?.startsWith('/ipc-inspector-leaks-')) rmSync(`/dev/shm/sem.${object.name.slice(1)}`); break;
      case 'posix-message-queue': unlinkQueue(object.name ?? ''); break;
      default: if (object.name?.startsWith(own)) rmSync(object.name);
    }
  }
  function unlinkQueue(queue: string): void {
    const { stdout } = spawnSync(fixture('ipc'), [], { input: `mq_unlink ${queue}\n`, encoding: 'utf8' });
    assert.doesNotMatch(stdout, /error/);
  }
  const certain = ({ report }: Run): string[] => report.leaks.filter(({ certainty }) => certainty === 'certain').map(({ objectId }) => report.objects.find(({ id }) => id === objectId)?.kind ?? '').sort();

  it('names what each facility keeps after its maker, with the evidence, and exits with 4', () => {
    const [shm, sem, mq] = [name(), name(), name()];
    const run = leaksOf(['shmget', 'msgsnd-new', 'semget', 'shm_open', shm, 'sem_open', sem, 'mq_open', mq, ...isRoot ? [] : ['nap', '300']]);
    assert.equal(run.status, 4);
    assert.deepEqual(certain(run), ['posix-message-queue', 'posix-semaphore', 'posix-shared-memory', 'sysv-message-queue', 'sysv-semaphore-set', 'sysv-shared-memory']);
    assert.deepEqual(run.report.leaks.filter(({ certainty }) => certainty === 'certain').flatMap(({ objectId }) => run.report.objects.find(({ id }) => id === objectId)?.name ?? []).filter(its => its.startsWith('/')).sort(), [shm, sem, mq].sort());
    for (const { evidence } of run.report.leaks.filter(({ certainty }) => certainty === 'certain')) assert.match(evidence[0] ?? '', /^pid \d+ .*of the run /);
  });

  it('ends as a clean command does, whatever that is, and says how it knows that nothing was left', () => {
    const file = join(own, 'clean');
    for (const [words, expected] of [[['shmget-removed'], 0], [['exit', '7'], 7], [['keep-attached', 'exit', '1'], 1], [['kill', '15'], 143]] as const) {
      const { status, stdout, stderr } = ipcProbe(['leaks', '--certain', '--output', file, '--', program, ...words]);
      assert.deepEqual([status, stdout, stderr], [expected, '', ''], words.join(' '));
    }
    assert.match(readFileSync(file, 'utf8'), /left no IPC object behind \(known by creator pids, .*samples\)|possible: /);
  });

  it('misses neither a grandchild whose parents are gone nor children that live for a millisecond', function () {
    const shm = name();
    const run = leaksOf(['in-grandchild', 'shmget', 'shm_open', shm]);
    if (run.report.means.find(({ what }) => what === 'process-events')?.used !== true) skip(this, 'process events are not permitted here');
    assert.equal(run.status, 4);
    assert.ok(certain(run).includes('sysv-shared-memory'), JSON.stringify(run.report.leaks));
    const brood = leaksOf(['brood', '50']);
    assert.equal(certain(brood).filter(kind => kind === 'sysv-shared-memory').length, 50);
    if (isRoot) assert.ok(certain(run).includes('posix-shared-memory'));
    else rmSync(join('/dev/shm', shm), { force: true });
  });

  it('finds as an ordinary user what the kernel names the maker of, and says what it could not watch', function () {
    if (!canBecomeOrdinary()) skip(this, 'needs root, and a user to become');
    const shm = name();
    const run = leaksOf(['shmget', 'shm_open', shm, 'nap', '500'], { user: ordinaryUser });
    rmSync(join('/dev/shm', shm), { force: true });
    assert.equal(run.status, 4);
    assert.deepEqual(certain(run).filter(kind => kind === 'sysv-shared-memory').length, 1);
    const leaked = run.report.leaks.find(({ objectId }) => run.report.objects.find(({ id }) => id === objectId)?.name === shm);
    assert.equal(leaked?.certainty, 'certain', JSON.stringify(run.report.leaks));
    assert.match(leaked.evidence.join('\n'), /had it open/);
    assert.ok(run.report.means.some(({ detail }) => /not their maker|not available/.test(detail)));
  });

  it('names queues and FIFOs and sockets: filled and left, and names that nobody is behind', () => {
    const queue = name(), [fifo, socket] = [join(own, 'fifo'), join(own, 'socket')];
    const keeper = leaksOf(['mq_open', queue, 'exit', '0'], { options: ['--wait', '0'] });
    // The first run leaves it, its test removes it: made again for the second.
    assert.ok(keeper.status === 4);
    execFileSync(program, ['mq_open', queue]);
    try {
      const run = leaksOf(['mq_fill', queue, 'fifo', fifo, 'bind', socket]);
      const grew = run.report.leaks.find(({ what }) => what === 'grew');
      assert.equal(run.report.objects.find(({ id }) => id === grew?.objectId)?.name, queue);
      assert.match(grew?.evidence.join('\n') ?? '', /messages: 0 before, 4 now: it is full/);
      assert.deepEqual(certain(run).filter(kind => kind === 'fifo' || kind === 'unix-socket'), ['fifo', 'unix-socket']);
    } finally {
      spawnSync(fixture('ipc'), [], { input: `mq_unlink ${queue}\n` });
      for (const file of [fifo, socket]) rmSync(file, { force: true });
    }
  });

  it('calls a System V queue fuller that it filled, and nothing that a living process of it still has', async () => {
    const ipc = Program.start(fixture('ipc'));
    await ipc.line();
    ipc.tell('msgget 0 600');
    const queue = await ipc.line();
    try {
      const run = leaksOf(['msgsnd', queue, 'msgsnd', queue]);
      const [grew] = run.report.leaks.filter(({ what }) => what === 'grew');
      assert.ok(grew?.objectId.endsWith(`:${queue}`), JSON.stringify(run.report.leaks));
      assert.match(grew?.evidence.join('\n') ?? '', /messages: 0 before, 2 now/);
    } finally {
      execFileSync('ipcrm', ['-q', queue]);
      await ipc.stop();
    }
  });

  it('waits for what the command leaves running, and then says that it runs', () => {
    const begin = Date.now();
    const run = leaksOf(['daemon', '600000'], { options: ['--wait', '0.2'] });
    for (const pid of run.report.run.stillRunning) process.kill(pid, 'SIGKILL');
    assert.equal(run.report.run.stillRunning.length, 1);
    assert.ok(Date.now() - begin < 60_000);
    const patient = leaksOf(['daemon', '300'], { options: ['--wait', '20'] });
    assert.deepEqual(patient.report.run.stillRunning, []);
  });

  it('leaves input, output and errors to the command, byte by byte', () => {
    const { stdout, stderr, status } = leaksOf(['echo', 'exit', '3'], { input: 'one\ntwo\n' });
    assert.deepEqual([stdout, stderr, status], ['one\ntwo\n', 'to standard error\n', 3]);
    const plain = ipcProbe(['leaks', '--json', '--', program, 'exit', '5']);
    assert.equal((JSON.parse(plain.stdout) as Report).run.status, 5);
  });

  it('reports for people on standard error, with the command that removes it', () => {
    const { status, stdout, stderr } = ipcProbe(['leaks', '--', program, 'shmget']);
    const id = /sysv-shared-memory:\d+:(\d+)/.exec(stderr);
    try {
      assert.equal(status, 4);
      assert.equal(stdout, '');
      assert.match(stderr, /^ipc-probe: .*leaks \(exit status 0\) left \d+ IPC objects? behind:\ncertain: System V shared memory segment/);
      assert.match(stderr, new RegExp(`ipc-probe remove .*${id?.[0] ?? 'none'}`));
    } finally {
      if (id?.[1]) execFileSync('ipcrm', ['-m', id[1]]);
    }
  });

  it('passes signals on once, whether they came to the probe alone or to its whole process group', async () => {
    for (const [signal, number] of [['SIGINT', 2], ['SIGTERM', 15], ['SIGQUIT', 3]] as const) {
      for (const toGroup of [false, true]) {
        const probe = spawn(process.execPath, [probePath(), 'leaks', '--output', '/dev/null', '--', program, 'count', String(number), 'exit', '9'], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
        const ended = once(probe, 'exit');
        let said = '';
        const ready = new Promise<void>(next => { probe.stdout.on('data', (bytes: Buffer) => { said += bytes.toString(); if (said.includes('ready')) next(); }); });
        await Promise.race([ready, ended.then(() => assert.fail(`ended: ${said}`))]);
        assert.ok(probe.pid !== undefined);
        process.kill(toGroup ? -probe.pid : probe.pid, signal);
        const [status] = await ended as [number];
        assert.deepEqual([said, status], ['ready\n1\n', 9], `${signal} to ${toGroup ? 'the group' : 'the probe'}`);
      }
    }
  });

  it('says of a command that does not exist, or cannot be run, what a shell would', () => {
    for (const [command, expected, words] of [
      ['/no/such/command', 127, /there is no such command/], ['', 127, /cannot run '': there is no such command/], ['/etc/passwd/x', 127, /there is no such command/],
      ['/etc/passwd', 126, /not executable/], ['x'.repeat(5000), 126, /ENAMETOOLONG/],
    ] as const) {
      const { status, stderr, stdout } = ipcProbe(['leaks', '--', command]);
      assert.deepEqual([status, stdout], [expected, '']);
      assert.match(stderr, words);
    }
    const { status, stderr } = ipcProbe(['leaks']);
    assert.equal(status, 2);
    assert.match(stderr, /missing required argument 'command'/);
  });

  it('finds what Python leaves, and not what its resource tracker cleans up behind it', function () {
    const python = ['/usr/bin/python3', 'python3'].find(it => spawnSync(it, ['-c', 'import multiprocessing.shared_memory']).status === 0);
    if (python === undefined) skip(this, 'needs Python with multiprocessing.shared_memory');
    const [file, shm] = [join(own, 'python'), name().slice(1)];
    const make = `from multiprocessing import shared_memory, resource_tracker\ns = shared_memory.SharedMemory("${shm}", create=True, size=64)\n`;
    const leaky = ipcProbe(['leaks', '--json', '--output', file, '--', python, '-c', `${make}resource_tracker.unregister(s._name, "shared_memory")\nimport time; time.sleep(0.3)`]);
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
    rmSync(`/dev/shm/${shm}`, { force: true });
    assert.equal(leaky.status, 4);
    assert.ok(report.leaks.some(({ objectId, certainty }) => certainty === 'certain' && report.objects.find(({ id }) => id === objectId)?.name === `/${shm}`), JSON.stringify(report.leaks));
    const tidy = ipcProbe(['leaks', '--certain', '--output', file, '--', python, '-c', make]);
    assert.equal(tidy.status, 0, readFileSync(file, 'utf8'));
    assert.ok(!existsSync(`/dev/shm/${shm}`));
  });

  it('finds the socket that a Node.js server leaves, and nothing after semaphores and queues of Python, whose names are gone at once', function () {
    const [file, socket] = [join(own, 'node'), join(own, 'node-socket')];
    const node = ipcProbe(['leaks', '--json', '--output', file, '--', process.execPath, '-e', `require('net').createServer().listen(${JSON.stringify(socket)}, () => setTimeout(() => process.kill(process.pid, 'SIGKILL'), 400))`]);
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
    rmSync(socket, { force: true });
    assert.equal(node.status, 4);
    assert.deepEqual(report.leaks.filter(({ certainty }) => certainty === 'certain').map(({ objectId }) => report.objects.find(({ id }) => id === objectId)?.name), [socket]);
    assert.deepEqual([report.run.status, report.run.signal], [137, 'SIGKILL']);
    const python = ['/usr/bin/python3', 'python3'].find(it => spawnSync(it, ['-c', 'import multiprocessing']).status === 0);
    if (python === undefined) return;
    const tidy = ipcProbe(['leaks', '--certain', '--output', file, '--', python, '-c', 'import multiprocessing as m\nq = m.Queue(); s = m.Semaphore(2); l = m.Lock(); q.put(1); q.get(); q.close(); q.join_thread()']);
    assert.equal(tidy.status, 0, readFileSync(file, 'utf8') + tidy.stderr);
  });

  it('makes nothing of its own: neither objects nor processes stay', () => {
    const before = snapshotOf(['--kind', 'sysv-shared-memory,sysv-message-queue,sysv-semaphore-set,posix-message-queue']).objects.map(({ id }) => id);
    const { report } = leaksOf(['exit', '0']);
    assert.ok(report.leaks.every(({ certainty }) => certainty === 'possible'));
    const mine = new Set(before);
    assert.ok([...mine].length === before.length);
    const [command, words] = as(undefined, 'sh', ['-c', 'ps -eo ppid,args | grep -c "[r]eport-.*leaks" || true']);
    assert.equal(spawnSync(command, words, { encoding: 'utf8' }).stdout.trim(), '0');
  });
});
