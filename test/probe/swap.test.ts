// Shared memory on real swap: a small swap file that the test switches on, and off again whatever happens.
import { strict as assert } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { Method, Requests } from '../../native-probe/protocol';
import { skip } from '../skip';
import { fixture, hasCompiler, isRoot, probePath, Program, scratchDirectory, snapshotOf, until } from './harness';

const page = 4096, pages = 64;

describe('memory on swap', () => {
  let swap: string | undefined;
  let program: Program;
  let probe: ChildProcessWithoutNullStreams | undefined;
  let connection: MessageConnection;
  const undo: (() => Promise<unknown>)[] = [];
  const run = (command: string, ...args: readonly string[]): string | undefined => {
    const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 });
    return status === 0 ? undefined : `${command}: ${error?.message ?? stderr.trim()}`;
  };
  const swapOff = (): void => {
    if (swap === undefined) return;
    const failed = run('swapoff', swap);
    rmSync(swap, { force: true });
    swap = undefined;
    assert.equal(failed, undefined);
  };
  const ask = async (line: string): Promise<string> => {
    program.tell(line);
    const answer = await program.line();
    assert.ok(!answer.startsWith('error'), `${line}: ${answer}`);
    return answer;
  };
  const request = <M extends Method>(method: M, params: Requests[M]['params']): Promise<Requests[M]['result']> => connection.sendRequest(method, params);

  before(async function () {
    if (!isRoot) skip(this, 'swapon(2) needs root');
    if (!hasCompiler()) skip(this, 'no C compiler');
    const file = join(mkdtempSync(join(scratchDirectory(), 'swap-')), 'swap');
    const refused = run('fallocate', '--length', '8M', file) ?? run('chmod', '0600', file) ?? run('mkswap', file) ?? run('swapon', file);
    if (refused !== undefined) skip(this, `no swap can be had here (${refused})`);
    swap = file;
    process.prependOnceListener('exit', swapOff);
    program = Program.start(fixture('ipc'));
    await program.line();
    probe = spawn(process.execPath, [probePath(), 'serve']);
    probe.stderr.resume();
    connection = createMessageConnection(new StreamMessageReader(probe.stdout), new StreamMessageWriter(probe.stdin));
    connection.listen();
    await connection.sendRequest('initialize', { protocolVersion: 1, client: 'test' });
  });
  after(async () => {
    for (const each of undo) await each();
    probe?.kill('SIGKILL');
    connection?.dispose();
    await Program.stopAll();
    swapOff();
  });

  /** Pages out of memory: the kernel writes them first, and lets some go late. */
  const pageOut = (address: string, bytes: number, out: () => number): Promise<void> => until(async () => {
    await ask(`pageout ${address} ${bytes}`);
    return out() > 0;
  }, 'pages are on swap');
  const row = (shmid: string): { rss: number; swap: number } => {
    const fields = (readFileSync('/proc/sysvipc/shm', 'utf8').split('\n').find(line => line.trim().split(/\s+/)[1] === shmid) ?? '').trim().split(/\s+/).map(Number);
    return { rss: fields.at(-2) ?? NaN, swap: fields.at(-1) ?? NaN };
  };

  it('of a segment is counted as the kernel counts it, told apart page by page, and read as it was written', async () => {
    const shmid = await ask(`shmget 0 ${2 * pages * page} 600`);
    undo.push(() => ask(`shmrm ${shmid}`));
    const address = await ask(`shmat ${shmid} 0`);
    await ask(`fill ${address} ${pages * page}`);
    await ask(`poke ${address} begins`);
    await pageOut(address, pages * page / 2, () => row(shmid).swap);

    const snapshot = snapshotOf(['--kind', 'sysv-shared-memory']);
    const object = snapshot.objects.find(({ id }) => id.endsWith(`:${shmid}`));
    assert.ok(object?.kind === 'sysv-shared-memory');
    const before = row(shmid);
    assert.deepEqual([object.state.rss, object.state.swap], [String(before.rss), String(before.swap)]);

    const survey = await request('surveyPages', { id: object.id, parts: 2 });
    assert.ok(survey.form === 'survey');
    assert.deepEqual(survey.pages, { resident: [before.rss / page, 0], swapped: [before.swap / page, 0], absent: [0, pages] });
    assert.deepEqual(row(shmid), before, 'a survey brings nothing back into memory');

    const piece = await request('readMemory', { id: object.id, offset: '0', length: 2 * pages * page, detail: true });
    assert.ok(piece.form === 'bytes');
    const bytesIn = (state: string): number => piece.runs.filter(run => run.state === state).reduce((sum, { length }) => sum + length, 0);
    assert.deepEqual([bytesIn('resident'), bytesIn('swapped'), bytesIn('absent')], [before.rss, before.swap, pages * page]);
    const bytes = Buffer.from(piece.base64 ?? '', 'base64');
    assert.equal(bytes.toString('latin1', 0, 7), 'begins\0');
    assert.ok(bytes.subarray(7, pages * page).every(byte => byte === 0x5a), 'what lies on swap is what was written');
    assert.equal(piece.allocated, String(pages * page), 'and takes no more than before');
  });

  it('of a memfd is told apart too, and a search finds what lies there', async () => {
    const fd = await ask(`memfd swapped ${pages * page}`);
    const address = await ask(`mmap ${fd} ${pages * page}`);
    undo.push(() => ask(`munmap ${address} ${pages * page}`));
    await ask(`fill ${address} ${pages * page}`);
    await ask(`poke 0x${(BigInt(address) + BigInt(20 * page)).toString(16)} needle`);
    const { dev, ino } = statSync(`/proc/${program.pid}/fd/${fd}`);
    const id = `memfd:${dev}:${ino}`;
    const used = (): number => Number(readFileSync('/proc/swaps', 'utf8').split('\n').find(line => swap !== undefined && line.startsWith(swap))?.split(/\s+/)[3]);
    const already = used();
    await pageOut(address, pages * page, () => used() - already);
    const survey = await request('surveyPages', { id, parts: 1 });
    assert.ok(survey.form === 'survey' && (survey.pages.swapped?.[0] ?? 0) > 0, JSON.stringify(survey));
    assert.equal((survey.pages.swapped?.[0] ?? 0) + (survey.pages.resident?.[0] ?? 0), pages);
    const found = await request('searchMemory', { id, base64: Buffer.from('needle').toString('base64'), from: '0' });
    assert.ok(found.form === 'hits');
    assert.deepEqual(found.hits, [String(20 * page)]);
  });
});
