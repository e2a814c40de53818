// `ipc-probe leaks -- COMMAND…`: runs it, tells what it left behind, and ends with 4 if that is anything, else as the command did.
import { openSync, writeSync, closeSync } from 'node:fs';
import { facility } from '../facilityTable';
import type { IpcObject } from '../model';
import type { Leak } from '../analysis/leaks';
import { CannotRun, runCommand } from './runCommand';
import type { Ended } from './runCommand';
import type { RunEnd } from './runWatch';
import { RunWatch } from './runWatch';
import { formatGaps, stateInBrief } from '../tables';
import { displayText } from '../kernel/text';

export const leakedStatus = 4;

export interface LeaksOptions {
  readonly json?: true;
  readonly output?: string;
  /** Only what is certain makes the exit status 4. */
  readonly certain?: true;
  /** Seconds. */
  readonly wait: number;
}

/** Runs the command and reports; the exit status of the verb. */
export async function reportLeaks(command: readonly string[], options: LeaksOptions): Promise<number> {
  // Before the command runs: what it does must not be for nothing.
  const file = options.output === undefined ? undefined : openSync(options.output, 'w', 0o666);
  const watch = await RunWatch.begin({ own: true });
  try {
    const ended = await runCommand(command, pid => watch.add(pid), pid => watch.ignore(pid));
    const end = await watch.end(options.wait * 1000);
    const text = options.json ? JSON.stringify(documentOf(command, ended, end), null, 2) : formatLeaks(command, ended, end);
    if (file !== undefined) writeSync(file, `${text}\n`);
    else if (options.json) process.stdout.write(`${text}\n`);
    else process.stderr.write(`${text}\n`);
    return end.leaks.some(leak => !options.certain || leak.certainty === 'certain') ? leakedStatus : ended.status;
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    process.stderr.write(`ipc-probe: ${error.message}\n`);
    return error.status;
  } finally {
    watch.close();
    if (file !== undefined) closeSync(file);
  }
}

function documentOf(command: readonly string[], ended: Ended, { snapshot, leaks, run, means }: RunEnd): unknown {
  return { ...snapshot, leaks, run: { command: command.map(shown), ...ended, ...run }, means };
}

function shown(word: string): string { return displayText(Buffer.from(word)); }

/** The report for people: what, where, why, how to remove it, and how it was learnt. */
export function formatLeaks(command: readonly string[], { status, signal }: Ended, { snapshot, leaks, run, means }: RunEnd): string {
  const name = shown(command[0] ?? '');
  const how = means.filter(({ used }) => used).map(({ what }) => what.replace('-', ' ')).join(', ');
  const running = run.stillRunning.length === 0 ? [] : [`Still running: ${run.stillRunning.slice(0, 8).map(pid => `pid ${pid}`).join(', ')}${run.stillRunning.length > 8 ? ', …' : ''}; what they use is not left behind yet.`];
  const missed = means.filter(({ used }) => !used).map(({ what, detail }) => `Not watched: ${what.replace('-', ' ')}: ${detail}.`);
  if (leaks.length === 0) return [`ipc-probe: ${name} left no IPC object behind (known by ${how}).`, ...running, ...missed].join('\n');
  const objects = new Map(snapshot.objects.map(object => [object.id, object]));
  const lines = [`ipc-probe: ${name} (${signal ?? `exit status ${status}`}) left ${leaks.length} IPC object${leaks.length === 1 ? '' : 's'} behind:`];
  for (const leak of leaks) lines.push(...leakLines(leak, objects.get(leak.objectId)));
  const removable = leaks.flatMap(({ objectId, what }) => what === 'left-behind' && facility(objects.get(objectId)?.kind ?? 'fifo').removable ? objectId : []);
  if (removable.length > 0) lines.push('', 'To remove, after another proof that nobody uses them:', `  ipc-probe remove ${removable.slice(0, 50).join(' ')}${removable.length > 50 ? ' …' : ''}`);
  return [...lines, '', `Known by ${how}.`, ...running, ...missed, formatGaps({ ...snapshot, gaps: snapshot.gaps.filter(({ scope }) => scope.objectId !== undefined && leaks.some(({ objectId }) => objectId === scope.objectId)) })].join('\n').trimEnd();
}

function leakLines({ objectId, what, certainty, evidence }: Leak, object: IpcObject | undefined): string[] {
  const title = object ? `${facility(object.kind).label} ${object.name ?? ''}${object.kind === 'fifo' || object.kind === 'unix-socket' ? ': its name is left' : `, ${stateInBrief(object)}`}` : objectId;
  return [`${certainty}${what === 'grew' ? ', grew' : ''}: ${title}`, `  ${objectId}`, ...evidence.map(fact => `  - ${fact}`)];
}
