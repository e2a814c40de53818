// What a session's debugger is asked and what is made of its answers: an adapter that tells as lldb-dap 19 does, and ones that
// are slow, silent, wrong, or gone while they are asked.
import * as assert from 'node:assert/strict';
import type { Adapter } from '../../extension/debugger/adapterQuestions';
import { AdapterQuestions, AdapterSilent } from '../../extension/debugger/adapterQuestions';
import { blockedCall, dapMemory, lldbMemory, loadedNumber, registersOf } from '../../extension/debugger/blockedRegisters';
import { neededMemory } from '../../extension/debugger/callMemory';
import { placeWords, questionsOf, seen } from '../../extension/debugger/seenSnapshot';
import { SessionKnowledge } from '../../extension/debugger/sessionKnowledge';
import { indexOf } from '../../extension/snapshotIndex';
import type { IpcObject, Wait } from '../../native-probe/model';
import { judge } from '../../native-probe/analysis/deadlocks';
import type { ToldProcess } from '../../native-probe/protocol';
import { aProcess, aSnapshot } from './snapshots';

const mutex = (address: string): IpcObject => ({ id: `futex:100.1@${address}`, kind: 'mutex', name: address, persistence: 'memory', state: { address, type: 'normal', owner: 0, robust: false, pi: false, shared: false } });
const [orders, own] = [mutex('0x4120'), mutex('0x92a8')];
const waitOn = (tid: number, object: IpcObject, holder: number): Wait => ({
  pid: 100, tid, threadComm: tid === 101 ? 'clerk' : 'auditor', operation: 'pthread_mutex_lock', objectId: object.id, verdict: 'waiting', evidence: [], stopped: true,
  clauses: [{ alternatives: [{ objectId: object.id, event: 'unlock', threads: [{ pid: 100, tid: holder }] }] }],
});
const processes = [aProcess(100, { comm: 'queue' })];
const waits = [waitOn(101, own, 102), waitOn(102, orders, 101)];
const objects = [orders, own];
const handles = [{ objectId: own.id, pid: 100, via: 'mapping' as const, address: '0x92a8' }, { objectId: orders.id, pid: 100, via: 'mapping' as const, address: '0x4120' }];
const snapshot = aSnapshot({ processes, objects, handles, ...judge({ waits, threads: new Map([[100, [101, 102]]]), processes, objects }) });

/** Counts what it is asked. */
class Fake implements Adapter {
  readonly asked: string[] = [];
  readonly id = 'session'; readonly type: string; readonly name = 'Queue';
  readonly configuration: Readonly<Record<string, unknown>> = {};
  constructor(private readonly answer: (command: string, args: Record<string, unknown>) => unknown, type = 'lldb-dap') { this.type = type; }
  async customRequest(command: string, args: Record<string, unknown> = {}): Promise<unknown> {
    this.asked.push(`${command} ${typeof args.expression === 'string' ? args.expression : ''}`.trim());
    return await this.answer(command, args);
  }
}
const frame = (id: number, name: string, path: string, line: number) => ({ id, name, line, column: 3, source: { path } });
function lldb(command: string, { threadId, expression = '', frameId }: Record<string, unknown>): unknown {
  if (command === 'threads') return { threads: [{ id: 100, name: 'queue' }, { id: 101, name: 'queue' }, { id: 102, name: 'queue' }] };
  if (command === 'stackTrace') return { stackFrames: [frame(Number(threadId) * 10, '___pthread_mutex_lock', 'nptl/pthread_mutex_lock.c', 93), frame(Number(threadId) * 10 + 1, threadId === 101 ? 'clerk' : 'auditor', '/src/queue.c', threadId === 101 ? 20 : 26)] };
  if (command !== 'evaluate') throw new Error(`unknown request ${command}`);
  if (expression === '`image lookup --address 0x4120') return { result: '      Address: queue[0x4120] (queue.PT_LOAD[3]..bss + 96)\n      Summary: queue`orders_lock\n' };
  if (expression === '`frame variable -L -R -D 3 -P 1' && frameId === 1011) return { result: '0x00007ffff6dcdec8: (book *) own = 0x00000000000092a0 {\n0x00000000000092a8:   lock = {\n' };
  return { result: '' };
}
async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 3_000; !condition();) {
    if (Date.now() > end) throw new Error('it does not come');
    await new Promise(resolve => setTimeout(resolve, 2));
  }
}

describe('what a debugger knows of a stopped program', () => {
  it('is where its blocked threads are and how its locks are called, and it is in the explanation', async () => {
    const adapter = new Fake(lldb);
    const knowledge = new SessionKnowledge(adapter, () => undefined);
    knowledge.stop();
    knowledge.want(questionsOf(snapshot));
    await until(() => knowledge.nameOf(own.id) !== undefined && knowledge.placeOf(102) !== undefined);
    assert.equal(knowledge.nameOf(orders.id), 'orders_lock');
    assert.equal(knowledge.nameOf(own.id), 'own->lock');
    const place = knowledge.placeOf(101) ?? assert.fail();
    assert.deepEqual([placeWords(place), place.path, place.function, place.threadId, place.frameId], ['queue.c:20', '/src/queue.c', 'clerk', 101, 1011]);
    const drawn = seen(snapshot, { nameOf: id => knowledge.nameOf(id), placeOf: ({ tid = 0 }) => knowledge.placeOf(tid) });
    assert.equal(drawn.findings[0]?.explanation, 'Thread clerk (100/101, at queue.c:20) waits for mutex own->lock held by thread auditor (100/102, at queue.c:26). Thread auditor waits for mutex orders_lock held by thread clerk. None of them can go on.');
    assert.equal(indexOf(drawn).objects.get(orders.id)?.name, 'orders_lock');
    // Asked once: what is known at this stop is not asked again.
    const { length } = adapter.asked;
    knowledge.want(questionsOf(snapshot));
    await new Promise(resolve => setTimeout(resolve, 30));
    assert.equal(adapter.asked.length, length, adapter.asked.slice(length).join('\n'));
  });

  it('is forgotten when the program goes on, except what cannot change; while it runs only symbols are asked for', async () => {
    const adapter = new Fake(lldb);
    const knowledge = new SessionKnowledge(adapter, () => undefined);
    knowledge.want(questionsOf(snapshot));
    await until(() => knowledge.nameOf(orders.id) !== undefined);
    assert.ok(!adapter.asked.some(it => it.startsWith('stackTrace') || it.includes('frame variable')), adapter.asked.join('\n'));
    knowledge.stop();
    await until(() => knowledge.nameOf(own.id) !== undefined);
    knowledge.goOn();
    assert.equal(knowledge.placeOf(101), undefined);
    assert.equal(knowledge.nameOf(orders.id), 'orders_lock');
    // The variable led there while its thread waited there: by now the heap may have something else at that address.
    knowledge.want(questionsOf({ ...snapshot, waits: [] }));
    assert.equal(knowledge.nameOf(own.id), undefined);
  });

  it('stands in for what the kernel denies only until the program goes on, or somebody changes it', async () => {
    const code = `${'90 '.repeat(21)}b8 ca 00 00 00 0f 05`.split(' ').map(it => `0x${it}`).join(' ');
    const adapter = new Fake((command, args) => {
      if (command === 'scopes') return { scopes: [{ name: 'Registers', presentationHint: 'registers', variablesReference: 5 }] };
      if (command === 'variables') return { variables: Object.entries({ rax: '0xfffffffffffffe00', rdi: '0x4120', rsi: '0x80', rdx: '0x2', r10: '0x0', r8: '0x0', r9: '0x0', rsp: '0x7000', rip: '0x101c' }).map(([name, value]) => ({ name, value })) };
      if (args.expression === '`memory read --format x --size 1 --count 28 0x1000') return { result: `0x1000: ${code}` };
      return lldb(command, args);
    });
    const knowledge = new SessionKnowledge(adapter, () => undefined);
    const denied = { ...questionsOf(snapshot), denied: new Set([100]) };
    const now = (): ToldProcess | undefined => knowledge.toldProcess;
    knowledge.want(denied);
    await new Promise(resolve => setTimeout(resolve, 20));
    assert.equal(now(), undefined, 'it runs');
    knowledge.stop();
    await until(() => now() !== undefined);
    const told = now();
    assert.deepEqual([told?.pid, told?.threads.map(({ tid, number, arguments: [word] }) => [tid, number, word])], [100, [[100, 202, '0x4120'], [101, 202, '0x4120'], [102, 202, '0x4120']]]);
    // Its own questions change nothing; what a person evaluates may call functions and write to memory.
    knowledge.sees('evaluate', { expression: '`memory read --format x --size 1 --count 28 0x1000' });
    knowledge.sees('scopes');
    assert.equal(now(), told);
    knowledge.sees('evaluate', { expression: 'release_everything()' });
    assert.equal(now(), undefined);
    await until(() => now() !== undefined);
    knowledge.goOn();
    assert.equal(now(), undefined);
  });

  it('names what another process of the same executable waits on by its own copy of it, and what its threads hold by their variables', async () => {
    const [till, shared] = [{ ...mutex('0x9120'), id: 'futex:200.1@0x9120' }, { ...mutex('0x7000'), id: 'futex:1:5+0', name: 'in /memfd:shop at offset 0' }];
    const questions = questionsOf({
      ...snapshot, objects: [till, shared],
      handles: [
        { objectId: till.id, pid: 200, via: 'mapping', address: '0x9120', copies: [{ pid: 100, address: '0x4120' }] },
        { objectId: shared.id, pid: 200, via: 'mapping', address: '0x7000' }, { objectId: shared.id, pid: 100, via: 'mapping', address: '0x8000' }, { objectId: shared.id, pid: 100, tid: 101, via: 'owner' },
      ],
    });
    assert.deepEqual(questions.addresses.map(({ objectId, pid, address, users }) => [objectId, pid, address, users]), [
      [till.id, 200, 0x9120n, []], [till.id, 100, 0x4120n, []], [shared.id, 200, 0x7000n, []], [shared.id, 100, 0x8000n, [101]],
    ]);
    // As lldb-dap does: commands are run in the frame whose scopes were asked for last.
    let selected = 0;
    const adapter = new Fake((command, args) => {
      if (command === 'scopes') { knowledge.sees('scopes', args); selected = Number(args.frameId); return { scopes: [] }; }
      if (args.expression === '`target variable -L -R -D 3 -P 1' && selected === 1011) return { result: 'Global variables for /src/queue.c in /src/queue:\n0x0000000000004100: (shop *) shop = 0x0000000000008000 {\n0x0000000000008000:   orders = {\n' };
      return lldb(command, args);
    });
    const knowledge: SessionKnowledge = new SessionKnowledge(adapter, () => undefined);
    knowledge.stop();
    knowledge.sees('scopes', { frameId: 77 });
    knowledge.want(questions);
    await until(() => knowledge.nameOf(shared.id) !== undefined && !knowledge.busy);
    assert.deepEqual([knowledge.nameOf(till.id), knowledge.nameOf(shared.id)], ['orders_lock', 'shop->orders']);
    // Out of sight for one look: asked again when it is back.
    knowledge.want({ ...questions, addresses: [] });
    assert.equal(knowledge.nameOf(shared.id), undefined);
    knowledge.want(questions);
    await until(() => knowledge.nameOf(shared.id) !== undefined && !knowledge.busy);
    assert.equal(selected, 77, 'what is typed into the debug console is about the user\'s frame again');
  });

  it('never asks to pause, to continue or to change anything', async () => {
    const adapter = new Fake(lldb);
    const knowledge = new SessionKnowledge(adapter, () => undefined);
    knowledge.stop();
    knowledge.want(questionsOf(snapshot));
    await until(() => knowledge.nameOf(own.id) !== undefined);
    knowledge.goOn();
    for (const asked of adapter.asked) assert.match(asked, /^(threads|stackTrace|scopes|evaluate `(image lookup --address 0x[0-9a-f]+|target variable -L -R -D 4 [\w:]+|(frame|target) variable -L -R -D 3 -P 1))$/);
  });

  it('is nothing for other machines, core dumps, and debuggers that nothing is known of', async () => {
    for (const make of [
      () => { const it = new SessionKnowledge(new Fake(lldb), () => undefined); it.runs(undefined, true); return it; },
      () => new SessionKnowledge(Object.assign(new Fake(lldb), { configuration: { coreFile: '/core' } }), () => undefined),
      () => new SessionKnowledge(new Fake(lldb, 'cobol'), () => undefined),
    ]) {
      const knowledge = make();
      knowledge.stop();
      knowledge.want(questionsOf(snapshot));
      await new Promise(resolve => setTimeout(resolve, 20));
      assert.deepEqual([knowledge.useful, knowledge.has(100), knowledge.placeOf(101), knowledge.nameOf(orders.id)], [false, false, undefined, undefined]);
    }
  });
});

/** Bytes before the program counter, in hexadecimal, as they stand in glibc 2.36's __lll_lock_wait and __futex_abstimed_wait_common, and variations. */
describe('the system call that a stopped thread is in', () => {
  const number = (hex: string): number | undefined => loadedNumber(Buffer.from(hex, 'hex'));
  it('stands in the code right before', () => {
    assert.equal(number('31d24531d2ba02000000b8ca0000004080f6800f05'), 202);
    assert.equal(number('4531c089eab8ca0000000f05'), 202);
    assert.equal(number('b8ca00000041b8000000000f05'), 202, 'the other move loads r8');
    assert.equal(number('b8460000008b7c24080f05'), 70, 'an argument comes from the stack');
    assert.equal(number('b82d000000488b542410488b7424080f05'), 45);
    assert.equal(number('b8ca0000004c8b4424080f05'), 202, 'the other register that is written so');
    assert.equal(number('b8ca00000031c00f05'), 0, 'read(2) is number 0: the register is cleared');
    assert.equal(number('b8ca00000089c70f05'), 202, '%edi is written, %eax only read');
  });
  it('is not guessed', () => {
    for (const other of ['', '0f05', 'b8ca000000cd80', 'b8ca00000089f80f05', 'b8ca0000004431c00f05', 'b8ca0000008b4424080f05', 'b8ca000000488b04240f05', '4889f84889f74889d64889ca0f05', 'b8ca000000e8000000000f05']) assert.equal(number(other), undefined, other);
    const registers = registersOf([['rax', '0xfffffffffffffe00'], ['rdi', '0x0000555555558088 ledger + 8'], ['rsi', '0x80'], ['rdx', '0x2'], ['r10', '0x0'], ['r8', '0x0'], ['r9', '0x0'], ['rsp', '0x7ffff7dcfe68 -> 0x00007ffff7e60482'], ['rip', '0x00007ffff7e5a12b libc.so.6`x'], ['eax', '0xfffffe00']].map(([name = '', value = '']) => ({ name, value }))) ?? assert.fail();
    const code = Buffer.from('b8ca0000004080f6800f05', 'hex');
    assert.deepEqual(blockedCall(5, registers, code), { tid: 5, number: 202, arguments: ['0x555555558088', '0x80', '0x2', '0x0', '0x0', '0x0'], stackPointer: '0x7ffff7dcfe68', programCounter: '0x7ffff7e5a12b' });
    assert.equal(blockedCall(5, { ...registers, rax: 0n }, code), undefined, 'the call has returned');
    assert.equal(registersOf([{ name: 'rax', value: '0x1' }]), undefined);
  });
  it('needs the memory around its word, never beyond the page', () => {
    const call = (word: string, limit = '0x0') => ({ tid: 1, number: 202, arguments: [word, '0x80', '0x2', limit, '0x0', '0x0'], stackPointer: '0x1000', programCounter: '0x2' });
    assert.deepEqual(neededMemory(call('0x5008')), [{ address: 0x5000n, length: 72 }, { address: 0x1000n, length: 8 }]);
    assert.deepEqual(neededMemory(call('0x5ff8', '0x7010')), [{ address: 0x5fb8n, length: 72 }, { address: 0x7010n, length: 16 }, { address: 0x1000n, length: 8 }]);
  });
  it('comes with bytes only if they are all there', () => {
    assert.deepEqual(lldbMemory('(lldb) memory read\n0x5000: 0x02 0x00\n0x5002: 0xff 0x01\n', 0x5000n, 4), Buffer.from([2, 0, 255, 1]));
    for (const wrong of ['0x5000: 0x02 0x00\n', '0x5000: 0x02 0x00\n0x5004: 0xff 0x01\n', 'error: memory read failed for 0x5000', '']) assert.equal(lldbMemory(wrong, 0x5000n, 4), undefined);
    assert.deepEqual(dapMemory({ address: '0x5000', data: 'AgD/AQ==' }, 4), Buffer.from([2, 0, 255, 1]));
    for (const wrong of [null, {}, { data: 7 }, { data: 'AgD/AQ==', unreadableBytes: 1 }, { data: 'A'.repeat(100_000) }]) assert.equal(dapMemory(wrong, 5), undefined);
  });
});

describe('an adapter that', () => {
  it('never answers is asked a few times, then no more until the program stops again', async () => {
    const adapter = new Fake(() => new Promise(() => undefined));
    const questions = new AdapterQuestions(adapter, 5);
    for (let i = 0; i < 10; i++) await assert.rejects(questions.ask('threads'), AdapterSilent);
    assert.equal(adapter.asked.length, 3);
    questions.trustAgain();
    await assert.rejects(questions.ask('threads'), AdapterSilent);
    assert.equal(adapter.asked.length, 4);
  });

  it('answers late, while it loads symbols perhaps, is asked once more when it has answered', async () => {
    let answer: (() => void) | undefined;
    const adapter = new Fake(() => new Promise(resolve => { answer = () => resolve({}); }));
    const questions = new AdapterQuestions(adapter, 5);
    for (let i = 0; i < 5; i++) await assert.rejects(questions.ask('threads'), AdapterSilent);
    assert.equal(adapter.asked.length, 3);
    answer?.();
    await new Promise(resolve => setTimeout(resolve, 2));
    for (let i = 0; i < 5; i++) await assert.rejects(questions.ask('threads'), AdapterSilent);
    assert.equal(adapter.asked.length, 4);
    answer?.();
    await new Promise(resolve => setTimeout(resolve, 2));
    const inTime = questions.ask('threads');
    await until(() => adapter.asked.length === 5);
    answer?.();
    await inTime;
    for (let i = 0; i < 5; i++) await assert.rejects(questions.ask('threads'), AdapterSilent);
    assert.equal(adapter.asked.length, 8, 'what is answered in time counts anew');
  });

  it('answers nonsense, too much or with errors leaves nothing known and nothing broken', async () => {
    const nonsense: readonly unknown[] = [null, 'x', { threads: [{ id: 100 }, { id: 101 }], stackFrames: [{ id: 1, line: 'x' }], result: `Summary: ${'x'.repeat(1 << 20)}` }, { threads: [{ id: 100 }, { id: 101 }], stackFrames: [null], result: '      Summary: `;platform shell id\n' }];
    for (const answer of nonsense) {
      const adapter = new Fake(() => answer);
      const knowledge = new SessionKnowledge(adapter, () => undefined);
      knowledge.stop();
      knowledge.want(questionsOf(snapshot));
      await new Promise(resolve => setTimeout(resolve, 20));
      assert.equal(knowledge.placeOf(101), undefined);
      assert.ok(!adapter.asked.some(it => it.includes('platform')), adapter.asked.join('\n'));
    }
    const refusing = new SessionKnowledge(new Fake(() => { throw new Error('not now'); }), () => undefined);
    refusing.stop();
    refusing.want(questionsOf(snapshot));
    await new Promise(resolve => setTimeout(resolve, 20));
    assert.equal(refusing.has(100), false);
  });

  it('answers when its program has gone on already is not believed', async () => {
    let answer: ((value: unknown) => void) | undefined;
    const adapter = new Fake((command, args) => command === 'stackTrace' ? new Promise(resolve => { answer = () => resolve(lldb(command, args)); }) : lldb(command, args));
    const knowledge = new SessionKnowledge(adapter, () => undefined);
    knowledge.stop();
    knowledge.want(questionsOf(snapshot));
    await until(() => answer !== undefined);
    knowledge.goOn();
    answer?.(undefined);
    await new Promise(resolve => setTimeout(resolve, 20));
    assert.equal(knowledge.placeOf(101), undefined);
    knowledge.end();
    const { length } = adapter.asked;
    knowledge.stop();
    await new Promise(resolve => setTimeout(resolve, 20));
    assert.equal(adapter.asked.length, length, 'a session that is over is asked nothing');
  });

  it('names a variable with control characters has it shown, not obeyed', async () => {
    const knowledge = new SessionKnowledge(new Fake((command, args) => command === 'evaluate' ? { result: '      Summary: app`evil\u202e\u0007\u001b[31mlock\n' } : lldb(command, args)), () => undefined);
    knowledge.stop();
    knowledge.want(questionsOf(snapshot));
    await until(() => knowledge.nameOf(orders.id) !== undefined);
    const drawn = seen(snapshot, { nameOf: id => knowledge.nameOf(id), placeOf: () => undefined });
    assert.equal(drawn.objects[0]?.name, 'evil\\u{202e}\\u{7}\\u{1b}[31mlock');
  });
});
