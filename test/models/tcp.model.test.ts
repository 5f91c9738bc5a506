import fc from "fast-check";
import { describe, it } from "vitest";
import { stablePort } from "../support/ports.ts";
import { trapRejections } from "../support/sim-sockets.ts";
import { Model } from "./model.ts";
import { check } from "./replay.ts";
import { TcpSite } from "./site.ts";
import { type Kind, start, stepsOf } from "./steps.ts";

trapRejections();

const file = "test/models/tcp.model.test.ts";

const kinds: readonly Kind[] = ["push-pull", "pub-sub", "xpub-xsub"];

describe.each(kinds)("the model of %s, over TCP and in real time", (kind) => {
  const name = `${kind}: whatever the timing, nothing is invented, lost without a reason, doubled or out of order`;
  it(name, { timeout: 300_000 }, async () => {
    const ports: number[] = [];
    for (let i = 0; i < 6; i += 1) ports.push(await stablePort());
    const property = fc.asyncProperty(start, stepsOf(kind), async (start, steps) => {
      await new Model(kind, start, new TcpSite(ports)).run(steps);
    });
    await check({ file, name }, property, 10);
  });
});
