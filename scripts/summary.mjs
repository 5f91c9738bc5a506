/**
 * Counts of a vitest JSON report. A file that failed without a failed test of its own (it does not load, a hook threw)
 * counts as one failure. No report: nothing passed.
 */
export function countTests(report) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report?.testResults ?? []) {
    const of = (...states) => file.assertionResults.filter(({ status }) => states.includes(status)).length;
    counts.passed += of("passed");
    counts.skipped += of("skipped", "pending", "todo", "disabled");
    counts.failed += file.status === "failed" ? Math.max(1, of("failed")) : of("failed");
  }
  return counts;
}

/**
 * The closing line. Each failed step counts as one failure; vitest's own only when no test accounts for it, for example
 * an unhandled rejection, or no test at all.
 */
export function summaryLine({ passed, failed, skipped }, failedSteps) {
  const extra = failedSteps.filter((step) => step !== "vitest" || failed === 0).length;
  return `${passed} passed, ${failed + extra} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
