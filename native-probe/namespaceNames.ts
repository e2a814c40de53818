// What a namespace other than the probe's own is called: by the containers whose processes live there, by the name that
// `ip netns` mounted it under, by a host name of their own (uts_namespaces(7)), else by the systemd units there. Pure.
import type { Host, Process } from './model';
import { textOf } from './kernel/procfs';
import { parseMountinfo } from './kernel/mounts';

/** Names by namespace number, those with most processes first. The own namespaces have none: they are this machine's. */
export type NamespaceNames = Readonly<Record<string, readonly string[]>>;

/** Namespaces that are mounted somewhere (nsfs), by number: the last part of the path (ip-netns(8): /run/netns/NAME). */
export function mountedNamespaces(mountinfo: string): Map<string, string> {
  const names = new Map<string, string>();
  for (const { type, root, point } of parseMountinfo(mountinfo)) {
    const number = type === 'nsfs' ? /^\w+:\[(\d+)\]$/.exec(root)?.[1] : undefined;
    const name = point.slice(point.lastIndexOf('/') + 1);
    // The same one is often mounted twice (/run/netns and /var/run/netns).
    if (number !== undefined && name !== '' && !names.has(number)) names.set(number, textOf(name));
  }
  return names;
}

/** `hostnameOf`: the host name that a process sees, where it is not this machine's; asked for what has no better name. */
export function namespaceNames(processes: readonly Process[], mountinfo: string, host: Pick<Host, 'ipcNamespace' | 'mntNamespace' | 'netNamespace'>, hostnameOf: (process: Process) => string | undefined = () => undefined): NamespaceNames {
  const own = new Set([host.ipcNamespace, host.mntNamespace, host.netNamespace]);
  const mounted = mountedNamespaces(mountinfo);
  const inhabitants = new Map<string, Process[]>();
  for (const process of processes) {
    for (const kind of ['ipc', 'net', 'mnt'] as const) {
      const namespace = process.namespaces[kind];
      if (namespace === null || own.has(namespace)) continue;
      const inside = inhabitants.get(namespace);
      if (inside) inside.push(process);
      else inhabitants.set(namespace, [process]);
    }
  }
  const names: Record<string, readonly string[]> = {};
  for (const [namespace, inside] of inhabitants) {
    const containers = byNumber(inside, it => it.container);
    const direct = mounted.get(namespace);
    const found = containers.length > 0 ? containers : direct !== undefined ? [direct] : byNumber(inside, it => it.namespaces.net === null ? undefined : mounted.get(it.namespaces.net));
    const hostname = found.length > 0 || inside[0] === undefined ? undefined : hostnameOf(inside[0]);
    const named = found.length > 0 ? found : hostname !== undefined ? [`host ${hostname}`] : byNumber(inside, it => it.unit);
    if (named.length > 0) names[namespace] = named;
  }
  // Mounted, but nobody is in it: its name is all there is.
  for (const [namespace, name] of mounted) if (!own.has(namespace)) names[namespace] ??= [name];
  return names;
}

/** Distinct names, most frequent first, then in order. */
function byNumber(processes: readonly Process[], nameOf: (process: Process) => string | undefined): string[] {
  const counts = new Map<string, number>();
  for (const process of processes) {
    const name = nameOf(process);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([name]) => name);
}
