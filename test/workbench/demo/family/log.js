// Waits for messages: most of the time it is blocked in msgrcv.
const { setImmediate } = require('node:timers');
const { libc, beginChild } = require('../libc');

beginChild('log');
const [msqid] = process.argv.slice(2).map(Number);

function next() {
  const buffer = Buffer.alloc(8 + 256);
  const length = libc.msgrcv(msqid, buffer, 256, 0, 0);
  console.log(`log ${process.pid}: ${buffer.toString('utf8', 8, 8 + length)}`);
  setImmediate(next);
}
next();
