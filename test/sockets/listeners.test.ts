import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Proxy as SocketProxy } from "../../src/sockets/index.ts";
import { drain, message, trapRejections, World } from "../support/sim-sockets.ts";

trapRejections();

/** A publisher with subscribers to everything, of which the first has no room. */
async function published(type: "publisher" | "xpublisher") {
  const world = new World();
  const pub = world[type]({ sendHighWaterMark: 1 });
  await world.bind(pub);
  const stalled = (await world.dialRaw("sim://a")).greet("SUB").write(message("\x01"));
  await world.settle();
  stalled.stream.pause();
  const subscribers = Array.from({ length: 3 }, () => {
    const sub = world.subscriber();
    sub.subscribe("");
    sub.connect("sim://a");
    return sub;
  });
  await world.settle();
  const fill = "-".repeat(100_000);
  for (let i = 0; i < 2; i += 1) pub.trySend(fill);
  await world.settle();
  for (const sub of subscribers) await drain(sub);
  return { world, pub, subscribers };
}

describe("a listener that acts on `drop`, which is told from within `send`", () => {
  it.each(["publisher", "xpublisher"] as const)(
    "%s: a message sent there goes to all, behind the one that was dropped",
    async (type) => {
      const { world, pub, subscribers } = await published(type);
      pub.events.once("drop", () => {
        pub.trySend("inner");
      });
      pub.trySend("outer");
      await world.settle();
      for (const sub of subscribers) expect(await drain(sub)).toEqual(["outer", "inner"]);
    },
  );

  it("invertMatching: the same", async () => {
    const world = new World();
    const pub = world.publisher({ sendHighWaterMark: 1, invertMatching: true });
    await world.bind(pub);
    const stalled = (await world.dialRaw("sim://a")).greet("SUB");
    await world.settle();
    stalled.stream.pause();
    const subscribers = [1, 2].map(() => {
      const sub = world.subscriber({ invertMatching: true });
      sub.subscribe("other");
      sub.connect("sim://a");
      return sub;
    });
    await world.settle();
    for (let i = 0; i < 2; i += 1) pub.trySend("-".repeat(100_000));
    await world.settle();
    for (const sub of subscribers) await drain(sub);
    pub.events.once("drop", () => {
      pub.trySend("inner");
    });
    pub.trySend("outer");
    await world.settle();
    for (const sub of subscribers) expect(await drain(sub)).toEqual(["outer", "inner"]);
  });

  it("one that ends a connection takes the message from nobody else", async () => {
    const { world, pub, subscribers } = await published("publisher");
    const leaving = world.subscriber();
    leaving.subscribe("");
    await world.bind(leaving, "sim://leaving");
    pub.connect("sim://leaving");
    await world.settle();
    pub.events.once("drop", () => pub.disconnect("sim://leaving"));
    pub.trySend("outer");
    await world.settle();
    for (const sub of [...subscribers, leaving]) expect(await drain(sub)).toEqual(["outer"]);
  });

  it("XSUB: a message sent there comes behind", async () => {
    const world = new World();
    const xsub = world.xsubscriber({ sendHighWaterMark: 1 });
    const stalled = world.listenRaw("sim://stalled");
    xsub.connect("sim://stalled");
    const xpub = world.xpublisher();
    await world.bind(xpub);
    xsub.connect("sim://a");
    await world.settle();
    stalled[0]?.greet("XPUB");
    await world.settle();
    stalled[0]?.stream.pause();
    for (let i = 0; i < 2; i += 1) xsub.trySend("-".repeat(100_000));
    await world.settle();
    await drain(xpub);
    xsub.events.once("drop", () => {
      xsub.trySend("inner");
    });
    xsub.trySend("outer");
    await world.settle();
    expect(await drain(xpub)).toEqual(["outer", "inner"]);
  });
});

describe("what util.inspect shows", () => {
  it("of sockets, contexts, observers and proxies: their names", () => {
    const world = new World();
    const [pub, xsub] = [world.publisher(), world.xsubscriber()];
    expect([pub, xsub, pub.events].map((one) => inspect(one))).toEqual([
      "Publisher {}",
      "XSubscriber {}",
      "Observer {}",
    ]);
    expect(inspect(world.context)).toBe("Context {}");
    expect(inspect(new SocketProxy(xsub, pub))).toMatch(/^\w+ \{\}$/);
  });
});
