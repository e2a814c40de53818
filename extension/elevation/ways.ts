// The ways to more rights, and the exact command of each. Programs are looked for where only root can put them, never along PATH.
import { lstatSync, readFileSync } from 'node:fs';
import { l10n } from '../translation';
import { whyUntrusted } from './trustedPath';

/**
 * Numbers of the capabilities that the probe can use (native-probe/kernel/capabilities.ts; a test holds them against each other): CHOWN, DAC_OVERRIDE,
 * DAC_READ_SEARCH, FOWNER, IPC_OWNER, SYS_PTRACE, SYS_ADMIN, PERFMON, BPF, CHECKPOINT_RESTORE. Numbers, because an older setpriv(1) lacks the newer names.
 */
export const usefulCapabilities = [0, 1, 2, 3, 15, 19, 21, 38, 39, 40];

const placesOf = (name: string): string[] => ['/usr/bin', '/bin', '/usr/local/bin', '/run/wrappers/bin', '/usr/sbin'].map(place => `${place}/${name}`);

export interface Way { readonly kind: 'sudo' | 'pkexec' | 'prepared'; readonly file: string }

export interface Surroundings {
  /** `ipcInspector.probeExecutable`; empty: none. */
  readonly prepared: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Finds a program by name among places; for tests. */
  readonly find?: (name: string) => string | undefined;
}

/** The way to take here. Throws, saying what to do, when there is none. */
export function chooseWay({ prepared, environment, find = findProgram }: Surroundings): Way {
  if (prepared !== '') {
    const untrusted = whyUntrusted(prepared);
    if (untrusted !== undefined) throw new Error(l10n.t('“ipcInspector.probeExecutable” cannot be used: {0}', untrusted));
    return { kind: 'prepared', file: prepared };
  }
  const sudo = find('sudo');
  if (sudo !== undefined) return { kind: 'sudo', file: sudo };
  // An agent shows pkexec's question; it belongs to a graphical session.
  const graphical = Boolean(environment['DISPLAY'] ?? environment['WAYLAND_DISPLAY']);
  const pkexec = find('pkexec');
  if (pkexec !== undefined && graphical) return { kind: 'pkexec', file: pkexec };
  throw new Error(pkexec === undefined
    ? l10n.t('There is neither sudo nor pkexec on this machine. Install sudo, or have a Node.js prepared with capabilities (setting “ipcInspector.probeExecutable”).')
    : l10n.t('There is no sudo on this machine, and pkexec can only ask in a graphical session. Install sudo, or have a Node.js prepared with capabilities (setting “ipcInspector.probeExecutable”).'));
}

/** A program of root's, where only root can put one. */
export function findProgram(name: string): string | undefined {
  return placesOf(name).find(file => {
    try {
      return lstatSync(file).isFile() || lstatSync(file).isSymbolicLink() ? whyUntrusted(file, 0) === undefined : false;
    } catch {
      return false; // not there
    }
  });
}

/** What runs the probe with the rights of root: the environment emptied, and rights that it cannot use taken from all of its threads before it begins. */
export function rootCommand(node: string, probe: string, find: (name: string) => string | undefined = findProgram): string[] {
  const setpriv = find('setpriv'), env = find('env') ?? '/usr/bin/env';
  // Only util-linux's setpriv knows bounding sets; BusyBox's is reached by a symbolic link, and then the probe alone gives up what it can (its
  // first thread). `env -i` is understood by both.
  const narrowed = setpriv !== undefined && lstatSync(setpriv).isFile()
    ? [setpriv, `--bounding-set=-all,${usefulCapabilities.filter(it => it <= lastCapability()).map(it => `+cap_${it}`).join(',')}`, '--inh-caps=-all', '--clear-groups', '--no-new-privs'] : [];
  return [...narrowed, env, '-i', 'PATH=/usr/bin:/bin', 'ELECTRON_RUN_AS_NODE=1', node, probe, 'serve', '--confined'];
}

/** The last one that this kernel knows: setpriv(1) refuses greater numbers. */
function lastCapability(): number {
  return Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8').trim());
}
