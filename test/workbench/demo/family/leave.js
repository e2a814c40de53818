// Makes a segment, writes into it and ends without removing it: nobody is attached, its creator is gone, it is stale.
const { libc, flags } = require('../libc');
const { keys } = require('../names');

const shmid = libc.shmget(keys.family.stale, 65536, flags.IPC_CREAT | 0o600);
const address = libc.shmat(shmid, 0, 0);
const text = Buffer.from('results of a run that nobody came back for\0');
libc.memcpy(address, text, text.length);
libc.shmdt(address);
console.log(`leave ${process.pid}: left shmid ${shmid} behind`);
process.exit(0);
