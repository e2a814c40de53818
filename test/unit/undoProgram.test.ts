// Reading the kernel's types, and assembling the program that reads undo lists with them: on bytes made here.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { BpfAssembler } from '../../native-probe/kernel/bpfAssembler';
import { Btf } from '../../native-probe/kernel/btf';
import { adjustmentsInRecord, assembleUndoProgram, decodeUndoRecords, encodeQuestion, encodeSet, recordBytes, recordsInPass, undoLayout } from '../../native-probe/kernel/undoProgram';
import type { UndoEntry } from '../../native-probe/kernel/undoLists';
import { handlesOf } from '../../native-probe/facilities/undoHolders';
import type { Gap, SysvSemaphoreSet } from '../../native-probe/model';
import { Gaps } from '../../native-probe/gaps';
import type { ScannedProcess } from '../../native-probe/processes';
import { aProcess } from './snapshots';

/** Writes BTF as include/uapi/linux/btf.h has it. Types are numbered from 1 on, in the order in which they are added. */
class BtfWriter {
  readonly #types: Buffer[] = [];
  readonly #strings = ['\0'];
  #stringLength = 1;
  #text(name: string): number {
    if (name === '') return 0;
    const at = this.#stringLength;
    this.#strings.push(`${name}\0`);
    this.#stringLength += name.length + 1;
    return at;
  }
  #add(kind: number, name: string, vlen: number, flag: boolean, size: number, ...rest: number[]): number {
    const words = [this.#text(name), ((flag ? 0x80000000 : 0) | (kind << 24) | vlen) >>> 0, size, ...rest];
    const bytes = Buffer.alloc(4 * words.length);
    words.forEach((word, index) => bytes.writeUInt32LE(word >>> 0, 4 * index));
    return this.#types.push(bytes);
  }
  int(): number { return this.#add(1, 'int', 0, false, 4, 32); }
  pointer(to: number): number { return this.#add(2, '', 0, false, to); }
  array(of: number): number { return this.#add(3, '', 0, false, 0, of, of, 0); }
  typedef(name: string, to: number): number { return this.#add(8, name, 0, false, to); }
  constant(of: number): number { return this.#add(10, '', 0, false, of); }
  func(name: string): number { return this.#add(12, name, 0, false, 0); }
  enumeration(): number { return this.#add(6, 'e', 2, false, 4, 0, 0, 0, 1); }
  /** Offsets in bits; with `flag` the upper eight bits are the length of a bit field. */
  structure(name: string, size: number, members: readonly (readonly [string, number, number])[], { flag = false, union = false } = {}): number {
    return this.#add(union ? 5 : 4, name, members.length, flag, size, ...members.flatMap(([member, type, bits]) => [this.#text(member), type, bits]));
  }
  bytes(): Buffer {
    const types = Buffer.concat(this.#types), strings = Buffer.from(this.#strings.join(''), 'latin1');
    const header = Buffer.alloc(24);
    header.writeUInt16LE(0xeb9f, 0);
    header.writeUInt8(1, 2);
    [24, 0, types.length, types.length, strings.length].forEach((value, index) => header.writeUInt32LE(value, 4 + 4 * index));
    return Buffer.concat([header, types, strings]);
  }
}

/** The types that undo lists need, each member at an offset of its own. `inline`: the numbers stand in sem_undo. */
function kernelTypes(inline: boolean, without = ''): Buffer {
  const btf = new BtfWriter();
  const int = btf.int(), pointer = btf.pointer(0), array = btf.array(int);
  btf.enumeration();
  const list = btf.structure('list_head', 16, [['next', pointer, 0], ['prev', pointer, 64]]);
  const sysvsem = btf.structure('sysv_sem', 8, [['undo_list', pointer, 0]]);
  const common = btf.structure('ns_common', 24, [['inum', int, 16 * 8]]);
  btf.structure('ipc_namespace', 100, [['ids', array, 0], ['ns', common, 48 * 8]]);
  btf.structure('nsproxy', 64, [['ipc_ns', btf.constant(pointer), 16 * 8]]);
  const upid = btf.structure('upid', 16, [['nr', int, 0], ['ns', pointer, 64]]);
  btf.structure('pid', 96, [['level', btf.typedef('u32', int), 4 * 8], ['numbers', btf.array(upid), 80 * 8]]);
  btf.structure('sem_undo_list', 32, [['refcnt', int, 0], ['list_proc', list, 8 * 8]]);
  btf.structure('sem_undo', 64, [['list_proc', list, 0], ['ulp', pointer, 32 * 8], ['semid', int, 56 * 8], ['semadj', inline ? array : pointer, 60 * 8]]);
  const inner = btf.structure('', 200, [['tgid', int, 12 * 8], ['pid', int, 8 * 8], ['sysvsem', sysvsem, 100 * 8]]);
  btf.structure('task_struct', 4000, [['state', int, 0], ['', inner, 64 * 8], ['group_leader', pointer, 1000 * 8], ['thread_pid', pointer, 1008 * 8], ['nsproxy', pointer, 1016 * 8]]);
  if (without !== 'bpf_iter_task') btf.func('bpf_iter_task');
  return without === '' || without === 'bpf_iter_task' ? btf.bytes() : Buffer.from(btf.bytes().toString('latin1').replace(`\0${without}\0`, `\0${'x'.repeat(without.length)}\0`), 'latin1');
}
const parsed = (bytes: Buffer): Btf => { const btf = Btf.parse(bytes); return btf instanceof Btf ? btf : assert.fail(btf); };

describe('the kernel’s types (BTF)', () => {
  it('tell where members lie, also in structures without a name, behind typedefs and in unions', () => {
    const layout = undoLayout(parsed(kernelTypes(true)));
    assert(!('missing' in layout), JSON.stringify(layout));
    const { iterator, ...offsets } = layout;
    assert(iterator > 0);
    assert.deepEqual(offsets, {
      task: { pid: 72, tgid: 76, groupLeader: 1000, threadPid: 1008, undoList: 164, nsproxy: 1016 }, ipcNamespace: 16, ipcNumber: 64,
      level: 4, number: 80, numberStride: 16, head: 8, undo: { next: 0, list: 32, semid: 56, adjustments: 60, inline: true },
    });
    const older = undoLayout(parsed(kernelTypes(false)));
    assert(!('missing' in older) && !older.undo.inline);
  });

  it('say what they lack', () => {
    for (const [without, said] of [['bpf_iter_task', 'bpf_iter_task'], ['semadj', 'sem_undo.semadj'], ['sysvsem', 'task_struct.sysvsem'], ['nsproxy', 'task_struct.nsproxy'], ['upid', 'upid']] as const) {
      const layout = undoLayout(parsed(kernelTypes(true, without)));
      // nsproxy is the name of a structure and of a member; the first place among the strings is the structure's.
      assert.deepEqual(layout, { missing: without === 'nsproxy' ? 'nsproxy.ipc_ns' : said });
    }
  });

  it('know bit fields apart from members, and take no other kind of type for a structure', () => {
    const btf = new BtfWriter();
    const int = btf.int();
    const fields = btf.structure('fields', 8, [['bits', int, (3 << 24) | 8], ['whole', int, 32]], { flag: true });
    const typedef = btf.typedef('fields', fields);
    const read = parsed(btf.bytes());
    assert.deepEqual([read.member(fields, 'bits'), read.member(fields, 'whole'), read.member(typedef, 'whole'), read.member(99, 'whole'), read.size(fields), read.size(int)],
      [undefined, { offset: 4, form: 'other' }, undefined, undefined, 8, undefined]);
  });

  it('end where structures go in circles', () => {
    const btf = new BtfWriter();
    btf.structure('a', 8, Array.from({ length: 60 }, () => ['', 1, 0] as const));
    assert.equal(parsed(btf.bytes()).member(1, 'x'), undefined);
  });

  it('never throw, whatever the bytes are', () => {
    const whole = kernelTypes(true);
    const use = (bytes: Buffer): void => {
      const btf = Btf.parse(bytes);
      if (typeof btf === 'string') return;
      undoLayout(btf);
      for (let id = 0; id < 40; id++) btf.member(id, 'semadj');
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), bytes => { use(Buffer.from(bytes)); }));
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 }), fc.nat(whole.length), (changes, cut) => {
      const bytes = Buffer.from(whole);
      for (const [at, value] of changes) bytes[at] = value;
      use(bytes);
      use(bytes.subarray(0, cut));
    }), { numRuns: 2000 });
  });
});

describe('assembling for the BPF machine', () => {
  it('writes instructions as the kernel reads them', () => {
    const code = new BpfAssembler().load(8, 7, 1, 16).store(4, 10, -8, 2).compute('move', 3, { register: 9 }).compute('add', 3, -5).loadMap(1, 77).call(113).exit().assembled();
    assert.equal(code.toString('hex').replace(/(.{16})/g, '$1 ').trim(), '7917100000000000 632af8ff00000000 bf93000000000000 07030000fbffffff 181100004d000000 0000000000000000 8500000071000000 9500000000000000');
  });

  it('counts jumps from the next instruction, forwards and backwards', () => {
    const code = new BpfAssembler().label('top').compute('add', 8, 1).jumpIf(8, '>=', { register: 1 }, 'end').jump('top').label('end').exit().assembled();
    assert.deepEqual([code.readInt16LE(8 + 2), code.readInt16LE(16 + 2)], [1, -3]);
    assert.deepEqual([code[8], code[16]], [0x3d, 0x05]);
  });

  it('refuses labels that stand nowhere or twice', () => {
    assert.throws(() => new BpfAssembler().jump('x').assembled(), /label x nowhere stands/);
    assert.throws(() => new BpfAssembler().label('x').label('x'), /label x stands twice/);
  });
});

describe('the program that reads undo lists', () => {
  it('stays within the stack and the buffer that the kernel gives it, for either kernel', () => {
    assert(recordBytes * (recordsInPass + 1) < 8 * 4096, 'what one task writes fits into eight pages');
    for (const inline of [true, false]) {
      const layout = undoLayout(parsed(kernelTypes(inline)));
      assert(!('missing' in layout));
      const code = assembleUndoProgram(layout, 5, 6);
      assert.equal(code.length % 8, 0);
      // Every access by register 10 lies within 512 bytes below it.
      for (let at = 0; at < code.length; at += 8) {
        const kind = (code[at] ?? 0) & 7, registers = code[at + 1] ?? 0;
        if (kind === 1 && registers >> 4 === 10) assert(code.readInt16LE(at + 2) >= -512);
        if (kind === 3 && (registers & 15) === 10) assert(code.readInt16LE(at + 2) >= -512);
      }
      assert.equal(code[code.length - 8], 0x95, 'it ends with an exit');
    }
  });

  it('writes records that are read back; half a record is left alone', () => {
    fc.assert(fc.property(fc.array(fc.record({ pid: fc.nat(), tid: fc.nat(), list: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), namespace: fc.nat(), semid: fc.integer({ min: -1 }), first: fc.nat(), adjustments: fc.array(fc.integer({ min: -32768, max: 32767 }), { minLength: adjustmentsInRecord, maxLength: adjustmentsInRecord }) }), { maxLength: 5 }), fc.nat(recordBytes - 1), (records, more) => {
      const bytes = Buffer.alloc(records.length * recordBytes + more);
      records.forEach((record, index) => {
        const at = index * recordBytes;
        [record.pid, record.tid].forEach((value, n) => bytes.writeUInt32LE(value, at + 4 * n));
        bytes.writeBigUInt64LE(record.list, at + 8);
        bytes.writeUInt32LE(record.namespace, at + 16);
        bytes.writeInt32LE(record.semid, at + 20);
        bytes.writeUInt32LE(record.first, at + 24);
        record.adjustments.forEach((value, n) => bytes.writeInt16LE(value, at + 32 + 2 * n));
      });
      assert.deepEqual(decodeUndoRecords(bytes), records.map(({ namespace, ...record }) => ({ ...record, ipcNamespace: String(namespace) })));
    }));
    const place = { entry: 0xffff888012345678n, first: 64 };
    assert.equal(encodeQuestion(7, place).toString('hex'), '070000000000000078563412' + '8088ffff' + '4000000000000000');
    const [on, off] = [Buffer.alloc(recordBytes), Buffer.alloc(recordBytes)];
    on.writeInt32LE(-2, 20);
    on.writeUInt32LE(place.first, 24);
    on.writeBigUInt64LE(place.entry, 32);
    off.writeInt32LE(-3, 20);
    assert.deepEqual(decodeUndoRecords(Buffer.concat([on, off])).map(({ mark }) => mark), [place, 'strayed']);
    assert.equal(encodeSet('4026531839', 5).toString('hex'), 'ffffffef05000000');
  });
});

describe('undo lists as handles', () => {
  const set = (semid: number, nsems: number, namespace = '1'): SysvSemaphoreSet => ({ id: `sysv-semaphore-set:${namespace}:${semid}`, kind: 'sysv-semaphore-set', namespace, persistence: 'kernel', state: { nsems, ctime: '', sems: null } });
  const process = (pid: number): ScannedProcess => ({ ...aProcess(pid), kernelThread: false, groups: [], signals: null, descriptors: [], sharedMappings: [] });
  const entry = (pid: number, tid: number, list: bigint, semid: number, adjustments: number[], ipcNamespace = '1'): UndoEntry => ({ pid, tid, list, ipcNamespace, semid, adjustments });
  const told = (entries: readonly UndoEntry[], sets = [set(5, 3)], gone: readonly number[] = []): { handles: object[]; gaps: Gap[] } => {
    const gaps = new Gaps(0);
    const handles = handlesOf({ gaps }, entries, new Map(sets.map(each => [each.id, each])), new Map([10, 20].map(pid => [pid, process(pid)])), ({ pid }) => !gone.includes(pid));
    return { handles, gaps: gaps.list() };
  };

  it('leave out what lies past the set, and zeros; nothing to give back is told as that', () => {
    assert.deepEqual(told([entry(10, 10, 1n, 5, [0, -2, 0, 7777])]).handles, [{ objectId: 'sysv-semaphore-set:1:5', pid: 10, via: 'undo', undo: [{ num: 1, adjustment: -2 }] }]);
    assert.deepEqual(told([entry(10, 10, 1n, 5, [0, 0, 0])]).handles, [{ objectId: 'sysv-semaphore-set:1:5', pid: 10, via: 'undo', undo: [] }]);
  });

  it('are told apart by namespace, and are nothing where the set or the process is not seen, or another', () => {
    const entries = [entry(10, 10, 1n, 5, [1, 0, 0]), entry(20, 20, 2n, 5, [2, 0, 0], '9'), entry(30, 30, 3n, 5, [3, 0, 0])];
    assert.deepEqual(told(entries, [set(5, 3, '9')]).handles, [{ objectId: 'sysv-semaphore-set:9:5', pid: 20, via: 'undo', undo: [{ num: 0, adjustment: 2 }] }]);
    assert.deepEqual(told(entries, [set(5, 3)], [10]).handles, []);
  });

  it('of threads that share the list of their ended main thread are the process’s; a thread’s own names it', () => {
    assert.deepEqual(told([entry(10, 11, 1n, 5, [1, 0, 0]), entry(10, 12, 1n, 5, [1, 0, 0])]).handles, [{ objectId: 'sysv-semaphore-set:1:5', pid: 10, via: 'undo', undo: [{ num: 0, adjustment: 1 }] }]);
    assert.deepEqual(told([entry(10, 11, 1n, 5, [1, 0, 0])]).handles, [{ objectId: 'sysv-semaphore-set:1:5', pid: 10, tid: 11, via: 'undo', undo: [{ num: 0, adjustment: 1 }] }]);
  });

  it('name who shares them', () => {
    assert.deepEqual(told([entry(10, 10, 1n, 5, [1, 0, 0]), entry(20, 20, 1n, 5, [1, 0, 0])]).handles.map(handle => 'sharedWith' in handle && handle.sharedWith), [[20], [10]]);
  });

  it('have a gap where not all of them could be read', () => {
    const { handles, gaps } = told([entry(10, 10, 1n, 5, Array.from({ length: 64 }, () => 0))], [set(5, 100)]);
    assert.equal(handles.length, 1);
    assert.match(gaps.map(({ reason }) => reason).join(), /only those of the first 64 of its 100 semaphores/);
  });
});
