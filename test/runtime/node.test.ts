import { expect, it, vi } from "vitest";
import { nodeEnvironment } from "../../src/runtime/node.ts";

it("holds the process by one timer, however many environments come and go", () => {
  const before = process.getActiveResourcesInfo().length;
  const set = vi.spyOn(globalThis, "setInterval");
  try {
    const releases = Array.from({ length: 100 }, () => nodeEnvironment().hold());
    expect(process.getActiveResourcesInfo().length).toBe(before + 1);
    for (const release of releases) {
      release();
      release();
    }
    expect(process.getActiveResourcesInfo().length).toBe(before);
    expect(set.mock.calls.length).toBeLessThanOrEqual(1);
  } finally {
    set.mockRestore();
  }
});
