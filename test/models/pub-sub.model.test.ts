import fc from "fast-check";
import { describe, it } from "vitest";
import { trapRejections } from "../support/sim-sockets.ts";
import { Model } from "./model.ts";
import { check } from "./replay.ts";
import { SimulatedSite } from "./site.ts";
import { pubSubSteps, start } from "./steps.ts";

trapRejections();

const file = "test/models/pub-sub.model.test.ts";

describe("PUB and SUB, against a model", () => {
  const name = "nothing invented, lost without a reason, doubled, torn or out of order";
  it(name, { timeout: 300_000 }, async () => {
    const property = fc.asyncProperty(start, pubSubSteps, async (start, steps) => {
      const site = new SimulatedSite(start.seed, start.capacity, start.maxChunk);
      await new Model("pub-sub", start, site).run(steps);
    });
    await check({ file, name }, property, 250);
  });
});
