// Memory that is shared without a name in /dev/shm or a key, in words. Pure.
import type { AnonymousSharedMapping, Memfd, SharedMapping } from '../../native-probe/model';
import type { KindWords } from './kindWords';
import { baseName, bytes, bytesExactly, idTail, inMarkdown, unknown, visible } from './presentation';
import { l10n } from '../translation';

export type MemoryObject = Memfd | SharedMapping | AnonymousSharedMapping;

/** Label, summary and tooltip of shared memory. */
export function memoryWords(object: MemoryObject): KindWords {
  switch (object.kind) {
    case 'memfd': {
      const { size, allocated, seals } = object.state;
      const sealed = seals === null ? l10n.t('seals unknown') : seals.length === 0 ? undefined : l10n.t('sealed: {0}', visible(seals.join(' ')));
      return {
        label: object.name === undefined || object.name === '' ? l10n.t('memfd {0}', idTail(object)) : visible(object.name),
        summary: () => [...(size === null ? [l10n.t('size unknown')] : [bytes(size)]), ...(sealed === undefined || seals === null ? [] : [sealed])],
        rows: () => [[l10n.t('Size'), bytesExactly(size)], [l10n.t('Allocated'), bytesExactly(allocated)], [l10n.t('Seals'), seals === null ? unknown() : seals.length === 0 ? l10n.t('none') : inMarkdown(seals.join(' '))]],
      };
    }
    case 'shared-mapping': {
      const { path, mapped, deleted } = object.state;
      return {
        label: baseName(path),
        summary: () => [visible(path), l10n.t('{0} mapped', bytes(mapped)), ...(deleted ? [l10n.t('deleted')] : [])],
        rows: () => [[l10n.t('Path'), inMarkdown(path)], [l10n.t('Mapped up to byte'), bytesExactly(mapped)], ...(deleted ? [[l10n.t('File'), l10n.t('deleted: it lives as long as it is mapped or open')] as const] : [])],
      };
    }
    case 'anonymous-shared-mapping': return {
      label: object.name === undefined ? l10n.t('mapping {0}', idTail(object)) : visible(object.name),
      summary: () => [bytes(object.state.size)],
      rows: () => [[l10n.t('Size'), bytesExactly(object.state.size)]],
    };
    default: return object satisfies never;
  }
}
