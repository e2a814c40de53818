// stale → remove → restore on real objects: proof, backup, refusal, what was in it afterwards.
import { strict as assert } from 'node:assert';
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Failed, Removed, Restored, Snapshot, StaleJudgement } from '../../native-probe/model';
import { fixture, hasCompiler, ipcProbe, isRoot, Program, scratchDirectory, snapshotOf } from './harness';
import { skip } from '../skip';

type Stale = Snapshot & { stale: StaleJudgement[] };
const stale = (): Stale => JSON.parse(ipcProbe(['stale', '--json']).stdout) as Stale;
const verdictOf = (id: string): StaleJudgement => stale().stale.find(({ objectId }) => objectId.endsWith(id)) ?? assert.fail(`${id} was not judged`);
const idEnding = (end: string): string => snapshotOf().objects.find(({ id }) => id.endsWith(end))?.id ?? assert.fail(`no ${end}`);

describe('stale, remove, restore', function () {
  let directory = '';
  let program: Program;
  const ask = async (line: string): Promise<string> => { program.tell(line); return program.line(); };
  const remove = (...args: string[]): { status: number | null; removed: Removed[]; failed: Failed[] } => {
    const { status, stdout } = ipcProbe(['remove', '--json', '--backup', directory, ...args]);
    return { status, ...JSON.parse(stdout) as { removed: Removed[]; failed: Failed[] } };
  };
  const restore = (file: string): { status: number | null; restored: Restored[]; failed: Failed[] } => {
    const { status, stdout } = ipcProbe(['restore', '--json', file]);
    return { status, ...JSON.parse(stdout) as { restored: Restored[]; failed: Failed[] } };
  };
  const fresh = async (): Promise<Program> => { program = Program.start(fixture('ipc')); await program.line(); return program; };
  before(function () { if (!hasCompiler()) skip(this, 'needs a C compiler (cc)'); });
  beforeEach(async () => { directory = mkdtempSync(join(scratchDirectory(), 'backup-')); await fresh(); });
  afterEach(async () => { await Program.stopAll(); rmSync(directory, { recursive: true, force: true }); });

  it('a segment whose creator and last user are gone is stale; removed and restored it has the same key, mode and contents, and holes stay holes', async () => {
    const shmid = await ask('shmget 0x49504310 67108864 640');
    const address = await ask(`shmat ${shmid} 0`);
    await ask(`poke ${address} remember-me`);
    await ask(`shmdt ${address}`);
    assert.equal(verdictOf(`:${shmid}`).verdict, 'possibly-stale', 'its creator lives');
    await program.stop();
    assert.deepEqual(verdictOf(`:${shmid}`).verdict, 'stale');
    const { status, removed } = remove(idEnding(`sysv-shared-memory:${snapshotOf().host.ipcNamespace}:${shmid}`));
    assert.equal(status, 0);
    assert.ok(!readFileSync('/proc/sysvipc/shm', 'utf8').includes(` ${shmid} `));
    const backup = removed[0]?.backup ?? assert.fail('no backup');
    const data = backup.replace(/json$/, 'data');
    assert.equal(statSync(data).size, 67108864);
    assert.ok(statSync(data).blocks * 512 < 1 << 20, 'the backup is sparse');
    const { restored } = restore(backup);
    await fresh();
    const segment = snapshotOf().objects.find(({ id }) => id === restored[0]?.newObjectId);
    assert.ok(segment?.kind === 'sysv-shared-memory');
    assert.deepEqual([segment.key, segment.owner?.mode, segment.state.segsz], ['0x49504310', '0640', '67108864']);
    assert.ok(Number(segment.state.rss) < 1 << 20, 'restoring allocates only what had data');
    const newId = segment.id.slice(segment.id.lastIndexOf(':') + 1);
    const again = await ask(`shmat ${newId} 1`);
    assert.equal(await ask(`peek ${again}`), 'remember-me');
    assert.deepEqual(restore(backup).failed.map(({ error }) => error), ['key 0x49504310 is taken by a newer object: remove that one first']);
    await ask(`shmdt ${again}`);
    await ask(`shmrm ${newId}`);
  });

  it('contents survive: every byte of a POSIX segment, with its name, mode and owner', () => {
    const name = `ipc-inspector-restore-${process.pid}`;
    const path = `/dev/shm/${name}`;
    const bytes = Buffer.alloc(300_001, 0);
    bytes.write('head'); bytes.write('tail', bytes.length - 4); bytes.fill(0xa5, 100_000, 120_000);
    writeFileSync(path, bytes);
    chmodSync(path, 0o624);
    const id = `posix-shared-memory:${statSync(path).dev}:${statSync(path).ino}`;
    const { removed, failed } = remove(id);
    assert.deepEqual(failed, []);
    assert.ok(!existsSync(path));
    const { restored } = restore(removed[0]?.backup ?? '');
    assert.equal(restored[0]?.objectId, id);
    assert.deepEqual(readFileSync(path), bytes);
    assert.equal(statSync(path).mode & 0o777, 0o624);
    assert.match(restore(removed[0]?.backup ?? '').failed[0]?.error ?? '', /taken by a newer object/);
    unlinkSync(path);
  });

  it('a semaphore set comes back with its values', async () => {
    const semid = await ask('semget 0x49504311 2 600');
    await ask(`semop ${semid} 0 4`);
    await ask(`semop ${semid} 1 9`);
    await program.stop();
    const { removed, failed } = remove(idEnding(`sysv-semaphore-set:${snapshotOf().host.ipcNamespace}:${semid}`));
    assert.deepEqual(failed, []);
    const { restored } = restore(removed[0]?.backup ?? '');
    const set = snapshotOf().objects.find(({ id }) => id === restored[0]?.newObjectId);
    assert.ok(set?.kind === 'sysv-semaphore-set');
    assert.deepEqual(set.state.sems?.map(({ val }) => val), [4, 9]);
    await fresh();
    await ask(`semrm ${set.id.slice(set.id.lastIndexOf(':') + 1)}`);
  });

  it('an attached segment is in use and is refused; the other ids are still processed', async () => {
    const used = await ask('shmget 0 4096 600');
    await ask(`shmat ${used} 0`);
    const other = Program.start(fixture('ipc'));
    await other.line();
    other.tell('shmget 0 4096 600');
    const left = await other.line();
    await other.stop();
    const { ipcNamespace } = snapshotOf().host;
    const result = remove(`sysv-shared-memory:${ipcNamespace}:${used}`, `sysv-shared-memory:${ipcNamespace}:${left}`, `sysv-shared-memory:${ipcNamespace}:999999`);
    assert.equal(result.status, 1);
    assert.deepEqual(result.removed.map(({ objectId }) => objectId), [`sysv-shared-memory:${ipcNamespace}:${left}`]);
    assert.match(result.failed.find(({ objectId }) => objectId.endsWith(`:${used}`))?.error ?? '', /^it is in use: the kernel counts 1 attachment/);
    assert.match(result.failed.find(({ objectId }) => objectId.endsWith(':999999'))?.error ?? '', /no such object/);
    await ask(`shmrm ${used}`);
  });

  it('queues and sets are never more than possibly stale, and a POSIX object that is open is in use', async () => {
    const msqid = await ask('msgget 0 600');
    const name = `/ipc-inspector-open-${process.pid}`;
    await ask(`shm_open ${name} 4096`);
    assert.equal(verdictOf(`queue:${snapshotOf().host.ipcNamespace}:${msqid}`).verdict, 'possibly-stale');
    const shm = stale();
    const id = shm.objects.find(object => object.name === name)?.id;
    const judged = shm.stale.find(({ objectId }) => objectId === id);
    assert.equal(judged?.verdict, 'in-use');
    assert.match(judged.evidence.join(), new RegExp(`pid ${program.pid} .*has it open`));
    await ask(`shm_unlink ${name}`);
    await ask(`msgrm ${msqid}`);
  });

  it('--dry-run changes nothing and writes nothing', async () => {
    const shmid = await ask('shmget 0 4096 600');
    await program.stop();
    const id = idEnding(`sysv-shared-memory:${snapshotOf().host.ipcNamespace}:${shmid}`);
    assert.deepEqual(remove('--dry-run', id).removed, [{ objectId: id }]);
    assert.ok(idEnding(`:${shmid}`));
    assert.deepEqual(readdirSync(directory), []);
    assert.equal(remove(id).failed.length, 0);
  });

  it('keeps the object when its backup cannot be written, and says why', async function () {
    const shmid = await ask('shmget 0 4096 600');
    await program.stop();
    chmodSync(directory, 0o777);
    const id = idEnding(`sysv-shared-memory:${snapshotOf().host.ipcNamespace}:${shmid}`);
    const { status, stderr, stdout } = ipcProbe(['remove', '--json', '--backup', directory, id]);
    assert.notEqual(status, 0);
    assert.match(stderr + stdout, /can be written by others/);
    assert.ok(idEnding(`:${shmid}`), 'nothing was removed');
    chmodSync(directory, 0o700);
    assert.equal(remove(id).failed.length, 0);
  });

  it('refuses files that are no backups, in words', () => {
    for (const [content, expected] of [['', /not a backup/], ['[]', /not a backup/], ['{"format":"ipc-inspector-backup","version":1,"objectId":"x","object":{"kind":"sysv-message-queue"}}', /cannot be restored/], ['{"format":"ipc-inspector-backup","version":1,"objectId":"x","object":{"kind":"posix-shared-memory","id":"x","name":"/../../etc/x","owner":{"uid":0,"gid":0,"mode":"0600"},"state":{"size":"1"}},"contents":"x.data"}', /not a name that can lie|no such file/]] as const) {
      const file = join(directory, 'x.json');
      writeFileSync(file, content);
      const { status, failed } = restore(file);
      assert.equal(status, 1);
      assert.match(failed[0]?.error ?? '', expected);
    }
    assert.equal(restore(join(directory, 'missing.json')).status, 1);
  });

  it('a segment that its owner alone may read is not removed by another user', async function () {
    if (!isRoot) skip(this, 'needs root');
    const shmid = await ask('shmget 0 4096 600');
    await program.stop();
    const id = idEnding(`sysv-shared-memory:${snapshotOf().host.ipcNamespace}:${shmid}`);
    const theirs = mkdtempSync(join(scratchDirectory(), 'theirs-'));
    chownSync(theirs, 65534, 65534);
    const { status, stdout } = ipcProbe(['remove', '--json', '--backup', join(theirs, 'b'), id], { user: 65534 });
    assert.equal(status, 1);
    assert.match((JSON.parse(stdout) as { failed: Failed[] }).failed[0]?.error ?? '', /permission denied|not permitted|possibly stale/);
    assert.equal(remove(id).failed.length, 0);
  });
});
