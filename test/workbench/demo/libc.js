// The C functions the demo calls, by their manual-page names. Each returns what C returns, or throws with errno's text.
const fs = require('node:fs');
const { DataType, open, define } = require('ffi-rs');

open({ library: 'libc', path: 'libc.so.6' });

const int = DataType.I32;
const long = DataType.I64; // also pointers: user addresses fit exactly into a double
const text = DataType.String;
const bytes = DataType.U8Array;

const declarations = {
  // System V (sysvipc(7))
  msgget: [int, int, int], msgsnd: [int, int, bytes, long, int], msgrcv: [long, int, bytes, long, long, int], msgctl: [int, int, int, long],
  shmget: [int, int, long, int], shmat: [long, int, long, int], shmdt: [int, long], shmctl: [int, int, int, long],
  semget: [int, int, int, int], semop: [int, int, bytes, long], semctl: [int, int, int, int, long],
  // POSIX (mq_overview(7), shm_overview(7), sem_overview(7))
  mq_open: [int, text, int, int, bytes], mq_send: [int, int, bytes, long, int], mq_unlink: [int, text],
  shm_open: [int, text, int, int], shm_unlink: [int, text], ftruncate: [int, int, long], mmap: [long, long, long, int, int, int, long],
  sem_open: [long, text, int, int, int], sem_post: [int, long], sem_unlink: [int, text],
  // Memory that JavaScript cannot reach otherwise: memcpy is declared for the way in, memmove for the way out
  memcpy: [long, long, bytes, long], memmove: [long, bytes, long, long],
  // Locks
  pthread_mutexattr_init: [int, bytes], pthread_mutexattr_setpshared: [int, bytes, int], pthread_mutex_init: [int, long, bytes],
  pthread_mutex_lock: [int, long], flock: [int, int, int],
  prctl: [int, int, long, long, long, long],
};

const functions = define(Object.fromEntries(Object.entries(declarations).map(([name, [retType, ...paramsType]]) => [
  name, { library: 'libc', retType, paramsType, errno: true },
])));

/** Calls a function; -1 (or, for pthread_…, a number other than 0) is an error and throws. */
function call(name, ...args) {
  const { value, errnoCode, errnoMessage } = functions[name](args);
  const failed = name.startsWith('pthread_') ? value !== 0 : value === -1;
  if (failed) throw Object.assign(new Error(`${name}: ${name.startsWith('pthread_') ? `error ${value}` : errnoMessage}`), { errno: errnoCode });
  return value;
}

const libc = new Proxy({}, { get: (_, name) => (...args) => call(name, ...args) });

/**
 * What every child of the demo starts with: it takes a name, so that not all are called "node", and it ends when its parent
 * ends, however that ends: a debugger may kill the parent, and nobody may stay behind.
 */
function beginChild(name) {
  fs.writeFileSync('/proc/self/comm', name);
  const PR_SET_PDEATHSIG = 1;
  const SIGTERM = 15;
  libc.prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
}

const flags = {
  IPC_CREAT: 0o1000, IPC_EXCL: 0o2000, IPC_RMID: 0, IPC_NOWAIT: 0o4000, SEM_UNDO: 0x1000, SETVAL: 16, SHM_RDONLY: 0o10000, O_RDWR: 2, O_CREAT: 0o100, O_NONBLOCK: 0o4000, PROT_READ: 1, PROT_WRITE: 2, MAP_SHARED: 1, LOCK_EX: 2, PTHREAD_PROCESS_SHARED: 1,
};

/** struct sembuf: sem_num, sem_op, sem_flg, 16 bits each. */
function sembuf(...operations) {
  const buffer = Buffer.alloc(6 * operations.length);
  operations.forEach(([number, operation, flag = 0], i) => {
    buffer.writeUInt16LE(number, 6 * i);
    buffer.writeInt16LE(operation, 6 * i + 2);
    buffer.writeUInt16LE(flag, 6 * i + 4);
  });
  return buffer;
}

/** struct msgbuf: a long type, then the text. */
function msgbuf(type, message) {
  const body = Buffer.from(message);
  const buffer = Buffer.alloc(8 + body.length);
  buffer.writeBigInt64LE(BigInt(type));
  body.copy(buffer, 8);
  return buffer;
}

module.exports = { libc, flags, sembuf, msgbuf, beginChild };
