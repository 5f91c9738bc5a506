import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Proxy as SocketProxy, type XSubscriber } from "../../src/sockets/index.ts";
import { trapRejections, World } from "../support/sim-sockets.ts";
import { check } from "./replay.ts";

trapRejections();

const file = "test/models/proxy.model.test.ts";

type Step =
  | { do: "send"; from: number; count: number }
  | { do: "kill"; side: "front" | "back"; n: number }
  | { do: "pause" | "resume" | "settle" | "turns" };

interface Options {
  mark: number;
  maxChunk: number;
  /** Bytes on their way before a stream is full, and the proxy held up. */
  capacity: number;
  /** Whether connections break. */
  kills: boolean;
  /** Whether it is terminated while messages are on their way. */
  isBusy: boolean;
}

const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("send"), from: fc.nat(1), count: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ do: fc.constant("kill"), side: fc.constantFrom("front", "back"), n: fc.nat(1) }),
    fc.record({ do: fc.constantFrom("pause", "resume", "settle", "turns", "turns") }),
  ) as fc.Arbitrary<Step>,
  { minLength: 1, maxLength: 40, size: "max" },
);
const options: fc.Arbitrary<Options> = fc.record({
  mark: fc.constantFrom(0, 1, 3, 1000),
  maxChunk: fc.constantFrom(7, 1e9),
  capacity: fc.constantFrom(10, 65_536),
  kills: fc.boolean(),
  isBusy: fc.boolean(),
});

/** Two senders, a proxy, two receivers: what comes out of each receiver, and whether it is all. */
async function run(
  kind: "PULL to PUSH" | "XSUB to XPUB",
  { mark, maxChunk, capacity, kills, isBusy }: Options,
  list: readonly Step[],
): Promise<void> {
  const world = new World();
  world.network.maxChunk = maxChunk;
  world.network.capacity = capacity;
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
  const send = (from: number): void => {
    number += 1;
    if (senders[from]?.trySend([`m${from}`, String(number)])) sent[from]?.push(number);
  };
  const killed = { front: 0, back: 0 };
  for (const step of list) {
    if (step.do === "send") for (let i = 0; i < step.count; i += 1) send(step.from);
    else if (step.do === "kill") {
      const { peers } = (step.side === "front" ? front : back).stats();
      const address = peers[step.n]?.address;
      const stream = world.network.streams.find((one) => one.remoteAddress === address && !one.isOver);
      if (!kills || stream === undefined) continue;
      killed[step.side] += 1;
      stream.reset();
    } else if (step.do === "settle") await world.settle();
    else if (step.do === "turns") await world.turns(3);
    else proxy[step.do]();
  }
  if (!isBusy) {
    proxy.resume();
    // Everybody is connected again, and nothing is on its way any more: it ends with nothing lost.
    await world.advance(1000);
    for (const from of [0, 1]) send(from);
    await world.advance(10);
    for (const from of [0, 1]) {
      const times = got.flat().filter((text) => text === `m${from}|${sent[from]?.at(-1)}`).length;
      expect(times).toBe(isPush ? 1 : 2);
    }
  }
  proxy.terminate();
  await world.advance(1000);
  await ended;
  for (const receiver of receivers) void receiver.close();
  for (const sender of senders) void sender.close();
  await world.advance(10);
  await Promise.all(receiving);

  // What it took has been passed on, but for what was lost with a connection; what it did not take is counted as queued.
  const { received, queued } = front.stats();
  const passedOn = (received - queued) * (isPush ? 1 : 2);
  const lost = back.stats().dropped;
  if (killed.back === 0) expect([got.flat().length, lost]).toEqual([passedOn, 0]);
  else expect(got.flat().length).toBeLessThanOrEqual(passedOn - lost);
  for (const from of [0, 1]) {
    const all = (sent[from] ?? []).map((one) => `m${from}|${one}`);
    const outs = got.map((messages) => messages.filter((text) => text.startsWith(`m${from}`)));
    for (const out of outs) {
      // What an earlier connection has left behind and what comes on the next one are of two peers.
      const inOrder = all.filter((text) => out.includes(text));
      expect(killed.front === 0 ? out : [...out].sort()).toEqual(
        killed.front === 0 ? inOrder : inOrder.sort(),
      );
    }
    if (isPush) expect(new Set(outs.flat()).size).toBe(outs.flat().length);
    if (isBusy || killed.front + killed.back > 0) continue;
    for (const out of isPush ? [outs.flat().sort()] : outs) expect(out).toEqual(isPush ? all.sort() : all);
  }
}

describe.each([
  ["PULL to PUSH", "PP-1, PP-6"],
  ["XSUB to XPUB", "PS-8, PS-12, PS-24"],
] as const)("a proxy, %s: %s", (kind, _items) => {
  const name = `${kind}: what is taken comes out, in order, whenever it is paused, resumed and terminated, and connections break`;
  it(name, { timeout: 300_000 }, async () => {
    const property = fc.asyncProperty(options, steps, (option, list) => run(kind, option, list));
    await check({ file, name }, property, 200);
  });
});
