// Skips a test by name with the reason, which the reporter prints and counts.

/**
 * Ends the running test or hook as skipped.
 * @param context `this` of the test, so the test must be a `function`
 * @param reason what is missing, in words a person can act on
 */
export function skip(context: Mocha.Context, reason: string): never {
  const test: (Mocha.Runnable & { skipReason?: string }) | undefined = context.currentTest ?? context.test;
  if (test) test.skipReason = reason;
  return context.skip();
}
