// What a namespace is called: by the container or unit that lives there, else by its number. Pure.
import { facility } from '../../native-probe/facilityTable';
import type { IpcObject, Known, Namespaces } from '../../native-probe/model';
import { count, processName, visible } from './presentation';
import { grouped } from '../snapshotIndex';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';

type NamespaceKind = 'ipc' | 'net' | 'mnt';

/** Which kind of namespace scopes objects of a kind: the network's for sockets, the mounts' for what lies in /dev/shm, IPC for the rest. */
export function namespaceKind(kind: IpcObject['kind']): NamespaceKind {
  if (kind === 'posix-shared-memory' || kind === 'posix-semaphore') return 'mnt';
  return facility(kind).category === 'byte stream' ? 'net' : 'ipc';
}

export interface NamespaceWords { readonly label: string; readonly description: string; readonly own: boolean }

const known = new WeakMap<SnapshotIndex, Map<string, NamespaceWords>>();

/** Label and description of a namespace; looked up once a snapshot. */
export function namespaceWords(kind: NamespaceKind, namespace: Known<string>, index: SnapshotIndex): NamespaceWords {
  let words = known.get(index);
  if (!words) known.set(index, words = new Map<string, NamespaceWords>());
  const key = `${kind}:${namespace}`;
  const found = words.get(key) ?? wordsOf(kind, namespace, index);
  words.set(key, found);
  return found;
}

function wordsOf(kind: NamespaceKind, namespace: Known<string>, index: SnapshotIndex): NamespaceWords {
  if (namespace === null) return { label: kind === 'ipc' ? l10n.t('Unknown IPC namespace') : kind === 'net' ? l10n.t('Unknown network namespace') : l10n.t('Unknown mount namespace'), description: '', own: false };
  const inside = index.snapshot.processes.filter(process => process.namespaces[kind] === namespace);
  const own = namespace === ownNamespace(kind, index);
  const numbered = kind === 'ipc' ? l10n.t('IPC namespace {0}', visible(namespace)) : kind === 'net' ? l10n.t('network namespace {0}', visible(namespace)) : l10n.t('mount namespace {0}', visible(namespace));
  const residents = count(inside.length, l10n.t('1 process'), n => l10n.t('{0} processes', n));
  if (own) return { label: l10n.t('{0} (this machine)', visible(index.snapshot.host.hostname, 60)), description: [numbered, residents].join(' · '), own };
  const [first, ...others] = index.snapshot.host.namespaceNames?.[namespace] ?? [...grouped(inside, it => it.container).keys()];
  if (first !== undefined) {
    return { label: others.length === 0 ? visible(first, 80) : l10n.t('{0} and {1} more', visible(first, 80), others.length), description: [numbered, residents].join(' · '), own };
  }
  const eldest = inside[0];
  return { label: numbered, description: [...(eldest ? [l10n.t('{0} ({1})', processName(eldest, eldest.pid), eldest.pid)] : []), residents].join(' · '), own };
}

/** The namespace of the probe itself. The host names that of IPC; the probe's own process, or that of PID 1, tells the network's. */
function ownNamespace(kind: keyof Namespaces & NamespaceKind, { snapshot: { host }, processes }: SnapshotIndex): string | undefined {
  if (kind === 'mnt') return host.mntNamespace;
  return kind === 'ipc' ? host.ipcNamespace : host.netNamespace ?? (processes.get(host.pid) ?? processes.get(1))?.namespaces.net ?? undefined;
}

/** Objects by namespace, the own one first, then by name; undefined when there is only the own one, or when none scopes them. */
export function byNamespace(kind: IpcObject['kind'], objects: readonly IpcObject[], index: SnapshotIndex): readonly { readonly namespace: Known<string>; readonly words: NamespaceWords; readonly objects: readonly IpcObject[] }[] | undefined {
  const groups = grouped(objects, it => it.namespace);
  if (groups.size === 0) return undefined;
  const named = [...groups].map(([namespace, its]) => ({ namespace, words: namespaceWords(namespaceKind(kind), namespace, index), objects: its }));
  if (named.length === 1 && named[0]?.words.own) return undefined;
  return named.sort((a, b) => Number(b.words.own) - Number(a.words.own) || a.words.label.localeCompare(b.words.label) || (a.namespace ?? '').localeCompare(b.namespace ?? ''));
}
