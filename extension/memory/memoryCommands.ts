// The commands of the memory view: open it, move in it, save a range, open as a file.
import * as vscode from 'vscode';
import type { IpcObject } from '../../native-probe/model';
import type { Register } from '../commands';
import { commandIds } from '../contributions';
import { longestFile, memoryUri } from './memoryFiles';
import type { MemoryRange, ReadMemory } from './memoryReading';
import { pieceOf } from './memoryReading';
import { saveMemory } from './memorySaving';
import { objectTitle } from '../words/objectWords';
import type { MemoryViews } from '../panels/memoryPanel';
import { hasMemory } from '../panels/memoryPanel';
import { bytes, visible } from '../words/presentation';
import { l10n } from '../translation';

/** The hex editor of VS Code's own makers: where it is installed it is the one to open. */
const hexEditor = { extension: 'ms-vscode.hexeditor', viewType: 'hexEditor.hexedit' } as const;

export interface MemoryCommandHost {
  readonly views: MemoryViews;
  readonly read: ReadMemory;
  /** Objects that a command was called for. */
  readonly chosen: (args: readonly unknown[]) => string[];
  /** The object with an id, as it was last seen. Throws when nobody knows it. */
  readonly known: (id: string) => IpcObject;
}

/** Registers them. */
export function registerMemoryCommands({ views, read, chosen, known }: MemoryCommandHost, register: Register): void {
  const memoryOf = (id: string): IpcObject => {
    const object = known(id);
    if (!hasMemory(object)) throw new Error(l10n.t('{0} has no memory of its own to show.', objectTitle(object)));
    return object;
  };
  register(commandIds.openMemory, (...args) => {
    for (const id of chosen(args).slice(0, 10)) views.open(memoryOf(id));
  });
  register(commandIds.goToOffset, () => views.focus('goTo'));
  register(commandIds.searchMemory, () => views.focus('search'));
  register(commandIds.refreshMemory, () => views.focus('refresh'));
  register(commandIds.saveMemory, async (...args) => {
    const [id] = chosen(args);
    if (id !== undefined) await saveMemory(read, memoryOf(id), rangeOf(args[1]));
  });
  register(commandIds.openMemoryAsFile, async (...args) => {
    const [id] = chosen(args);
    if (id === undefined) return;
    const object = memoryOf(id);
    const { size } = pieceOf(await read({ id, offset: '0', length: 1 }));
    const whole = Number(size ?? 0);
    const range = whole > longestFile ? await askPart(whole, typeof args[1] === 'string' ? Number(args[1]) : 0) : undefined;
    if (whole > longestFile && range === undefined) return;
    const uri = memoryUri(object, range);
    if (vscode.extensions.getExtension(hexEditor.extension)) await vscode.commands.executeCommand('vscode.openWith', uri, hexEditor.viewType);
    else await vscode.commands.executeCommand('vscode.open', uri);
  });
}

/** What the memory view hands over: bytes that are selected; an end of 0: none are. */
function rangeOf(value: unknown): MemoryRange | undefined {
  if (typeof value !== 'object' || value === null || !('start' in value) || !('end' in value)) return undefined;
  const [start, end] = [Number(value.start), Number(value.end)];
  return Number.isSafeInteger(start) && Number.isSafeInteger(end) && end > start ? { start, end } : undefined;
}

/** A file is at most so long: which part of the memory shall it be? */
async function askPart(size: number, cursor: number): Promise<MemoryRange | undefined> {
  const page = 4096;
  const part = (start: number): MemoryRange => ({ start, end: Math.min(size, start + longestFile) });
  const around = Math.max(0, Math.floor((cursor - longestFile / 2) / page) * page);
  const item = (label: string, range: MemoryRange): vscode.QuickPickItem & { range: MemoryRange } => ({ label, description: `0x${range.start.toString(16)} – 0x${(range.end - 1).toString(16)}`, range });
  const items = [item(l10n.t('Around the cursor'), part(around)), item(l10n.t('The beginning'), part(0)), item(l10n.t('The end'), part(Math.max(0, Math.floor((size - longestFile) / page) * page)))];
  const title = l10n.t('It has {0}; a file shows {1} of it', visible(bytes(String(size))), bytes(String(longestFile)));
  return (await vscode.window.showQuickPick(items, { title }))?.range;
}
