// Shared memory as a viewer asks for it: the bytes that the program wrote, pages that are there, absent or not to be seen, and that
// looking, surveying and searching change nothing.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CancellationTokenSource, createMessageConnection, ResponseError, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { MemoryPiece, Method, ReadMemoryResult, Requests } from '../../native-probe/protocol';
import { skip } from '../skip';
import { as, canBecomeOrdinary, fixture, hasCompiler, isRoot, ordinaryUser, probePath, Program, scratchDirectory, snapshotOf } from './harness';

const page = 4096, gigabyte = 1 << 30;
const ipcNamespace = (): string => snapshotOf(['--kind', 'eventfd']).host.ipcNamespace;

class Probe {
  private constructor(private readonly child: ChildProcessWithoutNullStreams, readonly connection: MessageConnection) {}
  static async start(user?: number): Promise<Probe> {
    const [command, args] = as(user, process.execPath, [probePath(), 'serve']);
    const child = spawn(command, args);
    child.stderr.resume();
    const connection = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
    connection.listen();
    await connection.sendRequest('initialize', { protocolVersion: 1, client: 'test' });
    return new Probe(child, connection);
  }
  get pid(): number { return this.child.pid ?? -1; }
  ask<M extends Method>(method: M, params: Requests[M]['params']): Promise<Requests[M]['result']> { return this.connection.sendRequest(method, params); }
  async read(id: string, offset: number, length: number): Promise<MemoryPiece> {
    const result = await this.ask('readMemory', { id, offset: String(offset), length, detail: true });
    assert.ok(result.form === 'bytes', JSON.stringify(result));
    return result;
  }
  /** All hits of a search, as a viewer gathers them. */
  async search(id: string, bytes: Buffer, ignoreCase = false): Promise<{ hits: number[]; read: number; rounds: number }> {
    const found: number[] = [];
    let read = 0, rounds = 0;
    for (let from: string | null = '0'; from !== null; rounds++) {
      const result: Requests['searchMemory']['result'] = await this.ask('searchMemory', { id, base64: bytes.toString('base64'), from, ...(ignoreCase ? { ignoreCase } : {}) });
      assert.ok(result.form === 'hits', JSON.stringify(result));
      found.push(...result.hits.map(Number));
      read += Number(result.read);
      from = result.next;
    }
    return { hits: found, read, rounds };
  }
  stop(): void { this.connection.dispose(); this.child.kill('SIGKILL'); }
}

const bytesOf = ({ base64, runs }: MemoryPiece): Buffer => base64 === undefined ? Buffer.alloc(runs.reduce((sum, { length }) => sum + length, 0)) : Buffer.from(base64, 'base64');
const states = ({ runs }: MemoryPiece): string => runs.map(({ state, length }) => `${state} ${length}`).join(', ');
/** Bytes that a process has read by read(2) and pread(2), by its own count. */
const readBytes = (pid: number): number => Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);

describe('memory', function () {
  let program: Program;
  let probe: Probe;
  const ask = async (line: string, to = program): Promise<string> => {
    to.tell(line);
    const answer = await to.line();
    assert.ok(!answer.startsWith('error'), `${line}: ${answer}`);
    return answer;
  };
  const at = (address: string, offset: number): string => `0x${(BigInt(address) + BigInt(offset)).toString(16)}`;
  before(async function () {
    if (!hasCompiler()) skip(this, 'no C compiler');
    program = Program.start(fixture('ipc'));
    await program.line();
    probe = await Probe.start();
  });
  after(async () => { probe?.stop(); await Program.stopAll(); });

  /** A segment of a gigabyte with three pages in it: text, 0x5a over a border, and one of zeros that was touched. */
  async function sparse(): Promise<{ id: string; row: () => string; remove: () => Promise<void> }> {
    const shmid = await ask(`shmget 0 ${gigabyte} 600`);
    const address = await ask(`shmat ${shmid} 0`);
    await ask(`poke ${at(address, 2 * page)} hello`);
    await ask(`fill ${at(address, 500 * 1024 * 1024 - 100)} 200`);
    await ask(`poke ${at(address, 3 * page)} x`);
    await ask(`fill ${at(address, gigabyte - 8)} 8`);
    const row = (): string => readFileSync('/proc/sysvipc/shm', 'utf8').split('\n').find(line => line.trim().split(/\s+/)[1] === shmid) ?? '';
    return { id: `sysv-shared-memory:${ipcNamespace()}:${shmid}`, row, remove: async () => { await ask(`shmdt ${address}`); await ask(`shmrm ${shmid}`); } };
  }

  it('of a sparse gigabyte shows what was written and where, told apart from what is absent, and allocates nothing', async function () {
    if (!isRoot) skip(this, 'not root');
    const segment = await sparse();
    const before = segment.row();
    const first = await probe.read(segment.id, 0, 4 * page);
    assert.equal(first.size, String(gigabyte));
    assert.equal(first.complete, true);
    assert.equal(states(first), `absent ${2 * page}, resident ${2 * page}`);
    assert.equal(bytesOf(first).subarray(2 * page, 2 * page + 6).toString(), 'hello\0');
    assert.equal(bytesOf(first).subarray(3 * page + 1).every(byte => byte === 0), true, 'zeros that were written are resident');
    const border = await probe.read(segment.id, 500 * 1024 * 1024 - 104, 208);
    assert.deepEqual([...bytesOf(border)], [...Buffer.alloc(4), ...Buffer.alloc(200, 0x5a), ...Buffer.alloc(4)]);
    const end = await probe.read(segment.id, gigabyte - 16, 4096);
    assert.deepEqual([...bytesOf(end)], [...Buffer.alloc(8), ...Buffer.alloc(8, 0x5a)], 'it ends where the segment ends');
    assert.equal(end.allocated, String(5 * page));
    const beyond = await probe.read(segment.id, 2 * gigabyte, 4096);
    assert.deepEqual([beyond.runs, bytesOf(beyond).length], [[], 0]);
    assert.equal(segment.row(), before, 'rss, atime, lpid: as before');
    await segment.remove();
  });

  it('reads in proportion to what is looked at, wherever that is', async function () {
    if (!isRoot) skip(this, 'not root');
    const segment = await sparse();
    await probe.read(segment.id, 0, page); // finds the way
    const start = readBytes(probe.pid);
    const looks = 200;
    for (let look = 0; look < looks; look++) await probe.read(segment.id, look * 5 * 1024 * 1024, 2 * page);
    const perLook = (readBytes(probe.pid) - start) / looks;
    // What it proves again each time (maps, stat) and the request itself: some tens of kilobytes at most, whatever the segment's size.
    assert.ok(perLook < 64 * 1024, `${Math.round(perLook)} bytes a look`);
    await segment.remove();
  });

  it('surveys all pages without touching any', async function () {
    if (!isRoot) skip(this, 'not root');
    const segment = await sparse();
    const before = segment.row();
    const survey = await probe.ask('surveyPages', { id: segment.id, parts: 512 });
    assert.ok(survey.form === 'survey');
    const total = (state: 'resident' | 'absent'): number => (survey.pages[state] ?? []).reduce((sum, each) => sum + each, 0);
    assert.deepEqual([survey.pagesOfPart, total('resident'), total('absent')], [512, 5, gigabyte / page - 5]);
    assert.deepEqual([survey.pages.resident?.[0], survey.pages.resident?.[249], survey.pages.resident?.[250], survey.pages.resident?.[511]], [2, 1, 1, 1]);
    assert.equal(segment.row(), before);
    await segment.remove();
  });

  it('of 64 GiB with three pages in it is looked at, surveyed and searched in a moment, by root and through a page table', async function () {
    if (!isRoot) skip(this, 'not root');
    const size = 64 * gigabyte, middle = size / 2 + 5 * page;
    const user = canBecomeOrdinary() ? ordinaryUser : undefined;
    const own = Program.start(fixture('ipc'), [], { user });
    await own.line();
    const theirs = await Probe.start(user);
    try {
      const fd = await ask(`memfd vast ${size}`, own);
      const address = await ask(`mmap ${fd} ${size}`, own);
      for (const [offset, word] of [[0, 'first'], [middle, 'needle'], [size - page, 'last']] as const) await ask(`poke ${at(address, offset)} ${word}`, own);
      const { dev, ino } = statSync(`/proc/${own.pid}/fd/${fd}`);
      const id = `memfd:${dev}:${ino}`, blocks = (): number => statSync(`/proc/${own.pid}/fd/${fd}`).blocks;
      const before = blocks();
      for (const each of [probe, theirs]) {
        const started = performance.now();
        const end = await each.read(id, size - 2 * page, 4 * page);
        assert.deepEqual([end.size, bytesOf(end).length, bytesOf(end).toString('latin1', page, page + 4)], [String(size), 2 * page, 'last']);
        const survey = await each.ask('surveyPages', { id, parts: 512 });
        assert.ok(survey.form === 'survey');
        assert.deepEqual((survey.pages.resident ?? []).flatMap((pages, part) => pages === 0 ? [] : [[part, pages]]), [[0, 1], [256, 1], [511, 1]]);
        assert.deepEqual((await each.search(id, Buffer.from('needle'))).hits, [middle]);
        assert.ok(performance.now() - started < 15_000, `${Math.round(performance.now() - started)} ms`);
      }
      assert.equal(blocks(), before, 'nothing was allocated');
    } finally {
      theirs.stop();
      await own.stop();
    }
  });

  it('finds bytes over borders, passes over absent pages, and goes on where it stopped', async function () {
    if (!isRoot) skip(this, 'not root');
    const segment = await sparse();
    const before = segment.row();
    const { hits, read } = await probe.search(segment.id, Buffer.from('hello'));
    assert.deepEqual(hits, [2 * page]);
    assert.equal(read, 5 * page, 'only what was written is read');
    assert.deepEqual((await probe.search(segment.id, Buffer.from('HELLO'))).hits, []);
    assert.deepEqual((await probe.search(segment.id, Buffer.from('HELLO'), true)).hits, [2 * page]);
    assert.equal((await probe.search(segment.id, Buffer.alloc(150, 0x5a))).hits.length, 51, 'overlapping matches over the border of two pages');
    assert.deepEqual((await probe.search(segment.id, Buffer.from([0x5a, 0, 0]))).hits, [500 * 1024 * 1024 + 99], 'into the zeros of the page');
    assert.equal(segment.row(), before);
    const limited = await probe.ask('searchMemory', { id: segment.id, base64: 'Wg==', from: '0', most: 10 });
    assert.ok(limited.form === 'hits' && limited.hits.length === 10 && limited.next === String(Number(limited.hits[9]) + 1));
    await segment.remove();
  });

  it('a search through half a gigabyte answers again and again, so that a look is served in between, and can be cancelled', async function () {
    if (!isRoot) skip(this, 'not root');
    const size = 512 << 20;
    const fd = await ask(`memfd big ${size}`);
    const address = await ask(`mmap ${fd} ${size}`);
    await ask(`fill ${address} ${size}`);
    const { dev, ino } = statSync(`/proc/${program.pid}/fd/${fd}`);
    const id = `memfd:${dev}:${ino}`;
    const searching = probe.search(id, Buffer.from('nowhere'));
    const look = await probe.read(id, size - page, page);
    assert.equal(bytesOf(look)[0], 0x5a);
    const { hits, rounds } = await searching;
    assert.deepEqual(hits, []);
    assert.ok(rounds > 1, `${rounds} rounds`);
    const cancel = new CancellationTokenSource();
    const request = probe.connection.sendRequest('searchMemory', { id, base64: 'AAAA', from: '0' }, cancel.token);
    cancel.cancel();
    await assert.rejects(request, error => error instanceof ResponseError && error.code === -32800);
    await ask(`munmap ${address} ${size}`);
    await ask(`close ${fd}`);
  });

  it('tells that an object has shrunk, and that it is gone', async function () {
    const name = `/ipc-inspector-memory-${process.pid}`;
    const fd = await ask(`shm_open ${name} ${4 * page}`);
    await ask(`write ${fd} contents`);
    const { dev, ino } = statSync(`/dev/shm${name}`);
    const id = `posix-shared-memory:${dev}:${ino}`;
    assert.equal((await probe.read(id, 0, page)).size, String(4 * page));
    writeFileSync(`/dev/shm${name}`, 'short');
    const short = await probe.read(id, 0, page);
    assert.deepEqual([short.size, bytesOf(short).toString()], ['5', 'short']);
    await ask(`shm_unlink ${name}`);
    await ask(`close ${fd}`);
    const gone: ReadMemoryResult = await probe.ask('readMemory', { id, offset: '0', length: page });
    // Where a process may not be read, it may be that one which still has it.
    assert.ok(gone.form === 'gone' || (gone.form === 'unavailable' && /it is gone, or only processes that may not be read have it/.test(gone.reason)), JSON.stringify(gone));
    assert.equal((await probe.ask('surveyPages', { id, parts: 4 })).form, gone.form);
    assert.equal((await probe.ask('searchMemory', { id, base64: 'AAAA', from: '0' })).form, gone.form);
  });

  it('shows a mapped file as it lies in memory and on the disk', async function () {
    if (!isRoot) skip(this, 'not root');
    const path = join(scratchDirectory(), 'mapped');
    writeFileSync(path, 'x'.repeat(3 * page));
    const fd = await ask(`open ${path}`);
    const address = await ask(`mmap ${fd} ${3 * page}`);
    const object = snapshotOf(['--kind', 'shared-mapping']).objects.find(each => each.kind === 'shared-mapping' && each.state.path === path);
    assert.ok(object);
    const piece = await probe.read(object.id, 0, 4 * page);
    assert.equal(bytesOf(piece).toString(), 'x'.repeat(3 * page));
    assert.match(states(piece), /^(resident|on-disk|written) /);
    await ask(`munmap ${address} ${3 * page}`);
    await ask(`close ${fd}`);
    rmSync(path);
  });

  it('an ordinary user sees what the page tables show, never allocates the rest, and is told what would help', async function () {
    if (!canBecomeOrdinary()) skip(this, 'not root');
    const own = Program.start(fixture('ipc'), [], { user: ordinaryUser });
    await own.line();
    const theirs = await Probe.start(ordinaryUser);
    try {
      const fd = await ask('memfd mine 1073741824', own);
      const address = await ask(`mmap ${fd} 1073741824`, own);
      await ask(`poke ${at(address, page)} hello`, own);
      const { dev, ino } = statSync(`/proc/${own.pid}/fd/${fd}`);
      const blocks = (): number => statSync(`/proc/${own.pid}/fd/${fd}`).blocks;
      const before = blocks();
      const piece = await theirs.read(`memfd:${dev}:${ino}`, 0, 3 * page);
      assert.deepEqual([piece.complete, states(piece), piece.size, piece.allocated], [false, `unseen ${page}, resident ${page}, unseen ${page}`, '1073741824', String(before * 512)]);
      assert.equal(bytesOf(piece).subarray(page, page + 5).toString(), 'hello');
      assert.deepEqual((await theirs.search(`memfd:${dev}:${ino}`, Buffer.from('hello'))).hits, [page]);
      const survey = await theirs.ask('surveyPages', { id: `memfd:${dev}:${ino}`, parts: 8 });
      assert.ok(survey.form === 'survey' && survey.pages.resident?.[0] === 1 && survey.pages.unseen?.[7] === 32768, JSON.stringify(survey));
      assert.equal(blocks(), before, 'nothing was allocated');
      // Nobody but root's process has this one: denied, with the remedy.
      const shmid = await ask('shmget 0 8192 600');
      const attached = await ask(`shmat ${shmid} 0`);
      const denied = await theirs.ask('readMemory', { id: `sysv-shared-memory:${ipcNamespace()}:${shmid}`, offset: '0', length: page });
      assert.ok(denied.form === 'unavailable' && /no process that can be read has it attached/.test(denied.reason), JSON.stringify(denied));
      await ask(`shmdt ${attached}`);
      await ask(`shmrm ${shmid}`);
    } finally {
      theirs.stop();
      await own.stop();
    }
  });

  it('refuses what is no memory, and sizes beyond its bounds', async () => {
    const { form } = await probe.ask('readMemory', { id: 'pipe:1', offset: '0', length: 1 });
    assert.equal(form, 'unavailable');
    for (const [method, params] of [['readMemory', { id: 'memfd:1:1', offset: '0', length: 1 << 30 }], ['surveyPages', { id: 'memfd:1:1', parts: 1e9 }], ['searchMemory', { id: 'memfd:1:1', base64: 'A'.repeat(4000), from: '0' }], ['searchMemory', { id: 'memfd:1:1', base64: '', from: '0' }], ['readMemory', { id: 'memfd:1:1', offset: '-1', length: 1 }]] as const) {
      await assert.rejects(probe.connection.sendRequest(method, params), error => error instanceof ResponseError && error.code === -32602, `${method} ${JSON.stringify(params).slice(0, 60)}`);
    }
  });
});
