import { describe, expect, it } from "vitest";
import type { PublisherOptions } from "../../src/sockets/index.ts";
import {
  command,
  drain,
  eventsOf,
  message,
  type RawPeer,
  trapRejections,
  World,
  watch,
} from "../support/sim-sockets.ts";

trapRejections();

const kinds = ["publisher", "xpublisher"] as const;
type Kind = (typeof kinds)[number];

/** A publisher with peers that have subscribed to everything; each stream takes 20 bytes. */
async function withPeers(kind: Kind, count: number, options: PublisherOptions) {
  const world = new World();
  const publisher = world[kind](options);
  await world.bind(publisher);
  const peers: RawPeer[] = [];
  for (let n = 0; n < count; n += 1)
    peers.push((await world.dialRaw("sim://a")).greet("SUB").write(command("SUBSCRIBE", "")));
  await world.settle();
  for (const peer of peers) peer.take();
  world.network.capacity = 20;
  /** Sends until the first peer, which reads no more, has no room. @returns how many messages were taken. */
  const fill = async (): Promise<number> => {
    peers[0]?.stream.pause();
    let taken = 0;
    for (; publisher.trySend("x".repeat(30)); taken += 1) await world.settle();
    return taken;
  };
  return { world, publisher, peers, fill };
}

describe.each(kinds)("PS-12, OP-XPUB: noDrop, %s", (kind) => {
  const options = { noDrop: true, sendHighWaterMark: 3 };

  it("trySend: false when somebody has no room, and nobody gets the message", async () => {
    const { world, publisher, peers, fill } = await withPeers(kind, 2, options);
    const taken = await fill();
    expect(taken).toBeGreaterThanOrEqual(3);
    expect(peers[1]?.take()).toHaveLength(taken * 32);
    expect(publisher.trySend("nobody")).toBe(false);
    await world.settle();
    expect(peers[1]?.take()).toHaveLength(0);
    peers[0]?.stream.resume();
    await world.settle();
    expect(peers[0]?.take()).toHaveLength(taken * 32);
    expect(publisher.stats().dropped).toBe(0);
  });

  it("send waits for room; calls that wait keep their order, and nothing is lost", async () => {
    const { world, publisher, peers, fill } = await withPeers(kind, 2, options);
    await fill();
    for (const peer of peers) peer.take();
    const sends = ["a", "b", "c"].map((text) => watch(publisher.send(text)));
    expect(publisher.trySend("not before them")).toBe(false);
    await world.settle();
    expect(sends.map((send) => send.state)).toEqual(["pending", "pending", "pending"]);
    expect(world.holds).toBe(3);
    peers[0]?.stream.resume();
    await world.settle();
    expect(sends.map((send) => send.state)).toEqual(["resolved", "resolved", "resolved"]);
    const tail = Buffer.concat(["a", "b", "c"].map((text) => message(text)));
    expect(peers.map((peer) => peer.take().subarray(-9))).toEqual([tail, tail]);
    expect(world.holds).toBe(0);
  });

  it("EAGAIN after sendTimeout, at once for 0, and when the socket is closed; EBUSY beyond 1000 calls", async () => {
    const { world, publisher, peers, fill } = await withPeers(kind, 2, { ...options, sendTimeout: 50 });
    await fill();
    peers[1]?.take();
    const late = watch(publisher.send("late"));
    await world.advance(49);
    expect(late.state).toBe("pending");
    await world.advance(1);
    expect(late).toMatchObject({ state: "rejected", error: { code: "EAGAIN" } });
    publisher.sendTimeout = 0;
    const atOnce = watch(publisher.send("at once"));
    await world.settle();
    expect(atOnce).toMatchObject({ state: "rejected", error: { code: "EAGAIN" } });
    publisher.sendTimeout = -1;
    const aborting = new AbortController();
    const aborted = watch(publisher.send("aborted", { signal: aborting.signal }));
    aborting.abort();
    const waiting = Array.from({ length: 1001 }, () => watch(publisher.send("x")));
    await world.settle();
    expect(aborted).toMatchObject({ state: "rejected", error: { name: "AbortError" } });
    expect(waiting.at(-1)).toMatchObject({ state: "rejected", error: { code: "EBUSY" } });
    expect(waiting[0]?.state).toBe("pending");
    publisher.linger = 0;
    await world.run(publisher.close());
    expect(waiting[0]).toMatchObject({ state: "rejected", error: { code: "EAGAIN" } });
    expect(peers[1]?.take()).toHaveLength(0);
    expect(world.holds).toBe(0);
  });

  it("goes on when the peer that has no room leaves, cancels, or noDrop is taken back", async () => {
    for (const how of ["leaves", "cancels", "taken back"]) {
      const { world, publisher, peers, fill } = await withPeers(kind, 2, options);
      await fill();
      peers[1]?.take();
      const send = watch(publisher.send("x"));
      await world.settle();
      expect(send.state).toBe("pending");
      if (how === "leaves") peers[0]?.stream.reset();
      else if (how === "cancels") peers[0]?.write(command("CANCEL", ""));
      else publisher.noDrop = false;
      await world.settle();
      expect([how, send.state]).toEqual([how, "resolved"]);
      expect(peers[1]?.take()).toEqual(message("x"));
    }
  });

  it("those who are not meant set no pace", async () => {
    const { world, publisher, peers, fill } = await withPeers(kind, 2, options);
    peers[0]?.write(command("SUBSCRIBE", "x"), command("CANCEL", ""));
    await world.settle();
    await fill();
    peers[1]?.take();
    expect(publisher.trySend("y")).toBe(true);
    await world.settle();
    expect(peers[1]?.take()).toEqual(message("y"));
  });

  it('comes before overflow "disconnect"', async () => {
    const { publisher, fill } = await withPeers(kind, 1, { ...options, overflow: "disconnect" });
    const events = eventsOf(publisher);
    await fill();
    expect(publisher.trySend("x")).toBe(false);
    expect(events).toEqual([]);
  });
});

describe("PS-10, OP-INVERT_MATCHING: invertMatching", () => {
  it.each(kinds)(
    "%s: to those that have not subscribed, those without any subscription too",
    async (kind) => {
      const world = new World();
      const publisher = world[kind]({ invertMatching: true });
      await world.bind(publisher);
      const [a, b] = [await world.dialRaw("sim://a"), await world.dialRaw("sim://a")];
      a.greet("SUB").write(command("SUBSCRIBE", "a"));
      b.greet("SUB");
      await world.settle();
      a.take();
      b.take();
      for (const topic of ["abc", "b"]) await world.run(publisher.send(topic));
      await world.settle();
      expect(a.take()).toEqual(message("b"));
      expect(b.take()).toEqual(Buffer.concat([message("abc"), message("b")]));
      publisher.invertMatching = false;
      publisher.trySend("abc");
      await world.settle();
      expect([a.take(), b.take()]).toEqual([message("abc"), Buffer.alloc(0)]);
    },
  );

  it.each([
    [false, false, ["a1"]],
    [true, true, ["b1"]],
    [true, false, []],
    [false, true, []],
  ])("publisher %s, subscriber %s: %j", async (publisherInverts, subscriberInverts, expected) => {
    const world = new World();
    const publisher = world.publisher({ invertMatching: publisherInverts });
    const subscriber = world.subscriber({ invertMatching: subscriberInverts });
    subscriber.connect(await world.bind(publisher));
    subscriber.subscribe("a");
    await world.settle();
    for (const topic of ["a1", "b1"]) publisher.trySend(topic);
    await world.settle();
    expect(await drain(subscriber)).toEqual(expected);
  });

  it("a peer that has gone gets nothing more", async () => {
    const world = new World();
    const publisher = world.publisher({ invertMatching: true });
    await world.bind(publisher);
    const raw = (await world.dialRaw("sim://a")).greet("SUB");
    await world.settle();
    raw.stream.reset();
    await world.settle();
    publisher.trySend("x");
    expect(publisher.stats()).toMatchObject({ sent: 0, dropped: 0, queued: 0 });
  });
});

describe("confirmed", () => {
  it("is what the least certain of the publishers is: one that answers no PING makes it assumed", async () => {
    const world = new World();
    const mute = world.listenRaw("sim://mute");
    const subscriber = world.subscriber();
    subscriber.connect("sim://mute");
    subscriber.connect(await world.bind(world.publisher()));
    await world.settle();
    mute[0]?.greet("PUB");
    await world.settle();
    const both = watch(subscriber.confirmed());
    await world.advance(999);
    expect(both.state).toBe("pending");
    await world.advance(1);
    expect(both).toMatchObject({ state: "resolved", value: "assumed" });
    subscriber.disconnect("sim://mute");
    expect(await world.run(subscriber.confirmed())).toBe("answered");
  });
});

describe("Calls that wait for subscribers or publishers are bounded: EBUSY", () => {
  it("subscribed: 1000", async () => {
    const world = new World();
    const publisher = world.publisher();
    const calls = Array.from({ length: 1001 }, () => watch(publisher.subscribed("a")));
    await world.settle();
    expect(calls[999]?.state).toBe("pending");
    expect(calls[1000]).toMatchObject({ state: "rejected", error: { code: "EBUSY" } });
    await world.run(publisher.close());
    expect(world.holds).toBe(0);
  });

  it("confirmed: 1000, and as many again afterwards", async () => {
    const world = new World();
    const peers = world.listenRaw("sim://a");
    const subscriber = world.subscriber();
    subscriber.connect("sim://a");
    await world.settle();
    peers[0]?.greet("PUB");
    await world.settle();
    for (let round = 0; round < 2; round += 1) {
      const calls = Array.from({ length: 1001 }, () => watch(subscriber.confirmed()));
      await world.settle();
      expect(calls[999]?.state).toBe("pending");
      expect(calls[1000]).toMatchObject({ state: "rejected", error: { code: "EBUSY" } });
      await world.advance(1000);
      expect(calls[999]).toMatchObject({ state: "resolved", value: "assumed" });
    }
    await world.run(subscriber.close());
    expect(world.holds).toBe(0);
  });
});
