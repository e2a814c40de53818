// The probe as a child process: start, handshake, time-out, cancel, restart with back-off, standard error to the log.
// Knows nothing of VS Code at run time, so that tests drive it in plain Node.
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { CancellationTokenSource, Emitter, ResponseError, StreamMessageReader, StreamMessageWriter, createMessageConnection } from 'vscode-jsonrpc/node';
import type { CancellationToken, MessageConnection } from 'vscode-jsonrpc/node';
import type { InitializeResult, Method, ProtocolVersion, Requests } from '../native-probe/protocol';
import { onDispose } from './dispose';
import type { Disposable } from './dispose';
import { l10n } from './translation';

const protocolVersion: ProtocolVersion = 1;
/** The error code of a request that its sender cancelled (Language Server Protocol). */
const requestCancelled = -32800;

export type ProbeState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'ready'; readonly probe: InitializeResult }
  /** It ended; it is started again by itself after `delay` milliseconds. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly delay: number }
  /** It ended too often; only `retry` starts it again. */
  | { readonly kind: 'failed'; readonly reason: string };

export interface ProbeLog { info(message: string): void; warn(message: string): void; error(message: string): void }

export interface ProbeClientOptions {
  /** Starts the probe. Its standard input and output carry JSON-RPC; it ends when its input ends. */
  readonly start: () => ChildProcessWithoutNullStreams;
  readonly log: ProbeLog;
  /** Milliseconds that an answer may take. */
  readonly timeouts?: Partial<Record<Method, number>>;
  /** Milliseconds before each restart; after the last one the probe has failed. */
  readonly backOff?: readonly number[];
  /** A probe that answered for this many milliseconds has proven itself: the back-off begins anew. */
  readonly provenAfter?: number;
}

const defaultTimeouts: Record<Method, number> = { initialize: 10_000, snapshot: 20_000, stale: 60_000, peek: 20_000, readMemory: 20_000, surveyPages: 60_000, searchMemory: 20_000, remove: 120_000, restore: 120_000, beginRun: 30_000, joinRun: 20_000, endRun: 60_000 };
/** So many answers in a row may fail to come before an adopted probe is given up. */
const mostOverdue = 2;
const defaultBackOff = [250, 1_000, 4_000, 10_000];

/** How VS Code starts the probe: its own executable as plain Node, on the compiled probe. */
export function startProbe(probePath: string): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [probePath, 'serve'], { env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' }, stdio: 'pipe', windowsHide: true });
}

/** The probe could not be asked: it is not there, or did not answer in time. */
export class ProbeUnavailable extends Error {
  override readonly name = 'ProbeUnavailable';
}

interface Running { readonly child: ChildProcessWithoutNullStreams; readonly connection: MessageConnection; readonly ready: Promise<InitializeResult>; readonly adopted: boolean; overdue: number; lost: boolean; lostReason: string; readonly lostSignal: CancellationTokenSource }

/** One probe at a time; the first request starts it. */
export class ProbeClient implements Disposable {
  private readonly stateChanged = new Emitter<ProbeState>();
  private readonly timeouts: Record<Method, number>;
  private readonly backOff: readonly number[];
  private running: Running | undefined;
  private restart: NodeJS.Timeout | undefined;
  private proven: NodeJS.Timeout | undefined;
  private failures = 0;
  private disposed = false;
  private current: ProbeState = { kind: 'idle' };

  constructor(private readonly options: ProbeClientOptions) {
    this.timeouts = { ...defaultTimeouts, ...options.timeouts };
    this.backOff = options.backOff ?? defaultBackOff;
  }

  get state(): ProbeState { return this.current; }
  readonly onDidChangeState = (listener: (state: ProbeState) => void): Disposable => this.stateChanged.event(listener);

  /** PID of the probe's process, while there is one. */
  get pid(): number | undefined { return this.running?.child.pid; }

  /**
   * Asks the probe, starting it when it is not there yet.
   * Rejects with ProbeUnavailable (not running, no answer in time), or with the probe's own ResponseError.
   */
  async request<M extends Method>(method: M, params: Requests[M]['params'], token?: CancellationToken): Promise<Requests[M]['result']> {
    if (this.disposed) throw new ProbeUnavailable(l10n.t('The probe has been shut down.'));
    if (this.current.kind === 'waiting' || this.current.kind === 'failed') throw new ProbeUnavailable(this.current.reason);
    const running = this.running ?? this.launch();
    await running.ready;
    return this.send(running, method, params, token);
  }

  /**
   * Goes on with a probe that was started with other rights (`serve` on its standard input and output). When it is lost, the usual one is
   * started at once. Rejects, and stays with the usual one, when it does not answer as it should.
   */
  async adopt(child: ChildProcessWithoutNullStreams): Promise<InitializeResult> {
    if (this.disposed) { child.stdin.end(); throw new ProbeUnavailable(l10n.t('The probe has been shut down.')); }
    clearTimeout(this.restart);
    const before = this.running;
    const running = this.connect(child, true);
    if (before) this.end(before);
    return running.ready;
  }

  /** Whether the probe is one that was adopted. */
  get adopted(): boolean { return this.running?.adopted === true; }

  /** Starts the usual probe again at once, also after it failed for good. */
  retry(): void {
    if (this.disposed) return;
    clearTimeout(this.restart);
    this.failures = 0;
    if (this.running) this.end(this.running);
    this.launch();
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.restart);
    clearTimeout(this.proven);
    if (this.running) this.end(this.running);
    this.stateChanged.dispose();
  }

  private async send<M extends Method>(running: Running, method: M, params: Requests[M]['params'], token?: CancellationToken): Promise<Requests[M]['result']> {
    if (running.lost) throw new ProbeUnavailable(running.lostReason);
    if (token?.isCancellationRequested) throw new ResponseError(requestCancelled, 'cancelled');
    const cancel = new CancellationTokenSource();
    let timer: NodeJS.Timeout | undefined;
    const listeners: Disposable[] = [];
    const milliseconds = this.timeouts[method];
    try {
      // A connection that is lost leaves its callers pending for ever: the race is what ends them.
      const overdue = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new ProbeUnavailable(l10n.t('The probe did not answer "{0}" within {1} seconds.', method, Math.round(milliseconds / 1000)))), milliseconds);
        listeners.push(running.lostSignal.token.onCancellationRequested(() => reject(new ProbeUnavailable(running.lostReason))));
      });
      if (token) listeners.push(token.onCancellationRequested(() => cancel.cancel()));
      const answer = await Promise.race([running.connection.sendRequest<Requests[M]['result']>(method, params, cancel.token), overdue]);
      running.overdue = 0;
      return answer;
    } catch (error) {
      if (error instanceof ProbeUnavailable) {
        cancel.cancel();
        this.options.log.warn(error.message);
        // The usual one can be waited for; rights are not left with one that hangs.
        if (running.adopted && ++running.overdue >= mostOverdue) this.lost(running, error.message);
      }
      throw error;
    } finally {
      clearTimeout(timer);
      for (const listener of listeners) listener.dispose();
    }
  }

  private launch(): Running {
    return this.connect(this.options.start(), false);
  }

  private connect(child: ChildProcessWithoutNullStreams, adopted: boolean): Running {
    clearTimeout(this.proven);
    this.setState({ kind: 'starting' });
    const connection = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
    const lostSignal = new CancellationTokenSource();
    const running: Running = { child, connection, adopted, overdue: 0, lost: false, lostReason: '', lostSignal, ready: Promise.resolve().then(() => this.handshake(running)) };
    this.running = running;
    createInterface({ input: child.stderr }).on('line', line => this.options.log.info(`probe: ${line}`));
    // Writing to a probe that has just died: its `exit` tells the story, this would only tell it twice.
    child.stdin.on('error', error => this.options.log.info(`probe: cannot write to it: ${error.message}`));
    child.on('error', error => this.lost(running, l10n.t('The probe cannot be started: {0}', error.message)));
    child.on('exit', (code, signal) => this.lost(running, signal === null
      ? l10n.t('The probe ended with exit status {0}.', String(code))
      : l10n.t('The probe was killed by {0}.', signal)));
    connection.onError(([error]) => this.lost(running, l10n.t('The probe cannot be understood: {0}', error.message)));
    connection.listen();
    running.ready.catch((error: unknown) => this.lost(running, error instanceof Error ? error.message : String(error)));
    return running;
  }

  private async handshake(running: Running): Promise<InitializeResult> {
    const result = await this.send(running, 'initialize', { protocolVersion, client: 'ipc-inspector' });
    if (result.protocolVersion !== protocolVersion) {
      throw new ProbeUnavailable(l10n.t('The probe speaks version {0} of the protocol, the extension version {1}.', String(result.protocolVersion), protocolVersion));
    }
    this.options.log.info(`probe ${result.probeVersion} is ready: PID ${running.child.pid}, uid ${result.host.uid}, ${result.capabilities.length} capabilities`);
    this.proven = setTimeout(() => { this.failures = 0; }, this.options.provenAfter ?? 30_000);
    this.proven.unref();
    if (this.running === running) this.setState({ kind: 'ready', probe: result });
    return result;
  }

  /** Ends a probe that is no longer wanted: it leaves by itself when its input ends. */
  private end(running: Running, reason = l10n.t('The probe has been shut down.')): void {
    if (this.running === running) this.running = undefined;
    if (running.lost) return;
    running.lost = true;
    running.lostReason = reason;
    running.lostSignal.cancel();
    running.connection.dispose();
    running.child.stdin.end();
    // One that hangs in a read does not see the end of its input. (Ours to kill while it runs with our rights; of another it must be known.)
    const late = setTimeout(() => {
      if (!running.child.kill('SIGKILL')) this.options.log.warn(`the probe (PID ${running.child.pid}) has not ended, and runs with rights that forbid to kill it: it goes when its read returns`);
    }, 2_000);
    late.unref();
    running.child.once('exit', () => clearTimeout(late));
  }

  private lost(running: Running, reason: string): void {
    if (running.lost) return;
    const wasCurrent = this.running === running;
    this.end(running, reason);
    if (!wasCurrent || this.disposed) return;
    clearTimeout(this.proven);
    if (running.adopted) {
      this.options.log.error(reason);
      this.launch();
      return;
    }
    const delay = this.backOff[this.failures];
    this.failures++;
    this.options.log.error(reason);
    if (delay === undefined) {
      this.setState({ kind: 'failed', reason });
    } else {
      this.setState({ kind: 'waiting', reason, delay });
      this.restart = setTimeout(() => this.launch(), delay);
    }
  }

  private setState(state: ProbeState): void {
    this.current = state;
    this.stateChanged.fire(state);
  }
}

/** Calls `tell` once for a row of failures, not once for each: the next row begins when the probe has been ready for `calmAfter` milliseconds. */
export function tellOnce(client: Pick<ProbeClient, 'onDidChangeState'>, tell: (reason: string) => void, calmAfter = 30_000): Disposable {
  let told = false;
  let calm: NodeJS.Timeout | undefined;
  const subscription = client.onDidChangeState(state => {
    if (state.kind === 'ready') {
      // A probe that dies again right after its handshake continues the same row.
      calm = setTimeout(() => { told = false; }, calmAfter);
      calm.unref();
    } else if (state.kind === 'waiting' || state.kind === 'failed') {
      clearTimeout(calm);
      if (!told) tell(state.reason);
      told = true;
    }
  });
  return onDispose(() => { clearTimeout(calm); subscription.dispose(); });
}
