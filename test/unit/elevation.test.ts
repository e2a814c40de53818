// The ways to more rights: which one, what refusals mean, and a probe that was adopted and then lost, hangs or is of another version.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { Administrator } from '../../extension/elevation/administrator';
import { Askpass } from '../../extension/elevation/askpass';
import { pkexecRefusal, sudoRefusal } from '../../extension/elevation/refusals';
import { whyUntrusted } from '../../extension/elevation/trustedPath';
import { chooseWay } from '../../extension/elevation/ways';
import { ProbeClient } from '../../extension/probeClient';

describe('the way to more rights', () => {
  const finder = (...present: string[]) => (name: string): string | undefined => present.includes(name) ? `/usr/bin/${name}` : undefined;

  it('is a prepared Node.js, else sudo, else pkexec where an agent can ask, else words that help', () => {
    assert.deepEqual(chooseWay({ prepared: '/bin/sh', environment: {}, find: finder('sudo') }), { kind: 'prepared', file: '/bin/sh' });
    assert.equal(chooseWay({ prepared: '', environment: { DISPLAY: ':0' }, find: finder('sudo', 'pkexec') }).kind, 'sudo');
    assert.equal(chooseWay({ prepared: '', environment: { WAYLAND_DISPLAY: 'wayland-0' }, find: finder('pkexec') }).kind, 'pkexec');
    assert.throws(() => chooseWay({ prepared: '', environment: {}, find: finder('pkexec') }), /graphical session/);
    assert.throws(() => chooseWay({ prepared: '', environment: {}, find: finder() }), /neither sudo nor pkexec/);
    for (const prepared of ['node', '/does/not/exist']) assert.throws(() => chooseWay({ prepared, environment: {}, find: finder('sudo') }), /probeExecutable/);
  });

  it('tells the refusals of sudo and pkexec apart', () => {
    for (const [stderr, cancelled, kind] of [
      ['sudo: no password was provided\nsudo: a password is required', true, 'cancelled'], ['Sorry, try again.\nsudo: no password was provided\nsudo: 1 incorrect password attempt', true, 'cancelled'],
      ['Sorry, try again.\nsudo: 3 incorrect password attempts', false, 'wrong-password'], ['eve is not in the sudoers file.', false, 'not-permitted'],
      ['Sorry, user eve is not allowed to execute \'/usr/bin/env\' as root on host.', false, 'not-permitted'], ['sudo: sorry, you must have a tty to run sudo', false, 'needs-terminal'],
      ['sudo: Account or password is expired, reset your password and try again', false, 'expired'], ['sudo: The "no new privileges" flag is set, which prevents sudo from running as root.', false, 'unusable'],
      ['sudo: invalid option provided', false, 'unusable'], ['sudo-rs: interactive authentication is required', false, 'unusable'], ['sudo: I\'m sorry eve. I\'m afraid I can\'t do that', false, 'not-permitted'], ['sudo: Maximum 3 incorrect authentication attempts', false, 'wrong-password'],
      ['sudo: something else', false, 'failed'], ['', false, 'failed'],
    ] as const) assert.equal(sudoRefusal(stderr, 1, cancelled).kind, kind, stderr);
    assert.equal(pkexecRefusal('', 126).kind, 'cancelled');
    assert.equal(pkexecRefusal('Error executing command as another user: No authentication agent found.', 127).kind, 'unusable');
    assert.equal(pkexecRefusal('Error getting authority: Error initializing authority: Could not connect: No such file or directory', 127).kind, 'unusable');
    assert.equal(pkexecRefusal('Error executing command as another user: Not authorized', 127).kind, 'not-permitted');
    fc.assert(fc.property(fc.string(), fc.option(fc.integer()), fc.boolean(), (text, status, cancelled) => { sudoRefusal(text, status, cancelled); pkexecRefusal(text, status); }));
  });

  it('trusts a path only when nobody else can change what is there', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'ipc-inspector-unit-'));
    try {
      const file = path.join(folder, 'x');
      writeFileSync(file, '', { mode: 0o644 });
      assert.equal(whyUntrusted(file), undefined);
      chmodSync(folder, 0o777);
      assert.match(whyUntrusted(file) ?? '', /can be written by others/);
      chmodSync(folder, 0o1777);
      assert.equal(whyUntrusted(file), undefined, 'sticky');
      chmodSync(file, 0o666);
      assert.match(whyUntrusted(file) ?? '', /can be written by others/);
      assert.match(whyUntrusted(file, 4_000_000) ?? '', process.getuid?.() === 0 ? /can be written/ : /another user/);
    } finally { rmSync(folder, { recursive: true, force: true }); }
  });

  it('finds no place for its socket where others could come to it', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'ipc-inspector-unit-'));
    chmodSync(folder, 0o777);
    try {
      await assert.rejects(Askpass.open({ ask: () => Promise.resolve(''), node: 'node', helper: 'x', places: [folder, '/does/not/exist', `/${'x'.repeat(200)}`] }), /no safe place/);
    } finally { rmSync(folder, { recursive: true, force: true }); }
  });
});

describe('an adopted probe', () => {
  const children: ChildProcessWithoutNullStreams[] = [];
  const fake = (behaviour: string): ChildProcessWithoutNullStreams => {
    const child = spawn(process.execPath, [path.join(import.meta.dirname, '..', 'fixtures', 'fakeProbe.cjs'), behaviour], { stdio: 'pipe' });
    children.push(child);
    return child;
  };
  let client: ProbeClient, administrator: Administrator, told: string[];
  const create = (behaviour: string, lasting = 0): void => {
    told = [];
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    client = new ProbeClient({ start: () => fake('answers'), log, timeouts: { snapshot: 300 }, backOff: [1] });
    administrator = new Administrator({ client, log, lasting: () => lasting, tell: it => told.push(it), start: () => Promise.resolve({ child: fake(behaviour), way: 'sudo' as const }) });
  };
  afterEach(async () => {
    administrator.dispose();
    client.dispose();
    await Promise.all(children.splice(0).filter(child => child.exitCode === null && child.signalCode === null).map(child => once(child, 'exit')));
  });

  it('takes the place of the usual one, until the rights are dropped', async () => {
    create('answers');
    await administrator.look();
    assert.equal(administrator.state.kind, 'yes');
    assert.ok(client.adopted);
    administrator.drop();
    assert.equal(administrator.state.kind, 'no');
    assert.ok(!client.adopted);
    assert.deepEqual(told, []);
  });

  it('of another version is not used, and the usual one goes on', async () => {
    create('other-version');
    await assert.rejects(administrator.look(), /version 99/);
    assert.equal(administrator.state.kind, 'no');
    assert.ok(!client.adopted);
    assert.equal(client.state.kind, 'starting');
  });

  it('that hangs is given up, and the user is told', async () => {
    create('never-answers');
    await administrator.look();
    await assert.rejects(client.request('snapshot', {}), /did not answer/);
    assert.ok(client.adopted, 'once may be load');
    await assert.rejects(client.request('snapshot', {}), /did not answer/);
    assert.ok(!client.adopted);
    assert.equal(told.length, 1);
  });
});
