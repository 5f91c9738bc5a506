import { describe, expect, it } from "vitest";
import { trapRejections } from "../support/sim-sockets.ts";
import { check } from "./replay.ts";
import { reached, simulated } from "./simulated.ts";

trapRejections();

const file = "test/models/xpub-xsub.model.test.ts";

describe("PS-3, PS-4, PS-7, PS-8, PS-10, PS-12, PS-18, E22: XPUB and XSUB, with a PUB and a SUB, against a model", () => {
  const name =
    "notifications are what the peers have said, what goes upstream comes to all, nothing is lost without a reason";
  it(name, { timeout: 300_000 }, async () => {
    await check({ file, name }, simulated("xpub-xsub"), 300);
  });

  it("the steps come where it matters: messages received, refused and dropped, connections lost", async () => {
    for (const [name, count] of Object.entries(await reached("xpub-xsub", 100)))
      expect([name, count > 10]).toEqual([name, true]);
  }, 60_000);
});
