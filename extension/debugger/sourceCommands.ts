// From a thread in a view to its line and to its place in the Call Stack; and the offer to pause, which only a person takes.
import * as vscode from 'vscode';
import type { ThreadRef } from '../../native-probe/model';
import { commandIds } from '../contributions';
import type { Register } from '../commands';
import { inMessage, visible } from '../words/presentation';
import { l10n } from '../translation';
import type { DebuggerKnowledge } from './debuggerKnowledge';
import type { ThreadPlace } from './sessionKnowledge';
import { selectInCallStack } from './callStackSelection';

/** Registers Go to Source, Switch to Thread and Pause to See the Lines. `threadOf` tells which thread a command is meant for. */
export function registerSourceCommands(knowledge: DebuggerKnowledge, register: Register, threadOf: (args: readonly unknown[]) => ThreadRef | undefined): void {
  register(commandIds.goToSource, async (...args) => {
    const thread = threadOf(args);
    if (!thread) return;
    const place = knowledge.placeOf(thread);
    if (place) await open(place, knowledge, thread);
    else await sayWhyNot(knowledge, thread);
  });
  register(commandIds.switchToThread, async (...args) => {
    const thread = threadOf(args);
    if (!thread) return;
    const owner = knowledge.sessionOf(thread);
    if (!owner?.stopped || owner.threadId === undefined) return sayWhyNot(knowledge, thread);
    if (await selectInCallStack(owner.session, owner.threadId).catch(() => false)) return; // a command of the workbench that is not there any more
    // VS Code lets nobody but the user select in the Call Stack: its source is the next best.
    const place = knowledge.placeOf(thread);
    if (place && place.line > 0) await open(place, knowledge, thread);
    void vscode.window.showInformationMessage(l10n.t('The thread could not be selected in the Call Stack: select thread {0} there.', thread.tid ?? thread.pid));
  });
  register(commandIds.pauseForLines, async (...args) => {
    const thread = threadOf(args);
    const owner = thread && knowledge.sessionOf(thread);
    if (owner && !owner.stopped) await pause(owner.session, owner.threadId);
    else if (thread) await sayWhyNot(knowledge, thread);
    else if (vscode.debug.activeDebugSession) await pause(vscode.debug.activeDebugSession, undefined);
  });
}

async function open(place: ThreadPlace, knowledge: DebuggerKnowledge, thread: ThreadRef): Promise<void> {
  const session = knowledge.sessionOf(thread)?.session;
  if (place.path === undefined && place.sourceReference === undefined) throw new Error(l10n.t('The debugger knows no source of {0}.', visible(place.function)));
  const source = { ...(place.path === undefined ? {} : { path: place.path }), ...(place.sourceReference === undefined ? {} : { sourceReference: place.sourceReference }) };
  // What has a reference exists in the adapter only.
  const uri = place.sourceReference !== undefined || place.path === undefined ? vscode.debug.asDebugSourceUri(source, session) : vscode.Uri.file(place.path);
  const at = new vscode.Position(Math.max(0, place.line - 1), Math.max(0, place.column - 1));
  try {
    await vscode.window.showTextDocument(uri, { selection: new vscode.Range(at, at) });
  } catch (error) {
    throw new Error(l10n.t('{0} cannot be opened ({1}). Where sources were moved, the debugger can be told by a source map in launch.json.', visible(place.path ?? place.function), error instanceof Error ? error.message : String(error)), { cause: error });
  }
}

async function sayWhyNot(knowledge: DebuggerKnowledge, thread: ThreadRef): Promise<void> {
  const owner = knowledge.sessionOf(thread);
  if (!owner) {
    void vscode.window.showInformationMessage(l10n.t('Thread {0} is not debugged: attach a debugger to its process to see its lines.', thread.tid ?? thread.pid));
  } else if (owner.stopped) {
    void vscode.window.showInformationMessage(l10n.t('The debugger tells no source line of thread {0}: it was built without debug information, or it is inside of a library.', thread.tid ?? thread.pid));
  } else {
    const offer = l10n.t('Pause');
    const chosen = await vscode.window.showInformationMessage(l10n.t('{0} is running. Its lines can be seen while it is stopped.', inMessage(owner.session.name)), offer);
    if (chosen === offer) await pause(owner.session, owner.threadId);
  }
}

/** As the button in the debug toolbar does. */
async function pause(session: vscode.DebugSession, threadId: number | undefined): Promise<void> {
  // Adapters that stop all threads ignore which one is named.
  await session.customRequest('pause', { threadId: threadId ?? 1 });
}
