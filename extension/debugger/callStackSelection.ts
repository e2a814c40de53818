// Selects a thread in VS Code's Call Stack. The API only tells what is selected there (debug.activeStackItem; vscode#281784 asks for more), so
// this does what a person does with the keyboard: goes to the view, moves to the row, presses Enter, and looks whether it became the selected one.
import * as vscode from 'vscode';

/** Rows that are tried before it is left to the user. */
const mostTries = 12;
/** Milliseconds that VS Code may take to tell of the new selection. */
const settling = 400;
/** Milliseconds after which a view that was folded shows its threads, the stopped one with its frames: later than the command that unfolds it returns. */
const opening = 300;

const isSelected = (session: vscode.DebugSession, threadId?: number): boolean => {
  const item = vscode.debug.activeStackItem;
  return item !== undefined && item.session.id === session.id && (threadId === undefined || item.threadId === threadId);
};

/** True when the thread is the selected one in the end. */
export async function selectInCallStack(session: vscode.DebugSession, threadId: number): Promise<boolean> {
  if (isSelected(session, threadId)) return true;
  const threads: unknown = await session.customRequest('threads');
  const ids = ((threads as { threads?: unknown } | null)?.threads as { id?: unknown }[] | undefined)?.map(it => it.id) ?? [];
  const position = ids.indexOf(threadId);
  if (position < 0) return false;
  const run = (command: string, ...args: unknown[]): Thenable<unknown> => vscode.commands.executeCommand(command, ...args);
  await run('workbench.debug.action.focusCallStackView');
  await new Promise(shown => setTimeout(shown, opening));
  await run('list.collapseAll');
  await run('list.focusFirst');
  // With several sessions their rows come first, folded by now.
  if (!await opensOn(session) && !await downTo(session, run)) return false;
  await run('list.focusFirst');
  // The view lists threads in the order in which they turned up, which is mostly the adapter's.
  if (position > 0) await run('list.focusDown', position);
  for (let tries = 0; tries < mostTries; tries++) {
    await run('list.select');
    if (await becomes(() => isSelected(session, threadId))) {
      await run('list.expand'); // its frames, as after a stop
      return true;
    }
    await run('list.focusDown');
  }
  return false;
}

/** Whether the only session is this one: then the view shows its threads without a row for it. */
function opensOn(session: vscode.DebugSession): Promise<boolean> {
  return Promise.resolve(isSelected(session));
}

async function downTo(session: vscode.DebugSession, run: (command: string) => Thenable<unknown>): Promise<boolean> {
  for (let tries = 0; tries < mostTries; tries++) {
    await run('list.select');
    if (await becomes(() => isSelected(session))) {
      await run('list.expand');
      return true;
    }
    await run('list.focusDown');
  }
  return false;
}

async function becomes(condition: () => boolean): Promise<boolean> {
  if (condition()) return true;
  return new Promise(resolve => {
    const end = (result: boolean): void => {
      clearTimeout(timer);
      listener.dispose();
      resolve(result);
    };
    const timer = setTimeout(() => end(condition()), settling);
    const listener = vscode.debug.onDidChangeActiveStackItem(() => { if (condition()) end(true); });
  });
}
