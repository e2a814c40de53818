// A family of processes that share a System V message queue, a segment and a semaphore set, and a POSIX queue, segment
// and semaphore. A child measures, one reads, one writes a log, and one leaves a segment behind that nobody uses any more.
// End it with Ctrl+C: it removes what the family shared. The segment left behind stays: it is there to be found and removed.
const { fork } = require('node:child_process');
const path = require('node:path');
const { libc, flags, sembuf } = require('./libc');
const { keys, names } = require('./names');

const { IPC_CREAT, IPC_RMID, SETVAL, O_NONBLOCK, O_RDWR, O_CREAT, PROT_READ, PROT_WRITE, MAP_SHARED } = flags;
const { queue, segment, set } = keys.family;
const EAGAIN = 11;

const msqid = libc.msgget(queue, IPC_CREAT | 0o600);
const shmid = libc.shmget(segment, 4096, IPC_CREAT | 0o600);
const semid = libc.semget(set, 2, IPC_CREAT | 0o600);
libc.semctl(semid, 0, SETVAL, 1); // semaphore 0 guards the segment
libc.semctl(semid, 1, SETVAL, 0); // semaphore 1 counts new readings

// struct mq_attr: mq_flags, mq_maxmsg, mq_msgsize, mq_curmsgs and four reserved longs.
const attributes = Buffer.alloc(64);
attributes.writeBigInt64LE(8n, 8);
attributes.writeBigInt64LE(128n, 16);
const alarms = libc.mq_open(names.queue, O_RDWR | O_CREAT | O_NONBLOCK, 0o600, attributes);
const alarm = Buffer.from('pressure too high');
try {
  libc.mq_send(alarms, alarm, alarm.length, 3); // it stays there: nobody receives it
} catch (error) {
  if (error.errno !== EAGAIN) throw error; // full of what earlier runs left: as good
}

const picture = libc.shm_open(names.segment, O_RDWR | O_CREAT, 0o600);
libc.ftruncate(picture, 16384);
const pixels = libc.mmap(0, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, picture, 0);
const title = Buffer.from('one page of this segment is written\0');
libc.memcpy(pixels, title, title.length);

const gate = libc.sem_open(names.semaphore, O_CREAT, 0o600, 0);
libc.sem_post(gate);

console.log(`family ${process.pid}: msqid ${msqid}, shmid ${shmid}, semid ${semid}, ${names.queue}, ${names.segment}, ${names.semaphore}`);
const children = ['measure.js', 'read.js', 'log.js', 'leave.js'].map(name => fork(path.join(__dirname, 'family', name), [String(msqid), String(shmid), String(semid)]));

let ending = false;
function end() {
  if (ending) return;
  ending = true;
  for (const child of children) child.kill('SIGTERM');
  libc.msgctl(msqid, IPC_RMID, 0);
  libc.shmctl(shmid, IPC_RMID, 0);
  libc.semctl(semid, 0, IPC_RMID, 0);
  libc.mq_unlink(names.queue);
  libc.shm_unlink(names.segment);
  libc.sem_unlink(names.semaphore);
  process.exit(0);
}
process.on('SIGTERM', end);
process.on('SIGINT', end);

let round = 0;
setInterval(() => {
  round += 1;
  // A good place for a breakpoint: the family is complete, and `sembuf` shows what a semaphore operation looks like.
  if (round % 20 === 0) console.log(`family ${process.pid}: ${round / 2} s`, sembuf([0, -1]));
}, 500);
