// The command line `ipc-probe`: the same functions as the server, for scripts, CI and bug reports.
// Standard output carries the answer alone; progress, warnings and errors go to standard error.
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { facilityTable } from './facilityTable';
import type { CollectedKind, Snapshot } from './model';
import { judgeStale } from './analysis/stale';
import { confine } from './confinement';
import { peek } from './peek';
import { formatContents } from './contentsTable';
import { reportLeaks } from './runs/leaksVerb';
import type { LeaksOptions } from './runs/leaksVerb';
import { removeObjects } from './removal';
import { restoreBackup } from './restoration';
import { checked, InvalidRequest } from './requests';
import { serve } from './server';
import { takeSnapshot } from './snapshot';
import { formatSnapshot, formatStale } from './tables';
import { formatWaits } from './waitsTable';
import { probeVersion } from './version';
import { resolve } from 'node:path';

/** Exit statuses: 1 something failed, 2 the call's words are off, 3 a deadlock was found. */
const failedStatus = 1, usageStatus = 2, deadlockStatus = 3;

/** Runs one command; resolves to the exit status. */
export async function runCli(args: readonly string[]): Promise<number> {
  let status = 0;
  const program = commands(value => { status = value; });
  try {
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0; // --help, --version
      process.stderr.write(`ipc-probe: ${oneLine(error, program, args)}\n`);
      return usageStatus;
    }
    if (error instanceof InvalidRequest) {
      process.stderr.write(`ipc-probe: ${error.message}\n`);
      return usageStatus;
    }
    throw error;
  }
}

/** What is wrong and what exists, in one line. */
function oneLine(error: CommanderError, program: Command, args: readonly string[]): string {
  const message = error.message.replace(/^error: /, '').split('\n')[0] ?? '';
  const verbs = program.commands.map(command => command.name());
  if (error.code === 'commander.unknownCommand' || error.code === 'commander.help') {
    const verb = args.find(arg => !arg.startsWith('-'));
    return `${verb === undefined ? 'no verb given' : `unknown verb '${verb}'`}; the verbs are ${verbs.join(', ')}`;
  }
  if (error.code === 'commander.unknownOption') {
    const command = program.commands.find(candidate => args.includes(candidate.name())) ?? program;
    const options = [...command.options.map(option => option.long ?? option.short ?? ''), '--help'];
    return `${message}; the options${command === program ? '' : ` of ${command.name()}`} are ${options.join(', ')}`;
  }
  return message;
}

function commands(setStatus: (status: number) => void): Command {
  const program = new Command('ipc-probe')
    .description('Shows live IPC objects of this Linux machine: who made them, who has them, who waits, what nobody uses any more.')
    .version(probeVersion)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .showSuggestionAfterError(false)
    .addHelpText('after', '\nExit status: 0 done; 1 something failed; 2 wrong call; 3 a deadlock was found (waits); 4 something was left behind (leaks, which else ends as its command did).\nTables are for people; --json gives one JSON document on standard output.\n');
  // Without a verb: say so, as for a wrong one.
  program.action(() => { throw new CommanderError(usageStatus, 'commander.help', ''); });
  program.allowExcessArguments(true).argument('[verb]');

  const verb = (name: string, description: string): Command => {
    const command = program.command(name).description(description).exitOverride().configureOutput({ writeErr: () => undefined }).showSuggestionAfterError(false).allowExcessArguments(false);
    return command;
  };

  verb('snapshot', 'every IPC object, its handles and what could not be seen')
    .option('--json', 'print one JSON document')
    .option('--kind <kinds>', `only these kinds, separated by commas: ${[...facilityTable.keys()].join(', ')}`, kindsOf)
    .option('--pid <pids>', 'only these processes, and all that shares an object with them', pidsOf)
    .action(async (options: { json?: true; kind?: CollectedKind[]; pid?: number[] }) => {
      const snapshot = await takeSnapshot({ kinds: options.kind, pids: options.pid, waits: true });
      warnOfMissing(snapshot, options.pid);
      print(options.json, snapshot, () => formatSnapshot(snapshot, options.kind));
    });

  verb('waits', 'who waits for whom, findings first; exit status 3 if a deadlock was found')
    .option('--json', 'print one JSON document')
    .option('--pid <pids>', 'only what concerns these processes', pidsOf)
    .option('--suspected', 'exit with 3 on suspected deadlocks too')
    .action(async (options: { json?: true; pid?: number[]; suspected?: true }) => {
      const snapshot = await takeSnapshot({ pids: options.pid, waits: true });
      warnOfMissing(snapshot, options.pid);
      print(options.json, snapshot, () => formatWaits(snapshot, options.pid === undefined));
      const alarming = new Set(['deadlocked', 'deadlocked-until-timeout', 'orphaned', ...(options.suspected ? ['suspected'] : [])]);
      if (snapshot.findings.some(finding => alarming.has(finding.verdict))) setStatus(deadlockStatus);
    });

  verb('peek', 'contents without consuming: messages, bytes, values')
    .argument('<id>', 'an id as in snapshot')
    .option('--json', 'print one JSON document')
    .option('--offset <n>', 'bytes: where to begin; messages: index of the first')
    .option('--length <n>', 'at most so many bytes (4096) or messages (100)')
    .action(async (id: string, options: { json?: true; offset?: string; length?: string }) => {
      const { snapshot, contents } = await peek(checked('peek', { id, ...(options.offset === undefined ? {} : { offset: options.offset }), ...(options.length === undefined ? {} : { length: Number(options.length) }) }));
      print(options.json, { ...snapshot, contents }, () => formatContents(snapshot.objects[0], contents));
      if (contents.form === 'unavailable') setStatus(failedStatus);
    });

  verb('stale', 'what nobody uses any more, with the evidence')
    .option('--json', 'print one JSON document')
    .option('--all', 'also list what is in use')
    .action(async (options: { json?: true; all?: true }) => {
      const snapshot = await takeSnapshot({ everyTable: true });
      const stale = judgeStale(snapshot);
      print(options.json, { ...snapshot, stale }, () => formatStale(snapshot, options.all ? stale : stale.filter(({ verdict }) => verdict !== 'in-use')));
    });

  verb('leaks', 'run a command and tell which IPC objects it left behind; exit status 4 if any, else that of the command')
    .usage('[options] -- COMMAND [ARGUMENT…]')
    .argument('<command...>', 'the command and its arguments, after --')
    .option('--json', 'print one JSON document, after whatever the command has printed')
    .option('--output <file>', 'write the report there: the standard streams are then those of the command alone. Without it the report goes to standard error, with --json to standard output')
    .option('--certain', 'exit with 4 only for what surely was made by the command, not for what possibly was')
    .option('--wait <seconds>', 'so long to wait for processes that the command leaves running', secondsOf, 2)
    .action(async (command: string[], options: LeaksOptions) => {
      setStatus(await reportLeaks(command, options));
    })
    .addHelpText('after', `
The command keeps the terminal, its standard streams and its exit status (128 and the number for a signal; 127 when it does not
exist); SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP and SIGCONT are passed on, once. The report says by what means
it knows: the kernel's creator PID of segments; process events (any user since Linux 6.6, before that root), by which processes
that live for a millisecond and their children are known; names seen as they are made in /dev/shm and among the message queues, for
root with their maker; and looks at what the processes have, every 50 ms at first. The kernel keeps no creator of System V queues
and semaphore sets: one that the run made and never used is "possible". FIFOs and sockets are found where a process of the run was
seen to have them open. Nothing in other IPC or mount namespaces than this one is seen as it is made.
`);

  verb('remove', 'prove again that nobody uses it, back it up, remove it; naming an object accepts that it may be only possibly stale')
    .argument('<id...>', 'ids as in snapshot')
    .option('--json', 'print one JSON document')
    .option('--backup <directory>', 'where backups go; default: $XDG_STATE_HOME/ipc-inspector/removed')
    .option('--dry-run', 'only say what would be removed')
    .action(async (ids: string[], options: { json?: true; backup?: string; dryRun?: true }) => {
      const params = checked('remove', {
        ids, acceptPossiblyStale: ids, ...(options.backup === undefined ? {} : { backupDirectory: resolve(options.backup) }), ...(options.dryRun ? { dryRun: true } : {}),
      });
      const result = await removeObjects(params);
      const words = options.dryRun ? 'would be removed' : 'removed';
      print(options.json, result, () => [
        ...result.removed.map(({ objectId, backup }) => `${objectId}: ${words}${backup === undefined ? '' : `, backup in ${backup}`}`),
        ...result.failed.map(({ objectId, error }) => `${objectId}: not removed: ${error}`),
      ].join('\n'));
      if (result.failed.length > 0) setStatus(failedStatus);
    });

  verb('restore', 'bring a removed object back from its backup')
    .argument('<file>', 'the .json that remove named')
    .option('--json', 'print one JSON document')
    .action(async (file: string, options: { json?: true }) => {
      const result = await restoreBackup(checked('restore', { file: resolve(file) }).file);
      print(options.json, result, () => [
        ...result.restored.map(({ objectId, newObjectId, warnings }) => `${objectId}: restored as ${newObjectId}${(warnings ?? []).map(warning => `\n  ${warning}`).join('')}`),
        ...result.failed.map(({ objectId, error }) => `${objectId}: not restored: ${error}`),
      ].join('\n'));
      if (result.failed.length > 0) setStatus(failedStatus);
    });

  verb('serve', 'JSON-RPC 2.0 on standard input and output; ends when standard input ends')
    .option('--confined', 'first give up every right that looking does not need: how an editor starts a probe with more rights')
    .action(async (options: { confined?: true }) => {
      if (options.confined) confine(process.stderr);
      setStatus(await serve(process.stdin, process.stdout, process.stderr));
    });

  return program;
}

function kindsOf(text: string): CollectedKind[] {
  return text.split(',').map(kind => {
    if (!facilityTable.has(kind as CollectedKind)) throw new InvalidArgumentError(`unknown kind '${kind}'; the kinds are ${[...facilityTable.keys()].join(', ')}.`);
    return kind as CollectedKind;
  });
}

function secondsOf(text: string): number {
  if (!/^\d{1,5}(\.\d{1,3})?$/.test(text)) throw new InvalidArgumentError(`'${text}' is not a number of seconds.`);
  return Number(text);
}

function pidsOf(text: string): number[] {
  return text.split(',').map(pid => {
    if (!/^[1-9]\d{0,9}$/.test(pid)) throw new InvalidArgumentError(`'${pid}' is not a PID.`);
    return Number(pid);
  });
}

function warnOfMissing(snapshot: Snapshot, pids: readonly number[] | undefined): void {
  const seen = new Set(snapshot.processes.map(({ pid }) => pid));
  for (const pid of pids ?? []) if (!seen.has(pid)) process.stderr.write(`ipc-probe: there is no process ${pid}\n`);
}

function print(json: true | undefined, document: unknown, table: () => string): void {
  const text = json ? JSON.stringify(document, null, 2) : table();
  if (text !== '') process.stdout.write(`${text}\n`);
}
