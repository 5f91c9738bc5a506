import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { trapRejections } from "../support/sim-sockets.ts";
import { InprocModel, inprocStart, inprocSteps } from "./inproc.ts";
import { check } from "./replay.ts";

trapRejections();

const file = "test/models/inproc.model.test.ts";

describe.each(["push-pull", "xpub-xsub"] as const)("the model of %s, over inproc", (kind) => {
  const name = `${kind}: nothing invented, doubled, out of order or lost uncounted; every call settles, and nothing is left`;
  it(name, { timeout: 300_000 }, async () => {
    let received = 0;
    const property = fc.asyncProperty(inprocStart, inprocSteps, async (start, steps) => {
      const model = new InprocModel(kind, start);
      await model.run(steps);
      received += model.received;
    });
    await check({ file, name }, property, 400);
    expect(received).toBeGreaterThan(0);
  });
});
