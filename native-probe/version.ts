// The version of the probe: that of the package it was built from.
import { version } from '../package.json';

export const probeVersion: string = version;
/** Raised with every incompatible change of protocol.ts. */
export const protocolVersion = 1;
