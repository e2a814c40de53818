// The inspector over a real snapshot of this machine, with one object of as many kinds as programs can make here: every object has its gist,
// its state, who has it, and what is unknown always says why.
import { strict as assert } from 'node:assert';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from '../../extension/panels/inspected';
import { contentsSections } from '../../extension/panels/contentsSection';
import { inspectorView } from '../../extension/panels/inspectorView';
import { facilityTable } from '../../native-probe/facilityTable';
import type { CollectedKind, Contents, Snapshot } from '../../native-probe/model';
import type { Section, Value } from '../../webview/protocol';
import { skip } from '../skip';
import { fixture, hasCompiler, ipcProbe, Program, scratchDirectory, snapshotOf } from './harness';

/** Every value that a section shows. */
function valuesOf(section: Section): readonly Value[] {
  return section.type === 'fields' ? section.fields.map(it => it.value) : section.type === 'table' ? section.rows.flatMap(row => row.cells.filter(it => it !== undefined)) : [];
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
    snapshot = snapshotOf();
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
      for (const key of ['handles', 'identity']) assert.ok(view.sections.some(section => section.key === key), `${object.kind} has ${key}`);
      // A futex has no state of its own besides its address.
      if (object.kind !== 'futex') assert.ok(view.sections.some(section => ['state', 'watches', 'ranges'].includes(section.key)), `${object.kind} has a state`);
      for (const value of view.sections.flatMap(valuesOf)) if (value.type === 'unknown') assert.ok(value.why.length > 10, `${object.id}: ${JSON.stringify(value)}`);
      assert.equal(view.memory, facilityTable.get(object.kind)?.category === 'shared memory');
      assert.doesNotMatch(JSON.stringify(view.sections.map(section => section.title)), /undefined|\{\d\}/);
    }
    const expected: CollectedKind[] = ['sysv-shared-memory', 'sysv-message-queue', 'sysv-semaphore-set', 'posix-message-queue', 'posix-shared-memory', 'posix-semaphore', 'pipe', 'unix-socket', 'memfd', 'eventfd', 'shared-mapping', 'anonymous-shared-mapping', 'record-lock', 'ofd-lock', 'flock-lock', 'signal'];
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
