// Skips a test by name with the reason, which the reporter prints and counts.

interface Reasoned {
  type?: string;
  skipReason?: string;
}

/**
 * Ends the running test as skipped, or from a hook those of its suite.
 * @param context `this` of the test or hook, which must therefore be a `function`
 * @param reason what is missing, in words a person can act on
 */
export function skip(context: Mocha.Context, reason: string): never {
  // While a hook runs, `test` is the hook and `currentTest` is only the first of those it stands before.
  const running: (Mocha.Runnable & Reasoned) | undefined = context.test;
  if (running?.type === 'hook') running.parent?.eachTest((test: Mocha.Test & Reasoned) => { test.skipReason = reason; });
  else if (running) running.skipReason = reason;
  return context.skip();
}
