// An ordinary user of this machine with a password, who may use sudo: made by root for a VS Code that does not run as root, and removed with it.
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ensure, find } from './debian.mjs';
import { run } from './processes.mjs';

/**
 * @typedef {object} OrdinaryUser
 * @property {string} name
 * @property {number} uid
 * @property {string} password
 * @property {string} home a fresh folder; everything the user's VS Code writes is in it
 * @property {(folder: string) => void} own gives a folder in the home, with all that is in it, to the user
 * @property {string} bin a folder with the privileged programs, which become root by sudo
 * @property {() => Promise<void>} remove
 */

/** Command and arguments that run something as a user. */
export function asUser(user, command, args) {
  return user ? ['setpriv', [`--reuid=${user.uid}`, `--regid=${user.uid}`, '--init-groups', command, ...args]] : [command, args];
}

/** The environment of a login of that user, with what is not about any user kept. */
export function environmentOf(user, env) {
  const kept = Object.entries(env).filter(([name]) => !/^(XDG_|SUDO_|npm_)|^(HOME|USER|LOGNAME|MAIL|SHELL)$/i.test(name));
  return { ...Object.fromEntries(kept), HOME: user.home, USER: user.name, LOGNAME: user.name, SHELL: '/bin/sh' };
}

/**
 * Makes a user.
 * @param {string[]} readable files that the user's programs must be able to read
 * @param {string[]} privileged programs that the user may run as root without a password, by the files of their names in `bin`
 * @returns {Promise<OrdinaryUser | {why: string}>} or why there can be none
 */
export async function makeOrdinaryUser(readable, privileged = []) {
  if (process.getuid?.() !== 0) return { why: 'only root can make a second user' };
  const sudo = await ensure(['/usr/bin/sudo'], ['sudo']);
  if (sudo.path === null) return { why: sudo.why };
  const missing = ['useradd', 'userdel', 'chpasswd', 'visudo', 'setpriv'].find(program => !find(program));
  if (missing) return { why: `${missing} is not installed` };
  const name = `ipcinsp${process.pid}`;
  const home = mkdtempSync(join(tmpdir(), 'ipc-inspector-home-'));
  const sudoers = `/etc/sudoers.d/ipc-inspector-page-${process.pid}`;
  const password = `s3cret ${randomBytes(9).toString('hex')} ä'"$`;
  const remove = async () => {
    rmSync(sudoers, { force: true });
    await run('userdel', [name], { quiet: true }).catch(() => undefined); // where it could not even be made
    for (const place of ['/run/sudo/ts', '/var/lib/sudo/ts', '/run/sudo/lectured', '/var/lib/sudo/lectured']) rmSync(join(place, name), { force: true });
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    await run('useradd', ['--no-create-home', '--home-dir', home, '--shell', '/bin/sh', name], { quiet: true });
    const uid = Number((await run('id', ['-u', name], { quiet: true })).trim());
    chmodSync(home, 0o755);
    chownSync(home, uid, uid);
    const bin = join(home, 'bin');
    mkdirSync(bin);
    for (const program of privileged) writeFileSync(join(bin, basename(program)), `#!/bin/sh\nexec sudo -n ${program} "$@"\n`, { mode: 0o755 });
    const user = { name, uid, password, home, bin, remove, own: folder => { chownAll(folder, uid); } };
    for (const file of readable) {
      try {
        await run(...asUser(user, 'head', ['-c1', file]), { quiet: true });
      } catch {
        await remove();
        return { why: `other users may not read ${file}: clone into a folder that they can enter` };
      }
    }
    // Over standard input: an argument list is everybody's to read.
    await run('sh', ['-c', 'chpasswd < "$1" && rm "$1"', 'sh', secretFile(home, `${name}:${password}\n`)], { quiet: true });
    // The last line that fits decides.
    writeFileSync(sudoers, [`${name} ALL=(ALL:ALL) ALL`, ...privileged.map(program => `${name} ALL=(root) NOPASSWD: ${program}`), ''].join('\n'), { mode: 0o440 });
    await run('visudo', ['-cqf', sudoers], { quiet: true });
    return user;
  } catch (error) {
    await remove();
    return { why: `no second user could be made: ${error instanceof Error ? error.message.split('\n')[0] : error}` };
  }
}

function secretFile(folder, text) {
  const file = join(folder, '.secret');
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

function chownAll(folder, uid) {
  chownSync(folder, uid, uid);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) chownAll(path, uid);
    else lchownSync(path, uid, uid);
  }
}
