// Containers and units by the text of /proc/PID/cgroup: captured from the runtimes named, hostile, and arbitrary.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { residenceOf } from '../../native-probe/kernel/cgroups';

const id = '0123456789ab'.padEnd(64, 'c');
const other = 'ba9876543210'.padEnd(64, 'd');

describe('/proc/PID/cgroup', () => {
  const cases: readonly (readonly [string, string, string | undefined, string | undefined])[] = [
    ['Docker, systemd driver, version 2', `0::/system.slice/docker-${id}.scope\n`, 'docker 0123456789ab', `docker-${id}.scope`],
    ['Docker, cgroupfs, version 1', `12:pids:/docker/${id}\n1:name=systemd:/docker/${id}\n`, 'docker 0123456789ab', undefined],
    ['Docker, cgroupfs, systemd inside', `0::/docker/${id}/system.slice/nginx.service\n`, 'docker 0123456789ab', 'nginx.service'],
    ['rootless Docker', `0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${id}.scope\n`, 'docker 0123456789ab', `docker-${id}.scope`],
    ['Docker in Docker: the inner one', `0::/docker/${id}/docker/${other}\n`, 'docker ba9876543210', undefined],
    ['Podman', `0::/machine.slice/libpod-${id}.scope/container\n`, 'podman 0123456789ab', `libpod-${id}.scope`],
    ['Podman in a pod', `0::/machine.slice/machine-libpod_pod_${other}.slice/libpod-${id}.scope\n`, 'podman 0123456789ab', `libpod-${id}.scope`],
    ['Podman, cgroupfs', `5:memory:/libpod_parent/libpod-${id}\n`, 'podman 0123456789ab', undefined],
    ['Podman\'s monitor is outside', `0::/machine.slice/libpod-conmon-${id}.scope\n`, undefined, `libpod-conmon-${id}.scope`],
    ['Kubernetes, containerd, systemd driver', `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1a2b_3c.slice/cri-containerd-${id}.scope\n`, 'kubernetes 0123456789ab', `cri-containerd-${id}.scope`],
    ['Kubernetes, CRI-O', `0::/kubepods.slice/kubepods-pod1a2b.slice/crio-${id}.scope\n`, 'kubernetes 0123456789ab', `crio-${id}.scope`],
    ['Kubernetes, Docker below', `0::/kubepods.slice/kubepods-pod1a2b.slice/docker-${id}.scope\n`, 'kubernetes 0123456789ab', `docker-${id}.scope`],
    ['Kubernetes, cgroupfs', `11:cpu:/kubepods/besteffort/pod1a2b-3c/${id}\n`, 'kubernetes 0123456789ab', undefined],
    ['Kubernetes, both notations', `9:cpu:/system.slice/containerd.service/kubepods-burstable-pod1a2b.slice:cri-containerd:${id}\n`, 'kubernetes 0123456789ab', undefined],
    ['Amazon ECS', `8:cpu:/ecs/8a9b/${id}\n`, 'ecs 0123456789ab', undefined],
    ['nerdctl', `0::/user.slice/nerdctl-${id}.scope\n`, 'containerd 0123456789ab', `nerdctl-${id}.scope`],
    ['LXC 4 and later, a dot in its name', '0::/lxc.payload.web.1/init.scope\n', 'lxc web.1', 'init.scope'],
    ['LXC before', '3:cpuset:/lxc/web/user.slice\n', 'lxc web', undefined],
    ['LXC\'s monitor is outside', '0::/lxc.monitor.web\n', undefined, undefined],
    ['systemd-nspawn', '0::/machine.slice/systemd-nspawn@web\\x2d1.service/payload/system.slice/cron.service\n', 'nspawn web-1', 'cron.service'],
    ['systemd-nspawn itself is outside', '0::/machine.slice/systemd-nspawn@web.service/supervisor\n', undefined, 'systemd-nspawn@web.service'],
    ['a registered machine', '0::/machine.slice/machine-web.scope/payload\n', 'machine web', 'machine-web.scope'],
    ['Flatpak', '0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-flatpak-com.visualstudio.code-4711.scope\n', 'flatpak com.visualstudio.code', 'app-flatpak-com.visualstudio.code-4711.scope'],
    ['snap', '0::/user.slice/user-1000.slice/user@1000.service/app.slice/snap.code.code.3f2a-11.scope\n', 'snap code', 'snap.code.code.3f2a-11.scope'],
    ['a service', '0::/system.slice/nginx.service\n', undefined, 'nginx.service'],
    ['a service, version 1: only systemd\'s own hierarchy tells', '4:memory:/system.slice/a.service\n1:name=systemd:/system.slice/b.service\n', undefined, 'b.service'],
    ['a session', '0::/user.slice/user-0.slice/session-2.scope\n', undefined, 'session-2.scope'],
    ['a user\'s unit, not the manager above it', '0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-code-77.scope\n', undefined, 'app-code-77.scope'],
    ['seen from a cgroup namespace: a brother, systemd driver', `0::/../docker-${id}.scope\n`, 'docker 0123456789ab', `docker-${id}.scope`],
    ['seen from a cgroup namespace: a brother, cgroupfs hides the runtime', `0::/../${id}\n`, 'container 0123456789ab', undefined],
    ['seen from a cgroup namespace: the host\'s', '0::/../../system.slice/ssh.service\n', undefined, 'ssh.service'],
    ['a removed cgroup', '0::/lxc.payload.web (deleted)\n', 'lxc web', undefined],
    ['no container at all', '0::/\n', undefined, undefined],
    ['ids of another length are no containers', '0::/docker/0123456789ab\n', undefined, undefined],
    ['nothing', '', undefined, undefined],
  ];
  for (const [what, text, container, unit] of cases) {
    it(`${what} → ${container ?? 'no container'}, ${unit === undefined ? 'no unit' : 'its unit'}`, () => {
      const found = residenceOf(text);
      assert.deepEqual([found.container, found.unit], [container, unit]);
    });
  }

  it('shows a hostile name as text', () => {
    assert.equal(residenceOf('0::/lxc.payload.a\x1b[31m<b>\\x0a\n').container, 'lxc a\\x1b[31m<b>\\x0a');
  });

  it('never throws, whatever the text', () => {
    const part = fc.oneof(fc.string(), fc.constantFrom('docker', 'lxc', 'lxc.payload.', 'kubepods', '..', id, `docker-${id}.scope`, 'machine-.scope', '.service', '\\x', '\\x2'));
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.array(part).map(path => `0::/${path.join('/')}\n`)), text => {
      const found = residenceOf(text);
      assert.ok(Object.values(found).every(value => value !== ''));
    }));
  });
});
