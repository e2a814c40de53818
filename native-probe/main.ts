// Entry of the probe: `serve` speaks JSON-RPC on standard input and output, every other verb is the command line.
import { runCli } from './cli';

// A reader that went away (`ipc-probe snapshot | head`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

void runCli(process.argv.slice(2)).then(status => { process.exitCode = status; }, (error: unknown) => {
  process.stderr.write(`ipc-probe: ${error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
  process.exitCode = 70; // EX_SOFTWARE
});
