// Actors of test/fixtures/waits-futex.c: started by their scripts, waited for until each of them is blocked, looked at, and ended.
import { strict as assert } from 'node:assert';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Snapshot, Wait } from '../../native-probe/model';
import { fixture, ipcProbe, Program, scratchDirectory, until } from './harness';

export interface Actor { readonly pid: number; readonly tid: number }
export interface Stage { readonly program: Program; readonly actors: readonly Actor[]; readonly pids: readonly number[]; readonly directory: string }
let serial = 0;

/** A file of /proc; empty when it is gone. */
export const read = (path: string): string => { try { return readFileSync(path, 'latin1'); } catch { return ''; /* ended meanwhile */ } };
/** What a blocked thread is in, and how often it ran; undefined while it runs, or is still at the starting line (read). */
export const standing = ({ pid, tid }: Actor): string | undefined => {
  const line = read(`/proc/${pid}/task/${tid}/syscall`);
  return line === '' || line.startsWith('running') || line.startsWith('0 ') ? undefined : line + read(`/proc/${pid}/task/${tid}/status`).replace(/^(?!vol|nonvol).*$/gm, '');
};

/** Starts actors and waits until each of them, but those in `running`, stands in the same call on two looks. */
export async function stageOf(script: readonly string[], user: number | undefined, { command = fixture('waits-futex'), gone = [], busy = false }: { command?: string; gone?: readonly number[]; busy?: boolean } = {}): Promise<Stage> {
  const directory = join(scratchDirectory(), `waits-futex-${process.pid}-${serial++}`);
  mkdirSync(directory);
  chmodSync(directory, 0o777);
  const program = Program.start(command, [directory, ...script], user === undefined ? {} : { user });
  const actors: Actor[] = [];
  for (let line = await program.line(); line !== 'ready'; line = await program.line()) {
    const [, index, pid, tid] = /^(\d+) (\d+)\/(\d+)$/.exec(line) ?? [];
    actors[Number(index)] = { pid: Number(pid), tid: Number(tid) };
  }
  const stage = { program, actors, pids: [...new Set(actors.map(actor => actor.pid))], directory };
  let before: (string | undefined)[] = [];
  const allStand = (): boolean => {
    const now = actors.map((actor, index) => gone.includes(index) ? /^State:\s+[^ZX]/m.test(read(`/proc/${actor.pid}/task/${actor.tid}/status`)) ? undefined : 'gone' : standing(actor));
    const same = now.every((each, index) => each !== undefined && each === before[index]);
    before = now;
    return same;
  };
  try {
    if (!busy) await until(allStand, `everybody of "${script.join('" "')}" is blocked`);
  } catch (error) {
    await end(stage);
    throw error;
  }
  return stage;
}

export async function end(stage: Stage): Promise<void> {
  await stage.program.stop();
  await until(() => stage.pids.every(pid => !existsSync(`/proc/${pid}`) || /^State:\s+Z/m.test(read(`/proc/${pid}/status`))), 'every process of the stage is gone');
  rmSync(stage.directory, { recursive: true });
  // Names that a killed program could not remove itself.
  for (const name of readdirSync('/dev/shm')) if (name.includes(`${basename(stage.directory)}-`)) rmSync(join('/dev/shm', name));
}

/** `waits --json` of a stage, as a user. */
export function look(stage: Stage | undefined, user: number | undefined, status?: number): Snapshot {
  assert(stage);
  const outcome = ipcProbe(['waits', '--json', '--pid', stage.pids.join(',')], user === undefined ? {} : { user });
  if (status !== undefined) assert.equal(outcome.status, status, outcome.stderr + outcome.stdout.slice(0, 2000));
  return JSON.parse(outcome.stdout) as Snapshot;
}
export const waitOf = (snapshot: Snapshot, actor: Actor | undefined): Wait | undefined => snapshot.waits.find(wait => wait.pid === actor?.pid && wait.tid === actor.tid);
/** Who can end a wait: PID, or PID/TID. */
export const threadsOf = (wait: Wait): string[] => wait.clauses.flatMap(clause => clause.alternatives.flatMap(alternative => alternative.threads.map(({ pid, tid }) => `${pid}${tid === undefined ? '' : `/${tid}`}`)));
