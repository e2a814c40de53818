// What the two faces of the probe (server and command line) can be asked, and the shape every request must have.
// Requests are checked here and nowhere else: a probe with more rights takes nothing that this does not let through.
import * as v from 'valibot';
import type { GenericSchema } from 'valibot';
import type { Method, Requests } from './protocol';
import { facilityTable } from './facilityTable';
import type { CollectedKind } from './model';

const longest = 4096;
const text = v.pipe(v.string(), v.maxLength(longest));
/** Ids hold names percent-encoded: printable ASCII only. */
const id = v.pipe(text, v.regex(/^[a-z0-9-]+:[\x21-\x7e]+$/, 'an id is KIND:…'));
const ids = v.pipe(v.array(id), v.maxLength(100_000));
const pid = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(0x7fffffff));
const kind = v.custom<CollectedKind>(value => typeof value === 'string' && facilityTable.has(value as CollectedKind), issue => `unknown kind ${String(issue.received)}`);
const absolutePath = v.pipe(text, v.regex(/^\/[^\0]*$/, 'an absolute path'));
const decimal = v.pipe(v.string(), v.regex(/^\d{1,19}$/, 'a decimal number'));
const between = (least: number, most: number): GenericSchema<number> => v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most));
const run = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const time = v.optional(v.nullable(v.pipe(v.string(), v.maxLength(40))));

const address = v.pipe(v.string(), v.regex(/^0x[0-9a-f]{1,16}$/, 'an address is 0x…'));
/** At most a page each, and of a process a mebibyte. */
const piece = v.strictObject({ address, base64: v.pipe(v.string(), v.maxLength(5464), v.regex(/^[A-Za-z0-9+/]*={0,2}$/)) });
const toldThread = v.strictObject({ tid: pid, number: between(0, 0xffff), arguments: v.pipe(v.array(address), v.length(6)), stackPointer: address, programCounter: address });
const mapsLine = v.pipe(v.string(), v.maxLength(4400), v.regex(/^[0-9a-f]{1,16}-[0-9a-f]{1,16} [^\n]*$/, 'a line of maps'));
const order = between(0, Number.MAX_SAFE_INTEGER);
const told = v.strictObject({
  pid, stopped: order, read: order, threads: v.pipe(v.array(toldThread), v.maxLength(1024)),
  memory: v.pipe(v.array(piece), v.maxLength(4096), v.check(pieces => pieces.reduce((sum, { base64 }) => sum + base64.length, 0) <= 1_400_000, 'at most a mebibyte of memory')),
  maps: v.optional(v.strictObject({ lines: v.pipe(v.array(mapsLine), v.maxLength(4096)), allShared: v.boolean() })),
  robustLists: v.optional(v.pipe(v.array(v.strictObject({ tid: pid, head: address })), v.maxLength(1024))),
});

const schemas: { readonly [M in Method]: GenericSchema<unknown, Requests[M]['params']> } = {
  initialize: v.strictObject({ protocolVersion: v.number(), client: text }),
  snapshot: v.strictObject({
    kinds: v.optional(v.pipe(v.array(kind), v.maxLength(64))), pids: v.optional(v.pipe(v.array(pid), v.maxLength(100_000))),
    waits: v.optional(v.boolean()), told: v.optional(v.pipe(v.array(told), v.maxLength(16))), since: v.optional(v.pipe(v.number(), v.safeInteger())),
  }),
  stale: v.strictObject({ ids: v.optional(ids) }),
  peek: v.strictObject({ id, offset: v.optional(decimal), length: v.optional(between(1, 1 << 20)) }),
  readMemory: v.strictObject({ id, offset: decimal, length: between(1, 4 << 20), detail: v.optional(v.boolean()) }),
  surveyPages: v.strictObject({ id, parts: between(1, 2048) }),
  searchMemory: v.strictObject({
    id, base64: v.pipe(v.string(), v.minLength(4), v.maxLength(344), v.regex(/^[A-Za-z0-9+/]+={0,2}$/)), ignoreCase: v.optional(v.boolean()),
    from: decimal, before: v.optional(decimal), most: v.optional(between(1, 1000)),
  }),
  remove: v.strictObject({
    ids, backupDirectory: v.optional(absolutePath), dryRun: v.optional(v.boolean()), acceptPossiblyStale: v.optional(ids),
    expected: v.optional(v.record(id, v.strictObject({ createdAt: time, changedAt: time }))),
  }),
  restore: v.strictObject({ file: absolutePath }),
  beginRun: v.strictObject({ run }),
  joinRun: v.strictObject({ run, pids: v.pipe(v.array(pid), v.maxLength(10_000)), bornSince: v.optional(v.boolean()) }),
  endRun: v.strictObject({ run }),
};

export const methods = Object.keys(schemas) as readonly Method[];

/** A request that is not of its shape: says which part and why. */
export class InvalidRequest extends Error {}

/** The parameters of a request, checked. Throws {@link InvalidRequest}. */
export function checked<M extends Method>(method: M, params: unknown): Requests[M]['params'] {
  const result = v.safeParse(schemas[method], params ?? {});
  if (result.success) return result.output;
  const issue = result.issues[0];
  const where = v.getDotPath(issue);
  throw new InvalidRequest(`${method}: ${where === null ? '' : `${where}: `}${issue.message}`.slice(0, 500));
}
