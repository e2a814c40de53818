// What debug adapters answer, taken apart: any shape may come, and any amount. What is not as the protocol has it is left out. Pure.

export interface DapThread { readonly id: number; readonly name: string }
export interface DapFrame {
  readonly id: number;
  /** The function, as the adapter words it. */
  readonly name: string;
  /** As the adapter tells it: absolute, relative to who knows what, or absent where only the adapter has the text. */
  readonly path?: string;
  readonly sourceReference?: number;
  /** From 1; 0 where there is no line. */
  readonly line: number;
  readonly column: number;
  /** The adapter itself says that nobody is interested in it. */
  readonly subtle: boolean;
}
export interface DapVariable { readonly name: string; readonly value: string }

/** More than these are not read, whatever an adapter sends. */
const mostThreads = 10_000, mostFrames = 100, mostVariables = 1_000, longestText = 1 << 18;

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? value as Readonly<Record<string, unknown>> : {};
}

function list(answer: unknown, key: string, most: number): readonly Readonly<Record<string, unknown>>[] {
  const items: unknown = record(answer)[key];
  return Array.isArray(items) ? items.slice(0, most).map(record) : [];
}

const isId = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value);
const whole = (value: unknown): number => isId(value) && value > 0 ? value : 0;

/** The body of a `threads` response. */
export function threadsOf(answer: unknown): readonly DapThread[] {
  return list(answer, 'threads', mostThreads).flatMap(({ id, name }) => isId(id) ? [{ id, name: typeof name === 'string' ? name.slice(0, 1000) : '' }] : []);
}

/** A path on the machine where the extension runs. VS Code makes URIs of the paths in what passes through it (its debugUtils.ts): in a remote window they arrive so. */
function pathOf(path: unknown): string | undefined {
  if (typeof path !== 'string' || path === '' || path.length > 4096) return undefined;
  const inside = /^(?:file|vscode-remote):\/\/[^/]*(\/.*)$/.exec(path)?.[1];
  if (inside === undefined) return path;
  try {
    return decodeURIComponent(inside);
  } catch {
    return inside; // a path that only looks like an URI
  }
}

/** The body of a `stackTrace` response, the innermost frame first. */
export function framesOf(answer: unknown): readonly DapFrame[] {
  return list(answer, 'stackFrames', mostFrames).flatMap(({ id, name, source, line, column, presentationHint }) => {
    if (!isId(id)) return [];
    const { sourceReference, presentationHint: hint } = record(source);
    const path = pathOf(record(source).path);
    return [{
      id, name: typeof name === 'string' ? name.slice(0, 1000) : '', line: whole(line), column: whole(column),
      subtle: presentationHint === 'subtle' || presentationHint === 'label' || hint === 'deemphasize' || hint === 'subtle',
      ...(path === undefined ? {} : { path }),
      ...(whole(sourceReference) > 0 ? { sourceReference: whole(sourceReference) } : {}),
    }];
  });
}

/** The variables reference of the locals in the body of a `scopes` response; 0 when there is none. */
export function localsOf(answer: unknown): number {
  const scopes = list(answer, 'scopes', 100);
  const locals = scopes.find(scope => scope.presentationHint === 'locals') ?? scopes.find(scope => typeof scope.name === 'string' && /^locals?$/i.test(scope.name));
  return whole(locals?.variablesReference);
}

/** The variables reference of the registers in the body of a `scopes` response; 0 when there is none. */
export function registersScopeOf(answer: unknown): number {
  const scopes = list(answer, 'scopes', 100);
  const registers = scopes.find(scope => scope.presentationHint === 'registers') ?? scopes.find(scope => typeof scope.name === 'string' && /^(?:cpu )?registers$/i.test(scope.name));
  return whole(registers?.variablesReference);
}

/** The references of what is in the body of a `variables` response, in order. */
export function variableReferencesOf(answer: unknown): readonly number[] {
  return list(answer, 'variables', mostVariables).flatMap(({ variablesReference }) => whole(variablesReference) > 0 ? [whole(variablesReference)] : []);
}

/** The body of a `variables` response. */
export function variablesOf(answer: unknown): readonly DapVariable[] {
  return list(answer, 'variables', mostVariables).flatMap(({ name, value }) => typeof name === 'string' && typeof value === 'string' && name.length <= 200 ? [{ name, value: value.slice(0, 1000) }] : []);
}

/** The text of an `evaluate` response; undefined for one that has none or is longer than anybody would read. */
export function resultOf(answer: unknown): string | undefined {
  const { result } = record(answer);
  return typeof result === 'string' && result.length <= longestText ? result : undefined;
}

/** Capabilities that `initialize` answered with or the adapter told later; undefined for any other message. Only what is announced may be asked: some adapters end on a request they do not know. */
export function capabilitiesIn(message: unknown): Readonly<Record<string, unknown>> | undefined {
  const { type, command, event, success, body } = record(message);
  if (type === 'response' && command === 'initialize' && success === true) return record(body);
  if (type === 'event' && event === 'capabilities') return record(record(body).capabilities);
  return undefined;
}

/** Whether a message tells that the program lives on another machine. */
export function livesElsewhere(message: unknown): boolean {
  const { type, event, body } = record(message);
  return type === 'event' && event === 'process' && record(body).isLocalProcess === false;
}
