// A real debug adapter over its standard streams: what VS Code is to it, for tests without VS Code.
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Adapter } from '../../extension/debugger/adapterQuestions';

interface Message { readonly type: string; readonly request_seq?: number; readonly success?: boolean; readonly message?: string; readonly event?: string; readonly command?: string; readonly body?: unknown }

/** The installed lldb-dap; undefined when there is none. */
export function findLldbDap(): string | undefined {
  return ['lldb-dap-19', 'lldb-dap'].flatMap(name => (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, name))).find(path => existsSync(path));
}

export class DebugAdapter implements Adapter {
  readonly id = 'session'; readonly configuration = {};
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly answers = new Map<number, (message: Message) => void>();
  private readonly events: Message[] = [];
  private readonly listeners = new Set<() => void>();
  private sequence = 0;
  private buffer = Buffer.alloc(0);
  readonly exited: Promise<unknown>;
  get name(): string { return this.type; }

  /** @param type as launch.json has it */
  constructor(readonly type: string, command: string, args: readonly string[] = []) {
    this.child = spawn(command, args);
    this.exited = new Promise(done => this.child.once('exit', done));
    this.child.stdin.on('error', () => undefined); // it may end while we still write
    this.child.stdout.on('data', (data: Buffer) => this.take(data));
  }

  /** Launches a program or attaches to one. */
  async begin(request: 'launch' | 'attach', args: Readonly<Record<string, unknown>>): Promise<void> {
    await this.customRequest('initialize', { adapterID: this.type, linesStartAt1: true, columnsStartAt1: true, pathFormat: 'path' });
    const begun = this.customRequest(request, args);
    await this.event('initialized');
    await this.customRequest('configurationDone');
    await begun;
  }

  /** As a person does; resolves when it has stopped. */
  async pause(): Promise<void> {
    for (let tries = 1; ; tries++) {
      await this.customRequest('pause', { threadId: 1 });
      try {
        return await this.event('stopped', 4_000);
      } catch (error) {
        // One that comes while the adapter still lets the program go is lost.
        if (tries === 5) throw error;
      }
    }
  }

  customRequest(command: string, args: unknown = {}): Promise<unknown> {
    const seq = ++this.sequence;
    const body = Buffer.from(JSON.stringify({ seq, type: 'request', command, arguments: args }));
    this.child.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.child.stdin.write(body);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${command}`)), 20_000);
      this.answers.set(seq, ({ success, message, body: answer }) => {
        clearTimeout(timer);
        if (success) resolve(answer);
        else reject(new Error(message ?? command));
      });
    });
  }

  /** Waits for the next event of a name. */
  async event(name: string, limit = 20_000): Promise<void> {
    for (const end = Date.now() + limit; ;) {
      const at = this.events.findIndex(it => it.event === name);
      if (at >= 0) { this.events.splice(0, at + 1); return; }
      if (Date.now() > end) throw new Error(`no event ${name}`);
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, 1000);
        this.listeners.add(() => { clearTimeout(timer); resolve(); });
      });
    }
  }

  /** Ends the session: what was launched ends, what was attached to goes on. */
  async end(terminateDebuggee = false): Promise<void> {
    await this.customRequest('disconnect', { terminateDebuggee }).catch(() => undefined);
    this.child.kill();
    await this.exited;
  }

  private take(data: Buffer): void {
    this.buffer = Buffer.concat([this.buffer, data]);
    for (;;) {
      const header = this.buffer.indexOf('\r\n\r\n');
      const length = Number(/Content-Length: (\d+)/i.exec(this.buffer.subarray(0, Math.max(header, 0)).toString())?.[1]);
      if (header < 0 || this.buffer.length < header + 4 + length) return;
      const message = JSON.parse(this.buffer.subarray(header + 4, header + 4 + length).toString()) as Message;
      this.buffer = this.buffer.subarray(header + 4 + length);
      if (message.type === 'response') this.answers.get(message.request_seq ?? -1)?.(message);
      else if (message.type === 'event') this.events.push(message);
      for (const listener of this.listeners) { this.listeners.delete(listener); listener(); }
    }
  }
}
