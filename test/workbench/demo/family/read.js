// Waits for readings: most of the time it is blocked in semop on semaphore 1 of the set.
const { setImmediate } = require('node:timers');
const { libc, flags, sembuf, beginChild } = require('../libc');

beginChild('read');
const [, shmid, semid] = process.argv.slice(2).map(Number);
const address = libc.shmat(shmid, 0, flags.SHM_RDONLY);

// A blocked main thread cannot act on signals in JavaScript. SIGTERM therefore keeps its default: it ends the process.
function next() {
  libc.semop(semid, sembuf([1, -1]), 1);
  libc.semop(semid, sembuf([0, -1, flags.SEM_UNDO]), 1);
  const reading = Buffer.alloc(64);
  libc.memmove(reading, address, reading.length);
  libc.semop(semid, sembuf([0, 1, flags.SEM_UNDO]), 1);
  setImmediate(next); // lets the debugger in between two readings
}
next();
