import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Proxy as SocketProxy, type XSubscriber } from "../../src/sockets/index.ts";
import { trapRejections, World } from "../support/sim-sockets.ts";
import { check } from "./replay.ts";

trapRejections();

const file = "test/models/proxy.model.test.ts";

type Step = { do: "send"; from: number; count: number } | { do: "pause" | "resume" | "settle" | "turns" };

const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("send"), from: fc.nat(1), count: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ do: fc.constantFrom("pause", "resume", "settle", "turns", "turns") }),
  ) as fc.Arbitrary<Step>,
  { minLength: 1, maxLength: 40, size: "max" },
);
const options = fc.record({ mark: fc.constantFrom(0, 1, 3, 1000), maxChunk: fc.constantFrom(7, 1e9) });

/** Two senders, a proxy, two receivers: what comes out of each receiver, and whether it is all. */
async function run(
  kind: "PULL to PUSH" | "XSUB to XPUB",
  { mark, maxChunk }: { mark: number; maxChunk: number },
  list: readonly Step[],
): Promise<void> {
  const world = new World();
  world.network.maxChunk = maxChunk;
  const isPush = kind === "PULL to PUSH";
  const marks = { receiveHighWaterMark: mark };
  const front = isPush ? world.pull(marks) : world.xsubscriber(marks);
  const back = isPush ? world.push({ sendHighWaterMark: mark }) : world.xpublisher({ noDrop: true });
  await world.bind(front, "sim://front");
  await world.bind(back, "sim://back");
  const senders = [0, 1].map(() => (isPush ? world.push() : world.publisher()));
  const receivers = [0, 1].map(() => (isPush ? world.pull(marks) : world.xsubscriber(marks)));
  for (const sender of senders) sender.connect("sim://front");
  for (const receiver of receivers) {
    if (!isPush) (receiver as XSubscriber).subscribe("m");
    receiver.connect("sim://back");
  }
  const proxy = new SocketProxy(front, back);
  const ended = proxy.run();
  await world.settle();

  const sent: number[][] = [[], []];
  const got: string[][] = [[], []];
  const receiving = receivers.map(async (receiver, i) => {
    for await (const parts of receiver) got[i]?.push(parts.map(String).join("|"));
  });
  let number = 0;
  for (const step of list) {
    if (step.do === "send") {
      for (let i = 0; i < step.count; i += 1) {
        number += 1;
        if (senders[step.from]?.trySend([`m${step.from}`, String(number)])) sent[step.from]?.push(number);
      }
    } else if (step.do === "settle") await world.settle();
    else if (step.do === "turns") await world.turns(3);
    else proxy[step.do]();
  }
  proxy.resume();
  await world.advance(10);
  // Nothing is on its way any more: it ends at once, with nothing lost.
  proxy.terminate();
  await world.advance(10);
  await ended;
  for (const receiver of receivers) void receiver.close();
  for (const sender of senders) void sender.close();
  await world.advance(10);
  await Promise.all(receiving);

  for (const from of [0, 1]) {
    const all = (sent[from] ?? []).map((one) => `m${from}|${one}`);
    const outs = got.map((messages) => messages.filter((text) => text.startsWith(`m${from}`)));
    if (isPush) {
      for (const out of outs) expect(out).toEqual(all.filter((text) => out.includes(text)));
      expect(outs.flat().sort()).toEqual([...all].sort());
    } else for (const out of outs) expect(out).toEqual(all);
  }
  expect(got.flat()).toHaveLength(isPush ? number : 2 * number);
}

describe.each([
  ["PULL to PUSH", "PP-1, PP-6"],
  ["XSUB to XPUB", "PS-8, PS-12, PS-24"],
] as const)("a proxy, %s: %s", (kind, _items) => {
  const name = `${kind}: all that is sent comes out, in order, whenever it is paused and resumed`;
  it(name, { timeout: 300_000 }, async () => {
    const property = fc.asyncProperty(options, steps, (option, list) => run(kind, option, list));
    await check({ file, name }, property, 200);
  });
});
