// User actions, and the only place from which their errors reach the user.
import * as vscode from 'vscode';
import type { IpcObject, Process, ThreadRef } from '../native-probe/model';
import type { AttachSubject } from './attaching/attachTargets';
import type { Administrator } from './elevation/administrator';
import { registerAdministratorCommands } from './elevation/administratorCommands';
import { commandIds, walkthroughId } from './contributions';
import type { CommandId } from './contributions';
import type { DebuggerKnowledge } from './debugger/debuggerKnowledge';
import { registerSourceCommands } from './debugger/sourceCommands';
import { DisposableStore } from './dispose';
import type { FocusTracker } from './focus';
import { pickDebuggee, pickProcess } from './followProcess';
import type { IpcModel } from './ipcModel';
import { registerMemoryCommands } from './memory/memoryCommands';
import type { MemoryViews } from './panels/memoryPanel';
import { registerLeakCommands } from './leaks/leakCommands';
import type { LeakReports } from './leaks/leakReports';
import { inMessage } from './words/presentation';
import type { ProbeClient } from './probeClient';
import type { WaitGraphs } from './panels/waitGraph/waitGraphPanel';
import { registerGraphCommands, registerListCommands, registerProcessCommands, registerWaitCommands } from './processCommands';
import { removeObjects, removeStaleObjects, showProblem } from './removing';
import { indexOf } from './snapshotIndex';
import { l10n } from './translation';
import type { UnseenDocument } from './unseen/unseenDocument';
import type { UnseenPanel } from './unseen/unseenPanel';
import type { IpcViews } from './views/ipcViews';
import type { TreeNode } from './views/treeNode';

export interface CommandHost {
  readonly waitGraphs: Pick<WaitGraphs, 'show'>;
  readonly client: ProbeClient;
  readonly model: IpcModel;
  readonly views: IpcViews;
  readonly focus: FocusTracker;
  readonly leaks: LeakReports;
  readonly log: vscode.LogOutputChannel;
  /** Opens the inspector of an object. */
  readonly inspect: (object: IpcObject) => void;
  readonly unseen: UnseenDocument;
  readonly unseenPanel: UnseenPanel;
  readonly administrator: Administrator;
  readonly memory: MemoryViews;
  readonly knowledge: DebuggerKnowledge;
}

/** Registers one command; what it throws is shown and logged. */
export type Register = (id: CommandId, action: (...args: readonly unknown[]) => void | Promise<void>) => void;

/** What menus, keys and other code hand to a command: a tree element or an object's id, and the other selected elements. */
type Argument = unknown;

/** Registers all commands. */
export function registerCommands(host: CommandHost): vscode.Disposable {
  const { client, model, views, focus, leaks, log } = host;
  const store = new DisposableStore();
  const register = (id: CommandId, action: (...args: Argument[]) => void | Promise<void>): void => {
    store.add(vscode.commands.registerCommand(id, async (...args: Argument[]) => {
      try {
        await action(...args);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        log.error(`${id}: ${message}`);
        void showProblem(inMessage(message), log);
      }
    }));
  };
  const chosen = (args: readonly Argument[]): string[] => objectIds(args, views);
  const known = (id: string): IpcObject => {
    const snapshot = model.snapshotWith(id) ?? leaks.snapshotWith(id);
    const object = snapshot && indexOf(snapshot).objects.get(id);
    if (!object) throw new Error(l10n.t('{0} is not among the objects that are known now. It may be gone.', id));
    return object;
  };
  const copy = (text: (id: string) => string | undefined) => async (...args: Argument[]): Promise<void> => {
    const texts = chosen(args).flatMap(id => text(id) ?? []);
    if (texts.length > 0) await vscode.env.clipboard.writeText(texts.join('\n'));
  };

  register(commandIds.refresh, () => views.refresh());
  register(commandIds.filter, async () => {
    const text = await vscode.window.showInputBox({
      title: l10n.t('Filter IPC Objects'), value: views.filter,
      prompt: l10n.t('Words that the kind, name, key, id, owner or a process of an object contains'), placeHolder: l10n.t('for example: semaphore postgres'),
    });
    if (text !== undefined) views.setFilter(text);
  });
  register(commandIds.clearFilter, () => views.setFilter(''));
  register(commandIds.openInspector, (...args) => {
    for (const id of chosen(args).slice(0, 10)) host.inspect(known(id));
  });
  register(commandIds.remove, async (...args) => {
    const ids = chosen(args);
    if (ids.length === 0) return;
    await removeObjects(host, ids);
    await leaks.recheck();
  });
  register(commandIds.removeStale, async () => {
    await removeStaleObjects(host);
    await leaks.recheck();
  });
  register(commandIds.copyId, copy(id => id));
  register(commandIds.copyName, copy(id => known(id).name));
  register(commandIds.copyJson, copy(id => {
    const snapshot = model.snapshotWith(id);
    return JSON.stringify({ object: known(id), handles: snapshot ? indexOf(snapshot).handlesOf(id) : [] }, undefined, 2);
  }));
  register(commandIds.followProcess, async () => {
    const process = await pickProcess(client);
    if (process) await follow(focus, process);
  });
  register(commandIds.followThisProcess, async (...args) => {
    const pid = pidOf(args, views);
    if (pid === undefined) return;
    const result = await client.request('snapshot', { pids: [pid], kinds: [] });
    const process = 'snapshot' in result ? indexOf(result.snapshot).processes.get(pid) : undefined;
    if (!process) throw new Error(l10n.t('Process {0} has ended, or cannot be seen.', pid));
    await follow(focus, process);
  });
  register(commandIds.stopFollowing, () => focus.stopFollowing());
  register(commandIds.chooseDebuggee, async () => {
    const session = focus.activeSession;
    if (!session) return;
    const process = await pickDebuggee(client, session.name, focus.current.kind === 'unidentified' ? focus.current.candidates : []);
    if (process && !focus.choose(session.id, process)) throw new Error(l10n.t('The debug session “{0}” has ended.', session.name));
  });
  register(commandIds.showAllSessions, () => focus.setAllSessions(true));
  register(commandIds.showActiveSession, () => focus.setAllSessions(false));
  registerProcessCommands(host, register, args => pidOf(args, views), args => subjectOf(args, views));
  registerWaitCommands(host, register, args => pathOf(args, views));
  registerSourceCommands(host.knowledge, register, args => threadOf(args, views));
  store.add(registerListCommands(host, register));
  registerMemoryCommands({ views: host.memory, read: (params, token) => client.request('readMemory', params, token), chosen, known }, register);
  registerLeakCommands(host, register);
  registerGraphCommands(host, register, ([first]) => nodeOf(first ?? views.selection[0])?.graph);
  registerAdministratorCommands(host.administrator, register);
  register(commandIds.getStarted, async () => { await vscode.commands.executeCommand('workbench.action.openWalkthrough', walkthroughId, false); });
  register(commandIds.showLog, () => log.show());
  register(commandIds.retry, () => client.retry());
  return store;
}

async function follow(focus: FocusTracker, { pid, startTime, comm, container }: Process): Promise<void> {
  focus.follow(pid, startTime, container === undefined ? comm : l10n.t('{0} in {1}', comm, container));
  await vscode.commands.executeCommand('ipcInspector.debuggee.focus');
}

function nodeOf(argument: Argument): Pick<TreeNode, 'objectId' | 'pid' | 'tid' | 'goesTo' | 'graph' | 'attach'> | undefined {
  if (typeof argument !== 'object' || argument === null || !('node' in argument)) return undefined;
  const { node } = argument;
  return typeof node === 'object' && node !== null ? node : undefined;
}

function objectIds([first, many]: readonly Argument[], views: IpcViews): string[] {
  if (typeof first === 'string') return [first];
  // VS Code passes the whole selection along when the command's element is part of it.
  const elements = Array.isArray(many) && many.length > 0 ? many as unknown[] : first === undefined ? views.selection : [first];
  return [...new Set(elements.flatMap(it => nodeOf(it)?.objectId ?? []))];
}

function pidOf([first]: readonly Argument[], views: IpcViews): number | undefined {
  if (typeof first === 'number') return first;
  return nodeOf(first ?? views.selection[0])?.pid;
}

/** The thread that a node is about; without a TID the process's only one. */
function threadOf([first]: readonly Argument[], views: IpcViews): ThreadRef | undefined {
  const { pid, tid } = nodeOf(first ?? views.selection[0]) ?? {};
  return pid === undefined ? undefined : { pid, ...(tid === undefined ? {} : { tid }) };
}

/** What a debugger could be attached from: a node, an object's id, a PID. */
function subjectOf([first]: readonly Argument[], views: IpcViews): AttachSubject | undefined {
  if (typeof first === 'number') return { pids: [first] };
  if (typeof first === 'string') return { objectIds: [first] };
  const node = nodeOf(first ?? views.selection[0]);
  if (!node) return undefined;
  return node.attach ?? (node.pid !== undefined ? { pids: [node.pid] } : node.objectId !== undefined ? { objectIds: [node.objectId] } : undefined);
}

/** Where a node leads: from the node itself, or as JSON from its own command. */
function pathOf([first]: readonly Argument[], views: IpcViews): readonly string[] | undefined {
  if (typeof first !== 'string') return nodeOf(first ?? views.selection[0])?.goesTo;
  const path: unknown = JSON.parse(first);
  return Array.isArray(path) ? path.map(String) : undefined;
}
