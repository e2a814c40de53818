// Containers for tests: namespaces of their own made by unshare(1), a /dev/shm and a cgroup with a container's name, and the
// program that makes objects inside of them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import type { Process, Snapshot } from '../../native-probe/model';
import { fixture, isRoot, Program, until } from './harness';

/** Where systemd's hierarchy or version 2 of cgroups is mounted; undefined where neither can be written. */
function cgroupRoot(): string | undefined {
  return ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find(path => existsSync(`${path}/cgroup.procs`) && spawnSync('sh', ['-c', `mkdir '${path}/ipc-inspector-try' && rmdir '${path}/ipc-inspector-try'`]).status === 0);
}

/** Whether containers can be made here: root, unshare(1), and namespaces that the kernel gives. */
export function canContain(): boolean {
  return isRoot && spawnSync('unshare', ['--ipc', '--net', '--mount', '--uts', '--pid', '--fork', 'mount', '-t', 'tmpfs', 'none', '/dev/shm']).status === 0;
}

export interface Container {
  readonly program: Program;
  /** PID of the program inside. */
  readonly innerPid: number;
  /** What the probe shall call it; undefined where no cgroup could be made. */
  readonly label: string | undefined;
  ask(line: string): Promise<string>;
  /** The program as a snapshot shows it. */
  in(snapshot: Snapshot): Process;
  stop(): Promise<void>;
}

/** Starts the program `ipc` in new IPC, PID, mount, network and UTS namespaces. `how`: further options of unshare(1). */
export async function startContainer(name: string, { how = [], setup = 'mount -t tmpfs none /dev/shm && mount -t proc proc /proc' }: { how?: readonly string[]; setup?: string } = {}): Promise<Container> {
  const root = cgroupRoot();
  const cgroup = root === undefined ? undefined : `${root}/lxc.payload.${name}`;
  if (cgroup !== undefined) mkdirSync(cgroup, { recursive: true });
  const join = cgroup === undefined ? '' : `echo $$ > '${cgroup}/cgroup.procs'; `;
  const program = Program.start('sh', ['-c', `${join}exec unshare "$@"`, 'sh', '--ipc', '--pid', '--fork', '--kill-child', '--mount', '--net', '--uts', ...how, 'sh', '-c', `${setup}; exec "$0"`, fixture('ipc')]);
  const innerPid = Number(/^ready (\d+)$/.exec(await program.line())?.[1]);
  return {
    program, innerPid, label: cgroup === undefined ? undefined : `lxc ${name}`,
    ask: async line => { program.tell(line); return program.line(); },
    in: snapshot => {
      const found = snapshot.processes.find(({ ppid, nsPids }) => ppid === program.pid && nsPids?.at(-1) === innerPid);
      if (!found) throw new Error(`the program of container ${name} is not in the snapshot`);
      return found;
    },
    stop: async () => {
      await program.stop();
      if (cgroup === undefined) return;
      // The kernel takes a moment to empty it.
      await until(() => { try { rmdirSync(cgroup); return true; } catch { return !existsSync(cgroup); } }, `${cgroup} is empty`);
    },
  };
}
