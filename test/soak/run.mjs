// `npm run soak`: no false alarm, proved by the clock. Programs that work hard and are not deadlocked run for minutes each, while the probe
// is asked again and again who waits for whom. Not part of `npm test`: it takes half an hour and both processors.
//   npm run soak [-- --minutes N] [--probe FILE] [stress-ng|postgresql|vscode]…
// Exit status 1 when "deadlocked" or "deadlocked until a time limit" was said of a workload, or something was left behind.
import { mkdtempSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build, ensureDependencies } from '../workbench/dependencies.mjs';
import { ipcObjects } from '../workbench/leftovers.mjs';
import { artifacts, dist } from '../workbench/places.mjs';
import { endAllMarked, marked, progress, run } from '../workbench/processes.mjs';
import { Observer } from './observer.mjs';
import { raised } from './priority.mjs';
import * as postgresql from './postgresql.mjs';
import { summary } from './summary.mjs';
import * as stressNg from './stressNg.mjs';
import * as vscodeSession from './vscodeSession.mjs';

const workloads = new Map([stressNg, postgresql, vscodeSession].map(workload => [workload.name, workload]));

function usage(problem) {
  console.error(`${problem}; usage: npm run soak [-- --minutes N] [--probe FILE] [${[...workloads.keys()].join('|')}]…`);
  process.exit(2);
}

function options() {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { minutes: { type: 'string', default: '10' }, probe: { type: 'string' } } });
    const minutes = Number(values.minutes);
    if (!(minutes > 0 && minutes <= 1440)) usage(`'${values.minutes}' is no number of minutes`);
    const unknown = positionals.filter(name => !workloads.has(name));
    if (unknown.length > 0) usage(`unknown workload ${unknown.join(', ')}`);
    return { minutes, probe: values.probe === undefined ? undefined : resolve(values.probe), chosen: positionals.length === 0 ? [...workloads.keys()] : [...new Set(positionals)] };
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

const { minutes, probe, chosen } = options();
let interrupted = false;
let running;

/** Runs one workload under observation; resolves to whether all was well. */
async function soak(workload) {
  const why = await workload.missing();
  if (why !== undefined) {
    console.log(`${workload.name}: skipped: ${why}`);
    return true;
  }
  if (interrupted) return true;
  progress(`${workload.name} for ${minutes} min …`);
  const before = (await ipcObjects()).objects;
  const scratch = mkdtempSync(join(tmpdir(), 'ipc-inspector-soak-'));
  const observer = new Observer(probe ?? join(dist, 'probe.js'), artifacts, workload.name);
  let failure;
  try {
    await observer.open();
    running = await workload.start({ scratch, minutes });
    let over = false;
    // What comes to its end by itself gets a little longer, the others are stopped; an ill end of any fails.
    running.over.then(() => { over = true; }, error => { over = true; failure ??= error; });
    await observer.watch(Date.now() + minutes * 60_000 * (workload.ends ? 1.25 : 1), () => over || interrupted);
  } catch (error) {
    failure ??= error;
  }
  try {
    await running?.stop();
  } catch (error) {
    failure ??= error;
  }
  running = undefined;
  await observer.close().catch(error => { failure ??= error; });
  await endAllMarked();
  rmSync(scratch, { recursive: true, force: true });
  const left = await cleanUp(before, observer.ours);
  console.log(summary(observer));
  for (const what of left) console.log(`left behind by ${workload.name}: ${what}`);
  if (failure) console.log(`${workload.name} failed: ${failure instanceof Error ? failure.message : failure}`);
  return !failure && left.length === 0 && observer.alarms.length === 0;
}

/** What the workload left of IPC objects, removed: only what a process of it was seen to have or to have made, because others work on this machine, too. */
async function cleanUp(before, ours) {
  const left = [];
  for (const [identity, description] of (await ipcObjects()).objects) {
    if (before.has(identity)) continue;
    const [kind, id] = identity.split(':');
    const creator = /made by process (\d+)/.exec(description)?.[1];
    const file = kind === 'posix' ? `/dev/shm/${identity.slice('posix:'.length)}` : undefined;
    const own = creator !== undefined ? ours.pids.has(Number(creator)) : ours.names.has(file ?? `/${identity.slice('mq:'.length)}`);
    if (!own) continue;
    left.push(description);
    if (file !== undefined) rmSync(file, { force: true });
    else if (kind !== 'mq') await run('ipcrm', [{ shm: '-m', msg: '-q', sem: '-s' }[kind], id], { quiet: true });
  }
  return left;
}

/** Whatever the moment: everything that was started ends. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {
  if (interrupted) return;
  interrupted = true;
  progress('\nStopping …');
});

await ensureDependencies();
if (probe === undefined) await build();
else if (!existsSync(probe)) usage(`there is no ${probe}`);
const lowered = raised();
let well = true;
for (const name of chosen) if (!interrupted) well = await soak(workloads.get(name)) && well;
lowered();
await endAllMarked();
const survivors = marked();
for (const { pid, command } of survivors) console.log(`still there: ${pid} ${command}`);
process.exit(interrupted ? 130 : well && survivors.length === 0 ? 0 : 1);
