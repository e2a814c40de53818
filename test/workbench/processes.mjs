// Starts programs and makes sure that none outlives the run. Terminals and debuggees leave their starter's process
// group (setsid), so a group alone proves nothing: every program of a run inherits a mark in its environment instead,
// and whoever still carries the mark at the end is one of ours (/proc/PID/environ, man 5 proc).
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const variable = 'IPC_INSPECTOR_RUN';

/** The mark of this run. A script started by another script of the run adds its own mark and keeps the outer one. */
export const mark = `${process.env[variable] ? `${process.env[variable]}.` : ''}${randomBytes(6).toString('hex')}`;
process.env[variable] = mark;

/** A progress line for the person who waits: always standard error, so that standard output stays for results. */
export function progress(text) {
  process.stderr.write(`${text}\n`);
}

/**
 * Runs a command to its end.
 * @param {string} command
 * @param {string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, quiet?: boolean}} [options] quiet: output is kept and only part of the error when it fails
 * @returns {Promise<string>} standard output when quiet, else ''. Rejects with the command, its status and the end of its output.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd, env: options.env ?? process.env,
      stdio: options.quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 2, 2],
    });
    let out = '';
    let all = '';
    child.stdout?.on('data', data => { out += data; all += data; });
    child.stderr?.on('data', data => { all += data; });
    child.on('error', error => reject(new Error(`cannot start ${command}: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(out);
      else reject(new Error(`${command} ${args.join(' ')} ended with ${signal ?? `status ${code}`}\n${all.slice(-4000)}`));
    });
  });
}

/**
 * Every live process that carries a mark in its environment, except this one.
 * @param {string} [wanted] the mark; by default that of this run
 * @returns {{pid: number, command: string}[]}
 */
export function marked(wanted = mark) {
  const found = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const own = readFileSync(`/proc/${entry}/environ`, 'latin1').split('\0').find(line => line.startsWith(`${variable}=`));
      const value = own?.slice(variable.length + 1);
      if (value === wanted || value?.startsWith(`${wanted}.`)) {
        found.push({ pid, command: readFileSync(`/proc/${entry}/cmdline`, 'latin1').replaceAll('\0', ' ').trim() });
      }
    } catch {
      // Gone meanwhile, or another user's: not one of ours.
    }
  }
  return found;
}

/**
 * Waits until a condition holds.
 * @template T
 * @param {() => T | Promise<T>} condition truthy ends the wait
 * @param {number} milliseconds how long at most
 * @param {string | (() => string)} what for the error: "cannot …: waited 10 s for WHAT"
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(condition, milliseconds, what) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() >= end) throw new Error(`waited ${milliseconds / 1000} s for ${typeof what === 'function' ? what() : what}`);
    await pause(50);
  }
}

/**
 * Asks the given processes to end, then makes them.
 * @param {() => number[]} alive the pids that still live
 * @param {number} milliseconds how long they may take to end by themselves
 */
export async function end(alive, milliseconds = 5000) {
  const signal = name => {
    for (const pid of alive()) {
      try {
        process.kill(pid, name);
      } catch {
        // Ended between the look and the signal: what was wanted.
      }
    }
  };
  signal('SIGTERM');
  try {
    await until(() => alive().length === 0, milliseconds, 'processes to end');
  } catch {
    // A stopped process does not act on SIGTERM and a deadlocked one may not either; SIGKILL needs no cooperation.
    signal('SIGKILL');
    await until(() => alive().length === 0, milliseconds, () => `these processes to end: ${alive().join(', ')}`);
  }
}

/** Ends whatever this run started and that still lives. (A process's own mark is not in its own environ, only in its children's.) */
export async function endAllMarked(wanted = mark) {
  await end(() => marked(wanted).map(found => found.pid));
}
