// The names and addresses of this machine: a configuration that names one of them means no other.
import { hostname, networkInterfaces } from 'node:os';

/** As they are now: interfaces come and go. */
export function ownAddresses(): ReadonlySet<string> {
  return new Set([hostname(), ...Object.values(networkInterfaces()).flatMap(it => it ?? []).map(it => it.address)]);
}
