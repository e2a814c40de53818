// Messages sent piece by piece are, byte for byte, what JSON.stringify makes of them whole.
import { strict as assert } from 'node:assert';
import { PassThrough } from 'node:stream';
import * as fc from 'fast-check';
import { StreamMessageReader } from 'vscode-jsonrpc/node';
import type { Message } from 'vscode-jsonrpc/node';
import { encodedPieces, PiecewiseWriter } from '../../native-probe/piecewiseWriter';

const whole = (message: unknown): string => Buffer.concat(encodedPieces(message)).toString();
const list = (length: number): { id: string; none?: undefined; value: number }[] => Array.from({ length }, (_, value) => ({ id: `é☃😀\n"${value}`, none: undefined, value }));

describe('messages sent in pieces', () => {
  it('are the text of JSON.stringify, whatever the message', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), message => { assert.equal(whole(message), JSON.stringify(message)); }));
  });

  it('are so for long lists too, where the pieces meet, and with members that are absent', () => {
    for (const length of [0, 1, 999, 1000, 1001, 2000, 2001, 25_000]) {
      const message = { jsonrpc: '2.0', id: 1, result: { serial: 1, since: undefined, snapshot: { objects: list(length), handles: [undefined, ...list(length)], host: {}, none: null } } };
      assert.equal(whole(message), JSON.stringify(message), `${length} entries`);
    }
  });

  it('never stand in memory as one long text', () => {
    const pieces = encodedPieces({ result: { snapshot: { objects: list(50_000) } } });
    assert.ok(pieces.length > 20);
    assert.ok(Math.max(...pieces.map(({ length }) => length)) < 1 << 18);
  });

  it('arrive as they were sent, one after the other, also when nobody waited in between', async () => {
    const pipe = new PassThrough();
    const writer = new PiecewiseWriter(pipe);
    const sent: (Message & { result?: unknown })[] = [list(30_000), [], list(1001)].map(result => ({ jsonrpc: '2.0', result }));
    const arrived: Message[] = [];
    await new Promise<void>((resolve, reject) => {
      new StreamMessageReader(pipe).listen(message => { if (arrived.push(message) === sent.length) resolve(); });
      Promise.all(sent.map(message => writer.write(message))).catch(reject);
    });
    assert.deepEqual(arrived, sent.map(message => JSON.parse(JSON.stringify(message)) as Message));
  });

  it('say so when the reader is gone', async () => {
    const pipe = new PassThrough();
    const writer = new PiecewiseWriter(pipe);
    let told = 0;
    writer.onError(() => { told++; });
    pipe.destroy();
    await assert.rejects(writer.write({ jsonrpc: '2.0' }));
    assert.ok(told > 0);
  });
});
