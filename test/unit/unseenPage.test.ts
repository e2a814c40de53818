// "What Can't I See?": every gap under its cause, with the action that would help; nothing untrusted becomes markup.
import { strict as assert } from 'node:assert';
import type { Gap } from '../../native-probe/model';
import { machineWords } from '../../extension/machineWords';
import { causeOfGap, gapsByCause } from '../../extension/unseenCauses';
import { unseenPage } from '../../extension/unseenPage';
import type { PageOptions } from '../../extension/unseenPage';
import { aGap, aProcess, aSnapshot } from './snapshots';

const options: PageOptions = { language: 'en', nonce: 'abc', remoteName: undefined, offered: new Set(['administrator', 'mount', 'log', 'refresh']) };
const denied = (scope: Gap['scope'], errno = 'EACCES', remedy?: string): Gap => ({ ...aGap(`g${JSON.stringify(scope)}${errno}`, 'cannot read it', scope, remedy), errno });

describe('the cause of a gap', () => {
  const snapshot = aSnapshot({ processes: [aProcess(5, { uid: 1000 }), aProcess(6, { uid: 0 })] });
  const processes = new Map(snapshot.processes.map(it => [it.pid, it]));
  for (const [expected, gap] of [
    ['sandbox', aGap('a', 'x', { facility: 'processes', field: 'pid-namespace' })],
    ['hidepid', aGap('a', 'x', { facility: 'processes', field: 'hidepid' })],
    ['protected', denied({ pid: 5, facility: 'waits', field: 'syscall' }, 'EPERM')],
    ['other-user', denied({ pid: 6, facility: 'processes', field: 'fd,maps' })],
    ['other-user', denied({ objectId: 'posix-semaphore:1:2', field: 'value' })],
    ['namespace', denied({ facility: 'sysv-shared-memory', namespace: '7' }, 'EPERM')],
    ['mqueue', denied({ facility: 'posix-message-queue', namespace: '1', field: 'list' }, 'EPERM', 'mount one (mount -t mqueue none /dev/mqueue), or run the probe as root')],
    ['kernel', denied({ facility: 'epoll' }, 'ENOSYS')],
    ['gone', denied({ objectId: 'pipe:1', field: 'state' }, 'ESRCH')],
    ['open', aGap('a', 'semaphores have no owner', { facility: 'waits', objectId: 'x', field: 'owner,0' })],
    ['by-design', aGap('a', 'how full pipes are', { facility: 'pipe', field: 'unread,capacity' })],
    ['other', aGap('a', 'x', { pid: 5, facility: 'processes', field: 'stat' })],
  ] as const) it(`${gap.errno ?? ''} ${JSON.stringify(gap.scope)} is ${expected}`, () => { assert.equal(causeOfGap(gap, snapshot.host, processes), expected); });
});

describe('the page', () => {
  it('counts every gap once, and offers what would help', () => {
    const gaps = [denied({ pid: 6, facility: 'processes', field: 'fd' }), denied({ pid: 7, facility: 'processes', field: 'fd' }), denied({ facility: 'posix-message-queue', namespace: '1', field: 'list' }, 'EPERM', 'mount one (mount -t mqueue none /dev/mqueue)')];
    const snapshot = aSnapshot({ gaps });
    assert.equal(gapsByCause(snapshot).reduce((sum, group) => sum + group.gaps.length, 0), gaps.length);
    const page = unseenPage(snapshot, options);
    assert.match(page, /They belong to another user <small>\(2 gaps, 2 processes\)/);
    assert.match(page, /href="command:ipcInspector\.lookAsAdministrator"/);
    assert.match(page, /href="command:ipcInspector\.copyMountCommand"/);
    assert.doesNotMatch(unseenPage(snapshot, { ...options, offered: new Set(['refresh']) }), /lookAsAdministrator|copyMountCommand/);
  });

  it('says so when nothing was refused', () => { assert.match(unseenPage(aSnapshot(), options), /Nothing was refused/); });

  it('makes no markup, link or script of what others named', () => {
    const hostile = '</p><script>alert(1)</script><a href="command:x">\u202e';
    const page = unseenPage(aSnapshot({ gaps: [aGap('g', hostile, { pid: 6, facility: 'processes' }, hostile)], host: { ...aSnapshot().host, hostname: hostile, surroundings: [{ kind: 'container', name: hostile }] } }), options);
    assert.doesNotMatch(page, /<script|command:x"|\u202e/);
  });

  it('stays readable with 100,000 gaps', () => {
    const page = unseenPage(aSnapshot({ gaps: Array.from({ length: 100_000 }, (_, pid) => denied({ pid: pid + 1, facility: 'processes', field: 'fd' })) }), options);
    assert.match(page, /100000 gaps/);
    assert.ok(page.length < 50_000, String(page.length));
  });
});

describe('the machine', () => {
  it('is called by its host name, how it is reached, and what the probe runs in', () => {
    assert.equal(machineWords({ hostname: 'box' }, undefined), 'box');
    assert.equal(machineWords({ hostname: 'box' }, 'ssh-remote'), 'box · SSH');
    assert.equal(machineWords({ hostname: 'box', surroundings: [{ kind: 'wsl', name: 'Debian' }] }, 'wsl'), 'box · WSL · WSL Debian');
    assert.equal(machineWords({ hostname: '01ab', surroundings: [{ kind: 'container', name: 'docker 01ab' }] }, 'dev-container'), '01ab · Dev Container · docker 01ab');
    assert.equal(machineWords({ hostname: 'box' }, 'x\u202ey'), 'box · x\\u{202e}y');
  });
});
