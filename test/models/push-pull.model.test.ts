import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { trapRejections } from "../support/sim-sockets.ts";
import { Model } from "./model.ts";
import { check } from "./replay.ts";
import { SimulatedSite } from "./site.ts";
import { pushPullSteps, start } from "./steps.ts";

trapRejections();

const file = "test/models/push-pull.model.test.ts";

describe("PUSH and PULL, against a model", () => {
  const name = "nothing invented, lost without a reason, doubled, torn or out of order";
  it(name, { timeout: 300_000 }, async () => {
    const property = fc.asyncProperty(start, pushPullSteps, async (start, steps) => {
      const site = new SimulatedSite(start.seed, start.capacity, start.maxChunk);
      await new Model("push-pull", start, site).run(steps);
    });
    await check({ file, name }, property, 200);
  });

  it("the steps come where it matters: messages received, refused and dropped, connections lost", async () => {
    const sums: Record<string, number> = {};
    for (const [first, steps] of fc.sample(fc.tuple(start, pushPullSteps), { numRuns: 30, seed: 1 })) {
      const model = new Model(
        "push-pull",
        first,
        new SimulatedSite(first.seed, first.capacity, first.maxChunk),
      );
      await model.run(steps);
      for (const [name, count] of Object.entries(model.reached)) sums[name] = (sums[name] ?? 0) + count;
    }
    for (const [name, count] of Object.entries(sums)) expect([name, count > 10]).toEqual([name, true]);
  }, 60_000);
});
