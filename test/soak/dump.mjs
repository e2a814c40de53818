// Everything that helps to find out why a finding was said: the finding, its waits with their evidence, what stands in their gaps, and
// what /proc says of these threads now. The whole snapshot goes to a file.
import { mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const mostThreads = 12;
let number = 0;

/**
 * @param {object} finding
 * @param {object} snapshot
 * @param {() => Promise<object>} lookAgain another snapshot
 * @param {string} artifacts folder for the snapshot
 * @param {string} name of the workload
 * @returns {Promise<string>} for standard error
 */
export async function dump(finding, snapshot, lookAgain, artifacts, name) {
  // First of all, while it may still be so.
  const threads = finding.threads.slice(0, mostThreads);
  const now = stateOf(threads);
  await pause(2000);
  const later = await lookAgain();
  const same = later.findings.some(each => each.verdict === finding.verdict && each.threads.some(a => finding.threads.some(b => a.tid === b.tid)));
  const file = keep(artifacts, name, { finding, snapshot, now, later });
  const waits = threads.map(({ tid }) => snapshot.waits.find(wait => wait.tid === tid));
  const gaps = [...new Set(waits.flatMap(wait => wait?.clauses.flatMap(clause => clause.gaps ?? []) ?? []))];
  return [
    `\n${finding.verdict.toUpperCase()}: ${finding.explanation}`,
    `  two seconds later ${same ? 'it was still said' : 'it was not said any more'}; the snapshot is in ${file}`,
    ...waits.flatMap((wait, i) => [
      `  ${JSON.stringify(wait)}`, ...now[i].map(line => `    ${line}`),
    ]),
    ...gaps.map(id => `  gap ${id}: ${snapshot.gaps.find(gap => gap.id === id)?.reason ?? '?'}`),
  ].join('\n');
}

/** Writes what was found to a file of its own and returns the file. */
export function keep(artifacts, name, what) {
  mkdirSync(artifacts, { recursive: true });
  const file = join(artifacts, `soak-${name}-${process.pid}-${++number}.json`);
  writeFileSync(file, JSON.stringify(what));
  return file;
}

/** What /proc says of threads now, each in some lines. */
export const stateOf = threads => threads.map(({ pid, tid }) => ofThread(pid, tid));

function ofThread(pid, tid) {
  const base = `/proc/${pid}/task/${tid}`;
  const lines = ['syscall', 'wchan', 'stat', 'stack', 'status', 'children'].map(file => `${file}: ${read(`${base}/${file}`)}`);
  return [...lines, `descriptors: ${descriptors(pid)}`];
}

function read(file) {
  try {
    const text = readFileSync(file, 'latin1').trim();
    return file.endsWith('status') ? text.split('\n').filter(line => /^(?:State|Sig|Tracer|.*switches)/.test(line)).join('; ').replaceAll('\t', ' ') : text.replaceAll('\n', ' | ');
  } catch (error) {
    return String(error instanceof Error && 'code' in error ? error.code : error);
  }
}

function descriptors(pid) {
  try {
    return readdirSync(`/proc/${pid}/fd`).slice(0, 40).map(fd => {
      try {
        return `${fd}→${readlinkSync(`/proc/${pid}/fd/${fd}`)}`;
      } catch {
        return fd; // Closed meanwhile.
      }
    }).join(' ');
  } catch (error) {
    return String(error instanceof Error && 'code' in error ? error.code : error);
  }
}
