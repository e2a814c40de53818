// `ipc-probe serve`: JSON-RPC 2.0 on standard input and output. It ends when standard input ends.
import type { Readable, Writable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { createMessageConnection, ErrorCodes, ResponseError, StreamMessageReader } from 'vscode-jsonrpc/node';
import type { CancellationToken } from 'vscode-jsonrpc/node';
import type { InitializeResult, Method, Requests, SnapshotParams, SnapshotResult } from './protocol';
import type { Snapshot } from './model';
import { judgeStale } from './analysis/stale';
import { diffSnapshots } from './analysis/diff';
import { FocusedSnapshots } from './focusedPass';
import { BoundedInput, MessageError } from './boundedInput';
import { Cancelled, Clock, readHost } from './context';
import { effectiveCapabilities } from './kernel/capabilities';
import { settleAtRoot } from './kernel/procfs';
import { MemorySources } from './memoryObject';
import { readMemory, searchMemory, surveyPages } from './memoryRequests';
import { PiecewiseWriter } from './piecewiseWriter';
import { peek } from './peek';
import { removeObjects } from './removal';
import { restoreBackup } from './restoration';
import { checked, InvalidRequest, methods } from './requests';
import { takeSnapshot } from './snapshot';
import { WatchedRuns } from './runs/watchedRuns';
import { probeVersion, protocolVersion } from './version';

const errorCodes = { notInitialized: -32002, versionMismatch: -32010 } as const;

type Handlers = { readonly [M in Method]: (params: Requests[M]['params'], isCancelled: () => boolean) => Promise<Requests[M]['result']> };

/** Serves one client until its input ends. Resolves to the exit status. */
export function serve(input: Readable, output: Writable, log: Writable): Promise<number> {
  settleAtRoot();
  collectGarbageSooner();
  return new Promise(resolve => {
    const bounded = new BoundedInput();
    const connection = createMessageConnection(new StreamMessageReader(input.pipe(bounded)), new PiecewiseWriter(output));
    let initialized = false;
    const sent = new SentSnapshots();
    const focused = new FocusedSnapshots();
    const memory = new MemorySources();
    const runs = new WatchedRuns();
    // Requests are answered one at a time: two passes at once would only slow each other down.
    let turn: Promise<unknown> = Promise.resolve();

    const handlers: Handlers = {
      initialize: params => {
        if (params.protocolVersion !== protocolVersion) {
          return Promise.reject(new ResponseError(errorCodes.versionMismatch, `this probe (${probeVersion}) speaks protocol version ${protocolVersion}, the client ${params.protocolVersion}: reload the window so that both come from the same extension`));
        }
        initialized = true;
        const result: InitializeResult = { protocolVersion, probeVersion, host: readHost(new Clock()), capabilities: effectiveCapabilities() };
        return Promise.resolve(result);
      },
      snapshot: async (params, isCancelled) => sent.answer(params, await focused.take({ ...params, isCancelled })),
      stale: async (params, isCancelled) => {
        const snapshot = await takeSnapshot({ everyTable: true, isCancelled });
        return { snapshot, stale: judgeStale(snapshot, params.ids) };
      },
      peek: (params, isCancelled) => peek(params, isCancelled),
      readMemory: (params, isCancelled) => readMemory(memory, params, isCancelled),
      surveyPages: (params, isCancelled) => surveyPages(memory, params, isCancelled),
      searchMemory: (params, isCancelled) => searchMemory(memory, params, isCancelled),
      remove: (params, isCancelled) => removeObjects(params, isCancelled),
      restore: params => restoreBackup(params.file),
      beginRun: (params, isCancelled) => runs.begin(params.run, isCancelled),
      joinRun: params => Promise.resolve(runs.join(params)),
      endRun: (params, isCancelled) => runs.end(params.run, isCancelled),
    };

    for (const method of methods) {
      connection.onRequest(method, (params: unknown, token: CancellationToken) => {
        const answer = turn.then(async () => {
          if (token.isCancellationRequested) throw new Cancelled();
          if (!initialized && method !== 'initialize') throw new ResponseError(errorCodes.notInitialized, 'initialize first');
          return dispatch(handlers, method, params, () => token.isCancellationRequested);
        }).catch((error: unknown) => { throw toResponseError(error); });
        turn = answer.catch(() => undefined); // the failure is this request's own
        return answer;
      });
    }
    const end = (status: number, why?: string): void => {
      if (why !== undefined) log.write(`ipc-probe: ${why}\n`);
      // What is under way (a removal) is finished, then the process goes.
      void turn.finally(() => { runs.close(); connection.dispose(); input.destroy(); resolve(status); });
    };
    bounded.on('error', error => { end(error instanceof MessageError ? 65 : 70, `closing the connection: ${error.message}`); });
    connection.onError(([error]) => { log.write(`ipc-probe: ${error.message}\n`); });
    connection.onClose(() => { end(0); });
    connection.onUnhandledNotification(() => undefined);
    connection.listen();
  });
}

/**
 * A server lives long and keeps much: V8 would let its old generation grow to several times that before it collects. A third more is enough, and
 * costs no time that could be measured. Only under Node.js itself, which leaves V8's flags changeable (Electron may not, and a frozen flag aborts).
 */
function collectGarbageSooner(): void {
  if (process.versions['electron'] === undefined) setFlagsFromString('--heap-growing-percent=30');
}

function dispatch<M extends Method>(handlers: Handlers, method: M, params: unknown, isCancelled: () => boolean): Promise<Requests[M]['result']> {
  return handlers[method](checked(method, params), isCancelled);
}

function toResponseError(error: unknown): ResponseError<void> {
  if (error instanceof ResponseError) return error as ResponseError<void>;
  if (error instanceof Cancelled) return new ResponseError(-32800, 'cancelled');
  if (error instanceof InvalidRequest) return new ResponseError(ErrorCodes.InvalidParams, error.message);
  return new ResponseError(ErrorCodes.InternalError, error instanceof Error ? error.message : String(error));
}

/** The last snapshot sent for each kind of question, to answer the same question with what changed. */
class SentSnapshots {
  private serial = 0;
  private readonly last = new Map<string, { serial: number; snapshot: Snapshot }>();

  answer(params: SnapshotParams, snapshot: Snapshot): SnapshotResult {
    const question = JSON.stringify([params.kinds ?? null, params.pids ?? null, params.waits ?? false]);
    const known = this.last.get(question);
    const serial = ++this.serial;
    this.last.delete(question);
    this.last.set(question, { serial, snapshot });
    // A client that follows process after process must not make the probe keep them all.
    for (const oldest of this.last.keys()) { if (this.last.size <= 4) break; this.last.delete(oldest); }
    return known !== undefined && known.serial === params.since
      ? { serial, since: known.serial, delta: diffSnapshots(known.snapshot, snapshot) }
      : { serial, snapshot };
  }
}
