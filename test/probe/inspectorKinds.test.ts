// The inspector over a real snapshot of this machine, with an object of every kind of the facility table: each has its gist, its state, who has
// it, and what is unknown always says why.
import { strict as assert } from 'node:assert';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from '../../extension/panels/inspected';
import { contentsSections } from '../../extension/panels/contentsSection';
import { inspectorView } from '../../extension/panels/inspectorView';
import { facilityTable } from '../../native-probe/facilityTable';
import type { CollectedKind, Contents, IpcObject, Snapshot } from '../../native-probe/model';
import type { Section, Value } from '../../webview/protocol';
import { skip } from '../skip';
import { fixture, hasCompiler, ipcProbe, Program, scratchDirectory, snapshotOf, until } from './harness';

/** Every value that a section shows. */
function valuesOf(section: Section): readonly Value[] {
  return section.type === 'fields' ? section.fields.map(it => it.value) : section.type === 'table' ? section.rows.flatMap(row => row.cells.filter(it => it !== undefined)) : [];
}

/** The parent of a process; NaN for what is none, or has ended. */
function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
  } catch {
    return NaN; // ended, or no process
  }
}

describe('the inspector over real objects', function () {
  this.timeout(120_000);
  let snapshot: Snapshot;
  const removed: (() => Promise<unknown>)[] = [];
  before(async function () {
    if (!hasCompiler()) skip(this, 'no C compiler');
    const start = async (name: string): Promise<(line: string) => Promise<string>> => {
      const program = Program.start(fixture(name));
      await program.line();
      return async line => { program.tell(line); const answer = await program.line(); assert.doesNotMatch(answer, /^error/, line); return answer; };
    };
    const ipc = await start('ipc'), locks = await start('locks');
    const name = `/ipc-inspector-kinds-${process.pid}`;
    const file = join(mkdtempSync(join(scratchDirectory(), 'kinds-')), 'file');
    writeFileSync(file, 'x'.repeat(10_000));
    const shmid = await ipc('shmget 0 81920 600'), msqid = await ipc('msgget 0 600'), semid = await ipc('semget 0 5 600');
    removed.push(() => ipc(`shmrm ${shmid}`), () => ipc(`msgrm ${msqid}`), () => ipc(`semrm ${semid}`));
    await ipc(`shmat ${shmid} 0`);
    await ipc(`msgsnd ${msqid} 3 20`);
    await ipc(`semop ${semid} 2 7`);
    await ipc(`mq_open ${name} 5 64`);
    removed.push(() => ipc(`mq_unlink ${name}`));
    await ipc(`shm_open ${name} 4096`);
    removed.push(() => ipc(`shm_unlink ${name}`));
    await ipc(`sem_open ${name} 2`);
    removed.push(() => ipc(`sem_unlink ${name}`));
    for (const line of ['pipe', 'socketpair 1', 'memfd kinds 8192', 'eventfd 3']) await ipc(line);
    const fd = await locks(`open ${file} rw`);
    for (const line of [`lock posix ${fd} w 0 10`, `lock ofd ${fd} w 100 0`, `flock ${fd}`, `map ${fd} 4096 0 rw`, 'map -1 8192 0 rw']) await locks(line);
    await locks(`ask ${file} posix w 0 5`);
    const leased = join(mkdtempSync(join(scratchDirectory(), 'kinds-')), 'leased');
    writeFileSync(leased, 'x');
    await locks(`lease ${await locks(`open ${leased} r`)} r`);
    // A FIFO, a terminal, and everything that only counts or tells of events.
    const descriptors = Program.start(fixture('descriptors'), ['hold', mkdtempSync(join(scratchDirectory(), 'kinds-'))]);
    assert.match(await descriptors.line(), /^pid=/);
    const sockets = await start('sockets');
    const listener = await sockets('socket 2 1 0');
    await sockets(`bind ${listener} 127.0.0.1 0`);
    await sockets(`listen ${listener} 4`);
    await sockets('socket 16 3 0');
    // What lies in memory is an object where somebody waits for it.
    const waiting = Program.start(fixture('waits-futex'), [mkdtempSync(join(scratchDirectory(), 'kinds-')), '0 lock:m0 wr:r0 . pause', '0 . lock:m0', '0 . wr:r0', '0 . cond:c0,m1', '0 . barrier:b2', '0 . sem:s0', '0 . futex:w0']);
    while (await waiting.line() !== 'ready');
    snapshot = snapshotOf();
    const ours = new Set([waiting.pid, ...readdirSync('/proc').map(Number).filter(pid => parentOf(pid) === waiting.pid)]);
    const futexes = ['mutex', 'rwlock', 'condition-variable', 'barrier', 'posix-unnamed-semaphore', 'futex'];
    await until(() => {
      snapshot = snapshotOf();
      const on = new Map<string, IpcObject>(snapshot.objects.map(object => [object.id, object]));
      const kinds = new Set(snapshot.waits.filter(({ pid }) => ours.has(pid)).map(({ objectId }) => on.get(objectId ?? '')?.kind as string | undefined));
      return futexes.every(kind => kinds.has(kind));
    }, 'every thread waits for its object');
  });
  after(async () => { for (const remove of removed) await remove(); await Program.stopAll(); });

  it('shows each with its gist, its state, who has it, and a reason for whatever is unknown', () => {
    const seen = new Set<CollectedKind>();
    const ofKind = new Map<CollectedKind, number>();
    for (const object of snapshot.objects) {
      // A few of a kind are enough: a busy machine has thousands of sockets.
      const nth = (ofKind.get(object.kind) ?? 0) + 1;
      ofKind.set(object.kind, nth);
      if (nth > 20) continue;
      const inspected = inspect(snapshot, object.id);
      assert.ok(inspected, object.id);
      const view = inspectorView(inspected, { showsAll: () => true });
      seen.add(object.kind);
      assert.notEqual(view.summary, '', object.id);
      if (object.kind === 'pipe' || object.kind === 'fifo') assert.ok(inspected.handles.length === 0 || /written by|read by/.test(view.brief), `${object.id}: ${view.brief}`);
      assert.ok(view.summary.length > 8 && !/undefined|null|NaN|\[object/.test(view.summary), `${object.kind}: ${view.summary}`);
      for (const key of ['handles', 'identity']) assert.ok(view.sections.some(section => section.key === key), `${object.kind} has ${key}`);
      // A futex has no state of its own besides its address.
      if (object.kind !== 'futex') assert.ok(view.sections.some(section => ['state', 'watches', 'ranges'].includes(section.key)), `${object.kind} has a state`);
      for (const value of view.sections.flatMap(valuesOf)) if (value.type === 'unknown') assert.ok(value.why.length > 10, `${object.id}: ${JSON.stringify(value)}`);
      assert.equal(view.memory, facilityTable.get(object.kind)?.category === 'shared memory');
      assert.doesNotMatch(JSON.stringify(view.sections.map(section => section.title)), /undefined|\{\d\}/);
    }
    const expected = [...facilityTable.keys()];
    assert.deepEqual(expected.filter(kind => !seen.has(kind)), []);
  });

  it('draws the locks of the real file, with the one that waits', () => {
    const object = snapshot.objects.find(it => it.kind === 'record-lock' && (it.state.path ?? '').startsWith(scratchDirectory()));
    const inspected = object && inspect(snapshot, object.id);
    assert.ok(inspected);
    const drawing = inspectorView(inspected, { showsAll: () => true }).sections.find(section => section.type === 'ranges');
    assert.ok(drawing?.type === 'ranges');
    assert.deepEqual(drawing.ranges.map(({ type, waiting }) => [type, waiting]), [['write', false], ['write', true]]);
    assert.deepEqual(drawing.marks.map(it => it.text), ['0', '5', '10']);
    assert.match(drawing.ranges[0]?.words ?? '', /^locks \(\d+\) holds a lock \(exclusive\) on bytes 0 to 9$/);
  });

  it('peeks into one of every kind, or says why that cannot be', () => {
    for (const kind of ['sysv-message-queue', 'posix-message-queue', 'sysv-semaphore-set', 'sysv-shared-memory', 'posix-shared-memory', 'pipe', 'unix-socket', 'memfd', 'shared-mapping', 'anonymous-shared-mapping', 'eventfd', 'record-lock', 'signal'] as const) {
      const object = snapshot.objects.find(it => it.kind === kind);
      assert.ok(object, kind);
      const { stdout } = ipcProbe(['peek', '--json', object.id]);
      const { contents } = JSON.parse(stdout) as { contents: Contents };
      if (contents.form === 'unavailable') assert.ok(contents.reason.length > 10, kind);
      for (const format of ['text', 'hex', 'json'] as const) {
        for (const section of contentsSections(object, { busy: false, at: snapshot.takenAt, contents, format }, false, { showsAll: () => true })) {
          if (section.type === 'peek' && contents.form === 'unavailable') assert.match(section.remarks[0] ?? '', /It cannot be peeked because/);
        }
      }
    }
  });
});
