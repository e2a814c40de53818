// Questions to one debug adapter: one at a time, each with a time limit, and none any more to one that does not answer.
import { l10n } from '../translation';

/** The part of a vscode.DebugSession that questions need. */
export interface Adapter {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly configuration: Readonly<Record<string, unknown>>;
  customRequest(command: string, args?: unknown): PromiseLike<unknown>;
}

/** Milliseconds that an answer may take. */
export const patience = 2_000;
/** After so many questions without an answer an adapter is asked no more until one of them is answered, or its program stops again. */
const mostUnanswered = 3;

/** The adapter gave no answer in time, or is asked no more. */
export class AdapterSilent extends Error {}

export class AdapterQuestions {
  private turn: Promise<unknown> = Promise.resolve();
  private unanswered = 0;
  private ended = false;
  private asked: { readonly command: string; readonly args: unknown } | undefined;

  constructor(private readonly adapter: Adapter, private readonly limit = patience) {}

  /**
   * The body of the answer. Rejects with {@link AdapterSilent} when none comes in time, and with the adapter's own error when it refuses.
   * A late answer is nobody's: the next question does not wait for it.
   */
  ask(command: string, args?: unknown): Promise<unknown> {
    const answer = this.turn.then(() => this.now(command, args));
    this.turn = answer.catch(() => undefined); // the failure is the asker's
    return answer;
  }

  /** The answer, or undefined when there is none: for what is worth knowing, but not worth a word. */
  async tryToAsk(command: string, args?: unknown): Promise<unknown> {
    try {
      return await this.ask(command, args);
    } catch {
      return undefined; // it refuses (no such frame any more, no symbols), or it is silent, and then counted
    }
  }

  /** Whether a request that passes by is the one that is being asked here. */
  isAsking(command: string, frameId: unknown): boolean {
    return this.asked?.command === command && (this.asked.args as { frameId?: unknown } | undefined)?.frameId === frameId;
  }

  /** The program has stopped anew: an adapter that was busy may answer now. */
  trustAgain(): void {
    this.unanswered = 0;
  }

  /** The session is over: nobody is asked any more. */
  end(): void {
    this.ended = true;
  }

  private async now(command: string, args: unknown): Promise<unknown> {
    if (this.ended || this.unanswered >= mostUnanswered) throw new AdapterSilent(l10n.t('The debugger of {0} does not answer.', this.adapter.name));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        this.unanswered++;
        reject(new AdapterSilent(l10n.t('The debugger of {0} does not answer.', this.adapter.name)));
      }, this.limit);
    });
    this.asked = { command, args };
    let inTime = true;
    const answer = Promise.resolve(this.adapter.customRequest(command, args));
    // A refusal is an answer too. One that comes late is a sign of life after all: one more question, which has to be answered in time.
    const alive = (): void => { this.unanswered = inTime ? 0 : Math.min(this.unanswered, mostUnanswered - 1); };
    answer.then(alive, alive);
    try {
      return await Promise.race([answer, late]);
    } finally {
      inTime = false;
      this.asked = undefined;
      clearTimeout(timer);
    }
  }
}
