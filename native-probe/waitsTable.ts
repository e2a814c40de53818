// The table of `ipc-probe waits`: findings first, then blocked threads.
import type { Snapshot } from './model';

export function formatWaits(snapshot: Snapshot): string {
  return snapshot.findings.map(finding => `${finding.verdict}: ${finding.explanation}`).join('\n');
}
