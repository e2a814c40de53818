// The ways to more rights where neither a password nor sudo is in play: pkexec (a stand-in for the program itself: there is no agent here), and a
// machine whose env and setpriv are BusyBox's. What they start is the real probe.
import { strict as assert } from 'node:assert';
import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { NotElevated, startElevated } from '../../extension/elevation/elevation';
import type { Refusal } from '../../extension/elevation/refusals';
import { rootCommand } from '../../extension/elevation/ways';
import { ProbeClient } from '../../extension/probeClient';
import { skip } from '../skip';
import { isRoot, probePath, scratchDirectory } from './harness';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('the other ways to more rights', function () {
  let folder = '', extensionPath = '';
  const children: ChildProcess[] = [];
  before(() => {
    folder = mkdtempSync(join(scratchDirectory(), 'ways-'));
    extensionPath = join(folder, 'extension');
    mkdirSync(join(extensionPath, 'dist'), { recursive: true });
    cpSync(probePath(), join(extensionPath, 'dist', 'probe.js'));
    cpSync(join(probePath(), '..', 'node_modules'), join(extensionPath, 'node_modules'), { recursive: true });
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.stdin?.end();
      await new Promise(resolve => { child.once('exit', resolve); });
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** A program in the place of pkexec. */
  const pkexec = (script: string): string => {
    const file = join(folder, `pkexec-${Math.random().toString(36).slice(2)}`);
    writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return file;
  };
  const begin = async (file: string, patience?: number): ReturnType<typeof startElevated> => {
    const elevated = await startElevated({ extensionPath, node: process.execPath, prepared: '', ask: () => assert.fail('pkexec asks by itself'), storage: folder, signal: new AbortController().signal, way: { kind: 'pkexec', file }, ...(patience === undefined ? {} : { patience }) });
    children.push(elevated.child);
    return elevated;
  };
  const refused = async (file: string): Promise<Refusal> => {
    try {
      await begin(file);
      return assert.fail('it was not refused');
    } catch (error) {
      return error instanceof NotElevated ? error.refusal : assert.fail(String(error));
    }
  };

  it('pkexec gets the whole command by absolute paths, without its text agent, and what it starts is the confined probe', async function () {
    if (!isRoot) skip(this, 'needs root: it stands in for what pkexec becomes');
    const { child } = await begin(pkexec(`printf '%s\\n' "$@" > '${join(folder, 'arguments')}'; env > '${join(folder, 'environment')}'; shift; exec "$@"`));
    const words = readFileSync(join(folder, 'arguments'), 'utf8').trim().split('\n');
    assert.equal(words[0], '--disable-internal-agent');
    assert.match(words[1] ?? '', /^\//);
    assert.deepEqual(words.slice(-2), ['serve', '--confined']);
    assert.doesNotMatch(readFileSync(join(folder, 'environment'), 'utf8'), /NODE_OPTIONS|LD_PRELOAD/);
    const client = new ProbeClient({ start: () => assert.fail('the usual probe is not wanted here'), log });
    const { host, capabilities } = await client.adopt(child);
    assert.deepEqual([host.uid, capabilities.includes('CAP_SYS_PTRACE')], [0, true]);
    client.dispose();
  });

  it('says what pkexec\'s refusals mean: a dismissed dialogue is no error', async () => {
    assert.equal((await refused(pkexec('exit 126'))).kind, 'cancelled');
    assert.equal((await refused(pkexec('echo "Error executing command as another user: No authentication agent found." >&2; exit 127'))).kind, 'unusable');
    assert.equal((await refused(pkexec('echo "Error getting authority: Error initializing authority: Could not connect: No such file or directory" >&2; exit 127'))).kind, 'unusable');
    assert.equal((await refused(pkexec('echo "Error executing command as another user: Not authorized" >&2; exit 127'))).kind, 'not-permitted');
    assert.equal((await refused(join(folder, 'is-not-there'))).kind, 'failed');
  });

  it('threat: a confined probe that was taken over starts no program, sends no signal, traces nobody, becomes nobody else, and still has its threads', function () {
    if (!isRoot) skip(this, 'needs root: what an ordinary user may not do anyway proves nothing');
    buildSync({ entryPoints: [join(__dirname, '..', 'fixtures', 'confined.ts')], outfile: join(extensionPath, 'confined.cjs'), bundle: true, platform: 'node', format: 'cjs', target: 'node20', external: ['ffi-rs'], logLevel: 'error' });
    const victim = spawn('sleep', ['600']);
    try {
      const { stdout, stderr, status } = spawnSync(process.execPath, [join(extensionPath, 'confined.cjs'), String(victim.pid)], { encoding: 'utf8', timeout: 30_000 });
      assert.equal(status, 0, stderr);
      if (/not filtered/.test(stderr)) skip(this, stderr.trim());
      assert.deepEqual(JSON.parse(stdout), { program: 'EPERM', signal: 'EPERM', trace: 'EPERM', user: 'EPERM', namespace: 'EPERM', pool: true });
      assert.equal(victim.exitCode ?? victim.signalCode, null);
    } finally {
      victim.kill('SIGKILL');
    }
  });

  it('threat: whatever it is asked, the probe executes nothing: strace sees one program, itself', async function () {
    if (spawnSync('strace', ['-o', '/dev/null', 'true']).status !== 0) skip(this, 'strace is not installed, or may not trace');
    const trace = join(folder, 'trace');
    const child = spawn('strace', ['-f', '-qq', '-e', 'trace=execve,execveat,fork,vfork', '-e', 'signal=none', '-o', trace, process.execPath, join(extensionPath, 'dist', 'probe.js'), 'serve'], { stdio: 'pipe' });
    children.push(child);
    const client = new ProbeClient({ start: () => child, log, timeouts: { initialize: 60_000, snapshot: 60_000 } });
    await client.request('snapshot', { waits: true });
    const { snapshot } = await client.request('stale', {});
    await client.request('remove', { ids: ['sysv-shared-memory:1:1'], dryRun: true });
    await client.request('restore', { file: '/does/not/exist' }).catch(() => undefined);
    for (const id of ['pipe:1', ...snapshot.objects.slice(0, 3).map(it => it.id)]) await client.request('peek', { id }).catch(() => undefined);
    const ended = new Promise(resolve => { child.once('exit', resolve); });
    client.dispose();
    await ended;
    const lines = readFileSync(trace, 'utf8').split('\n').filter(line => /\b(?:execve|execveat|v?fork)\(/.test(line));
    assert.equal(lines.length, 1, lines.join('\n'));
  });

  it('where env and setpriv are BusyBox\'s the probe is started all the same, with an empty environment, and gives up what it can by itself', async function () {
    const busybox = [...(process.env['PATH'] ?? '').split(':'), '/bin'].map(place => join(place, 'busybox')).find(file => existsSync(file));
    if (!isRoot || busybox === undefined) skip(this, isRoot ? 'busybox is not installed' : 'needs root');
    for (const applet of ['env', 'setpriv']) symlinkSync(busybox, join(folder, applet));
    const [command = '', ...words] = rootCommand(process.execPath, join(extensionPath, 'dist', 'probe.js'), name => join(folder, name));
    assert.equal(command, join(folder, 'env'), 'BusyBox\'s setpriv is not asked for what it does not know');
    assert.equal(spawnSync(command, ['-i', 'A=1', '/usr/bin/env'], { encoding: 'utf8' }).stdout, 'A=1\n');
    const child = spawn(command, words, { stdio: 'pipe', env: { NODE_OPTIONS: '--inspect', HOME: '/nowhere' } });
    children.push(child);
    const client = new ProbeClient({ start: () => assert.fail('the usual probe is not wanted here'), log });
    const { host } = await client.adopt(child);
    assert.equal(host.uid, 0);
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    assert.match(status, /^NoNewPrivs:\t1$/m);
    const bounding = BigInt(`0x${/^CapBnd:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? assert.fail(status)}`);
    assert.equal(bounding & 1n << 7n, 0n, 'CAP_SETUID is gone');
    assert.deepEqual(readFileSync(`/proc/${child.pid}/environ`, 'utf8').split('\0').filter(it => it !== '').map(it => it.split('=')[0]).sort(), ['ELECTRON_RUN_AS_NODE', 'PATH']);
    client.dispose();
  });
});
