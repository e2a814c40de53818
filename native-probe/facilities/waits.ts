// Blocked threads, what they wait for, and what follows from it.
import type { Finding, Handle, IpcObject, Wait } from '../model';
import type { ScanContext } from '../context';

export interface Waiting { readonly objects: readonly IpcObject[]; readonly handles: readonly Handle[]; readonly waits: readonly Wait[]; readonly findings: readonly Finding[] }

/** (being built) */
export function collectWaits(_context: ScanContext, _options: { readonly pids?: readonly number[] | undefined; readonly waits?: boolean | undefined }): Promise<Waiting> {
  return Promise.resolve({ objects: [], handles: [], waits: [], findings: [] });
}
