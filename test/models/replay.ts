import fc from "fast-check";

/**
 * Runs a property as often as MODEL_RUNS says, else `runs` times, from the seed MODEL_SEED, else always the same one
 * (`random`: another each time). When it fails, the error ends with the command that runs that one case again.
 */
export async function check<T>(
  where: { file: string; name: string },
  property: fc.IAsyncProperty<T>,
  runs: number,
): Promise<void> {
  const { MODEL_RUNS, MODEL_SEED, MODEL_PATH } = process.env;
  // Most errors of a run are expected, such as EAGAIN: their stacks would take a good part of the time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const details = await fc.check(property, {
    timeout: 60_000,
    numRuns: MODEL_RUNS === undefined ? runs : Number(MODEL_RUNS),
    ...(MODEL_SEED !== "random" && { seed: MODEL_SEED === undefined ? 1 : Number(MODEL_SEED) }),
    ...(MODEL_PATH !== undefined && { path: MODEL_PATH, endOnFailure: true }),
  });
  Error.stackTraceLimit = stackTraceLimit;
  if (!details.failed) return;
  const variables = `MODEL_SEED=${details.seed} MODEL_PATH=${details.counterexamplePath}`;
  const command = `${variables} npx vitest run ${where.file} -t "${where.name}"`;
  const reason = (details.errorInstance as Error | null)?.message ?? "";
  throw new Error(`${reason}\n\n${fc.defaultReportMessage(details)}\n\nAgain:\n  ${command}\n`);
}
