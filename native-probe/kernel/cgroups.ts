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

/**
 * Whether the memory controller is one of cgroup version 1, by any process's /proc/PID/cgroup. There a program may tell the kernel to write
 * to an eventfd (cgroup.event_control, cgroups(7)), and then close everything but the eventfd.
 */
export function memoryIsVersion1(cgroupText: string): boolean {
  return /^[1-9]\d*:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:/m.test(cgroupText);
}
