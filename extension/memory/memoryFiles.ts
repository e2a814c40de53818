// The read-only file system `ipc-memory:` : shared memory as files, so that any editor for binary files can open it.
// /ID/NAME is the whole object, /ID/START-END/NAME a range of it (END is the byte after the last). Parts of paths are percent-encoded.
import * as vscode from 'vscode';
import type { IpcObject } from '../../native-probe/model';
import { DisposableStore, onDispose } from '../dispose';
import type { MemoryRange, ReadMemory } from './memoryReading';
import { MemoryUnavailable, pieceOf, readRange } from './memoryReading';
import type { Place } from './memoryPlaces';
import { placeOf } from './memoryPlaces';
import { fileNameOf } from './memorySaving';
import { bytes } from '../words/presentation';
import { l10n } from '../translation';

export const memoryScheme = 'ipc-memory';
/** The most that is read as one file: VS Code holds files in memory, some editors several times. */
export const longestFile = 64 << 20;
/** Files up to this size are compared while somebody watches them. */
const longestCompared = 1 << 20;

/** The file of an object's memory, or of a range of it. */
export function memoryUri(object: IpcObject, range?: MemoryRange): vscode.Uri {
  const parts = [object.id, ...(range === undefined ? [] : [`${range.start}-${range.end}`]), fileNameOf(object)];
  return vscode.Uri.from({ scheme: memoryScheme, path: `/${parts.map(encodeURIComponent).join('/')}` });
}

export class MemoryFiles implements vscode.FileSystemProvider, vscode.Disposable {
  private readonly store = new DisposableStore();
  private readonly changed = this.store.add(new vscode.EventEmitter<vscode.FileChangeEvent[]>());
  readonly onDidChangeFile = this.changed.event;
  /** When the contents of a file were last seen to be others. */
  private readonly changedAt = new Map<string, number>();
  private readonly begun = Date.now();

  constructor(private readonly read: ReadMemory, private readonly interval: () => number) {
    this.store.add(vscode.workspace.registerFileSystemProvider(memoryScheme, this, { isCaseSensitive: true, isReadonly: new vscode.MarkdownString(l10n.t('IPC Inspector only looks at memory: it cannot be changed here.')) }));
  }

  dispose(): void { this.store.dispose(); }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const place = placeOf(uri.path);
    const times = { ctime: this.begun, mtime: this.changedAt.get(uri.toString()) ?? this.begun };
    if (place === undefined) {
      if (uri.path.split('/').length > 3) throw vscode.FileSystemError.FileNotFound(uri);
      return { type: vscode.FileType.Directory, size: 0, ...times };
    }
    return { type: vscode.FileType.File, size: await this.sizeOf(uri, place), permissions: vscode.FilePermission.Readonly, ...times };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    const place = placeOf(uri.path);
    if (place === undefined) throw vscode.FileSystemError.FileIsADirectory(uri);
    const size = await this.sizeOf(uri, place);
    if (size > longestFile) {
      throw vscode.FileSystemError.Unavailable(l10n.t('This memory has {0}; at most {1} can be opened as one file. Open it in the memory view instead, or choose a range there.', bytes(String(size)), bytes(String(longestFile))));
    }
    const data = Buffer.alloc(size);
    const start = place.range?.start ?? 0;
    try {
      const got = await readRange(this.read, place.id, { start, end: start + size }, (part, offset) => { part.copy(data, offset); });
      return data.subarray(0, got.length);
    } catch (error) {
      throw asFileError(uri, error);
    }
  }

  /** Looks again and again while somebody watches: whether it is gone, whether its size is another, and of small files whether their bytes are. */
  watch(uri: vscode.Uri): vscode.Disposable {
    const place = placeOf(uri.path);
    if (place === undefined) return onDispose(() => undefined);
    let ended = false;
    let timer: NodeJS.Timeout | undefined;
    let before: string | undefined;
    const look = async (): Promise<void> => {
      let now: string;
      try {
        const size = await this.sizeOf(uri, place);
        now = size > longestCompared ? String(size) : `${size} ${Buffer.from(await this.readFile(uri)).toString('base64')}`;
      } catch (error) {
        now = error instanceof vscode.FileSystemError && error.code === 'FileNotFound' ? 'gone' : before ?? 'unknown';
      }
      if (ended) return;
      if (before !== undefined && now !== before) {
        this.changedAt.set(uri.toString(), Date.now());
        this.changed.fire([{ type: now === 'gone' ? vscode.FileChangeType.Deleted : vscode.FileChangeType.Changed, uri }]);
      }
      before = now;
      schedule();
    };
    const schedule = (): void => {
      const interval = this.interval();
      if (interval > 0) timer = setTimeout(() => void look(), interval);
    };
    void look();
    return onDispose(() => { ended = true; clearTimeout(timer); });
  }

  readDirectory(): [string, vscode.FileType][] { return []; }
  createDirectory(uri: vscode.Uri): never { throw vscode.FileSystemError.NoPermissions(uri); }
  writeFile(uri: vscode.Uri): never { throw vscode.FileSystemError.NoPermissions(uri); }
  delete(uri: vscode.Uri): never { throw vscode.FileSystemError.NoPermissions(uri); }
  rename(uri: vscode.Uri): never { throw vscode.FileSystemError.NoPermissions(uri); }

  private async sizeOf(uri: vscode.Uri, { id, range }: Place): Promise<number> {
    try {
      const { size } = pieceOf(await this.read({ id, offset: '0', length: 1 }));
      const whole = size === null ? 0 : Number(size);
      return range === undefined ? whole : Math.max(0, Math.min(whole, range.end) - range.start);
    } catch (error) {
      throw asFileError(uri, error);
    }
  }
}

function asFileError(uri: vscode.Uri, error: unknown): vscode.FileSystemError {
  if (error instanceof MemoryUnavailable) return error.gone ? vscode.FileSystemError.FileNotFound(uri) : vscode.FileSystemError.NoPermissions(error.message);
  return vscode.FileSystemError.Unavailable(error instanceof Error ? error.message : String(error));
}
