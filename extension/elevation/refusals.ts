// Why sudo and pkexec did not start the probe, from their own words (in the C locale) and exit status. Pure.
import { l10n } from '../translation';

/** What the user reads and can do; `cancelled` is no error. */
export type Refusal =
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'wrong-password' | 'not-permitted' | 'needs-terminal' | 'expired' | 'unusable' | 'failed'; readonly message: string };

/** sudo's messages (plugins/sudoers, src/*.c of sudo 1.8 and 1.9; src/common/error.rs of sudo-rs), most telling first. */
const sudoPatterns: readonly (readonly [RegExp, Exclude<Refusal['kind'], 'cancelled'>, () => string])[] = [
  [/(password|account).*(is|has) expired|account expired|change your password/i, 'expired', () => l10n.t('Your password or account has expired: change the password in a terminal (passwd), then look as administrator again.')],
  [/account validation failure/i, 'expired', () => l10n.t('Your account is locked or has expired: an administrator of this machine can unlock it.')],
  [/incorrect (password|authentication) attempts?|maximum \d+ .*attempts/i, 'wrong-password', () => l10n.t('The password was wrong too often. Nothing has changed; you can try again.')],
  [/not in the sudoers file|may not run sudo|afraid I can.t do that|is not allowed to (execute|run)|not allowed to run sudo|command not allowed/i, 'not-permitted', () => l10n.t('sudo does not permit you to become root on this machine. Its administrator can add you to the sudoers, or prepare a Node.js with capabilities (setting “ipcInspector.probeExecutable”).')],
  [/must have a tty|a terminal is required|no tty present/i, 'needs-terminal', () => l10n.t('sudo wants a terminal here (its option requiretty), and VS Code has none for it. An administrator can add “Defaults:USER !requiretty” with your name, or prepare a Node.js with capabilities (setting “ipcInspector.probeExecutable”).')],
  [/invalid option|unrecognized option|illegal option|interactive authentication is required/i, 'unusable', () => l10n.t('This sudo cannot let VS Code ask for the password (its option -A; sudo-rs has it in newer versions only). Install a newer one or the classic sudo, or prepare a Node.js with capabilities (setting “ipcInspector.probeExecutable”).')],
  [/no new privileges|effective uid is not 0|setuid bit set|nosuid|must be owned by uid 0/i, 'unusable', () => l10n.t('Programs cannot gain rights where VS Code runs: a container or sandbox forbids it. Start VS Code, or its server, outside of it.')],
  [/unable to run|exec format/i, 'failed', () => l10n.t('sudo could not run the program that asks for the password.')],
];

/** What sudo's end means. `cancelled`: the user closed the box. `stderr`: at most some kilobytes. */
export function sudoRefusal(stderr: string, status: number | null, cancelled: boolean): Refusal {
  for (const [pattern, kind, message] of sudoPatterns) {
    if (pattern.test(stderr) && !(cancelled && kind === 'needs-terminal')) {
      // Somebody who closes the box after a wrong try has cancelled; sudo still counts the tries.
      return cancelled && kind === 'wrong-password' ? { kind: 'cancelled' } : { kind, message: message() };
    }
  }
  if (cancelled) return { kind: 'cancelled' };
  return { kind: 'failed', message: l10n.t('sudo could not start the probe: {0}', lastLine(stderr) ?? l10n.t('exit status {0}', String(status))) };
}

/** What pkexec's end means (pkexec(1): 126 the dialogue was dismissed, 127 not authorized or an error). */
export function pkexecRefusal(stderr: string, status: number | null): Refusal {
  if (status === 126) return { kind: 'cancelled' };
  if (/no authentication agent|agent.*not.*(found|available|registered)/i.test(stderr)) return { kind: 'unusable', message: l10n.t('pkexec has nobody to ask for the password: no authentication agent runs in this session. Install sudo, or prepare a Node.js with capabilities (setting “ipcInspector.probeExecutable”).') };
  if (/error getting authority|could not connect/i.test(stderr)) return { kind: 'unusable', message: l10n.t('pkexec cannot reach the service that decides (polkit does not run here). Install sudo, or prepare a Node.js with capabilities (setting “ipcInspector.probeExecutable”).') };
  if (status === 127) return { kind: 'not-permitted', message: l10n.t('pkexec does not permit it: {0}', lastLine(stderr) ?? l10n.t('exit status {0}', 127)) };
  return { kind: 'failed', message: l10n.t('pkexec could not start the probe: {0}', lastLine(stderr) ?? l10n.t('exit status {0}', String(status))) };
}

function lastLine(text: string): string | undefined {
  return text.split('\n').map(it => it.trim()).filter(it => it !== '' && !/^(sudo|ipc-probe): *$/.test(it)).at(-1)?.slice(0, 300);
}
