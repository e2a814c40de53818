// The workload PostgreSQL: a server of its own on a UNIX socket in a temporary folder, started by hand as its own user, and pgbench with
// more clients than processors.
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { ensure } from '../workbench/debian.mjs';
import { end, run } from '../workbench/processes.mjs';
import { lower } from './priority.mjs';

const versions = '/usr/lib/postgresql';

/** The folder of the newest version's programs, as Debian installs them. */
function programs() {
  const newest = existsSync(versions) ? readdirSync(versions).map(Number).filter(Number.isFinite).sort((a, b) => b - a) : [];
  return newest.map(version => join(versions, String(version), 'bin')).find(folder => existsSync(join(folder, 'pgbench')) && existsSync(join(folder, 'initdb')));
}

export const name = 'postgresql';

export async function missing() {
  if (programs()) return undefined;
  // Debian's package would start a cluster of its own at once.
  const configuration = '/etc/postgresql-common/createcluster.conf';
  if (process.getuid?.() === 0 && !existsSync(configuration) && existsSync('/etc/debian_version')) {
    mkdirSync('/etc/postgresql-common', { recursive: true });
    writeFileSync(configuration, 'create_main_cluster = false\n');
  }
  const found = await ensure([join(versions, 'any')], ['postgresql']);
  return programs() ? undefined : found.why ?? 'pgbench is not there';
}

/** The server refuses to run as root: as root it runs as Debian's user postgres. */
async function serverUser() {
  if (process.getuid?.() !== 0) return { name: userInfo().username, prefix: [] };
  const id = async option => Number(await run('id', [option, 'postgres'], { quiet: true }));
  const [uid, gid] = [await id('-u'), await id('-g')];
  return { name: 'postgres', uid, gid, prefix: ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'] };
}

export async function start({ scratch, minutes }) {
  const bin = programs();
  const user = await serverUser();
  const data = join(scratch, 'data');
  mkdirSync(data, { mode: 0o700 });
  chmodSync(scratch, 0o711);
  if (user.uid !== undefined) for (const folder of [data, scratch]) chownSync(folder, user.uid, user.gid);
  const as = (program, ...args) => [...user.prefix, join(bin, program), ...args];
  const asUser = (program, ...args) => { const [command, ...rest] = as(program, ...args); return run(command, rest, { cwd: scratch, quiet: true }); };
  await asUser('initdb', '-D', data, '-A', 'trust', '-U', user.name, '--no-sync');
  // Small and busy: few buffers, a checkpointer and vacuum that have something to do, parallel queries.
  const settings = { listen_addresses: '', unix_socket_directories: scratch, shared_buffers: '16MB', max_connections: 60, fsync: 'off', checkpoint_timeout: '30s', autovacuum_naptime: '2s', max_wal_size: '64MB', min_parallel_table_scan_size: 0, parallel_setup_cost: 0, parallel_tuple_cost: 0, deadlock_timeout: '1s' };
  const [command, ...rest] = as('postgres', '-D', data, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]));
  const server = spawn(command, rest, { cwd: scratch, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  lower(server.pid);
  let log = '';
  server.stderr.on('data', piece => { log = (log + piece).slice(-4000); });
  let bench;
  let stopping = false;
  const alive = child => () => child && child.exitCode === null && child.signalCode === null ? [child.pid] : [];
  const stop = async () => {
    stopping = true;
    await end(alive(bench));
    // SIGINT: fast shutdown; the server removes its segment and semaphores.
    if (alive(server)().length > 0) server.kill('SIGINT');
    for (let i = 0; i < 100 && alive(server)().length > 0; i++) await new Promise(resolve => setTimeout(resolve, 100));
    await end(alive(server));
  };
  try {
    const connect = ['-h', scratch, '-U', user.name];
    for (let tries = 0; ; tries++) {
      try { await asUser('pg_isready', ...connect); break; } catch (error) {
        if (tries > 100 || alive(server)().length === 0) throw new Error(`PostgreSQL does not start: ${log || error}`, { cause: error });
        await new Promise(resolve => setTimeout(resolve, 100));
      }
    }
    await asUser('pgbench', ...connect, '-i', '-s', '2', '--quiet', 'postgres');
    // Few rows of branches and many clients: heavy and light locks, and semaphores to wait on.
    writeFileSync(join(scratch, 'parallel.sql'), 'SELECT sum(abalance) FROM pgbench_accounts;\n');
    const seconds = Math.ceil(minutes * 60) + 3600;
    const [benchCommand, ...benchRest] = as('pgbench', ...connect, '-n', '-c', '24', '-j', '4', '-T', String(seconds), '-b', 'tpcb-like@8', '-b', 'select-only@1', '-f', `${join(scratch, 'parallel.sql')}@1`, 'postgres');
    bench = spawn(benchCommand, benchRest, { cwd: scratch, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    lower(bench.pid);
    bench.stderr.on('data', piece => { log = (log + piece).slice(-4000); });
  } catch (error) {
    await stop();
    throw error;
  }
  const over = new Promise((resolve, reject) => {
    for (const child of [bench, server]) child.on('exit', (code, signal) => stopping ? resolve() : reject(new Error(`${child === bench ? 'pgbench' : 'PostgreSQL'} ended with ${signal ?? `status ${code}`}\n${log}`)));
  });
  return { over, stop };
}
