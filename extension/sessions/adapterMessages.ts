// What messages of the debug adapter protocol tell of the program: its process, and whether it runs. Messages come from any adapter
// and are of any shape. Pure.

/** A positive number below 2³¹, as adapters and configurations write a PID: a number, or a text of digits. */
export function asPid(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.length <= 20 && /^\d{1,10}$/.test(value.trim()) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number > 0 && number < 2 ** 31 ? number : undefined;
}

/** The body of a DAP `process` event. */
export interface ProcessEvent {
  readonly systemProcessId?: number;
  readonly isLocalProcess?: boolean;
}

/** Requests whose successful answer means that the program runs again: adapters may omit `continued`. */
export const resumes: ReadonlySet<string> = new Set(['continue', 'next', 'stepIn', 'stepOut', 'stepBack', 'reverseContinue', 'goto', 'restartFrame']);

/** Whether a DAP message tells that the program stopped, or that it runs again. */
export function runStateAfter(message: unknown): 'stopped' | 'running' | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { type, event, command, success } = message as { type?: unknown; event?: unknown; command?: unknown; success?: unknown };
  if (type === 'event' && event === 'stopped') return 'stopped';
  if (type === 'event' && event === 'continued') return 'running';
  if (type === 'response' && success === true && typeof command === 'string' && resumes.has(command)) return 'running';
  return undefined;
}

/** Whether an adapter refuses to let its program go on. */
export function refusesToResume(message: unknown): boolean {
  if (typeof message !== 'object' || message === null) return false;
  const { type, command, success } = message as { type?: unknown; command?: unknown; success?: unknown };
  return type === 'response' && success === false && typeof command === 'string' && (resumes.has(command) || command === 'disconnect' || command === 'terminate' || command === 'restart');
}

/** The body of a DAP `process` event; undefined for every other message. */
export function processEvent(message: unknown): ProcessEvent | undefined {
  const body = bodyOf(message, 'process');
  if (!body) return undefined;
  const pid = asPid(body.systemProcessId);
  return { ...(pid === undefined ? {} : { systemProcessId: pid }), ...(typeof body.isLocalProcess === 'boolean' ? { isLocalProcess: body.isLocalProcess } : {}) };
}

/** The PID in an adapter's own message. What the program prints has another category, or it could claim to be anybody. */
export function outputPid(message: unknown, pattern: RegExp): number | undefined {
  const body = bodyOf(message, 'output');
  if (!body || typeof body.output !== 'string' || (body.category !== undefined && body.category !== 'console')) return undefined;
  return asPid(pattern.exec(body.output.slice(0, 200))?.[1]);
}

/** No adapter has more processes under it at a time: older events are of processes that have ended. */
const mostEvents = 256;

/** What an adapter has told in its messages so far. */
export class AdapterNotes {
  readonly processEvents: (ProcessEvent & { readonly at: number })[] = [];
  printed: { readonly pid: number; readonly at: number } | undefined;
  runState: 'running' | 'stopped' = 'running';

  /** @param output how the adapter's own messages tell the PID; absent: they do not */
  constructor(private readonly output?: RegExp) {}

  /**
   * Takes notice of a message that came at a moment (milliseconds since the epoch).
   * @returns `told`: more is known of the process than before; `runState`: what the message says of it, `changed`: and it was not so before
   */
  take(message: unknown, at: number): { readonly told: boolean; readonly runState?: 'running' | 'stopped'; readonly changed: boolean } {
    const process = processEvent(message);
    if (process) {
      this.processEvents.push({ ...process, at });
      this.processEvents.splice(0, this.processEvents.length - mostEvents);
    }
    const pid = this.output && outputPid(message, this.output);
    const news = pid !== undefined && pid !== this.printed?.pid;
    if (news) this.printed = { pid, at };
    const told = process !== undefined || news;
    const runState = runStateAfter(message);
    if (runState === undefined) return { told, changed: false };
    const changed = this.runState !== runState;
    this.runState = runState;
    return { told, runState, changed };
  }
}

function bodyOf(message: unknown, wanted: string): { readonly [key: string]: unknown } | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { type, event, body } = message as { type?: unknown; event?: unknown; body?: unknown };
  return type === 'event' && event === wanted && typeof body === 'object' && body !== null ? body as { readonly [key: string]: unknown } : undefined;
}
