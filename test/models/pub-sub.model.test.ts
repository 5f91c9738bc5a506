import { describe, expect, it } from "vitest";
import { trapRejections } from "../support/sim-sockets.ts";
import { check } from "./replay.ts";
import { reached, simulated } from "./simulated.ts";

trapRejections();

const file = "test/models/pub-sub.model.test.ts";

describe("PS-1, PS-2, PS-9, PS-11, PS-13, PS-15, RC-6, E19, E21, E23, E24, N-3, N-5, N-14: PUB and SUB, against a model", () => {
  const name = "nothing invented, lost without a reason, doubled, torn or out of order";
  it(name, { timeout: 300_000 }, async () => {
    await check({ file, name }, simulated("pub-sub"), 300);
  });

  it("the steps come where it matters: messages received, refused and dropped, connections lost", async () => {
    for (const [name, count] of Object.entries(await reached("pub-sub", 100)))
      expect([name, count > 10]).toEqual([name, true]);
  }, 60_000);
});
