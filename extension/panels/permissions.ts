// Owner and permissions in words: what read and write allow differs from facility to facility (sysvipc(7), mq_overview(7)). Pure.
import type { CollectedKind, Owner } from '../../native-probe/model';
import type { Field, Value } from '../../webview/protocol';
import { l10n } from '../translation';
import { users } from '../words/userNames';

/** What the read and the write bit allow. */
function rights(kind: CollectedKind): { readonly read: string; readonly write: string } {
  switch (kind) {
    case 'sysv-message-queue': case 'posix-message-queue': return { read: l10n.t('receive messages'), write: l10n.t('send messages') };
    case 'sysv-semaphore-set': return { read: l10n.t('read the values or wait for zero'), write: l10n.t('alter the values') };
    default: return { read: l10n.t('read'), write: l10n.t('write') };
  }
}

function allowed(bits: number, kind: CollectedKind): string {
  const { read, write } = rights(kind);
  switch (bits & 6) {
    case 6: return l10n.t('{0}, {1}', read, write);
    case 4: return read;
    case 2: return write;
    default: return l10n.t('nothing');
  }
}

function userValue(uid: number): Value {
  const name = users.nameOf(uid);
  return name === undefined ? { type: 'words', text: String(uid) } : { type: 'text', text: l10n.t('{0} (uid {1})', name, uid) };
}

/** "0640" as the fields owner, group, others, each with what it may do. */
export function permissionFields(owner: Owner, kind: CollectedKind): readonly Field[] {
  const mode = Number.parseInt(owner.mode, 8);
  if (Number.isNaN(mode)) return [{ key: 'mode', gloss: l10n.t('Mode'), value: { type: 'text', text: owner.mode } }];
  const who = (key: string, gloss: string, shift: number): Field => ({ key, gloss, value: { type: 'words', text: allowed(mode >> shift, kind) } });
  return [
    { key: 'uid', gloss: l10n.t('Owner'), term: 'uid', value: userValue(owner.uid) },
    { key: 'gid', gloss: l10n.t('Group'), term: 'gid', value: { type: 'words', text: String(owner.gid) } },
    { key: 'mode', gloss: l10n.t('Mode'), value: { type: 'text', text: owner.mode } },
    who('user', l10n.t('The owner may'), 6),
    who('group', l10n.t('The group may'), 3),
    who('others', l10n.t('Others may'), 0),
  ];
}
