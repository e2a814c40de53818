// Containers seen from outside: everything in them under their name, PIDs of both sides, removal by entering, deadlocks across.
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { CollectedKind, Failed, IpcObject, Removed, Restored, Snapshot } from '../../native-probe/model';
import { canContain, startContainer } from './containers';
import type { Container } from './containers';
import { as, canBecomeOrdinary, fixture, hasCompiler, ipcProbe, ordinaryUser, probePath, Program, scratchDirectory, snapshotOf, until } from './harness';
import { skip } from '../skip';

const of = <K extends CollectedKind>(snapshot: Snapshot, kind: K, test: (object: IpcObject) => boolean): IpcObject => snapshot.objects.find(object => object.kind === kind && test(object)) ?? assert.fail(`no such ${kind}`);

describe('a container', function () {
  let container: Container;
  const name = `/ipc-inspector-contained-${process.pid}`;
  const made: Record<string, string> = {};
  before(async function () {
    if (!hasCompiler() || !canContain()) skip(this, 'needs a C compiler (cc) and the right to make namespaces');
    container = await startContainer(`iit-${process.pid}`);
    for (const [key, line] of Object.entries({
      shm: 'shmget 0x2a 8192 640', msg: 'msgget 0x2b 600', sem: 'semget 0x2c 2 600', mq: `mq_open ${name} 5 64`, idle: `mq_open ${name}-idle 3 32`,
      fd: `shm_open ${name} 4096`, named: `sem_open ${name} 7`, pair: 'socketpair 1',
    })) made[key] = await container.ask(line);
    assert.equal(await container.ask(`mq_close ${made['idle']}`), 'ok');
  });
  after(async () => {
    await container?.stop();
    await Program.stopAll();
  });

  it('is called by its name, and its program has a PID inside and one outside', () => {
    const snapshot = snapshotOf();
    const process = container.in(snapshot);
    if (container.label !== undefined) assert.equal(process.container, container.label);
    assert.deepEqual(process.nsPids, [process.pid, container.innerPid]);
    assert.notEqual(process.pid, container.innerPid);
    const { namespaceNames } = snapshot.host;
    for (const kind of ['ipc', 'net', 'mnt'] as const) assert.deepEqual(namespaceNames?.[process.namespaces[kind] ?? ''], container.label === undefined ? undefined : [container.label], kind);
  });

  it('shows its System V objects, queues, /dev/shm and sockets under its own namespaces, as lsns numbers them', () => {
    const snapshot = snapshotOf();
    const { namespaces, pid } = container.in(snapshot);
    const number = (type: string): string => spawnSync('lsns', ['-n', '-t', type, '-o', 'NS', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
    if (spawnSync('lsns', ['--version']).status === 0) assert.deepEqual([namespaces.ipc, namespaces.mnt, namespaces.net], [number('ipc'), number('mnt'), number('net')]);
    for (const [kind, id] of [['sysv-shared-memory', made['shm']], ['sysv-message-queue', made['msg']], ['sysv-semaphore-set', made['sem']]] as const) {
      assert.equal(of(snapshot, kind, object => object.id === `${kind}:${namespaces.ipc}:${id}`).namespace, namespaces.ipc);
    }
    const queue = of(snapshot, 'posix-message-queue', object => object.name === name);
    assert.equal(queue.namespace, namespaces.ipc);
    assert.deepEqual(queue.kind === 'posix-message-queue' && queue.state, { curmsgs: 0, maxmsg: 5, msgsize: '64', qsize: '0' });
    assert.deepEqual(snapshot.handles.filter(({ objectId }) => objectId === queue.id).map(it => [it.pid, it.fd]), [[pid, Number(made['mq'])]]);
    const idle = of(snapshot, 'posix-message-queue', object => object.name === `${name}-idle`);
    assert.equal(idle.namespace, namespaces.ipc, 'listed though nobody has it open');
    const segment = of(snapshot, 'posix-shared-memory', object => object.name === name);
    assert.equal(segment.namespace, namespaces.mnt);
    assert.equal(segment.kind === 'posix-shared-memory' && segment.state.size, '4096');
    const semaphore = of(snapshot, 'posix-semaphore', object => object.name === name);
    assert.deepEqual(semaphore.kind === 'posix-semaphore' && semaphore.state, { value: 7, waiters: 0 });
    const ends = snapshot.handles.filter(it => it.pid === pid && it.objectId.startsWith('unix-socket:')).map(it => it.objectId);
    assert.equal(of(snapshot, 'unix-socket', object => object.id === ends.at(-1)).namespace, namespaces.net);
  });

  it('tells objects of one name inside and outside apart', async () => {
    const outside = Program.start(fixture('ipc'));
    await outside.line();
    const ask = async (line: string): Promise<string> => { outside.tell(line); return outside.line(); };
    await ask(`shm_open ${name} 100`);
    try {
      const snapshot = snapshotOf();
      const alike = snapshot.objects.filter(object => object.kind === 'posix-shared-memory' && object.name === name);
      assert.deepEqual(alike.map(({ namespace }) => namespace).sort(), [snapshot.host.mntNamespace, container.in(snapshot).namespaces.mnt].sort());
    } finally {
      await ask(`shm_unlink ${name}`);
      await outside.stop();
    }
  });

  const verb = (...args: string[]): { removed: Removed[]; failed: Failed[]; restored: Restored[] } => JSON.parse(ipcProbe([args[0] ?? '', '--json', ...args.slice(1)]).stdout) as never;

  it('loses what is removed by entering it, and has it back by restore', async () => {
    const shmid = await container.ask('shmget 0x99 4096 600');
    const address = await container.ask(`shmat ${shmid} 0`);
    await container.ask(`poke ${address} contained`);
    const { namespaces } = container.in(snapshotOf());
    const id = `sysv-shared-memory:${namespaces.ipc}:${shmid}`;
    assert.match(verb('remove', id).failed[0]?.error ?? '', /in use/);
    await container.ask(`shmdt ${address}`);
    const backup = mkdtempSync(join(scratchDirectory(), 'contained-'));
    const { removed, failed } = verb('remove', '--backup', backup, id);
    assert.deepEqual(failed, []);
    assert.match(await container.ask(`shmat ${shmid} 0`), /error Invalid argument/);
    const { restored, failed: lost } = verb('restore', removed[0]?.backup ?? '');
    assert.deepEqual(lost, []);
    const again = /^sysv-shared-memory:(\d+):(\d+)$/.exec(restored[0]?.newObjectId ?? '');
    assert.equal(again?.[1], namespaces.ipc, 'in the container, not here');
    const mapped = await container.ask(`shmat ${again?.[2]} 1`);
    assert.equal(await container.ask(`peek ${mapped}`), 'contained');
    await container.ask(`shmdt ${mapped}`);
    await container.ask(`shmrm ${again?.[2]}`);
  });

  it('loses a queue and a POSIX segment of its own, and what has the same name outside stays', async () => {
    const outside = Program.start(fixture('ipc'));
    await outside.line();
    const ask = async (line: string): Promise<string> => { outside.tell(line); return outside.line(); };
    const both = `${name}-both`;
    await ask(`shm_open ${both} 10`);
    await ask(`mq_open ${both} 2 16`);
    try {
      for (const line of [`close ${await container.ask(`shm_open ${both} 20`)}`, `mq_close ${await container.ask(`mq_open ${both} 4 16`)}`]) assert.equal(await container.ask(line), 'ok');
      const snapshot = snapshotOf();
      const { namespaces } = container.in(snapshot);
      const ids = [of(snapshot, 'posix-shared-memory', it => it.name === both && it.namespace === namespaces.mnt).id, of(snapshot, 'posix-message-queue', it => it.name === both && it.namespace === namespaces.ipc).id];
      const { removed, failed } = verb('remove', '--backup', mkdtempSync(join(scratchDirectory(), 'both-')), ...ids);
      assert.deepEqual([removed.map(it => it.objectId).sort(), failed], [ids.sort(), []]);
      assert.deepEqual(snapshotOf().objects.filter(it => it.name === both).map(it => it.namespace).sort(), [snapshot.host.mntNamespace, snapshot.host.ipcNamespace].sort());
    } finally {
      await ask(`shm_unlink ${both}`);
      await ask(`mq_unlink ${both}`);
      await outside.stop();
    }
  });

  it('is in a deadlock with a process outside: found, with both named by their outer PIDs', async () => {
    const outside = Program.start(fixture('ipc'));
    await outside.line();
    const directory = mkdtempSync(join(scratchDirectory(), 'locks-'));
    const [a, b] = [join(directory, 'a'), join(directory, 'b')];
    outside.tell(`flock ${a}`);
    await outside.line();
    await container.ask(`flock ${b}`);
    const { pid } = container.in(snapshotOf());
    outside.tell(`flock ${b}`);
    container.program.tell(`flock ${a}`);
    let found: Snapshot | undefined;
    await until(() => {
      found = JSON.parse(ipcProbe(['waits', '--json', '--pid', String(outside.pid)]).stdout) as Snapshot;
      return found.findings.length > 0;
    }, 'the deadlock is found');
    // unshare(1), which waits for the program in the container, is stuck behind the ring and no part of it.
    assert.deepEqual(found?.findings.map(({ verdict, chain }) => [verdict, chain.map(it => it.pid).sort((x, y) => x - y)]), [['deadlocked', [outside.pid, pid].sort((x, y) => x - y)]]);
    await outside.stop();
    await container.program.line();
  });
});

describe('containers that are strange', function () {
  before(function () { if (!hasCompiler() || !canContain()) skip(this, 'needs a C compiler (cc) and the right to make namespaces'); });
  after(() => Program.stopAll());

  it('one without /proc and with nothing but a static program of another libc is seen all the same', async function () {
    if (spawnSync('musl-gcc', ['--version']).status !== 0) skip(this, 'needs musl-gcc (musl-tools)');
    const root = mkdtempSync(join(scratchDirectory(), 'root-'));
    const program = join(root, 'ipc');
    assert.equal(spawnSync('musl-gcc', ['-static', '-O0', '-pthread', '-o', program, join(__dirname, '..', 'fixtures', 'ipc.c')]).status, 0);
    const bare = await startContainer(`iit-bare-${process.pid}`, { setup: `mount --bind ${root} ${root} && mkdir -p ${root}/dev/shm && mount -t tmpfs none ${root}/dev/shm && cd ${root} && pivot_root . . ; exec /ipc` });
    try {
      const shmid = await bare.ask('shmget 0 4096 600');
      assert.match(await bare.ask('shm_open /bare 64'), /^\d+$/);
      assert.match(await bare.ask('mq_open /bare 2 16'), /^\d+$/);
      const snapshot = snapshotOf();
      const { namespaces, nsPids } = bare.in(snapshot);
      assert.equal(nsPids?.at(-1), 1);
      of(snapshot, 'sysv-shared-memory', it => it.id === `sysv-shared-memory:${namespaces.ipc}:${shmid}`);
      assert.equal(of(snapshot, 'posix-shared-memory', it => it.name === '/bare').namespace, namespaces.mnt);
      assert.equal(of(snapshot, 'posix-message-queue', it => it.name === '/bare').namespace, namespaces.ipc);
    } finally {
      await bare.stop();
    }
  });

  it('a network namespace of ip netns is called as ip does, with its sockets under that name', async function () {
    const netns = `iit-${process.pid}`;
    if (spawnSync('ip', ['netns', 'add', netns]).status !== 0) skip(this, 'ip netns (iproute2) cannot make a namespace here');
    try {
      // A listener in it, made by a program that is in no other namespace of its own.
      const listener = Program.start('ip', ['netns', 'exec', netns, process.execPath, '-e', 'require("net").createServer().listen(7, "0.0.0.0", () => console.log("listening"))']);
      assert.equal(await listener.line(), 'listening');
      const { host, objects, handles, processes } = snapshotOf(['--kind', 'inet-socket']);
      const [namespace] = Object.entries(host.namespaceNames ?? {}).find(([, names]) => names.length === 1 && names[0] === netns) ?? assert.fail(JSON.stringify(host.namespaceNames));
      assert.equal(processes.find(({ pid }) => pid === listener.pid)?.namespaces.net, namespace);
      const socket = objects.find(it => it.kind === 'inet-socket' && handles.some(handle => handle.objectId === it.id && handle.pid === listener.pid));
      assert.equal(socket?.namespace, namespace, 'its socket is under its name');
    } finally {
      await Program.stopAll();
      spawnSync('ip', ['netns', 'delete', netns]);
    }
  });

  it('one that no cgroup names is called by the host name it gave itself', async () => {
    const called = `iit-\u202e${process.pid}`;
    const program = Program.start('unshare', ['--ipc', '--uts', 'sh', '-c', 'printf %s "$1" > /proc/sys/kernel/hostname && exec "$0"', fixture('ipc'), called]);
    await program.line();
    const { host, processes } = snapshotOf(['--kind', 'sysv-shared-memory']);
    const ipc = processes.find(({ pid }) => pid === program.pid)?.namespaces.ipc ?? assert.fail();
    assert.deepEqual(host.namespaceNames?.[ipc], [`host iit-\\xe2\\x80\\xae${process.pid}`]);
    assert.equal(host.hostname, hostname());
  });

  it('one in a user namespace of its own is entered by root', async () => {
    const rootless = await startContainer(`iit-user-${process.pid}`, { how: ['--user', '--map-root-user'] });
    try {
      const shmid = await rootless.ask('shmget 0 4096 600');
      assert.match(await rootless.ask('shm_open /rootless 64'), /^\d+$/);
      const snapshot = snapshotOf();
      const { namespaces } = rootless.in(snapshot);
      of(snapshot, 'sysv-shared-memory', it => it.id === `sysv-shared-memory:${namespaces.ipc}:${shmid}`);
      assert.equal(of(snapshot, 'posix-shared-memory', it => it.name === '/rootless').namespace, namespaces.mnt);
    } finally {
      await rootless.stop();
    }
  });

  it('a rootless one of an ordinary user: the user sees its /dev/shm, is told how to enter its IPC namespace, and what that shows; root sees all', async function () {
    if (!canBecomeOrdinary()) skip(this, 'needs root, and a user to become');
    const program = Program.start('unshare', ['--user', '--map-root-user', '--ipc', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', 'mount -t tmpfs none /dev/shm; exec "$0"', fixture('ipc')], { user: ordinaryUser });
    const ready = await program.line().catch(() => undefined);
    if (ready === undefined) skip(this, 'ordinary users cannot make user namespaces here');
    const ask = async (line: string): Promise<string> => { program.tell(line); return program.line(); };
    const shmid = await ask('shmget 0 4096 600');
    assert.match(await ask('shm_open /rootless 64'), /^\d+$/);
    const snapshot = snapshotOf([], { user: ordinaryUser });
    const inhabitant = snapshot.processes.find(({ ppid, nsPids }) => ppid === program.pid && nsPids?.at(-1) === 1) ?? assert.fail('the program is not in the snapshot');
    const { ipc, mnt } = inhabitant.namespaces;
    assert.equal(of(snapshot, 'posix-shared-memory', it => it.name === '/rootless').namespace, mnt);
    const gap = snapshot.gaps.find(({ scope }) => scope.namespace === ipc && scope.facility === 'sysv-shared-memory') ?? assert.fail('no gap');
    assert.equal(gap.errno, 'EPERM');
    const told = /or enter it yourself: (nsenter .*) ipc-probe snapshot$/.exec(gap.remedy ?? '')?.[1]?.split(' ') ?? assert.fail(gap.remedy);
    const [command, words] = as(ordinaryUser, told[0] ?? '', [...told.slice(1), process.execPath, probePath(), 'snapshot', '--json', '--kind', 'sysv-shared-memory']);
    const { stdout, stderr } = spawnSync(command, words, { encoding: 'utf8', env: { ...process.env, HOME: scratchDirectory() } });
    assert.ok(stdout.startsWith('{'), stderr);
    of(JSON.parse(stdout) as Snapshot, 'sysv-shared-memory', it => it.id === `sysv-shared-memory:${ipc}:${shmid}`);
    of(snapshotOf(['--kind', 'sysv-shared-memory']), 'sysv-shared-memory', it => it.id === `sysv-shared-memory:${ipc}:${shmid}`);
    await program.stop();
  });

  it('those that come and go while they are read leave a whole snapshot, and no gap on what is gone', async () => {
    const churner = Program.start(fixture('ipc'));
    await churner.line();
    churner.tell('churn 1500');
    let ended = false;
    const answer = churner.line().then(() => { ended = true; });
    let looks = 0;
    while (!ended) {
      const { gaps } = snapshotOf();
      assert.deepEqual(gaps.filter(gap => gap.scope.namespace !== undefined), []);
      looks++;
      await new Promise<void>(resolve => setImmediate(resolve));
    }
    await answer;
    assert.ok(looks > 0);
    await churner.stop();
  });
});
