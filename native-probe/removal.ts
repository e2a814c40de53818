// prove → back up → prove again → remove. Together with restoration.ts the only code that changes the machine.
import type { Failed, Removed, Snapshot, StaleJudgement } from './model';
import type { RemoveParams, RemoveResult } from './protocol';
import { facility, facilityTable } from './facilityTable';
import { judgeStale } from './analysis/stale';
import type { BackupFiles } from './backup';
import { backupFiles, defaultBackupDirectory, discardBackup, openBackupDirectory, writeBackup } from './backup';
import { Cancelled, makePause } from './context';
import { isRemovable, NotRemoved, removerOf } from './facilities/removal';
import type { Removable } from './facilities/removal';
import { takeSnapshot } from './snapshot';

const removableKinds = [...facilityTable.values()].filter(row => row.removable).map(row => row.kind);
/** As many objects are backed up before they are proved again and removed: the second proof stays close to the removal. */
const batchSize = 200;

interface Job { readonly object: Removable; readonly files?: BackupFiles; readonly contents?: string }

/** Removes what is still proven unused. Each object that is not removed is named with its reason; the others are still processed. */
export async function removeObjects(params: RemoveParams, isCancelled: () => boolean = () => false): Promise<RemoveResult> {
  const removed: Removed[] = [];
  const failed: Failed[] = [];
  const pause = makePause(isCancelled);
  const look = (): Promise<Snapshot> => takeSnapshot({ kinds: removableKinds, everyTable: true, isCancelled });

  const snapshot = await look();
  const accepted = choose(params, snapshot, failed);
  if (params.dryRun === true) return { removed: accepted.map(({ id }) => ({ objectId: id })), failed };

  let directory: string | undefined;
  try {
    if (accepted.length > 0) directory = openBackupDirectory(params.backupDirectory ?? defaultBackupDirectory());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { removed, failed: [...failed, ...accepted.map(({ id }) => ({ objectId: id, error: reason }))] };
  }
  for (let at = 0; at < accepted.length; at += batchSize) {
    const batch = accepted.slice(at, at + batchSize);
    if (isCancelled()) {
      failed.push(...batch.map(({ id }) => ({ objectId: id, error: 'cancelled before it was removed' })));
      continue;
    }
    const jobs: Job[] = [];
    for (const object of batch) await reporting(object.id, failed, async () => { jobs.push(await backUp(object, directory ?? '', snapshot, pause)); });
    await removeBatch(jobs, params, look, removed, failed);
  }
  return { removed, failed };
}

/** Those of the ids that may be removed by what is known now; for the others, why not. */
function choose(params: RemoveParams, snapshot: Snapshot, failed: Failed[]): Removable[] {
  const objects = new Map(snapshot.objects.map(object => [object.id, object]));
  const judgements = new Map(judgeStale(snapshot, params.ids).map(judgement => [judgement.objectId, judgement]));
  const acceptedPossibly = new Set(params.acceptPossiblyStale ?? []);
  const accepted: Removable[] = [];
  for (const id of new Set(params.ids)) {
    const object = objects.get(id);
    const fail = (error: string): void => { failed.push({ objectId: id, error }); };
    if (!object) { fail(unknownObject(id)); continue; }
    if (!isRemovable(object)) { fail(`a ${facility(object.kind).label} goes with its processes: there is nothing to remove`); continue; }
    const expected = params.expected?.[id];
    if (expected && ((expected.changedAt ?? undefined) !== (object.changedAt ?? undefined) || (expected.createdAt ?? undefined) !== (object.createdAt ?? undefined))) {
      fail('it changed since it was shown: look at it again'); continue;
    }
    const refusal = refusalOf(object, judgements.get(id), acceptedPossibly.has(id));
    if (refusal === undefined) accepted.push(object);
    else fail(refusal);
  }
  return accepted;
}

function unknownObject(id: string): string {
  const kind = id.slice(0, id.indexOf(':'));
  return facilityTable.has(kind as never) ? 'there is no such object (any more)' : `unknown kind ${kind}: the kinds are ${removableKinds.join(', ')}`;
}

function refusalOf(object: Removable, judgement: StaleJudgement | undefined, acceptPossibly: boolean): string | undefined {
  if (!judgement) return 'it cannot be judged';
  if (judgement.verdict === 'in-use') return `it is in use: ${judgement.evidence.join('; ')}`;
  if (judgement.verdict === 'possibly-stale' && !acceptPossibly) return `it is only possibly stale: ${judgement.evidence.join('; ')}`;
  if ((object.kind === 'posix-shared-memory' || object.kind === 'posix-semaphore' || object.kind === 'posix-message-queue') && object.state.unlinked) return 'its name is already removed; it goes when its last user closes it';
  return undefined;
}

async function backUp(object: Removable, directory: string, snapshot: Snapshot, pause: () => Promise<void>): Promise<Job> {
  const remover = removerOf(object);
  remover.recheck(object);
  const files = backupFiles(directory, object);
  try {
    const hasContents = await remover.save?.(object, files, pause) ?? false;
    const contents = hasContents ? files.data.slice(files.data.lastIndexOf('/') + 1) : undefined;
    const job: Job = { object, files, ...(contents === undefined ? {} : { contents }) };
    journal(job, snapshot);
    return job;
  } catch (error) {
    discardBackup(files);
    throw error;
  }
}

function journal({ object, files, contents }: Job, snapshot: Snapshot, removedAt?: string): void {
  if (!files) return;
  writeBackup(files, {
    format: 'ipc-inspector-backup', version: 1, objectId: object.id, object, ...(removedAt === undefined ? {} : { removedAt }),
    host: { hostname: snapshot.host.hostname, bootId: snapshot.host.bootId, ipcNamespace: snapshot.host.ipcNamespace, mntNamespace: snapshot.host.mntNamespace }, ...(contents === undefined ? {} : { contents }),
  });
}

/** Proves the batch again with a fresh pass over all processes, then removes it. */
async function removeBatch(jobs: readonly Job[], params: RemoveParams, look: () => Promise<Snapshot>, removed: Removed[], failed: Failed[]): Promise<void> {
  if (jobs.length === 0) return;
  let now: Snapshot;
  try {
    now = await look();
  } catch (error) {
    for (const { files } of jobs) if (files) discardBackup(files);
    if (error instanceof Cancelled) { failed.push(...jobs.map(({ object }) => ({ objectId: object.id, error: 'cancelled before it was removed' }))); return; }
    throw error;
  }
  const objects = new Map(now.objects.map(object => [object.id, object]));
  const judgements = new Map(judgeStale(now, jobs.map(({ object }) => object.id)).map(judgement => [judgement.objectId, judgement]));
  const acceptedPossibly = new Set(params.acceptPossiblyStale ?? []);
  for (const job of jobs) {
    const { object, files } = job;
    await reporting(object.id, failed, () => {
      let done = false;
      try {
        // Its backup stays: what is gone without our doing is not lost either.
        if (!objects.has(object.id)) throw new NotRemoved(`it is gone: somebody else removed it in the meantime${files ? `; its backup is in ${files.json}` : ''}`);
        const refusal = refusalOf(object, judgements.get(object.id), acceptedPossibly.has(object.id));
        if (refusal !== undefined) throw new NotRemoved(refusal);
        removerOf(object).recheck(object);
        removerOf(object).remove(object);
        done = true;
      } finally {
        // Only what is surely still there loses its backup.
        if (!done && files && objects.has(object.id)) discardBackup(files);
      }
      journal(job, now, new Date().toISOString());
      removed.push({ objectId: object.id, ...(files ? { backup: files.json } : {}) });
      return Promise.resolve();
    });
  }
}

/** Runs one object's part: its failure is its own. */
async function reporting(objectId: string, failed: Failed[], part: () => Promise<void>): Promise<void> {
  try {
    await part();
  } catch (error) {
    failed.push({ objectId, error: error instanceof Cancelled ? 'cancelled before it was removed' : error instanceof Error ? error.message : String(error) });
  }
}
