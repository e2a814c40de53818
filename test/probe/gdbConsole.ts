// A real GDB that answers `evaluate` requests as its own DAP mode does in the context "repl": by the words that its console prints. The
// envelope is this file's, because GDB 13 has no DAP mode yet; the words are GDB's.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Adapter } from '../../extension/debugger/adapterQuestions';

/** Whether GDB is installed. */
export const hasGdb = (): boolean => spawnSync('gdb', ['--version']).status === 0;

const mark = 'end-of-the-answer';

export class GdbConsole implements Adapter {
  readonly id = 'gdb'; readonly name = 'gdb'; readonly configuration = {};
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly exited: Promise<unknown>;
  private text = '';
  private answered: (() => void) | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(readonly type: 'gdb' | 'cppdbg') {
    this.child = spawn('gdb', ['-nx', '-q', '-iex', 'set pagination off', '-iex', 'set confirm off', '-iex', 'set debuginfod enabled off', '-iex', 'set prompt \\n']);
    this.exited = new Promise(done => this.child.once('exit', done));
    this.child.stdin.on('error', () => undefined);
    this.child.stdout.on('data', (data: Buffer) => {
      this.text += data.toString();
      if (this.text.includes(mark)) this.answered?.();
    });
    this.child.stderr.resume();
  }

  /** What GDB prints for a command. */
  run(command: string): Promise<string> {
    const answer = this.turn.then(async () => {
      this.text = '';
      const done = new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`gdb does not answer ${command}`)), 20_000);
        this.answered = () => { clearTimeout(timer); resolve(); };
      });
      this.child.stdin.write(`${command}\necho ${mark}\\n\n`);
      await done;
      return this.text.slice(0, this.text.indexOf(mark));
    });
    this.turn = answer.catch(() => undefined);
    return answer;
  }

  async customRequest(command: string, args: { readonly expression?: string } = {}): Promise<unknown> {
    if (command === 'threads') {
      const ids = [...(await this.run('info threads')).matchAll(/^[* ] +(\d+) .*?\(LWP (\d+)\)/gm)];
      return { threads: ids.map(([, number, lwp]) => ({ id: Number(this.type === 'gdb' ? number : lwp), name: 'thread' })) };
    }
    if (command !== 'evaluate' || args.expression === undefined) throw new Error(`unknown request ${command}`);
    return { result: await this.run(args.expression.replace(/^-exec /, '')) };
  }

  /** Lets the program go and ends GDB. */
  async end(): Promise<void> {
    await this.run('detach').catch(() => undefined);
    this.child.stdin.end('quit\n');
    await this.exited;
  }
}
