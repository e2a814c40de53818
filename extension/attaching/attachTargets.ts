// To whom a debugger could be attached from a node of a view: who holds what others wait for, who could end a wait, who waits. Pure.
import type { ThreadRef } from '../../native-probe/model';
import { handleWords, objectTitleOf } from '../words/objectWords';
import { visible } from '../words/presentation';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';

/** What a node is about: a process, an object, a wait, or a finding with all its members. */
export interface AttachSubject {
  readonly pids?: readonly number[];
  readonly objectIds?: readonly string[];
  /** Threads whose waits it is about. */
  readonly threads?: readonly ThreadRef[];
}

export interface AttachTarget {
  readonly pid: number;
  /** What it has to do with the subject, shortly; empty for a process that was chosen itself. */
  readonly does: string;
}

/** More than this is no list to choose from. */
const most = 200;

/** The processes, those first that hold what others wait for; never the probe, nor who has ended. */
export function attachTargets({ pids = [], objectIds = [], threads = [] }: AttachSubject, index: SnapshotIndex): readonly AttachTarget[] {
  const found = new Map<number, { rank: number; readonly words: Set<string> }>();
  const add = (pid: number, rank: number, words: string): void => {
    const known = found.get(pid) ?? { rank, words: new Set<string>() };
    found.set(pid, known);
    known.rank = Math.min(known.rank, rank);
    if (words !== '') known.words.add(words);
  };
  for (const id of objectIds) {
    for (const handle of index.handlesOf(id)) {
      if (handle.via === 'owner' || handle.via === 'lock') add(handle.pid, 0, objectIds.length === 1 ? handleWords([handle]) : l10n.t('holds {0}', objectTitleOf(index, id)));
      else if (objectIds.length === 1) add(handle.pid, handle.via === 'last-operation' ? 4 : 3, handleWords([handle]));
    }
  }
  const waits = threads.length > 0 ? threads.flatMap(({ pid, tid }) => index.waitOf(pid, tid ?? pid) ?? []) : objectIds.flatMap(id => index.waitsOn(id));
  for (const wait of waits) {
    add(wait.pid, 2, l10n.t('waits in {0}', visible(wait.operation)));
    for (const { pid } of wait.clauses.flatMap(clause => clause.alternatives.flatMap(it => it.threads))) {
      if (found.get(pid)?.rank !== 0) add(pid, 1, l10n.t('could end the wait'));
    }
  }
  for (const pid of [...pids, ...threads.map(it => it.pid)]) add(pid, 5, '');
  return [...found].filter(([pid]) => index.processes.has(pid) && pid !== index.snapshot.host.pid)
    .sort(([a, one], [b, other]) => one.rank - other.rank || a - b).slice(0, most).map(([pid, { words }]) => ({ pid, does: [...words].join(' · ') }));
}
