// Holds the mutex of the till, wants that of the ledger.
const { libc, beginChild } = require('../libc');

beginChild('clerk');
const till = libc.shmat(Number(process.argv[2]), 0, 0);
const ledger = till + 64;
libc.pthread_mutex_lock(till);
process.on('message', () => libc.pthread_mutex_lock(ledger)); // never returns
process.send('holding the till');
