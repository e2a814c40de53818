// Holds the mutex, wants the ledger's lock.
const fs = require('node:fs');
const { libc, flags, endWithParent } = require('../libc');
const { lockFile } = require('../names');

endWithParent();
const mutex = libc.shmat(Number(process.argv[2]), 0, 0);
const ledger = fs.openSync(lockFile, 'r+');
libc.pthread_mutex_lock(mutex);
process.on('message', () => libc.flock(ledger, flags.LOCK_EX)); // never returns
process.send('holding the mutex');
