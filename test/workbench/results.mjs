// Reads what reporter.cjs wrote, prints it for a person, and adds it up.
import { existsSync, readFileSync } from 'node:fs';

/**
 * `retried`: an attempt that failed; the test is tried again.
 * @typedef {{event: 'retried', title: string, milliseconds?: number, error: string} | {event: 'start', total: number} | {event: 'passed', title: string, milliseconds?: number} | {event: 'skipped', title: string, reason: string}
 *   | {event: 'failed', title: string, error: string} | {event: 'end'}} Event
 * @typedef {{passed: number, failed: number, skipped: number}} Tally
 */

/** Adds tallies up. */
export function add(...tallies) {
  return tallies.reduce((sum, tally) => ({ passed: sum.passed + tally.passed, failed: sum.failed + tally.failed, skipped: sum.skipped + tally.skipped }), { passed: 0, failed: 0, skipped: 0 });
}

/** The line of one event, or null where there is nothing to say. */
function line(event) {
  switch (event.event) {
    case 'passed': return `  ✓ ${event.title}${event.milliseconds > 1000 ? ` (${(event.milliseconds / 1000).toFixed(1)} s)` : ''}`;
    case 'skipped': return `  - ${event.title}\n      skipped: ${event.reason}`;
    case 'retried': return `  ↻ ${event.title} (${((event.milliseconds ?? 0) / 1000).toFixed(1)} s): ${event.error.split('\n', 1)[0]}`;
    case 'failed': return `  ✗ ${event.title}\n${event.error.split('\n').map(text => `      ${text}`).join('\n')}`;
    default: return null;
  }
}

/** Prints the events of a file as they come. */
export class Following {
  #file;
  #read = 0;
  #rest = '';
  /** @type {Event[]} */
  events = [];

  constructor(file) {
    this.#file = file;
  }

  /** Prints what is new. */
  look() {
    if (!existsSync(this.#file)) return;
    const all = readFileSync(this.#file);
    this.#rest += all.toString('utf8', this.#read);
    this.#read = all.length;
    const lines = this.#rest.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const json of lines) {
      const event = JSON.parse(json);
      this.events.push(event);
      const text = line(event);
      if (text !== null) console.log(text);
    }
  }

  /** The sums so far. A suite that did not reach its end, or found no test, has one failure more. */
  tally(suite, why = 'it ended early') {
    this.look();
    const count = kind => this.events.filter(event => event.event === kind).length;
    const tally = { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
    const problem = !this.events.some(event => event.event === 'end') ? why
      : tally.passed + tally.failed + tally.skipped === 0 ? 'it found no test' : null;
    if (problem !== null) {
      console.log(`  ✗ ${suite}: ${problem}`);
      tally.failed += 1;
    }
    return tally;
  }
}
