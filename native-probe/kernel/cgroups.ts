// The container or unit a process runs in, learnt from the text of /proc/PID/cgroup alone (cgroups(7)).

import { textOf } from './procfs';
const patterns: readonly (readonly [RegExp, string])[] = [
  [/\/docker[-/]([0-9a-f]{12})[0-9a-f]{52}(?:\.scope)?/, 'docker'],
  [/\/libpod-(?:conmon-)?([0-9a-f]{12})[0-9a-f]{52}(?:\.scope)?/, 'podman'],
  [/\/(?:cri-containerd|crio|containerd)-([0-9a-f]{12})[0-9a-f]{52}(?:\.scope)?/, 'kubernetes'],
  [/\/kubepods[^\n]*\/([0-9a-f]{12})[0-9a-f]{52}/, 'kubernetes'],
  [/\/lxc(?:\.payload)?[./]([^/\n]+)/, 'lxc'],
  [/\/machine\.slice\/([^/\n]+)\.scope/, 'machine'],
];

/** "docker 0123456789ab", "lxc web", …; undefined for a process that is in no container known by its cgroup path. */
export function containerOf(cgroupText: string): string | undefined {
  for (const [pattern, runtime] of patterns) {
    const name = pattern.exec(cgroupText)?.[1];
    if (name !== undefined) return `${runtime} ${textOf(name)}`;
  }
  return undefined;
}
