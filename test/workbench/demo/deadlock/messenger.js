// Holds nothing, wants the lock of the ledger's file.
const fs = require('node:fs');
const { libc, flags, beginChild } = require('../libc');
const { lockFile } = require('../names');

beginChild('messenger');
process.on('message', () => libc.flock(fs.openSync(lockFile, 'r+'), flags.LOCK_EX)); // never returns
process.send('ready');
