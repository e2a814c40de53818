// Holds the ledger's lock, wants the mutex.
const fs = require('node:fs');
const { libc, flags, endWithParent } = require('../libc');
const { lockFile } = require('../names');

endWithParent();
const mutex = libc.shmat(Number(process.argv[2]), 0, 0);
const ledger = fs.openSync(lockFile, 'r+');
libc.flock(ledger, flags.LOCK_EX);
process.on('message', () => libc.pthread_mutex_lock(mutex)); // never returns
process.send('holding the ledger');
