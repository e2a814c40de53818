// Where the probe is, and what other namespaces are called: by captured texts.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { devShmMount } from '../../native-probe/kernel/foreignDevShm';
import { MountTable, parseMountinfo } from '../../native-probe/kernel/mounts';
import { surroundingsOf } from '../../native-probe/kernel/surroundings';
import type { Evidence } from '../../native-probe/kernel/surroundings';
import { mountedNamespaces, namespaceNames } from '../../native-probe/namespaceNames';
import { aProcess } from './snapshots';

const plain: Evidence = { osrelease: '6.12.0-amd64', flatpakInfo: undefined, containerenv: undefined, dockerenv: false, systemdContainer: undefined, cgroup: '0::/user.slice/session-1.scope\n', label: 'unconfined\n', environment: {} };

describe('what the probe runs in', () => {
  const cases: readonly (readonly [string, Partial<Evidence>, ReturnType<typeof surroundingsOf>])[] = [
    ['a plain machine', {}, []],
    ['WSL', { osrelease: '5.15.167.4-microsoft-standard-WSL2', environment: { WSL_DISTRO_NAME: 'Debian' } }, [{ kind: 'wsl', name: 'Debian' }]],
    ['a Docker container within WSL', { osrelease: '5.15.167.4-microsoft-standard-WSL2', dockerenv: true, cgroup: '0::/\n' }, [{ kind: 'wsl' }, { kind: 'container', name: 'docker' }]],
    ['a codespace', { environment: { CODESPACES: 'true', CODESPACE_NAME: 'fuzzy-disco' }, dockerenv: true }, [{ kind: 'codespaces', name: 'fuzzy-disco' }, { kind: 'container', name: 'docker' }]],
    ['Docker by its cgroup', { cgroup: `3:cpu:/docker/${'0123456789ab'.padEnd(64, 'c')}\n`, dockerenv: true }, [{ kind: 'container', name: 'docker 0123456789ab' }]],
    ['Podman', { containerenv: 'engine="podman-5.4"\nname="web"\nid="0123"\n', cgroup: '0::/\n' }, [{ kind: 'container', name: 'podman web' }]],
    ['Podman without privileges to tell', { containerenv: '', cgroup: '0::/\n' }, [{ kind: 'container', name: 'podman' }]],
    ['a pod', { environment: { KUBERNETES_SERVICE_HOST: '10.0.0.1' } }, [{ kind: 'container', name: 'kubernetes' }]],
    ['LXC with systemd', { systemdContainer: 'lxc\n' }, [{ kind: 'container', name: 'lxc' }]],
    ['Flatpak', { flatpakInfo: '[Application]\nname=com.visualstudio.code\nruntime=x\n', environment: { container: 'flatpak' } }, [{ kind: 'flatpak', name: 'com.visualstudio.code' }]],
    ['a confined snap', { label: 'snap.code.code (enforce)\n' }, [{ kind: 'snap', name: 'code' }]],
    ['a child of a snap that is not confined', { environment: { SNAP_NAME: 'code' } }, []],
  ];
  for (const [what, evidence, expected] of cases) it(what, () => { assert.deepEqual(surroundingsOf({ ...plain, ...evidence }), expected); });

  it('shows hostile names as text, and never throws', () => {
    assert.deepEqual(surroundingsOf({ ...plain, osrelease: 'microsoft', environment: { WSL_DISTRO_NAME: 'a\u202e\n' } }), [{ kind: 'wsl', name: 'a\\xe2\\x80\\xae\\x0a' }]);
    const text = fc.string({ unit: 'binary' });
    fc.assert(fc.property(text, text, text, text, (flatpakInfo, containerenv, cgroup, label) => { surroundingsOf({ ...plain, flatpakInfo, containerenv, cgroup, label }); }), { numRuns: 50 });
  });
});

describe('names of namespaces', () => {
  const host = { ipcNamespace: '1', mntNamespace: '2', netNamespace: '3' };
  const inside = (ipc: string, net: string, mnt: string) => ({ namespaces: { ipc, net, mnt, pid: '9' } });
  const nsfs = '44 30 0:4 net:[77] /run/netns/blue rw shared:1 - nsfs nsfs rw\n45 31 0:4 net:[77] /var/run/netns/blue rw - nsfs nsfs rw\n46 31 0:4 net:[78] /run/netns/a\\040b rw - nsfs nsfs rw\n';

  it('are those of ip netns, once each', () => { assert.deepEqual([...mountedNamespaces(nsfs)], [['77', 'blue'], ['78', 'a b']]); });
  it('are the containers\' that live there, the one with most processes first; the own ones have none', () => {
    const names = namespaceNames([
      aProcess(1, { ...inside('10', '3', '11'), container: 'docker a' }), aProcess(2, { ...inside('10', '3', '12'), container: 'docker b' }), aProcess(3, { ...inside('10', '3', '12'), container: 'docker b' }), aProcess(4, inside('1', '3', '2')),
    ], '', host);
    assert.deepEqual(names, { 10: ['docker b', 'docker a'], 11: ['docker a'], 12: ['docker b'] });
  });
  it('are the host name there before the unit, and after what is better', () => {
    const processes = [aProcess(1, { ...inside('10', '3', '2'), unit: 'session-2.scope' }), aProcess(2, { ...inside('20', '3', '2'), container: 'docker a' })];
    assert.deepEqual(namespaceNames(processes, '', host, ({ pid }) => `web-${pid}`), { 10: ['host web-1'], 20: ['docker a'] });
  });
  it('are that of the network namespace for a process that has no container, and its unit\'s where there is none', () => {
    assert.deepEqual(namespaceNames([aProcess(1, inside('10', '77', '2')), aProcess(2, { ...inside('1', '3', '20'), unit: 'cups.service' })], nsfs, host), { 10: ['blue'], 77: ['blue'], 20: ['cups.service'], 78: ['a b'] });
  });
});

describe('/dev/shm of another mount namespace', () => {
  const mount = (lines: string): ReturnType<typeof devShmMount> => devShmMount(new MountTable(parseMountinfo(lines)));
  const shm = '50 41 0:61 / /dev/shm rw - tmpfs shm rw\n';
  it('is walked to over overlay and tmpfs', () => { assert.deepEqual(mount(`40 1 0:50 / / rw - overlay overlay rw\n41 40 0:60 / /dev rw - tmpfs tmpfs rw\n${shm}`), { device: 61 }); });
  it('is not walked to over what may hang', () => { assert.deepEqual(mount(`40 1 0:50 / / rw - fuse.fuse-overlayfs x rw\n41 40 0:60 / /dev rw - tmpfs tmpfs rw\n${shm}`), { device: 61, hangs: 'fuse.fuse-overlayfs' }); });
  it('is none where no tmpfs is mounted there', () => { assert.equal(mount('40 1 0:50 / / rw - overlay overlay rw\n50 40 0:61 / /dev/shm rw - nfs4 x rw\n'), undefined); assert.equal(mount(''), undefined); });
});
