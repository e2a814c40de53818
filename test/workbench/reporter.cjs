// Mocha's reporter for every suite, in Node and inside the extension host: one JSON line an event into the file that
// IPC_INSPECTOR_RESULTS names, written at once, so that a suite that hangs or dies still says how far it came.
const { appendFileSync } = require('node:fs');

/** mocha passes the runner; the constructor is its whole interface to a reporter. */
module.exports = class JsonLines {
  constructor(runner) {
    const file = process.env.IPC_INSPECTOR_RESULTS;
    const say = event => appendFileSync(file, `${JSON.stringify(event)}\n`);
    const title = test => test.titlePath().join(' › ');
    runner.on('start', () => say({ event: 'start', total: runner.total }));
    runner.on('pass', test => say({ event: 'passed', title: title(test), milliseconds: test.duration }));
    // skip.ts puts the reason on the test.
    runner.on('pending', test => say({ event: 'skipped', title: title(test), reason: test.skipReason ?? 'no reason given' }));
    // A failing hook comes here too, with its own title.
    runner.on('fail', (test, error) => say({ event: 'failed', title: title(test), error: describe(error) }));
    // Tried again: what it cost and why is worth knowing, although it may pass.
    runner.on('retry', (test, error) => say({ event: 'retried', title: title(test), milliseconds: test.duration, error: describe(error) }));
    runner.on('end', () => say({ event: 'end' }));
  }
};

function describe(error) {
  if (!(error instanceof Error) && typeof error?.message !== 'string') return String(error);
  const differ = 'expected' in error && 'actual' in error && error.expected !== undefined
    ? `\nexpected: ${inspect(error.expected)}\n  actual: ${inspect(error.actual)}` : '';
  const stack = error.stack ?? error.message;
  return `${stack.includes(error.message) ? stack : `${error.message}\n${stack}`}${differ}`;
}

function inspect(value) {
  return require('node:util').inspect(value, { depth: 6, maxStringLength: 2000 });
}
