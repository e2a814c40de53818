// Starts the programs of blocked processes (test/fixtures/waits-*.c), asks the probe about them, and states claims over tables of situations.
import { strict as assert } from 'node:assert';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { memoryIsVersion1 } from '../../native-probe/kernel/cgroups';
import { syscallNumber } from '../../native-probe/kernel/syscalls';
import type { SyscallName } from '../../native-probe/kernel/syscalls';
import type { Finding, IpcKind, Snapshot, Wait } from '../../native-probe/model';
import { as, canBecomeOrdinary, fixture, hasCompiler, ipcProbe, isRoot, ordinaryUser, probePath, Program, scratchDirectory, until } from './harness';
import { ProbeServer } from './probeServer';
import { skip } from '../skip';

/** A running situation. `roles`: its processes in the order in which the program names them; one may stand there for each of its threads. */
export interface Situation { readonly program: Program; readonly roles: readonly number[]; readonly directory: string; readonly endsWhenTold: boolean }

/** Situations with objects that outlive their processes: the program removes them when it is told to. */
const endsWhenTold = /^(?:sem|consumer|philosophers|msg|messages|named_queue)/;
let serial = 0;

/** Calls that block where no signal wakes (state D); in others that state is a moment of waiting for a disk. */
const uninterruptible = new Set(['vfork', 'clone'].map(name => syscallNumber(name as SyscallName)));

/** The call that a thread is blocked in, -1 where it is stopped; undefined while it runs. */
function blockedIn(pid: number, tid: string): number | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/task/${tid}/syscall`, 'latin1');
    const state = /\) (\S)/.exec(readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1'))?.[1] ?? '';
    const number = /^\d/.test(line) ? Number(line.split(' ')[0]) : undefined;
    return state === 'T' || state === 't' ? -1 : state === 'S' || (state === 'D' && uninterruptible.has(number)) ? number : undefined;
  } catch {
    return undefined; // the thread just ended
  }
}

/** Starts a situation and waits until everybody is blocked in what the program said. */
export async function start(family: string, name: string, user: number | undefined): Promise<Situation> {
  const directory = join(scratchDirectory(), `situation-${serial++}`);
  mkdirSync(directory);
  chmodSync(directory, 0o777);
  const program = Program.start(fixture(`waits-${family}`), [name, directory], user === undefined ? {} : { user });
  const parts = (await program.line()).split(' ').map(part => part.split(':'));
  const expected = new Map<string, number>();
  for (const part of parts) expected.set(part.join(':'), (expected.get(part.join(':')) ?? 0) + 1);
  await until(() => [...expected].every(([key, count]) => {
    const [pid = '', calls = ''] = key.split(':');
    const numbers = calls.split('|').map(call => call === '-' ? -1 : syscallNumber(call as SyscallName));
    const tids = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [];
    return tids.filter(tid => numbers.includes(blockedIn(Number(pid), tid))).length >= count;
  }), `everybody of "${name}" is blocked: ${[...expected.keys()].join(' ')}`);
  return { program, roles: parts.map(([pid]) => Number(pid)), directory, endsWhenTold: endsWhenTold.test(name) };
}

export async function end({ program, roles, directory, endsWhenTold: told }: Situation): Promise<void> {
  if (told) {
    program.tell('end');
    assert.equal(await program.line(), 'gone');
  }
  await program.stop();
  await until(() => roles.every(pid => !existsSync(`/proc/${pid}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))), 'every process of the situation is gone');
  rmSync(directory, { recursive: true });
}

/** `waits --json` about some processes. `status`: what it must exit with. */
export function waitsOf(pids: readonly number[], user: number | undefined, status?: number): Snapshot {
  const outcome = ipcProbe(['waits', '--json', '--pid', [...new Set(pids)].join(',')], user === undefined ? {} : { user });
  if (status !== undefined) assert.equal(outcome.status, status, outcome.stderr + said(outcome.stdout));
  return JSON.parse(outcome.stdout) as Snapshot;
}

/** What the probe said, short enough for the message of a failing test. */
function said(stdout: string): string {
  try {
    const { findings, waits } = JSON.parse(stdout) as Snapshot;
    return JSON.stringify({ findings, waits }, undefined, 1).slice(0, 6000);
  } catch {
    return stdout.slice(0, 2000);
  }
}

/** One blocked thread. */
export interface BlockingClaim {
  readonly situation: string;
  /** Which of the processes blocks; the first unless told. */
  readonly role?: number;
  readonly operation: string;
  /** Kind of the object; absent where the wait has none. */
  readonly object?: IpcKind;
  /** Whether it has a limit. */
  readonly limited?: true;
  /** The processes that can unblock it, by role, clause by clause. */
  readonly by?: readonly (readonly number[])[];
  readonly external?: RegExp;
  /** Of a gap that its clause carries. */
  readonly gap?: RegExp;
}

/** A wait against a claim. Other threads may be blocked in the same process. */
export function assertBlocked(snapshot: Snapshot, { roles }: Situation, claim: BlockingClaim): void {
  const pid = roles[claim.role ?? 0];
  const all = snapshot.waits.filter(wait => wait.pid === pid);
  const wait = all.find(each => each.operation === claim.operation);
  const seen = JSON.stringify(all, undefined, 1);
  assert(wait, `pid ${pid} is not in ${claim.operation}: ${seen}`);
  assert.equal(snapshot.objects.find(object => object.id === wait.objectId)?.kind, claim.object, seen);
  assert.equal(wait.timeout !== undefined, claim.limited === true, seen);
  if (claim.limited) assertAboutAnHour(wait);
  if (claim.by) assert.deepEqual(wait.clauses.map(clause => [...new Set(clause.alternatives.flatMap(alternative => alternative.threads.map(thread => thread.pid)))].sort((a, b) => a - b)), claim.by.map(ones => [...new Set(ones.map(role => roles[role]))].sort()), seen);
  const external = wait.clauses.map(clause => clause.external).find(reason => reason !== undefined);
  if (claim.external) assert.match(external ?? '', claim.external, seen); else assert.equal(external, undefined, seen);
  const gaps = wait.clauses.flatMap(clause => clause.gaps ?? []).map(id => snapshot.gaps.find(gap => gap.id === id)?.reason ?? id);
  if (claim.gap) assert.match(gaps.join('; '), claim.gap, seen); else assert.deepEqual(gaps, [], seen);
  assert(wait.evidence.length > 0);
}

/** All limits of these programs are an hour from now, one way or another. */
function assertAboutAnHour({ timeout }: Wait): void {
  assert(typeof timeout === 'string');
  const absolute = Date.parse(timeout);
  const seconds = Number(/^(?:CLOCK_MONOTONIC )?([\d.]+) s$/.exec(timeout)?.[1] ?? Number.NaN);
  const left = timeout.startsWith('CLOCK_MONOTONIC') ? seconds - Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) : Number.isNaN(seconds) ? (absolute - Date.now()) / 1000 : seconds;
  assert(Math.abs(left - 3600) < 60 || timeout === '45 s', timeout);
}

/** What a situation must be called: by verdict, the members by role; nothing else. Without: no finding at all. */
export interface VerdictClaim {
  readonly situation: string;
  readonly claim: string;
  readonly verdict?: Finding['verdict'];
  readonly members?: readonly number[];
  /** Of a gap of the finding. */
  readonly gap?: RegExp;
}

export function assertVerdict(snapshot: Snapshot, { roles }: Situation, { verdict, members, gap }: VerdictClaim): void {
  const seen = JSON.stringify({ findings: snapshot.findings, waits: snapshot.waits.filter(wait => roles.includes(wait.pid)) }, undefined, 1);
  assert.deepEqual(snapshot.findings.map(finding => finding.verdict), verdict === undefined ? [] : [verdict], seen);
  const [finding] = snapshot.findings;
  if (!finding) return;
  const inOrder = (pids: readonly (number | undefined)[]): (number | undefined)[] => [...pids].sort((a = 0, b = 0) => a - b);
  assert.deepEqual(inOrder(finding.threads.map(thread => thread.pid)), inOrder((members ?? roles.map((_, role) => role)).map(role => roles[role])), seen);
  const gaps = finding.gaps.map(id => snapshot.gaps.find(each => each.id === id)?.reason ?? id).join('; ');
  if (gap) assert.match(gaps, gap, seen); else assert.equal(gaps, '', seen);
}

/** Every claim as a test, by root and by the programs' own ordinary user. */
export function claimSituations(family: string, blocking: readonly BlockingClaim[], verdicts: readonly VerdictClaim[]): void {
  describe(`waits: ${family}`, function () {
    this.timeout(60_000);
    before(function () { if (!hasCompiler()) skip(this, 'needs a C compiler (cc)'); });
    after(() => Program.stopAll());
    const users: readonly (readonly [string, number | undefined])[] = [[isRoot ? 'as root' : 'as the same user', undefined], ['as an ordinary user', ordinaryUser]];
    for (const [who, user] of users) {
      describe(who, () => {
        let running: Situation | undefined;
        // One that serves: hundreds of starts of the command would take most of the time. What the command makes of it: waits.test.ts.
        let probe: ProbeServer | undefined;
        before(async function () {
          if (user !== undefined && !canBecomeOrdinary()) skip(this, 'needs root, and a user to become');
          probe = await ProbeServer.start(...as(user, process.execPath, [probePath(), 'serve']), { HOME: scratchDirectory() });
        });
        after(() => probe?.end());
        const look = ({ roles }: Situation): Promise<Snapshot> => probe?.look([...new Set(roles)]) ?? assert.fail('no probe');
        afterEach(async () => {
          const ended = running;
          running = undefined;
          if (ended) await end(ended);
        });
        for (const claim of blocking) {
          it(`${claim.situation}: ${claim.operation}${claim.object ? ` on a ${claim.object}` : ''} is recognised, with who can end it`, async () => {
            running = await start(family, claim.situation, user);
            assertBlocked(await look(running), running, claim);
          });
        }
        for (const claim of verdicts) {
          it(`${claim.situation}: ${claim.claim} ${claim.verdict === undefined ? 'is no finding' : `is ${claim.verdict}`}`, async () => {
            running = await start(family, claim.situation, user);
            assertVerdict(await look(running), running, claim);
          });
        }
      });
    }
  });
}

/** Where the kernel may write to eventfds without a trace (cgroup version 1), who waits for one is at most suspected. */
export const byEventfd: Pick<VerdictClaim, 'verdict' | 'gap'> = memoryIsVersion1(readFileSync('/proc/self/cgroup', 'utf8')) ? { verdict: 'suspected', gap: /cgroup version 1/ } : { verdict: 'deadlocked' };
