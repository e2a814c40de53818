// What a debugger tells in place of the kernel: the words of LLDB and GDB taken apart, what each system call needs of memory, and adapters that
// tell wrongly, hugely, late or never. GDB's words are GDB 13's, LLDB's are LLDB 19's.
import * as assert from 'node:assert/strict';
import type { Adapter } from '../../extension/debugger/adapterQuestions';
import { blockedCall, gdbMemory, gdbRegisters } from '../../extension/debugger/blockedRegisters';
import { neededMemory, robustList, withinPages } from '../../extension/debugger/callMemory';
import { debuggerRow } from '../../extension/debugger/debuggerTable';
import { questionsOf } from '../../extension/debugger/seenSnapshot';
import { SessionKnowledge } from '../../extension/debugger/sessionKnowledge';
import { fileData, gdbMaps, mapsOf, readMaps } from '../../extension/debugger/toldMaps';
import { joinedPieces, ToldFacts } from '../../native-probe/told';
import type { ToldProcess } from '../../native-probe/protocol';
import { aSnapshot } from './snapshots';

const base64 = (...bytes: readonly number[]): string => Buffer.from(bytes).toString('base64');
const maps = '1000-2000 r-xp 00000000 fe:00 7                          /usr/lib/libc.so.6\n4000-5000 rw-s 00000000 00:01 9                          /dev/zero (deleted)\n';

describe('the mappings that a debugger tells', () => {
  const file = { form: 'file', command: (text: string) => ({ expression: text, context: 'repl' }) } as const;
  /** A debugger with a file: answers as LLDB does. */
  function host(text: string, asked: string[] = []) {
    const bytes = Buffer.from(text);
    return ({ expression }: { readonly expression: string }): Promise<string> => {
      asked.push(expression);
      const [, offset = '0', count = '0'] = /^platform file read 9 -o (\d+) -c (\d+)$/.exec(expression) ?? [];
      const part = bytes.subarray(Number(offset), Number(offset) + Math.min(100, Number(count)));
      return Promise.resolve(expression.startsWith('platform file open') ? `(lldb) ${expression}\nFile Descriptor = 9\n` : expression.startsWith('platform file close') ? 'file 9 closed.\n' : `(lldb) ${expression}\nReturn = ${part.length}\nData = "${part.toString()}"\n`);
    };
  }

  it('are the file /proc/PID/maps, read by the debugger and closed again', async () => {
    const asked: string[] = [];
    assert.deepEqual(await readMaps(file, 4711, host(maps, asked)), { lines: maps.trim().split('\n'), allShared: true });
    assert.equal(asked[0], 'platform file open /proc/4711/maps');
    assert.equal(asked.at(-1), 'platform file close 9');
    assert.ok(asked.slice(1, -1).every(it => it.startsWith('platform file read 9 ')));
  });

  it('come whole or not at all, and are closed also then', async () => {
    const strange = '1000-2000 rw-p 00000000 fe:00 7                          /tmp/a"b\\012 \u00fc "\n';
    assert.deepEqual((await readMaps(file, 1, host(strange)))?.lines, [strange.trimEnd()]);
    for (const wrong of ['', 'no maps', `${maps}nonsense\n`, maps.repeat(3000), `1-2 rw-p 0 0:0 0 ${'x'.repeat(5000)}\n`]) {
      const asked: string[] = [];
      assert.equal(await readMaps(file, 1, host(wrong, asked)), undefined, wrong.slice(0, 20));
      assert.equal(asked.at(-1), 'platform file close 9');
    }
    for (const answer of [undefined, 'error: no such file', 'File Descriptor = -1', '']) assert.equal(await readMaps(file, 1, () => Promise.resolve(answer)), undefined);
    // A file that never comes to an end.
    assert.equal(await readMaps(file, 1, ({ expression }) => Promise.resolve(expression.includes('open') ? 'File Descriptor = 9' : 'Return = 1\nData = "x"')), undefined);
    assert.equal(fileData('Return = 5\nData = "abc"\n'), undefined, 'fewer bytes than it says');
    assert.equal(fileData('Return = 3\nData = "abcdef"\n'), undefined, 'more bytes than it says');
    assert.equal(fileData('Return = -1\nData = ""\n'), undefined);
  });

  it('are of GDB without those of shared memory, because it does not say of which file', () => {
    const told = gdbMaps(`process 2901
Mapped address spaces:

          Start Addr           End Addr       Size     Offset  Perms  objfile
      0x557bbc728000     0x557bbc729000     0x1000     0x4000  rw-p   /tmp/dn/w
      0x7f649d26c000     0x7f649da6c000   0x800000        0x0  rw-p   
      0x7f649e45a000     0x7f649e45c000     0x2000        0x0  rw-s   /tmp/dn/d/shared
  0xffffffffff600000 0xffffffffff601000     0x1000        0x0  --xp   [vsyscall]
`);
    assert.deepEqual(told, { allShared: false, lines: ['557bbc728000-557bbc729000 rw-p 00004000 00:00 0 /tmp/dn/w', '7f649d26c000-7f649da6c000 rw-p 00000000 00:00 0', 'ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]'] });
    assert.equal(gdbMaps('No current process: you must name one.'), undefined);
    assert.equal(mapsOf('1000-2000 rw-p 0 0:0 0 \nx'), undefined);
  });
});

describe('the registers and bytes that GDB prints', () => {
  const printed = (orig: string): string => `
Thread 2 (Thread 0x7f649e26c6c0 (LWP 2902) "left) (LWP 1):"):
rax            0xfffffffffffffe00  -512
rdi            0x557bbc72d1e0      93989930979808
rsi            0x80                128
rdx            0x2                 2
r10            0x0                 0
r8             0x0                 0
r9             0x0                 0
rsp            0x7f649e26be98      0x7f649e26be98
rip            0x7f649e2f612b      0x7f649e2f612b <__GI___lll_lock_wait+43>
fs_base        0x7f649e26c6c0      140070126798528
${orig}

Thread 1 (Thread 0x7f649e26d740 (LWP 2901) "w"):
rax            <unavailable>
`;
  it('are those of each thread by its TID; a thread without all of them is left out', () => {
    const threads = gdbRegisters(printed('orig_rax       0xca                202'));
    assert.deepEqual([...threads.keys()], [2902]);
    const registers = threads.get(2902) ?? assert.fail();
    assert.equal(registers.fs_base, 0x7f649e26c6c0n);
    // GDB shows what the kernel has noted: the code need not be read.
    assert.equal(blockedCall(2902, registers, Buffer.from('ffffffffffffff0f05', 'hex'))?.number, 202);
    assert.equal(blockedCall(2902, registers, Buffer.from('b8ca000000cd80', 'hex')), undefined, 'a call of 32 bits');
    assert.equal(gdbRegisters('x'.repeat(100_000)).size, 0);
  });
  it('are bytes only if they are all there, in order', () => {
    assert.deepEqual(gdbMemory('0x5000 <first>:\t0x02\t0x00\n0x5002 <first+2>:\t0xff\t0x01\n', 0x5000n, 4), Buffer.from([2, 0, 255, 1]));
    assert.deepEqual(gdbMemory('0x5000:\t0x02\n', 0x5000n, 1), Buffer.from([2]));
    for (const wrong of ['Cannot access memory at address 0x5000', '0x5000:\t0x02\n0x5008:\t0x02\n', '0x5001:\t0x02\t0x02\n', '']) assert.equal(gdbMemory(wrong, 0x5000n, 2), undefined);
  });
});

describe('the memory that a call points to', () => {
  const call = (number: number, ...args: readonly string[]) => ({ tid: 1, number, arguments: [...args, ...Array<string>(6 - args.length).fill('0x0')], stackPointer: '0x7000', programCounter: '0x1000' });
  it('is its arrays, sets, structures and limits', () => {
    assert.deepEqual(neededMemory(call(7, '0x5000', '0x3', '0xffffffff')), [{ address: 0x5000n, length: 24 }]);
    assert.deepEqual(neededMemory(call(270, '0x5', '0x5000', '0x0', '0x5100', '0x5200', '0x5300')), [[0x5000n, 8], [0x5100n, 8], [0x5200n, 16], [0x5300n, 16]].map(([address, length]) => ({ address, length })));
    assert.deepEqual(neededMemory(call(220, '0x1', '0x5000', '0x2', '0x5100')), [{ address: 0x5000n, length: 12 }, { address: 0x5100n, length: 16 }]);
    assert.deepEqual(neededMemory(call(72, '0x3', '0xffffffff00000007', '0x5000')), [{ address: 0x5000n, length: 32 }]);
    assert.deepEqual(neededMemory(call(72, '0x3', '0x6', '0x5000')), [], 'F_SETLK does not wait');
    assert.deepEqual(neededMemory(call(0, '0x3', '0x5000', '0x400')), [], 'what read(2) fills tells nothing');
    assert.deepEqual(neededMemory(call(449, '0x5000', '0x2')), [{ address: 0x5000n, length: 48 }]);
  });
  it('is asked for in pieces within a page, and not at all where it is huge or nothing', () => {
    assert.deepEqual(neededMemory(call(7, '0x5ff8', '0x2')), [{ address: 0x5ff8n, length: 8 }, { address: 0x6000n, length: 8 }]);
    assert.deepEqual(withinPages({ address: 0x5000n, length: 8192 }).map(it => it.length), [4096, 4096]);
    assert.deepEqual(neededMemory(call(7, '0x5000', '0x10000')), []);
    assert.deepEqual(neededMemory(call(7, '0x5000', '0xffffffffffffffff')), []);
    assert.deepEqual(neededMemory(call(7, '0x0', '0x1')), []);
    assert.deepEqual(neededMemory(call(9999, '0x5000')), []);
  });
  it('with the list of robust mutexes, if the descriptor proves to be one', async () => {
    const descriptor = 0x10000n, head = descriptor + 0x2e0n;
    const memory = new Map<bigint, bigint>([[descriptor, descriptor], [descriptor + 0x2d0n, 42n], [head, 0x5020n], [head + 8n, BigInt.asUintN(64, -32n)], [0x5020n, 0x6021n], [0x6020n, head]]);
    const reads: bigint[] = [];
    const read = (address: bigint, length: number): Promise<Buffer> => {
      reads.push(address);
      const bytes = Buffer.alloc(length);
      for (let at = 0; at + 8 <= length; at += 8) bytes.writeBigUInt64LE(memory.get(address + BigInt(at)) ?? 0n, at);
      return Promise.resolve(bytes);
    };
    assert.equal(await robustList(42, descriptor, read), head);
    assert.deepEqual(reads.slice(2), [0x5000n, 0x6000n]);
    assert.equal(await robustList(43, descriptor, read), undefined, 'another TID');
    assert.equal(await robustList(42, descriptor + 8n, read), undefined);
    memory.set(0x6020n, 0x5020n);
    assert.equal(await robustList(42, descriptor, read), head, 'a ring ends');
    assert.equal(await robustList(42, descriptor, () => Promise.resolve(undefined)), undefined);
  });
});

describe('what was told', () => {
  const process = { pid: 5, stopped: 1, read: 2, threads: [], memory: [] };
  it('is memory in one piece where the pieces meet, and nothing beyond', () => {
    const told = new ToldFacts([{ ...process, memory: [{ address: '0x1002', base64: base64(3, 4) }, { address: '0x1000', base64: base64(1, 2) }, { address: '0x1001', base64: base64(2, 3, 4, 5) }, { address: '0x2000', base64: base64(9) }] }]);
    assert.deepEqual(told.bytes(5, 0x1000n, 5), Buffer.from([1, 2, 3, 4, 5]));
    assert.equal(told.bytes(5, 0x1000n, 6), undefined);
    assert.equal(told.bytes(5, 0xfffn, 2), undefined);
    assert.equal(told.bytes(6, 0x1000n, 1), undefined);
    assert.equal(joinedPieces([]).length, 0);
  });
  it('has all shared mappings, or none are known', () => {
    const lines = maps.trim().split('\n');
    assert.equal(new ToldFacts([{ ...process, maps: { lines, allShared: true } }]).sharedMappings(5)?.length, 1);
    assert.equal(new ToldFacts([{ ...process, maps: { lines, allShared: false } }]).sharedMappings(5), undefined);
    assert.equal(new ToldFacts([process]).sharedMappings(5), undefined);
  });
  it('was read of one process before another stood, or after', () => {
    const told = new ToldFacts([{ ...process, stopped: 1, read: 2 }, { ...process, pid: 6, stopped: 3, read: 4 }]);
    assert.deepEqual([told.stoodBefore(6, 5), told.stoodBefore(5, 6), told.stoodBefore(7, 5)], [false, true, false]);
  });
});

/** An adapter like lldb-dap, with one thread blocked on a futex. */
class Fake implements Adapter {
  readonly id = 'session'; readonly name = 'Queue';
  readonly asked: string[] = [];
  constructor(readonly type: string, private readonly tamper: (command: string, expression: string, answer: () => unknown) => unknown = (_command, _expression, answer) => answer(), readonly configuration: Readonly<Record<string, unknown>> = {}) {}
  async customRequest(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const expression = typeof args['expression'] === 'string' ? args['expression'] : '';
    this.asked.push(`${command} ${expression}`.trim());
    return await this.tamper(command, expression, () => lldb(command, expression));
  }
}
function lldb(command: string, expression: string): unknown {
  switch (command) {
    case 'threads': return { threads: [{ id: 100, name: 'queue' }] };
    case 'stackTrace': return { stackFrames: [{ id: 1, name: 'wait', line: 0, column: 0 }] };
    case 'scopes': return { scopes: [{ name: 'Registers', presentationHint: 'registers', variablesReference: 5 }] };
    case 'variables': return { variables: Object.entries({ rax: '0xfffffffffffffe00', rdi: '0x4120', rsi: '0x80', rdx: '0x2', r10: '0x0', r8: '0x0', r9: '0x0', rsp: '0x7000', rip: '0x101c', fs_base: '0x0' }).map(([name, value]) => ({ name, value })) };
    default: {
      if (expression.includes('file open')) return { result: 'File Descriptor = 9\n' };
      if (expression.includes('file read')) return { result: expression.includes(' -o 0 ') ? `Return = ${maps.length}\nData = "${maps}"\n` : 'Return = 0\nData = ""\n' };
      const [, count = '', address = ''] = /memory read --format x --size 1 --count (\d+) (0x[0-9a-f]+)$/.exec(expression) ?? [];
      const code = address === '0x1000' ? [...Array<number>(21).fill(0x90), 0xb8, 0xca, 0, 0, 0, 0x0f, 0x05] : Array<number>(Number(count)).fill(0);
      return { result: count === '' ? '' : `${address}: ${code.map(it => `0x${it.toString(16).padStart(2, '0')}`).join(' ')}` };
    }
  }
}
const denied = { ...questionsOf(aSnapshot()), denied: new Set([100]) };
async function settled(knowledge: SessionKnowledge): Promise<ToldProcess | undefined> {
  for (const end = Date.now() + 5_000; knowledge.busy;) {
    assert.ok(Date.now() < end);
    await new Promise(resolve => setTimeout(resolve, 2));
  }
  return knowledge.toldProcess;
}
function stoppedBy(adapter: Adapter, limit?: number): SessionKnowledge {
  const knowledge = new SessionKnowledge(adapter, () => undefined, limit);
  knowledge.runs(100, false);
  knowledge.want(denied);
  knowledge.stop();
  return knowledge;
}

describe('a debugger that stands in', () => {
  for (const [type, prefix, configuration] of [['lldb-dap', '`', {}], ['lldb', '', {}], ['cppdbg', '-exec ', { MIMode: 'lldb' }]] as const) {
    it(`tells call, memory and mappings as ${type}, by commands that only look`, async () => {
      const adapter = new Fake(type, undefined, configuration);
      const told = await settled(stoppedBy(adapter)) ?? assert.fail();
      assert.deepEqual([told.pid, told.threads.map(it => it.number), told.maps?.allShared], [100, [202], true]);
      assert.deepEqual(told.memory.map(it => it.address), ['0x1000', '0x40e0', '0x7000']);
      for (const asked of adapter.asked.filter(it => it.startsWith('evaluate '))) {
        assert.ok(asked.startsWith(`evaluate ${prefix}`), asked);
        assert.match(asked.slice('evaluate '.length + prefix.length), /^(memory read --format x --size 1 --count \d+ 0x[0-9a-f]+|platform file (open \/proc\/100\/maps|read 9 -o \d+ -c \d+|close 9))$/);
      }
    });
  }

  it('is believed no longer as soon as somebody asks it to go on, whenever it answers; and again when it refuses', async () => {
    let changes = 0;
    const knowledge = new SessionKnowledge(new Fake('lldb-dap'), () => { changes++; });
    knowledge.runs(100, false);
    knowledge.want(denied);
    knowledge.stop();
    assert.ok(await settled(knowledge));
    for (const command of ['continue', 'next', 'stepIn', 'disconnect', 'restart']) {
      const before = changes;
      knowledge.sees(command, undefined);
      assert.equal(knowledge.toldProcess, undefined, command);
      assert.ok(changes > before, 'the views are told');
      assert.equal(await settled(knowledge), undefined);
      knowledge.stays();
      assert.ok(await settled(knowledge), command);
    }
    knowledge.goOn();
    assert.equal(await settled(knowledge), undefined);
  });

  it('reads again when another program has come to stand', async () => {
    const [one, two] = [stoppedBy(new Fake('lldb-dap')), new SessionKnowledge(new Fake('lldb-dap'), () => undefined)];
    const first = await settled(one) ?? assert.fail();
    two.stop();
    one.otherStopped();
    const second = await settled(one) ?? assert.fail();
    assert.ok(second.read > first.read && second.stopped === first.stopped);
  });

  it('that is silent, refuses, lies or tells hugely tells nothing, or what can be told', async () => {
    const answers: Readonly<Record<string, (command: string, expression: string, answer: () => unknown) => unknown>> = {
      silent: (command, _expression, answer) => command === 'variables' ? new Promise(() => undefined) : answer(),
      refusing: () => { throw new Error('not now'); },
      empty: () => ({}),
      'with nonsense for registers': (command, _expression, answer) => command === 'variables' ? { variables: [{ name: 'rax', value: '-512' }, { name: 'rip', value: `0x${'f'.repeat(40)}` }, null] } : answer(),
      'with too much memory': (_command, expression, answer) => expression.includes('memory read') ? { result: '0x1000: 0x90\n'.repeat(100_000) } : answer(),
    };
    for (const [what, tamper] of Object.entries(answers)) assert.equal(await settled(stoppedBy(new Fake('lldb-dap', tamper), 20)), undefined, what);
    // Without the mappings the calls can be told; the probe believes no byte then unless it knows whose memory it is.
    const mapless = await settled(stoppedBy(new Fake('lldb-dap', (_command, expression, answer) => expression.includes('platform file') ? { result: 'error: Permission denied' } : answer())));
    assert.equal(mapless?.maps, undefined);
    assert.equal(mapless?.threads.length, 1);
  });

  it('goes on while it is asked: nothing of the old stop is told', async () => {
    const holder: { knowledge?: SessionKnowledge } = {};
    const adapter = new Fake('lldb-dap', (_command, expression, answer) => {
      if (expression.includes('file open')) holder.knowledge?.sees('continue', undefined);
      return answer();
    });
    const knowledge = holder.knowledge = stoppedBy(adapter);
    assert.equal(await settled(knowledge), undefined);
  });

  it('is not asked where its threads are not the kernel\'s', () => {
    for (const type of ['debugpy', 'delve', 'pwa-node']) assert.equal(debuggerRow(type, {})?.standIn, undefined);
    for (const type of ['lldb-dap', 'lldb', 'cppdbg', 'gdb']) assert.ok(debuggerRow(type, {})?.standIn);
    assert.equal(debuggerRow('lldb-dap', { commandEscapePrefix: '' })?.standIn, undefined, 'what a text would mean is not known');
  });
});
