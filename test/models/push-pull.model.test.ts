import fc from "fast-check";
import { describe, it } from "vitest";
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
    await check({ file, name }, property, 250);
  });
});
