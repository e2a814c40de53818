// Two processes that wait for each other for ever, and a third behind them. The clerk holds the mutex of the till and wants
// that of the ledger; the auditor holds that of the ledger and wants that of the till. The messenger wants the flock(2)
// lock of a file that the auditor holds. The mutexes are process-shared and lie in a System V segment: each has one owner,
// a thread, so that nobody else can unlock it. (A file lock belongs to a whole process: any of Node's threads might give
// it up, which is why a ring over a file lock is certain only in a program with one thread: see c/deadlock.c.)
const { fork } = require('node:child_process');
const path = require('node:path');
const fs = require('node:fs');
const { libc, flags } = require('./libc');
const { keys, lockFile } = require('./names');

const shmid = libc.shmget(keys.deadlock.segment, 4096, flags.IPC_CREAT | 0o600);
const till = libc.shmat(shmid, 0, 0);
const ledger = till + 64;
// pthread_mutexattr_t has 4 bytes (8 on aarch64), pthread_mutex_t 40 (48): the two lie well apart in the page.
const attributes = Buffer.alloc(16);
libc.pthread_mutexattr_init(attributes);
libc.pthread_mutexattr_setpshared(attributes, flags.PTHREAD_PROCESS_SHARED);
const zero = Buffer.alloc(128);
libc.memcpy(till, zero, zero.length); // what an earlier run left
libc.pthread_mutex_init(till, attributes);
libc.pthread_mutex_init(ledger, attributes);
fs.writeFileSync(lockFile, '');

const children = ['clerk.js', 'auditor.js', 'messenger.js'].map(name => fork(path.join(__dirname, 'deadlock', name), [String(shmid)]));
let ready = 0;
for (const child of children) {
  child.on('message', () => {
    ready += 1;
    // Only when each holds its mutex is each told to want the other's: the deadlock is certain.
    if (ready === children.length) {
      for (const one of children) one.send('go');
      console.log(`deadlock ${process.pid}: clerk ${children[0].pid} and auditor ${children[1].pid} wait for each other, messenger ${children[2].pid} waits behind them`);
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
