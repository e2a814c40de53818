// Sends JSON-RPC messages (base protocol: Content-Length, blank line, body) whose long lists are made into text piece by piece: an
// answer of 100,000 entries never stands in memory as one string beside its bytes.
import type { Writable } from 'node:stream';
import { AbstractMessageWriter } from 'vscode-jsonrpc/node';
import type { Message, MessageWriter } from 'vscode-jsonrpc/node';

/** So many entries of a list at a time: some hundred kilobytes. */
const entriesAPiece = 1000;
/** How deep long lists are looked for: message, result, snapshot, list; of a delta one more. */
const deepest = 4;

/** The text of a JSON value as JSON.stringify makes it, in pieces. Absent members may be undefined. */
export function* jsonPieces(value: unknown, depth = 0): Generator<string> {
  if (Array.isArray(value) && value.length > entriesAPiece) {
    for (let at = 0; at < value.length; at += entriesAPiece) {
      yield (at === 0 ? '[' : ',') + JSON.stringify(value.slice(at, at + entriesAPiece)).slice(1, -1);
    }
    yield ']';
    return;
  }
  if (depth >= deepest || typeof value !== 'object' || value === null || Array.isArray(value) || 'toJSON' in value) {
    yield JSON.stringify(value);
    return;
  }
  let opened = false;
  for (const [key, its] of Object.entries(value)) {
    if (its === undefined) continue;
    yield `${opened ? ',' : '{'}${JSON.stringify(key)}:`;
    yield* jsonPieces(its, depth + 1);
    opened = true;
  }
  yield opened ? '}' : '{}';
}

/** Short pieces are put together up to so many characters. */
const charactersAPiece = 1 << 16;

/** A message as UTF-8, in pieces. */
export function encodedPieces(message: unknown): Buffer[] {
  const pieces: Buffer[] = [];
  let text = '';
  for (const piece of jsonPieces(message)) {
    text += piece;
    if (text.length < charactersAPiece) continue;
    pieces.push(Buffer.from(text));
    text = '';
  }
  if (text !== '') pieces.push(Buffer.from(text));
  return pieces;
}

/** Writes messages to a stream. */
export class PiecewiseWriter extends AbstractMessageWriter implements MessageWriter {
  private errors = 0;

  constructor(private readonly output: Writable) {
    super();
    output.on('error', error => { this.fireError(error); });
    output.on('close', () => { this.fireClose(); });
  }

  /** Resolves when the whole message is given away. All of it is queued at once: messages cannot mix. */
  write(message: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: unknown): void => {
        const reason = error instanceof Error ? error : new Error(String(error));
        this.fireError(reason, message, ++this.errors);
        reject(reason);
      };
      try {
        const pieces = encodedPieces(message);
        const length = pieces.reduce((sum, { length: its }) => sum + its, 0);
        this.output.write(`Content-Length: ${length}\r\n\r\n`, 'ascii');
        pieces.forEach((piece, at) => { this.output.write(piece, at < pieces.length - 1 ? undefined : error => { if (error) failed(error); else resolve(); }); });
      } catch (error) {
        failed(error);
      }
    });
  }

  end(): void {
    this.output.end();
  }
}
