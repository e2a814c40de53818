// Writes a reading into the segment twice a second, tells the reader by the semaphore set and now and then the log by the queue.
const { libc, flags, sembuf, msgbuf, beginChild } = require('../libc');

beginChild('measure');
const [msqid, shmid, semid] = process.argv.slice(2).map(Number);
const address = libc.shmat(shmid, 0, 0);

let reading = 0;
setInterval(() => {
  reading += 1;
  const text = Buffer.from(`reading ${reading}: ${(20 + Math.sin(reading / 10)).toFixed(2)} degrees\0`);
  // SEM_UNDO: if this process dies here, the kernel gives the semaphore back.
  libc.semop(semid, sembuf([0, -1, flags.SEM_UNDO]), 1);
  libc.memcpy(address, text, text.length);
  libc.semop(semid, sembuf([0, 1, flags.SEM_UNDO]), 1);
  libc.semop(semid, sembuf([1, 1]), 1);
  if (reading % 4 === 0) {
    const message = msgbuf(1, `after ${reading} readings`);
    libc.msgsnd(msqid, message, message.length - 8, 0);
  }
}, 500);
