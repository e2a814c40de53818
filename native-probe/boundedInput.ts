// Guards the JSON-RPC reader: a message larger than the limit, or a header that is none, ends the connection before
// anything is buffered. vscode-jsonrpc itself would wait for any announced length.
import { Transform } from 'node:stream';
import type { TransformCallback } from 'node:stream';

/** Requests are small: even 100,000 ids of removal stay below. */
export const longestMessage = 16 << 20;
const longestHeader = 4096;

export class MessageError extends Error {}

/** Passes the base protocol's messages (`Content-Length: N`, blank line, N bytes) through; errors on what is not one. */
export class BoundedInput extends Transform {
  private header = '';
  private remaining = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    for (let at = 0; at < chunk.length;) {
      if (this.remaining > 0) {
        const take = Math.min(this.remaining, chunk.length - at);
        this.remaining -= take;
        at += take;
        continue;
      }
      this.header += String.fromCharCode(chunk[at] ?? 0);
      at += 1;
      if (this.header.endsWith('\r\n\r\n')) {
        const length = /^content-length: *(\d{1,15})\r$/im.exec(this.header)?.[1];
        if (length === undefined) { done(new MessageError('a message header without Content-Length')); return; }
        if (Number(length) > longestMessage) { done(new MessageError(`a message of ${length} bytes: the limit is ${longestMessage}`)); return; }
        this.remaining = Number(length);
        this.header = '';
      } else if (this.header.length > longestHeader) {
        done(new MessageError('no message header in the first 4096 bytes'));
        return;
      }
    }
    done(null, chunk);
  }
}
