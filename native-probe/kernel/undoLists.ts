// The undo lists of all tasks (SEM_UNDO, semop(2)): what each would give back to which System V semaphore when it exits. The kernel
// shows them nowhere; a BPF program for its iterator over tasks reads them, with CAP_BPF and CAP_PERFMON. It is loaded once.
import { closeSync, readFileSync, readSync } from 'node:fs';
import { beginPass, closeAll, createMap, deleteEntry, linkIterator, loadIterator, setEntry } from './bpf';
import { Btf } from './btf';
import type { Result } from './procfs';
import { errnoOf } from './procfs';
import { assembleUndoProgram, decodeUndoRecords, encodeQuestion, encodeSet, questionBytes, setKeyBytes, undoLayout } from './undoProgram';
import type { Place, UndoRecord } from './undoProgram';

const btfPath = '/sys/kernel/btf/vmlinux';
/** So many sets of more semaphores than one record holds are read whole. */
const mostLargeSets = 4096;
/** A list that changes while it is read is read again so often. */
const attempts = 4;
/** So many records of one list are read: more than there can be sets in a namespace (SEMMNI is at most 32,768), or a hundred of the largest sets. */
const mostRecords = 1 << 16;
const chunkBytes = 1 << 16;

/** Why undo lists cannot be read. */
export interface UndoRefusal {
  readonly errno: string;
  readonly step: 'types' | 'map' | 'program' | 'link' | 'read';
  /** What the verifier or the parser said. */
  readonly said?: string;
}

/** What one task, or several that share it, would do to one set. */
export interface UndoEntry {
  readonly pid: number;
  readonly tid: number;
  readonly list: bigint;
  readonly ipcNamespace: string;
  readonly semid: number;
  /** By number of the semaphore; from the first that could not be read, nothing. As long as whole records are: what is past the set means nothing. */
  readonly adjustments: readonly number[];
}
export interface UndoLists {
  readonly entries: readonly UndoEntry[];
  /** Tasks of which more could not be read: the list is longer than is read, or changed in every attempt. */
  readonly cut: readonly { readonly pid: number; readonly tid: number; readonly why: 'long' | 'changing' }[];
}
/** A set that is larger than one record. */
export interface LargeSet { readonly ipcNamespace: string; readonly semid: number; readonly nsems: number }

/** Errors that may be over the next time. */
const passing: ReadonlySet<string> = new Set(['EAGAIN', 'EINTR', 'ENOMEM', 'EMFILE', 'ENFILE']);

let loaded: UndoReader | UndoRefusal | undefined;

/**
 * Reads all undo lists that are visible from this PID namespace. `largeSets`: all sets with more than adjustmentsInRecord
 * semaphores; of a set that is missing there only the first of these are told.
 */
export function readUndoLists(largeSets: readonly LargeSet[]): UndoLists | UndoRefusal {
  if (loaded === undefined || (!(loaded instanceof UndoReader) && passing.has(loaded.errno))) loaded = UndoReader.load();
  return loaded instanceof UndoReader ? loaded.read(largeSets) : loaded;
}

class UndoReader {
  /** What the kernel's map of sets holds, by key. */
  readonly #told = new Map<string, number>();

  private constructor(readonly question: number, readonly sets: number, readonly link: number) {}

  /** Takes some tens of milliseconds: the kernel's types are five megabytes. */
  static load(): UndoReader | UndoRefusal {
    let bytes: Buffer;
    try {
      bytes = readFileSync(btfPath);
    } catch (error) {
      return { step: 'types', errno: errnoOf(error) };
    }
    const btf = Btf.parse(bytes);
    if (typeof btf === 'string') return { step: 'types', errno: 'EINVAL', said: btf };
    const layout = undoLayout(btf);
    if ('missing' in layout) return { step: 'types', errno: 'ENOENT', said: `it has no ${layout.missing}` };
    const opened: number[] = [];
    const refused = (step: UndoRefusal['step'], { errno, said }: { readonly errno?: string; readonly said?: string }): UndoRefusal => {
      closeAll(opened);
      return { step, errno: errno ?? 'EINVAL', ...said !== undefined && { said } };
    };
    const question = createMap('array', 4, questionBytes, 1);
    if (question.value === undefined) return refused('map', question);
    opened.push(question.value);
    const sets = createMap('hash', setKeyBytes, 4, mostLargeSets);
    if (sets.value === undefined) return refused('map', sets);
    opened.push(sets.value);
    const program = loadIterator(assembleUndoProgram(layout, question.value, sets.value), layout.iterator, 'sem_undo');
    if (program.value === undefined) return refused('program', program);
    const link = linkIterator(program.value);
    // The link keeps the program.
    closeSync(program.value);
    if (link.value === undefined) return refused('link', link);
    return new UndoReader(question.value, sets.value, link.value);
  }

  read(largeSets: readonly LargeSet[]): UndoLists | UndoRefusal {
    this.#tellSizes(largeSets);
    const all = this.#pass(0);
    if (all.value === undefined) return { step: 'read', errno: all.errno };
    const entries = new Map<string, UndoEntry & { adjustments: number[] }>();
    const cut: { pid: number; tid: number; why: 'long' | 'changing' }[] = [];
    for (const records of byTask(all.value).values()) {
      const [first] = records;
      if (!first) continue;
      const { why, records: its } = this.#complete(first, records);
      if (why !== undefined) cut.push({ pid: first.pid, tid: first.tid, why });
      for (const record of its) {
        if (record.mark !== undefined || record.semid < 0) continue; // the set is removed
        const key = `${record.tid} ${record.ipcNamespace} ${record.semid}`;
        const entry = entries.get(key) ?? { pid: record.pid, tid: record.tid, list: record.list, ipcNamespace: record.ipcNamespace, semid: record.semid, adjustments: [] };
        entries.set(key, entry);
        if (record.first === entry.adjustments.length) entry.adjustments.push(...record.adjustments);
      }
    }
    return { entries: [...entries.values()], cut };
  }

  /** What one pass left off of a task is read by further ones. The kernel says where the list changed so that this leads nowhere: then all of it again. */
  #complete({ tid, list }: UndoRecord, records: readonly UndoRecord[]): { why?: 'long' | 'changing'; records: readonly UndoRecord[] } {
    let its = [...records], best = its;
    for (let attempt = 0; attempt < attempts; attempt++) {
      for (let mark = its.at(-1)?.mark; mark !== 'strayed'; mark = its.at(-1)?.mark) {
        if (mark === undefined) return { records: its };
        if (its.length >= mostRecords) return { why: 'long', records: its };
        const more = this.#passOf(tid, list, mark);
        if (more.length === 0) break; // it has left its list, or ended
        its.push(...more);
      }
      if (its.length > best.length) best = its;
      its = this.#passOf(tid, list);
      if (its.length === 0) return { records: [] };
    }
    return { why: 'changing', records: best };
  }

  #passOf(tid: number, list: bigint, from?: Place): UndoRecord[] {
    return (this.#pass(tid, from).value ?? []).filter(record => record.tid === tid && record.list === list);
  }

  /** The records of a task from a place on, or of all. */
  #pass(tid: number, from?: Place): Result<readonly UndoRecord[]> {
    const asked = setEntry(this.question, Buffer.alloc(4), encodeQuestion(tid, from));
    if (asked.value === undefined) return { errno: asked.errno };
    const pass = beginPass(this.link);
    if (pass.value === undefined) return { errno: pass.errno };
    try {
      const chunks: Buffer[] = [];
      const chunk = Buffer.allocUnsafe(chunkBytes);
      for (let length = readSync(pass.value, chunk); length > 0; length = readSync(pass.value, chunk)) chunks.push(Buffer.from(chunk.subarray(0, length)));
      return { value: decodeUndoRecords(Buffer.concat(chunks)) };
    } catch (error) {
      return { errno: errnoOf(error) };
    } finally {
      closeSync(pass.value);
    }
  }

  /** Brings the kernel's map of large sets up to date; only what changed is told. A set that does not fit in is read as a small one. */
  #tellSizes(largeSets: readonly LargeSet[]): void {
    const now = new Map(largeSets.slice(0, mostLargeSets).map(({ ipcNamespace, semid, nsems }) => [encodeSet(ipcNamespace, semid).toString('latin1'), nsems]));
    for (const key of this.#told.keys()) {
      if (!now.has(key) && deleteEntry(this.sets, Buffer.from(key, 'latin1')).errno === undefined) this.#told.delete(key);
    }
    for (const [key, nsems] of now) {
      if (this.#told.get(key) === nsems) continue;
      const value = Buffer.alloc(4);
      value.writeUInt32LE(nsems, 0);
      if (setEntry(this.sets, Buffer.from(key, 'latin1'), value).errno === undefined) this.#told.set(key, nsems);
    }
  }
}

/** Records of each task that has a list of its own, in their order. */
function byTask(records: readonly UndoRecord[]): Map<number, UndoRecord[]> {
  const tasks = new Map<number, UndoRecord[]>();
  for (const record of records) {
    if (record.tid === 0) continue; // gone while it was looked at
    const its = tasks.get(record.tid);
    if (its) its.push(record);
    else tasks.set(record.tid, [record]);
  }
  return tasks;
}

