// Looking with more rights: got on request, given up on request, after a time, when they are lost, and with the window.
// Knows nothing of VS Code at run time: the box, the settings and the start are handed in.
import { Emitter } from 'vscode-jsonrpc/node';
import type { Disposable } from '../dispose';
import type { Elevated } from './elevation';
import { NotElevated } from './elevation';
import type { ProbeClient, ProbeLog } from '../probeClient';
import { l10n } from '../translation';

export type AdministratorState =
  | { readonly kind: 'no' }
  | { readonly kind: 'asking' }
  | { readonly kind: 'yes'; readonly uid: number; readonly capabilities: readonly string[] };

export interface AdministratorOptions {
  readonly client: ProbeClient;
  readonly log: ProbeLog;
  /** Asks for the rights; the signal ends the attempt. */
  readonly start: (signal: AbortSignal) => Promise<Elevated>;
  /** Milliseconds that the rights last; 0: no end. Read when they begin. */
  readonly lasting: () => number;
  /** Tells the user that the rights have gone without being asked to. */
  readonly tell: (message: string) => void;
}

/** Longest delay of a timer (2³¹-1 ms, 24 days); a longer one would fire at once. */
const longestDelay = 0x7fffffff;

export class Administrator implements Disposable {
  private readonly changed = new Emitter<AdministratorState>();
  private readonly subscription: Disposable;
  private current: AdministratorState = { kind: 'no' };
  private attempt: AbortController | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: AdministratorOptions) {
    this.subscription = options.client.onDidChangeState(() => {
      if (this.current.kind !== 'yes' || options.client.adopted) return;
      this.ended();
      options.tell(l10n.t('IPC Inspector no longer looks as administrator: the probe with those rights has ended.'));
    });
  }

  get state(): AdministratorState { return this.current; }
  readonly onDidChange = (listener: (state: AdministratorState) => void): Disposable => this.changed.event(listener);

  /** Asks for the rights and looks with them. The user's own change of mind is no error; whatever else forbids it is thrown, saying what to do. */
  async look(): Promise<void> {
    if (this.current.kind !== 'no') return;
    const attempt = new AbortController();
    this.attempt = attempt;
    this.setState({ kind: 'asking' });
    try {
      const { child, way } = await this.options.start(attempt.signal);
      if (attempt.signal.aborted) { child.stdin.end(); return; }
      const { host, capabilities } = await this.options.client.adopt(child);
      if (!this.options.client.adopted) return;
      this.options.log.info(`looking as administrator (${way})`);
      this.setState({ kind: 'yes', uid: host.uid, capabilities });
      this.begin();
    } catch (error) {
      if (attempt.signal.aborted || (error instanceof NotElevated && error.refusal.kind === 'cancelled')) {
        this.options.log.info('not looking as administrator: cancelled');
        return;
      }
      throw error;
    } finally {
      if (this.attempt === attempt) this.attempt = undefined;
      if (this.isAsking) this.setState({ kind: 'no' });
    }
  }

  /** Gives the rights up, or stops asking for them. */
  drop(): void {
    this.attempt?.abort();
    if (this.current.kind !== 'yes') return;
    this.ended();
    this.options.log.info('looking as yourself');
    this.options.client.retry();
  }

  dispose(): void {
    this.attempt?.abort();
    clearTimeout(this.timer);
    this.subscription.dispose();
    this.changed.dispose();
  }

  private get isAsking(): boolean { return this.current.kind === 'asking'; }

  private begin(): void {
    const lasting = this.options.lasting();
    if (lasting <= 0) return;
    this.timer = setTimeout(() => {
      this.drop();
      this.options.tell(l10n.t('IPC Inspector looks as yourself again: the time for looking as administrator is over.'));
    }, Math.min(lasting, longestDelay));
    this.timer.unref();
  }

  private ended(): void {
    clearTimeout(this.timer);
    this.setState({ kind: 'no' });
  }

  private setState(state: AdministratorState): void {
    this.current = state;
    this.changed.fire(state);
  }
}
