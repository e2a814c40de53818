// What a run must not leave behind: IPC objects of the machine and processes of its own. Read without the product's
// help, so that the product's mistakes show: /proc/sysvipc (man 5 proc), /dev/shm, and a private mount of the mqueue file system.
import { mkdtempSync, readFileSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './processes.mjs';

/**
 * The IPC objects of this IPC namespace.
 * @returns {Promise<{objects: Map<string, string>, unseen: string[]}>} by identity, with a description; and what could not be looked at
 */
export async function ipcObjects() {
  const objects = new Map();
  const unseen = [];
  for (const [file, what] of [['shm', 'System V segment'], ['msg', 'System V queue'], ['sem', 'System V semaphore set']]) {
    const [header, ...lines] = readFileSync(`/proc/sysvipc/${file}`, 'utf8').trimEnd().split('\n');
    const names = header.trim().split(/\s+/);
    for (const line of lines) {
      const values = line.trim().split(/\s+/);
      const field = name => values[names.indexOf(name)];
      const creator = field('cpid') === undefined ? '' : `, made by process ${field('cpid')}`;
      // A segment without attachments that is marked to be destroyed, or a reused id with another ctime, is another object.
      objects.set(`${file}:${values[1]}:${field('ctime')}:${field('key')}`, `${what} ${values[1]}, key 0x${(Number(field('key')) >>> 0).toString(16)}${creator}`);
    }
  }
  try {
    for (const name of readdirSync('/dev/shm')) objects.set(`posix:${name}`, `${name.startsWith('sem.') ? 'POSIX semaphore' : 'POSIX segment'} /dev/shm/${JSON.stringify(name).slice(1, -1)}`);
  } catch (error) {
    unseen.push(`/dev/shm: ${error instanceof Error ? error.message : error}`);
  }
  try {
    for (const name of await posixQueues()) objects.set(`mq:${name}`, `POSIX queue ${JSON.stringify(name).slice(1, -1)}`);
  } catch {
    unseen.push('POSIX queues: the mqueue file system is not mounted, and only root can mount it');
  }
  return { objects, unseen };
}

/** Names of the POSIX queues, through a mount in a mount namespace of its own: nothing changes on the machine. */
async function posixQueues() {
  const folder = mkdtempSync(join(tmpdir(), 'mqueue-'));
  try {
    const script = 'mount -t mqueue mqueue "$1" && find "$1" -mindepth 1 -printf "%f\\0"';
    return (await run('unshare', ['--mount', 'sh', '-c', script, 'sh', folder], { quiet: true })).split('\0').filter(Boolean);
  } catch {
    return readdirSync('/dev/mqueue').filter(() => readFileSync('/proc/self/mounts', 'utf8').includes(' /dev/mqueue mqueue '));
  } finally {
    rmdirSync(folder);
  }
}

/**
 * What is there now and was not before.
 * @param {Map<string, string>} before
 * @param {Map<string, string>} after
 * @returns {string[]} descriptions
 */
export function leftBehind(before, after) {
  return [...after].filter(([identity]) => !before.has(identity)).map(([, description]) => description);
}
