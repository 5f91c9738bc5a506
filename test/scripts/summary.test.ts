import { describe, expect, it } from "vitest";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const script = new URL("../../scripts/summary.mjs", import.meta.url).href;
const {
  countTests,
  summaryLine,
}: {
  countTests(report: unknown): Counts;
  summaryLine(counts: Counts, failedSteps: string[]): string;
} = await import(script);

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((test) => ({ status: test })),
});
const none = { passed: 0, failed: 0, skipped: 0 };

describe("counts of a vitest report", () => {
  it("adds up over the files", () => {
    const report = {
      testResults: [file("passed", "passed", "skipped"), file("failed", "failed", "passed", "todo")],
    };
    expect(countTests(report)).toEqual({ passed: 2, failed: 1, skipped: 2 });
  });

  it("a file that does not load is one failure", () => {
    expect(countTests({ testResults: [file("failed")] })).toEqual({ ...none, failed: 1 });
  });

  it("no report: nothing passed", () => {
    expect(countTests(null)).toEqual(none);
  });
});

describe("the closing line", () => {
  it("leaves out skipped when there is none", () => {
    expect(summaryLine({ passed: 3, failed: 0, skipped: 0 }, [])).toBe("3 passed, 0 failed");
    expect(summaryLine({ passed: 3, failed: 0, skipped: 2 }, [])).toBe("3 passed, 0 failed, 2 skipped");
  });

  it("counts every failed step", () => {
    expect(summaryLine({ ...none, passed: 3 }, ["lint", "typecheck"])).toBe("3 passed, 2 failed");
  });

  it("counts vitest's own failure when no test accounts for it, and only then", () => {
    expect(summaryLine({ ...none, passed: 3 }, ["vitest"])).toBe("3 passed, 1 failed");
    expect(summaryLine({ ...none, failed: 2 }, ["build", "vitest"])).toBe("0 passed, 3 failed");
  });
});
