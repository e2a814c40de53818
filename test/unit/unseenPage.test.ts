// "What Can't I See?": every gap under its cause, with the action that would help; nothing untrusted becomes markup.
import { strict as assert } from 'node:assert';
import type { Gap } from '../../native-probe/model';
import { machineWords, rightsWords } from '../../extension/words/machineWords';
import { causeOfGap, causes, gapsByCause } from '../../extension/unseen/unseenCauses';
import type { Cause, Remedy } from '../../extension/unseen/unseenCauses';
import { remedyCommands, unseenPage } from '../../extension/unseen/unseenPage';
import type { PageOptions } from '../../extension/unseen/unseenPage';
import { aGap, aProcess, aSnapshot } from './snapshots';

const options: PageOptions = { language: 'en', nonce: 'abc', remoteName: undefined, moreRights: false, offered: new Set(Object.keys(remedyCommands) as Remedy[]) };
const denied = (scope: Gap['scope'], errno = 'EACCES', remedy?: string): Gap => ({ ...aGap(`g${JSON.stringify(scope)}${errno}`, 'cannot read it', scope, remedy), errno });

describe('the cause of a gap', () => {
  const snapshot = aSnapshot({ processes: [aProcess(5, { uid: 1000 }), aProcess(6, { uid: 0 }), aProcess(7, { uid: 1000 })] });
  const processes = new Map(snapshot.processes.map(it => [it.pid, it]));
  const of = (gap: Gap, uid = 1000): Cause => causeOfGap(gap, { host: { ...snapshot.host, uid }, processes, closed: new Set([7]) });
  for (const [expected, gap] of [
    ['sandbox', aGap('a', 'x', { facility: 'processes', field: 'pid-namespace' })],
    ['sandbox', aGap('a', 'its creator lives outside', { objectId: 'x', field: 'creatorPid' }, 'run the probe on the host')],
    ['hidepid', aGap('a', 'x', { facility: 'processes', field: 'hidepid' })],
    ['yama', denied({ pid: 5, facility: 'waits', field: 'syscall' }, 'EPERM')],
    ['protected', denied({ pid: 7, facility: 'waits', field: 'syscall' }, 'EPERM')],
    ['protected', denied({ pid: 7, facility: 'processes', field: 'fd,maps' })],
    ['other-user', denied({ pid: 6, facility: 'processes', field: 'fd,maps' })],
    ['other-user', denied({ objectId: 'posix-semaphore:1:2', field: 'value' })],
    ['other-user', aGap('a', 'the path is not known', { objectId: 'flock-lock:1:2', field: 'path', facility: 'flock-lock' }, 'run the probe as root to see them')],
    ['privileged', denied({ facility: 'sysv-semaphore-set', field: 'undo' }, 'EPERM')],
    ['kernel', { ...denied({ facility: 'sysv-semaphore-set', field: 'undo' }, 'ENOENT'), reason: 'cannot read it: this kernel does not tell where it keeps them' }],
    ['namespace', denied({ facility: 'sysv-shared-memory', namespace: '7' }, 'EPERM')],
    ['mqueue', denied({ facility: 'posix-message-queue', namespace: '1', field: 'list' }, 'EPERM', 'mount one (mount -t mqueue none /dev/mqueue), or run the probe as root')],
    ['kernel', denied({ facility: 'epoll' }, 'ENOSYS')],
    ['kernel', aGap('a', 'this kernel does not tell resident and swapped bytes', { objectId: 'x', field: 'rss' })],
    ['gone', denied({ objectId: 'pipe:1', field: 'state' }, 'ESRCH')],
    ['gone', aGap('a', 'some were closed', { facility: 'unix-socket', field: 'peer' }, 'refresh')],
    ['open', aGap('a', 'semaphores have no owner', { facility: 'waits', objectId: 'x', field: 'owner,0' })],
    ['open', aGap('a', 'which threads are the parties is written nowhere', { facility: 'barrier', objectId: 'x', field: 'parties' })],
    ['by-design', aGap('a', 'how full pipes are', { facility: 'pipe', field: 'unread,capacity' })],
    ['other', aGap('a', 'x', { pid: 5, facility: 'processes', field: 'stat' })],
  ] as const) it(`${gap.errno ?? ''} ${JSON.stringify(gap.scope)} is ${expected}`, () => { assert.equal(of(gap), expected); });

  it('is another one where even root is refused', () => {
    assert.equal(of(denied({ pid: 6, facility: 'processes', field: 'fd,maps' }), 0), 'even-root');
    assert.equal(of(denied({ objectId: 'sysv-semaphore-set:1:2', field: 'sems' }), 0), 'even-root');
  });
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

  it('has an action for every cause, and asks nobody for rights who has them', () => {
    const gaps = [
      aGap('1', 'x', { facility: 'processes', field: 'sandbox' }), aGap('2', 'x', { facility: 'processes', field: 'hidepid' }), denied({ pid: 6, facility: 'processes', field: 'fd' }), denied({ pid: 5, facility: 'waits', field: 'syscall' }),
      denied({ pid: 7, facility: 'processes', field: 'fd' }), denied({ facility: 'pipe', namespace: '7' }, 'EPERM'), denied({ facility: 'posix-message-queue', field: 'list' }, 'EPERM', 'mount one (mount -t mqueue none x)'), denied({ facility: 'epoll' }, 'ENOSYS'), denied({ facility: 'sysv-semaphore-set', field: 'undo' }, 'EPERM'),
      denied({ objectId: 'pipe:1' }, 'ESRCH'), aGap('3', 'x', { facility: 'waits', field: 'owner' }), aGap('4', 'x', { pid: 5, facility: 'processes', field: 'stat' }), aGap('5', 'x', { facility: 'pipe', field: 'capacity' }),
    ];
    const snapshot = aSnapshot({ gaps, host: { ...aSnapshot().host, uid: 1000 }, processes: [aProcess(5, { uid: 1000 }), aProcess(6, { uid: 0 }), aProcess(7, { uid: 1000 })] });
    const told = gapsByCause(snapshot).map(({ cause }) => cause);
    assert.deepEqual(told, Object.keys(causes).filter(cause => cause !== 'even-root'));
    const sections = unseenPage(snapshot, options).split('<section ').slice(1);
    assert.equal(sections.length, told.length);
    for (const [i, section] of sections.entries()) for (const remedy of causes[told[i] ?? 'other'].remedies) assert.ok(section.includes(`href="command:${remedyCommands[remedy]}"`), `${told[i]}: ${remedy}`);
    const root = unseenPage({ ...snapshot, host: { ...snapshot.host, uid: 0 } }, { ...options, moreRights: true, offered: new Set(['remote', 'text']) });
    assert.match(root, /looked at as root/);
    assert.match(root, /Even root is refused/);
    assert.doesNotMatch(root, /lookAsAdministrator/);
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

  for (const [remote, surroundings, expected] of [
    ['ssh-remote', [], 'box · SSH'], ['wsl', [{ kind: 'wsl' }], 'box · WSL'], ['dev-container', [{ kind: 'container', name: 'docker 0123' }], 'box · Dev Container · docker 0123'],
    ['attached-container', [{ kind: 'container', name: 'podman web' }], 'box · Dev Container · podman web'], ['codespaces', [{ kind: 'codespaces', name: 'fuzzy' }, { kind: 'container', name: 'docker' }], 'box · Codespaces · Codespaces fuzzy · docker'],
    // code-server is a remote whose authority is the address in the browser's bar; its extensions run on the server.
    ['localhost:8080', [], 'box · localhost:8080'], ['tunnel', [], 'box · Tunnel'], [undefined, [{ kind: 'flatpak', name: 'com.visualstudio.code' }], 'box · Flatpak com.visualstudio.code'], [undefined, [{ kind: 'snap', name: 'code' }], 'box · snap code'],
  ] as const) it(`is told of ${remote ?? 'a window without a remote'} as ${expected}`, () => { assert.equal(machineWords({ hostname: 'box', surroundings: [...surroundings] }, remote), expected); });

  it('is looked at with the rights of a user, who may have more', () => {
    assert.equal(rightsWords({ uid: 0 }, true), 'as root');
    assert.equal(rightsWords({ uid: 4321 }, false), 'as uid 4321');
    assert.equal(rightsWords({ uid: 4321 }, true), 'as uid 4321 with more rights');
  });
});
