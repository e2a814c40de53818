// A run's figures for a person: how much was seen, and one example of each kind of finding.

const median = values => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** @param {import('./observer.mjs').Observer} observer @returns {string} */
export function summary({ name, looks, coldLooks, milliseconds, blocked, operations, verdicts, shapes, alarms, elsewhere }) {
  const seen = [...operations].filter(([operation]) => !operation.includes(':')).sort(([, a], [, b]) => b - a);
  const lines = [
    `\n${name}: ${looks} looks (${coldLooks} by the command), ${median(milliseconds).toFixed(0)} ms each (at most ${Math.max(0, ...milliseconds).toFixed(0)}), ${blocked} blocked threads seen`,
    `  waits: ${seen.map(([operation, times]) => `${operation} ${times}`).join(', ') || 'none'}`,
    `  findings: ${[...verdicts].map(([verdict, times]) => `${verdict} ${times}`).join(', ') || 'none'}`,
  ];
  if (elsewhere.size > 0) lines.push(`  of other programs of this machine: ${elsewhere.size}`);
  for (const { count, explanation, verdict, gaps, threads, waits } of [...shapes.values()].sort((a, b) => b.count - a.count)) {
    lines.push(`  ${count} × ${verdict} (${threads} threads): ${explanation}`, ...gaps.slice(0, 4).map(gap => `      unless: ${gap}`), ...gaps.length > 4 ? [`      and ${gaps.length - 4} gaps more`] : []);
    for (const wait of waits.slice(0, 4)) lines.push(`      ${wait.pid}/${wait.tid} ${wait.operation} (${wait.verdict}): ${wait.evidence.join('; ')}`);
  }
  lines.push(alarms.length === 0 ? '  nothing was called deadlocked' : `  ${alarms.length} FALSE ALARMS (or a deadlock of the workload: see the dumps)`);
  return lines.join('\n');
}
