// Holds the mutex of the ledger and the lock of its file, wants the mutex of the till.
const fs = require('node:fs');
const { libc, flags, beginChild } = require('../libc');
const { lockFile } = require('../names');

beginChild('auditor');
const till = libc.shmat(Number(process.argv[2]), 0, 0);
const ledger = till + 64;
libc.pthread_mutex_lock(ledger);
libc.flock(fs.openSync(lockFile, 'r+'), flags.LOCK_EX);
process.on('message', () => libc.pthread_mutex_lock(till)); // never returns
process.send('holding the ledger');
