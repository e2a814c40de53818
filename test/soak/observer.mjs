// Asks the probe again and again who waits for whom while a workload runs, and keeps count. Programs that work are not deadlocked: a
// finding that says so is a mistake of the probe until the dump shows otherwise.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { dump, keep, stateOf } from './dump.mjs';
import { Ours } from './ours.mjs';

/** Verdicts that must not be said of a program that works. */
const alarming = new Set(['deadlocked', 'deadlocked-until-timeout']);
/** One look in so many is made by a command of its own. */
const coldEvery = 25;
/** Between two looks: the workload wants the processors, too. */
const rest = 30;
/** Of so many findings about other programs the snapshots are kept. */
const mostElsewhere = 40;
/** A look that takes longer than this has hung. */
const patience = 120_000;

export class Observer {
  looks = 0;
  coldLooks = 0;
  milliseconds = [];
  blocked = 0;
  /** By operation, and by operation and verdict other than waiting: how often seen. */
  operations = new Map();
  verdicts = new Map();
  /** By shape of the explanation: how often, and one whole example. */
  shapes = new Map();
  /** What makes the soak fail. */
  alarms = [];
  elsewhere = new Set();
  #child;
  #connection;
  #ended;

  /** @param {string} probe its bundle @param {string} artifacts where dumps go @param {string} name of the workload */
  constructor(probe, artifacts, name) {
    this.probe = probe;
    this.artifacts = artifacts;
    this.name = name;
    this.ours = new Ours();
  }

  async open() {
    this.#child = spawn(process.execPath, [this.probe, 'serve'], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#connection = createMessageConnection(new StreamMessageReader(this.#child.stdout), new StreamMessageWriter(this.#child.stdin));
    this.#ended = once(this.#child, 'exit').then(([code, signal]) => { throw new Error(`the probe ended with ${signal ?? `status ${code}`}`); });
    this.#ended.catch(() => undefined); // It ends by itself at last: only while it is asked something is that an error.
    this.#connection.listen();
    await this.#ask('initialize', { protocolVersion: 1, client: 'soak' });
  }

  async close() {
    this.#connection?.dispose();
    if (this.#child && this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.stdin.end();
      await once(this.#child, 'exit');
    }
  }

  async #ask(method, params) {
    let timer;
    const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`the probe did not answer ${method} for ${patience / 1000} s`)), patience); });
    try {
      return await Promise.race([this.#connection.sendRequest(method, params), this.#ended, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Looks until the time is over, or `stop` says so.
   * @param {number} until as Date.now() tells it
   * @param {() => boolean} stop
   */
  async watch(until, stop) {
    while (Date.now() < until && !stop()) {
      const cold = this.looks % coldEvery === coldEvery - 1;
      const begin = performance.now();
      const snapshot = cold ? this.#cold() : (await this.#ask('snapshot', { waits: true })).snapshot;
      if (!cold) this.milliseconds.push(performance.now() - begin);
      this.looks++;
      if (cold) this.coldLooks++;
      await this.#take(snapshot);
      await pause(rest);
    }
  }

  /** The command's answer; its exit status must say the same as its findings. */
  #cold() {
    const { stdout, stderr, status, error } = spawnSync(process.execPath, [this.probe, 'waits', '--json'], { encoding: 'utf8', maxBuffer: 1 << 30, timeout: patience });
    if (error || (status !== 0 && status !== 3)) throw new Error(`ipc-probe waits --json: ${error?.message ?? `exit status ${status}`}\n${stderr}`);
    const snapshot = JSON.parse(stdout);
    const expected = snapshot.findings.some(({ verdict }) => alarming.has(verdict) || verdict === 'orphaned') ? 3 : 0;
    if (status !== expected) throw new Error(`ipc-probe waits --json: exit status ${status} with the findings ${snapshot.findings.map(({ verdict }) => verdict).join(', ') || 'none'}`);
    return snapshot;
  }

  async #take(snapshot) {
    this.ours.learn(snapshot);
    for (const { pid, operation, verdict } of snapshot.waits) {
      if (!this.ours.has(pid)) continue;
      this.blocked++;
      count(this.operations, operation);
      if (verdict !== 'waiting') count(this.operations, `${operation}: ${verdict}`);
    }
    for (const finding of snapshot.findings) {
      const inside = finding.threads.some(({ pid }) => this.ours.has(pid));
      // Other programs of this machine may well be deadlocked: that is said once and is nobody's failure.
      if (!inside) {
        if (!this.elsewhere.has(finding.explanation)) this.#noteElsewhere(finding, snapshot);
        continue;
      }
      count(this.verdicts, finding.verdict);
      const known = this.#shape(finding, snapshot);
      if (alarming.has(finding.verdict) || (known && finding.verdict === 'orphaned')) {
        const text = await dump(finding, snapshot, async () => (await this.#ask('snapshot', { waits: true })).snapshot, this.artifacts, this.name);
        process.stderr.write(`${text}\n`);
        if (alarming.has(finding.verdict)) this.alarms.push(finding.explanation);
      }
    }
  }

  #noteElsewhere(finding, snapshot) {
    this.elsewhere.add(finding.explanation);
    const file = alarming.has(finding.verdict) && this.elsewhere.size <= mostElsewhere ? keep(this.artifacts, `${this.name}-elsewhere`, { finding, snapshot, now: stateOf(finding.threads) }) : undefined;
    process.stderr.write(`  elsewhere on this machine, ${finding.verdict}: ${finding.explanation}${file === undefined ? '' : ` (${file})`}\n`);
  }

  /** Counts the shape of an explanation; true when it is new. */
  #shape({ verdict, explanation, gaps, threads, chain }, snapshot) {
    const shape = `${verdict}: ${explanation.replace(/0x[0-9a-f]+/g, 'ADDRESS').replace(/\d+/g, 'N').replace(/( waits for [^.]*\.)(?:.*\1)+/g, '$1').replace(/, pid N|(?:, [\w.:-]+ \(N\))+/g, '')}`;
    const known = this.shapes.get(shape);
    if (known) { known.count++; return false; }
    const reasons = gaps.map(id => snapshot.gaps.find(gap => gap.id === id)?.reason ?? id);
    const members = snapshot.waits.filter(wait => threads.some(({ tid }) => tid === wait.tid));
    this.shapes.set(shape, { count: 1, verdict, explanation, gaps: reasons, threads: threads.length, chain, waits: members });
    return true;
  }
}

/** @param {Map<string, number>} counts @param {string} key */
function count(counts, key) {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
