// Files of file systems that we know, under names that we do not: mounted elsewhere (bind mounts, a chroot's or a container's own
// directory), or opened by path instead of by shm_open(3) and mq_open(3). Told by the mount table and the text of the links alone.
import type { ScanContext } from '../context';
import type { OpenDescriptor } from '../descriptorIndex';
import type { Mount, Mounts } from '../kernel/mounts';

/** A descriptor of a file at the top of such a file system. */
export interface OtherName {
  readonly descriptor: OpenDescriptor;
  /** Name in the top directory, as the link has it: Latin-1, perhaps with " (deleted)". */
  readonly fileName: string;
}

/** Where a mount makes the files of its file system appear: below a directory, or one file as a path of its own. */
interface Place { readonly prefix: string; readonly file?: string }

function placeOf({ point, root }: Mount): Place | undefined {
  if (root === '/') return { prefix: point === '/' ? '/' : `${point}/` };
  // A file of the top directory, bound to a name of its own.
  return root.lastIndexOf('/') === 0 ? { prefix: point, file: root.slice(1) } : undefined;
}

/**
 * Descriptors whose links lead to the top directory of a mount that is `wanted`. Links are read from the top of a mount namespace
 * (d_path(), fs/d_path.c), whatever root directory the process has.
 */
export function* underOtherNames(context: ScanContext, mounts: Mounts, wanted: (mount: Mount) => boolean): Generator<OtherName> {
  const places = new Map<string, readonly Place[]>();
  for (const descriptor of context.descriptors.of('path')) {
    const { process: { namespaces: { mnt } }, target } = descriptor;
    if (mnt === null) continue;
    let its = places.get(mnt);
    if (!its) places.set(mnt, its = (mounts.fromTop(mnt)?.all() ?? []).filter(wanted).map(placeOf).filter(place => place !== undefined));
    for (const { prefix, file } of its) {
      if (!target.startsWith(prefix)) continue;
      if (file === undefined ? target.length > prefix.length && !target.includes('/', prefix.length) : target === prefix || target === `${prefix} (deleted)`) {
        yield { descriptor, fileName: file === undefined ? target.slice(prefix.length) : file + target.slice(prefix.length) };
        break;
      }
    }
  }
}
