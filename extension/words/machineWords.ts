// Which machine's IPC is shown: its host name, how VS Code reaches it, and what the probe runs in there. Pure.
import type { Host, Surrounding } from '../../native-probe/model';
import { userName, visible } from './presentation';
import { l10n } from '../translation';

/** VS Code's names of remote authorities, as people call them. Others are shown as they are. */
const remotes: Readonly<Record<string, string>> = { 'ssh-remote': 'SSH', wsl: 'WSL', 'dev-container': 'Dev Container', 'attached-container': 'Dev Container', codespaces: 'Codespaces', tunnel: 'Tunnel' };

/** "host · SSH", "0123456789ab · Dev Container · docker 0123456789ab". `remoteName`: vscode.env.remoteName. */
export function machineWords(host: Pick<Host, 'hostname' | 'surroundings'>, remoteName: string | undefined): string {
  const remote = remoteName === undefined ? undefined : remotes[remoteName] ?? visible(remoteName, 40);
  const around = (host.surroundings ?? []).map(surroundingWords);
  return [...new Set([visible(host.hostname, 60), ...(remote === undefined ? [] : [remote]), ...around])].join(' · ');
}

/** With whose rights is looked: "as root", "as alice", "as alice with more rights" (a prepared Node.js). `more`: the probe has capabilities though it is not root's. */
export function rightsWords({ uid }: Pick<Host, 'uid'>, more: boolean): string {
  if (uid === 0) return l10n.t('as root');
  const name = visible(userName(uid), 40);
  return more ? l10n.t('as {0} with more rights', name) : l10n.t('as {0}', name);
}

/** What the probe runs in, in a few words. */
export function surroundingWords({ kind, name }: Surrounding): string {
  const shown = name === undefined ? '' : visible(name, 60);
  switch (kind) {
    case 'container': return shown === '' ? l10n.t('container') : shown;
    case 'wsl': return shown === '' ? 'WSL' : `WSL ${shown}`;
    case 'codespaces': return shown === '' ? 'Codespaces' : `Codespaces ${shown}`;
    case 'flatpak': return `Flatpak ${shown}`.trim();
    case 'snap': return `snap ${shown}`.trim();
  }
}
