// The program that the kernel runs for each task to tell its System V undo list (ipc/sem.c: struct sem_undo): assembled here, with
// offsets from the kernel's own BTF. Pure; undoLists.ts loads and reads it.
import { BpfAssembler } from './bpfAssembler';
import type { Register } from './bpfAssembler';
import type { Btf } from './btf';

/** Where the kernel keeps what is read. Offsets in bytes. */
export interface UndoLayout {
  /** Number of the function that marks an iterator over tasks. */
  readonly iterator: number;
  readonly task: { readonly pid: number; readonly tgid: number; readonly groupLeader: number; readonly threadPid: number; readonly undoList: number; readonly nsproxy: number };
  /** nsproxy.ipc_ns; the number of an ipc_namespace. */
  readonly ipcNamespace: number;
  readonly ipcNumber: number;
  /** struct pid: its level, and its number at level 0; bytes from one level to the next. */
  readonly level: number;
  readonly number: number;
  readonly numberStride: number;
  /** Head of the list in sem_undo_list. */
  readonly head: number;
  /** struct sem_undo. */
  readonly undo: { readonly next: number; /** Back to the sem_undo_list. */ readonly list: number; readonly semid: number; readonly adjustments: number; /** The numbers stand in it; before Linux 5.19 there was a pointer to them. */ readonly inline: boolean };
}

/** The layout, or what this kernel does not have. */
export function undoLayout(btf: Btf): UndoLayout | { readonly missing: string } {
  const names = ['task_struct', 'sysv_sem', 'sem_undo_list', 'sem_undo', 'nsproxy', 'ipc_namespace', 'ns_common', 'pid', 'upid'] as const;
  const { functions, structures } = btf.find(['bpf_iter_task'], names);
  let missing: string | undefined;
  const member = (structure: typeof names[number], name: string): { offset: number; form: string } => {
    for (const id of structures.get(structure) ?? []) {
      const found = btf.member(id, name);
      if (found) return found;
    }
    missing ??= `${structure}.${name}`;
    return { offset: 0, form: 'other' };
  };
  const at = (structure: typeof names[number], name: string): number => member(structure, name).offset;
  const iterator = functions.get('bpf_iter_task');
  if (iterator === undefined) return { missing: 'bpf_iter_task' };
  const adjustments = member('sem_undo', 'semadj');
  const numberStride = structures.get('upid')?.map(id => btf.size(id)).find(size => size !== undefined);
  if (numberStride === undefined) return { missing: 'upid' };
  const layout: UndoLayout = {
    iterator,
    task: {
      pid: at('task_struct', 'pid'), tgid: at('task_struct', 'tgid'), groupLeader: at('task_struct', 'group_leader'), threadPid: at('task_struct', 'thread_pid'),
      undoList: at('task_struct', 'sysvsem') + at('sysv_sem', 'undo_list'), nsproxy: at('task_struct', 'nsproxy'),
    },
    ipcNamespace: at('nsproxy', 'ipc_ns'), ipcNumber: at('ipc_namespace', 'ns') + at('ns_common', 'inum'),
    level: at('pid', 'level'), number: at('pid', 'numbers') + at('upid', 'nr'), numberStride,
    head: at('sem_undo_list', 'list_proc'),
    undo: { next: at('sem_undo', 'list_proc'), list: at('sem_undo', 'ulp'), semid: at('sem_undo', 'semid'), adjustments: adjustments.offset, inline: adjustments.form === 'array' },
  };
  return missing === undefined ? layout : { missing };
}

/** So many adjustments stand in one record: a larger set has several. */
export const adjustmentsInRecord = 64;
export const recordBytes = 32 + 2 * adjustmentsInRecord;
/**
 * So many records of one task in one pass: what a task writes, with the one that says where it goes on, must fit into the kernel's buffer of
 * eight pages, and the verifier walks through every round: loading takes a time in proportion.
 */
export const recordsInPass = 100;
/** In the place of a semid: the list goes on, at an entry that the next pass can be told of. */
const goesOn = -2;
/** In the place of a semid: what was taken for an entry is none of this list (any more). */
const strayed = -3;

/** A record, as the program writes it. */
export interface UndoRecord {
  /** In the reader's PID namespace; 0 outside of it. */
  readonly pid: number;
  readonly tid: number;
  /** Tells lists apart within one pass; tasks with the same one share it. */
  readonly list: bigint;
  readonly ipcNamespace: string;
  /** -1: the set is removed. */
  readonly semid: number;
  /** Number of the first semaphore told. */
  readonly first: number;
  readonly adjustments: readonly number[];
  /** Not a set, but where the list goes on; or that it changed under the reader's feet. */
  readonly mark?: Place | 'strayed';
}

/** A place in a list: the kernel's address of an entry, and the number of a semaphore of its set. */
export interface Place { readonly entry: bigint; readonly first: number }

/** Decodes whole records; what is left over is ignored. */
export function decodeUndoRecords(bytes: Buffer): UndoRecord[] {
  const records: UndoRecord[] = [];
  for (let at = 0; at + recordBytes <= bytes.length; at += recordBytes) {
    const semid = bytes.readInt32LE(at + 20), first = bytes.readUInt32LE(at + 24);
    const mark = semid === goesOn ? { entry: bytes.readBigUInt64LE(at + 32), first } : semid === strayed ? 'strayed' : undefined;
    records.push({
      pid: bytes.readUInt32LE(at), tid: bytes.readUInt32LE(at + 4), list: bytes.readBigUInt64LE(at + 8), ipcNamespace: String(bytes.readUInt32LE(at + 16)), semid, first,
      adjustments: mark === undefined ? Array.from({ length: adjustmentsInRecord }, (_, index) => bytes.readInt16LE(at + 32 + 2 * index)) : [], ...mark !== undefined && { mark },
    });
  }
  return records;
}

/** What is asked for: a value of the first map. `tid` 0: of all tasks, from the beginning; else of one, from a place on. */
export function encodeQuestion(tid: number, from?: Place): Buffer {
  const value = Buffer.alloc(questionBytes);
  value.writeUInt32LE(tid, 0);
  value.writeBigUInt64LE(from?.entry ?? 0n, 8);
  value.writeUInt32LE(from?.first ?? 0, 16);
  return value;
}
export const questionBytes = 24;
/** A key of the second map: the set. Its value: how many semaphores it has, 32 bits. */
export function encodeSet(ipcNamespace: string, semid: number): Buffer {
  const key = Buffer.alloc(setKeyBytes);
  key.writeUInt32LE(Number(ipcNamespace) >>> 0, 0);
  key.writeInt32LE(semid, 4);
  return key;
}
export const setKeyBytes = 8;

/** Helpers of the kernel (include/uapi/linux/bpf.h). */
const map_lookup_elem = 1, get_current_task = 35, probe_read_kernel = 113, seq_write = 127;

/** Where things lie below the end of the stack. */
const record = -recordBytes;
const field = { pid: record, tid: record + 4, list: record + 8, namespace: record + 16, semid: record + 20, first: record + 24, adjustments: record + 32 } as const;
const scratch = record - 8, key = record - 16, leader = record - 24, numberAt = record - 32;
/**
 * Numbers of four bytes that jumps of the loop depend on. They stand in the upper halves of slots, because of these the verifier
 * forgets what it knew of their values: it would learn from each jump, and walk the rounds once for every case.
 */
const offset = record - 36, end = record - 44, zero = record - 52;
const deepest = record - 56;

/**
 * The program. `question` and `sets`: descriptors of its maps.
 *
 * Every pointer but the task itself is read by a helper that survives wrong addresses, so that the verifier sees plain numbers: a list may
 * change while it is walked (RCU keeps its entries in memory, not in the list). The one loop has a constant bound; a longer list is read by
 * further passes, each from the entry on where the one before it ended.
 */
export function assembleUndoProgram(layout: UndoLayout, question: number, sets: number): Buffer {
  const { task, undo } = layout;
  const code = new BpfAssembler();
  const r = (register: Register): { register: Register } => ({ register });
  /** Reads kernel memory at register + add into the stack. */
  const read = (to: number, bytes: number, base: Register, add: number): void => {
    code.compute('move', 3, r(base));
    if (add !== 0) code.compute('add', 3, add);
    code.compute('move', 1, r(10)).compute('add', 1, to).compute('move', 2, bytes).call(probe_read_kernel);
  };
  /** The same at a pointer on the stack. */
  const follow = (to: number, bytes: number, pointer: number, add: number): void => {
    code.load(8, 3, 10, pointer);
    if (add !== 0) code.compute('add', 3, add);
    code.compute('move', 1, r(10)).compute('add', 1, to).compute('move', 2, bytes).call(probe_read_kernel);
  };
  /** A number of a struct pid at the level of the reader. */
  const numberOf = (to: number): void => {
    code.load(8, 3, 10, scratch).load(8, 1, 10, numberAt).compute('add', 3, r(1));
    code.compute('move', 1, r(10)).compute('add', 1, to).compute('move', 2, 4).call(probe_read_kernel);
  };

  // 7: where to write; 6: the task. (struct bpf_iter__task: meta, task)
  code.load(8, 7, 1, 0).load(8, 6, 1, 8).jumpIf(6, '==', 0, 'out');
  code.compute('move', 1, 0);
  for (let slot = -8; slot >= deepest; slot -= 8) code.store(8, 10, slot, 1);
  // Most tasks have no list.
  read(field.list, 8, 6, task.undoList);
  code.load(8, 1, 10, field.list).jumpIf(1, '==', 0, 'out');
  // Threads mostly share the list of their process: told once.
  read(leader, 8, 6, task.groupLeader);
  code.load(4, 1, 6, task.pid).load(4, 2, 6, task.tgid).jumpIf(1, '==', r(2), 'own');
  follow(scratch, 8, leader, task.undoList);
  code.load(8, 1, 10, scratch).load(8, 2, 10, field.list).jumpIf(1, '==', r(2), 'out');
  code.label('own');

  // PIDs as the reader sees them: its own level is that of its namespace.
  code.call(get_current_task).compute('move', 9, r(0));
  read(scratch, 8, 9, task.threadPid);
  follow(key, 4, scratch, layout.level);
  code.load(4, 1, 10, key).compute('and', 1, 63).compute('multiply', 1, layout.numberStride).compute('add', 1, layout.number).store(8, 10, numberAt, 1);
  read(scratch, 8, 6, task.threadPid);
  numberOf(field.tid);
  follow(scratch, 8, leader, task.threadPid);
  numberOf(field.pid);

  // What is asked for. All that the map holds is unknown to the verifier, the zero too.
  code.compute('move', 1, 0).store(8, 10, key, 1);
  code.loadMap(1, question).compute('move', 2, r(10)).compute('add', 2, key).call(map_lookup_elem).jumpIf(0, '==', 0, 'out');
  code.load(4, 1, 0, 4).store(4, 10, zero, 1).load(4, 1, 0, 16).store(4, 10, offset, 1).load(8, 9, 0, 8);
  code.load(4, 1, 0, 0).jumpIf(1, '==', 0, 'asked').load(4, 2, 10, field.tid).jumpIf(1, '!=', r(2), 'out');
  code.label('asked');

  // Whose namespace the semids are of: a task leaves its list when it changes that (exit_sem).
  read(scratch, 8, 6, task.nsproxy);
  follow(scratch, 8, scratch, layout.ipcNamespace);
  follow(field.namespace, 4, scratch, layout.ipcNumber);

  // 9: the next link of the list, then the entry it is in; 8: the round.
  code.compute('move', 8, 0).jumpIf(9, '!=', 0, 'arrived');
  follow(scratch, 8, field.list, layout.head);
  code.load(8, 9, 10, scratch);
  /** Nothing lies at the next link: the list ends with its head. Else 9 is its entry. */
  const enter = (): void => {
    code.jumpIf(9, '==', 0, 'out').load(8, 2, 10, field.list).compute('add', 2, layout.head).jumpIf(9, '==', r(2), 'out');
    if (undo.next !== 0) code.compute('add', 9, -undo.next);
  };
  code.label('round').load(4, 1, 10, offset).jumpIf(1, '!=', 0, 'entered');
  enter();
  // An entry that was told to the reader in the pass before may be freed by now, and its memory be something else's.
  code.label('arrived');
  read(scratch, 8, 9, undo.list);
  code.load(8, 1, 10, scratch).load(8, 2, 10, field.list).jumpIf(1, '!=', r(2), 'strayed');
  read(field.semid, 4, 9, undo.semid);
  code.load(4, 1, 10, field.namespace).store(4, 10, key, 1).load(4, 1, 10, field.semid).store(4, 10, key + 4, 1);
  code.loadMap(1, sets).compute('move', 2, r(10)).compute('add', 2, key).call(map_lookup_elem);
  code.compute('move', 1, adjustmentsInRecord).jumpIf(0, '==', 0, 'measured').load(4, 1, 0, 0).label('measured').store(4, 10, end, 1);

  code.label('entered').load(4, 1, 10, offset).store(4, 10, field.first, 1);
  if (undo.inline) code.compute('move', 3, r(9)).compute('add', 3, undo.adjustments);
  else {
    read(scratch, 8, 9, undo.adjustments);
    code.load(8, 3, 10, scratch);
  }
  code.load(4, 1, 10, offset).compute('multiply', 1, 2).compute('add', 3, r(1));
  code.compute('move', 1, r(10)).compute('add', 1, field.adjustments).compute('move', 2, 2 * adjustmentsInRecord).call(probe_read_kernel);
  const write = (): void => { code.load(8, 1, 7, 0).compute('move', 2, r(10)).compute('add', 2, record).compute('move', 3, recordBytes).call(seq_write); };
  write();

  // The next part of a large set, or the next set.
  code.load(4, 1, 10, offset).compute('add', 1, adjustmentsInRecord).load(4, 2, 10, end).jumpIf(1, '<', r(2), 'further');
  read(scratch, 8, 9, undo.next);
  code.load(8, 9, 10, scratch).load(4, 1, 10, zero);
  code.label('further').store(4, 10, offset, 1).compute('add', 8, 1).jumpIf(8, '<', recordsInPass, 'round');
  code.load(4, 1, 10, offset).jumpIf(1, '!=', 0, 'within');
  enter();
  code.label('within').load(4, 1, 10, offset).store(4, 10, field.first, 1).store(8, 10, field.adjustments, 9).compute('move', 1, goesOn).store(4, 10, field.semid, 1);
  write();
  code.jump('out');
  code.label('strayed').compute('move', 1, strayed).store(4, 10, field.semid, 1);
  write();
  code.label('out').compute('move', 0, 0).exit();
  return code.assembled();
}
