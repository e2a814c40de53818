// The same answers for language models: tools that look and never touch (vscode.lm, VS Code 1.95). Where the API is absent nothing is registered.
import * as vscode from 'vscode';
import { facilityTable } from '../../native-probe/facilityTable';
import type { CollectedKind } from '../../native-probe/model';
import type { SnapshotParams, SnapshotResult } from '../../native-probe/protocol';
import { asPid } from '../sessions/adapterMessages';
import { toolNames } from '../contributions';
import { DisposableStore } from '../dispose';
import { pidsOf } from '../focus';
import type { FocusTracker } from '../focus';
import type { LeakReports } from '../leaks/leakReports';
import type { ProbeClient, ProbeLog } from '../probeClient';
import { explainWaits, listLeaks, listObjects, listStale } from './toolAnswers';
import { l10n } from '../translation';

export interface ToolHost {
  readonly client: Pick<ProbeClient, 'request'>;
  readonly focus: FocusTracker;
  readonly leaks: LeakReports;
  readonly log: Pick<ProbeLog, 'info' | 'warn'>;
}

type Input = Readonly<Record<string, unknown>>;

/** Registers the tools that package.json contributes. */
export function registerLanguageModelTools(host: ToolHost): vscode.Disposable {
  const store = new DisposableStore();
  // Other editors with this API's version may lack this part of it.
  const lm = (vscode as { lm?: Partial<typeof vscode.lm> }).lm;
  if (typeof lm?.registerTool !== 'function') {
    host.log.info('this editor has no tools for language models: none are registered');
    return store;
  }
  const register = (name: string, message: () => string, answer: (input: Input, token: vscode.CancellationToken) => Promise<string>): void => {
    try {
      store.add(vscode.lm.registerTool<unknown>(name, {
        prepareInvocation: () => ({ invocationMessage: message() }),
        invoke: async ({ input }, token) => new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(await unlessCancelled(token, answer(typeof input === 'object' && input !== null ? input as Input : {}, token)))]),
      }));
    } catch (error) {
      // An editor may have the function and refuse (an organisation's policy, a proposed API): everything else is to work.
      host.log.warn(`the tool ${name} cannot be registered: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const snapshot = async (params: SnapshotParams, token: vscode.CancellationToken): Promise<Extract<SnapshotResult, { snapshot: unknown }>['snapshot']> => {
    const result = await host.client.request('snapshot', params, token);
    // Nothing was said to be known, so it comes whole.
    if (!('snapshot' in result)) throw new Error(l10n.t('The probe gave no snapshot.'));
    return result.snapshot;
  };

  register(toolNames.listObjects, () => l10n.t('Looking at the IPC objects'), async (input, token) => {
    const pid = pidOf(input);
    const kinds = kindsOf(input);
    const limit = typeof input['limit'] === 'number' && input['limit'] >= 1 ? Math.min(200, Math.floor(input['limit'])) : undefined;
    return listObjects(await snapshot({ ...(pid === undefined ? {} : { pids: [pid] }), ...(kinds === undefined ? {} : { kinds }) }, token), {
      filter: typeof input['filter'] === 'string' ? input['filter'].slice(0, 200) : '',
      ...(pid === undefined ? {} : { pid }), ...(kinds === undefined ? {} : { kinds }), ...(limit === undefined ? {} : { limit }),
    });
  });
  register(toolNames.explainWaits, () => l10n.t('Looking who waits for whom'), async (input, token) => {
    const pid = pidOf(input);
    if (pid === undefined && input['everything'] !== true) await host.focus.look();
    const debugged = host.focus.watched;
    const pids = pid !== undefined ? [pid] : input['everything'] === true || debugged.length === 0 ? undefined : (pidsOf(host.focus.current).length > 0 ? pidsOf(host.focus.current) : debugged);
    return explainWaits(await snapshot({ waits: true, ...(pids === undefined ? {} : { pids }) }, token), pids);
  });
  register(toolNames.listStale, () => l10n.t('Looking for unused IPC objects'), async (_input, token) => {
    const { snapshot: seen, stale } = await host.client.request('stale', {}, token);
    return listStale(seen, stale);
  });
  register(toolNames.listLeaks, () => l10n.t('Reading what the last debug session left behind'), () => Promise.resolve(listLeaks(host.leaks.report)));
  return store;
}

/** A cancelled question has no answer, whatever its parts still do; those that can be cancelled are. */
async function unlessCancelled(token: vscode.CancellationToken, answer: Promise<string>): Promise<string> {
  let listener: vscode.Disposable | undefined;
  const cancelled = new Promise<never>((_resolve, reject) => {
    if (token.isCancellationRequested) reject(new vscode.CancellationError());
    listener = token.onCancellationRequested(() => reject(new vscode.CancellationError()));
  });
  try {
    return await Promise.race([cancelled, answer]);
  } finally {
    listener?.dispose();
    answer.catch(() => undefined); // of what was cancelled nobody wants to know why it failed
  }
}

function pidOf(input: Input): number | undefined {
  if (input['pid'] === undefined || input['pid'] === null) return undefined;
  const pid = asPid(input['pid']);
  if (pid === undefined) throw new Error(l10n.t('pid must be the number of a process.'));
  return pid;
}

/** Those that exist; a model may make up others. */
function kindsOf(input: Input): CollectedKind[] | undefined {
  if (!Array.isArray(input['kinds'])) return undefined;
  const asked: unknown[] = input['kinds'];
  const known = [...facilityTable.keys()].filter(kind => asked.includes(kind));
  if (known.length === 0 && asked.length > 0) throw new Error(l10n.t('There is no such kind. The kinds are {0}.', [...facilityTable.keys()].join(', ')));
  return known.length === 0 ? undefined : known;
}
