// The keys and names of the demo's objects. They are made of a hash of this folder's path, so that two copies of the demo
// never touch each other's objects and `stop.js` removes exactly what belongs to this one. c/names.h does the same sum.
const path = require('node:path');
const fs = require('node:fs');

const folder = fs.realpathSync(__dirname);

// FNV-1a, 32 bits.
let hash = 0x811c9dc5;
for (const byte of Buffer.from(folder)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;

/** System V keys are 0x1dHHHHNN: HHHH from the folder, NN says which object. */
const key = number => 0x1d000000 + ((hash & 0xffff) << 8) + number;
const posix = name => `/demo-${(hash & 0xffff).toString(16).padStart(4, '0')}-${name}`;

module.exports = {
  folder,
  lockFile: path.join(folder, 'ledger.lock'),
  lockFileC: path.join(folder, 'ledger-c.lock'),
  keys: {
    family: { queue: key(1), segment: key(2), set: key(3), stale: key(4) },
    deadlock: { segment: key(5) },
    c: { queue: key(0x11), segment: key(0x12), set: key(0x13), stale: key(0x14), deadlock: key(0x15) },
  },
  names: { queue: posix('alarms'), segment: posix('picture'), semaphore: posix('gate') },
};
