import type { ReporterConstructor } from 'mocha';

/** Writes one JSON line an event into the file that IPC_INSPECTOR_RESULTS names. */
declare const JsonLines: ReporterConstructor;
export = JsonLines;
