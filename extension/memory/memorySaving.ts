// "Save a Range to a File…": reads through the probe, writes with the user's own rights. What is absent in memory is a hole in the file.
import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { IpcObject } from '../../native-probe/model';
import type { MemoryRange, ReadMemory } from './memoryReading';
import { parseRange, pieceOf, readRange } from './memoryReading';
import { objectTitle } from '../words/objectWords';
import { bytes, inMessage } from '../words/presentation';
import { l10n } from '../translation';

/** The most that is written where files are not the local system's own. */
const mostElsewhere = 64 << 20;

/** A name for a file, of a title that anybody may have chosen. */
export function fileNameOf(object: IpcObject): string {
  return `${(object.name ?? object.id).replace(/[^\w.-]+/g, '_').replace(/^[_.]+|_+$/g, '').slice(0, 80) || 'memory'}.bin`;
}

/** Asks for what is not given, saves, and says how it went. */
export async function saveMemory(read: ReadMemory, object: IpcObject, selected: MemoryRange | undefined): Promise<void> {
  const { size: known } = pieceOf(await read({ id: object.id, offset: '0', length: 1 }));
  const size = known === null ? Number.MAX_SAFE_INTEGER : Number(known);
  const range = selected ?? await askRange(size);
  if (range === undefined || size === 0) return;
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(tmpdir());
  const target = await vscode.window.showSaveDialog({ title: l10n.t('Save {0} of {1}', bytes(String(range.end - range.start)), inMessage(objectTitle(object))), defaultUri: vscode.Uri.joinPath(folder, fileNameOf(object)), saveLabel: l10n.t('Save') });
  if (!target) return;
  const saved = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, cancellable: true, title: l10n.t('Saving {0}', inMessage(objectTitle(object))) }, async (progress, token) => {
    let told = 0;
    const tell = (done: number): void => {
      const percent = Math.floor(done / (range.end - range.start) * 100);
      if (percent > told) { progress.report({ increment: percent - told, message: `${percent} %` }); told = percent; }
    };
    try {
      return target.scheme === 'file' ? await writeFile(target.fsPath, read, object.id, range, tell, token) : await writeElsewhere(target, read, object.id, range, tell, token);
    } catch (error) {
      if (token.isCancellationRequested) return undefined;
      throw error;
    }
  });
  if (!saved) return;
  const missing = saved.length < range.end - range.start ? l10n.t('It ended there: less than was asked for.') : '';
  const unseen = saved.unseen > 0 ? l10n.t('{0} of it could not be seen: they are zeros in the file.', bytes(String(saved.unseen))) : '';
  const message = [l10n.t('{0} saved to {1}.', bytes(String(saved.length)), inMessage(path.basename(target.path))), missing, unseen].filter(it => it !== '').join(' ');
  await (missing === '' && unseen === '' ? vscode.window.showInformationMessage(message) : vscode.window.showWarningMessage(message));
}

async function askRange(size: number): Promise<MemoryRange | undefined> {
  const text = await vscode.window.showInputBox({
    title: l10n.t('Save a Range to a File'), prompt: l10n.t('First and last byte (0x1000-0x1fff), or first byte and length (4096+256). Nothing: all of it ({0}).', bytes(String(size))),
    validateInput: value => { const range = parseRange(value, size); return typeof range === 'string' ? range : undefined; },
  });
  if (text === undefined) return undefined;
  const range = parseRange(text, size);
  return typeof range === 'string' ? undefined : range;
}

interface Saved { readonly length: number; readonly unseen: number }

/** Into a file beside the target, which takes its place only when it is whole: a cancelled or failed save leaves what was there. */
async function writeFile(target: string, read: ReadMemory, id: string, range: MemoryRange, progress: (done: number) => void, token: vscode.CancellationToken): Promise<Saved> {
  const partial = `${target}.${randomBytes(6).toString('hex')}.part`;
  try {
    const file = await open(partial, 'wx', 0o600);
    let saved: Saved;
    try {
      saved = await readRange(read, id, range, async (data, offset) => { for (let done = 0; done < data.length;) done += (await file.write(data, done, data.length - done, offset + done)).bytesWritten; }, { token, progress });
      await file.truncate(saved.length);
    } finally {
      await file.close();
    }
    if (token.isCancellationRequested) throw new Error('cancelled');
    await rename(partial, target);
    return saved;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function writeElsewhere(target: vscode.Uri, read: ReadMemory, id: string, range: MemoryRange, progress: (done: number) => void, token: vscode.CancellationToken): Promise<Saved> {
  if (range.end - range.start > mostElsewhere) throw new Error(l10n.t('At most {0} can be saved there. Save to the machine that the window works on instead.', bytes(String(mostElsewhere))));
  const data = Buffer.alloc(range.end - range.start);
  const saved = await readRange(read, id, range, (part, offset) => { part.copy(data, offset); }, { token, progress });
  await vscode.workspace.fs.writeFile(target, data.subarray(0, saved.length));
  return saved;
}
