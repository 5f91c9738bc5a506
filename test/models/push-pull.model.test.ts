import { describe, expect, it } from "vitest";
import { trapRejections } from "../support/sim-sockets.ts";
import { check } from "./replay.ts";
import { reached, simulated } from "./simulated.ts";

trapRejections();

const file = "test/models/push-pull.model.test.ts";

describe("PP-1, PP-2, PP-3, PP-4, PP-6, PP-9, CL-1, CL-3, CL-4, CL-5, E25, E26, E28, E31, E32, E33, N-6, N-7: PUSH and PULL, against a model", () => {
  const name = "nothing invented, lost without a reason, doubled, torn or out of order";
  it(name, { timeout: 300_000 }, async () => {
    await check({ file, name }, simulated("push-pull"), 300);
  });

  it("the steps come where it matters: messages received, refused and dropped, connections lost", async () => {
    for (const [name, count] of Object.entries(await reached("push-pull", 100)))
      expect([name, count > 10]).toEqual([name, true]);
  }, 60_000);
});
