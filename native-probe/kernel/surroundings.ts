// What the probe itself runs in: a container, a sandbox, WSL, Codespaces. By files, variables and kernel texts that these leave.
import { existsSync } from 'node:fs';
import { release } from 'node:os';
import type { Surrounding } from '../model';
import { residenceOf } from './cgroups';
import { readText, textOf } from './procfs';

/** What tells it, read once a pass. Texts are Latin-1; undefined: there is no such file. */
export interface Evidence {
  readonly osrelease: string;
  /** /.flatpak-info, a key file of the Flatpak sandbox. */
  readonly flatpakInfo: string | undefined;
  /** /run/.containerenv, which Podman writes. */
  readonly containerenv: string | undefined;
  /** /.dockerenv is there. */
  readonly dockerenv: boolean;
  /** /run/systemd/container: what a container's systemd was told that it runs in. */
  readonly systemdContainer: string | undefined;
  readonly cgroup: string;
  /** /proc/self/attr/current: the label of the security module. */
  readonly label: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function readEvidence(): Evidence {
  return {
    osrelease: release(), flatpakInfo: readText('/.flatpak-info').value, containerenv: readText('/run/.containerenv').value, dockerenv: existsSync('/.dockerenv'),
    systemdContainer: readText('/run/systemd/container').value, cgroup: readText('/proc/self/cgroup').value ?? '', label: readText('/proc/self/attr/current').value ?? '',
    environment: process.env,
  };
}

const variable = (text: string | undefined): string | undefined => text === undefined || text === '' ? undefined : textOf(Buffer.from(text.slice(0, 200)).toString('latin1'));
const entry = (text: string, pattern: RegExp): string | undefined => { const found = pattern.exec(text)?.[1]; return found === undefined ? undefined : textOf(found.slice(0, 200)); };
const surrounding = (kind: Surrounding['kind'], name?: string): Surrounding => ({ kind, ...(name === undefined ? {} : { name }) });

/** Everything the probe is in, the widest first; empty on a plain machine. Pure. */
export function surroundingsOf({ osrelease, flatpakInfo, containerenv, dockerenv, systemdContainer, cgroup, label, environment }: Evidence): Surrounding[] {
  const found: Surrounding[] = [];
  if (/microsoft/i.test(osrelease)) found.push(surrounding('wsl', variable(environment['WSL_DISTRO_NAME'])));
  if (environment['CODESPACES'] === 'true') found.push(surrounding('codespaces', variable(environment['CODESPACE_NAME'])));
  const container = containerIn(residenceOf(cgroup).container, containerenv, dockerenv, systemdContainer, environment);
  if (container) found.push(container);
  if (flatpakInfo !== undefined) found.push(surrounding('flatpak', entry(flatpakInfo, /^name=(.+)$/m)));
  // SNAP_NAME alone is handed on to children that are outside; confined is only who has the snap's label.
  const snap = entry(label, /^snap\.([^.\s]+)\.\S+ \(enforce\)/);
  if (snap !== undefined) found.push(surrounding('snap', snap));
  return found;
}

/** The container: by the cgroup where the path still tells it, else by what its runtime put inside. */
function containerIn(resident: string | undefined, containerenv: string | undefined, dockerenv: boolean, systemdContainer: string | undefined, environment: Evidence['environment']): Surrounding | undefined {
  // Flatpak and snap are no containers, and are told by surer signs.
  if (resident !== undefined && !/^(?:flatpak|snap) /.test(resident)) return surrounding('container', resident);
  if (containerenv !== undefined) return surrounding('container', ['podman', entry(containerenv, /^name="(.+)"$/m)].filter(it => it !== undefined).join(' '));
  if (dockerenv) return surrounding('container', environment['KUBERNETES_SERVICE_HOST'] === undefined ? 'docker' : 'kubernetes');
  if (environment['KUBERNETES_SERVICE_HOST'] !== undefined) return surrounding('container', 'kubernetes');
  const told = (systemdContainer ?? variable(environment['container']))?.trim();
  return told === undefined || told === '' || /^(?:flatpak|wsl)$/i.test(told) ? undefined : surrounding('container', textOf(told.slice(0, 200)));
}
