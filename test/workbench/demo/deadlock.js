// Two processes that wait for each other for ever: the clerk holds a mutex and wants the ledger's lock, the auditor holds
// the ledger's lock and wants the mutex. The mutex is process-shared and lies in a System V segment; the ledger is locked by flock(2).
const { fork } = require('node:child_process');
const path = require('node:path');
const fs = require('node:fs');
const { libc, flags } = require('./libc');
const { keys, lockFile } = require('./names');

const shmid = libc.shmget(keys.deadlock.segment, 4096, flags.IPC_CREAT | 0o600);
const mutex = libc.shmat(shmid, 0, 0);
// pthread_mutexattr_t has 4 bytes (8 on aarch64), pthread_mutex_t 40 (48): both lie within the page.
const attributes = Buffer.alloc(16);
libc.pthread_mutexattr_init(attributes);
libc.pthread_mutexattr_setpshared(attributes, flags.PTHREAD_PROCESS_SHARED);
const zero = Buffer.alloc(64);
libc.memcpy(mutex, zero, zero.length);
libc.pthread_mutex_init(mutex, attributes);
fs.writeFileSync(lockFile, '');

const children = ['clerk.js', 'auditor.js'].map(name => fork(path.join(__dirname, 'deadlock', name), [String(shmid)]));
let holding = 0;
for (const child of children) {
  child.on('message', () => {
    holding += 1;
    // Only when each holds its lock is each told to want the other's: the deadlock is certain.
    if (holding === children.length) {
      for (const one of children) one.send('go');
      console.log(`deadlock ${process.pid}: clerk ${children[0].pid} and auditor ${children[1].pid} wait for each other`);
    }
  });
}

let ending = false;
function end() {
  if (ending) return;
  ending = true;
  for (const child of children) child.kill('SIGTERM');
  libc.shmctl(shmid, flags.IPC_RMID, 0);
  fs.rmSync(lockFile, { force: true });
  process.exit(0);
}
process.on('SIGTERM', end);
process.on('SIGINT', end);
setInterval(() => undefined, 60_000);
