// Ends the demo's processes and removes exactly its objects: those with this folder's keys and names.
//   node stop.js          end and remove        node stop.js --list     say what is there
const fs = require('node:fs');
const path = require('node:path');
const { libc, flags } = require('./libc');
const { folder, keys, names, lockFile, lockFileC } = require('./names');

const list = process.argv.includes('--list');

/** Processes that run a program of this folder: node with one of its files, or a C program built into build/. */
function processes() {
  const found = [];
  for (const entry of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    try {
      const exe = fs.readlinkSync(`/proc/${entry}/exe`);
      const words = fs.readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
      const cwd = fs.readlinkSync(`/proc/${entry}/cwd`);
      const script = path.basename(exe).startsWith('node')
        ? words.map(word => path.resolve(cwd, word)).find(file => file.startsWith(folder + path.sep) && file.endsWith('.js'))
        : undefined;
      const program = exe.startsWith(path.join(folder, 'build') + path.sep) ? exe : script;
      if (program && fs.existsSync(program) && !program.endsWith('stop.js')) found.push({ pid: Number(entry), program });
    } catch {
      // Gone meanwhile, or another user's.
    }
  }
  return found;
}

async function endProcesses() {
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    for (const { pid } of processes()) {
      try {
        process.kill(pid, signal);
      } catch {
        // Ended by itself.
      }
    }
    const until = Date.now() + 3000;
    while (processes().length > 0 && Date.now() < until) await new Promise(resolve => setTimeout(resolve, 20));
  }
}

/** @returns the object's id, or null where there is none. */
function existing(get, ...args) {
  try {
    return get(...args);
  } catch (error) {
    const ENOENT = 2;
    if (error.errno === ENOENT) return null;
    throw error;
  }
}

async function main() {
  if (list) for (const { pid, program } of processes()) console.log(`process ${pid} ${program}`);
  else await endProcesses();

  const { family, deadlock, c } = keys;
  const objects = [
    ...[family.queue, c.queue].map(key => ['queue', existing(libc.msgget, key, 0), id => libc.msgctl(id, flags.IPC_RMID, 0)]),
    ...[family.segment, family.stale, deadlock.segment, c.segment, c.stale, c.deadlock].map(key => ['segment', existing(libc.shmget, key, 0, 0), id => libc.shmctl(id, flags.IPC_RMID, 0)]),
    ...[family.set, c.set].map(key => ['semaphore set', existing(libc.semget, key, 0, 0), id => libc.semctl(id, 0, flags.IPC_RMID, 0)]),
  ];
  for (const [kind, id, remove] of objects) {
    if (id === null) continue;
    console.log(`${list ? '' : 'removed '}${kind} ${id}`);
    if (!list) remove(id);
  }
  for (const [unlink, name] of [[libc.mq_unlink, names.queue], [libc.shm_unlink, names.segment], [libc.sem_unlink, names.semaphore]]) {
    if (!list && existing(unlink, name) !== null) console.log(`removed ${name}`);
  }
  if (!list) for (const file of [lockFile, lockFileC]) fs.rmSync(file, { force: true });
}

main().catch(error => {
  console.error(error.message);
  process.exitCode = 1;
});
