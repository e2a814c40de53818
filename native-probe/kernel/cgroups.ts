// The container and the unit a process runs in, learnt from the text of /proc/PID/cgroup alone (cgroups(7)): no daemon is
// asked, nothing is entered. Versions 1 and 2, both drivers (cgroupfs, systemd), and paths relative to a cgroup namespace
// (`/../../…`), which keep their last parts.
import { textOf } from './procfs';

export interface Residence {
  /** "docker 0123456789ab", "lxc web", …; absent when no part of its path names a container. */
  readonly container?: string;
  /** The systemd unit: "nginx.service", "session-2.scope"; absent where systemd manages no part of the path. */
  readonly unit?: string;
}

/** 64 hexadecimal digits of the Open Container Initiative's runtimes, told by their first twelve as `docker ps` does. */
const id = '([0-9a-f]{12})[0-9a-f]{52}';
/** What a part of a path looks like when a container's name is in it. `monitor`: it holds the runtime's own process, outside the container. */
const parts: readonly { readonly pattern: RegExp; readonly runtime: string }[] = [
  { pattern: /^(?:libpod-conmon|crio-conmon)-|^lxc\.monitor\b|^supervisor$/, runtime: 'monitor' },
  { pattern: new RegExp(`^libpod-${id}(?:\\.scope)?$`), runtime: 'podman' },
  { pattern: new RegExp(`^(?:cri-containerd|crio)-${id}(?:\\.scope)?$`), runtime: 'kubernetes' },
  // containerd with the systemd driver's notation, but cgroupfs below: SLICE:cri-containerd:ID.
  { pattern: new RegExp(`:(?:cri-containerd|crio):${id}$`), runtime: 'kubernetes' },
  { pattern: new RegExp(`^docker-${id}(?:\\.scope)?$`), runtime: 'docker' },
  { pattern: new RegExp(`^(?:nerdctl|containerd|buildkit)-${id}(?:\\.scope)?$`), runtime: 'containerd' },
  { pattern: /^lxc\.payload\.(.+)$/s, runtime: 'lxc' },
  { pattern: /^systemd-nspawn@(.+)\.service$/s, runtime: 'nspawn' },
  { pattern: /^machine-(.+)\.scope$/s, runtime: 'machine' },
  { pattern: /^app-flatpak-(.+)-\d+\.scope$/s, runtime: 'flatpak' },
  { pattern: /^snap\.([^.]+)\..+\.(?:scope|service)$/s, runtime: 'snap' },
];
const bareId = new RegExp(`^${id}$`);

/** Deepest part first: a container within a container is the one that the process is in. */
function containerOfPath(path: readonly string[]): string | undefined {
  for (let at = path.length - 1; at >= 0; at--) {
    const part = path[at] ?? '';
    for (const { pattern, runtime } of parts) {
      const match = pattern.exec(part);
      if (!match) continue;
      if (runtime === 'monitor') return undefined;
      const inPod = path.slice(0, at).some(above => /^kube(?:let-kube)?pods\b|^kubepods/.test(above));
      return named(inPod ? 'kubernetes' : runtime, match[1] ?? '');
    }
    const above = path[at - 1];
    const bare = bareId.exec(part)?.[1];
    if (bare !== undefined) return named(runtimeAbove(path.slice(0, at)), bare);
    if (above === 'lxc' || above === 'lxc.payload') return named('lxc', part);
  }
  return undefined;
}

/**
 * Whether the memory controller is one of cgroup version 1, by any process's /proc/PID/cgroup. There a program may tell the kernel to write
 * to an eventfd (cgroup.event_control, cgroups(7)), and then close everything but the eventfd.
 */
export function memoryIsVersion1(cgroupText: string): boolean {
  return /^[1-9]\d*:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:/m.test(cgroupText);
}

/** Whose a part is that is nothing but an id: cgroupfs names the runtime in a part above, a cgroup namespace hides it. */
function runtimeAbove(path: readonly string[]): string {
  for (const part of [...path].reverse()) {
    if (part === 'docker') return 'docker';
    if (part.startsWith('kubepods') || part.startsWith('kubelet')) return 'kubernetes';
    if (part === 'libpod_parent') return 'podman';
    if (part === 'ecs') return 'ecs';
  }
  return 'container';
}

function named(runtime: string, name: string): string {
  return `${runtime} ${shown(name)}`;
}

/** systemd writes "-" and other bytes of a name as \xNN (systemd.unit(5)). The name is bytes that others chose: shown as text. */
function shown(name: string): string {
  return textOf(name.replace(/\\x([0-9a-f]{2})/gi, (_, byte: string) => String.fromCharCode(parseInt(byte, 16))));
}

/** The unit that manages a path: its deepest part that is a service or a scope; a manager of a user's units stands above those. */
function unitOfPath(path: readonly string[]): string | undefined {
  for (let at = path.length - 1; at >= 0; at--) {
    const part = path[at] ?? '';
    if (/^[^:]+\.(?:service|scope)$/.test(part)) return shown(part);
  }
  return undefined;
}

/** Many processes share one cgroup, and it seldom changes: each text is parsed once. Emptied before it grows large. */
const known = new Map<string, Residence>();

/** Where a process lives, by its /proc/PID/cgroup (Latin-1 text). */
export function residenceOf(cgroupText: string): Residence {
  let residence = known.get(cgroupText);
  if (residence) return residence;
  residence = parseResidence(cgroupText);
  if (known.size >= 2000) known.clear();
  known.set(cgroupText, residence);
  return residence;
}

function parseResidence(cgroupText: string): Residence {
  let container: string | undefined, unit: string | undefined;
  for (const line of cgroupText.split('\n')) {
    // HIERARCHY:CONTROLLERS:PATH; the path may hold colons. " (deleted)": the cgroup is removed, its name is still true.
    const match = /^\d+:([^:]*):(\/.*)$/s.exec(line);
    if (!match) continue;
    const path = (match[2] ?? '').replace(/ \(deleted\)$/, '').split('/').filter(part => part !== '' && part !== '..');
    container ??= containerOfPath(path);
    // Only systemd's own hierarchy tells units: version 2, or the named one of version 1.
    if (match[1] === '' || match[1] === 'name=systemd') unit ??= unitOfPath(path);
  }
  return { ...(container === undefined ? {} : { container }), ...(unit === undefined ? {} : { unit }) };
}
