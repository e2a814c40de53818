// Which processes belong to the workload: whoever descends from this run, seen so at any time, or carries its mark.
import { readFileSync } from 'node:fs';
import { mark } from '../workbench/processes.mjs';

export class Ours {
  /** PID to start time: a PID that was used again belongs to somebody else. */
  #known = new Map();
  #now = new Map();
  #asked = new Map();
  /** Every PID that ever belonged to it, for what such a process may have left. */
  pids = new Set();
  /** /dev/shm/NAME and /QUEUE that such a process had. */
  names = new Set();

  /** @param {object} snapshot */
  learn({ processes, objects, handles }) {
    this.#now = new Map(processes.map(each => [each.pid, each]));
    for (const process of processes) if (this.#descends(process)) { this.#known.set(process.pid, process.startTime); this.pids.add(process.pid); }
    const named = new Map(objects.filter(({ kind }) => /^posix-(?:shared-memory|semaphore|message-queue)$/.test(kind)).map(({ id, kind, name }) => [id, kind === 'posix-message-queue' ? name : `/dev/shm${kind === 'posix-semaphore' ? name.replace('/', '/sem.') : name}`]));
    for (const { objectId, pid } of handles) if (named.has(objectId) && this.has(pid)) this.names.add(named.get(objectId));
  }

  /** @param {number} pid of the last snapshot */
  has(pid) {
    const process = this.#now.get(pid);
    if (!process) return false;
    if (this.#known.get(pid) === process.startTime) return true;
    // Its parent ended before anybody looked.
    const key = `${pid} ${process.startTime}`;
    if (!this.#asked.has(key)) this.#asked.set(key, isMarked(pid));
    if (this.#asked.get(key)) { this.#known.set(pid, process.startTime); this.pids.add(pid); }
    return this.#asked.get(key);
  }

  #descends(from) {
    for (let at = from, depth = 0; at && depth < 1000; at = this.#now.get(at.ppid), depth++) {
      if (at.ppid === process.pid || this.#known.get(at.pid) === at.startTime) return true;
    }
    return false;
  }
}

function isMarked(pid) {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`IPC_INSPECTOR_RUN=${mark}`);
  } catch {
    return false; // Gone meanwhile, or another user's.
  }
}
